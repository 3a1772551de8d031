"""Promising stock, by the processor time it costs, beside a service that reads with SELECT ... FOR UPDATE.

32 workers promise single units of 100 products, more than there is. The figure is promises a second of processor time,
of the application and the database together; what a refusal costs is counted with them. The product promises each in a
unit of work of its own, as an order's confirmation does, and in groups, as its HTTP operation does. Afterwards every
promise is counted: one too many, and there is no figure.
"""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from decimal import Decimal

from sqlalchemy import func, select

from cloud_api import all_models  # noqa: F401 - every table, so that the mappers are whole
from cloud_api.inventory.errors import NotEnoughStock
from cloud_api.inventory.ledger.models import StockLevel, StockReservation
from cloud_api.inventory.reservations import service as reservations
from cloud_api.inventory.reservations.grouping import Counter, ReservationDoor
from cloud_api.inventory.reservations.promising import Request, Wish
from cloud_api.inventory.stock import service as stock
from cloud_api.kernel.db import Database
from cloud_api.kernel.tenancy import OrganizationScope
from coldfleet.bench import cloud
from coldfleet.bench.cloud_farm import SCHEME
from coldfleet.bench.gateway import Figure, at_least
from coldfleet.bench.ingest_peers import server_cpu_s
from coldfleet.bench.peers.plain_reserve import PlainStock
from coldfleet.bench.processes import BenchProblem
from coldfleet.bench.stock_site import Engine, build

WORKERS, HOT = 32, 100
TODAY = date(2026, 6, 1)
_UNIT = "promises/CPU-s"
_PLAIN, _ALONE, _GROUPED = "SELECT ... FOR UPDATE", "the product, each by itself", "the product, in groups"
_GOAL, _STRETCH = 2.5, 10.0

#: promises a unit of the product to somebody: whether it did
Reserve = Callable[[uuid.UUID, str], Awaitable[bool]]
Promising = Callable[[Database, OrganizationScope, Sequence[uuid.UUID]], Reserve]


async def figures(engine: Engine, *, promises: int, repeat: int) -> list[Figure]:
    """Theirs, ours, and the ratio of each pair of runs."""
    each = promises // HOT * 4 // 5  # a fifth is refused
    rates: dict[str, list[float]] = {_PLAIN: [], _ALONE: [], _GROUPED: []}
    for _ in range(repeat):
        rates[_PLAIN].append(await _plainly(engine, promises, each))
        rates[_ALONE].append(await _by_the_product(engine, promises, each, _one_by_one))
        rates[_GROUPED].append(await _by_the_product(engine, promises, each, _in_groups))
    told = [Figure(f"{engine.name}: {name}", _UNIT, samples) for name, samples in rates.items()]
    for name in (_ALONE, _GROUPED):
        times = [ours / theirs for ours, theirs in zip(rates[name], rates[_PLAIN], strict=True)]
        told.append(at_least(f"{engine.name}: {name}, of the peer", "times", times, _GOAL))
    times = [ours / theirs for ours, theirs in zip(rates[_GROUPED], rates[_PLAIN], strict=True)]
    return [*told, at_least(f"{engine.name}: {_GROUPED}, of the peer, more", "times", times, _STRETCH)]


async def _plainly(engine: Engine, promises: int, each: int) -> float:
    product_ids = [uuid.uuid4() for _ in range(HOT)]
    url = engine.url if engine.server is None else engine.server.server.url("coldfleet", scheme=SCHEME)
    plain = PlainStock(url, connections=WORKERS)
    try:
        await plain.stock_up(product_ids, each=each)

        async def reserve(product_id: uuid.UUID, source: str) -> bool:
            return await plain.reserve(product_id, Decimal(1), source)

        rate, made = await _hammer(engine, product_ids, reserve, promises)
        levels = await plain.promised()
        _check(made, [levels[product_id] for product_id in product_ids])
        return rate
    finally:
        await plain.close()


