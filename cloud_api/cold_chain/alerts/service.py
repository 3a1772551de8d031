"""The verbs of alerts: raised and cleared by rooms above, answered by people.

Instants given as `at` are those of the readings; when somebody is told, and what the timeline says, goes by the clock.
"""

import uuid
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.cold_chain.alerts import policies, queries, telling, timeline
from cloud_api.cold_chain.alerts.models import SEVERITIES, Alert, AlertMember, AlertReading
from cloud_api.cold_chain.alerts.states import ALERT, AlertAction, AlertStatus
from cloud_api.cold_chain.alerts.tellings import Severity, Telling, freeze, place_of_next_step, thaw
from cloud_api.cold_chain.events import AlertAcknowledged
from cloud_api.kernel import clock, outbox
from cloud_api.kernel.db import insert_missing
from cloud_api.kernel.errors import Conflict, Invalid, NotFound
from cloud_api.kernel.ids import new_id
from cloud_api.places.queries import EVERYWHERE, Visible

#: what comes back within this time after it was over is the same alert, and tells nobody anew
QUIET_TIME = timedelta(minutes=30)
#: having come back so often it is told once, as something that comes and goes
FLAPS = 3
LONGEST_SNOOZE = timedelta(days=7)


async def raise_alert(
    db: AsyncSession,
    *,
    group: str,
    subject: str,
    alert_type: str,
    severity: Severity,
    title: str,
    message: str,
    location_id: uuid.UUID | None,
    policy_id: uuid.UUID | None = None,
    rule_id: uuid.UUID | None = None,
    at: datetime,
) -> Alert:
    """Raise the alert of a group, or join the one that is there.

    The first of a group is told at once when its policy says so. Another subject, or the same again, joins it and tells
    nobody; one that is more severe tells from the beginning. What comes back within `QUIET_TIME` after it was over by
    itself is the same alert again, and goes on being told where it stood.

    Args:
        at: the instant of the reading or the silence that raised it.
        policy_id: the escalation policy of the rule; one that is gone, or none, means the organisation's for this
            severity.
    """
    alert, is_new = await _find_or_open(
        db,
        {
            "group_key": group,
            "alert_type": alert_type,
            "severity": severity,
            "title": title,
            "message": message,
            "subject": subject,
            "location_id": location_id,
            "rule_id": rule_id,
            "first_at": at,
            "last_at": at,
        },
    )
    joins = await _join(db, alert, subject, at)
    if is_new:
        timeline.note(db, alert, "raised", detail={"subject": subject, "severity": severity})
        await _tell_from_the_start(db, alert, policy_id)
        return alert
    alert.count += 1
    alert.last_at = max(alert.last_at, at)
    worse = SEVERITIES.index(severity) > SEVERITIES.index(alert.severity)
    if worse:
        alert.severity, alert.title, alert.message, alert.alert_type = severity, title, message, alert_type
        alert.rule_id = rule_id
    if joins:
        timeline.note(db, alert, "joined", detail={"subject": subject})
    told_anew = alert.cleared_at is not None and await _return(db, alert, at, policy_id)
    if worse and not told_anew:
        await _worsen(db, alert, policy_id)
    return alert


async def clear_alert(db: AsyncSession, *, subject: str, at: datetime) -> None:
    """What a subject was about is over. An alert of which nothing goes on resolves itself.

    A critical one that nobody has answered stays, and is told no more; either way those who were told hear that it is
    over. A subject that raised nothing, or that is over already, changes nothing.
    """
    members = select(AlertMember).where(AlertMember.subject == subject, AlertMember.until.is_(None))
    for member in (await db.scalars(members.order_by(AlertMember.id))).all():
        alert = await _lock(db, member.alert_id)
        await db.refresh(member)
        if member.until is not None or alert.status == AlertStatus.RESOLVED:
            continue
        member.until = at
        timeline.note(db, alert, "over", detail={"subject": subject})
        if not await _goes_on(db, alert):
            await _all_over(db, alert, at)


async def acknowledge_subject(db: AsyncSession, *, subject: str, user_id: uuid.UUID, comment: str) -> None:
    """Somebody answered for what raised an alert, and so for the alert; nothing where there is none to answer for."""
    theirs = (
        select(Alert.id)
        .join(AlertMember, AlertMember.alert_id == Alert.id)
        .where(
            AlertMember.subject == subject,
            Alert.status.in_((AlertStatus.OPEN, AlertStatus.SNOOZED)),
        )
    )
    for alert_id in (await db.scalars(theirs.order_by(Alert.id))).all():
        alert = await _lock(db, alert_id)
        if AlertAction.ACKNOWLEDGE in ALERT.allowed(AlertStatus(alert.status)):
            await _acknowledge(db, alert, user_id, comment)


