"""What signing in, being signed in and the walls between organisations cost.

A real `coldfleet cloud serve` is asked over loopback by 32 clients at once. Each figure stands beside a peer of the
same run: signing in beside argon2 alone, an authenticated request beside one that asks nobody anything, a walled
query beside the same query without the first two walls, its `WHERE organization_id` written by hand.
"""

import asyncio
import os
import statistics
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx2
from rich.table import Table
from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from cloud_api import all_models  # noqa: F401 - every table, so that the mappers are whole
from cloud_api.catalog.products.models import Product
from cloud_api.identity.organizations.models import Organization
from cloud_api.identity.passwords import new_password, verify_password
from cloud_api.kernel import clock, logs
from cloud_api.kernel.db import Database
from cloud_api.kernel.tenancy import OrganizationScope, SystemScope
from coldfleet.bench import cloud
from coldfleet.demo.processes import Process

CLIENTS = 32
PASSWORD = "Bench-room-" + uuid.uuid4().hex[:8]
_ROWS = 500


@dataclass(frozen=True)
class Figure:
    """One line of the report."""

    what: str
    #: milliseconds, one a call
    took_ms: Sequence[float]
    per_s: float
    #: what `ratio` compares with
    peer: str = ""
    ratio: float | None = None

    @property
    def p50_ms(self) -> float:
        """Half were faster."""
        return statistics.median(self.took_ms)

    @property
    def p95_ms(self) -> float:
        """Nineteen of twenty were faster."""
        return statistics.quantiles(self.took_ms, n=20)[-1]


async def hammer(what: str, call: Callable[[int], Awaitable[None]], *, calls: int, clients: int = CLIENTS) -> Figure:
    """Make `calls` calls, `clients` of them at a time."""
    waiting = iter(range(calls))
    took_ms: list[float] = []

    async def work(client: int) -> None:
        for _ in waiting:
            began = time.perf_counter()
            await call(client)
            took_ms.append((time.perf_counter() - began) * 1000)

    began = time.perf_counter()
    await asyncio.gather(*(work(client) for client in range(clients)))
    return Figure(what, took_ms, calls / (time.perf_counter() - began))


def against(figure: Figure, peer: Figure) -> Figure:
    """The figure, as a multiple of its peer's median."""
    return Figure(figure.what, figure.took_ms, figure.per_s, peer.what, figure.p50_ms / peer.p50_ms)


async def measure(database_url: str, *, calls: int) -> list[Figure]:
    """All figures; on a database of its own in a temporary folder when `database_url` is empty."""
    logs.configure(level="warning", for_people=True)
    with tempfile.TemporaryDirectory(prefix="coldfleet-bench-") as made:
        folder = Path(made)
        url = database_url or f"sqlite+aiosqlite:///{folder / 'cloud.db'}"
        environment = cloud.environment(url, folder)
        name = f"bench-{uuid.uuid4().hex[:10]}"
        await asyncio.to_thread(found, name, folder, environment)
        server, base_url = await asyncio.to_thread(serve, folder, environment)
        try:
            over_http = await _over_http(base_url, name, calls=calls)
        finally:
            await asyncio.to_thread(server.stop)
        return [*over_http, *await _walls(url, calls=calls)]


def found(name: str, folder: Path, environment: dict[str, str]) -> None:
    """Found an organisation of that name and slug with an administrator of that name; SQLite is migrated first."""
    people = ["--admin-username", name, "--admin-email", f"{name}@bench.example", "--admin-password", PASSWORD]
    arguments = ["cloud", "create-organization", "--name", name, "--slug", name, *people]
    founding = Process("founding", arguments, log=folder / "founding.log", environment=environment)
    if not founding.wait(120) or "is founded" not in founding.tail():
        raise RuntimeError(f"the organisation could not be founded:\n{founding.tail()}")


def serve(folder: Path, environment: dict[str, str]) -> tuple[Process, str]:
    """A `coldfleet cloud serve` and where it answers."""
    ready = folder / "ready.json"
    arguments = ["cloud", "serve", "--port", "0", "--ready-file", str(ready)]
    server = Process("cloud", arguments, log=folder / "cloud.log", environment=environment)
    return server, str(server.wait_ready(ready, "url")["url"])


