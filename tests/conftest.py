"""What every test may ask for: a database of its own on either engine, and the platform on it."""

import asyncio
import gc
import itertools
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from cloud_api.kernel import clock, logs, vault
from cloud_api.kernel.db import Database
from cloud_api.kernel.settings import DEVELOPMENT_SECRET
from cloud_api.kernel.vault import Vault
from cloud_api.migrations.migrate import upgrade
from tests.platform_under_test import Platform, open_platform
from tests.services.postgres import PrivatePostgres
from tests.services.waiting import let_the_day_turn

pytest_plugins = ["tests.services.fixtures"]

ROLES = Path(__file__).parents[1] / "deploy" / "postgres" / "roles.sql"
PASSWORD = "only-for-tests"
TEMPLATE = "migrated"
SCHEME = "postgresql+asyncpg"
_numbers = itertools.count(1)

logs.configure(level="warning", for_people=True)
vault.use(Vault([DEVELOPMENT_SECRET]))
# how long an example takes is the machine's matter, and no property
settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")


def pytest_collection() -> None:
    """What is loaded stays: no garbage is looked for in it, now or later."""
    gc.disable()


def pytest_collection_finish() -> None:
    """From here on there is garbage, looked for as seldom as in the platform's own processes."""
    gc.freeze()
    gc.set_threshold(5_000, 10, 20)
    gc.enable()


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite database: copied, never used itself."""
    path = tmp_path_factory.mktemp("sqlite") / "migrated.db"
    upgrade(f"sqlite+aiosqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: PrivatePostgres) -> PrivatePostgres:
    """A PostgreSQL with the deployment's roles and a migrated template database."""

    async def prepare() -> None:
        statements = "\n".join(line for line in ROLES.read_text().splitlines() if not line.startswith("--"))
        for name in ("owner_password", "app_password"):
            statements = statements.replace(f":{name}", f"'{PASSWORD}'")
        await postgres_server.execute(statements)
        await postgres_server.create_database(TEMPLATE)
        await postgres_server.execute(f"ALTER DATABASE {TEMPLATE} OWNER TO coldfleet_owner")

    asyncio.run(prepare())
    upgrade(postgres_server.url(TEMPLATE, user="coldfleet_owner", password=PASSWORD, scheme=SCHEME))
    return postgres_server


@pytest.fixture
async def sqlite_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    """An empty database on SQLite."""
    shutil.copy(migrated_sqlite, tmp_path / "cloud.db")
    return f"sqlite+aiosqlite:///{tmp_path / 'cloud.db'}"


@pytest.fixture
async def postgres_url(migrated_postgres: PrivatePostgres) -> AsyncIterator[str]:
    """An empty database on PostgreSQL, as the application's role sees it."""
    name = f"test_{next(_numbers)}"
    await migrated_postgres.create_database(name, template=TEMPLATE)
    yield migrated_postgres.url(name, user="coldfleet_app", password=PASSWORD, scheme=SCHEME)
    await migrated_postgres.drop_database(name)


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """An empty database on each engine: the test runs twice."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """The kernel's database."""
    opened = Database(database_url)
    yield opened
    await opened.close()


@pytest.fixture
async def platform(database_url: str) -> AsyncIterator[Platform]:
    """The whole platform, with an organisation in it; its events are delivered when the test says so."""
    async with open_platform(database_url) as opened:
        yield opened


@pytest.fixture(autouse=True)
def machine_clock() -> Iterator[None]:
    """Whatever clock a test puts in place goes with it. What a test calls today is one day."""
    let_the_day_turn()
    yield
    clock.use(None)
