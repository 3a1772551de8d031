"""Signing in and out, and what a sign-in stands for."""

import hashlib
import secrets
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.audit import service as audit
from cloud_api.configuration import service as configuration
from cloud_api.configuration.definitions import PASSWORD_EXPIRES_DAYS, SESSION_LIMIT, SSO_ENFORCED
from cloud_api.identity.errors import SessionEnded, SingleSignOnOnly, WrongCode, WrongCredentials
from cloud_api.identity.organizations.models import Organization
from cloud_api.identity.people.models import User, UserRole
from cloud_api.identity.roles.catalogue import ADMINISTRATION
from cloud_api.identity.roles.models import Role
from cloud_api.identity.roles.service import granted
from cloud_api.identity.sessions import attempts, second_factor
from cloud_api.identity.sessions.models import OneTimeToken, SecondFactor, UsedRefreshToken, UserSession
from cloud_api.identity.tokens import AccessClaims
from cloud_api.kernel import clock
from cloud_api.kernel.errors import NotFound
from cloud_api.kernel.permissions import Duty, Principal, grants

REFRESH_TOKEN_LIFE = timedelta(days=7)
#: after which somebody signs in again, however often the sign-in was refreshed
SESSION_LIFE = timedelta(days=30)
CHALLENGE_LIFE = timedelta(minutes=5)
#: wrong codes after which a challenge is over
CHALLENGE_ATTEMPTS = 5


@dataclass(frozen=True)
class Device:
    """Where a sign-in comes from."""

    address: str = ""
    user_agent: str = ""
    #: the phone's own id, for a driver's app
    device_id: str = ""


@dataclass(frozen=True)
class Attempt:
    """A name and a password, already compared with the hash that was kept at that moment."""

    login: str
    #: the hash it was compared with; None when nobody has the name
    compared_with: str | None
    matches: bool


@dataclass(frozen=True)
class SignIn:
    """A fresh sign-in: what the caller gets, once."""

    claims: AccessClaims
    refresh_token: str


@dataclass(frozen=True)
class Challenge:
    """The password was right; a second factor is asked for."""

    token: str
    methods: Sequence[str]
    expires_at: datetime


async def user_called(db: AsyncSession, login: str) -> User | None:
    """Who has this user name or e-mail address. Needs a system session."""
    lowered = login.lower()
    return (await db.scalars(select(User).where(or_(User.email == lowered, User.username == lowered)))).first()


async def sign_in(db: AsyncSession, attempt: Attempt, device: Device) -> SignIn | Challenge:
    """Sign in by a compared password. Needs a system session: nobody knows yet whose user this is.

    Raises:
        SignInLocked: after too many failures with this name, even with the right password.
        WrongCredentials: for every other reason alike. The failure is counted.
        SingleSignOnOnly: when the organisation's people sign in elsewhere.
    """
    user = await user_called(db, attempt.login)
    key = attempts.key_of(attempt.login, user)
    await attempts.refuse_if_locked(db, key)
    organization = await db.get(Organization, user.organization_id) if user else None
    if (
        user is None
        or organization is None
        or not attempt.matches
        or user.password_hash != attempt.compared_with
        or user.status != "active"
        or not organization.is_active
    ):
        await attempts.count_failure(db, key, user)
        raise WrongCredentials
    if await configuration.value_for(db, organization.id, SSO_ENFORCED):
        raise SingleSignOnOnly
    if await _has_factor(db, user):
        return _challenge(db, user, device)
    return await begin_session(db, user, device)


async def begin_by_provider(db: AsyncSession, user: User, device: Device, *, factor_seen: bool) -> SignIn | Challenge:
    """Sign somebody in whom their organisation's provider vouches for. Needs a system session.

    A second factor that is in force here is asked for, unless the provider says that it has seen one.
    """
    if not factor_seen and await _has_factor(db, user):
        return _challenge(db, user, device, by_provider=True)
    return await begin_session(db, user, device, by_provider=True, factor_seen=factor_seen)


async def _has_factor(db: AsyncSession, user: User) -> bool:
    factor = await second_factor.factor_of(db, user)
    return factor is not None and factor.confirmed_at is not None


async def answer_challenge(db: AsyncSession, *, token: str, code: str, device: Device) -> SignIn:
    """Finish a sign-in with a code of any kind: of the app, of an SMS, or a backup code. Needs a system session.

    Raises:
        WrongCode: when the code or the challenge is not valid. The failure is counted.
        SignInLocked: after too many failures.
    """
    challenge = await challenge_of(db, token)
    user = await db.get_one(User, challenge.user_id)
    key = attempts.key_of("", user)
    await attempts.refuse_if_locked(db, key)
    right = second_factor.take_sms(challenge, code) or await second_factor.take_code(db, user, code)
    if not right or user.status != "active":
        challenge.attempts += 1
        await attempts.count_failure(db, key, user)
        raise WrongCode
    challenge.used_at = clock.now()
    same_device = Device(device.address, device.user_agent, challenge.device_id)
    return await begin_session(db, user, same_device, by_provider=challenge.by_provider)


