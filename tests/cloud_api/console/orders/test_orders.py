"""Orders at the console: found, taken, changed, confirmed, paid, given up."""

import csv
import io
import json

import httpx2
import pytest

from tests.cloud_api.console.screens import Screen, at_console
from tests.factories.farms import make_person
from tests.factories.orders import Depot, day_in, hire_driver, make_customer, make_depot, order_from, pack
from tests.factories.payments import take
from tests.factories.stores import make_product
from tests.platform_under_test import Platform

ORDERS = "/console/orders"


@pytest.fixture
async def depot(sqlite_platform: Platform) -> Depot:
    """A store with spinach."""
    return await make_depot(sqlite_platform.tenant)


def _written(depot: Depot, customer_id: str, **fields: str) -> dict[str, str]:
    return {
        "customer_id": customer_id,
        "warehouse_id": depot.warehouse_id,
        "delivery_date": day_in(1),
        "window_from": "09:00",
        "window_until": "11:00",
        "payment_method": "cod",
        "lines.0.product_id": depot.product_id,
        "lines.0.quantity": "4",
        "lines.0.unit_price": "42.50",
        **fields,
    }


async def test_without_orders_the_list_says_what_to_do(console: httpx2.AsyncClient) -> None:
    page = await console.get(ORDERS)
    assert "There are no orders yet" in page.text
    assert 'href="/console/orders/new"' in page.text
    narrowed = await console.get(f"{ORDERS}?status=packed")
    assert "No order is like this" in narrowed.text


async def test_an_order_is_taken_as_it_was_written(console: httpx2.AsyncClient, depot: Depot) -> None:
    customer_id = await make_customer(depot.tenant)
    form = await console.get(f"{ORDERS}/new?customer_id={customer_id}")
    assert form.status_code == 200
    sent = await console.post(f"{ORDERS}/new", data=_written(depot, customer_id, note="by the back door"))
    assert sent.status_code == 303
    order = await depot.tenant.get(f"/api/v1/orders/{sent.headers['location'].rpartition('/')[2]}")
    assert (order["total_minor"], order["payment_method"], order["note"]) == (17_000, "cod", "by the back door")
    assert (order["window_from"][:5], order["window_until"][:5]) == ("09:00", "11:00")


async def test_a_wrong_quantity_is_said_beside_it_and_what_was_typed_is_kept(
    console: httpx2.AsyncClient, depot: Depot
) -> None:
    customer_id = await make_customer(depot.tenant)
    typed = _written(depot, customer_id, note="ring twice", **{"lines.0.quantity": "four"})
    page = await console.post(f"{ORDERS}/new", data=typed)
    assert page.status_code == 422
    assert 'id="e-lines.0.quantity"' in page.text
    assert 'value="four"' in page.text
    assert "ring twice" in page.text
    assert await depot.tenant.get("/api/v1/orders") == []


async def test_without_a_line_nothing_is_taken(console: httpx2.AsyncClient, depot: Depot) -> None:
    customer_id = await make_customer(depot.tenant)
    typed = {name: text for name, text in _written(depot, customer_id).items() if not name.startswith("lines.")}
    page = await console.post(f"{ORDERS}/new", data=typed)
    assert page.status_code == 422
    assert "alert-danger" in page.text


async def test_what_is_written_is_held_against_the_stock(console: httpx2.AsyncClient, depot: Depot) -> None:
    customer_id = await make_customer(depot.tenant)
    enough = await console.post(f"{ORDERS}/new/check", data=_written(depot, customer_id))
    assert "100 kg free" in enough.text
    assert "₹170.00" in enough.text
    short = await console.post(f"{ORDERS}/new/check", data=_written(depot, customer_id, **{"lines.0.quantity": "101"}))
    assert "only 100 kg free" in short.text


async def test_a_line_is_added_once_and_taken_away(console: httpx2.AsyncClient, depot: Depot) -> None:
    other = await make_product(depot.tenant, name="Leek", sku="LEEK-1")
    found = await console.get(f"{ORDERS}/new/products?q=Leek")
    assert other in found.text
    typed = _written(depot, "nobody", _add=other)
    two = await console.post(f"{ORDERS}/new/lines", data=typed)
    assert 'name="lines.1.product_id"' in two.text
    again = await console.post(f"{ORDERS}/new/lines", data=typed | {"_add": depot.product_id})
    assert 'name="lines.1.product_id"' not in again.text
    one = await console.post(f"{ORDERS}/new/lines", data=typed | {"_add": other, "_remove": "0"})
    assert depot.product_id not in one.text


