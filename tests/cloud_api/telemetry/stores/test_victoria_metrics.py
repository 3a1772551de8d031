"""What we write to InfluxDB is taken by another program that reads line protocol: VictoriaMetrics.

It knows no organisation, bucket or token, keeps milliseconds only, and calls the field `value` of the measurement
`readings` the metric `readings_value`.
"""

import asyncio
import json

import pytest

from cloud_api.telemetry.stores.influx import InfluxStore, Server
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.streams import Stream, readings_of
from tests.services.victoria_metrics import PrivateVictoriaMetrics, victoria_metrics

__all__ = ["victoria_metrics"]

pytestmark = IN_ONE_LOOP

BEGIN_MS = 1_769_846_400_000


@pytest.fixture(scope="session")
def ground_url(shared_sqlite_url: str) -> str:
    """What is not in the store lies in any database."""
    return shared_sqlite_url


async def test_points_arrive_with_their_tags_times_and_values(
    victoria_metrics: PrivateVictoriaMetrics, stream: Stream
) -> None:
    values = [4.25, -18.0, 0.0, 21.37, 1e-3]
    written = readings_of([BEGIN_MS + 60_000 * index for index in range(5)], values, qualities=[0, 1, 2, 0, 0])
    store = InfluxStore(Server(victoria_metrics.url, "any", "any", "any"))
    try:
        for _ in range(2):
            await stream.append(store, written)
    finally:
        await store.close()
    lines = (await asyncio.to_thread(victoria_metrics.exported, "readings_value")).splitlines()
    [found] = [
        row for row in map(json.loads, lines) if row["metric"]["organisation"] == str(stream.scope.organization_id)
    ]
    assert (found["metric"]["sensor"], found["metric"]["block"]) == (str(stream.sensor_id), "0")
    pairs = [*zip(found["timestamps"], found["values"], strict=True)]
    # written twice: it keeps both, InfluxDB one
    assert sorted(set(pairs)) == [*zip(written.times_ms.tolist(), values, strict=True)]
    assert set(map(pairs.count, pairs)) == {2}
