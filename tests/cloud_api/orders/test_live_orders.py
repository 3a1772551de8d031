"""Whoever watches the day's orders sees each of them change, and how its delivery stands."""

from tests.cloud_api.realtime.sockets import Socket, refused, shown, token_of
from tests.factories.farms import make_farm, make_person
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.orders import day_in, hire_driver, make_depot, make_drive, order_from
from tests.factories.scopes import make_buyer, make_keeper
from tests.factories.stores import make_warehouse
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

ORDERS = "/api/v1/orders"


def path() -> str:
    """Tomorrow's orders."""
    return f"/ws/orders?day={day_in(1)}"


async def until_shown(socket: Socket, *, order: str, delivery: str) -> None:
    """Wait for the only order to be shown so; what is read while something is committed may be followed by the rest."""
    shown_now = None
    while shown_now != (order, delivery):
        (after,), _ = await socket.change()
        shown_now = after["status"], after["delivery"]["status"]


async def test_a_watcher_sees_the_orders_of_a_day_and_each_change(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    order = await order_from(depot)
    await order_from(depot, delivery_date=day_in(2))
    async with shown(farm.app, path(), by=farm.tenant) as socket:
        (there,) = await socket.state()
        assert there == {
            "id": order["id"],
            "number": order["number"],
            "customer_name": order["customer_name"],
            "warehouse_id": depot.warehouse_id,
            "delivery_date": day_in(1),
            "window_from": "08:00:00",
            "window_until": "20:00:00",
            "status": "pending",
            "payment_method": "account",
            "payment_status": "pending",
            "total_minor": 17000,
            "version": 1,
            "delivery": None,
        }
        await farm.tenant.post(f"{ORDERS}/{order['id']}/confirm")
        assert await socket.change() == ([there | {"status": "confirmed"}], [])
        new = await order_from(depot)
        (shown_now,), gone = await socket.change()
        assert (shown_now["id"], gone) == (new["id"], [])


async def test_a_planned_delivery_is_shown_with_its_arrival(farm: Platform) -> None:
    driver = await hire_driver(farm, farm.tenant)
    drive = await make_drive(farm, doors=1, driver=driver)
    [delivery] = await farm.tenant.get("/api/v1/warehouse/deliveries", order_id=drive.order_ids[0])
    async with shown(farm.app, path(), by=farm.tenant) as socket:
        (there,) = await socket.state()
        assert (there["status"], there["delivery"]["id"]) == ("packed", delivery["id"])
        assert there["delivery"]["status"] == "assigned"
        await drive.driver.post(f"/api/v1/mobile/routes/{delivery['route_id']}/start")
        await until_shown(socket, order="out_for_delivery", delivery="out_for_delivery")
        arrived = {"status": "arrived"}
        await drive.driver.put(f"/api/v1/mobile/deliveries/{delivery['id']}/status", arrived)
        await until_shown(socket, order="out_for_delivery", delivery="arrived")


async def test_customers_see_their_own_and_keepers_their_warehouses(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    order = await order_from(depot)
    _, buyer = await make_buyer(farm, customer_id=order["customer_id"])
    _, neighbour = await make_buyer(farm)
    keeper = await make_keeper(farm, await make_warehouse(farm.tenant), role="logistics_manager")
    stranger = await make_farm(farm)
    for person, expected in ((buyer, [order["id"]]), (neighbour, []), (keeper, []), (stranger, [])):
        async with shown(farm.app, path(), by=person) as socket:
            assert [one["id"] for one in await socket.state()] == expected


async def test_whoever_may_not_look_is_told_why(farm: Platform) -> None:
    driver = await make_person(farm, farm.tenant, "supplier_manager")
    assert await refused(farm.app, path(), token=token_of(driver)) == (4403, "this needs the permission orders:read")
    assert (await refused(farm.app, path(), token=None))[0] == 4401
    code, reason = await refused(farm.app, "/ws/orders?day=tomorrow", token=token_of(farm.tenant))
    assert (code, "name a day" in reason) == (4422, True)
