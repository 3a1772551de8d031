"""Whoever watches a route sees it at once, and again at each change; others see nothing."""

import asyncio
import uuid

from cloud_api.realtime.hub import topic_of
from tests.cloud_api.realtime.sockets import connected_to
from tests.factories.farms import make_farm, make_person, open_farm_alone
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.orders import Drive, hire_driver, in_this_process, make_drive
from tests.platform_under_test import Platform, Tenant

pytestmark = IN_ONE_LOOP

MOBILE = "/api/v1/mobile"


def token_of(tenant: Tenant) -> str:
    return tenant.client.headers["Authorization"].removeprefix("Bearer ")


async def drive_of(farm: Platform) -> tuple[Drive, str, str]:
    """A planned drive, its route and its stop."""
    driver = await hire_driver(farm, farm.tenant)
    drive = await make_drive(farm, doors=1, tenant=farm.tenant, driver=driver, plan=in_this_process)
    route = await drive.driver.get(f"{MOBILE}/routes/current")
    return drive, route["id"], route["deliveries"][0]["id"]


async def test_a_watcher_sees_the_route_at_once_and_each_change(database_url: str) -> None:
    async with open_farm_alone(database_url) as farm:
        drive, route_id, stop_id = await drive_of(farm)
        await farm.deliver()
        async with connected_to(farm.app, f"/ws/tracking/{route_id}", token=token_of(farm.tenant)) as socket:
            assert (await socket.heard())["type"] == "websocket.accept"
            first = await socket.message()
            assert (first["route"]["status"], first["latitude"]) == ("planned", None)
            assert first == await farm.tenant.get(f"/api/v1/warehouse/deliveries/tracking/{route_id}")
            socket.say("what a watcher says means nothing")

            await drive.driver.post(f"{MOBILE}/routes/{route_id}/start")
            await farm.deliver()
            assert (await socket.message())["route"]["status"] == "in_progress"

            at = {"recorded_at": "2026-01-31T08:00:00Z", "latitude": 12.95, "longitude": 77.6}
            assert (await drive.driver.client.post(f"{MOBILE}/deliveries/{stop_id}/location", json=at)).is_success
            await farm.deliver()
            assert (await socket.message())["latitude"] == 12.95

            await drive.driver.put(f"{MOBILE}/deliveries/{stop_id}/status", {"status": "arrived"})
            await farm.deliver()
            assert (await socket.message())["route"]["deliveries"][0]["status"] == "arrived"
        assert not farm.app.state.hub._watchers


async def test_a_change_of_another_route_wakes_nobody_here(database_url: str) -> None:
    async with open_farm_alone(database_url) as farm:
        _, route_id, _ = await drive_of(farm)
        other, other_id, _ = await drive_of(farm)
        async with connected_to(farm.app, f"/ws/tracking/{route_id}", token=token_of(farm.tenant)) as socket:
            await socket.heard()
            await socket.message()
            await other.driver.post(f"{MOBILE}/routes/{other_id}/start")
            await farm.deliver()
            farm.app.state.hub.wake(topic_of("route", farm.tenant.organization.organization_id, uuid.UUID(other_id)))
            await asyncio.sleep(0)
            assert socket.is_silent()


async def test_whoever_may_not_see_a_route_is_turned_away(farm: Platform) -> None:
    _, route_id, _ = await drive_of(farm)
    stranger = await make_farm(farm)
    buyer = await make_person(farm, farm.tenant, "supplier_manager")
    turned_away = [
        ("", route_id),
        ("nonsense", route_id),
        (token_of(stranger), route_id),
        (token_of(buyer), route_id),
        (token_of(farm.tenant), str(uuid.uuid4())),
    ]
    for token, wanted in turned_away:
        async with connected_to(farm.app, f"/ws/tracking/{wanted}", token=token) as socket:
            said = await socket.heard()
            assert (said["type"], said["code"]) == ("websocket.close", 1008)
            assert socket.is_silent()
