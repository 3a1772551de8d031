"""Times, sums and reasons as people read them: pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from cloud_api.notifications.letters import Language

#: a time to the minute would promise more than anybody knows
_STEP = timedelta(minutes=5)

REASONS: Mapping[str, Mapping[Language, str]] = {
    "customer_absent": {"en": "nobody was there", "hi": "कोई नहीं मिला"},
    "refused": {"en": "it was not accepted", "hi": "इसे स्वीकार नहीं किया गया"},
    "wrong_address": {"en": "the address was not found", "hi": "पता नहीं मिला"},
    "damaged": {"en": "the goods were damaged", "hi": "सामान ख़राब था"},
    "excursion": {"en": "the goods had become too warm", "hi": "सामान का तापमान बढ़ गया था"},
    "vehicle": {"en": "the van broke down", "hi": "गाड़ी ख़राब हो गई"},
    "other": {"en": "something came in between", "hi": "कोई बाधा आ गई"},
}


def reason(code: str, language: Language) -> str:
    """Why a hand-over came to nothing."""
    return REASONS.get(code, REASONS["other"])[language]


def clock_time(at: datetime, zone: ZoneInfo) -> str:
    """`10:32`, where it happens."""
    return f"{at.astimezone(zone):%H:%M}"


def band(p50_at: datetime, p90_at: datetime, *, now: datetime, zone: ZoneInfo) -> tuple[str, str]:
    """From when to when a van is expected: as long before the middle as after it, never in the past, in five minutes.

    Returns:
        Two local times, the second no earlier than the first.
    """
    until = _up(max(p90_at, p50_at, now))
    begin = min(max(_down(p50_at - (p90_at - p50_at)), _down(now)), until)
    return clock_time(begin, zone), clock_time(until, zone)


def amount(minor: int, currency: str) -> str:
    """`INR 1,425.50`."""
    return f"{currency} {Decimal(minor) / 100:,.2f}"


def _down(at: datetime) -> datetime:
    return at - timedelta(minutes=at.minute % 5, seconds=at.second, microseconds=at.microsecond)


def _up(at: datetime) -> datetime:
    floor = _down(at)
    return floor if floor == at else floor + _STEP
