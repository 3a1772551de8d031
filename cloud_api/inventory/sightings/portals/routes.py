"""`/api/v1/warehouse/portal-rules` and `/passages`: what is booked of what readers saw."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy import select

from cloud_api.inventory.sightings.portals import booking, queries, service, sweeps
from cloud_api.inventory.sightings.portals.models import Passage, PortalRule
from cloud_api.inventory.sightings.portals.schemas import (
    PassageAccept,
    PassageRead,
    PassageReject,
    PortalRuleCreate,
    PortalRuleRead,
    PortalRuleUpdate,
    Sweep,
    SweepRead,
)
from cloud_api.inventory.sightings.portals.states import PassageStatus
from cloud_api.inventory.sightings.tags import epc as codes
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.places.visibility import VisiblePlaces

router = APIRouter(prefix="/warehouse", tags=["inventory"], route_class=ApiRoute)

Query = Annotated[PageQuery, Depends()]
_READ, _WRITE = [require("stock:read")], [require("stock:write")]


@router.get("/portal-rules", response_model=list[PortalRuleRead], dependencies=_READ)
async def list_portal_rules(
    db: Db, seen: VisiblePlaces, query: Query, reader_id: uuid.UUID | None = None
) -> Page[PortalRule]:
    """Newest first; of all, or those that are a reader's own."""
    mine = select(PortalRule).where(queries.visible_rules(seen))
    if reader_id is not None:
        mine = mine.where(PortalRule.reader_id == reader_id)
    return await page(db, mine, PortalRule.id, query)


@router.post("/portal-rules", response_model=PortalRuleRead, status_code=201, dependencies=_WRITE)
async def create_portal_rule(db: Db, seen: VisiblePlaces, body: PortalRuleCreate) -> PortalRule:
    """Say what is booked when a tag passes a reader, or any reader of a place."""
    return await service.create_rule(db, new=body, seen=seen)


@router.put("/portal-rules/{id}", response_model=PortalRuleRead, dependencies=_WRITE)
async def update_portal_rule(db: Db, seen: VisiblePlaces, id: uuid.UUID, body: PortalRuleUpdate) -> PortalRule:
    """Say anew what is booked; of whom and which way it is stays."""
    return await service.update_rule(db, id, facts=body, seen=seen)


@router.delete("/portal-rules/{id}", status_code=204, dependencies=_WRITE)
async def remove_portal_rule(db: Db, seen: VisiblePlaces, id: uuid.UUID) -> None:
    """Book nothing there any more."""
    await service.remove_rule(db, id, seen=seen)


@router.get("/passages", response_model=list[PassageRead], dependencies=_READ)
async def list_passages(
    db: Db,
    seen: VisiblePlaces,
    query: Query,
    status: PassageStatus | None = None,
    reader_id: uuid.UUID | None = None,
    epc: str | None = None,
) -> Page[Passage]:
    """Tags that passed readers, newest first; `status=proposed`: what somebody is to decide."""
    mine = select(Passage).where(queries.visible_passages(seen), Passage.merged_into_id.is_(None))
    if status is not None:
        mine = mine.where(Passage.status == status)
    if reader_id is not None:
        mine = mine.where(Passage.reader_id == reader_id)
    if epc is not None:
        mine = mine.where(Passage.epc == codes.normal(epc))
    return await page(db, mine, Passage.id, query)


@router.get("/passages/{id}", response_model=PassageRead, dependencies=_READ)
async def get_passage(db: Db, seen: VisiblePlaces, id: uuid.UUID) -> Passage:
    """One passage."""
    return await booking.get_passage(db, id, seen=seen)


@router.post("/passages/{id}/accept", response_model=PassageRead, dependencies=_WRITE)
async def accept_passage(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID, body: PassageAccept
) -> Passage:
    """Book what a proposal says, once. Goods on hold go with their hold."""
    return await booking.accept(db, id, by=principal.id, from_location_id=body.from_location_id, seen=seen)


@router.post("/passages/{id}/reject", response_model=PassageRead, dependencies=_WRITE)
async def reject_passage(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID, body: PassageReject
) -> Passage:
    """Book nothing of a proposal."""
    return await booking.reject(db, id, by=principal.id, reason=body.reason, seen=seen)


@router.post("/stock/takes/{id}/rfid-sweep", response_model=SweepRead, dependencies=_WRITE)
async def sweep_stock_take(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID, body: Sweep
) -> SweepRead:
    """Count what a reader saw between two times, or what a scanner read, each tag once."""
    return await sweeps.sweep(db, id, wish=body, counted_by=principal.id, seen=seen)
