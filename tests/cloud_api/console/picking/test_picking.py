"""Picking at the console: lists, what was taken and what was not there, the boxes, the counter."""

import csv
import io

import httpx2
import pytest

from tests.cloud_api.console.screens import Screen, at_console, screen_of, served
from tests.cloud_api.inventory.sightings.tagged import make_scale, send, weighing
from tests.factories.farms import make_person, plant_store
from tests.factories.orders import Depot, day_in, make_depot, order_from, pack, receive_lot
from tests.factories.stores import make_product
from tests.platform_under_test import Platform

PICKING = "/console/picking"


@pytest.fixture
async def depot(sqlite_platform: Platform) -> Depot:
    """A store with spinach."""
    return await make_depot(sqlite_platform.tenant)


async def _confirmed(depot: Depot, **fields: str) -> dict[str, str]:
    order = await order_from(depot, **fields)
    confirmed = await depot.tenant.post(f"/api/v1/orders/{order['id']}/confirm")
    line = confirmed["lines"][0]
    [lot] = line["allocations"]
    row = {"line_id": line["id"], "lot_id": lot["lot_id"], "location_id": lot["location_id"]}
    return {"order_id": order["id"], "number": order["number"], **row}


async def test_without_lists_the_page_says_what_to_do(console: httpx2.AsyncClient) -> None:
    page = await console.get(PICKING)
    assert "There are no pick lists yet" in page.text
    assert 'href="/console/picking/new"' in page.text


async def test_orders_are_put_on_a_list_and_walked(console: httpx2.AsyncClient, depot: Depot) -> None:
    one, other = await _confirmed(depot), await _confirmed(depot)
    form = await console.get(f"{PICKING}/new")
    assert one["number"] in form.text
    chosen = {"warehouse_id": depot.warehouse_id, "order_ids": [one["order_id"]], "note": "early"}
    made = await console.post(f"{PICKING}/new", data=chosen)
    address = made.headers["location"]
    page = await console.get(address)
    assert one["number"] in page.text
    assert other["number"] not in page.text
    assert "0 taken, 1 to take" in page.text

    row = {name: one[name] for name in ("order_id", "line_id", "lot_id", "location_id")}
    wrong = await console.post(f"{address}/take", data=row | {"quantity": "9"})
    assert wrong.status_code == 409
    assert "is-invalid" in wrong.text
    assert 'value="9"' in wrong.text
    taken = await console.post(f"{address}/take", data=row | {"quantity": "4"})
    assert taken.status_code == 200
    assert 'data-state="done"' in (await console.get(address)).text
    assert "early" in (await console.get(PICKING)).text


async def test_nothing_that_waits_makes_no_list(console: httpx2.AsyncClient, depot: Depot) -> None:
    page = await console.post(
        f"{PICKING}/new", data={"warehouse_id": depot.warehouse_id, "delivery_date": "2030-01-01", "note": "early"}
    )
    assert page.status_code == 409
    assert "alert-danger" in page.text or "invalid-feedback" in page.text
    assert 'value="early"' in page.text


async def test_those_of_the_day_that_is_chosen_can_be_put_on_a_list(console: httpx2.AsyncClient, depot: Depot) -> None:
    soon, later = await _confirmed(depot), await _confirmed(depot, delivery_date=day_in(5))
    part = await console.get(f"{PICKING}/new/waiting?delivery_date={day_in(5)}&warehouse_id={depot.warehouse_id}")
    assert later["number"] in part.text
    assert soon["number"] not in part.text
    assert "No order of this day" in (await console.get(f"{PICKING}/new/waiting?delivery_date={day_in(9)}")).text


async def test_lists_and_the_walk_are_files(console: httpx2.AsyncClient, depot: Depot) -> None:
    one = await _confirmed(depot)
    chosen = {"warehouse_id": depot.warehouse_id, "order_ids": [one["order_id"]], "note": "early"}
    address = (await console.post(f"{PICKING}/new", data=chosen)).headers["location"]
    lists = await console.get(f"{PICKING}/export?status=open")
    [row] = csv.DictReader(io.StringIO(lists.content.decode("utf-8-sig")))
    assert (row["Status"], row["Note"]) == ("Open", "early")
    assert row["Made by"]
    walk = await console.get(f"{address}/export")
    [line] = csv.DictReader(io.StringIO(walk.content.decode("utf-8-sig")))
    assert (line["Lot"], line["Quantity"], line["Taken"]) == ("LOT-1", "4.000", "False")


