"""Distances from coordinates."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from route_optimizer.matrix import EARTH_M, Point, haversine
from route_optimizer.validation import ProblemError

HELSINKI, TAMPERE, SYDNEY = Point(60.1699, 24.9384), Point(61.4978, 23.7610), Point(-33.8688, 151.2093)

points = st.lists(
    st.builds(Point, st.floats(-90, 90, allow_nan=False), st.floats(-180, 180, allow_nan=False)), max_size=6
)


def test_known_distances_come_out() -> None:
    matrix = haversine([HELSINKI, TAMPERE, SYDNEY], detour_factor=1.0, speed_kmh=60)
    assert matrix.metres(0, 1) == pytest.approx(160_800, rel=0.005)
    assert matrix.metres(0, 2) == pytest.approx(15_182_000, rel=0.005)
    assert matrix.seconds(0, 1) == pytest.approx(matrix.metres(0, 1) * 3.6 / 60, abs=1)


def test_a_detour_and_a_speed_scale_what_the_crow_flies() -> None:
    crow = haversine([HELSINKI, TAMPERE], detour_factor=1.0, speed_kmh=50)
    road = haversine([HELSINKI, TAMPERE], detour_factor=1.5, speed_kmh=100)
    assert road.metres(0, 1) == pytest.approx(1.5 * crow.metres(0, 1), abs=1)
    assert road.seconds(0, 1) == pytest.approx(0.75 * crow.seconds(0, 1), abs=1)


@given(points)
def test_it_agrees_with_the_textbook_formula_to_a_metre(places: list[Point]) -> None:
    matrix = haversine(places, detour_factor=1.0)
    for i, a in enumerate(places):
        for j, b in enumerate(places):
            assert matrix.metres(i, j) == pytest.approx(textbook_m(a, b), abs=1)
            assert matrix.metres(i, j) == matrix.metres(j, i)
        assert matrix.metres(i, i) == matrix.seconds(i, i) == 0


def textbook_m(a: Point, b: Point) -> float:
    lat_a, lon_a, lat_b, lon_b = map(math.radians, (*a, *b))
    half = math.sin((lat_b - lat_a) / 2) ** 2 + math.cos(lat_a) * math.cos(lat_b) * math.sin((lon_b - lon_a) / 2) ** 2
    return 2 * EARTH_M * math.asin(math.sqrt(min(1, half)))


def test_more_places_than_one_block_make_one_matrix() -> None:
    generator = np.random.default_rng(1)
    many = [Point(float(lat), float(lon)) for lat, lon in generator.uniform((55, 20), (65, 30), size=(1_200, 2))]
    whole = haversine(many)
    some = [0, 511, 512, 1_023, 1_024, 1_199]
    assert (whole.distance_m[np.ix_(some, some)] == haversine([many[row] for row in some]).distance_m).all()


@pytest.mark.parametrize("arguments", [{"detour_factor": 0.9}, {"detour_factor": math.nan}, {"speed_kmh": 0.0}])
def test_a_senseless_factor_or_speed_is_refused(arguments: dict[str, float]) -> None:
    with pytest.raises(ProblemError, match=next(iter(arguments))):
        haversine([HELSINKI], **arguments)
