"""A day of deliveries under way, for `coldfleet bench delivery`: drivers with loaded vans, and people at their screens.

Everything is made by the services that the API calls, so that what is measured afterwards stands on rows that could
have come about: orders taken, promised, packed, put on routes and loaded. The processes are started as in
`alerts_site`: API and worker on one processor, who measures on another, PostgreSQL where it likes.
"""

import asyncio
import itertools
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from time import monotonic

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog.products import service as catalog
from cloud_api.catalog.products.schemas import ProductCreate
from cloud_api.customers import service as customers
from cloud_api.customers.schemas import AddressCreate, CustomerCreate
from cloud_api.identity import tokens
from cloud_api.identity.people import service as people
from cloud_api.identity.people.models import User
from cloud_api.identity.sessions import service as sessions
from cloud_api.identity.sessions.keyring import Keyring
from cloud_api.inventory.stock import service as stock
from cloud_api.kernel.db import Database
from cloud_api.kernel.outbox import OutboxDelivery, OutboxEvent
from cloud_api.kernel.settings import DEVELOPMENT_SECRET
from cloud_api.kernel.tenancy import OrganizationScope, SystemScope
from cloud_api.logistics.deliveries import service as deliveries
from cloud_api.logistics.fleet import service as fleet
from cloud_api.logistics.fleet.schemas import VehicleCreate
from cloud_api.orders.book import service as orders
from cloud_api.orders.book.queries import EVERY_ORDER
from cloud_api.orders.book.schemas import OrderCreate, OrderLineCreate
from cloud_api.orders.picking import service as picking
from cloud_api.orders.picking.service import Picker
from cloud_api.places import service as places
from cloud_api.places.schemas import LocationCreate, WarehouseCreate
from coldfleet.bench import cloud
from coldfleet.bench.alerts_site import Engine, Kept, Server, database_of
from coldfleet.bench.processes import BenchProblem, free_port
from device_sims.fcm import FcmDouble

DEPOT = (12.9340, 77.6101)
_AT_ONCE = 20
#: so long nothing at all may be heard
_FURTHER_WITHIN_S = 120
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Person:
    """Somebody who is signed in."""

    id: uuid.UUID
    #: the value of the header
    authorization: str


@dataclass(frozen=True)
class Drive:
    """A loaded van under way."""

    driver: Person
    vehicle_id: uuid.UUID
    route_id: uuid.UUID
    delivery_ids: Sequence[uuid.UUID]
    order_ids: Sequence[uuid.UUID]


@dataclass(frozen=True)
class Day:
    """What there is."""

    organization: OrganizationScope
    warehouse_id: uuid.UUID
    room_id: uuid.UUID
    product_ids: Sequence[uuid.UUID]
    customer_ids: Sequence[uuid.UUID]
    on: date
    dispatchers: Sequence[Person]
    drives: Sequence[Drive]


@dataclass(frozen=True)
class Site:
    """What is measured."""

    day: Day
    kept: Kept
    server: Server
    worker: Server | None
    phones: FcmDouble

    @property
    def database_url(self) -> str:
        """Where it keeps everything."""
        return self.kept.url

    @property
    def address(self) -> tuple[str, int]:
        """(host, port) of the API."""
        return "127.0.0.1", self.server.port or 0

    @property
    def url(self) -> str:
        """Where the API is."""
        return self.server.url


@contextmanager
def running_day(
    folder: Path,
    *,
    drivers: int,
    stops: int,
    dispatchers: int,
    engine: Engine,
    routes: int = 1,
) -> Iterator[Site]:
    """A platform with a day under way on it; with more than one route a driver, none of them has begun."""
    folder.mkdir(parents=True)
    with ExitStack() as stack:
        kept = database_of(engine, folder, stack)
        url = kept.url

        def plan() -> Day:
            return asyncio.run(_plan(url, drivers=drivers, stops=stops, dispatchers=dispatchers, routes=routes))

        is_shared = not url.startswith("sqlite")
        day = None if is_shared else plan()
        phones = stack.enter_context(FcmDouble())
        phones.write_service_account(folder / "fcm.json")
        environment = cloud.environment(url, folder, phones)
        server = Server("api", ["serve"], folder, environment, port=free_port())
        stack.callback(server.kill)
        server.start()
        worker = None
        if is_shared:
            worker = Server("worker", ["worker"], folder, environment)
            stack.callback(worker.kill)
            worker.start()
        if day is None:  # while it is planned the worker hears of what is planned already
            day = plan()
        asyncio.run(all_heard(url))
        yield Site(day, kept, server, worker, phones)


async def all_heard(url: str) -> None:
    """Wait until the platform has done with what led up to this day: it is no part of what is measured.

    Raises:
        BenchProblem: when it does not come any further.
    """
    database = Database(url)
    planned = select(func.count()).select_from(OutboxDelivery).where(OutboxDelivery.state == "pending")
    fresh = select(func.count()).select_from(OutboxEvent).where(OutboxEvent.dispatched_at.is_(None))
    left, since_s = None, monotonic()
    try:
        while left != (0, 0):
            async with database.unit_of_work(SystemScope("benchmark"), read_only=True) as db:
                now_left = (await db.scalar(fresh) or 0, await db.scalar(planned) or 0)
            if now_left != left:
                left, since_s = now_left, monotonic()
            elif monotonic() - since_s > _FURTHER_WITHIN_S:
                raise BenchProblem(
                    f"the platform does not hear of what happened: {left} events and deliveries are left"
                )
            await asyncio.sleep(0.5)
    finally:
        await database.close()


