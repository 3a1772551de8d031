"""Whoever watches a route sees it at once, and again at each change; others see nothing."""

import json
import uuid
from contextlib import AsyncExitStack
from typing import Any

from sqlalchemy import update

from cloud_api.kernel import clock
from cloud_api.kernel.metrics import LIVE_READINGS
from cloud_api.logistics.deliveries.models import Route
from cloud_api.realtime.hub import topic_of
from tests.cloud_api.realtime.sockets import Socket, refused, shown, token_of
from tests.factories.farms import make_farm, make_person, open_farm_alone
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.orders import Drive, hire_driver, make_drive
from tests.factories.scopes import id_of
from tests.platform_under_test import Platform
from tests.services.waiting import until

pytestmark = IN_ONE_LOOP

MOBILE = "/api/v1/mobile"


async def drive_of(farm: Platform) -> tuple[Drive, str, str]:
    """A planned drive, its route and its stop."""
    driver = await hire_driver(farm, farm.tenant)
    drive = await make_drive(farm, doors=1, tenant=farm.tenant, driver=driver)
    route = await drive.driver.get(f"{MOBILE}/routes/current")
    return drive, route["id"], route["deliveries"][0]["id"]


async def test_a_watcher_sees_the_route_at_once_and_each_change(database_url: str) -> None:
    async with open_farm_alone(database_url) as farm:
        drive, route_id, stop_id = await drive_of(farm)
        await farm.deliver()
        async with shown(farm.app, f"/ws/tracking/{route_id}", by=farm.tenant) as socket:
            route, stop = await socket.state()
            assert (route["kind"], route["id"], route["status"], route["latitude"]) == (
                "route",
                route_id,
                "planned",
                None,
            )
            assert (stop["kind"], stop["id"], stop["status"], stop["stops_before"]) == ("stop", stop_id, "assigned", 0)
            assert stop["p50_at"] < stop["p90_at"]

            await drive.driver.post(f"{MOBILE}/routes/{route_id}/start")
            await farm.deliver()
            items = await until_changed(socket, route_id, stop_id)
            assert (items[route_id]["status"], items[stop_id]["status"]) == ("in_progress", "out_for_delivery")

            at = {"recorded_at": clock.now().isoformat(), "latitude": 12.95, "longitude": 77.6}
            assert (await drive.driver.client.post(f"{MOBILE}/deliveries/{stop_id}/location", json=at)).is_success
            assert (await until_changed(socket, route_id))[route_id]["latitude"] == 12.95

            await drive.driver.put(f"{MOBILE}/deliveries/{stop_id}/status", {"status": "arrived"})
            await farm.deliver()
            arrived = (await until_changed(socket, stop_id))[stop_id]
            assert (arrived["status"], arrived["p50_at"]) == ("arrived", None)
        assert not farm.app.state.hub._watchers


async def until_changed(socket: Socket, *ids: str) -> dict[str, Any]:
    """What is shown of these things, once each of them has changed."""
    seen: dict[str, Any] = {}
    while not set(ids) <= seen.keys():
        items, gone = await socket.change()
        assert gone == []
        seen |= {item["id"]: item for item in items}
    return seen


async def test_however_many_watch_a_route_it_is_read_once(database_url: str) -> None:
    async with open_farm_alone(database_url) as farm:
        drive, route_id, stop_id = await drive_of(farm)
        await farm.deliver()
        path, before = f"/ws/tracking/{route_id}", readings()
        async with AsyncExitStack() as stack:
            sockets = [await stack.enter_async_context(shown(farm.app, path, by=farm.tenant)) for _ in range(5)]
            for socket in sockets:
                await socket.state()
            read = await read_twice_since(before)
            at = {"recorded_at": clock.now().isoformat(), "latitude": 12.95, "longitude": 77.6}
            await drive.driver.client.post(f"{MOBILE}/deliveries/{stop_id}/location", json=at)
            for socket in sockets:
                assert (await until_changed(socket, route_id))[route_id]["latitude"] == 12.95
            assert readings() - read == 1


