"""What rooms must keep to is set, tried, changed and taken away."""

import httpx2

from tests.cloud_api.console.screens import at_console
from tests.factories.batches import make_reading, send
from tests.factories.farms import make_person
from tests.factories.stores import make_cold_store, make_room, make_rule
from tests.platform_under_test import Platform

RULES = "/console/rules"
API = "/api/v1/alerts/rules"


async def test_without_rules_the_page_says_what_one_is(console: httpx2.AsyncClient) -> None:
    assert "No room has to keep to anything yet" in (await console.get(RULES)).text
    assert "No rule is like this" in (await console.get(RULES, params={"kind": "low"})).text


async def test_a_rule_is_made_in_minutes_and_said_as_a_sentence(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    store = await make_cold_store(sqlite_platform)
    page = (await console.get(f"{RULES}/new", params={"location_id": store.room_id})).text
    assert f'<option value="{store.room_id}" selected>' in page
    typed = {
        "name": "Dairy too warm",
        "location_id": store.room_id,
        "kind": "high",
        "quantity": "temperature",
        "set_at": "8",
        "clear_at": "7.5",
        "minutes": "2.5",
        "severity": "critical",
    }
    refused = await console.post(RULES, data={**typed, "clear_at": "9"})
    assert refused.status_code == 422
    assert 'id="e-clear_at"' in refused.text
    assert 'value="2.5"' in refused.text, "what was typed is kept"
    refused = await console.post(RULES, data={**typed, "minutes": "soon"})
    assert 'id="e-minutes"' in refused.text
    assert (await console.post(RULES, data=typed)).status_code == 303
    [rule] = await sqlite_platform.tenant.get(API)
    assert (rule["set_at"], rule["clear_at"], rule["duration_s"], rule["latched"]) == (8.0, 7.5, 150, False)
    page = (await console.get(RULES, params={"location_id": store.room_id})).text
    assert "Temperature above 8 °C for 2.5 min" in page
    elsewhere = await make_room(sqlite_platform.tenant, store.warehouse_id)
    assert "Dairy too warm" not in (await console.get(RULES, params={"location_id": elsewhere})).text


async def test_a_rule_is_changed_and_who_comes_second_is_shown_what_it_is_now(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    store = await make_cold_store(sqlite_platform)
    rule = await make_rule(store, name="Warm")
    path = f"{RULES}/{rule['id']}"
    typed = {"name": "Warm", "set_at": "9", "clear_at": "7", "minutes": "10", "severity": "warning", "version": "1"}
    assert (await console.post(path, data={**typed, "enabled": "true"})).status_code == 303
    second = await console.post(path, data={**typed, "set_at": "10", "enabled": "true"})
    assert second.status_code == 409
    assert "Somebody else has changed it meanwhile" in second.text
    assert 'name="version" value="2"' in second.text, "sent again it is meant"
    assert (await console.post(path, data={**typed, "set_at": "10", "version": "2"})).status_code == 303
    after = await sqlite_platform.tenant.get(f"{API}/{rule['id']}")
    assert (after["set_at"], after["severity"], after["enabled"]) == (10.0, "warning", False)
    assert "Paused" in (await console.get(RULES)).text


async def test_a_rule_is_tried_on_what_was_measured_and_nothing_is_written(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    store = await make_cold_store(sqlite_platform)
    rule = await make_rule(store, duration_s=0)
    await send(sqlite_platform, store, [make_reading(1, 6.0)])
    page = await console.post(f"{RULES}/{rule['id']}/try", data={"name": "x", "set_at": "5", "clear_at": "4"})
    assert "It would have been broken 1 times; it was broken 0 times" in page.text
    assert "z2m:cold-room-1" in page.text
    assert (await sqlite_platform.tenant.get(f"{API}/{rule['id']}"))["set_at"] == 8.0


async def test_a_rule_is_taken_away(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    rule = await make_rule(await make_cold_store(sqlite_platform))
    assert "data-confirm" in (await console.get(f"{RULES}/{rule['id']}")).text
    assert (await console.post(f"{RULES}/{rule['id']}/retire")).status_code == 303
    assert await sqlite_platform.tenant.get(API) == []


async def test_each_kind_of_rule_is_a_sentence(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    store = await make_cold_store(sqlite_platform)
    kinds: dict[str, dict[str, object]] = {
        "low": {"set_at": 1, "duration_s": 0},
        "rising": {"change": 3, "duration_s": 900},
        "silent": {"quantity": "any", "duration_s": 600},
        "cumulative_high": {"set_at": 8, "duration_s": 1800},
    }
    for number, (kind, fields) in enumerate(kinds.items()):
        body = {"name": f"Rule {number}", "location_id": store.room_id, "kind": kind, **fields}
        await store.tenant.post(API, body)
    page = (await console.get(RULES)).text
    for said in (
        "Temperature below 1 °C",
        "Temperature rises by 3 °C within 15 min",
        "Nothing heard for 10 min",
        "Temperature above 8 °C for 30 min of a day in all",
    ):
        assert said in page


async def test_who_may_only_look_is_offered_no_change(sqlite_platform: Platform) -> None:
    rule = await make_rule(await make_cold_store(sqlite_platform))
    viewer = await make_person(sqlite_platform, sqlite_platform.tenant, "viewer")
    async with at_console(sqlite_platform, viewer) as console:
        assert "New rule" not in (await console.get(RULES)).text
        for path in (f"{RULES}/{rule['id']}", f"{RULES}/policies", f"{RULES}/on-call"):
            page = await console.get(path)
            assert page.status_code == 200
            assert "<form" not in page.text.split('id="content"')[1]
        assert (await console.post(f"{RULES}/{rule['id']}/retire")).status_code == 403
