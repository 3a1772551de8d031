"""From hours of shelf life to the last day on a shelf."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.cold_chain.exposure.keeping import last_whole_day
from cloud_api.kernel import clock


@pytest.mark.parametrize(
    ("hour", "days", "expected"),
    [
        (0, 1.0, date(2026, 6, 1)),
        (12, 0.5, date(2026, 6, 1)),
        (12, 0.49, date(2026, 5, 31)),
        (12, 1.5, date(2026, 6, 2)),
        (12, 0.0, date(2026, 5, 31)),
    ],
)
def test_only_days_that_it_lasts_to_their_end_are_counted(hour: int, days: float, expected: date) -> None:
    assert last_whole_day(datetime(2026, 6, 1, hour, tzinfo=UTC), days) == expected


@given(st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)), st.integers(0, 4000))  # noqa: DTZ001 - made aware below
def test_what_lost_nothing_keeps_its_labels_day(now: datetime, days: int) -> None:
    at = now.replace(tzinfo=UTC)
    label = at.date() + timedelta(days=days)
    ends = datetime.combine(label, datetime.max.time(), UTC)
    assert last_whole_day(at, (clock.to_ms(ends) - clock.to_ms(at)) / 86_400_000) == label
