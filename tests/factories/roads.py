"""Routes under way, written straight into the database: nothing is planned, packed or loaded for them."""

import itertools
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.customers.models import Customer
from cloud_api.kernel import clock
from cloud_api.logistics.deliveries.models import Delivery, Route
from cloud_api.logistics.deliveries.states import DeliveryStatus, RouteStatus
from cloud_api.logistics.fleet.models import Vehicle
from cloud_api.logistics.tracking.watching import Looked, look_at
from cloud_api.orders.book.models import CustomerOrder
from cloud_api.places import service as places
from cloud_api.places.schemas import LocationCreate, WarehouseCreate
from tests.factories.farms import make_person
from tests.factories.scopes import id_of
from tests.platform_under_test import Platform, Tenant

_numbers = itertools.count(1)
#: where vans set off; latitude and longitude
DEPOT = (12.9300, 77.6100)
#: so far north of the depot and of each other the doors stand: 1,112 m
APART_DEGREES = 0.01


@dataclass(frozen=True)
class Road:
    """A van on its way to some doors, north of the depot one after the other."""

    platform: Platform
    tenant: Tenant
    driver: Tenant
    warehouse_id: str
    vehicle_id: str
    location_id: str
    route_id: str
    started_at: datetime
    customer_ids: Sequence[str]
    order_ids: Sequence[str]
    delivery_ids: Sequence[str]

    def door(self, stop: int) -> tuple[float, float]:
        """Where a stop is, the first being 0."""
        return DEPOT[0] + (stop + 1) * APART_DEGREES, DEPOT[1]

    async def report(self, *reports: dict[str, Any], route_id: str | None = None) -> Any:
        """Positions as the driver's phone sends them."""
        body = {"route_id": route_id or self.route_id, "positions": list(reports)}
        return await self.driver.post("/api/v1/mobile/positions", body)

    async def set_stop(self, stop: int, **values: Any) -> None:
        """Change a delivery as if somebody had done something at its door."""
        async with self.platform.database.unit_of_work(self.tenant.organization) as db:
            delivery = await db.get_one(Delivery, uuid.UUID(self.delivery_ids[stop]))
            for name, value in values.items():
                setattr(delivery, name, value)

    async def set_route(self, **values: Any) -> None:
        """Change the route."""
        async with self.platform.database.unit_of_work(self.tenant.organization) as db:
            route = await db.get_one(Route, uuid.UUID(self.route_id))
            for name, value in values.items():
                setattr(route, name, value)

    async def set_order(self, stop: int, **values: Any) -> None:
        """Change an order."""
        async with self.platform.database.unit_of_work(self.tenant.organization) as db:
            order = await db.get_one(CustomerOrder, uuid.UUID(self.order_ids[stop]))
            for name, value in values.items():
                setattr(order, name, value)


def at(latitude: float, longitude: float = DEPOT[1], *, ago_s: float = 0, **more: Any) -> dict[str, Any]:
    """A position, as a phone reports it."""
    recorded_at = clock.now() - timedelta(seconds=ago_s)
    return {"recorded_at": recorded_at.isoformat(), "latitude": latitude, "longitude": longitude, **more}


