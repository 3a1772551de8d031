"""How a product is offered: variants with prices of their own, packs, pictures, and the tree it is found in."""

import httpx2

from tests.cloud_api.console.handling.rooms import invalid, page
from tests.cloud_api.console.screens import at_console
from tests.cloud_api.media.samples import picture as drawn
from tests.factories.farms import make_person
from tests.factories.orders import day_in
from tests.factories.stores import make_product
from tests.platform_under_test import Platform

PRODUCTS = "/api/v1/warehouse/products"
CATEGORIES = f"{PRODUCTS}/categories"


async def test_a_variant_is_added_priced_changed_and_taken_away(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    tenant = sqlite_platform.tenant
    product_id = await make_product(tenant)
    at = f"/console/products/{product_id}"
    typed = {"name": "250 g pack", "sku": "SPIN-250", "price": "62.50", "unit_weight_g": "heavy"}
    wrong = await console.post(f"{at}/variants", data=typed)
    assert (wrong.status_code, invalid(wrong.text)) == (422, ["unit_weight_g"])
    assert 'value="250 g pack"' in wrong.text
    assert (await console.post(f"{at}/variants", data={**typed, "unit_weight_g": "250"})).is_redirect
    [variant] = await tenant.get(f"{PRODUCTS}/{product_id}/variants")
    prices = {"valid_from": day_in(0), "variant_id": variant["id"], "lines.0.price": "60", "lines.1.price": "55"}
    assert (await console.post(f"{at}/prices", data={**prices, "lines.1.min_quantity": "10"})).is_redirect
    shown = await page(console, at)
    assert "62.50" in shown
    assert f"From {day_in(0)} · 250 g pack" in shown
    one = f"{at}/variants/{variant['id']}"
    assert 'value="SPIN-250"' in await page(console, one)
    changed = {"name": "Quarter", "sku": "SPIN-250", "price": "", "unit_weight_g": "250"}
    assert (await console.post(one, data=changed)).is_redirect
    [variant] = await tenant.get(f"{PRODUCTS}/{product_id}/variants")
    assert (variant["name"], variant["price"], variant["is_active"]) == ("Quarter", None, False)
    await console.post(f"{at}/prices", data={"valid_from": day_in(0), "variant_id": variant["id"]})
    assert (await console.post(f"{one}/delete")).is_redirect
    assert await tenant.get(f"{PRODUCTS}/{product_id}/variants") == []
    assert (await console.get(one)).status_code == 404


async def test_packs_are_said_and_said_anew(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    product_id = await make_product(sqlite_platform.tenant)
    at = f"/console/products/{product_id}"
    crate = {"packs.1.unit": "crate", "packs.1.quantity": "12", "packs.1.of": "kg", "packs.1.per": ""}
    wrong = await console.post(f"{at}/packs", data={**crate, "packs.1.quantity": "-1"})
    assert (wrong.status_code, invalid(wrong.text)) == (422, ["packs.1.quantity"])
    bunch = {"packs.3.unit": "sheaf", "packs.3.quantity": "1", "packs.3.of": "kg", "packs.3.per": "8"}
    assert (await console.post(f"{at}/packs", data={**crate, **bunch})).is_redirect
    shown = await page(console, at)
    assert "1 crate holds 12 kg" in shown
    assert "1 sheaf holds 0.125 kg" in shown
    assert (await console.post(f"{at}/packs", data=crate)).is_redirect
    assert "sheaf" not in await page(console, at)


async def test_pictures_are_added_and_one_stands_for_the_product(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    tenant = sqlite_platform.tenant
    product_id = await make_product(tenant)
    at = f"/console/products/{product_id}"
    assert "Choose a picture first." in (await console.post(f"{at}/pictures", data={})).text
    no_picture = {"picture": ("list.jpg", b"not a picture", "image/jpeg")}
    refused = await console.post(f"{at}/pictures", files=no_picture)
    assert (refused.status_code, invalid(refused.text)) == (422, ["picture"])
    for name in ("front.png", "front again.png"):
        sent = {"picture": (name, drawn(), "image/png")}
        assert (await console.post(f"{at}/pictures", files=sent, data={"main": "true"})).is_redirect
    [image] = await tenant.get(f"{PRODUCTS}/{product_id}/images")
    picture = f"{at}/pictures/{image['media_id']}"
    assert picture in await page(console, at)
    assert (await console.get(picture)).headers["Content-Type"] == "image/webp"
    assert (await console.post(f"{picture}/main")).is_redirect
    assert (await console.post(f"{picture}/remove")).is_redirect
    assert await tenant.get(f"{PRODUCTS}/{product_id}/images") == []


async def test_categories_are_a_tree_that_is_moved_and_cut(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    tenant = sqlite_platform.tenant
    at = "/console/products/categories"
    assert "There are no categories" in await page(console, at)
    for name in ("Greens", "Leafy greens"):
        assert (await console.post(at, data={"name": name, "parent_id": "", "slug": ""})).is_redirect
    keys = {one["slug"]: one["id"] for one in await tenant.get(CATEGORIES)}
    greens, leafy = keys["greens"], keys["leafy-greens"]
    twice = await console.post(at, data={"name": "Greens", "parent_id": "", "slug": "more-greens"})
    assert (twice.status_code, invalid(twice.text)) == (409, ["name"])
    said = {"name": "Leaves", "slug": "leafy-greens", "parent_id": greens, "sort_order": "2", "is_active": "true"}
    assert (await console.post(f"{at}/{leafy}", data=said)).is_redirect
    assert 'data-depth="1"' in await page(console, at)
    form = await page(console, f"{at}/{greens}")
    assert f'value="{leafy}"' not in form, "nothing is offered that lies within it"
    ring = await console.post(f"{at}/{greens}", data={**said, "name": "Greens", "slug": "greens", "parent_id": leafy})
    assert (ring.status_code, invalid(ring.text)) == (409, ["parent_id"])
    product_id = await make_product(tenant)
    await tenant.put(f"{PRODUCTS}/{product_id}", {"category_id": leafy})
    assert "Leaves" in await page(console, f"/console/products/{product_id}")
    assert (await console.post(f"{at}/{leafy}/delete")).is_redirect
    assert (await tenant.get(f"{PRODUCTS}/{product_id}"))["category_id"] == greens


async def test_who_may_only_look_is_offered_none_of_it(sqlite_platform: Platform) -> None:
    tenant = sqlite_platform.tenant
    product_id = await make_product(tenant)
    category = await tenant.post(CATEGORIES, {"name": "Herbs", "slug": "herbs"})
    viewer = await make_person(sqlite_platform, tenant, "viewer")
    async with at_console(sqlite_platform, viewer) as client:
        shown = await page(client, f"/console/products/{product_id}")
        for words in ("A new variant", "Say what packs hold", "Another picture"):
            assert words not in shown
        assert "New category" not in await page(client, "/console/products/categories")
        assert (await client.get(f"/console/products/categories/{category['id']}")).status_code == 403
        for part in ("variants", "packs", "prices"):
            assert (await client.post(f"/console/products/{product_id}/{part}", data={"x": "y"})).status_code == 403
        sent = {"picture": ("front.png", drawn(), "image/png")}
        assert (await client.post(f"/console/products/{product_id}/pictures", files=sent)).status_code == 403
