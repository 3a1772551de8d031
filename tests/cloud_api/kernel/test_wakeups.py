"""Processes wake each other over PostgreSQL, and find each other again after it was away."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel.db import Database
from cloud_api.kernel.outbox import Dispatcher, emit, reaction
from cloud_api.kernel.tenancy import OrganizationScope
from cloud_api.kernel.wakeups import PostgresWakeups, payloads
from cloud_api.realtime.hub import Hub
from cloud_api.worker import connected, running
from tests.cloud_api.kernel.rows import add_organization
from tests.cloud_api.kernel.test_outbox import NEVER_S, WindowOpened, a_name
from tests.services.postgres import PrivatePostgres
from tests.services.waiting import until


@asynccontextmanager
async def two_processes(url: str, heard: list[str]) -> AsyncIterator[Database]:
    """One that serves requests and delivers nothing, and a worker that hears; the former's database."""

    async def hear(_db: AsyncSession, event: WindowOpened) -> None:
        heard.append(event.window)

    async with AsyncExitStack() as stack:
        databases = [Database(url), Database(url)]
        for database in databases:
            stack.push_async_callback(database.close)
        api, worker = databases
        idle = Dispatcher(api, [])
        await stack.enter_async_context(connected(api, idle, Hub()))
        dispatcher = Dispatcher(worker, [reaction(WindowOpened, a_name(), hear)], poll_s=NEVER_S)
        await stack.enter_async_context(connected(worker, dispatcher, Hub()))
        await stack.enter_async_context(running(dispatcher=dispatcher.run()))
        yield api


async def open_window(database: Database, scope: OrganizationScope, window: str) -> None:
    async with database.unit_of_work(scope) as db:
        emit(db, WindowOpened(window))


async def test_a_commit_in_one_process_wakes_the_dispatcher_of_another(shared_postgres_url: str) -> None:
    heard: list[str] = []
    async with two_processes(shared_postgres_url, heard) as api:
        scope = await add_organization(api)
        for window in ("east", "west"):
            await open_window(api, scope, window)
            await until(partial(heard.__contains__, window), what=f"the {window} window is heard of")


async def test_many_commits_become_few_wake_ups(shared_postgres_url: str) -> None:
    url, woken = make_url(shared_postgres_url), 0

    def note() -> None:
        nonlocal woken
        woken += 1

    async with PostgresWakeups(url, note), PostgresWakeups(url, lambda: None) as sender:
        await until(lambda: woken == 1, what="the listener is connected, and looks once at what it may have missed")
        for _ in range(1000):
            sender.notify()
        await until(lambda: woken > 1, what="the listener is woken")
        assert woken < 10


def test_topics_travel_together_in_as_few_payloads_as_postgresql_takes() -> None:
    topics = [f"place:{uuid.UUID(int=1)}:{uuid.UUID(int=number)}" for number in range(1000)]
    made = list(payloads(topics))
    assert "\n".join(made).split("\n") == topics
    assert max(len(payload.encode()) for payload in made) < 8000
    assert len(made) == 11
    assert list(payloads([])) == []


async def test_many_topics_reach_another_process_and_none_comes_back(shared_postgres_url: str) -> None:
    url, near, far = make_url(shared_postgres_url), list[str](), list[str]()
    ready = [asyncio.Event(), asyncio.Event()]
    topics = [f"place:{uuid.uuid4()}:{number}" for number in range(300)]
    async with (
        PostgresWakeups(url, lambda: None, near.append, ready[0].set) as telling,
        PostgresWakeups(url, lambda: None, far.append, ready[1].set),
    ):
        await until(lambda: all(event.is_set() for event in ready), what="both are connected, and look at everything")
        for topic in topics:
            telling.announce(topic)
        await until(lambda: set(topics) <= set(far), what="the other has heard of all")
    assert near == topics


async def test_what_runs_survives_that_the_database_went_away(
    postgres_url: str, migrated_postgres: PrivatePostgres
) -> None:
    heard: list[str] = []
    async with two_processes(postgres_url, heard) as api:
        scope = await add_organization(api)
        await open_window(api, scope, "before")
        await until(lambda: "before" in heard, what="all is well")
        name = make_url(postgres_url).database
        hang_up = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"  # noqa: S608
        await migrated_postgres.execute(hang_up)
        fresh = Database(postgres_url)
        await open_window(fresh, scope, "meanwhile")
        await fresh.close()
        await until(lambda: "meanwhile" in heard, what="the worker looks again when it is connected again")
