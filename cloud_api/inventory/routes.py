"""`/api/v1/warehouse/stock`, `/api/v1/warehouse/batches` (lots), and what readers and scales saw."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy import select

from cloud_api.inventory import queries, service
from cloud_api.inventory.models import Lot, StockHold, StockLevel, StockMovement, TagSighting, Weight
from cloud_api.inventory.schemas import (
    GoodsReceive,
    HoldRead,
    LevelRead,
    LotRead,
    MovementRead,
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


@router.get("/stock/holds", response_model=list[HoldRead], dependencies=[require("stock:read")])
async def list_holds(db: Db, seen: VisiblePlaces, query: Annotated[PageQuery, Depends()]) -> Page[StockHold]:
    """What is kept from being sold, and why, newest first."""
    return await page(db, select(StockHold).where(seen.locations(StockHold.location_id)), StockHold.id, query)


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
