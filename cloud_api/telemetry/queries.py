"""Reusable reads of readings."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, select

from cloud_api.devices.models import Sensor, SensorCalibration
from cloud_api.devices.queries import visible_gateways, visible_sensors
from cloud_api.places.queries import Visible
from cloud_api.telemetry.models import DeadLetter, LaneCursor, ReadingGap, ReadingSummary, SensorSeries

#: of `last_values`
LastValue = tuple[
    uuid.UUID, uuid.UUID | None, str, str, str, float, float, int | None, int | None, int, float | None, str | None
]


def last_values(seen: Visible) -> Select[LastValue]:
    """Each active sensor to be seen that has been heard, with its present calibration and its last value."""
    return (
        select(
            Sensor.id,
            Sensor.location_id,
            Sensor.code,
            Sensor.quantity,
            Sensor.unit,
            Sensor.gain,
            Sensor.offset,
            Sensor.interval_s,
            SensorSeries.cadence_ms,
            SensorSeries.last_recorded_at_ms,
            SensorSeries.last_value,
            SensorSeries.last_quality,
        )
        .join(SensorSeries, SensorSeries.sensor_id == Sensor.id)
        .where(Sensor.status == "active", SensorSeries.last_recorded_at_ms.is_not(None), visible_sensors(seen))
        .order_by(Sensor.code, Sensor.quantity, Sensor.id)
    )


def calibrations_to_come() -> Select[tuple[uuid.UUID, int, float, float]]:
    """Of sensors with a calibration that begins after their last value: all, the latest first."""
    after_the_last = (
        select(SensorCalibration.sensor_id)
        .join(SensorSeries, SensorSeries.sensor_id == SensorCalibration.sensor_id)
        .where(SensorCalibration.from_ms > SensorSeries.last_recorded_at_ms)
    )
    return (
        select(SensorCalibration.sensor_id, SensorCalibration.from_ms, SensorCalibration.gain, SensorCalibration.offset)
        .where(SensorCalibration.sensor_id.in_(after_the_last))
        .order_by(SensorCalibration.sensor_id, SensorCalibration.from_ms.desc())
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


def dead_letters(
    seen: Visible, since: datetime | None, until: datetime | None, *, gateway_id: uuid.UUID | None
) -> Select[tuple[DeadLetter]]:
    """What nobody could use, of the gateways to be seen, that came in [since, until)."""
    found = select(DeadLetter).where(visible_gateways(DeadLetter.gateway_id, seen))
    if since is not None:
        found = found.where(DeadLetter.received_at >= since)
    if until is not None:
        found = found.where(DeadLetter.received_at < until)
    return found if gateway_id is None else found.where(DeadLetter.gateway_id == gateway_id)


def lanes(seen: Visible, *, gateway_id: uuid.UUID | None) -> Select[tuple[LaneCursor]]:
    """The lanes of the gateways to be seen."""
    found = select(LaneCursor).where(visible_gateways(LaneCursor.gateway_id, seen))
    return found if gateway_id is None else found.where(LaneCursor.gateway_id == gateway_id)
