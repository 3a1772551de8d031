"""How quickly a full warehouse answers: lists, levels and searches, a new lot among many, a lot's way, a recall.

A real `coldfleet cloud serve` is asked over loopback, one question after the other, as an administrator who is signed
in; a figure counts from the first byte that is sent to the last that is received.
"""

import asyncio
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import httpx2
from sqlalchemy import select

from cloud_api.catalog.products.models import Product
from cloud_api.identity.organizations.models import Organization
from cloud_api.inventory.stock import service as stock
from cloud_api.kernel.db import Database
from cloud_api.kernel.tenancy import OrganizationScope, SystemScope
from cloud_api.search import service as search
from cloud_api.search.service import Entry
from coldfleet.bench import cloud
from coldfleet.bench.access import PASSWORD, found, hammer, serve
from coldfleet.bench.gateway import Figure, at_most
from coldfleet.bench.processes import BenchProblem
from coldfleet.bench.stock_site import Engine, Site, build
from coldfleet.bench.stock_sold import ORDERS, sell

PRODUCTS, PLACES = 2_000, 50
GOAL_MS, GOAL_TIMES = 50.0, 1.5
GOAL_TRACE_S, GOAL_RECALL_S = 2.0, 60.0
MOVEMENTS_A_LOT = 10


@dataclass(frozen=True)
class Sizes:
    """How much there is, and how often it is asked for."""

    #: requests of each kind
    calls: int
    #: of `questions`
    movements: int
    lots: int
    #: of `lots`
    many_lots: int
    #: of `trace`
    many_movements: int


@dataclass(frozen=True)
class Question:
    """What is asked."""

    what: str
    path: str
    parameters: dict[str, str]


