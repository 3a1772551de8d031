"""A keeper receives a lot, moves part of it and counts the rest; the administrator approves what is missing."""

from tests.cloud_api.console.handling.rooms import make_rooms
from tests.cloud_api.console.screens import Screen
from tests.factories.farms import make_person
from tests.platform_under_test import Platform


async def test_a_lot_is_received_moved_counted_and_the_difference_approved(
    screen: Screen, sqlite_platform: Platform
) -> None:
    tenant, page = sqlite_platform.tenant, screen.page
    rooms = await make_rooms(tenant)
    await page.context.clear_cookies()
    await screen.come_in(await make_person(sqlite_platform, tenant, "inventory_staff"))

    await screen.open("/console/receiving")
    await page.focus("#f-product_id")
    await page.wait_for_selector("[role=option]")
    await page.press("#f-product_id", "Enter")
    assert await page.input_value("#v-product_id") == rooms.product_id
    await page.select_option("#f-location_id", rooms.room_id)
    await page.fill("#f-lot_number", "DAY-1")
    await page.fill("#f-quantity", "40")
    await page.click("text=Book in")
    await page.wait_for_selector("text=The goods are booked in.")
    assert await page.input_value("#f-location_id") == rooms.room_id, "the place is kept"
    assert await page.input_value("#f-lot_number") == ""
    await page.reload()
    await screen.is_accessible()

    await screen.open(f"/console/transfers/move?from_location_id={rooms.room_id}")
    await page.fill("input.number", "15")
    await page.select_option("#f-to_location_id", rooms.other_id)
    await screen.is_accessible()
    await page.click("text=Move now")
    await page.wait_for_url("**/console/movements?*")
    assert "+15" in await page.inner_text("tbody")
    await page.reload()
    await screen.is_accessible()

    await screen.open("/console/counts/new")
    await page.select_option("#f-warehouse_id", rooms.warehouse_id)
    await page.select_option("#f-location_ids", rooms.room_id)
    await page.click("main button[type=submit]")
    await page.wait_for_selector("[data-state=counting]")
    await page.reload()
    await page.fill("input.number", "20")
    assert await page.inner_text("[data-difference]") == "−5"
    await screen.is_accessible()
    await page.press("input.number", "Control+Enter")
    await page.wait_for_selector("text=The counts are written down.")
    await page.click("text=Done counting")
    await page.wait_for_selector("[data-state=review]")
    assert await page.locator("text=Approve the differences").count() == 0
    at = page.url

    await screen.come_in(tenant)
    await page.goto(at)
    await screen.is_accessible()
    await page.click("text=Approve the differences")
    await page.wait_for_selector("text=The differences are approved.")
    await page.click("text=Book the differences")
    await page.click("[data-answer=yes]")
    await page.wait_for_selector("[data-state=completed]")
    assert list((await rooms.on_hand(rooms.room_id)).values()) == ["20.000"]
