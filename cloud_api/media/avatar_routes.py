"""`/api/v1/admin/users/{id}/avatar`: a person's picture, set by themselves or by who may change people."""

import uuid
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity.people import authority
from cloud_api.identity.people import service as people
from cloud_api.identity.people.models import User
from cloud_api.kernel.errors import Forbidden, NotFound
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.permissions import CurrentPrincipal, Principal
from cloud_api.kernel.unit_of_work import Db
from cloud_api.media import service
from cloud_api.media.arrivals import PHOTO_BODY, ArrivedPhoto
from cloud_api.media.schemas import AvatarRead
from cloud_api.media.storage import Files

router = APIRouter(prefix="/admin/users/{id}/avatar", tags=["users"], route_class=ApiRoute)

_KINDS = PHOTO_BODY["requestBody"]["content"]
_PICTURE: dict[int | str, dict[str, Any]] = {"200": {"description": "The picture", "content": _KINDS}}


@router.post("", response_model=AvatarRead, status_code=201, openapi_extra=PHOTO_BODY)
async def set_avatar(photo: ArrivedPhoto, db: Db, principal: CurrentPrincipal, id: uuid.UUID) -> AvatarRead:
    """The picture's bytes as the body, its kind (image/jpeg or image/png) as `Content-Type`."""
    user = await _changeable(db, principal, id)
    kept = await service.keep(db, photo, by=principal.id)
    if user.avatar_id not in (None, kept.id):
        await _show_no_more(db, user)
    await service.attach(db, media_id=kept.id, entity_type="user", entity_id=user.id)
    user.avatar_id = kept.id
    return AvatarRead.model_validate(kept)


@router.get("", response_model=None, response_class=Response, responses=_PICTURE)
async def get_avatar(request: Request, db: Db, principal: CurrentPrincipal, id: uuid.UUID) -> Response:
    """The picture; of anybody in the organisation for who may see people, and one's own."""
    if principal.id != id and not principal.may("users:read"):
        raise Forbidden("this needs the permission users:read; ask your administrator for it")
    user = await people.get_user(db, id)
    if user.avatar_id is None:
        raise NotFound(f"the user {id} has no picture")
    kept = await service.get_media(db, user.avatar_id)
    content = await Files.of(request.app.state.settings).read(kept.key)
    return Response(content, media_type=kept.mime, headers={"Cache-Control": "private, max-age=300"})


@router.delete("", status_code=204)
async def remove_avatar(db: Db, principal: CurrentPrincipal, id: uuid.UUID) -> None:
    """Show no picture any more."""
    await _show_no_more(db, await _changeable(db, principal, id))


async def _show_no_more(db: AsyncSession, user: User) -> None:
    if user.avatar_id is not None:
        await service.detach(db, media_id=user.avatar_id, entity_type="user", entity_id=user.id)
    user.avatar_id = None


async def _changeable(db: AsyncSession, principal: Principal, id: uuid.UUID) -> User:
    if principal.id != id and not principal.may("users:write"):
        raise Forbidden("this needs the permission users:write; ask your administrator for it")
    user = await people.get_user(db, id, locked=True)
    if principal.id != id:
        await authority.check_changeable(db, user, by=principal)
    return user
