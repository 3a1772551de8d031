"""Passwords that are changed, forgotten and reset, and e-mail addresses that are confirmed."""

import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.audit import service as audit
from cloud_api.identity.errors import TokenUsed, WeakPassword, WrongCredentials
from cloud_api.identity.events import MailDue
from cloud_api.identity.organizations.models import Organization
from cloud_api.identity.passwords import HISTORY, is_one_of, new_password, verify_password
from cloud_api.identity.people.models import User
from cloud_api.identity.people.service import former_passwords, get_user, set_password
from cloud_api.identity.sessions import attempts
from cloud_api.identity.sessions.models import OneTimeToken
from cloud_api.identity.sessions.service import sha256, terminate_all, user_called
from cloud_api.kernel import clock, outbox, vault
from cloud_api.kernel.db import Database
from cloud_api.kernel.tenancy import SystemScope

RESET_LIFE = timedelta(minutes=30)
VERIFY_LIFE = timedelta(days=3)


@dataclass(frozen=True)
class PasswordChange:
    """A new password that passed every test, and the hash it takes the place of."""

    user_id: uuid.UUID
    replaces: str
    password_hash: str


async def send_verification(db: AsyncSession, user: User) -> None:
    """Mail somebody a token that confirms their address. Earlier ones still work."""
    organization = await db.get_one(Organization, user.organization_id)
    token = _draw(db, user, "verify_email", VERIFY_LIFE)
    _mail(db, user, organization, "verify_email", token, VERIFY_LIFE)


async def verify_email(db: AsyncSession, *, token: str) -> None:
    """Confirm an address by the mailed token. Needs a system session.

    Raises:
        TokenUsed: when the token is not valid (any more).
    """
    user = await db.get_one(User, (await _take(db, token, "verify_email")).user_id)
    user.email_verified_at = clock.now()


async def forget_password(db: AsyncSession, *, login: str) -> None:
    """Mail a reset token, if anybody active is called that. The caller is told nothing. Needs a system session."""
    user = await user_called(db, login)
    if user is None or user.status != "active":
        return
    organization = await db.get_one(Organization, user.organization_id)
    if organization.is_active:
        token = _draw(db, user, "reset_password", RESET_LIFE)
        _mail(db, user, organization, "reset_password", token, RESET_LIFE)


async def reset_password(db: AsyncSession, *, token: str, change: PasswordChange) -> None:
    """Take the new password; every sign-in ends. Needs a system session.

    Raises:
        TokenUsed: when the token is not valid (any more).
    """
    taken = await _take(db, token, "reset_password")
    user = await db.get_one(User, change.user_id, with_for_update=True)
    if taken.user_id != user.id or user.password_hash != change.replaces:
        raise TokenUsed
    # whoever reads the mail has shown that the address is theirs
    user.email_verified_at = user.email_verified_at or clock.now()
    await attempts.forget(db, user.id)
    await _take_password(db, user, change.password_hash, keep_session=None)


async def change_password(db: AsyncSession, *, change: PasswordChange, session_id: uuid.UUID | None) -> None:
    """Take the new password; every other sign-in ends.

    Raises:
        WrongCredentials: when the password was changed meanwhile.
    """
    user = await get_user(db, change.user_id, locked=True)
    if user.password_hash != change.replaces:
        raise WrongCredentials
    await _take_password(db, user, change.password_hash, keep_session=session_id)


async def prepare_change(database: Database, *, user_id: uuid.UUID, current: str, wanted: str) -> PasswordChange:
    """Compare and hash before the unit of work begins.

    Raises:
        WrongCredentials: when `current` is not the present password. The failure is counted.
        SignInLocked: after too many failures.
        WeakPassword: when `wanted` is too easy, or one of the last five.
    """
    await prove_password(database, user_id=user_id, password=current)
    user, former = await _password_of(database, user_id)
    return await _prepare(user, former, wanted)


