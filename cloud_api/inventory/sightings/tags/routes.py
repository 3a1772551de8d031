"""`/api/v1/edge/tags`: what tags are on."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy import select

from cloud_api.inventory.sightings.tags import epc as codes
from cloud_api.inventory.sightings.tags import service
from cloud_api.inventory.sightings.tags.models import Tag
from cloud_api.inventory.sightings.tags.queries import visible_tags
from cloud_api.inventory.sightings.tags.schemas import Binding, Bindings, BoundTagRead, EntityType, Subject
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.places.visibility import VisiblePlaces

router = APIRouter(prefix="/edge/tags", tags=["inventory"], route_class=ApiRoute)


@router.get("", response_model=list[BoundTagRead], dependencies=[require("stock:read")])
async def list_rfid_tags(
    db: Db,
    seen: VisiblePlaces,
    query: Annotated[PageQuery, Depends()],
    epc: str | None = None,
    entity_type: EntityType | None = None,
    bound: bool = True,
) -> Page[BoundTagRead]:
    """What tags are on, newest first; with `bound=false` what they were on before."""
    mine = select(Tag).where(visible_tags(seen), Tag.unbound_at.is_(None) if bound else Tag.unbound_at.is_not(None))
    if epc is not None:
        mine = mine.where(Tag.epc == codes.normal(epc))
    if entity_type is not None:
        mine = mine.where(Tag.entity_type == entity_type)
    rows = await page(db, mine, Tag.id, query)
    return Page(await service.read(db, rows.items), rows.limit, rows.next_cursor)


@router.post("", response_model=BoundTagRead, status_code=201, dependencies=[require("stock:write")])
async def bind_rfid_tag(db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, body: Binding) -> BoundTagRead:
    """Say what a tag is on. The same again changes nothing."""
    return (await service.read(db, [await service.bind(db, new=body, by=principal.id, seen=seen)]))[0]


@router.post("/bulk", response_model=list[BoundTagRead], status_code=201, dependencies=[require("stock:write")])
async def bind_rfid_tags(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, body: Bindings
) -> list[BoundTagRead]:
    """Up to 500 at once, all or none."""
    return await service.read(db, await service.bind_all(db, new=body.tags, by=principal.id, seen=seen))


@router.get("/{id}", response_model=BoundTagRead, dependencies=[require("stock:read")])
async def get_rfid_tag(db: Db, seen: VisiblePlaces, id: uuid.UUID) -> BoundTagRead:
    """One binding of a tag, over or not."""
    return (await service.read(db, [await service.get_tag(db, id, seen=seen)]))[0]


@router.put("/{id}", response_model=BoundTagRead, dependencies=[require("stock:write")])
async def rebind_rfid_tag(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID, body: Subject
) -> BoundTagRead:
    """Put a tag on something else. The answer is a binding with an id of its own; this one is over, and stays known."""
    return (await service.read(db, [await service.rebind(db, id, subject=body, by=principal.id, seen=seen)]))[0]


@router.delete("/{id}", status_code=204, dependencies=[require("stock:write")])
async def unbind_rfid_tag(db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID) -> None:
    """Take a tag off what it is on."""
    await service.unbind(db, id, by=principal.id, seen=seen)
