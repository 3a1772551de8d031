"""`/api/v1/returns/{id}/pictures`: what comes back, as it looked."""

import uuid
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response

from cloud_api.kernel.body_limit import takes_up_to
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.media.arrivals import MOST_PICTURE_BYTES, PICTURE_BODY, ArrivedPicture
from cloud_api.media.delivering import deliver_shaped
from cloud_api.media.models import Media
from cloud_api.media.pictures import Shape
from cloud_api.media.storage import Files
from cloud_api.returns import pictures, queries, service
from cloud_api.returns.schemas import ReturnPictureRead
from cloud_api.returns.visibility import ReturnsToWrite, visible_orders

router = APIRouter(prefix="/returns/{id}/pictures", tags=["orders"], route_class=ApiRoute)

_SHAPES = {
    "small": Shape(480, 480, "inside", "webp", 75),
    "large": Shape(2048, 2048, "inside", "webp", 85),
}
_BYTES = {"schema": {"type": "string", "format": "binary"}}
_PICTURE: dict[int | str, dict[str, Any]] = {
    "200": {"description": "The picture", "content": {"image/webp": _BYTES}},
    "304": {"description": "You have it"},
}


async def _known_file(request: Request, principal: CurrentPrincipal, id: uuid.UUID, picture_id: uuid.UUID) -> Media:
    """What is known of a picture, in a unit of work that is over when its bytes are fetched."""
    async with request.app.state.database.unit_of_work(principal.scope, read_only=True) as db:
        seen = await visible_orders(db, principal, "returns:read")
        return await pictures.file_of(db, id, picture_id, seen=seen)


KnownFile = Annotated[Media, Depends(_known_file)]


@router.post(
    "",
    response_model=ReturnPictureRead,
    status_code=201,
    dependencies=[require("returns:write")],
    openapi_extra=PICTURE_BODY,
)
@takes_up_to(MOST_PICTURE_BYTES)
async def add_return_picture(
    landed: ArrivedPicture,
    db: Db,
    principal: CurrentPrincipal,
    seen: ReturnsToWrite,
    id: uuid.UUID,
    line_id: Annotated[uuid.UUID | None, Query(description="What it shows; without: all of it.")] = None,
) -> ReturnPictureRead:
    """The picture's bytes as the body, their kind as `Content-Type`. Customers show why they ask, until it is decided;
    the store what came and how it was found, until it is closed. The same bytes again are the same picture.
    """
    picture = await pictures.add(db, id, landed=landed, line_id=line_id, sent_by=principal.id, seen=seen)
    one = await service.get_return(db, id, seen=seen)
    return pictures.told(picture, one, await queries.goods_of(db, id))


@router.get(
    "/{picture_id}",
    response_model=None,
    response_class=Response,
    responses=_PICTURE,
    dependencies=[require("returns:read")],
)
async def get_return_picture(request: Request, file: KnownFile, size: Literal["small", "large"] = "large") -> Response:
    """Upright, and without what its camera wrote into it; customers see those that they sent."""
    return await deliver_shaped(Files.of(request.app.state.settings), file, _SHAPES[size], request)


@router.delete("/{picture_id}", status_code=204, dependencies=[require("returns:write")])
async def remove_return_picture(db: Db, seen: ReturnsToWrite, id: uuid.UUID, picture_id: uuid.UUID) -> None:
    """Take one away by which nothing was decided; customers those that they sent."""
    await pictures.remove(db, id, picture_id, seen=seen)
