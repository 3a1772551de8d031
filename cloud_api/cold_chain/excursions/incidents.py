"""What judges do with excursions: open, end, revise, take back.

The breaches of a rule at a sensor are what `gateway.rules` makes of the readings in the order of their times. Readings
come late and shuffled, so what is known of a breach changes: here the excursions follow.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.cold_chain.alerts import service as alerts
from cloud_api.cold_chain.events import ExcursionClosed, ExcursionOpened, ExcursionRecovered
from cloud_api.cold_chain.excursions import words
from cloud_api.cold_chain.excursions.models import Excursion
from cloud_api.cold_chain.excursions.states import EXCURSION, ExcursionAction, ExcursionStatus
from cloud_api.cold_chain.exposure.keeping import shorten_what_was_warm
from cloud_api.cold_chain.exposure.service import ExposureSource, write_exposure
from cloud_api.cold_chain.rules.known import KnownRule
from cloud_api.devices.sensors.known import KnownSensor
from cloud_api.inventory.holds import service as holds
from cloud_api.kernel import clock, outbox
from cloud_api.kernel.db import announce
from cloud_api.kernel.numbers import next_number
from cloud_api.places import service as places
from cloud_api.realtime.hub import topic_of
from cloud_api.telemetry.stores.port import ReadingStore
from gateway import rules

GOING_ON = (ExcursionStatus.OPEN, ExcursionStatus.ACKNOWLEDGED)
_NEVER_WAS = "taken back: readings that came later prove that the limit was not broken for so long"


@dataclass(frozen=True, slots=True)
class Breach:
    """One breach that was raised; times in milliseconds since 1970-01-01 UTC."""

    started_at_ms: int
    raised_at_ms: int
    #: None: it goes on
    ended_at_ms: int | None
    #: the worst value
    peak: float
    #: the one that raised it
    value: float


@dataclass(frozen=True, slots=True)
class Watched:
    """One rule over one sensor, and where its readings are."""

    sensor: KnownSensor
    rule: KnownRule
    store: ReadingStore

    def incident(self, started_at_ms: int) -> str:
        """The key of the breach that starts then: the gateway's alarm has the same."""
        return rules.incident_key(self.sensor.code, self.sensor.quantity, str(self.rule.id), started_at_ms)


async def excursions_of(
    db: AsyncSession, sensor_ids: Sequence[uuid.UUID], *, since_ms: int | None = None
) -> list[Excursion]:
    """Those of these sensors that go on, and those that ended since then or without being seen to end; locked."""
    its: list[ColumnElement[bool]] = [Excursion.sensor_id.in_(sensor_ids), Excursion.retracted_at.is_(None)]
    if since_ms is None:
        its.append(Excursion.status.in_(GOING_ON))
    else:
        its.append(Excursion.ended_at.is_(None) | (Excursion.ended_at >= clock.from_ms(since_ms)))
    locked = select(Excursion).where(*its).order_by(Excursion.started_at, Excursion.id).with_for_update()
    return list(await db.scalars(locked, execution_options={"populate_existing": True}))


async def open_excursion(
    db: AsyncSession, at: Watched, breach: Breach, *, raised_by: Literal["cloud", "gateway"]
) -> Excursion:
    """Open an excursion, hold what lies in the sensor's place, and raise the alert. One that is over is ended at once.

    The same incident twice is one.

    Raises:
        ValueError: when the sensor was in no place then.
    """
    location_id = at.sensor.place_at(breach.started_at_ms) or at.sensor.location_id
    if location_id is None:
        raise ValueError(f"sensor {at.sensor.id} was in no place at {breach.started_at_ms}")
    same = Excursion.sensor_id == at.sensor.id, Excursion.incident == at.incident(breach.started_at_ms)
    its = (await db.scalars(select(Excursion).where(*same).with_for_update())).one_or_none()
    if its is not None:
        await _revise(db, at, its, breach)
        return its
    if breach.ended_at_ms is None:
        await _end_what_went_on(db, at, breach.started_at_ms)
    excursion = _written(at, breach, location_id, raised_by)
    excursion.number = await next_number(db, "EXC")
    db.add(excursion)
    await db.flush()
    held = await holds.hold(
        db, location_id=location_id, reason=words.breach_of(excursion), source=words.source(excursion)
    )
    await _tell(db, at, excursion, breach.value, lots=len(held))
    outbox.emit(db, ExcursionOpened(excursion.id, location_id))
    if excursion.ended_at is not None:
        await _over(db, excursion, excursion.ended_at)
    _announce(db, excursion)
    await expose(db, excursion, store=at.store)
    return excursion


