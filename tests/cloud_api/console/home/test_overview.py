"""The overview shows what somebody may see, and leads on to it."""

import httpx2

from tests.cloud_api.console.screens import Screen, at_console
from tests.factories.orders import hire_driver, make_depot, order_from
from tests.platform_under_test import Platform


async def test_the_figures_are_the_apis(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    tenant = sqlite_platform.tenant
    depot = await make_depot(tenant)
    order = await order_from(depot)
    await tenant.post(f"/api/v1/orders/{order['id']}/confirm")
    now = (await console.get("/console/home/now")).text
    assert 'data-figure="Orders to pick">1<' in now
    assert 'data-figure="Open alarms">0<' in now
    goods = (await console.get("/console/home/goods")).text
    assert "100 in all" in goods
    assert "Nothing does." in goods


async def test_a_driver_sees_no_figures_of_the_office(sqlite_platform: Platform) -> None:
    _, driver = await hire_driver(sqlite_platform, sqlite_platform.tenant)
    async with at_console(sqlite_platform, driver) as console:
        assert (await console.get("/console")).status_code == 200
        goods = (await console.get("/console/home/goods")).text
        assert "Value of the stock" not in goods
        assert "Orders to pick" not in (await console.get("/console/home/now")).text


async def test_the_overview_is_there_in_a_moment_and_for_everybody(screen: Screen) -> None:
    await screen.open("/console")
    await screen.page.wait_for_selector("[data-figure='Open alarms']")
    await screen.page.wait_for_selector("text=Too little on hand")
    await screen.is_accessible()