async def _plan(url: str, *, drivers: int, stops: int, dispatchers: int, routes: int) -> Day:
    database = Database(url)
    try:
        return await plan_day(
            database, drivers=drivers, stops=stops, dispatchers=dispatchers, routes=routes, begins=routes == 1
        )
    finally:
        await database.close()


async def plan_day(
    database: Database, *, drivers: int, stops: int, dispatchers: int, routes: int = 1, begins: bool = True
) -> Day:
    """Take, promise and pack the orders of a new organisation, and put them on routes; when they begin, load the vans.

    Args:
        routes: of each driver.
    """
    day = await _found(database, dispatchers)
    drives: list[Drive] = []
    while len(drives) < drivers * routes:
        count = min(_AT_ONCE, drivers - len(drives) // routes)
        people = await hire(database, day.organization, count, role="delivery_personnel")
        async with database.unit_of_work(day.organization) as db:
            drives += [await _load(db, day, person, stops, begins=begins) for person in people * routes]
    return replace(day, drives=drives)


async def _found(database: Database, dispatchers: int) -> Day:
    scope = await cloud.found_organization(database)
    async with database.unit_of_work(scope) as db:
        latitude, longitude = DEPOT
        new = WarehouseCreate(code="BENCH", name="Bench", latitude=latitude, longitude=longitude)
        warehouse_id = (await places.create_warehouse(db, new=new)).id
        room = LocationCreate(
            warehouse_id=warehouse_id, code="ROOM", name="Room", location_type="room", storage_type="cold_storage"
        )
        room_id = (await places.create_location(db, new=room)).id
        made = [
            await catalog.create_product(
                db, new=ProductCreate(sku=f"BENCH-{number}", name=f"Crate {number}", unit="kg")
            )
            for number in range(20)
        ]
        product_ids = [product.id for product in made]
        for number, product_id in enumerate(product_ids):
            await stock.receive_goods(
                db,
                product_id=product_id,
                location_id=room_id,
                lot_number=f"LOT-{number}",
                quantity=Decimal(1_000_000),
                expires_on=datetime.now(UTC).date() + timedelta(days=60),
            )
        doors = [await _customer(db, number) for number in range(200)]
    seats = await hire(database, scope, dispatchers, role="logistics_manager")
    return Day(scope, warehouse_id, room_id, product_ids, doors, datetime.now(UTC).date(), seats, [])


async def _customer(db: AsyncSession, number: int) -> uuid.UUID:
    door = AddressCreate(
        address=f"{number} Market Road",
        latitude=DEPOT[0] + (number % 20 - 10) / 200,
        longitude=DEPOT[1] + (number // 20 - 5) / 200,
    )
    return (await customers.create_customer(db, new=CustomerCreate(name=f"Shop {number}", addresses=[door]))).id


async def hire(database: Database, scope: OrganizationScope, count: int, *, role: str) -> list[Person]:
    """People of a role, each signed in."""
    keyring = Keyring(DEVELOPMENT_SECRET)
    hired = []
    async with database.unit_of_work(SystemScope("benchmark")) as db:
        for _ in range(count):
            name = f"bench-{next(_numbers)}-{uuid.uuid4().hex[:8]}"
            user: User = await people.add_user(
                db,
                organization_id=scope.organization_id,
                username=name,
                email=f"{name}@bench.example",
                full_name="Bench",
                password_hash="nobody signs in",  # noqa: S106 - no hash: nobody can
                roles=[role],
            )
            begun = await sessions.begin_session(db, user, sessions.Device("127.0.0.1", "bench", name))
            hired.append(Person(user.id, f"Bearer {await tokens.issue(begun.claims, keyring, db)}"))
    return hired


async def _load(db: AsyncSession, day: Day, driver: Person, stops: int, *, begins: bool) -> Drive:
    """A van of the driver's own, with an order a stop for it; under way when it begins."""
    number = next(_numbers)
    van = VehicleCreate(number=f"BENCH-{number}", capacity_g=2_000_000, driver_id=driver.id)
    vehicle_id = (await fleet.create_vehicle(db, new=van)).id
    order_ids = []
    for stop in range(stops):
        product_id = day.product_ids[(number + stop) % len(day.product_ids)]
        wanted = OrderCreate(
            customer_id=day.customer_ids[(number * stops + stop) % len(day.customer_ids)],
            warehouse_id=day.warehouse_id,
            delivery_date=day.on,
            window_from=time(0),
            window_until=time(23, 59),
            lines=[OrderLineCreate(product_id=product_id, quantity=Decimal(2), unit_price=Decimal(40))],
        )
        order = await orders.create_order(db, new=wanted)
        await orders.confirm_order(db, order.id)
        await picking.pack_order(db, order.id, picker=Picker(driver.id, EVERY_ORDER))
        order_ids.append(order.id)
    now = datetime.now(UTC)
    stops_at = [
        deliveries.PlannedStop(order_id, now + timedelta(minutes=10 * place))
        for place, order_id in enumerate(order_ids, 1)
    ]
    new = deliveries.NewRoute(
        vehicle_id=vehicle_id,
        driver_id=driver.id,
        warehouse_id=day.warehouse_id,
        delivery_date=day.on,
        departs_at=now,
        distance_m=20_000,
        duration_s=3_600,
        stops=stops_at,
    )
    route = await deliveries.create_route(db, new=new)
    if begins:
        await deliveries.start_route(db, route.id, driver_id=driver.id)
    delivery_ids = [stop.id for stop in await deliveries.deliveries_of(db, route.id)]
    return Drive(driver, vehicle_id, route.id, delivery_ids, order_ids)
