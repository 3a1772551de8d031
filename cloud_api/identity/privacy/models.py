"""Copies of somebody's personal data, and requests to erase it."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization
from cloud_api.kernel.vault import Sealed


class PersonalDataExport(OrganizationOwned, Base):
    """A copy of all that is kept about somebody, for seven days."""

    __tablename__ = "personal_data_exports"
    __table_args__ = (same_organization("subject_id", "users", ondelete="CASCADE"),)

    subject_id: Mapped[uuid.UUID] = mapped_column(index=True)
    requested_by: Mapped[uuid.UUID]
    created_at: Mapped[datetime]
    ready_at: Mapped[datetime | None]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    #: JSON; None until it is ready, and again when it has expired
    document: Mapped[str | None] = mapped_column(Sealed, info={"audited": False})

    @property
    def status(self) -> str:
        """Pending, ready or expired."""
        if self.ready_at is None:
            return "pending"
        return "expired" if self.document is None else "ready"


_IS_OPEN = text("status = 'requested'")


class ErasureRequest(OrganizationOwned, Base):
    """Somebody's wish that their personal data be made unreadable."""

    __tablename__ = "erasure_requests"
    __table_args__ = (
        CheckConstraint("status IN ('requested', 'executed', 'cancelled')", name="status"),
        same_organization("subject_id", "users", ondelete="CASCADE"),
        # one open request about each person
        Index(
            "ix_erasure_requests_open",
            "organization_id",
            "subject_id",
            unique=True,
            sqlite_where=_IS_OPEN,
            postgresql_where=_IS_OPEN,
        ),
    )

    subject_id: Mapped[uuid.UUID]
    requested_by: Mapped[uuid.UUID]
    reason: Mapped[str] = mapped_column(default="", info={"audited": False})
    #: `states.ERASURE`
    status: Mapped[str]
    created_at: Mapped[datetime]
    settled_by: Mapped[uuid.UUID | None]
    settled_at: Mapped[datetime | None]
