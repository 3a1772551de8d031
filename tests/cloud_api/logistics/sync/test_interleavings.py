"""However the parts of a log arrive, the day ends as if they had come one after the other."""

from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cloud_api.logistics.sync.days import COMMANDS, EXPECTED, a_sealed_day, the_end
from tests.factories.farms import open_farm
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.handsets import Day

pytestmark = IN_ONE_LOOP


@pytest_asyncio.fixture(loop_scope="session")
async def one_after_the_other(ground: Any) -> Any:
    """What the same day ends as when nothing is lost, shuffled or repeated."""
    async with open_farm(ground) as farm:
        day = await a_sealed_day(farm)
        for number in range(1, COMMANDS + 1):
            assert (await day.phone.send(number))[number][0] in ("applied", "duplicate")
        return await the_end(day)


async def send_in_parts(day: Day, parts: list[list[int]]) -> None:
    for part in parts:
        await day.phone.send(*part)
    await day.phone.send(*range(1, COMMANDS + 1))  # in the end everything has been sent


async def test_one_after_the_other_is_as_the_day_was(one_after_the_other: dict[str, Any]) -> None:
    assert one_after_the_other == EXPECTED


parts = st.lists(st.lists(st.integers(1, COMMANDS), max_size=COMMANDS), max_size=6)


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=parts)
async def test_whatever_is_lost_repeated_or_turned_around_the_day_ends_the_same(
    ground: Any, parts: list[list[int]]
) -> None:
    async with open_farm(ground) as farm:
        day = await a_sealed_day(farm)
        await send_in_parts(day, parts)
        assert await the_end(day) == EXPECTED


@pytest.mark.long
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=parts)
async def test_the_same_of_very_many_interleavings(ground: Any, parts: list[list[int]]) -> None:
    async with open_farm(ground) as farm:
        day = await a_sealed_day(farm)
        await send_in_parts(day, parts)
        assert await the_end(day) == EXPECTED
