"""A lot that was split, sold and driven to a thousand doors, for the tracing part of `coldfleet bench stock`."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.customers.models import Customer
from cloud_api.inventory.ledger.models import Lot, StockLevel, StockMovement, StockReservation
from cloud_api.inventory.lots.models import LotLineage
from cloud_api.kernel.db import Database
from cloud_api.logistics.deliveries.models import Delivery, Route
from cloud_api.logistics.fleet.models import Vehicle
from cloud_api.orders.book.models import CustomerOrder, OrderLine
from cloud_api.places.models import Location
from coldfleet.bench.stock_site import Site

ORDERS, CUSTOMERS, PARTS, STOPS_A_ROUTE = 1_000, 200, 10, 25
_AT = datetime(2026, 6, 1, 6, tzinfo=UTC)
_DAY = date(2026, 6, 1)
_PHOTO = "0" * 64


@dataclass(frozen=True)
class _Shop:
    customers: Sequence[Customer]
    routes: Sequence[Route]


async def sell(site: Site) -> uuid.UUID:
    """Split a lot of the site and sell its parts to a thousand doors: the lot's id."""
    lot_id = site.lot_ids[len(site.lot_ids) // 2]
    database = Database(site.engine.url)
    try:
        async with database.unit_of_work(site.organization) as db:
            levels = await _split(db, lot_id)
            shop = await _open(db, site)
        for begin in range(0, ORDERS, 100):
            async with database.unit_of_work(site.organization) as db:
                for number in range(begin, begin + 100):
                    await _deliver(db, site, shop, levels[number % PARTS], number)
    finally:
        await database.close()
    return lot_id


async def _split(db: AsyncSession, lot_id: uuid.UUID) -> list[StockLevel]:
    whole = await db.get_one(Lot, lot_id)
    level = (await db.scalars(select(StockLevel).where(StockLevel.lot_id == lot_id))).one()
    parts = [
        Lot(
            product_id=whole.product_id,
            lot_number=f"{whole.lot_number}-{number}",
            expires_on=whole.expires_on,
            supplier=whole.supplier,
            received_at=whole.received_at,
        )
        for number in range(PARTS)
    ]
    db.add_all(parts)
    await db.flush()
    levels = [
        StockLevel(product_id=part.product_id, lot_id=part.id, location_id=level.location_id, on_hand=Decimal(5))
        for part in parts
    ]
    steps = [
        LotLineage(
            parent_lot_id=whole.id,
            child_lot_id=part.id,
            kind="split",
            quantity=Decimal(ORDERS),
            group_id=uuid.uuid4(),
            made_at=_AT,
        )
        for part in parts
    ]
    db.add_all([*levels, *steps])
    await db.flush()
    return levels


async def _open(db: AsyncSession, site: Site) -> _Shop:
    customers = [
        Customer(number=f"CUS-B{number}", name=f"Customer {number}", phone="+910000000000", created_at=_AT)
        for number in range(CUSTOMERS)
    ]
    place = Location(code="BENCH-VAN", name="Van", location_type="vehicle", storage_type="cold_storage", created_at=_AT)
    db.add_all([*customers, place])
    await db.flush()
    van = Vehicle(number="BENCH-VAN", location_id=place.id, capacity_g=1_000_000, created_at=_AT)
    db.add(van)
    await db.flush()
    routes = [
        Route(
            number=f"RTE-B{number}",
            vehicle_id=van.id,
            warehouse_id=site.warehouse_id,
            delivery_date=_DAY,
            departs_at=_AT,
            distance_m=10_000,
            duration_s=7_200,
            load_g=100_000,
            status="completed",
        )
        for number in range(ORDERS // STOPS_A_ROUTE)
    ]
    db.add_all(routes)
    await db.flush()
    return _Shop(customers, routes)


async def _deliver(db: AsyncSession, site: Site, shop: _Shop, level: StockLevel, number: int) -> None:
    customer, at = shop.customers[number % CUSTOMERS], _AT + timedelta(minutes=number)
    order = CustomerOrder(
        number=f"ORD-B{number}",
        customer_id=customer.id,
        warehouse_id=site.warehouse_id,
        customer_name=customer.name,
        address="Bench",
        latitude=18.5,
        longitude=73.8,
        delivery_date=_DAY,
        window_from=time(9),
        window_until=time(17),
        status="delivered",
        total_minor=1_000,
        created_at=at,
        delivered_at=at,
    )
    db.add(order)
    await db.flush()
    line = OrderLine(order_id=order.id, product_id=level.product_id, quantity=Decimal(1), unit_price=1_000_000)
    delivery = Delivery(
        number=f"DEL-B{number}",
        order_id=order.id,
        attempt=1,
        route_id=shop.routes[number // STOPS_A_ROUTE].id,
        sequence=number % STOPS_A_ROUTE + 1,
        planned_arrival_at=at,
        status="delivered",
        delivered_at=at,
        photo_sha256=_PHOTO,
    )
    db.add_all([line, delivery])
    await db.flush()
    promise = StockReservation(
        stock_level_id=level.id,
        quantity=Decimal(1),
        source=f"order_line:{line.id}",
        status="consumed",
        reserved_at=at,
        settled_at=at,
    )
    shipped = StockMovement(
        movement_type="outbound",
        product_id=level.product_id,
        lot_id=level.lot_id,
        location_id=level.location_id,
        quantity=Decimal(-1),
        reference=delivery.number,
        source="system",
        effective_at=at,
        recorded_at=at,
    )
    db.add_all([promise, shipped])
