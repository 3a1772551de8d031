"""People at the console: who is there, what they may, and letting them in and out."""

import re
from datetime import timedelta
from typing import Any

import httpx2
import pyotp

from cloud_api.kernel import clock
from tests.cloud_api.audit.trails import seal_all
from tests.cloud_api.console.screens import Screen, at_console
from tests.factories.farms import make_person
from tests.factories.scopes import id_of
from tests.factories.stores import make_warehouse
from tests.platform_under_test import PASSWORD, Platform


async def role_named(platform: Platform, name: str) -> Any:
    roles = await platform.tenant.get("/api/v1/admin/roles")
    return next(role for role in roles if role["name"] == name)


async def test_an_administrator_invites_gives_a_role_checks_the_trail_and_gets_a_second_factor(
    screen: Screen, sqlite_platform: Platform
) -> None:
    page, tenant = screen.page, sqlite_platform.tenant
    helper = await make_person(sqlite_platform, tenant, "viewer")
    await screen.open("/console/people")
    await screen.is_accessible()
    await page.click("text=Invite somebody")
    await page.fill("#f-email", "ravi@farm.example")
    await page.check("input[name=roles][value=viewer]")
    await page.click("text=Send the invitation")
    await page.wait_for_selector("td:has-text('ravi@farm.example')")

    await screen.open(f"/console/people/{await id_of(helper)}")
    await screen.is_accessible()
    await page.select_option("#f-role", label="Inventory staff")
    await page.click("text=Give role")
    await page.wait_for_selector(".list-group-item:has-text('Inventory staff')")

    await seal_all(sqlite_platform.database)
    await screen.open("/console/audit")
    await page.click("button:has-text('Details') >> nth=0")
    await page.wait_for_selector("tr.collapse.show")
    await screen.is_accessible()
    await page.click("text=Check the trail >> nth=0")
    await page.wait_for_selector("#result[data-holds=yes]")
    await screen.is_accessible()

    await screen.open("/console/me/second-factor")
    await page.click("button:has-text('Begin')")
    await page.wait_for_selector("img[src^='data:image/svg']")
    await screen.is_accessible()
    code = pyotp.TOTP(await page.inner_text("#secret"))
    await page.fill("#f-code", code.at(clock.now()))
    await page.click("button:has-text('Switch on')")
    await page.wait_for_selector("#codes li >> nth=9")
    await page.context.clear_cookies()
    await screen.open("/console/sign-in")
    await page.fill("#f-login", tenant.username)
    await page.fill("#f-password", PASSWORD)
    await page.click("button[type=submit]")
    await page.fill("#f-code", code.at(clock.now() + timedelta(seconds=30)))
    await page.click("button[type=submit]")
    await page.wait_for_selector("nav#navigation")