async def _over_http(base_url: str, name: str, *, calls: int) -> list[Figure]:
    limits = httpx2.Limits(max_connections=CLIENTS, max_keepalive_connections=CLIENTS)
    async with httpx2.AsyncClient(base_url=f"{base_url}/api/v1", limits=limits, timeout=120) as client:

        async def login() -> str:
            answer = await client.post("/auth/login", json={"login": name, "password": PASSWORD})
            answer.raise_for_status()
            return str(answer.json()["data"]["access_token"])

        async def sign_in(_client: int) -> None:
            await login()

        async def alive(_client: int) -> None:
            (await client.get("/monitoring/health/live")).raise_for_status()

        headers = {"Authorization": f"Bearer {await login()}"}

        async def me(_client: int) -> None:
            (await client.get("/auth/me", headers=headers)).raise_for_status()

        async def products(_client: int) -> None:
            (await client.get("/warehouse/products", headers=headers)).raise_for_status()

        argon2 = await _argon2(calls=calls // 4)
        signing_in = await hammer("sign in", sign_in, calls=calls // 4)
        headers["Authorization"] = f"Bearer {await login()}"  # the limit of sign-ins has ended the one before
        nothing = await hammer("a request that asks nobody", alive, calls=calls)
        mine = await hammer("who am I", me, calls=calls)
        listed = await hammer("an empty list", products, calls=calls)
    return [argon2, against(signing_in, argon2), nothing, against(mine, nothing), against(listed, nothing)]


async def _argon2(*, calls: int) -> Figure:
    kept = await new_password(PASSWORD)

    async def verify(_client: int) -> None:
        await verify_password(PASSWORD, kept)

    return await hammer("argon2 alone", verify, calls=calls)


async def _walls(url: str, *, calls: int) -> list[Figure]:
    """One caller, in this process: what the statement hook adds to a query."""
    database = Database(url)
    try:
        organization_id, product_id = await _stock_up(database)
        scope = OrganizationScope(organization_id)

        async def ask(db: AsyncSession, statement: Select[tuple[Product]]) -> None:
            (await db.scalars(statement)).all()

        async def walled(statement: Select[tuple[Product]], _client: int) -> None:
            async with database.unit_of_work(scope, read_only=True) as db:
                await ask(db, statement)

        async def bare(statement: Select[tuple[Product]], _client: int) -> None:
            bind = database.engine.execution_options(coldfleet_read_only=True)
            async with AsyncSession(bind, sync_session_class=Session) as db:
                await ask(db, statement)

        newest = select(Product).order_by(Product.id.desc()).limit(50)
        one = select(Product).where(Product.id == product_id)
        mine = Product.organization_id == organization_id
        figures = []
        for what, statement in (("a list of 50", newest), ("a single get", one)):
            peer = await hammer(f"{what}, no walls", partial(bare, statement.where(mine)), calls=calls, clients=1)
            own = await hammer(f"{what}, walls", partial(walled, statement), calls=calls, clients=1)
            figures += [peer, against(own, peer)]
        return figures
    finally:
        await database.close()


async def _stock_up(database: Database) -> tuple[uuid.UUID, uuid.UUID]:
    """An organisation with products; its id and one product's."""
    async with database.unit_of_work(SystemScope("benchmark")) as db:
        slug = f"walls-{uuid.uuid4().hex[:10]}"
        organization = Organization(name="Walls", slug=slug, created_at=clock.now())
        db.add(organization)
        await db.flush()
    async with database.unit_of_work(OrganizationScope(organization.id)) as db:
        rows = [
            Product(sku=f"SKU-{number}", name=f"Product {number}", unit="kg", created_at=clock.now())
            for number in range(_ROWS)
        ]
        db.add_all(rows)
        await db.flush()
        return organization.id, rows[_ROWS // 2].id


def table(figures: Sequence[Figure]) -> Table:
    """The report."""
    made = Table("", "p50 ms", "p95 ms", "per second", "times its peer", "the peer", title=f"{os.cpu_count()} cores")
    for figure in figures:
        ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
        made.add_row(
            figure.what, f"{figure.p50_ms:.2f}", f"{figure.p95_ms:.2f}", f"{figure.per_s:.0f}", ratio, figure.peer
        )
    return made
