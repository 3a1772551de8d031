"""How much longer than the crow's way, and how much longer in the rush."""

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from route_optimizer.matrices import Point, detour, haversine
from route_optimizer.matrices.sources import Limits, Table
from route_optimizer.matrices.sphere import GreatCircles
from route_optimizer.matrices.traffic import Profile, scaled
from route_optimizer.problem import UNREACHABLE, Matrix, Window
from route_optimizer.validation import ProblemError


class Region:
    """Roads of one factor and speed, but for an island of places that a long way round leads to, or none at all."""

    name = "region"
    limits = Limits(pairs=25)

    def __init__(self, factor: float, speed_kmh: float, *, far: Sequence[Point] = (), cut_off: bool = False) -> None:
        self.factor, self.speed_kmh, self.far, self.cut_off = factor, speed_kmh, set(far), cut_off
        self.asked = 0

    def table(self, origins: Sequence[Point], destinations: Sequence[Point]) -> Table:
        table = Table.blank(len(origins), len(destinations))
        for row, origin in enumerate(origins):
            for column, destination in enumerate(destinations):
                self.asked += 1
                across = (origin in self.far) != (destination in self.far)
                if not (across and self.cut_off):
                    factor = 9.0 if across else self.factor
                    way = GreatCircles([origin, destination], detour_factor=factor, speed_kmh=self.speed_kmh)
                    table.distance_m[row, column], table.duration_s[row, column] = way.metres(0, 1), way.seconds(0, 1)
        return table


def scattered(places: int, seed: int = 1) -> list[Point]:
    found = np.random.default_rng(seed).uniform((60.0, 24.0), (60.5, 25.5), size=(places, 2))
    return [Point(float(latitude), float(longitude)) for latitude, longitude in found]


def test_factor_and_speed_of_a_region_are_found_and_applied() -> None:
    places = scattered(60)
    region = Region(1.43, 37.0)
    found = detour.fit(places, region)
    assert (found.factor, found.speed_kmh) == pytest.approx((1.43, 37.0), rel=0.001)
    assert found.factor_range == pytest.approx((1.43, 1.43), rel=0.001)
    assert found.pairs == region.asked == 50
    ways, roads = found.great_circles(places), region.table(places[:2], places[2:5])
    assert ways.metres(0, 3) == pytest.approx(roads.distance_m[0, 1], rel=0.001)
    assert (found.haversine(places).distance_m == ways.among(range(60)).distance_m).all()
    assert ways.seconds(0, 3) == pytest.approx(roads.duration_s[0, 1], rel=0.001)


@pytest.mark.parametrize("cut_off", [False, True])
def test_a_few_places_across_the_water_do_not_bend_the_region(cut_off: bool) -> None:
    places = scattered(60)
    found = detour.fit(places, Region(1.3, 50.0, far=places[:12], cut_off=cut_off), pairs=100)
    assert found.factor == pytest.approx(1.3, rel=0.001)
    assert (found.factor_range[1] > 5) is (not cut_off)
    assert (found.pairs < 100) is cut_off


def test_the_same_seed_measures_the_same_pairs() -> None:
    places = scattered(30)
    region = Region(1.3, 50.0, far=places[:15])
    assert detour.fit(places, region, seed=3) == detour.fit(places, region, seed=3)


def test_places_that_were_moved_to_their_roads_make_no_road_shorter_than_the_crow_flies() -> None:
    assert detour.fit(scattered(30), Region(1.0, 50.0)).factor == 1.0


@pytest.mark.parametrize(
    "places", [[], [Point(60, 25)], [Point(60, 25)] * 50, [Point(60 + n / 100_000, 25) for n in range(20)]]
)
def test_places_without_ways_between_them_measure_nothing(places: list[Point]) -> None:
    with pytest.raises(ProblemError, match=r"have only 0 pairs .* at least 250 m apart"):
        detour.fit(places, Region(1.3, 50.0))


# -- time of day

RUSH = [1.0] * 7 + [2.0] * 2 + [1.0] * 15
CALM = [1.0] * 24
WEEK = Profile.of_days(weekday=RUSH, weekend=CALM)
HOUR, DAY = 3_600, 86_400


