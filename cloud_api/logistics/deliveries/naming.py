"""What people call what routes and deliveries only have ids of: vans, drivers, customers and their doors.

Who may see a route may know these of it: a driver has no other way to them.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity.people.service import names_of
from cloud_api.logistics.deliveries.models import Delivery, Route
from cloud_api.logistics.deliveries.schemas import DeliveryAtDoorRead, DeliveryRead, RouteNamedRead, RouteRead
from cloud_api.logistics.fleet.models import Vehicle
from cloud_api.orders.book.models import CustomerOrder


async def vehicles(db: AsyncSession, vehicle_ids: Iterable[uuid.UUID]) -> Mapping[uuid.UUID, str]:
    """The number plates of these."""
    rows = await db.execute(select(Vehicle.id, Vehicle.number).where(Vehicle.id.in_(set(vehicle_ids))))
    return dict(rows.tuples().all())


async def named(db: AsyncSession, routes: Sequence[Route]) -> list[RouteNamedRead]:
    """Routes with their vans and drivers."""
    plates = await vehicles(db, (route.vehicle_id for route in routes))
    drivers = await names_of(db, (route.driver_id for route in routes))
    return [
        RouteNamedRead(
            **RouteRead.model_validate(route).model_dump(),
            vehicle_number=plates[route.vehicle_id],
            driver_name=None if route.driver_id is None else drivers[route.driver_id],
        )
        for route in routes
    ]


async def at_doors(db: AsyncSession, deliveries: Sequence[Delivery]) -> list[DeliveryAtDoorRead]:
    """Deliveries with whose door each goes to."""
    its = select(CustomerOrder).where(CustomerOrder.id.in_({delivery.order_id for delivery in deliveries}))
    orders = {order.id: order for order in await db.scalars(its)}
    return [_at_door(delivery, orders[delivery.order_id]) for delivery in deliveries]


async def at_door(db: AsyncSession, delivery: Delivery) -> DeliveryAtDoorRead:
    """The same of one."""
    [read] = await at_doors(db, [delivery])
    return read


def _at_door(delivery: Delivery, order: CustomerOrder) -> DeliveryAtDoorRead:
    return DeliveryAtDoorRead(
        **DeliveryRead.model_validate(delivery).model_dump(),
        order_number=order.number,
        customer_name=order.customer_name,
        address=order.address,
        door_latitude=order.latitude,
        door_longitude=order.longitude,
        window_from=order.window_from,
        window_until=order.window_until,
        packed_weight_g=order.packed_weight_g,
    )
