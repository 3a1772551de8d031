"""Who may change whom, and who has to be left.

Nobody changes somebody who may do more than they. Somebody active has to be left in each organisation who can let
people in: of two administrators who remove each other at the same moment, one stays.
"""

import uuid
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity.errors import LastAdministrator, MightierPerson
from cloud_api.identity.organizations.models import Organization
from cloud_api.identity.people.models import User, UserRole
from cloud_api.identity.people.service import roles_held
from cloud_api.identity.roles import service as roles_of
from cloud_api.identity.roles.models import Role
from cloud_api.kernel.permissions import Principal, grants

#: if somebody has all of one of these, somebody has to have them afterwards
_OFFICES = (frozenset({"users:write", "roles:write"}), frozenset({"platform:manage"}))


async def check_changeable(db: AsyncSession, user: User, *, by: Principal) -> None:
    """Whether `by` may change `user`: they have to hold all that `user` holds.

    Raises:
        MightierPerson: when `user` holds more.
    """
    wide, own = roles_of.granted((await roles_held(db, [user.id])).get(user.id, ()))
    wide |= frozenset(user.extra_permissions.split())
    beyond = [name for name in sorted(wide) if not roles_of.covers(by, name, own=False)]
    beyond += [name for name in sorted(own) if not roles_of.covers(by, name, own=True)]
    if beyond:
        raise MightierPerson(f"{user.full_name} may do what you may not: {', '.join(beyond[:3])}")


@asynccontextmanager
async def an_administrator_stays(db: AsyncSession) -> AsyncIterator[None]:
    """Around whatever may take rights from people of the session's organisation. Such work comes one at a time.

    Raises:
        LastAdministrator: when afterwards nobody active could let people in.
    """
    # not FOR UPDATE: every row of the organisation that others insert meanwhile points at this one
    await db.execute(select(Organization.id).with_for_update(key_share=True))
    before = await _offices_held(db)
    yield
    await db.flush()
    if before - await _offices_held(db):
        raise LastAdministrator("somebody active has to be left who can give roles: appoint another first")


async def _offices_held(db: AsyncSession) -> set[frozenset[str]]:
    """Which of `_OFFICES` somebody active holds."""
    roles = {role.id: role.granted for role in await db.scalars(select(Role).where(Role.reach != "own"))}
    mighty = [
        id for id, granted in roles.items() if any(grants(granted, name) for name in frozenset().union(*_OFFICES))
    ]
    holders = defaultdict[uuid.UUID, set[str]](set)
    active = User.status == "active"
    held = select(User.id, UserRole.role_id).join(UserRole, UserRole.user_id == User.id)
    for user_id, role_id in await db.execute(held.where(active, UserRole.role_id.in_(mighty))):
        holders[user_id].update(roles[role_id])
    extra = select(User.id, User.extra_permissions).where(active, User.extra_permissions != "")
    for user_id, permissions in await db.execute(extra):
        holders[user_id].update(permissions.split())
    return {office for office in _OFFICES for held_by in holders.values() if all(grants(held_by, n) for n in office)}
