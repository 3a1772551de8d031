"""Whether places were as cold as they are kept: how many of the readings lay within their limits, by place and day.

Counted from what is kept of each day and hour (`telemetry.rollups`), not from the readings: readings of quality bad do
not count. A day or an hour whose lowest and highest values lie on one side of a limit is exact. Of an hour that crosses
one only its extremes are known: its readings count as if they were spread evenly between them, and an answer says how
many there were: the true share lies between `least` and `most`. A limit is the place's own, or that of the nearest
place around it. An hour belongs to the day, the place and the calibration in which it begins.
"""

import uuid
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.analytics.operations.asked import Asked
from cloud_api.analytics.periods import midnight
from cloud_api.cold_chain.excursions.models import Excursion
from cloud_api.devices.models import Sensor
from cloud_api.devices.sensors.known import EVER, KnownSensor, known_sensors
from cloud_api.kernel import clock
from cloud_api.places.models import Location
from cloud_api.telemetry.models import SensorDay, SensorHour, SensorSeries

_FAR = 1 << 62
#: stretches of one statement
_AT_ONCE = 200
_UNBOUNDED = float("inf")


@dataclass
class Kept:
    """Readings of a place on a day."""

    location_id: uuid.UUID
    day: date
    readings: int = 0
    #: certainly within the limits
    within: int = 0
    #: of hours in which a limit was crossed
    crossing: int = 0
    #: of those, as many as would be within if they were spread evenly
    estimated: float = 0.0

    @property
    def share(self) -> float | None:
        """0 to 1; None: nothing was measured."""
        return (self.within + self.estimated) / self.readings if self.readings else None

    def take(self, count: int, minimum: float, maximum: float, limits: "Stretch") -> None:
        """Count a day or an hour in."""
        self.readings += count
        if limits.holds(minimum, maximum):
            self.within += count
        elif not limits.excludes(minimum, maximum):
            self.crossing += count
            inside = min(maximum, limits.high) - max(minimum, limits.low)
            self.estimated += count * max(0.0, inside) / (maximum - minimum)


@dataclass(frozen=True, slots=True)
class Stretch:
    """From when to when a sensor was in a place under one calibration, and the place's limits as raw values."""

    location_id: uuid.UUID
    zone: ZoneInfo
    from_ms: int
    to_ms: int
    low: float
    high: float

    def holds(self, minimum: float, maximum: float) -> bool:
        """Whether all that lies between is within the limits."""
        return self.low <= minimum and maximum <= self.high

    def excludes(self, minimum: float, maximum: float) -> bool:
        """Whether none of it is."""
        return maximum < self.low or self.high < minimum

    def day_of(self, at_ms: int) -> date:
        """The day there."""
        return clock.from_ms(at_ms).astimezone(self.zone).date()


@dataclass(frozen=True)
class Week:
    """Excursions that began in a week, and for how long they lasted within the days asked about."""

    monday: date
    excursions: int
    minutes: float


async def by_place_and_day(db: AsyncSession, asked: Asked) -> list[Kept]:
    """Each place on each day on which something was measured there; by place and day."""
    places = await _places(db)
    sensors = await _sensors(db)
    stretches = {id: _stretches(sensor, places, asked) for id, sensor in sensors.items()}
    ids = [id for id, its in stretches.items() if its]
    known = await db.execute(select(SensorSeries.sensor_id, SensorSeries.zone).where(SensorSeries.sensor_id.in_(ids)))
    zones = dict(known.tuples().all())
    found: dict[tuple[uuid.UUID, date], Kept] = {}
    closer = await _take_days(db, asked, {id: stretches[id] for id in ids}, zones, found)
    await _take_hours(db, asked, closer, stretches, found)
    return sorted(found.values(), key=lambda kept: (str(kept.location_id), kept.day))


