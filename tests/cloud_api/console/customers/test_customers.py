"""Customers at the console: found, added with a door, changed, their doors put on the map."""

import csv
import io

import httpx2

from tests.cloud_api.console.screens import at_console
from tests.factories.farms import make_person
from tests.factories.orders import make_customer, make_depot, order_from
from tests.platform_under_test import Platform

CUSTOMERS = "/console/customers"
TYPED = {
    "name": "Hotel Ashoka",
    "phone": "+91 98765 43210",
    "email": "kitchen@ashoka.example",
    "locale": "hi-IN",
    "min_remaining_shelf_life_days": "3",
    "addresses.0.label": "kitchen",
    "addresses.0.address": "12 MG Road",
    "addresses.0.city": "Bengaluru",
    "addresses.0.latitude": "12.9352",
    "addresses.0.longitude": "77.6146",
}


async def test_without_customers_the_list_says_what_to_do(console: httpx2.AsyncClient) -> None:
    page = await console.get(CUSTOMERS)
    assert "There are no customers yet" in page.text
    assert 'href="/console/customers/new"' in page.text
    assert "Nobody has that name" in (await console.get(f"{CUSTOMERS}?search=ashoka")).text
    assert "Nobody was told anything yet" in (await console.get(f"{CUSTOMERS}/messages")).text


