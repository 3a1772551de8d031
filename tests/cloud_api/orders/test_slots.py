"""Delivery windows with capacity: the last place is one order's, and a refusal names the next."""

import asyncio
import uuid
from collections import Counter
from datetime import date, timedelta
from typing import Any

from tests.factories.grounds import IN_ONE_LOOP, ground_url
from tests.factories.orders import Depot, day_in, make_customer, make_depot, make_order, order_from
from tests.factories.scopes import heard_by, make_buyer, make_keeper
from tests.factories.stores import make_warehouse
from tests.platform_under_test import Platform

__all__ = ["ground_url"]

pytestmark = IN_ONE_LOOP

SLOTS = "/api/v1/orders/slots"
ORDERS = "/api/v1/orders"
MORNING = {"window_from": "09:00:00", "window_until": "11:00:00"}
NOON = {"window_from": "11:00:00", "window_until": "13:00:00"}
EVERY_DAY = [1, 2, 3, 4, 5, 6, 7]


async def offer(depot: Depot, **fields: Any) -> Any:
    body = {"warehouse_id": depot.warehouse_id, "weekdays": EVERY_DAY, "capacity": 1, **MORNING, **fields}
    return await depot.tenant.post(SLOTS, body)


async def refused(depot: Depot, **fields: Any) -> tuple[int, str, str]:
    """(status, code, message) of an order that must not be taken."""
    customer_id = await make_customer(depot.tenant)
    line = {"product_id": depot.product_id, "quantity": "1", "unit_price": "1"}
    body = {"customer_id": customer_id, "warehouse_id": depot.warehouse_id, "delivery_date": day_in(5), "lines": [line]}
    answer = await depot.tenant.client.post(ORDERS, json={**body, **fields})
    assert not answer.is_success, answer.text
    error = answer.json()["error"]
    return answer.status_code, error["code"], error["message"]


async def left(depot: Depot, day: str) -> list[tuple[str, int, int]]:
    """(begin, taken, left) of the windows of a day."""
    rows = await depot.tenant.get(SLOTS, warehouse_id=depot.warehouse_id, day=day)
    return sorted((row["window_from"], row["taken"], row["left"]) for row in rows)


