"""Organisations, the people in them, what they may do, and where they are signed in."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, OrganizationRoot, same_organization


class Organization(OrganizationRoot, Base):
    """A business that uses Coldfleet; the wall stands around it."""

    __tablename__ = "organizations"

    name: Mapped[str]
    slug: Mapped[str] = mapped_column(unique=True)
    #: ISO 4217
    currency: Mapped[str] = mapped_column(default="INR")
    #: IANA
    timezone: Mapped[str] = mapped_column(default="Asia/Kolkata")
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]


class User(OrganizationOwned, Base):
    """A person who signs in. E-mail and user name are unique everywhere: signing in names no organisation."""

    __tablename__ = "users"

    #: in small letters, both
    username: Mapped[str] = mapped_column(unique=True)
    email: Mapped[str] = mapped_column(unique=True)
    full_name: Mapped[str]
    password_hash: Mapped[str]
    #: active, inactive or suspended
    status: Mapped[str] = mapped_column(default="active")
    created_at: Mapped[datetime]

    __table_args__ = (CheckConstraint("status IN ('active', 'inactive', 'suspended')", name="status"),)


class UserRole(OrganizationOwned, Base):
    """A role that a person holds; built-in roles are named in `roles`."""

    __tablename__ = "user_roles"
    __table_args__ = (
        UniqueConstraint("organization_id", "user_id", "role"),
        same_organization("user_id", "users", ondelete="CASCADE"),
    )

    user_id: Mapped[uuid.UUID]
    role: Mapped[str]


class UserSession(OrganizationOwned, Base):
    """One sign-in. Its refresh token is replaced at each use; only hashes are kept."""

    __tablename__ = "user_sessions"
    __table_args__ = (same_organization("user_id", "users", ondelete="CASCADE"),)

    user_id: Mapped[uuid.UUID] = mapped_column(index=True)
    refresh_sha256: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
