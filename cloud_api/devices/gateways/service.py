"""The verbs of gateways as such: find, lock, rename."""

import re
import uuid
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.devices.errors import GatewayDecommissioned
from cloud_api.devices.models import Gateway
from cloud_api.devices.queries import visible_gateways
from cloud_api.kernel import clock
from cloud_api.kernel.errors import Invalid, NotFound
from cloud_api.kernel.registers import flush_unique
from cloud_api.places.queries import EVERYWHERE, Visible

#: a gateway is offline when it has missed one heartbeat and ten seconds
_GRACE = timedelta(seconds=10)


def is_online(gateway: Gateway) -> bool:
    """Whether the gateway's last sign of life is recent enough."""
    if gateway.last_seen_at is None:
        return False
    return clock.now() - gateway.last_seen_at <= timedelta(seconds=gateway.heartbeat_interval_s) + _GRACE


async def get_gateway(db: AsyncSession, gateway_id: uuid.UUID, *, seen: Visible = EVERYWHERE) -> Gateway:
    """One gateway.

    Raises:
        NotFound: when there is none to be seen.
    """
    its = select(Gateway).where(Gateway.id == gateway_id, visible_gateways(Gateway.id, seen))
    gateway = (await db.scalars(its)).one_or_none()
    if gateway is None:
        raise NotFound(f"no gateway with id {gateway_id}", field="gateway_id")
    return gateway


async def get_serving_gateway(db: AsyncSession, gateway_id: uuid.UUID, *, seen: Visible = EVERYWHERE) -> Gateway:
    """One gateway that was not taken out of service.

    Raises:
        NotFound: when there is none to be seen.
        GatewayDecommissioned: when it was.
    """
    gateway = await get_gateway(db, gateway_id, seen=seen)
    if gateway.status == "decommissioned":
        raise GatewayDecommissioned
    return gateway


async def lock_gateway(db: AsyncSession, gateway_id: uuid.UUID) -> Gateway:
    """The gateway, heard of at this moment, locked until the unit of work ends: its batches come one at a time."""
    gateway = (await db.scalars(select(Gateway).where(Gateway.id == gateway_id).with_for_update())).one()
    gateway.last_seen_at = clock.now()
    return gateway


async def rename_gateway(db: AsyncSession, gateway_id: uuid.UUID, *, name: str, seen: Visible = EVERYWHERE) -> Gateway:
    """Call it something else.

    Raises:
        NotFound: when there is no such gateway.
        AlreadyExists: when the name is taken.
    """
    gateway = await get_gateway(db, gateway_id, seen=seen)
    gateway.name = name
    await flush_unique(db, f"another gateway is called {name!r}", field="name")
    return gateway


def check_software_version(software_version: str) -> None:
    """What a gateway says it runs.

    Raises:
        Invalid: when nobody could read it.
    """
    if not 1 <= len(software_version) <= 64 or not software_version.isprintable():
        raise Invalid("software_version must have 1 to 64 printable characters", field="software_version")


def check_moment(name: str, at_ms: int) -> None:
    """A moment that a gateway names.

    Raises:
        Invalid: when no calendar has it.
    """
    try:
        clock.from_ms(at_ms)
    except ValueError as error:
        raise Invalid(f"{name}: {error}", field=name) from None


def check_epoch(epoch: str) -> None:
    """What a spool is known by.

    Raises:
        Invalid: when it is none.
    """
    if not re.fullmatch("[0-9a-f]{32}", epoch):
        raise Invalid("epoch must be 32 hexadecimal digits", field="epoch")
