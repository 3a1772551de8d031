"""Custom roles: an organisation's own bundles of permissions. Nobody makes one mightier than themselves."""

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity.errors import BuiltInRole, RoleInUse, UnknownPermission
from cloud_api.identity.roles.catalogue import built_in_roles, expand, own_permissions, permissions
from cloud_api.identity.roles.models import Role
from cloud_api.identity.roles.schemas import MatrixRead, MatrixRow, Reach, RoleRead
from cloud_api.identity.roles.service import check_roles_grantable
from cloud_api.kernel import clock, versions
from cloud_api.kernel.errors import AlreadyExists, Detail, NotFound
from cloud_api.kernel.permissions import Principal, grants
from cloud_api.kernel.registers import flush_unique


async def get_role(db: AsyncSession, role_id: uuid.UUID, *, locked: bool = False) -> Role:
    """One role of this organisation.

    Raises:
        NotFound: when there is none.
    """
    statement = select(Role).where(Role.id == role_id)
    found = (await db.scalars(statement.with_for_update() if locked else statement)).one_or_none()
    if found is None:
        raise NotFound(f"no role with id {role_id}", field="role_id")
    return found


async def create_role(
    db: AsyncSession, *, by: Principal, name: str, description: str, granting: Collection[str], reach: Reach
) -> Role:
    """A new role, held by nobody yet.

    Raises:
        UnknownPermission: naming what the catalogue has not, or not for this reach.
        RoleTooMighty: when it grants what the maker has not.
        AlreadyExists: when the name is taken.
    """
    role = Role(
        name=_free_name(name),
        description=description,
        permissions=_checked(granting, reach),
        reach=reach,
        created_at=clock.now(),
    )
    check_roles_grantable([role], by=by)
    db.add(role)
    await _flush_name(db, name)
    return role


async def change_role(
    db: AsyncSession, role_id: uuid.UUID, *, by: Principal, changes: Mapping[str, object], seen: int | None = None
) -> Role:
    """Change what is named in `changes`: attributes of `Role`. Who holds it feels it with their next request.

    Raises:
        NotFound: when there is no such role.
        BuiltInRole: when it came with the organisation.
        StaleVersion: when it is another version than `seen` now.
        UnknownPermission: naming what the catalogue has not, or not for this reach.
        RoleTooMighty: when it grants, or would grant, what the caller has not.
        AlreadyExists: when the name is taken.
    """
    role = await _custom(db, role_id, by=by)
    await versions.count(db, role, seen=seen, what=f"role {role.name!r}")
    for field, value in changes.items():
        setattr(role, field, _free_name(str(value)) if field == "name" and value != role.name else value)
    role.permissions = _checked(role.permissions, role.reach)
    check_roles_grantable([role], by=by)
    await _flush_name(db, role.name)
    return role


async def delete_role(db: AsyncSession, role_id: uuid.UUID, *, by: Principal) -> None:
    """Take a role away that nobody holds.

    Raises:
        NotFound: when there is no such role.
        BuiltInRole: when it came with the organisation.
        RoleTooMighty: when it grants what the caller has not.
        RoleInUse: when somebody holds it, be it since this moment.
    """
    role = await _custom(db, role_id, by=by)
    name = role.name
    await db.delete(role)
    try:
        await db.flush()
    except IntegrityError as error:
        raise RoleInUse(f"somebody holds the role {name!r}: take it from them first") from error


async def matrix(db: AsyncSession) -> MatrixRead:
    """Every permission, and which of the organisation's roles grant it."""
    roles: Sequence[Role] = (await db.scalars(select(Role).order_by(Role.name))).all()
    rows = [
        MatrixRow(permission=permission, roles=[role.name for role in roles if grants(role.granted, permission)])
        for permission in permissions()
    ]
    return MatrixRead(roles=[RoleRead.model_validate(role) for role in roles], rows=rows)


async def _custom(db: AsyncSession, role_id: uuid.UUID, *, by: Principal) -> Role:
    role = await get_role(db, role_id, locked=True)
    if role.built_in:
        raise BuiltInRole(f"{role.name!r} came with the organisation: make a role of your own instead")
    check_roles_grantable([role], by=by)
    return role


def _free_name(name: str) -> str:
    """Also names of built-in roles that this organisation does not have."""
    if name in built_in_roles():
        raise AlreadyExists(f"{name!r} is the name of a built-in role: choose another", field="name")
    return name


def _checked(granting: Iterable[str], reach: str) -> list[str]:
    wanted = sorted(set(granting))
    unknown = [Detail("permissions", f"there is no permission {name!r}") for name in wanted if not expand(name)]
    if reach == "own":
        unknown += [
            Detail("permissions", f"{name!r} cannot be granted for one's own only")
            for name in wanted
            if expand(name) and not expand(name) <= own_permissions()
        ]
    if unknown:
        raise UnknownPermission("; ".join(detail.message for detail in unknown[:3]), details=unknown)
    return wanted


async def _flush_name(db: AsyncSession, name: str) -> None:
    await flush_unique(db, f"another role is called {name!r}", field="name")
