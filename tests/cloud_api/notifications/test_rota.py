"""Who is on call, and whose hours are quiet, in the place's own time."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.notifications.rota import Duty, Shift, covers, end_of_quiet, order

KOLKATA = ZoneInfo("Asia/Kolkata")
BERLIN = ZoneInfo("Europe/Berlin")
#: a Monday
NIGHT = Shift((0,), time(22), time(6))
DAY = Shift((0, 1, 2, 3, 4), time(6), time(22))


def at(text: str, zone: ZoneInfo = KOLKATA) -> datetime:
    """A local instant of the week that begins on Monday, 2026-03-02."""
    return datetime.fromisoformat(f"2026-03-{text}").replace(tzinfo=zone).astimezone(UTC)


@pytest.mark.parametrize(
    ("shift", "instant", "on"),
    [
        (DAY, "02T06:00", True),
        (DAY, "02T21:59", True),
        (DAY, "02T22:00", False),
        (DAY, "07T12:00", False),
        (NIGHT, "02T05:59", False),
        (NIGHT, "02T22:00", True),
        (NIGHT, "03T05:59", True),
        (NIGHT, "03T06:00", False),
        (NIGHT, "03T22:00", False),
        (Shift((6,), time(0), time(0)), "08T13:00", True),
        (Shift((6,), time(12), time(12)), "09T11:59", True),
        (Shift((6,), time(12), time(12)), "09T12:00", False),
    ],
)
def test_a_shift_is_of_the_day_on_which_it_begins(shift: Shift, instant: str, on: bool) -> None:
    assert covers(shift, at(instant), KOLKATA) is on


def test_a_shift_is_in_local_time() -> None:
    assert covers(DAY, at("02T07:00"), KOLKATA)
    assert not covers(DAY, at("02T07:00"), BERLIN), "it is half past two there"


def test_the_rota_comes_before_the_shifts_and_who_has_no_hours_stands_in_last() -> None:
    duty = Duty(at("02T00:00"), at("02T12:00"))
    members = [([], []), ([DAY], []), ([NIGHT], [duty]), ([NIGHT], [])]
    assert order(members, at("02T11:59"), KOLKATA) == [2, 1, 0]
    assert order(members, at("02T12:00"), KOLKATA) == [1, 0]
    assert order(members, at("02T23:00"), KOLKATA) == [2, 3, 0]


def test_an_hour_that_nobody_planned_for_is_everybodys() -> None:
    assert order([([DAY], []), ([NIGHT], [])], at("08T12:00"), KOLKATA) == [0, 1]


@pytest.mark.parametrize(
    ("now", "end"),
    [
        ("02T21:59", None),
        ("02T22:00", "03T06:30"),
        ("03T00:00", "03T06:30"),
        ("03T06:29", "03T06:30"),
        ("03T06:30", None),
    ],
)
def test_quiet_hours_go_over_midnight(now: str, end: str | None) -> None:
    expected = None if end is None else at(end)
    assert end_of_quiet(time(22), time(6, 30), at(now), KOLKATA) == expected


def test_quiet_hours_end_by_the_clock_on_the_wall_when_it_is_put_forward() -> None:
    before = datetime(2026, 3, 28, 23, 0, tzinfo=BERLIN)
    end = end_of_quiet(time(22), time(7), before.astimezone(UTC), BERLIN)
    assert end == datetime(2026, 3, 29, 7, 0, tzinfo=BERLIN)
    assert end - before.astimezone(UTC) == timedelta(hours=7)


@given(
    st.times().map(lambda one: one.replace(microsecond=0)),
    st.times().map(lambda one: one.replace(microsecond=0)),
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)),  # noqa: DTZ001 - the zone follows
    st.sampled_from([KOLKATA, BERLIN, ZoneInfo("America/Caracas")]),
)
def test_quiet_hours_end_within_a_day_and_then_it_is_loud(
    begin: time, until: time, now: datetime, zone: ZoneInfo
) -> None:
    instant = now.replace(tzinfo=UTC)
    if begin == until:
        return
    end = end_of_quiet(begin, until, instant, zone)
    if end is not None:
        assert instant < end <= instant + timedelta(hours=25)
        assert end_of_quiet(begin, until, end, zone) is None
