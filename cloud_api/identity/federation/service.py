"""Signing in through others: who is sent out, who comes back, and whom of ours that is."""

import re
import secrets
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.audit import service as audit
from cloud_api.identity.errors import WrongCredentials
from cloud_api.identity.federation import oidc
from cloud_api.identity.federation.assertion import Assertion
from cloud_api.identity.federation.directory import Entry
from cloud_api.identity.federation.errors import NoAccount, SignInRefused, StateRefused
from cloud_api.identity.federation.models import IdentityProvider, OAuthIdentity, SignInUnderWay
from cloud_api.identity.federation.oidc import Discovered
from cloud_api.identity.organizations.models import Organization
from cloud_api.identity.people import service as people
from cloud_api.identity.people.models import User, UserRole
from cloud_api.identity.roles.models import Role
from cloud_api.identity.sessions import attempts
from cloud_api.identity.sessions import service as sessions
from cloud_api.kernel import clock
from cloud_api.kernel.errors import NotFound
from cloud_api.kernel.permissions import grants
from cloud_api.kernel.registers import flush_unique

#: from leaving for the provider to coming back
SIGN_IN_LIFE = timedelta(minutes=10)
#: leaves room for what tells two of one name apart
_USER_NAME_LENGTH = 57
_NO_USER_NAME = re.compile(r"[^a-z0-9._-]")


@dataclass(frozen=True)
class Begun:
    """Somebody is sent to a provider."""

    authorization_url: str
    #: for the browser alone
    binding: str
    expires_at: datetime


@dataclass(frozen=True)
class CameBack:
    """An answer of a provider, judged outside any unit of work."""

    under_way_id: uuid.UUID
    provider_id: uuid.UUID
    outcome: Assertion | SignInRefused


@dataclass(frozen=True)
class DirectoryAttempt:
    """A login and a password that a directory has judged."""

    login: str
    #: None: the organisation has no directory
    provider_id: uuid.UUID | None
    entry: Entry | None
    matches: bool


async def providers_shown(db: AsyncSession, slug: str) -> Sequence[IdentityProvider]:
    """The active providers of an organisation; none of one that there is not. Needs a system session."""
    return (await db.scalars(_active().where(Organization.slug == slug).order_by(IdentityProvider.name))).all()


async def provider_open_to(db: AsyncSession, id: uuid.UUID) -> IdentityProvider:
    """An active OpenID provider. Needs a system session.

    Raises:
        NotFound: when there is none.
    """
    found = await db.scalars(_active().where(IdentityProvider.id == id, IdentityProvider.kind == "oidc"))
    provider = found.one_or_none()
    if provider is None:
        raise NotFound(f"no identity provider with id {id}")
    return provider


async def directory_of(db: AsyncSession, slug: str) -> IdentityProvider | None:
    """The directory that an organisation signs in to. Needs a system session."""
    active = _active().where(Organization.slug == slug, IdentityProvider.kind == "ldap")
    return (await db.scalars(active.order_by(IdentityProvider.created_at))).first()


def _active() -> Select[tuple[IdentityProvider]]:
    return (
        select(IdentityProvider)
        .join(Organization, Organization.id == IdentityProvider.organization_id)
        .where(IdentityProvider.is_active, Organization.is_active)
    )


async def begin_sign_in(db: AsyncSession, provider: IdentityProvider, discovered: Discovered) -> Begun:
    """Remember that somebody leaves for `provider`, and by what they will be known again."""
    now = clock.now()
    await db.execute(delete(SignInUnderWay).where(SignInUnderWay.expires_at <= now))
    state, nonce, code_verifier, binding = (secrets.token_urlsafe(32) for _ in range(4))
    db.add(
        SignInUnderWay(
            organization_id=provider.organization_id,
            provider_id=provider.id,
            state_sha256=sessions.sha256(state),
            binding_sha256=sessions.sha256(binding),
            nonce=nonce,
            code_verifier=code_verifier,
            expires_at=now + SIGN_IN_LIFE,
        )
    )
    url = oidc.authorization_url(provider, discovered, state=state, nonce=nonce, code_verifier=code_verifier)
    return Begun(url, binding, now + SIGN_IN_LIFE)


async def under_way(db: AsyncSession, provider_id: uuid.UUID, *, state: str, binding: str) -> SignInUnderWay:
    """What was begun in this browser. Needs a system session.

    Raises:
        StateRefused: when nothing was, or it is over.
    """
    found = await db.scalars(
        select(SignInUnderWay).where(
            SignInUnderWay.provider_id == provider_id,
            SignInUnderWay.state_sha256 == sessions.sha256(state),
            SignInUnderWay.binding_sha256 == sessions.sha256(binding),
            SignInUnderWay.expires_at > clock.now(),
        )
    )
    row = found.one_or_none()
    if row is None:
        raise StateRefused
    return row


