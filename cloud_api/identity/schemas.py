"""Signing in, as it travels over HTTP."""

import uuid
from typing import Annotated

from pydantic import EmailStr, Field, SecretStr

from cloud_api.kernel.http import RequestModel, ResponseModel


class LoginRequest(RequestModel):
    """User name or e-mail, and the password."""

    login: Annotated[str, Field(min_length=1, max_length=254)]
    password: Annotated[SecretStr, Field(min_length=1, max_length=256)]


class RefreshRequest(RequestModel):
    """The refresh token of the last sign-in or refresh."""

    refresh_token: Annotated[SecretStr, Field(min_length=1, max_length=128)]


class OrganizationRead(ResponseModel):
    """The organisation somebody works for."""

    id: uuid.UUID
    name: str
    slug: str
    currency: str
    timezone: str


class UserRead(ResponseModel):
    """A person, with what they may do."""

    id: uuid.UUID
    username: str
    email: str
    full_name: str
    roles: list[str]
    permissions: list[str]
    organization: OrganizationRead


class UserCreate(RequestModel):
    """A new person."""

    username: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$")]
    email: EmailStr
    full_name: Annotated[str, Field(min_length=1, max_length=120)]
    password: Annotated[SecretStr, Field(min_length=1, max_length=256)]
    roles: Annotated[list[str], Field(min_length=1, max_length=20)]


class UserListed(ResponseModel):
    """A person, as a list shows them."""

    id: uuid.UUID
    username: str
    email: str
    full_name: str
    status: str


class TokensRead(ResponseModel):
    """A sign-in: the access token for an hour, the refresh token for seven days and one use."""

    access_token: str
    refresh_token: str
    token_type: str
    expires_in_s: int
    user: UserRead
