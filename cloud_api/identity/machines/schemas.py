"""Machines' credentials, as they travel over HTTP."""

import uuid
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import AwareDatetime, Field

from cloud_api.kernel.http import RequestModel, ResponseModel

Name = Annotated[str, Field(min_length=1, max_length=120)]
Scope = Annotated[
    str,
    Field(
        max_length=100,
        pattern=r"^(\*|[a-z_]+:(\*|[a-z_]+))$",
        description="A permission, `products:read`, or a wildcard: `products:*`, a group's `inventory:*`, `*`",
    ),
]
Scopes = Annotated[list[Scope], Field(min_length=1, max_length=120)]
Range = Annotated[str, Field(min_length=2, max_length=64, description="203.0.113.7 or 10.0.0.0/8")]
Ranges = Annotated[list[Range], Field(max_length=50, description="Where the key may be used; everywhere when empty")]
#: a day unless asked otherwise, a week at most
_DAY_H, _WEEK_H = 24, 168


class ApiKeyCreate(RequestModel):
    """A key for a program: no more rights than whoever makes it has."""

    name: Name
    scopes: Scopes
    ip_ranges: Annotated[Ranges, Field(default_factory=list)]
    #: null: until it is revoked
    expires_at: AwareDatetime | None = None


class ApiKeyUpdate(RequestModel):
    """What is not sent stays."""

    name: Name = ""
    scopes: Annotated[Scopes, Field(default_factory=list)]
    ip_ranges: Annotated[Ranges, Field(default_factory=list)]
    expires_at: AwareDatetime | None = None


class RotateRequest(RequestModel):
    """How long the present secret is still taken; 0 when it has leaked."""

    overlap_hours: Annotated[int, Field(ge=0, le=_WEEK_H)] = _DAY_H

    @property
    def overlap(self) -> timedelta:
        """The same as a duration."""
        return timedelta(hours=self.overlap_hours)


class MachineRead(ResponseModel):
    """What an API key and an OAuth client have in common."""

    id: uuid.UUID
    name: str
    scopes: list[str]
    #: until when the secret before the last rotation is taken
    previous_valid_until: datetime | None
    last_used_at: datetime | None
    created_by: uuid.UUID | None
    created_at: datetime


class ApiKeyRead(MachineRead):
    """An API key without its secret."""

    prefix: str
    ip_ranges: list[str]
    expires_at: datetime | None
    revoked_at: datetime | None


class ApiKeyShown(ApiKeyRead):
    """An API key with its secrets, this once."""

    #: `cf_<prefix>_<secret>`: `Authorization: Bearer <key>`, or `X-API-Key: <key>`
    key: str
    #: for `X-Signature`; null when it stays what it was
    signing_secret: str | None


class ClientCreate(RequestModel):
    """A program that asks for access tokens: no more rights than whoever registers it has."""

    name: Name
    scopes: Scopes


class ClientRead(MachineRead):
    """An OAuth client without its secret."""

    client_id: str


class ClientShown(ClientRead):
    """An OAuth client with its secret, this once."""

    client_secret: str


class ClientTokenRead(ResponseModel):
    """An access token, in the words of RFC 6749, section 5.1."""

    access_token: str
    token_type: str
    #: seconds
    expires_in: int
    #: by blanks
    scope: str


class GrantErrorRead(ResponseModel):
    """Why there is no token, in the words of RFC 6749, section 5.2."""

    error: str
    error_description: str


class SigningKeyRead(ResponseModel):
    """The key that signs access tokens from now on."""

    id: uuid.UUID
    created_at: datetime
    #: until when tokens of the key before are believed
    former_valid_until: datetime
