"""Judging a stretch of stored readings again, because some came late.

Begun at a moment at which the rule was certainly clear, ended where the late ones count no more.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.cold_chain.excursions.incidents import Watched
from cloud_api.cold_chain.excursions.models import Excursion
from cloud_api.cold_chain.judging.course import Course, Times, Values, full_pause
from cloud_api.cold_chain.judging.facts import Applied, Stretch
from cloud_api.cold_chain.rules.allowances import Allowance, Tally
from cloud_api.devices.sensors.known import EVER
from cloud_api.kernel import clock
from cloud_api.telemetry.models import QUALITIES
from cloud_api.telemetry.stores.port import Readings
from gateway.rules import FAR_MS, Limit, Watch

BAD = QUALITIES.index("bad")
_CHUNK = 10_000
_TRIES = 64


@dataclass(frozen=True, slots=True)
class Good:
    """Readings that are judged, corrected and in the order of their times; shapes (n,)."""

    times_ms: Times
    values: Values

    def within(self, from_ms: int, to_ms: int) -> "Good":
        """Those in [from_ms, to_ms)."""
        first, last = np.searchsorted(self.times_ms, (from_ms, to_ms))
        return Good(self.times_ms[first:last], self.values[first:last])

    def __len__(self) -> int:
        """How many there are."""
        return len(self.times_ms)


@dataclass(frozen=True, slots=True)
class Rewound:
    """What a stretch of time holds, judged again."""

    course: Course
    #: [from_ms, to_ms)
    from_ms: int
    to_ms: int
    #: the course has come to the newest reading: its state is how the rule stands
    is_present: bool


def good_of(at: Watched, readings: Readings) -> Good:
    """What is judged of stored readings."""
    kept = readings.qualities != BAD
    times_ms = readings.times_ms[kept]
    return Good(times_ms, at.sensor.correct(times_ms, readings.values[kept]))


async def rewind(
    db: AsyncSession,
    at: Watched,
    applied: Applied,
    stretch: Stretch,
    new: Good,
    *,
    first_ms: int,
    is_to_the_end: bool,
) -> Rewound:
    """Judge the stored readings of a stretch again, from before `new` until those count no more.

    Args:
        new: readings of the stretch that may not be in the store yet, at least one.
        first_ms: from when on it may be otherwise than it was thought; no later than the first of `new`.
        is_to_the_end: go on to the newest reading in any case.
    """
    floor_ms = max(stretch.from_ms, await _under_another_limit_until(db, at, first_ms))
    from_ms, seed = await _beginning(db, at, applied, floor_ms, first_ms)
    course = Course(
        applied.judged, applied.day_of, applied.pauses, seed, resets=await _resets(db, at, applied, from_ms)
    )
    settles_after_ms = None if is_to_the_end else int(new.times_ms[-1])
    after: tuple[int, int] | None = None
    while True:
        since_ms = from_ms if after is None else after[0]
        stored = await at.store.read(
            db, at.sensor.id, from_ms=max(since_ms, 0), to_ms=stretch.to_ms, limit=_CHUNK, after=after
        )
        is_last = len(stored) < _CHUNK
        until_ms = stretch.to_ms if is_last else int(stored.times_ms[-1])
        chunk = merged(good_of(at, stored), new.within(max(since_ms, from_ms), until_ms))
        settled_ms = course.feed(chunk.times_ms, chunk.values, settles_after_ms=settles_after_ms)
        if settled_ms is not None:
            return Rewound(course, from_ms, settled_ms, is_present=False)
        if is_last:
            break
        after = (int(stored.times_ms[-1]), int(stored.sequences[-1]))
    is_present = stretch.to_ms == FAR_MS
    course.end(None if is_present else stretch.to_ms)
    return Rewound(course, from_ms, stretch.to_ms, is_present)


def merged(stored: Good, new: Good) -> Good:
    """Both in the order of time; what the store shows already counts once."""
    if not len(new):
        return stored
    shown = set(zip(stored.times_ms.tolist(), stored.values.tolist(), strict=True))
    pairs = zip(new.times_ms.tolist(), new.values.tolist(), strict=True)
    missing = np.array([pair not in shown for pair in pairs], np.bool_)
    times_ms = np.concatenate((stored.times_ms, new.times_ms[missing]))
    order = np.argsort(times_ms, kind="stable")
    return Good(times_ms[order], np.concatenate((stored.values, new.values[missing]))[order])


async def _beginning(
    db: AsyncSession, at: Watched, applied: Applied, floor_ms: int, first_ms: int
) -> tuple[int, Tally]:
    """Where to begin, and with what."""
    if isinstance(applied.judged, Limit):
        return await _clear_before(db, at, applied, applied.judged, first_ms, floor_ms), Tally()
    if isinstance(applied.judged, Watch):
        return max(floor_ms, first_ms - 2 * int(applied.judged.duration_s * 1000)), Tally()
    return await _day_before(db, at, applied, applied.judged, first_ms, floor_ms)


async def _clear_before(
    db: AsyncSession, at: Watched, applied: Applied, limit: Limit, before_ms: int, floor_ms: int
) -> int:
    """The newest moment before at which the limit was certainly clear; when there is none, the stretch's beginning."""
    for _ in range(_TRIES):
        found_ms = await _newest_over(db, at, limit, before_ms, floor_ms)
        if found_ms is None:
            break
        since_ms = full_pause(applied.pauses, found_ms)
        if since_ms is None and limit.latched:
            since_ms = await _latched_since(db, at, found_ms)
        if since_ms is None and await _begins_over(db, at, limit, found_ms):
            return found_ms
        before_ms = found_ms if since_ms is None else since_ms
    return floor_ms