async def test_a_full_window_cannot_be_chosen(console: httpx2.AsyncClient, depot: Depot) -> None:
    for since, capacity in (("08:00", 1), ("12:00", 5)):
        slot = {"warehouse_id": depot.warehouse_id, "weekdays": [1, 2, 3, 4, 5, 6, 7], "capacity": capacity}
        until = f"{int(since[:2]) + 2:02}:00"
        await depot.tenant.post("/api/v1/orders/slots", {**slot, "window_from": since, "window_until": until})
    await order_from(depot, window_from="08:00", window_until="10:00")
    customer_id = await make_customer(depot.tenant)
    asked = _written(depot, customer_id)
    page = await console.post(f"{ORDERS}/new/slots", data=asked)
    assert "full" in page.text
    assert "5 of 5 left" in page.text
    refused = await console.post(f"{ORDERS}/new", data=asked | {"window": "08:00|10:00"})
    assert refused.status_code == 409
    assert 'id="e-window"' in refused.text


async def test_the_list_is_narrowed_by_state_day_warehouse_and_words(console: httpx2.AsyncClient, depot: Depot) -> None:
    soon = await order_from(depot)
    later = await order_from(depot, delivery_date=day_in(5))
    await depot.tenant.post(f"/api/v1/orders/{soon['id']}/confirm")
    narrowed = {
        f"status=confirmed&warehouse_id={depot.warehouse_id}": soon,
        f"delivery_date={day_in(5)}": later,
        f"search={later['number']}": later,
        f"customer_id={soon['customer_id']}": soon,
    }
    for query, shown in narrowed.items():
        page = await console.get(f"{ORDERS}?{query}")
        numbers = {order["number"] for order in (soon, later) if order["number"] in page.text.replace(query, "")}
        assert numbers == {shown["number"]}, query


async def test_an_order_is_confirmed_and_changed_until_it_is_another_version(
    console: httpx2.AsyncClient, depot: Depot
) -> None:
    order = await order_from(depot, delivery_date=day_in(3))
    page = f"{ORDERS}/{order['id']}"
    assert (await console.post(f"{page}/confirm")).status_code == 303
    form = await console.get(f"{page}/edit")
    assert 'name="version" value="1"' in form.text
    typed = {
        "version": "1",
        "address_id": order["address_id"],
        "delivery_date": day_in(3),
        "window_from": "08:00",
        "window_until": "20:00",
        "note": "leave it with the guard",
        "lines.0.product_id": depot.product_id,
        "lines.0.quantity": "6",
    }
    assert (await console.post(f"{page}/edit", data=typed)).status_code == 303
    changed = await depot.tenant.get(f"/api/v1/orders/{order['id']}")
    assert (changed["lines"][0]["quantity"], changed["note"]) == ("6.000", "leave it with the guard")
    stale = await console.post(f"{page}/edit", data=typed | {"note": "no, with me"})
    assert stale.status_code == 409
    assert "Somebody else has changed it meanwhile" in stale.text
    for text in ("no, with me", "leave it with the guard", 'name="version" value="2"'):
        assert text in stale.text, text
    told = await console.post(f"{page}/edit", data=typed | {"version": "2", "note": "no, with me"})
    assert told.status_code == 303
    shown = await console.get(page)
    assert "Changed: version 3" in shown.text
    assert "Pick and pack" in shown.text


async def test_an_order_that_cannot_be_confirmed_says_why_on_its_page(
    console: httpx2.AsyncClient, depot: Depot
) -> None:
    order = await order_from(depot, quantity="101.000")
    page = await console.post(f"{ORDERS}/{order['id']}/confirm")
    assert page.status_code == 409
    assert "alert-danger" in page.text
    assert 'data-state="pending"' in page.text


