"""Orders: taken, promised, packed, given up; what cannot be is refused, and nothing of it is half done."""

import uuid
from typing import Any

from tests.cloud_api.inventory.stock import hold, lying_in
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.orders import Depot, day_in, make_customer, make_depot, make_order, order_from, receive_lot
from tests.factories.stores import ColdStore, make_product, make_room
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

ORDERS = "/api/v1/orders"


async def refused(depot: Depot, path: str, body: object) -> tuple[int, str, str]:
    """(status, code, message) of a POST that must fail."""
    answer = await depot.tenant.client.post(path, json=body)
    assert not answer.is_success, answer.text
    error = answer.json()["error"]
    return answer.status_code, error["code"], error["message"]


def wanted(depot: Depot, buyer_id: str, **changes: Any) -> dict[str, Any]:
    line = {"product_id": depot.product_id, "quantity": "4", "unit_price": "42.5"}
    body = {"customer_id": buyer_id, "warehouse_id": depot.warehouse_id, "delivery_date": day_in(1), "lines": [line]}
    return {**body, **changes}


def store_of(depot: Depot) -> ColdStore:
    return ColdStore(depot.tenant, depot.warehouse_id, depot.room_id, depot.product_id, "", "", "")


def lots_of(order: Any) -> list[tuple[str, str]]:
    """(lot number, quantity) of what is promised to the order's one line."""
    return [(promise["lot_number"], promise["quantity"]) for promise in order["lines"][0]["allocations"]]


