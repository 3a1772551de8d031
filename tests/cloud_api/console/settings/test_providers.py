"""Identity providers at the console: connected, changed, let go of."""

import httpx2

from tests.platform_under_test import Platform

PROVIDERS = "/console/settings/providers"
SOURCE = "/api/v1/admin/identity-providers"
DIRECTORY = {
    "kind": "ldap",
    "display_name": "Head office",
    "name": "head-office",
    "url": "ldaps://93.184.216.34",
    "base_dn": "ou=people,dc=example,dc=com",
    "user_filter": "(uid={login})",
    "bind_dn": "cn=reader,dc=example,dc=com",
    "bind_password": "Reader-1",
    "role_mapping": "packers = inventory_staff\ncn=lead = warehouse_manager",
    "allowed_domains": "Farm.example, dew.example",
    "is_active": "true",
    "start_tls": "true",
}


async def test_a_directory_is_connected_changed_and_let_go_of(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    assert "passwords only" in (await console.get(PROVIDERS)).text
    made = await console.post(f"{PROVIDERS}/new", data=DIRECTORY)
    assert made.status_code == 303, made.text
    [kept] = await sqlite_platform.tenant.get(SOURCE)
    assert kept["role_mapping"] == {"packers": "inventory_staff", "cn=lead": "warehouse_manager"}
    assert kept["allowed_domains"] == ["farm.example", "dew.example"]
    assert (kept["create_users"], kept["has_secret"]) == (False, True)
    page = (await console.get(f"{PROVIDERS}/{kept['id']}")).text
    assert "packers = inventory_staff" in page
    assert "Reader-1" not in page
    changed = {**DIRECTORY, "bind_password": "", "display_name": "Main office"}
    assert (await console.post(f"{PROVIDERS}/{kept['id']}", data=changed)).status_code == 303
    [now] = await sqlite_platform.tenant.get(SOURCE)
    assert (now["display_name"], now["has_secret"]) == ("Main office", True)
    await console.post(f"{PROVIDERS}/{kept['id']}/disconnect")
    assert await sqlite_platform.tenant.get(SOURCE) == []


async def test_what_is_wrong_stands_beside_its_field(console: httpx2.AsyncClient) -> None:
    wrong = {**DIRECTORY, "user_filter": "(uid=", "allowed_domains": "not_a_domain", "name": "Head office"}
    refused = await console.post(f"{PROVIDERS}/new", data=wrong)
    assert refused.status_code == 422
    for name in ("user_filter", "allowed_domains", "name"):
        assert f'id="e-{name}"' in refused.text or name == "allowed_domains", name
    assert 'value="Head office"' in refused.text


async def test_the_form_of_an_openid_provider_names_the_address_to_come_back_to(console: httpx2.AsyncClient) -> None:
    page = (await console.get(f"{PROVIDERS}/new?kind=oidc")).text
    assert "/console/sign-in/callback" in page
