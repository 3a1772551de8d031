"""What time it is: always aware, always UTC, always asked here."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]


def _system() -> datetime:
    return datetime.now(UTC)


_clock: Clock = _system


def now() -> datetime:
    """The instant, aware and in UTC."""
    return _clock()


def now_ms() -> int:
    """Milliseconds since 1970-01-01 UTC, as the wire counts them."""
    return to_ms(now())


def machine_now() -> datetime:
    """The machine's own time, whatever `use` put in place: for leases and retries between processes."""
    return _system()


def use(clock: Clock | None) -> None:
    """Put another clock in place for the whole process; None goes back to the machine's."""
    global _clock
    _clock = clock or _system


def scaled(*, origin: datetime, speed: float) -> Clock:
    """A clock that reads `origin` at `origin` and runs `speed` times as fast from there: a demonstration's world."""

    def read() -> datetime:
        elapsed_s = time.time() - origin.timestamp()
        return origin + timedelta(seconds=elapsed_s * speed)

    return read


def to_ms(instant: datetime) -> int:
    """Milliseconds since 1970-01-01 UTC."""
    return round(instant.timestamp() * 1000)


def from_ms(instant_ms: int) -> datetime:
    """The aware UTC instant of milliseconds since 1970-01-01.

    Raises:
        ValueError: when the year leaves 1970..9999.
    """
    if not 0 <= instant_ms < 253_402_300_800_000:
        raise ValueError(f"{instant_ms} ms is no time between 1970 and 9999")
    seconds, milliseconds = divmod(instant_ms, 1000)
    return datetime.fromtimestamp(seconds, UTC) + timedelta(milliseconds=milliseconds)
