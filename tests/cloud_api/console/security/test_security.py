"""Security at the console: events and how they end; the trail, its filters and its check."""

import json

import httpx2
import pytest

from cloud_api.audit import verify
from cloud_api.console.security import seals
from cloud_api.kernel import clock
from tests.cloud_api.audit.trails import KEY, seal_all
from tests.cloud_api.console.screens import Screen, at_console
from tests.factories.farms import make_person
from tests.platform_under_test import Platform

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
    assert "Nothing fits" in (await console.get("/console/security/part", params={"severity": "critical"})).text
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
    table = await console.get("/console/audit/audit.csv", params={"action": "users.changed"})
    assert table.text.startswith("id,")
    assert "users.changed" in table.text


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


async def test_the_check_names_the_first_place_where_the_seals_do_not_hold(sqlite_platform: Platform) -> None:
    tenant = sqlite_platform.tenant
    for name in ("One", "Two", "Three"):
        await tenant.put("/api/v1/auth/me", {"full_name": name})
    await seal_all(sqlite_platform.database)
    lines = (await tenant.client.get(AUDIT, params={"format": "jsonl"})).text.splitlines()
    whole = seals.check("\n".join(lines), KEY.encode())
    assert whole.broken_at is None
    assert whole.count == len(lines) - 2
    changed = json.loads(lines[2])
    changed["entry"]["note"] = "nothing to see"
    edited = [*lines[:2], json.dumps(changed), *lines[3:]]
    lost = json.loads(lines[2]) | {"entry": None}
    for broken, place in (
        (edited, 2),
        ([*lines[:2], *lines[3:]], 2),
        ([*lines[:2], json.dumps(lost), *lines[3:]], 2),
        (lines[:3], 3),
        ([json.dumps({**json.loads(lines[0]), "head": "0"}), *lines[1:]], whole.last),
    ):
        found = seals.check("\n".join(broken), KEY.encode())
        assert (found.broken_at, bool(found.problem)) == (place, True)
        with pytest.raises(verify.Broken):
            verify.verify([f"{line}\n" for line in broken], KEY.encode())
    assert seals.check("\n".join(lines), b"another key").broken_at == 1


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
