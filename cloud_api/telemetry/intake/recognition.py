"""Whose rows these are: the sensors that a gateway's batch names, registered and given a series when they are new."""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.devices.gateways.service import count_change
from cloud_api.devices.sensors.service import recognise_sensors
from cloud_api.identity.organizations.models import Organization
from cloud_api.kernel.db import insert_missing
from cloud_api.telemetry.intake.locks import LockedGateway
from cloud_api.telemetry.intake.memory import KnownGateway, Memory, read_gateway
from cloud_api.telemetry.intake.reading_rows import Series
from cloud_api.telemetry.models import SensorSeries, SeriesCounter

Device = tuple[str, str]


@dataclass(slots=True)
class Acquaintance:
    """What is known of a gateway in this transaction."""

    known: KnownGateway
    #: whether this transaction has changed it, so that nobody may remember it
    changed: bool = False


async def acquaint(db: AsyncSession, gateway: LockedGateway, memory: Memory) -> Acquaintance:
    """What is known of a locked gateway, from memory or from the database."""
    known = memory.recall(gateway.id, gateway.versions)
    return Acquaintance(known or await read_gateway(db, gateway.id, gateway.versions))


async def meet(
    db: AsyncSession, gateway: LockedGateway, acquaintance: Acquaintance, heard: Mapping[Device, str], *, at_most: int
) -> None:
    """Make sure that what was heard (device -> unit) is known, as far as the gateway has room for it.

    Sensors that are new are registered, those that had no unit or no series are given one.
    """
    recognised = await recognise_sensors(db, gateway.id, heard, at_most=at_most)
    await _begin_series(db, {sensor.id for sensor in recognised.values()})
    await count_change(db, gateway.id)
    acquaintance.known = await read_gateway(db, gateway.id, gateway.versions)
    acquaintance.changed = True


def strange_series(known: KnownGateway, names: Collection[Series]) -> dict[Device, str]:
    """Of readings' series those that must be met first, device -> unit; of two units the first counts."""
    strange: dict[Device, str] = {}
    for code, quantity, unit in names:
        at = known.by_device.get((code, quantity))
        if at is None or not known.sensors[at].unit or (code, quantity, known.sensors[at].unit) not in known.by_series:
            strange.setdefault((code, quantity), unit)
    return strange


def strange_devices(known: KnownGateway, heard: Mapping[Device, str]) -> dict[Device, str]:
    """The same of devices that send no readings: they need no series."""
    return {
        device: unit
        for device, unit in heard.items()
        if (at := known.by_device.get(device)) is None or (unit and not known.sensors[at].unit)
    }


def why_not(known: KnownGateway, series: Series, *, at_most: int) -> tuple[str, str, str] | None:
    """(code, field, message) of why rows of a series are not taken."""
    code, quantity, unit = series
    at = known.by_device.get((code, quantity))
    if at is None:
        return "TOO_MANY_SENSORS", "sensor", f"this gateway has {at_most} sensors already: retire some"
    registered = known.sensors[at].unit
    if unit != registered:
        message = f"is {unit!r}, and this sensor is registered in {registered!r}: change one of the two"
        return "WRONG_UNIT", "unit", message
    return None


async def _begin_series(db: AsyncSession, sensor_ids: Collection[uuid.UUID]) -> None:
    """Give a series to each sensor that has none."""
    begun = await db.scalars(select(SensorSeries.sensor_id).where(SensorSeries.sensor_id.in_(sensor_ids)))
    missing = sorted(set(sensor_ids) - set(begun))
    if not missing:
        return
    zone = await db.scalar(select(Organization.timezone))
    await insert_missing(db, SeriesCounter, {"id": 1, "last": 0})
    last = await db.scalar(
        update(SeriesCounter)
        .where(SeriesCounter.id == 1)
        .values(last=SeriesCounter.last + len(missing))
        .returning(SeriesCounter.last)
        .execution_options(synchronize_session=False)
    )
    assert last is not None  # noqa: S101 - the row was just made sure of
    for number, sensor_id in enumerate(missing, start=last - len(missing) + 1):
        await insert_missing(db, SensorSeries, {"sensor_id": sensor_id, "number": number, "zone": zone or "UTC"})
