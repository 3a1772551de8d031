"""`/api/v1/warehouse/stock/transfer` and `/transfers`: goods taken from one place to another."""

import uuid
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy import select

from cloud_api.inventory.ledger.models import StockLevel, StockMovement
from cloud_api.inventory.stock.schemas import MovementRead
from cloud_api.inventory.transfers import queries, service
from cloud_api.inventory.transfers.models import StockTransfer, StockTransferLine
from cloud_api.inventory.transfers.schemas import (
    InTransitRead,
    Status,
    StockMove,
    TransferCreate,
    TransferLineRead,
    TransferRead,
    TransferReceive,
    TransferReturn,
)
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.places.models import Location
from cloud_api.places.visibility import VisiblePlaces

router = APIRouter(prefix="/warehouse/stock", tags=["inventory"], route_class=ApiRoute)


@router.post("/transfer", response_model=list[MovementRead], status_code=201, dependencies=[require("stock:write")])
async def transfer_stock(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, body: StockMove
) -> Sequence[StockMovement]:
    """Take goods from places to others now: all lines, or none. What left stands first, then what arrived."""
    return await service.transfer_stock(
        db, lines=body.lines, reference=body.reference, moved_by=principal.id, seen=seen
    )


@router.get("/in-transit", response_model=list[InTransitRead], dependencies=[require("stock:read")])
async def list_stock_in_transit(
    db: Db, seen: VisiblePlaces, warehouse_id: uuid.UUID | None = None, product_id: uuid.UUID | None = None
) -> Sequence[InTransitRead]:
    """What is on its way to each warehouse, by product: no stock of it yet."""
    statement = queries.in_transit(seen)
    if warehouse_id is not None:
        statement = statement.where(Location.transit_to_id == warehouse_id)
    if product_id is not None:
        statement = statement.where(StockLevel.product_id == product_id)
    return [
        InTransitRead(warehouse_id=to, product_id=product, quantity=quantity, weight_g=int(weight_g))
        for to, product, quantity, weight_g in (await db.execute(statement)).tuples()
        if to is not None
    ]


@router.get("/transfers", response_model=list[TransferRead], dependencies=[require("stock:read")])
async def list_stock_transfers(
    db: Db,
    seen: VisiblePlaces,
    query: Annotated[PageQuery, Depends()],
    from_warehouse_id: uuid.UUID | None = None,
    to_warehouse_id: uuid.UUID | None = None,
    status: Status | None = None,
) -> Page[TransferRead]:
    """Newest first."""
    statement = select(StockTransfer).where(queries.visible_transfers(seen))
    if from_warehouse_id is not None:
        statement = statement.where(StockTransfer.from_warehouse_id == from_warehouse_id)
    if to_warehouse_id is not None:
        statement = statement.where(StockTransfer.to_warehouse_id == to_warehouse_id)
    if status is not None:
        statement = statement.where(StockTransfer.status == status)
    rows = await page(db, statement, StockTransfer.id, query)
    lines = await queries.lines_of(db, [transfer.id for transfer in rows.items])
    return Page([_read(one, lines.get(one.id, ())) for one in rows.items], rows.limit, rows.next_cursor)


@router.post("/transfers", response_model=TransferRead, status_code=201, dependencies=[require("stock:write")])
async def create_stock_transfer(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, body: TransferCreate
) -> TransferRead:
    """Say what is to go from one warehouse to another."""
    return await _told(db, await service.create_transfer(db, new=body, created_by=principal.id, seen=seen))


@router.get("/transfers/{id}", response_model=TransferRead, dependencies=[require("stock:read")])
async def get_stock_transfer(db: Db, seen: VisiblePlaces, id: uuid.UUID) -> TransferRead:
    """One transfer."""
    return await _told(db, await service.get_transfer(db, id, seen=seen))


@router.post("/transfers/{id}/ship", response_model=TransferRead, dependencies=[require("stock:write")])
async def ship_stock_transfer(db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID) -> TransferRead:
    """It leaves, and is on its way."""
    return await _told(db, await service.ship_transfer(db, id, shipped_by=principal.id, seen=seen))


@router.post("/transfers/{id}/receive", response_model=TransferRead, dependencies=[require("stock:write")])
async def receive_stock_transfer(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID, body: TransferReceive
) -> TransferRead:
    """Put away what arrived, line by line, and book off what will not."""
    received = await service.receive_transfer(db, id, arrived=body.lines, received_by=principal.id, seen=seen)
    return await _told(db, received)


@router.post("/transfers/{id}/return", response_model=TransferRead, dependencies=[require("stock:write")])
async def return_stock_transfer(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID, body: TransferReturn
) -> TransferRead:
    """What is still on its way is back where it left, or in another place there."""
    returned = await service.return_transfer(db, id, location_id=body.location_id, returned_by=principal.id, seen=seen)
    return await _told(db, returned)


@router.post("/transfers/{id}/cancel", response_model=TransferRead, dependencies=[require("stock:write")])
async def cancel_stock_transfer(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID
) -> TransferRead:
    """Send nothing."""
    return await _told(db, await service.cancel_transfer(db, id, cancelled_by=principal.id, seen=seen))


async def _told(db: Db, transfer: StockTransfer) -> TransferRead:
    return _read(transfer, (await queries.lines_of(db, [transfer.id])).get(transfer.id, ()))


def _read(transfer: StockTransfer, lines: Sequence[StockTransferLine]) -> TransferRead:
    columns = {name: getattr(transfer, name) for name in TransferRead.model_fields if name != "lines"}
    return TransferRead.model_validate({**columns, "lines": [TransferLineRead.model_validate(line) for line in lines]})
