"""Who looks whether stock is low: soon after anything of a product changed, and every hour at all of it.

Nobody writes down that a product was touched: a line for each promise would cost as much as the promise. What was
touched is found by the keys of movements and promises, which rise with time; `_LATE` covers those that were committed
long after they were begun. The look at everything also finds what no movement tells: lots that expired overnight.
"""

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from sqlalchemy import select, union

from cloud_api.inventory.holds.models import HeldLevel
from cloud_api.inventory.ledger.models import StockLevel, StockMovement, StockReservation
from cloud_api.inventory.replenishment import service
from cloud_api.kernel import clock
from cloud_api.kernel.db import Database
from cloud_api.kernel.loops import keep_looking
from cloud_api.kernel.tenancy import Actor, OrganizationScope, SystemScope
from cloud_api.places.models import Warehouse

_POLL_S = 5.0
_LATE = timedelta(seconds=30)
_EVERYTHING = timedelta(hours=1)


class StockKeeper:
    """Says what is low and what expires. Any number may run beside each other: each fall is said once."""

    def __init__(self, database: Database, *, poll_s: float = _POLL_S) -> None:
        self._database = database
        self._poll_s = poll_s
        self._looked_at: datetime | None = None
        self._looked_at_all: datetime | None = None

    async def run(self) -> None:
        """Look until cancelled; a database that does not answer is asked again."""
        await keep_looking(self.look, every_s=self._poll_s, failure="stock_keeper_failed")

    async def look(self) -> int:
        """Look at what was touched since the last time, or at everything when that is long ago; what was said."""
        now = clock.now()
        if self._looked_at_all is None or now - self._looked_at_all >= _EVERYTHING:
            said = await self._look_at_all()
            self._looked_at_all = now
        else:
            assert self._looked_at is not None  # noqa: S101 - set with the other
            touched = await self._touched(self._looked_at - _LATE)
            said = sum([await self._look_at(id, products) for id, products in sorted(touched.items())])
        self._looked_at = now
        return said

    async def _look_at(self, organization_id: uuid.UUID, product_ids: Collection[uuid.UUID] | None) -> int:
        actor = Actor("worker", None, "stock keeper")
        async with self._database.unit_of_work(OrganizationScope(organization_id), actor=actor) as db:
            said = await service.look(db, product_ids)
            return said if product_ids is not None else said + await service.tell_expiring(db)

    async def _look_at_all(self) -> int:
        async with self._database.unit_of_work(SystemScope("find who keeps stock"), read_only=True) as db:
            organization_ids = (await db.scalars(select(Warehouse.organization_id).distinct())).all()
        return sum([await self._look_at(id, None) for id in sorted(organization_ids)])

    async def _touched(self, since: datetime) -> Mapping[uuid.UUID, set[uuid.UUID]]:
        """The products of which something moved, was promised, given back or held since then, by organisation."""
        first = uuid.UUID(int=clock.to_ms(since) << 80)  # keys begin with their milliseconds
        promised = select(StockLevel.organization_id, StockLevel.product_id).join(
            StockReservation, StockReservation.stock_level_id == StockLevel.id
        )
        held = select(StockLevel.organization_id, StockLevel.product_id).join(
            HeldLevel, HeldLevel.stock_level_id == StockLevel.id
        )
        statement = union(
            select(StockMovement.organization_id, StockMovement.product_id).where(StockMovement.id >= first),
            promised.where(StockReservation.id >= first),
            promised.where(StockReservation.settled_at >= since),
            held.where(HeldLevel.id >= first),
            held.where(HeldLevel.decided_at >= since),
        )
        touched: dict[uuid.UUID, set[uuid.UUID]] = defaultdict(set)
        async with self._database.unit_of_work(SystemScope("find touched stock"), read_only=True) as db:
            for organization_id, product_id in await db.execute(statement):
                touched[organization_id].add(product_id)
        return touched
