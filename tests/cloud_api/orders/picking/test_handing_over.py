"""Orders that leave without a van: fetched, or given to a carrier; their goods leave the books with them."""

from typing import Any
from uuid import UUID

from cloud_api.orders.book import service as book
from tests.cloud_api.inventory.stock import assert_consistent, lying_in
from tests.cloud_api.orders.picking.shelves import ORDERS, Shelves, confirmed, make_shelves, pack, refused
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.orders import make_van
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP


async def packed(shelves: Shelves) -> Any:
    """An order that waits."""
    order = await confirmed(shelves)
    await pack(shelves.tenant, order)
    return order


async def test_an_order_is_fetched_at_the_counter(farm: Platform) -> None:
    shelves = await make_shelves(farm)
    order = await packed(shelves)
    assert (await refused(farm.tenant, order, "ship", {"delivered": True}))[0] == "INVALID"
    body = {"delivered": True, "recipient_name": "The cook"}
    handed = await farm.tenant.post(f"{ORDERS}/{order['id']}/ship", body)
    assert (handed["status"], handed["kind"], handed["recipient_name"]) == ("delivered", "pick_up", "The cook")
    assert (await lying_in(farm.tenant, shelves.depot.room_id))["LOT-1"] == ("6.000", "6.000", "available")
    moved = await farm.tenant.get("/api/v1/warehouse/stock/movements", location_id=shelves.depot.room_id)
    assert next((row["movement_type"], row["quantity"], row["reference"]) for row in moved) == (
        "outbound",
        "-4.000",
        f"order:{order['number']}",
    )
    assert (await refused(farm.tenant, order, "ship", body))[0] == "INVALID_TRANSITION"
    await assert_consistent(farm, shelves.store)


async def test_a_carrier_takes_it_first_and_says_later_that_it_arrived(farm: Platform) -> None:
    shelves = await make_shelves(farm)
    order = await packed(shelves)
    path = f"{ORDERS}/{order['id']}/ship"
    body = {"kind": "carrier", "carrier": "Blue Truck", "tracking_number": "BT-1"}
    left = [await farm.tenant.post(path, body) for _ in range(2)]
    assert left[0] == left[1]
    assert (left[0]["status"], left[0]["delivered_at"]) == ("out_for_delivery", None)
    assert (await farm.tenant.get(f"{ORDERS}/{order['id']}"))["lines"][0]["fulfillment_status"] == "shipped"
    there = await farm.tenant.post(path, {"delivered": True, "recipient_name": "The guard"})
    assert (there["status"], there["carrier"], there["recipient_name"]) == ("delivered", "Blue Truck", "The guard")
    assert (await lying_in(farm.tenant, shelves.depot.room_id))["LOT-1"] == ("6.000", "6.000", "available")


async def test_what_is_not_packed_or_in_a_van_is_not_handed_over(farm: Platform) -> None:
    shelves = await make_shelves(farm)
    order = await confirmed(shelves)
    assert (await refused(farm.tenant, order, "ship", {}))[0] == "INVALID_TRANSITION"
    await pack(farm.tenant, order)
    van = await make_van(farm.tenant)
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        me = UUID((await farm.tenant.get("/api/v1/auth/me"))["id"])
        await book.load_orders(
            db, [UUID(order["id"])], van_location_id=UUID(van["location_id"]), reference="route:1", user_id=me
        )
    code, message = await refused(farm.tenant, order, "ship", {"delivered": True, "recipient_name": "The cook"})
    assert (code, "driver" in message) == ("NOT_HANDED_OVER", True)


async def test_an_order_that_a_route_has_is_not_handed_over_by_anybody_else(farm: Platform) -> None:
    shelves = await make_shelves(farm)
    order = await packed(shelves)

    async def has(_db: object, order_id: UUID) -> str:
        return "RTE-2026-00001" if str(order_id) == order["id"] else ""

    before = farm.app.state.who_has_orders
    farm.app.state.who_has_orders = (*before, has)
    code, message = await refused(farm.tenant, order, "ship", {})
    farm.app.state.who_has_orders = before
    assert (code, "RTE-2026-00001 takes this order" in message) == ("ON_A_ROUTE", True)
    assert (await farm.tenant.post(f"{ORDERS}/{order['id']}/ship"))["status"] == "out_for_delivery"
