"""Human numbers: none twice, whoever counts at the same time."""

import asyncio
from datetime import UTC, datetime

import pytest

from cloud_api.kernel import clock
from cloud_api.kernel.db import Database
from cloud_api.kernel.numbers import next_number
from cloud_api.kernel.tenancy import OrganizationScope
from tests.cloud_api.kernel.rows import add_organization

YEAR = f"{clock.now():%Y}"


async def draw(database: Database, scope: OrganizationScope, prefix: str = "PO") -> str:
    async with database.unit_of_work(scope) as db:
        return await next_number(db, prefix)


async def test_counting_at_once_gives_no_number_twice_and_leaves_none_out(shared_database: Database) -> None:
    ours, theirs = await add_organization(shared_database), await add_organization(shared_database)
    scopes = [ours, theirs] * 20
    drawn = await asyncio.gather(*(draw(shared_database, scope) for scope in scopes))
    expected = [f"PO-{YEAR}-{number:05d}" for number in range(1, 21)]
    for mine in (ours, theirs):
        assert sorted(number for number, scope in zip(drawn, scopes, strict=True) if scope == mine) == expected


async def test_each_prefix_counts_for_itself_and_each_year_from_one(shared_database: Database) -> None:
    scope = await add_organization(shared_database)
    clock.use(lambda: datetime(2026, 12, 31, 23, 59, tzinfo=UTC))
    assert [await draw(shared_database, scope, prefix) for prefix in ("PO", "SO", "PO")] == [
        "PO-2026-00001",
        "SO-2026-00001",
        "PO-2026-00002",
    ]
    clock.use(lambda: datetime(2027, 1, 1, tzinfo=UTC))
    assert await draw(shared_database, scope) == "PO-2027-00001"


async def test_work_that_failed_gives_its_number_back(shared_database: Database) -> None:
    scope = await add_organization(shared_database)

    async def fail() -> None:
        async with shared_database.unit_of_work(scope) as db:
            await next_number(db, "PO")
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    assert await draw(shared_database, scope) == f"PO-{YEAR}-00001"
