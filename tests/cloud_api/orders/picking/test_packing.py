"""What is in the box, to the gram: weighed, priced by it, and never a lot that may not leave."""

from typing import Any

import pytest

from tests.cloud_api.inventory.sightings.tagged import make_scale, send, weighing
from tests.cloud_api.inventory.stock import assert_consistent, hold, lying_in
from tests.cloud_api.orders.picking.shelves import (
    ORDERS,
    confirmed,
    did,
    make_shelves,
    pack,
    pick,
    promised,
    refused,
    set_up,
    took,
)
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.orders import Depot, day_in, order_from, receive_lot
from tests.factories.stores import ColdStore, make_product
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP


def weighed(order: Any, quantity: str, **fields: Any) -> dict[str, Any]:
    """What is in the box of an order's first line."""
    return {"lines": [{"line_id": order["lines"][0]["id"], "quantity": quantity, **fields}]}


async def test_an_order_costs_what_is_in_the_box_to_the_gram(farm: Platform) -> None:
    shelves = await make_shelves(farm)
    order = await confirmed(shelves)
    packed = await pack(farm.tenant, order, **weighed(order, "4.137"), boxes=2, packed_weight_g=4_890)
    line = packed["lines"][0]
    assert (line["quantity"], line["packed_quantity"], line["fulfillment_status"]) == ("4.000", "4.137", "packed")
    assert (packed["total_minor"], packed["boxes"], packed["packed_weight_g"]) == (17582, 2, 4_890)
    assert promised(packed) == {"LOT-1": "4.137"}
    assert (await lying_in(farm.tenant, shelves.depot.room_id))["LOT-1"] == ("10.000", "5.863", "available")
    await assert_consistent(farm, shelves.store)


@pytest.mark.parametrize("quantity", ["3.799", "4.201"])
async def test_what_differs_too_much_names_the_line_what_was_promised_and_what_was_weighed(
    farm: Platform, quantity: str
) -> None:
    shelves = await make_shelves(farm)
    order = await confirmed(shelves)
    code, message = await refused(farm.tenant, order, "pack", weighed(order, quantity))
    assert code == "WEIGHT_OUT_OF_TOLERANCE"
    assert f"SPINACH-{message.split('SPINACH-')[1].split()[0]} 4.000 were ordered" in message
    assert f"{quantity} are in the box: put 3.800 to 4.200" in message


async def test_the_tolerance_is_the_organisations(farm: Platform) -> None:
    await set_up(farm.tenant, orders__pack_tolerance_percent=0)
    shelves = await make_shelves(farm)
    order = await confirmed(shelves)
    assert (await refused(farm.tenant, order, "pack", weighed(order, "4.001")))[0] == "WEIGHT_OUT_OF_TOLERANCE"
    assert (await pack(farm.tenant, order, **weighed(order, "4")))["total_minor"] == 17000


async def test_more_than_the_lot_has_is_not_in_the_box(farm: Platform) -> None:
    shelves = await make_shelves(farm, first="4.100")
    order = await confirmed(shelves)
    code, message = await refused(farm.tenant, order, "pack", weighed(order, "4.150"))
    assert (code, "0.100 are free" in message) == ("NOT_ENOUGH_STOCK", True)


async def test_of_several_lots_each_may_be_weighed_or_all_together(farm: Platform) -> None:
    shelves = await make_shelves(farm, first="3")
    one, other = await confirmed(shelves, "5"), await confirmed(shelves, "5")
    assert promised(await pack(farm.tenant, one, **weighed(one, "4.900"))) == {"LOT-1": "3.000", "LOT-2": "1.900"}
    assert promised(other) == {"LOT-2": "5.000"}
    lot = {"lot_id": shelves.second["lot_id"]}
    assert promised(await pack(farm.tenant, other, **weighed(other, "5.050", **lot))) == {"LOT-2": "5.050"}
    await assert_consistent(farm, shelves.store)


async def test_a_line_is_said_once_and_by_lots_that_are_promised(farm: Platform) -> None:
    shelves = await make_shelves(farm)
    order = await confirmed(shelves)
    [line] = weighed(order, "4")["lines"]
    lot = {**line, "lot_id": shelves.second["lot_id"]}
    for lines, code in (
        ([line, line], "INVALID"),
        ([line, lot], "INVALID"),
        ([lot], "NOT_FOUND"),
        ([{"line_id": line["line_id"]}], "INVALID"),
    ):
        assert (await refused(farm.tenant, order, "pack", {"lines": lines}))[0] == code


async def test_what_is_counted_is_in_the_box_as_promised_or_said_to_be_short(farm: Platform) -> None:
    shelves = await make_shelves(farm)
    crates = await make_product(farm.tenant, unit="crate")
    await receive_lot(farm.tenant, product_id=crates, location_id=shelves.depot.room_id, quantity="40")
    depot = Depot(farm.tenant, shelves.depot.warehouse_id, shelves.depot.room_id, crates)
    order = await farm.tenant.post(f"{ORDERS}/{(await order_from(depot, quantity='40'))['id']}/confirm")
    assert (await refused(farm.tenant, order, "pack", weighed(order, "39.500")))[0] == "WRONG_QUANTITY"
    assert (await refused(farm.tenant, order, "pack", weighed(order, "39")))[0] == "WEIGHT_OUT_OF_TOLERANCE"
    [level] = await farm.tenant.get(
        "/api/v1/warehouse/stock/levels", location_id=shelves.depot.room_id, product_id=crates
    )
    short = took(order, level["lot_id"], "39")
    short["lines"][0]["short_reason"] = "one was crushed"
    await pick(farm.tenant, order, short)
    packed = await pack(farm.tenant, order)
    assert (packed["lines"][0]["packed_quantity"], packed["total_minor"]) == ("39.000", 39 * 4250)


