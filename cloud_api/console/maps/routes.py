"""`/console/region.pmtiles`: the region's map, in the ranges that a browser asks for."""

from fastapi import Request, Response
from fastapi.responses import FileResponse

from cloud_api.console.maps.ground import REGION, region_of
from cloud_api.console.route import Looking, console_router
from cloud_api.kernel.errors import NotFound

router = console_router()

#: its address has the file's stamp in it
_KEPT = "private, max-age=604800"


@router.get(REGION)
async def get_region(request: Request, _visitor: Looking) -> Response:
    """The file, or the range of it that is asked for; for people who are signed in.

    Raises:
        NotFound: when the operator has given none.
    """
    region = region_of(request)
    if region is None or not region.path.is_file():
        raise NotFound("no map of the region is given")
    return FileResponse(region.path, media_type="application/vnd.pmtiles", headers={"Cache-Control": _KEPT})
