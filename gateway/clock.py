"""The gateway's time, injectable, so that a demonstration's whole world can run faster than the real one."""

import asyncio
import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Clock:
    """World time: `wall = origin + (real - origin) * speed`. The default is real time.

    Every party of a demonstration gets the same speed and origin, so their clocks agree without talking.
    """

    #: world seconds in a real second, > 0
    speed: float = 1.0
    #: the instant (ms since 1970) at which world and real time are equal; matters only when `speed` is not 1
    origin_ms: int = 0

    def __post_init__(self) -> None:
        if not self.speed > 0:
            raise ValueError(f"a clock's speed must be above 0, not {self.speed}")

    def wall_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC, in world time."""
        real_ms = time.time_ns() // 1_000_000
        if self.speed == 1.0:
            return real_ms
        return self.origin_ms + round((real_ms - self.origin_ms) * self.speed)

    def monotonic_s(self) -> float:
        """World seconds since the box was started, its sleep included; never goes back."""
        return time.clock_gettime(time.CLOCK_BOOTTIME) * self.speed

    async def sleep(self, seconds: float) -> None:
        """Sleep `seconds` of world time."""
        await asyncio.sleep(seconds / self.speed)

    async def wait(self, event: asyncio.Event, seconds: float) -> bool:
        """Wait for the event, at most `seconds` of world time; whether it came."""
        try:
            async with asyncio.timeout(seconds / self.speed):
                return await event.wait()
        except TimeoutError:
            return False