async def test_a_scales_weight_says_what_is_in_the_box_and_is_used_once(farm: Platform, store: ColdStore) -> None:
    await make_scale(store, tare_kg=0.0)
    await receive_lot(farm.tenant, product_id=store.product_id, location_id=store.room_id)
    depot = Depot(store.tenant, store.warehouse_id, store.room_id, store.product_id)
    taken = [await order_from(depot) for _ in range(2)]
    orders = [await farm.tenant.post(f"{ORDERS}/{order['id']}/confirm") for order in taken]
    await send(farm, store, "weights", weighing(1, 4.52, basis="gross"))
    [weight] = await farm.tenant.get("/api/v1/telemetry/weights")
    bodies = [
        {"lines": [{"line_id": order["lines"][0]["id"], "weight_id": weight["id"], "container_g": 500}]}
        for order in orders
    ]
    packed = await pack(farm.tenant, orders[0], **bodies[0])
    assert packed["lines"][0]["packed_quantity"] == "4.020"
    assert (await refused(farm.tenant, orders[1], "pack", bodies[1]))[0] == "WEIGHT_APPLIED"
    assert [row["applied_as"] for row in await farm.tenant.get("/api/v1/telemetry/weights")] == ["pick"]


async def test_what_keeps_too_short_a_time_by_now_is_replaced_and_in_the_box_refused(farm: Platform) -> None:
    shelves = await make_shelves(farm)
    one, other = await confirmed(shelves, "2"), await confirmed(shelves, "2")
    await pick(farm.tenant, other, took(other, shelves.first["lot_id"], "2"))
    soon = {"expires_on": day_in(0), "reason": "relabelled"}
    await farm.tenant.put(f"/api/v1/warehouse/batches/{shelves.first['lot_id']}", soon)
    assert promised(await pack(farm.tenant, one)) == {"LOT-2": "2.000"}
    code, message = await refused(farm.tenant, other, "pack", {})
    assert (code, "lot LOT-1" in message) == ("STOCK_EXPIRED", True)
    await assert_consistent(farm, shelves.store)


async def test_an_empty_box_is_not_packed(farm: Platform) -> None:
    shelves = await make_shelves(farm, second="1")
    order = await confirmed(shelves)
    await hold(farm, shelves.store, "excursion:1")
    await hold(farm, shelves.store, "excursion:2", shelves.second["location_id"])
    await pick(farm.tenant, order, did(order, short_reason="all of it is warm"))
    assert (await refused(farm.tenant, order, "pack", {}))[0] == "NOTHING_TO_PACK"


async def test_what_there_is_of_an_order_is_picked_and_packed_in_one_step(farm: Platform) -> None:
    shelves = await make_shelves(farm, second="1")
    order = await confirmed(shelves)
    await hold(farm, shelves.store, "excursion:1")
    path = f"{ORDERS}/{order['id']}/fulfill"
    packed = await farm.tenant.post(path, {"boxes": 3})
    assert (packed["status"], promised(packed), packed["boxes"]) == ("packed", {"LOT-2": "1.000"}, 3)
    assert packed["total_minor"] == 4250
    await assert_consistent(farm, shelves.store)
    assert (await refused(farm.tenant, order, "fulfill", {}))[0] == "INVALID_TRANSITION"


async def test_an_order_of_which_something_was_given_up_travels_without_it(farm: Platform) -> None:
    shelves = await make_shelves(farm)
    chard = await make_product(farm.tenant, name="Chard")
    await receive_lot(farm.tenant, product_id=chard, location_id=shelves.depot.room_id, quantity="2")
    line = {"quantity": "2", "unit_price": "10"}
    lines = [{**line, "product_id": product_id} for product_id in (shelves.depot.product_id, chard)]
    order = await farm.tenant.post(f"{ORDERS}/{(await order_from(shelves.depot, lines=lines))['id']}/confirm")
    number = [line["product_id"] for line in order["lines"]].index(chard)
    await pick(farm.tenant, order, did(order, line=number, short_reason="dropped"))
    await pack(farm.tenant, order)
    await farm.tenant.post(f"{ORDERS}/{order['id']}/ship", {"delivered": True, "recipient_name": "The cook"})
    done = await farm.tenant.get(f"{ORDERS}/{order['id']}")
    statuses = {line["product_id"]: line["fulfillment_status"] for line in done["lines"]}
    assert statuses == {shelves.depot.product_id: "shipped", chard: "cancelled"}
    assert (done["status"], done["total_minor"]) == ("delivered", 2000)
