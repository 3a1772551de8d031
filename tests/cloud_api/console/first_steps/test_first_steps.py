"""A new organisation is set up in three steps, that can be left and taken up again."""

import httpx2

from tests.cloud_api.console.screens import Screen, at_console
from tests.factories.farms import make_person
from tests.platform_under_test import Platform, Tenant

STEPS = "/console/first-steps"
FACTS = {"name": "Dew farms", "timezone": "Asia/Kolkata", "email": "", "phone": "+912212345678", "address": "Nashik"}


async def done(tenant: Tenant) -> list[str]:
    said = await tenant.get(f"/api/v1/organizations/{tenant.organization.organization_id}/onboarding")
    return [one["step"] for one in said["steps"] if one["completed_at"]]


async def test_an_administrator_sets_up_the_organisation_leaves_and_goes_on(
    screen: Screen, sqlite_platform: Platform
) -> None:
    page, tenant = screen.page, sqlite_platform.tenant
    await screen.open("/console")
    await page.click("#first-steps >> text=Go on")
    await page.fill("#f-name", "Dew farms")
    await screen.is_accessible()
    await page.click("text=Save and go on")
    await page.wait_for_selector("text=Your first warehouse")
    await page.fill("#f-name >> nth=0", "Nashik store")
    await page.fill("#f-code >> nth=0", "NSK")
    await page.click("text=Make the warehouse")
    await page.wait_for_selector("text=One more room")
    assert await done(tenant) == ["welcome"]
    await screen.open("/console")
    await page.wait_for_selector("text=1 of 3 are done.")
    await page.click("#first-steps >> text=Go on")
    await page.fill("#f-name", "Cold room 1")
    await page.fill("#f-code", "COLD-1")
    await page.click("text=Add the room")
    await page.wait_for_selector("text=Cold room 1 ·")
    await screen.is_accessible()
    await page.click(".btn-primary:has-text('Go on')")
    await page.wait_for_selector("text=Opening stock")
    await screen.is_accessible()
    await page.click("text=That is all")
    await page.wait_for_selector("text=All is set up.")
    assert await page.locator("#first-steps").count() == 0
    assert await done(tenant) == ["welcome", "setup", "import"]


async def test_people_are_invited_and_who_cannot_be_stays_in_the_field(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    sent = {"emails": "asha@farm.example, nobody@\nravi@farm.example", "role": "inventory_staff"}
    answer = await console.post(f"{STEPS}/people", data=sent)
    assert answer.status_code == 422
    assert 'id="e-emails"' in answer.text
    assert ">nobody@</textarea>" in answer.text
    invited = await sqlite_platform.tenant.get("/api/v1/invites")
    assert {one["email"] for one in invited} == {"asha@farm.example", "ravi@farm.example"}


async def test_what_is_wrong_with_the_facts_stands_beside_its_field(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    answer = await console.post(f"{STEPS}/welcome", data={**FACTS, "phone": "12"})
    assert answer.status_code == 422
    assert 'id="e-phone"' in answer.text
    assert await done(sqlite_platform.tenant) == []


async def test_who_wants_none_of_it_is_asked_no_more(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    assert "0 of 3 are done." in (await console.get(f"{STEPS}/card")).text
    await console.post(f"{STEPS}/leave")
    assert (await console.get(f"{STEPS}/card")).text.strip() == ""
    assert len(await done(sqlite_platform.tenant)) == 3
    assert (await console.get(STEPS)).status_code == 200, "they can be looked at again"


async def test_only_who_may_change_the_organisation_is_led(sqlite_platform: Platform) -> None:
    keeper = await make_person(sqlite_platform, sqlite_platform.tenant, "warehouse_manager")
    async with at_console(sqlite_platform, keeper) as client:
        assert (await client.get(STEPS)).status_code == 403
        assert "first-steps" not in (await client.get("/console")).text
