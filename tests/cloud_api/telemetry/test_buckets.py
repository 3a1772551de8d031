"""Buckets on a wall's clock: where they begin, whatever is done to the clock."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.kernel.errors import Invalid
from cloud_api.telemetry.series.buckets import edges, for_chart, parse
from cloud_api.telemetry.zones import zone_called
from tests.factories.properties import FEW

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
ZONES = ["UTC", "Asia/Kolkata", "Asia/Kathmandu", "Europe/Berlin", "America/Havana", "America/St_Johns", "Africa/Cairo"]


def at(text: str, zone: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def hours_of_days(zone: str, since: str, until: str) -> list[float]:
    lengths: list[float] = (np.diff(edges(zone, parse("day"), at(since, zone), at(until, zone))) / HOUR_MS).tolist()
    return lengths


def test_days_are_as_long_as_the_clock_makes_them() -> None:
    assert hours_of_days("Europe/Berlin", "2026-03-28", "2026-03-31") == [24, 23, 24]
    assert hours_of_days("Europe/Berlin", "2026-10-24", "2026-10-27") == [24, 25, 24]
    assert hours_of_days("America/Havana", "2026-03-07", "2026-03-10") == [24, 23, 24]
    assert hours_of_days("Asia/Kolkata", "2026-03-28", "2026-03-30") == [24, 24]


def test_hours_of_kolkata_begin_at_half_past() -> None:
    begins = edges("Asia/Kolkata", parse("hour"), at("2026-01-31T08:10", "UTC"), at("2026-01-31T09:40", "UTC"))
    assert [datetime.fromtimestamp(ms / 1000, UTC).strftime("%H:%M") for ms in begins] == [
        "07:30",
        "08:30",
        "09:30",
        "10:30",
    ]


def test_a_bucket_that_ends_when_the_span_does_is_the_last() -> None:
    begins = edges("UTC", parse("15m"), at("2026-01-31T08:00", "UTC"), at("2026-01-31T09:00", "UTC"))
    assert len(begins) == 5
    assert begins[-1] == at("2026-01-31T09:00", "UTC")


def test_the_hour_that_comes_twice_is_two_buckets_and_six_hours_are_then_seven() -> None:
    since, until = at("2026-10-25", "Europe/Berlin"), at("2026-10-26", "Europe/Berlin")
    assert len(edges("Europe/Berlin", parse("hour"), since, until)) == 26
    assert (np.diff(edges("Europe/Berlin", parse("6h"), since, until)) / HOUR_MS).tolist() == [7, 6, 6, 6]


@FEW
@given(
    zone=st.sampled_from(ZONES),
    since_ms=st.integers(0, at("2040-01-01", "UTC")),
    span_ms=st.integers(1, 300 * DAY_MS),
    share=st.floats(0, 1, exclude_max=True),
)
def test_hours_and_days_are_those_that_are_kept_at_ingest(zone: str, since_ms: int, span_ms: int, share: float) -> None:
    moment = np.array([since_ms + int(span_ms * share)], np.int64)
    hours_ms, dates = zone_called(zone).hours(moment)
    for bucket, begins_ms in (("hour", hours_ms), ("day", zone_called(zone).day_begins(dates))):
        grid = edges(zone, parse(bucket), since_ms, since_ms + span_ms)
        assert grid[0] <= since_ms
        assert grid[-2] < since_ms + span_ms <= grid[-1]
        assert grid[np.searchsorted(grid, moment[0], side="right") - 1] == begins_ms[0]


@pytest.mark.parametrize("text", ["", "week", "7m", "90m", "0m", "5h", "48h", "-15m", "15", "m", "hour "])
def test_a_bucket_that_does_not_fit_into_hours_or_days_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="choose auto, hour, day") as refused:
        parse(text)
    assert refused.value.details[0].field == "bucket"


def test_a_chart_is_given_the_narrowest_bucket_that_fits() -> None:
    assert for_chart(DAY_MS, 300).name == "5m"
    assert for_chart(DAY_MS, 287).name == "15m"
    assert for_chart(30 * DAY_MS, 720).name == "hour"
    assert for_chart(30 * DAY_MS, 719).name == "2h"
    assert for_chart(3_000 * DAY_MS, 100).name == "day"
