"""Security at the console: events and how they end; the trail, its filters and its check."""

import httpx2

from cloud_api.audit import verify
from cloud_api.kernel import clock
from tests.cloud_api.audit.trails import KEY, leave, seal_all, seals_of, tamper, where
from tests.cloud_api.console.screens import Screen, at_console
from tests.factories.farms import make_person
from tests.platform_under_test import Platform
from tests.services.postgres import PrivatePostgres

AUDIT = "/api/v1/admin/security/audit-logs"


async def fail_to_sign_in(platform: Platform) -> None:
    async with platform.client() as client:
        wrong = {"login": platform.tenant.username, "password": "Wrong-word-1"}
        assert (await client.post("/api/v1/auth/login", json=wrong)).status_code == 401


async def test_an_event_is_looked_into_and_settled(screen: Screen, sqlite_platform: Platform) -> None:
    await fail_to_sign_in(sqlite_platform)
    page = screen.page
    await screen.open("/console/security")
    await screen.is_accessible()
    await page.click("text=Failed sign in >> visible=true >> nth=-1")
    await page.wait_for_url("**/console/security/events/*")
    await screen.is_accessible()
    await page.click("button:has-text('I look into it')")
    await page.wait_for_selector("[data-state=investigating]")
    screen.expected = {422}
    await page.click("button:has-text('Settle')")
    await page.wait_for_selector("#e-note")
    await page.fill("#f-note", "It was me.")
    await page.select_option("#f-status", "false_positive")
    await page.click("button:has-text('Settle')")
    await page.wait_for_url("**/console/security")
    [event] = await sqlite_platform.tenant.get("/api/v1/admin/security/events")
    assert (event["status"], event["note"]) == ("false_positive", "It was me.")


async def test_events_are_filtered_and_the_part_of_the_page_is_too(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    assert "Nothing happened" in (await console.get("/console/security")).text
    await fail_to_sign_in(sqlite_platform)
    part = (await console.get("/console/security/part", params={"type": "failed_sign_in"})).text
    assert "Failed sign in" in part
    assert "<html" not in part
    unfit = await console.get("/console/security/part", params={"severity": "critical"})
    assert "No event is like this" in unfit.text
    missing = await console.get("/console/security/events/00000000-0000-7000-8000-000000000000")
    assert missing.status_code == 404


async def test_the_trail_is_filtered_by_who_what_and_day(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    tenant = sqlite_platform.tenant
    me = await tenant.get("/api/v1/auth/me")
    await tenant.put("/api/v1/auth/me", {"full_name": "Keeper of the cold"})
    page = (await console.get("/console/audit", params={"actor": me["id"], "action": "users.changed"})).text
    assert "Keeper of the cold" in page, "one entry's before and after"
    assert "Full name" in page
    today = clock.now().date().isoformat()
    for query, found in (({"from": today}, False), ({"to": "2001-01-01"}, True), ({"from": "never"}, None)):
        answer = await console.get("/console/audit", params=query)
        if found is None:
            assert answer.status_code == 422
        else:
            assert ("Nothing of this kind was done" in answer.text) is found, query


async def test_the_check_says_that_the_seals_hold(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    asked = (await console.get("/console/audit/check")).text
    assert "data-holds" not in asked
    await seal_all(sqlite_platform.database)
    for days in (7, 0):
        page = (await console.get("/console/audit/check", params={"days": days})).text
        assert 'data-holds="yes"' in page
        assert "nothing was changed" in page
    file = (await console.get("/console/audit/audit.jsonl")).text
    assert verify.verify(file.splitlines(keepends=True), KEY.encode()).count > 0


async def test_the_check_names_the_first_place_where_the_seals_do_not_hold(
    console: httpx2.AsyncClient, sqlite_platform: Platform, migrated_postgres: PrivatePostgres
) -> None:
    database, scope = sqlite_platform.database, sqlite_platform.tenant.organization
    entries = await leave(database, scope, "one", "two", "three")
    await seal_all(database)
    changed = where(database, "UPDATE audit_entries SET note = 'nothing to see'", entries[1])
    await tamper(database, migrated_postgres, changed)
    [place] = [seal.sequence for seal in await seals_of(database, scope) if seal.entry_id == entries[1]]
    page = (await console.get("/console/audit/check", params={"days": 0})).text
    assert 'data-holds="no"' in page
    assert f"At entry {place}: " in page
    assert "The entry was changed after it was sealed" in page


async def test_what_the_filters_leave_is_a_file(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    await fail_to_sign_in(sqlite_platform)
    events = await console.get("/console/security/export", params={"type": "failed_sign_in"})
    assert events.text.count("Failed sign in") == 1
    none = await console.get("/console/security/export", params={"type": "data_breach"})
    assert len(none.text.splitlines()) == 1, "the head alone"
    await sqlite_platform.tenant.put("/api/v1/auth/me", {"full_name": "Keeper of the cold"})
    trail = await console.get("/console/audit/export", params={"action": "users.changed", "format": "csv"})
    assert "full_name" in trail.text
    assert "Keeper of the cold" in trail.text
    sheet = await console.get("/console/audit/export", params={"action": "users.changed", "format": "xlsx"})
    assert sheet.content.startswith(b"PK")


async def test_the_navigation_says_where_one_is(console: httpx2.AsyncClient) -> None:
    for path in ("/console/audit", "/console/audit/check", "/console/security"):
        page = (await console.get(path)).text
        assert 'href="/console/security" aria-current="page"' in page, path


async def test_what_was_done_beside_the_system_is_written_down(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    entry = {"action": "Key handed over", "entity": "warehouses", "entity_id": "WH-1", "note": "To Ravi"}
    wrong = await console.post("/console/audit/new", data=entry)
    assert wrong.status_code == 422
    assert 'id="e-action"' in wrong.text
    await console.post("/console/audit/new", data={**entry, "action": "key_handed_over"})
    [kept] = await sqlite_platform.tenant.get(AUDIT, action="manual.key_handed_over")
    assert kept["note"] == "To Ravi"


async def test_who_may_not_look_is_told_so(sqlite_platform: Platform) -> None:
    driver = await make_person(sqlite_platform, sqlite_platform.tenant, "delivery_personnel")
    async with at_console(sqlite_platform, driver) as client:
        for page in ("/console/security", "/console/audit", "/console/audit/check?days=7"):
            assert (await client.get(page)).status_code == 403, page
