"""`/api/v1/admin/users`: the people of the organisation. Static paths stand before their `{id}` siblings."""

import uuid
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity.administration import queries, service
from cloud_api.identity.administration.schemas import (
    PasswordGiven,
    PersonCreate,
    PersonRead,
    PersonUpdate,
    RoleGiven,
    Status,
    StatusChange,
)
from cloud_api.identity.passwords import new_password
from cloud_api.identity.people import service as people
from cloud_api.identity.people.models import User
from cloud_api.identity.sessions.schemas import SessionRead
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery, RowsQuery, page
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.unit_of_work import Db, platform_unit_of_work

router = APIRouter(prefix="/admin/users", tags=["users"], route_class=ApiRoute)
READING = [require("users:read")]
WRITING = [require("users:write")]

UnlockDb = Annotated[
    AsyncSession, Depends(platform_unit_of_work("forget somebody's refused sign-ins"), scope="function")
]
Paging = Annotated[PageQuery, Depends()]
Words = Annotated[
    str | None, Query(min_length=1, max_length=100, pattern=r"^[^\x00]*$", description="In names and addresses.")
]
RoleQuery = Annotated[str | None, Query(max_length=64, pattern=r"^[^\x00]*$", description="A role's name.")]


async def _page(db: AsyncSession, statement: Select[tuple[User]], query: PageQuery) -> Page[PersonRead]:
    found = await page(db, statement, User.id, query)
    return Page(await service.read_people(db, found.items), found.limit, found.next_cursor)


async def _read(db: AsyncSession, user: User) -> PersonRead:
    [read] = await service.read_people(db, [user])
    return read


@router.get("", response_model=list[PersonRead], dependencies=READING)
async def list_users(
    db: Db,
    query: Annotated[RowsQuery, Depends()],
    search: Words = None,
    role: RoleQuery = None,
    status: Status | None = None,
    is_active: bool | None = None,
) -> Page[PersonRead]:
    """Newest first. `is_active=false` finds whoever is inactive or suspended."""
    statement = queries.people(search=search, role=role, status=status)
    if is_active is not None:
        statement = statement.where((User.status == "active") == is_active)
    return await _page(db, statement, query)


async def _hashed(body: PersonCreate) -> str:
    about = (body.username, body.email, body.full_name)
    return await new_password(body.password.get_secret_value(), about=about)


@router.post("", response_model=PersonRead, status_code=201, dependencies=WRITING)
async def create_user(
    password_hash: Annotated[str, Depends(_hashed)], db: Db, principal: CurrentPrincipal, body: PersonCreate
) -> PersonRead:
    """Add somebody, who has to change the password when they first sign in. A mail confirms their address."""
    return await _read(db, await service.create_person(db, by=principal, new=body, password_hash=password_hash))


@router.get("/search", response_model=list[PersonRead], dependencies=READING)
async def search_users(
    db: Db,
    query: Paging,
    q: Words = None,
    role: RoleQuery = None,
    team_id: uuid.UUID | None = None,
    status: Literal["active", "inactive", "suspended"] | None = None,
) -> Page[PersonRead]:
    """By name, address, role and team; what is named has to hold all at once. Newest first."""
    return await _page(db, queries.people(search=q, role=role, status=status, team_id=team_id), query)


@router.get("/{id}", response_model=PersonRead, dependencies=READING)
async def get_user(db: Db, id: uuid.UUID) -> PersonRead:
    """One person."""
    return await _read(db, await people.get_user(db, id))


@router.patch("/{id}", response_model=PersonRead, name="patch_user", dependencies=WRITING)
@router.put("/{id}", response_model=PersonRead, name="update_user", dependencies=WRITING)
async def update_user(db: Db, principal: CurrentPrincipal, id: uuid.UUID, body: PersonUpdate) -> PersonRead:
    """Change what is sent. A new address has to be confirmed by a mail."""
    sent = body.model_dump(exclude_unset=True, exclude_none=True)
    extra = sent.pop("extra_permissions", None)
    user = await service.update_person(db, id, by=principal, changes=sent, extra=extra, seen=body.version)
    return await _read(db, user)


@router.delete("/{id}", status_code=204, dependencies=WRITING)
async def remove_user(db: Db, principal: CurrentPrincipal, id: uuid.UUID) -> None:
    """Let somebody go for good: every sign-in ends, and they stand in no list any more."""
    await service.remove_person(db, id, by=principal)


@router.put("/{id}/status", response_model=PersonRead, dependencies=WRITING)
async def set_user_status(db: Db, principal: CurrentPrincipal, id: uuid.UUID, body: StatusChange) -> PersonRead:
    """Let somebody in again, or out: then every sign-in of theirs ends at once."""
    return await _read(db, await service.set_status(db, id, status=body.status, by=principal))


async def _given(
    request: Request, principal: CurrentPrincipal, id: uuid.UUID, body: PasswordGiven
) -> service.GivenPassword:
    wanted = body.password.get_secret_value()
    return await service.prepare_password(request.app.state.database, id, by=principal, wanted=wanted)


@router.put("/{id}/password", status_code=204, dependencies=WRITING)
async def set_user_password(
    given: Annotated[service.GivenPassword, Depends(_given)],
    db: Db,
    principal: CurrentPrincipal,
    id: uuid.UUID,
    body: PasswordGiven,
) -> None:
    """Give somebody a password that they have to change when they sign in; every sign-in of theirs ends."""
    await service.give_password(db, id, by=principal, given=given)


@router.post("/{id}/unlock", status_code=204, dependencies=WRITING)
async def unlock_user(db: UnlockDb, principal: CurrentPrincipal, id: uuid.UUID) -> None:
    """Let somebody sign in again before their lock opens by itself."""
    await service.unlock(db, id, by=principal)


@router.delete("/{id}/2fa", status_code=204, dependencies=WRITING)
async def reset_user_second_factor(db: Db, principal: CurrentPrincipal, id: uuid.UUID) -> None:
    """Forget the second factor of somebody who lost phone and backup codes; every sign-in of theirs ends."""
    await service.reset_second_factor(db, id, by=principal)


@router.get("/{id}/sessions", response_model=list[SessionRead], dependencies=READING)
async def list_user_sessions(db: Db, principal: CurrentPrincipal, id: uuid.UUID) -> list[SessionRead]:
    """Somebody's open sign-ins, the newest first."""
    return [
        SessionRead.model_validate(session).model_copy(update={"current": session.id == principal.session_id})
        for session in await service.sessions_of_person(db, id)
    ]


@router.delete("/{id}/sessions", status_code=204, dependencies=WRITING)
async def end_user_sessions(db: Db, principal: CurrentPrincipal, id: uuid.UUID) -> None:
    """End all of somebody's sign-ins; their tokens stop at once."""
    await service.end_sessions_of_person(db, id, by=principal)


@router.post("/{id}/roles", response_model=PersonRead, dependencies=[require("roles:write")])
async def give_user_role(db: Db, principal: CurrentPrincipal, id: uuid.UUID, body: RoleGiven) -> PersonRead:
    """Give somebody a role; giving it again changes nothing."""
    return await _read(db, await service.give_role(db, id, body.role_id, by=principal))


@router.delete("/{id}/roles/{role_id}", status_code=204, dependencies=[require("roles:write")])
async def take_user_role(db: Db, principal: CurrentPrincipal, id: uuid.UUID, role_id: uuid.UUID) -> None:
    """Take a role from somebody; they feel it with their next request."""
    await service.take_role(db, id, role_id, by=principal)
