"""Confirming orders of five lines, by the processor time it costs, beside a plain service: `coldfleet bench delivery`.

16 workers confirm orders over 100 products, each order in a unit of work of its own as its HTTP operation does. The
figure is orders a second of processor time, of the application and the database together, on a PostgreSQL of the
benchmark's own that commits to the disk. What the product does and the peer does not, is counted with it: the lot that
expires first, holds, shelf life, four walls between organisations, the trail, the event. Afterwards every promise is
counted: one too many, and there is no figure.
"""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from datetime import time as day_time
from decimal import Decimal
from pathlib import Path

from sqlalchemy import func, select

from cloud_api import all_models  # noqa: F401 - every table, so that the mappers are whole
from cloud_api.audit import recording  # noqa: F401 - what is confirmed is in the trail, as in the product
from cloud_api.customers.models import Customer
from cloud_api.inventory.errors import NotEnoughStock
from cloud_api.inventory.ledger.models import StockLevel, StockReservation
from cloud_api.inventory.stock import service as stock
from cloud_api.kernel.db import Database
from cloud_api.kernel.tenancy import OrganizationScope
from cloud_api.orders.book import service as book
from cloud_api.orders.book.models import CustomerOrder, OrderLine
from coldfleet.bench import cloud
from coldfleet.bench.cloud_farm import SCHEME
from coldfleet.bench.gateway import Figure
from coldfleet.bench.ingest_peers import server_cpu_s
from coldfleet.bench.peers.plain_orders import PlainOrders
from coldfleet.bench.processes import BenchProblem
from coldfleet.bench.stock_site import Engine, build, on_postgresql

WORKERS, HOT, LINES, ORDERS, REPEAT = 16, 100, 5, 600, 3
_UNIT = "orders/CPU-s"
_PLAIN, _OURS = "SELECT ... FOR UPDATE, five lines", "the product, five lines"
_DAY = date(2026, 6, 1)
_AT = datetime(2026, 6, 1, 6, tzinfo=UTC)

#: what an order wants: (product, quantity)
Lines = Sequence[tuple[uuid.UUID, Decimal]]
Confirm = Callable[[uuid.UUID], Awaitable[bool]]


def measure(_folder: Path, *, orders: int = ORDERS, repeat: int = REPEAT) -> Iterator[Figure]:
    """Theirs, ours, and the ratio of each pair of runs.

    Args:
        orders: confirmed in each run.
        repeat: runs of each.
    """
    with on_postgresql() as engine:
        yield from asyncio.run(figures(engine, orders=orders, repeat=repeat))


async def figures(engine: Engine, *, orders: int, repeat: int) -> list[Figure]:
    """The same on a database that is there."""
    rates: dict[str, list[float]] = {_PLAIN: [], _OURS: []}
    for _ in range(repeat):
        rates[_PLAIN].append(await _plainly(engine, orders))
        rates[_OURS].append(await _by_the_product(engine, orders))
    times = [ours / theirs for ours, theirs in zip(rates[_OURS], rates[_PLAIN], strict=True)]
    told = [Figure(f"{engine.name}: {name}", _UNIT, samples) for name, samples in rates.items()]
    return [*told, Figure(f"{engine.name}: {_OURS}, of the peer", "times", times)]


async def _plainly(engine: Engine, orders: int) -> float:
    product_ids = [uuid.uuid4() for _ in range(HOT)]
    url = engine.url if engine.server is None else engine.server.server.url("coldfleet", scheme=SCHEME)
    plain = PlainOrders(url, connections=WORKERS)
    try:
        await plain.open(product_ids, each=_each(orders))
        order_ids = await plain.take([_wanted(product_ids, number) for number in range(orders)])
        rate, made = await _hammer(engine, order_ids, plain.confirm)
        _check(made, await plain.promised())
        return rate
    finally:
        await plain.close()


