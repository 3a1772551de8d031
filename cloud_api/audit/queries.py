"""Reads of the trail, its chain, and security events."""

import uuid
from datetime import datetime, timedelta

from sqlalchemy import Select, case, exists, func, select

from cloud_api.audit.models import AuditEntry, AuditSeal, SecurityEvent, SecurityEventType, Severity

#: what concerns who may come in, and not what they do: for those who look after security
_OF_ACCESS = (
    "api_keys",
    "erasure_requests",
    "identity_providers",
    "invitation_roles",
    "invitations",
    "ip_allowlist",
    "oauth_clients",
    "oauth_identities",
    "personal_data_exports",
    "roles",
    "second_factors",
    "security_events",
    "user_roles",
    "user_sessions",
    "users",
)


def activity(*, actor: uuid.UUID | None, entity: str | None, since: datetime | None) -> Select[tuple[AuditEntry]]:
    """Entries of the trail that tell what was done, and not who may come in."""
    return entries(actor=actor, entity=entity, since=since).where(AuditEntry.entity.not_in(_OF_ACCESS))


def entries(
    *,
    actor: uuid.UUID | None = None,
    action: str | None = None,
    entity: str | None = None,
    entity_id: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Select[tuple[AuditEntry]]:
    """Entries of the trail; `until` is not included."""
    statement = select(AuditEntry)
    if actor is not None:
        statement = statement.where(AuditEntry.actor_id == actor)
    for column, value in (
        (AuditEntry.action, action),
        (AuditEntry.entity, entity),
        (AuditEntry.entity_id, entity_id),
    ):
        if value is not None:
            statement = statement.where(column == value)
    if since is not None:
        statement = statement.where(AuditEntry.occurred_at >= since)
    if until is not None:
        statement = statement.where(AuditEntry.occurred_at < until)
    return statement


def stretch(since: datetime | None, until: datetime | None) -> Select[tuple[int, int]]:
    """(first, last) sequence of the chain's stretch that covers a time; (None, None) when nothing in it is sealed."""
    inside = entries(since=since, until=until).with_only_columns(AuditEntry.id)
    return select(func.min(AuditSeal.sequence), func.max(AuditSeal.sequence)).where(AuditSeal.entry_id.in_(inside))


def links(organization_id: uuid.UUID, *, after: int, through: int) -> Select[tuple[AuditSeal, AuditEntry]]:
    """Seals of one chain in order, each with its entry, or with None where that is gone."""
    return (
        select(AuditSeal, AuditEntry)
        .outerjoin(AuditEntry, AuditEntry.id == AuditSeal.entry_id)
        .where(AuditSeal.organization_id == organization_id, AuditSeal.sequence > after, AuditSeal.sequence <= through)
        .order_by(AuditSeal.sequence)
    )


def unsealed(organization_id: uuid.UUID, *, before: datetime) -> Select[tuple[AuditEntry]]:
    """Entries that have no seal, whatever the sealer's queue says."""
    return (
        select(AuditEntry)
        .where(
            AuditEntry.organization_id == organization_id,
            AuditEntry.occurred_at < before,
            ~exists().where(AuditSeal.entry_id == AuditEntry.id),
        )
        .order_by(AuditEntry.id)
    )


def security_events(
    *, type: str | None = None, severity: str | None = None, status: str | None = None, since: datetime | None = None
) -> Select[tuple[SecurityEvent]]:
    """Security events."""
    statement = select(SecurityEvent)
    for column, value in (
        (SecurityEvent.type, type),
        (SecurityEvent.severity, severity),
        (SecurityEvent.status, status),
    ):
        if value is not None:
            statement = statement.where(column == value)
    return statement if since is None else statement.where(SecurityEvent.occurred_at >= since)


def threats(now: datetime) -> Select[tuple[SecurityEventType, Severity, int, int, int]]:
    """(type, severity, in 24 hours, in 7 days, of those in 7 days not settled) of what happened in 7 days."""
    day = case((SecurityEvent.occurred_at >= now - timedelta(days=1), 1), else_=0)
    unsettled = case((SecurityEvent.status.in_(("open", "investigating")), 1), else_=0)
    return (
        select(
            SecurityEvent.type,
            SecurityEvent.severity,
            func.sum(day),
            func.count(),
            func.sum(unsettled),
        )
        .where(SecurityEvent.occurred_at >= now - timedelta(days=7))
        .group_by(SecurityEvent.type, SecurityEvent.severity)
        .order_by(SecurityEvent.type, SecurityEvent.severity)
    )
