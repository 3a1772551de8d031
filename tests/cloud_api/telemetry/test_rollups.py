"""Hours and days kept at ingest are those a recount finds, however late and shuffled the readings come."""

from collections import defaultdict
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.kernel import clock
from cloud_api.telemetry.rollups import NEVER, STATE, Arrivals, Table, advance
from cloud_api.telemetry.zones import number_of, zone_called
from tests.factories.properties import FEW

#: the night in which clocks go forward there, and the one in which they go back
NIGHTS = {
    "Europe/Berlin": ("2026-03-28T20:00:00Z", "2026-10-24T20:00:00Z"),
    "Asia/Kolkata": ("2026-03-28T20:00:00Z", "2026-12-31T15:00:00Z"),
    "America/Santiago": ("2026-09-05T23:00:00Z", "2026-04-04T23:00:00Z"),
    "Asia/Beirut": ("2026-03-28T18:00:00Z", "2026-10-24T18:00:00Z"),
}
HOUR_MS = 3_600_000
MINUTE_MS = 60_000

#: (series, minutes after the night's beginning, value in eighths, whether it is bad)
readings = st.tuples(st.integers(0, 2), st.integers(0, 16 * 60), st.integers(-400, 400), st.booleans())
batches = st.lists(st.lists(readings, min_size=1, max_size=12), min_size=1, max_size=8)
Bucket = tuple[int, int, float, float, float]


def at(text: str) -> int:
    return clock.to_ms(datetime.fromisoformat(text))


def fresh(zones: list[str]) -> Table:
    state = np.zeros(len(zones), STATE)
    state["number"] = np.arange(len(zones)) + 100
    state["zone"] = [number_of(zone) for zone in zones]
    for name in ("last_ms", "heard_ms"):
        state[name] = NEVER
    for bucket in ("hour", "day"):
        state[bucket]["begins_ms"] = NEVER
    return state


def arrivals(rows: list[tuple[int, int, float, bool]]) -> Arrivals:
    """(series, time, value, bad), those of a series together."""
    rows = sorted(rows, key=lambda row: row[0])
    which, times_ms, values, bad = zip(*rows, strict=True)
    return Arrivals(
        np.array(which, np.int64), np.array(times_ms, np.int64), np.array(values), np.array(bad, np.int8) * np.int8(2)
    )


def summary(values: list[float]) -> tuple[int, float, float, float]:
    return len(values), sum(values), min(values), max(values)


def hour_of(zone: str, at_ms: int) -> int:
    local = datetime.fromtimestamp(at_ms / 1000, ZoneInfo(zone))
    offset = local.utcoffset()
    assert offset is not None
    offset_ms = round(offset.total_seconds() * 1000)
    return (at_ms + offset_ms) // HOUR_MS * HOUR_MS - offset_ms


def day_of(zone: str, at_ms: int) -> int:
    """The first instant, to the minute, that has the same date."""
    date = datetime.fromtimestamp(at_ms / 1000, ZoneInfo(zone)).date()
    at_ms = at_ms // MINUTE_MS * MINUTE_MS
    while datetime.fromtimestamp((at_ms - MINUTE_MS) / 1000, ZoneInfo(zone)).date() == date:
        at_ms -= MINUTE_MS
    return at_ms


class Kept:
    """What the tables would have: closed buckets, each addition to the same one added up."""

    def __init__(self, state: Table) -> None:
        self.state = state
        self.closed: dict[str, dict[tuple[int, int], Bucket]] = {"hour": {}, "day": {}}

    def take(self, rows: list[tuple[int, int, float, bool]]) -> None:
        new = advance(self.state, arrivals(rows), heard_ms=1)
        for name, buckets in (("hour", new.hours), ("day", new.days)):
            keys = [(bucket[0], bucket[1]) for bucket in buckets.tolist()]
            assert len(keys) == len(set(keys))  # each at most once, or the database refuses the statement
            for series, begins_ms, count, total, minimum, maximum in buckets.tolist():
                self._add(name, series, (begins_ms, count, total, minimum, maximum))

    def _add(self, name: str, series: int, new: Bucket) -> None:
        old = self.closed[name].get((series, new[0]))
        if old is not None:
            new = (new[0], old[1] + new[1], old[2] + new[2], min(old[3], new[3]), max(old[4], new[4]))
        self.closed[name][series, new[0]] = new

    def all(self, name: str) -> dict[tuple[int, int], Bucket]:
        """Closed ones and, as the view has it, the open one of each series."""
        found = dict(self.closed[name])
        for series, bucket in zip(self.state["number"].tolist(), self.state[name].tolist(), strict=True):
            if bucket[0] != NEVER:
                assert (series, bucket[0]) not in found
                found[series, bucket[0]] = bucket
        return found


