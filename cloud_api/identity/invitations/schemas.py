"""Invitations, as they travel over HTTP."""

import uuid
from datetime import datetime
from typing import Annotated

from pydantic import EmailStr, Field

from cloud_api.identity.people.schemas import FullName, Password, Phone, Username
from cloud_api.kernel.http import RequestModel, ResponseModel

RoleNames = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=64)]],
    Field(min_length=1, max_length=20, examples=[["viewer"]]),
]


class InvitationCreate(RequestModel):
    """Whom to invite, and as what."""

    email: EmailStr
    roles: RoleNames


class InvitationRead(ResponseModel):
    """An open invitation. Its token stands in the mail only."""

    id: uuid.UUID
    email: str
    roles: list[str]
    invited_by: uuid.UUID | None
    created_at: datetime
    expires_at: datetime


class InvitationAccept(RequestModel):
    """How the invited will be called here, and their password."""

    username: Username
    full_name: FullName
    phone: Phone = ""
    password: Password


class AcceptedRead(ResponseModel):
    """The account that was made: sign in at `/auth/login`."""

    id: uuid.UUID
    username: str
    email: str
    full_name: str
    organization_id: uuid.UUID
    organization_name: str