def _written(at: Watched, breach: Breach, location_id: uuid.UUID, raised_by: Literal["cloud", "gateway"]) -> Excursion:
    """A new excursion with its limit frozen in it. One that is over is written so: another may go on already."""
    rule, is_over = at.rule, breach.ended_at_ms is not None
    return Excursion(
        incident=at.incident(breach.started_at_ms),
        location_id=location_id,
        sensor_id=at.sensor.id,
        rule_id=rule.id,
        quantity=at.sensor.quantity,
        unit=at.sensor.unit,
        kind=rule.kind,
        set_at=rule.set_at,
        clear_at=rule.clear_at,
        duration_s=rule.duration_s,
        latched=rule.latched,
        rule_version=rule.version,
        severity=rule.severity,
        status=EXCURSION.apply(EXCURSION.initial, ExcursionAction.RECOVER) if is_over else EXCURSION.initial,
        started_at=clock.from_ms(breach.started_at_ms),
        raised_at=clock.from_ms(breach.raised_at_ms),
        ended_at=None if breach.ended_at_ms is None else clock.from_ms(breach.ended_at_ms),
        peak_value=breach.peak,
        raised_by=raised_by,
        gateway_peak=breach.value if raised_by == "gateway" else None,
    )


async def _tell(db: AsyncSession, at: Watched, excursion: Excursion, value: float, *, lots: int) -> None:
    place = await places.get_location(db, excursion.location_id)
    await alerts.raise_alert(
        db,
        group=words.group(excursion),
        subject=words.source(excursion),
        alert_type=words.alert_type(excursion.kind, excursion.quantity),
        severity=at.rule.severity,
        title=f"{place.name}: {words.breach_of(excursion)}",
        message=f"{words.measured(excursion.quantity, excursion.unit, value)} since "
        f"{excursion.started_at:%H:%M} UTC. {lots} lots there are on hold. {excursion.number}",
        location_id=excursion.location_id,
        policy_id=at.rule.policy_id,
        rule_id=at.rule.id,
        at=excursion.raised_at,
    )


async def follow(db: AsyncSession, at: Watched, breach: Breach, known: Sequence[Excursion]) -> Excursion:
    """The excursion of a breach that was raised just now: one of those known, or a new one."""
    its = find(at, breach, known)
    if its is None:
        return await open_excursion(db, at, breach, raised_by="cloud")
    await _revise(db, at, its, breach)
    return its


def find(at: Watched, breach: Breach, known: Sequence[Excursion]) -> Excursion | None:
    """The excursion of a breach: of the same beginning, or at the same time."""
    of_rule = [one for one in known if one.rule_id == at.rule.id and one.retracted_at is None]
    return next((one for fits in (_is_same, _overlaps) for one in of_rule if fits(at, one, breach)), None)


async def recover(
    db: AsyncSession, excursion: Excursion, *, ended_at_ms: int, peak: float | None, store: ReadingStore
) -> None:
    """The place is well again. Its goods stay on hold until somebody decides; what is decided stays decided."""
    if peak is not None:
        note_peak(excursion, peak)
    if excursion.status not in GOING_ON:
        return
    excursion.status = EXCURSION.apply(ExcursionStatus(excursion.status), ExcursionAction.RECOVER)
    excursion.ended_at = clock.from_ms(ended_at_ms)
    await db.flush()
    await _over(db, excursion, excursion.ended_at)
    _announce(db, excursion)
    await expose(db, excursion, store=store)


