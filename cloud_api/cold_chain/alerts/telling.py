"""Telling people of an alert: whom a step means now, and what they read.

All that one alert says to one person carries one collapse key: on the phone the newest replaces what was before.
"""

import uuid
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.cold_chain.alerts import timeline
from cloud_api.cold_chain.alerts.models import Alert
from cloud_api.cold_chain.alerts.tellings import EVERYONE, Channel, Target, Telling
from cloud_api.identity.people import service as people
from cloud_api.notifications import audience, on_call
from cloud_api.notifications import service as notifications
from cloud_api.places import service as places

#: who answers for alerts
ANSWERING = "alerts:ack"
_SEVERITY: Mapping[str, str] = {"info": "info", "warning": "warning", "critical": "error"}


def collapse_key(alert: Alert) -> str:
    """What all notifications of an alert have in common."""
    return f"alert:{alert.id}"


async def tell(db: AsyncSession, alert: Alert, telling: Telling, *, title: str = "", message: str = "") -> None:
    """Tell those whom a telling means; a telling that means nobody goes to everybody who may answer.

    Args:
        title: instead of the alert's own.
        message: likewise.
    """
    user_ids = await _people(db, alert, telling.to)
    instead = not user_ids and telling.to != EVERYONE
    if instead:
        user_ids = await _people(db, alert, EVERYONE)
    told = await _notify(
        db, alert, user_ids, channels=telling.channels, title=title or alert.title, message=message or alert.message
    )
    detail = {"step": telling.step, "channels": [*telling.channels], "user_ids": [str(one) for one in told]}
    timeline.note(
        db, alert, "told" if told else "told_nobody", detail={**detail, "instead": True} if instead else detail
    )


async def tell_over(db: AsyncSession, alert: Alert, message: str, *, but: Collection[uuid.UUID] = ()) -> None:
    """Tell those who were told, without a sound, that it is over; on the channels on which they were told."""
    for channels, user_ids in (await notifications.told_of(db, collapse_key(alert))).items():
        left = [user_id for user_id in user_ids if user_id not in but]
        await _notify(db, alert, left, channels=channels, title=f"Over: {alert.title}", message=message, silent=True)


async def _notify(
    db: AsyncSession,
    alert: Alert,
    user_ids: Collection[uuid.UUID],
    *,
    channels: Collection[Channel],
    title: str,
    message: str = "",
    silent: bool = False,
) -> Sequence[uuid.UUID]:
    """Returns who was told: not whoever has muted all of these channels."""
    written = await notifications.notify(
        db,
        user_ids=user_ids,
        channels=channels,
        title=title,
        message=message or alert.message,
        severity="success" if silent else _SEVERITY[alert.severity],
        category="quality",
        subject=alert.subject,
        urgent=alert.severity == "critical" and not silent,
        silent=silent,
        collapse_key=collapse_key(alert),
        data={"alert_id": str(alert.id)},
    )
    return [notification.user_id for notification in written]


async def _people(db: AsyncSession, alert: Alert, target: Target) -> Sequence[uuid.UUID]:
    """Whom a target means now, of those who may see the alert's place."""
    if target.kind == "everyone":
        meant = await people.users_with_permission(db, ANSWERING)
    elif target.kind == "role":
        meant = await audience.holders_of(db, [target.role])
    elif target.kind == "user":
        meant = await audience.active(db, [uuid.UUID(target.id)])
    else:
        line = await on_call.on_call_now(db, uuid.UUID(target.id) if target.id else None)
        meant = line if target.position is None else line[target.position : target.position + 1]
    return await places.who_may_see(db, meant, location_id=alert.location_id)
