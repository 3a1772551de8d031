"""`/api/v1/orders`."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.money import unit_price_from_integer
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.orders.book import queries, service
from cloud_api.orders.book.models import CustomerOrder
from cloud_api.orders.book.queries import VisibleOrders
from cloud_api.orders.book.schemas import (
    AllocationRead,
    OrderCancel,
    OrderCreate,
    OrderDetailRead,
    OrderLineRead,
    OrderRead,
)
from cloud_api.orders.book.visibility import OrdersToFulfill, OrdersToRead, OrdersToWrite

router = APIRouter(prefix="/orders", tags=["orders"], route_class=ApiRoute)


@router.get("", response_model=list[OrderRead], dependencies=[require("orders:read")])
async def list_orders(
    db: Db,
    seen: OrdersToRead,
    query: Annotated[PageQuery, Depends()],
    status: str | None = None,
    customer_id: uuid.UUID | None = None,
) -> Page[CustomerOrder]:
    """Newest first."""
    statement = select(CustomerOrder).where(seen.orders())
    if status is not None:
        statement = statement.where(CustomerOrder.status == status)
    if customer_id is not None:
        statement = statement.where(CustomerOrder.customer_id == customer_id)
    return await page(db, statement, CustomerOrder.id, query)


@router.post("", response_model=OrderDetailRead, status_code=201, dependencies=[require("orders:write")])
async def create_order(db: Db, seen: OrdersToWrite, body: OrderCreate) -> OrderDetailRead:
    """Take an order; `confirm` promises stock to it. Send an `Idempotency-Key`."""
    return await _detail(db, await service.create_order(db, new=body, seen=seen), seen)


@router.get("/{id}", response_model=OrderDetailRead, dependencies=[require("orders:read")])
async def get_order(db: Db, seen: OrdersToRead, id: uuid.UUID) -> OrderDetailRead:
    """One order with its lines and the lots promised to them; a customer sees the lines only."""
    return await _detail(db, await service.get_order(db, id, seen=seen), seen)


@router.post("/{id}/confirm", response_model=OrderDetailRead, dependencies=[require("orders:fulfill")])
async def confirm_order(db: Db, seen: OrdersToFulfill, id: uuid.UUID) -> OrderDetailRead:
    """Promise stock to every line: first expired first, never held, never expired; all lines or none."""
    return await _detail(db, await service.confirm_order(db, id, seen=seen), seen)


@router.post("/{id}/pack", response_model=OrderDetailRead, dependencies=[require("orders:fulfill")])
async def pack_order(db: Db, seen: OrdersToFulfill, id: uuid.UUID) -> OrderDetailRead:
    """Pick and pack; a lot that went on hold is replaced."""
    return await _detail(db, await service.pack_order(db, id, seen=seen), seen)


@router.post("/{id}/cancel", response_model=OrderDetailRead, dependencies=[require("orders:write")])
async def cancel_order(db: Db, seen: OrdersToWrite, id: uuid.UUID, body: OrderCancel) -> OrderDetailRead:
    """Give the order up; its stock is free again. A customer may until it is packed."""
    return await _detail(db, await service.cancel_order(db, id, reason=body.reason, seen=seen), seen)


async def _detail(db: AsyncSession, order: CustomerOrder, seen: VisibleOrders) -> OrderDetailRead:
    lines = await service.lines_of(db, order.id)
    promised: dict[str, list[AllocationRead]] = {service.source_of(line): [] for line in lines}
    # which lots lie where is the store's own business, not its customers'
    shown = [] if seen.buyer_id is not None else list(promised)
    for reservation, level, lot in await db.execute(queries.allocations(shown)):
        promised[reservation.source].append(
            AllocationRead(
                lot_id=lot.id,
                lot_number=lot.lot_number,
                expires_on=lot.expires_on,
                location_id=level.location_id,
                quantity=reservation.quantity,
                status=reservation.status,
            )
        )
    return OrderDetailRead(
        **OrderRead.model_validate(order).model_dump(),
        lines=[
            OrderLineRead(
                id=line.id,
                product_id=line.product_id,
                quantity=line.quantity,
                unit_price=unit_price_from_integer(line.unit_price),
                allocations=promised[service.source_of(line)],
            )
            for line in lines
        ],
    )
