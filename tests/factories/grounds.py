"""Fixtures of the rooms' tests: an organisation for each test, in the database that all share.

The tests of a module run in one event loop, so that the database is opened once for all of them. A test that delivers
events has a database alone: its outbox is nobody else's.
"""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from cloud_api.kernel.db import Database
from tests.factories.farms import open_farm, plant_store
from tests.factories.stores import ColdStore
from tests.platform_under_test import Platform

#: the `pytestmark` of a module whose tests use these fixtures
IN_ONE_LOOP = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def ground_url(request: pytest.FixtureRequest) -> str:
    """The shared database of each engine: the test runs twice."""
    url: str = request.getfixturevalue(f"shared_{request.param}_url")
    return url


@pytest.fixture(scope="session", params=["sqlite", pytest.param("postgres", marks=pytest.mark.long)])
def mostly_embedded_url(request: pytest.FixtureRequest) -> str:
    """The same, as `ground_url` of rooms whose statements are none that another room does not use as well.

    On PostgreSQL their stories are told by `make test-long`; who may see and do what is tried on both every time
    (tests/architecture), and so is whatever locks.
    """
    url: str = request.getfixturevalue(f"shared_{request.param}_url")
    return url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.long)])
def mostly_embedded_database_url(request: pytest.FixtureRequest) -> str:
    """The same, as `shared_database_url` of such rooms."""
    url: str = request.getfixturevalue(f"shared_{request.param}_url")
    return url


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def ground(ground_url: str) -> AsyncIterator[Database]:
    """That database, opened."""
    database = Database(ground_url)
    yield database
    await database.close()


@pytest_asyncio.fixture(loop_scope="session")
async def farm(ground: Database) -> AsyncIterator[Platform]:
    """The platform with an organisation of this test's own."""
    async with open_farm(ground) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def store(farm: Platform) -> ColdStore:
    """A cold store of this test's own."""
    return await plant_store(farm)
