"""People, as far as they can be told something. Only who is active is."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity.organizations.models import Organization
from cloud_api.identity.people.models import User, UserRole
from cloud_api.identity.roles.models import Role

_ACTIVE = (User.status == "active", User.deleted_at.is_(None))


@dataclass(frozen=True)
class Reader:
    """Somebody, and where they are reached; empty where nobody knows."""

    name: str
    email: str
    #: E.164
    phone: str
    #: BCP 47
    locale: str


async def active(db: AsyncSession, user_ids: Collection[uuid.UUID]) -> Sequence[uuid.UUID]:
    """Those of these people who are there and active, in the order given."""
    here = set(await db.scalars(select(User.id).where(User.id.in_(user_ids), *_ACTIVE)))
    return [user_id for user_id in dict.fromkeys(user_ids) if user_id in here]


async def holders_of(db: AsyncSession, roles: Collection[str]) -> Sequence[uuid.UUID]:
    """Who holds one of these roles, in key order."""
    held = (
        select(User.id)
        .join(UserRole, UserRole.user_id == User.id)
        .join(Role, Role.id == UserRole.role_id)
        .where(Role.name.in_(roles), *_ACTIVE)
    )
    return sorted(set(await db.scalars(held)))


async def unknown_roles(db: AsyncSession, names: Collection[str]) -> Sequence[str]:
    """Those of these names that no role of the organisation has."""
    known = set(await db.scalars(select(Role.name).where(Role.name.in_(names))))
    return [name for name in names if name not in known]


async def reader(db: AsyncSession, user_id: uuid.UUID) -> Reader | None:
    """Where somebody is reached; None when they are not there any more."""
    user = (await db.scalars(select(User).where(User.id == user_id, *_ACTIVE))).one_or_none()
    return None if user is None else Reader(user.full_name, user.email, user.phone, user.locale)


async def zone_of_organization(db: AsyncSession) -> ZoneInfo:
    """The time zone of the session's organisation."""
    name = await db.scalar(select(Organization.timezone))
    return ZoneInfo(name or "UTC")
