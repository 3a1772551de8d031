"""The board on the wall, and a room's page at a desk, in a browser."""

import asyncio

from playwright.async_api import WebSocket

from tests.cloud_api.cold_chain.excursions import judge_at_once
from tests.cloud_api.console.screens import Screen
from tests.factories.batches import make_reading, send
from tests.factories.stores import make_cold_store, receive
from tests.platform_under_test import Platform


async def test_the_wall_changes_by_itself_and_is_read_from_afar(screen: Screen, sqlite_platform: Platform) -> None:
    page = screen.page
    store = await make_cold_store(sqlite_platform)
    await judge_at_once(store)
    await send(sqlite_platform, store, [make_reading(1, 4.0)])
    following = asyncio.Event()

    def opened(socket: WebSocket) -> None:
        if "/ws/telemetry/" in socket.url:
            socket.on("framereceived", lambda _: following.set())

    page.on("websocket", opened)
    await page.set_viewport_size({"width": 1920, "height": 1080})
    await screen.open("/console/cold-rooms/board")
    await page.wait_for_selector("#rooms [data-state=in_range]")
    await screen.is_accessible()
    height = await page.evaluate("parseFloat(getComputedStyle(document.querySelector('.board-figure')).fontSize)")
    assert height >= 80, "letters of 2.5 cm on a screen of 1.2 m"
    await asyncio.wait_for(following.wait(), 15)
    await send(sqlite_platform, store, [make_reading(2, 9.5)])
    await page.wait_for_selector("#rooms [data-state=too_warm] >> text=9.5")
    await page.emulate_media(color_scheme="dark")
    await screen.open("/console/cold-rooms/board")
    await page.wait_for_selector("html[data-bs-theme=dark] #rooms [data-state=too_warm]")
    await screen.is_accessible()


async def test_what_is_in_a_room_follows_its_page(screen: Screen, sqlite_platform: Platform) -> None:
    page = screen.page
    store = await make_cold_store(sqlite_platform)
    await receive(store, lot="LOT-77")
    await send(sqlite_platform, store, [make_reading(1, 4.0)])
    await page.set_viewport_size({"width": 360, "height": 740})
    await screen.open(f"/console/cold-rooms/{store.room_id}")
    await page.wait_for_selector("text=LOT-77")
    await page.wait_for_selector("[data-room-chart][data-drawn]")
    await page.click("summary")
    await page.wait_for_selector("details[open] td >> text=4.0")
    wide = await page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    assert not wide, "it fits a phone"
    await screen.is_accessible()
