"""A world whose time stands still while anybody does something: a day of many actors in as long as they take to act.

Actors are coroutines that wait for nothing but `sleep` and answers. When all of them sleep, the clock jumps to where
the first one wakes; two that wake at the same instant wake one after the other, in the order in which they lay down.
So a day goes the same way each time, however long an answer takes.
"""

import asyncio
import heapq
import itertools
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import Any


class VirtualClock:
    """The time of such a world; takes the place of `WorldClock`."""

    def __init__(self, origin_ms: int) -> None:
        self._now_ms = origin_ms
        self._turn = itertools.count()
        #: (when, turn, who waits)
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._awake = 0

    def now_ms(self) -> int:
        """The world's time, in milliseconds since 1970-01-01 UTC."""
        return self._now_ms

    def real_seconds(self, world_seconds: float) -> float:
        """A stretch of the world's time takes none."""
        return world_seconds * 0.0

    async def sleep(self, seconds: float) -> None:
        """Sleep for `seconds` of the world's time. Of somebody who is no actor here, nothing comes of it."""
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        wakes_ms = self._now_ms + max(1, round(seconds * 1000))
        heapq.heappush(self._sleepers, (wakes_ms, next(self._turn), waiting))
        self._awake -= 1
        self._move_on()
        await waiting

    async def run(self, actors: Sequence[Coroutine[Any, Any, None]]) -> None:
        """Let them act until the last one has ended.

        Raises:
            Exception: whatever one of them raises; the others end with it.
        """
        self._awake += len(actors)
        async with asyncio.TaskGroup() as group:
            for actor in actors:
                group.create_task(self._act(actor))

    async def _act(self, actor: Coroutine[Any, Any, None]) -> None:
        try:
            await actor
        finally:
            self._awake -= 1
            self._move_on()

    def _move_on(self) -> None:
        """When nobody is awake, wake whoever is first."""
        while self._awake == 0 and self._sleepers:
            self._now_ms, _, waiting = heapq.heappop(self._sleepers)
            with suppress(asyncio.InvalidStateError):  # whoever was cancelled in their sleep
                waiting.set_result(None)
                self._awake += 1
