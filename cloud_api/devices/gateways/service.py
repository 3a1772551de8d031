"""The verbs of gateways as such: find, lock, rename; who is silent, and who is back."""

import re
import uuid
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.devices.errors import GatewayDecommissioned
from cloud_api.devices.gateways.schemas import GatewayUpdate
from cloud_api.devices.models import Gateway
from cloud_api.devices.queries import visible_gateways
from cloud_api.kernel import clock, versions
from cloud_api.kernel.db import announce
from cloud_api.kernel.errors import Invalid, NotFound
from cloud_api.kernel.registers import flush_unique
from cloud_api.places.queries import EVERYWHERE, Visible
from cloud_api.realtime.hub import topic_of

#: a gateway is offline when it has missed one heartbeat and ten seconds
_GRACE = timedelta(seconds=10)


def is_online(gateway: Gateway) -> bool:
    """Whether the gateway's last sign of life, a heartbeat or a batch, is recent enough."""
    if gateway.last_seen_at is None or gateway.status == "decommissioned":
        return False
    return clock.now() - gateway.last_seen_at <= timedelta(seconds=gateway.heartbeat_interval_s) + _GRACE


async def silent_gateways(db: AsyncSession, now: datetime) -> Sequence[Gateway]:
    """The gateways in service that have been heard, and not for their heartbeat's interval and ten seconds; by key.

    Works in a system session too. Such a gateway has been silent since its `last_seen_at`.
    """
    in_service = Gateway.status != "decommissioned"
    intervals = await db.scalars(select(Gateway.heartbeat_interval_s).where(in_service).distinct())
    overdue = [
        and_(
            Gateway.heartbeat_interval_s == interval_s,
            Gateway.last_seen_at < now - timedelta(seconds=interval_s) - _GRACE,
        )
        for interval_s in intervals
    ]
    if not overdue:
        return []
    return (await db.scalars(select(Gateway).where(in_service, or_(*overdue)).order_by(Gateway.id))).all()


async def no_longer_missed(db: AsyncSession, gateway_ids: Collection[uuid.UUID], now: datetime) -> set[uuid.UUID]:
    """Of gateways that were silent those that are heard again, and those taken out of service, which nobody awaits."""
    silent = {gateway.id for gateway in await silent_gateways(db, now)}
    return set(gateway_ids) - silent


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
    if not is_online(gateway):
        tell_watchers(db, gateway)
    gateway.last_seen_at = clock.now()
    return gateway


async def hold_facts(db: AsyncSession, gateway_id: uuid.UUID) -> Gateway:
    """The gateway, locked until the unit of work ends: what is known of its sensors changes one after the other.

    Whoever changes it takes this lock before any of its sensors: so does whoever takes in readings.
    """
    locked = select(Gateway).where(Gateway.id == gateway_id).with_for_update()
    return (await db.scalars(locked, execution_options={"populate_existing": True})).one()


async def count_change(db: AsyncSession, gateway_id: uuid.UUID) -> None:
    """Something that others keep in memory of this gateway's sensors, or of the rules for them, is another now."""
    (await hold_facts(db, gateway_id)).facts_version += 1


def tell_watchers(db: AsyncSession, gateway: Gateway) -> None:
    """Wake those who watch the gateways of its organisation."""
    announce(db, topic_of("gateways", gateway.organization_id, gateway.organization_id))


async def rename_gateway(
    db: AsyncSession, gateway_id: uuid.UUID, *, changes: GatewayUpdate, seen: Visible = EVERYWHERE
) -> Gateway:
    """Call it something else.

    Raises:
        NotFound: when there is no such gateway.
        StaleVersion: when `changes` was made of another version than there is now.
        AlreadyExists: when the name is taken.
    """
    gateway = await get_gateway(db, gateway_id, seen=seen)
    await versions.count(db, gateway, seen=changes.version, what=f"gateway {gateway.name!r}")
    gateway.name = changes.name
    await flush_unique(db, f"another gateway is called {changes.name!r}", field="name")
    tell_watchers(db, gateway)
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