async def sign_in(
    db: AsyncSession, came_back: CameBack, device: sessions.Device
) -> sessions.SignIn | sessions.Challenge:
    """Let somebody in who came back from a provider. Needs a system session.

    Raises:
        StateRefused: when another answer came first.
        SignInRefused: when the answer does not hold, or nobody here is meant. What was under way is over.
    """
    row = await db.get(SignInUnderWay, came_back.under_way_id, with_for_update=True)
    if row is None:
        raise StateRefused
    await db.delete(row)
    await db.flush()
    provider = await provider_open_to(db, came_back.provider_id)
    try:
        if isinstance(came_back.outcome, SignInRefused):
            raise came_back.outcome
        return await _admit(db, provider, came_back.outcome, device)
    except SignInRefused as refused:
        _tell(db, provider, refused)
        raise


async def key_of(db: AsyncSession, provider: IdentityProvider, login: str, entry: Entry | None) -> str:
    """Under what attempts are counted: the person, or their entry, or the login that nobody has."""
    user = await _linked(db, provider, entry) if entry else None
    return attempts.key_of(f"{provider.id}/{entry.subject if entry else login}", user)


async def sign_in_by_directory(
    db: AsyncSession, attempt: DirectoryAttempt, device: sessions.Device
) -> sessions.SignIn | sessions.Challenge:
    """Let somebody in whom their directory let in. Needs a system session.

    Raises:
        SignInLocked: after too many failures, even with the right password.
        WrongCredentials: for every other reason alike. The failure is counted.
        NoAccount: when the password is right, and nobody here is meant.
    """
    provider = await db.get(IdentityProvider, attempt.provider_id) if attempt.provider_id else None
    if provider is None or not provider.is_active:
        raise WrongCredentials
    key = await key_of(db, provider, attempt.login, attempt.entry)
    await attempts.refuse_if_locked(db, key)
    if attempt.entry is None or not attempt.matches:
        await attempts.count_failure(db, key, await _linked(db, provider, attempt.entry) if attempt.entry else None)
        raise WrongCredentials
    try:
        return await _admit(db, provider, attempt.entry, device)
    except SignInRefused as refused:
        _tell(db, provider, refused)
        raise


async def _admit(
    db: AsyncSession, provider: IdentityProvider, asserted: Assertion, device: sessions.Device
) -> sessions.SignIn | sessions.Challenge:
    """Every check comes before the first row that is written: a refusal is committed with what it has counted."""
    domain = asserted.email.rpartition("@")[2]
    if provider.allowed_domains and domain not in provider.allowed_domains:
        raise NoAccount(f"addresses of {domain or 'no domain'} are not allowed")
    wanted = await _roles_wanted(db, provider, asserted)
    user = await _linked(db, provider, asserted)
    is_linked = user is not None
    user = user or await _of_address(db, provider, asserted)
    if user is None:
        user = await _create(db, provider, asserted, wanted)
    else:
        await _check_admissible(db, provider, user)
        await _synchronise_roles(db, provider, user, wanted)
    if not is_linked:
        _link(db, provider, asserted, user)
        await flush_unique(db, "you are signing in elsewhere at this moment: begin again", field="state")
    identity = (await db.scalars(_identities(provider).where(OAuthIdentity.subject == asserted.subject))).one()
    identity.last_signed_in_at = clock.now()
    return await sessions.begin_by_provider(db, user, device, factor_seen=asserted.second_factor)


def _identities(provider: IdentityProvider) -> Select[tuple[OAuthIdentity]]:
    return select(OAuthIdentity).where(OAuthIdentity.provider_id == provider.id)


async def _linked(db: AsyncSession, provider: IdentityProvider, asserted: Assertion) -> User | None:
    statement = (
        select(User)
        .join(OAuthIdentity, OAuthIdentity.user_id == User.id)
        .where(OAuthIdentity.provider_id == provider.id, OAuthIdentity.subject == asserted.subject)
    )
    return (await db.scalars(statement)).one_or_none()


async def _of_address(db: AsyncSession, provider: IdentityProvider, asserted: Assertion) -> User | None:
    """Who of ours has the address that the provider vouches for; None when nobody has."""
    if not asserted.email:
        raise NoAccount("the provider vouches for no e-mail address")
    user = (await db.scalars(select(User).where(User.email == asserted.email))).one_or_none()
    if user is None:
        return None
    if user.organization_id != provider.organization_id:
        raise NoAccount("the address is in use in another organisation")
    if provider.kind == "ldap" and not provider.trusts_email:
        raise NoAccount(f"user {user.id} has this address, which the directory is not trusted to tell")
    if (await db.scalars(_identities(provider).where(OAuthIdentity.user_id == user.id))).first() is not None:
        raise NoAccount(f"user {user.id} is somebody else there: was the address given to another?")
    return user


