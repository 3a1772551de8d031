"""The administrator's figures: the API's, as cards, charts with their tables, and files."""

import io
import json
import re
from datetime import UTC, datetime
from html import unescape

import httpx2
import openpyxl

from tests.cloud_api.analytics.business.books import Sale, Sold, write
from tests.cloud_api.console.screens import Screen, at_console
from tests.factories.farms import make_person
from tests.factories.orders import make_customer, make_depot
from tests.platform_under_test import Platform

PAGE = "/console/management"
DAYS = "from=2026-06-01&to=2026-06-02"
NOON = datetime(2026, 6, 2, 6, 30, tzinfo=UTC)


async def sell(platform: Platform, *, name: str = "") -> None:
    """One order, delivered on the second of June for a hundred rupees."""
    tenant = platform.tenant
    depot = await make_depot(tenant)
    customer = await make_customer(tenant)
    if name:
        await tenant.put(f"/api/v1/customers/{customer}", {"name": name})
    sale = Sale(customer, depot.warehouse_id, NOON, NOON, lines=(Sold(depot.product_id),))
    await write(platform, tenant, sale)


async def test_cards_charts_and_tables_say_what_the_api_says(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    await sell(sqlite_platform)
    part = (await console.get(f"{PAGE}/parts/business?{DAYS}")).text
    assert 'data-figure="Revenue">₹100.00<' in part
    assert "nothing in 30 May 2026 – 31 May 2026" in part
    revenue = (await console.get(f"{PAGE}/parts/revenue?{DAYS}")).text
    [said] = re.findall(r"data-said='([^']*)'", revenue)
    drawn = json.loads(unescape(said))
    assert (drawn["x"], drawn["series"][0]["data"]) == (["01 Jun", "02 Jun"], [0.0, 100.0])
    assert revenue.count('<td class="number">100.00</td>') == 2


async def test_the_page_leads_to_every_part_with_its_period(console: httpx2.AsyncClient) -> None:
    page = unescape((await console.get(f"{PAGE}?{DAYS}&by=week")).text)
    parts = re.findall(r'hx-get="([^"]*parts/[^"]*)"', page)
    assert [re.sub(r".*parts/|\?.*", "", part) for part in parts] == [
        "business", "revenue", "orders", "customers", "products", "usage", "security",
    ]  # fmt: skip
    for part in parts:
        assert part.endswith("?from=2026-06-01&to=2026-06-02&by=week")
        assert (await console.get(part)).status_code == 200, part


async def test_a_table_is_a_file_with_the_same_rows(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    await sell(sqlite_platform, name="=SUM(A1)")
    csv = (await console.get(f"{PAGE}/revenue/export?{DAYS}&format=csv")).text
    assert csv.splitlines()[0].endswith("From day,To day,Orders delivered,Delivered (INR),Credited (INR),Revenue (INR)")
    assert csv.splitlines()[2] == "2026-06-02,2026-06-02,1,100.00,0.00,100.00"
    book = openpyxl.load_workbook(
        io.BytesIO((await console.get(f"{PAGE}/best-customers/export?{DAYS}&format=xlsx")).content)
    )
    [_, row] = book.active.iter_rows(values_only=True)
    assert row == ("=SUM(A1)", 1, 100)
    assert "'=SUM(A1),1,100.00" in (await console.get(f"{PAGE}/best-customers/export?{DAYS}")).text


async def test_days_that_cannot_be_told_are_said_in_their_place(console: httpx2.AsyncClient) -> None:
    answer = await console.get(f"{PAGE}/parts/revenue?from=2026-06-02&to=2026-06-01")
    assert answer.status_code == 200
    assert "the first day must not lie after the last" in answer.text
    for name in ("parts/nothing", "nothing/export"):
        assert (await console.get(f"{PAGE}/{name}")).status_code == 404


async def test_whoever_may_not_see_figures_finds_none_and_no_door(sqlite_platform: Platform) -> None:
    keeper = await make_person(sqlite_platform, sqlite_platform.tenant, "warehouse_manager")
    async with at_console(sqlite_platform, keeper) as console:
        page = (await console.get(PAGE)).text
        assert "No figures for your role" in page
        assert 'href="/console/management"' not in page
        assert (await console.get(f"{PAGE}/parts/revenue")).status_code == 403
        assert (await console.get(f"{PAGE}/revenue/export")).status_code == 403


async def test_the_platforms_own_figures_are_for_those_who_run_it(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    for name in ("system", "performance", "errors"):
        assert (await console.get(f"{PAGE}/parts/{name}")).status_code == 403
    operator = await make_person(sqlite_platform, sqlite_platform.tenant, "super_admin")
    await sqlite_platform.app.state.request_history.flush(sqlite_platform.database)
    async with at_console(sqlite_platform, operator) as theirs:
        assert "Organisations" in (await theirs.get(f"{PAGE}/parts/system")).text
        times = (await theirs.get(f"{PAGE}/parts/performance")).text
        assert '<td class="">management</td>' not in times  # a page is no group of routes of its own
        assert '<td class="">console</td>' in times
        assert "FORBIDDEN" in (await theirs.get(f"{PAGE}/parts/errors")).text
        year = "from=2025-12-01&to=2026-11-30"
        assert (await theirs.get(f"{PAGE}/parts/performance?{year}")).text.count("at most") == 0


async def test_figures_are_drawn_and_told_and_can_be_used_by_everybody(
    screen: Screen, sqlite_platform: Platform
) -> None:
    await sell(sqlite_platform)
    await screen.open(f"{PAGE}?{DAYS}")
    await screen.page.wait_for_selector("[data-figure='Revenue'] >> text=₹100.00")
    await screen.page.wait_for_selector("[data-panel='revenue'] canvas")
    await screen.page.wait_for_selector("[data-panel='changes'] td")
    await screen.page.click("[data-panel='revenue'] summary")
    await screen.page.wait_for_selector("[data-panel='revenue'] td >> text=01 Jun 2026")
    await screen.is_accessible()
    await screen.page.set_viewport_size({"width": 360, "height": 740})
    await screen.page.wait_for_function("document.documentElement.scrollWidth <= 360")