async def test_a_flood_of_what_a_watcher_says_changes_nothing_and_wakes_nobody(database_url: str) -> None:
    async with open_farm_alone(database_url) as farm:
        drive, route_id, stop_id = await drive_of(farm)
        await farm.deliver()
        before = readings()
        async with shown(farm.app, f"/ws/tracking/{route_id}", by=farm.tenant) as socket:
            await socket.state()
            read = await read_twice_since(before)
            for _ in range(10_000):
                socket.say('{"type":"subscribe","route_id":"*"}')
            at = {"recorded_at": clock.now().isoformat(), "latitude": 12.95, "longitude": 77.6}
            await drive.driver.client.post(f"{MOBILE}/deliveries/{stop_id}/location", json=at)
            assert (await until_changed(socket, route_id))[route_id]["latitude"] == 12.95
            assert readings() - read == 1


def readings() -> float:
    """How often a route was read for a live view."""
    return float(LIVE_READINGS.labels("RouteView")._value.get())


async def read_twice_since(before: float) -> float:
    """A view is read again once it knows what may change it: what could have happened between is not missed."""

    async def read_again() -> bool:
        return readings() >= before + 2

    await until(read_again, what="the route was read again")
    return readings()


async def test_a_change_of_another_route_wakes_nobody_here(database_url: str) -> None:
    async with open_farm_alone(database_url) as farm:
        drive, route_id, stop_id = await drive_of(farm)
        other, other_id, _ = await drive_of(farm)
        await farm.deliver()
        before = readings()
        async with shown(farm.app, f"/ws/tracking/{route_id}", by=farm.tenant) as socket:
            await socket.state()
            read = await read_twice_since(before)
            await other.driver.post(f"{MOBILE}/routes/{other_id}/start")
            await farm.deliver()
            farm.app.state.hub.wake(topic_of("route", farm.tenant.organization.organization_id, uuid.UUID(other_id)))
            at = {"recorded_at": clock.now().isoformat(), "latitude": 12.95, "longitude": 77.6}
            await drive.driver.client.post(f"{MOBILE}/deliveries/{stop_id}/location", json=at)
            assert (await until_changed(socket, route_id))[route_id]["latitude"] == 12.95
            assert readings() - read == 1


async def test_whoever_may_not_see_a_route_is_turned_away(farm: Platform) -> None:
    _, route_id, _ = await drive_of(farm)
    stranger = await make_farm(farm)
    buyer = await make_person(farm, farm.tenant, "supplier_manager")
    turned_away = [
        ("", route_id, 4401),
        ("nonsense", route_id, 4401),
        (token_of(stranger), route_id, 4404),
        (token_of(buyer), route_id, 4403),
        (token_of(farm.tenant), str(uuid.uuid4()), 4404),
        (token_of(farm.tenant), "42", 4422),
    ]
    for token, wanted, code in turned_away:
        assert (await refused(farm.app, f"/ws/tracking/{wanted}", token=token))[0] == code


async def test_of_a_route_that_is_given_away_nothing_more_is_shown_and_its_driver_is_let_go(farm: Platform) -> None:
    drive, route_id, _ = await drive_of(farm)
    hub = farm.app.state.hub
    usual, hub.look_again_s = hub.look_again_s, (0.2, 0.3)
    try:
        async with shown(farm.app, f"/ws/tracking/{route_id}", by=drive.driver) as socket:
            assert len(await socket.state()) == 2
            async with farm.database.unit_of_work(farm.tenant.organization) as db:
                its = update(Route).where(Route.id == uuid.UUID(route_id))
                await db.execute(its.values(driver_id=uuid.UUID(await id_of(farm.tenant))))
            hub.wake(topic_of("route", farm.tenant.organization.organization_id, uuid.UUID(route_id)))
            said = await socket.heard()
            if said["type"] == "websocket.send":
                assert json.loads(said["text"])["items"] == []
                said = await socket.heard()
            assert (said["type"], said["code"]) == ("websocket.close", 4404)
    finally:
        hub.look_again_s = usual
