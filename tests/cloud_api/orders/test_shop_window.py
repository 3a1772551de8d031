"""Anybody may look into the shop window: what is offered, what it costs, and whether there is any, and no more."""

from tests.cloud_api.inventory.stock import hold
from tests.factories.farms import make_farm
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.orders import day_in, make_depot, order_from
from tests.factories.scopes import asked
from tests.factories.stores import ColdStore, make_product
from tests.platform_under_test import Platform, Tenant

pytestmark = IN_ONE_LOOP

SHOP = "/api/v1/catalog/products"
PRODUCTS = "/api/v1/warehouse/products"


async def window(farm: Platform, slug: str) -> list[dict[str, object]]:
    async with farm.client() as anybody:
        answer = await anybody.get(SHOP, params={"organization": slug})
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, object]] = answer.json()["data"]
    return rows


async def offer(tenant: Tenant, product_id: str, **fields: object) -> None:
    await tenant.put(f"{PRODUCTS}/{product_id}", {"is_b2c_available": True, **fields})


async def test_what_is_offered_is_shown_with_its_price_and_nothing_of_the_store(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    await make_product(farm.tenant)
    await offer(farm.tenant, depot.product_id, price="42.5", cost_price="17")
    [row] = await window(farm, farm.tenant.slug)
    assert row.keys() == {
        "id", "sku", "name", "description", "brand", "unit", "unit_weight_g", "price", "currency", "price_per",
        "is_available",
    }  # fmt: skip
    shown = (row["id"], row["price"], row["currency"], row["price_per"], row["is_available"])
    assert shown == (depot.product_id, "42.5000", "INR", "kg", True)
    await farm.tenant.put(f"{PRODUCTS}/{depot.product_id}", {"is_b2c_available": False})
    assert await window(farm, farm.tenant.slug) == []


async def test_there_is_none_when_all_of_it_is_promised_held_or_too_old(farm: Platform) -> None:
    depot = await make_depot(farm.tenant, quantity="4")
    await offer(farm.tenant, depot.product_id)
    order = await order_from(depot, quantity="4")
    assert [row["is_available"] for row in await window(farm, farm.tenant.slug)] == [True]
    await farm.tenant.post(f"/api/v1/orders/{order['id']}/confirm")
    assert [row["is_available"] for row in await window(farm, farm.tenant.slug)] == [False]
    await farm.tenant.post(f"/api/v1/orders/{order['id']}/cancel", {"reason": "closed"})
    store = ColdStore(farm.tenant, depot.warehouse_id, depot.room_id, depot.product_id, "", "", "")
    await hold(farm, store, "excursion:1")
    assert [row["is_available"] for row in await window(farm, farm.tenant.slug)] == [False]


async def test_the_price_is_that_of_the_list_in_force_for_one(farm: Platform) -> None:
    product_id = await make_product(farm.tenant, price="50")
    await offer(farm.tenant, product_id)
    path = f"{PRODUCTS}/{product_id}/prices"
    lists = [
        (-9, [("0", "40")]),
        (-2, [("0", "45"), ("1", "44"), ("10", "30")]),
        (3, [("0", "1")]),
    ]
    for days, lines in lists:
        priced = [{"min_quantity": least, "price": price} for least, price in lines]
        await farm.tenant.put(path, {"valid_from": day_in(days), "lines": priced})
    quoted = await farm.tenant.get(f"{PRODUCTS}/{product_id}/price", quantity="1")
    [row] = await window(farm, farm.tenant.slug)
    assert row["price"] == quoted["unit_price"] == "44.0000"
    await farm.tenant.put(path, {"valid_from": day_in(-1), "lines": [{"min_quantity": "5", "price": "20"}]})
    [row] = await window(farm, farm.tenant.slug)
    assert row["price"] == "50.0000"


async def test_a_shop_that_is_not_there_is_an_empty_one(farm: Platform) -> None:
    stranger = await make_farm(farm)
    await offer(farm.tenant, await make_product(farm.tenant))
    assert await window(farm, "no-such-farm") == await window(farm, stranger.slug) == []
    async with farm.client() as anybody:
        assert (await anybody.get(SHOP)).status_code == 422


async def test_a_full_window_costs_as_many_questions_as_an_empty_one(farm: Platform) -> None:
    whose = {"organization": farm.tenant.slug}
    empty = await asked(farm, farm.tenant, SHOP, **whose)
    for _ in range(3):
        await offer(farm.tenant, await make_product(farm.tenant))
    assert await asked(farm, farm.tenant, SHOP, **whose) == empty <= 6


async def test_a_long_window_comes_in_pages(farm: Platform) -> None:
    ids = [await make_product(farm.tenant) for _ in range(3)]
    for product_id in ids:
        await offer(farm.tenant, product_id)
    async with farm.client() as anybody:
        first = (await anybody.get(SHOP, params={"organization": farm.tenant.slug, "limit": 2})).json()
        cursor = first["meta"]["next_cursor"]
        rest = (await anybody.get(SHOP, params={"organization": farm.tenant.slug, "cursor": cursor})).json()
    assert [row["id"] for row in (*first["data"], *rest["data"])] == ids[::-1]
