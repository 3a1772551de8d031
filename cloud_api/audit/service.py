"""The verbs of the audit room: record what was done, raise what endangers, settle it."""

import uuid
from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.audit import queries
from cloud_api.audit.events import SecurityEventRaised
from cloud_api.audit.models import SECURITY_EVENT_TYPES, AuditEntry, SecurityEvent, SecurityEventType, Severity
from cloud_api.audit.recording import actor_of, organization_of, plain, record, request_id
from cloud_api.audit.schemas import EntryCreate, ThreatRead, ThreatsRead
from cloud_api.audit.states import SECURITY_EVENT, SecurityAction, SecurityStatus
from cloud_api.kernel import clock
from cloud_api.kernel.errors import NotFound
from cloud_api.kernel.ids import new_id
from cloud_api.kernel.outbox import emit
from cloud_api.kernel.tenancy import Actor

__all__ = [
    "get_security_event",
    "investigate",
    "raise_security_event",
    "record",
    "record_by_hand",
    "settle",
    "threats",
]

#: what an unsettled event of the last 7 days takes from the score
_WEIGHTS: Mapping[str, int] = {"low": 1, "medium": 3, "high": 10, "critical": 25}


def record_by_hand(db: AsyncSession, *, new: EntryCreate) -> AuditEntry:
    """Write what a person says they did; `manual.` before its action tells it from what the system saw."""
    return record(
        db,
        action=f"manual.{new.action}",
        entity=new.entity,
        entity_id=new.entity_id,
        old=new.old,
        new=new.new,
        note=new.note,
    )


def raise_security_event(
    db: AsyncSession,
    *,
    type: SecurityEventType,
    severity: Severity,
    organization_id: uuid.UUID | None = None,
    details: Mapping[str, object] | None = None,
    actor: Actor | None = None,
) -> SecurityEvent:
    """Let those responsible know; what watches them is woken after the commit.

    A system session names the `organization_id`. `actor` when the session's own does not know yet who it is. `details`
    are shown as they are: conceal secrets first.

    Raises:
        ValueError: when `type` is none of `SECURITY_EVENT_TYPES`.
        TenancyViolation: when a system session does not say for whom.
    """
    if type not in SECURITY_EVENT_TYPES:
        raise ValueError(f"no security event is called {type!r}: add it to SecurityEventType")
    session = db.sync_session
    organization_id = organization_of(session, organization_id)
    who = actor_of(session, actor)
    raised = SecurityEvent(
        id=new_id(),
        organization_id=organization_id,
        type=type,
        severity=severity,
        status=SECURITY_EVENT.initial,
        occurred_at=clock.now(),
        actor_kind=who.kind,
        actor_id=who.id,
        actor_name=who.name,
        address=who.address,
        request_id=request_id(),
        details={key: plain(value) for key, value in (details or {}).items()},
    )
    db.add(raised)
    emit(db, SecurityEventRaised(raised.id, type, severity, raised.occurred_at), organization_id=organization_id)
    return raised


async def get_security_event(db: AsyncSession, id: uuid.UUID, *, for_change: bool = False) -> SecurityEvent:
    """One security event, locked `for_change`.

    Raises:
        NotFound: when this organisation has none of this id.
    """
    found = await db.get(SecurityEvent, id, with_for_update=for_change or None)
    if found is None:
        raise NotFound(f"no security event {id}")
    return found


async def investigate(db: AsyncSession, id: uuid.UUID) -> SecurityEvent:
    """Somebody looks into it.

    Raises:
        NotFound: when this organisation has none of this id.
        InvalidTransition: when it is not open.
    """
    found = await get_security_event(db, id, for_change=True)
    found.status = SECURITY_EVENT.apply(SecurityStatus(found.status), SecurityAction.INVESTIGATE)
    return found


async def settle(
    db: AsyncSession, id: uuid.UUID, *, false_positive: bool, note: str, user_id: uuid.UUID
) -> SecurityEvent:
    """It is dealt with, or it was nothing.

    Raises:
        NotFound: when this organisation has none of this id.
        InvalidTransition: when it was settled before.
    """
    found = await get_security_event(db, id, for_change=True)
    action = SecurityAction.DISMISS if false_positive else SecurityAction.RESOLVE
    found.status = SECURITY_EVENT.apply(SecurityStatus(found.status), action)
    found.resolved_by, found.resolved_at, found.note = user_id, clock.now(), note
    return found


async def threats(db: AsyncSession) -> ThreatsRead:
    """What happened in the last 24 hours and 7 days, and a score.

    Score = max(0, 100 - sum over the events of the last 7 days that are open or under investigation of their weight);
    the weights are low 1, medium 3, high 10, critical 25. A settled event weighs nothing: the score says how much waits
    to be looked at, not how much was attempted.
    """
    rows = (await db.execute(queries.threats(clock.now()))).tuples().all()
    lost = sum(_WEIGHTS[severity] * unsettled for _, severity, _, _, unsettled in rows)
    return ThreatsRead(
        score=max(0, 100 - lost),
        unsettled=sum(unsettled for *_, unsettled in rows),
        threats=[
            ThreatRead(type=type, severity=severity, last_24_hours=day, last_7_days=week)
            for type, severity, day, week, _ in rows
        ],
    )
