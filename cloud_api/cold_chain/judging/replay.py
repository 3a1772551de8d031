"""What a rule would have raised, and what it did raise: over the stored readings, and nothing is written."""

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.cold_chain.excursions.incidents import Breach, Watched
from cloud_api.cold_chain.excursions.models import Excursion
from cloud_api.cold_chain.judging.course import Course
from cloud_api.cold_chain.judging.facts import Applied, Stretch, applied_to
from cloud_api.cold_chain.judging.rewinding import good_of
from cloud_api.cold_chain.rules.known import KnownRule, check, known
from cloud_api.cold_chain.rules.service import rule_named
from cloud_api.devices.models import Sensor, SensorPlacement
from cloud_api.devices.sensors.known import KnownSensor, known_sensors
from cloud_api.kernel import clock
from cloud_api.kernel.errors import Invalid
from cloud_api.places import service as places
from cloud_api.telemetry.stores.port import ReadingStore

_CHUNK = 10_000


@dataclass(frozen=True, slots=True)
class Replayed:
    """A breach that would have been raised."""

    sensor_id: uuid.UUID
    breach: Breach


async def replay(
    db: AsyncSession, rule: KnownRule, *, store: ReadingStore, since_ms: int, until_ms: int
) -> list[Replayed]:
    """The breaches that `rule` makes of the readings of [since_ms, until_ms), by sensor and time.

    Judged as it is by today's pauses and by where the sensors were then. What began before is not seen to have begun.

    Raises:
        Invalid: of a silent rule, which judges no readings.
    """
    if rule.kind == "silent":
        raise Invalid("a silent rule judges no readings: there is nothing to replay", field="id")
    found: list[Replayed] = []
    by_gateway: dict[uuid.UUID, list[KnownSensor]] = defaultdict(list)
    for sensor in (await known_sensors(db, sensor_ids=await _ever_there(db, rule))).values():
        by_gateway[sensor.gateway_id].append(sensor)
    for gateway_id, sensors in sorted(by_gateway.items()):
        applied = await applied_to(db, gateway_id, sensors, rules=[rule])
        for sensor in sensors:
            for one in applied.get(sensor.id, ()):
                at = Watched(sensor, rule, store)
                for stretch in one.stretches:
                    breaches = await _breaches(db, at, one, _common(stretch, since_ms, until_ms))
                    found += [Replayed(sensor.id, breach) for breach in breaches]
    return found


async def raised(db: AsyncSession, rule_id: uuid.UUID, *, since_ms: int, until_ms: int) -> Sequence[Excursion]:
    """What the rule did raise in [since_ms, until_ms), by sensor and time; what was taken back aside."""
    its = (
        select(Excursion)
        .where(Excursion.rule_id == rule_id, Excursion.retracted_at.is_(None))
        .where(Excursion.started_at >= clock.from_ms(since_ms), Excursion.started_at < clock.from_ms(until_ms))
        .order_by(Excursion.sensor_id, Excursion.started_at)
    )
    return (await db.scalars(its)).all()


async def table(
    db: AsyncSession,
    *,
    name: str,
    changes: Mapping[str, float],
    store: ReadingStore,
    since: datetime,
    until: datetime,
) -> list[str]:
    """What was and what would have been, as lines of text: by sensor and beginning, with what it is called.

    Raises:
        NotFound: when no rule has this name.
        Invalid: when the rule would contradict itself, or judges no readings.
    """
    rule = known(await rule_named(db, name))
    changed = replace(rule, **changes)  # type: ignore[arg-type]  # the fields are numbers
    check(changed)
    since_ms, until_ms = clock.to_ms(since), clock.to_ms(until)
    were = await raised(db, rule.id, since_ms=since_ms, until_ms=until_ms)
    would_be = await replay(db, changed, store=store, since_ms=since_ms, until_ms=until_ms)
    lines = [
        (one.sensor_id, one.started_at, _line("was", one.sensor_id, one.started_at, one.ended_at, one.peak_value))
        for one in were
    ]
    for one in would_be:
        started_at = clock.from_ms(one.breach.started_at_ms)
        ended_at = None if one.breach.ended_at_ms is None else clock.from_ms(one.breach.ended_at_ms)
        line = _line("would be", one.sensor_id, started_at, ended_at, one.breach.peak)
        lines.append((one.sensor_id, started_at, line))
    listed = [line for _, _, line in sorted(lines)]
    return [*listed, f"{name}: {len(were)} were raised, {len(would_be)} would be"]


def _line(what: str, sensor_id: uuid.UUID, started_at: datetime, ended_at: datetime | None, peak: float) -> str:
    until = "goes on" if ended_at is None else f"{ended_at:%Y-%m-%d %H:%M:%S}"
    return f"{what:<8}  {sensor_id}  {started_at:%Y-%m-%d %H:%M:%S}  {until:<19}  {peak:8.2f}"


async def _ever_there(db: AsyncSession, rule: KnownRule) -> set[uuid.UUID]:
    """The sensors of its quantity that are in the rule's place, or have been."""
    inside = await places.within(db, rule.location_id)
    placed = select(SensorPlacement.sensor_id).where(SensorPlacement.location_id.in_(inside))
    its = select(Sensor.id).where(
        Sensor.quantity == rule.quantity, Sensor.location_id.in_(inside) | Sensor.id.in_(placed)
    )
    return set(await db.scalars(its))


def _common(stretch: Stretch, since_ms: int, until_ms: int) -> Stretch:
    return Stretch(max(stretch.from_ms, since_ms), min(stretch.to_ms, until_ms))


async def _breaches(db: AsyncSession, at: Watched, applied: Applied, stretch: Stretch) -> list[Breach]:
    course, after = Course(applied.judged, applied.day_of, applied.pauses), None
    while stretch.from_ms < stretch.to_ms:
        stored = await at.store.read(
            db, at.sensor.id, from_ms=stretch.from_ms, to_ms=stretch.to_ms, limit=_CHUNK, after=after
        )
        good = good_of(at, stored)
        course.feed(good.times_ms, good.values)
        if len(stored) < _CHUNK:
            break
        after = (int(stored.times_ms[-1]), int(stored.sequences[-1]))
    return course.breaches()
