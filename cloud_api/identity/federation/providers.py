"""What administrators do with providers.

Who connects a provider decides who may come in as whom. So it is remembered what they held themselves: the provider
neither gives a role that goes beyond it, nor lets anybody in who has more.
"""

import uuid
from collections.abc import Mapping

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.configuration import service as configuration
from cloud_api.configuration.definitions import SSO_ENFORCED
from cloud_api.identity.federation import directory
from cloud_api.identity.federation.errors import NobodyCameThrough
from cloud_api.identity.federation.models import IdentityProvider, OAuthIdentity, SignInUnderWay
from cloud_api.identity.federation.schemas import LdapProviderWrite, OidcProviderWrite
from cloud_api.identity.people.models import User, UserRole
from cloud_api.identity.roles import service as roles_of
from cloud_api.identity.roles.models import Role
from cloud_api.identity.sessions.service import administers
from cloud_api.kernel import clock, versions
from cloud_api.kernel.errors import Conflict, Invalid, NotFound
from cloud_api.kernel.permissions import Principal
from cloud_api.kernel.registers import flush_unique
from cloud_api.kernel.settings import Settings

Write = OidcProviderWrite | LdapProviderWrite


async def get_provider(db: AsyncSession, id: uuid.UUID, *, locked: bool = False) -> IdentityProvider:
    """One provider of this organisation.

    Raises:
        NotFound: when there is none.
    """
    found = await db.get(IdentityProvider, id, with_for_update=locked or None)
    if found is None:
        raise NotFound(f"no identity provider with id {id}")
    return found


async def connect(db: AsyncSession, *, new: Write, by: Principal, settings: Settings) -> IdentityProvider:
    """Trust a provider from now on.

    Raises:
        Invalid: when a role does not exist, or what is asked is not safe.
        RoleTooMighty: when a mapped role goes beyond what `by` has.
        AlreadyExists: when another has this name.
        Conflict: when it is a second active directory.
    """
    provider = IdentityProvider(
        organization_id=by.organization_id, kind=new.kind, url="", secret=None, created_at=clock.now()
    )
    await _write(db, provider, new, by=by, settings=settings)
    return provider


async def change(db: AsyncSession, id: uuid.UUID, *, new: Write, by: Principal, settings: Settings) -> IdentityProvider:
    """Replace everything about a provider but its kind. Sign-ins under way begin again.

    Raises:
        NotFound: when there is none.
        StaleVersion: when `new` was made of another version than there is now.
        NobodyCameThrough: when single sign-on is enforced, and would lock everybody out.
    """
    provider = await get_provider(db, id, locked=True)
    await versions.count(db, provider, seen=new.version, what=f"provider {provider.name!r}")
    if provider.kind != new.kind:
        raise Conflict("a provider does not become one of another kind: connect another")
    # subjects are names that an issuer gives; another's of the same name is somebody else
    if isinstance(new, OidcProviderWrite) and new.issuer != provider.url and await _is_used(db, provider):
        raise Conflict("people have signed in through this issuer: connect another provider for another issuer")
    await db.execute(delete(SignInUnderWay).where(SignInUnderWay.provider_id == provider.id))
    await _write(db, provider, new, by=by, settings=settings)
    await _lock_nobody_out(db)
    return provider


async def disconnect(db: AsyncSession, id: uuid.UUID) -> None:
    """Forget a provider and who came through it; their accounts stay.

    Raises:
        NotFound: when there is none.
        NobodyCameThrough: when single sign-on is enforced, and would lock everybody out.
    """
    provider = await get_provider(db, id, locked=True)
    for identity in await db.scalars(select(OAuthIdentity).where(OAuthIdentity.provider_id == provider.id)):
        await db.delete(identity)  # one by one, for the trail; what is under way goes with the provider
    await db.flush()
    await db.delete(provider)
    await db.flush()
    await _lock_nobody_out(db)


async def guard_setting(db: AsyncSession, values: Mapping[str, object]) -> None:
    """Asked before settings change (`configuration.service.SettingGuard`).

    Raises:
        NobodyCameThrough: when single sign-on would be enforced, and no administrator has signed in through an active
            provider yet.
    """
    if values.get(SSO_ENFORCED.key) is True and not await _administrator_came_through(db):
        raise NobodyCameThrough


async def _lock_nobody_out(db: AsyncSession) -> None:
    await guard_setting(db, {SSO_ENFORCED.key: await configuration.value(db, SSO_ENFORCED)})


