"""`/api/v1/warehouse/stock`, `/api/v1/warehouse/batches` (lots), and what readers and scales saw."""

import uuid
from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from sqlalchemy import select

from cloud_api.inventory import holds, queries, service
from cloud_api.inventory.models import (
    HeldLevel,
    Lot,
    StockHold,
    StockLevel,
    StockMovement,
    StockReservation,
    TagSighting,
    Weight,
)
from cloud_api.inventory.schemas import (
    GoodsReceive,
    HeldLevelRead,
    HoldRead,
    HoldReject,
    HoldRelease,
    LevelRead,
    LotRead,
    MovementRead,
    ReservationRead,
    StockAdjust,
    TagSightingRead,
    WeightRead,
)
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.money import unit_price_to_integer
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.places.visibility import VisiblePlaces

router = APIRouter(prefix="/warehouse", tags=["inventory"], route_class=ApiRoute)
sightings = APIRouter(prefix="/telemetry", tags=["inventory"], route_class=ApiRoute)


@router.post("/stock/receiving", response_model=MovementRead, status_code=201, dependencies=[require("stock:write")])
async def receive_goods(db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, body: GoodsReceive) -> StockMovement:
    """Take goods in. Send an `Idempotency-Key`: a receipt sent twice is then booked once."""
    return await service.receive_goods(
        db,
        product_id=body.product_id,
        location_id=body.location_id,
        lot_number=body.lot_number,
        expires_on=body.expires_on,
        quantity=body.quantity,
        unit_cost=None if body.unit_cost is None else unit_price_to_integer(body.unit_cost),
        reference=body.reference,
        recorded_by=principal.id,
        seen=seen,
    )


@router.post("/stock/adjustment", response_model=MovementRead, status_code=201, dependencies=[require("stock:write")])
async def adjust_stock(db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, body: StockAdjust) -> StockMovement:
    """Correct what a place holds of a lot, with a reason."""
    return await service.adjust_stock(
        db,
        lot_id=body.lot_id,
        location_id=body.location_id,
        delta=body.delta,
        reason=body.reason,
        recorded_by=principal.id,
        seen=seen,
    )


@router.get("/stock/levels", response_model=list[LevelRead], dependencies=[require("stock:read")])
async def list_levels(
    db: Db,
    seen: VisiblePlaces,
    query: Annotated[PageQuery, Depends()],
    product_id: uuid.UUID | None = None,
    location_id: uuid.UUID | None = None,
) -> Page[LevelRead]:
    """What lies where, and how much of it may be sold."""
    statement = select(StockLevel).where(seen.locations(StockLevel.location_id))
    if product_id is not None:
        statement = statement.where(StockLevel.product_id == product_id)
    if location_id is not None:
        statement = statement.where(StockLevel.location_id == location_id)
    rows = await page(db, statement, StockLevel.id, query)
    return Page([_read(level) for level in rows.items], rows.limit, rows.next_cursor)


@router.get("/stock/movements", response_model=list[MovementRead], dependencies=[require("stock:read")])
async def list_movements(
    db: Db, seen: VisiblePlaces, query: Annotated[PageQuery, Depends()], lot_id: uuid.UUID | None = None
) -> Page[StockMovement]:
    """The ledger, newest first."""
    statement = select(StockMovement).where(seen.locations(StockMovement.location_id))
    if lot_id is not None:
        statement = statement.where(StockMovement.lot_id == lot_id)
    return await page(db, statement, StockMovement.id, query)


@router.get("/stock/movements/{id}", response_model=MovementRead, dependencies=[require("stock:read")])
async def get_movement(db: Db, seen: VisiblePlaces, id: uuid.UUID) -> StockMovement:
    """One entry of the ledger."""
    return await service.get_movement(db, id, seen=seen)


