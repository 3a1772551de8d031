"""A database for all tests that live well beside others: each founds its own organisations in it.

Passwords are hashed at a price that tests can pay; what production pays is held by `identity/test_passwords.py`.
"""

import asyncio
import itertools
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

import pytest
from fastapi import FastAPI
from pwdlib.hashers.argon2 import Argon2Hasher

from cloud_api.identity import passwords
from cloud_api.kernel.db import Database
from cloud_api.kernel.settings import Settings
from tests.conftest import PASSWORD, SCHEME, TEMPLATE
from tests.platform_under_test import Platform, application, database_on, drop_events, settings_for_tests
from tests.services.postgres import PrivatePostgres

_numbers = itertools.count(1)

#: a hash for a hundredth of a millisecond
CHEAP = Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1)
passwords.use(CHEAP)


@pytest.fixture(scope="session")
def shared_sqlite_url(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """SQLite, with whatever other tests left in it."""
    path = tmp_path_factory.mktemp("shared") / "cloud.db"
    shutil.copy(migrated_sqlite, path)
    return f"sqlite+aiosqlite:///{path}"


@pytest.fixture(scope="session")
def shared_postgres_url(migrated_postgres: PrivatePostgres) -> str:
    """PostgreSQL as the application's role sees it, with whatever other tests left in it."""
    name = f"shared_{next(_numbers)}"
    asyncio.run(migrated_postgres.create_database(name, template=TEMPLATE))
    return migrated_postgres.url(name, user="coldfleet_app", password=PASSWORD, scheme=SCHEME)


@pytest.fixture(params=["sqlite", "postgres"])
def shared_database_url(request: pytest.FixtureRequest) -> str:
    """Each engine: the test runs twice."""
    url: str = request.getfixturevalue(f"shared_{request.param}_url")
    return url


@pytest.fixture
async def shared_database(shared_database_url: str) -> AsyncIterator[Database]:
    """The kernel's database."""
    opened = database_on(shared_database_url)
    yield opened
    await opened.close()


@cache
def settings_on(url: str) -> Settings:
    """As tests have them: to read them from the environment takes longer than many a test."""
    return settings_for_tests(database_url=url)


@cache
def app_on(url: str) -> FastAPI:
    """The application: it keeps nothing but its database."""
    return application(settings_on(url))


@asynccontextmanager
async def open_shared_platform(url: str) -> AsyncIterator[Platform]:
    """As `open_platform`, with an application that other tests have used."""
    app = app_on(url)
    app.state.settings = settings_on(url).model_copy()
    app.state.database = database_on(url)
    platform = Platform(app, app.state.database, app.state.settings)
    try:
        await platform.found()
        yield platform
    finally:
        for tenant in platform.tenants:
            await tenant.client.aclose()
        await drop_events(platform.database)
        await platform.database.close()


@pytest.fixture
async def shared_platform(shared_database_url: str) -> AsyncIterator[Platform]:
    """The whole platform, with an organisation of this test's own in it."""
    async with open_shared_platform(shared_database_url) as opened:
        yield opened


@pytest.fixture
async def sqlite_platform(shared_sqlite_url: str) -> AsyncIterator[Platform]:
    """The platform for what ends before it reaches a database: one engine is enough."""
    async with open_shared_platform(shared_sqlite_url) as opened:
        yield opened
