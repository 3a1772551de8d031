"""`/api/v1/media`: the organisation's files."""

import uuid
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel import clock
from cloud_api.kernel.body_limit import takes_up_to
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.tenancy import OrganizationScope
from cloud_api.kernel.unit_of_work import Db
from cloud_api.media import links, service
from cloud_api.media.arrivals import FILE_BODY, ArrivedFile
from cloud_api.media.content import KINDS
from cloud_api.media.delivering import deliver, deliver_shaped
from cloud_api.media.models import Media
from cloud_api.media.pictures import Shape
from cloud_api.media.queries import listed_media
from cloud_api.media.schemas import (
    AttachmentRead,
    FileName,
    Fit,
    MediaDetailRead,
    MediaRead,
    PictureFormat,
    PurgedRead,
    SignedUrlRead,
)
from cloud_api.media.storage import Files

router = APIRouter(prefix="/media", tags=["media"], route_class=ApiRoute)

_BYTES = {"schema": {"type": "string", "format": "binary"}}
_FILE: dict[int | str, dict[str, Any]] = {
    "200": {"description": "The file", "content": dict.fromkeys(KINDS, _BYTES)},
    "206": {"description": "The bytes of `Range`", "content": dict.fromkeys(KINDS, _BYTES)},
    "304": {"description": "You have it"},
}
_PICTURE: dict[int | str, dict[str, Any]] = {
    "200": {
        "description": "The picture",
        "content": dict.fromkeys(("image/webp", "image/jpeg", "image/png", "image/avif"), _BYTES),
    },
    "304": {"description": "You have it"},
}
#: more than any setting allows (`COLDFLEET_MEDIA_MAX_MB`), which is held while the body arrives
_MOST_BYTES = 101_000_000
_Pixels = Annotated[int, Query(ge=1, le=4096)]


async def _known_file(request: Request, principal: CurrentPrincipal, id: uuid.UUID) -> Media:
    """The file of the path, in a unit of work that is over when its bytes are fetched."""
    async with request.app.state.database.unit_of_work(principal.scope, read_only=True) as db:
        return await service.get_media(db, id, listed=True)


KnownFile = Annotated[Media, Depends(_known_file)]


async def _linked_file(request: Request, token: str) -> Media:
    """The file that a signed address is good for."""
    link = links.read_token(token, secret_key=request.app.state.settings.secret_key.get_secret_value())
    scope = OrganizationScope(link.organization_id)
    async with request.app.state.database.unit_of_work(scope, read_only=True) as db:
        return await service.get_media(db, link.media_id, listed=True)


def _shape(
    width: _Pixels | None = None,
    height: _Pixels | None = None,
    fit: Fit = "inside",
    format: PictureFormat = "webp",
    quality: Annotated[int, Query(ge=20, le=95)] = 80,
) -> Shape:
    return Shape(width, height, fit, format, quality)


@router.get("", response_model=list[MediaRead], dependencies=[require("media:read")])
async def list_media(
    db: Db,
    query: Annotated[PageQuery, Depends()],
    entity_type: Annotated[str | None, Query(max_length=40)] = None,
    entity_id: uuid.UUID | None = None,
    mime: Annotated[str | None, Query(max_length=100)] = None,
) -> Page[Media]:
    """Newest first; of what shows them; of one kind, or of all kinds that begin so (`image/`)."""
    wanted = listed_media(entity_type=entity_type, entity_id=entity_id, mime=mime)
    return await page(db, wanted, Media.id, query)


@router.post(
    "",
    response_model=MediaRead,
    status_code=201,
    dependencies=[require("media:write")],
    openapi_extra=FILE_BODY,
)
@takes_up_to(_MOST_BYTES)
async def upload_media(
    landed: ArrivedFile, db: Db, principal: CurrentPrincipal, name: Annotated[FileName, Query()]
) -> Media:
    """The bytes as the body, their kind as `Content-Type`, the name in the query; their SHA-256 in `X-Content-SHA256`.

    The same bytes again are the same file, under the name that it came with first.
    """
    return await service.keep(db, landed, name=name, by=principal.id, listed=True)


@router.get("/signed/{token}", response_model=None, response_class=Response, responses=_FILE)
async def get_signed_media(request: Request, media: Annotated[Media, Depends(_linked_file)]) -> Response:
    """The file that a signed address shows, without signing in, until its time is over."""
    return await deliver(Files.of(request.app.state.settings), media, request)


@router.get("/{id}", response_model=MediaDetailRead, dependencies=[require("media:read")])
async def get_media(db: Db, id: uuid.UUID) -> MediaDetailRead:
    """What is known of a file, and what shows it."""
    media = await service.get_media(db, id, listed=True)
    return await _detail(db, media)


@router.get(
    "/{id}/download",
    response_model=None,
    response_class=Response,
    responses=_FILE,
    dependencies=[require("media:read")],
)
async def download_media(request: Request, media: KnownFile) -> Response:
    """The bytes as they came; a range of them (`Range`), or 304 when `If-None-Match` names them."""
    return await deliver(Files.of(request.app.state.settings), media, request)


@router.get(
    "/{id}/transform",
    response_model=None,
    response_class=Response,
    responses=_PICTURE,
    dependencies=[require("media:read")],
)
async def transform_media(request: Request, media: KnownFile, shape: Annotated[Shape, Depends(_shape)]) -> Response:
    """A picture in another size and format: upright, and without what its camera wrote into it."""
    return await deliver_shaped(Files.of(request.app.state.settings), media, shape, request)


@router.get("/{id}/signed-url", response_model=SignedUrlRead, dependencies=[require("media:read")])
async def sign_media_url(
    request: Request,
    principal: CurrentPrincipal,
    media: KnownFile,
    expires_in_s: Annotated[int, Query(ge=1, le=604_800)] = 900,
) -> SignedUrlRead:
    """An address of this file for somebody who cannot sign in; whoever has it sees the file until its time is over."""
    settings = request.app.state.settings
    ends_at = (clock.now() + timedelta(seconds=expires_in_s)).replace(microsecond=0)
    link = links.Link(principal.organization_id, media.id, ends_at)
    token = links.token_of(link, secret_key=settings.secret_key.get_secret_value())
    return SignedUrlRead(url=f"{settings.public_url.rstrip('/')}/api/v1/media/signed/{token}", expires_at=ends_at)


@router.post("/{id}/purge", response_model=PurgedRead, dependencies=[require("media:write")])
async def purge_media(request: Request, media: KnownFile) -> PurgedRead:
    """Throw away the sizes and formats that were made of it; the next who asks has them made again."""
    return PurgedRead(removed=await Files.of(request.app.state.settings).remove_under(media.derived_prefix))


@router.delete("/{id}", status_code=204, dependencies=[require("media:write")])
async def delete_media(db: Db, id: uuid.UUID) -> None:
    """Delete a file that nothing shows."""
    await service.delete_media(db, id)


async def _detail(db: AsyncSession, media: Media) -> MediaDetailRead:
    shown_by = await service.attached_to(db, media.id)
    known = MediaRead.model_validate(media).model_dump()
    return MediaDetailRead(**known, attachments=[AttachmentRead.model_validate(by) for by in shown_by])
