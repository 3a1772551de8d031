"""Founding an organisation, adding people, signing in and out."""

import hashlib
import re
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity.errors import NameTaken, RoleTooMighty, SessionEnded, WeakPassword, WrongCredentials
from cloud_api.identity.models import Organization, User, UserRole, UserSession
from cloud_api.identity.passwords import hash_password, verify_password
from cloud_api.identity.roles import built_in_roles
from cloud_api.identity.tokens import REFRESH_TOKEN_LIFE, AccessClaims
from cloud_api.kernel import clock
from cloud_api.kernel.errors import Invalid, NotFound
from cloud_api.kernel.permissions import Principal

_CLASSES = (re.compile(r"[a-z]"), re.compile(r"[A-Z]"), re.compile(r"[0-9]"), re.compile(r"[^A-Za-z0-9]"))


@dataclass(frozen=True)
class SignIn:
    """A fresh sign-in: what the caller gets, once."""

    user: User
    organization: Organization
    roles: Sequence[str]
    claims: AccessClaims
    refresh_token: str

    @property
    def permissions(self) -> frozenset[str]:
        """Everything the roles grant together."""
        return _granted(self.roles)


async def found_organization(
    db: AsyncSession,
    *,
    name: str,
    slug: str,
    admin_username: str,
    admin_email: str,
    admin_full_name: str,
    admin_password: str,
) -> tuple[Organization, User]:
    """Found an organisation with its first administrator. Needs a system session.

    Raises:
        NameTaken: when the slug, the user name or the e-mail address is in use.
        WeakPassword: when the password is too easy.
    """
    organization = Organization(name=name, slug=slug, created_at=clock.now())
    db.add(organization)
    await _flush_name(db, f"the short name {slug!r} is taken: choose another", field="slug")
    admin = await add_user(
        db,
        organization_id=organization.id,
        username=admin_username,
        email=admin_email,
        full_name=admin_full_name,
        password=admin_password,
        roles=["org_admin"],
    )
    return organization, admin


async def add_user(
    db: AsyncSession,
    *,
    organization_id: uuid.UUID,
    username: str,
    email: str,
    full_name: str,
    password: str,
    roles: Sequence[str],
) -> User:
    """Add a person who can sign in.

    Raises:
        NameTaken: when the user name or the e-mail address is in use anywhere.
        WeakPassword: when the password is too easy.
        Invalid: when a role does not exist, or the user name could be taken for an e-mail address.
    """
    if "@" in username:
        raise Invalid("a user name has no @: it would be taken for an e-mail address", field="username")
    for role in roles:
        if role not in built_in_roles():
            raise Invalid(f"there is no role {role!r}", field="roles")
    if len(password) < 8 or not all(needed.search(password) for needed in _CLASSES):
        raise WeakPassword
    user = User(
        organization_id=organization_id,
        username=username.lower(),
        email=email.lower(),
        full_name=full_name,
        password_hash=await hash_password(password),
        created_at=clock.now(),
    )
    db.add(user)
    await _flush_name(db, "this user name or e-mail address is in use", field="username")
    db.add_all(UserRole(organization_id=organization_id, user_id=user.id, role=role) for role in roles)
    await db.flush()
    return user


def check_grantable(roles: Sequence[str], *, by: Principal) -> None:
    """Whether somebody may give these roles away.

    Raises:
        RoleTooMighty: when a role grants more than they have themselves.
    """
    beyond = sorted(permission for permission in _granted(roles) if not by.may(permission))
    if beyond:
        raise RoleTooMighty(f"you cannot give what you have not: {', '.join(beyond[:3])}", field="roles")


async def sign_in(db: AsyncSession, *, login: str, password: str) -> SignIn:
    """Sign in by user name or e-mail. Needs a system session: nobody knows yet whose user this is.

    Raises:
        WrongCredentials: for every reason alike, and after the same time.
    """
    lowered = login.lower()
    user = (await db.scalars(select(User).where(or_(User.email == lowered, User.username == lowered)))).first()
    if not await verify_password(password, user.password_hash if user else None) or user is None:
        raise WrongCredentials
    session = UserSession(
        organization_id=user.organization_id,
        user_id=user.id,
        refresh_sha256="",
        created_at=clock.now(),
        expires_at=clock.now() + REFRESH_TOKEN_LIFE,
    )
    db.add(session)
    return await _renew(db, session)


