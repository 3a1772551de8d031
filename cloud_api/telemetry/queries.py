"""Reusable reads of readings."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.devices.models import Sensor
from cloud_api.devices.queries import visible_sensors
from cloud_api.places.queries import Visible
from cloud_api.telemetry.models import QUALITIES, SensorReading, SensorSeries


@dataclass(frozen=True, slots=True)
class Measured:
    """One calibrated value of a sensor."""

    sensor_id: uuid.UUID
    recorded_at_ms: int
    sequence: int
    value: float
    quality: str


async def readings_between(
    db: AsyncSession,
    sensor: Sensor,
    *,
    from_ms: int,
    to_ms: int,
    limit: int,
    after: tuple[int, int] | None = None,
) -> Sequence[Measured]:
    """Readings of `sensor` in [from_ms, to_ms), oldest first, at most `limit`, behind (recorded_at_ms, sequence)."""
    statement = (
        select(SensorReading)
        .where(
            SensorReading.sensor_id == sensor.id,
            SensorReading.recorded_at_ms >= from_ms,
            SensorReading.recorded_at_ms < to_ms,
        )
        .order_by(SensorReading.recorded_at_ms, SensorReading.sequence)
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(tuple_(SensorReading.recorded_at_ms, SensorReading.sequence) > after)
    return [
        Measured(row.sensor_id, row.recorded_at_ms, row.sequence, row.value + sensor.offset, QUALITIES[row.quality])
        for row in await db.scalars(statement)
    ]


def last_values(seen: Visible) -> Select[tuple[Sensor, SensorSeries]]:
    """Each active sensor to be seen that has been heard, with its series."""
    return (
        select(Sensor, SensorSeries)
        .join(SensorSeries, SensorSeries.sensor_id == Sensor.id)
        .where(Sensor.status == "active", SensorSeries.last_recorded_at_ms.is_not(None), visible_sensors(seen))
        .order_by(Sensor.code, Sensor.quantity)
    )
