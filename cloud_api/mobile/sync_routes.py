"""`/api/v1/mobile/keys` and `/api/v1/mobile/sync`: what a phone sealed without signal, and what it has missed."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from cloud_api.kernel.body_limit import takes_up_to
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery
from cloud_api.kernel.permissions import CurrentPrincipal, Principal, require
from cloud_api.kernel.rate_limits import budget
from cloud_api.kernel.unit_of_work import Db
from cloud_api.logistics.deliveries.schemas import PhotoRead
from cloud_api.logistics.deliveries.visibility import DeliveriesToRead
from cloud_api.logistics.sync import feed, listing, service, taking_in
from cloud_api.logistics.sync.schemas import (
    MOST_BYTES,
    Changes,
    CommandRead,
    KeyCreate,
    KeyRead,
    KeyRegistered,
    Result,
    SyncRequest,
    SyncResult,
)
from cloud_api.media import service as media
from cloud_api.media.arrivals import PHOTO_BODY, ArrivedPhoto
from cloud_api.media.delivering import has_it

router = APIRouter(prefix="/mobile", tags=["mobile"], route_class=ApiRoute)

_MOVES = [require("deliveries:update_status")]


def _whose(principal: Principal) -> uuid.UUID | None:
    """Whose keys somebody may see and revoke: a driver their own, who writes deliveries everybody's."""
    return None if principal.may("deliveries:write") else principal.id


@router.post("/keys", response_model=KeyRegistered, status_code=201, dependencies=_MOVES)
@budget("driver")
async def register_phone_key(db: Db, principal: CurrentPrincipal, body: KeyCreate) -> KeyRegistered:
    """Register the key that this phone seals its log with. The same again is the same: ask after each sign-in."""
    return await service.register_key(db, body, user_id=principal.id, session_id=principal.session_id)


@router.get("/keys", response_model=list[KeyRead], dependencies=_MOVES)
async def list_phone_keys(db: Db, principal: CurrentPrincipal, query: Annotated[PageQuery, Depends()]) -> Page[KeyRead]:
    """Newest first; a driver sees their own, who writes deliveries everybody's."""
    return await listing.keys(db, query, whose=_whose(principal))


@router.delete("/keys/{id}", status_code=204, dependencies=_MOVES)
async def revoke_phone_key(db: Db, principal: CurrentPrincipal, id: uuid.UUID) -> None:
    """A phone is lost, or was given away: nothing that it seals is believed from now on."""
    reason = f"revoked by {principal.name}" if principal.name else "revoked"
    await service.revoke_key(db, id, reason=reason, user_id=_whose(principal))


@router.post("/sync", response_model=SyncResult, dependencies=_MOVES)
@budget("driver")
@takes_up_to(MOST_BYTES)
async def upload_commands(db: Db, principal: CurrentPrincipal, body: SyncRequest) -> SyncResult:
    """Take in a part of the phone's sealed log: any part, in any order, any number of times.

    Each command has its own result; one that is refused, or cannot be read, holds up no other.
    """
    return await taking_in.take_in(db, body, user_id=principal.id)


@router.post(
    "/sync/photos",
    response_model=PhotoRead,
    status_code=201,
    dependencies=_MOVES,
    openapi_extra=PHOTO_BODY,
)
@budget("driver")
async def upload_command_photo(photo: ArrivedPhoto, db: Db) -> PhotoRead:
    """A picture that a sealed command names, known by its hash alone: the stop may be somebody else's by now.

    Its bytes are the body, its kind is `Content-Type`, its SHA-256 stands in `X-Content-SHA256`.
    """
    kept = PhotoRead.model_validate(await media.keep(db, photo))
    await taking_in.note_photo(db, kept.sha256)
    return kept


@router.get(
    "/sync",
    response_model=Changes,
    dependencies=[require("deliveries:read")],
    responses={304: {"description": "nothing has changed"}},
)
@budget("driver")
async def download_changes(
    request: Request,
    response: Response,
    db: Db,
    principal: CurrentPrincipal,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
) -> Changes | Response:
    """What has changed for the driver since `cursor`; without one all that is theirs. `ETag` says whether anything."""
    etag = f'"{await feed.standing(db, driver_id=principal.id)}-{limit}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    if has_it(request, etag):
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    return await feed.changes(db, driver_id=principal.id, cursor=cursor, limit=limit)


@router.get("/commands", response_model=list[CommandRead], dependencies=[require("deliveries:read")])
async def list_phone_commands(
    db: Db, seen: DeliveriesToRead, query: Annotated[PageQuery, Depends()], result: Result | None = None
) -> Page[CommandRead]:
    """What phones have sealed about deliveries and routes that the caller may see, newest first."""
    return await listing.commands(db, query, seen=seen, result=result)
