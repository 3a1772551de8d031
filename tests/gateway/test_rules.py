import json
import subprocess
import sys
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import rules
from gateway.rules import Cleared, Event, Limit, Raised, State, judge
from tests.gateway.running import ROOT

COLD_ROOM = Limit("too-warm", "high", set_at=8.0, clear_at=7.0, duration_s=600.0)
FROST = Limit("too-cold", "low", set_at=0.0, clear_at=0.5)


def run(limit: Limit, series: list[tuple[int, float]], state: State = State()) -> tuple[State, list[Event]]:  # noqa: B008
    events = []
    for at_ms, value in series:
        state, event = judge(limit, state, at_ms, value)
        if event is not None:
            events.append(event)
    return state, events


def minutes(*values: float) -> list[tuple[int, float]]:
    return [(minute * 60_000, value) for minute, value in enumerate(values)]


def test_an_alarm_is_raised_after_the_duration_and_cleared_at_the_lower_bound() -> None:
    state, events = run(COLD_ROOM, minutes(5, *[9.0] * 11, 12.0, 7.5, 7.0, 5))
    assert events == [Raised(9.0, 60_000, 11 * 60_000), Cleared(7.0, 60_000, 14 * 60_000, peak=12.0)]
    assert state.phase == "clear"


def test_the_limit_itself_is_allowed() -> None:
    assert run(COLD_ROOM, minutes(*[8.0] * 30)) == (State("clear", None, None, 29 * 60_000), [])


def test_a_short_breach_raises_nothing() -> None:
    assert run(COLD_ROOM, minutes(9, 9, 9, 6, 9, 9, 9, 6))[1] == []


def test_the_band_neither_ends_a_pending_breach_nor_raises_it() -> None:
    state, events = run(COLD_ROOM, minutes(9, *[7.5] * 20))
    assert (state.phase, events) == ("pending", [])
    assert run(COLD_ROOM, [(21 * 60_000, 9.0)], state)[1] == [Raised(9.0, 0, 21 * 60_000)]


def test_zero_and_below_are_real_values() -> None:
    assert run(FROST, minutes(4, 0, 0))[1] == []
    assert run(FROST, minutes(4, 0, -3))[1] == [Raised(-3, 120_000, 120_000)]
    state, events = run(FROST, minutes(-3, 0, 0.5))
    assert (state.phase, events[1:]) == ("clear", [Cleared(0.5, 0, 120_000, peak=-3)])


def test_the_same_value_twice_within_a_second_does_not_flap() -> None:
    limit = Limit("r", "high", 8.0, 8.0)
    assert run(limit, [(0, 8.1), (0, 8.1), (900, 8.1), (1800, 8.1)])[1] == [Raised(8.1, 0, 0)]


def test_a_breach_exactly_as_long_as_the_duration_is_raised() -> None:
    assert run(COLD_ROOM, [(0, 9.0), (599_999, 9.0)])[1] == []
    assert run(COLD_ROOM, [(0, 9.0), (600_000, 9.0)])[1] == [Raised(9.0, 0, 600_000)]


def test_late_history_never_raises() -> None:
    state, _ = run(COLD_ROOM, [(3_600_000, 5.0)])
    assert run(COLD_ROOM, [(0, 20.0), (1_800_000, 20.0)], state) == (state, [])


def test_two_breaches_never_share_an_incident() -> None:
    limit = Limit("r", "high", 8.0, 7.0)
    _, events = run(limit, [(5, 9.0), (5, 6.0), (5, 9.0), (6, 9.0)])
    assert [event.started_at_ms for event in events] == [5, 5, 6]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_not_judged(value: float) -> None:
    with pytest.raises(ValueError, match="cannot be judged"):
        judge(COLD_ROOM, State(), 0, value)


@pytest.mark.parametrize(
    ("kind", "set_at", "clear_at", "duration_s"),
    [("high", 8, 9, 0), ("low", 0, -1, 0), ("high", 8, 7, -1), ("high", float("nan"), 7, 0), ("both", 8, 7, 0)],
)
def test_a_limit_that_contradicts_itself_is_refused(
    kind: str, set_at: float, clear_at: float, duration_s: float
) -> None:
    with pytest.raises(ValueError, match="limit r: "):
        Limit("r", kind, set_at, clear_at, duration_s)  # type: ignore[arg-type]


def test_an_incident_has_one_key_on_both_sides_of_the_wire() -> None:
    key = rules.incident_key("z2m:room", "temperature", "too-warm", 60_000)
    assert key == "5360a5585560512e98dd3ea6ed00b01b", "keys of breaches under way must not change"
    breaches = [("a", "bc", "d", 1), ("ab", "c", "d", 1), ("a", "b", "cd", 1), ("a", "b", "cd", 2)]
    assert len({rules.incident_key(*breach) for breach in breaches}) == len(breaches)


def test_the_rules_need_nothing_but_the_standard_library() -> None:
    source = "import sys; import gateway.rules; print({'msgspec', 'httpx2', 'sqlite3'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", source], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout == "set()\n"


_numbers = st.one_of(st.sampled_from([0.0, -0.0, -3.0, 7.0, 7.5, 8.0, 8.1]), st.floats(-50, 50))
_series = st.lists(st.tuples(st.integers(0, 5000), _numbers), max_size=60)
_bounds = st.tuples(_numbers, _numbers)


@st.composite
def _limits(draw: st.DrawFn) -> Limit:
    lower, upper = sorted(draw(_bounds))
    duration_s = draw(st.sampled_from([0.0, 0.001, 0.5, 2.0]))
    if draw(st.booleans()):
        return Limit("r", "high", upper, lower, duration_s)
    return Limit("r", "low", lower, upper, duration_s)


@given(_limits(), _series)
def test_raised_and_cleared_alternate_and_name_the_same_breach(limit: Limit, series: list[tuple[int, float]]) -> None:
    _, events = run(limit, series)
    assert [type(event) for event in events] == [Raised, Cleared] * (len(events) // 2) + [Raised] * (len(events) % 2)
    for before, after in pairwise(events):
        if isinstance(after, Cleared):
            assert after.started_at_ms == before.started_at_ms <= before.at_ms <= after.at_ms
        else:
            assert after.started_at_ms > before.started_at_ms
    for event in events:
        if isinstance(event, Raised):
            assert limit.is_broken(event.value)
            assert event.at_ms - event.started_at_ms >= limit.duration_s * 1000


@given(_limits(), _series, st.integers(0, 60))
def test_a_restart_in_the_middle_changes_nothing(limit: Limit, series: list[tuple[int, float]], cut: int) -> None:
    state, first = run(limit, series[:cut])
    restored = State.from_dict(json.loads(json.dumps(state.to_dict())))
    assert restored == state
    last, second = run(limit, series[cut:], restored)
    assert (last, first + second) == run(limit, series)


@given(_limits(), _series)
def test_a_low_limit_is_the_mirror_image_of_a_high_one(limit: Limit, series: list[tuple[int, float]]) -> None:
    mirrored = Limit("r", "low" if limit.kind == "high" else "high", -limit.set_at, -limit.clear_at, limit.duration_s)
    _, events = run(limit, series)
    _, others = run(mirrored, [(at_ms, -value) for at_ms, value in series])
    assert [(type(event), event.at_ms, event.value) for event in events] == [
        (type(event), event.at_ms, -event.value) for event in others
    ]
