"""Fences: drawn by hand or typed, listed, changed, taken away, and who crossed them."""

import csv
import io
import re

import httpx2

from tests.cloud_api.console.screens import Screen, at_console
from tests.factories.farms import make_person
from tests.factories.roads import DEPOT, at, look, plant_road
from tests.platform_under_test import Platform, Tenant

FENCES = "/console/geofences"
API = "/api/v1/geofences"
YARD = {"name": "Yard", "kind": "depot", "circle": {"latitude": DEPOT[0], "longitude": DEPOT[1], "radius_m": 300}}
SQUARE = [[12.94, 77.60], [12.94, 77.62], [12.96, 77.62], [12.96, 77.60]]
TYPED_SQUARE = "12.94, 77.60\n12.94 77.62\n\n12.96; 77.62\n12.96, 77.60\n"


async def fences(tenant: Tenant) -> list[dict[str, object]]:
    return list(await tenant.get(API))


async def test_an_empty_list_says_what_fences_are_for(console: httpx2.AsyncClient) -> None:
    page = (await console.get(FENCES)).text
    assert "There are no fences yet" in page
    assert f'href="{FENCES}/new"' in page
    assert "No fence is like this" in (await console.get(f"{FENCES}?kind=restricted")).text
    assert "No van has crossed a fence yet" in (await console.get(f"{FENCES}/events")).text


async def test_a_fence_is_typed_listed_changed_and_taken_away(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    typed = {"name": "Market", "kind": "restricted", "shape": "polygon", "polygon": TYPED_SQUARE}
    made = await console.post(FENCES, data=typed)
    assert made.status_code == 303, made.text
    [fence] = await fences(sqlite_platform.tenant)
    assert (fence["name"], fence["polygon"]) == ("Market", SQUARE)
    page = (await console.get(made.headers["location"])).text
    assert "12.940000, 77.600000\n12.940000, 77.620000" in page
    assert "4 corners" in (await console.get(FENCES)).text
    [drawn] = (await console.get(f"{FENCES}/map.json")).json()["shapes"]
    assert (drawn["polygon"], drawn["tone"], drawn["address"]) == (SQUARE, "red", made.headers["location"])

    circle = {"circle.latitude": "12.93", "circle.longitude": "77.61", "circle.radius_m": "250"}
    changed = await console.post(
        made.headers["location"], data={"name": "Old market", "kind": "customer", "shape": "circle", **circle}
    )
    assert changed.status_code == 303, changed.text
    [fence] = await fences(sqlite_platform.tenant)
    assert (fence["name"], fence["circle"]) == ("Old market", {"latitude": 12.93, "longitude": 77.61, "radius_m": 250})
    rows = list(csv.reader(io.StringIO((await console.get(f"{FENCES}/export")).text.removeprefix("\ufeff"))))
    assert rows[1][:6] == ["Old market", "customer", "circle", "12.93", "77.61", "250"]

    assert (await console.post(f"{made.headers['location']}/remove")).status_code == 303
    assert await fences(sqlite_platform.tenant) == []
    assert (await console.get(made.headers["location"])).status_code == 404


async def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_is_kept(console: httpx2.AsyncClient) -> None:
    crooked = {"name": "", "kind": "depot", "shape": "polygon", "polygon": "12.9, 77.6\nnorth, east\n12.8, 77.5"}
    answer = await console.post(FENCES, data=crooked)
    assert answer.status_code == 422
    assert 'id="e-name"' in answer.text
    [said] = re.findall(r'id="e-polygon">(.*?)<', answer.text)
    assert said.startswith("Line 2: ")
    assert "north, east" in answer.text
    circle = {"circle.latitude": "nowhere", "circle.longitude": "77.61", "circle.radius_m": "5"}
    answer = await console.post(FENCES, data={"name": "Yard", "kind": "depot", "shape": "circle", **circle})
    assert {'id="e-circle.latitude"', 'id="e-circle.radius_m"'} <= set(re.findall(r'id="e-[a-z_.]+"', answer.text))
    assert 'value="nowhere"' in answer.text


async def test_a_fence_is_drawn_with_a_pointer_as_well_as_with_keys(screen: Screen, sqlite_platform: Platform) -> None:
    page = screen.page
    await screen.open(f"{FENCES}/new")
    await page.wait_for_selector(".fence-map[data-drawn=yes]")
    await page.fill("[name=name]", "Crossing")
    await page.fill("[name='circle.latitude']", "12.93")
    await page.fill("[name='circle.longitude']", "77.61")
    await page.fill("[name='circle.radius_m']", "400")
    await page.press("[name='circle.radius_m']", "Tab")
    await page.wait_for_selector(".fence-map .leaflet-interactive[d]")
    await screen.is_accessible()
    await page.click("label:has-text('Corners')")
    field = page.locator(".fence-map")
    for x, y in ((200, 100), (400, 100), (400, 300), (200, 300), (100, 200)):
        await field.click(position={"x": x, "y": y})
    await page.click("[data-undo]")
    corners = (await page.input_value("[name=polygon]")).splitlines()
    assert len(corners) == 4
    await page.click("button:has-text('Draw the fence')")
    await page.wait_for_url(re.compile(r"/console/geofences/[0-9a-f-]{36}$"))
    [fence] = await fences(sqlite_platform.tenant)
    assert [[f"{one:.6f}" for one in corner] for corner in fence["polygon"]] == [one.split(", ") for one in corners]  # type: ignore[attr-defined]
    await screen.is_accessible()


async def test_who_crossed_a_fence_is_listed_by_van_and_day(sqlite_platform: Platform) -> None:
    road = await plant_road(sqlite_platform)
    yard = await road.tenant.post(API, {**YARD, "warehouse_id": road.warehouse_id})
    await road.report(at(DEPOT[0]))
    await look(sqlite_platform)
    async with at_console(sqlite_platform, road.tenant) as console:
        page = (await console.get(f"{FENCES}/events?geofence_id={yard['id']}&vehicle_id={road.vehicle_id}")).text
        assert "came in" in page
        assert f'href="{FENCES}/{yard["id"]}"' in page
        [event] = await road.tenant.get(f"{API}/events")
        today = (await console.get(f"{FENCES}/events?day=2020-01-31")).text
        assert "Nobody crossed a fence there" in today
        assert (await console.get(f"{FENCES}/events?day=soon")).status_code == 422
        exported = (await console.get(f"{FENCES}/events/export")).text
        assert exported.splitlines()[1].split(",")[1:3] == ["Yard", event["event"]]
        assert "Nobody yet" not in (await console.get(f"{FENCES}/{yard['id']}")).text
        await console.post(f"{FENCES}/{yard['id']}/remove")
        assert "a fence that is gone" in (await console.get(f"{FENCES}/events")).text


async def test_who_may_only_look_is_offered_nothing_to_change(sqlite_platform: Platform) -> None:
    made = await sqlite_platform.tenant.post(API, YARD)
    driver = await make_person(sqlite_platform, sqlite_platform.tenant, "delivery_personnel")
    async with at_console(sqlite_platform, driver) as console:
        assert f"{FENCES}/new" not in (await console.get(FENCES)).text
        page = (await console.get(f"{FENCES}/{made['id']}")).text
        assert "Take it away" not in page
        assert "<fieldset disabled>" in page
