"""People: who they are, their roles, and the passwords they may not take again."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization
from cloud_api.kernel.versions import Versioned


class User(Versioned, OrganizationOwned, Base):
    """A person who signs in. E-mail and user name are unique everywhere: signing in names no organisation."""

    __tablename__ = "users"

    #: in small letters, both
    username: Mapped[str] = mapped_column(unique=True)
    email: Mapped[str] = mapped_column(unique=True)
    full_name: Mapped[str]
    #: E.164; empty when unknown
    phone: Mapped[str] = mapped_column(default="")
    #: of a person who signs in elsewhere only: empty, which no password matches
    password_hash: Mapped[str]
    password_changed_at: Mapped[datetime | None]
    #: set by an administrator who chose the password
    must_change_password: Mapped[bool] = mapped_column(default=False)
    email_verified_at: Mapped[datetime | None]
    #: granted beside what the roles grant, by blanks
    extra_permissions: Mapped[str] = mapped_column(default="")
    #: BCP 47
    locale: Mapped[str] = mapped_column(default="en")
    #: light, dark or system
    theme: Mapped[str] = mapped_column(default="system")
    avatar_id: Mapped[uuid.UUID | None]
    #: active, inactive or suspended
    status: Mapped[str] = mapped_column(default="active")
    last_signed_in_at: Mapped[datetime | None] = mapped_column(info={"audited": False})
    created_at: Mapped[datetime]
    #: left for good; name, e-mail and phone may have been made unreadable
    deleted_at: Mapped[datetime | None]

    __table_args__ = (CheckConstraint("status IN ('active', 'inactive', 'suspended')", name="status"),)


class UserRole(OrganizationOwned, Base):
    """A role that a person holds."""

    __tablename__ = "user_roles"
    __table_args__ = (
        UniqueConstraint("user_id", "role_id"),
        same_organization("user_id", "users", ondelete="CASCADE"),
        same_organization("role_id", "roles"),
    )

    user_id: Mapped[uuid.UUID]
    role_id: Mapped[uuid.UUID]
    assigned_by: Mapped[uuid.UUID | None]
    assigned_at: Mapped[datetime]


class FormerPassword(OrganizationOwned, Base):
    """A password that somebody had: the last five are not taken again."""

    __tablename__ = "former_passwords"
    __audited__ = False
    __table_args__ = (
        Index("ix_former_passwords_user", "user_id", "created_at"),
        same_organization("user_id", "users", ondelete="CASCADE"),
    )

    user_id: Mapped[uuid.UUID]
    password_hash: Mapped[str]
    created_at: Mapped[datetime]
