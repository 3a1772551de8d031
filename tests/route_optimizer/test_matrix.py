"""Distances from coordinates."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from route_optimizer.matrices import GreatCircles, Point, haversine
from route_optimizer.matrices.ellipsoid import geodesic
from route_optimizer.matrices.sphere import EARTH_M
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


@given(points, st.floats(1, 3), st.floats(10, 120))
def test_ways_worked_out_one_by_one_are_those_of_the_matrix(places: list[Point], factor: float, speed: float) -> None:
    whole = haversine(places, detour_factor=factor, speed_kmh=speed)
    ways = GreatCircles(places, detour_factor=factor, speed_kmh=speed)
    assert ways.places == whole.places == len(places)
    for i in range(len(places)):
        for j in range(len(places)):
            assert ways.metres(i, j) == whole.metres(i, j)
            assert ways.seconds(i, j) == whole.seconds(i, j)
    backwards = list(range(len(places)))[::-1]
    assert (ways.among(backwards).distance_m == whole.among(backwards).distance_m).all()
    assert (ways.among(backwards).duration_s == whole.among(backwards).duration_s).all()


def test_ten_thousand_places_are_held_without_their_hundred_million_pairs() -> None:
    many = np.random.default_rng(2).uniform((55, 20), (65, 30), size=(10_000, 2)).tolist()
    ways = GreatCircles([Point(*each) for each in many])
    some = [9_999, 0, 5_000]
    assert ways.among(some).metres(0, 2) == ways.metres(9_999, 5_000) > 0
    assert ways.among([]).places == 0


def test_the_sphere_is_within_six_thousandths_of_the_ellipsoid() -> None:
    places = [HELSINKI, TAMPERE, SYDNEY, Point(0.0, 0.0), Point(-54.8, -68.3)]
    round_earth, true_earth = haversine(places), geodesic(places)
    assert round_earth.distance_m == pytest.approx(true_earth.distance_m, rel=0.006)
    assert round_earth.duration_s == pytest.approx(true_earth.duration_s, rel=0.006)


def test_the_geodesic_is_exact() -> None:
    # the published inverse solution between two Australian survey marks is 54,972.271 m
    flinders_peak = Point(-(37 + 57 / 60 + 3.72030 / 3600), 144 + 25 / 60 + 29.52440 / 3600)
    buninyong = Point(-(37 + 39 / 60 + 10.15610 / 3600), 143 + 55 / 60 + 35.38390 / 3600)
    matrix = geodesic([flinders_peak, buninyong], detour_factor=1.0, speed_kmh=36)
    assert matrix.metres(0, 1) == matrix.metres(1, 0) == 54_972
    assert matrix.seconds(0, 1) == 5_497


@pytest.mark.parametrize("arguments", [{"detour_factor": 0.9}, {"detour_factor": math.nan}, {"speed_kmh": 0.0}])
def test_a_senseless_factor_or_speed_is_refused(arguments: dict[str, float]) -> None:
    for formula in (haversine, geodesic, GreatCircles):
        with pytest.raises(ProblemError, match=next(iter(arguments))):
            formula([HELSINKI], **arguments)


@pytest.mark.parametrize("point", [Point(math.nan, 0.0), Point(0.0, math.inf), Point(90.1, 0.0), Point(0.0, -180.1)])
def test_a_place_that_is_not_on_earth_is_named(point: Point) -> None:
    for formula in (haversine, geodesic, GreatCircles):
        with pytest.raises(ProblemError, match=r"points\[1\]\.l.* look up the address"):
            formula([HELSINKI, point])
