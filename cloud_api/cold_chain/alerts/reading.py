"""Alerts as people see them."""

import uuid
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.cold_chain.alerts.models import Alert, AlertEvent, AlertMember, AlertReading, EscalationPolicy
from cloud_api.cold_chain.alerts.schemas import (
    AlertEventRead,
    AlertMemberRead,
    AlertRead,
    AlertWhole,
    PolicyRead,
    StepRead,
    TellingRead,
)
from cloud_api.cold_chain.alerts.tellings import steps_of


async def read_alerts(db: AsyncSession, alerts: Sequence[Alert], *, by: uuid.UUID) -> list[AlertRead]:
    """These alerts, and whether this person has read them."""
    theirs = select(AlertReading.alert_id).where(
        AlertReading.user_id == by, AlertReading.alert_id.in_([alert.id for alert in alerts])
    )
    read = set(await db.scalars(theirs))
    return [AlertRead.model_validate(alert).model_copy(update={"is_read": alert.id in read}) for alert in alerts]


async def read_alert(db: AsyncSession, alert: Alert, *, by: uuid.UUID) -> AlertWhole:
    """One of them with its members, its timeline and what it is told by."""
    await db.flush()
    members = await db.scalars(
        select(AlertMember).where(AlertMember.alert_id == alert.id).order_by(AlertMember.since, AlertMember.id)
    )
    events = await db.scalars(
        select(AlertEvent).where(AlertEvent.alert_id == alert.id).order_by(AlertEvent.at, AlertEvent.id)
    )
    [read] = await read_alerts(db, [alert], by=by)
    return AlertWhole(
        **read.model_dump(),
        members=[AlertMemberRead.model_validate(member) for member in members],
        timeline=[AlertEventRead.model_validate(event) for event in events],
        tellings=[TellingRead.model_validate(telling) for telling in alert.tellings],
        next_telling=alert.next_telling,
    )


def read_policy(policy: EscalationPolicy) -> PolicyRead:
    """A policy."""
    return PolicyRead.model_validate(
        {
            "id": policy.id,
            "name": policy.name,
            "default_for": policy.default_for,
            "steps": [StepRead.of(step) for step in steps_of(policy.steps)],
            "version": policy.version,
            "created_at": policy.created_at,
        }
    )
