"""A phone that wanders over a line makes no events; a van that drives over it makes one."""

import math

from hypothesis import given
from hypothesis import strategies as st

from cloud_api.logistics.tracking.fences import CLEAR_M, USUAL_ACCURACY_M, WORST_ACCURACY_M, Seen, is_inside
from cloud_api.logistics.tracking.geometry import METRES_PER_DEGREE, Circle, Polygon, Shape

#: 500 m around a point, and a square of a kilometre
SHAPES: list[Shape] = [
    Circle(12.93, 77.61, 500),
    Polygon([(12.925, 77.605), (12.925, 77.615), (12.935, 77.615), (12.935, 77.605)]),
]
NOISE = st.tuples(st.floats(0, 1), st.floats(0, 2 * math.pi))


def moved(point: tuple[float, float], metres: float, way: float) -> tuple[float, float]:
    along_m = METRES_PER_DEGREE * math.cos(math.radians(point[0]))
    return point[0] + metres * math.cos(way) / METRES_PER_DEGREE, point[1] + metres * math.sin(way) / along_m


def crossings(shape: Shape, seen: list[Seen]) -> list[str]:
    inside, crossed = False, []
    for one in seen:
        now = is_inside(shape, one, was_inside=inside)
        if now != inside:
            crossed.append("enter" if now else "exit")
        inside = now
    return crossed


@given(
    st.sampled_from(SHAPES),
    st.floats(0, 700),
    st.floats(0, 2 * math.pi),
    st.floats(3, 120),
    st.lists(NOISE, min_size=2, max_size=60),
)
def test_a_van_that_stands_still_crosses_a_fence_once_at_most_whatever_its_phone_sees(
    shape: Shape, away_m: float, way: float, accuracy_m: float, noise: list[tuple[float, float]]
) -> None:
    standing = moved((12.93, 77.61), away_m, way)
    seen = [Seen(*moved(standing, share * accuracy_m, to), accuracy_m) for share, to in noise]
    assert crossings(shape, seen) in ([], ["enter"])


@given(
    st.sampled_from(SHAPES),
    st.lists(st.tuples(st.floats(12.91, 12.95), st.floats(77.59, 77.63), st.floats(0, 300)), max_size=80),
)
def test_in_and_out_take_turns_however_a_van_jumps(shape: Shape, seen: list[tuple[float, float, float]]) -> None:
    crossed = crossings(shape, [Seen(*one) for one in seen])
    assert crossed == ["enter", "exit"] * (len(crossed) // 2) + ["enter"] * (len(crossed) % 2)


@given(st.sampled_from(SHAPES), st.floats(0, 2 * math.pi), st.floats(0, 60))
def test_a_van_that_drives_through_comes_in_once_and_leaves_once(shape: Shape, way: float, accuracy_m: float) -> None:
    drive = [Seen(*moved((12.93, 77.61), metres, way), accuracy_m) for metres in range(-1_500, 1_500, 20)]
    assert crossings(shape, drive) == ["enter", "exit"]


def test_a_position_that_may_be_anywhere_changes_nothing() -> None:
    vague = Seen(12.93, 77.61, WORST_ACCURACY_M + 1)
    assert not is_inside(SHAPES[0], vague, was_inside=False)
    assert is_inside(SHAPES[0], Seen(13.5, 77.61, WORST_ACCURACY_M + 1), was_inside=True)


def test_who_does_not_say_how_far_off_it_is_is_taken_for_usual() -> None:
    def north(metres: float) -> Seen:
        return Seen(*moved((12.93, 77.61), metres, 0))

    assert is_inside(SHAPES[0], north(500 - USUAL_ACCURACY_M - 1), was_inside=False)
    assert not is_inside(SHAPES[0], north(500 - USUAL_ACCURACY_M + 1), was_inside=False)
    assert is_inside(SHAPES[0], north(500 + USUAL_ACCURACY_M + CLEAR_M - 1), was_inside=True)
    assert not is_inside(SHAPES[0], north(500 + USUAL_ACCURACY_M + CLEAR_M + 1), was_inside=True)
