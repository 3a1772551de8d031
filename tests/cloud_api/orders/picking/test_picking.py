"""What is taken from which shelf: the promised lot, another one when it may be, less when it is not there."""

import uuid

import pytest

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
from tests.factories.orders import day_in, order_from, receive_lot
from tests.factories.stores import make_product
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP


async def test_a_line_is_picked_lot_by_lot_in_several_calls(farm: Platform) -> None:
    shelves = await make_shelves(farm, first="3")
    order = await confirmed(shelves, "5")
    assert promised(order) == {"LOT-1": "3.000", "LOT-2": "2.000"}

    half = await pick(farm.tenant, order, took(order, shelves.first["lot_id"], "3"))
    assert (half["status"], half["lines"][0]["fulfillment_status"]) == ("confirmed", "reserved")
    done = await pick(farm.tenant, order, took(order, shelves.second["lot_id"], "2"))
    line = done["lines"][0]
    assert (line["fulfillment_status"], line["packed_quantity"], done["total_minor"]) == ("picked", "5.000", 21250)

    code, message = await refused(farm.tenant, order, "pick", took(order, shelves.first["lot_id"], "1"))
    assert (code, "left to be taken" in message) == ("NOTHING_TO_PICK", True)
    packed = await pack(farm.tenant, order)
    assert (packed["status"], promised(packed)) == ("packed", {"LOT-1": "3.000", "LOT-2": "2.000"})
    await assert_consistent(farm, shelves.store)


async def test_more_of_one_promised_lot_is_less_of_the_other(farm: Platform) -> None:
    shelves = await make_shelves(farm, first="3")
    order = await confirmed(shelves, "5")
    half = await pick(farm.tenant, order, took(order, shelves.second["lot_id"], "4"))
    assert (promised(half), half["lines"][0]["fulfillment_status"]) == (
        {"LOT-1": "1.000", "LOT-2": "4.000"},
        "reserved",
    )
    assert await lying_in(farm.tenant, shelves.depot.room_id) == {"LOT-1": ("3.000", "2.000", "available")}
    code, message = await refused(farm.tenant, order, "pick", took(order, shelves.first["lot_id"], "1.300"))
    assert (code, "take 5.250 at most" in message) == ("WEIGHT_OUT_OF_TOLERANCE", True)
    await assert_consistent(farm, shelves.store)


async def test_another_lot_than_the_promised_one_is_refused_naming_that(farm: Platform) -> None:
    shelves = await make_shelves(farm)
    order = await confirmed(shelves)
    code, message = await refused(farm.tenant, order, "pick", took(order, shelves.second["lot_id"], "4"))
    assert code == "WRONG_LOT"
    assert "take lot LOT-1 in COLD-" in message
    assert "send swap" in message


async def test_another_lot_takes_the_place_of_the_promised_one_when_the_picker_says_so(farm: Platform) -> None:
    shelves = await make_shelves(farm)
    order = await confirmed(shelves)
    swapped = await pick(farm.tenant, order, took(order, shelves.second["lot_id"], "4", swap=True))
    assert (promised(swapped), swapped["lines"][0]["fulfillment_status"]) == ({"LOT-2": "4.000"}, "picked")
    assert await lying_in(farm.tenant, shelves.depot.room_id) == {"LOT-1": ("10.000", "10.000", "available")}
    await assert_consistent(farm, shelves.store)


async def test_a_lot_that_may_not_take_the_place_is_refused_whatever_the_picker_says(farm: Platform) -> None:
    shelves = await make_shelves(farm, second="3")
    order = await confirmed(shelves)
    for lot_id, why in await _unfit_lots(farm, shelves):
        code, message = await refused(farm.tenant, order, "pick", took(order, lot_id, "4", swap=True))
        assert (code, why in message, "take lot LOT-1" in message) == ("WRONG_LOT", True, True), message
    unknown = await refused(farm.tenant, order, "pick", took(order, str(uuid.UUID(int=1)), "4", swap=True))
    assert unknown[0] == "WRONG_LOT"


async def _unfit_lots(farm: Platform, shelves: object) -> list[tuple[str, str]]:
    """Lots with the reason why each will not do."""
    depot = shelves.depot  # type: ignore[attr-defined]
    place = {"location_id": depot.room_id, "quantity": "20"}
    other = await receive_lot(farm.tenant, product_id=await make_product(farm.tenant), **place)
    short = await receive_lot(farm.tenant, product_id=depot.product_id, lot_number="OLD", expires_on=day_in(0), **place)
    held = await receive_lot(farm.tenant, product_id=depot.product_id, lot_number="HELD", **place)
    await farm.tenant.post(f"/api/v1/warehouse/batches/{held['lot_id']}/hold", {"reason": "label wrong"})
    few = shelves.second  # type: ignore[attr-defined]
    return [
        (other["lot_id"], "is no SPINACH"),
        (short["lot_id"], "keeps until"),
        (held["lot_id"], "is on hold"),
        (few["lot_id"], "has only 3.000"),
    ]