@FEW
@given(sent=batches, zones=st.lists(st.sampled_from(sorted(NIGHTS)), min_size=3, max_size=3), back=st.booleans())
def test_hours_and_days_are_those_of_a_recount(
    sent: list[list[tuple[int, int, int, bool]]], zones: list[str], back: bool
) -> None:
    kept = Kept(fresh(zones))
    raw: dict[tuple[int, str, int], list[float]] = defaultdict(list)
    for batch in sent:
        rows = [
            (series, at(NIGHTS[zones[series]][back]) + minutes * MINUTE_MS, eighths / 8, bad)
            for series, minutes, eighths, bad in batch
        ]
        kept.take(rows)
        for series, at_ms, value, bad in rows:
            if not bad:
                raw[series, "hour", hour_of(zones[series], at_ms)].append(value)
                raw[series, "day", day_of(zones[series], at_ms)].append(value)
    for name in ("hour", "day"):
        recount = {
            (100 + series, begins_ms): (begins_ms, *summary(values))
            for (series, kind, begins_ms), values in raw.items()
            if kind == name
        }
        assert kept.all(name) == recount


@FEW
@given(sent=batches)
def test_the_last_value_is_the_newest_whatever_its_quality(sent: list[list[tuple[int, int, int, bool]]]) -> None:
    kept, newest = Kept(fresh(["UTC"] * 3)), dict[int, tuple[int, float, int]]()
    for batch in sent:
        rows = [(series, minutes * MINUTE_MS, eighths / 8, bad) for series, minutes, eighths, bad in batch]
        kept.take(rows)
        for series, at_ms, value, bad in rows:
            if series not in newest or at_ms >= newest[series][0]:
                newest[series] = at_ms, value, 2 * bad
    for series, last in newest.items():
        row = kept.state[series]
        assert (row["last_ms"], row["last_value"], row["last_quality"]) == last


@pytest.mark.parametrize("zone", sorted(NIGHTS))
def test_days_begin_where_the_calendar_says_and_last_as_long_as_they_do(zone: str) -> None:
    noons = np.arange(at("2026-01-01T12:00:00Z"), at("2027-01-01T12:00:00Z"), 24 * HOUR_MS)
    _, dates = zone_called(zone).hours(noons)
    begins = zone_called(zone).day_begins(dates)
    assert begins.tolist() == [day_of(zone, noon) for noon in noons.tolist()]
    assert {HOUR_MS * 23, HOUR_MS * 24, HOUR_MS * 25} >= {*np.diff(begins).tolist()}


def feed(state: Table, times_s: list[float], *, at_once: int) -> int:
    for start in range(0, len(times_s), at_once):
        rows = [(0, round(time_s * 1000), 1.0, False) for time_s in times_s[start : start + at_once]]
        advance(state, arrivals(rows), heard_ms=1)
    return int(state["cadence_ms"][0])


@pytest.mark.parametrize("at_once", [1, 3, 20])
def test_the_cadence_is_how_far_readings_are_apart_as_a_rule(at_once: int) -> None:
    steady = [index * 60.0 + (index % 3) for index in range(60)]
    assert feed(fresh(["UTC"]), steady, at_once=at_once) == pytest.approx(60_000, rel=0.03)


@pytest.mark.parametrize("at_once", [1, 3, 20])
def test_a_gap_hardly_moves_the_cadence_and_a_change_is_known_after_some_dozens(at_once: int) -> None:
    state = fresh(["UTC"])
    feed(state, [index * 60.0 for index in range(60)], at_once=at_once)
    assert feed(state, [86_400.0], at_once=1) == pytest.approx(60_000, rel=0.12)
    slower = [86_400 + index * 600.0 for index in range(1, 61)]
    assert feed(state, slower, at_once=at_once) == pytest.approx(600_000, rel=0.05)


def test_one_reading_tells_no_cadence_and_history_disturbs_none() -> None:
    state = fresh(["UTC"])
    assert feed(state, [1_000.0], at_once=1) == 0
    feed(state, [1_060.0, 1_120.0], at_once=1)
    assert feed(state, [100.0], at_once=1) == 60_000


def test_utc_is_a_zone_like_any_other() -> None:
    times_ms = np.array([clock.to_ms(datetime(2026, 1, 31, 8, 59, 59, tzinfo=UTC))])
    hours_ms, dates = zone_called("UTC").hours(times_ms)
    assert (hours_ms[0], dates[0]) == (at("2026-01-31T08:00:00Z"), at("2026-01-31T00:00:00Z") // (24 * HOUR_MS))
