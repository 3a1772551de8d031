"""`/api/v1/organizations/{id}/logo`: the picture of a white label, shown to everybody at the sign-in."""

import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity.organizations import service as organizations
from cloud_api.identity.organizations.models import Organization
from cloud_api.identity.organizations.schemas import Branding
from cloud_api.kernel.db import Database
from cloud_api.kernel.errors import NotFound
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.permissions import CurrentPrincipal, Principal, require
from cloud_api.kernel.tenancy import SystemScope
from cloud_api.kernel.unit_of_work import Db
from cloud_api.media import service
from cloud_api.media.arrivals import PHOTO_BODY, ArrivedPhoto
from cloud_api.media.models import Media, MediaAttachment
from cloud_api.media.storage import Files

router = APIRouter(prefix="/organizations/{id}/logo", tags=["organizations"], route_class=ApiRoute)

WRITING = [require("organizations:write")]
_SHOWS = "organization"
_KINDS = PHOTO_BODY["requestBody"]["content"]
_PICTURE: dict[int | str, dict[str, Any]] = {"200": {"description": "The picture", "content": _KINDS}}
NameOrId = Annotated[str, Path(min_length=1, max_length=63, pattern=r"^[A-Za-z0-9-]+$")]


@router.put("", response_model=Branding, dependencies=WRITING, openapi_extra=PHOTO_BODY)
async def set_logo(photo: ArrivedPhoto, db: Db, principal: CurrentPrincipal, id: uuid.UUID) -> Branding:
    """The picture's bytes as the body, its kind (image/jpeg or image/png) as `Content-Type`; one's own organisation."""
    organization = await _own(db, principal, id)
    await _show_no_more(db, id)
    kept = await service.keep(db, photo, by=principal.id)
    await service.attach(db, media_id=kept.id, entity_type=_SHOWS, entity_id=id)
    # the name changes with the picture: browsers may keep it
    shown = f"/api/v1/organizations/{id}/logo?v={kept.id.hex[-12:]}"
    organization.branding = {**organization.branding, "logo_url": shown}
    return Branding.model_validate(organization.branding)


@router.get("", response_model=None, response_class=Response, responses=_PICTURE)
async def get_logo(request: Request, id: NameOrId) -> Response:
    """The picture, by the organisation's id or short name."""
    database: Database = request.app.state.database
    async with database.unit_of_work(SystemScope("show a white label"), read_only=True) as db:
        kept = await _logo(db, id)
    content = await Files.of(request.app.state.settings).read(kept.key)
    return Response(content, media_type=kept.mime, headers={"Cache-Control": "public, max-age=3600"})


@router.delete("", status_code=204, dependencies=WRITING)
async def remove_logo(db: Db, principal: CurrentPrincipal, id: uuid.UUID) -> None:
    """Show no picture any more."""
    organization = await _own(db, principal, id)
    await _show_no_more(db, id)
    organization.branding = {name: value for name, value in organization.branding.items() if name != "logo_url"}


async def _own(db: AsyncSession, principal: Principal, id: uuid.UUID) -> Organization:
    if id != principal.organization_id:
        raise NotFound(f"no organisation with id {id}")
    return await organizations.get_organization(db, id)


async def _logo(db: AsyncSession, name: str) -> Media:
    try:
        known_by = Organization.id == uuid.UUID(name)
    except ValueError:
        known_by = Organization.slug == name
    shown = (
        select(Media)
        .join(MediaAttachment, MediaAttachment.media_id == Media.id)
        .join(Organization, Organization.id == MediaAttachment.entity_id)
        .where(known_by, Organization.is_active, MediaAttachment.entity_type == _SHOWS)
    )
    kept = (await db.scalars(shown.limit(1))).one_or_none()
    if kept is None:
        raise NotFound(f"no logo of an organisation {name!r}")
    return kept


async def _show_no_more(db: AsyncSession, id: uuid.UUID) -> None:
    of_it = select(MediaAttachment.media_id).where(
        MediaAttachment.entity_type == _SHOWS, MediaAttachment.entity_id == id
    )
    for media_id in (await db.scalars(of_it)).all():
        await service.detach(db, media_id=media_id, entity_type=_SHOWS, entity_id=id)
