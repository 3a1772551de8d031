"""The temperature log of a place: hour by hour what its sensors measured, and what people read off thermometers."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.cold_chain.alerts import service as alerts
from cloud_api.cold_chain.alerts.models import Alert
from cloud_api.cold_chain.alerts.queries import to_be_seen
from cloud_api.cold_chain.evidence import minutes
from cloud_api.cold_chain.evidence.errors import BadPeriod
from cloud_api.cold_chain.evidence.models import ManualReading
from cloud_api.cold_chain.exposure.queries import Watch, sensors_ever_in, watches
from cloud_api.cold_chain.exposure.shelf_life import HOUR_MS
from cloud_api.cold_chain.rules.models import AlertRule
from cloud_api.kernel import clock
from cloud_api.places import service as places
from cloud_api.places.models import Location
from cloud_api.places.queries import EVERYWHERE, Visible
from cloud_api.telemetry.models import SensorHour

QUANTITIES = ("temperature", "humidity")
ALERT_TYPES = ("high_temp", "low_temp", "high_humidity", "low_humidity", "sensor_failure")
#: of one answer
MOST_HOURS = 24 * 31
_SHORT = {"temperature": "temp", "humidity": "humidity"}
_SYMBOLS = {"temperature": "°C", "humidity": "%"}
_WORSE = {"info": 0, "warning": 1, "critical": 2}


@dataclass(frozen=True, slots=True)
class LogEntry:
    """An hour of a sensor, or what somebody read off; in °C or per cent."""

    location_id: uuid.UUID
    #: None: a person
    sensor_id: uuid.UUID | None
    recorded_at: datetime
    quantity: str
    #: of an hour its mean
    value: float
    minimum: float
    maximum: float
    alert_type: str | None


@dataclass(frozen=True, slots=True)
class Broken:
    """A limit that a reading breaks; `rule_id` is None where the place itself says so."""

    rule_id: uuid.UUID | None
    name: str
    kind: str
    set_at: float
    severity: str


async def log(
    db: AsyncSession, location_id: uuid.UUID, *, since: datetime, until: datetime, seen: Visible = EVERYWHERE
) -> list[LogEntry]:
    """What was measured in a place and everything inside it in [since, until), in the order of time.

    Raises:
        NotFound: when there is no such place to be seen.
        BadPeriod: when the period is none, or longer than 31 days.
    """
    await places.get_location(db, location_id, seen=seen)
    from_ms, to_ms = clock.to_ms(since), clock.to_ms(until)
    if from_ms >= to_ms or to_ms - from_ms > MOST_HOURS * HOUR_MS:
        raise BadPeriod("since must lie before until, at most 31 days: ask for a shorter period", field="since")
    inside = set(await places.within(db, location_id))
    sensors = await sensors_ever_in(db, inside, quantities=QUANTITIES)
    found = watches(sensors, inside, from_ms=from_ms, to_ms=to_ms)
    beyond = await minutes.in_excursion(
        db, since=since, until=until, sensor_ids=[sensor.id for sensor in sensors], seen=seen
    )
    entries = await _hours(db, found, beyond, from_ms, to_ms)
    manual = await db.scalars(
        select(ManualReading).where(
            ManualReading.location_id.in_(inside),
            ManualReading.measured_at >= since,
            ManualReading.measured_at < until,
        )
    )
    for row in manual:
        entries.append(
            LogEntry(
                row.location_id, None, row.measured_at, row.quantity, row.value, row.value, row.value, row.alert_type
            )
        )
    return sorted(entries, key=lambda entry: (entry.recorded_at, entry.quantity, str(entry.sensor_id)))


async def _hours(
    db: AsyncSession,
    found: Collection[Watch],
    beyond: minutes.Excursions,
    from_ms: int,
    to_ms: int,
) -> list[LogEntry]:
    rows = (
        await db.scalars(
            select(SensorHour).where(
                SensorHour.sensor_id.in_({watch.sensor.id for watch in found}),
                SensorHour.begins_ms >= from_ms,
                SensorHour.begins_ms < to_ms,
                SensorHour.count > 0,
            )
        )
    ).all()
    entries = []
    for watch in found:
        for row in rows:
            if row.sensor_id != watch.sensor.id or not watch.from_ms <= row.begins_ms < watch.to_ms:
                continue
            how = watch.sensor.correction_at(row.begins_ms)
            begin, end = clock.from_ms(row.begins_ms), clock.from_ms(row.begins_ms + HOUR_MS)
            kinds = [span.kind for span in beyond.get(row.sensor_id, ()) if span.begin < end and begin < span.end]
            entries.append(
                LogEntry(
                    location_id=watch.location_id,
                    sensor_id=row.sensor_id,
                    recorded_at=begin,
                    quantity=watch.sensor.quantity,
                    value=row.total / row.count * how.gain + how.offset,
                    minimum=row.minimum * how.gain + how.offset,
                    maximum=row.maximum * how.gain + how.offset,
                    alert_type=_alert_type(kinds[0], watch.sensor.quantity) if kinds else None,
                )
            )
    return entries


async def record(
    db: AsyncSession,
    *,
    location_id: uuid.UUID,
    quantity: str,
    value: float,
    measured_at: datetime | None,
    note: str,
    recorded_by: uuid.UUID,
    seen: Visible = EVERYWHERE,
) -> tuple[ManualReading, Sequence[Broken]]:
    """Write down what somebody read off, and judge it at once by the limits of the place and of those around it.

    It opens no excursion: nobody knows how long it was so. It raises an alert, which the next one within the limits
    clears.

    Raises:
        NotFound: when there is no such place to be seen.
        BadPeriod: when it was measured in the future.
    """
    place = await places.get_location(db, location_id, seen=seen)
    now = clock.now()
    if measured_at is not None and (measured_at.tzinfo is None or measured_at > now):
        raise BadPeriod("measured_at needs its zone, and must not lie in the future", field="measured_at")
    broken = await _broken(db, place, quantity, value)
    worst = max(broken, key=lambda one: _WORSE[one.severity], default=None)
    row = ManualReading(
        location_id=location_id,
        quantity=quantity,
        value=value,
        measured_at=measured_at or now,
        note=note,
        alert_type=None if worst is None else _alert_type(worst.kind, quantity),
        recorded_by=recorded_by,
        recorded_at=now,
    )
    db.add(row)
    await db.flush()
    subject = f"manual_reading:{quantity}:{location_id}"
    if worst is None:
        await alerts.clear_alert(db, subject=subject, at=row.measured_at)
        return row, broken
    side = "above" if worst.kind == "high" else "below"
    symbol = _SYMBOLS[quantity]
    await alerts.raise_alert(
        db,
        group=f"manual:{worst.kind}:{quantity}:{location_id}",
        subject=subject,
        alert_type=_alert_type(worst.kind, quantity),
        severity="critical" if worst.severity == "critical" else "warning",
        title=f"{place.name}: {quantity} {side} {worst.set_at:g} {symbol}",
        message=f"Somebody read {value:g} {symbol} there. {worst.name}.",
        location_id=location_id,
        rule_id=worst.rule_id,
        at=row.measured_at,
    )
    return row, broken


async def _broken(db: AsyncSession, place: Location, quantity: str, value: float) -> list[Broken]:
    around = await places.around(db, place.id)
    rules = await db.scalars(
        select(AlertRule)
        .where(
            AlertRule.enabled,
            AlertRule.deleted_at.is_(None),
            AlertRule.quantity == quantity,
            AlertRule.location_id.in_(around),
            or_(
                (AlertRule.kind == "high") & (AlertRule.set_at < value),
                (AlertRule.kind == "low") & (AlertRule.set_at > value),
            ),
        )
        .order_by(AlertRule.id)
    )
    found = [Broken(rule.id, rule.name, rule.kind, rule.set_at, rule.severity) for rule in rules]
    low, high = place.temperature_min_c, place.temperature_max_c
    if quantity == "temperature" and high is not None and value > high:
        found.append(Broken(None, f"{place.name} is kept at {high:g} °C at most", "high", high, "warning"))
    if quantity == "temperature" and low is not None and value < low:
        found.append(Broken(None, f"{place.name} is kept at {low:g} °C at least", "low", low, "warning"))
    return found


def raised(seen: Visible, *, location_id: uuid.UUID | None, alert_type: str | None) -> Select[tuple[Alert]]:
    """The alerts that readings, or their absence, have raised; also those that are over."""
    its = select(Alert).where(
        to_be_seen(seen), Alert.alert_type.in_(ALERT_TYPES if alert_type is None else [alert_type])
    )
    return its if location_id is None else its.where(Alert.location_id == location_id)


def _alert_type(kind: str, quantity: str) -> str:
    return f"{'low' if 'low' in kind else 'high'}_{_SHORT[quantity]}"
