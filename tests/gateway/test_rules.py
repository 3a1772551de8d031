import json
import subprocess
import sys
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import rules
from gateway.rules import Cleared, Limit, Raised, State, Watch, follow, hear, judge, reset, tick
from tests.gateway.judged import COLD_ROOM, DOOR, FROST, RISE, SILENT, limits, minutes, numbers, run, series_of_readings
from tests.gateway.running import ROOT


def test_an_alarm_is_raised_after_the_duration_and_cleared_at_the_lower_bound() -> None:
    state, events = run(COLD_ROOM, minutes(5, *[9.0] * 11, 12.0, 7.5, 7.0, 5))
    assert events == [Raised(9.0, 60_000, 11 * 60_000, peak=9.0), Cleared(7.0, 60_000, 14 * 60_000, peak=12.0)]
    assert state.phase == "clear"


def test_the_limit_itself_is_allowed() -> None:
    assert run(COLD_ROOM, minutes(*[8.0] * 30)) == (State("clear", None, None, 29 * 60_000), [])


def test_a_short_breach_raises_nothing() -> None:
    assert run(COLD_ROOM, minutes(9, 9, 9, 6, 9, 9, 9, 6))[1] == []


def test_the_band_neither_ends_a_pending_breach_nor_raises_it() -> None:
    state, events = run(COLD_ROOM, minutes(9, *[7.5] * 20))
    assert (state.phase, events) == ("pending", [])
    assert run(COLD_ROOM, [(21 * 60_000, 9.0)], state)[1] == [Raised(9.0, 0, 21 * 60_000, peak=9.0)]


def test_zero_and_below_are_real_values() -> None:
    assert run(FROST, minutes(4, 0, 0))[1] == []
    assert run(FROST, minutes(4, 0, -3))[1] == [Raised(-3, 120_000, 120_000, peak=-3)]
    state, events = run(FROST, minutes(-3, 0, 0.5))
    assert (state.phase, events[1:]) == ("clear", [Cleared(0.5, 0, 120_000, peak=-3)])


def test_the_same_value_twice_within_a_second_does_not_flap() -> None:
    limit = Limit("r", "high", 8.0, 8.0)
    assert run(limit, [(0, 8.1), (0, 8.1), (900, 8.1), (1800, 8.1)])[1] == [Raised(8.1, 0, 0, peak=8.1)]


def test_a_breach_exactly_as_long_as_the_duration_is_raised() -> None:
    assert run(COLD_ROOM, [(0, 9.0), (599_999, 9.0)])[1] == []
    assert run(COLD_ROOM, [(0, 9.0), (600_000, 9.0)])[1] == [Raised(9.0, 0, 600_000, peak=9.0)]


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


# a value that holds


def test_a_door_left_open_is_told_without_its_saying_so() -> None:
    state, events = run(DOOR, [(0, 0.0), (10_000, 1.0)])
    assert events == []
    assert tick(DOOR, state, 129_999) == (state, None)
    state, event = tick(DOOR, state, 130_500)
    assert event == Raised(1.0, 10_000, 130_500, peak=1.0)
    assert tick(DOOR, state, 131_500) == (state, None)
    assert run(DOOR, [(200_000, 0.0)], state)[1] == [Cleared(0.0, 10_000, 200_000, peak=1.0)]


def test_a_door_closed_in_time_is_not_told() -> None:
    state, _ = run(DOOR, [(10_000, 1.0), (100_000, 0.0)])
    assert tick(DOOR, state, 900_000) == (state, None)


def test_a_value_that_does_not_hold_is_never_read_again() -> None:
    state, _ = run(COLD_ROOM, [(0, 9.0)])
    assert tick(COLD_ROOM, state, 900_000) == (state, None)


def test_a_held_value_is_not_judged_before_the_reading_of_a_clock_that_is_ahead() -> None:
    state, _ = run(DOOR, [(10_000, 1.0)])
    assert tick(DOOR, state, 9_000) == (state, None)


def test_a_device_whose_clock_is_behind_is_heard_after_a_tick() -> None:
    state, _ = run(DOOR, [(0, 1.0)])
    state, event = tick(DOOR, state, 120_000)
    assert isinstance(event, Raised)
    assert run(DOOR, [(119_000, 0.0)], state)[1] == [Cleared(0.0, 0, 119_000, peak=1.0)]


# latched

LATCHED = Limit("too-warm", "high", set_at=8.0, clear_at=7.0, latched=True)


def test_a_latched_alarm_stays_until_its_reset() -> None:
    state, events = run(LATCHED, minutes(9, 12, 5, 4, 6))
    assert events == [Raised(9, 0, 0, peak=9)]
    state, event = reset(LATCHED, state, 300_000)
    assert event == Cleared(5, 0, 300_000, peak=12)
    assert reset(LATCHED, state, 360_000) == (state, None)


