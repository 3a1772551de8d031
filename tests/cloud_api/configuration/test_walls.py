"""What belongs to the platform: all read it, and only work across organisations writes it."""

import uuid
from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy import delete, select, update

from cloud_api.configuration.models import FeatureFlag
from cloud_api.kernel import clock
from cloud_api.kernel.db import Database
from cloud_api.kernel.tenancy import (
    ORGANIZATION_SETTING,
    SYSTEM_SETTING,
    OrganizationScope,
    SystemScope,
    TenancyViolation,
)

SOMEBODY = OrganizationScope(uuid.uuid4())


def a_flag() -> FeatureFlag:
    return FeatureFlag(key=f"flag-{uuid.uuid4()}", updated_at=clock.now(), updated_by=None)


@pytest.fixture
async def flag(shared_database: Database) -> FeatureFlag:
    """A flag in the database."""
    async with shared_database.unit_of_work(SystemScope("test")) as db:
        made = a_flag()
        db.add(made)
    return made


async def test_every_organisation_reads_it(shared_database: Database, flag: FeatureFlag) -> None:
    async with shared_database.unit_of_work(SOMEBODY, read_only=True) as db:
        assert await db.scalar(select(FeatureFlag.key).where(FeatureFlag.id == flag.id)) == flag.key


async def test_no_organisation_writes_it(shared_database: Database, flag: FeatureFlag) -> None:
    async def add() -> None:
        async with shared_database.unit_of_work(SOMEBODY) as db:
            db.add(a_flag())

    async def change() -> None:
        async with shared_database.unit_of_work(SOMEBODY) as db:
            (await db.get_one(FeatureFlag, flag.id)).enabled = True

    async def remove() -> None:
        async with shared_database.unit_of_work(SOMEBODY) as db:
            await db.delete(await db.get_one(FeatureFlag, flag.id))

    async def change_many() -> None:
        async with shared_database.unit_of_work(SOMEBODY) as db:
            await db.execute(update(FeatureFlag).values(enabled=True))

    async def remove_many() -> None:
        async with shared_database.unit_of_work(SOMEBODY) as db:
            await db.execute(delete(FeatureFlag))

    for write in (add, change, remove, change_many, remove_many):
        with pytest.raises(TenancyViolation, match="system session"):
            await write()
    async with shared_database.unit_of_work(SystemScope("test"), read_only=True) as db:
        assert (await db.get_one(FeatureFlag, flag.id)).enabled is False


@pytest.fixture
async def connection(shared_postgres_url: str) -> AsyncIterator[asyncpg.Connection]:
    """As the application's role, with a flag in the table, within a transaction that leaves nothing."""
    database = Database(shared_postgres_url)
    async with database.unit_of_work(SystemScope("test")) as db:
        db.add(a_flag())
    raw = await asyncpg.connect(database.url.set(drivername="postgresql").render_as_string(hide_password=False))
    transaction = raw.transaction()
    await transaction.start()
    yield raw
    await transaction.rollback()
    await raw.close()
    await database.close()


INSERT = (
    "INSERT INTO maintenance (id, enabled, message, retry_after_s, updated_at, version)"
    " VALUES (1, true, 'x', 1, now(), 1)"
)


async def test_postgresql_holds_it_without_the_object_mapper(connection: asyncpg.Connection) -> None:
    await connection.execute(f"SELECT set_config('{ORGANIZATION_SETTING}', $1, true)", str(uuid.uuid4()))
    assert await connection.fetchval("SELECT count(*) FROM feature_flags") > 0
    assert await connection.execute("UPDATE feature_flags SET enabled = true") == "UPDATE 0"
    assert await connection.execute("DELETE FROM feature_flags") == "DELETE 0"
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        async with connection.transaction():
            await connection.execute(INSERT)
    await connection.execute(f"SELECT set_config('{SYSTEM_SETTING}', 'switch maintenance', true)")
    assert await connection.execute(INSERT) == "INSERT 0 1"
    assert await connection.execute("UPDATE feature_flags SET enabled = true") != "UPDATE 0"


async def test_there_is_one_switch(connection: asyncpg.Connection) -> None:
    await connection.execute(f"SELECT set_config('{SYSTEM_SETTING}', 'switch maintenance', true)")
    with pytest.raises(asyncpg.CheckViolationError, match="one_row"):
        await connection.execute(INSERT.replace("(1,", "(2,"))
