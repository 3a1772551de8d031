"""The cold chain's judge: shown every stored batch, in the transaction that stores it.

It runs the gateway's own state machine over the readings, in the order of their times. Both name a breach by the same
incident key, so whoever comes first opens the excursion and the other finds it.

A sensor whose rules all stand clear, and whose new readings come in order and break nothing, costs a few array
operations. Readings in order continue the kept state. Of those that come late, it is asked whether they can change
anything; then the stretch around them is judged again, and its excursions follow (`incidents.reconcile`).
"""

import uuid
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.cold_chain.excursions import incidents
from cloud_api.cold_chain.excursions.incidents import GOING_ON
from cloud_api.cold_chain.excursions.models import Excursion
from cloud_api.cold_chain.judging import keeping, takeover
from cloud_api.cold_chain.judging.bounds import Bench, judge_bound
from cloud_api.cold_chain.judging.changes import follow_changes
from cloud_api.cold_chain.judging.course import may_begin
from cloud_api.cold_chain.judging.facts import Applied, Facts, facts_of
from cloud_api.cold_chain.judging.rewinding import BAD, Good
from cloud_api.devices.gateways.service import count_change
from cloud_api.kernel.db import once_committed
from cloud_api.telemetry.judges import StoredBatch, StoredSeries
from gateway.rules import Watch


async def judge(db: AsyncSession, batch: StoredBatch) -> None:
    """Open, end and revise the excursions that this batch brings about."""
    changed = await takeover.take_over(db, batch)
    facts = await facts_of(db, batch)
    remembered = {} if changed else facts.clear_through
    judged = [series for series in batch.series if facts.by_sensor.get(series.sensor.id)]
    loud = [series for series in judged if not _is_quiet(series, facts.by_sensor[series.sensor.id], remembered)]
    clear = {series.sensor.id: _newest(series) for series in judged}
    if loud:
        benches = await _set_out(db, facts, loud)
        changed |= await _judge_loud(db, batch, facts, benches)
        for bench in benches:
            if not _stands_clear(bench):
                del clear[bench.series.sensor.id]
    if changed:
        await db.flush()
        await count_change(db, batch.gateway_id)
    elif batch.facts_version is not None:
        _remember(db, facts, clear, {series.sensor.id for series in loud})


async def _judge_loud(db: AsyncSession, batch: StoredBatch, facts: Facts, benches: list[Bench]) -> bool:
    """Judge what may have changed. Returns whether others must be told that it has."""
    await follow_changes(db, batch, facts, benches)
    changed = False
    for bench in benches:
        for applied in facts.by_sensor[bench.series.sensor.id]:
            if not isinstance(applied.judged, Watch):
                changed |= await judge_bound(db, batch.store, applied, bench)
    return changed


def _is_quiet(series: StoredSeries, applied: Sequence[Applied], remembered: dict[uuid.UUID, int]) -> bool:
    """Whether its rules stand clear, and its readings come in order and can begin nothing."""
    known_ms = series.known_through_ms
    if known_ms is None or remembered.get(series.sensor.id) != known_ms or series.times_ms[0] <= known_ms:
        return False
    if len(series.times_ms) > 1 and bool(np.any(np.diff(series.times_ms) < 0)):
        return False
    good = series.values[series.qualities != BAD]
    return not any(bool(may_begin(one.judged, good).any()) for one in applied)


def _remember(db: AsyncSession, facts: Facts, clear: dict[uuid.UUID, int], loud: set[uuid.UUID]) -> None:
    """Once this is committed, and only then."""

    def keep() -> None:
        for sensor_id in loud - clear.keys():
            facts.clear_through.pop(sensor_id, None)
        facts.clear_through.update(clear)

    once_committed(db, keep)


async def _set_out(db: AsyncSession, facts: Facts, loud: Sequence[StoredSeries]) -> list[Bench]:
    """What is kept of these sensors: two statements for all of them."""
    ids = [series.sensor.id for series in loud]
    since_ms = min(int(series.times_ms.min()) for series in loud)
    kept = await keeping.lock_states(db, ids)
    excursions: dict[uuid.UUID, list[Excursion]] = defaultdict(list)
    for excursion in await incidents.excursions_of(db, ids, since_ms=since_ms):
        excursions[excursion.sensor_id].append(excursion)
    benches = []
    for series in loud:
        order = np.argsort(series.times_ms, kind="stable")
        order = order[series.qualities[order] != BAD]
        new = Good(series.times_ms[order], series.values[order])
        judging = {applied.rule.id for applied in facts.by_sensor[series.sensor.id]}
        its = {rule_id: row for rule_id, row in kept[series.sensor.id].items() if rule_id in judging}
        benches.append(Bench(series, new, its, excursions[series.sensor.id]))
    return benches


def _stands_clear(bench: Bench) -> bool:
    return not bench.kept and all(one.status not in GOING_ON for one in bench.excursions)


def _newest(series: StoredSeries) -> int:
    newest_ms = int(series.times_ms.max())
    return newest_ms if series.known_through_ms is None else max(newest_ms, series.known_through_ms)
