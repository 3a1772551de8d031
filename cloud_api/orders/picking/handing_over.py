"""Orders that leave without a van of ours: fetched at the counter, or given to a carrier."""

import uuid
from collections.abc import Awaitable, Callable, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.inventory.reservations import service as reservations
from cloud_api.kernel import clock
from cloud_api.kernel.errors import Invalid
from cloud_api.orders.book import service as book
from cloud_api.orders.book.models import CustomerOrder
from cloud_api.orders.book.states import ORDER, OrderAction, OrderStatus
from cloud_api.orders.picking.errors import NotHandedOver, OnARoute
from cloud_api.orders.picking.models import HandOver
from cloud_api.orders.picking.schemas import OrderShip
from cloud_api.orders.picking.walk import Picker

#: who, of the rooms above, has an order: a route's number, or empty
HasOrder = Callable[[AsyncSession, uuid.UUID], Awaitable[str]]


async def ship_order(
    db: AsyncSession, order_id: uuid.UUID, *, wanted: OrderShip, picker: Picker, others: Sequence[HasOrder] = ()
) -> tuple[CustomerOrder, HandOver]:
    """Let a packed order leave; with `delivered` it is in the customer's hands, now or by a second call.

    What was promised leaves the books with it.

    Args:
        others: who else may have it.

    Raises:
        NotFound: when there is no such order to be seen.
        InvalidTransition: when it is not packed, or delivered already.
        OnARoute: naming the route that a van takes it on.
        NotHandedOver: when a van has it.
        StockOnHold: when any of it may not leave.
        Invalid: when nobody says who took it.
    """
    if wanted.delivered and wanted.recipient_name is None:
        raise Invalid("say who took it", field="recipient_name")
    order = await book.lock_order(db, order_id, seen=picker.seen)
    its = select(HandOver).where(HandOver.order_id == order.id)
    handed = (await db.scalars(its)).one_or_none()
    if order.status == OrderStatus.OUT_FOR_DELIVERY and handed is None:
        raise NotHandedOver("a van has this order: its driver hands it over", field="status")
    if handed is None or order.status != OrderStatus.OUT_FOR_DELIVERY:
        handed = await _leave(db, order, wanted, picker, others)
    if wanted.delivered and wanted.recipient_name is not None:
        order = await book.deliver_order(db, order.id, reference=f"order:{order.number}", user_id=picker.user_id)
        handed.recipient_name = wanted.recipient_name
        handed.delivered_by, handed.delivered_at = picker.user_id, order.delivered_at
    await db.flush()
    return order, handed


async def _leave(
    db: AsyncSession, order: CustomerOrder, wanted: OrderShip, picker: Picker, others: Sequence[HasOrder]
) -> HandOver:
    order.status = ORDER.apply(OrderStatus(order.status), OrderAction.SHIP)
    for has_order in others:
        route = await has_order(db, order.id)
        if route:
            raise OnARoute(f"{route} takes this order: take it off that route first", field="status")
    lines = await book.lines_of(db, order.id)
    await reservations.consume(
        db,
        [book.source_of(line) for line in lines],
        reference=f"order:{order.number}",
        consumed_by=picker.user_id,
    )
    book.mark(lines, "shipped")
    handed = HandOver(
        order_id=order.id,
        kind=wanted.kind,
        carrier=wanted.carrier,
        tracking_number=wanted.tracking_number,
        shipped_by=picker.user_id,
        shipped_at=clock.now(),
    )
    db.add(handed)
    await db.flush()
    return handed