async def test_an_order_is_given_up_for_a_reason(console: httpx2.AsyncClient, depot: Depot) -> None:
    order = await order_from(depot)
    address = f"{ORDERS}/{order['id']}/cancel"
    without = await console.post(address, data={"reason": ""})
    assert without.status_code == 422
    assert 'id="e-reason"' in without.text
    assert (await console.post(address, data={"reason": "closed that day"})).status_code == 303
    shown = await console.get(f"{ORDERS}/{order['id']}")
    assert "closed that day" in shown.text
    assert f"{address}" not in shown.text


async def test_a_payment_is_written_down_and_a_wrong_sum_is_said(console: httpx2.AsyncClient, depot: Depot) -> None:
    order = await order_from(depot)
    address = f"{ORDERS}/{order['id']}/pay"
    assert 'value="170.00"' in (await console.get(address)).text
    wrong = await console.post(address, data={"method": "cheque", "amount": "much", "reference": "no. 7"})
    assert wrong.status_code == 422
    assert 'id="e-amount"' in wrong.text
    assert 'value="no. 7"' in wrong.text
    paid = await console.post(address, data={"method": "cheque", "amount": "170.00", "reference": "no. 7"})
    assert paid.status_code == 303
    shown = await console.get(f"{ORDERS}/{order['id']}")
    assert "no. 7" in shown.text
    assert 'data-state="paid"' in shown.text


async def test_a_drivers_cash_is_counted(console: httpx2.AsyncClient, sqlite_platform: Platform, depot: Depot) -> None:
    driver_id, _ = await hire_driver(sqlite_platform, depot.tenant)
    assert "No driver holds any cash" in (await console.get(f"{ORDERS}/cash")).text
    order = await order_from(depot, payment_method="cod")
    await pack(depot.tenant, order["id"])
    await take(sqlite_platform, depot.tenant, order["id"], amount_minor=17_000, taken_by=driver_id)
    held = await console.get(f"{ORDERS}/cash")
    assert "₹170.00" in held.text
    typed = {"driver_id": driver_id, "through": "", "expected": "170.00", "counted": "160", "reason": ""}
    differs = await console.post(f"{ORDERS}/cash/handover", data=typed)
    assert differs.status_code == 409
    assert 'id="e-reason"' in differs.text
    assert 'value="160"' in differs.text
    taken = await console.post(f"{ORDERS}/cash/handover", data=typed | {"reason": "change was short"})
    assert taken.status_code == 303
    assert "change was short" in (await console.get(f"{ORDERS}/cash")).text
    file = await console.get(f"{ORDERS}/cash/export")
    [row] = csv.DictReader(io.StringIO(file.content.decode("utf-8-sig")))
    assert (row["Counted"], row["Difference"], row["Reason"]) == ("160", "-10", "change was short")


async def test_who_may_only_read_is_offered_nothing_more(sqlite_platform: Platform, depot: Depot) -> None:
    order = await order_from(depot)
    viewer = await make_person(sqlite_platform, depot.tenant, "viewer")
    async with at_console(sqlite_platform, viewer) as reading:
        page = await reading.get(ORDERS)
        assert order["number"] in page.text
        assert "/console/orders/new" not in page.text
        shown = await reading.get(f"{ORDERS}/{order['id']}")
        for what in ("/cancel", "/confirm", "/edit", "/pay"):
            assert f"{order['id']}{what}" not in shown.text
        for path in (f"{ORDERS}/new", f"{ORDERS}/{order['id']}/cancel", f"{ORDERS}/cash"):
            assert (await reading.get(path)).status_code == 403, path


async def test_orders_and_their_lines_are_files(console: httpx2.AsyncClient, depot: Depot) -> None:
    order = await order_from(depot, quantity="4", note="=1+1")
    await order_from(depot, delivery_date=day_in(5))
    only = f"delivery_date={order['delivery_date']}"
    file = await console.get(f"{ORDERS}/export?{only}")
    assert file.headers["content-disposition"] == 'attachment; filename="orders.csv"'
    [row] = csv.DictReader(io.StringIO(file.content.decode("utf-8-sig")))
    assert (row["Order"], row["Sum"], row["Note"]) == (order["number"], "170", "'=1+1")
    assert row["Warehouse"]
    lines = await console.get(f"{ORDERS}/lines/export?{only}")
    [line] = csv.DictReader(io.StringIO(lines.content.decode("utf-8-sig")))
    assert (line["Order"], line["Ordered"], line["Price"]) == (order["number"], "4.000", "42.5000")
    book = await console.get(f"{ORDERS}/export?{only}&format=xlsx")
    assert book.content[:2] == b"PK"


