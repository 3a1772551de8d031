"""Lots that were called back."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization
from cloud_api.recalls.states import RecallStatus

#: what becomes of the goods when a recall is closed
OUTCOMES = ("release", "quarantine", "downgrade", "waste")


class Recall(OrganizationOwned, Base):
    """A lot, and all that was made of it, called back. A lot is called back by one recall at a time."""

    __tablename__ = "recalls"
    __table_args__ = (
        UniqueConstraint("organization_id", "number"),
        CheckConstraint(f"status IN {tuple(str(status) for status in RecallStatus)}", name="status"),
        CheckConstraint(f"outcome IN {OUTCOMES}", name="outcome"),
        Index(
            "uq_recalls_open",
            "lot_id",
            unique=True,
            sqlite_where=text("status = 'open'"),
            postgresql_where=text("status = 'open'"),
        ),
        same_organization("lot_id", "lots"),
    )

    number: Mapped[str]
    lot_id: Mapped[uuid.UUID] = mapped_column(index=True)
    reason: Mapped[str]
    status: Mapped[str] = mapped_column(default=RecallStatus.OPEN)
    opened_at: Mapped[datetime]
    opened_by: Mapped[uuid.UUID | None]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[uuid.UUID | None]
    close_reason: Mapped[str | None]
    #: None: it is open
    outcome: Mapped[str | None]
