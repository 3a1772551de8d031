"""A keeper at the screen: a room is too warm, and they see it through."""

import asyncio

from playwright.async_api import WebSocket

from tests.cloud_api.cold_chain.excursions import judge_at_once
from tests.cloud_api.console.screens import Screen
from tests.factories.batches import make_reading, send
from tests.factories.stores import make_cold_store, receive
from tests.platform_under_test import Platform


async def test_a_keeper_sees_a_room_too_warm_and_sees_it_through(screen: Screen, sqlite_platform: Platform) -> None:
    page = screen.page
    store = await make_cold_store(sqlite_platform)
    await judge_at_once(store)
    await receive(store, lot="LOT-77")
    await send(sqlite_platform, store, [make_reading(1, 4.0)])
    following = asyncio.Event()

    def opened(socket: WebSocket) -> None:
        if "/ws/telemetry/" in socket.url:
            socket.on("framereceived", lambda _: following.set())

    page.on("websocket", opened)
    await screen.open("/console/cold-rooms")
    await page.wait_for_selector("main [data-state=in_range]")
    await screen.is_accessible()

    # the tile changes by itself
    await asyncio.wait_for(following.wait(), 15)
    await send(sqlite_platform, store, [make_reading(2, 9.5)])
    await page.wait_for_selector("main [data-state=too_warm]")
    await page.click("main a:has-text('EXC-')")
    await page.wait_for_selector("[data-room-chart][data-drawn]")
    assert "LOT-77" in await screen.text()
    await screen.is_accessible()

    await page.fill("#f-note", "The door stood open: closed it")
    await page.click("main button:has-text('Acknowledge')")
    await page.wait_for_selector("#what [data-state=acknowledged]")
    await page.select_option("#f-disposition", "release")
    await page.fill("#f-note", "Cores measured: 4 °C")
    await page.click("button:has-text('Close the excursion')")
    await page.click("#confirm [data-answer=yes]")
    await page.wait_for_selector("#what [data-state=closed]")
    [excursion] = await store.tenant.get("/api/v1/excursions")
    assert (excursion["status"], excursion["disposition"]) == ("closed", "release")

    await page.click("nav a:has-text('Cold rooms')")
    await page.click(f"#tile-{store.room_id} a")
    await page.wait_for_selector("[data-room-chart][data-drawn]")
    await screen.is_accessible()