async def test_an_order_is_taken_confirmed_and_packed(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    order = await order_from(depot, quantity="4.300", note="ring twice")
    assert (order["status"], order["total_minor"], order["note"]) == ("pending", 18275, "ring twice")
    assert lots_of(order) == []
    assert await lying_in(depot.tenant, depot.room_id) == {"LOT-1": ("100.000", "100.000", "available")}

    confirmed = await depot.tenant.post(f"{ORDERS}/{order['id']}/confirm")
    assert (confirmed["status"], lots_of(confirmed)) == ("confirmed", [("LOT-1", "4.300")])
    assert await lying_in(depot.tenant, depot.room_id) == {"LOT-1": ("100.000", "95.700", "available")}

    packed = await depot.tenant.post(f"{ORDERS}/{order['id']}/pack")
    assert (packed["status"], lots_of(packed)) == ("packed", [("LOT-1", "4.300")])
    assert packed == await depot.tenant.get(f"{ORDERS}/{order['id']}") | {"boxes": 1}
    assert [row["id"] for row in await depot.tenant.get(ORDERS, status="packed")] == [order["id"]]
    assert await depot.tenant.get(ORDERS, status="cancelled") == []


async def test_an_order_that_cannot_be_is_refused_and_takes_no_number(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    customer_id, other = await make_customer(farm.tenant), await make_customer(farm.tenant)
    doors = (await farm.tenant.get(f"/api/v1/customers/{other}"))["addresses"]
    line = {"product_id": depot.product_id, "quantity": "1", "unit_price": "1"}
    pieces = await make_product(farm.tenant, unit="piece")
    nowhere = str(uuid.uuid4())
    wrong: list[tuple[int, str, dict[str, Any]]] = [
        (422, "BAD_ORDER", {"lines": [line, line]}),
        (422, "BAD_ORDER", {"window_from": "12:00", "window_until": "09:00"}),
        (422, "BAD_ORDER", {"window_from": "12:00", "window_until": "12:00"}),
        (422, "WRONG_QUANTITY", {"lines": [{**line, "product_id": pieces, "quantity": "1.5"}]}),
        (422, "VALIDATION_FAILED", {"lines": [{**line, "quantity": "0"}]}),
        (422, "VALIDATION_FAILED", {"lines": []}),
        (404, "NOT_FOUND", {"customer_id": nowhere}),
        (404, "NOT_FOUND", {"warehouse_id": nowhere}),
        (404, "NOT_FOUND", {"address_id": doors[0]["id"]}),
        (404, "NOT_FOUND", {"lines": [{**line, "product_id": nowhere}]}),
    ]
    for status, code, change in wrong:
        assert (await refused(depot, ORDERS, wanted(depot, customer_id, **change)))[:2] == (status, code), change
    assert await farm.tenant.get(ORDERS) == []
    first = await order_from(depot)
    assert first["number"].endswith("00001")


async def test_no_order_is_taken_from_a_customer_who_is_no_longer_one(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    customer_id = await make_customer(farm.tenant)
    assert (await farm.tenant.client.delete(f"/api/v1/customers/{customer_id}")).status_code == 204
    assert (await refused(depot, ORDERS, wanted(depot, customer_id)))[:2] == (409, "CUSTOMER_INACTIVE")


async def test_more_than_there_is_names_the_product_and_what_there_is(farm: Platform) -> None:
    depot = await make_depot(farm.tenant, quantity="3.500")
    order = await order_from(depot, quantity="4.000")
    status, code, message = await refused(depot, f"{ORDERS}/{order['id']}/confirm", {})
    assert (status, code) == (409, "NOT_ENOUGH_STOCK")
    assert depot.product_id in message
    assert "4.000 are wanted and 3.500 may be sold" in message
    assert (await farm.tenant.get(f"{ORDERS}/{order['id']}"))["status"] == "pending"
    assert await lying_in(farm.tenant, depot.room_id) == {"LOT-1": ("3.500", "3.500", "available")}


async def test_when_one_line_cannot_be_met_no_line_is(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    scarce = await make_product(farm.tenant)
    lines = [
        {"product_id": product_id, "quantity": "4", "unit_price": "1"} for product_id in (depot.product_id, scarce)
    ]
    order = await order_from(depot, lines=lines)
    assert (await refused(depot, f"{ORDERS}/{order['id']}/confirm", {}))[:2] == (409, "NOT_ENOUGH_STOCK")
    assert await lying_in(farm.tenant, depot.room_id) == {"LOT-1": ("100.000", "100.000", "available")}


async def test_what_lies_in_another_warehouse_is_not_promised(farm: Platform) -> None:
    near, far = await make_depot(farm.tenant), await make_depot(farm.tenant)
    customer_id = await make_customer(farm.tenant)
    order = await make_order(
        farm.tenant, customer_id=customer_id, warehouse_id=near.warehouse_id, product_id=far.product_id
    )
    assert (await refused(near, f"{ORDERS}/{order['id']}/confirm", {}))[:2] == (409, "NOT_ENOUGH_STOCK")


async def test_a_lot_held_after_the_confirmation_is_replaced_at_packing(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    order = await order_from(depot)
    await farm.tenant.post(f"{ORDERS}/{order['id']}/confirm")
    await hold(farm, store_of(depot), "excursion:1")
    elsewhere = await make_room(farm.tenant, depot.warehouse_id)
    await receive_lot(farm.tenant, product_id=depot.product_id, location_id=elsewhere, lot_number="LOT-2")

    packed = await farm.tenant.post(f"{ORDERS}/{order['id']}/pack")
    assert (packed["status"], lots_of(packed)) == ("packed", [("LOT-2", "4.000")])
    assert await lying_in(farm.tenant, elsewhere) == {"LOT-2": ("100.000", "96.000", "available")}
    [level] = await farm.tenant.get("/api/v1/warehouse/stock/levels", location_id=depot.room_id)
    assert (level["status"], level["reserved"]) == ("on_hold", "0.000")


async def test_a_held_lot_that_nothing_can_replace_keeps_the_order_confirmed(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    order = await order_from(depot)
    await farm.tenant.post(f"{ORDERS}/{order['id']}/confirm")
    await hold(farm, store_of(depot), "excursion:1")
    status, code, message = await refused(depot, f"{ORDERS}/{order['id']}/pack", {})
    assert (status, code) == (409, "NOT_ENOUGH_STOCK")
    assert "0.000 may be sold" in message
    kept = await farm.tenant.get(f"{ORDERS}/{order['id']}")
    assert (kept["status"], lots_of(kept)) == ("confirmed", [("LOT-1", "4.000")])
    [level] = await farm.tenant.get("/api/v1/warehouse/stock/levels", location_id=depot.room_id)
    assert level["reserved"] == "4.000"


async def test_a_cancelled_order_frees_exactly_its_own(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    one, other = await order_from(depot), await order_from(depot, quantity="7")
    for order in (one, other):
        await farm.tenant.post(f"{ORDERS}/{order['id']}/confirm")
    await farm.tenant.post(f"{ORDERS}/{one['id']}/pack")
    gone = await farm.tenant.post(f"{ORDERS}/{one['id']}/cancel", {"reason": "closed today"})
    assert (gone["status"], gone["cancel_reason"], lots_of(gone)) == ("cancelled", "closed today", [])
    assert await lying_in(farm.tenant, depot.room_id) == {"LOT-1": ("100.000", "93.000", "available")}
    again = await refused(depot, f"{ORDERS}/{one['id']}/cancel", {"reason": "again"})
    assert again == (
        409,
        "INVALID_TRANSITION",
        "order is cancelled: cannot cancel; possible now: nothing more",
    )
    assert await lying_in(farm.tenant, depot.room_id) == {"LOT-1": ("100.000", "93.000", "available")}


async def test_an_order_and_its_confirmation_that_are_sent_twice_happen_once(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    body = wanted(depot, await make_customer(farm.tenant))
    taken = [await farm.tenant.post(ORDERS, body, **{"Idempotency-Key": "order-1"}) for _ in range(2)]
    assert taken[0] == taken[1]
    assert len(await farm.tenant.get(ORDERS)) == 1
    path = f"{ORDERS}/{taken[0]['id']}/confirm"
    confirmed = [await farm.tenant.post(path, {}, **{"Idempotency-Key": "confirm-1"}) for _ in range(2)]
    assert confirmed[0] == confirmed[1]
    assert (await refused(depot, path, {}))[:2] == (409, "INVALID_TRANSITION")
    assert await lying_in(farm.tenant, depot.room_id) == {"LOT-1": ("100.000", "96.000", "available")}
