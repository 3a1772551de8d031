"""Changes are counted, and who has seen another version is refused, whoever is quicker."""

import asyncio
import uuid

import pytest

from cloud_api.identity.teams.models import Team
from cloud_api.kernel import clock
from cloud_api.kernel.db import Database
from cloud_api.kernel.errors import StaleVersion
from cloud_api.kernel.tenancy import OrganizationScope
from cloud_api.kernel.versions import count
from tests.cloud_api.kernel.rows import add_organization


async def add_team(database: Database, scope: OrganizationScope) -> uuid.UUID:
    async with database.unit_of_work(scope) as db:
        team = Team(name="Dock", created_at=clock.now())
        db.add(team)
        await db.flush()
        assert team.version == 1
        return team.id


async def rename(
    database: Database, scope: OrganizationScope, team_id: uuid.UUID, name: str, *, seen: int | None = None
) -> int:
    """The version it is then."""
    async with database.unit_of_work(scope) as db:
        team = await db.get_one(Team, team_id)
        await count(db, team, seen=seen, what="the team")
        team.name = name
        await db.flush()
        return team.version


async def test_each_change_counts_one_and_who_says_nothing_is_not_asked(shared_database: Database) -> None:
    scope = await add_organization(shared_database)
    team_id = await add_team(shared_database, scope)
    seen = [await rename(shared_database, scope, team_id, name, seen=said) for name, said in (("A", 1), ("B", None))]
    assert seen == [2, 3]
    with pytest.raises(StaleVersion, match="the team is version 3 now, and you have seen version 2"):
        await rename(shared_database, scope, team_id, "C", seen=2)
    async with shared_database.unit_of_work(scope) as db:
        team = await db.get_one(Team, team_id)
        assert (team.name, team.version) == ("B", 3)


async def test_of_many_who_saw_the_same_at_the_same_moment_one_is_served(shared_database: Database) -> None:
    scope = await add_organization(shared_database)
    team_id = await add_team(shared_database, scope)
    saved = [rename(shared_database, scope, team_id, name, seen=1) for name in "ABCDEF"]
    results = await asyncio.gather(*saved, return_exceptions=True)
    assert sorted(2 if result == 2 else 0 for result in results) == [0] * 5 + [2]
    assert sum(isinstance(result, StaleVersion) for result in results) == 5


async def test_nobody_counts_in_another_organisation(shared_database: Database) -> None:
    ours, theirs = await add_organization(shared_database), await add_organization(shared_database)
    team_id = await add_team(shared_database, ours)
    async with shared_database.unit_of_work(theirs) as db:
        stranger = Team(id=team_id, name="Dock", version=1, created_at=clock.now())
        with pytest.raises(StaleVersion):
            await count(db, stranger, seen=None, what="the team")
    assert await rename(shared_database, ours, team_id, "A", seen=1) == 2
