"""Judging the new readings of one sensor by one bound: in order from where it stood, or again from before."""

import uuid
from dataclasses import dataclass

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.cold_chain.excursions import incidents
from cloud_api.cold_chain.excursions.incidents import GOING_ON, Breach, Watched
from cloud_api.cold_chain.excursions.models import Excursion
from cloud_api.cold_chain.judging import keeping
from cloud_api.cold_chain.judging.course import Course, Times, may_begin
from cloud_api.cold_chain.judging.facts import Applied
from cloud_api.cold_chain.judging.models import RuleState
from cloud_api.cold_chain.judging.rewinding import Good, Rewound, rewind
from cloud_api.cold_chain.judging.warnings import calm, warn
from cloud_api.devices.sensors.known import EVER
from cloud_api.kernel import clock
from cloud_api.telemetry.judges import StoredSeries
from cloud_api.telemetry.stores.port import ReadingStore
from gateway.rules import FAR_MS, Event, Limit, Raised


@dataclass(slots=True)
class Bench:
    """What is on the table of one sensor."""

    series: StoredSeries
    #: in the order of time
    new: Good
    #: how its rules stand, as far as they are not clear
    kept: dict[uuid.UUID, RuleState]
    #: that go on, or did when the oldest of the new readings was measured; locked
    excursions: list[Excursion]

    @property
    def late(self) -> Good:
        """Those of the new readings that are not behind all that was known."""
        known_ms = self.series.known_through_ms
        return self.new.within(EVER, EVER if known_ms is None else known_ms + 1)

    @property
    def in_order(self) -> Good:
        """The others."""
        known_ms = self.series.known_through_ms
        return self.new.within(EVER if known_ms is None else known_ms + 1, FAR_MS)

    def of(self, applied: Applied) -> list[Excursion]:
        """The excursions of one rule."""
        return [one for one in self.excursions if one.rule_id == applied.rule.id and one.retracted_at is None]


async def judge_bound(db: AsyncSession, store: ReadingStore, applied: Applied, bench: Bench) -> bool:
    """Run one limit or allowance over one sensor's new readings.

    Returns:
        whether something goes on now that other processes cannot know of from the order of the readings.
    """
    if not len(bench.new):
        return False
    at = Watched(bench.series.sensor, applied.rule, store)
    unhealed = _unhealed_since(applied, bench)
    if unhealed is None and not _late_matter(applied, bench) and _may_continue(applied, bench):
        await _keep_peaks(db, at, applied, bench)
        await _continue(db, at, applied, bench)
        return False
    was_clear = applied.rule.id not in bench.kept
    for stretch in applied.stretches:
        new = bench.new.within(stretch.from_ms, stretch.to_ms)
        if not len(new):
            continue
        again = await rewind(
            db,
            at,
            applied,
            stretch,
            new,
            first_ms=min(int(new.times_ms[0]), FAR_MS if unhealed is None else unhealed),
            is_to_the_end=len(bench.in_order) > 0 or unhealed is not None or not applied.is_of_goods,
        )
        await _conclude(db, at, applied, bench, again)
    return (was_clear and applied.rule.id in bench.kept) or any(one.status in GOING_ON for one in bench.of(applied))


def _unhealed_since(applied: Applied, bench: Bench) -> int | None:
    """Since when an excursion of ours goes on though nobody kept how its rule stands."""
    if applied.rule.id in bench.kept:
        return None
    forgotten = [one for one in bench.of(applied) if one.status in GOING_ON and one.gateway_peak is None]
    return min((clock.to_ms(one.started_at) for one in forgotten), default=None)


def _may_continue(applied: Applied, bench: Bench) -> bool:
    """Whether the readings in order lie where the sensor is now, as what is kept does."""
    last, kept = applied.stretches[-1], bench.kept.get(applied.rule.id)
    if len(applied.stretches) == 1 and last.from_ms == EVER and last.to_ms == FAR_MS:
        return True
    if (
        len(bench.in_order)
        and not last.from_ms <= bench.in_order.times_ms[0] <= bench.in_order.times_ms[-1] < last.to_ms
    ):
        return False
    return kept is None or kept.started_at_ms is None or kept.started_at_ms >= last.from_ms


def _late_matter(applied: Applied, bench: Bench) -> bool:
    """Whether readings that came late can make any breach begin, end or never have been."""
    late, judged, kept = bench.late, applied.judged, bench.kept.get(applied.rule.id)
    if not len(late):
        return False
    if not isinstance(judged, Limit):
        return True  # what was passed before counts until it, and every reading is a moment to raise at
    begins, its = may_begin(judged, late.values), bench.of(applied)
    if judged.latched or judged.holds or applied.pauses or not applied.is_of_goods:
        return bool(begins.any()) or kept is not None or bool(its)
    is_high = judged.kind == "high"
    over = late.values <= judged.clear_at if is_high else late.values >= judged.clear_at
    inside, raised = np.zeros(len(late), np.bool_), np.zeros(len(late), np.bool_)
    for one in its:
        began_ms, raised_ms, ended_ms = _times(one)
        inside |= (late.times_ms >= began_ms) & (late.times_ms <= ended_ms)
        if one.gateway_peak is None:  # else the readings may not have raised it yet
            raised |= (late.times_ms >= raised_ms) & (late.times_ms < ended_ms)
    if kept is not None and kept.started_at_ms is not None:
        inside |= late.times_ms >= kept.started_at_ms
    return bool((begins & ~raised).any() or (over & inside).any())


