"""Deleting positions that have been kept for their time: where somebody drove is nobody's business for ever."""

import uuid
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select

from cloud_api.kernel import clock
from cloud_api.kernel.db import Database
from cloud_api.kernel.loops import keep_looking, while_full
from cloud_api.kernel.tenancy import SystemScope
from cloud_api.logistics.tracking.models import VehiclePosition

KEPT_DAYS = 90
_POLL_S = 3600.0
#: of one unit of work
_AT_ONCE = 5_000


class PositionExpiry:
    """Deletes positions of more than ninety days ago. Any number may run beside each other."""

    def __init__(self, database: Database, *, poll_s: float = _POLL_S) -> None:
        self._database = database
        self._poll_s = poll_s

    async def run(self) -> None:
        """Go round until cancelled; a database that does not answer is asked again."""
        await keep_looking(self._all_due, every_s=self._poll_s, failure="position_expiry_failed")

    async def _all_due(self) -> None:
        await while_full(lambda: expire_positions(self._database), at_once=_AT_ONCE)


async def expire_positions(database: Database) -> int:
    """Delete some of what is due, the first that came first. Returns how many that were.

    On PostgreSQL the application may not delete positions: a function does, and refuses what is younger than a month.
    """
    before = _first_key(clock.now() - timedelta(days=KEPT_DAYS))
    async with database.unit_of_work(SystemScope("delete positions that were kept for their time")) as db:
        if not database.is_sqlite:
            connection = await db.connection()
            return int(await connection.scalar(select(func.expire_vehicle_positions(before, _AT_ONCE))) or 0)
        due = select(VehiclePosition.id).where(VehiclePosition.id < before).order_by(VehiclePosition.id).limit(_AT_ONCE)
        ids = (await db.scalars(due)).all()
        await db.execute(delete(VehiclePosition).where(VehiclePosition.id.in_(ids)))
        return len(ids)


def _first_key(at: datetime) -> uuid.UUID:
    """No key that was drawn then or later is smaller (UUIDv7)."""
    return uuid.UUID(int=clock.to_ms(at) << 80)