async def test_a_scanned_label_names_the_lot_and_a_code_without_a_lot_is_refused(farm: Platform) -> None:
    shelves = await make_shelves(farm)
    order = await confirmed(shelves)
    product = await farm.tenant.get(f"/api/v1/warehouse/products/{shelves.depot.product_id}")
    scanned = {"code": product["sku"], "quantity": "4"}
    code, _ = await refused(farm.tenant, order, "pick", did(order, lots=[scanned]))
    assert code == "WRONG_LOT"
    label = f"urn:uuid:{shelves.first['lot_id']}"
    both = {"code": label, "lot_id": shelves.first["lot_id"], "quantity": "4"}
    assert (await refused(farm.tenant, order, "pick", did(order, lots=[both])))[0] == "INVALID"


async def test_what_is_not_there_is_looked_for_in_other_lots_first(farm: Platform) -> None:
    shelves = await make_shelves(farm)
    order = await confirmed(shelves)
    body = took(order, shelves.first["lot_id"], "1")
    body["lines"][0]["short_reason"] = "the crate was empty"
    short = await pick(farm.tenant, order, body)
    assert promised(short) == {"LOT-1": "1.000", "LOT-2": "3.000"}
    assert (short["lines"][0]["fulfillment_status"], short["total_minor"]) == ("reserved", 17000)
    done = await pick(farm.tenant, order, took(order, shelves.second["lot_id"], "3"))
    assert done["lines"][0]["fulfillment_status"] == "picked"
    await assert_consistent(farm, shelves.store)


async def test_what_nobody_has_is_neither_delivered_nor_paid(farm: Platform) -> None:
    shelves = await make_shelves(farm, first="4", second="1")
    order = await confirmed(shelves, "4")
    body = took(order, shelves.first["lot_id"], "1")
    body["lines"][0]["short_reason"] = "the rest was rotten"
    short = await pick(farm.tenant, order, body)
    assert (promised(short), short["total_minor"]) == ({"LOT-1": "1.000", "LOT-2": "1.000"}, 8500)
    assert short["lines"][0]["quantity"] == "4.000"
    packed = await pack(farm.tenant, order)
    line = packed["lines"][0]
    assert (line["fulfillment_status"], line["packed_quantity"], packed["total_minor"]) == ("packed", "2.000", 8500)
    await assert_consistent(farm, shelves.store)


async def test_an_order_that_waits_for_goods_is_packed_when_they_have_come(farm: Platform) -> None:
    await set_up(farm.tenant, orders__short_pick="backorder")
    shelves = await make_shelves(farm, first="4", second="1")
    order = await confirmed(shelves, "4")
    body = took(order, shelves.first["lot_id"], "1")
    body["lines"][0]["short_reason"] = "the rest was rotten"
    waiting = await pick(farm.tenant, order, body)
    assert (waiting["lines"][0]["fulfillment_status"], waiting["total_minor"]) == ("backordered", 17000)
    # the books have the rotten ones until somebody counts: this order is not promised them again
    code, message = await refused(farm.tenant, order, "pack", {})
    assert (code, "2.000 of SPINACH" in message) == ("BACKORDERED", True)
    fresh = {"product_id": shelves.depot.product_id, "location_id": shelves.depot.room_id, "lot_number": "LOT-3"}
    await receive_lot(farm.tenant, **fresh)
    packed = await pack(farm.tenant, order)
    assert promised(packed) == {"LOT-1": "1.000", "LOT-2": "1.000", "LOT-3": "2.000"}
    assert packed["total_minor"] == 17000
    await assert_consistent(farm, shelves.store)


async def test_what_an_order_waits_for_can_be_given_up_at_packing(farm: Platform) -> None:
    await set_up(farm.tenant, orders__short_pick="backorder")
    shelves = await make_shelves(farm, first="4", second="1")
    order = await confirmed(shelves, "4")
    await pick(farm.tenant, order, did(order, short_reason="the rack fell over"))
    packed = await pack(farm.tenant, order, deliver_short=True)
    assert (promised(packed), packed["total_minor"]) == ({"LOT-2": "1.000"}, 4250)
    await assert_consistent(farm, shelves.store)


async def test_a_substitute_goes_in_at_the_lower_of_both_prices(farm: Platform) -> None:
    shelves = await make_shelves(farm)
    chard = await make_product(farm.tenant, name="Chard", price="50")
    kale = await make_product(farm.tenant, name="Kale", price="30")
    for product_id in (chard, kale):
        await receive_lot(farm.tenant, product_id=product_id, location_id=shelves.depot.room_id)
    order = await confirmed(shelves)
    agreed = {"agreed": True, "reason": "sold out", "quantity": "1"}
    for product_id in (chard, kale):
        order = await pick(farm.tenant, order, did(order, substitute={**agreed, "product_id": product_id}))
    lines = {line["product_id"]: line for line in order["lines"]}
    assert {id: (line["unit_price"], line["quantity"]) for id, line in lines.items()} == {
        shelves.depot.product_id: ("42.5000", "4.000"),
        chard: ("42.5000", "1.000"),
        kale: ("30.0000", "1.000"),
    }
    assert lines[shelves.depot.product_id]["packed_quantity"] == "2.000"
    assert order["total_minor"] == 2 * 4250 + 4250 + 3000
    packed = await pack(farm.tenant, order)
    assert {line["product_id"]: line["packed_quantity"] for line in packed["lines"]} == {
        shelves.depot.product_id: "2.000",
        chard: "1.000",
        kale: "1.000",
    }
    await assert_consistent(farm, shelves.store)


