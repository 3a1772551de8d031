"""Readings as steps of time: what is beyond a limit, and for how long, against a count by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.cold_chain.exposure.steps import Steps, beyond, holds_ms, mean_kinetic_c, steps_of, together

MINUTE = 60_000


def steps(*values: float, every: int = MINUTE, holds: int = 15 * MINUTE) -> Steps:
    times = np.arange(len(values), dtype=np.int64) * every
    return steps_of(times, np.array(values), holds_ms=holds, until_ms=len(values) * every)


def test_minutes_and_degree_minutes_are_counted_beyond_the_limit_only() -> None:
    found = beyond(steps(7.0, 8.0, 9.0, 10.5, 8.0), "high", 8.0)
    assert (found.minutes, found.degree_minutes, found.peak) == (2.0, 3.5, 10.5)


def test_below_a_limit_of_zero_zero_is_not_beyond_and_minus_three_is() -> None:
    found = beyond(steps(0.0, -3.0, -1.0, 4.0), "low", 0.0)
    assert (found.minutes, found.degree_minutes, found.peak) == (2.0, 4.0, -3.0)


def test_a_reading_holds_no_longer_than_it_may() -> None:
    times = np.array([0, 60 * MINUTE], dtype=np.int64)
    found = steps_of(times, np.array([9.0, 9.0]), holds_ms=15 * MINUTE, until_ms=61 * MINUTE)
    assert beyond(found, "high", 8.0).minutes == 16.0


@pytest.mark.parametrize(("cadence_ms", "expected"), [(None, 15), (60_000, 15), (3_600_000, 120)])
def test_a_slow_sensor_holds_longer(cadence_ms: int | None, expected: int) -> None:
    assert holds_ms(cadence_ms) == expected * MINUTE


def test_nothing_measured_is_nothing_beyond() -> None:
    found = beyond(together([]), "high", 8.0)
    assert (found.minutes, found.degree_minutes, found.peak) == (0.0, 0.0, None)
    assert mean_kinetic_c(together([])) is None


def test_the_mean_kinetic_temperature_weighs_by_time_and_leans_to_the_warm_side() -> None:
    assert mean_kinetic_c(steps(5.0, 5.0, 5.0)) == pytest.approx(5.0)
    even = mean_kinetic_c(steps(2.0, 20.0))
    assert even is not None
    assert even > 11.0
    longer_cold = Steps(np.array([0, 9 * MINUTE]), np.array([9 * MINUTE, 10 * MINUTE]), np.array([2.0, 20.0]))
    mostly = mean_kinetic_c(longer_cold)
    assert mostly is not None
    assert 2.0 < mostly < even


values = st.lists(st.floats(-30, 40), min_size=1, max_size=40)


@given(values, st.floats(-20, 30), st.integers(0, 40), st.integers(0, 40))
def test_a_stretch_cut_in_two_is_as_much_as_the_whole(
    measured: list[float], limit: float, one: int, other: int
) -> None:
    whole = steps(*measured)
    cut = min(one, other) * MINUTE + MINUTE // 3
    parts = [beyond(whole.within(0, cut), "high", limit), beyond(whole.within(cut, 10**9), "high", limit)]
    found = beyond(whole, "high", limit)
    assert sum(part.minutes for part in parts) == pytest.approx(found.minutes)
    assert sum(part.degree_minutes for part in parts) == pytest.approx(found.degree_minutes)
