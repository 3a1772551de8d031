"""Teams, as they travel over HTTP."""

import uuid
from datetime import datetime
from typing import Annotated

from pydantic import Field

from cloud_api.kernel.http import RequestModel, ResponseModel
from cloud_api.kernel.versions import Edit

Name = Annotated[str, Field(min_length=1, max_length=100)]
Description = Annotated[str, Field(max_length=500)]


class TeamCreate(RequestModel):
    """A team, empty yet."""

    name: Name
    description: Description = ""


class TeamUpdate(Edit):
    """What is not sent stays."""

    name: Name | None = None
    description: Description | None = None


class MemberEntry(RequestModel):
    """Somebody of the organisation."""

    user_id: uuid.UUID
    is_lead: bool = False


class MembersReplace(Edit):
    """Who is in the team from now on: all of them or none are taken."""

    members: Annotated[list[MemberEntry], Field(max_length=500)]


class TeamRead(ResponseModel):
    """A team."""

    id: uuid.UUID
    name: str
    description: str
    member_count: int
    version: int
    created_at: datetime


class MemberRead(ResponseModel):
    """Somebody in a team."""

    user_id: uuid.UUID
    username: str
    full_name: str
    status: str
    is_lead: bool


class TeamMembersRead(TeamRead):
    """A team with its people, leads first."""

    members: list[MemberRead]
