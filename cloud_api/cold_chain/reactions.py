"""What the cold chain does when it hears other rooms."""

from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.cold_chain import limits
from cloud_api.devices.events import SensorPlaced
from cloud_api.kernel.outbox import Subscription, reaction


async def give_gateway_its_limits(db: AsyncSession, event: SensorPlaced) -> None:
    """A sensor has a place, or another: its gateway judges by that place's limits from now on."""
    await limits.configure_gateway(db, event.gateway_id)


REACTIONS: list[Subscription] = [
    reaction(SensorPlaced, "cold_chain.give_gateway_its_limits", give_gateway_its_limits),
]
