"""Orders that are changed: until the cut-off, all of a change or nothing, and what is promised follows."""

from decimal import Decimal
from typing import Any

import pytest

from tests.cloud_api.inventory.stock import lying_in
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.orders import Depot, day_in, make_customer, make_depot, order_from, pack, receive_lot
from tests.factories.scopes import heard_by, make_buyer
from tests.factories.stores import make_product
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

ORDERS = "/api/v1/orders"


async def later(depot: Depot, **fields: Any) -> Any:
    """An order that is far from its cut-off."""
    return await order_from(depot, **{"delivery_date": day_in(5), **fields})


async def confirmed(depot: Depot, **fields: Any) -> Any:
    order = await later(depot, **fields)
    return await depot.tenant.post(f"{ORDERS}/{order['id']}/confirm")


async def change(depot: Depot, order: Any, **fields: Any) -> Any:
    return await depot.tenant.put(f"{ORDERS}/{order['id']}", fields)


async def refusal(depot: Depot, order: Any, **fields: Any) -> tuple[int, str, str]:
    answer = await depot.tenant.client.put(f"{ORDERS}/{order['id']}", json=fields)
    assert not answer.is_success, answer.text
    error = answer.json()["error"]
    return answer.status_code, error["code"], error["message"]


def line(product_id: str, quantity: str, **fields: str) -> dict[str, str]:
    return {"product_id": product_id, "quantity": quantity, **fields}


async def free_of(depot: Depot) -> Decimal:
    [(_, free, _)] = (await lying_in(depot.tenant, depot.room_id)).values()
    return Decimal(free)


