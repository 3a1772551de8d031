"""Requests that wait are served together, each by itself all or nothing.

One transaction at a time works for what has the same key; what is asked meanwhile waits and is served by the next, in
the order it came. So statements, locks and the commit are shared exactly when there is much to do, and nobody waits for
company when there is not. Whoever asked is answered when the transaction is over.

A failure inside a group must not be its neighbours': its requests are then served one by one. Where none can be one
request's own, because all of them only read, all of them hear of it at once.
"""

import asyncio
import contextvars
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import structlog

from cloud_api.kernel.errors import AppError

log = structlog.get_logger(__name__)

K = TypeVar("K", bound=Hashable)
A = TypeVar("A")
R = TypeVar("R")

#: of one transaction: so many that sharing gains no more, so few that nobody waits long
_TOGETHER = 64


@dataclass(eq=False, slots=True)
class _Waiting(Generic[A, R]):
    what: A
    answered: asyncio.Future[R]


class ServedTogether(Generic[K, A, R]):
    """What waits in this process, and the tasks that serve it.

    Args:
        serve: answers several requests of one key, in their order; of one that is refused with the error.
        what: the name of such requests in the logs.
        one_by_one: what fails together may be the fault of one of them; else all of them hear of it.
        apart: of requests for which it gives the same, only the longest waiting is in a group; the others have to wait.
    """

    def __init__(
        self,
        serve: Callable[[K, Sequence[A]], Awaitable[Sequence[R | AppError]]],
        *,
        what: str,
        one_by_one: bool = True,
        apart: Callable[[A], Hashable] | None = None,
    ) -> None:
        self._serve = serve
        self._what = what
        self._one_by_one = one_by_one
        self._apart = apart
        self._queues: dict[K, deque[_Waiting[A, R]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def ask(self, key: K, what: A) -> R:
        """The answer to one request."""
        waiting: _Waiting[A, R] = _Waiting(what, asyncio.get_running_loop().create_future())
        queue = self._queues.get(key)
        if queue is not None:
            queue.append(waiting)
        else:
            self._queues[key] = deque([waiting])
            # nobody's request in particular: what it logs carries no request's id
            task = asyncio.create_task(self._work(key), context=contextvars.Context())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await waiting.answered

    async def _work(self, key: K) -> None:
        """Serve group after group until nothing waits."""
        queue = self._queues[key]
        try:
            while queue:
                await self._settle(key, self._next_group(queue))
        finally:
            del self._queues[key]
            for waiting in queue:
                waiting.answered.cancel()

    def _next_group(self, queue: deque[_Waiting[A, R]]) -> list[_Waiting[A, R]]:
        """Take the requests that are served next, those that have waited longest; not those whose asker has gone."""
        group: dict[Hashable, _Waiting[A, R]] = {}
        left: list[_Waiting[A, R]] = []
        while queue and len(group) < _TOGETHER:
            waiting = queue.popleft()
            if waiting.answered.done():
                continue
            mark = waiting if self._apart is None else self._apart(waiting.what)
            if mark in group:
                left.append(waiting)
            else:
                group[mark] = waiting
        queue.extendleft(reversed(left))
        return list(group.values())

    async def _settle(self, key: K, group: Sequence[_Waiting[A, R]]) -> None:
        """Serve a group, or when that fails each of it by itself, and answer."""
        if not group:
            return
        serving = asyncio.ensure_future(self._serve(key, [waiting.what for waiting in group]))
        await asyncio.wait({serving})
        failure = serving.exception()
        if failure is None:
            for waiting, answer in zip(group, serving.result(), strict=True):
                _answer(waiting, answer)
        elif len(group) == 1 or not self._one_by_one:
            for waiting in group:
                _answer(waiting, failure)
        else:
            log.warning("group_failed", what=self._what, requests=len(group), error=type(failure).__name__)
            for waiting in group:
                await self._settle(key, [waiting])


def _answer(waiting: _Waiting[A, R], answer: R | BaseException) -> None:
    if waiting.answered.done():
        return
    if isinstance(answer, BaseException):
        waiting.answered.set_exception(answer)
    else:
        waiting.answered.set_result(answer)
