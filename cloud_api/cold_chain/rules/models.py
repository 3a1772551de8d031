"""Rules about what places may be like."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization

KINDS = ("high", "low", "rising", "falling", "silent", "cumulative_high", "cumulative_low")
#: the quantity of a `silent` rule that is about every sensor of its place
ANY_QUANTITY = "any"
_KEPT = text("deleted_at IS NULL")


class AlertRule(OrganizationOwned, Base):
    """What a quantity must keep to in a place and in everything inside it."""

    __tablename__ = "alert_rules"
    __table_args__ = (
        Index(
            "uq_alert_rules_name", "organization_id", "name", unique=True, sqlite_where=_KEPT, postgresql_where=_KEPT
        ),
        CheckConstraint(f"kind IN {KINDS}", name="kind"),
        CheckConstraint("severity IN ('info', 'warning', 'critical')", name="severity"),
        CheckConstraint("duration_s >= 0", name="duration"),
        same_organization("location_id", "locations"),
    )

    name: Mapped[str]
    location_id: Mapped[uuid.UUID] = mapped_column(index=True)
    quantity: Mapped[str]
    kind: Mapped[str]
    #: broken when the calibrated value passes this, over when it is back at `clear_at` or better; 0 where the kind has
    #: none
    set_at: Mapped[float]
    clear_at: Mapped[float]
    #: a limit: how long it must be broken; rising, falling: over how long the change is measured; silent: how long
    #: without a word, 0 for one period of each sensor and ten seconds; cumulative: how long a day it may be passed
    duration_s: Mapped[int]
    #: rising, falling: the largest change allowed; else 0
    change: Mapped[float] = mapped_column(default=0.0)
    #: an alarm stays until a person resets it
    latched: Mapped[bool] = mapped_column(default=False)
    severity: Mapped[str] = mapped_column(default="critical")
    #: who is told when; None: the organisation's policy for this severity
    escalation_policy_id: Mapped[uuid.UUID | None]
    enabled: Mapped[bool] = mapped_column(default=True)
    #: counts its changes: an excursion keeps the one it was opened under
    version: Mapped[int] = mapped_column(default=1, info={"audited": False})
    created_at: Mapped[datetime]
    #: excursions from it stay
    deleted_at: Mapped[datetime | None]
