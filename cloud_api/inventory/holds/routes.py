"""`/api/v1/warehouse/stock/holds`: what is kept from being sold."""

import uuid
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from sqlalchemy import select

from cloud_api.inventory.holds import queries
from cloud_api.inventory.holds import service as holds
from cloud_api.inventory.holds.models import HeldLevel, StockHold
from cloud_api.inventory.holds.schemas import HeldLevelRead, HoldRead, HoldReject, HoldRelease
from cloud_api.inventory.ledger.models import StockLevel
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.places.visibility import VisiblePlaces

router = APIRouter(prefix="/warehouse", tags=["inventory"], route_class=ApiRoute)


@router.get("/stock/holds", response_model=list[HoldRead], dependencies=[require("stock:read")])
async def list_holds(
    db: Db,
    seen: VisiblePlaces,
    query: Annotated[PageQuery, Depends()],
    location_id: uuid.UUID | None = None,
    lot_id: uuid.UUID | None = None,
    source: Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]*$")] = None,
) -> Page[HoldRead]:
    """What is kept from being sold, and why, newest first. `source`: what asked for it, as `excursion:<id>`."""
    statement = select(StockHold).where(queries.visible_holds(seen))
    if location_id is not None:
        statement = statement.where(StockHold.location_id == location_id)
    if lot_id is not None:
        statement = statement.where(StockHold.lot_id == lot_id)
    if source is not None:
        statement = statement.where(StockHold.source == source)
    rows = await page(db, statement, StockHold.id, query)
    levels = await queries.held_levels(db, [row.id for row in rows.items], seen)
    return Page([_hold(row, levels.get(row.id, ())) for row in rows.items], rows.limit, rows.next_cursor)


@router.get("/stock/holds/{id}", response_model=HoldRead, dependencies=[require("stock:read")])
async def get_hold(db: Db, seen: VisiblePlaces, id: uuid.UUID) -> HoldRead:
    """One hold with what it holds."""
    held = await holds.get_hold(db, id, seen=seen)
    return _hold(held, (await queries.held_levels(db, [held.id], seen)).get(held.id, ()))


@router.post("/stock/holds/{id}/release", response_model=HoldRead, dependencies=[require("quality:approve")])
async def release_hold(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID, body: HoldRelease
) -> HoldRead:
    """Let held stock be sold again, as far as no other hold covers it."""
    decision = holds.Decision("release", body.reason, principal.id)
    held = await holds.decide(db, id, decision, level_ids=body.stock_level_ids, seen=seen)
    return _hold(held, (await queries.held_levels(db, [held.id], seen)).get(held.id, ()))


@router.post("/stock/holds/{id}/reject", response_model=HoldRead, dependencies=[require("quality:approve")])
async def reject_hold(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID, body: HoldReject
) -> HoldRead:
    """Keep held stock from ever being sold, whatever is released later."""
    decision = holds.Decision(body.disposition, body.reason, principal.id)
    held = await holds.decide(db, id, decision, level_ids=body.stock_level_ids, seen=seen)
    return _hold(held, (await queries.held_levels(db, [held.id], seen)).get(held.id, ()))


def _hold(held: StockHold, levels: Sequence[tuple[HeldLevel, StockLevel]]) -> HoldRead:
    return HoldRead(
        id=held.id,
        location_id=held.location_id,
        lot_id=held.lot_id,
        kind=held.kind,
        reason=held.reason,
        source=held.source,
        covers_arrivals=held.covers_arrivals,
        held_at=held.held_at,
        released_at=held.released_at,
        levels=[
            HeldLevelRead.model_validate(
                {
                    "stock_level_id": level.id,
                    "lot_id": level.lot_id,
                    "location_id": level.location_id,
                    "on_hand": level.on_hand,
                    "disposition": row.disposition,
                    "reason": row.reason,
                    "decided_at": row.decided_at,
                    "decided_by": row.decided_by,
                }
            )
            for row, level in levels
        ],
    )
