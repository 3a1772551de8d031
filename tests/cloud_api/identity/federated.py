"""A platform that may call this machine, and how somebody signs in through a provider, step by step."""

import ssl
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from sqlalchemy import func, select

from cloud_api.identity.federation.models import SignInUnderWay
from cloud_api.identity.people.models import User, UserRole
from cloud_api.identity.roles.models import Role
from cloud_api.kernel import clock
from cloud_api.kernel.tenancy import SystemScope
from tests.cloud_api.conftest import open_shared_platform
from tests.platform_under_test import Platform, Tenant, settings_for_tests
from tests.services.identity_provider import CLIENT_ID, CLIENT_SECRET, IdentityProvider

PROVIDERS = "/api/v1/admin/identity-providers"
SETTINGS = "/api/v1/admin/settings"
LOOPBACK = "127.0.0.0/8"
#: what somebody hears who comes back from a provider and is not let in
REFUSED = (401, "SIGN_IN_REFUSED")
AWAY = (503, "PROVIDER_UNAVAILABLE")
#: a browser that meets none: reading the system's authorities takes longer than the rest
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
REDIRECT = "https://app.example/sign-in/callback"


@asynccontextmanager
async def open_federated_platform(url: str) -> AsyncIterator[Platform]:
    """The platform, allowed to call servers of this machine."""
    async with open_shared_platform(url) as platform:
        platform.app.state.settings = settings_for_tests(database_url=url, outbound_allowed=LOOPBACK)
        yield platform


@pytest.fixture
async def platform(shared_database_url: str) -> AsyncIterator[Platform]:
    """On each engine."""
    async with open_federated_platform(shared_database_url) as opened:
        yield opened


@pytest.fixture
async def small_platform(shared_sqlite_url: str) -> AsyncIterator[Platform]:
    """For what one engine is enough for."""
    async with open_federated_platform(shared_sqlite_url) as opened:
        yield opened


def pass_time(passed: timedelta) -> None:
    """It is so much later now."""
    clock.use(partial(clock.machine_now().__add__, passed))


def oidc_provider(provider: IdentityProvider, **changed: Any) -> dict[str, Any]:
    """What an administrator sends to connect `provider`."""
    return {
        "kind": "oidc",
        "name": "works",
        "display_name": "Works account",
        "issuer": provider.issuer,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "redirect_url": REDIRECT,
        **changed,
    }


async def connect(tenant: Tenant, body: dict[str, Any]) -> str:
    """The id of a provider that an administrator connects."""
    return str((await tenant.post(PROVIDERS, body))["id"])


def address(tenant: Tenant, name: str) -> str:
    """An address that no other test has."""
    return f"{name}@{tenant.slug}.example"


@dataclass(frozen=True)
class Browser:
    """A browser on its way: what the page kept, and what the provider sent it back with."""

    platform: Platform
    provider_id: str
    binding: str
    state: str
    code: str

    async def finish(self, **changed: str) -> httpx2.Response:
        """The last step, with what the browser has unless `changed` says otherwise."""
        body = {"code": self.code, "state": self.state, "binding": self.binding, **changed}
        async with self.platform.client() as client:
            return await client.post(f"/api/v1/auth/oauth/{self.provider_id}/callback", json=body)


async def begin(platform: Platform, provider_id: str) -> httpx2.Response:
    """The first step."""
    async with platform.client() as client:
        return await client.get(f"/api/v1/auth/oauth/{provider_id}/authorize")


async def travel(platform: Platform, provider_id: str) -> Browser:
    """The first two steps: to the provider and back, over real sockets."""
    begun = (await begin(platform, provider_id)).json()["data"]
    async with httpx2.AsyncClient(transport=httpx2.AsyncHTTPTransport(verify=NO_TLS), trust_env=False) as browser:
        sent_back = await browser.get(begun["authorization_url"])
    assert sent_back.status_code == 302, sent_back.text
    landed = urlsplit(sent_back.headers["location"])
    assert f"{landed.scheme}://{landed.netloc}{landed.path}" == REDIRECT
    answer = parse_qs(landed.query)
    return Browser(platform, provider_id, begun["binding"], answer["state"][0], answer["code"][0])


async def sign_in_through(platform: Platform, provider_id: str) -> httpx2.Response:
    """All three steps."""
    return await (await travel(platform, provider_id)).finish()


def data_of(answer: httpx2.Response) -> dict[str, Any]:
    """The data of an answer that must be a success."""
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


def code_of(answer: httpx2.Response) -> tuple[int, str]:
    """Status and code of a refusal."""
    return answer.status_code, answer.json()["error"]["code"]


async def reasons(tenant: Tenant) -> list[str]:
    """Why sign-ins through providers were refused, as administrators see it; the newest first."""
    events = await tenant.get("/api/v1/admin/security/events", type="failed_sign_in")
    return [event["details"]["reason"] for event in events if "reason" in event["details"]]


async def roles_of(platform: Platform, email: str) -> list[str]:
    """What somebody holds."""
    async with platform.database.unit_of_work(SystemScope("test"), read_only=True) as db:
        held = await db.scalars(
            select(Role.name)
            .join(UserRole, UserRole.role_id == Role.id)
            .join(User, User.id == UserRole.user_id)
            .where(User.email == email)
            .order_by(Role.name)
        )
        return [*held]


async def under_way(platform: Platform, provider_id: str) -> int:
    """How many sign-ins through a provider are not finished."""
    async with platform.database.unit_of_work(SystemScope("test"), read_only=True) as db:
        count = select(func.count()).where(SignInUnderWay.provider_id == uuid.UUID(provider_id))
        return await db.scalar(count) or 0
