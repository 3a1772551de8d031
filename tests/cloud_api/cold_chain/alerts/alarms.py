"""Alerts raised as the rooms above raise them, and what came of them."""

import uuid
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self

from sqlalchemy import select

from cloud_api.cold_chain.alerts import service
from cloud_api.cold_chain.alerts.models import Alert, AlertEvent
from cloud_api.cold_chain.alerts.tellings import Severity
from cloud_api.kernel import clock
from cloud_api.notifications.models import Notification
from tests.factories.farms import plant_store
from tests.platform_under_test import Platform, Tenant

LIST = "/api/v1/alerts"
POLICIES = "/api/v1/alerts/escalation-policies"
#: tells everybody who may answer, in the list only
ONE_STEP = {"to": {"kind": "everyone"}, "channels": ["in_app"]}


class Hands:
    """A clock that stands where it is put."""

    def __init__(self) -> None:
        self.now = clock.machine_now()

    def move(self, **delta: float) -> datetime:
        """Put it forward by so much."""
        self.now += timedelta(**delta)
        return self.now

    def __enter__(self) -> Self:
        clock.use(lambda: self.now)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        clock.use(None)


async def raise_in(
    farm: Platform,
    *,
    tenant: Tenant | None = None,
    group: str = "high:temperature:room",
    subject: str = "excursion:1",
    severity: Severity = "critical",
    at: datetime | None = None,
    location_id: str | None = None,
    policy_id: str | None = None,
    alert_type: str = "high_temp",
) -> str:
    """An alert is raised or joined; its id."""
    async with farm.database.unit_of_work((tenant or farm.tenant).organization) as db:
        alert = await service.raise_alert(
            db,
            group=group,
            subject=subject,
            alert_type=alert_type,
            severity=severity,
            title="Cold room 1: temperature above 8 °C",
            message="9.5 °C since 10:00 UTC",
            location_id=None if location_id is None else uuid.UUID(location_id),
            policy_id=None if policy_id is None else uuid.UUID(policy_id),
            at=at or clock.now(),
        )
        return str(alert.id)


async def clear_in(farm: Platform, subject: str = "excursion:1", *, at: datetime | None = None) -> None:
    """What a subject was about is over."""
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        await service.clear_alert(db, subject=subject, at=at or clock.now())


async def alert_of(farm: Platform, alert_id: str) -> Alert:
    """The alert as the database has it."""
    async with farm.database.unit_of_work(farm.tenant.organization, read_only=True) as db:
        return await db.get_one(Alert, uuid.UUID(alert_id))


async def timeline(farm: Platform, alert_id: str, *kinds: str) -> list[AlertEvent]:
    """What happened to an alert, oldest first; of these kinds only when some are named."""
    its = select(AlertEvent).where(AlertEvent.alert_id == uuid.UUID(alert_id)).order_by(AlertEvent.id)
    async with farm.database.unit_of_work(farm.tenant.organization, read_only=True) as db:
        return [event for event in await db.scalars(its) if not kinds or event.kind in kinds]


async def happened(farm: Platform, alert_id: str) -> list[str]:
    """The kinds of what happened to an alert, oldest first."""
    return [event.kind for event in await timeline(farm, alert_id)]


async def told(farm: Platform, alert_id: str) -> list[Notification]:
    """Everything that anybody was told of an alert, oldest first, superseded or not."""
    its = select(Notification).where(Notification.collapse_key == f"alert:{alert_id}").order_by(Notification.id)
    async with farm.database.unit_of_work(farm.tenant.organization, read_only=True) as db:
        return list(await db.scalars(its))


async def make_policy(person: Tenant, *steps: object, **fields: Any) -> str:
    """An escalation policy; its id."""
    body = {"name": f"Policy {uuid.uuid4()}", "steps": [*steps] or [ONE_STEP], **fields}
    return str((await person.post(POLICIES, body))["id"])


async def a_room(farm: Platform) -> str:
    """A cold room in a warehouse of its own."""
    return (await plant_store(farm)).room_id
