"""Promises that lapse: what nobody came for in time is free again."""

import asyncio
from datetime import datetime

import structlog
from sqlalchemy import ColumnElement, literal_column, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.inventory.events import ReservationsExpired
from cloud_api.inventory.ledger.models import StockLevel, StockReservation
from cloud_api.kernel import clock, outbox
from cloud_api.kernel.db import DATABASE_FAILURES, Database
from cloud_api.kernel.tenancy import Actor, OrganizationScope, SystemScope

log = structlog.get_logger(__name__)

_POLL_S = 2.0
#: of one unit of work
_MOST = 200


def lapsed(now: datetime) -> ColumnElement[bool]:
    """Whether a promise has lapsed and nobody has written that down yet."""
    # the status as a literal: PostgreSQL sees only then that the index of what can lapse will do
    return (StockReservation.status == literal_column("'active'")) & (StockReservation.expires_at <= now)


async def expire(db: AsyncSession, now: datetime) -> int:
    """Let the levels go that promises hold which have lapsed, and say so; how many promises that were.

    What somebody else is at is left for the next time: nobody waits here, so any number may do this at once.
    """
    rows = await db.execute(
        select(StockReservation, StockLevel)
        .join(StockLevel, StockLevel.id == StockReservation.stock_level_id)
        .where(lapsed(now))
        .order_by(StockLevel.id, StockReservation.id)
        .limit(_MOST)
        .with_for_update(of=(StockLevel, StockReservation), skip_locked=True)
        .execution_options(populate_existing=True)
    )
    freed, sources = 0, set[str]()
    for reservation, level in rows:
        freed += 1
        level.reserved -= reservation.quantity
        reservation.status, reservation.settled_at, reservation.at_risk_since = "expired", now, None
        sources.add(reservation.source)
    if sources:
        outbox.emit(db, ReservationsExpired(tuple(sorted(sources))))
    await db.flush()
    return freed


class ReservationExpiry:
    """Frees what lapsed, soon after. Any number may run beside each other."""

    def __init__(self, database: Database, *, poll_s: float = _POLL_S) -> None:
        self._database = database
        self._poll_s = poll_s

    async def run(self) -> None:
        """Look until cancelled; a database that does not answer is asked again."""
        while True:
            try:
                freed = await self.expire_due()
            except DATABASE_FAILURES as error:
                log.warning("reservation_expiry_failed", error=str(error))
                freed = 0
            if not freed:
                await asyncio.sleep(self._poll_s)

    async def expire_due(self) -> int:
        """Free what has lapsed by now, in a unit of work for each organisation; how many were freed."""
        now = clock.now()
        async with self._database.unit_of_work(SystemScope("find promises that lapsed"), read_only=True) as db:
            found = select(StockReservation.organization_id).where(lapsed(now)).distinct()
            organization_ids = (await db.scalars(found)).all()
        freed = 0
        for organization_id in sorted(organization_ids):
            actor = Actor("worker", None, "reservation expiry")
            async with self._database.unit_of_work(OrganizationScope(organization_id), actor=actor) as db:
                freed += await expire(db, now)
        return freed
