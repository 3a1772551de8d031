"""`/api/v1/admin/roles` and the catalogue of permissions. Static paths stand before their `{id}` siblings."""

import uuid
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity.people.authority import an_administrator_stays
from cloud_api.identity.roles import custom
from cloud_api.identity.roles.catalogue import descriptions
from cloud_api.identity.roles.models import Role
from cloud_api.identity.roles.schemas import (
    MatrixRead,
    PermissionRead,
    PermissionsReplace,
    RoleCreate,
    RoleRead,
    RoleUpdate,
)
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import CurrentPrincipal, Principal, require
from cloud_api.kernel.unit_of_work import Db

router = APIRouter(prefix="/admin", tags=["roles"], route_class=ApiRoute)
READING = [require("roles:read")]
WRITING = [require("roles:write")]


@router.get("/roles", response_model=list[RoleRead], dependencies=READING)
async def list_roles(db: Db, query: Annotated[PageQuery, Depends()]) -> Page[Role]:
    """Built-in roles and the organisation's own, newest first."""
    return await page(db, select(Role), Role.id, query)


@router.post("/roles", response_model=RoleRead, status_code=201, dependencies=WRITING)
async def create_role(db: Db, principal: CurrentPrincipal, body: RoleCreate) -> Role:
    """A role of the organisation's own; nobody makes one mightier than themselves."""
    return await custom.create_role(
        db,
        by=principal,
        name=body.name,
        description=body.description,
        granting=body.permissions,
        reach=body.reach,
    )


@router.get("/roles/matrix", response_model=MatrixRead, dependencies=READING)
async def get_role_matrix(db: Db) -> MatrixRead:
    """Every permission, and which of the organisation's roles grant it."""
    return await custom.matrix(db)


@router.get("/roles/{id}", response_model=RoleRead, dependencies=READING)
async def get_role(db: Db, id: uuid.UUID) -> Role:
    """One role."""
    return await custom.get_role(db, id)


async def _change(
    db: AsyncSession, role_id: uuid.UUID, principal: Principal, changes: Mapping[str, object], seen: int | None
) -> Role:
    async with an_administrator_stays(db):
        return await custom.change_role(db, role_id, by=principal, changes=changes, seen=seen)


@router.put("/roles/{id}", response_model=RoleRead, dependencies=WRITING)
async def update_role(db: Db, principal: CurrentPrincipal, id: uuid.UUID, body: RoleUpdate) -> Role:
    """Change what is sent. Who holds the role feels it with their next request."""
    return await _change(db, id, principal, body.model_dump(exclude_unset=True, exclude_none=True), body.version)


@router.delete("/roles/{id}", status_code=204, dependencies=WRITING)
async def delete_role(db: Db, principal: CurrentPrincipal, id: uuid.UUID) -> None:
    """Take a role away that nobody holds."""
    await custom.delete_role(db, id, by=principal)


@router.put("/roles/{id}/permissions", response_model=RoleRead, dependencies=WRITING)
async def replace_role_permissions(
    db: Db, principal: CurrentPrincipal, id: uuid.UUID, body: PermissionsReplace
) -> Role:
    """All that the role grants from now on."""
    return await _change(db, id, principal, {"permissions": body.permissions}, body.version)


@router.get("/permissions", response_model=list[PermissionRead], dependencies=READING)
async def list_permissions(_principal: CurrentPrincipal) -> list[PermissionRead]:
    """The catalogue: every permission there is, and what it lets people do."""
    return [
        PermissionRead(key=key, resource=key.partition(":")[0], action=key.partition(":")[2], description=description)
        for key, description in descriptions().items()
    ]
