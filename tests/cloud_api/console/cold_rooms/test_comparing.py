"""Rooms over each other: what is compared stands in the address, and is told as lines, as figures and as files."""

import csv
import io

import httpx2

from tests.cloud_api.console.cold_rooms.test_cold_rooms import ROOMS, make_watched_store
from tests.cloud_api.console.screens import Screen, at_console
from tests.factories.batches import make_epoch, make_reading, send
from tests.factories.farms import make_person, plant_sensor
from tests.factories.stores import ColdStore, make_cold_store, make_rule
from tests.platform_under_test import Platform

COMPARE = f"{ROOMS}/compare"


def these(*stores: ColdStore, **more: str) -> dict[str, list[str] | str]:
    """The page's query."""
    return {"id": [store.room_id for store in stores], **more}


async def two_stores(platform: Platform) -> tuple[ColdStore, ColdStore]:
    """Both are too warm above 8 °C, the second also below 2 °C too cold."""
    one, other = await make_watched_store(platform, 4.0, 5.0), await make_watched_store(platform, 9.5)
    await make_rule(other, kind="low", set_at=2.0, clear_at=2.5)
    return one, other


async def test_whoever_comes_without_rooms_chooses_some(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    assert "No cold room is watched yet" in (await console.get(COMPARE)).text
    one, other = await two_stores(sqlite_platform)
    page = (await console.get(COMPARE)).text
    assert f'name="id" value="{one.room_id}"' in page
    chosen = (await console.get(COMPARE, params=these(other, span="week"))).text
    assert "week" in chosen
    assert f"{COMPARE}/choice?id={other.room_id}" in chosen
    choice = (await console.get(f"{COMPARE}/choice", params=these(other, span="week"))).text
    assert f'value="{other.room_id}" checked' in choice
    assert f'value="{one.room_id}" checked' not in choice
    assert 'name="span" value="week"' in choice


async def test_each_room_is_a_line_with_what_only_it_is_kept_at(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    one, other = await two_stores(sqlite_platform)
    said = (await console.get(f"{COMPARE}/chart.json", params=these(one, other))).json()
    assert (said["unit"], said["limits"], said["own_limits"]) == ("°C", [8.0], [[2.0, 1]])
    [first, second] = said["series"]
    assert [max(value for value in line["most"] if value is not None) for line in (first, second)] == [5.0, 9.5]
    assert (first["tone"], second["tone"]) == ("azure", "purple")
    wet = (await console.get(f"{COMPARE}/chart.json", params=these(one, quantity="humidity"))).json()
    assert (wet["unit"], wet["series"][0]["mean"]) == ("%", [])


async def test_sensors_of_a_room_are_one_line_or_a_line_each(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    store = await make_cold_store(sqlite_platform)
    await plant_sensor(sqlite_platform, store.tenant, store.gateway_id, location_id=store.room_id, code="z2m:second")
    at_ms = make_reading(0)["recorded_at_ms"]  # of both: they are in the same hour
    await send(sqlite_platform, store, [make_reading(1, 4.0, at_ms)])
    await send(sqlite_platform, store, [make_reading(1, 6.0, at_ms, sensor="z2m:second")], epoch=make_epoch())
    week = these(store, span="week")
    [line] = (await console.get(f"{COMPARE}/chart.json", params=week)).json()["series"]
    assert (line["least"], line["mean"], line["most"]) == ([4.0], [5.0], [6.0])
    both = (await console.get(f"{COMPARE}/chart.json", params={**week, "each": "sensor"})).json()["series"]
    assert sorted(one["mean"][0] for one in both) == [4.0, 6.0]
    figures = (await console.get(f"{COMPARE}/figures", params={**week, "each": "sensor"})).text
    assert "z2m:second" in figures


async def test_figures_stand_side_by_side_and_go_into_files(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    one, other = await two_stores(sqlite_platform)
    figures = (await console.get(f"{COMPARE}/figures", params=these(one, other))).text
    assert figures.index(">4.5<") < figures.index(">9.5<")
    assert "border-top: 3px solid var(--tblr-purple)" in figures
    over_time = (await console.get(f"{COMPARE}/table", params=these(one, other))).text
    assert '"number">9.5<' in over_time
    shares = (await console.get(f"{COMPARE}/shares", params=these(one, other))).text
    assert "Time in range" in shares
    for part in ("", "/table"):
        file = await console.get(f"{COMPARE}{part}/export", params=these(one, other, format="csv"))
        rows = list(csv.reader(io.StringIO(file.text.lstrip("\ufeff"))))
        assert any("9.5" in row for row in rows[1:]), rows
    sheet = await console.get(f"{COMPARE}/export", params=these(one, format="xlsx"))
    assert sheet.content.startswith(b"PK")


async def test_only_so_many_rooms_and_only_those_that_somebody_sees(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    one, other = await two_stores(sqlite_platform)
    many = [f"00000000-0000-7000-8000-{number:012d}" for number in range(20)]
    page = (await console.get(COMPARE, params={"id": [one.room_id, *many]})).text
    assert "At most 20 rooms are compared at once" in page
    keeper = await make_person(sqlite_platform, sqlite_platform.tenant, "inventory_staff")
    await sqlite_platform.tenant.put(
        f"/api/v1/admin/users/{(await keeper.get('/api/v1/auth/me'))['id']}/warehouses",
        {"warehouse_ids": [one.warehouse_id]},
    )
    async with at_console(sqlite_platform, keeper) as client:
        said = (await client.get(f"{COMPARE}/chart.json", params=these(other, one))).json()
        assert len(said["series"]) == 1


async def test_rooms_are_ticked_and_drawn_over_each_other(screen: Screen, sqlite_platform: Platform) -> None:
    one, other = await two_stores(sqlite_platform)
    page = screen.page
    await page.set_viewport_size({"width": 360, "height": 740})
    await screen.open(f"{COMPARE}?id={one.room_id}")
    await page.click("text=Choose other rooms")
    await page.check(f"input[value='{other.room_id}']")
    await page.click("form >> text=Compare")
    await page.wait_for_selector("[data-room-chart][data-drawn='3'], [data-room-chart][data-drawn='2']")
    await page.wait_for_selector("td >> text=9.5")
    wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0
    await screen.is_accessible()
