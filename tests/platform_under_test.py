"""The platform as tests use it: over HTTP, without a network, with its events delivered on request."""

import copy
import itertools
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx2
from fastapi import FastAPI
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.datastructures import State

from cloud_api.identity.organizations.models import PLATFORM_SLUG
from cloud_api.identity.passwords import new_password
from cloud_api.identity.people import service as people
from cloud_api.identity.roles.catalogue import ADMIN, SUPER_ADMIN
from cloud_api.kernel import clock
from cloud_api.kernel.db import Database
from cloud_api.kernel.outbox import Dispatcher, OutboxDelivery, OutboxEvent
from cloud_api.kernel.settings import Settings
from cloud_api.kernel.tenancy import OrganizationScope, SystemScope
from cloud_api.logistics.dispatch.planner import Planner
from cloud_api.main import create_app, equip, subscriptions
from cloud_api.media.storage import Files
from cloud_api.notifications.mail import PostOffice
from cloud_api.notifications.push import FcmPush
from cloud_api.notifications.sms import TwilioSms

PASSWORD = "Cold-room-1"
_numbers = itertools.count(1)
_hashes: dict[str, str] = {}


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


class Letterbox:
    """Where mails of tests end that say nothing else."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []

    async def send(self, mail: EmailMessage) -> None:
        """Keep it."""
        self.mails.append(mail)


@dataclass
class Platform:
    """The application, its database, and one organisation to work for."""

    app: FastAPI
    database: Database
    settings: Settings
    push: FcmPush | None = None
    #: None: mails end in the letterbox
    office: PostOffice | None = None
    letterbox: Letterbox = field(default_factory=Letterbox)
    sms: TwilioSms | None = None
    tenants: list[Tenant] = field(default_factory=list)

    @property
    def tenant(self) -> Tenant:
        """The organisation that tests work for when one is enough."""
        return self.tenants[0]

    async def found_platform(self) -> Tenant:
        """The organisation that owns the platform, its super administrator signed in. There can be one."""
        return await self.found(slug=PLATFORM_SLUG, role=SUPER_ADMIN)

    async def found(self, *, slug: str | None = None, role: str = ADMIN) -> Tenant:
        """Another organisation, its administrator signed in."""
        number = next(_numbers)
        slug, username = slug or f"farm-{number}", f"keeper-{number}"
        password_hash = await hash_of_the_password()
        async with self.database.unit_of_work(SystemScope("test")) as db:
            organization, _ = await people.found_organization(
                db,
                name=f"Farm {number}",
                slug=slug,
                admin_username=username,
                admin_email=f"{username}@{slug}.example",
                admin_full_name="Keeper",
                admin_password_hash=password_hash,
                admin_role=role,
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
        office = self.office or PostOffice(self.letterbox, self.settings.mail_from, self.settings.public_url)
        planner, hub = Planner(self.database), self.app.state.hub
        store = self.app.state.reading_store
        files = Files.of(self.settings)
        heard = subscriptions(
            self.push,
            planner,
            hub,
            office=office,
            sms=self.sms,
            store=store,
            files=files,
            razorpay=self.app.state.razorpay,
        )
        dispatcher = Dispatcher(self.database, heard)
        tried = 0
        while batch := await dispatcher.deliver_due():
            tried += batch
        return tried


async def hash_of_the_password() -> str:
    """The same for all: to judge how easily a password is guessed takes longer than to keep its hash."""
    if PASSWORD not in _hashes:
        _hashes[PASSWORD] = await new_password(PASSWORD)
    return _hashes[PASSWORD]


async def drop_events(database: Database) -> None:
    """What is not delivered yet would be by the next test that delivers, whose it is not."""
    async with database.unit_of_work(SystemScope("the events of this test are nobody else's")) as db:
        left = update(OutboxEvent).where(OutboxEvent.dispatched_at.is_(None))
        await db.execute(left.values(dispatched_at=clock.machine_now()))
        await db.execute(update(OutboxDelivery).where(OutboxDelivery.state == "pending").values(state="done"))


def settings_for_tests(**given: Any) -> Settings:
    """Administrators need no second factor, and no limit is in the way, unless `given` says so."""
    roomy: dict[str, Any] = {
        "sign_ins_per_minute": 100_000,
        "requests_per_hour": 1_000_000,
        "readings_max_age_days": 36_500,  # tests have fixed instants
    }
    return Settings(**{"two_factor_for_admins": False, "_env_file": None, **roomy, **given})


@cache
def _engine_on(url: str) -> AsyncEngine:
    return Database(url).engine


def database_on(url: str) -> Database:
    """A database that many tests use in turn: one engine has all of them, so that each statement is compiled once."""
    database = Database(url)
    database.engine = _engine_on(url)
    return database


@cache
def app_to_read() -> FastAPI:
    """An application for who looks at its routes or its document only: to find either takes seconds."""
    return create_app(settings_for_tests(database_url="sqlite+aiosqlite://"))


def application(settings: Settings) -> FastAPI:
    """Another one, with all that is its own, but the routes of the others: each costs more than most tests take.

    It has nothing that goes on beside it: who lets it begin and end has to make it by `create_app`.
    """
    # what stands around the routes depends on these
    if settings.allowed_origins or settings.public_url != Settings.model_fields["public_url"].default:
        return create_app(settings)
    app = copy.copy(app_to_read())
    app.router = copy.copy(app.router)
    app.router.routes = [*app.router.routes]
    app.router.middleware_stack = app.router.app
    app.state, app.middleware_stack = State(), None
    equip(app, settings)
    return app


@asynccontextmanager
async def open_platform(database_url: str, *, push: FcmPush | None = None, **changed: Any) -> AsyncIterator[Platform]:
    """The platform on a migrated database, with one organisation; `changed` settings beside those of tests."""
    with ExitStack() as stack:
        media = stack.enter_context(TemporaryDirectory(prefix="coldfleet-media-"))
        folders = {"media_folder": Path(media), "mail_folder": Path(media) / "mail"}
        settings = settings_for_tests(database_url=database_url, **folders, **changed)
        app = application(settings)
        platform = Platform(app, app.state.database, settings, push)
        platform.database.on_announced = app.state.hub.announce_all
        try:
            await platform.found()
            yield platform
        finally:
            for tenant in platform.tenants:
                await tenant.client.aclose()
            await platform.database.close()
