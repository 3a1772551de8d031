"""Warehouses and places at a screen: made, shown on their floor plan, changed, closed and taken away."""

import csv
import io
import re

import httpx2

from tests.cloud_api.console.screens import at_console
from tests.cloud_api.console.typed import form_on
from tests.factories.farms import make_person
from tests.factories.stores import make_cold_store, make_room, make_warehouse, receive
from tests.platform_under_test import Platform

HOUSES, PLACES = "/console/warehouses", "/console/places"
API, API_PLACES = "/api/v1/warehouse/warehouses", "/api/v1/warehouse/storage/locations"
AREA = {"x_m": 0, "y_m": 0, "width_m": 12, "height_m": 8}


async def test_a_warehouse_is_made_changed_closed_and_opened_again(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    assert "There are no warehouses yet" in (await console.get(HOUSES)).text
    wrong = await console.post(f"{HOUSES}/new", data={"name": "North", "code": "no spaces", "latitude": "far"})
    assert wrong.status_code == 422
    assert {'id="e-code"', 'id="e-latitude"'} <= set(re.findall(r'id="e-[a-z_]+"', wrong.text))
    assert 'value="far"' in wrong.text

    pin = {"latitude": "12.97", "longitude": "77.59", "capacity_limit_kg": "1,000"}
    made = await console.post(f"{HOUSES}/new", data={"name": "North", "code": "N-1", "address": "1 Mill Road", **pin})
    assert made.status_code == 303, made.text
    at = made.headers["location"]
    [point] = (await console.get(f"{HOUSES}/map.json")).json()["points"]
    assert (point["latitude"], point["text"], point["address"]) == (12.97, "N-1", at)
    sent = form_on((await console.get(f"{at}/edit")).text, f"{at}/edit")
    sent |= {"address": [""], "timezone": ["Asia/Dubai"], "latitude": [""], "longitude": [""]}
    assert (await console.post(f"{at}/edit", data=sent)).status_code == 303
    [house] = await sqlite_platform.tenant.get(API)
    assert (house["address"], house["timezone"], house["latitude"]) == ("", "Asia/Dubai", None)
    assert house["capacity_limit_kg"] == 1000

    assert (await console.post(f"{at}/close")).status_code == 303
    assert "it takes nothing in" in (await console.get(at)).text
    assert (await console.post(f"{at}/open")).status_code == 303
    assert (await sqlite_platform.tenant.get(API))[0]["is_active"] is True
    rows = list(csv.reader(io.StringIO((await console.get(f"{HOUSES}/export")).text.removeprefix("\ufeff"))))
    assert rows[1][:3] == ["N-1", "North", ""]


async def test_what_hinders_stands_on_the_page(sqlite_platform: Platform) -> None:
    store = await make_cold_store(sqlite_platform)
    await receive(store)
    async with at_console(sqlite_platform, store.tenant) as console:
        for address in (f"{HOUSES}/{store.warehouse_id}/close", f"{PLACES}/{store.room_id}/remove"):
            refused = await console.post(address)
            assert refused.status_code == 409, address
            assert "of stock lie in" in refused.text, address
        page = (await console.get(f"{PLACES}/{store.room_id}")).text
        assert "LOT-1" in page
        assert f"/console/labels?kind=location&amp;id={store.room_id}" in page


async def test_a_row_of_places_is_made_at_once_and_what_could_not_be_is_said(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    tenant = sqlite_platform.tenant
    house = await make_warehouse(tenant)
    room = await make_room(tenant, house, code="ROOM", storage_type="freezer", temperature_max_c=-18.0)
    at = f"{HOUSES}/{house}/places/new"
    form = form_on((await console.get(f"{at}?parent_id={room}")).text, at)
    # as the room is kept, and what usually stands in one
    assert (form["storage_type"], form["temperature_max_c"], form["location_type"]) == (
        ["freezer"],
        ["-18.0"],
        ["rack"],
    )
    area = {f"map.{name}": str(value) for name, value in AREA.items()}
    made = await console.post(at, data={**form, **area, "code": "R-09", "name": "Rack 9", "count": "3"})
    assert made.headers["location"] == f"{PLACES}/{room}"
    inside = await tenant.get(API_PLACES, parent_id=room, sort="code")
    assert [(one["code"], one["name"]) for one in inside] == [
        ("R-09", "Rack 9"),
        ("R-10", "Rack 10"),
        ("R-11", "Rack 11"),
    ]

    assert [one["map"]["x_m"] for one in inside] == [0, 12, 24]
    again = await console.post(at, data={**form, "_key": "another", "code": "R-07", "name": "Rack", "count": "3"})
    assert again.status_code == 409
    assert "2 of them are made; then: " in again.text
    left = form_on(again.text, at)
    assert (left["code"], left["name"], left["count"]) == (["R-09"], ["Rack-3"], ["1"])
    assert 'id="e-code"' in again.text
    for count in ("0", "51", "many"):
        answer = await console.post(at, data={**form, "code": "X", "name": "X", "count": count})
        assert 'id="e-count"' in answer.text


async def test_a_tree_shows_how_full_it_is_and_folds_out(sqlite_platform: Platform) -> None:
    store = await make_cold_store(sqlite_platform)
    tenant = store.tenant
    rack = await make_room(tenant, store.warehouse_id, code="RACK", parent_id=store.room_id, capacity_kg=400)
    shelf = await make_room(tenant, store.warehouse_id, code="SHELF", parent_id=rack, location_type="bin")
    await receive(store, location_id=shelf)
    async with at_console(sqlite_platform, tenant) as console:
        page = (await console.get(f"{HOUSES}/{store.warehouse_id}")).text
        assert re.findall(r'data-depth="(\d)"', page) == ["0", "1", "2"]
        assert "100 of 400 kg · 25 % full" in re.sub(r"<[^>]+>", "", page)
        rows = (await console.get(f"{PLACES}/{store.room_id}/inside?depth=1")).text
        assert 'data-depth="1"' in rows
        assert "RACK" in rows
        assert "SHELF" not in rows
        assert f'hx-get="{PLACES}/{rack}/inside?depth=2"' in rows
        found = (await console.get(f"{HOUSES}/{store.warehouse_id}?search=shel")).text
        assert "SHELF" in found
        assert ">RACK<" not in found
        assert "No place is like this" in (await console.get(f"{HOUSES}/{store.warehouse_id}?status=inactive")).text
        told = (await console.get(f"{HOUSES}/{store.warehouse_id}/export")).text.removeprefix("\ufeff")
        lines = {line[0]: line for line in csv.reader(io.StringIO(told))}
        assert (lines["SHELF"][4], lines["RACK"][9:12]) == ("RACK", ["400.0", "100.0", "25.0"])


async def test_a_place_is_changed_closed_and_taken_away(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    tenant = sqlite_platform.tenant
    house = await make_warehouse(tenant)
    room = await make_room(tenant, house, code="ROOM", capacity_kg=10)
    rack = await make_room(tenant, house, code="RACK", parent_id=room)
    at = f"{PLACES}/{room}"
    form = form_on((await console.get(f"{at}/edit")).text, f"{at}/edit")
    # it cannot lie in what lies in it
    assert f'value="{rack}"' not in (await console.get(f"{at}/edit")).text
    area = {f"map.{name}": str(value) for name, value in AREA.items()}
    changed = await console.post(f"{at}/edit", data={**form, **area, "capacity_kg": "", "temperature_min_c": "-2.5"})
    assert changed.status_code == 303, changed.text
    place = await tenant.get(f"{API_PLACES}/{room}")
    assert (place["capacity_kg"], place["temperature_min_c"], place["map"]) == (None, -2.5, AREA)
    # somebody else was quicker
    stale = await console.post(f"{at}/edit", data={**form, "_key": "again", "name": "Cold one"})
    assert stale.status_code == 409
    assert "Somebody else has changed it meanwhile" in stale.text
    assert (await console.post(f"{at}/edit", data=form_on(stale.text, f"{at}/edit"))).status_code == 303
    assert (await tenant.get(f"{API_PLACES}/{room}"))["name"] == "Cold one"

    await console.post(f"{at}/status", data={"status": "maintenance"})
    refused = await console.post(f"{at}/status", data={"status": "inactive"})
    assert refused.status_code == 409
    assert (await console.post(f"{at}/status", data={"status": "active"})).status_code == 303
    assert "RACK lie within it" in (await console.post(f"{at}/remove")).text
    assert (await console.post(f"{PLACES}/{rack}/remove")).headers["location"] == at
    assert (await console.post(f"{at}/remove")).headers["location"] == f"{HOUSES}/{house}"
    assert (await console.get(at)).status_code == 404


async def test_the_floor_plan_is_drawn_and_says_what_it_shows(sqlite_platform: Platform) -> None:
    store = await make_cold_store(sqlite_platform)
    await store.tenant.put(f"{API_PLACES}/{store.room_id}", {"map": AREA, "capacity_kg": 200})
    rack = await make_room(
        store.tenant, store.warehouse_id, code="R-1", parent_id=store.room_id, map={**AREA, "x_m": 2, "width_m": 3}
    )
    await store.tenant.put(f"{API_PLACES}/{rack}", {"status": "maintenance"})
    await receive(store)
    async with at_console(sqlite_platform, store.tenant) as console:
        page = (await console.get(f"{HOUSES}/{store.warehouse_id}")).text
    told = re.findall(r"<title>(.*?)</title>\s*<rect", page)
    assert len(told) == 2
    assert told[0].endswith("50 % full")  # the outer one is drawn first
    assert "Maintenance" in told[1]
    assert 'viewBox="-0.24 -0.24 12.48 8.48"' in page


async def test_who_may_only_look_is_offered_nothing_to_change(sqlite_platform: Platform) -> None:
    store = await make_cold_store(sqlite_platform)
    keeper = await make_person(sqlite_platform, store.tenant, "viewer")
    async with at_console(sqlite_platform, keeper) as console:
        for page in (HOUSES, f"{HOUSES}/{store.warehouse_id}", f"{PLACES}/{store.room_id}"):
            text = (await console.get(page)).text
            assert "/edit" not in text, page
            assert "/new" not in text, page
        assert (await console.get(f"{HOUSES}/new")).status_code == 403
        assert (await console.get(f"{PLACES}/{store.room_id}/edit")).status_code == 403
