"""Excursions."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.cold_chain.excursions.states import ExcursionStatus
from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization

DISPOSITIONS = ("release", "quarantine", "downgrade", "waste")
_GOES_ON = text("status IN ('open', 'acknowledged')")


class Excursion(OrganizationOwned, Base):
    """A breach of a limit, from its first reading to what was decided about the goods. The limit is frozen in it."""

    __tablename__ = "excursions"
    __table_args__ = (
        UniqueConstraint("organization_id", "number"),
        UniqueConstraint("sensor_id", "incident"),
        Index(
            "uq_excursions_going_on",
            "sensor_id",
            "rule_id",
            unique=True,
            sqlite_where=_GOES_ON,
            postgresql_where=_GOES_ON,
        ),
        Index("ix_excursions_sensor_id_started_at", "sensor_id", "started_at"),
        Index("ix_excursions_organization_id_started_at", "organization_id", "started_at"),
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
    duration_s: Mapped[int] = mapped_column(default=0)
    latched: Mapped[bool] = mapped_column(default=False)
    #: of the rule, when it was opened
    rule_version: Mapped[int] = mapped_column(default=1)
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
    #: the worst value that the gateway's own alarm named; None: it has not raised any
    gateway_peak: Mapped[float | None] = mapped_column(info={"audited": False})
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[uuid.UUID | None]
    #: what who acknowledged it said
    acknowledgement: Mapped[str] = mapped_column(default="")
    #: when a person took the latch off
    reset_at: Mapped[datetime | None]
    reset_by: Mapped[uuid.UUID | None]
    #: when readings that came late proved that it never was
    retracted_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[uuid.UUID | None]
    disposition: Mapped[str | None]
    #: why it was closed
    note: Mapped[str] = mapped_column(default="")


class CorrectiveAction(OrganizationOwned, Base):
    """What somebody did about an excursion; append-only."""

    __tablename__ = "corrective_actions"
    __table_args__ = (same_organization("excursion_id", "excursions"),)

    excursion_id: Mapped[uuid.UUID] = mapped_column(index=True)
    description: Mapped[str]
    taken_at: Mapped[datetime]
    taken_by: Mapped[uuid.UUID]
