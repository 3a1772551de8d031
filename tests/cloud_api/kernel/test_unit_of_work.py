"""One request is one unit of work: all of it or nothing, and the caller hears which."""

import asyncio
import sqlite3
from contextlib import closing

import httpx2
import pytest
from fastapi import APIRouter
from sqlalchemy import event, make_url, text
from sqlalchemy.exc import IntegrityError

from cloud_api.kernel import clock
from cloud_api.kernel.db import Database
from cloud_api.kernel.errors import Conflict
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.ids import new_id
from cloud_api.kernel.outbox import Dispatcher, emit
from cloud_api.kernel.tenancy import SystemScope
from cloud_api.kernel.unit_of_work import Db
from cloud_api.places.models import Location
from tests.cloud_api.kernel.rows import add_organization, add_warehouse, warehouse, warehouse_names
from tests.cloud_api.kernel.test_outbox import noting, opened
from tests.platform_under_test import Platform, open_platform
from tests.services.postgres import PrivatePostgres

NOW = clock.now()
CONSTRAINT = "fk_locations_organization_id_warehouse_id"
failing = APIRouter(prefix="/api/v1/failing", route_class=ApiRoute)


@failing.post("/at-the-flush", response_model=str)
async def fail_at_the_flush(db: Db) -> str:
    """Two rows with one code: nothing is wrong until the commit flushes them."""
    db.add_all([warehouse("same"), warehouse("same")])
    return "done"


@failing.post("/at-the-commit", response_model=str)
async def fail_at_the_commit(db: Db) -> str:
    """A room in no warehouse: flushed without complaint where the key is deferred, refused by COMMIT itself."""
    if db.get_bind().dialect.name == "sqlite":
        await (await db.connection()).execute(text("PRAGMA defer_foreign_keys = ON"))
    room = Location(
        warehouse_id=new_id(), code="R", name="R", location_type="room", storage_type="freezer", created_at=NOW
    )
    db.add_all([warehouse("beside it"), room])
    await db.flush()
    return "done"


@failing.post("/afterwards", response_model=str)
async def fail_afterwards(db: Db) -> str:
    """The work is flushed, and then something is not possible."""
    db.add(warehouse("half done"))
    await db.flush()
    raise Conflict("not now")


@failing.post("/badly", response_model=str)
async def fail_badly(db: Db) -> str:
    """The work is flushed, and then there is a mistake in the code."""
    db.add(warehouse("half done"))
    await db.flush()
    raise LookupError("the secret recipe")


async def names_in(platform: Platform) -> list[str]:
    return list(await warehouse_names(platform.database, platform.tenant.organization))


@pytest.mark.parametrize(
    ("where", "status"), [("at-the-flush", 500), ("afterwards", 409), ("badly", 500)], ids=lambda value: str(value)
)
async def test_what_fails_leaves_nothing_and_is_never_a_success(
    shared_platform: Platform, where: str, status: int
) -> None:
    shared_platform.app.include_router(failing)
    answer = await shared_platform.tenant.client.post(f"/api/v1/failing/{where}")
    assert (answer.status_code, answer.json()["success"]) == (status, False)
    assert await names_in(shared_platform) == []


async def fail_the_commit_on(platform: Platform) -> None:
    platform.app.include_router(failing)
    answer = await platform.tenant.client.post("/api/v1/failing/at-the-commit")
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "INTERNAL")
    assert await names_in(platform) == []


async def test_a_commit_that_fails_is_heard_of_on_sqlite(shared_sqlite_url: str) -> None:
    async with open_platform(shared_sqlite_url) as platform:
        await fail_the_commit_on(platform)


async def test_a_commit_that_fails_is_heard_of_on_postgresql(
    postgres_url: str, migrated_postgres: PrivatePostgres
) -> None:
    deferred = f"ALTER TABLE locations ALTER CONSTRAINT {CONSTRAINT} DEFERRABLE INITIALLY DEFERRED"
    await migrated_postgres.execute(deferred, database=make_url(postgres_url).database or "")
    async with open_platform(postgres_url) as platform:
        await fail_the_commit_on(platform)


async def test_a_read_neither_waits_for_a_writer_nor_sees_what_is_not_committed(shared_platform: Platform) -> None:
    tenant = shared_platform.tenant
    async with shared_platform.database.unit_of_work(tenant.organization) as db:
        db.add(warehouse("not yet"))
        await db.flush()
        assert await tenant.get("/api/v1/warehouse/warehouses") == []
    [committed] = await tenant.get("/api/v1/warehouse/warehouses")
    assert committed["code"] == "not yet"


async def test_a_read_takes_no_lock_on_sqlite(shared_sqlite_url: str) -> None:
    database = Database(shared_sqlite_url)
    scope = await add_organization(database)
    path = make_url(shared_sqlite_url).database or ""
    async with database.unit_of_work(scope, read_only=True) as db:
        await db.get(Location, new_id())
        stranger = sqlite3.connect(path, timeout=0, isolation_level=None)
        stranger.execute("BEGIN IMMEDIATE")
        stranger.execute("ROLLBACK")
    async with database.unit_of_work(scope):
        pass
    async with database.unit_of_work(scope) as db:
        await db.get(Location, new_id())
        with pytest.raises(sqlite3.OperationalError, match="database is locked"):
            stranger.execute("BEGIN IMMEDIATE")
    stranger.close()
    await database.close()


