"""Judging how quickly values change: over the newest readings, read again for each batch."""

from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.cold_chain.excursions.incidents import Watched
from cloud_api.cold_chain.judging import keeping
from cloud_api.cold_chain.judging.bounds import Bench
from cloud_api.cold_chain.judging.course import Course
from cloud_api.cold_chain.judging.facts import Applied, Facts
from cloud_api.cold_chain.judging.rewinding import Good, good_of, merged
from cloud_api.cold_chain.judging.warnings import calm, warn
from cloud_api.telemetry.judges import StoredBatch
from cloud_api.telemetry.stores.port import NO_READINGS
from gateway.rules import Raised, Watch


async def follow_changes(db: AsyncSession, batch: StoredBatch, facts: Facts, benches: list[Bench]) -> None:
    """Raise and clear the alerts of rising and falling rules. One statement reads for all of them.

    A rise that is long over when its readings come says nothing to anybody: only what is newest is judged.
    """
    pairs = [
        (bench, applied, applied.judged)
        for bench in benches
        if len(bench.new)
        for applied in facts.by_sensor[bench.series.sensor.id]
        if isinstance(applied.judged, Watch)
    ]
    if not pairs:
        return
    from_ms = min(_since(bench, watch) for bench, _, watch in pairs)
    to_ms = max(max(int(bench.new.times_ms[-1]), bench.series.known_through_ms or 0) for bench, _, _ in pairs) + 1
    ids = {bench.series.sensor.id for bench, _, _ in pairs}
    stored = await batch.store.read_many(db, ids, from_ms=from_ms, to_ms=to_ms)
    for bench, applied, watch in pairs:
        at = Watched(bench.series.sensor, applied.rule, batch.store)
        readings = good_of(at, stored.get(bench.series.sensor.id, NO_READINGS))
        since_ms = max(_since(bench, watch), applied.stretches[-1].from_ms)
        seen = merged(readings, bench.new).within(since_ms, applied.stretches[-1].to_ms)
        if len(seen):
            await _follow(db, at, applied, watch, bench, seen)


def _since(bench: Bench, watch: Watch) -> int:
    """Twice as long as a change is measured over, before whatever may tell of one."""
    newest_ms = max(int(bench.new.times_ms[-1]), bench.series.known_through_ms or 0)
    duration_ms = int(watch.duration_s * 1000)
    return max(int(bench.new.times_ms[0]), newest_ms - 2 * duration_ms) - 2 * duration_ms


async def _follow(db: AsyncSession, at: Watched, applied: Applied, watch: Watch, bench: Bench, seen: Good) -> None:
    kept = bench.kept.get(at.rule.id)
    if kept is None and float(seen.values.max() - seen.values.min()) <= watch.change:
        return
    goes_on = kept is not None and not len(bench.late)
    course = Course(watch, applied.day_of, applied.pauses, keeping.load(kept) if goes_on else keeping.load(None))
    judged = bench.in_order if goes_on else seen
    course.feed(judged.times_ms, judged.values)
    was_active, first_ms = kept is not None, int(bench.new.times_ms[0])
    for event in course.events:
        if event.at_ms < first_ms:
            continue
        if isinstance(event, Raised) and not was_active:
            await warn(db, at, at_ms=event.at_ms, value=event.value)
            was_active = True
        elif not isinstance(event, Raised) and was_active:
            await calm(db, at, at_ms=event.at_ms)
            was_active = False
    if was_active and course.state.phase != "active":
        await calm(db, at, at_ms=int(seen.times_ms[-1]))
    bench.kept.pop(at.rule.id, None)
    row = await keeping.save(db, kept, course.state, sensor_id=at.sensor.id, rule_id=at.rule.id, judged=watch)
    if row is not None:
        bench.kept[at.rule.id] = row
