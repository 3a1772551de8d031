"""The door of ingest: batches that wait are stored together, and when too many wait the next are put off.

One transaction at a time works for an organisation; what comes meanwhile waits and is stored by the next, one batch
of each gateway. So commits, locks and statements are shared exactly when there is much to do, and nobody waits for
company when there is not. Whoever sent a batch is answered after the commit that stored it.

A failure inside a group is not its neighbours' (`kernel.served_together`).
"""

import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import asyncpg

from cloud_api.kernel.db import Database
from cloud_api.kernel.errors import AppError
from cloud_api.kernel.metrics import INGEST_GROUPS, INGEST_REFUSED, INGEST_WAITING
from cloud_api.kernel.served_together import ServedTogether
from cloud_api.kernel.tenancy import Actor, OrganizationScope
from cloud_api.telemetry.intake.ingest import Means, take_in_together
from cloud_api.telemetry.intake.parcels import Parcel
from cloud_api.telemetry.stores.writing import forget_months
from gateway.contract import BatchAnswer

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
    """What waits in this process, and the room that it takes."""

    def __init__(self, means: Means, *, waiting_bytes: int) -> None:
        self.means = means
        self.room = Room(waiting_bytes)
        self._waiting: ServedTogether[_Key, Parcel, BatchAnswer] = ServedTogether(
            self._store, what="ingest", apart=lambda parcel: parcel.gateway_id
        )

    async def store(self, database: Database, organization_id: uuid.UUID, parcel: Parcel) -> BatchAnswer:
        """Store a gateway's batch; returns once it is committed.

        Raises:
            GatewayUnknown: when the gateway is out of service by now.
        """
        return await self._waiting.ask((database, organization_id), parcel)

    async def _store(self, key: _Key, parcels: Sequence[Parcel]) -> Sequence[BatchAnswer | AppError]:
        """Store a group; once more when a month was dropped that this process believed to be there."""
        try:
            return await self._take_in(key, parcels)
        except asyncpg.CheckViolationError:
            if not forget_months():
                raise
        return await self._take_in(key, parcels)

    async def _take_in(self, key: _Key, parcels: Sequence[Parcel]) -> Sequence[BatchAnswer | AppError]:
        database, organization_id = key
        INGEST_GROUPS.observe(len(parcels))
        [gateway_id] = {parcel.gateway_id for parcel in parcels} if len(parcels) == 1 else {None}
        actor = Actor("gateway", gateway_id, "", organization_id=organization_id)
        async with database.unit_of_work(OrganizationScope(organization_id), actor=actor) as db:
            return await take_in_together(db, parcels, self.means)