async def test_a_pending_order_gets_other_lines_window_and_note(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    other = await make_product(farm.tenant)
    order = await later(depot)
    lines = [line(depot.product_id, "6"), line(other, "2", unit_price="10")]
    after = await change(depot, order, lines=lines, window_from="10:00", window_until="12:00", note="ring")
    assert [(one["product_id"], one["quantity"], one["unit_price"]) for one in after["lines"]] == [
        (depot.product_id, "6.000", "42.5000"),
        (other, "2.000", "10.0000"),
    ]
    assert (after["total_minor"], after["note"], after["version"]) == (6 * 4250 + 2000, "ring", 2)
    assert (after["window_from"], after["status"]) == ("10:00:00", "pending")
    assert after["lines"][0]["id"] == order["lines"][0]["id"]
    assert await farm.tenant.get(f"{ORDERS}/{order['id']}") == after
    assert await free_of(depot) == 100


async def test_what_an_order_is_already_changes_nothing(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    order = await later(depot)
    same = {"lines": [line(depot.product_id, "4.000")], "delivery_date": day_in(5), "note": ""}
    assert await change(depot, order, **same) == order
    assert await change(depot, order) == order


async def test_promises_of_a_confirmed_order_follow_its_lines(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    other = await make_product(farm.tenant)
    await receive_lot(farm.tenant, product_id=other, location_id=depot.room_id, lot_number="LOT-2")
    order = await confirmed(depot, quantity="4")

    more = await change(depot, order, lines=[line(depot.product_id, "9"), line(other, "3", unit_price="1")])
    promised = [[(lot["lot_number"], lot["quantity"]) for lot in one["allocations"]] for one in more["lines"]]
    assert promised == [[("LOT-1", "9.000")], [("LOT-2", "3.000")]]
    assert [one["fulfillment_status"] for one in more["lines"]] == ["reserved", "reserved"]
    there = await lying_in(farm.tenant, depot.room_id)
    assert there == {"LOT-1": ("100.000", "91.000", "available"), "LOT-2": ("100.000", "97.000", "available")}

    less = await change(depot, order, lines=[line(other, "1")])
    assert [one["product_id"] for one in less["lines"]] == [other]
    there = await lying_in(farm.tenant, depot.room_id)
    assert there == {"LOT-1": ("100.000", "100.000", "available"), "LOT-2": ("100.000", "99.000", "available")}
    assert (less["total_minor"], less["status"], less["version"]) == (100, "confirmed", 3)


async def test_a_change_that_the_stock_does_not_suffice_for_leaves_the_order_as_it_was(farm: Platform) -> None:
    depot = await make_depot(farm.tenant, quantity="10")
    scarce = await make_product(farm.tenant)
    order = await confirmed(depot, quantity="4")
    for lines in (
        [line(depot.product_id, "10.001")],
        [line(depot.product_id, "1"), line(scarce, "1", unit_price="1")],
        [line(scarce, "1", unit_price="1")],
    ):
        assert (await refusal(depot, order, lines=lines, note="changed"))[:2] == (409, "NOT_ENOUGH_STOCK")
        assert await farm.tenant.get(f"{ORDERS}/{order['id']}") == order
        assert await free_of(depot) == 6
    assert (await change(depot, order, lines=[line(depot.product_id, "10")]))["status"] == "confirmed"
    assert await free_of(depot) == 0


async def test_an_order_for_a_later_day_is_promised_what_keeps_until_then(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    short = {"expires_on": day_in(6), "lot_number": "SHORT"}
    await receive_lot(farm.tenant, product_id=depot.product_id, location_id=depot.room_id, **short)
    order = await confirmed(depot)
    assert order["lines"][0]["allocations"][0]["lot_number"] == "SHORT"
    moved = await change(depot, order, delivery_date=day_in(9))
    assert [lot["lot_number"] for lot in moved["lines"][0]["allocations"]] == ["LOT-1"]
    assert (await refusal(depot, order, delivery_date=day_in(40)))[:2] == (409, "NOT_ENOUGH_STOCK")
    assert (await farm.tenant.get(f"{ORDERS}/{order['id']}"))["delivery_date"] == day_in(9)


async def test_another_door_of_the_customer_is_copied_and_nobody_elses(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    order = await later(depot)
    _, buyer = await make_buyer(farm, customer_id=order["customer_id"])
    door = {"label": "back", "address": "9 Mill Road", "latitude": 12.8, "longitude": 77.5}
    back = await buyer.post("/api/v1/auth/me/addresses", door)
    after = await change(depot, order, address_id=back["id"])
    assert (after["address"], after["latitude"], after["address_id"]) == ("9 Mill Road", 12.8, back["id"])
    foreign = await farm.tenant.get(f"/api/v1/customers/{await make_customer(farm.tenant)}")
    assert (await refusal(depot, order, address_id=foreign["addresses"][0]["id"]))[:2] == (404, "NOT_FOUND")


async def test_after_the_cut_off_nothing_is_changed_and_the_time_is_named(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    order = await later(depot, window_from="09:30", window_until="12:00")
    await farm.tenant.put("/api/v1/admin/settings/orders.cut_off_hours", {"value": 168})
    status, code, message = await refusal(depot, order, note="too late")
    assert (status, code) == (409, "CUT_OFF_PASSED")
    assert f"{day_in(-2)} 09:30 (IST)" in message
    await farm.tenant.put("/api/v1/admin/settings/orders.cut_off_hours", {"value": 12})
    assert (await change(depot, order, note="in time"))["note"] == "in time"
    assert (await refusal(depot, order, delivery_date=day_in(0), window_from="00:01"))[:2] == (409, "CUT_OFF_PASSED")
    assert (await farm.tenant.get(f"{ORDERS}/{order['id']}"))["delivery_date"] == day_in(5)


@pytest.mark.parametrize("verb", ["pack", "cancel"])
async def test_what_is_packed_or_given_up_is_not_changed(farm: Platform, verb: str) -> None:
    depot = await make_depot(farm.tenant)
    order = await later(depot)
    if verb == "pack":
        await pack(farm.tenant, order["id"])
    else:
        await farm.tenant.post(f"{ORDERS}/{order['id']}/cancel", {"reason": "closed"})
    assert (await refusal(depot, order, note="late"))[:2] == (409, "INVALID_TRANSITION")


async def test_a_change_of_an_older_version_is_refused(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    order = await later(depot)
    assert (await change(depot, order, version=1, note="first"))["version"] == 2
    status, code, message = await refusal(depot, order, version=1, note="second")
    assert (status, code, "version 2" in message) == (409, "STALE_VERSION", True)


async def test_changes_that_cannot_be_meant_are_refused_by_name(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    order = await confirmed(depot)
    twice = [line(depot.product_id, "1"), line(depot.product_id, "2")]
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("BAD_ORDER", {"lines": twice}),
        ("BAD_ORDER", {"window_from": "21:00"}),
        ("VALIDATION_FAILED", {"lines": []}),
        ("VALIDATION_FAILED", {"customer_id": order["customer_id"]}),
        ("NO_PRICE", {"lines": [line(await make_product(farm.tenant), "1")]}),
    ]
    for code, fields in wrong:
        assert (await refusal(depot, order, **fields))[1] == code, fields
    assert await farm.tenant.get(f"{ORDERS}/{order['id']}") == order


async def test_a_customer_changes_its_own_orders_only_and_never_a_price(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    order = await later(depot)
    _, buyer = await make_buyer(farm, customer_id=order["customer_id"])
    _, neighbour = await make_buyer(farm)
    path = f"{ORDERS}/{order['id']}"
    assert (await buyer.put(path, {"note": "side door"}))["note"] == "side door"
    cheap = {"lines": [line(depot.product_id, "4", unit_price="0.01")]}
    assert await heard_by(buyer, "PUT", path, cheap) == (422, "PRICE_IS_THE_STORES")
    assert await heard_by(neighbour, "PUT", path, {"note": "mine"}) == (404, "NOT_FOUND")
    assert (await farm.tenant.get(path))["total_minor"] == 17000


async def test_lines_are_not_changed_once_somebody_has_picked_them(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    order = await confirmed(depot)
    [one] = order["lines"]
    lots = [{"lot_id": one["allocations"][0]["lot_id"], "location_id": depot.room_id, "quantity": "4"}]
    await farm.tenant.post(f"{ORDERS}/{order['id']}/pick", {"lines": [{"line_id": one["id"], "lots": lots}]})
    fewer = [line(depot.product_id, "1")]
    assert (await refusal(depot, order, lines=fewer))[:2] == (409, "PICKING_BEGUN")
    assert (await refusal(depot, order, delivery_date=day_in(6)))[:2] == (409, "PICKING_BEGUN")
    assert (await change(depot, order, note="by the back door"))["note"] == "by the back door"
    assert await free_of(depot) == 96