@router.get("/stock/reservations", response_model=list[ReservationRead], dependencies=[require("stock:read")])
async def list_reservations(
    db: Db,
    seen: VisiblePlaces,
    query: Annotated[PageQuery, Depends()],
    at_risk: bool = False,
    status: Literal["active", "consumed", "released"] | None = None,
) -> Page[ReservationRead]:
    """What is promised, newest first; with `at_risk` what is on hold and could not be replaced."""
    statement = select(StockReservation).where(queries.visible_reservations(seen))
    if at_risk:
        statement = statement.where(StockReservation.at_risk_since.is_not(None))
    if status is not None:
        statement = statement.where(StockReservation.status == status)
    rows = await page(db, statement, StockReservation.id, query)
    levels = await queries.levels_of(db, {row.stock_level_id for row in rows.items})
    return Page([_reservation(row, levels[row.stock_level_id]) for row in rows.items], rows.limit, rows.next_cursor)


@router.get("/stock/holds", response_model=list[HoldRead], dependencies=[require("stock:read")])
async def list_holds(
    db: Db, seen: VisiblePlaces, query: Annotated[PageQuery, Depends()], location_id: uuid.UUID | None = None
) -> Page[HoldRead]:
    """What is kept from being sold, and why, newest first."""
    statement = select(StockHold).where(seen.locations(StockHold.location_id))
    if location_id is not None:
        statement = statement.where(StockHold.location_id == location_id)
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


@router.get("/batches", response_model=list[LotRead], dependencies=[require("stock:read")])
async def list_lots(
    db: Db, seen: VisiblePlaces, query: Annotated[PageQuery, Depends()], product_id: uuid.UUID | None = None
) -> Page[Lot]:
    """Lots, newest first."""
    statement = select(Lot).where(queries.visible_lots(seen))
    if product_id is not None:
        statement = statement.where(Lot.product_id == product_id)
    return await page(db, statement, Lot.id, query)


@router.get("/batches/{id}", response_model=LotRead, dependencies=[require("stock:read")])
async def get_lot(db: Db, seen: VisiblePlaces, id: uuid.UUID) -> Lot:
    """One lot."""
    return await service.get_lot(db, id, seen=seen)


@sightings.get("/rfid-reads", response_model=list[TagSightingRead], dependencies=[require("telemetry:read")])
async def list_tag_sightings(
    db: Db, seen: VisiblePlaces, query: Annotated[PageQuery, Depends()], epc: str | None = None
) -> Page[TagSighting]:
    """What readers saw, newest first."""
    statement = select(TagSighting).where(queries.visible_sightings(TagSighting, seen))
    if epc is not None:
        statement = statement.where(TagSighting.epc == epc.upper())
    return await page(db, statement, TagSighting.id, query)


@sightings.get("/weights", response_model=list[WeightRead], dependencies=[require("telemetry:read")])
async def list_weights(db: Db, seen: VisiblePlaces, query: Annotated[PageQuery, Depends()]) -> Page[Weight]:
    """What scales showed standing still, newest first."""
    return await page(db, select(Weight).where(queries.visible_sightings(Weight, seen)), Weight.id, query)


def _read(level: StockLevel) -> LevelRead:
    free = level.on_hand - level.reserved
    return LevelRead(
        id=level.id,
        product_id=level.product_id,
        lot_id=level.lot_id,
        location_id=level.location_id,
        on_hand=level.on_hand,
        reserved=level.reserved,
        available=free if level.status == "available" else free * 0,
        status="available" if level.status == "available" else "on_hold",
    )


def _hold(held: StockHold, levels: Sequence[tuple[HeldLevel, StockLevel]]) -> HoldRead:
    return HoldRead(
        id=held.id,
        location_id=held.location_id,
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


def _reservation(row: StockReservation, level: StockLevel) -> ReservationRead:
    its = {name: getattr(row, name) for name in ReservationRead.model_fields if hasattr(row, name)}
    where = {"product_id": level.product_id, "lot_id": level.lot_id, "location_id": level.location_id}
    return ReservationRead.model_validate({**its, **where})
