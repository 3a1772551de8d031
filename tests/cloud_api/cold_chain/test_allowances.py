"""How long a day a limit may be passed: counted as somebody with paper and pencil would."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.cold_chain.rules.allowances import Allowance, Tally, spend
from gateway.rules import Cleared, Event, Kind, Pause, Raised

MINUTE_MS = 60_000
DAY_MS = 24 * 60 * MINUTE_MS
WARM = Allowance("warm", "high", set_at=8.0, allowed_s=240.0, holds_s=600.0)


def day_of(at_ms: int) -> tuple[int, int]:
    return at_ms - at_ms % DAY_MS, at_ms - at_ms % DAY_MS + DAY_MS


def run(
    allowance: Allowance, series: list[tuple[int, float]], pauses: tuple[Pause, ...] = (), state: Tally | None = None
) -> tuple[Tally, list[Event]]:
    state, events = state or Tally(), []
    for at_ms, value in series:
        state, event = spend(allowance, state, at_ms, value, day_of, pauses)
        if event is not None:
            events.append(event)
    return state, events


def minutes(*values: float, start: int = 0) -> list[tuple[int, float]]:
    return [((start + index) * MINUTE_MS, value) for index, value in enumerate(values)]


def test_it_is_raised_when_all_that_is_allowed_is_spent_and_not_before() -> None:
    assert run(WARM, minutes(9.0, 9.5, 9.0, 9.0))[1] == []
    assert run(WARM, minutes(9.0, 9.5, 9.0, 9.0, 9.0))[1] == [Raised(9.0, 0, 4 * MINUTE_MS, 9.5)]


def test_what_lies_apart_is_added_up() -> None:
    series = minutes(9.0, 4.0, 4.0, 9.0, 9.0, 8.0, 8.0, 11.0, 4.0)
    assert run(WARM, series)[1] == [Raised(4.0, 0, 8 * MINUTE_MS, 11.0)]


def test_the_limit_itself_is_allowed_and_zero_is_a_limit() -> None:
    cold = Allowance("cold", "low", set_at=0.0, allowed_s=60.0)
    assert run(WARM, minutes(*[8.0] * 20))[1] == []
    assert run(cold, minutes(*[0.0] * 20))[1] == []
    assert run(cold, minutes(-3.0, -3.0))[1] == [Raised(-3.0, 0, MINUTE_MS, -3.0)]


def test_it_is_over_with_its_day_however_late_the_next_reading_comes() -> None:
    raised = minutes(*[9.0] * 6)
    for next_ms in (DAY_MS, DAY_MS + 7, 3 * DAY_MS + 5 * MINUTE_MS):
        assert run(WARM, [*raised, (next_ms, 4.0)])[1][1:] == [Cleared(4.0, 0, DAY_MS, 9.0)]


def test_a_new_day_begins_with_nothing_spent_but_what_counts_on() -> None:
    eve = DAY_MS - 2 * MINUTE_MS
    state, events = run(WARM, [(eve, 9.0), (eve + 5 * MINUTE_MS, 4.0)])
    assert (state.spent_ms, events) == (3 * MINUTE_MS, [])


def test_a_gap_counts_as_long_as_a_value_holds() -> None:
    state, _ = run(WARM, [(0, 9.0), (60 * MINUTE_MS, 4.0)])
    assert state.spent_ms == 10 * MINUTE_MS


def test_a_pause_does_not_count() -> None:
    defrost = Pause(2 * MINUTE_MS, 180.0)
    assert run(WARM, minutes(*[9.0] * 7), (defrost,))[1] == []
    state, events = run(WARM, minutes(*[9.0] * 8), (defrost,))
    assert (state.spent_ms, [event.at_ms for event in events]) == (4 * MINUTE_MS, [7 * MINUTE_MS])
    assert run(WARM, minutes(*[9.0] * 9), (Pause(0, 3600.0, None, 2.0),))[1] == []


@pytest.mark.parametrize(
    ("kind", "set_at", "allowed_s", "holds_s"),
    [("up", 8, 60, 60), ("high", float("nan"), 60, 60), ("high", 8, 0, 60), ("high", 8, 60, float("inf"))],
)
def test_an_allowance_that_could_not_be_is_refused(kind: Kind, set_at: float, allowed_s: float, holds_s: float) -> None:
    with pytest.raises(ValueError, match="allowance x"):
        Allowance("x", kind, set_at, allowed_s, holds_s)


_series = st.lists(st.tuples(st.integers(0, 90), st.sampled_from([4.0, 8.0, 9.0, 9.0, 12.0])), min_size=1, max_size=60)


@given(_series)
def test_what_is_spent_is_what_paper_and_pencil_say(steps: list[tuple[int, float]]) -> None:
    at_ms, series = 20 * 60 * MINUTE_MS, list[tuple[int, float]]()
    for step, value in steps:
        at_ms += step * MINUTE_MS
        series.append((at_ms, value))
    state, events = run(WARM, series)
    today_ms = day_of(at_ms)[0]
    spent_ms = 0
    for (then_ms, value), (next_ms, _) in itertools.pairwise(series):
        if value > 8.0:
            spent_ms += max(0, min(next_ms, then_ms + 600_000) - max(then_ms, today_ms))
    assert state.spent_ms == spent_ms
    raised = [event for event in events if isinstance(event, Raised)]
    assert len({day_of(event.started_at_ms) for event in raised}) == len(raised)
