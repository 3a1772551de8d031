"""Whose clock a reading carries: the device's when it gave a time, the gateway's otherwise.

A decoder says what the message says; whether that can be true is for the pipeline to judge (`is_credible`).
"""

from datetime import datetime, timedelta

from gateway.contract import Quality, TimeSource

#: LoRaWAN history and sensors that were out of reach are honest about old readings ...
OLDEST_MS = 30 * 24 * 3600 * 1000
#: ... but a device that is ahead of the gateway by more than this has a wrong clock
NEWEST_MS = 5 * 60 * 1000
#: seconds since 1970 below this are no time: a device without network time counts from its start, or its messages
_FIRST_TRUE_S = 1_000_000_000

When = tuple[int, TimeSource, Quality]


def is_credible(device_ms: int, received_at_ms: int) -> bool:
    """Whether a device's time lies within [-30 days, +5 minutes] of the receipt."""
    return received_at_ms - OLDEST_MS <= device_ms <= received_at_ms + NEWEST_MS


def of(device_ms: int | None, received_at_ms: int) -> When:
    """The device's time; the receipt's, marked suspect, when `device_ms` is None: it gave one that cannot be read."""
    if device_ms is None:
        return received_at_ms, "gateway", "suspect"
    return device_ms, "device", "good"


def of_epoch_s(told: object, received_at_ms: int) -> When:
    """Seconds since 1970, as a number or as its text; nothing, or a clock that was never set, is no time at all."""
    if isinstance(told, str):
        try:
            told = float(told)
        except ValueError:
            return of(None, received_at_ms)
    if told is None:
        return received_at_ms, "gateway", "good"
    if isinstance(told, bool) or not isinstance(told, int | float) or not abs(told) < 1e12:
        return of(None, received_at_ms)
    if told < _FIRST_TRUE_S:
        return received_at_ms, "gateway", "good"
    return of(round(told * 1000), received_at_ms)


def of_iso_8601(told: object, received_at_ms: int) -> When:
    """A date with its offset from UTC; nothing is no time at all."""
    if told is None:
        return received_at_ms, "gateway", "good"
    return of(from_iso_8601(told) if isinstance(told, str) else None, received_at_ms)


def from_iso_8601(text: str) -> int | None:
    """Milliseconds since 1970, or None when `text` is no date or does not say its offset from UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    return (moment - _EPOCH) // timedelta(milliseconds=1)


_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
