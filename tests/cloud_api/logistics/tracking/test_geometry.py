"""How deep inside a fence a point lies, held against what can be worked out otherwise."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cloud_api.logistics.tracking.geometry import METRES_PER_DEGREE, Box, Circle, Polygon, distance_m

LATITUDES = st.floats(-60, 60)
LONGITUDES = st.floats(-179, 179)
#: a rectangle of 2 km by 1 km; its corners in the order of its line
WEST, EAST, SOUTH, NORTH = 77.60, 77.62, 12.90, 12.91
RECTANGLE = Polygon([(SOUTH, WEST), (SOUTH, EAST), (NORTH, EAST), (NORTH, WEST)])
#: an L: the notch in its north-east is outside
ELL = Polygon([(0, 0), (0, 0.02), (0.01, 0.02), (0.01, 0.01), (0.02, 0.01), (0.02, 0)])


@pytest.mark.parametrize(
    ("a", "b", "metres"),
    [
        ((0, 0), (0, 1), 111_195),
        ((0, 0), (1, 0), 111_195),
        ((51.5007, -0.1246), (40.6892, -74.0445), 5_574_840),
        ((12.93, 77.61), (12.93, 77.61), 0),
        ((0, 179.9995), (0, -179.9995), 111),
    ],
)
def test_distances_are_those_of_the_great_circle(a: tuple[float, float], b: tuple[float, float], metres: float) -> None:
    assert distance_m(*a, *b) == pytest.approx(metres, abs=max(1, metres * 1e-3))


@given(LATITUDES, LONGITUDES, LATITUDES, LONGITUDES)
def test_a_distance_is_the_same_both_ways_and_never_negative(a: float, b: float, c: float, d: float) -> None:
    assert distance_m(a, b, c, d) == pytest.approx(distance_m(c, d, a, b), abs=1e-3)
    assert distance_m(a, b, c, d) >= 0


@pytest.mark.parametrize(
    ("latitude", "longitude", "inside"),
    [(0.005, 0.005, True), (0.015, 0.005, True), (0.005, 0.015, True), (0.015, 0.015, False), (-0.001, 0.005, False)],
)
def test_a_notch_is_outside(latitude: float, longitude: float, inside: bool) -> None:
    assert (ELL.depth_m(latitude, longitude) < 0) is inside


@given(st.floats(12.88, 12.93), st.floats(77.58, 77.64))
def test_of_a_rectangle_inside_is_what_lies_between_its_lines(latitude: float, longitude: float) -> None:
    depth_m = RECTANGLE.depth_m(latitude, longitude)
    assume(abs(depth_m) > 0.01)
    assert (depth_m < 0) is (SOUTH < latitude < NORTH and WEST < longitude < EAST)


@given(st.floats(12.9001, 12.9099), st.floats(77.6001, 77.6199))
def test_inside_a_rectangle_the_depth_is_the_way_to_the_nearest_side(latitude: float, longitude: float) -> None:
    along_m = METRES_PER_DEGREE * math.cos(math.radians(latitude))
    nearest = min(
        (latitude - SOUTH) * METRES_PER_DEGREE,
        (NORTH - latitude) * METRES_PER_DEGREE,
        (longitude - WEST) * along_m,
        (EAST - longitude) * along_m,
    )
    assert RECTANGLE.depth_m(latitude, longitude) == pytest.approx(-nearest, rel=1e-6)


@given(st.lists(st.tuples(st.floats(-1, 1), st.floats(-1, 1)), min_size=3, max_size=8), st.integers(0, 7))
def test_where_a_polygon_begins_and_which_way_round_it_goes_says_nothing(
    corners: list[tuple[float, float]], turn: int
) -> None:
    polygon = Polygon([(latitude / 100, longitude / 100) for latitude, longitude in corners])
    shift = turn % len(corners)
    turned = Polygon([*polygon.corners[shift:], *polygon.corners[:shift]][::-1])
    for point in ((0.001, 0.002), (-0.004, 0.003)):
        assume(abs(polygon.depth_m(*point)) > 1e-3)
        assert turned.depth_m(*point) == pytest.approx(polygon.depth_m(*point), abs=1e-6)


@given(st.floats(-0.05, 0.05), st.floats(-0.05, 0.05), st.floats(0, 200), st.floats(0, 2 * math.pi))
def test_a_step_of_so_many_metres_changes_the_depth_by_no_more(
    latitude: float, longitude: float, step_m: float, way: float
) -> None:
    north, east = step_m * math.cos(way) / METRES_PER_DEGREE, step_m * math.sin(way) / METRES_PER_DEGREE
    for shape in (ELL, Circle(0.01, 0.01, 900)):
        before, after = shape.depth_m(latitude, longitude), shape.depth_m(latitude + north, longitude + east)
        assert abs(after - before) <= step_m * 1.001 + 0.01


@given(st.floats(20, 50_000), LATITUDES, st.floats(0, 2 * math.pi))
def test_whatever_is_in_a_circle_is_in_its_box(radius_m: float, latitude: float, way: float) -> None:
    circle = Circle(latitude, 10, radius_m)
    up = 0.999 * radius_m / METRES_PER_DEGREE
    point = latitude + up * math.cos(way), 10 + up * math.sin(way) / math.cos(math.radians(latitude))
    assume(circle.depth_m(*point) <= 0)
    assert circle.box.holds(*point)


def test_a_margin_lets_in_what_is_a_little_off() -> None:
    box = Box(12.9, 77.6, 12.91, 77.62)
    assert not box.holds(12.911, 77.61)
    assert box.holds(12.911, 77.61, margin_m=120)
    assert not box.holds(12.911, 77.61, margin_m=100)


@pytest.mark.parametrize(
    ("corners", "crosses"),
    [
        ([(0, 0), (0, 1), (1, 1), (1, 0)], False),
        ([(0, 0), (1, 1), (0, 1), (1, 0)], True),
        ([(0, 0), (0, 2), (1, 2), (1, 1), (0, 1), (2, 0)], True),
        ([(0, 0), (0, 1), (1, 0)], False),
    ],
)
def test_edges_that_cross_are_found(corners: list[tuple[float, float]], crosses: bool) -> None:
    assert Polygon(corners).crosses_itself() is crosses


def test_the_area_is_that_of_a_plane() -> None:
    across = (EAST - WEST) * METRES_PER_DEGREE * math.cos(math.radians((SOUTH + NORTH) / 2))
    assert RECTANGLE.area_m2() == pytest.approx(across * (NORTH - SOUTH) * METRES_PER_DEGREE, rel=1e-6)
