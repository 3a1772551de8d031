"""The trail, what seals it, and security events."""

import uuid
from datetime import datetime
from typing import Literal, get_args

from sqlalchemy import JSON, CheckConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.audit.states import SecurityStatus
from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization

SecurityEventType = Literal[
    "failed_sign_in",
    "account_lockout",
    "refresh_reuse",
    "suspicious_activity",
    "unauthorized_access",
    "data_breach",
    "ip_refused",
    "api_key_refused",
    "oauth_client_refused",
    "signature_refused",
    "password_changed",
    "two_factor_enabled",
    "two_factor_disabled",
    "role_granted",
    "phone_log_tampered",
]
#: closed: a new type is added here before anything raises it
SECURITY_EVENT_TYPES: tuple[SecurityEventType, ...] = get_args(SecurityEventType)

Severity = Literal["low", "medium", "high", "critical"]
#: what is wrong at the first place where the seals of a chain do not hold
Fault = Literal["missing", "entry_gone", "changed", "end_missing", "end_differs"]


class AuditEntry(OrganizationOwned, Base):
    """Who did what, from where, and what it changed. Append-only: the database refuses anything else."""

    __tablename__ = "audit_entries"
    __audited__ = False
    __table_args__ = (
        Index("ix_audit_entries_occurred_at", "organization_id", "occurred_at"),
        Index("ix_audit_entries_entity", "organization_id", "entity", "entity_id"),
        Index("ix_audit_entries_actor_id", "organization_id", "actor_id"),
    )

    occurred_at: Mapped[datetime]
    #: as `kernel.tenancy.Actor` has it; `system` when a session named nobody
    actor_kind: Mapped[str]
    actor_id: Mapped[uuid.UUID | None]
    actor_name: Mapped[str]
    address: Mapped[str]
    request_id: Mapped[str]
    #: `users.created`, `users.changed`, `users.deleted`, or a verb that a room gave
    action: Mapped[str]
    #: the table's name
    entity: Mapped[str]
    entity_id: Mapped[str]
    #: the changed columns before and after; null where there is no before or after
    old: Mapped[dict[str, object] | None] = mapped_column(JSON(none_as_null=True))
    new: Mapped[dict[str, object] | None] = mapped_column(JSON(none_as_null=True))
    note: Mapped[str]


class UnsealedEntry(OrganizationOwned, Base):
    """An entry that waits for its seal: written with it, under the same id, and taken away by the sealer."""

    __tablename__ = "audit_unsealed"
    __audited__ = False
    __table_args__ = (same_organization("id", "audit_entries"),)


class AuditSeal(OrganizationOwned, Base):
    """One link of an organisation's chain: an HMAC over the entry and over the link before. Append-only."""

    __tablename__ = "audit_seals"
    __audited__ = False
    __table_args__ = (
        UniqueConstraint("organization_id", "sequence"),
        same_organization("entry_id", "audit_entries"),
    )

    #: 1, 2, 3 ... without a gap
    sequence: Mapped[int]
    entry_id: Mapped[uuid.UUID] = mapped_column(unique=True)
    #: HMAC-SHA256, hexadecimal; see `verify.seal`
    digest: Mapped[str]
    sealed_at: Mapped[datetime]


class AuditChain(OrganizationOwned, Base):
    """Where an organisation's chain ends. Its row is the sealer's lock."""

    __tablename__ = "audit_chains"
    __audited__ = False
    __table_args__ = (UniqueConstraint("organization_id"),)

    sequence: Mapped[int] = mapped_column(default=0)
    digest: Mapped[str] = mapped_column(default="")


class SecurityEvent(OrganizationOwned, Base):
    """Something that somebody responsible should look at."""

    __tablename__ = "security_events"
    __table_args__ = (
        CheckConstraint("severity IN ('low', 'medium', 'high', 'critical')", name="severity"),
        CheckConstraint("status IN ('open', 'investigating', 'resolved', 'false_positive')", name="status"),
        Index("ix_security_events_occurred_at", "organization_id", "occurred_at"),
    )

    type: Mapped[SecurityEventType] = mapped_column(String)
    severity: Mapped[Severity] = mapped_column(String)
    status: Mapped[str] = mapped_column(default=SecurityStatus.OPEN)
    occurred_at: Mapped[datetime]
    actor_kind: Mapped[str]
    actor_id: Mapped[uuid.UUID | None]
    actor_name: Mapped[str]
    address: Mapped[str]
    request_id: Mapped[str]
    details: Mapped[dict[str, object]]
    resolved_by: Mapped[uuid.UUID | None]
    resolved_at: Mapped[datetime | None]
    note: Mapped[str] = mapped_column(default="")
