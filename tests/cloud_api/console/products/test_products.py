"""Products: found, added, changed, priced and discontinued."""

from typing import Any

import httpx2

from tests.cloud_api.console.screens import Screen, at_console
from tests.factories.farms import make_person
from tests.factories.orders import day_in, make_depot
from tests.factories.stores import make_product
from tests.platform_under_test import Platform

PRODUCTS = "/api/v1/warehouse/products"
NEW = {"name": "Baby spinach", "sku": "SPIN-B", "unit": "kg", "product_type": "finished_good", "status": "active"}


async def test_a_product_is_added_with_what_was_typed(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    tenant = sqlite_platform.tenant
    assert "There are no products" in (await console.get("/console/products")).text
    assert (await console.get("/console/products/new")).status_code == 200
    typed = {
        **NEW, "unit_weight_g": "1000", "price": "182.50", "shelf_life_days": "9", "storage_temperature_min_c": "2",
        "storage_temperature_max_c": "5.5", "perishable": "yes", "gtin": "", "category_id": "",
        "is_b2c_available": "true",
    }  # fmt: skip
    done = await console.post("/console/products/new", data=typed)
    assert done.status_code == 303, done.text
    [product] = await tenant.get(PRODUCTS)
    assert done.headers["location"] == f"/console/products/{product['id']}"
    assert (product["storage_temperature_max_c"], product["shelf_life_days"], product["price"]) == (5.5, 9, "182.5000")
    assert (product["perishable"], product["is_b2c_available"], product["catch_weight"]) == (True, True, False)
    page = (await console.get(f"/console/products/{product['id']}")).text
    assert "2 … 5.5 °C" in page


async def test_what_is_wrong_stands_beside_its_field(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    typed = {**NEW, "name": "", "gtin": "12", "unit_weight_g": "heavy", "brand": "Green <Valley>"}
    refused = await console.post("/console/products/new", data=typed)
    assert refused.status_code == 422
    for name in ("name", "gtin", "unit_weight_g"):
        assert f'id="e-{name}"' in refused.text
    assert 'value="Green &lt;Valley&gt;"' in refused.text
    assert await sqlite_platform.tenant.get(PRODUCTS) == []
    await console.post("/console/products/new", data=NEW)
    twice = await console.post("/console/products/new", data=NEW)
    assert twice.status_code == 409
    assert 'id="e-sku"' in twice.text


async def test_a_change_does_not_overwrite_what_somebody_else_did(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    tenant = sqlite_platform.tenant
    product_id = await make_product(tenant, brand="Green Valley", gtin="04006381333931")
    before = await tenant.get(f"{PRODUCTS}/{product_id}")
    page = (await console.get(f"/console/products/{product_id}/edit")).text
    assert 'value="Green Valley"' in page
    typed: dict[str, Any] = {
        "name": "Chard", "sku": before["sku"], "product_type": "finished_good", "status": "active", "brand": "",
        "gtin": "", "price": "12", "perishable": "no", "version": str(before["version"]),
    }  # fmt: skip
    assert (await console.post(f"/console/products/{product_id}/edit", data=typed)).is_redirect
    after = await tenant.get(f"{PRODUCTS}/{product_id}")
    assert (after["name"], after["brand"], after["gtin"], after["unit"]) == ("Chard", "", None, before["unit"])
    late = await console.post(f"/console/products/{product_id}/edit", data={**typed, "name": "Kale"})
    assert late.status_code == 409
    assert 'value="Kale"' in late.text
    assert "Somebody else has changed it meanwhile" in late.text


async def test_products_are_found_by_their_beginning_and_in_order(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    tenant = sqlite_platform.tenant
    for name in ("Mint", "Basil", "Chives"):
        await make_product(tenant, name=name, sku=name.upper())
    category = await tenant.post(f"{PRODUCTS}/categories", {"name": "Herbs", "slug": "herbs"})
    mint = (await tenant.get(PRODUCTS, search="Mint"))[0]["id"]
    await tenant.put(f"{PRODUCTS}/{mint}", {"category_id": category["id"]})
    page = (await console.get("/console/products?sort=name")).text
    assert page.index(">Basil<") < page.index(">Chives<") < page.index(">Mint<")
    narrowed = (await console.get(f"/console/products?category_id={category['id']}")).text
    assert ">Mint<" in narrowed
    assert ">Basil<" not in narrowed
    assert ">Basil<" in (await console.get("/console/products?search=bas")).text
    assert "No product is like this" in (await console.get("/console/products?search=zzz")).text
    [found] = (await console.get("/console/products/suggest?q=bas")).json()
    assert (found["text"], found["note"]) == ("Basil", "BASIL")
    file = (await console.get(f"/console/products/export?category_id={category['id']}")).text
    assert [line.split(",")[:3] for line in file.splitlines()[1:]] == [["MINT", "Mint", "Herbs"]]
    assert {one["text"] for one in (await console.get("/console/products/suggest?q=")).json()} == {
        "Basil",
        "Chives",
        "Mint",
    }


async def test_prices_are_listed_and_a_wrong_line_is_shown_where_it_stands(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    tenant = sqlite_platform.tenant
    product_id = await make_product(tenant)
    lines = {"lines.0.price": "40", "lines.2.min_quantity": "20", "lines.2.price": "dear"}
    refused = await console.post(f"/console/products/{product_id}/prices", data={"valid_from": day_in(0), **lines})
    assert refused.status_code == 422
    assert 'id="e-lines.2.price"' in refused.text
    lines["lines.2.price"] = "36.5"
    done = await console.post(f"/console/products/{product_id}/prices", data={"valid_from": day_in(0), **lines})
    assert done.is_redirect
    prices = await tenant.get(f"{PRODUCTS}/{product_id}/prices")
    assert sorted(line["price"] for line in prices) == ["36.5000", "40.0000"]
    assert "36.50" in (await console.get(f"/console/products/{product_id}")).text


async def test_a_product_with_stock_is_not_discontinued(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    tenant = sqlite_platform.tenant
    depot = await make_depot(tenant)
    refused = await console.post(f"/console/products/{depot.product_id}/discontinue")
    assert refused.status_code == 409
    page = (await console.get(f"/console/products/{depot.product_id}")).text
    assert "LOT-1" in page
    assert f"/console/stock?product_id={depot.product_id}&amp;warehouse_id={depot.warehouse_id}" in page
    other = await make_product(tenant)
    assert (await console.post(f"/console/products/{other}/discontinue")).is_redirect
    assert (await tenant.get(f"{PRODUCTS}/{other}"))["status"] == "discontinued"


async def test_who_may_only_look_is_offered_nothing_else(sqlite_platform: Platform) -> None:
    product_id = await make_product(sqlite_platform.tenant)
    viewer = await make_person(sqlite_platform, sqlite_platform.tenant, "viewer")
    async with at_console(sqlite_platform, viewer) as client:
        assert "/console/products/new" not in (await client.get("/console/products")).text
        page = (await client.get(f"/console/products/{product_id}")).text
        assert f"/console/products/{product_id}/edit" not in page
        assert "A new price list" not in page
        for path in ("new", f"{product_id}/edit"):
            assert (await client.get(f"/console/products/{path}")).status_code == 403
            assert (await client.post(f"/console/products/{path}", data=NEW)).status_code == 403
        assert (await client.post(f"/console/products/{product_id}/discontinue")).status_code == 403


async def test_what_is_typed_is_completed_by_the_keyboard(screen: Screen, sqlite_platform: Platform) -> None:
    for name in ("Basil", "Basmati rice"):
        await make_product(sqlite_platform.tenant, name=name)
    page = screen.page
    await screen.open("/console/products")
    await page.fill("#q-search", "bas")
    await page.wait_for_selector("[role=option]")
    await screen.is_accessible()
    await page.press("#q-search", "Escape")
    assert await page.get_attribute("#q-search", "aria-expanded") == "false"
    await page.fill("#q-search", "basm")
    await page.wait_for_selector("[role=option]")
    await page.press("#q-search", "ArrowDown")
    await page.press("#q-search", "Enter")
    await page.wait_for_selector("h1:has-text('Basmati rice')")
    await screen.is_accessible()
    await page.click("text=Edit")
    await screen.is_accessible()
