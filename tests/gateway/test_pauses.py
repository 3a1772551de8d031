"""What a defrost and a planned shutdown hide, and what they do not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import rules
from gateway.rules import Cleared, Limit, Pause, Raised, State, hear, judge, tick
from tests.gateway.judged import COLD_ROOM, DOOR, FROST, RISE, SILENT, limits, minutes, run, series_of_readings

DEFROST = Pause(starts_at_ms=6 * 60_000, duration_s=600, every_s=3600)
WARM_AT_ONCE = Limit("too-warm", "high", set_at=8.0, clear_at=7.0)


def test_a_defrost_raises_nothing_and_the_next_one_neither() -> None:
    series = [(minute * 60_000, 15.0 if minute % 60 in range(6, 16) else 4.0) for minute in range(180)]
    assert run(WARM_AT_ONCE, series, pauses=[DEFROST])[1] == []
    assert len(run(WARM_AT_ONCE, series)[1]) == 6


def test_a_room_that_stays_warm_after_its_defrost_is_told_from_the_first_reading_after_it() -> None:
    series = minutes(*[4] * 6, *[15] * 20)
    assert run(COLD_ROOM, series, pauses=[DEFROST])[1] == []
    series = minutes(*[4] * 6, *[15] * 22)
    assert run(COLD_ROOM, [*series, (26 * 60_000, 15)], pauses=[DEFROST])[1] == [
        Raised(15, 16 * 60_000, 26 * 60_000, peak=15)
    ]


def test_a_breach_from_before_a_pause_stays_through_it() -> None:
    state, events = run(COLD_ROOM, minutes(*[4] * 5, 9, *[3] * 10), pauses=[DEFROST])
    assert (state.phase, state.started_at_ms, events) == ("pending", 5 * 60_000, [])
    assert run(COLD_ROOM, [(16 * 60_000, 9)], state, [DEFROST])[1] == [Raised(9, 5 * 60_000, 16 * 60_000, peak=9)]
    state, events = run(WARM_AT_ONCE, minutes(*[4] * 5, 9, *[3] * 10), pauses=[DEFROST])
    assert (state.phase, len(events)) == ("active", 1)
    assert run(WARM_AT_ONCE, [(16 * 60_000, 3)], state, [DEFROST])[1] == [Cleared(3, 5 * 60_000, 16 * 60_000, peak=9)]


def test_a_relaxed_limit_raises_only_what_is_too_much_even_then() -> None:
    relaxed = [Pause(6 * 60_000, 600, 3600, relax_by=5.0)]
    assert run(WARM_AT_ONCE, minutes(*[4] * 6, *[13] * 10, 4), pauses=relaxed)[1] == []
    assert run(WARM_AT_ONCE, minutes(*[4] * 6, 13.1, 12, *[9] * 6, 4), pauses=relaxed)[1] == [
        Raised(13.1, 6 * 60_000, 6 * 60_000, peak=13.1),
        Cleared(12, 6 * 60_000, 7 * 60_000, peak=13.1),
    ]
    low = [Pause(0, 600, relax_by=5.0)]
    assert run(FROST, minutes(-5, -5.1), pauses=low)[1] == [Raised(-5.1, 60_000, 60_000, peak=-5.1)]


def test_a_breach_from_before_is_not_over_by_relaxed_bounds() -> None:
    relaxed = [Pause(6 * 60_000, 600, 3600, relax_by=5.0)]
    state, events = run(WARM_AT_ONCE, minutes(*[4] * 5, 9, 9, 11), pauses=relaxed)
    assert (state.phase, len(events)) == ("active", 1)
    assert isinstance(run(WARM_AT_ONCE, [(8 * 60_000, 7.0)], state, relaxed)[1][0], Cleared)


def test_the_most_generous_of_several_pauses_counts() -> None:
    pauses = [Pause(0, 600, relax_by=2.0), Pause(0, 600, relax_by=5.0)]
    assert run(WARM_AT_ONCE, minutes(13), pauses=pauses)[1] == []
    assert run(WARM_AT_ONCE, minutes(99), pauses=[*pauses, Pause(0, 60)])[1] == []


def test_a_door_left_open_over_a_pause_is_told_after_it() -> None:
    loading = [Pause(0, 600)]
    state, events = run(DOOR, [(300_000, 1.0)], pauses=loading)
    assert (state.phase, events) == ("clear", [])
    assert tick(DOOR, state, 599_999, loading) == (state, None)
    state, _ = tick(DOOR, state, 600_000, loading)
    assert tick(DOOR, state, 720_000, loading)[1] == Raised(1.0, 600_000, 720_000, peak=1.0)


def test_a_planned_shutdown_is_no_silence_and_the_time_counts_from_its_end() -> None:
    shutdown = [Pause(starts_at_ms=1_000_000, duration_s=86_400)]
    end_ms = 1_000_000 + 86_400_000
    state, _ = hear(SILENT, State(), 900_000)
    assert tick(SILENT, state, end_ms - 1, shutdown) == (state, None)
    assert tick(SILENT, state, end_ms + 1_799_999, shutdown) == (state, None)
    assert tick(SILENT, state, end_ms + 1_800_000, shutdown)[1] == Raised(1800, end_ms, end_ms + 1_800_000, 1800)


def test_a_pause_that_relaxes_bounds_does_not_excuse_silence() -> None:
    defrost = [Pause(0, 86_400, relax_by=10)]
    assert isinstance(tick(SILENT, State(last_at_ms=0), 1_800_000, defrost)[1], Raised)


def test_a_rise_is_not_measured_across_a_defrost() -> None:
    assert run(RISE, minutes(*[2] * 6, *[9] * 10, 6, 5), pauses=[DEFROST])[1] == []
    assert run(RISE, [(300_000, 2), (960_000, 6)], pauses=[DEFROST])[1] == []
    relaxed = [Pause(6 * 60_000, 600, 3600, relax_by=5.0)]
    assert run(RISE, minutes(*[2] * 6, 10), pauses=relaxed)[1] == []
    assert run(RISE, minutes(*[2] * 6, 10.1), pauses=relaxed)[1] != []


@pytest.mark.parametrize(
    ("pause", "complaint"),
    [
        ((0, 0), "duration_s is 0"),
        ((0, 600, 600), "every_s 600 must be longer"),
        ((0, float("nan")), "finite"),
        ((0, 600, None, -1.0), "relax_by is -1.0"),
    ],
)
def test_a_pause_that_never_ends_or_never_is_is_refused(pause: tuple[int, float], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Pause(*pause)


@given(st.integers(0, 20_000), st.integers(1, 3000), st.none() | st.integers(1, 3000), st.integers(0, 40_000))
def test_a_pause_knows_its_edges(starts_at_ms: int, length_ms: int, gap_ms: int | None, at_ms: int) -> None:
    every_s = None if gap_ms is None else (length_ms + gap_ms) / 1000
    pause = Pause(starts_at_ms, length_ms / 1000, every_s)
    starts = [starts_at_ms] if gap_ms is None else range(starts_at_ms, 50_000, length_ms + gap_ms)
    windows = [(start, start + length_ms) for start in starts]
    assert pause.on_since_ms(at_ms) == next((start for start, end in windows if start <= at_ms < end), None)
    assert pause.ended_ms(at_ms) == max((end for _, end in windows if end <= at_ms), default=None)
    edges = [edge for window in windows for edge in window if edge > at_ms]
    assert pause.next_edge_ms(at_ms) == min(edges, default=rules.FAR_MS)


_pauses = st.lists(
    st.builds(
        Pause,
        st.integers(0, 3000),
        st.sampled_from([0.2, 1.0]),
        st.sampled_from([None, 1.5]),
        st.sampled_from([None, 0.0, 5.0]),
    ),
    max_size=2,
)


@given(limits(), series_of_readings, _pauses)
def test_nothing_begins_or_ends_while_a_limit_is_paused(
    limit: Limit, series: list[tuple[int, float]], pauses: list[Pause]
) -> None:
    state = State()
    for at_ms, value in series:
        state, event = judge(limit, state, at_ms, value, pauses)
        if event is not None:
            assert not any(pause.on_since_ms(at_ms) is not None and pause.relax_by is None for pause in pauses)