def test_a_reset_while_the_value_is_broken_lets_the_alarm_end_with_it() -> None:
    state, _ = run(LATCHED, minutes(9, 10))
    state, event = reset(LATCHED, state, 61_000)
    assert (state.phase, event) == ("active", None)
    state, events = run(LATCHED, [(120_000, 9.0), (180_000, 6.0)], state)
    assert events == [Cleared(6.0, 0, 180_000, peak=10)]
    assert run(LATCHED, [(240_000, 9.0), (300_000, 6.0)], state)[1] == [Raised(9.0, 240_000, 240_000, peak=9.0)]


def test_what_breaks_again_before_its_reset_is_the_same_incident() -> None:
    state, events = run(LATCHED, minutes(9, 5, 7.5, 11, 5))
    assert events == [Raised(9, 0, 0, peak=9)]
    assert reset(LATCHED, state, 300_000)[1] == Cleared(5, 0, 300_000, peak=11)


def test_a_reset_of_what_is_not_latched_or_not_raised_does_nothing() -> None:
    for limit, series in [(COLD_ROOM, minutes(*[9] * 20)), (LATCHED, minutes(5))]:
        state, _ = run(limit, series)
        assert reset(limit, state, 9_000_000) == (state, None)


# silence


def test_a_silent_sensor_is_told_and_its_next_word_ends_it() -> None:
    state, _ = hear(SILENT, State(), 60_000)
    assert tick(SILENT, state, 1_859_999) == (state, None)
    state, event = tick(SILENT, state, 1_860_500)
    assert event == Raised(1800.5, 60_000, 1_860_500, peak=1800.5)
    assert tick(SILENT, state, 9_000_000) == (state, None)
    state, event = hear(SILENT, state, 9_060_000)
    assert event == Cleared(9000.0, 60_000, 9_060_000, peak=9000.0)
    assert tick(SILENT, state, 9_061_000) == (state, None)


def test_a_sensor_that_was_never_heard_is_silent_since_the_listening_began() -> None:
    state, event = tick(SILENT, State(), 1000)
    assert event is None
    assert tick(SILENT, state, 1_801_000)[1] == Raised(1800.0, 1000, 1_801_000, peak=1800.0)


def test_a_silence_is_latched_like_any_alarm() -> None:
    watch = Watch("no-news", "silent", 60.0, latched=True)
    state, _ = tick(watch, State(last_at_ms=0), 60_000)
    state, event = hear(watch, state, 90_000)
    assert (state.phase, event) == ("active", None)
    state, event = tick(watch, state, 200_000)  # silent again, and the same incident
    assert (state.phase, state.latch, event) == ("active", None, None)
    state, _ = hear(watch, state, 210_000)
    assert reset(watch, state, 211_000)[1] == Cleared(210.0, 0, 211_000, peak=210.0)


# rise and fall

FALL = Watch("door", "falling", duration_s=1600.0, change=3.0)


def test_a_quick_rise_is_told_and_is_over_when_half_of_it_is_left_in_the_window() -> None:
    series = [(0, 2.0), (600_000, 4.0), (1_200_000, 5.5), (1_300_000, 6.0), (1_700_000, 6.0), (2_700_000, 6.0)]
    assert run(RISE, series)[1] == [
        Raised(3.5, 1_200_000, 1_200_000, peak=3.5),
        Cleared(0.5, 1_200_000, 2_700_000, peak=4.0),
    ]


def test_a_slow_rise_is_not_told() -> None:
    assert run(RISE, [(minute * 60_000, 2.0 + minute * 0.1) for minute in range(100)])[1] == []


def test_the_change_itself_is_allowed() -> None:
    assert run(RISE, [(0, 2.0), (60_000, 5.0)])[1] == []


def test_a_fall_is_a_rise_upside_down() -> None:
    series = [(0, 2.0), (60_000, -2.0), (120_000, -3.0), (1_800_000, -3.0)]
    assert run(FALL, series)[1] == [Raised(-4.0, 60_000, 60_000, peak=-4.0), Cleared(0.0, 60_000, 1_800_000, -5.0)]


def test_two_values_that_are_infinitely_far_apart_make_a_finite_alarm() -> None:
    (event,) = run(RISE, [(0, -1.7e308), (60_000, 1.7e308)])[1]
    assert event.value == sys.float_info.max


@pytest.mark.parametrize(
    ("kind", "duration_s", "change"),
    [("silent", 0, 0), ("rising", 60, 0), ("falling", float("inf"), 1), ("rising", 60, float("nan")), ("high", 60, 1)],
)
def test_a_watch_that_makes_no_sense_is_refused(kind: str, duration_s: float, change: float) -> None:
    with pytest.raises(ValueError, match="watch r: "):
        Watch("r", kind, duration_s, change)  # type: ignore[arg-type]


# what holds for all of them


