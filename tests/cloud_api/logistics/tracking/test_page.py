"""What is drawn and said: words in every language, squared paper, and trails of a length that can be drawn."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cloud_api.logistics.tracking import words
from cloud_api.logistics.tracking.customer_page import grid_of
from cloud_api.logistics.tracking.following import thinned
from cloud_api.logistics.tracking.schemas import TrailPoint, VanRead

DEPOT = (12.93, 77.61)
EIGHT = datetime(2026, 11, 22, 8, tzinfo=UTC)


def test_every_language_says_everything() -> None:
    assert words.ENGLISH.keys() == words.HINDI.keys()
    for key, text in words.ENGLISH.items():
        assert re.findall(r"\{\w+\}", text) == re.findall(r"\{\w+\}", words.HINDI[key]), key
    shown = "".join(path.read_text() for path in Path(words.__file__).parent.joinpath("pages").glob("*.html"))
    assert set(re.findall(r"words\.(\w+)", shown)) <= words.ENGLISH.keys()


@pytest.mark.parametrize(
    ("north", "east"), [(0, 0), (2_900, 0), (-40, 25), (1_000, -2_700), (0, 3_000), (100_000, 50_000)]
)
def test_door_and_van_both_stand_on_the_grid_the_right_way_round(north: float, east: float) -> None:
    van = VanRead(
        latitude=DEPOT[0] + north / 111_195,
        longitude=DEPOT[1] + east / 108_375,
        recorded_at=EIGHT,
        distance_m=1,
    )
    grid = grid_of(DEPOT, van)
    for x, y in ((grid.door_x, grid.door_y), (grid.van_x, grid.van_y)):
        assert 0 < x < grid.width
        assert 0 < y < grid.height
    assert (grid.van_y <= grid.door_y) is (north >= 0)
    assert (grid.van_x >= grid.door_x) is (east >= 0)
    assert 1 <= len(grid.rows) <= 8
    assert 1 <= len(grid.columns) <= 14


def test_a_trail_keeps_its_ends_and_no_more_than_a_few_hundred_points() -> None:
    still = [_point(second, DEPOT[0]) for second in range(1_000)]
    assert thinned(still) == [still[0], still[-1]]
    long = [_point(second, DEPOT[0] + second / 2_000) for second in range(5_000)]
    kept = thinned(long)
    assert len(kept) <= 302
    assert (kept[0], kept[-1]) == (long[0], long[-1])
    assert [point.recorded_at for point in kept] == sorted(point.recorded_at for point in kept)
    assert thinned([]) == []


def _point(second: int, latitude: float) -> TrailPoint:
    recorded_at = EIGHT + timedelta(seconds=second)
    return TrailPoint(recorded_at=recorded_at, latitude=latitude, longitude=DEPOT[1])