def figures(engine: Engine, folder: Path, sizes: Sizes, parts: Sequence[str]) -> Iterator[Figure]:
    """The figures of these parts, in the order in which the warehouse fills."""
    name = f"bench-{uuid.uuid4().hex[:10]}"
    environment = cloud.environment(engine.url, folder)
    found(name, folder, environment)
    site = asyncio.run(_site(engine, name))
    if "questions" in parts:
        site.add_lots(sizes.lots, movements_a_lot=sizes.movements // sizes.lots)
        site.index()
        asyncio.run(_index_products(site))
        engine.settle()
        with _asking(folder, environment, name) as (client, loop):
            for question in _questions(site):
                yield loop.run_until_complete(_asked(engine, client, question, sizes.calls))
    if "lots" in parts:
        yield from _new_lots(engine, site, sizes)
    if "trace" in parts:
        yield from _traced(engine, site, sizes, folder, environment, name)


def _questions(site: Site) -> list[Question]:
    product, place, lot = (str(ids[len(ids) // 3]) for ids in (site.product_ids, site.location_ids, site.lot_ids))
    warehouse = str(site.warehouse_id)
    return [
        Question("levels, newest", "/warehouse/stock/levels", {"limit": "50"}),
        Question("levels of a product", "/warehouse/stock/levels", {"product_id": product}),
        Question("levels of a place", "/warehouse/stock/levels", {"location_id": place}),
        Question("movements, newest", "/warehouse/stock/movements", {"limit": "50"}),
        Question("movements of a product", "/warehouse/stock/movements", {"product_id": product}),
        Question("movements of a warehouse", "/warehouse/stock/movements", {"warehouse_id": warehouse}),
        Question("movements of a lot", "/warehouse/stock/movements", {"lot_id": lot}),
        Question("lots, newest", "/warehouse/batches", {"limit": "50"}),
        Question("lots of a product", "/warehouse/batches", {"product_id": product}),
        Question("lots that expire soon", "/warehouse/batches/expiring", {"days": "60"}),
        Question("one lot", f"/warehouse/batches/{lot}", {}),
        Question("products", "/warehouse/products", {"limit": "50"}),
        Question("products that run low", "/warehouse/products/low-stock", {"limit": "50"}),
        Question("search, two words", "/warehouse/products/search", {"q": "organic spinach"}),
        Question("search, misspelt", "/search", {"q": "spinch"}),
        Question("suggest", "/search/suggest", {"q": "spi"}),
    ]


async def _asked(engine: Engine, client: httpx2.AsyncClient, question: Question, calls: int) -> Figure:
    async def ask(_client: int) -> None:
        (await client.get(question.path, params=question.parameters)).raise_for_status()

    for _ in range(3):  # statements are prepared, caches filled
        await ask(0)
    took = await hammer(question.what, ask, calls=calls, clients=1)
    return at_most(f"{engine.name}: {question.what}, p95", "ms", [took.p95_ms], GOAL_MS)


@contextmanager
def _asking(
    folder: Path, environment: dict[str, str], name: str
) -> Iterator[tuple[httpx2.AsyncClient, asyncio.AbstractEventLoop]]:
    """Somebody who is signed in, and the loop in which they ask."""
    (folder / "ready.json").unlink(missing_ok=True)  # of the one before
    server, base_url = serve(folder, environment)
    try:
        with asyncio.Runner() as runner:
            client = httpx2.AsyncClient(base_url=f"{base_url}/api/v1", timeout=120)
            credentials = {"login": name, "password": PASSWORD}
            answer = runner.run(client.post("/auth/login", json=credentials)).raise_for_status()
            client.headers["Authorization"] = f"Bearer {answer.json()['data']['access_token']}"
            yield client, runner.get_loop()
            runner.run(client.aclose())
    finally:
        server.stop()


async def _site(engine: Engine, slug: str) -> Site:
    database = Database(engine.url)
    try:
        async with database.unit_of_work(SystemScope("benchmark"), read_only=True) as db:
            organization_id = (await db.scalars(select(Organization.id).where(Organization.slug == slug))).one()
    finally:
        await database.close()
    scope = OrganizationScope(organization_id)
    return Site(engine, scope, *await build(engine, scope, products=PRODUCTS, places=PLACES))


async def _index_products(site: Site) -> None:
    """Let the products be found, which also teaches the index their words."""
    database = Database(site.engine.url)
    try:
        async with database.unit_of_work(site.organization) as db:
            for product in await db.scalars(select(Product).order_by(Product.id)):
                entry = Entry("product", product.id, product.name, product.sku, "", {}, "products:read")
                await search.put(db, entry)
    finally:
        await database.close()


def _new_lots(engine: Engine, site: Site, sizes: Sizes) -> Iterator[Figure]:
    """Lots that are opened where there is none, and where there are many."""

    async def first() -> float:
        database = Database(engine.url)
        try:
            scope = await cloud.found_organization(database)
        finally:
            await database.close()
        empty = Site(engine, scope, *await build(engine, scope, products=PRODUCTS, places=PLACES))
        return await _receiving(empty, sizes.calls)

    empty_ms = asyncio.run(first())
    site.add_lots(sizes.many_lots - len(site.lot_ids), movements_a_lot=1)
    engine.settle()
    full_ms = asyncio.run(_receiving(site, sizes.calls))
    yield Figure(f"{engine.name}: a new lot where there is none, p95", "ms", [empty_ms])
    yield Figure(f"{engine.name}: a new lot beside {sizes.many_lots:,}, p95", "ms", [full_ms])
    yield at_most(f"{engine.name}: the same, as a multiple", "times", [full_ms / empty_ms], GOAL_TIMES)


def _traced(
    engine: Engine, site: Site, sizes: Sizes, folder: Path, environment: dict[str, str], name: str
) -> Iterator[Figure]:
    """A lot to its customers among many movements, and all that a recall of it says and holds."""
    missing = sizes.many_movements - site.movements
    site.add_lots(max(100, missing // MOVEMENTS_A_LOT), movements_a_lot=MOVEMENTS_A_LOT)
    lot_id = asyncio.run(sell(site))
    engine.settle()
    with _asking(folder, environment, name) as (client, loop):
        path = f"/warehouse/batches/{lot_id}"
        question = Question(f"a lot's trace among {site.movements:,} movements", f"{path}/trace", {"limit": "200"})
        took = loop.run_until_complete(_asked(engine, client, question, max(20, sizes.calls // 10)))
        yield at_most(took.name, "s", [ms / 1000 for ms in took.samples], GOAL_TRACE_S)
        began = time.perf_counter()
        recalled = client.post(f"{path}/recall", json={"reason": "benchmark"})
        told = loop.run_until_complete(recalled).raise_for_status().json()["data"]
        took_s = time.perf_counter() - began
        if len(told["customers"]) != ORDERS or len(told["stops"]) != ORDERS:
            raise BenchProblem(f"the recall names {len(told['customers'])} of {ORDERS} orders")
        yield at_most(
            f"{engine.name}: its recall: held, {ORDERS:,} orders and stops named", "s", [took_s], GOAL_RECALL_S
        )
        began = time.perf_counter()
        paper = client.get(f"/warehouse/recalls/{told['recall']['id']}/report", params={"format": "pdf"})
        loop.run_until_complete(paper).raise_for_status()
        yield Figure(f"{engine.name}: the recall's report as PDF", "s", [time.perf_counter() - began])


async def _receiving(site: Site, calls: int) -> float:
    """The 95th of a hundred receipts under new lot numbers, in milliseconds."""
    database = Database(site.engine.url)
    took_ms = []
    try:
        for number in range(calls + 5):
            began = time.perf_counter()
            async with database.unit_of_work(site.organization) as db:
                await stock.receive_goods(
                    db,
                    product_id=site.product_ids[number % len(site.product_ids)],
                    location_id=site.location_ids[number % len(site.location_ids)],
                    lot_number=f"NEW-{uuid.uuid4().hex[:12]}",
                    expires_on=None,
                    quantity=Decimal(10),
                )
            took_ms.append((time.perf_counter() - began) * 1000)
    finally:
        await database.close()
    return sorted(took_ms[5:])[calls * 95 // 100]