async def test_people_are_found_by_name_role_and_state(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    keeper = await make_person(sqlite_platform, sqlite_platform.tenant, "inventory_staff")
    found = (await console.get("/console/people", params={"role": "inventory_staff"})).text
    assert keeper.username in found
    assert sqlite_platform.tenant.username not in re.sub(r"<aside.*?</aside>", "", found, flags=re.S)
    nobody = (await console.get("/console/people", params={"search": "zzz"})).text
    assert "Nobody is like this" in nobody
    assert 'value="zzz"' in nobody


async def test_what_is_wrong_with_an_invitation_stands_beside_its_field(console: httpx2.AsyncClient) -> None:
    answer = await console.post("/console/people/invite", data={"email": "no address", "roles": "viewer"})
    assert answer.status_code == 422
    assert 'id="e-email"' in answer.text
    assert 'value="no address"' in answer.text
    assert re.search(r'value="viewer" checked', answer.text)
    nothing = await console.post("/console/people/invite", data={"email": "a@farm.example"})
    assert 'id="e-roles"' in nothing.text


async def test_an_invitation_is_taken_back(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    assert "No invitation is open" in (await console.get("/console/people/invitations")).text
    await console.post("/console/people/invite", data={"email": "a@farm.example", "roles": "viewer"})
    [made] = await sqlite_platform.tenant.get("/api/v1/invites")
    assert "a@farm.example" in (await console.get("/console/people/invitations")).text
    await console.post(f"/console/people/invitations/{made['id']}/revoke")
    assert await sqlite_platform.tenant.get("/api/v1/invites") == []


async def test_somebody_is_added_and_their_page_changes_them(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    tenant = sqlite_platform.tenant
    account = {
        "full_name": "Asha Patil",
        "username": f"asha-{tenant.slug}",
        "email": f"asha@{tenant.slug}.example",
        "locale": "hi",
        "roles": "viewer",
    }
    weak = await console.post("/console/people/new", data={**account, "password": "short"})
    assert weak.status_code == 422
    assert "short" not in weak.text, "a password is never shown again"
    answer = await console.post("/console/people/new", data={**account, "password": "Tall-Tree-77x"})
    assert answer.status_code == 303, answer.text
    here = answer.headers["location"]
    id = here.rpartition("/")[2]
    page = (await console.get(here)).text
    assert "Asha Patil" in page
    assert "They are not signed in anywhere." in page

    warehouse = await make_warehouse(tenant)
    await console.post(f"{here}/warehouses", data={"warehouse_ids": warehouse})
    assert (await tenant.get(f"/api/v1/admin/users/{id}/warehouses"))["warehouse_ids"] == [warehouse]
    change = {**account, "full_name": "Asha Rao", "phone": "12"}
    refused = await console.post(here, data=change)
    assert refused.status_code == 422
    assert 'id="e-phone"' in refused.text
    await console.post(here, data={**change, "phone": "+919812345678"})
    await console.post(f"{here}/status", data={"status": "inactive"})
    now = await tenant.get(f"/api/v1/admin/users/{id}")
    assert (now["full_name"], now["phone"], now["status"]) == ("Asha Rao", "+919812345678", "inactive")
    weak = await console.post(f"{here}/password", data={"password": "x"})
    assert weak.status_code == 422
    assert 'id="e-password"' in weak.text
    assert (await console.post(f"{here}/password", data={"password": "Tall-Tree-78x"})).status_code == 303
    for deed in ("unlock", "sessions/end", "remove"):
        assert (await console.post(f"{here}/{deed}")).status_code == 303, deed
    assert (await console.get(here)).status_code == 404


async def test_a_role_is_given_and_taken(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    person = await id_of(await make_person(sqlite_platform, sqlite_platform.tenant, "viewer"))
    role = await role_named(sqlite_platform, "inventory_staff")
    await console.post(f"/console/people/{person}/roles", data={"role_id": role["id"]})
    held = await sqlite_platform.tenant.get(f"/api/v1/admin/users/{person}")
    assert {one["name"] for one in held["roles"]} == {"viewer", "inventory_staff"}
    await console.post(f"/console/people/{person}/roles/{role['id']}/take")
    held = await sqlite_platform.tenant.get(f"/api/v1/admin/users/{person}")
    assert [one["name"] for one in held["roles"]] == ["viewer"]


async def test_who_may_only_see_people_finds_no_button(sqlite_platform: Platform) -> None:
    manager = await make_person(sqlite_platform, sqlite_platform.tenant, "warehouse_manager")
    async with at_console(sqlite_platform, manager) as client:
        page = (await client.get("/console/people")).text
        assert "Invite somebody" not in page
    driver = await make_person(sqlite_platform, sqlite_platform.tenant, "delivery_personnel")
    async with at_console(sqlite_platform, driver) as client:
        answer = await client.get("/console/people")
        assert answer.status_code == 403
        assert "Not for you" in answer.text
        assert (await client.post("/console/people/invite", data={"email": "a@b.example"})).status_code in (403, 422)


async def test_roles_are_shown_as_a_matrix_and_made_from_others(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    matrix = (await console.get("/console/roles")).text
    assert "Warehouse manager" in matrix
    assert "Read and export the audit trail" in matrix
    viewer = await role_named(sqlite_platform, "viewer")
    built_in = (await console.get(f"/console/roles/{viewer['id']}")).text
    assert "stays as it is" in built_in
    begun = (await console.get("/console/roles/new", params={"from": viewer["id"]})).text
    assert re.search(r'value="stock:read" checked', begun)

    wanted = {"name": "night_watch", "description": "Nights", "reach": "organization", "permissions": ["alerts:read"]}
    wrong = await console.post("/console/roles/new", data={**wanted, "name": "viewer"})
    assert wrong.status_code == 409
    assert 'id="e-name"' in wrong.text
    assert re.search(r'value="alerts:read" checked', wrong.text)
    here = (await console.post("/console/roles/new", data=wanted)).headers["location"]
    await console.post(here, data={**wanted, "permissions": ["alerts:read", "alerts:ack"]})
    made = await role_named(sqlite_platform, "night_watch")
    assert sorted(made["permissions"]) == ["alerts:ack", "alerts:read"]
    assert (await console.post(f"{here}/delete")).status_code == 303
    assert (await console.get(here)).status_code == 404
