"""Programs with credentials of their own, and callers at addresses of their own."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import httpx2

from cloud_api.kernel import clock
from tests.platform_under_test import Platform, Tenant

KEYS = "/api/v1/api-keys"
CLIENTS = "/api/v1/admin/oauth-clients"
TOKEN = "/api/v1/auth/oauth/token"
EVENTS = "/api/v1/admin/security/events"
PRODUCTS = "/api/v1/warehouse/products"
CATEGORIES = "/api/v1/warehouse/products/categories"


def pass_time(passed: timedelta) -> None:
    """It is that much later than the machine thinks."""
    clock.use(partial(clock.machine_now().__add__, passed))


async def make_key(tenant: Tenant, *scopes: str, **fields: Any) -> dict[str, Any]:
    """A key as its maker sees it, this once."""
    made: dict[str, Any] = await tenant.post(
        KEYS, {"name": "ERP", "scopes": list(scopes or ["products:read"]), **fields}
    )
    return made


async def make_client(tenant: Tenant, *scopes: str) -> dict[str, Any]:
    """An OAuth client as who registers it sees it, this once."""
    made: dict[str, Any] = await tenant.post(CLIENTS, {"name": "Shop", "scopes": list(scopes or ["products:read"])})
    return made


@asynccontextmanager
async def calling_from(platform: Platform, address: str, token: str = "") -> AsyncIterator[httpx2.AsyncClient]:
    """A caller at that address."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    transport = httpx2.ASGITransport(app=platform.app, raise_app_exceptions=False, client=(address, 40_000))
    async with httpx2.AsyncClient(transport=transport, base_url="http://coldfleet.test", headers=headers) as client:
        yield client


async def get(platform: Platform, token: str, path: str = PRODUCTS, *, address: str = "127.0.0.1") -> httpx2.Response:
    """A GET with that credential, from that address."""
    async with calling_from(platform, address, token) as client:
        return await client.get(path)


def refusal(answer: httpx2.Response) -> tuple[int, str]:
    """(status, code) of an error in our envelope."""
    return answer.status_code, answer.json()["error"]["code"]


async def events_of(tenant: Tenant, kind: str) -> Sequence[dict[str, Any]]:
    """The organisation's security events of that type."""
    found: Sequence[dict[str, Any]] = await tenant.get(EVENTS, type=kind)
    return found
