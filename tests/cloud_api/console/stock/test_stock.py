"""What lies where: found, corrected, held, released and written into a file."""

import httpx2

from tests.cloud_api.cold_chain.stories import Story
from tests.cloud_api.console.screens import Screen, at_console
from tests.factories.farms import make_person
from tests.factories.orders import day_in, make_depot, order_from, receive_lot
from tests.factories.stores import make_cold_store, make_product, make_room, make_warehouse
from tests.platform_under_test import Platform

LEVELS = "/api/v1/warehouse/stock/levels"


async def test_stock_without_any_says_what_to_do(console: httpx2.AsyncClient) -> None:
    page = (await console.get("/console/stock")).text
    assert "Nothing is in stock" in page
    assert "/console/receiving" in page
    for path, words in (
        ("/console/stock/by-product", "Nothing is in stock"),
        ("/console/stock/holds", "Nothing is on hold"),
        ("/console/stock/reservations", "Nothing is reserved"),
    ):
        assert words in (await console.get(path)).text


async def test_a_word_finds_products_lots_and_places(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    tenant = sqlite_platform.tenant
    warehouse_id = await make_warehouse(tenant, name="Hosur road")
    rooms = [await make_room(tenant, warehouse_id, name=name) for name in ("Blast chiller", "Ante room")]
    for name, lot, room_id in (("Baby spinach", "SPIN-7", rooms[0]), ("Coriander", "CORI-9", rooms[1])):
        product_id = await make_product(tenant, name=name, sku=lot)
        await receive_lot(tenant, product_id=product_id, location_id=room_id, lot_number=lot)
    for word, there, away in (
        ("spinach", "SPIN-7", "CORI-9"),
        ("CORI-9", "Coriander", "Baby spinach"),
        ("blast", "SPIN-7", "CORI-9"),
    ):
        page = (await console.get("/console/stock", params={"search": word})).text
        assert there in page, word
        assert away not in page, word
    both = (await console.get("/console/stock", params={"warehouse_id": warehouse_id})).text
    assert "SPIN-7" in both
    assert "CORI-9" in both
    assert "Nothing like that lies anywhere" in (await console.get("/console/stock?search=zzzz")).text
    found = (await console.get("/console/stock/suggest?q=spin")).json()
    assert {"Baby spinach", "Baby spinach SPIN-7"} == {one["text"] for one in found}


async def test_what_is_reserved_held_and_worth_is_said(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    tenant = sqlite_platform.tenant
    depot = await make_depot(tenant)
    order = await order_from(depot)
    await tenant.post(f"/api/v1/orders/{order['id']}/confirm")
    [level] = await tenant.get(LEVELS)
    assert f"/console/stock/reservations?lot_id={level['lot_id']}" in (await console.get("/console/stock")).text
    assert "an order" in (await console.get("/console/stock/reservations")).text
    await tenant.post(f"/api/v1/warehouse/batches/{level['lot_id']}/hold", {"reason": "smells of smoke"})
    page = (await console.get("/console/stock?status=on_hold")).text
    assert "smells of smoke" in page
    figures = (await console.get("/console/stock/figures")).text
    assert 'data-figure="Worth">₹' in figures
    assert 'data-figure="On hold">1<' in figures
    assert "Spinach" in (await console.get("/console/stock/by-product?method=average")).text


async def test_a_correction_needs_a_reason_and_keeps_what_was_typed(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    tenant = sqlite_platform.tenant
    await make_depot(tenant)
    [level] = await tenant.get(LEVELS)
    wanted = {"lot_id": level["lot_id"], "location_id": level["location_id"]}
    assert "LOT-1" in (await console.get("/console/stock/adjust", params=wanted)).text
    assert "LOT-1" in (await console.get("/console/stock/adjust", params={"lot_id": level["lot_id"]})).text
    assert "Which lot?" in (await console.get("/console/stock/adjust")).text
    refused = await console.post("/console/stock/adjust", data={**wanted, "counted": "90.5", "reason": ""})
    assert refused.status_code == 422
    assert 'id="e-reason"' in refused.text
    assert 'value="90.5"' in refused.text
    taken = await console.post("/console/stock/adjust", data={**wanted, "counted": "90.5", "reason": "Damaged"})
    assert (taken.status_code, taken.headers["location"]) == (303, f"/console/stock?lot_id={level['lot_id']}")
    [level] = await tenant.get(LEVELS)
    assert level["on_hand"] == "90.500"


async def test_a_hold_is_released_with_its_reason(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    tenant = sqlite_platform.tenant
    await make_depot(tenant)
    [level] = await tenant.get(LEVELS)
    await tenant.post(f"/api/v1/warehouse/batches/{level['lot_id']}/hold", {"reason": "smells of smoke"})
    [hold] = await tenant.get("/api/v1/warehouse/stock/holds")
    assert "smells of smoke" in (await console.get("/console/stock/holds")).text
    refused = await console.post(f"/console/stock/holds/{hold['id']}/release", data={"reason": ""})
    assert refused.status_code == 422
    assert 'id="e-reason"' in refused.text
    done = await console.post(f"/console/stock/holds/{hold['id']}/release", data={"reason": "it was the tractor"})
    assert done.status_code == 303
    assert "it was the tractor" in (await console.get(f"/console/stock/holds/{hold['id']}")).text
    [level] = await tenant.get(LEVELS)
    assert level["status"] == "available"


async def test_held_stock_is_rejected(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    tenant = sqlite_platform.tenant
    await make_depot(tenant)
    [level] = await tenant.get(LEVELS)
    await tenant.post(f"/api/v1/warehouse/batches/{level['lot_id']}/hold", {"reason": "smells of smoke"})
    [hold] = await tenant.get("/api/v1/warehouse/stock/holds")
    said = {"reason": "it is smoke", "disposition": "waste"}
    assert (await console.post(f"/console/stock/holds/{hold['id']}/reject", data=said)).status_code == 303
    [hold] = await tenant.get("/api/v1/warehouse/stock/holds")
    assert hold["levels"][0]["disposition"] == "waste"


async def test_the_file_has_names_and_no_formulas(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    tenant = sqlite_platform.tenant
    room_id = await make_room(tenant, await make_warehouse(tenant))
    product_id = await make_product(tenant, name='=HYPERLINK("x")')
    await receive_lot(tenant, product_id=product_id, location_id=room_id, lot_number="SPIN-7", expires_on=day_in(3))
    file = await console.get("/console/stock/export")
    assert file.headers["Content-Type"].startswith("text/csv")
    head, row = file.content.decode("utf-8-sig").splitlines()
    assert head.startswith("Product,Number,Lot,Place,Warehouse,On hand")
    assert row.startswith('"\'=HYPERLINK(""x"")"')
    assert f"SPIN-7,Cold room {row.split('Cold room ')[1].split(',')[0]}" in row
    assert day_in(3) in row
    for words, rows in (("SPIN-7", 2), ("zzzz", 1)):
        assert len((await console.get(f"/console/stock/export?search={words}")).text.splitlines()) == rows
    sheet = await console.get("/console/stock/export?format=xlsx")
    assert sheet.content.startswith(b"PK")
    by_product = (await console.get("/console/stock/by-product/export")).text.splitlines()
    assert (len(by_product), "100.000" in by_product[1]) == (2, True)


async def test_stock_stands_in_the_order_that_is_asked_for(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    tenant = sqlite_platform.tenant
    room_id = await make_room(tenant, await make_warehouse(tenant))
    for name, days in (("Mint", 9), ("Basil", 2)):
        product_id = await make_product(tenant, name=name)
        await receive_lot(
            tenant, product_id=product_id, location_id=room_id, lot_number=f"LOT-{name}", expires_on=day_in(days)
        )
    for sort, first, second in (("product", "Basil", "Mint"), ("-keeps_until", "Mint", "Basil")):
        page = (await console.get(f"/console/stock?sort={sort}")).text
        assert page.index(f"LOT-{first}") < page.index(f"LOT-{second}"), sort
    assert "Basil" in (await console.get("/console/stock/part?sort=product")).text


async def test_who_may_only_look_is_offered_nothing_else(sqlite_platform: Platform) -> None:
    await make_depot(sqlite_platform.tenant)
    viewer = await make_person(sqlite_platform, sqlite_platform.tenant, "viewer")
    async with at_console(sqlite_platform, viewer) as client:
        page = await client.get("/console/stock")
        assert page.status_code == 200
        assert "LOT-1" in page.text
        assert "/console/stock/adjust" not in page.text
        assert (await client.get("/console/stock/adjust")).status_code == 403
        assert (await client.post("/console/stock/adjust", data={"reason": "x"})).status_code == 403
    customer = await make_person(sqlite_platform, sqlite_platform.tenant, "customer")
    async with at_console(sqlite_platform, customer) as client:
        assert (await client.get("/console/stock")).status_code == 403


async def test_somebody_finds_a_lot_sees_its_way_holds_it_and_releases_it(
    screen: Screen, sqlite_platform: Platform
) -> None:
    tenant, page = sqlite_platform.tenant, screen.page
    store = await make_cold_store(sqlite_platform)
    await tenant.put(f"/api/v1/warehouse/products/{store.product_id}", {"name": "Baby spinach"})
    sqlite_platform.database.on_announced = sqlite_platform.app.state.hub.announce_all
    story = Story(sqlite_platform, store)
    await story.receive(0, lot="SPIN-7")
    await story.measure([4.0 + minute % 3 for minute in range(180)])
    await screen.open("/console/stock")
    await page.wait_for_selector('[data-figure="Worth"]')
    await screen.is_accessible()
    await receive_lot(tenant, product_id=store.product_id, location_id=store.room_id, lot_number="SPIN-8")
    await page.wait_for_selector("text=SPIN-8")
    await page.fill("#q-search", "spi")
    await page.wait_for_selector("[role=option]")
    await page.press("#q-search", "ArrowDown")
    await page.press("#q-search", "Enter")
    await page.wait_for_url(f"**/console/stock?product_id={store.product_id}")
    await page.click("text=SPIN-7")
    await page.wait_for_url("**/console/lots/*")
    assert "Cold room" in (await page.locator("[data-trace]").text_content() or "")
    await page.wait_for_selector("[data-chart] canvas")
    await screen.is_accessible()
    await page.click("text=Put on hold")
    await page.fill("#f-reason", "Two crates smell")
    await screen.is_accessible()
    await page.click("main button[type=submit]")
    await page.wait_for_selector("main [data-state=on_hold]")
    await page.click("header >> text=Release")
    await page.fill("#f-reason", "The laboratory says it is good")
    await page.click("main button[type=submit]")
    await page.wait_for_selector("main [data-state=available]")
    assert {level["status"] for level in await tenant.get(LEVELS)} == {"available"}
