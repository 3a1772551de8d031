"""The overview shows what somebody may see, says what the API says, and leads on to it."""

import re
from typing import Any

import httpx2

from cloud_api.console.home.activity import PAGES
from tests.cloud_api.console.screens import Screen, at_console
from tests.factories.farms import make_person
from tests.factories.orders import hire_driver, make_depot, order_from
from tests.platform_under_test import Platform, Tenant

OPERATIONS = "/api/v1/warehouse/operations"
_FIGURE = re.compile(r'data-figure="([^"]*)">([^<]*)<')


def figures(page: str) -> dict[str, str]:
    """What the cards of a page say."""
    return {label: value.strip() for label, value in _FIGURE.findall(page)}


async def a_day(tenant: Tenant) -> Any:
    """A store with an order that waits to be picked."""
    depot = await make_depot(tenant)
    order = await order_from(depot)
    await tenant.post(f"/api/v1/orders/{order['id']}/confirm")
    return order


async def test_the_figures_are_the_apis(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    tenant = sqlite_platform.tenant
    await a_day(tenant)
    overview, metrics = [await tenant.get(f"{OPERATIONS}/{name}") for name in ("overview", "metrics")]
    cards = figures((await console.get("/console/home/cards")).text)
    assert cards["Total inventory"] == f"₹{float(overview['inventory']['value']):,.2f}"
    assert cards["Active fleet"] == f"{overview['fleet']['active']} / {overview['fleet']['total']}"
    assert cards["Orders packed today"] == str(overview["orders"]["packed"])
    assert cards["Delivered in time"] == "–"
    assert overview["deliveries"]["on_time_share"] is None
    assert (cards["To be bought again"], cards["Expires soon"]) == ("0", "0")
    now = figures((await console.get("/console/home/now")).text)
    assert now["Open alarms"] == str(metrics["alerts_open"])
    assert now["Orders to pick"] == str(metrics["open_orders"]["confirmed"]) == "1"
    assert now["Gateways online"] == f"{metrics['devices']['gateways_online']} / {metrics['devices']['gateways']}"
    goods = (await console.get("/console/home/goods")).text
    assert "Nothing does." in goods
    assert '<td class="number">96</td>' in goods, "of 100, 4 are promised"


async def test_what_was_done_last_leads_to_its_record(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    order = await a_day(sqlite_platform.tenant)
    address = f"/console/orders/{order['id']}"
    assert f'href="{address}"' in (await console.get("/console/home/activity")).text
    assert (await console.get(address)).status_code == 200
    stocker = await make_person(sqlite_platform, sqlite_platform.tenant, "inventory_staff")
    async with at_console(sqlite_platform, stocker) as at_work:
        booked = (await at_work.get("/console/home/activity")).text
    [lot] = await sqlite_platform.tenant.get("/api/v1/warehouse/batches")
    assert f'href="/console/lots/{lot["id"]}"' in booked


async def test_every_record_of_the_trail_leads_to_a_page_that_there_is(console: httpx2.AsyncClient) -> None:
    nobody = "00000000-0000-7000-8000-000000000000"
    for kind, page in PAGES.items():
        answer = await console.get(page(nobody))
        assert answer.status_code == 404, kind
        assert answer.headers["content-type"].startswith("text/html"), f"{kind} has no page"


async def test_a_driver_is_led_to_their_route(sqlite_platform: Platform) -> None:
    _, driver = await hire_driver(sqlite_platform, sqlite_platform.tenant)
    async with at_console(sqlite_platform, driver) as console:
        led = await console.get("/console")
        assert (led.status_code, led.headers["location"]) == (303, "/console/driver")
        for part in ("cards", "now", "goods", "deliveries", "activity"):
            assert figures((await console.get(f"/console/home/{part}")).text) == {}


async def test_who_has_no_figures_finds_the_rooms_that_they_may_enter(sqlite_platform: Platform) -> None:
    buyer = await make_person(sqlite_platform, sqlite_platform.tenant, "supplier_manager")
    async with at_console(sqlite_platform, buyer) as console:
        assert (await console.get("/console")).status_code == 200
        page = (await console.get("/console/home/now")).text
    assert 'href="/console/products"' in page
    assert figures(page) == {}


async def test_the_overview_is_there_in_a_moment_and_for_everybody(screen: Screen) -> None:
    await screen.open("/console")
    for figure in ("Total inventory", "Open alarms"):
        await screen.page.wait_for_selector(f"[data-figure='{figure}']")
    await screen.page.wait_for_selector("text=Too little on hand")
    await screen.page.wait_for_selector("text=Recent activity")
    await screen.is_accessible()