async def test_thirty_two_writers_at_once_all_succeed(shared_platform: Platform) -> None:
    async def write(number: int) -> httpx2.Response:
        body = {"code": f"WH-{number:02d}", "name": "Store"}
        return await shared_platform.tenant.client.post("/api/v1/warehouse/warehouses", json=body)

    answers = await asyncio.gather(*(write(number) for number in range(32)))
    assert [answer.status_code for answer in answers] == [201] * 32
    assert len(await names_in(shared_platform)) == 32


async def test_writers_of_two_processes_queue_too(shared_database_url: str) -> None:
    databases = [Database(shared_database_url), Database(shared_database_url)]
    scope = await add_organization(databases[0])
    await asyncio.gather(
        *(add_warehouse(databases[number % 2], scope, f"WH-{number:02d}") for number in range(16)),
    )
    assert len(await warehouse_names(databases[1], scope)) == 16
    for database in databases:
        await database.close()


class Refused(Conflict):
    """Counted, and refused all the same."""

    keeps_work = True


@pytest.mark.parametrize(("error", "kept"), [(Refused, ["counted"]), (Conflict, [])])
async def test_a_refusal_that_keeps_its_work_is_raised_after_the_commit(
    shared_database: Database, error: type[Conflict], kept: list[str]
) -> None:
    scope = await add_organization(shared_database)
    emitted: list[bool] = []
    shared_database.on_emitted = lambda: emitted.append(True)

    async def count_and_refuse() -> None:
        async with shared_database.unit_of_work(scope) as db:
            db.add(warehouse("counted"))
            emit(db, opened("north"))
            raise error("no")

    with pytest.raises(error, match="no"):
        await count_and_refuse()
    assert await warehouse_names(shared_database, scope) == kept
    assert emitted == [True] * len(kept)


async def test_work_that_cannot_be_kept_is_no_refusal_but_a_mistake_of_ours(shared_database: Database) -> None:
    scope = await add_organization(shared_database)

    async def break_and_refuse() -> None:
        async with shared_database.unit_of_work(scope) as db:
            db.add_all([warehouse("same"), warehouse("same")])
            raise Refused("no")

    with pytest.raises(IntegrityError):
        await break_and_refuse()
    assert await warehouse_names(shared_database, scope) == []


async def test_a_unit_that_is_given_up_leaves_nothing_and_no_lock(shared_database: Database) -> None:
    scope = await add_organization(shared_database)
    begun = asyncio.Event()

    async def work() -> None:
        async with shared_database.unit_of_work(scope) as db:
            db.add(warehouse("half done"))
            await db.flush()
            begun.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await begun.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await add_warehouse(shared_database, scope, "whole")
    assert await warehouse_names(shared_database, scope) == ["whole"]


async def test_work_that_is_given_up_at_any_moment_keeps_no_lock(shared_sqlite_url: str) -> None:
    """Not even while somebody still looks at the errors: a cursor that is left half-way would hold it."""
    keeper = Database(shared_sqlite_url)
    scope = await add_organization(keeper)
    errors: list[BaseException | None] = []
    for number in range(30):
        async with keeper.unit_of_work(scope) as db:
            emit(db, opened("north"))
        database = Database(shared_sqlite_url)
        task = asyncio.create_task(Dispatcher(database, [noting("test.given-up")], poll_s=0).run())
        await asyncio.sleep(number * 0.001)
        task.cancel()
        errors += await asyncio.gather(task, return_exceptions=True)
        await database.close()
        with closing(sqlite3.connect(keeper.url.database or "", timeout=5)) as stranger:
            stranger.execute("BEGIN IMMEDIATE")
    assert [type(error) for error in errors] == [asyncio.CancelledError] * 30
    await keeper.close()


async def test_work_that_is_given_up_while_it_ends_comes_to_its_end(
    shared_sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A server that shuts down gives up whoever looks into the database: nothing that anybody need be told."""
    database = Database(shared_sqlite_url)

    async def look() -> None:
        async with database.unit_of_work(SystemScope("look"), read_only=True) as db:
            await db.execute(text("SELECT 1"))

    task = asyncio.create_task(look())
    event.listen(database.engine.sync_engine, "reset", lambda *_: task.cancel())
    with pytest.raises(asyncio.CancelledError):
        await task
    assert asyncio.all_tasks() == {asyncio.current_task()}
    await database.close()
    assert [record for record in caplog.records if record.name.startswith("sqlalchemy")] == []


async def test_sqlite_checks_keys_and_keeps_what_it_said_it_kept(shared_sqlite_url: str) -> None:
    database = Database(shared_sqlite_url)
    async with database.unit_of_work(SystemScope("look at the pragmas")) as db:
        pragmas = {
            name: (await db.execute(text(f"PRAGMA {name}"))).scalar_one()
            for name in ("foreign_keys", "journal_mode", "synchronous")
        }
    assert pragmas == {"foreign_keys": 1, "journal_mode": "wal", "synchronous": 2}
    await database.close()
