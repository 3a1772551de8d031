"""Maintenance mode: people read, and write later.

The gate stands at the unit of work, the one door that every write of a signed-in person or program goes through
(`kernel/unit_of_work.pass_gates`). Gateways never meet it: what a sensor says is stored whatever goes on.
"""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.configuration.errors import EndsBeforeNow, UnderMaintenance
from cloud_api.configuration.models import Maintenance
from cloud_api.kernel import clock
from cloud_api.kernel.db import Database
from cloud_api.kernel.errors import StaleVersion
from cloud_api.kernel.tenancy import SystemScope

log = structlog.get_logger(__name__)

#: how old the gate's knowledge may be: the price of no query per request
_KNOWN_FOR_S = 2.0


@dataclass(frozen=True)
class Notice:
    """What people are told while maintenance goes on."""

    message: str
    #: when they may try again, if nobody knows when it is over
    retry_after_s: int
    #: when it is to be over
    until: datetime | None = None

    def again_in_s(self) -> int:
        """In how many seconds it is worth to try again."""
        left_s = 0 if self.until is None else int((self.until - clock.now()).total_seconds())
        return left_s if left_s > 0 else self.retry_after_s


async def state(db: AsyncSession) -> Maintenance | None:
    """The switch; None when nobody ever touched it."""
    return await db.get(Maintenance, 1)


async def switch(
    db: AsyncSession, *, enabled: bool, notice: Notice, by: uuid.UUID, seen: int | None = None
) -> Maintenance:
    """Turn maintenance on or off, for all organisations.

    Args:
        seen: the version that the change was made of; None: whatever it is now.

    Raises:
        EndsBeforeNow: when it would be over already.
        StaleVersion: when somebody else has switched it since.
    """
    now = clock.now()
    if enabled and notice.until is not None and notice.until <= now:
        raise EndsBeforeNow
    row = await db.get(Maintenance, 1, with_for_update=True)
    current = 0 if row is None else row.version
    if seen is not None and seen != current:
        raise StaleVersion("the switch of maintenance", seen=seen, current=current)
    if row is None:
        row = Maintenance(id=1)
        db.add(row)
    row.enabled, row.message, row.retry_after_s, row.until = enabled, notice.message, notice.retry_after_s, notice.until
    row.updated_at, row.updated_by, row.version = now, by, current + 1
    await db.flush()
    log.warning("maintenance_switched", enabled=enabled, by=str(by))
    return row


class MaintenanceGate:
    """Refuses writes while maintenance goes on; knows it for two seconds before it asks the database again."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._ask_again_at = float("-inf")
        self._notice: Notice | None = None

    async def __call__(self, database: Database) -> None:
        """Let a write through.

        Raises:
            UnderMaintenance: when none may.
        """
        notice = await self.notice(database)
        if notice is not None:
            raise UnderMaintenance(notice.message, retry_after_s=notice.again_in_s())

    async def notice(self, database: Database) -> Notice | None:
        """What is told at present; None: people may write."""
        if self._monotonic() >= self._ask_again_at:
            self._ask_again_at = self._monotonic() + _KNOWN_FOR_S
            self._notice = await _notice(database)
        return self._notice

    def forget(self) -> None:
        """The switch was touched in this process: ask with the next write."""
        self._ask_again_at = float("-inf")


async def _notice(database: Database) -> Notice | None:
    async with database.unit_of_work(SystemScope("look whether maintenance goes on"), read_only=True) as db:
        row = await state(db)
    return Notice(row.message, row.retry_after_s, row.until) if row is not None and row.enabled else None
