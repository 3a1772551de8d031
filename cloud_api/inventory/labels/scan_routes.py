"""What was scanned: `/api/v1/warehouse/products/barcode/{code}` and `/api/v1/warehouse/scans`."""

from typing import Annotated

from fastapi import APIRouter, Path

from cloud_api.inventory.labels.resolving import Onlooker, resolve
from cloud_api.inventory.labels.scan_schemas import Scan, ScanRead
from cloud_api.kernel.errors import NotFound
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.places.visibility import VisiblePlaces

router = APIRouter(prefix="/warehouse", tags=["scans"], route_class=ApiRoute)

_READ = [require("products:read")]


@router.get("/products/barcode/{code}", response_model=ScanRead, dependencies=_READ)
async def resolve_barcode(
    db: Db,
    principal: CurrentPrincipal,
    seen: VisiblePlaces,
    code: Annotated[str, Path(max_length=1_000)],
    fnc1: bool = False,
) -> ScanRead:
    """What goes by a bar code, a QR code or the EPC of a tag: product, variant, lot, item or place.

    An element string whose separators (GS, `%1D`) the scanner kept to itself is refused where they would matter, unless
    `fnc1` says that the scanner sends them. A code with a slash does not go into an address: POST it to `scans`.
    """
    scan = await resolve(db, code, by=Onlooker(seen, principal.may), fnc1=fnc1)
    if scan.kind == "unknown":
        of = f" (GTIN {scan.decoded.gtin})" if scan.decoded is not None and scan.decoded.gtin else ""
        raise NotFound(f"nothing here goes by the code {code!r}{of}", field="code")
    return scan


@router.post("/scans", response_model=ScanRead, dependencies=_READ)
async def take_scan(db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, body: Scan) -> ScanRead:
    """The same of what a scanner read, in the body as it came; what nobody knows is answered with what it says."""
    return await resolve(db, body.code, by=Onlooker(seen, principal.may), fnc1=body.fnc1)
