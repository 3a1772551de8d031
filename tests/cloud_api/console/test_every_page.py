"""Every list at a phone's width, pages with colours of their own in the dark, and a walk by keyboard."""

from collections.abc import Sequence
from typing import Any

from playwright.async_api import ViewportSize

from cloud_api.console.navigation import WINGS
from tests.cloud_api.cold_chain.excursions import judge_at_once
from tests.cloud_api.console.screens import Screen
from tests.factories.batches import make_reading, send
from tests.factories.returns import hand_over_order
from tests.factories.roads import DEPOT, plant_road
from tests.factories.stores import make_cold_store, receive
from tests.platform_under_test import Platform

NARROW: ViewportSize = {"width": 360, "height": 740}
ALLOWED = "/api/v1/admin/security/ip-allowlist"
FENCE = {"name": "Yard", "kind": "depot", "circle": {"latitude": DEPOT[0], "longitude": DEPOT[1], "radius_m": 300}}
#: the driver's app has pages and tests of its own; others than the organisation's administrator keep the platform
_NOT_THEIRS = ("/console/driver", "/console/organizations")
LISTS = [
    "/console",
    "/console/notifications",
    "/console/me",
    "/console/cold-rooms/compare",
    "/console/gateways/gaps",
    "/console/orders/slots",
    *(door.path for wing in WINGS for door in wing.doors if door.path not in _NOT_THEIRS),
]
#: what is coloured by more than the theme: tones of states, charts, the board, fences and tracks
COLOURED = ("/console/cold-rooms", "/console/cold-rooms/board", "/console/orders", "/console/performance")
MEASURED = """() => {
  const seen = (element) => element.checkVisibility() && !element.closest(".visually-hidden, .leaflet-container");
  const small = (element) => element.getBoundingClientRect().height < 39.5;
  return {
    over: document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth,
    small: [...document.querySelectorAll("main .btn, main summary, main .nav-link, header .btn, .navbar-toggler")]
      .filter((element) => seen(element) && small(element)).map((element) => element.outerHTML.slice(0, 120)),
    tabs: [...document.querySelectorAll("main .nav-link[href^='/console/']")].map((link) => link.pathname),
  };
}"""


async def _fill(platform: Platform) -> None:
    """A bit of everything for the lists."""
    store = await make_cold_store(platform)
    await receive(store, lot="A-LOT-WHOSE-NUMBER-IS-LONGER-THAN-A-LINE-OF-A-PHONE")
    await judge_at_once(store)
    await send(platform, store, [make_reading(1, 4.0), make_reading(2, 30.0)])
    await plant_road(platform)
    await (await hand_over_order(platform)).ask()
    await platform.tenant.post("/api/v1/geofences", FENCE)


async def _settled(screen: Screen, path: str) -> Any:
    """Open a page; once its parts are loaded, what is measured of it."""
    await screen.open(path)
    await screen.page.wait_for_selector(".htmx-request, [aria-busy=true]", state="detached")
    return await screen.page.evaluate(MEASURED)


async def test_no_list_scrolls_sideways_on_a_phone_and_all_buttons_fit_a_thumb(
    screen: Screen, sqlite_platform: Platform
) -> None:
    await _fill(sqlite_platform)
    await screen.page.set_viewport_size(NARROW)
    wrong: list[str] = []
    to_see, seen = list(LISTS), set[str]()
    for path in to_see:
        if path in seen:
            continue
        seen.add(path)
        found = await _settled(screen, path)
        to_see += found["tabs"]
        if found["over"] > 0:
            wrong.append(f"{path} is {found['over']} px too wide")
        wrong += [f"{path}: too small for a thumb: {button}" for button in found["small"]]
    assert wrong == []
    assert {"/console/stock/holds", "/console/roles", "/console/audit"} <= seen  # the tabs were followed


async def test_rows_stand_as_cards_on_a_phone_and_as_a_table_at_a_desk(
    screen: Screen, sqlite_platform: Platform
) -> None:
    await hand_over_order(sqlite_platform)
    page = screen.page
    await page.set_viewport_size(NARROW)
    await screen.open("/console/orders")
    cells = page.locator("main tbody tr").first.locator("td")
    name = await page.locator("main thead th").nth(1).text_content()
    said = "(cell) => getComputedStyle(cell, '::before').content"
    assert await cells.nth(1).evaluate(said) == f'"{(name or "").strip()}"'
    tops = await cells.evaluate_all("(all) => all.map((cell) => cell.getBoundingClientRect().top)")
    assert len(set(tops)) > 1
    await screen.is_accessible()
    await page.set_viewport_size({"width": 1360, "height": 900})
    assert await cells.nth(1).evaluate(said) == "none"


