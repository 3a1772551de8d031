"""Days, weeks and months: whole, in order, without a gap, wherever clocks are set and however."""

import itertools
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.analytics.periods import Period, growth
from tests.factories.properties import FEW

KOLKATA, BERLIN, SANTIAGO = ZoneInfo("Asia/Kolkata"), ZoneInfo("Europe/Berlin"), ZoneInfo("America/Santiago")
ZONES = ("Asia/Kolkata", "Europe/Berlin", "America/Santiago", "Australia/Lord_Howe", "America/Havana", "Africa/Cairo")


def test_a_day_in_india_begins_half_an_hour_from_any_full_one() -> None:
    [day] = Period(date(2026, 3, 1), date(2026, 3, 1), KOLKATA).spans
    assert (day.begins, day.ends) == (
        datetime(2026, 2, 28, 18, 30, tzinfo=UTC),
        datetime(2026, 3, 1, 18, 30, tzinfo=UTC),
    )


def test_a_day_on_which_clocks_are_set_has_23_or_25_hours() -> None:
    spans = Period(date(2026, 3, 28), date(2026, 3, 30), BERLIN).spans
    assert [span.ends - span.begins for span in spans] == [
        timedelta(hours=24),
        timedelta(hours=23),
        timedelta(hours=24),
    ]
    [autumn] = Period(date(2026, 10, 25), date(2026, 10, 25), BERLIN).spans
    assert autumn.ends - autumn.begins == timedelta(hours=25)


def test_a_day_without_a_midnight_begins_at_its_first_instant() -> None:
    [day] = Period(date(2026, 9, 6), date(2026, 9, 6), SANTIAGO).spans
    assert day.begins.astimezone(SANTIAGO).isoformat() == "2026-09-06T01:00:00-03:00"
    assert day.ends - day.begins == timedelta(hours=23)


@pytest.mark.parametrize(
    ("first", "last", "before"),
    [
        (date(2026, 3, 1), date(2026, 3, 31), (date(2026, 2, 1), date(2026, 2, 28))),
        (date(2026, 1, 1), date(2026, 3, 31), (date(2025, 10, 1), date(2025, 12, 31))),
        (date(2026, 1, 1), date(2026, 1, 30), (date(2025, 12, 2), date(2025, 12, 31))),
        (date(2026, 11, 22), date(2026, 11, 22), (date(2026, 11, 21), date(2026, 11, 21))),
    ],
)
def test_what_a_period_is_compared_with(first: date, last: date, before: tuple[date, date]) -> None:
    found = Period(first, last, KOLKATA).before
    assert (found.first, found.last) == before


def test_weeks_begin_on_mondays_and_months_on_their_first() -> None:
    weeks = Period(date(2026, 11, 4), date(2026, 11, 22), KOLKATA, "week").spans
    assert [(span.first.day, span.last.day) for span in weeks] == [(4, 8), (9, 15), (16, 22)]
    months = Period(date(2025, 12, 30), date(2026, 2, 3), KOLKATA, "month").spans
    assert [(span.first.isoformat(), span.last.isoformat()) for span in months] == [
        ("2025-12-30", "2025-12-31"),
        ("2026-01-01", "2026-01-31"),
        ("2026-02-01", "2026-02-03"),
    ]


@FEW
@given(
    first=st.dates(date(2015, 1, 1), date(2035, 1, 1)),
    days=st.integers(0, 365),
    by=st.sampled_from(("day", "week", "month")),
    zone=st.sampled_from(ZONES),
    share=st.floats(0, 0.999),
)
def test_steps_follow_each_other_and_every_instant_has_its_own(
    first: date, days: int, by: str, zone: str, share: float
) -> None:
    period = Period(first, first + timedelta(days=days), ZoneInfo(zone), by)  # type: ignore[arg-type]
    spans = period.spans
    assert (spans[0].begins, spans[-1].ends) == (period.begins, period.ends)
    assert all(one.ends == after.begins for one, after in itertools.pairwise(spans))
    at = period.begins + (period.ends - period.begins) * share
    assert spans[period.place(at)].first <= at.astimezone(ZoneInfo(zone)).date() <= spans[period.place(at)].last
    assert period.before.ends == period.begins


def test_growth_is_a_share_of_what_was_before() -> None:
    assert (growth(150, 100), growth(50, 100), growth(50, -100), growth(5, 0)) == (0.5, -0.5, 1.5, None)
