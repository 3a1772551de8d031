"""The door of ingest: batches that wait are stored together, and when too many wait the next are put off.

One transaction at a time works for an organisation; what comes meanwhile waits and is stored by the next, one batch
of each gateway. So commits, locks and statements are shared exactly when there is much to do, and nobody waits for
company when there is not. Whoever sent a batch is answered after the commit that stored it.

A failure inside a group must not be its neighbours': its batches are then stored one by one. So they are, too, when a
month of `readings` was dropped that this process believed to be there.
"""

import asyncio
import contextvars
import uuid
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import asyncpg
import structlog

from cloud_api.kernel.db import Database
from cloud_api.kernel.errors import AppError
from cloud_api.kernel.metrics import INGEST_GROUPS, INGEST_REFUSED, INGEST_WAITING
from cloud_api.kernel.tenancy import Actor, OrganizationScope
from cloud_api.telemetry.intake.ingest import Means, take_in_together
from cloud_api.telemetry.intake.parcels import Parcel
from cloud_api.telemetry.stores.writing import forget_months
from gateway.contract import BatchAnswer

log = structlog.get_logger(__name__)

#: of one transaction: so many that sharing gains no more, so few that nobody waits long
_TOGETHER = 64
#: an organisation may fill this part of the room: one that sends too much puts off itself, not its neighbours
_SHARE = 4
_RETRY_AFTER_S = 2


class Overloaded(AppError):
    """Too much waits to be stored already."""

    status, code = 429, "OVERLOADED"

    def __init__(self) -> None:
        super().__init__("more readings come in than can be stored just now: keep them and send them again")

    @property
    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(_RETRY_AFTER_S)}


@dataclass(eq=False, slots=True)
class _Waiting:
    parcel: Parcel
    answered: asyncio.Future[BatchAnswer]


Queue = deque[_Waiting]
#: whose batches are stored together
_Key = tuple[Database, uuid.UUID]


class Room:
    """How many bytes of batches may wait, in all and of one organisation."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._taken: dict[uuid.UUID, int] = defaultdict(int)
        self._total = 0

    @contextmanager
    def take(self, organization_id: uuid.UUID, size: int) -> Iterator["Place"]:
        """Room for a batch until it is answered.

        Raises:
            Overloaded: when there is none.
        """
        place = Place(self, organization_id)
        try:
            place.resize(size)
            yield place
        finally:
            self._change(organization_id, -place.size)

    def has(self, organization_id: uuid.UUID, more: int, *, held: int = 0) -> bool:
        """Whether there is room for so much more beside the `held`. An organisation's only batch needs no share."""
        beside = self._taken.get(organization_id, 0) - held
        fair = not beside or beside + held + more <= self._most_bytes // _SHARE
        return fair and self._total + more <= self._most_bytes

    def _change(self, organization_id: uuid.UUID, by: int) -> None:
        self._total += by
        self._taken[organization_id] += by
        if not self._taken[organization_id]:
            del self._taken[organization_id]
        INGEST_WAITING.inc(by)


class Place:
    """The room that one batch has."""

    def __init__(self, room: Room, organization_id: uuid.UUID) -> None:
        self._room = room
        self._organization_id = organization_id
        self.size = 0

    def resize(self, size: int) -> None:
        """It is as large as that after all.

        Raises:
            Overloaded: when there is no room for it.
        """
        if size > self.size and not self._room.has(self._organization_id, size - self.size, held=self.size):
            INGEST_REFUSED.inc()
            raise Overloaded
        self._room._change(self._organization_id, size - self.size)
        self.size = size


class Intake:
    """What waits in this process, and the tasks that store it."""

    def __init__(self, means: Means, *, waiting_bytes: int) -> None:
        self.means = means
        self.room = Room(waiting_bytes)
        self._queues: dict[_Key, Queue] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def store(self, database: Database, organization_id: uuid.UUID, parcel: Parcel) -> BatchAnswer:
        """Store a gateway's batch; returns once it is committed.

        Raises:
            GatewayUnknown: when the gateway is out of service by now.
        """
        waiting = _Waiting(parcel, asyncio.get_running_loop().create_future())
        key = database, organization_id
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

    async def _work(self, key: _Key) -> None:
        """Store group after group until nothing waits."""
        queue = self._queues[key]
        try:
            while queue:
                await self._settle(key, next_group(queue))
        finally:
            del self._queues[key]
            for waiting in queue:
                waiting.answered.cancel()

    async def _settle(self, key: _Key, group: Sequence[_Waiting]) -> None:
        """Store a group, or when that fails each of it by itself, and answer."""
        storing = asyncio.ensure_future(self._store(key, [waiting.parcel for waiting in group]))
        await asyncio.wait({storing})
        failure = storing.exception()
        if failure is None:
            for waiting, answer in zip(group, storing.result(), strict=True):
                _answer(waiting, answer)
            return
        if len(group) == 1 and not (isinstance(failure, asyncpg.CheckViolationError) and forget_months()):
            _answer(group[0], failure)
            return
        log.warning("ingest_group_failed", batches=len(group), error=type(failure).__name__)
        for waiting in group:
            await self._settle(key, [waiting])

    async def _store(self, key: _Key, parcels: Sequence[Parcel]) -> list[BatchAnswer | AppError]:
        database, organization_id = key
        INGEST_GROUPS.observe(len(parcels))
        [gateway_id] = {parcel.gateway_id for parcel in parcels} if len(parcels) == 1 else {None}
        actor = Actor("gateway", gateway_id, "", organization_id=organization_id)
        async with database.unit_of_work(OrganizationScope(organization_id), actor=actor) as db:
            return await take_in_together(db, parcels, self.means)


def next_group(queue: Queue) -> list[_Waiting]:
    """Take the batches that are stored next: the longest waiting of each gateway; others of it wait for their turn."""
    group: dict[uuid.UUID, _Waiting] = {}
    left: list[_Waiting] = []
    while queue and len(group) < _TOGETHER:
        waiting = queue.popleft()
        if waiting.answered.done():  # whoever sent it has gone
            continue
        if waiting.parcel.gateway_id in group:
            left.append(waiting)
        else:
            group[waiting.parcel.gateway_id] = waiting
    queue.extendleft(reversed(left))
    return list(group.values())


def _answer(waiting: _Waiting, answer: BatchAnswer | BaseException) -> None:
    if waiting.answered.done():
        return
    if isinstance(answer, BaseException):
        waiting.answered.set_exception(answer)
    else:
        waiting.answered.set_result(answer)
