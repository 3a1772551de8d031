"""API7:2023, server side request forgery: no address that somebody types leads to our neighbours.

How an address is judged, redirects, and names that change their mind: tests/cloud_api/kernel/test_outbound.py.
"""

import pytest

from tests.cloud_api.identity.federated import PROVIDERS
from tests.cloud_api.identity.staff import refusal
from tests.platform_under_test import Platform

NEIGHBOURS = [
    "127.0.0.1",
    "localhost",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "0.0.0.0",  # noqa: S104 - refused
    "2130706433",
    "0x7f.1",
    "169.254.169.254",
    "[fd00:ec2::254]",
    "10.0.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "127.0.0.1.",
    "user@127.0.0.1",
]


@pytest.mark.parametrize("host", NEIGHBOURS)
async def test_a_provider_is_none_of_our_neighbours(sqlite_platform: Platform, host: str) -> None:
    oidc = {"kind": "oidc", "issuer": f"https://{host}/", "client_id": "x", "client_secret": "x"}
    ldap = {"kind": "ldap", "url": f"ldaps://{host}", "base_dn": "dc=farm,dc=example"}
    for body in (oidc, ldap):
        named = {**body, "name": "neighbour", "display_name": "Neighbour"}
        answer = await sqlite_platform.tenant.client.post(PROVIDERS, json=named)
        assert answer.status_code == 422, answer.text
        assert refusal(answer)[1] in {"URL_REFUSED", "VALIDATION_FAILED"}
        if "127" not in host:  # a name is refused without saying where it leads
            assert "127." not in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "gopher://127.0.0.1:6379/_x", "http://127.0.0.1/", "dict://x", "javascript:alert(1)"]
)
async def test_a_provider_is_reached_by_https_only(sqlite_platform: Platform, url: str) -> None:
    body = {"kind": "oidc", "name": "odd", "display_name": "Odd", "issuer": url, "client_id": "x"}
    assert (await sqlite_platform.tenant.client.post(PROVIDERS, json=body)).status_code == 422


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "//evil.example", "https://a b.example"])
async def test_no_address_that_browsers_are_sent_to_is_a_script(sqlite_platform: Platform, url: str) -> None:
    body = {"kind": "oidc", "name": "odd", "display_name": "Odd", "issuer": "https://192.0.2.1/", "client_id": "x"}
    answer = await sqlite_platform.tenant.client.post(PROVIDERS, json={**body, "redirect_url": url})
    assert answer.status_code == 422, answer.text
    organization_id = sqlite_platform.tenant.organization.organization_id
    path = f"/api/v1/organizations/{organization_id}/branding"
    assert (await sqlite_platform.tenant.client.put(path, json={"logo_url": url})).status_code == 422
