"""Views that somebody saved go with them to another browser; keys lead everywhere; what was typed is not lost."""

from tests.cloud_api.console.screens import Screen
from tests.factories.orders import make_customer
from tests.factories.stores import make_product
from tests.platform_under_test import PASSWORD, Platform

VIEWS = "/api/v1/auth/me/saved-views"


async def test_a_view_is_saved_chosen_and_deleted(screen: Screen, sqlite_platform: Platform) -> None:
    page, tenant = screen.page, sqlite_platform.tenant
    page.on("dialog", lambda dialog: dialog.accept("Suspended"))
    await screen.open("/console/people?status=suspended")
    await page.select_option("[data-saved-views] select", "+")
    await page.wait_for_selector("text=The view is saved.")
    [kept] = await tenant.get(VIEWS, page="/console/people")
    assert (kept["name"], kept["query"]) == ("Suspended", "status=suspended")
    await page.evaluate("localStorage.clear()")
    await screen.open("/console/people")
    await page.select_option("[data-saved-views] select", label="Suspended")
    await page.wait_for_url("**/console/people?status=suspended")
    await page.select_option("[data-saved-views] select", "-")
    await page.wait_for_selector("text=The view is deleted.")
    assert await tenant.get(VIEWS) == []


async def test_keys_find_pages_and_things_from_everywhere(screen: Screen, sqlite_platform: Platform) -> None:
    page, tenant = screen.page, sqlite_platform.tenant
    product_id = await make_product(tenant, name="Rainbow chard")
    await make_customer(tenant)
    await sqlite_platform.deliver()
    await screen.open("/console/settings")
    await page.keyboard.press("?")
    await page.wait_for_selector("#keys[open]")
    await screen.is_accessible()
    await page.keyboard.press("Escape")
    await page.keyboard.press("Control+k")
    await page.wait_for_selector("#found [role=option]")
    await page.fill("#finder input", "secur")
    await page.wait_for_selector("#found [role=option]:has-text('Security')")
    await screen.is_accessible()
    await page.fill("#finder input", "rainbow")
    await page.wait_for_selector("#found [role=option]:has-text('Rainbow chard')")
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/console/products/{product_id}")


async def test_what_was_typed_is_there_again_after_signing_in_again(screen: Screen, sqlite_platform: Platform) -> None:
    page = screen.page
    await screen.open("/console/people/invite")
    await page.fill("#f-email", "ravi@farm.example")
    await page.check("input[name=roles][value=viewer]")
    await page.context.clear_cookies(name="coldfleet_access")
    await page.click("text=Send the invitation")
    await page.wait_for_url("**/console/sign-in?next=*")
    assert await sqlite_platform.tenant.get("/api/v1/invites") == []
    await page.fill("#f-login", sqlite_platform.tenant.username)
    await page.fill("#f-password", PASSWORD)
    await page.click("button[type=submit]")
    await page.wait_for_url("**/console/people/invite")
    await page.wait_for_selector("text=You were signed out before this was saved.")
    assert await page.input_value("#f-email") == "ravi@farm.example"
    assert await page.is_checked("input[name=roles][value=viewer]")
    await page.click("text=Send the invitation")
    await page.wait_for_selector("td:has-text('ravi@farm.example')")
    assert await page.evaluate("sessionStorage.getItem('coldfleet-unsent')") is None, "nothing is kept behind"
