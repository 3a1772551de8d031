"""`/api/v1/orders`, and `/api/v1/customers/{id}/orders`."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy import select

from cloud_api.customers import service as customers
from cloud_api.kernel.errors import NotFound
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery, RowsQuery, page
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.orders.book import editing, feedback, history, listing, service
from cloud_api.orders.book.detail import detail
from cloud_api.orders.book.models import CustomerOrder, OrderFeedback
from cloud_api.orders.book.schemas import (
    FeedbackCreate,
    FeedbackRead,
    HistoryRead,
    OrderCancel,
    OrderCreate,
    OrderDetailRead,
    OrderFilter,
    OrderLinesRead,
    OrderRead,
    OrderUpdate,
)
from cloud_api.orders.book.visibility import OrdersToFulfill, OrdersToRead, OrdersToWrite

router = APIRouter(prefix="/orders", tags=["orders"], route_class=ApiRoute)
of_customers = APIRouter(prefix="/customers", tags=["customers"], route_class=ApiRoute)


@router.get("", response_model=list[OrderRead], dependencies=[require("orders:read")])
async def list_orders(
    db: Db,
    seen: OrdersToRead,
    query: Annotated[RowsQuery, Depends()],
    wanted: Annotated[OrderFilter, Depends()],
) -> Page[CustomerOrder]:
    """Newest first, or as `sort` says. A page's cursor goes on with the same `sort`."""
    return await listing.list_orders(db, wanted=wanted, query=query, seen=seen)


@router.get("/lines", response_model=list[OrderLinesRead], dependencies=[require("orders:read")])
async def list_order_lines(
    db: Db,
    seen: OrdersToRead,
    query: Annotated[RowsQuery, Depends()],
    wanted: Annotated[OrderFilter, Depends()],
) -> Page[OrderLinesRead]:
    """The same orders, each with what was ordered, for accounts and stock; `limit` counts orders."""
    rows = await listing.list_orders(db, wanted=wanted, query=query, seen=seen)
    return Page(await listing.with_lines(db, rows.items), rows.limit, rows.next_cursor)


@router.post("", response_model=OrderDetailRead, status_code=201, dependencies=[require("orders:write")])
async def create_order(db: Db, seen: OrdersToWrite, body: OrderCreate) -> OrderDetailRead:
    """Take an order, and hear how much of each line could be promised now; `confirm` promises it.

    Send an `Idempotency-Key`.
    """
    return await detail(db, await service.create_order(db, new=body, seen=seen), seen)


@router.get("/{id}", response_model=OrderDetailRead, dependencies=[require("orders:read")])
async def get_order(db: Db, seen: OrdersToRead, id: uuid.UUID) -> OrderDetailRead:
    """One order with its lines and the lots promised to them; a customer sees the lines only."""
    return await detail(db, await service.get_order(db, id, seen=seen), seen)


@router.put("/{id}", response_model=OrderDetailRead, dependencies=[require("orders:write")])
async def update_order(db: Db, seen: OrdersToWrite, id: uuid.UUID, body: OrderUpdate) -> OrderDetailRead:
    """Change lines, door, day, window or note of a pending or confirmed order, before the cut-off.

    What is promised follows in the same transaction: all of the change or nothing.
    """
    return await detail(db, await editing.change_order(db, id, changes=body, seen=seen), seen)


@router.get("/{id}/history", response_model=list[HistoryRead], dependencies=[require("orders:read")])
async def get_order_history(db: Db, seen: OrdersToRead, id: uuid.UUID) -> list[HistoryRead]:
    """What became of it, when and by whom, oldest first."""
    return await history.history_of(db, await service.get_order(db, id, seen=seen), seen=seen)


@router.post("/{id}/feedback", response_model=FeedbackRead, status_code=201, dependencies=[require("orders:write")])
async def rate_order(
    db: Db, seen: OrdersToWrite, principal: CurrentPrincipal, id: uuid.UUID, body: FeedbackCreate
) -> OrderFeedback:
    """Rate a delivery from 1 to 5, once."""
    return await feedback.rate(db, id, new=body, given_by=principal.id, seen=seen)


@router.post("/{id}/confirm", response_model=OrderDetailRead, dependencies=[require("orders:fulfill")])
async def confirm_order(db: Db, seen: OrdersToFulfill, id: uuid.UUID) -> OrderDetailRead:
    """Promise stock to every line: first expired first, never held, never expired; all lines or none."""
    return await detail(db, await service.confirm_order(db, id, seen=seen), seen)


@router.post("/{id}/cancel", response_model=OrderDetailRead, dependencies=[require("orders:write")])
async def cancel_order(db: Db, seen: OrdersToWrite, id: uuid.UUID, body: OrderCancel) -> OrderDetailRead:
    """Give the order up; its stock is free again. A customer may until it is packed."""
    return await detail(db, await service.cancel_order(db, id, reason=body.reason, seen=seen), seen)


@of_customers.get("/{id}/orders", response_model=list[OrderRead], dependencies=[require("orders:read")])
async def list_orders_of_customer(
    db: Db, seen: OrdersToRead, id: uuid.UUID, query: Annotated[PageQuery, Depends()]
) -> Page[CustomerOrder]:
    """A customer's orders, newest first; who signs in as a customer asks for their own."""
    customer = await customers.get_customer(db, id)
    if seen.buyer_id is not None and await customers.own_customer(db, seen.buyer_id) != customer.id:
        raise NotFound(f"no customer with id {id}", field="customer_id")
    statement = select(CustomerOrder).where(seen.orders(), CustomerOrder.customer_id == customer.id)
    return await page(db, statement, CustomerOrder.id, query)
