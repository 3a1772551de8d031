"""Maintenance mode: people read, and write later.

The gate stands at the unit of work, the one door that every write of a signed-in person or program goes through
(`kernel/unit_of_work.pass_gates`). Gateways never meet it: what a sensor says is stored whatever goes on.
"""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.configuration.errors import UnderMaintenance
from cloud_api.configuration.models import Maintenance
from cloud_api.kernel import clock
from cloud_api.kernel.db import Database
from cloud_api.kernel.tenancy import SystemScope

log = structlog.get_logger(__name__)

#: how old the gate's knowledge may be: the price of no query per request
_KNOWN_FOR_S = 2.0


async def state(db: AsyncSession) -> Maintenance | None:
    """The switch; None when nobody ever touched it."""
    return await db.get(Maintenance, 1)


async def switch(db: AsyncSession, *, enabled: bool, message: str, retry_after_s: int, by: uuid.UUID) -> Maintenance:
    """Turn maintenance on or off, for all organisations."""
    row = await db.get(Maintenance, 1, with_for_update=True)
    if row is None:
        row = Maintenance(id=1)
        db.add(row)
    row.enabled, row.message, row.retry_after_s = enabled, message, retry_after_s
    row.updated_at, row.updated_by = clock.now(), by
    await db.flush()
    log.warning("maintenance_switched", enabled=enabled, by=str(by))
    return row


@dataclass(frozen=True)
class _Notice:
    message: str
    retry_after_s: int


class MaintenanceGate:
    """Refuses writes while maintenance goes on; knows it for two seconds before it asks the database again."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._ask_again_at = float("-inf")
        self._notice: _Notice | None = None

    async def __call__(self, database: Database) -> None:
        """Let a write through.

        Raises:
            UnderMaintenance: when none may.
        """
        if self._monotonic() >= self._ask_again_at:
            self._ask_again_at = self._monotonic() + _KNOWN_FOR_S
            self._notice = await _notice(database)
        if self._notice is not None:
            raise UnderMaintenance(self._notice.message, retry_after_s=self._notice.retry_after_s)

    def forget(self) -> None:
        """The switch was touched in this process: ask with the next write."""
        self._ask_again_at = float("-inf")


async def _notice(database: Database) -> _Notice | None:
    async with database.unit_of_work(SystemScope("look whether maintenance goes on"), read_only=True) as db:
        row = await state(db)
    return _Notice(row.message, row.retry_after_s) if row is not None and row.enabled else None