async def acknowledge(
    db: AsyncSession, alert_id: uuid.UUID, *, user_id: uuid.UUID, comment: str, seen: Visible = EVERYWHERE
) -> Alert:
    """Somebody answers: nobody is told any more. What is over already is resolved by it.

    Raises:
        NotFound: when there is no such alert.
        Invalid: without a comment, where the alert is critical.
        InvalidTransition: when it is answered or resolved already.
    """
    alert = await get_alert(db, alert_id, seen=seen, locked=True)
    if alert.severity == "critical" and not comment:
        raise Invalid("say in `comment` what you do about it: a critical alert needs one", field="comment")
    await _acknowledge(db, alert, user_id, comment)
    return alert


async def snooze(
    db: AsyncSession,
    alert_id: uuid.UUID,
    *,
    user_id: uuid.UUID,
    until: datetime,
    comment: str = "",
    seen: Visible = EVERYWHERE,
) -> Alert:
    """Tell nobody until then; then go on where it stood.

    Raises:
        NotFound: when there is no such alert.
        Invalid: when `until` is not to come, or more than a week away.
        InvalidTransition: when it is answered or resolved already.
    """
    alert, now = await get_alert(db, alert_id, seen=seen, locked=True), clock.now()
    if not now < until <= now + LONGEST_SNOOZE:
        raise Invalid(
            f"`until` must lie after now and at most {LONGEST_SNOOZE.days} days ahead: "
            f"between {now:%Y-%m-%dT%H:%M:%SZ} and {now + LONGEST_SNOOZE:%Y-%m-%dT%H:%M:%SZ}",
            field="until",
        )
    _apply(alert, AlertAction.SNOOZE)
    alert.snoozed_until = alert.due_at = until
    timeline.note(db, alert, "snoozed", user_id=user_id, text=comment, detail={"until": until.isoformat()})
    return alert


async def escalate_by_hand(
    db: AsyncSession, alert_id: uuid.UUID, *, user_id: uuid.UUID, text: str, seen: Visible = EVERYWHERE
) -> Alert:
    """Somebody wants the next people told at once: the policy's next step, whatever was to be repeated of this one.

    After the last step that one is told again. Nobody answers for the alert any more, and the clock goes on from there.

    Raises:
        NotFound: when there is no such alert.
        InvalidTransition: when it is resolved.
        Conflict: when what raised it is over.
    """
    alert = await get_alert(db, alert_id, seen=seen, locked=True)
    _apply(alert, AlertAction.ESCALATE)
    if alert.cleared_at is not None:
        raise Conflict(
            f"what raised it is over since {alert.cleared_at:%Y-%m-%dT%H:%M:%SZ}: acknowledge it, or resolve it"
        )
    alert.snoozed_until = alert.acknowledged_at = alert.acknowledged_by = None
    timeline.note(db, alert, "escalated", user_id=user_id, text=text)
    alert.next_telling = place_of_next_step(thaw(alert.tellings), alert.next_telling)
    await _tell_next(db, alert, title=f"Escalated: {alert.title}", message=f"{text}\n{alert.message}")
    return alert


async def resolve(
    db: AsyncSession, alert_id: uuid.UUID, *, user_id: uuid.UUID, text: str, seen: Visible = EVERYWHERE
) -> Alert:
    """Somebody ends it, whether or not what raised it goes on; when that comes back it is another alert.

    Raises:
        NotFound: when there is no such alert.
        InvalidTransition: when it is resolved already.
    """
    alert = await get_alert(db, alert_id, seen=seen, locked=True)
    _resolve(alert, by=user_id)
    for member in await _members_going_on(db, alert):
        member.until = clock.now()
    timeline.note(db, alert, "resolved", user_id=user_id, text=text)
    await telling.tell_over(db, alert, f"Resolved: {text}", but=[user_id])
    return alert


async def add_note(
    db: AsyncSession, alert_id: uuid.UUID, *, user_id: uuid.UUID, text: str, seen: Visible = EVERYWHERE
) -> Alert:
    """Write something onto the timeline, be the alert resolved or not.

    Raises:
        NotFound: when there is no such alert.
    """
    alert = await get_alert(db, alert_id, seen=seen)
    timeline.note(db, alert, "noted", user_id=user_id, text=text)
    return alert


