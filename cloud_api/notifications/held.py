"""Pushes and SMS that waited for the end of somebody's quiet hours: they go out when these are over."""

import asyncio

import structlog
from sqlalchemy import select

from cloud_api.kernel import clock
from cloud_api.kernel.db import DATABASE_FAILURES, Database
from cloud_api.kernel.tenancy import OrganizationScope, SystemScope
from cloud_api.notifications import service
from cloud_api.notifications.models import Notification

log = structlog.get_logger(__name__)

_POLL_S = 5.0
_BATCH = 50


class QuietHoursWatch:
    """Lets go what waited. Any number may run beside each other on PostgreSQL."""

    def __init__(self, database: Database, *, poll_s: float = _POLL_S) -> None:
        self._database = database
        self._poll_s = poll_s

    async def run(self) -> None:
        """Let go until cancelled; a database that does not answer is asked again."""
        while True:
            try:
                found = await self.release_due()
            except DATABASE_FAILURES as error:
                log.warning("quiet_hours_failed", error=str(error))
                found = 0
            if found < _BATCH:
                await asyncio.sleep(self._poll_s)

    async def release_due(self) -> int:
        """Let go what is due now, each in a unit of work of its own. Returns how many were found."""
        now = clock.now()
        async with self._database.unit_of_work(SystemScope("find what waited for quiet hours"), read_only=True) as db:
            waiting = select(Notification.organization_id, Notification.id).where(Notification.held_until <= now)
            found = (await db.execute(waiting.order_by(Notification.held_until).limit(_BATCH))).all()
        for organization_id, notification_id in found:
            async with self._database.unit_of_work(OrganizationScope(organization_id)) as db:
                its = select(Notification).where(Notification.id == notification_id, Notification.held_until <= now)
                held = (await db.scalars(its.with_for_update(skip_locked=True))).one_or_none()
                if held is not None:
                    await service.release_held(db, held)
        return len(found)