def _times(excursion: Excursion) -> tuple[int, int, int]:
    """When it began, was raised and ended."""
    ended_ms = FAR_MS if excursion.ended_at is None else clock.to_ms(excursion.ended_at)
    return clock.to_ms(excursion.started_at), clock.to_ms(excursion.raised_at), ended_ms


async def _keep_peaks(db: AsyncSession, at: Watched, applied: Applied, bench: Bench) -> None:
    """Late readings within an excursion may be its worst; and what lay there went through them."""
    late = bench.late
    if not len(late):
        return
    kept, worst = bench.kept.get(applied.rule.id), np.max if at.rule.side == "high" else np.min
    for one in bench.of(applied):
        began_ms, _, ended_ms = _times(one)
        inside: Times = np.flatnonzero((late.times_ms >= began_ms) & (late.times_ms < ended_ms))
        if not len(inside):
            continue
        peak = float(worst([one.peak_value, *late.values[inside]]))
        incidents.note_peak(one, peak)
        if kept is not None and kept.peak is not None and kept.started_at_ms == began_ms:
            kept.peak = float(worst([kept.peak, peak]))
        await db.flush()
        await incidents.expose(db, one, store=at.store)


async def _continue(db: AsyncSession, at: Watched, applied: Applied, bench: Bench) -> None:
    """Go on from where the rule stood."""
    new, kept = bench.in_order, bench.kept.get(applied.rule.id)
    if not len(new):
        return
    course = Course(applied.judged, applied.day_of, applied.pauses, keeping.load(kept))
    course.feed(new.times_ms, new.values)
    for event in course.events:
        if applied.is_of_goods:
            await _take_in(db, at, bench, event)
        elif isinstance(event, Raised):
            await warn(db, at, at_ms=event.at_ms, value=event.value)
        else:
            await calm(db, at, at_ms=event.at_ms)
    state = course.state
    if applied.is_of_goods and state.phase == "active" and state.started_at_ms is not None and state.peak is not None:
        goes_on = Breach(state.started_at_ms, state.started_at_ms, None, state.peak, state.peak)
        its = incidents.find(at, goes_on, bench.excursions)
        if its is not None:
            incidents.note_peak(its, state.peak)
    await _keep(db, at, applied, bench, course)


async def _take_in(db: AsyncSession, at: Watched, bench: Bench, event: Event) -> None:
    if isinstance(event, Raised):
        raised = Breach(event.started_at_ms, event.at_ms, None, event.peak, event.value)
        its = await incidents.follow(db, at, raised, bench.excursions)
        if its not in bench.excursions:
            bench.excursions.append(its)
        return
    ended = Breach(event.started_at_ms, event.started_at_ms, event.at_ms, event.peak, event.value)
    found = incidents.find(at, ended, bench.excursions)
    if found is not None:
        await incidents.recover(db, found, ended_at_ms=event.at_ms, peak=event.peak, store=at.store)


async def _conclude(db: AsyncSession, at: Watched, applied: Applied, bench: Bench, again: Rewound) -> None:
    """Let excursions, alerts and what is kept say what was judged again."""
    if applied.is_of_goods:
        known = await incidents.excursions_of(db, [at.sensor.id], since_ms=max(again.from_ms, 0))
        bench.excursions.extend(one for one in known if one not in bench.excursions)
        breaches = [breach for breach in again.course.breaches() if breach.started_at_ms < again.to_ms]
        new = await incidents.reconcile(db, at, breaches, known, from_ms=again.from_ms, to_ms=again.to_ms)
        bench.excursions.extend(new)
    elif again.is_present:
        await _warn_anew(db, at, bench, again.course)
    if again.is_present:
        await _keep(db, at, applied, bench, again.course)


async def _warn_anew(db: AsyncSession, at: Watched, bench: Bench, course: Course) -> None:
    """Where an alarm of a device stands now; what it was on the way is nobody's concern."""
    kept = bench.kept.get(at.rule.id)
    was_active, is_active = kept is not None and kept.phase == "active", course.state.phase == "active"
    at_ms = int(bench.new.times_ms[-1])
    if is_active and not was_active:
        await warn(db, at, at_ms=at_ms, value=float(bench.new.values[-1]))
    elif was_active and not is_active:
        await calm(db, at, at_ms=at_ms)


async def _keep(db: AsyncSession, at: Watched, applied: Applied, bench: Bench, course: Course) -> None:
    kept = bench.kept.pop(at.rule.id, None)
    row = await keeping.save(db, kept, course.state, sensor_id=at.sensor.id, rule_id=at.rule.id, judged=applied.judged)
    if row is not None:
        bench.kept[at.rule.id] = row
