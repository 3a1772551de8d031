"""A dispatcher at the board."""

from typing import Any

from playwright.async_api import Page

from tests.cloud_api.console.dispatch.conftest import DayToPlan
from tests.cloud_api.console.screens import Screen
from tests.factories.orders import in_this_process, order_from, pack
from tests.platform_under_test import Platform

READY = "#dispatch-board[aria-busy=false]"


async def test_a_dispatcher_plans_a_day_moves_a_stop_takes_it_back_and_applies(
    screen: Screen, day: DayToPlan, sqlite_platform: Platform
) -> None:
    page, tenant = screen.page, day.tenant
    heavy = await order_from(day.depot, quantity="900")
    await pack(tenant, heavy["id"])
    await screen.open(day.address)
    await page.wait_for_selector(READY)
    await page.click("#plan")
    await screen.is_accessible()
    await page.fill("#f-time_limit_s", "1")
    await page.click("main button[type=submit]")
    await page.wait_for_selector("[data-job-status=queued]")
    [job] = await tenant.get("/api/v1/dispatch/jobs")
    await in_this_process(sqlite_platform, tenant, job["id"])
    await page.wait_for_url(f"**/console/dispatch?job={job['id']}")
    await page.wait_for_selector(READY)
    assert (await tenant.get(f"/api/v1/dispatch/jobs/{job['id']}/solution"))["unserved"][0]["order_id"] == heavy["id"]
    await page.click(f"[data-pick='{heavy['id']}']")
    await page.wait_for_selector("#detail >> text=What would help")

    before = await places(page)
    order_id = day.order_ids[1]
    await page.click(f".stop[data-order='{order_id}']")
    await screen.is_accessible()
    busy = before[order_id]
    other = next(van for van in day.van_ids if van != busy)
    await page.keyboard.press("ArrowDown" if await is_above(page, busy, other) else "ArrowUp")
    await page.wait_for_selector(f"[data-lane='{other}'] .stop[data-order='{order_id}']")
    await page.wait_for_selector("[data-board-version][value='2']", state="attached")
    assert (await van_of(tenant, job["id"]))[order_id] == other
    await page.keyboard.press("Control+z")
    await page.wait_for_selector("[data-board-version][value='3']", state="attached")
    assert await van_of(tenant, job["id"]) == before

    await page.click("text=Apply")
    await page.wait_for_selector("text=The routes are made and their drivers told.")
    await page.click("#toasts .btn-close")
    await page.wait_for_selector(READY)
    assert await places(page) == before
    await screen.is_accessible()


async def test_a_stop_is_dragged_to_another_van_and_what_breaks_rules_is_asked_about(
    screen: Screen, day: DayToPlan
) -> None:
    page, tenant = screen.page, day.tenant
    heavy = await order_from(day.depot, quantity="900")
    await pack(tenant, heavy["id"])
    job_id = await day.planned()
    await screen.open(f"/console/dispatch?job={job_id}")
    await page.wait_for_selector(READY)
    before = await places(page)
    order_id = day.order_ids[0]
    other = next(van for van in day.van_ids if van != before[order_id])
    await drag(page, f".stop[data-order='{order_id}']", f"[data-lane='{other}'] .lane-track")
    await page.wait_for_selector("[data-board-version][value='2']", state="attached")
    assert (await van_of(tenant, job_id))[order_id] == other

    await drag(page, f"#bucket [data-order='{heavy['id']}']", f"[data-lane='{other}'] .lane-track")
    await page.wait_for_selector("#breaks >> text=This breaks rules")
    await screen.is_accessible()
    await page.click("#put-back")
    await page.wait_for_selector(f"#bucket [data-order='{heavy['id']}']")
    await drag(page, f"#bucket [data-order='{heavy['id']}']", f"[data-lane='{other}'] .lane-track")
    await page.click("#keep")
    await page.wait_for_selector("#violations:not(.d-none) li")
    assert (await van_of(tenant, job_id))[heavy["id"]] == other


async def drag(page: Page, source: str, target: str) -> None:
    """From the middle of one element into the left of another."""
    start = await page.locator(source).bounding_box()
    end = await page.locator(target).bounding_box()
    assert start is not None
    assert end is not None
    await page.mouse.move(start["x"] + start["width"] / 2, start["y"] + start["height"] / 2)
    await page.mouse.down()
    await page.mouse.move(end["x"] + 60, end["y"] + end["height"] / 2, steps=4)
    await page.mouse.up()


async def places(page: Page) -> dict[str, str]:
    """Order -> the van on whose lane it stands."""
    found: dict[str, str] = await page.evaluate(
        "Object.fromEntries([...document.querySelectorAll('#lanes .stop')]"
        ".map((one) => [one.dataset.order, one.closest('.lane').dataset.lane]))"
    )
    return found


async def is_above(page: Page, one: str, other: str) -> bool:
    """Whether a van's lane stands above another's."""
    lanes = await page.evaluate("[...document.querySelectorAll('#lanes .lane')].map((lane) => lane.dataset.lane)")
    return bool(lanes.index(one) < lanes.index(other))


async def van_of(tenant: Any, job_id: str) -> dict[str, str]:
    """The same, as the API has it."""
    solution = await tenant.get(f"/api/v1/dispatch/jobs/{job_id}/solution")
    return {stop["order_id"]: route["vehicle_id"] for route in solution["routes"] for stop in route["stops"]}


async def test_made_routes_are_changed_one_edit_after_the_other_and_taken_back(screen: Screen, day: DayToPlan) -> None:
    page, tenant = screen.page, day.tenant
    job_id = await day.planned()
    await tenant.post(f"/api/v1/dispatch/jobs/{job_id}/apply", {})
    await screen.open(day.address)
    await page.wait_for_selector(READY)
    before = await places(page)
    one, other = day.order_ids[0], day.order_ids[1]
    # the second is dropped before the first is answered
    moves = {order_id: next(van for van in day.van_ids if van != before[order_id]) for order_id in (one, other)}
    for order_id, van_id in moves.items():
        await drag(page, f".stop[data-order='{order_id}']", f"[data-lane='{van_id}'] .lane-track")
    for order_id, van_id in moves.items():
        await page.wait_for_selector(f"[data-lane='{van_id}'] .stop[data-order='{order_id}']")
    await page.wait_for_selector("#saving:empty", state="attached")
    assert await page.locator("#toasts >> text=Somebody else").count() == 0
    for order_id in (other, one):
        await page.keyboard.press("Control+z")
        await page.wait_for_selector(f"[data-lane='{before[order_id]}'] .stop[data-order='{order_id}']")
        await page.wait_for_selector("#saving:empty", state="attached")
    driven = {
        stop["order_id"]: route["vehicle_id"]
        for route in await tenant.get("/api/v1/warehouse/routes", status="planned")
        for stop in (await tenant.get(f"/api/v1/warehouse/routes/{route['id']}"))["deliveries"]
        if stop["status"] == "assigned"
    }
    assert driven == before
