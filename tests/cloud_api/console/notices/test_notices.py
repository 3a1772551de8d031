"""Notifications at the console: reading them, and saying how one wants them."""

import httpx2

from tests.cloud_api.console.screens import Screen, at_console
from tests.factories.farms import make_person
from tests.factories.scopes import id_of
from tests.platform_under_test import Platform

NOTICES = "/api/v1/notifications"


async def tell(platform: Platform, title: str) -> None:
    me = await id_of(platform.tenant)
    await platform.tenant.post(NOTICES, {"title": title, "message": "Look at it.", "user_ids": [me]})


async def test_notifications_are_read_one_by_one_and_all(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    tenant = sqlite_platform.tenant
    assert "Nothing to read" in (await console.get("/console/notifications")).text
    for title in ("First", "Second", "Third"):
        await tell(sqlite_platform, title)
    page = (await console.get("/console/notifications")).text
    assert page.index("Third") < page.index("First")
    first = (await tenant.get(NOTICES))[-1]
    answer = await console.post(
        f"/console/notifications/{first['id']}/read", data={"back": "/console/notifications?unread=true"}
    )
    assert answer.headers["location"] == "/console/notifications?unread=true"
    unread = (await console.get("/console/notifications/part", params={"unread": "true"})).text
    assert "First" not in unread
    assert "Second" in unread
    await console.post("/console/notifications/read-all")
    assert await tenant.get(NOTICES, unread=True) == []
    unfit = await console.get("/console/notifications", params={"unread": "true"})
    assert "No notification is like this" in unfit.text
    await console.post(f"/console/notifications/{first['id']}/delete", data={"back": "https://elsewhere.example"})
    assert len(await tenant.get(NOTICES)) == 2


async def test_channels_and_quiet_hours_are_chosen(screen: Screen, sqlite_platform: Platform) -> None:
    page = screen.page
    await tell(sqlite_platform, "The door stands open")
    await screen.open("/console/notifications")
    await page.wait_for_selector("text=The door stands open")
    await screen.is_accessible()
    await page.click(".btn-list >> text=What you are told")
    await page.wait_for_selector("text=Quiet hours")
    await screen.is_accessible()
    await page.uncheck("input[name='payment.sms']")
    await page.fill("[name='quiet_hours.from_time']", "22:00")
    await page.fill("[name='quiet_hours.until_time']", "06:30")
    await page.select_option("#f-timezone", "Asia/Dubai")
    await page.click("button:has-text('Save')")
    await page.wait_for_selector(".toast >> text=Saved.")
    said = await sqlite_platform.tenant.get(f"{NOTICES}/settings")
    assert (said["channels"]["payment"]["sms"], said["channels"]["payment"]["mail"]) == (False, True)
    assert said["quiet_hours"]["until_time"].startswith("06:30")
    assert said["timezone"] == "Asia/Dubai"
    assert await page.input_value("[name='quiet_hours.from_time']") == "22:00"


async def test_quiet_hours_that_never_end_are_refused_in_the_form(console: httpx2.AsyncClient) -> None:
    answer = await console.post(
        "/console/notifications/settings",
        data={
            "quiet_hours.from_time": "22:00",
            "quiet_hours.until_time": "22:00",
            "timezone": "",
            "order.mail": "true",
        },
    )
    assert answer.status_code == 422
    assert "quiet hours have to end" in answer.text
    assert 'value="22:00"' in answer.text
    half = await console.post("/console/notifications/settings", data={"quiet_hours.from_time": "22:00"})
    assert half.status_code == 422


async def test_people_are_written_to_by_role(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    keeper = await make_person(sqlite_platform, sqlite_platform.tenant, "inventory_staff")
    assert (await console.get("/console/notifications/new")).status_code == 200
    letter = {"title": "Stock take", "message": "", "category": "inventory", "severity": "info"}
    wrong = await console.post("/console/notifications/new", data={**letter, "roles": "inventory_staff"})
    assert wrong.status_code == 422
    assert 'value="Stock take"' in wrong.text
    assert 'value="inventory_staff" checked' in wrong.text
    sent = {**letter, "message": "Tonight.", "roles": "inventory_staff", "channels": ["in_app"]}
    assert (await console.post("/console/notifications/new", data=sent)).status_code == 303
    assert [one["title"] for one in await keeper.get(NOTICES)] == ["Stock take"]
    async with at_console(sqlite_platform, keeper) as client:
        assert "Write to others" not in (await client.get("/console/notifications")).text
