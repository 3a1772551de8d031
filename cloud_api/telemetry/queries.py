"""Reusable reads of readings."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.devices.models import Sensor
from cloud_api.devices.queries import visible_gateways, visible_sensors
from cloud_api.places.queries import Visible
from cloud_api.telemetry.models import QUALITIES, ReadingGap, ReadingSummary, SensorReading, SensorSeries


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


@dataclass(frozen=True, slots=True)
class Span:
    """What lies, in part at least, in [from_ms, to_ms); None: from or to all time."""

    from_ms: int | None = None
    to_ms: int | None = None

    def covers(self, row: type[ReadingSummary | ReadingGap]) -> list[ColumnElement[bool]]:
        """The conditions on a table of stretches of time."""
        begun = [] if self.from_ms is None else [row.to_ms >= self.from_ms]
        return begun if self.to_ms is None else [*begun, row.from_ms < self.to_ms]


def summaries(
    seen: Visible, span: Span, *, gateway_id: uuid.UUID | None, sensor_id: uuid.UUID | None
) -> Select[tuple[ReadingSummary]]:
    """What is left of thinned-out readings of the sensors to be seen."""
    its_sensors = select(Sensor.id).where(visible_sensors(seen))
    found = select(ReadingSummary).where(ReadingSummary.sensor_id.in_(its_sensors), *span.covers(ReadingSummary))
    if gateway_id is not None:
        found = found.where(ReadingSummary.gateway_id == gateway_id)
    return found if sensor_id is None else found.where(ReadingSummary.sensor_id == sensor_id)


def gaps(seen: Visible, span: Span, *, gateway_id: uuid.UUID | None) -> Select[tuple[ReadingGap]]:
    """What never came from the gateways to be seen."""
    found = select(ReadingGap).where(visible_gateways(ReadingGap.gateway_id, seen), *span.covers(ReadingGap))
    return found if gateway_id is None else found.where(ReadingGap.gateway_id == gateway_id)


async def offsets_of(db: AsyncSession, sensor_ids: set[uuid.UUID]) -> dict[uuid.UUID, float]:
    """The calibration of each sensor."""
    rows = await db.execute(select(Sensor.id, Sensor.offset).where(Sensor.id.in_(sensor_ids)))
    return {sensor_id: offset for sensor_id, offset in rows}
