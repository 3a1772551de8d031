"""The page of figures: its cards say what the API says, its tables go into files, its days stand in its address."""

import httpx2

from tests.cloud_api.console.home.test_overview import a_day, figures
from tests.cloud_api.console.screens import PHONE, Screen, at_console
from tests.factories.farms import make_person
from tests.platform_under_test import Platform

PAGE = "/console/performance"
ANALYTICS = "/api/v1/warehouse/analytics"
PARTS = ("inventory", "trends", "turnover", "waste", "cold", "road", "drivers", "storage", "costs", "value")


async def test_the_cards_are_the_apis(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    tenant = sqlite_platform.tenant
    await a_day(tenant)
    parts = {name: await console.get(f"{PAGE}/parts/{name}") for name in PARTS}
    assert {answer.status_code for answer in parts.values()} == {200}
    cards = {label: value for answer in parts.values() for label, value in figures(answer.text).items()}
    stock = await tenant.get(f"{ANALYTICS}/inventory")
    value = await tenant.get(f"{ANALYTICS}/valuation")
    space = await tenant.get(f"{ANALYTICS}/efficiency")
    assert cards["Stock on hand"] == f"{float(stock['total']['quantity']):g}" == "100"
    assert cards["Free to be sold"] == "96"
    assert cards["Total inventory"] == f"₹{float(value['total']['value']):,.2f}"
    assert (space["utilisation_pct"], cards["Space in use"]) == (None, "–")
    assert cards["Attempts that failed"] == "0"
    assert "data-said=" in parts["trends"].text
    assert "As a table" in parts["trends"].text, "each chart can be read"


async def test_what_is_shown_can_be_taken_along(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    await a_day(sqlite_platform.tenant)
    said = await sqlite_platform.tenant.get(f"{ANALYTICS}/trends")
    file = await console.get(f"{PAGE}/stock-by-day/export", params={"format": "csv"})
    head, *rows = file.text.lstrip("\ufeff").splitlines()
    assert head.startswith("Day,Stock at the end of the day")
    assert [row.split(",")[0] for row in rows] == [one["day"] for one in said["days"]]
    sheet = await console.get(f"{PAGE}/cold-report/export", params={"format": "xlsx"})
    assert (sheet.status_code, sheet.content[:2]) == (200, b"PK")
    assert (await console.get(f"{PAGE}/nothing/export")).status_code == 404
    assert (await console.get(f"{PAGE}/parts/nothing")).status_code == 404


async def test_days_and_warehouse_go_from_the_address_into_every_part(console: httpx2.AsyncClient) -> None:
    page = (await console.get(PAGE, params={"from": "2026-01-05", "to": "2026-01-09"})).text
    assert page.count("from=2026-01-05&amp;to=2026-01-09") >= len(PARTS)
    assert '/console/performance/cold-report/export?from=2026-01-05&amp;to=2026-01-09&amp;format=csv"' in page
    part = (await console.get(f"{PAGE}/parts/trends", params={"from": "2026-01-05", "to": "2026-01-09"})).text
    assert "05 Jan 2026" in part
    assert "10 Jan 2026" not in part
    refused = await console.get(f"{PAGE}/parts/trends", params={"from": "2026-01-09", "to": "2026-01-05"})
    assert (refused.status_code, "must not lie after" in refused.text) == (200, True)


async def test_everybody_sees_the_parts_that_are_theirs(sqlite_platform: Platform) -> None:
    for role, parts in (("logistics_manager", {"road", "drivers"}), ("inventory_staff", set())):
        person = await make_person(sqlite_platform, sqlite_platform.tenant, role)
        async with at_console(sqlite_platform, person) as console:
            page = (await console.get(PAGE)).text
            assert {name for name in PARTS if f"{PAGE}/parts/{name}?" in page} == parts
            assert (await console.get(f"{PAGE}/parts/waste")).status_code == 403


async def test_charts_are_drawn_on_a_phone_too(screen: Screen, sqlite_platform: Platform) -> None:
    await a_day(sqlite_platform.tenant)
    await screen.page.set_viewport_size({"width": 360, "height": PHONE["height"]})
    await screen.open(PAGE)
    await screen.page.wait_for_selector("[data-panel='stock-by-day'] canvas")
    await screen.page.wait_for_selector("[data-figure='Total inventory']")
    wide = await screen.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 360
    await screen.is_accessible()
