"""The door of reservations: requests that wait are served together, each by itself all or nothing.

One transaction at a time works for the places of an organisation; what is asked meanwhile waits and is served by the
next, in the order it came. So locks, statements and the commit are shared exactly when there is much to do, and nobody
waits for company when there is not. Whoever asked is answered after the commit that keeps the promise.

A failure inside a group must not be its neighbours': its requests are then served one by one.
"""

import asyncio
import contextvars
import uuid
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import structlog

from cloud_api.inventory.errors import NotEnoughStock
from cloud_api.inventory.reservations.promising import Promised, Request, serve
from cloud_api.kernel.db import Database
from cloud_api.kernel.tenancy import OrganizationScope
from cloud_api.places import service as places

log = structlog.get_logger(__name__)

#: of one transaction: so many that sharing gains no more, so few that nobody waits long
_TOGETHER = 64

_Answer = list[Promised] | NotEnoughStock


@dataclass(frozen=True, slots=True)
class Counter:
    """From where requests are served: a warehouse, or some places."""

    database: Database
    organization_id: uuid.UUID
    warehouse_id: uuid.UUID | None = None
    location_ids: frozenset[uuid.UUID] = frozenset()


@dataclass(eq=False, slots=True)
class _Waiting:
    request: Request
    answered: asyncio.Future[list[Promised]]


class ReservationDoor:
    """What waits in this process, and the tasks that serve it."""

    def __init__(self) -> None:
        self._queues: dict[Counter, deque[_Waiting]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def reserve(self, counter: Counter, request: Request) -> list[Promised]:
        """Promise every wish of a request in full, or none; returns once it is committed.

        Raises:
            NotEnoughStock: naming the first wish that cannot be met, and what there is.
        """
        waiting = _Waiting(request, asyncio.get_running_loop().create_future())
        queue = self._queues.get(counter)
        if queue is not None:
            queue.append(waiting)
        else:
            self._queues[counter] = deque([waiting])
            # nobody's request in particular: what it logs carries no request's id
            task = asyncio.create_task(self._work(counter), context=contextvars.Context())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await waiting.answered

    async def _work(self, counter: Counter) -> None:
        """Serve group after group until nothing waits."""
        queue = self._queues[counter]
        try:
            while queue:
                await self._settle(counter, next_group(queue))
        finally:
            del self._queues[counter]
            for waiting in queue:
                waiting.answered.cancel()

    async def _settle(self, counter: Counter, group: Sequence[_Waiting]) -> None:
        """Serve a group, or when that fails each of it by itself, and answer."""
        if not group:
            return
        serving = asyncio.ensure_future(_serve(counter, [waiting.request for waiting in group]))
        await asyncio.wait({serving})
        failure = serving.exception()
        if failure is None:
            for waiting, answer in zip(group, serving.result(), strict=True):
                _answer(waiting, answer)
        elif len(group) == 1:
            _answer(group[0], failure)
        else:
            log.warning("reservation_group_failed", requests=len(group), error=type(failure).__name__)
            for waiting in group:
                await self._settle(counter, [waiting])


async def _serve(counter: Counter, requests: Sequence[Request]) -> list[_Answer]:
    async with counter.database.unit_of_work(OrganizationScope(counter.organization_id)) as db:
        where: Collection[uuid.UUID] = counter.location_ids
        if counter.warehouse_id is not None:
            where = await places.of_warehouse(db, counter.warehouse_id)
        return await serve(db, requests, location_ids=where)


def next_group(queue: deque[_Waiting]) -> list[_Waiting]:
    """Take the requests that are served next, those that have waited longest; not those whose asker has gone."""
    group: list[_Waiting] = []
    while queue and len(group) < _TOGETHER:
        waiting = queue.popleft()
        if not waiting.answered.done():
            group.append(waiting)
    return group


def _answer(waiting: _Waiting, answer: _Answer | BaseException) -> None:
    if waiting.answered.done():
        return
    if isinstance(answer, BaseException):
        waiting.answered.set_exception(answer)
    else:
        waiting.answered.set_result(answer)
