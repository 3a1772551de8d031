"""What payments do when an order changes: what was paid too much by that goes back."""

from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel.outbox import Subscription, reaction
from cloud_api.orders.book.events import OrderCancelled, OrderChanged, OrderReturned
from cloud_api.orders.payments import service


async def settle_cancelled(db: AsyncSession, event: OrderCancelled) -> None:
    """Nobody waits for its money any more; what was paid goes back."""
    await service.cancel_waiting(db, event.order_id)
    await service.settle(db, event.order_id, why="the order was cancelled")


async def settle_returned(db: AsyncSession, event: OrderReturned) -> None:
    """Of an order that was refused at the door everything goes back; of one that was delivered what was granted."""
    await service.settle(db, event.order_id, why="the order came back")


async def settle_changed(db: AsyncSession, event: OrderChanged) -> None:
    """Its total may have fallen."""
    await service.settle(db, event.order_id, why="the order costs less")


REACTIONS: list[Subscription] = [
    reaction(OrderCancelled, "payments.settle_cancelled", settle_cancelled),
    reaction(OrderReturned, "payments.settle_returned", settle_returned),
    reaction(OrderChanged, "payments.settle_changed", settle_changed),
]
