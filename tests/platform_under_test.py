"""The platform as tests use it: over HTTP, without a network, with its events delivered on request."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx2
from fastapi import FastAPI

from cloud_api.identity import service as identity
from cloud_api.kernel.db import Database
from cloud_api.kernel.outbox import Dispatcher
from cloud_api.kernel.settings import Settings
from cloud_api.kernel.tenancy import OrganizationScope, SystemScope
from cloud_api.logistics.planner import Planner
from cloud_api.main import create_app, subscriptions
from cloud_api.notifications.push import FcmPush

PASSWORD = "Cold-room-1"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Tenant:
    """An organisation with its administrator, signed in."""

    organization: OrganizationScope
    slug: str
    username: str
    client: httpx2.AsyncClient

    async def get(self, path: str, **parameters: Any) -> Any:
        """The `data` of a GET that must succeed."""
        return self._data(await self.client.get(path, params=parameters))

    async def post(self, path: str, body: object = None, **headers: str) -> Any:
        """The `data` of a POST that must succeed."""
        return self._data(await self.client.post(path, json={} if body is None else body, headers=headers))

    async def put(self, path: str, body: object) -> Any:
        """The `data` of a PUT that must succeed."""
        return self._data(await self.client.put(path, json=body))

    @staticmethod
    def _data(answer: httpx2.Response) -> Any:
        assert answer.is_success, f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text}"
        return answer.json()["data"]


@dataclass
class Platform:
    """The application, its database, and one organisation to work for."""

    app: FastAPI
    database: Database
    settings: Settings
    push: FcmPush | None = None
    tenants: list[Tenant] = field(default_factory=list)

    @property
    def tenant(self) -> Tenant:
        """The organisation that tests work for when one is enough."""
        return self.tenants[0]

    async def found(self) -> Tenant:
        """Another organisation, its administrator signed in."""
        number = next(_numbers)
        slug, username = f"farm-{number}", f"keeper-{number}"
        async with self.database.unit_of_work(SystemScope("test")) as db:
            organization, _ = await identity.found_organization(
                db,
                name=f"Farm {number}",
                slug=slug,
                admin_username=username,
                admin_email=f"{username}@{slug}.example",
                admin_full_name="Keeper",
                admin_password=PASSWORD,
            )
        client = self.client()
        answer = await client.post("/api/v1/auth/login", json={"login": username, "password": PASSWORD})
        client.headers["Authorization"] = f"Bearer {answer.json()['data']['access_token']}"
        tenant = Tenant(OrganizationScope(organization.id), slug, username, client)
        self.tenants.append(tenant)
        return tenant

    def client(self, token: str | None = None) -> httpx2.AsyncClient:
        """An HTTP client of the application."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        transport = httpx2.ASGITransport(app=self.app, raise_app_exceptions=False)
        return httpx2.AsyncClient(transport=transport, base_url="http://coldfleet.test", headers=headers)

    async def deliver(self) -> int:
        """Deliver what is due in the outbox until nothing is. Returns how many deliveries were tried."""
        dispatcher = Dispatcher(self.database, subscriptions(self.push, Planner(self.database), self.app.state.hub))
        tried = 0
        while batch := await dispatcher.deliver_due():
            tried += batch
        return tried


@asynccontextmanager
async def open_platform(database_url: str, *, push: FcmPush | None = None) -> AsyncIterator[Platform]:
    """The platform on a migrated database, with one organisation."""
    with TemporaryDirectory(prefix="coldfleet-media-") as media:
        settings = Settings(database_url=database_url, media_folder=Path(media), _env_file=None)
        app = create_app(settings)
        platform = Platform(app, app.state.database, settings, push)
        await platform.found()
        try:
            yield platform
        finally:
            for tenant in platform.tenants:
                await tenant.client.aclose()
            await platform.database.close()
