"""Rules and readings that several tests judge, and what becomes of them."""

import json
from collections.abc import Sequence

from hypothesis import strategies as st

from gateway.alarms.judging import Judge, Key
from gateway.rules import Event, Limit, Pause, State, StateDict, Watch, follow, judge

COLD_ROOM = Limit("too-warm", "high", set_at=8.0, clear_at=7.0, duration_s=600.0)
FROST = Limit("too-cold", "low", set_at=0.0, clear_at=0.5)
DOOR = Limit("door-open", "high", set_at=0.5, clear_at=0.5, duration_s=120.0, holds=True)
SILENT = Watch("no-news", "silent", duration_s=1800.0)
RISE = Watch("compressor", "rising", duration_s=1600.0, change=3.0)


def run(
    rule: Limit | Watch,
    series: Sequence[tuple[int, float]],
    state: State = State(),  # noqa: B008
    pauses: Sequence[Pause] = (),
) -> tuple[State, list[Event]]:
    events = []
    for at_ms, value in series:
        if isinstance(rule, Limit):
            state, event = judge(rule, state, at_ms, value, pauses)
        else:
            state, event = follow(rule, state, at_ms, value, pauses)
        if event is not None:
            events.append(event)
    return state, events


def minutes(*values: float) -> list[tuple[int, float]]:
    return [(minute * 60_000, value) for minute, value in enumerate(values)]


numbers = st.one_of(st.sampled_from([0.0, -0.0, -3.0, 7.0, 7.5, 8.0, 8.1]), st.floats(-50, 50))
series_of_readings = st.lists(st.tuples(st.integers(0, 5000), numbers), max_size=60)
_bounds = st.tuples(numbers, numbers)


@st.composite
def limits(draw: st.DrawFn) -> Limit:
    lower, upper = sorted(draw(_bounds))
    duration_s = draw(st.sampled_from([0.0, 0.001, 0.5, 2.0]))
    if draw(st.booleans()):
        return Limit("r", "high", upper, lower, duration_s)
    return Limit("r", "low", lower, upper, duration_s)


def written(judge: Judge, disk: dict[Key, StateDict] | None = None) -> dict[Key, StateDict]:
    """What a disk holds after the judge's changes."""
    disk = {} if disk is None else disk
    for key, state in judge.changed():
        if state is None:
            disk.pop(key, None)
        else:
            disk[key] = json.loads(json.dumps(state))
    return disk
