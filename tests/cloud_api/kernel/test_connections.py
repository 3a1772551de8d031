"""Connections to PostgreSQL are kept, and not believed when they are dead."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import event, func, select
from sqlalchemy.engine.interfaces import AdaptedConnection

from cloud_api.identity.organizations.models import Organization
from cloud_api.kernel.db import Database
from cloud_api.kernel.tenancy import SystemScope
from tests.services.postgres import PrivatePostgres
from tests.services.waiting import until


@asynccontextmanager
async def connected(url: str, opened: list[AdaptedConnection]) -> AsyncIterator[Database]:
    """A database, and whatever connections it opens."""
    database = Database(url)
    event.listen(database.engine.sync_engine, "connect", lambda connection, _entry: opened.append(connection))
    try:
        yield database
    finally:
        await database.close()


async def look(database: Database) -> int:
    async with database.unit_of_work(SystemScope("look"), read_only=True) as db:
        return await db.scalar(select(func.count()).select_from(Organization)) or 0


async def test_no_request_fails_because_the_database_was_restarted_meanwhile(
    postgres_url: str, migrated_postgres: PrivatePostgres
) -> None:
    opened: list[AdaptedConnection] = []
    async with connected(postgres_url, opened) as database:
        before = await asyncio.gather(*(look(database) for _ in range(4)))
        dead = [*opened]
        hang_up = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database.url.database}'"  # noqa: S608
        await migrated_postgres.execute(hang_up)
        await until(lambda: all(one.driver_connection.is_closed() for one in dead), what="they are hung up")
        assert await asyncio.gather(*(look(database) for _ in range(4))) == before
        assert len(opened) > len(dead)


async def test_a_connection_that_is_well_is_used_again(postgres_url: str) -> None:
    opened: list[AdaptedConnection] = []
    async with connected(postgres_url, opened) as database:
        for _ in range(5):
            await look(database)
    assert len(opened) == 1
