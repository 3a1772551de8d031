"""Lines, gaps and limits, before anything is drawn."""

from zoneinfo import ZoneInfo

import pytest

from cloud_api.console.cold_rooms.charts import columns_of, points_of, wall
from cloud_api.console.cold_rooms.limits import Limits, around
from cloud_api.console.cold_rooms.rooms import Known
from cloud_api.console.cold_rooms.trends import HEIGHT, WIDTH, trend_of

HOUR_MS = 3_600_000


def series(*means: float | None, hold_s: float = 600.0) -> dict[str, object]:
    return {"minima": means, "means": means, "maxima": means, "hold_s": hold_s}


def test_a_gap_ends_the_line_and_what_a_reading_covers_does_not() -> None:
    begins = [place * HOUR_MS for place in range(5)]
    assert points_of(series(1.0, None, None, 2.0, 3.0), begins) == [
        (0, 1.0, 1.0, 1.0),
        (HOUR_MS, None, None, None),
        (3 * HOUR_MS, 2.0, 2.0, 2.0),
        (4 * HOUR_MS, 3.0, 3.0, 3.0),
    ]
    rare = points_of(series(1.0, None, None, 2.0, 3.0, hold_s=3 * 3600.0), begins)
    assert [point[2] for point in rare] == [1.0, 2.0, 3.0]


def test_a_line_is_sent_in_columns_without_losing_its_peak_or_its_gap() -> None:
    points = points_of(series(1.0, None, None, 2.123456, 9.87654321, 3.0), [place * HOUR_MS for place in range(6)])
    told = columns_of(points)
    assert (told["start"], told["after"]) == (0, [[3600, 1], [7200, 1], [3600, 2]])
    assert told["most"] == told["mean"] == [1.0, None, 2.12, 9.88, 3.0]
    assert columns_of([])["after"] == []


def test_a_chart_shows_the_readers_clock() -> None:
    assert wall(0, ZoneInfo("Asia/Kolkata")) == 19_800_000
    assert wall(0, ZoneInfo("UTC")) == 0


def test_a_trend_is_torn_where_nothing_was_heard() -> None:
    trend = trend_of([4.0, 5.0, None, 6.0], Limits(high=5.5))
    assert trend is not None
    assert len(trend.lines) == 2
    assert trend.lines[1].startswith(f"M{WIDTH:.1f} ")
    assert (trend.minimum, trend.maximum) == (4.0, 6.0)
    assert all(0 <= y <= HEIGHT for y in trend.limits)
    assert len(trend.limits) == 1


def test_nothing_heard_has_no_trend() -> None:
    assert trend_of([None, None], Limits()) is None
    flat = trend_of([4.0, 4.0], Limits(low=-30.0))
    assert flat is not None
    assert flat.limits == [], "a limit far away is not drawn"


@pytest.mark.parametrize(
    ("value", "side", "beyond"), [(9.0, "high", 1.0), (1.5, "low", 0.5), (5.0, "", -3.0), (8.0, "", 0.0)]
)
def test_a_value_lies_beyond_the_nearer_limit(value: float, side: str, beyond: float) -> None:
    limits = Limits(2.0, 8.0)
    assert (limits.side(value), limits.beyond(value)) == (side, beyond)


def test_the_strictest_limit_of_a_place_and_of_what_it_lies_in_holds() -> None:
    places = {
        "rack": {"parent_id": "room", "temperature_max_c": 9.0},
        "room": {"parent_id": None, "temperature_max_c": 10.0},
    }
    rules = {
        "room": [
            {"enabled": True, "quantity": "temperature", "kind": "high", "set_at": 8.0},
            {"enabled": True, "quantity": "temperature", "kind": "low", "set_at": 1.0},
            {"enabled": False, "quantity": "temperature", "kind": "high", "set_at": 5.0},
            {"enabled": True, "quantity": "humidity", "kind": "high", "set_at": 90.0},
        ],
        "other": [{"enabled": True, "quantity": "temperature", "kind": "high", "set_at": 4.0}],
    }
    assert around("rack", places) == ["rack", "room"]
    known = Known(places, (), {}, (), {}, rules)
    assert known.limits("rack", "temperature") == Limits(1.0, 8.0)
    assert known.limits("room", "pressure") == Limits()