async def mark_read(db: AsyncSession, alert_id: uuid.UUID, *, user_id: uuid.UUID, seen: Visible = EVERYWHERE) -> Alert:
    """Somebody has read it; that is nobody else's reading.

    Raises:
        NotFound: when there is no such alert.
    """
    alert = await get_alert(db, alert_id, seen=seen)
    await insert_missing(db, AlertReading, {"alert_id": alert.id, "user_id": user_id, "read_at": clock.now()})
    return alert


async def get_alert(
    db: AsyncSession, alert_id: uuid.UUID, *, seen: Visible = EVERYWHERE, locked: bool = False
) -> Alert:
    """One alert; locked until the unit of work ends when it is to change.

    Raises:
        NotFound: when there is none to be seen.
    """
    its = select(Alert).where(Alert.id == alert_id, queries.to_be_seen(seen))
    alert = (await db.scalars(its.with_for_update() if locked else its)).one_or_none()
    if alert is None:
        raise NotFound(f"no alert with id {alert_id}")
    return alert


async def escalate(db: AsyncSession, alert: Alert) -> None:
    """Do what is due of a locked alert: wake it from its snooze, and tell the next of its tellings."""
    if alert.status == AlertStatus.SNOOZED:
        _apply(alert, AlertAction.WAKE)
        alert.snoozed_until = None
        timeline.note(db, alert, "woke")
        if alert.cleared_at is not None:
            alert.due_at = None
            return
    await _tell_next(db, alert)


async def _find_or_open(db: AsyncSession, values: dict[str, object]) -> tuple[Alert, bool]:
    """The group's unresolved alert or the one to return to, locked; or a new one. And whether it is new."""
    group, at = values["group_key"], values["last_at"]
    assert isinstance(at, datetime)  # noqa: S101 - the caller's own
    mine = new_id()
    unresolved = select(Alert).where(Alert.group_key == group, Alert.status != AlertStatus.RESOLVED)
    over_just_now = (
        select(Alert)
        .where(Alert.group_key == group, Alert.resolution == "itself", Alert.cleared_at >= at - QUIET_TIME)
        .order_by(Alert.id.desc())
        .limit(1)
    )
    for wanted in (unresolved, over_just_now):
        found = (await db.scalars(wanted.with_for_update(), execution_options=queries.FRESH)).one_or_none()
        if found is not None:
            return found, False
    while True:
        await insert_missing(db, Alert, {"id": mine, "status": AlertStatus.OPEN, **values})
        found = (await db.scalars(unresolved.with_for_update(), execution_options=queries.FRESH)).one_or_none()
        if found is not None:  # else another's was there, and has been resolved since
            return found, found.id == mine


async def _join(db: AsyncSession, alert: Alert, subject: str, at: datetime) -> bool:
    """Whether the subject goes on in the alert only now."""
    key = AlertMember.alert_id == alert.id, AlertMember.subject == subject
    member = (await db.scalars(select(AlertMember).where(*key))).one_or_none()
    if member is None:
        db.add(AlertMember(alert_id=alert.id, subject=subject, since=at))
        return True
    came_back = member.until is not None
    member.until = None
    return came_back


async def _tell_from_the_start(db: AsyncSession, alert: Alert, policy_id: uuid.UUID | None) -> None:
    """Freeze what its policy says now, and begin with it."""
    frozen = await policies.tellings_for(db, policy_id, severity=alert.severity)
    alert.tellings, alert.next_telling = freeze(frozen), 0
    if frozen[0].after_s == 0:
        await _tell_next(db, alert)
    else:
        alert.due_at = clock.now() + frozen[0].delay


async def _tell_next(db: AsyncSession, alert: Alert, *, title: str = "", message: str = "") -> None:
    """Tell the next of an alert's tellings, and say when the one after it comes."""
    tellings = thaw(alert.tellings)
    if alert.next_telling >= len(tellings):
        alert.due_at = None
        return
    now = tellings[alert.next_telling]
    await telling.tell(db, alert, now, title=title, message=message)
    if not now.until_answered:
        alert.next_telling += 1
    alert.due_at = _due(alert, tellings)