def test_a_limit_without_extras_is_saved_as_it_always_was() -> None:
    state, _ = run(COLD_ROOM, minutes(9))
    assert state.to_dict() == {"phase": "pending", "started_at_ms": 0, "peak": 9, "last_at_ms": 0}


def test_an_incident_has_one_key_on_both_sides_of_the_wire() -> None:
    key = rules.incident_key("z2m:room", "temperature", "too-warm", 60_000)
    assert key == "5360a5585560512e98dd3ea6ed00b01b", "keys of breaches under way must not change"
    breaches = [("a", "bc", "d", 1), ("ab", "c", "d", 1), ("a", "b", "cd", 1), ("a", "b", "cd", 2)]
    assert len({rules.incident_key(*breach) for breach in breaches}) == len(breaches)


def test_the_rules_need_nothing_but_the_standard_library() -> None:
    source = "import sys; import gateway.rules; print({'msgspec', 'httpx2', 'sqlite3'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", source], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout == "set()\n"


@given(limits(), series_of_readings)
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


@given(limits(), series_of_readings, st.integers(0, 60))
def test_a_restart_in_the_middle_changes_nothing(limit: Limit, series: list[tuple[int, float]], cut: int) -> None:
    state, first = run(limit, series[:cut])
    restored = State.from_dict(json.loads(json.dumps(state.to_dict())))
    assert restored == state
    last, second = run(limit, series[cut:], restored)
    assert (last, first + second) == run(limit, series)


@given(limits(), series_of_readings)
def test_a_low_limit_is_the_mirror_image_of_a_high_one(limit: Limit, series: list[tuple[int, float]]) -> None:
    mirrored = Limit("r", "low" if limit.kind == "high" else "high", -limit.set_at, -limit.clear_at, limit.duration_s)
    _, events = run(limit, series)
    _, others = run(mirrored, [(at_ms, -value) for at_ms, value in series])
    assert [(type(event), event.at_ms, event.value) for event in events] == [
        (type(event), event.at_ms, -event.value) for event in others
    ]


@given(limits(), st.lists(st.tuples(st.integers(0, 800), numbers), max_size=40), st.integers(-(10**12), 10**12))
def test_a_time_line_repaired_on_the_way_gives_the_alarms_of_one_that_was_right(
    limit: Limit, steps: list[tuple[int, float]], wrong_by_ms: int
) -> None:
    at_ms, series = 10**13, []
    for step_ms, value in steps:
        at_ms += step_ms
        series.append((at_ms, value))
    half = len(series) // 2
    wrong, before = run(limit, [(at_ms + wrong_by_ms, value) for at_ms, value in series[:half]])
    repaired = wrong.shifted(-wrong_by_ms, 10**13 + wrong_by_ms)
    right, expected = run(limit, series[:half])
    assert repaired == right
    assert [event.at_ms - wrong_by_ms for event in before] == [event.at_ms for event in expected]
    assert run(limit, series[half:], repaired) == run(limit, series[half:], right)


def test_what_was_before_the_clock_went_wrong_is_not_moved() -> None:
    state = State("pending", 1000, 9.0, 5000, window=((1000, 2.0), (5000, 3.0)))
    assert state.shifted(50, since_ms=5000) == State("pending", 1000, 9.0, 5050, window=((1000, 2.0), (5050, 3.0)))


_changes = st.lists(st.tuples(st.integers(0, 400), st.integers(-6, 6)), max_size=80)


@given(st.sampled_from(["rising", "falling"]), _changes)
def test_no_change_is_told_that_was_not_and_none_is_missed(kind: rules.WatchKind, steps: list[tuple[int, int]]) -> None:
    watch, sign = Watch("r", kind, duration_s=1.6, change=4.0), 1 if kind == "rising" else -1
    at_ms, seen, state = 0, list[tuple[int, float]](), State()
    for step_ms, value in steps:
        at_ms += step_ms
        seen.append((at_ms, value * sign))
        before, (state, event) = state, follow(watch, state, at_ms, value)
        assert len(state.window) <= rules.WINDOW_PARTS + 1
        widest, surest = (
            value * sign - min(old for then_ms, old in seen if at_ms - then_ms <= within_ms)
            for within_ms in (1600, 1500)
        )
        if isinstance(event, Raised):
            assert event.value * sign <= widest
            assert event.value * sign > 4
        elif before.phase == "clear" and before.started_at_ms != at_ms:
            assert surest <= 4


@given(st.sampled_from([RISE, FALL]), _changes, st.integers(0, 80))
def test_a_restart_in_the_middle_of_a_rise_changes_nothing(
    watch: Watch, steps: list[tuple[int, int]], cut: int
) -> None:
    series = [(index * 60_000 + step_ms, float(value)) for index, (step_ms, value) in enumerate(steps)]
    state, first = run(watch, series[:cut])
    restored = State.from_dict(json.loads(json.dumps(state.to_dict())))
    last, second = run(watch, series[cut:], restored)
    assert (last, first + second) == run(watch, series)
