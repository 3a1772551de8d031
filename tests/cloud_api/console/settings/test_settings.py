"""Settings at the console: values with their kinds, features, machines, addresses, requests about personal data."""

import re

import httpx2

from tests.cloud_api.console.screens import Screen, at_console
from tests.factories.farms import make_person
from tests.platform_under_test import Platform

SETTINGS = "/api/v1/admin/settings"


async def typed(console: httpx2.AsyncClient, **changed: str | None) -> dict[str, str]:
    """What the page's form would send, with some of it changed; None: not sent."""
    page = (await console.get("/console/settings")).text
    fields = {
        name: value
        for value, name in re.findall(r'<input class="form-control[^>]*value="([^"]*)"[^>]* name="([^"]+)"', page)
    }
    ticked = re.findall(r'type="checkbox" value="true" id="[^"]+" name="([^"]+)"[^>]*checked', page)
    fields |= dict.fromkeys(ticked, "true")
    for name, value in changed.items():
        key = name.replace("__", ".")
        fields.pop(key, None)
        if value is not None:
            fields[key] = value
    return fields


async def kept(platform: Platform) -> dict[str, object]:
    return {one["key"]: one["value"] for one in await platform.tenant.get(SETTINGS) if one["is_set"]}


async def test_only_what_was_changed_is_set_and_can_be_set_back(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    sent = await typed(console, session__limit="3", deliveries__otp_required=None)
    assert len(sent) > 15
    answer = await console.post("/console/settings", data={**sent, "orders.short_pick": "backorder"})
    assert answer.status_code == 303, answer.text
    wanted = {"session.limit": 3, "deliveries.otp_required": False, "orders.short_pick": "backorder"}
    assert await kept(sqlite_platform) == wanted
    assert "Otherwise: 5" in (await console.get("/console/settings")).text
    await console.post("/console/settings", data={"_reset": "session.limit"})
    assert "session.limit" not in await kept(sqlite_platform)


async def test_who_changes_what_somebody_else_has_changed_meanwhile_is_told(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    page = (await console.get("/console/settings")).text
    opened = dict(re.findall(r'name="(_was[^"]+)" value="([^"]*)"', page))
    sent = {**await typed(console, session__limit="3", returns__within_days="9"), **opened}
    await sqlite_platform.tenant.put(SETTINGS, {"values": {"session.limit": 4, "fleet.remind_days": 11}})
    told = await console.post("/console/settings", data=sent)
    assert told.status_code == 409
    assert "It is 4 now." in told.text
    assert 'value="3"' in told.text, "what was typed is kept"
    assert await kept(sqlite_platform) == {"session.limit": 4, "fleet.remind_days": 11}, "nothing of it is done"
    seen = dict(re.findall(r'name="(_was[^"]+)" value="([^"]*)"', told.text))
    again = await console.post("/console/settings", data={**sent, **seen, "fleet.remind_days": "11"})
    assert again.status_code == 303, again.text
    assert await kept(sqlite_platform) == {"session.limit": 3, "returns.within_days": 9, "fleet.remind_days": 11}


async def test_what_is_wrong_with_a_value_stands_beside_its_field(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    sent = await typed(console, session__limit="500", locale="Klingon!", returns__within_days="soon")
    answer = await console.post("/console/settings", data=sent)
    assert answer.status_code == 422
    for key in ("session.limit", "locale", "returns.within_days"):
        assert f'id="e-{key}"' in answer.text
    assert 'value="500"' in answer.text
    assert await kept(sqlite_platform) == {}


async def test_a_key_for_a_program_is_made_shown_once_and_revoked(screen: Screen, sqlite_platform: Platform) -> None:
    page, tenant = screen.page, sqlite_platform.tenant
    await screen.open("/console/settings")
    await screen.is_accessible()
    await screen.open("/console/settings/machines")
    await screen.is_accessible()
    await page.click(".btn-list >> text=New API key")
    await page.fill("#f-name", "ERP")
    await page.check("input[value='stock:read']")
    await page.fill("#f-ip_ranges", "10.0.0.0/8")
    await page.click("button:has-text('Create')")
    await page.wait_for_selector("#s-key")
    await screen.is_accessible()
    [made] = await tenant.get("/api/v1/api-keys")
    assert (await page.input_value("#s-key")).startswith(f"cf_{made['prefix']}")
    assert (made["scopes"], made["ip_ranges"]) == (["stock:read"], ["10.0.0.0/8"])
    await page.click("text=I have kept it")
    await page.click("button:has-text('Revoke')")
    await page.click("[data-answer=yes]")
    await page.wait_for_selector("[data-state=revoked]")


async def test_machines_are_refused_beside_the_field_and_get_new_secrets(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    tenant, here = sqlite_platform.tenant, "/console/settings/machines"
    assert "No API keys" in (await console.get(here)).text
    wrong = await console.post(f"{here}/keys/new", data={"name": "ERP", "ip_ranges": "nowhere", "expires_on": ""})
    assert wrong.status_code == 422
    assert 'id="e-scopes"' in wrong.text
    assert 'value="nowhere"' in wrong.text
    made = await console.post(f"{here}/clients/new", data={"name": "Shop", "scopes": ["stock:read", "orders:read"]})
    [client] = await tenant.get("/api/v1/admin/oauth-clients")
    assert client["client_id"] in made.text
    assert "This is shown once" in made.text
    again = await console.post(f"{here}/clients/{client['id']}/rotate")
    assert "The one before works until" in again.text
    await console.post(f"{here}/clients/{client['id']}/end")
    assert await tenant.get("/api/v1/admin/oauth-clients") == []
    key = await console.post(
        f"{here}/keys/new", data={"name": "Till", "scopes": "stock:read", "expires_on": "2099-12-31", "ip_ranges": ""}
    )
    assert "cf_" in key.text
    assert (await tenant.get("/api/v1/api-keys"))[0]["expires_at"] == "2099-12-31T18:30:00Z"


async def test_addresses_are_added_and_taken_away(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    here = "/console/settings/addresses"
    assert "may come from everywhere" in (await console.get(here)).text
    wrong = await console.post(here, data={"cidr": "no address", "label": "Office"})
    assert wrong.status_code == 422
    assert 'id="e-cidr"' in wrong.text
    assert 'value="Office"' in wrong.text
    await console.post(here, data={"cidr": "203.0.113.0/24", "label": "Office"})
    [made] = await sqlite_platform.tenant.get("/api/v1/admin/security/ip-allowlist")
    assert "203.0.113.0/24" in (await console.get(here)).text
    await console.post(f"{here}/{made['id']}/remove")
    assert await sqlite_platform.tenant.get("/api/v1/admin/security/ip-allowlist") == []


async def test_features_are_switched_by_who_keeps_the_platform(sqlite_platform: Platform) -> None:
    here = "/console/settings/flags"
    keeper = await make_person(sqlite_platform, sqlite_platform.tenant, "super_admin")
    key = f"new-list-{sqlite_platform.tenant.slug}"
    async with at_console(sqlite_platform, keeper) as client:
        wrong = await client.post(f"{here}/new", data={"key": "Not A Key", "rollout_percentage": "50"})
        assert wrong.status_code == 422
        assert 'id="e-key"' in wrong.text
        flag = {"key": key, "description": "Lists", "rollout_percentage": "12.5", "roles": "viewer, inventory_staff"}
        assert (await client.post(f"{here}/new", data=flag)).status_code == 303
        assert key in (await client.get(here)).text
        assert 'value="12.5"' in (await client.get(f"{here}/{key}")).text
        await client.post(f"{here}/{key}/switch", data={"enabled": "true"})
        made = await keeper.get(f"/api/v1/admin/feature-flags/{key}")
        assert (made["enabled"], made["roles"]) == (True, ["viewer", "inventory_staff"])
        await client.post(f"{here}/{key}", data={**flag, "rollout_percentage": "100", "enabled": "true"})
        await client.post(f"{here}/{key}/delete")
        assert key not in (await client.get(here)).text


async def test_requests_about_personal_data_are_settled(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    here = "/console/settings/privacy"
    assert "Nobody asked" in (await console.get(here)).text
    person = await make_person(sqlite_platform, sqlite_platform.tenant, "viewer")
    asked = await person.post("/api/v1/privacy/erasure-requests", {"reason": "I leave"})
    page = (await console.get(here)).text
    assert "I leave" in page
    assert "Erase" in page
    await console.post(f"{here}/{asked['id']}/cancel")
    [settled] = await sqlite_platform.tenant.get("/api/v1/privacy/erasure-requests")
    assert settled["status"] == "cancelled"


async def test_who_may_not_change_settings_gets_no_button(sqlite_platform: Platform) -> None:
    tenant = sqlite_platform.tenant
    await tenant.post("/api/v1/admin/roles", {"name": "reader", "permissions": ["settings:read"]})
    reader = await make_person(sqlite_platform, tenant, "reader")
    async with at_console(sqlite_platform, reader) as client:
        page = (await client.get("/console/settings")).text
        assert "Sign-ins at the same time" in page
        assert 'button type="submit" class="btn btn-primary shadow"' not in page
        assert (await client.get("/console/settings/machines")).status_code == 403
    driver = await make_person(sqlite_platform, tenant, "delivery_personnel")
    async with at_console(sqlite_platform, driver) as client:
        assert (await client.get("/console/settings/flags")).status_code == 403