async def _administrator_came_through(db: AsyncSession) -> bool:
    held = (
        select(UserRole.role_id)
        .join(User, User.id == UserRole.user_id)
        .join(OAuthIdentity, OAuthIdentity.user_id == User.id)
        .join(IdentityProvider, IdentityProvider.id == OAuthIdentity.provider_id)
        .where(IdentityProvider.is_active, User.status == "active")
    )
    roles = await db.scalars(select(Role).where(Role.reach != "own", Role.id.in_(held)))
    return any(administers(role.granted) for role in roles)


async def _is_used(db: AsyncSession, provider: IdentityProvider) -> bool:
    used = select(OAuthIdentity.id).where(OAuthIdentity.provider_id == provider.id).limit(1)
    return (await db.scalars(used)).first() is not None


async def _write(
    db: AsyncSession, provider: IdentityProvider, new: Write, *, by: Principal, settings: Settings
) -> None:
    await _check_roles(db, new, by)
    provider.name, provider.display_name = new.name, new.display_name
    provider.default_role, provider.create_users = new.default_role, new.create_users
    provider.allowed_domains, provider.is_active = new.allowed_domains, new.is_active
    provider.vouched_roles, provider.vouched_permissions = sorted(by.roles), sorted(by.permissions)
    if isinstance(new, OidcProviderWrite):
        _write_oidc(provider, new, settings)
    else:
        await _write_ldap(db, provider, new, settings)
    db.add(provider)
    await flush_unique(db, f"another provider is called {new.name!r}", field="name")


async def _check_roles(db: AsyncSession, new: Write, by: Principal) -> None:
    names = {*new.role_mapping.values(), *filter(None, [new.default_role])}
    roles = await roles_of.roles_named(db, organization_id=by.organization_id, names=names)
    for role in roles:
        roles_of.check_grantable(role.granted, by=by, field="role_mapping")


def _write_oidc(provider: IdentityProvider, new: OidcProviderWrite, settings: Settings) -> None:
    if new.create_users and not new.allowed_domains:
        raise Invalid("say of which domains: anybody can have an account at a public provider", field="allowed_domains")
    secret = new.client_secret.get_secret_value() if new.client_secret else None
    _keep_or_replace(provider, url=new.issuer, secret=secret, sent="client_secret" in new.model_fields_set)
    provider.client_id, provider.scopes, provider.role_claim = new.client_id, new.scopes, new.role_claim
    provider.role_mapping = new.role_mapping
    provider.redirect_url = new.redirect_url or f"{settings.public_url.rstrip('/')}/console/sign-in/callback"
    schemes = ("https://", "http://") if settings.environment == "development" else ("https://",)
    if not provider.redirect_url.startswith(schemes):
        raise Invalid(f"must begin with {' or '.join(schemes)}", field="redirect_url")


async def _write_ldap(db: AsyncSession, provider: IdentityProvider, new: LdapProviderWrite, settings: Settings) -> None:
    if not new.start_tls and new.url.startswith("ldap://") and settings.environment != "development":
        raise Invalid("a directory without TLS is for development only", field="start_tls")
    another = select(IdentityProvider.id).where(
        IdentityProvider.kind == "ldap", IdentityProvider.is_active, IdentityProvider.id != provider.id
    )
    if new.is_active and (await db.scalars(another)).first() is not None:
        raise Conflict("an organisation signs in to one directory: deactivate the other first")
    secret = new.bind_password.get_secret_value() if new.bind_password else None
    _keep_or_replace(provider, url=new.url.rstrip("/"), secret=secret, sent="bind_password" in new.model_fields_set)
    if bool(new.bind_dn) != bool(provider.secret):
        raise Invalid("a name to search as and its password come together, or neither", field="bind_password")
    provider.base_dn, provider.user_filter, provider.bind_dn = new.base_dn, new.user_filter, new.bind_dn
    provider.start_tls, provider.trusts_email = new.start_tls, new.trusts_email
    provider.ca_certificates = new.ca_certificates
    provider.role_mapping = {directory.canonical(group): role for group, role in new.role_mapping.items()}


def _keep_or_replace(provider: IdentityProvider, *, url: str, secret: str | None, sent: bool) -> None:
    """A secret that is not sent stays: but it is never shown to another server than the one it was for."""
    if not sent and provider.secret and url != provider.url:
        raise Invalid("the secret was for another address: send it again", field="url")
    provider.url = url
    if sent:
        provider.secret = secret