async def _by_the_product(engine: Engine, orders: int) -> float:
    database = Database(engine.url, pool_size=WORKERS)
    try:
        organization = await cloud.found_organization(database)
        warehouse_id, location_ids, product_ids = await build(engine, organization, products=HOT, places=1)
        async with database.unit_of_work(organization) as db:
            for product_id in product_ids:
                await stock.receive_goods(
                    db,
                    product_id=product_id,
                    location_id=location_ids[0],
                    lot_number="HOT",
                    expires_on=None,
                    quantity=Decimal(_each(orders)),
                )
        order_ids = await _take(database, organization, warehouse_id, product_ids, orders)

        async def confirm(order_id: uuid.UUID) -> bool:
            try:
                async with database.unit_of_work(organization) as db:
                    await book.confirm_order(db, order_id)
            except NotEnoughStock:
                return False
            return True

        rate, made = await _hammer(engine, order_ids, confirm)
        _check(made, await _promised(database, organization))
        return rate
    finally:
        await database.close()


async def _take(
    database: Database,
    organization: OrganizationScope,
    warehouse_id: uuid.UUID,
    product_ids: Sequence[uuid.UUID],
    orders: int,
) -> list[uuid.UUID]:
    """Orders of one customer, pending: their ids."""
    async with database.unit_of_work(organization) as db:
        customer = Customer(number="CUS-BENCH", name="Bench", phone="", created_at=_AT)
        db.add(customer)
        await db.flush()
        rows = [
            CustomerOrder(
                number=f"ORD-B{number}",
                customer_id=customer.id,
                warehouse_id=warehouse_id,
                customer_name=customer.name,
                address="Bench",
                latitude=18.5,
                longitude=73.8,
                delivery_date=_DAY,
                window_from=day_time(9),
                window_until=day_time(17),
                total_minor=5_000,
                created_at=_AT,
            )
            for number in range(orders)
        ]
        db.add_all(rows)
        await db.flush()
        db.add_all(
            OrderLine(order_id=row.id, product_id=product_id, quantity=quantity, unit_price=1_000_000)
            for number, row in enumerate(rows)
            for product_id, quantity in _wanted(product_ids, number)
        )
        return [row.id for row in rows]


def _each(orders: int) -> int:
    """Of each product: a fifth less than is wanted, so that some are refused."""
    return orders * LINES // HOT * 4 // 5


def _wanted(product_ids: Sequence[uuid.UUID], number: int) -> Lines:
    """Five products; a stride that visits all of them, and is never in step with the workers."""
    return [(product_ids[(number * 37 + line * 11) % HOT], Decimal(1)) for line in range(LINES)]


async def _hammer(engine: Engine, order_ids: Sequence[uuid.UUID], confirm: Confirm) -> tuple[float, int]:
    """Orders that were asked for a second of processor time, and how many were confirmed."""
    waiting = iter(order_ids)
    made = 0

    async def work() -> None:
        nonlocal made
        for order_id in waiting:
            confirmed = await confirm(order_id)
            made += confirmed

    before_s = _cpu_s(engine)
    await asyncio.gather(*(work() for _ in range(WORKERS)))
    return len(order_ids) / (_cpu_s(engine) - before_s), made


def _cpu_s(engine: Engine) -> float:
    own = time.process_time()
    return own if engine.server is None else own + server_cpu_s(engine.server.server.pid)


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


def _check(made: int, levels: Sequence[tuple[int, int, int]]) -> None:
    """Whether nothing was promised twice, or by half; (on hand, reserved, sum of the promises), in thousandths."""
    for on_hand, reserved, promised in levels:
        if not on_hand >= reserved == promised:
            raise BenchProblem(f"oversold: {promised} thousandths are promised, {reserved} reserved, of {on_hand}")
    if (stand := sum(promised for _, _, promised in levels)) != made * LINES * 1000:
        raise BenchProblem(f"{made} orders were confirmed, and {stand / 1000} units are promised")
