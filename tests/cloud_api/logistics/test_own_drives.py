"""A driver sees the routes driven by themselves, their deliveries, and nobody else's: listed, tracked or watched."""

from dataclasses import dataclass
from typing import Any

from tests.cloud_api.realtime.sockets import connected_to
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.orders import hire_driver, make_drive
from tests.factories.scopes import asked, heard_by, id_of, make_keeper
from tests.platform_under_test import Platform, Tenant

pytestmark = IN_ONE_LOOP

ROUTES = "/api/v1/warehouse/routes"
DELIVERIES = "/api/v1/warehouse/deliveries"
MOBILE = "/api/v1/mobile"


@dataclass(frozen=True)
class Day:
    """A driver with a planned route."""

    driver: Tenant
    warehouse_id: str
    route: Any

    @property
    def stops(self) -> list[str]:
        return [stop["id"] for stop in self.route["deliveries"]]


async def make_day(farm: Platform, *, doors: int = 1) -> Day:
    driver = await hire_driver(farm, farm.tenant)
    drive = await make_drive(farm, doors=doors, tenant=farm.tenant, driver=driver)
    return Day(drive.driver, drive.warehouse_id, await drive.driver.get(f"{MOBILE}/routes/current"))


def token_of(person: Tenant) -> str:
    return person.client.headers["Authorization"].removeprefix("Bearer ")


async def test_a_driver_lists_own_routes_and_deliveries_only(farm: Platform) -> None:
    own, other = await make_day(farm, doors=2), await make_day(farm)
    assert [row["id"] for row in await own.driver.get(ROUTES)] == [own.route["id"]]
    assert {row["id"] for row in await own.driver.get(DELIVERIES)} == set(own.stops)
    order_id = other.route["deliveries"][0]["order_id"]
    assert await own.driver.get(DELIVERIES, order_id=order_id) == []
    assert await own.driver.get(ROUTES, planning_job_id=other.route["planning_job_id"]) == []
    assert len(await farm.tenant.get(ROUTES)) == 2
    assert len(await farm.tenant.get(DELIVERIES)) == 3


async def test_another_drivers_route_and_delivery_are_not_there(farm: Platform) -> None:
    own, other = await make_day(farm), await make_day(farm)
    for day, status in ((own, 200), (other, 404)):
        for path in (
            f"{ROUTES}/{day.route['id']}",
            f"{DELIVERIES}/tracking/{day.route['id']}",
            f"{MOBILE}/deliveries/{day.stops[0]}",
            f"{MOBILE}/routes/{day.route['id']}/orders",
        ):
            assert (await heard_by(own.driver, "GET", path))[0] == status, path


async def test_another_drivers_route_is_not_to_be_watched(farm: Platform) -> None:
    own, other = await make_day(farm), await make_day(farm)
    async with connected_to(farm.app, f"/ws/tracking/{other.route['id']}", token=token_of(own.driver)) as socket:
        assert (await socket.heard())["type"] == "websocket.accept"
        assert (await socket.closed())[0] == 4404
    async with connected_to(farm.app, f"/ws/tracking/{own.route['id']}", token=token_of(own.driver)) as socket:
        assert (await socket.heard())["type"] == "websocket.accept"
        assert (await socket.state())[0]["id"] == own.route["id"]


async def test_what_one_drives_is_ones_own_whatever_warehouse_it_leaves(farm: Platform) -> None:
    """Confined or not: the phone and the office show a driver the same."""
    own, other = await make_day(farm), await make_day(farm)
    path = f"/api/v1/admin/users/{await id_of(own.driver)}/warehouses"
    await farm.tenant.put(path, {"warehouse_ids": [other.warehouse_id]})
    assert [row["id"] for row in await own.driver.get(ROUTES)] == [own.route["id"]]
    assert (await own.driver.get(f"{MOBILE}/routes/current"))["id"] == own.route["id"]
    dispatcher = await make_keeper(farm, other.warehouse_id, role="logistics_manager")
    assert [row["id"] for row in await dispatcher.get(ROUTES)] == [other.route["id"]]


async def test_a_drivers_lists_ask_the_database_as_often_for_many_stops_as_for_one(farm: Platform) -> None:
    short, long = await make_day(farm), await make_day(farm, doors=4)

    async def counted(day: Day) -> list[int]:
        lists = (ROUTES, DELIVERIES, f"{MOBILE}/deliveries/assigned", f"{MOBILE}/routes/{day.route['id']}/orders")
        return [await asked(farm, day.driver, path) for path in lists]

    assert await counted(short) == await counted(long)
    assert max(await counted(long)) <= 6
