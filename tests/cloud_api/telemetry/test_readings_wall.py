"""The walls of what ingest writes, by raw SQL over the application's own role; and the months of `readings`."""

import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import asyncpg
import pytest
from sqlalchemy import make_url

from cloud_api.kernel.tenancy import ORGANIZATION_SETTING, SYSTEM_SETTING
from tests.factories.batches import EIGHT_OCLOCK_MS, make_series, send, stored_rows
from tests.factories.farms import make_farm, open_farm_alone, plant_store
from tests.factories.stores import ColdStore
from tests.platform_under_test import Platform
from tests.services.postgres import PrivatePostgres

DAY_MS = 24 * 3600 * 1000
MINE, THEIRS = [4.0, 5.0], [8.0, 9.0]


@dataclass
class Wall:
    """Two organisations' readings on PostgreSQL, some in January and some in February, and a raw connection."""

    platform: Platform
    mine: ColdStore
    theirs: ColdStore
    connection: asyncpg.Connection

    async def work_for(self, organization_id: uuid.UUID | str, reason: str = "") -> None:
        settings = f"SELECT set_config('{ORGANIZATION_SETTING}', $1, false), set_config('{SYSTEM_SETTING}', $2, false)"
        await self.connection.execute(settings, str(organization_id), reason)

    async def minima(self, table: str) -> list[float]:
        rows = await self.connection.fetch(f"SELECT minimum FROM {table}")  # noqa: S608 - our own names
        return sorted(row["minimum"] for row in rows)


@contextmanager
def denied(what: str) -> Iterator[None]:
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match=what):
        yield


@pytest.fixture
async def wall(postgres_url: str) -> AsyncIterator[Wall]:
    async with open_farm_alone(postgres_url) as platform:
        mine = await plant_store(platform)
        theirs = await plant_store(platform, await make_farm(platform))
        for store, values in ((mine, MINE), (theirs, THEIRS)):
            await send(platform, store, make_series(values, every_s=3 * 86_400))
        dsn = make_url(postgres_url).set(drivername="postgresql").render_as_string(hide_password=False)
        connection = await asyncpg.connect(dsn)
        yield Wall(platform, mine, theirs, connection)
        await connection.close()


async def months_of(connection: asyncpg.Connection) -> list[str]:
    rows = await connection.fetch("SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r' ORDER BY 1")
    return [row["relname"] for row in rows]


async def test_hours_and_days_are_each_organisations_own(wall: Wall) -> None:
    for table in ("reading_hours", "reading_days", "sensor_hours", "sensor_days"):
        await wall.work_for("")
        assert await wall.minima(table) == []
        closed_only = slice(0, 1) if table.startswith("reading") else slice(None)
        for store, values in ((wall.mine, MINE), (wall.theirs, THEIRS)):
            await wall.work_for(store.tenant.organization.organization_id)
            assert await wall.minima(table) == values[closed_only]
        await wall.work_for("", reason="test")
        assert len(await wall.minima(table)) == 2 * len(MINE[closed_only])


@pytest.mark.parametrize("table", ["reading_hours", "reading_days"])
async def test_nothing_is_added_to_anothers_hours(wall: Wall, table: str) -> None:
    await wall.work_for(wall.mine.tenant.organization.organization_id)
    theirs = wall.theirs.tenant.organization.organization_id
    with denied("row-level security"):
        await wall.connection.execute(f"INSERT INTO {table} VALUES ($1, 99, 0, 1, 1, 1, 1)", theirs)  # noqa: S608
    changed = await wall.connection.execute(f"UPDATE {table} SET total = 0 WHERE organization_id = $1", theirs)  # noqa: S608
    assert changed == "UPDATE 0"


async def test_a_months_readings_are_as_closed_as_the_whole(wall: Wall) -> None:
    assert await months_of(wall.connection) == ["readings_2026_01", "readings_2026_02"]
    for month in await months_of(wall.connection):
        for statement in (
            f"SELECT * FROM {month}",  # noqa: S608 - our own names
            f"INSERT INTO {month} (series, recorded_at_ms, sequence, value, quality) VALUES (1, 1, 1, 1.0, 0)",  # noqa: S608
            f"UPDATE {month} SET value = 0",  # noqa: S608
            f"DELETE FROM {month}",  # noqa: S608
            f"DROP TABLE {month}",
            f"ALTER TABLE readings DETACH PARTITION {month}",
        ):
            with denied("permission denied|must be owner"):
                await wall.connection.execute(statement)
            await wall.connection.execute("SET ROLE coldfleet_ingest")
            with denied("permission denied|must be owner"):
                await wall.connection.execute(statement)
            await wall.connection.execute("RESET ROLE")


async def test_months_are_made_once_by_whoever_comes_first_and_hold_what_is_theirs(
    wall: Wall, postgres_url: str
) -> None:
    dsn = make_url(postgres_url).set(drivername="postgresql").render_as_string(hide_password=False)
    other = await asyncpg.connect(dsn)
    march_ms = EIGHT_OCLOCK_MS + 40 * DAY_MS
    async with wall.connection.transaction():
        await wall.connection.execute("SELECT make_readings_month($1)", march_ms)
        waiting = other.execute("SELECT make_readings_month($1)", march_ms + DAY_MS)
        # who reads or adds readings meanwhile does not wait for it
        assert (await send(wall.platform, wall.mine, make_series([4.0, 5.0, 6.0], every_s=60)))["accepted"] == 1
    await waiting
    await other.close()
    assert await months_of(wall.connection) == ["readings_2026_01", "readings_2026_02", "readings_2026_03"]
    rows = make_series([7.0], first_sequence=4, start_ms=march_ms)
    assert (await send(wall.platform, wall.mine, rows))["accepted"] == 1
    assert [value for _, _, value in await stored_rows(wall.platform, wall.mine)] == [4.0, 5.0, 6.0, 7.0]


@pytest.mark.parametrize("at_ms", [-1, 2**62, EIGHT_OCLOCK_MS * 3])
async def test_no_months_are_made_of_times_that_are_none(wall: Wall, at_ms: int) -> None:
    with pytest.raises(asyncpg.PostgresError):
        await wall.connection.execute("SELECT make_readings_month($1)", at_ms)
    assert len(await months_of(wall.connection)) == 2


async def test_a_month_that_was_dropped_is_made_anew(
    wall: Wall, postgres_server: PrivatePostgres, postgres_url: str
) -> None:
    await postgres_server.execute("DROP TABLE readings_2026_01", database=make_url(postgres_url).database or "")
    answer = await send(wall.platform, wall.mine, make_series([1.0], first_sequence=9))
    assert answer["accepted"] == 1
