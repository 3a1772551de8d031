"""The second factor: a TOTP app's codes (RFC 6238), backup codes, or a code by SMS.

A code works once: the time step of the last one taken is kept (RFC 6238, section 5.2), a backup code is struck off.
"""

import hmac
import secrets
from datetime import timedelta

import pyotp
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.audit import service as audit
from cloud_api.audit.models import SecurityEventType, Severity
from cloud_api.identity.errors import WrongCode
from cloud_api.identity.events import SmsCodeDue
from cloud_api.identity.people.models import User
from cloud_api.identity.sessions import attempts
from cloud_api.identity.sessions.models import OneTimeToken, SecondFactor
from cloud_api.kernel import clock, outbox, vault
from cloud_api.kernel.errors import Conflict, Invalid

BACKUP_CODES = 10
_NONE_IN_FORCE = "no second factor is in force: begin with /api/v1/auth/2fa/setup"
SMS_CODE_LIFE = timedelta(minutes=5)
_STEP_S = 30
#: a phone's clock may be this many steps off
_STEPS_OFF = 1
#: without letters and digits that look like others
_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


async def factor_of(db: AsyncSession, user: User, *, locked: bool = False) -> SecondFactor | None:
    """Somebody's second factor, confirmed or begun."""
    statement = select(SecondFactor).where(SecondFactor.user_id == user.id)
    return (await db.scalars(statement.with_for_update() if locked else statement)).one_or_none()


async def begin_enrolment(db: AsyncSession, user: User) -> tuple[str, str]:
    """Draw a seed to enrol with: (seed in base 32, otpauth:// URI). A seed that was not confirmed is replaced.

    Raises:
        Conflict: when one is in force.
    """
    factor = await factor_of(db, user, locked=True)
    if factor is not None and factor.confirmed_at is not None:
        raise Conflict("a second factor is in force: switch it off first")
    seed = pyotp.random_base32()
    if factor is None:
        factor = SecondFactor(organization_id=user.organization_id, user_id=user.id, created_at=clock.now())
        db.add(factor)
    factor.totp_seed = seed
    await db.flush()
    return seed, pyotp.TOTP(seed).provisioning_uri(name=user.email, issuer_name="Coldfleet")


async def confirm(db: AsyncSession, user: User, code: str) -> list[str]:
    """Put the begun factor in force by a first code. Returns the backup codes, which are shown this once.

    Raises:
        Conflict: when none was begun, or one is in force.
        Invalid: when the code is wrong.
    """
    factor = await factor_of(db, user, locked=True)
    if factor is None or factor.confirmed_at is not None:
        raise Conflict("begin with /api/v1/auth/2fa/setup first")
    if not _take_totp(factor, code):
        raise Invalid("this code is wrong: check the phone's time, and type the next one", field="code")
    factor.confirmed_at = clock.now()
    _tell(db, user, "two_factor_enabled", "low")
    return _new_backup_codes(factor)


async def replace_backup_codes(db: AsyncSession, user: User) -> list[str]:
    """New backup codes; the old ones no longer work.

    Raises:
        Conflict: when no second factor is in force.
    """
    factor = await factor_of(db, user, locked=True)
    if factor is None or factor.confirmed_at is None:
        raise Conflict(_NONE_IN_FORCE)
    return _new_backup_codes(factor)


async def switch_off(db: AsyncSession, user: User) -> None:
    """Forget somebody's second factor. The security events tell of it."""
    factor = await factor_of(db, user, locked=True)
    if factor is not None:
        await db.delete(factor)
        _tell(db, user, "two_factor_disabled", "high")


async def take_code(db: AsyncSession, user: User, code: str) -> bool:
    """Whether `code` is a TOTP or backup code of theirs; it will not work again."""
    factor = await factor_of(db, user, locked=True)
    return factor is not None and factor.confirmed_at is not None and _take(factor, code)


async def prove(db: AsyncSession, user: User, code: str) -> None:
    """Ask somebody who is signed in for a code, as strictly as when they sign in: their token may have been stolen.

    Needs a system session, as counting does.

    Raises:
        Conflict: when no second factor is in force.
        WrongCode: when the code is none of theirs. The failure is counted.
        SignInLocked: after too many failures.
    """
    factor = await factor_of(db, user)
    if factor is None or factor.confirmed_at is None:
        raise Conflict(_NONE_IN_FORCE)
    key = attempts.key_of("", user)
    await attempts.refuse_if_locked(db, key)
    if not await take_code(db, user, code):
        await attempts.count_failure(db, key, user)
        raise WrongCode


def send_sms(db: AsyncSession, user: User, challenge: OneTimeToken) -> None:
    """Send a code for this challenge to the person's phone, after the commit.

    Raises:
        Conflict: when no phone number is known.
    """
    if not user.phone:
        raise Conflict("no phone number is known for you: use the app or a backup code")
    code = f"{secrets.randbelow(1_000_000):06d}"
    challenge.sms_code = code
    due = SmsCodeDue(user.phone, vault.current().seal(code), min(challenge.expires_at, clock.now() + SMS_CODE_LIFE))
    outbox.emit(db, due, organization_id=user.organization_id)


def take_sms(challenge: OneTimeToken, code: str) -> bool:
    """Whether `code` is the one sent for this challenge; it will not work again."""
    if challenge.sms_code is None or not hmac.compare_digest(challenge.sms_code, code):
        return False
    challenge.sms_code = None
    return True


def _tell(db: AsyncSession, user: User, kind: SecurityEventType, severity: Severity) -> None:
    details = {"user_id": str(user.id)}
    audit.raise_security_event(db, type=kind, severity=severity, organization_id=user.organization_id, details=details)


def _take(factor: SecondFactor, code: str) -> bool:
    if code.isdigit():
        return _take_totp(factor, code)
    wanted = code.upper().replace("-", "").replace(" ", "")
    unused = factor.backup_codes.split()
    left = [kept for kept in unused if not hmac.compare_digest(kept.encode(), wanted.encode())]
    factor.backup_codes = " ".join(left)
    return len(left) < len(unused)


def _take_totp(factor: SecondFactor, code: str) -> bool:
    totp = pyotp.TOTP(factor.totp_seed, interval=_STEP_S)
    now_step = int(clock.now().timestamp()) // _STEP_S
    for step in range(now_step - _STEPS_OFF, now_step + _STEPS_OFF + 1):
        if step > factor.last_step and hmac.compare_digest(totp.generate_otp(step), code):
            factor.last_step = step
            return True
    return False


def _new_backup_codes(factor: SecondFactor) -> list[str]:
    codes = ["".join(secrets.choice(_ALPHABET) for _ in range(16)) for _ in range(BACKUP_CODES)]
    factor.backup_codes = " ".join(codes)
    return ["-".join(code[start : start + 4] for start in range(0, 16, 4)) for code in codes]
