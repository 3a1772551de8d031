"""What every store promises: here of InfluxDB. Which database keeps the rest is all one.

A real InfluxDB 2 is asked too when `TEST_INFLUX_URL` names one, with the token, organisation and bucket of
`TEST_INFLUX_TOKEN`, `TEST_INFLUX_ORG` and `TEST_INFLUX_BUCKET`.
"""

import os
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from cloud_api.telemetry.stores.influx import InfluxStore, Server
from device_sims.influx.server import InfluxDouble
from tests.cloud_api.telemetry.stores.conftest import server_of
from tests.cloud_api.telemetry.stores.kept import Kept, as_they_come, twice
from tests.cloud_api.telemetry.stores.test_port import (
    test_a_period_has_its_begin_and_not_its_end,
    test_another_organisation_finds_nothing,
    test_pages_lead_through_all_of_it,
    test_several_sensors_are_read_at_once_and_each_has_its_own,
    test_the_newest_within_bounds_is_found_and_bad_ones_do_not_count,
    test_values_come_back_bit_by_bit,
    test_what_was_added_is_read_in_the_order_of_time,
    test_whatever_came_in_whatever_order_is_there_once,
)
from tests.factories.grounds import IN_ONE_LOOP

__all__ = [
    "test_a_period_has_its_begin_and_not_its_end",
    "test_another_organisation_finds_nothing",
    "test_pages_lead_through_all_of_it",
    "test_several_sensors_are_read_at_once_and_each_has_its_own",
    "test_the_newest_within_bounds_is_found_and_bad_ones_do_not_count",
    "test_values_come_back_bit_by_bit",
    "test_what_was_added_is_read_in_the_order_of_time",
    "test_whatever_came_in_whatever_order_is_there_once",
]

pytestmark = IN_ONE_LOOP

WAYS = ["influx", "influx-twice", *(["influx-real"] if "TEST_INFLUX_URL" in os.environ else [])]


@pytest.fixture(scope="session")
def ground_url(shared_sqlite_url: str) -> str:
    """One is enough."""
    return shared_sqlite_url


@pytest_asyncio.fixture(loop_scope="session", params=WAYS)
async def kept(request: pytest.FixtureRequest, influx: InfluxDouble) -> AsyncIterator[Kept]:
    """Each way in turn."""
    server = server_of(influx)
    if request.param == "influx-real":
        server = Server(*(os.environ[f"TEST_INFLUX_{name}"] for name in ("URL", "TOKEN", "ORG", "BUCKET")))
    store = InfluxStore(server)
    yield Kept(request.param, store, twice if request.param == "influx-twice" else as_they_come)
    await store.close()