async def test_a_scale_says_how_much_was_taken(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    store = await plant_store(sqlite_platform, sqlite_platform.tenant)
    await make_scale(store, tare_kg=0.0)
    await receive_lot(store.tenant, product_id=store.product_id, location_id=store.room_id)
    one = await _confirmed(Depot(store.tenant, store.warehouse_id, store.room_id, store.product_id))
    await send(sqlite_platform, store, "weights", weighing(1, 4.02, basis="net"))
    [weight] = await store.tenant.get("/api/v1/telemetry/weights")
    address = f"{PICKING}/orders/{one['order_id']}"
    assert f'value="{weight["id"]}"' in (await console.get(address)).text
    row = {name: one[name] for name in ("order_id", "line_id", "lot_id", "location_id")}
    taken = await console.post(f"{address}/take", data=row | {"quantity": "4", "weight_id": weight["id"]})
    assert taken.status_code == 200, taken.text
    order = await store.tenant.get(f"/api/v1/orders/{one['order_id']}")
    assert order["lines"][0]["allocations"][0]["quantity"] == "4.020"


async def test_a_list_is_begun_and_given_up(console: httpx2.AsyncClient, depot: Depot) -> None:
    one = await _confirmed(depot)
    made = await console.post(
        f"{PICKING}/new", data={"warehouse_id": depot.warehouse_id, "order_ids": [one["order_id"]]}
    )
    address = made.headers["location"]
    assert (await console.post(f"{address}/start")).status_code == 303
    assert 'data-state="picking"' in (await console.get(address)).text
    assert (await console.post(f"{address}/cancel")).status_code == 303
    assert 'data-state="cancelled"' in (await console.get(address)).text
    assert (await console.post(f"{address}/burn")).status_code == 404


async def test_what_is_not_there_is_said_with_its_reason(console: httpx2.AsyncClient, depot: Depot) -> None:
    one = await _confirmed(depot)
    address = f"{PICKING}/orders/{one['order_id']}/lines/{one['line_id']}"
    assert "It is not there" in (await console.get(address)).text
    without = await console.post(address, data={"kind": "short", "short_reason": ""})
    assert without.status_code == 422
    assert 'id="e-short_reason"' in without.text
    sent = await console.post(address, data={"kind": "short", "short_reason": "the crate is empty"})
    assert sent.headers["location"] == f"{PICKING}/orders/{one['order_id']}"
    order = await depot.tenant.get(f"/api/v1/orders/{one['order_id']}")
    assert order["lines"][0]["fulfillment_status"] in {"backordered", "cancelled"}


async def test_another_lot_takes_the_place_of_the_promised_one(console: httpx2.AsyncClient, depot: Depot) -> None:
    one = await _confirmed(depot)
    fresh = await receive_lot(
        depot.tenant, product_id=depot.product_id, location_id=depot.room_id, lot_number="LOT-2", quantity="10.000"
    )
    address = f"{PICKING}/orders/{one['order_id']}/lines/{one['line_id']}"
    assert "LOT-2" in (await console.get(address)).text
    typed = {"kind": "lot", "lot": f"{fresh['lot_id']}|{depot.room_id}", "quantity": "4"}
    refused = await console.post(address, data=typed)
    assert refused.status_code == 409
    assert 'id="e-lot"' in refused.text
    assert (await console.post(address, data=typed | {"swap": "true"})).status_code == 303
    order = await depot.tenant.get(f"/api/v1/orders/{one['order_id']}")
    assert [lot["lot_number"] for lot in order["lines"][0]["allocations"]] == ["LOT-2"]


async def test_something_else_goes_into_the_box_when_the_customer_agreed(
    console: httpx2.AsyncClient, depot: Depot
) -> None:
    one = await _confirmed(depot)
    leek = await make_product(depot.tenant, name="Leek", sku="LEEK-1")
    await receive_lot(depot.tenant, product_id=leek, location_id=depot.room_id, lot_number="LOT-3")
    address = f"{PICKING}/orders/{one['order_id']}/lines/{one['line_id']}"
    typed = {"kind": "substitute", "product_id": leek, "quantity": "4", "reason": "sold out"}
    refused = await console.post(address, data=typed)
    assert refused.status_code == 422
    assert "the customer has to agree" in refused.text
    assert 'value="sold out"' in refused.text
    assert (await console.post(address, data=typed | {"agreed": "true"})).status_code == 303
    order = await depot.tenant.get(f"/api/v1/orders/{one['order_id']}")
    assert leek in {line["product_id"] for line in order["lines"]}


async def test_boxes_are_closed_and_handed_over_at_the_counter(console: httpx2.AsyncClient, depot: Depot) -> None:
    one = await _confirmed(depot)
    address = f"{PICKING}/orders/{one['order_id']}"
    typed = {"boxes": "2", "weight": "heavy", "lines.0.line_id": one["line_id"], "lines.0.quantity": ""}
    wrong = await console.post(f"{address}/pack", data=typed)
    assert wrong.status_code == 422
    assert 'id="e-weight"' in wrong.text
    assert 'value="heavy"' in wrong.text
    packed = await console.post(f"{address}/pack", data=typed | {"weight": "4.6"})
    assert packed.headers["location"] == f"/console/orders/{one['order_id']}"
    assert (await depot.tenant.get(f"/api/v1/orders/{one['order_id']}"))["packed_weight_g"] == 4_600

    nobody = await console.post(f"{address}/hand-over", data={"kind": "pick_up", "delivered": "true"})
    assert nobody.status_code == 422
    assert 'id="e-recipient_name"' in nobody.text
    somebody = {"kind": "pick_up", "delivered": "true", "recipient_name": "The cook"}
    assert (await console.post(f"{address}/hand-over", data=somebody)).status_code == 303
    assert (await depot.tenant.get(f"/api/v1/orders/{one['order_id']}"))["status"] == "delivered"


async def test_who_may_not_pack_is_turned_away(sqlite_platform: Platform, depot: Depot) -> None:
    order = await order_from(depot)
    await pack(depot.tenant, order["id"])
    viewer = await make_person(sqlite_platform, depot.tenant, "viewer")
    async with at_console(sqlite_platform, viewer) as reading:
        for path in (PICKING, f"{PICKING}/new", f"{PICKING}/orders/{order['id']}"):
            assert (await reading.get(path)).status_code == 403, path
        assert "/console/picking" not in (await reading.get("/console/orders")).text


async def test_an_order_is_taken_for_a_new_customer_confirmed_picked_and_packed(screen: Screen, depot: Depot) -> None:
    page = screen.page
    await screen.open("/console/orders")
    await page.click(".page-header >> text=New order")
    await screen.is_accessible()
    await page.click("text=New customer")
    await page.fill("[name=name]", "Hotel Ashoka")
    await page.fill("[name='addresses.0.address']", "12 MG Road")
    screen.expected = {422, 409}
    await page.click("text=Add the customer")
    await page.wait_for_selector("[id='e-addresses.0.latitude']")
    assert await page.input_value("[name=name]") == "Hotel Ashoka", "what was typed is kept"
    await screen.is_accessible()
    await page.click(".leaflet-container", position={"x": 120, "y": 80})
    assert await page.input_value("[name='addresses.0.latitude']"), "the map says where the pin stands"
    await page.click("text=Add the customer")

    await page.click(".toast .btn-close")
    await page.fill("#product-search", "Spin")
    await page.click("#found-products button")
    await page.fill("[name='lines.0.quantity']", "400")
    await page.fill("[name='lines.0.unit_price']", "42.50")
    await page.press("[name='lines.0.unit_price']", "Tab")
    await page.wait_for_selector("#check >> text=only 100 kg free")
    await page.fill("[name='lines.0.quantity']", "4")
    await page.press("[name='lines.0.quantity']", "Tab")
    await page.wait_for_selector("#check >> text=₹170.00")
    await screen.is_accessible()
    await page.click("text=Take the order")
    await page.click(".toast:has-text('The order is taken') .btn-close")
    await page.click("button:has-text('Confirm')")
    await page.wait_for_selector("[data-state=confirmed]")
    await screen.is_accessible()

    await page.click("a:has-text('Pick and pack')")
    await page.fill("#lines [name=quantity]", "9")
    await page.click("#lines button:has-text('Taken')")
    await page.wait_for_selector("#lines .invalid-feedback")
    assert await page.input_value("#lines [name=quantity]") == "9"
    await page.fill("#lines [name=quantity]", "4")
    await page.click("#lines button:has-text('Taken')")
    await page.wait_for_selector("#lines .text-green")
    await screen.is_accessible()
    await page.fill("[name=weight]", "4.6")
    await page.click("text=Close the boxes")
    await page.wait_for_selector("[data-state=packed]")
    [order] = await depot.tenant.get("/api/v1/orders")
    assert (order["customer_name"], order["status"], order["total_minor"]) == ("Hotel Ashoka", "packed", 17_000)


async def test_a_walk_fits_a_phone_and_its_buttons_a_thumb(
    browser_url: str, sqlite_platform: Platform, depot: Depot
) -> None:
    one = await _confirmed(depot)
    made = await depot.tenant.post(
        "/api/v1/orders/picklists", {"warehouse_id": depot.warehouse_id, "order_ids": [one["order_id"]]}
    )
    narrow = {"width": 360, "height": 740}
    async with served(sqlite_platform) as address, screen_of(browser_url, address, viewport=narrow) as phone:
        await phone.come_in(depot.tenant)
        await phone.open(f"{PICKING}/{made['id']}")
        taken = phone.page.locator("#walk button:has-text('Taken')")
        box = await taken.bounding_box()
        assert box is not None
        assert box["height"] >= 48
        assert await phone.page.evaluate("document.documentElement.scrollWidth") <= 360
        await phone.is_accessible()
        await taken.click()
        await phone.page.wait_for_selector("#walk [data-state=done]")
