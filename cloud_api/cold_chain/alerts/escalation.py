"""Escalation: telling the next people when nobody has answered in time.

Each telling is one unit of work: what it writes (notifications, timeline, when the next is due) is there whole or not
at all. Whoever is killed in the middle has told nobody; the alert is still due, and another worker takes it.
"""

import asyncio
import uuid

import structlog
from msgspec import MsgspecError
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from cloud_api.cold_chain.alerts import queries, service
from cloud_api.cold_chain.alerts.models import Alert
from cloud_api.cold_chain.alerts.states import AlertStatus
from cloud_api.kernel import clock
from cloud_api.kernel.db import DATABASE_FAILURES, Database
from cloud_api.kernel.errors import AppError
from cloud_api.kernel.tenancy import Actor, OrganizationScope, SystemScope

log = structlog.get_logger(__name__)

_POLL_S = 1.0
_BATCH = 50
#: what may be wrong with one: refused, not to be written, or not to be read
_OF_ONE_ALERT = (AppError, SQLAlchemyError, MsgspecError, LookupError, ValueError)


class Escalator:
    """Takes alerts that are due. Any number may run beside each other on PostgreSQL."""

    def __init__(self, database: Database, *, poll_s: float = _POLL_S) -> None:
        self._database = database
        self._poll_s = poll_s

    async def run(self) -> None:
        """Escalate until cancelled; a database that does not answer is asked again."""
        while True:
            try:
                done = await self.escalate_due()
            except DATABASE_FAILURES as error:
                log.warning("escalation_database_failed", error=str(error))
                done = 0
            if done == 0:
                await asyncio.sleep(self._poll_s)

    async def escalate_due(self) -> int:
        """Do one step of each alert that is due now. Returns how many steps this worker did."""
        async with self._database.unit_of_work(SystemScope("find alerts that are due"), read_only=True) as db:
            found = (await db.execute(queries.due(clock.now()).limit(_BATCH))).all()
        done = 0
        for organization_id, alert_id in found:
            try:
                done += await self.escalate(alert_id, OrganizationScope(organization_id))
            except _OF_ONE_ALERT as error:  # it stays due; the others need not wait for it
                log.error("escalation_failed", alert_id=str(alert_id), error=f"{type(error).__name__}: {error}")
        return done

    async def escalate(self, alert_id: uuid.UUID, scope: OrganizationScope) -> bool:
        """Do what is due of one alert; False when another worker has it or has done it, or somebody has answered."""
        async with self._database.unit_of_work(scope, actor=Actor("worker", None, "escalation")) as db:
            due = select(Alert).where(
                Alert.id == alert_id,
                Alert.due_at <= clock.now(),
                Alert.status.in_((AlertStatus.OPEN, AlertStatus.SNOOZED)),
            )
            alert = (await db.scalars(due.with_for_update(skip_locked=True))).one_or_none()
            if alert is None:
                return False
            await service.escalate(db, alert)
            return True