async def test_a_warehouse_without_windows_takes_any(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    assert (await order_from(depot, window_from="06:15", window_until="06:30"))["window_from"] == "06:15:00"
    assert await farm.tenant.get(SLOTS) == []


async def test_a_window_is_taken_and_the_refusal_names_the_next(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    await offer(depot)
    await offer(depot, **NOON, capacity=2)
    await order_from(depot, delivery_date=day_in(5), **MORNING)
    assert await left(depot, day_in(5)) == [("09:00:00", 1, 0), ("11:00:00", 0, 2)]
    assert await left(depot, day_in(6)) == [("09:00:00", 0, 1), ("11:00:00", 0, 2)]
    status, code, message = await refused(depot, **MORNING)
    assert (status, code) == (409, "SLOT_FULL")
    assert f"the next that is free is 11:00-13:00 on {day_in(5)}" in message
    for _ in range(2):
        await order_from(depot, delivery_date=day_in(5), **NOON)
    assert f"the next that is free is 09:00-11:00 on {day_in(6)}" in (await refused(depot, **NOON))[2]


async def test_an_order_names_one_of_the_windows(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    await offer(depot)
    for fields in ({}, {"window_from": "09:00", "window_until": "10:00"}, NOON):
        status, code, message = await refused(depot, **fields)
        assert (status, code, "there are 09:00-11:00;" in message) == (422, "NO_SUCH_SLOT", True)
    assert await farm.tenant.get(ORDERS) == []


async def test_only_days_of_the_week_that_are_named_have_the_window(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    named = date.fromisoformat(day_in(5))
    await offer(depot, weekdays=[named.isoweekday()])
    assert (await order_from(depot, delivery_date=named.isoformat(), **MORNING))["status"] == "pending"
    next_day = (named + timedelta(days=1)).isoformat()
    assert "there are none;" in (await refused(depot, delivery_date=next_day, **MORNING))[2]
    assert await left(depot, next_day) == []


async def test_a_day_with_windows_of_its_own_has_no_others(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    await offer(depot)
    await offer(depot, weekdays=[], day=day_in(5), **NOON)
    assert await left(depot, day_in(5)) == [("11:00:00", 0, 1)]
    assert (await refused(depot, **MORNING))[1] == "NO_SUCH_SLOT"
    await order_from(depot, delivery_date=day_in(5), **NOON)
    await order_from(depot, delivery_date=day_in(6), **MORNING)


async def test_a_cancelled_order_gives_its_place_to_others(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    await offer(depot)
    order = await order_from(depot, delivery_date=day_in(5), **MORNING)
    await farm.tenant.post(f"{ORDERS}/{order['id']}/cancel", {"reason": "closed"})
    assert await left(depot, day_in(5)) == [("09:00:00", 0, 1)]
    await order_from(depot, delivery_date=day_in(5), **MORNING)


async def test_an_order_that_moves_takes_its_new_place_and_frees_the_old(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    await offer(depot)
    one, other = [await order_from(depot, delivery_date=day_in(day), **MORNING) for day in (5, 6)]
    answer = await farm.tenant.client.put(f"{ORDERS}/{one['id']}", json={"delivery_date": day_in(6)})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "SLOT_FULL")
    assert await left(depot, day_in(5)) == [("09:00:00", 1, 0)]
    await farm.tenant.put(f"{ORDERS}/{other['id']}", {"delivery_date": day_in(7)})
    await farm.tenant.put(f"{ORDERS}/{one['id']}", {"delivery_date": day_in(6)})
    assert [await left(depot, day_in(day)) for day in (5, 6, 7)] == [
        [("09:00:00", 0, 1)],
        [("09:00:00", 1, 0)],
        [("09:00:00", 1, 0)],
    ]


async def test_of_many_who_want_the_last_places_as_many_get_one_as_there_are(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    await offer(depot, capacity=3)
    customer_id = await make_customer(farm.tenant)
    line = {"product_id": depot.product_id, "quantity": "1", "unit_price": "1"}
    body = {"customer_id": customer_id, "warehouse_id": depot.warehouse_id, "delivery_date": day_in(5), "lines": [line]}

    async def order() -> int:
        return (await farm.tenant.client.post(ORDERS, json={**body, **MORNING})).status_code

    assert Counter(await asyncio.gather(*(order() for _ in range(8)))) == {201: 3, 409: 5}
    assert await left(depot, day_in(5)) == [("09:00:00", 3, 0)]
    assert len(await farm.tenant.get(ORDERS)) == 3


async def test_a_window_is_changed_and_withdrawn_and_orders_keep_their_place(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    slot = await offer(depot, capacity=2)
    await order_from(depot, delivery_date=day_in(5), **MORNING)
    assert (await farm.tenant.put(f"{SLOTS}/{slot['id']}", {"capacity": 0}))["capacity"] == 0
    assert await left(depot, day_in(5)) == [("09:00:00", 1, 0)]
    assert (await refused(depot, **MORNING))[1] == "SLOT_FULL"
    assert (await farm.tenant.client.delete(f"{SLOTS}/{slot['id']}")).status_code == 204
    assert await left(depot, day_in(5)) == []
    [kept] = await farm.tenant.get(SLOTS, warehouse_id=depot.warehouse_id)
    assert (kept["is_active"], kept["taken"]) == (False, None)
    # without any window it is as before
    await order_from(depot, delivery_date=day_in(5))
    again = await farm.tenant.put(f"{SLOTS}/{slot['id']}", {"is_active": True, "weekdays": [7, 1], "capacity": 4})
    assert (again["weekdays"], again["capacity"], again["is_active"]) == ([1, 7], 4, True)
    assert await farm.tenant.get(SLOTS, is_active=False) == []


async def test_a_window_says_who_took_it_and_who_changes_it_at_the_same_time_is_told(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    slot = await offer(depot, capacity=5)
    for days in (5, 5, 4):
        await order_from(depot, delivery_date=day_in(days), **MORNING)
    path = f"{SLOTS}/{slot['id']}"
    told = await farm.tenant.get(path)
    assert told["booked"] == [{"day": day_in(4), "taken": 1}, {"day": day_in(5), "taken": 2}]
    await farm.tenant.put(path, {"capacity": 6, "version": told["version"]})
    late = {"capacity": 7, "version": told["version"]}
    assert await heard_by(farm.tenant, "PUT", path, late) == (409, "STALE_VERSION")
    keeper = await make_keeper(farm, await make_warehouse(farm.tenant))
    assert await heard_by(keeper, "GET", path) == (404, "NOT_FOUND")


async def test_windows_that_cannot_be_meant_are_refused(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    dated = await offer(depot, weekdays=[], day=day_in(5))
    await offer(depot, weekdays=[1, 2])
    path, good = f"{SLOTS}/{dated['id']}", {"warehouse_id": depot.warehouse_id, "capacity": 1, **MORNING}
    wrong: list[tuple[str, str, dict[str, Any], tuple[int, str]]] = [
        ("POST", SLOTS, {**good}, (422, "BAD_SLOT")),
        ("POST", SLOTS, {**good, "weekdays": [3], "day": day_in(5)}, (422, "BAD_SLOT")),
        ("POST", SLOTS, {**good, "weekdays": [3], "window_until": "09:00"}, (422, "BAD_SLOT")),
        ("POST", SLOTS, {**good, "weekdays": [8]}, (422, "VALIDATION_FAILED")),
        ("POST", SLOTS, {**good, "weekdays": [3], "capacity": -1}, (422, "VALIDATION_FAILED")),
        ("POST", SLOTS, {**good, "weekdays": [2, 3]}, (409, "ALREADY_EXISTS")),
        ("POST", SLOTS, {**good, "day": day_in(5)}, (409, "ALREADY_EXISTS")),
        ("POST", SLOTS, {**good, "weekdays": [3], "warehouse_id": str(uuid.uuid4())}, (404, "NOT_FOUND")),
        ("PUT", path, {"weekdays": [1]}, (422, "BAD_SLOT")),
        ("PUT", f"{SLOTS}/{uuid.uuid4()}", {"capacity": 1}, (404, "NOT_FOUND")),
    ]
    for method, where, body, expected in wrong:
        assert await heard_by(farm.tenant, method, where, body) == expected, body
    assert len(await farm.tenant.get(SLOTS)) == 2


async def test_windows_are_the_stores_to_make_and_each_keepers_own(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    slot = await offer(depot)
    _, buyer = await make_buyer(farm)
    elsewhere = await make_warehouse(farm.tenant)
    keeper = await make_keeper(farm, elsewhere)
    body = {"warehouse_id": depot.warehouse_id, "weekdays": [1], "capacity": 1, **NOON}
    assert [row["id"] for row in await buyer.get(SLOTS)] == [slot["id"]]
    assert await heard_by(buyer, "POST", SLOTS, body) == (403, "FORBIDDEN")
    assert await heard_by(buyer, "DELETE", f"{SLOTS}/{slot['id']}") == (403, "FORBIDDEN")
    assert await keeper.get(SLOTS) == []
    assert await heard_by(keeper, "POST", SLOTS, body) == (404, "NOT_FOUND")
    assert await heard_by(keeper, "PUT", f"{SLOTS}/{slot['id']}", {"capacity": 9}) == (404, "NOT_FOUND")
    assert await heard_by(keeper, "DELETE", f"{SLOTS}/{slot['id']}") == (404, "NOT_FOUND")
    other = await make_order(
        farm.tenant, customer_id=await make_customer(farm.tenant), warehouse_id=elsewhere, product_id=depot.product_id
    )
    assert other["status"] == "pending"
