"""What customers say of their deliveries."""

import uuid

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel import clock
from cloud_api.orders.book import service
from cloud_api.orders.book.errors import AlreadyRated, NotDelivered
from cloud_api.orders.book.models import OrderFeedback
from cloud_api.orders.book.queries import EVERY_ORDER, VisibleOrders
from cloud_api.orders.book.schemas import FeedbackCreate
from cloud_api.orders.book.states import OrderStatus


async def rate(
    db: AsyncSession,
    order_id: uuid.UUID,
    *,
    new: FeedbackCreate,
    given_by: uuid.UUID,
    seen: VisibleOrders = EVERY_ORDER,
) -> OrderFeedback:
    """Rate a delivery, once.

    Raises:
        NotFound: when there is no such order to be seen.
        NotDelivered: when it is not delivered.
        AlreadyRated: when it has been rated before.
    """
    order = await service.lock_order(db, order_id, seen=seen)
    if order.status != OrderStatus.DELIVERED:
        raise NotDelivered(f"the order is {order.status}: rate it once it is delivered", field="status")
    if await of_order(db, order.id) is not None:
        raise AlreadyRated("this delivery has been rated: once is enough", field="rating")
    said = OrderFeedback(
        order_id=order.id, rating=new.rating, comment=new.comment, given_by=given_by, given_at=clock.now()
    )
    db.add(said)
    await db.flush()
    return said


async def of_order(db: AsyncSession, order_id: uuid.UUID) -> OrderFeedback | None:
    """What was said of this one."""
    return (await db.scalars(select(OrderFeedback).where(OrderFeedback.order_id == order_id))).one_or_none()