async def test_nothing_is_substituted_that_the_customer_did_not_agree_to_or_that_cannot_stand_for_it(
    farm: Platform,
) -> None:
    shelves = await make_shelves(farm)
    order = await confirmed(shelves)
    chard = await make_product(farm.tenant, name="Chard")
    wanted = {"product_id": chard, "agreed": True, "reason": "sold out", "quantity": "1"}
    boxed = await make_product(farm.tenant, name="Chard, boxed", unit="box")
    for change, code in (
        ({"agreed": False}, "BAD_SUBSTITUTE"),
        ({"product_id": shelves.depot.product_id}, "BAD_SUBSTITUTE"),
        ({"product_id": boxed}, "BAD_SUBSTITUTE"),
        ({"product_id": str(uuid.UUID(int=1))}, "NOT_FOUND"),
        ({}, "NOT_ENOUGH_STOCK"),
    ):
        assert (await refused(farm.tenant, order, "pick", did(order, substitute={**wanted, **change})))[0] == code
    await receive_lot(farm.tenant, product_id=chard, location_id=shelves.depot.room_id)
    too_much = did(order, substitute={**wanted, "quantity": "5"})
    assert (await refused(farm.tenant, order, "pick", too_much))[0] == "BAD_SUBSTITUTE"


async def test_a_lot_that_went_on_hold_in_the_box_is_taken_out_by_a_swap(farm: Platform) -> None:
    shelves = await make_shelves(farm)
    order = await confirmed(shelves)
    await pick(farm.tenant, order, took(order, shelves.first["lot_id"], "4"))
    await hold(farm, shelves.store, "excursion:1")
    code, message = await refused(farm.tenant, order, "pack", {})
    assert (code, "lot LOT-1" in message, "swap" in message) == ("STOCK_ON_HOLD", True, True)
    await pick(farm.tenant, order, took(order, shelves.second["lot_id"], "4", swap=True))
    assert promised(await pack(farm.tenant, order)) == {"LOT-2": "4.000"}
    await assert_consistent(farm, shelves.store)


async def test_a_promised_lot_that_is_on_hold_is_not_taken(farm: Platform) -> None:
    shelves = await make_shelves(farm)
    order = await confirmed(shelves)
    await hold(farm, shelves.store, "excursion:1")
    assert (await refused(farm.tenant, order, "pick", took(order, shelves.first["lot_id"], "4")))[0] == "STOCK_ON_HOLD"


@pytest.mark.parametrize(("quantity", "picked"), [("3.8", "picked"), ("3.799", "reserved"), ("4.2", "picked")])
async def test_what_is_weighed_may_differ_by_the_tolerance_and_is_exact_from_then_on(
    farm: Platform, quantity: str, picked: str
) -> None:
    shelves = await make_shelves(farm)
    order = await confirmed(shelves)
    done = await pick(farm.tenant, order, took(order, shelves.first["lot_id"], quantity))
    assert done["lines"][0]["fulfillment_status"] == picked
    left = {"3.8": "6.200", "3.799": "6.000", "4.2": "5.800"}[quantity]
    assert (await lying_in(farm.tenant, shelves.depot.room_id))["LOT-1"] == ("10.000", left, "available")


async def test_more_than_the_tolerance_is_not_taken(farm: Platform) -> None:
    shelves = await make_shelves(farm)
    order = await confirmed(shelves)
    code, message = await refused(farm.tenant, order, "pick", took(order, shelves.first["lot_id"], "4.201"))
    assert (code, "take 4.200 at most" in message) == ("WEIGHT_OUT_OF_TOLERANCE", True)


async def test_only_a_confirmed_order_is_picked_and_only_its_own_lines(farm: Platform) -> None:
    shelves = await make_shelves(farm)
    pending = await order_from(shelves.depot)
    body = took(pending, shelves.first["lot_id"], "4")
    assert (await refused(farm.tenant, pending, "pick", body))[0] == "INVALID_TRANSITION"
    order = await confirmed(shelves)
    assert (await refused(farm.tenant, order, "pick", body))[0] == "NOT_FOUND"
    assert (await refused(farm.tenant, order, "pick", did(order)))[0] == "INVALID"


async def test_a_pick_that_is_sent_twice_happens_once(farm: Platform) -> None:
    shelves = await make_shelves(farm)
    order = await confirmed(shelves)
    body = took(order, shelves.first["lot_id"], "1")
    path = f"{ORDERS}/{order['id']}/pick"
    told = [await farm.tenant.post(path, body, **{"Idempotency-Key": "pick-1"}) for _ in range(2)]
    assert told[0] == told[1]
    [line] = told[0]["lines"]
    assert promised(told[0]) == {"LOT-1": "4.000"}
    assert sorted(one["quantity"] for one in line["allocations"]) == ["1.000", "3.000"]