async def excursions_by_week(db: AsyncSession, asked: Asked) -> list[Week]:
    """Excursions by the week in which they began, the first week first; those that were taken back are none."""
    rows = await db.execute(
        select(Excursion.started_at, Excursion.ended_at, Location.warehouse_id)
        .join(Location, Location.id == Excursion.location_id)
        .where(
            Excursion.retracted_at.is_(None),
            asked.happened(Excursion.started_at, Location.warehouse_id),
            asked.here(Location.warehouse_id),
        )
    )
    weeks = defaultdict[date, list[float]](list)
    for started_at, ended_at, warehouse_id in rows.tuples():
        zone = asked.zones.of(warehouse_id)
        day = started_at.astimezone(zone).date()
        lasted = min(ended_at or clock.now(), asked.ends(zone)) - started_at
        weeks[day - timedelta(days=day.weekday())].append(lasted.total_seconds() / 60)
    return [Week(monday, len(its), sum(its)) for monday, its in sorted(weeks.items())]


@dataclass(frozen=True)
class _Place:
    warehouse_id: uuid.UUID | None
    parent_id: uuid.UUID | None
    low: float | None
    high: float | None


async def _places(db: AsyncSession) -> Mapping[uuid.UUID, _Place]:
    rows = await db.execute(
        select(
            Location.id,
            Location.warehouse_id,
            Location.parent_id,
            Location.temperature_min_c,
            Location.temperature_max_c,
        )
    )
    return {id: _Place(warehouse_id, parent_id, low, high) for id, warehouse_id, parent_id, low, high in rows.tuples()}


async def _sensors(db: AsyncSession) -> Mapping[uuid.UUID, KnownSensor]:
    its = select(Sensor.id).where(Sensor.quantity == "temperature", Sensor.unit == "Cel")
    return await known_sensors(db, sensor_ids=set(await db.scalars(its)))


def _limits(places: Mapping[uuid.UUID, _Place], location_id: uuid.UUID) -> tuple[float | None, float | None]:
    """The place's own, or those of the nearest around it."""
    at: uuid.UUID | None = location_id
    while at is not None and at in places:
        if places[at].low is not None or places[at].high is not None:
            return places[at].low, places[at].high
        at = places[at].parent_id
    return None, None


def _stretches(sensor: KnownSensor, places: Mapping[uuid.UUID, _Place], asked: Asked) -> list[Stretch]:
    """Where the sensor was in the days that are asked about, as far as that place has limits and may be seen."""
    marks = {one.from_ms for one in sensor.placements[1:]} | {one.from_ms for one in sensor.corrections[1:]}
    begins = [EVER, *sorted(marks)]
    found = []
    for from_ms, to_ms in zip(begins, [*begins[1:], _FAR], strict=True):
        location_id, how = sensor.place_at(from_ms), sensor.correction_at(from_ms)
        place = places.get(location_id) if location_id is not None else None
        if location_id is None or place is None or not _is_asked(asked, place.warehouse_id):
            continue
        low, high = _limits(places, location_id)
        if (low is None and high is None) or how.gain <= 0:
            continue
        zone = asked.zones.of(place.warehouse_id)
        since, until = clock.to_ms(asked.begins(zone)), clock.to_ms(asked.ends(zone))
        if max(since, from_ms) < min(until, to_ms):
            found.append(
                Stretch(
                    location_id,
                    zone,
                    max(since, from_ms),
                    min(until, to_ms),
                    -_UNBOUNDED if low is None else (low - how.offset) / how.gain,
                    _UNBOUNDED if high is None else (high - how.offset) / how.gain,
                )
            )
    return found


def _is_asked(asked: Asked, warehouse_id: uuid.UUID | None) -> bool:
    return asked.seen.shows(warehouse_id) and asked.warehouse_id in {None, warehouse_id}