async def _newest_over(db: AsyncSession, at: Watched, limit: Limit, before_ms: int, floor_ms: int) -> int | None:
    """The newest reading before that was over the breach; the store knows raw values, corrected differently in time."""
    corrections = at.sensor.corrections
    which = bisect_right([correction.from_ms for correction in corrections[1:]], before_ms - 1)
    while True:
        correction = corrections[which]
        bound = (limit.clear_at - correction.offset) / correction.gain
        found_ms = await at.store.newest_before(
            db,
            at.sensor.id,
            before_ms=before_ms,
            at_most=bound if limit.kind == "high" else None,
            at_least=bound if limit.kind == "low" else None,
        )
        begins_ms = correction.from_ms if which else floor_ms
        if found_ms is not None and found_ms >= max(begins_ms, floor_ms):
            return found_ms
        if begins_ms <= floor_ms:
            return None
        before_ms, which = begins_ms, which - 1


async def _begins_over(db: AsyncSession, at: Watched, limit: Limit, at_ms: int) -> bool:
    """Whether the first of the readings of this very millisecond is over the breach."""
    readings = good_of(at, await at.store.read(db, at.sensor.id, from_ms=at_ms, to_ms=at_ms + 1))
    return len(readings) > 0 and limit.is_over(float(readings.values[0]))


async def _latched_since(db: AsyncSession, at: Watched, at_ms: int) -> int | None:
    """Since when a latched alarm was active then; None: none was."""
    instant = clock.from_ms(at_ms)
    its = select(Excursion.started_at).where(
        Excursion.sensor_id == at.sensor.id,
        Excursion.rule_id == at.rule.id,
        Excursion.retracted_at.is_(None),
        Excursion.started_at <= instant,
        Excursion.ended_at.is_(None) | (Excursion.ended_at > instant),
    )
    started_at = (await db.scalars(its.order_by(Excursion.started_at).limit(1))).one_or_none()
    return None if started_at is None else clock.to_ms(started_at)


async def _under_another_limit_until(db: AsyncSession, at: Watched, before_ms: int) -> int:
    """When the last excursion ended that the rule raised before it was changed: what was decided then stands."""
    if at.rule.version == 1:
        return EVER
    its = select(func.max(Excursion.ended_at)).where(
        Excursion.sensor_id == at.sensor.id,
        Excursion.rule_id == at.rule.id,
        Excursion.rule_version != at.rule.version,
        Excursion.ended_at <= clock.from_ms(before_ms),
    )
    ended_at = await db.scalar(its)
    return EVER if ended_at is None else clock.to_ms(ended_at)


async def _resets(db: AsyncSession, at: Watched, applied: Applied, since_ms: int) -> list[int]:
    """When persons took the latch off since then."""
    if not (isinstance(applied.judged, Limit) and applied.judged.latched):
        return []
    its = select(Excursion.reset_at).where(
        Excursion.sensor_id == at.sensor.id, Excursion.rule_id == at.rule.id, Excursion.reset_at.is_not(None)
    )
    moments = [clock.to_ms(moment) for moment in await db.scalars(its) if moment is not None]
    return sorted(moment for moment in moments if moment >= since_ms)


async def _day_before(
    db: AsyncSession, at: Watched, applied: Applied, allowance: Allowance, first_ms: int, floor_ms: int
) -> tuple[int, Tally]:
    """The beginning of the last day before with a reading, and the reading before that, which may count into it."""
    begins_ms = applied.day_of(first_ms)[0]
    newest_ms = await at.store.newest_before(db, at.sensor.id, before_ms=begins_ms)
    if newest_ms is not None and newest_ms >= floor_ms:
        begins_ms = applied.day_of(newest_ms)[0]
    begins_ms = max(begins_ms, floor_ms)
    newest_ms = await at.store.newest_before(db, at.sensor.id, before_ms=begins_ms)
    if newest_ms is None or newest_ms < floor_ms:
        return begins_ms, Tally()
    seed = Course(allowance, applied.day_of, applied.pauses)
    readings: Sequence[Readings] = [await at.store.read(db, at.sensor.id, from_ms=newest_ms, to_ms=newest_ms + 1)]
    good = good_of(at, readings[0])
    seed.feed(good.times_ms, good.values)
    return begins_ms, Tally(last_at_ms=newest_ms, value=seed.state.value)