async def test_states_charts_and_the_board_can_be_read_in_the_dark(screen: Screen, sqlite_platform: Platform) -> None:
    await _fill(sqlite_platform)
    await screen.page.emulate_media(color_scheme="dark")
    for path in COLOURED:
        await _settled(screen, path)
        assert await screen.page.get_attribute("html", "data-bs-theme") == "dark"
        await screen.is_accessible()


async def _focused(screen: Screen) -> Sequence[str]:
    """What has the focus (its text), and how it is outlined."""
    told: Sequence[str] = await screen.page.evaluate(
        "() => { const at = document.activeElement, style = getComputedStyle(at);"
        " return [at.textContent.trim(), `${style.outlineStyle} ${style.outlineWidth}`, at.id] }"
    )
    return told


async def test_all_is_reached_and_left_by_keyboard(screen: Screen, sqlite_platform: Platform) -> None:
    await sqlite_platform.tenant.post("/api/v1/geofences", FENCE)
    keys, page = screen.page.keyboard, screen.page
    await screen.open("/console/geofences")
    await keys.press("Tab")
    assert await _focused(screen) == ["Skip to content", "solid 2px", ""]
    box = await page.locator(".skip-link").bounding_box()
    assert box is not None
    assert box["width"] > 40
    await keys.press("Enter")
    assert (await _focused(screen))[2] == "content"

    menu = page.locator("button:has-text('Export')")
    await menu.focus()
    await keys.press("Enter")
    await page.wait_for_selector(".dropdown-menu.show")
    await keys.press("ArrowDown")
    assert (await _focused(screen))[:2] == ["CSV", "solid 2px"]
    await keys.press("Escape")
    await page.wait_for_selector(".dropdown-menu.show", state="detached")
    assert (await _focused(screen))[0] == "Export"

    await keys.press("?")
    await page.wait_for_selector("dialog#keys[open]")
    await keys.press("Escape")
    assert (await _focused(screen))[0] == "Export"


async def test_escape_is_a_no_and_the_next_question_is_about_its_own_form(
    screen: Screen, sqlite_platform: Platform
) -> None:
    tenant, keys, page = sqlite_platform.tenant, screen.page.keyboard, screen.page
    for address in ("203.0.113.1/32", "203.0.113.2/32"):
        await tenant.post(ALLOWED, {"cidr": address})
    await screen.open("/console/settings/addresses")
    for answer in ("Enter", "Escape"):  # Enter: the focus is on Cancel at first
        await page.locator("button:has-text('Remove')").first.focus()
        await keys.press("Enter")
        await page.wait_for_selector("dialog#confirm[open]")
        await keys.press(answer)
        await page.wait_for_selector("dialog#confirm:not([open])", state="attached")
        assert (await _focused(screen))[0] == "Remove"
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.method == "POST" else None)
    second = page.locator("tbody tr").nth(1)
    left = await page.locator("tbody tr code").first.text_content()
    await second.locator("button").click()
    await page.click("dialog#confirm [data-answer=yes]")
    await page.wait_for_selector("tbody tr:nth-child(2)", state="detached")
    assert len(asked) == 1
    assert [one["cidr"] for one in await tenant.get(ALLOWED)] == [left]


async def test_the_menu_of_a_phone_closes_by_escape(screen: Screen) -> None:
    page = screen.page
    await page.set_viewport_size(NARROW)
    await screen.open("/console/me")
    await page.locator(".navbar-toggler").focus()
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#navigation.show")
    heights = "(all) => all.map((one) => one.getBoundingClientRect().height)"
    assert min(await page.locator("#navigation :is(a, button)").evaluate_all(heights)) >= 40
    await page.keyboard.press("Escape")
    await page.wait_for_selector("#navigation:not(.show, .collapsing)", state="attached")
    assert await page.evaluate("document.activeElement.matches('.navbar-toggler')")
