"""A sensor of a test's own, and the double of InfluxDB."""

import os
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from cloud_api.kernel.db import Database
from cloud_api.telemetry.stores.influx import InfluxStore, Server
from device_sims.influx.server import InfluxDouble
from tests.cloud_api.kernel.rows import add_organization
from tests.factories.streams import Stream, make_stream

#: needs Node, and a package of npm
collect_ignore = [] if "TEST_FLUX_LSP" in os.environ else ["test_flux_analysed.py"]


@pytest.fixture(scope="session")
def influx() -> Iterator[InfluxDouble]:
    """The double of InfluxDB."""
    with InfluxDouble() as double:
        yield double


def server_of(double: InfluxDouble) -> Server:
    """How to reach it."""
    return Server(double.url, double.token, double.organization, double.bucket)


@pytest_asyncio.fixture(loop_scope="session")
async def influx_store(influx: InfluxDouble) -> AsyncIterator[InfluxStore]:
    """A store on the double."""
    store = InfluxStore(server_of(influx))
    yield store
    await store.close()


@pytest_asyncio.fixture(loop_scope="session")
async def stream(ground: Database) -> Stream:
    """A sensor of an organisation of this test's own."""
    return await make_stream(ground, await add_organization(ground))
