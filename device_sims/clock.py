"""The world's clock: one time that simulators, gateway and cloud of a demonstration share, running faster than real."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass


def real_now_ms() -> int:
    """Milliseconds since 1970-01-01 UTC by the machine's own clock."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True)
class WorldClock:
    """A clock that agrees with the real one at `origin_ms` and runs `speed` times as fast from there.

    Two processes with the same speed and origin read the same time, without talking to each other.
    """

    #: world seconds per real second, > 0
    speed: float
    #: milliseconds since 1970-01-01 UTC: the instant at which both clocks agree
    origin_ms: int
    real_now_ms: Callable[[], int] = real_now_ms

    def __post_init__(self) -> None:
        if not self.speed > 0:
            raise ValueError(f"the clock's speed is {self.speed}: it must be above 0")

    def now_ms(self) -> int:
        """World time, in milliseconds since 1970-01-01 UTC."""
        return self.origin_ms + round((self.real_now_ms() - self.origin_ms) * self.speed)

    def real_seconds(self, world_seconds: float) -> float:
        """How long a stretch of world time lasts on a wall clock."""
        return world_seconds / self.speed

    async def sleep(self, seconds: float) -> None:
        """Sleep for `seconds` of world time."""
        await asyncio.sleep(self.real_seconds(seconds))
