"""Signing in, as it travels over HTTP."""

import uuid
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AliasChoices, EmailStr, Field, SecretStr

from cloud_api.identity.organizations.schemas import Currency, OrganizationRead, Slug, TimeZone
from cloud_api.identity.people.schemas import FullName, Locale, Password, Phone, Theme, Username
from cloud_api.kernel.http import RequestModel, ResponseModel
from cloud_api.kernel.permissions import Duty

Token = Annotated[SecretStr, Field(min_length=1, max_length=128)]
Code = Annotated[str, Field(pattern=r"^[0-9A-Za-z -]{6,24}$", description="Six digits, or a backup code")]


class LoginRequest(RequestModel):
    """User name or e-mail, and the password."""

    login: Annotated[
        str, Field(min_length=1, max_length=254, validation_alias=AliasChoices("login", "username", "email"))
    ]
    password: Password


class MobileLoginRequest(LoginRequest):
    """A driver's app also says which phone it runs on."""

    device_id: Annotated[str, Field(min_length=1, max_length=128)]


class RegisterRequest(RequestModel):
    """A new organisation and its first administrator."""

    organization_name: Annotated[str, Field(min_length=1, max_length=120)]
    slug: Slug
    timezone: TimeZone = "Asia/Kolkata"
    currency: Currency = "INR"
    username: Username
    email: EmailStr
    full_name: FullName
    phone: Phone = ""
    password: Password


class RefreshRequest(RequestModel):
    """The refresh token of the last sign-in or refresh."""

    refresh_token: Token


class UserRead(ResponseModel):
    """The signed-in person, with what they may do."""

    id: uuid.UUID
    username: str
    email: str
    email_verified: bool
    full_name: str
    phone: str
    locale: str
    theme: str
    two_factor: bool
    roles: list[str]
    #: wildcards as they were granted
    permissions: list[str]
    #: what has to be done before anything else
    duty: Duty | None
    organization: OrganizationRead


class ProfileUpdate(RequestModel):
    """What people change of their own; what is not sent stays."""

    full_name: FullName | None = None
    phone: Phone | None = None
    locale: Locale | None = None
    theme: Theme | None = None
    #: needed for another phone number while a second factor is in force: codes are sent to it
    current_password: Password | None = None


class TokensRead(ResponseModel):
    """A sign-in: the access token for an hour, the refresh token for seven days and one use."""

    access_token: str
    refresh_token: str
    token_type: str
    #: seconds, as OAuth 2 calls it
    expires_in: int
    user: UserRead


class ChallengeRead(ResponseModel):
    """The password was right; send a code to `/auth/2fa/challenge`."""

    challenge: str
    methods: list[Literal["totp", "sms", "backup_code"]]
    expires_at: datetime


class ChallengeAnswer(RequestModel):
    """The challenge and a code of any of its methods."""

    challenge: Token
    code: Code


class SmsRequest(RequestModel):
    """An open challenge whose code is wanted by SMS."""

    challenge: Token


class FactorBegun(ResponseModel):
    """What the authenticator app needs, shown this once."""

    secret: str
    otpauth_uri: str


class CodeRequest(RequestModel):
    """A code of the authenticator app."""

    code: Code


class BackupCodes(ResponseModel):
    """Ten codes, each for one sign-in, shown this once."""

    backup_codes: list[str]


class FactorOff(RequestModel):
    """Switching the second factor off takes both factors."""

    password: Password
    code: Code


class PasswordChangeRequest(RequestModel):
    """The present password and the next."""

    current_password: Password
    new_password: Password


class ForgotRequest(RequestModel):
    """User name or e-mail."""

    login: Annotated[str, Field(min_length=1, max_length=254, validation_alias=AliasChoices("login", "email"))]


class ResetRequest(RequestModel):
    """The mailed token and the next password."""

    token: Token
    new_password: Password


class TokenRequest(RequestModel):
    """The mailed token."""

    token: Token


class SessionRead(ResponseModel):
    """One open sign-in."""

    id: uuid.UUID
    address: str
    user_agent: str
    device_id: str
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    #: the one that asks
    current: bool = False
