"""Signing in at the console through the organisation's own provider."""

from urllib.parse import urlsplit

import httpx2

from tests.cloud_api.identity.federated import NO_TLS, connect, oidc_provider, small_platform
from tests.cloud_api.identity.people import add_person
from tests.platform_under_test import Platform
from tests.services.identity_provider import IdentityProvider, identity_provider, identity_providers

__all__ = ["identity_provider", "identity_providers", "small_platform"]


async def sent_back(way: str) -> str:
    """Where the provider sends the browser: path and query of ours."""
    async with httpx2.AsyncClient(transport=httpx2.AsyncHTTPTransport(verify=NO_TLS), trust_env=False) as browser:
        answer = await browser.get(way)
    landed = urlsplit(answer.headers["location"])
    assert landed.path == "/console/sign-in/callback"
    return f"{landed.path}?{landed.query}"


async def test_somebody_goes_to_the_provider_and_comes_back_signed_in(
    small_platform: Platform, identity_provider: IdentityProvider
) -> None:
    tenant = small_platform.tenant
    person = await add_person(small_platform)
    identity_provider.sign_in(sub="s-1", email=person.email)
    body = oidc_provider(identity_provider)
    del body["redirect_url"]
    provider_id = await connect(tenant, body)
    async with small_platform.client() as browser:
        page = (await browser.get(f"/console/sign-in?organization={tenant.slug}&next=/console/me")).text
        assert "Sign in with Works account" in page
        way = f"/console/sign-in/with/{provider_id}?organization={tenant.slug}&next=/console/me"
        assert way.replace("&", "&amp;").replace("/console/me", "%2Fconsole%2Fme") in page
        there = await browser.get(way)
        back = await sent_back(there.headers["location"])
        browser.cookies.set("coldfleet_begun", there.cookies["coldfleet_begun"])
        landed = await browser.get(back)
        assert (landed.status_code, landed.headers["location"]) == (303, "/console/me")
        assert "coldfleet_access" in landed.cookies


async def test_who_comes_back_to_another_browser_is_not_let_in(
    small_platform: Platform, identity_provider: IdentityProvider
) -> None:
    body = oidc_provider(identity_provider)
    del body["redirect_url"]
    provider_id = await connect(small_platform.tenant, body)
    identity_provider.sign_in(sub="s-2", email=(await add_person(small_platform)).email)
    async with small_platform.client() as browser, small_platform.client() as other:
        there = await browser.get(f"/console/sign-in/with/{provider_id}")
        refused = await other.get(await sent_back(there.headers["location"]))
    assert refused.status_code == 401
    assert "The sign-in was not finished there" in refused.text
    assert "coldfleet_access" not in refused.cookies
