"""`/api/v1/warehouse/stock/reservations`: what is promised; `/warehouse/fulfillment`: from where an order is served."""

import uuid
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.inventory.ledger.models import StockLevel, StockReservation
from cloud_api.inventory.ledger.queries import levels_of
from cloud_api.inventory.reservations import booking, fulfillment, queries
from cloud_api.inventory.reservations.grouping import Counter, ReservationDoor
from cloud_api.inventory.reservations.schemas import (
    FulfillmentMissing,
    FulfillmentPick,
    FulfillmentRead,
    FulfillmentRequest,
    FulfillmentWarehouse,
    ReservationCreate,
    ReservationRead,
    ReservationRelease,
    ReservationStatus,
)
from cloud_api.kernel.db import Database
from cloud_api.kernel.errors import Invalid
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.unit_of_work import Db, KeyedDb
from cloud_api.places import service as places
from cloud_api.places.visibility import VisiblePlaces

router = APIRouter(prefix="/warehouse", tags=["inventory"], route_class=ApiRoute)


@router.get("/stock/reservations", response_model=list[ReservationRead], dependencies=[require("stock:read")])
async def list_reservations(
    db: Db,
    seen: VisiblePlaces,
    query: Annotated[PageQuery, Depends()],
    at_risk: bool = False,
    status: ReservationStatus | None = None,
    source: str | None = None,
    product_id: uuid.UUID | None = None,
    location_id: uuid.UUID | None = None,
    lot_id: uuid.UUID | None = None,
) -> Page[ReservationRead]:
    """What is promised, newest first; with `at_risk` what is on hold and could not be replaced."""
    statement = select(StockReservation).where(queries.visible_reservations(seen))
    if at_risk:
        statement = statement.where(StockReservation.at_risk_since.is_not(None))
    if status is not None:
        statement = statement.where(StockReservation.status == status)
    if source is not None:
        statement = statement.where(StockReservation.source == source)
    asked = (
        (product_id, StockLevel.product_id == product_id),
        (location_id, StockLevel.location_id == location_id),
        (lot_id, StockLevel.lot_id == lot_id),
    )
    of_levels = [condition for value, condition in asked if value is not None]
    if of_levels:
        levels = select(StockLevel.id).where(*of_levels)
        statement = statement.where(StockReservation.stock_level_id.in_(levels))
    rows = await page(db, statement, StockReservation.id, query)
    return Page(await _read(db, rows.items), rows.limit, rows.next_cursor)


@router.post(
    "/stock/reservations",
    response_model=list[ReservationRead],
    status_code=201,
    dependencies=[require("stock:write")],
)
async def reserve_stock(
    request: Request, db: KeyedDb, principal: CurrentPrincipal, body: ReservationCreate
) -> list[ReservationRead]:
    """Reserve for a reference, first expired first out: one reservation for each level that serves it.

    Without an `Idempotency-Key` requests that arrive together are served together: quicker, and sent twice made twice.
    """
    wanted = booking.Booking(**dict(body))
    if db is not None:
        return await _read(db, await booking.book(db, wanted, seen=await places.visible_to(db, principal)))
    database: Database = request.app.state.database
    door: ReservationDoor = request.app.state.reservation_door
    async with database.unit_of_work(principal.scope, read_only=True) as reading:
        seen = await places.visible_to(reading, principal)
        asked, location_ids = await booking.prepare(reading, wanted, seen=seen)
    organization_id = principal.scope.organization_id
    promised = await door.reserve(Counter(database, organization_id, location_ids=frozenset(location_ids)), asked)
    async with database.unit_of_work(principal.scope, read_only=True) as reading:
        return await _read(reading, await booking.made(reading, promised))


@router.get("/stock/reservations/{id}", response_model=ReservationRead, dependencies=[require("stock:read")])
async def get_reservation(db: Db, seen: VisiblePlaces, id: uuid.UUID) -> ReservationRead:
    """One reservation."""
    [read] = await _read(db, [await booking.get_reservation(db, id, seen=seen)])
    return read


@router.post("/stock/reservations/{id}/release", response_model=ReservationRead, dependencies=[require("stock:write")])
async def release_reservation(
    db: Db, seen: VisiblePlaces, id: uuid.UUID, body: ReservationRelease | None = None
) -> ReservationRead:
    """Give back what was reserved by hand; the audit trail keeps by whom, and why.

    What is promised to an order is given back by cancelling the order.
    """
    reason = "" if body is None else body.reason
    [read] = await _read(db, [await booking.give_back(db, id, reason=reason, seen=seen)])
    return read


@router.post("/fulfillment/optimize", response_model=FulfillmentRead, dependencies=[require("orders:fulfill")])
async def optimize_fulfillment(db: Db, seen: VisiblePlaces, body: FulfillmentRequest) -> FulfillmentRead:
    """The fewest and then the nearest warehouses that serve an order, and the lots; nothing is promised by asking."""
    if len({line.product_id for line in body.lines}) < len(body.lines):
        raise Invalid("a product stands in two lines: add them up", field="lines")
    if (body.latitude is None) != (body.longitude is None):
        raise Invalid("latitude and longitude go together", field="latitude" if body.latitude is None else "longitude")
    served = await fulfillment.find_stock(
        db,
        {line.product_id: line.quantity for line in body.lines},
        needed_on=body.needed_on,
        customer_id=body.customer_id,
        at=None if body.latitude is None or body.longitude is None else (body.latitude, body.longitude),
        warehouse_ids=body.warehouse_ids,
        seen=seen,
    )
    return FulfillmentRead(
        complete=not served.missing,
        warehouses=[
            FulfillmentWarehouse(
                warehouse_id=supply.warehouse.id,
                code=supply.warehouse.code,
                name=supply.warehouse.name,
                distance_km=None if supply.distance_km is None else round(supply.distance_km, 3),
                picks=[
                    FulfillmentPick(
                        product_id=batch.product_id,
                        lot_id=batch.lot.id,
                        lot_number=batch.lot.lot_number,
                        location_id=batch.location_id,
                        stock_level_id=batch.level_id,
                        quantity=quantity,
                        last_day=batch.last_day,
                    )
                    for batch, quantity in taken
                ],
            )
            for supply, taken in served.picks
        ],
        missing=[FulfillmentMissing(product_id=id, quantity=quantity) for id, quantity in served.missing.items()],
    )


async def _read(db: AsyncSession, rows: Sequence[StockReservation]) -> list[ReservationRead]:
    levels = await levels_of(db, {row.stock_level_id for row in rows})
    return [_reservation(row, levels[row.stock_level_id]) for row in rows]


def _reservation(row: StockReservation, level: StockLevel) -> ReservationRead:
    its = {name: getattr(row, name) for name in ReservationRead.model_fields if hasattr(row, name)}
    where = {"product_id": level.product_id, "lot_id": level.lot_id, "location_id": level.location_id}
    return ReservationRead.model_validate({**its, **where})