@pytest.mark.parametrize(
    ("window", "factor"),
    [
        (Window(7 * HOUR, 9 * HOUR), 2.0),
        (Window(6 * HOUR, 10 * HOUR), 1.5),
        (Window(8 * HOUR + 1800, 9 * HOUR + 1800), 1.5),
        (Window(0, DAY), 26 / 24),
        (Window(5 * DAY, 7 * DAY), 1.0),
        (Window(0, 7 * DAY), (5 * 26 + 48) / 168),
        (Window(7 * DAY + 7 * HOUR, 7 * DAY + 8 * HOUR), 2.0),
        (Window(8 * HOUR, 8 * HOUR), 2.0),
        (Window(9 * HOUR, 9 * HOUR), 1.0),
    ],
)
def test_the_factor_is_the_mean_of_the_hours_driven(window: Window, factor: float) -> None:
    assert WEEK.mean(window) == pytest.approx(factor)


def test_seconds_may_count_from_any_midnight_or_from_1970() -> None:
    saturday_rush = Window(7 * HOUR, 9 * HOUR)
    assert WEEK.mean(saturday_rush, monday_s=-5 * DAY) == 1.0
    tuesday_2026_11_24_at_7 = 1_795_503_600
    assert WEEK.mean(Window(tuesday_2026_11_24_at_7, tuesday_2026_11_24_at_7 + HOUR), monday_s=345_600) == 2.0


#: factors in halves, no two days alike
UNEVEN = [[1 + (7 * hour + 5 * day * day) % 11 for hour in range(24)] for day in range(7)]


@given(st.integers(0, 20 * DAY), st.integers(1, 20 * DAY), st.integers(-8 * DAY, 8 * DAY))
def test_the_mean_is_that_of_all_its_hours(opens: int, length: int, monday: int) -> None:
    week = [Fraction(half, 2) for day in UNEVEN for half in day]
    profile = Profile(tuple(tuple(half / 2 for half in day) for day in UNEVEN))
    hours = range((opens - monday) // HOUR, (opens + length - monday - 1) // HOUR + 1)
    area = sum(
        (min((hour + 1) * HOUR, opens + length - monday) - max(hour * HOUR, opens - monday)) * week[hour % 168]
        for hour in hours
    )
    assert profile.mean(Window(opens, opens + length), monday_s=monday) == pytest.approx(float(area / length))


def test_durations_grow_and_distances_stay() -> None:
    free = haversine(scattered(4))
    rush = scaled(free, WEEK, Window(6 * HOUR, 10 * HOUR))
    assert (rush.distance_m == free.distance_m).all()
    assert rush.duration_s == pytest.approx(free.duration_s * 1.5, abs=0.5)
    assert rush.duration_s.dtype == np.int64


def test_what_cannot_be_reached_cannot_be_reached_in_the_rush() -> None:
    free = Matrix.of([[0, UNREACHABLE], [5, 0]], [[0, UNREACHABLE], [9, 0]])
    assert scaled(free, WEEK, Window(7 * HOUR, 8 * HOUR)).duration_s.tolist() == [[0, UNREACHABLE], [18, 0]]


def test_a_century_takes_no_longer_than_a_day() -> None:
    assert WEEK.mean(Window(0, 4_000_000_000)) == pytest.approx((5 * 26 + 48) / 168, rel=1e-3)


@pytest.mark.parametrize(
    ("factors", "field"),
    [
        ((tuple(CALM),) * 6, "profile.factors are not a week"),
        ((tuple(CALM[:23]),) * 7, "profile.factors are not a week"),
        ((tuple(CALM),) * 6 + ((*CALM[:23], 0.0),), r"profile.factors\[6\]\[23\] is 0.0"),
        ((tuple(CALM),) * 6 + ((math.nan, *CALM[:23]),), r"profile.factors\[6\]\[0\] is nan"),
    ],
)
def test_a_week_has_seven_days_of_hours_with_sensible_factors(
    factors: tuple[tuple[float, ...], ...], field: str
) -> None:
    with pytest.raises(ProblemError, match=field):
        Profile(factors)
