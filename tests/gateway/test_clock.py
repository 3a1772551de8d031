import asyncio
import time

import pytest

from gateway.clock import Clock


def test_the_default_clock_tells_real_time() -> None:
    before = time.time_ns() // 1_000_000
    told = Clock().wall_ms()
    assert before <= told <= time.time_ns() // 1_000_000


def test_two_clocks_of_one_demonstration_agree() -> None:
    origin_ms = time.time_ns() // 1_000_000 - 10_000
    gateway, simulator = Clock(600.0, origin_ms), Clock(600.0, origin_ms)
    first, second = gateway.wall_ms(), simulator.wall_ms()
    assert first >= origin_ms + 600 * 10_000
    assert second >= first


async def test_an_hour_of_sleep_passes_at_the_speed_of_the_world() -> None:
    clock = Clock(speed=1_000_000.0)
    started_s = clock.monotonic_s()
    async with asyncio.timeout(30):
        await clock.sleep(3600.0)
    assert clock.monotonic_s() - started_s >= 3600.0


async def test_waiting_ends_with_the_event_or_with_the_time() -> None:
    clock, event = Clock(speed=1_000_000.0), asyncio.Event()
    assert not await clock.wait(event, 3600.0)
    event.set()
    assert await Clock().wait(event, 3600.0)


@pytest.mark.parametrize("speed", [0.0, -1.0, float("nan")])
def test_time_never_stands_still_nor_runs_backwards(speed: float) -> None:
    with pytest.raises(ValueError, match="speed"):
        Clock(speed=speed)