def _due(alert: Alert, tellings: list[Telling]) -> datetime | None:
    """When the next telling comes, counted from now; never for information."""
    if alert.severity == "info" or alert.next_telling >= len(tellings):
        return None
    return clock.now() + tellings[alert.next_telling].delay


async def _return(db: AsyncSession, alert: Alert, at: datetime, policy_id: uuid.UUID | None) -> bool:
    """It was over, and has come back: soon enough to be the same, or so late that it is told anew, and then True."""
    assert alert.cleared_at is not None  # noqa: S101 - looked at by the caller
    soon = at - alert.cleared_at <= QUIET_TIME
    alert.cleared_at = None
    if alert.status == AlertStatus.RESOLVED:
        _apply(alert, AlertAction.RETURN)
        alert.resolved_at = alert.resolution = alert.acknowledged_at = alert.acknowledged_by = None
    timeline.note(db, alert, "returned")
    if not soon and alert.status == AlertStatus.OPEN:
        await _tell_from_the_start(db, alert, policy_id)
        return True
    alert.returns += 1
    tellings = thaw(alert.tellings)
    if alert.returns == FLAPS:
        since = f"{alert.first_at:%H:%M} UTC"
        last = tellings[max(alert.next_telling - 1, 0)]
        await telling.tell(db, alert, last, title=f"{alert.title} (comes and goes: {FLAPS} times since {since})")
    if alert.status == AlertStatus.OPEN:
        alert.next_telling = min(alert.next_telling, len(tellings) - 1)
        alert.due_at = _due(alert, tellings)
    return False


async def _worsen(db: AsyncSession, alert: Alert, policy_id: uuid.UUID | None) -> None:
    """More severe than what was told, answered or put off: told from the beginning."""
    if AlertAction.WORSEN in ALERT.allowed(AlertStatus(alert.status)):
        _apply(alert, AlertAction.WORSEN)
    alert.snoozed_until = alert.acknowledged_at = alert.acknowledged_by = None
    timeline.note(db, alert, "worsened", detail={"severity": alert.severity})
    await _tell_from_the_start(db, alert, policy_id)


async def _all_over(db: AsyncSession, alert: Alert, at: datetime) -> None:
    alert.cleared_at = at
    if alert.severity == "critical" and alert.status != AlertStatus.ACKNOWLEDGED:
        if alert.status == AlertStatus.OPEN:
            alert.due_at = None
        await telling.tell_over(db, alert, "It is over by itself. It stays open until somebody acknowledges it.")
        return
    _resolve_by_itself(db, alert)
    await telling.tell_over(db, alert, "It is over.")


async def _acknowledge(db: AsyncSession, alert: Alert, user_id: uuid.UUID, comment: str) -> None:
    _apply(alert, AlertAction.ACKNOWLEDGE)
    alert.acknowledged_at, alert.acknowledged_by = clock.now(), user_id
    alert.due_at = alert.snoozed_until = None
    timeline.note(db, alert, "acknowledged", user_id=user_id, text=comment)
    its = select(AlertMember.subject).where(AlertMember.alert_id == alert.id).order_by(AlertMember.id)
    outbox.emit(db, AlertAcknowledged(alert.id, tuple(await db.scalars(its)), user_id, comment))
    if alert.cleared_at is not None:
        _resolve_by_itself(db, alert)


def _resolve_by_itself(db: AsyncSession, alert: Alert) -> None:
    _resolve(alert, by=None)
    timeline.note(db, alert, "resolved")


def _resolve(alert: Alert, *, by: uuid.UUID | None) -> None:
    _apply(alert, AlertAction.RESOLVE)
    alert.resolved_at, alert.resolved_by = clock.now(), by
    alert.resolution = "itself" if by is None else "person"
    alert.due_at = alert.snoozed_until = None


def _apply(alert: Alert, action: AlertAction) -> None:
    alert.status = ALERT.apply(AlertStatus(alert.status), action)


async def _lock(db: AsyncSession, alert_id: uuid.UUID) -> Alert:
    its = select(Alert).where(Alert.id == alert_id).with_for_update()
    return (await db.scalars(its, execution_options=queries.FRESH)).one()


async def _members_going_on(db: AsyncSession, alert: Alert) -> list[AlertMember]:
    goes_on = select(AlertMember).where(AlertMember.alert_id == alert.id, AlertMember.until.is_(None))
    return list(await db.scalars(goes_on))


async def _goes_on(db: AsyncSession, alert: Alert) -> bool:
    return bool(await _members_going_on(db, alert))
