"""Keeping how rules stand: a row for each that is not clear."""

import uuid
from collections import defaultdict
from collections.abc import Collection
from typing import cast

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.cold_chain.judging.models import RuleState
from cloud_api.cold_chain.rules.allowances import Allowance, Tally
from gateway.rules import Latch, Limit, Phase, State, Watch

#: by sensor and rule
Kept = dict[uuid.UUID, dict[uuid.UUID, RuleState]]


async def lock_states(db: AsyncSession, sensor_ids: Collection[uuid.UUID]) -> Kept:
    """How the rules of these sensors stand, as far as they are not clear; locked in key order."""
    kept: Kept = defaultdict(dict)
    its = select(RuleState).where(RuleState.sensor_id.in_(sensor_ids)).order_by(RuleState.id).with_for_update()
    for row in await db.scalars(its, execution_options={"populate_existing": True}):
        kept[row.sensor_id][row.rule_id] = row
    return kept


def load(row: RuleState | None) -> Tally:
    """As the state machines take it."""
    if row is None:
        return Tally()
    return Tally(
        cast(Phase, row.phase),
        row.started_at_ms,
        row.peak,
        row.last_at_ms,
        row.value,
        cast(Latch | None, row.latch),
        tuple((int(at_ms), value) for at_ms, value in row.window),
        row.spent_ms,
    )


async def save(
    db: AsyncSession,
    row: RuleState | None,
    state: State,
    *,
    sensor_id: uuid.UUID,
    rule_id: uuid.UUID,
    judged: Limit | Watch | Allowance,
) -> RuleState | None:
    """Keep a state, or forget it because it is clear. Returns its row."""
    if is_clear(judged, state):
        if row is not None:
            await db.delete(row)
        return None
    if row is None:
        row = RuleState(sensor_id=sensor_id, rule_id=rule_id)
        db.add(row)
    row.phase, row.started_at_ms, row.peak = state.phase, state.started_at_ms, state.peak
    row.last_at_ms, row.value, row.latch = state.last_at_ms, state.value, state.latch
    row.window = [[at_ms, value] for at_ms, value in state.window]
    row.spent_ms = state.spent_ms if isinstance(state, Tally) else 0
    row.ticks = isinstance(judged, Limit) and judged.holds and state.phase != "active"
    return row


def is_clear(judged: Limit | Watch | Allowance, state: State) -> bool:
    """Whether the next reading may be judged as if there had been none before."""
    if state.phase != "clear":
        return False
    if isinstance(judged, Limit) and judged.holds and state.value is not None:
        return not judged.is_broken(state.value)  # a pause hid it, and ends
    return True
