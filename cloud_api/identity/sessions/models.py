"""Sign-ins: sessions, second factors, one-time tokens, and the keys that sign access tokens."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.db import Base
from cloud_api.kernel.ids import new_id
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization
from cloud_api.kernel.vault import Sealed

PURPOSES = ("verify_email", "reset_password", "challenge")


class UserSession(OrganizationOwned, Base):
    """One sign-in: the family of its refresh tokens. Only hashes are kept."""

    __tablename__ = "user_sessions"
    __table_args__ = (same_organization("user_id", "users", ondelete="CASCADE"),)

    user_id: Mapped[uuid.UUID] = mapped_column(index=True)
    refresh_sha256: Mapped[str] = mapped_column(unique=True, info={"audited": False})
    address: Mapped[str] = mapped_column(default="")
    user_agent: Mapped[str] = mapped_column(default="")
    #: the phone's own id, when a driver's app signed in
    device_id: Mapped[str] = mapped_column(default="")
    #: the organisation's provider vouched for them: the age of a password they may have does not matter
    by_provider: Mapped[bool] = mapped_column(default=False)
    #: and says that it asked for a second factor
    factor_seen: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime] = mapped_column(info={"audited": False})
    expires_at: Mapped[datetime] = mapped_column(info={"audited": False})
    revoked_at: Mapped[datetime | None]
    #: signed_out, terminated, superseded, reuse, password_changed, deactivated
    revoke_reason: Mapped[str | None]


class UsedRefreshToken(OrganizationOwned, Base):
    """A refresh token that was traded in. Whoever shows it again has stolen it, or was stolen from."""

    __tablename__ = "used_refresh_tokens"
    __audited__ = False
    __table_args__ = (same_organization("session_id", "user_sessions", ondelete="CASCADE"),)

    session_id: Mapped[uuid.UUID] = mapped_column(index=True)
    sha256: Mapped[str] = mapped_column(unique=True)


class SecondFactor(OrganizationOwned, Base):
    """A person's TOTP seed and backup codes. Not in force until confirmed by a first code."""

    __tablename__ = "second_factors"
    __table_args__ = (UniqueConstraint("user_id"), same_organization("user_id", "users", ondelete="CASCADE"))

    user_id: Mapped[uuid.UUID]
    #: base 32
    totp_seed: Mapped[str] = mapped_column(Sealed)
    #: the 30-second step of the last code taken: none works twice
    last_step: Mapped[int] = mapped_column(default=0, info={"audited": False})
    #: those still unused, by blanks
    backup_codes: Mapped[str] = mapped_column(Sealed, default="", info={"audited": False})
    created_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]


class OneTimeToken(OrganizationOwned, Base):
    """Something sent or shown to somebody that works once, for a while."""

    __tablename__ = "one_time_tokens"
    __audited__ = False
    __table_args__ = (
        CheckConstraint(f"purpose IN {PURPOSES}", name="purpose"),
        same_organization("user_id", "users", ondelete="CASCADE"),
    )

    user_id: Mapped[uuid.UUID] = mapped_column(index=True)
    purpose: Mapped[str]
    sha256: Mapped[str] = mapped_column(unique=True)
    #: of a challenge: the code that was sent by SMS, while it may be used
    sms_code: Mapped[str | None] = mapped_column(Sealed)
    #: of a challenge: the phone's own id, when a driver's app asked
    device_id: Mapped[str] = mapped_column(default="")
    #: of a challenge: it follows a provider's word, not a password
    by_provider: Mapped[bool] = mapped_column(default=False)
    #: wrong answers so far
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class FailedSignIn(Base):
    """How often a name was refused lately, whether or not anybody has it. Belongs to no organisation."""

    __tablename__ = "failed_sign_ins"

    #: SHA-256 of the user's id, or of the name nobody has
    key: Mapped[str] = mapped_column(primary_key=True)
    failures: Mapped[int] = mapped_column(default=0)
    last_at: Mapped[datetime] = mapped_column(index=True)
    locked_until: Mapped[datetime | None]


class SigningKey(Base):
    """A key that signs access tokens. The newest signs; a former one is believed until it retires."""

    __tablename__ = "signing_keys"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    secret: Mapped[str] = mapped_column(Sealed)
    created_at: Mapped[datetime]
    retires_at: Mapped[datetime | None]
