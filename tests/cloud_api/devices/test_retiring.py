"""A retired sensor is judged by nobody, keeps what it measured, and may come back."""

import pytest

from tests.factories.batches import EIGHT_OCLOCK_MS, make_series, send, stored_rows
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.stores import ColdStore, make_cold_store, make_rule
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP


async def test_a_retired_sensor_is_stored_and_not_judged(farm: Platform, store: ColdStore) -> None:
    await make_rule(store, duration_s=0)
    await send(farm, store, make_series([4.0]))
    for _ in range(2):
        assert (await store.tenant.client.delete(f"/api/v1/edge/sensors/{store.sensor_id}")).status_code == 204
    await send(farm, store, make_series([20.0], first_sequence=2, start_ms=EIGHT_OCLOCK_MS + 60_000))
    assert await store.tenant.get("/api/v1/excursions") == []
    assert await store.tenant.get("/api/v1/telemetry/readings/latest") == []
    assert [value for _, _, value in await stored_rows(farm, store)] == [4.0, 20.0]
    back = await store.tenant.put(f"/api/v1/edge/sensors/{store.sensor_id}", {"status": "active"})
    assert (back["status"], back["location_id"]) == ("active", store.room_id)
    await send(farm, store, make_series([21.0], first_sequence=3, start_ms=EIGHT_OCLOCK_MS + 120_000))
    assert len(await store.tenant.get("/api/v1/excursions")) == 1


@pytest.mark.asyncio(loop_scope="function")
async def test_the_gateway_of_a_retired_sensor_judges_it_no_more(platform: Platform) -> None:
    store = await make_cold_store(platform)
    await make_rule(store)
    path = f"/api/v1/edge/gateways/{store.gateway_id}/config"
    assert len((await store.tenant.get(path))["limits"]) == 1
    await store.tenant.client.delete(f"/api/v1/edge/sensors/{store.sensor_id}")
    await platform.deliver()
    assert (await store.tenant.get(path))["limits"] == []
