"""What devices say of themselves reaches people as alerts."""

from datetime import UTC, datetime
from typing import Any

from cloud_api.devices.sensors.calibrations import tell_due_calibrations
from cloud_api.kernel import clock
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.stores import ColdStore
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP


async def alerts(store: ColdStore) -> list[Any]:
    return [(row["alert_type"], row["status"], row["title"]) for row in await store.tenant.get("/api/v1/alerts")]


async def test_a_calibration_that_is_due_is_an_alert_until_it_is_done(farm: Platform, store: ColdStore) -> None:
    now = datetime(2026, 2, 12, 9, tzinfo=UTC)
    clock.use(lambda: now)
    calibrations = f"/api/v1/edge/sensors/{store.sensor_id}/calibrations"
    await store.tenant.post(calibrations, {"offset": 0.1, "due_on": "2026-02-11"})
    await tell_due_calibrations(farm.database, now)
    await farm.deliver()
    [(kind, status, title)] = await alerts(store)
    assert (kind, status) == ("calibration_due", "open")
    assert "calibration is due" in title
    now = datetime(2026, 2, 12, 10, tzinfo=UTC)
    await store.tenant.post(calibrations, {"offset": 0.2, "due_on": "2027-02-11"})
    await farm.deliver()
    assert await alerts(store) == []


async def test_a_configuration_that_a_gateway_refuses_is_an_alert(farm: Platform, store: ColdStore) -> None:
    gateway = farm.client(store.gateway_token)
    ack = {"version": 1, "state": "rolled_back", "recorded_at_ms": clock.now_ms(), "reason": "no uplink since"}
    answer = await gateway.post(f"/api/v1/edge/gateways/{store.gateway_id}/config/ack", json=ack)
    assert answer.is_success, answer.text
    await farm.deliver()
    [(kind, status, title)] = await alerts(store)
    assert (kind, status) == ("system", "open")
    assert "went back from its configuration" in title
