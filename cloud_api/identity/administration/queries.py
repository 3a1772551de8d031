"""Reads that more than one route of administration needs."""

import uuid

from sqlalchemy import Select, or_, select

from cloud_api.identity.organizations.models import Organization
from cloud_api.identity.people.models import User, UserRole
from cloud_api.identity.roles.models import Role
from cloud_api.identity.teams.models import TeamMember


def people(
    *,
    search: str | None = None,
    role: str | None = None,
    status: str | None = None,
    team_id: uuid.UUID | None = None,
) -> Select[tuple[User]]:
    """People who have not left for good; `search` looks into names and the address, `role` is its name."""
    statement = select(User).where(User.deleted_at.is_(None))
    if search:
        looked_at = (User.full_name, User.username, User.email)
        statement = statement.where(or_(*(column.icontains(search, autoescape=True) for column in looked_at)))
    if role is not None:
        holders = select(UserRole.user_id).join(Role, Role.id == UserRole.role_id).where(Role.name == role)
        statement = statement.where(User.id.in_(holders))
    if status is not None:
        statement = statement.where(User.status == status)
    if team_id is not None:
        statement = statement.where(User.id.in_(select(TeamMember.user_id).where(TeamMember.team_id == team_id)))
    return statement


def organizations(
    *, search: str | None = None, plan: str | None = None, is_active: bool | None = None
) -> Select[tuple[Organization]]:
    """Organisations that the session may see; `search` looks into their names and short names."""
    statement = select(Organization)
    if search:
        looked_at = (Organization.name, Organization.slug)
        statement = statement.where(or_(*(column.icontains(search, autoescape=True) for column in looked_at)))
    if plan is not None:
        statement = statement.where(Organization.plan == plan)
    if is_active is not None:
        statement = statement.where(Organization.is_active == is_active)
    return statement
