"""The fourth wall: raw SQL over the application's own role, without any object mapper, sees what PostgreSQL lets it."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass

import asyncpg
import numpy as np
import pytest
from sqlalchemy import make_url, select

from cloud_api.all_models import metadata
from cloud_api.devices.models import Gateway, Sensor
from cloud_api.kernel import clock
from cloud_api.kernel.db import Base, Database
from cloud_api.kernel.tenancy import ORGANIZATION_SETTING, SYSTEM_SETTING, OrganizationScope, PlatformWide
from cloud_api.places.models import Warehouse
from cloud_api.telemetry.models import SensorSeries
from cloud_api.telemetry.stores.port import NewReadings
from cloud_api.telemetry.stores.sql import SqlStore
from tests.cloud_api.kernel.rows import add_organization, add_warehouse
from tests.services.postgres import PrivatePostgres

OWNED = sorted(
    table.name
    for table in metadata.tables.values()
    if ("organization_id" in table.columns or table.name == "organizations") and not table.info.get("is_view")
)
#: of the platform: all read them, only work across organisations writes them
PLATFORM_WIDE = sorted(
    str(mapper.local_table) for mapper in Base.registry.mappers if issubclass(mapper.class_, PlatformWide)
)

#: what only work across organisations may see
SYSTEM_ONLY = ["failed_sign_ins", "signing_keys"]
_INSERTS = {
    "failed_sign_ins": "INSERT INTO failed_sign_ins (key, failures, last_at) VALUES ('k', 1, now())",
    "signing_keys": "INSERT INTO signing_keys (id, secret, created_at) VALUES (gen_random_uuid(), 's', now())",
}


@dataclass(frozen=True)
class Raw:
    """A connection as `coldfleet_app`, and two organisations with a warehouse each."""

    connection: asyncpg.Connection
    ours: OrganizationScope
    theirs: OrganizationScope

    async def work_for(self, organization_id: uuid.UUID | str, *, reason: str = "") -> None:
        """What the kernel tells PostgreSQL when a unit of work begins."""
        await self.connection.execute(
            f"SELECT set_config('{ORGANIZATION_SETTING}', $1, true), set_config('{SYSTEM_SETTING}', $2, true)",
            str(organization_id),
            reason,
        )

    async def names(self) -> list[str]:
        return [row["name"] for row in await self.connection.fetch("SELECT name FROM warehouses ORDER BY name")]


@pytest.fixture
async def raw(shared_postgres_url: str) -> AsyncIterator[Raw]:
    database = Database(shared_postgres_url)
    ours, theirs = await add_organization(database), await add_organization(database)
    await add_warehouse(database, ours, "ours")
    await add_warehouse(database, theirs, "theirs")
    url = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(url)
    transaction = connection.transaction()
    await transaction.start()
    yield Raw(connection, ours, theirs)
    await transaction.rollback()
    await connection.close()
    await database.close()


async def test_the_application_cannot_step_around_the_wall(raw: Raw) -> None:
    role = await raw.connection.fetchrow("SELECT * FROM pg_roles WHERE rolname = current_user")
    assert (role["rolname"], role["rolsuper"], role["rolbypassrls"]) == ("coldfleet_app", False, False)
    owner = await raw.connection.fetchval("SELECT tableowner FROM pg_tables WHERE tablename = 'warehouses'")
    assert owner == "coldfleet_owner"


async def test_who_says_nothing_sees_nothing(raw: Raw) -> None:
    for table in OWNED:
        assert await raw.connection.fetchval(f"SELECT count(*) FROM {table}") == 0, table  # noqa: S608 - our own names
    await raw.work_for("")
    assert await raw.names() == []


async def test_each_organisation_sees_its_own_rows(raw: Raw) -> None:
    await raw.work_for(raw.ours.organization_id)
    assert await raw.names() == ["ours"]
    await raw.work_for(raw.theirs.organization_id)
    assert await raw.names() == ["theirs"]
    await raw.work_for(uuid.uuid4())
    assert await raw.names() == []
    assert await raw.connection.fetchval("SELECT count(*) FROM organizations") == 0


async def test_work_across_organisations_must_give_a_reason(raw: Raw) -> None:
    await raw.work_for("", reason="check the ledger")
    assert {"ours", "theirs"} <= set(await raw.names())


async def test_others_rows_can_be_neither_changed_nor_deleted(raw: Raw) -> None:
    await raw.work_for(raw.ours.organization_id)
    theirs = "WHERE organization_id = $1"
    changed = await raw.connection.execute(f"UPDATE warehouses SET name = 'x' {theirs}", raw.theirs.organization_id)  # noqa: S608
    deleted = await raw.connection.execute(f"DELETE FROM warehouses {theirs}", raw.theirs.organization_id)  # noqa: S608
    assert (changed, deleted) == ("UPDATE 0", "DELETE 0")


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO warehouses (id, organization_id, code, name, address, created_at) "
        "VALUES (gen_random_uuid(), $1, 'x', 'x', '', now())",
        "UPDATE warehouses SET organization_id = $1",
        "INSERT INTO organizations (id, name, slug, currency, timezone, is_active, created_at) "
        "VALUES ($1, 'x', 'x', 'INR', 'UTC', true, now())",
    ],
    ids=["insert", "give away", "found"],
)
async def test_nothing_can_be_written_for_another_organisation(raw: Raw, statement: str) -> None:
    await raw.work_for(raw.ours.organization_id)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        await raw.connection.execute(statement, raw.theirs.organization_id)


async def test_a_scope_ends_with_its_transaction(raw: Raw) -> None:
    nested = raw.connection.transaction()
    await nested.start()
    await raw.work_for(raw.ours.organization_id)
    await nested.rollback()
    assert await raw.names() == []


async def test_every_owned_table_is_behind_the_wall_and_its_owner_too(raw: Raw) -> None:
    rows = await raw.connection.fetch(
        "SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity, p.polname, p.polcmd, p.polpermissive"
        " FROM pg_class c LEFT JOIN pg_policy p ON p.polrelid = c.oid"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'"
    )
    walled = [row["relname"] for row in rows if row["relrowsecurity"]]
    assert {*walled} == {*OWNED, *PLATFORM_WIDE, *SYSTEM_ONLY}
    assert {
        (row["relforcerowsecurity"], row["polname"], row["polcmd"], row["polpermissive"])
        for row in rows
        if row["relname"] in OWNED
    } == {(True, "organization_wall", b"*", True)}
    assert {
        (row["relforcerowsecurity"], row["polname"], row["polcmd"], row["polpermissive"])
        for row in rows
        if row["relname"] in PLATFORM_WIDE
    } == {(True, "platform_window", b"r", True), (True, "platform_wall", b"*", True)}
    assert {
        (row["relforcerowsecurity"], row["polname"], row["polcmd"], row["polpermissive"])
        for row in rows
        if row["relname"] in SYSTEM_ONLY
    } == {(True, "system_wall", b"*", True)}


@pytest.mark.parametrize("table", SYSTEM_ONLY)
async def test_what_is_the_systems_no_organisation_sees(raw: Raw, table: str) -> None:
    await raw.work_for(raw.ours.organization_id)
    assert await raw.connection.fetch(f"SELECT * FROM {table}") == []  # noqa: S608 - a name of ours
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        await raw.connection.execute(_INSERTS[table])


async def test_readings_are_closed_to_the_application(raw: Raw) -> None:
    for statement in (
        "SELECT * FROM readings",
        "SELECT count(*) FROM readings",
        "INSERT INTO readings VALUES (1, 1, 1, 1.0, 0)",
        "UPDATE readings SET value = 0",
        "DELETE FROM readings",
        "TRUNCATE readings",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied for table readings"):
            async with raw.connection.transaction():
                await raw.connection.execute(statement)


async def test_the_ingest_role_may_add_readings_and_nothing_else(raw: Raw) -> None:
    await raw.connection.execute("SELECT make_readings_month(1)")
    await raw.connection.execute("SET LOCAL ROLE coldfleet_ingest")
    await raw.connection.execute("INSERT INTO readings VALUES (-1, 1, 1, 1.0, 0)")
    for statement in ("SELECT * FROM readings", "DELETE FROM readings", "SELECT * FROM warehouses"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
            async with raw.connection.transaction():
                await raw.connection.execute(statement)


async def add_reading(database: Database, scope: OrganizationScope, *, series: int, value: float) -> None:
    now = clock.now()
    async with database.unit_of_work(scope) as db:
        gateway = Gateway(name="G", claim_code_sha256=uuid.uuid4().hex, claim_expires_at=now, created_at=now)
        db.add(gateway)
        await db.flush()
        sensor = Sensor(gateway_id=gateway.id, code="z2m:x", quantity="temperature", unit="Cel", created_at=now)
        db.add(sensor)
        await db.flush()
        db.add(SensorSeries(sensor_id=sensor.id, number=series))
        await db.flush()
        row = NewReadings(*(np.array([cell]) for cell in (series, clock.to_ms(now), 1, value, 0)))
        await SqlStore().append(db, row)


async def test_the_view_of_readings_shows_ones_own(raw: Raw, shared_postgres_url: str) -> None:
    database = Database(shared_postgres_url)
    await add_reading(database, raw.ours, series=uuid.uuid4().int >> 98, value=4.5)
    await add_reading(database, raw.theirs, series=uuid.uuid4().int >> 98, value=9.5)
    await database.close()

    async def values() -> list[float]:
        return [row["value"] for row in await raw.connection.fetch("SELECT value FROM sensor_readings")]

    assert await values() == []
    await raw.work_for(raw.ours.organization_id)
    assert await values() == [4.5]
    await raw.work_for(raw.theirs.organization_id)
    assert await values() == [9.5]
    with pytest.raises(asyncpg.PostgresError, match="cannot delete from view"):
        await raw.connection.execute("DELETE FROM sensor_readings")


async def test_the_view_of_readings_holds_whoever_owns_it(
    postgres_url: str, migrated_postgres: PrivatePostgres
) -> None:
    """An administrator's view would look past every policy; this one looks at the scope itself."""
    url = make_url(postgres_url)
    await migrated_postgres.execute("ALTER VIEW sensor_readings OWNER TO admin", database=url.database or "")
    database = Database(postgres_url)
    scopes = [await add_organization(database) for _ in range(2)]
    for number, scope in enumerate(scopes):
        await add_reading(database, scope, series=number, value=float(number))
    for number, scope in enumerate(scopes):
        async with database.unit_of_work(scope) as db:
            everything = "SELECT value FROM sensor_readings"
            assert list((await (await db.connection()).exec_driver_sql(everything)).scalars()) == [float(number)]
    await database.close()


async def test_a_pool_that_two_organisations_share_leaks_nothing(shared_postgres_url: str) -> None:
    database = Database(shared_postgres_url, pool_size=2)
    organizations = [await add_organization(database) for _ in range(2)]
    for number, scope in enumerate(organizations):
        await add_warehouse(database, scope, f"of-{number}")

    async def look(number: int) -> tuple[str, list[str]]:
        """Half of them fail after they have looked, so that connections come back in every way there is."""
        seen: list[str] = []
        try:
            async with database.unit_of_work(organizations[number % 2]) as db:
                seen += await db.scalars(select(Warehouse.code))
                if number % 4 < 2:
                    raise LookupError
        except LookupError:
            pass
        return f"of-{number % 2}", seen

    results = await asyncio.gather(*(look(number) for number in range(400)))
    assert [seen for _, seen in results] == [[own] for own, _ in results]
    async with database.engine.connect() as connection:
        settings = await connection.exec_driver_sql(
            f"SELECT current_setting('{ORGANIZATION_SETTING}', true), current_setting('{SYSTEM_SETTING}', true)"
        )
        assert {value or None for value in settings.one()} == {None}
    await database.close()
    assert make_url(shared_postgres_url).username == "coldfleet_app"
