"""Times and sums as customers read them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.logistics.deliveries.models import FAILURES
from cloud_api.logistics.messages.words import REASONS, amount, band, reason

INDIA = ZoneInfo("Asia/Kolkata")
NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("p50_min", "p90_min", "expected"),
    [
        # 9:30 in India; as long before the middle as after it, in steps of five minutes outwards
        (30, 42, ("09:45", "10:15")),
        (30, 30, ("10:00", "10:00")),
        # never in the past
        (3, 20, ("09:30", "09:50")),
        (-10, -5, ("09:30", "09:30")),
    ],
)
def test_a_band_is_honest_on_both_sides(p50_min: int, p90_min: int, expected: tuple[str, str]) -> None:
    p50_at, p90_at = NOW + timedelta(minutes=p50_min), NOW + timedelta(minutes=p90_min)
    assert band(p50_at, p90_at, now=NOW, zone=INDIA) == expected


@given(st.integers(-7_200, 36_000), st.integers(0, 7_200), st.integers(0, 86_399))
def test_a_band_holds_its_middle_and_is_not_over(middle_s: int, spread_s: int, of_day_s: int) -> None:
    now = NOW.replace(hour=0) + timedelta(seconds=of_day_s)
    p50_at = now + timedelta(seconds=middle_s)
    begin, until = band(p50_at, p50_at + timedelta(seconds=spread_s), now=now, zone=ZoneInfo("UTC"))
    width_s = (_s(until) - _s(begin)) % 86_400
    assert width_s <= 2 * spread_s + 10 * 60
    if middle_s >= 0:
        assert (_s(f"{p50_at:%H:%M}") - _s(begin)) % 86_400 <= width_s


def _s(at: str) -> int:
    hours, minutes = at.split(":")
    return int(hours) * 3_600 + int(minutes) * 60


def test_sums_are_written_with_their_currency() -> None:
    assert [amount(minor, "INR") for minor in (142_550, 5, 123_456_789)] == [
        "INR 1,425.50",
        "INR 0.05",
        "INR 1,234,567.89",
    ]


def test_every_reason_has_words_in_every_language() -> None:
    assert set(REASONS) == set(FAILURES)
    assert all(reason(code, "en") and reason(code, "hi") for code in REASONS)
    assert reason("volcano", "en") == reason("other", "en")