async def plant_road(
    platform: Platform,
    *,
    doors: int = 2,
    started_ago_s: float = 60,
    minutes_apart: float = 10,
    tenant: Tenant | None = None,
    driver: Tenant | None = None,
    warehouse_id: str | None = None,
    under_way: bool = True,
) -> Road:
    """A route that left the depot a moment ago, or is about to; ten minutes are planned from door to door."""
    tenant, number = tenant or platform.tenant, next(_numbers)
    driver = driver or await make_person(platform, tenant, "delivery_personnel")
    driver_id = uuid.UUID(await id_of(driver))
    left_at = clock.now() - timedelta(seconds=started_ago_s)
    async with platform.database.unit_of_work(tenant.organization) as db:
        if warehouse_id is None:
            made = WarehouseCreate(code=f"DEPOT-{number}", name="Depot", latitude=DEPOT[0], longitude=DEPOT[1])
            warehouse_id = str((await places.create_warehouse(db, new=made)).id)
        vehicle = await _vehicle(db, f"TRACKED-{number}", driver_id)
        route = Route(
            number=f"TRACKED-{number}",
            vehicle_id=vehicle.id,
            driver_id=driver_id,
            warehouse_id=uuid.UUID(warehouse_id),
            delivery_date=clock.now().date(),
            departs_at=left_at,
            distance_m=2_000 * doors,
            duration_s=600 * doors,
            load_g=0,
            status=RouteStatus.IN_PROGRESS if under_way else RouteStatus.PLANNED,
            started_at=left_at if under_way else None,
        )
        db.add(route)
        orders = await _orders(db, route, doors)
        stops = [
            _stop(order, route, door, left_at + timedelta(minutes=minutes_apart * (door + 1)))
            for door, order in enumerate(orders)
        ]
        db.add_all(stops)
        await db.flush()
    return Road(
        platform,
        tenant,
        driver,
        warehouse_id,
        str(vehicle.id),
        str(vehicle.location_id),
        str(route.id),
        left_at,
        [str(order.customer_id) for order in orders],
        [str(order.id) for order in orders],
        [str(stop.id) for stop in stops],
    )


async def _vehicle(db: AsyncSession, number: str, driver_id: uuid.UUID) -> Vehicle:
    place = LocationCreate(code=number, name="Van", location_type="vehicle", storage_type="cold_storage")
    location = await places.create_location(db, new=place)
    vehicle = Vehicle(
        number=number, location_id=location.id, capacity_g=500_000, driver_id=driver_id, created_at=clock.now()
    )
    db.add(vehicle)
    await db.flush()
    return vehicle


async def _orders(db: AsyncSession, route: Route, doors: int) -> list[CustomerOrder]:
    """One of a customer of its own for each door."""
    numbers = [f"{route.number}-{door}" for door in range(doors)]
    customers = [Customer(number=number, name="Kitchen", created_at=clock.now()) for number in numbers]
    db.add_all(customers)
    await db.flush()
    under_way = route.status == RouteStatus.IN_PROGRESS
    orders = [
        _order(customer.number, customer.id, route.warehouse_id, door, under_way=under_way)
        for door, customer in enumerate(customers)
    ]
    db.add_all(orders)
    await db.flush()
    return orders


def _stop(order: CustomerOrder, route: Route, door: int, planned_at: datetime) -> Delivery:
    under_way = route.status == RouteStatus.IN_PROGRESS
    return Delivery(
        number=order.number,
        order_id=order.id,
        attempt=1,
        route_id=route.id,
        sequence=door + 1,
        planned_arrival_at=planned_at,
        status=DeliveryStatus.OUT_FOR_DELIVERY if under_way else DeliveryStatus.ASSIGNED,
    )


def _order(
    number: str, customer_id: uuid.UUID, warehouse_id: uuid.UUID, door: int, *, under_way: bool
) -> CustomerOrder:
    today: date = clock.now().date()
    return CustomerOrder(
        number=number,
        customer_id=customer_id,
        warehouse_id=warehouse_id,
        customer_name="The kitchen in Mill Road",
        address="4 Mill Road",
        latitude=DEPOT[0] + (door + 1) * APART_DEGREES,
        longitude=DEPOT[1],
        delivery_date=today,
        window_from=time(0),
        window_until=time(23, 59),
        status="out_for_delivery" if under_way else "packed",
        total_minor=0,
        created_at=clock.now() - timedelta(hours=20),
        confirmed_at=clock.now() - timedelta(hours=19),
        packed_at=clock.now() - timedelta(hours=2),
    )


async def look(platform: Platform) -> Looked:
    """What a worker does beside the phones' reports, for the first organisation."""
    return await look_at(platform.database, platform.tenant.organization)