async def _by_the_product(engine: Engine, promises: int, each: int, promising: Promising) -> float:
    database = Database(engine.url, pool_size=WORKERS)
    try:
        organization = await cloud.found_organization(database)
        _, location_ids, product_ids = await build(engine, organization, products=HOT, places=1)
        await _receive(database, organization, location_ids[0], product_ids, each)
        reserve = promising(database, organization, location_ids)
        rate, made = await _hammer(engine, product_ids, reserve, promises)
        _check(made, await _promised(database, organization))
        return rate
    finally:
        await database.close()


def _one_by_one(database: Database, organization: OrganizationScope, location_ids: Sequence[uuid.UUID]) -> Reserve:
    async def reserve(product_id: uuid.UUID, source: str) -> bool:
        wish = Wish(product_id, Decimal(1), source)
        try:
            async with database.unit_of_work(organization) as db:
                await reservations.reserve(db, [wish], location_ids=location_ids, on=TODAY)
        except NotEnoughStock:
            return False
        return True

    return reserve


def _in_groups(database: Database, organization: OrganizationScope, location_ids: Sequence[uuid.UUID]) -> Reserve:
    door = ReservationDoor()
    counter = Counter(database, organization.organization_id, location_ids=frozenset(location_ids))

    async def reserve(product_id: uuid.UUID, source: str) -> bool:
        try:
            await door.reserve(counter, Request([Wish(product_id, Decimal(1), source)], TODAY))
        except NotEnoughStock:
            return False
        return True

    return reserve


async def _receive(
    database: Database,
    organization: OrganizationScope,
    location_id: uuid.UUID,
    product_ids: Sequence[uuid.UUID],
    each: int,
) -> None:
    async with database.unit_of_work(organization) as db:
        for product_id in product_ids:
            await stock.receive_goods(
                db,
                product_id=product_id,
                location_id=location_id,
                lot_number="HOT",
                expires_on=None,
                quantity=Decimal(each),
            )


async def _promised(database: Database, organization: OrganizationScope) -> list[tuple[int, int, int]]:
    async with database.unit_of_work(organization, read_only=True) as db:
        rows = await db.execute(
            select(StockLevel.on_hand, StockLevel.reserved, func.sum(StockReservation.quantity))
            .join(StockReservation, StockReservation.stock_level_id == StockLevel.id)
            .where(StockReservation.status == "active")
            .group_by(StockLevel.id, StockLevel.on_hand, StockLevel.reserved)
        )
        return [
            (int(on_hand * 1000), int(reserved * 1000), int(promised * 1000)) for on_hand, reserved, promised in rows
        ]


async def _hammer(
    engine: Engine, product_ids: Sequence[uuid.UUID], reserve: Reserve, promises: int
) -> tuple[float, int]:
    """Promises that were asked for a second of processor time, and how many were made."""
    numbers = iter(range(promises))
    made = 0

    async def work() -> None:
        nonlocal made
        for number in numbers:
            # a stride that visits all of them, and is never in step with the workers
            promised = await reserve(product_ids[number * 37 % HOT], f"order_line:{number}")
            made += promised

    before_s = _cpu_s(engine)
    await asyncio.gather(*(work() for _ in range(WORKERS)))
    return promises / (_cpu_s(engine) - before_s), made


def _cpu_s(engine: Engine) -> float:
    own = time.process_time()
    return own if engine.server is None else own + server_cpu_s(engine.server.server.pid)


def _check(made: int, levels: Sequence[tuple[int, int, int]]) -> None:
    """Whether nothing was promised twice, or lost; (on hand, reserved, the sum of the promises), in thousandths."""
    for on_hand, reserved, promised in levels:
        if not on_hand >= reserved == promised:
            raise BenchProblem(f"oversold: {promised} thousandths are promised, {reserved} reserved, of {on_hand}")
    if (stand := sum(promised for _, _, promised in levels)) != made * 1000:
        raise BenchProblem(f"{made} were told that they were promised one, and {stand / 1000} were promised")
