"""Providers, and signing in through them, as they travel over HTTP."""

import ssl
import uuid
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr

from cloud_api.identity.federation import directory
from cloud_api.identity.organizations.schemas import Slug
from cloud_api.identity.people.schemas import Password
from cloud_api.kernel.http import RequestModel, ResponseModel
from cloud_api.kernel.versions import Edit


def _pem(text: str) -> str:
    try:
        if text:
            ssl.create_default_context(cadata=text)
    except (ssl.SSLError, ValueError, TypeError):  # the last for what is not ASCII
        raise ValueError("must be certificates in PEM") from None
    return text


def _with_openid(scopes: str) -> str:
    if "openid" not in scopes.split():
        raise ValueError("must contain openid")
    return scopes


Url = Annotated[str, Field(min_length=1, max_length=500)]
RoleName = Annotated[str, Field(max_length=100)]
Secret = Annotated[SecretStr, Field(min_length=1, max_length=1_000)]
DistinguishedName = Annotated[str, Field(max_length=500), AfterValidator(directory.checked_dn)]
Domain = Annotated[str, Field(max_length=253, pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$", description="in small letters")]
OneTimeValue = Annotated[SecretStr, Field(min_length=1, max_length=128)]


class _ProviderWrite(Edit):
    name: Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")]
    display_name: Annotated[str, Field(min_length=1, max_length=120)]
    role_mapping: Annotated[
        dict[Annotated[str, Field(min_length=1, max_length=500)], RoleName], Field(max_length=200)
    ] = Field(default_factory=dict)
    default_role: RoleName = ""
    create_users: bool = False
    allowed_domains: Annotated[list[Domain], Field(max_length=50)] = Field(default_factory=list)
    is_active: bool = True


class OidcProviderWrite(_ProviderWrite):
    """An OpenID provider. A secret that is not sent stays, as long as the issuer does."""

    kind: Literal["oidc"]
    issuer: Annotated[Url, Field(description="as the provider itself writes it")]
    client_id: Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+$")]
    client_secret: Annotated[Secret | None, Field(description="none for a public client")] = None
    scopes: Annotated[
        str, Field(max_length=500, pattern=r"^[\x21-\x7e]+( [\x21-\x7e]+)*$"), AfterValidator(_with_openid)
    ] = "openid email profile"
    role_claim: Annotated[str, Field(min_length=1, max_length=100)] = "groups"
    redirect_url: Annotated[
        str, Field(max_length=500, description="the page that takes the answer; by default one of the console")
    ] = ""


class LdapProviderWrite(_ProviderWrite):
    """A directory. A password that is not sent stays, as long as the URL does."""

    kind: Literal["ldap"]
    url: Annotated[Url, Field(pattern=r"^ldaps?://[^/]+/?$")]
    base_dn: Annotated[DistinguishedName, Field(min_length=1)]
    user_filter: Annotated[str, Field(max_length=500), AfterValidator(directory.checked_filter)] = "(uid={login})"
    bind_dn: Annotated[DistinguishedName, Field(description="empty: searched anonymously")] = ""
    bind_password: Secret | None = None
    start_tls: Annotated[bool, Field(description="of ldap://; can be switched off in development only")] = True
    trusts_email: Annotated[
        bool, Field(description="people cannot write their own `mail`: it may tell which account here is theirs")
    ] = False
    ca_certificates: Annotated[str, Field(max_length=50_000), AfterValidator(_pem)] = ""


ProviderWrite = Annotated[OidcProviderWrite | LdapProviderWrite, Field(discriminator="kind")]


class ProviderRead(ResponseModel):
    """A provider without its secret; what belongs to the other kind is empty."""

    id: uuid.UUID
    name: str
    kind: Literal["oidc", "ldap"]
    display_name: str
    url: str
    has_secret: bool
    role_mapping: dict[str, str]
    default_role: str
    create_users: bool
    allowed_domains: list[str]
    is_active: bool
    version: int
    created_at: datetime
    client_id: str
    scopes: str
    role_claim: str
    redirect_url: str
    base_dn: str
    user_filter: str
    bind_dn: str
    start_tls: bool
    trusts_email: bool
    ca_certificates: str


class ProviderShown(ResponseModel):
    """What a sign-in page needs."""

    display_name: str
    kind: Literal["oidc", "ldap"]
    #: GET it for the way to an OpenID provider; null for a directory, which takes a password at /auth/ldap/login
    authorize_url: str | None


class SignInBegun(ResponseModel):
    """Where to send the browser, and what it keeps meanwhile."""

    authorization_url: str
    binding: Annotated[
        str, Field(description="kept in this browser only (`sessionStorage`, never in a URL), sent with code and state")
    ]
    expires_at: datetime


class SignInAnswer(RequestModel):
    """What the provider sent the browser back with, and the binding that the browser kept."""

    code: Annotated[SecretStr, Field(min_length=1, max_length=4_000)]
    state: OneTimeValue
    binding: OneTimeValue


class DirectoryLogin(RequestModel):
    """The organisation's short name, and what its directory knows somebody by."""

    organization: Slug
    login: Annotated[str, Field(min_length=1, max_length=254)]
    password: Password
