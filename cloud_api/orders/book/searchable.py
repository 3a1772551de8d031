"""Orders as they are found."""

import uuid
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.orders.book.models import CustomerOrder
from cloud_api.search.service import Entry

_AT_ONCE = 300


def entry_of(order: CustomerOrder) -> Entry:
    """How an order is found; what of it changes is not in the index."""
    return Entry(
        kind="order",
        id=order.id,
        title=f"{order.number} {order.customer_name}",
        code=order.number,
        text=order.address,
        facets={"delivery_date": order.delivery_date.isoformat()},
        permission="orders:read",
        warehouse_id=order.warehouse_id,
    )


async def everything(db: AsyncSession, after: uuid.UUID | None) -> Sequence[Entry]:
    """Orders, in the order of their ids."""
    following = select(CustomerOrder).order_by(CustomerOrder.id).limit(_AT_ONCE)
    if after is not None:
        following = following.where(CustomerOrder.id > after)
    return [entry_of(order) for order in await db.scalars(following)]