def _link(db: AsyncSession, provider: IdentityProvider, asserted: Assertion, user: User) -> None:
    """They are known by their subject from now on."""
    user.email_verified_at = user.email_verified_at or clock.now()
    db.add(
        OAuthIdentity(
            organization_id=provider.organization_id,
            user_id=user.id,
            provider_id=provider.id,
            subject=asserted.subject,
            created_at=clock.now(),
            last_signed_in_at=clock.now(),
        )
    )


async def _create(db: AsyncSession, provider: IdentityProvider, asserted: Assertion, wanted: Sequence[Role]) -> User:
    if not provider.create_users:
        raise NoAccount("nobody here has this address, and the provider creates no accounts")
    if not wanted:
        raise NoAccount("none of their groups has a role here, and there is no default role")
    called = (asserted.username or asserted.email).partition("@")[0].lower()
    username = _NO_USER_NAME.sub("", called)[:_USER_NAME_LENGTH] or "person"
    taken = (await db.scalars(select(User.id).where(User.username == username))).first() is not None
    return await people.add_user(
        db,
        organization_id=provider.organization_id,
        username=f"{username}-{secrets.token_hex(3)}" if taken else username,
        email=asserted.email,
        full_name=asserted.full_name[:120] or username,
        password_hash="",
        roles=[role.name for role in wanted],
    )


async def _roles_wanted(db: AsyncSession, provider: IdentityProvider, asserted: Assertion) -> Sequence[Role]:
    """The roles that this provider gives them now; a mapped role that was deleted since is none."""
    names = {role for value, role in provider.role_mapping.items() if value in asserted.groups}
    return await _roles_called(db, provider, names or {provider.default_role})


async def _roles_called(db: AsyncSession, provider: IdentityProvider, names: Iterable[str]) -> Sequence[Role]:
    owned = Role.organization_id == provider.organization_id
    return (await db.scalars(select(Role).where(owned, Role.name.in_(names)).order_by(Role.name))).all()


async def _synchronise_roles(db: AsyncSession, provider: IdentityProvider, user: User, wanted: Sequence[Role]) -> None:
    """Give what the groups say, take what they no longer say; roles that the provider does not map stay as they are."""
    held = {row.role_id: row for row in await db.scalars(select(UserRole).where(UserRole.user_id == user.id))}
    mapped = {role.id for role in await _roles_called(db, provider, set(provider.role_mapping.values()))}
    gives = {role.id for role in wanted if role.id in mapped or not held}
    taken = [row for id, row in held.items() if id in mapped and id not in gives]
    if taken and await _is_last_administrator(db, user):
        taken = []  # somebody has to be left who can let people in
    for row in taken:
        await db.delete(row)
    for role_id in gives - held.keys():
        db.add(
            UserRole(organization_id=user.organization_id, user_id=user.id, role_id=role_id, assigned_at=clock.now())
        )
    await db.flush()


async def _is_last_administrator(db: AsyncSession, user: User) -> bool:
    held = (
        select(UserRole.role_id)
        .join(User, User.id == UserRole.user_id)
        .where(User.organization_id == user.organization_id, User.id != user.id, User.status == "active")
    )
    others = await db.scalars(select(Role).where(Role.reach != "own", Role.id.in_(held)))
    return not any(sessions.administers(role.granted) for role in others)


async def _check_admissible(db: AsyncSession, provider: IdentityProvider, user: User) -> None:
    """Active, and with nothing that who connected the provider had not: whoever runs it can come in as anybody."""
    if user.status != "active" or user.deleted_at is not None:
        raise NoAccount(f"user {user.id} is not active")
    roles = (await people.roles_held(db, [user.id])).get(user.id, [])
    others = [role for role in roles if role.name not in provider.vouched_roles]
    permissions = {*user.extra_permissions.split(), *(name for role in others for name in role.granted)}
    if not all(grants(provider.vouched_permissions, permission) for permission in permissions):
        raise NoAccount(f"user {user.id} may more than the administrator who connected the provider")


def _tell(db: AsyncSession, provider: IdentityProvider, refused: SignInRefused) -> None:
    audit.raise_security_event(
        db,
        type="failed_sign_in",
        severity="low",
        organization_id=provider.organization_id,
        details={"identity_provider_id": str(provider.id), "reason": refused.reason},
    )