async def test_a_customer_is_added_found_and_changed(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    sent = await console.post(f"{CUSTOMERS}/new", data=TYPED)
    assert sent.status_code == 303
    address = sent.headers["location"]
    made = await sqlite_platform.tenant.get(f"/api/v1/customers/{address.rpartition('/')[2]}")
    assert (made["min_remaining_shelf_life_days"], made["locale"]) == (3, "hi-IN")
    assert made["addresses"][0]["latitude"] == 12.9352
    assert address in (await console.get(f"{CUSTOMERS}?search=ashoka")).text
    assert "12 MG Road" in (await console.get(address)).text
    points = (await console.get(f"{address}/map.json")).json()["points"]
    assert [(point["latitude"], point["text"]) for point in points] == [(12.9352, "kitchen")]

    own = {name: TYPED[name] for name in ("name", "phone", "email", "locale", "min_remaining_shelf_life_days")}
    changed = await console.post(f"{address}/edit", data=own | {"name": "Hotel Lotus", "phone": ""})
    assert changed.status_code == 303
    assert (await sqlite_platform.tenant.get(f"/api/v1/customers/{made['id']}"))["phone"] == ""
    assert "Hotel Lotus" in (await console.get(CUSTOMERS)).text


async def test_for_an_order_one_goes_on_to_it(console: httpx2.AsyncClient) -> None:
    sent = await console.post(f"{CUSTOMERS}/new", data=TYPED | {"next": "order"})
    assert sent.headers["location"].startswith("/console/orders/new?customer_id=")


async def test_what_is_wrong_stands_beside_it_and_what_was_typed_is_kept(console: httpx2.AsyncClient) -> None:
    wrong = {"phone": "none", "addresses.0.latitude": "north", "addresses.0.address": ""}
    page = await console.post(f"{CUSTOMERS}/new", data=TYPED | wrong)
    assert page.status_code == 422
    for field in ("phone", "addresses.0.latitude", "addresses.0.address"):
        assert f'id="e-{field}"' in page.text, field
    for kept in ("Hotel Ashoka", "north", "kitchen@ashoka.example"):
        assert f'value="{kept}"' in page.text, kept


async def test_a_customer_may_have_more_doors(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    more = await console.post(f"{CUSTOMERS}/new", data=TYPED | {"_more": "yes"})
    assert more.status_code == 200
    assert 'name="addresses.1.address"' in more.text
    second = {
        "addresses.1.label": "bar",
        "addresses.1.address": "14 MG Road",
        "addresses.1.latitude": "12.936",
        "addresses.1.longitude": "77.615",
    }
    sent = await console.post(f"{CUSTOMERS}/new", data=TYPED | second)
    made = await sqlite_platform.tenant.get(f"/api/v1/customers/{sent.headers['location'].rpartition('/')[2]}")
    assert [door["label"] for door in made["addresses"]] == ["kitchen", "bar"]


async def test_where_no_map_is_to_be_asked_the_form_says_so(console: httpx2.AsyncClient) -> None:
    part = await console.post(f"{CUSTOMERS}/find", data=TYPED | {"_of": "addresses.0."})
    assert part.status_code == 200
    assert "send latitude and longitude" in part.text


async def test_somebody_puts_the_pin_on_the_door(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    customer_id = await make_customer(sqlite_platform.tenant)
    door = (await sqlite_platform.tenant.get(f"/api/v1/customers/{customer_id}"))["addresses"][0]
    address = f"{CUSTOMERS}/{customer_id}/addresses/{door['id']}/confirm"
    assert "data-door" in (await console.get(address)).text
    off = await console.post(address, data={"latitude": "97", "longitude": "77.6"})
    assert off.status_code == 422
    assert 'id="e-latitude"' in off.text
    pinned = await console.post(address, data={"latitude": "12.94", "longitude": "77.62"})
    assert pinned.headers["location"] == f"{CUSTOMERS}/{customer_id}"
    moved = (await sqlite_platform.tenant.get(f"/api/v1/customers/{customer_id}"))["addresses"][0]
    assert (moved["latitude"], moved["is_sure"]) == (12.94, True)


async def test_no_more_orders_are_taken_from_who_is_gone(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    customer_id = await make_customer(sqlite_platform.tenant)
    assert (await console.post(f"{CUSTOMERS}/{customer_id}/deactivate")).status_code == 303
    page = await console.get(f"{CUSTOMERS}/{customer_id}")
    assert 'data-state="inactive"' in page.text
    assert "/console/orders/new" not in page.text
    assert (await console.post(f"{CUSTOMERS}/{customer_id}/activate")).status_code == 303
    assert 'data-state="active"' in (await console.get(f"{CUSTOMERS}/{customer_id}")).text


async def test_what_customers_were_told_is_read(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    depot = await make_depot(sqlite_platform.tenant)
    order = await order_from(depot)
    await sqlite_platform.tenant.put(
        f"/api/v1/customers/{order['customer_id']}", {"email": "kitchen@ashoka.example", "phone": "+91 98765 43210"}
    )
    told = await order_from(depot)
    await sqlite_platform.tenant.post(f"/api/v1/orders/{told['id']}/confirm")
    await sqlite_platform.deliver()
    page = await console.get(f"{CUSTOMERS}/messages?subject=order:{told['id']}")
    assert page.status_code == 200


async def test_who_may_not_read_customers_is_turned_away(sqlite_platform: Platform) -> None:
    customer_id = await make_customer(sqlite_platform.tenant)
    keeper = await make_person(sqlite_platform, sqlite_platform.tenant, "inventory_staff")
    planner = await make_person(sqlite_platform, sqlite_platform.tenant, "logistics_manager")
    async with at_console(sqlite_platform, keeper) as keeping:
        assert (await keeping.get(CUSTOMERS)).status_code == 403
    async with at_console(sqlite_platform, planner) as planning:
        page = await planning.get(f"{CUSTOMERS}/{customer_id}")
        assert page.status_code == 200
        assert f"{customer_id}/edit" not in page.text
        assert (await planning.get(f"{CUSTOMERS}/new")).status_code == 403


async def test_a_door_is_added_changed_and_taken_away(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    customer_id = await make_customer(sqlite_platform.tenant)
    page = f"{CUSTOMERS}/{customer_id}"
    form = await console.get(f"{page}/addresses/new")
    assert "data-door" in form.text
    typed = {"label": "bar", "address": "14 MG Road", "city": "Bengaluru", "latitude": "north", "longitude": "77.615"}
    wrong = await console.post(f"{page}/addresses/new", data=typed)
    assert wrong.status_code == 422
    assert 'id="e-latitude"' in wrong.text
    assert 'value="14 MG Road"' in wrong.text
    assert (await console.post(f"{page}/addresses/new", data=typed | {"latitude": "12.936"})).status_code == 303
    customer = await sqlite_platform.tenant.get(f"/api/v1/customers/{customer_id}")
    first, bar = customer["addresses"]
    door = f"{page}/addresses/{bar['id']}"
    assert "Take this door away?" in (await console.get(f"{door}/edit")).text
    pin = {"latitude": "12.936", "longitude": "77.615", "_latitude": "12.936", "_longitude": "77.615"}
    moved = typed | pin | {"address": "16 MG Road", "version": str(customer["version"])}
    assert (await console.post(f"{door}/edit", data=moved)).status_code == 303
    now = (await sqlite_platform.tenant.get(f"/api/v1/customers/{customer_id}"))["addresses"][1]
    assert (now["address"], now["is_sure"]) == ("16 MG Road", False), "nobody said that the pin is still right"
    stale = await console.post(f"{door}/edit", data=moved | {"address": "18 MG Road"})
    assert stale.status_code == 409
    assert "Somebody else has changed it meanwhile" in stale.text
    assert "16 MG Road" in stale.text
    assert (await console.post(f"{page}/addresses/{first['id']}/remove")).status_code == 303
    left = (await sqlite_platform.tenant.get(f"/api/v1/customers/{customer_id}"))["addresses"]
    assert [one["label"] for one in left] == ["bar"]


async def test_who_is_second_sees_what_the_first_wrote_and_may_write_over_it(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    customer_id = await make_customer(sqlite_platform.tenant)
    page = f"{CUSTOMERS}/{customer_id}/edit"
    typed = {"name": "Hotel Lotus", "phone": "", "email": "", "locale": "", "min_remaining_shelf_life_days": "0"}
    await sqlite_platform.tenant.put(f"/api/v1/customers/{customer_id}", {"name": "Hotel Ashoka"})
    second = await console.post(page, data=typed | {"version": "1"})
    assert second.status_code == 409
    for shown in ("Hotel Ashoka", "Hotel Lotus", 'name="version" value="2"'):
        assert shown in second.text, shown
    assert (await console.post(page, data=typed | {"version": "2"})).status_code == 303
    assert (await sqlite_platform.tenant.get(f"/api/v1/customers/{customer_id}"))["name"] == "Hotel Lotus"


async def test_customers_are_a_file_with_a_row_a_door(console: httpx2.AsyncClient) -> None:
    second = {"addresses.1.address": "14 MG Road", "addresses.1.latitude": "12.9", "addresses.1.longitude": "77.6"}
    for name, more in (("Hotel Ashoka", second), ("Green Kitchen", {})):
        await console.post(f"{CUSTOMERS}/new", data=TYPED | more | {"name": name})
    file = await console.get(f"{CUSTOMERS}/export?search=ashoka")
    rows = list(csv.DictReader(io.StringIO(file.content.decode("utf-8-sig"))))
    assert [(row["Customer"], row["Address"]) for row in rows] == [
        ("Hotel Ashoka", "12 MG Road"),
        ("Hotel Ashoka", "14 MG Road"),
    ]
    assert rows[0]["Phone"] == "'+91 98765 43210", "no spreadsheet reckons with it"
