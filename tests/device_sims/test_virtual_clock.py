"""A world in which nothing takes time but sleeping."""

import asyncio

import pytest

from device_sims.virtual_clock import VirtualClock


async def test_a_day_passes_as_soon_as_everybody_sleeps() -> None:
    clock, seen = VirtualClock(1_000), list[tuple[str, int]]()

    async def act(name: str, every_s: float, times: int) -> None:
        for _ in range(times):
            await clock.sleep(every_s)
            seen.append((name, clock.now_ms()))

    await clock.run([act("slow", 7_200, 2), act("quick", 3_000, 3)])
    assert seen == [
        ("quick", 3_001_000),
        ("quick", 6_001_000),
        ("slow", 7_201_000),
        ("quick", 9_001_000),
        ("slow", 14_401_000),
    ]


async def test_time_stands_still_while_somebody_waits_for_an_answer() -> None:
    clock, seen = VirtualClock(0), list[int]()

    async def asks() -> None:
        await clock.sleep(1)
        for _ in range(20):
            await asyncio.sleep(0)
        seen.append(clock.now_ms())

    async def hurries() -> None:
        for _ in range(5):
            await clock.sleep(1.5)

    await clock.run([asks(), hurries()])
    assert seen == [1_000]
    assert clock.now_ms() == 7_500


async def test_who_wakes_at_the_same_instant_wakes_one_after_the_other() -> None:
    clock, awake, most = VirtualClock(0), 0, 0

    async def act() -> None:
        nonlocal awake, most
        for _ in range(3):
            await clock.sleep(10)
            awake += 1
            most = max(most, awake)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            awake -= 1

    await clock.run([act() for _ in range(4)])
    assert most == 1


async def test_what_goes_wrong_ends_the_day() -> None:
    clock = VirtualClock(0)

    async def fails() -> None:
        await clock.sleep(1)
        raise LookupError("no such door")

    async def sleeps() -> None:
        await clock.sleep(1_000_000)

    with pytest.raises(ExceptionGroup) as raised:
        await clock.run([sleeps(), fails()])
    assert [str(error) for error in raised.value.exceptions] == ["no such door"]