def note_peak(excursion: Excursion, peak: float) -> None:
    """Keep the worst value; the gateway may have seen a worse one."""
    if excursion.status == ExcursionStatus.CLOSED:
        return
    worse = max if excursion.kind in ("high", "cumulative_high") else min
    excursion.peak_value = peak if excursion.gateway_peak is None else worse(peak, excursion.gateway_peak)


async def reconcile(
    db: AsyncSession, at: Watched, breaches: Sequence[Breach], known: Sequence[Excursion], *, from_ms: int, to_ms: int
) -> list[Excursion]:
    """Make the excursions of a stretch of time, [from_ms, to_ms), say what its readings say. Returns the new ones.

    Args:
        breaches: all that were raised in the stretch.
        known: excursions of this rule at this sensor, locked.
    """
    left = [one for one in known if one.rule_id == at.rule.id and _touches(one, from_ms, to_ms)]
    paired: list[tuple[Excursion, Breach]] = []
    new = list(breaches)
    for fits in (_is_same, _overlaps):
        for breach in tuple(new):
            its = next((one for one in left if fits(at, one, breach)), None)
            if its is not None:
                left.remove(its)
                new.remove(breach)
                paired.append((its, breach))
    for excursion in left:
        await _take_back(db, at, excursion, from_ms)
    await db.flush()  # what was taken back leaves its key to another
    for excursion, breach in paired:
        await _revise(db, at, excursion, breach)
    await db.flush()
    return [await open_excursion(db, at, breach, raised_by="cloud") for breach in new]


async def expose(db: AsyncSession, excursion: Excursion, *, store: ReadingStore) -> None:
    """Let what lay there know what it went through; nothing, when it never was."""
    started_at_ms = clock.to_ms(excursion.started_at)
    ended_at_ms = None if excursion.ended_at is None else clock.to_ms(excursion.ended_at)
    source = ExposureSource(
        excursion_id=excursion.id,
        sensor_id=excursion.sensor_id,
        location_id=excursion.location_id,
        kind="high" if excursion.kind in ("high", "cumulative_high") else "low",
        set_at=excursion.set_at,
        started_at_ms=started_at_ms,
        ended_at_ms=started_at_ms if excursion.retracted_at is not None else ended_at_ms,
    )
    await write_exposure(db, source, store=store)
    await shorten_what_was_warm(db, excursion.id)


def _is_same(at: Watched, excursion: Excursion, breach: Breach) -> bool:
    return excursion.incident == at.incident(breach.started_at_ms)


def _overlaps(_at: Watched, excursion: Excursion, breach: Breach) -> bool:
    ends_ms = _end_of(excursion)
    begins_in_time = breach.started_at_ms < ends_ms or breach.started_at_ms == clock.to_ms(excursion.started_at)
    return begins_in_time and (breach.ended_at_ms is None or breach.ended_at_ms > clock.to_ms(excursion.started_at))


def _touches(excursion: Excursion, from_ms: int, to_ms: int) -> bool:
    started_at_ms = clock.to_ms(excursion.started_at)
    return started_at_ms < to_ms and (started_at_ms >= from_ms or _end_of(excursion) > from_ms)


def _end_of(excursion: Excursion) -> int:
    """When it was over; of one that was closed while it went on, when it was raised: the rest is not known."""
    if excursion.ended_at is not None:
        return clock.to_ms(excursion.ended_at)
    return clock.to_ms(excursion.raised_at) + 1 if excursion.status == ExcursionStatus.CLOSED else rules.FAR_MS


async def _over(db: AsyncSession, excursion: Excursion, ended_at: datetime) -> None:
    await holds.stop_covering_arrivals(db, source=words.source(excursion))
    await alerts.clear_alert(db, subject=words.source(excursion), at=ended_at)
    outbox.emit(db, ExcursionRecovered(excursion.id, excursion.location_id))


