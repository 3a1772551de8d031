"""What an order knows when it is taken: what it costs, from where it comes, who is reached how, and what there is."""

import asyncio
from typing import Any

from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.orders import Depot, day_in, make_customer, make_depot, order_from, receive_lot
from tests.factories.scopes import heard_by, make_buyer, make_keeper
from tests.factories.stores import make_product, make_warehouse
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

ORDERS = "/api/v1/orders"
CUSTOMERS = "/api/v1/customers"
PRODUCTS = "/api/v1/warehouse/products"


async def take(depot: Depot, **fields: Any) -> Any:
    body = {"warehouse_id": depot.warehouse_id, "delivery_date": day_in(5), **fields}
    if "customer_id" not in body:
        body["customer_id"] = await make_customer(depot.tenant)
    return await depot.tenant.post(ORDERS, body)


async def test_a_line_without_a_price_costs_what_the_catalogue_asks(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    await farm.tenant.put(f"{PRODUCTS}/{depot.product_id}", {"price": "50"})
    steps = [{"min_quantity": "0", "price": "45"}, {"min_quantity": "10", "price": "40.5"}]
    await farm.tenant.put(f"{PRODUCTS}/{depot.product_id}/prices", {"valid_from": day_in(-1), "lines": steps})
    order = await take(depot, lines=[{"product_id": depot.product_id, "quantity": "12"}])
    assert (order["lines"][0]["unit_price"], order["total_minor"]) == ("40.5000", 48600)
    fewer = {"lines": [{"product_id": depot.product_id, "quantity": "2"}]}
    after = await farm.tenant.put(f"{ORDERS}/{order['id']}", fewer)
    assert (after["lines"][0]["unit_price"], after["total_minor"]) == ("45.0000", 9000)


async def test_an_agreed_price_stays_whatever_is_taken(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    await farm.tenant.put(f"{PRODUCTS}/{depot.product_id}", {"price": "50"})
    order = await take(depot, lines=[{"product_id": depot.product_id, "quantity": "2", "unit_price": "31"}])
    fewer = {"lines": [{"product_id": depot.product_id, "quantity": "1"}]}
    assert (await farm.tenant.put(f"{ORDERS}/{order['id']}", fewer))["total_minor"] == 3100


async def test_a_piece_of_what_is_weighed_costs_what_it_weighs_about(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    facts = {"unit": "piece", "catch_weight": True, "unit_weight_g": 1250, "price": "80"}
    chicken = await make_product(farm.tenant, **facts)
    order = await take(depot, lines=[{"product_id": chicken, "quantity": "3"}])
    assert (order["lines"][0]["unit_price"], order["total_minor"]) == ("100.0000", 30000)


async def test_what_nobody_priced_is_refused(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    line = {"product_id": depot.product_id, "quantity": "1"}
    body = {"customer_id": await make_customer(farm.tenant), "delivery_date": day_in(5), "lines": [line]}
    assert await heard_by(farm.tenant, "POST", ORDERS, body) == (404, "NO_PRICE")
    assert await farm.tenant.get(ORDERS) == []


async def test_who_orders_for_themselves_says_no_price(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    _, buyer = await make_buyer(farm)
    line = {"product_id": depot.product_id, "quantity": "1", "unit_price": "0.01"}
    body = {"warehouse_id": depot.warehouse_id, "delivery_date": day_in(5), "lines": [line]}
    answer = await buyer.client.post(ORDERS, json=body)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (422, "PRICE_IS_THE_STORES")
    assert error["details"][0]["field"] == "lines.0.unit_price"


async def test_the_only_warehouse_or_the_default_one_need_not_be_named(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    line = {"product_id": depot.product_id, "quantity": "1", "unit_price": "1"}
    body = {"customer_id": await make_customer(farm.tenant), "delivery_date": day_in(5), "lines": [line]}
    assert (await farm.tenant.post(ORDERS, body))["warehouse_id"] == depot.warehouse_id
    other = await make_warehouse(farm.tenant, code="NORTH")
    assert await heard_by(farm.tenant, "POST", ORDERS, body) == (422, "WAREHOUSE_NEEDED")
    keeper = await make_keeper(farm, depot.warehouse_id, role="org_admin")
    assert (await keeper.post(ORDERS, body))["warehouse_id"] == depot.warehouse_id
    await farm.tenant.put("/api/v1/admin/settings/orders.default_warehouse", {"value": "NORTH"})
    assert (await farm.tenant.post(ORDERS, body))["warehouse_id"] == other
    await farm.tenant.put(f"/api/v1/warehouse/warehouses/{other}", {"is_active": False})
    assert (await farm.tenant.post(ORDERS, body))["warehouse_id"] == depot.warehouse_id


async def test_an_order_keeps_how_its_customer_is_reached(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    customer_id = await make_customer(farm.tenant)
    reached = {"phone": "098765 43210", "email": "cook@green.example", "locale": "hi-IN"}
    await farm.tenant.put(f"{CUSTOMERS}/{customer_id}", reached)
    line = {"product_id": depot.product_id, "quantity": "1", "unit_price": "1"}
    order = await take(depot, customer_id=customer_id, lines=[line], payment_method="cod")
    expected = ("+919876543210", "cook@green.example", "hi-IN")
    assert (order["customer_phone"], order["customer_email"], order["locale"]) == expected
    assert (order["payment_method"], order["payment_status"]) == ("cod", "pending")
    await farm.tenant.put(f"{CUSTOMERS}/{customer_id}", {"phone": "", "locale": ""})
    kept = await farm.tenant.get(f"{ORDERS}/{order['id']}")
    assert (kept["customer_phone"], kept["locale"]) == ("+919876543210", "hi-IN")
    [row] = await farm.tenant.get(ORDERS)
    assert row.keys().isdisjoint({"customer_phone", "customer_email"})


async def test_whoever_orders_hears_at_once_what_could_be_promised(farm: Platform) -> None:
    depot = await make_depot(farm.tenant, quantity="3")
    room = {"product_id": depot.product_id, "location_id": depot.room_id}
    await receive_lot(farm.tenant, **room, lot_number="SOON", expires_on=day_in(4), quantity="50")
    rare = await make_product(farm.tenant)
    asked = [(depot.product_id, "2"), (rare, "1")]
    lines = [{"product_id": product_id, "quantity": quantity, "unit_price": "1"} for product_id, quantity in asked]
    order = await take(depot, lines=lines)
    assert [line["available"] for line in order["lines"]] == ["2.000", "0.000"]
    more = {"lines": [{"product_id": depot.product_id, "quantity": "5"}]}
    fuller = await farm.tenant.put(f"{ORDERS}/{order['id']}", more)
    assert [line["available"] for line in fuller["lines"]] == ["3.000"]
    sooner = await take(depot, lines=[{**lines[0], "quantity": "60"}], delivery_date=day_in(3))
    assert sooner["lines"][0]["available"] == "53.000"
    fits = await order_from(depot, quantity="53")
    await farm.tenant.post(f"{ORDERS}/{fits['id']}/confirm")
    assert (await farm.tenant.get(f"{ORDERS}/{sooner['id']}"))["lines"][0]["available"] == "0.000"
    assert (await farm.tenant.get(f"{ORDERS}/{fits['id']}"))["lines"][0]["available"] is None


async def test_a_look_at_the_stock_counts_what_the_customer_wants_it_to_keep(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    customer_id = await make_customer(farm.tenant)
    line = {"product_id": depot.product_id, "quantity": "1", "unit_price": "1"}
    order = await take(depot, customer_id=customer_id, lines=[line])
    await farm.tenant.put(f"{CUSTOMERS}/{customer_id}", {"min_remaining_shelf_life_days": 26})
    assert (await farm.tenant.get(f"{ORDERS}/{order['id']}"))["lines"][0]["available"] == "0.000"
    await farm.tenant.put(f"{CUSTOMERS}/{customer_id}", {"min_remaining_shelf_life_days": 25})
    assert (await farm.tenant.get(f"{ORDERS}/{order['id']}"))["lines"][0]["available"] == "1.000"


async def test_two_who_take_orders_at_once_both_get_a_number(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    taken = await asyncio.gather(*(order_from(depot) for _ in range(3)))
    assert len({order["number"] for order in taken}) == 3
