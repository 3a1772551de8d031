"""Rules, policies and on-call lists at a screen."""

from tests.cloud_api.console.screens import Screen
from tests.factories.stores import make_cold_store
from tests.platform_under_test import Platform


async def test_a_keeper_sets_a_limit_and_who_is_told(screen: Screen, sqlite_platform: Platform) -> None:
    page = screen.page
    store = await make_cold_store(sqlite_platform)
    await screen.open("/console/rules/new")
    await screen.is_accessible()
    await page.fill("#f-name", "Dairy too warm")
    await page.select_option("#f-location_id", store.room_id)
    await page.select_option("#f-kind", "high")
    await page.fill("#f-set_at", "8")
    await page.click("button:has-text('Save')")
    await page.wait_for_selector("main >> text=Temperature above 8 °C for 10 min")
    await screen.is_accessible()

    await page.click("main a:has-text('On call')")
    await page.click("main a:has-text('New list') >> nth=0")
    await page.fill("#f-name", "Keepers")
    await page.select_option("select[name='members.0.user_id']", index=1)
    await screen.is_accessible()
    await page.click("button:has-text('Save')")
    await page.wait_for_selector("[data-on-call]")

    await page.click("main a:has-text('Escalation policies')")
    await page.click("main a:has-text('New policy') >> nth=0")
    await screen.is_accessible()
    await page.fill("#f-name", "Nights")
    await page.click("button:has-text('Save')")
    await page.wait_for_selector("main >> text=Number 1 on call of the first on-call list")
    [policy] = await store.tenant.get("/api/v1/alerts/escalation-policies")
    assert policy["steps"][0]["channels"] == ["in_app", "push"]
