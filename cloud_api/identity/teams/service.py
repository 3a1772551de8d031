"""The verbs of teams."""

import uuid
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity.people.models import User
from cloud_api.identity.teams.models import Team, TeamMember
from cloud_api.identity.teams.schemas import MemberRead, TeamMembersRead, TeamRead
from cloud_api.kernel import clock, versions
from cloud_api.kernel.errors import Detail, Invalid, NotFound
from cloud_api.kernel.registers import flush_unique


async def create_team(db: AsyncSession, *, name: str, description: str) -> Team:
    """A team with nobody in it.

    Raises:
        AlreadyExists: when the name is taken.
    """
    team = Team(name=name, description=description, created_at=clock.now())
    db.add(team)
    await _flush_name(db, name)
    return team


async def get_team(db: AsyncSession, team_id: uuid.UUID, *, locked: bool = False) -> Team:
    """One team.

    Raises:
        NotFound: when there is none.
    """
    statement = select(Team).where(Team.id == team_id)
    found = (await db.scalars(statement.with_for_update() if locked else statement)).one_or_none()
    if found is None:
        raise NotFound(f"no team with id {team_id}")
    return found


async def change_team(
    db: AsyncSession, team_id: uuid.UUID, *, changes: Mapping[str, str], seen: int | None = None
) -> Team:
    """Rename or describe it anew.

    Raises:
        NotFound: when there is no such team.
        StaleVersion: when it is another version than `seen` now.
        AlreadyExists: when the name is taken.
    """
    team = await _changed(db, team_id, seen)
    for field, value in changes.items():
        setattr(team, field, value)
    await _flush_name(db, team.name)
    return team


async def delete_team(db: AsyncSession, team_id: uuid.UUID) -> None:
    """Dissolve it; its people stay.

    Raises:
        NotFound: when there is no such team.
    """
    team = await get_team(db, team_id, locked=True)
    for member in await _members(db, team_id):
        await db.delete(member)
    await db.flush()
    await db.delete(team)


async def replace_members(
    db: AsyncSession, team_id: uuid.UUID, *, members: Mapping[uuid.UUID, bool], seen: int | None = None
) -> Team:
    """Put exactly these people into the team: user id -> whether they lead it.

    Raises:
        NotFound: when there is no such team.
        StaleVersion: when it is another version than `seen` now.
        Invalid: naming those who are not in the organisation (any more); then nothing changes.
    """
    team = await _changed(db, team_id, seen)
    here = set(await db.scalars(select(User.id).where(User.id.in_(members), User.deleted_at.is_(None))))
    if strangers := [user_id for user_id in members if user_id not in here]:
        details = [Detail("members", f"nobody here has the id {user_id}") for user_id in strangers]
        raise Invalid("; ".join(detail.message for detail in details[:3]), details=details)
    present = {member.user_id: member for member in await _members(db, team_id)}
    for user_id in present.keys() - members.keys():
        await db.delete(present[user_id])
    for user_id, is_lead in members.items():
        if user_id in present:
            present[user_id].is_lead = is_lead
        else:
            db.add(TeamMember(team_id=team_id, user_id=user_id, is_lead=is_lead))
    await db.flush()
    return team


async def read_teams(db: AsyncSession, teams: Sequence[Team]) -> list[TeamRead]:
    """These teams with how many people are in each."""
    counts = await _counts(db, [team.id for team in teams])
    return [
        TeamRead(
            id=team.id,
            name=team.name,
            description=team.description,
            member_count=counts.get(team.id, 0),
            version=team.version,
            created_at=team.created_at,
        )
        for team in teams
    ]


async def read_team(db: AsyncSession, team: Team) -> TeamMembersRead:
    """The team with its people, leads first."""
    rows = await db.execute(
        select(User, TeamMember.is_lead)
        .join(TeamMember, TeamMember.user_id == User.id)
        .where(TeamMember.team_id == team.id, User.deleted_at.is_(None))
        .order_by(TeamMember.is_lead.desc(), User.full_name, User.id)
    )
    members = [
        MemberRead(
            user_id=user.id, username=user.username, full_name=user.full_name, status=user.status, is_lead=is_lead
        )
        for user, is_lead in rows
    ]
    [read] = await read_teams(db, [team])
    return TeamMembersRead(**read.model_dump(), members=members)


async def leave_all(db: AsyncSession, user_id: uuid.UUID) -> None:
    """Take somebody out of every team."""
    for member in await db.scalars(select(TeamMember).where(TeamMember.user_id == user_id)):
        await db.delete(member)


async def teams_of(db: AsyncSession, user_id: uuid.UUID) -> Sequence[Team]:
    """The teams somebody is in, by name."""
    mine = select(Team).join(TeamMember, TeamMember.team_id == Team.id).where(TeamMember.user_id == user_id)
    return (await db.scalars(mine.order_by(Team.name))).all()


async def _changed(db: AsyncSession, team_id: uuid.UUID, seen: int | None) -> Team:
    team = await get_team(db, team_id, locked=True)
    await versions.count(db, team, seen=seen, what=f"team {team.name!r}")
    return team


async def _members(db: AsyncSession, team_id: uuid.UUID) -> Sequence[TeamMember]:
    return (await db.scalars(select(TeamMember).where(TeamMember.team_id == team_id))).all()


async def _counts(db: AsyncSession, team_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, int]:
    rows = await db.execute(
        select(TeamMember.team_id, func.count())
        .join(User, User.id == TeamMember.user_id)
        .where(TeamMember.team_id.in_(team_ids), User.deleted_at.is_(None))
        .group_by(TeamMember.team_id)
    )
    return {team_id: count for team_id, count in rows}


async def _flush_name(db: AsyncSession, name: str) -> None:
    await flush_unique(db, f"another team is called {name!r}", field="name")
