"""InfluxDB 2 as a store: what it refuses keeps the gateway's rows where they are, and nobody reads others' points."""

import pytest
from influxdb_client.client.influxdb_client_async import InfluxDBClientAsync
from sqlalchemy import select

from cloud_api.kernel.db import Database
from cloud_api.kernel.errors import Unavailable
from cloud_api.kernel.tenancy import SystemScope, TenancyViolation
from cloud_api.telemetry.models import SensorSeries
from cloud_api.telemetry.stores.influx import InfluxStore, Server
from device_sims.influx.server import InfluxDouble
from tests.cloud_api.kernel.rows import add_organization
from tests.cloud_api.telemetry.stores.conftest import server_of
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.streams import SEQUENCES, Stream, make_stream, new_readings, readings_of, rows_of

pytestmark = IN_ONE_LOOP

BEGIN_MS = 1_769_846_400_000
SOME = readings_of([BEGIN_MS, BEGIN_MS + 60_000], [4.0, 5.5])


@pytest.fixture(scope="session")
def ground_url(shared_sqlite_url: str) -> str:
    """What is not in InfluxDB lies in any database."""
    return shared_sqlite_url


async def test_readings_of_one_moment_stay_apart_however_far_their_sequences_are(
    influx_store: InfluxStore, stream: Stream
) -> None:
    expected = readings_of([BEGIN_MS] * 4, [1.0, 2.0, 3.0, 4.0])
    expected.sequences[:] = [SEQUENCES + 7, SEQUENCES + 1_000_007, SEQUENCES + 2_000_006, 2 * SEQUENCES - 1]
    await stream.append(influx_store, expected)
    assert rows_of(await stream.read(influx_store)) == rows_of(expected)


@pytest.mark.parametrize(("status", "told", "expected"), [(503, 17, 17), (429, 3, 3), (500, 0, 5)])
async def test_a_store_that_does_not_take_them_is_unavailable_and_nothing_is_committed(
    influx: InfluxDouble, influx_store: InfluxStore, stream: Stream, status: int, told: int, expected: int
) -> None:
    async def store() -> None:
        async with stream.database.unit_of_work(stream.scope) as db:
            series = (await db.scalars(select(SensorSeries).where(SensorSeries.number == stream.number))).one()
            series.last_value = 5.5
            await influx_store.append(db, new_readings(stream.number, SOME))

    influx.fail_next(1, status, retry_after_s=told)
    with pytest.raises(Unavailable) as refusal:
        await store()
    assert refusal.value.headers == {"Retry-After": str(expected)}
    async with stream.database.unit_of_work(stream.scope, read_only=True) as db:
        series = (await db.scalars(select(SensorSeries).where(SensorSeries.number == stream.number))).one()
        assert series.last_value is None
    await stream.append(influx_store, SOME)
    assert rows_of(await stream.read(influx_store)) == rows_of(SOME)


async def test_points_whose_answer_was_lost_are_overwritten_when_they_come_again(
    influx: InfluxDouble, influx_store: InfluxStore, stream: Stream
) -> None:
    before = influx.points()
    influx.fail_next(1, 503, after_storing=True)
    with pytest.raises(Unavailable):
        await stream.append(influx_store, SOME)
    assert influx.points() == before + 4
    await stream.append(influx_store, SOME)
    assert influx.points() == before + 4
    assert rows_of(await stream.read(influx_store)) == rows_of(SOME)


async def test_a_query_that_fails_is_an_answer_too(
    influx: InfluxDouble, influx_store: InfluxStore, stream: Stream
) -> None:
    await stream.append(influx_store, SOME)
    influx.fail_next(1, 503, retry_after_s=2)
    with pytest.raises(Unavailable):
        await stream.read(influx_store)
    assert len(await stream.read(influx_store)) == 2


@pytest.mark.parametrize("wrong", ["token", "organization", "bucket", "url"])
async def test_a_server_that_was_told_wrong_is_unavailable(influx: InfluxDouble, stream: Stream, wrong: str) -> None:
    right = server_of(influx)
    given = {name: getattr(right, name) for name in Server.__slots__}
    given[wrong] = "http://127.0.0.1:9" if wrong == "url" else "other"
    store = InfluxStore(Server(**given))
    try:
        with pytest.raises(Unavailable):
            await stream.append(store, SOME)
        with pytest.raises(Unavailable):
            await stream.read(store)
    finally:
        await store.close()


async def test_every_query_names_the_organisation_and_only_its_own_sensors(
    influx_store: InfluxStore, stream: Stream, ground: Database
) -> None:
    stranger = await make_stream(ground, await add_organization(ground))
    await stranger.append(influx_store, SOME)
    async with ground.unit_of_work(stream.scope, read_only=True) as db:
        found = await influx_store.read_many(db, [stream.sensor_id, stranger.sensor_id], from_ms=0, to_ms=1 << 45)
    assert found == {}
    async with ground.unit_of_work(SystemScope("test"), read_only=True) as db:
        with pytest.raises(TenancyViolation):
            await influx_store.read(db, stranger.sensor_id, from_ms=0, to_ms=1 << 45)


async def test_points_of_a_lane_that_was_never_committed_are_not_shown(
    influx: InfluxDouble, influx_store: InfluxStore, stream: Stream
) -> None:
    ghost = f"readings,block=0,lane={stream.gateway_id},organisation={stream.scope.organization_id}"
    async with InfluxDBClientAsync(influx.url, token=influx.token, org=influx.organization) as client:
        line = f"{ghost},sensor={stream.sensor_id} quality=0.0,value=9.0 {BEGIN_MS * 1_000_000 + 1}"
        assert await client.write_api().write(bucket=influx.bucket, record=line)
    await stream.append(influx_store, SOME)
    assert rows_of(await stream.read(influx_store)) == rows_of(SOME)
