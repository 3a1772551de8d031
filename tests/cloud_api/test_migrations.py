"""Models and migrations say the same on both databases, and every step leads back as well."""

import asyncio
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, make_url, pool
from sqlalchemy.ext.asyncio import create_async_engine

from cloud_api.all_models import metadata
from cloud_api.migrations.migrate import configuration, upgrade
from tests.conftest import PASSWORD, SCHEME
from tests.services.postgres import PrivatePostgres

#: of `readings`: PostgreSQL's alone
NARROW_INDEX = "ix_readings_series_recorded_at_ms"


@pytest.fixture
def owner_url(database_url: str, migrated_postgres: PrivatePostgres) -> str:
    """The database as the one who may migrate it sees it."""
    url = make_url(database_url)
    name = url.database or ""
    if url.get_backend_name() == "sqlite":
        return database_url
    asyncio.run(migrated_postgres.execute(f"ALTER DATABASE {name} OWNER TO coldfleet_owner"))
    return migrated_postgres.url(name, user="coldfleet_owner", password=PASSWORD, scheme=SCHEME)


def look(url: str, what: Any) -> Any:
    """What `what(connection)` finds."""

    async def connect() -> Any:
        engine = create_async_engine(url, poolclass=pool.NullPool)
        async with engine.connect() as connection:
            found = await connection.run_sync(what)
        await engine.dispose()
        return found

    return asyncio.run(connect())


def differences(connection: Connection) -> list[Any]:
    """What autogenerate would write; views are written by hand."""
    options = {
        "compare_type": True,
        "include_object": lambda item, name, *_: not item.info.get("is_view", False) and name != NARROW_INDEX,
    }
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))


def contents(connection: Connection) -> dict[str, list[str]]:
    """Tables and views."""
    found = inspect(connection)
    return {"tables": sorted(found.get_table_names()), "views": sorted(found.get_view_names())}


def test_migrations_make_what_the_models_say(owner_url: str) -> None:
    assert look(owner_url, differences) == []
    expected = sorted(table.name for table in metadata.tables.values() if not table.info.get("is_view"))
    assert look(owner_url, contents) == {
        "tables": sorted([*expected, "alembic_version"]),
        "views": ["sensor_days", "sensor_hours", "sensor_readings"],
    }


def test_the_way_down_and_up_again_leads_to_the_same_place(owner_url: str) -> None:
    command.downgrade(configuration(owner_url), "base")
    assert look(owner_url, contents) == {"tables": ["alembic_version"], "views": []}
    upgrade(owner_url)
    assert look(owner_url, differences) == []
    assert look(owner_url, contents)["views"] == ["sensor_days", "sensor_hours", "sensor_readings"]


def test_migrating_again_changes_nothing(owner_url: str) -> None:
    upgrade(owner_url)
    assert look(owner_url, differences) == []


def test_migrations_stand_in_one_line_and_are_numbered() -> None:
    scripts = ScriptDirectory.from_config(configuration("sqlite+aiosqlite://"))
    revisions = [script.revision for script in scripts.walk_revisions()][::-1]
    assert revisions == [f"{number:04d}" for number in range(1, len(revisions) + 1)]
    assert scripts.get_heads() == [revisions[-1]]
    assert scripts.get_bases() == ["0001"]