async def challenge_of(db: AsyncSession, token: str) -> OneTimeToken:
    """The open challenge of a token.

    Raises:
        WrongCode: when it is unknown, used, too old, or was answered wrong too often.
    """
    found = (
        await db.scalars(
            select(OneTimeToken)
            .where(OneTimeToken.purpose == "challenge", OneTimeToken.sha256 == sha256(token))
            .with_for_update()
        )
    ).one_or_none()
    over = found is None or found.used_at is not None or found.expires_at <= clock.now()
    if found is None or over or found.attempts >= CHALLENGE_ATTEMPTS:
        raise WrongCode
    return found


async def begin_session(
    db: AsyncSession, user: User, device: Device, *, by_provider: bool = False, factor_seen: bool = False
) -> SignIn:
    """Sign somebody in who has proved who they are. Beyond the limit, their oldest sign-in ends."""
    await attempts.forget(db, user.id)
    now = clock.now()
    open_ones = await db.scalars(_open_sessions(user.id).order_by(UserSession.created_at.desc()).with_for_update())
    limit = await configuration.value_for(db, user.organization_id, SESSION_LIMIT)
    end_sessions(open_ones.all()[limit - 1 :], "superseded")
    session = UserSession(
        organization_id=user.organization_id,
        user_id=user.id,
        refresh_sha256="",
        address=device.address,
        user_agent=device.user_agent[:300],
        device_id=device.device_id,
        by_provider=by_provider,
        factor_seen=factor_seen,
        created_at=now,
        last_seen_at=now,
        expires_at=now,
    )
    user.last_signed_in_at = now
    db.add(session)
    return await _renew(db, session)


async def refresh(db: AsyncSession, *, refresh_token: str) -> SignIn:
    """Trade a refresh token for a new one and a new access token. Needs a system session.

    Raises:
        SessionEnded: when it is unknown or too old; when it was traded in before, the whole sign-in ends too.
    """
    digest = sha256(refresh_token)
    live = UserSession.revoked_at.is_(None)
    found = await db.scalars(select(UserSession).where(UserSession.refresh_sha256 == digest, live).with_for_update())
    session = found.one_or_none()
    if session is None:
        await _end_family_of(db, digest)
        raise SessionEnded
    if session.expires_at <= clock.now():
        raise SessionEnded
    db.add(UsedRefreshToken(organization_id=session.organization_id, session_id=session.id, sha256=digest))
    return await _renew(db, session)


async def _end_family_of(db: AsyncSession, digest: str) -> None:
    """A token that was traded in before: the thief's or the owner's, nobody knows. Both have to sign in again."""
    stolen = await db.scalars(
        select(UserSession)
        .join(UsedRefreshToken, UsedRefreshToken.session_id == UserSession.id)
        .where(UsedRefreshToken.sha256 == digest, UserSession.revoked_at.is_(None))
        .with_for_update()
    )
    for session in stolen:
        end_sessions([session], "reuse")
        audit.raise_security_event(
            db,
            type="refresh_reuse",
            severity="high",
            organization_id=session.organization_id,
            details={"user_id": str(session.user_id), "session_id": str(session.id)},
        )


async def user_of(db: AsyncSession, challenge: OneTimeToken) -> User:
    """Whom a challenge is for."""
    return await db.get_one(User, challenge.user_id)


async def sign_out(db: AsyncSession, *, session_id: uuid.UUID) -> None:
    """End one sign-in; its access token stops at once."""
    end_sessions(await db.scalars(select(UserSession).where(UserSession.id == session_id)), "signed_out")


async def sessions_of(db: AsyncSession, user_id: uuid.UUID) -> Sequence[UserSession]:
    """Somebody's open sign-ins, the newest first."""
    return (await db.scalars(_open_sessions(user_id).order_by(UserSession.created_at.desc()))).all()


async def terminate(db: AsyncSession, *, user_id: uuid.UUID, session_id: uuid.UUID) -> None:
    """End one of somebody's sign-ins.

    Raises:
        NotFound: when they have no such open sign-in.
    """
    found = (await db.scalars(_open_sessions(user_id).where(UserSession.id == session_id))).one_or_none()
    if found is None:
        raise NotFound(f"no open sign-in with id {session_id}")
    end_sessions([found], "terminated")


async def terminate_all(db: AsyncSession, *, user_id: uuid.UUID, reason: str, but: uuid.UUID | None = None) -> None:
    """End all of somebody's sign-ins, except perhaps one."""
    end_sessions([session for session in await sessions_of(db, user_id) if session.id != but], reason)


def end_sessions(sessions: Iterable[UserSession], reason: str) -> None:
    """End these sign-ins: their tokens stop at once."""
    for session in sessions:
        session.revoked_at, session.revoke_reason = clock.now(), reason


