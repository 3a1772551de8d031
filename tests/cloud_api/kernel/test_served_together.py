"""What waits is served together; whoever spoils it, spoils it for nobody else."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from cloud_api.kernel.errors import AppError, NotFound
from cloud_api.kernel.served_together import ServedTogether


class Spoilt(Exception):
    """One of a group makes the whole fail."""


@dataclass
class Kitchen:
    """Doubles numbers once it is let; a negative one is refused, and zero spoils everything it is served with."""

    open: asyncio.Event = field(default_factory=asyncio.Event)
    groups: list[list[int]] = field(default_factory=list)

    async def cook(self, _key: str, numbers: Sequence[int]) -> Sequence[int | AppError]:
        await self.open.wait()
        self.groups.append(list(numbers))
        if 0 in numbers:
            raise Spoilt
        return [NotFound("less than nothing") if number < 0 else 2 * number for number in numbers]


async def begun(served: ServedTogether[str, int, int], *numbers: int, key: str = "table") -> list[asyncio.Task[int]]:
    """Each asked by somebody, one after the other; the first is being served, the others wait."""
    asked = []
    for number in numbers:
        asked.append(asyncio.create_task(served.ask(key, number)))
        await asyncio.sleep(0)
    return asked


async def test_what_comes_while_one_is_served_is_served_together_in_the_order_it_came() -> None:
    kitchen = Kitchen()
    served = ServedTogether(kitchen.cook, what="dishes")
    asked = [*await begun(served, 1, 2, 3), *await begun(served, 7, key="bar")]
    kitchen.open.set()
    assert await asyncio.gather(*asked) == [2, 4, 6, 14]
    assert sorted(kitchen.groups) == [[1], [2, 3], [7]]


async def test_who_is_refused_is_refused_alone() -> None:
    kitchen = Kitchen()
    asked = await begun(ServedTogether(kitchen.cook, what="dishes"), 1, -2, 3)
    kitchen.open.set()
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(answer) for answer in answers] == [int, NotFound, int]


async def test_what_fails_together_is_served_one_by_one() -> None:
    kitchen = Kitchen()
    asked = await begun(ServedTogether(kitchen.cook, what="dishes"), 1, 2, 0, 3)
    kitchen.open.set()
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(answer) for answer in answers] == [int, int, Spoilt, int]
    assert kitchen.groups == [[1], [2, 0, 3], [2], [0], [3]]


async def test_where_none_can_be_at_fault_all_hear_of_a_failure_at_once() -> None:
    kitchen = Kitchen()
    asked = await begun(ServedTogether(kitchen.cook, what="dishes", one_by_one=False), 1, 2, 0)
    kitchen.open.set()
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(answer) for answer in answers] == [int, Spoilt, Spoilt]
    assert kitchen.groups == [[1], [2, 0]]


async def test_who_has_gone_is_served_no_more() -> None:
    kitchen = Kitchen()
    first, gone, last = await begun(ServedTogether(kitchen.cook, what="dishes"), 1, 2, 3)
    gone.cancel()
    kitchen.open.set()
    assert [await first, await last] == [2, 6]
    with pytest.raises(asyncio.CancelledError):
        await gone
    assert kitchen.groups == [[1], [3]]