#: state -> what its page offers
OFFERED = {
    "pending": {"/confirm", "/edit", "/cancel"},
    "confirmed": {"/edit", "/cancel", "pick"},
    "packed": {"/cancel", "hand-over"},
    "out_for_delivery": set(),
    "delivered": {"return"},
    "cancelled": set(),
}


async def test_every_state_offers_what_may_be_done_and_nothing_else(console: httpx2.AsyncClient, depot: Depot) -> None:
    orders = {state: (await order_from(depot))["id"] for state in OFFERED}
    api = "/api/v1/orders"
    for state in ("confirmed", "packed", "out_for_delivery", "delivered"):
        await depot.tenant.post(f"{api}/{orders[state]}/confirm")
    for state in ("packed", "out_for_delivery", "delivered"):
        await depot.tenant.post(f"{api}/{orders[state]}/pack")
    await depot.tenant.post(f"{api}/{orders['out_for_delivery']}/ship", {"kind": "carrier", "carrier": "Blue Post"})
    await depot.tenant.post(f"{api}/{orders['delivered']}/ship", {"delivered": True, "recipient_name": "Asha"})
    await depot.tenant.post(f"{api}/{orders['cancelled']}/cancel", {"reason": "closed"})
    for state, order_id in orders.items():
        page = (await console.get(f"{ORDERS}/{order_id}")).text
        assert f'data-state="{state}"' in page
        at = {
            **{verb: f"{ORDERS}/{order_id}{verb}" for verb in ("/confirm", "/edit", "/cancel")},
            "pick": f'"/console/picking/orders/{order_id}"',
            "hand-over": f"/console/picking/orders/{order_id}/hand-over",
            "return": f"/console/returns/new?order_id={order_id}",
        }
        assert {what for what, address in at.items() if address in page} == OFFERED[state], state


async def test_what_a_carrier_took_is_said_to_have_arrived(console: httpx2.AsyncClient, depot: Depot) -> None:
    order = await order_from(depot)
    await pack(depot.tenant, order["id"])
    counter = f"/console/picking/orders/{order['id']}/hand-over"
    sent = await console.post(counter, data={"kind": "carrier", "carrier": "Blue Post", "tracking_number": "BP-7"})
    assert sent.status_code == 303
    around = await console.get(f"{ORDERS}/{order['id']}/around")
    assert counter in around.text
    form = await console.get(counter)
    assert 'name="carrier"' not in form.text
    unsaid = await console.post(counter, data={"kind": "carrier", "delivered": "true", "recipient_name": ""})
    assert unsaid.status_code == 422
    assert 'id="e-recipient_name"' in unsaid.text
    done = await console.post(counter, data={"kind": "carrier", "delivered": "true", "recipient_name": "Asha"})
    assert done.status_code == 303
    assert (await depot.tenant.get(f"/api/v1/orders/{order['id']}"))["status"] == "delivered"


async def test_an_order_is_taken_without_a_mouse(screen: Screen, depot: Depot) -> None:
    customer_id = await make_customer(depot.tenant)
    name = (await depot.tenant.get(f"/api/v1/customers/{customer_id}"))["name"]
    await make_product(depot.tenant, name="Leek", sku="LEEK-1", price="30")
    await screen.open(f"{ORDERS}/new")
    keys = screen.page.keyboard
    await keys.type(name)
    await screen.page.wait_for_selector(f"#found [role=option]:only-child:has-text({json.dumps(name)})")
    await keys.press("Enter")
    await screen.page.wait_for_selector("#product-search:focus")
    await keys.type("Lee")
    await screen.page.wait_for_selector("#found-products [role=option]")
    await screen.is_accessible()
    await keys.press("ArrowDown")
    await keys.press("Enter")
    await screen.page.wait_for_selector("[name='lines.0.quantity']:focus")
    await keys.type("7")
    await keys.press("Enter")
    await screen.page.wait_for_selector("#product-search:focus")
    await keys.press("Control+Enter")
    await screen.page.wait_for_selector("#order")
    [order] = await depot.tenant.get("/api/v1/orders/lines")
    assert [line["quantity"] for line in order["lines"]] == ["7.000"]
