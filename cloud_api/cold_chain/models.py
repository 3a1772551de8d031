"""Rules about what places may be like, how each stands, and the excursions from them."""

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.cold_chain.states import ExcursionStatus
from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization

DISPOSITIONS = ("release", "quarantine", "downgrade", "waste")
_GOES_ON = text("status IN ('open', 'acknowledged')")


class AlertRule(OrganizationOwned, Base):
    """A limit that a quantity must keep in a place and in everything inside it."""

    __tablename__ = "alert_rules"
    __table_args__ = (
        UniqueConstraint("organization_id", "name"),
        CheckConstraint("kind IN ('high', 'low')", name="kind"),
        CheckConstraint("severity IN ('info', 'warning', 'critical')", name="severity"),
        CheckConstraint("duration_s >= 0", name="duration"),
        same_organization("location_id", "locations"),
    )

    name: Mapped[str]
    location_id: Mapped[uuid.UUID] = mapped_column(index=True)
    quantity: Mapped[str]
    kind: Mapped[str]
    #: broken when the calibrated value passes this, over when it is back at `clear_at` or better
    set_at: Mapped[float]
    clear_at: Mapped[float]
    duration_s: Mapped[int]
    severity: Mapped[str] = mapped_column(default="critical")
    enabled: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]


class RuleState(OrganizationOwned, Base):
    """How one sensor stands with one rule: `gateway.rules.State`, kept."""

    __tablename__ = "alert_rule_states"
    __audited__ = False
    __table_args__ = (
        UniqueConstraint("sensor_id", "rule_id"),
        same_organization("sensor_id", "sensors"),
        same_organization("rule_id", "alert_rules"),
    )

    sensor_id: Mapped[uuid.UUID]
    rule_id: Mapped[uuid.UUID]
    phase: Mapped[str] = mapped_column(default="clear")
    started_at_ms: Mapped[int | None] = mapped_column(BigInteger)
    peak: Mapped[float | None]
    last_at_ms: Mapped[int | None] = mapped_column(BigInteger)


class Excursion(OrganizationOwned, Base):
    """A breach of a limit, from its first reading to what was decided about the goods. The limit is frozen in it."""

    __tablename__ = "excursions"
    __table_args__ = (
        UniqueConstraint("organization_id", "number"),
        UniqueConstraint("sensor_id", "incident"),
        Index(
            "uq_excursions_going_on", "sensor_id", "kind", unique=True, sqlite_where=_GOES_ON, postgresql_where=_GOES_ON
        ),
        CheckConstraint("status IN ('open', 'acknowledged', 'recovered', 'closed')", name="status"),
        CheckConstraint("status <> 'closed' OR disposition IS NOT NULL", name="closed_with_disposition"),
        same_organization("location_id", "locations"),
        same_organization("sensor_id", "sensors"),
        same_organization("rule_id", "alert_rules"),
    )

    number: Mapped[str]
    #: the same at the gateway and here: `gateway.rules.incident_key`; two gateways may give one to sensors of one name
    incident: Mapped[str]
    location_id: Mapped[uuid.UUID] = mapped_column(index=True)
    sensor_id: Mapped[uuid.UUID]
    rule_id: Mapped[uuid.UUID]
    quantity: Mapped[str]
    unit: Mapped[str]
    kind: Mapped[str]
    set_at: Mapped[float]
    clear_at: Mapped[float]
    severity: Mapped[str]
    status: Mapped[str] = mapped_column(default=ExcursionStatus.OPEN)
    #: first reading beyond the limit
    started_at: Mapped[datetime]
    #: the reading that made it an excursion
    raised_at: Mapped[datetime]
    #: the reading that ended it
    ended_at: Mapped[datetime | None]
    peak_value: Mapped[float] = mapped_column(info={"audited": False})
    #: who said it first: the cloud's judge or the gateway's
    raised_by: Mapped[str]
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[uuid.UUID | None]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[uuid.UUID | None]
    disposition: Mapped[str | None]
    note: Mapped[str] = mapped_column(default="")