async def _take_days(
    db: AsyncSession,
    asked: Asked,
    stretches: Mapping[uuid.UUID, Sequence[Stretch]],
    zones: Mapping[uuid.UUID, str],
    found: dict[tuple[uuid.UUID, date], Kept],
) -> list[tuple[uuid.UUID, int, int]]:
    """Count the days that say all by themselves. Returns (sensor, from, to) of those of which hours are to be read."""
    closer = []
    whole: list[uuid.UUID] = []
    for sensor_id, its in stretches.items():
        if all(stretch.zone.key == zones.get(sensor_id) for stretch in its):
            whole.append(sensor_id)
        else:  # its days are another clock's
            closer += [(sensor_id, stretch.from_ms, stretch.to_ms) for stretch in its]
    if not whole:
        return closer
    since = min(stretch.from_ms for id in whole for stretch in stretches[id])
    until = max(stretch.to_ms for id in whole for stretch in stretches[id])
    rows = await db.execute(
        select(SensorDay.sensor_id, SensorDay.begins_ms, SensorDay.count, SensorDay.minimum, SensorDay.maximum).where(
            SensorDay.sensor_id.in_(whole),
            # a day that begins before the first stretch may reach into it
            SensorDay.begins_ms > since - _LONGEST_DAY_MS,
            SensorDay.begins_ms < until,
            SensorDay.count > 0,
        )
    )
    ends = dict[tuple[int, str], int]()
    for sensor_id, begins_ms, count, minimum, maximum in rows.tuples():
        its = stretches[sensor_id]
        end = ends.get((begins_ms, zones[sensor_id]))
        if end is None:
            day = its[0].day_of(begins_ms)
            end = ends[begins_ms, zones[sensor_id]] = clock.to_ms(midnight(day + timedelta(days=1), its[0].zone))
        at = _at(its, begins_ms)
        if at is not None and end <= at.to_ms and (at.holds(minimum, maximum) or at.excludes(minimum, maximum)):
            _kept(found, at, begins_ms).take(count, minimum, maximum, at)
        elif end > its[0].from_ms:
            closer.append((sensor_id, begins_ms, end))
    return closer


async def _take_hours(
    db: AsyncSession,
    asked: Asked,
    closer: Sequence[tuple[uuid.UUID, int, int]],
    stretches: Mapping[uuid.UUID, Sequence[Stretch]],
    found: dict[tuple[uuid.UUID, date], Kept],
) -> None:
    spans = _joined(closer)
    for begin in range(0, len(spans), _AT_ONCE):
        rows = await db.execute(
            select(
                SensorHour.sensor_id, SensorHour.begins_ms, SensorHour.count, SensorHour.minimum, SensorHour.maximum
            ).where(
                or_(
                    *(
                        and_(
                            SensorHour.sensor_id == sensor_id,
                            SensorHour.begins_ms >= from_ms,
                            SensorHour.begins_ms < to_ms,
                        )
                        for sensor_id, from_ms, to_ms in spans[begin : begin + _AT_ONCE]
                    )
                ),
                SensorHour.count > 0,
            )
        )
        for sensor_id, begins_ms, count, minimum, maximum in rows.tuples():
            at = _at(stretches[sensor_id], begins_ms)
            if at is not None:
                _kept(found, at, begins_ms).take(count, minimum, maximum, at)


def _joined(spans: Iterable[tuple[uuid.UUID, int, int]]) -> list[tuple[uuid.UUID, int, int]]:
    """The same, those that follow each other as one."""
    joined: list[tuple[uuid.UUID, int, int]] = []
    for sensor_id, from_ms, to_ms in sorted(spans):
        if joined and joined[-1][0] == sensor_id and from_ms <= joined[-1][2]:
            joined[-1] = (sensor_id, joined[-1][1], max(to_ms, joined[-1][2]))
        else:
            joined.append((sensor_id, from_ms, to_ms))
    return joined


def _at(stretches: Sequence[Stretch], at_ms: int) -> Stretch | None:
    index = bisect_right([stretch.from_ms for stretch in stretches], at_ms) - 1
    return stretches[index] if index >= 0 and at_ms < stretches[index].to_ms else None


def _kept(found: dict[tuple[uuid.UUID, date], Kept], at: Stretch, at_ms: int) -> Kept:
    key = at.location_id, at.day_of(at_ms)
    if key not in found:
        found[key] = Kept(*key)
    return found[key]


#: a day on which clocks are set back
_LONGEST_DAY_MS = 25 * 3_600_000
