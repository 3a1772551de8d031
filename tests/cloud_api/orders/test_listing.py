"""The list of orders: narrowed and sorted where the orders are, so that no page has to look through the newest."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.cloud_api.identity.staff import refusal
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.orders import day_in, make_depot, make_order, order_from, pack
from tests.factories.stores import make_warehouse
from tests.platform_under_test import Platform, Tenant

pytestmark = IN_ONE_LOOP

ORDERS = "/api/v1/orders"


async def numbers(tenant: Tenant, **query: Any) -> list[str]:
    """The numbers of the orders that a question finds, in its order."""
    return [order["number"] for order in await tenant.get(ORDERS, **query)]


async def pages(tenant: Tenant, **query: Any) -> AsyncIterator[list[dict[str, Any]]]:
    """Each page, by following the cursors."""
    cursor: str | None = None
    while True:
        asked = {**query, **({"cursor": cursor} if cursor else {})}
        answer = (await tenant.client.get(ORDERS, params=asked)).json()
        yield answer["data"]
        cursor = answer["meta"]["next_cursor"]
        if cursor is None:
            return


async def test_orders_are_found_by_day_warehouse_window_and_payment(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    tenant = depot.tenant
    hours = {"window_from": "09:00", "window_until": "11:00"}
    soon = await order_from(depot, payment_method="cod")
    later = await order_from(depot, delivery_date=day_in(5))
    asked = {"warehouse_id": depot.warehouse_id, "weekdays": [1, 2, 3, 4, 5, 6, 7], "capacity": 5, **hours}
    slot = await tenant.post(f"{ORDERS}/slots", asked)
    latest = await order_from(depot, delivery_date=day_in(7), **hours)
    found = {
        ("delivery_date", day_in(5)): [later],
        ("from", day_in(5)): [latest, later],
        ("to", day_in(5)): [later, soon],
        ("slot_id", slot["id"]): [latest],
        ("line_id", later["lines"][0]["id"]): [later],
        ("payment_method", "cod"): [soon],
        ("payment_status", "paid"): [],
        ("warehouse_id", depot.warehouse_id): [latest, later, soon],
        ("warehouse_id", await make_warehouse(tenant)): [],
    }
    for (name, value), orders in found.items():
        assert await numbers(tenant, **{name: value}) == [order["number"] for order in orders], (name, value)
    assert await numbers(tenant, **{"from": day_in(2), "to": day_in(6)}) == [later["number"]]


async def test_a_state_that_there_is_not_is_refused(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    for query in ({"status": "lost"}, {"sort": "colour"}, {"delivery_date": "someday"}, {"payment_status": "often"}):
        assert (await depot.tenant.client.get(ORDERS, params=query)).status_code == 422, query


async def test_orders_are_found_by_number_name_and_the_end_of_a_phone_number(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    tenant = depot.tenant
    one, other = await order_from(depot), await order_from(depot)
    await tenant.put(f"/api/v1/customers/{one['customer_id']}", {"name": "Hotel Ashoka", "phone": "+91 98765 43210"})
    goods = {"warehouse_id": depot.warehouse_id, "product_id": depot.product_id}
    named = await make_order(tenant, customer_id=one["customer_id"], **goods)
    hers = [named["number"], one["number"]]
    assert await numbers(tenant, search=other["number"]) == [other["number"]]
    # an order keeps the name that it was taken under
    assert await numbers(tenant, search="ashoka hot") == [named["number"]]
    for typed in ("43210", "98765 43210", "+91 98765 43210", "098765-43210"):
        assert await numbers(tenant, search=typed) == hers, typed
    for typed in ("98765", "nobody", "...", "%"):
        assert await numbers(tenant, search=typed) == [], typed


@pytest.mark.parametrize("sort", ["total", "-total", "customer_name", "-delivery_date", "created_at"])
async def test_sorted_pages_have_every_order_once_whatever_comes_meanwhile(farm: Platform, sort: str) -> None:
    depot = await make_depot(farm.tenant)
    tenant = depot.tenant
    made = []
    for amount, day in (("3", 2), ("1", 1), ("3", 1), ("2", 3), ("1", 2)):
        made.append(await order_from(depot, quantity=amount, delivery_date=day_in(day)))
    seen: list[dict[str, Any]] = []
    async for page in pages(tenant, sort=sort, limit=2):
        seen += page
        await order_from(depot, quantity="1", delivery_date=day_in(2))
    ours = {order["id"] for order in made}
    assert sorted(order["id"] for order in seen if order["id"] in ours) == sorted(ours)
    field = {"total": "total_minor", "created_at": "id"}.get(sort.lstrip("-"), sort.lstrip("-"))
    keys = [(order[field], order["id"]) for order in seen]
    assert keys == sorted(keys, reverse=sort.startswith("-"))


async def test_a_cursor_goes_on_only_where_it_came_from(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    for _ in range(3):
        await order_from(depot)
    answer = await depot.tenant.client.get(ORDERS, params={"sort": "total", "limit": 1})
    cursor = answer.json()["meta"]["next_cursor"]
    for sort in ("-total", "customer_name", "delivery_date", "-created_at"):
        other = await depot.tenant.client.get(ORDERS, params={"sort": sort, "limit": 1, "cursor": cursor})
        assert refusal(other) == (422, "BAD_CURSOR"), sort


async def test_what_was_ordered_comes_with_the_orders(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    order = await order_from(depot, quantity="2.5")
    await pack(depot.tenant, order["id"])
    await order_from(depot, delivery_date=day_in(4))
    [told] = await depot.tenant.get(f"{ORDERS}/lines", delivery_date=day_in(1))
    assert told["number"] == order["number"]
    [line] = told["lines"]
    assert (line["product_id"], line["quantity"], line["packed_quantity"]) == (depot.product_id, "2.500", "2.500")
