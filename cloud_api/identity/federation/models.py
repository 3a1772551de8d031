"""Providers that an organisation's people sign in through, whom they know, and sign-ins under way."""

import uuid
from datetime import datetime

from sqlalchemy import JSON, CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization
from cloud_api.kernel.vault import Sealed
from cloud_api.kernel.versions import Versioned


class IdentityProvider(Versioned, OrganizationOwned, Base):
    """An OpenID provider (`oidc`) or a directory (`ldap`) that an organisation trusts to know its people."""

    __tablename__ = "identity_providers"
    __table_args__ = (
        UniqueConstraint("organization_id", "name"),
        CheckConstraint("kind IN ('oidc', 'ldap')", name="kind"),
    )

    name: Mapped[str]
    kind: Mapped[str]
    display_name: Mapped[str]
    #: the issuer as the provider writes it, or ldaps://HOST[:PORT]
    url: Mapped[str]
    #: client secret, or the password of `bind_dn`; None for a public client, or when searching anonymously
    secret: Mapped[str | None] = mapped_column(Sealed)
    #: value of the role claim, or a group's distinguished name -> role name
    role_mapping: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    #: for who would have no role otherwise; empty: they are not let in
    default_role: Mapped[str] = mapped_column(default="")
    create_users: Mapped[bool] = mapped_column(default=False)
    #: in small letters; empty: any
    allowed_domains: Mapped[list[str]] = mapped_column(JSON, default=list)
    #: role names and permissions of the administrator who saved it last: nobody with more comes in through it
    vouched_roles: Mapped[list[str]] = mapped_column(JSON, default=list)
    vouched_permissions: Mapped[list[str]] = mapped_column(JSON, default=list)
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]

    # of an OpenID provider
    client_id: Mapped[str] = mapped_column(default="")
    #: by blanks, `openid` among them
    scopes: Mapped[str] = mapped_column(default="")
    #: the claim of the ID token that `role_mapping` reads
    role_claim: Mapped[str] = mapped_column(default="")
    #: the page that the provider sends the browser back to
    redirect_url: Mapped[str] = mapped_column(default="")

    # of a directory
    base_dn: Mapped[str] = mapped_column(default="")
    #: with `{login}` where the escaped login goes
    user_filter: Mapped[str] = mapped_column(default="")
    #: whom to search as; empty: anonymously
    bind_dn: Mapped[str] = mapped_column(default="")
    #: ldap:// only
    start_tls: Mapped[bool] = mapped_column(default=True)
    #: people cannot write their own `mail` attribute, so that it may tell which account of ours is theirs
    trusts_email: Mapped[bool] = mapped_column(default=False)
    #: PEM; empty: those that the system trusts
    ca_certificates: Mapped[str] = mapped_column(default="")

    @property
    def has_secret(self) -> bool:
        """Whether there is one; what it is, nobody is shown."""
        return bool(self.secret)


class OAuthIdentity(OrganizationOwned, Base):
    """Who somebody is at a provider. One account there, one here: a recycled address inherits nothing."""

    __tablename__ = "oauth_identities"
    __table_args__ = (
        UniqueConstraint("provider_id", "subject"),
        UniqueConstraint("provider_id", "user_id"),
        same_organization("user_id", "users", ondelete="CASCADE"),
        same_organization("provider_id", "identity_providers", ondelete="CASCADE"),
    )

    user_id: Mapped[uuid.UUID] = mapped_column(index=True)
    provider_id: Mapped[uuid.UUID]
    #: `sub` of the ID token; entryUUID or objectGUID of a directory's entry
    subject: Mapped[str]
    created_at: Mapped[datetime]
    last_signed_in_at: Mapped[datetime] = mapped_column(info={"audited": False})


class SignInUnderWay(OrganizationOwned, Base):
    """Somebody was sent to an OpenID provider and is not back yet. Taken away by the first answer, or by time."""

    __tablename__ = "oauth_sign_ins"
    __audited__ = False
    __table_args__ = (same_organization("provider_id", "identity_providers", ondelete="CASCADE"),)

    provider_id: Mapped[uuid.UUID] = mapped_column(index=True)
    state_sha256: Mapped[str] = mapped_column(unique=True)
    #: of the value that the browser keeps, and the provider never sees
    binding_sha256: Mapped[str]
    nonce: Mapped[str] = mapped_column(Sealed)
    #: PKCE
    code_verifier: Mapped[str] = mapped_column(Sealed)
    expires_at: Mapped[datetime] = mapped_column(index=True)
