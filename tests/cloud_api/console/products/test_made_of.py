"""What bundles are made of, what so much of a product costs, and the keywords that products are found by."""

import httpx2

from tests.cloud_api.console.handling.rooms import invalid, make_rooms, page
from tests.cloud_api.console.screens import at_console
from tests.factories.farms import make_person
from tests.factories.orders import day_in
from tests.factories.stores import make_product
from tests.platform_under_test import Platform

PRODUCTS = "/api/v1/warehouse/products"
KEYWORDS = "/console/products/keywords"


async def test_a_bundle_says_how_many_can_be_made(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    rooms = await make_rooms(sqlite_platform.tenant)
    tenant = rooms.tenant
    await rooms.receive("SPIN-1", "7")
    herbs = await make_product(tenant, name="Herbs")
    box = await make_product(tenant, name="Salad box", product_type="bundle", unit="piece")
    at = f"/console/products/{box}/bundle"
    assert f'href="{at}"' in await page(console, f"/console/products/{box}")
    assert "Nobody has said what it is made of" in await page(console, at)
    assert "It is sold as it is" in await page(console, f"/console/products/{herbs}/bundle")

    typed = {"items.0.component_id": "", "items.0.quantity": "", "items.2.component_id": rooms.product_id}
    wrong = await console.post(at, data={**typed, "items.2.quantity": "much"})
    assert (wrong.status_code, invalid(wrong.text)) == (422, ["items.2.quantity"])
    assert 'value="much"' in wrong.text
    assert (await console.post(at, data={**typed, "items.2.quantity": "3"})).is_redirect
    assert "2 can be made" in await page(console, at)
    both = {**typed, "items.2.quantity": "3", "items.1.component_id": herbs, "items.1.quantity": "0.5"}
    assert (await console.post(at, data=both)).is_redirect
    assert "0 can be made" in await page(console, at)
    assert len(await tenant.get(f"{PRODUCTS}/{box}/bundle")) == 2
    twice = await console.post(at, data={**both, "items.1.component_id": rooms.product_id})
    assert twice.status_code == 422
    assert "alert-danger" in twice.text


async def test_a_price_is_asked_for_a_quantity_and_a_day(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    tenant = sqlite_platform.tenant
    product_id = await make_product(tenant, price="60")
    lines = [{"price": "50", "min_quantity": "0"}, {"price": "40", "min_quantity": "10"}]
    await tenant.put(f"{PRODUCTS}/{product_id}/prices", {"valid_from": day_in(5), "lines": lines})
    at = f"/console/products/{product_id}/price"
    assert f'hx-get="{at}"' in await page(console, f"/console/products/{product_id}")
    assert "data-figure" not in await page(console, at)
    for quantity, day, cost in (("2", day_in(0), "₹120.00"), ("2", day_in(6), "₹100.00"), ("12", day_in(6), "₹480.00")):
        assert cost in await page(console, f"{at}?quantity={quantity}&on={day}"), (quantity, day)
    assert invalid(await page(console, f"{at}?quantity=some&on={day_in(0)}")) == ["quantity"]


async def test_products_have_keywords_and_are_found_by_them(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    tenant = sqlite_platform.tenant
    product_id = await make_product(tenant, name="Hill spinach")
    await make_product(tenant, name="Coriander")
    assert "There are no keywords" in await page(console, KEYWORDS)
    nameless = await console.post(KEYWORDS, data={"name": "", "color": "#00ff00"})
    assert (nameless.status_code, invalid(nameless.text)) == (422, ["name"])
    typed = {"name": "Organic", "color": "#00aa00", "coloured": "true"}
    assert (await console.post(KEYWORDS, data=typed)).is_redirect
    [keyword] = await tenant.get("/api/v1/warehouse/tags")
    assert (keyword["name"], keyword["color"]) == ("Organic", "#00aa00")
    edit = f"/console/products/{product_id}/edit"
    product = await tenant.get(f"{PRODUCTS}/{product_id}")
    known = {name: product[name] for name in ("sku", "name", "product_type", "status")}
    assert f'value="{keyword["id"]}"' in await page(console, edit)
    assert (await console.post(edit, data={**known, "tag_ids": ["", keyword["id"]]})).is_redirect
    found = await page(console, f"/console/products?tag_id={keyword['id']}")
    assert "Hill spinach" in found
    assert "Coriander" not in found
    assert (await console.post(edit, data={**known, "tag_ids": [""]})).is_redirect
    assert (await tenant.get(f"{PRODUCTS}/{product_id}"))["tag_ids"] == []
    looker = await make_person(sqlite_platform, tenant, "viewer")
    async with at_console(sqlite_platform, looker) as looking:
        assert "New keyword" not in await page(looking, KEYWORDS)
        assert (await looking.post(f"{KEYWORDS}/{keyword['id']}/delete")).status_code == 403
    assert (await console.post(f"{KEYWORDS}/{keyword['id']}/delete")).is_redirect
    assert await tenant.get("/api/v1/warehouse/tags") == []
