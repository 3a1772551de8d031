"""Invitations: a mailed token by which somebody makes an account of their own."""

import uuid
from datetime import datetime

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization

_IS_OPEN = text("accepted_at IS NULL AND revoked_at IS NULL")


class Invitation(OrganizationOwned, Base):
    """Somebody was invited. Of the token only a hash is kept."""

    __tablename__ = "invitations"
    __table_args__ = (
        # one open invitation for each address and organisation
        Index(
            "ix_invitations_open",
            "organization_id",
            "email",
            unique=True,
            sqlite_where=_IS_OPEN,
            postgresql_where=_IS_OPEN,
        ),
    )

    #: in small letters
    email: Mapped[str]
    token_sha256: Mapped[str] = mapped_column(unique=True)
    #: the person or machine
    invited_by: Mapped[uuid.UUID | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    #: also when a newer one took its place
    revoked_at: Mapped[datetime | None]


class InvitationRole(OrganizationOwned, Base):
    """A role that the invited will hold. A role that is deleted meanwhile they will not hold."""

    __tablename__ = "invitation_roles"
    __table_args__ = (
        UniqueConstraint("invitation_id", "role_id"),
        same_organization("invitation_id", "invitations", ondelete="CASCADE"),
        same_organization("role_id", "roles", ondelete="CASCADE"),
    )

    invitation_id: Mapped[uuid.UUID]
    role_id: Mapped[uuid.UUID]
