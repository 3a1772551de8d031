"""What tracking does when it hears the road: what was told about an arrival is compared with it."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel.outbox import Subscription, reaction_to_all
from cloud_api.logistics.events import StopArrived, StopDelivered
from cloud_api.logistics.tracking import promises


async def settle_arrivals(db: AsyncSession, events: Sequence[StopArrived | StopDelivered]) -> None:
    """Vans stand before doors, or have delivered there."""
    await promises.settle(db, {event.delivery_id for event in events})


REACTIONS: list[Subscription] = [
    reaction_to_all(StopArrived, "tracking.settle_arrival", settle_arrivals),
    reaction_to_all(StopDelivered, "tracking.settle_delivery", settle_arrivals),
]