async def _revise(db: AsyncSession, at: Watched, excursion: Excursion, breach: Breach) -> None:
    """What the readings say of a breach that is known. The gateway saw its own alarm begin and end; that stands.

    So does what an earlier limit raised, but that it goes on no longer.
    """
    is_frozen = excursion.rule_version != at.rule.version
    if excursion.status == ExcursionStatus.CLOSED or (is_frozen and excursion.status not in GOING_ON):
        return
    before = (excursion.started_at, excursion.ended_at, excursion.peak_value)
    if excursion.gateway_peak is None and not is_frozen:
        excursion.started_at = clock.from_ms(breach.started_at_ms)
        excursion.raised_at = clock.from_ms(breach.raised_at_ms)
        excursion.incident = at.incident(breach.started_at_ms)
    note_peak(excursion, breach.peak)
    if breach.ended_at_ms is None:
        pass
    elif excursion.status in GOING_ON:
        await recover(db, excursion, ended_at_ms=breach.ended_at_ms, peak=breach.peak, store=at.store)
        return
    elif excursion.ended_at is not None and (
        excursion.gateway_peak is None or breach.ended_at_ms < clock.to_ms(excursion.ended_at)
    ):
        excursion.ended_at = clock.from_ms(breach.ended_at_ms)
    if before != (excursion.started_at, excursion.ended_at, excursion.peak_value):
        await db.flush()
        _announce(db, excursion)
        await expose(db, excursion, store=at.store)


async def _end_what_went_on(db: AsyncSession, at: Watched, before_ms: int) -> None:
    """A rule has one excursion at a sensor at a time: another that begins says that the one before is over."""
    for excursion in await excursions_of(db, [at.sensor.id]):
        if excursion.rule_id == at.rule.id:
            ended_at_ms = max(before_ms, clock.to_ms(excursion.started_at))
            await recover(db, excursion, ended_at_ms=ended_at_ms, peak=None, store=at.store)
    await db.flush()


async def _take_back(db: AsyncSession, at: Watched, excursion: Excursion, from_ms: int) -> None:
    """No breach of the readings is this one.

    What the gateway raised stands. So does what an earlier limit raised, but that it is over now. What somebody
    answered for stays for a person to decide, marked.
    """
    if excursion.status == ExcursionStatus.CLOSED:
        return
    if excursion.gateway_peak is not None:
        excursion.peak_value = excursion.gateway_peak
        return
    ended_at_ms = max(from_ms, clock.to_ms(excursion.raised_at))
    if excursion.rule_version != at.rule.version:
        await recover(db, excursion, ended_at_ms=ended_at_ms, peak=None, store=at.store)
        return
    excursion.retracted_at = clock.now()
    excursion.incident = excursion.id.hex  # its own is free: what is proved again is opened again
    if excursion.acknowledged_at is not None:
        excursion.acknowledgement = f"{excursion.acknowledgement}\n{_NEVER_WAS}".strip()
        if excursion.status in GOING_ON:
            await recover(db, excursion, ended_at_ms=ended_at_ms, peak=None, store=at.store)
        else:
            await expose(db, excursion, store=at.store)
        return
    excursion.status = EXCURSION.apply(ExcursionStatus(excursion.status), ExcursionAction.RETRACT)
    excursion.closed_at = excursion.retracted_at
    excursion.disposition, excursion.note = "release", _NEVER_WAS
    excursion.ended_at = excursion.ended_at or clock.from_ms(ended_at_ms)
    await db.flush()
    await holds.release(db, source=words.source(excursion))
    await alerts.clear_alert(db, subject=words.source(excursion), at=excursion.ended_at)
    outbox.emit(db, ExcursionClosed(excursion.id, "release"))
    _announce(db, excursion)
    await expose(db, excursion, store=at.store)


def _announce(db: AsyncSession, excursion: Excursion) -> None:
    announce(db, topic_of("alerts", excursion.organization_id, excursion.organization_id))
