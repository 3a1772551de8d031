"""What tracking does when it hears the road: what was told about an arrival is compared with it."""

from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel.outbox import Subscription, reaction
from cloud_api.logistics.events import StopArrived, StopDelivered
from cloud_api.logistics.tracking import promises


async def settle_arrival(db: AsyncSession, event: StopArrived | StopDelivered) -> None:
    """A van stands before a door, or has delivered there."""
    await promises.settle(db, event.delivery_id)


REACTIONS: list[Subscription] = [
    reaction(StopArrived, "tracking.settle_arrival", settle_arrival),
    reaction(StopDelivered, "tracking.settle_delivery", settle_arrival),
]