async def refresh(db: AsyncSession, *, refresh_token: str) -> SignIn:
    """Trade a refresh token for a new one and a new access token. Needs a system session.

    Raises:
        SessionEnded: when the token was used before, is unknown or too old.
    """
    session = (
        await db.scalars(
            select(UserSession)
            .where(
                UserSession.refresh_sha256 == _sha256(refresh_token),
                UserSession.revoked_at.is_(None),
                UserSession.expires_at > clock.now(),
            )
            .with_for_update()
        )
    ).one_or_none()
    if session is None:
        raise SessionEnded
    return await _renew(db, session)


async def sign_out(db: AsyncSession, *, session_id: uuid.UUID) -> None:
    """End one sign-in; its access token stops at once."""
    await db.execute(update(UserSession).where(UserSession.id == session_id).values(revoked_at=clock.now()))


async def whoami(db: AsyncSession, *, user_id: uuid.UUID) -> tuple[User, Organization, Sequence[str]]:
    """The person, their organisation and roles."""
    found = (
        await db.execute(
            select(User, Organization)
            .join(Organization, Organization.id == User.organization_id)
            .where(User.id == user_id)
        )
    ).one_or_none()
    if found is None:
        raise NotFound("no such user")
    return found[0], found[1], await _roles(db, user_id)


async def principal_of(db: AsyncSession, claims: AccessClaims) -> Principal | None:
    """Who an access token stands for, while the sign-in and the person are active. Needs a system session."""
    found = (
        await db.execute(
            select(User.organization_id, UserRole.role)
            .join(UserSession, UserSession.user_id == User.id)
            .join(Organization, Organization.id == User.organization_id)
            .outerjoin(UserRole, UserRole.user_id == User.id)
            .where(
                User.id == claims.user_id,
                User.status == "active",
                Organization.is_active,
                UserSession.id == claims.session_id,
                UserSession.revoked_at.is_(None),
            )
        )
    ).all()
    if not found:
        return None
    return Principal(
        kind="user",
        id=claims.user_id,
        organization_id=found[0].organization_id,
        permissions=_granted([row.role for row in found if row.role]),
        session_id=claims.session_id,
    )


async def today(db: AsyncSession) -> date:
    """The calendar day in the organisation's own time zone."""
    scope = db.sync_session.info["scope"]
    organization = await db.get_one(Organization, scope.organization_id)
    return clock.now().astimezone(ZoneInfo(organization.timezone)).date()


async def instant(db: AsyncSession, day: date, at: time) -> datetime:
    """A local time of the organisation's own time zone, as an instant."""
    scope = db.sync_session.info["scope"]
    organization = await db.get_one(Organization, scope.organization_id)
    return datetime.combine(day, at, ZoneInfo(organization.timezone)).astimezone(UTC)


async def users_with_permission(db: AsyncSession, permission: str) -> Sequence[uuid.UUID]:
    """Active people of this organisation who hold `permission`."""
    roles = [name for name, granted in built_in_roles().items() if permission in granted]
    return (
        await db.scalars(
            select(User.id)
            .join(UserRole, UserRole.user_id == User.id)
            .where(User.status == "active", UserRole.role.in_(roles))
            .distinct()
            .order_by(User.id)
        )
    ).all()


async def _renew(db: AsyncSession, session: UserSession) -> SignIn:
    """Give the sign-in its next refresh token."""
    refresh_token = secrets.token_urlsafe(32)
    session.refresh_sha256 = _sha256(refresh_token)
    session.expires_at = clock.now() + REFRESH_TOKEN_LIFE
    await db.flush()
    user, organization, roles = await whoami(db, user_id=session.user_id)
    if user.status != "active" or not organization.is_active:
        raise WrongCredentials
    return SignIn(user, organization, roles, AccessClaims(user.id, session.id), refresh_token)


async def _roles(db: AsyncSession, user_id: uuid.UUID) -> Sequence[str]:
    return (await db.scalars(select(UserRole.role).where(UserRole.user_id == user_id).order_by(UserRole.role))).all()


def _granted(roles: Sequence[str]) -> frozenset[str]:
    known = built_in_roles()
    return frozenset[str]().union(*(known[role] for role in roles if role in known))


def _sha256(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


async def _flush_name(db: AsyncSession, message: str, *, field: str) -> None:
    try:
        await db.flush()
    except IntegrityError as error:
        raise NameTaken(message, field=field) from error
