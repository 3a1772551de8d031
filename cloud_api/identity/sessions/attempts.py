"""Counting refused sign-ins by name, whether or not anybody has that name: the answer must not tell."""

import hashlib
import uuid
from datetime import timedelta

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.audit import service as audit
from cloud_api.audit.models import SecurityEventType, Severity
from cloud_api.configuration import service as configuration
from cloud_api.configuration.definitions import LOCKOUT_ATTEMPTS, LOCKOUT_MINUTES
from cloud_api.identity.errors import SignInLocked
from cloud_api.identity.people.models import User
from cloud_api.identity.sessions.models import FailedSignIn
from cloud_api.kernel import clock
from cloud_api.kernel.db import insert_missing

#: a failure older than this no longer counts
_REMEMBERED = timedelta(hours=24)


def key_of(login: str, user: User | None) -> str:
    """Under what attempts are counted: the person, however they call themselves, or the name nobody has."""
    return hashlib.sha256((str(user.id) if user else login.lower()).encode()).hexdigest()


async def refuse_if_locked(db: AsyncSession, key: str) -> None:
    """Raise while the name is locked.

    Raises:
        SignInLocked: saying for how long.
    """
    kept = await db.get(FailedSignIn, key)
    if kept is not None and kept.locked_until is not None and kept.locked_until > clock.now():
        left = kept.locked_until - clock.now()
        raise SignInLocked(retry_after_s=int(left.total_seconds()) + 1)


async def count_failure(db: AsyncSession, key: str, user: User | None) -> None:
    """Count one; too many in a row lock the name for a while. The security events of a known person tell of it."""
    await db.execute(delete(FailedSignIn).where(FailedSignIn.last_at < clock.now() - _REMEMBERED))
    await insert_missing(db, FailedSignIn, {"key": key, "failures": 0, "last_at": clock.now()})
    kept = await db.get_one(FailedSignIn, key, with_for_update=True, populate_existing=True)
    kept.failures += 1
    kept.last_at = clock.now()
    allowed, minutes = LOCKOUT_ATTEMPTS.default, LOCKOUT_MINUTES.default
    if user is not None:
        allowed = await configuration.value_for(db, user.organization_id, LOCKOUT_ATTEMPTS)
        minutes = await configuration.value_for(db, user.organization_id, LOCKOUT_MINUTES)
        _tell(db, user, "failed_sign_in", "low", kept.failures)
    if kept.failures >= allowed:
        kept.failures = 0
        kept.locked_until = clock.now() + timedelta(minutes=minutes)
        if user is not None:
            _tell(db, user, "account_lockout", "medium", allowed)


async def forget(db: AsyncSession, user_id: uuid.UUID) -> None:
    """Somebody signed in, or an administrator unlocked them: count from nothing again."""
    key = hashlib.sha256(str(user_id).encode()).hexdigest()
    await db.execute(delete(FailedSignIn).where(FailedSignIn.key == key))


def _tell(db: AsyncSession, user: User, kind: SecurityEventType, severity: Severity, failures: int) -> None:
    audit.raise_security_event(
        db,
        type=kind,
        severity=severity,
        organization_id=user.organization_id,
        details={"user_id": str(user.id), "failures": failures},
    )
