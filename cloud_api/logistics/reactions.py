"""What logistics does when it hears other rooms."""

from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel.outbox import Subscription, reaction
from cloud_api.logistics.deliveries import service
from cloud_api.orders.book.events import OrderCancelled


async def take_off_the_route(db: AsyncSession, event: OrderCancelled) -> None:
    """An order was cancelled: its stop is off the route."""
    await service.cancel_deliveries(db, event.order_id)


REACTIONS: list[Subscription] = [
    reaction(OrderCancelled, "logistics.take_off_the_route", take_off_the_route),
]
