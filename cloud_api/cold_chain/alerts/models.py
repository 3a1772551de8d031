"""Alerts: what people are told of, who was told when, and who answered.

An alert is one row for whatever raises it in a group, however often. Its timeline is append-only.
"""

import uuid
from datetime import datetime

from sqlalchemy import JSON, CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.cold_chain.alerts.states import AlertStatus
from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization
from cloud_api.kernel.versions import Versioned

SEVERITIES = ("info", "warning", "critical")
_UNRESOLVED = text("status <> 'resolved'")
_DUE = text("due_at IS NOT NULL")
_DEFAULT = text("default_for IS NOT NULL")
_GOES_ON = text("until IS NULL")


class EscalationPolicy(Versioned, OrganizationOwned, Base):
    """Who is told of an alert, in which order, until somebody answers."""

    __tablename__ = "escalation_policies"
    __table_args__ = (
        UniqueConstraint("organization_id", "name"),
        CheckConstraint("default_for IS NULL OR default_for IN ('info', 'warning', 'critical')", name="default_for"),
        Index(
            "uq_escalation_policies_default",
            "organization_id",
            "default_for",
            unique=True,
            sqlite_where=_DEFAULT,
            postgresql_where=_DEFAULT,
        ),
    )

    name: Mapped[str]
    #: alerts of this severity whose rule names no policy follow this one
    default_for: Mapped[str | None]
    #: `schemas.StepEntry`, in order
    steps: Mapped[list[dict[str, object]]] = mapped_column(JSON)
    created_at: Mapped[datetime]


class Alert(OrganizationOwned, Base):
    """Something that somebody has to look at. Its timeline says what changed; the trail need not say it again."""

    __tablename__ = "alerts"
    __audited__ = False
    __table_args__ = (
        Index(
            "uq_alerts_unresolved",
            "organization_id",
            "group_key",
            unique=True,
            sqlite_where=_UNRESOLVED,
            postgresql_where=_UNRESOLVED,
        ),
        Index("ix_alerts_group", "organization_id", "group_key", "id"),
        Index("ix_alerts_due", "due_at", sqlite_where=_DUE, postgresql_where=_DUE),
        CheckConstraint("severity IN ('info', 'warning', 'critical')", name="severity"),
        CheckConstraint("status IN ('open', 'snoozed', 'acknowledged', 'resolved')", name="status"),
        CheckConstraint("resolution IS NULL OR resolution IN ('itself', 'person')", name="resolution"),
        CheckConstraint("status <> 'resolved' OR resolved_at IS NOT NULL", name="resolved_at"),
        same_organization("location_id", "locations"),
    )

    #: what belongs together: `high:temperature:<place>`; one unresolved alert each
    group_key: Mapped[str]
    alert_type: Mapped[str]
    severity: Mapped[str]
    status: Mapped[str] = mapped_column(default=AlertStatus.OPEN)
    title: Mapped[str]
    message: Mapped[str]
    #: what raised it first; all of them are its members
    subject: Mapped[str]
    location_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    #: of a room above: no key
    rule_id: Mapped[uuid.UUID | None]
    #: how often it was raised
    count: Mapped[int] = mapped_column(default=1)
    #: when it was raised first and last, in the time of what raised it
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]
    #: since when nothing of it goes on; a critical one waits on for an answer
    cleared_at: Mapped[datetime | None]
    #: how often it came back soon after it was over
    returns: Mapped[int] = mapped_column(default=0)
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[uuid.UUID | None]
    snoozed_until: Mapped[datetime | None]
    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[uuid.UUID | None]
    #: `itself` or `person`
    resolution: Mapped[str | None]
    #: `policies.Telling` in order, as the policy was when the alert was raised
    tellings: Mapped[list[dict[str, object]]] = mapped_column(JSON, default=list)
    #: the one that comes next
    next_telling: Mapped[int] = mapped_column(default=0)
    #: when it comes, or when the snooze ends; None: nobody is told of it by the clock
    due_at: Mapped[datetime | None]


class AlertMember(OrganizationOwned, Base):
    """One thing that raised an alert, and whether it goes on."""

    __tablename__ = "alert_members"
    __audited__ = False
    __table_args__ = (
        UniqueConstraint("alert_id", "subject"),
        Index(
            "ix_alert_members_subject",
            "organization_id",
            "subject",
            sqlite_where=_GOES_ON,
            postgresql_where=_GOES_ON,
        ),
        same_organization("alert_id", "alerts", ondelete="CASCADE"),
    )

    alert_id: Mapped[uuid.UUID]
    subject: Mapped[str]
    since: Mapped[datetime]
    until: Mapped[datetime | None]


class AlertEvent(OrganizationOwned, Base):
    """One line of an alert's timeline: written once, never changed."""

    __tablename__ = "alert_events"
    __audited__ = False
    __table_args__ = (same_organization("alert_id", "alerts", ondelete="CASCADE"),)

    alert_id: Mapped[uuid.UUID] = mapped_column(index=True)
    at: Mapped[datetime]
    #: raised, joined, worsened, escalated, told, told_nobody, over, returned, acknowledged, snoozed, woke, resolved,
    #: noted
    kind: Mapped[str]
    #: None: nobody did it, it happened
    user_id: Mapped[uuid.UUID | None]
    note: Mapped[str] = mapped_column(default="")
    detail: Mapped[dict[str, object]] = mapped_column(default=dict)


class AlertReading(OrganizationOwned, Base):
    """That somebody has read an alert."""

    __tablename__ = "alert_readings"
    __audited__ = False
    __table_args__ = (
        UniqueConstraint("alert_id", "user_id"),
        same_organization("alert_id", "alerts", ondelete="CASCADE"),
        same_organization("user_id", "users", ondelete="CASCADE"),
    )

    alert_id: Mapped[uuid.UUID]
    user_id: Mapped[uuid.UUID]
    read_at: Mapped[datetime]
