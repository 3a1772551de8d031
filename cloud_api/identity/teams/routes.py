"""`/api/v1/teams`: people who work together."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy import select

from cloud_api.identity.teams import service
from cloud_api.identity.teams.models import Team
from cloud_api.identity.teams.schemas import (
    MembersReplace,
    TeamCreate,
    TeamMembersRead,
    TeamRead,
    TeamUpdate,
)
from cloud_api.kernel.errors import Invalid
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import require
from cloud_api.kernel.unit_of_work import Db

router = APIRouter(prefix="/teams", tags=["organizations"], route_class=ApiRoute)
READING = [require("users:read")]
WRITING = [require("users:write")]


@router.get("", response_model=list[TeamRead], dependencies=READING)
async def list_teams(db: Db, query: Annotated[PageQuery, Depends()]) -> Page[TeamRead]:
    """Newest first."""
    found = await page(db, select(Team), Team.id, query)
    return Page(await service.read_teams(db, found.items), found.limit, found.next_cursor)


@router.post("", response_model=TeamMembersRead, status_code=201, dependencies=WRITING)
async def create_team(db: Db, body: TeamCreate) -> TeamMembersRead:
    """A team, empty yet."""
    team = await service.create_team(db, name=body.name, description=body.description)
    return await service.read_team(db, team)


@router.get("/{id}", response_model=TeamMembersRead, dependencies=READING)
async def get_team(db: Db, id: uuid.UUID) -> TeamMembersRead:
    """One team with its people, leads first."""
    return await service.read_team(db, await service.get_team(db, id))


@router.put("/{id}", response_model=TeamMembersRead, dependencies=WRITING)
async def update_team(db: Db, id: uuid.UUID, body: TeamUpdate) -> TeamMembersRead:
    """Rename it, or describe it anew."""
    changes = body.model_dump(exclude_unset=True, exclude_none=True)
    return await service.read_team(db, await service.change_team(db, id, changes=changes, seen=body.version))


@router.delete("/{id}", status_code=204, dependencies=WRITING)
async def delete_team(db: Db, id: uuid.UUID) -> None:
    """Dissolve it; its people stay."""
    await service.delete_team(db, id)


@router.put("/{id}/members", response_model=TeamMembersRead, dependencies=WRITING)
async def replace_team_members(db: Db, id: uuid.UUID, body: MembersReplace) -> TeamMembersRead:
    """Put exactly these people into the team: all of them, or nothing changes."""
    members = {entry.user_id: entry.is_lead for entry in body.members}
    if len(members) < len(body.members):
        raise Invalid("somebody is named twice", field="members")
    team = await service.replace_members(db, id, members=members, seen=body.version)
    return await service.read_team(db, team)
