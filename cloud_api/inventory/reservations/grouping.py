"""The door of reservations: requests that wait are served together, each by itself all or nothing.

Whoever asked is answered after the commit that keeps the promise.
"""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from cloud_api.inventory.errors import NotEnoughStock
from cloud_api.inventory.reservations.promising import Promised, Request, serve
from cloud_api.kernel.db import Database
from cloud_api.kernel.served_together import ServedTogether
from cloud_api.kernel.tenancy import OrganizationScope
from cloud_api.places import service as places


@dataclass(frozen=True, slots=True)
class Counter:
    """From where requests are served: a warehouse, or some places."""

    database: Database
    organization_id: uuid.UUID
    warehouse_id: uuid.UUID | None = None
    location_ids: frozenset[uuid.UUID] = frozenset()


class ReservationDoor:
    """What waits in this process."""

    def __init__(self) -> None:
        self._waiting: ServedTogether[Counter, Request, list[Promised]] = ServedTogether(_serve, what="reservation")

    async def reserve(self, counter: Counter, request: Request) -> list[Promised]:
        """Promise every wish of a request in full, or none; returns once it is committed.

        Raises:
            NotEnoughStock: naming the first wish that cannot be met, and what there is.
        """
        return await self._waiting.ask(counter, request)


async def _serve(counter: Counter, requests: Sequence[Request]) -> Sequence[list[Promised] | NotEnoughStock]:
    async with counter.database.unit_of_work(OrganizationScope(counter.organization_id)) as db:
        where: Collection[uuid.UUID] = counter.location_ids
        if counter.warehouse_id is not None:
            where = await places.of_warehouse(db, counter.warehouse_id)
        return await serve(db, requests, location_ids=where)
