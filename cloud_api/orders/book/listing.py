"""The list of orders: narrowed and sorted, page by page."""

import uuid
from collections.abc import Sequence
from datetime import date

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.customers import phones
from cloud_api.customers import queries as customers
from cloud_api.customers.models import Customer
from cloud_api.kernel.money import unit_price_from_integer
from cloud_api.kernel.paging import Page, PageQuery
from cloud_api.kernel.sorting import sorted_page
from cloud_api.orders.book.models import CustomerOrder, OrderLine
from cloud_api.orders.book.queries import VisibleOrders
from cloud_api.orders.book.schemas import OrderedRead, OrderFilter, OrderLinesRead, OrderRead
from cloud_api.orders.slots.models import SlotBooking
from cloud_api.search import finding

_SORTED_BY = {
    "delivery_date": CustomerOrder.delivery_date,
    "customer_name": CustomerOrder.customer_name,
    "total": CustomerOrder.total_minor,
}
#: customers who may be meant by the end of a phone number
_CALLED = 200


async def list_orders(
    db: AsyncSession, *, wanted: OrderFilter, query: PageQuery, seen: VisibleOrders
) -> Page[CustomerOrder]:
    """The page that is asked for of the orders that `seen` shows.

    Raises:
        BadCursor: when the cursor is none of a page that was sorted like this.
    """
    found = _narrowed(wanted).where(seen.orders())
    if wanted.search:
        found = found.where(await _known_by(db, wanted.search))
    return await sorted_page(db, found, CustomerOrder.id, query, sort=wanted.sort, columns=_SORTED_BY)


async def with_lines(db: AsyncSession, orders: Sequence[CustomerOrder]) -> list[OrderLinesRead]:
    """Orders with their lines."""
    its = select(OrderLine).where(OrderLine.order_id.in_([order.id for order in orders])).order_by(OrderLine.id)
    lines: dict[uuid.UUID, list[OrderedRead]] = {order.id: [] for order in orders}
    for line in await db.scalars(its):
        lines[line.order_id].append(
            OrderedRead(
                id=line.id,
                product_id=line.product_id,
                quantity=line.quantity,
                packed_quantity=line.packed_quantity,
                fulfillment_status=line.fulfillment_status,
                unit_price=unit_price_from_integer(line.unit_price),
            )
        )
    return [OrderLinesRead(**OrderRead.model_validate(order).model_dump(), lines=lines[order.id]) for order in orders]


def _narrowed(wanted: OrderFilter) -> Select[tuple[CustomerOrder]]:
    booked = select(SlotBooking.order_id).where(SlotBooking.slot_id == wanted.slot_id)
    its = select(OrderLine.order_id).where(OrderLine.id.in_(wanted.line_id or ()))
    asked = [
        (wanted.status, CustomerOrder.status == wanted.status),
        (wanted.customer_id, CustomerOrder.customer_id == wanted.customer_id),
        (wanted.warehouse_id, CustomerOrder.warehouse_id == wanted.warehouse_id),
        (wanted.delivery_date, CustomerOrder.delivery_date == wanted.delivery_date),
        (wanted.since, CustomerOrder.delivery_date >= (wanted.since or date.min)),
        (wanted.until, CustomerOrder.delivery_date <= (wanted.until or date.max)),
        (wanted.slot_id, CustomerOrder.id.in_(booked)),
        (wanted.line_id, CustomerOrder.id.in_(its)),
        (wanted.payment_status, CustomerOrder.payment_status == wanted.payment_status),
        (wanted.payment_method, CustomerOrder.payment_method == wanted.payment_method),
    ]
    return select(CustomerOrder).where(*(condition for value, condition in asked if value is not None))


async def _known_by(db: AsyncSession, text: str) -> ColumnElement[bool]:
    worded = await finding.having_words(db, "order", CustomerOrder.id, text)
    ending = phones.end_of(text)
    if not ending:
        return worded
    called = await db.scalars(select(Customer.id).where(customers.called(ending)).limit(_CALLED))
    return or_(worded, CustomerOrder.customer_id.in_(called.all()))