async def prepare_reset(database: Database, *, token: str, wanted: str) -> PasswordChange:
    """The same for somebody who shows a mailed token.

    Raises:
        TokenUsed: when the token is not valid (any more).
        WeakPassword: when `wanted` is too easy, or one of the last five.
    """
    async with database.unit_of_work(SystemScope("reset a password"), read_only=True) as db:
        found = await _valid(db, token, "reset_password")
    return await _prepare(*await _password_of(database, found.user_id), wanted)


async def prove_password(database: Database, *, user_id: uuid.UUID, password: str) -> None:
    """Ask somebody who is signed in for their password, as strictly as when they sign in: a token may be stolen.

    Raises:
        WrongCredentials: when it is not theirs. The failure is counted.
        SignInLocked: after too many failures.
    """
    user, _ = await _password_of(database, user_id)
    key = attempts.key_of("", user)
    matches = await verify_password(password, user.password_hash)
    async with database.unit_of_work(SystemScope("prove a password"), read_only=matches) as db:
        await attempts.refuse_if_locked(db, key)
        if not matches:
            await attempts.count_failure(db, key, user)
            raise WrongCredentials


async def _password_of(database: Database, user_id: uuid.UUID) -> tuple[User, Sequence[str]]:
    async with database.unit_of_work(SystemScope("change a password"), read_only=True) as db:
        return await db.get_one(User, user_id), await former_passwords(db, user_id, limit=HISTORY)


async def _prepare(user: User, former: Sequence[str], wanted: str) -> PasswordChange:
    hashed = await new_password(wanted, about=(user.username, user.email, user.full_name))
    if await is_one_of(wanted, former):
        raise WeakPassword(f"you had this password before: choose one that is none of your last {HISTORY}")
    return PasswordChange(user.id, user.password_hash, hashed)


async def _take_password(db: AsyncSession, user: User, password_hash: str, *, keep_session: uuid.UUID | None) -> None:
    set_password(db, user, password_hash)
    user.must_change_password = False
    await terminate_all(db, user_id=user.id, reason="password_changed", but=keep_session)
    organization = await db.get_one(Organization, user.organization_id)
    _mail(db, user, organization, "password_changed")
    audit.raise_security_event(
        db,
        type="password_changed",
        severity="low",
        organization_id=user.organization_id,
        details={"user_id": str(user.id)},
    )


def _draw(db: AsyncSession, user: User, purpose: Literal["verify_email", "reset_password"], life: timedelta) -> str:
    token = secrets.token_urlsafe(32)
    db.add(
        OneTimeToken(
            organization_id=user.organization_id,
            user_id=user.id,
            purpose=purpose,
            sha256=sha256(token),
            created_at=clock.now(),
            expires_at=clock.now() + life,
        )
    )
    return token


async def _take(db: AsyncSession, token: str, purpose: str) -> OneTimeToken:
    found = await _valid(db, token, purpose, locked=True)
    found.used_at = clock.now()
    return found


async def _valid(db: AsyncSession, token: str, purpose: str, *, locked: bool = False) -> OneTimeToken:
    statement = select(OneTimeToken).where(OneTimeToken.purpose == purpose, OneTimeToken.sha256 == sha256(token))
    found = (await db.scalars(statement.with_for_update() if locked else statement)).one_or_none()
    if found is None or found.used_at is not None or found.expires_at <= clock.now():
        raise TokenUsed
    return found


def _mail(
    db: AsyncSession,
    user: User,
    organization: Organization,
    kind: Literal["verify_email", "reset_password", "password_changed"],
    token: str = "",
    life: timedelta | None = None,
) -> None:
    due = MailDue(
        kind=kind,
        to=user.email,
        name=user.full_name,
        organization=organization.name,
        sealed_token=vault.current().seal(token) if token else "",
        expires_at=clock.now() + life if life else None,
        locale=user.locale,
    )
    outbox.emit(db, due, organization_id=user.organization_id)
