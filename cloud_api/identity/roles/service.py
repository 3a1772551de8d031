"""Roles: which there are, and who may give them."""

import uuid
from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity.errors import RoleTooMighty
from cloud_api.identity.organizations.models import PLATFORM_SLUG, Organization
from cloud_api.identity.roles.catalogue import GATEWAY, OWN_REACH, SUPER_ADMIN, built_in_roles, expand
from cloud_api.identity.roles.models import Role
from cloud_api.kernel import clock
from cloud_api.kernel.errors import Invalid
from cloud_api.kernel.permissions import ALL, Principal, grants


def found_roles(organization: Organization) -> list[Role]:
    """The built-in roles of a new organisation; `super_admin` in the platform's own only."""
    names = built_in_roles().keys() - {GATEWAY} - (set() if organization.slug == PLATFORM_SLUG else {SUPER_ADMIN})
    return [
        Role(
            organization_id=organization.id,
            name=name,
            built_in=True,
            reach="own" if name in OWN_REACH else "organization",
            created_at=clock.now(),
        )
        for name in sorted(names)
    ]


async def roles_named(db: AsyncSession, *, organization_id: uuid.UUID, names: Collection[str]) -> Sequence[Role]:
    """The organisation's roles of these names; none of them can go before the unit of work ends.

    Raises:
        Invalid: naming those there are none of.
    """
    found = (
        await db.scalars(
            select(Role)
            .where(Role.organization_id == organization_id, Role.name.in_(names))
            .order_by(Role.name)
            .with_for_update(read=True, key_share=True)
        )
    ).all()
    if unknown := sorted(set(names) - {role.name for role in found}):
        raise Invalid(f"there is no role {', '.join(map(repr, unknown))}", field="roles")
    return found


def granted(roles: Iterable[Role]) -> tuple[frozenset[str], frozenset[str]]:
    """(what these roles grant, what they grant for one's own only), wildcards as they are."""
    wide, own = set[str](), set[str]()
    for role in roles:
        (own if role.reach == "own" else wide).update(role.granted)
    return frozenset(wide), frozenset(own)


def check_grantable(
    permissions: Iterable[str], *, by: Principal, field: str = "roles", for_own_only: bool = False
) -> None:
    """Whether somebody may give these permissions away, wildcards included.

    What they hold for their own only they may give `for_own_only`.

    Raises:
        RoleTooMighty: when one of them goes beyond what they have themselves.
    """
    if beyond := sorted(permission for permission in permissions if not covers(by, permission, own=for_own_only)):
        raise RoleTooMighty(f"you cannot give what you have not: {', '.join(beyond[:3])}", field=field)


def check_roles_grantable(roles: Iterable[Role], *, by: Principal) -> None:
    """The same for everything that these roles grant.

    Raises:
        RoleTooMighty: when one of them goes beyond what they have themselves.
    """
    wide, own = granted(roles)
    check_grantable(wide, by=by)
    check_grantable(own, by=by, for_own_only=True)


def covers(principal: Principal, permission: str, *, own: bool) -> bool:
    """Whether somebody has all that `permission` stands for. Only who has everything covers everything."""
    if permission == ALL:
        return ALL in principal.permissions
    held = principal.permissions | principal.own_permissions if own else principal.permissions
    return all(grants(held, single) for single in expand(permission) or {permission})