async def principal_of(db: AsyncSession, claims: AccessClaims, *, two_factor_for_admins: bool) -> Principal | None:
    """Who a person's access token stands for, while the sign-in and the person are active. Needs a system session."""
    [principal] = await principals_of(db, [claims], two_factor_for_admins=two_factor_for_admins)
    return principal


async def principals_of(
    db: AsyncSession, shown: Sequence[AccessClaims], *, two_factor_for_admins: bool
) -> Sequence[Principal | None]:
    """The same of several access tokens, in their order."""
    rows = await db.execute(
        select(User, Role, SecondFactor.confirmed_at, UserSession)
        .join(UserSession, UserSession.user_id == User.id)
        .join(Organization, Organization.id == User.organization_id)
        .outerjoin(UserRole, UserRole.user_id == User.id)
        .outerjoin(Role, Role.id == UserRole.role_id)
        .outerjoin(SecondFactor, SecondFactor.user_id == User.id)
        .where(
            User.status == "active",
            Organization.is_active,
            UserSession.id.in_({claims.session_id for claims in shown}),
            UserSession.revoked_at.is_(None),
        )
    )
    found: dict[tuple[uuid.UUID, uuid.UUID | None], tuple[User, datetime | None, UserSession, list[Role]]] = {}
    for user, role, confirmed_at, session in rows.tuples():
        roles = found.setdefault((user.id, session.id), (user, confirmed_at, session, []))[-1]
        if role is not None:
            roles.append(role)
    principals: list[Principal | None] = []
    for claims in shown:
        standing = found.get((claims.subject, claims.session_id))
        principals.append(
            None if standing is None else await _principal(db, *standing, two_factor_for_admins=two_factor_for_admins)
        )
    return principals


async def _principal(
    db: AsyncSession,
    user: User,
    confirmed_at: datetime | None,
    session: UserSession,
    roles: Sequence[Role],
    *,
    two_factor_for_admins: bool,
) -> Principal:
    wide, own = granted(roles)
    duty = None if session.by_provider else await _duty(db, user, wide)
    has_two = confirmed_at is not None or session.factor_seen
    if duty is None and two_factor_for_admins and not has_two and administers(wide):
        duty = "TWO_FACTOR_REQUIRED"
    return Principal(
        kind="user",
        id=user.id,
        organization_id=user.organization_id,
        permissions=wide | frozenset(user.extra_permissions.split()),
        own_permissions=own,
        name=user.username,
        roles=frozenset(role.name for role in roles),
        session_id=session.id,
        duty=duty,
    )


async def _duty(db: AsyncSession, user: User, granted_wide: frozenset[str]) -> Duty | None:
    """Whether the password has to be changed first: an administrator's that is old, or one that somebody else chose."""
    if user.must_change_password:
        return "PASSWORD_EXPIRED"
    if not administers(granted_wide) or not user.password_hash or user.password_changed_at is None:
        return None
    days = await configuration.value_for(db, user.organization_id, PASSWORD_EXPIRES_DAYS)
    return "PASSWORD_EXPIRED" if user.password_changed_at + timedelta(days=days) <= clock.now() else None


def administers(granted_wide: frozenset[str]) -> bool:
    """Whether somebody can give rights away: they need a second factor, and new passwords."""
    return any(grants(granted_wide, permission) for permission in ADMINISTRATION)


def _open_sessions(user_id: uuid.UUID) -> Select[tuple[UserSession]]:
    return select(UserSession).where(
        UserSession.user_id == user_id, UserSession.revoked_at.is_(None), UserSession.expires_at > clock.now()
    )


async def _renew(db: AsyncSession, session: UserSession) -> SignIn:
    """Give the sign-in its next refresh token."""
    refresh_token = secrets.token_urlsafe(32)
    session.refresh_sha256 = sha256(refresh_token)
    session.last_seen_at = clock.now()
    session.expires_at = min(clock.now() + REFRESH_TOKEN_LIFE, session.created_at + SESSION_LIFE)
    await db.flush()
    return SignIn(AccessClaims(session.user_id, session_id=session.id), refresh_token)


def _challenge(db: AsyncSession, user: User, device: Device, *, by_provider: bool = False) -> Challenge:
    token, expires_at = secrets.token_urlsafe(32), clock.now() + CHALLENGE_LIFE
    db.add(
        OneTimeToken(
            organization_id=user.organization_id,
            user_id=user.id,
            purpose="challenge",
            sha256=sha256(token),
            device_id=device.device_id,
            by_provider=by_provider,
            created_at=clock.now(),
            expires_at=expires_at,
        )
    )
    return Challenge(token, ["totp", "backup_code", *(["sms"] if user.phone else [])], expires_at)


def sha256(token: str) -> str:
    """What is kept of a token of 256 random bits."""
    return hashlib.sha256(token.encode()).hexdigest()
