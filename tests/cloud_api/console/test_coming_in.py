"""Signing in at the console, staying signed in, and getting out."""

import httpx2

from cloud_api.console import sessions
from tests.cloud_api.console.screens import Screen
from tests.platform_under_test import PASSWORD, Platform


async def test_somebody_signs_in_where_they_wanted_to_go_and_out_again(
    screen: Screen, sqlite_platform: Platform
) -> None:
    page = screen.page
    await page.context.clear_cookies()
    await screen.open("/console?shown=1")
    await page.wait_for_url("**/console/sign-in?next=*")
    await screen.is_accessible()
    screen.expected = {401}
    await page.fill("#f-login", sqlite_platform.tenant.username)
    await page.fill("#f-password", "Wrong-1-word")
    await page.click("button[type=submit]")
    await page.wait_for_selector(".alert-danger")
    assert await page.input_value("#f-login") == sqlite_platform.tenant.username, "what was typed is kept"
    await page.fill("#f-password", PASSWORD)
    await page.click("button[type=submit]")
    await page.wait_for_selector("nav")
    await screen.is_accessible()
    await page.click("text=Sign out")
    await page.wait_for_url("**/console/sign-in")
    await page.wait_for_selector("text=You are signed out.")


async def test_what_another_page_sends_is_not_done(console: httpx2.AsyncClient) -> None:
    for header in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "", "Origin": "https://elsewhere.example"}):
        answer = await console.post("/console/sign-out", headers=header)
        assert answer.status_code == 403
    assert (await console.get("/console")).status_code == 200


async def test_who_is_not_signed_in_is_led_back_to_where_they_wanted_to_go(sqlite_platform: Platform) -> None:
    async with sqlite_platform.client() as nobody:
        answer = await nobody.get("/console?x=1")
        assert (answer.status_code, answer.headers["location"]) == (
            303,
            "/console/sign-in?next=%2Fconsole%3Fx%3D1",
        )
        by_htmx = await nobody.get(
            "/console/renew", headers={"HX-Request": "true", "HX-Current-URL": "http://x/console"}
        )
        assert by_htmx.headers["HX-Redirect"] == "/console/sign-in"


def test_after_signing_in_nobody_is_led_out_of_the_console() -> None:
    for wanted in ("https://elsewhere.example", "//elsewhere.example", "/console//x", "/console/..\\x", "", "/docs"):
        assert sessions.safe_next(wanted) == "/console"
    assert sessions.safe_next("/console/stock?q=milk") == "/console/stock?q=milk"
