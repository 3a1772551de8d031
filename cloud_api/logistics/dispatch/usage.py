"""How much the vehicles are used."""

import uuid
from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.logistics.deliveries.models import Delivery, Route
from cloud_api.logistics.deliveries.states import DeliveryStatus, RouteStatus
from cloud_api.logistics.dispatch.models import RoutePerformance
from cloud_api.logistics.dispatch.view_schemas import VehicleUseRead
from cloud_api.logistics.fleet import queries as fleet
from cloud_api.logistics.fleet.models import Vehicle
from cloud_api.logistics.fleet.states import VehicleStatus
from cloud_api.places.queries import EVERYWHERE, Visible

#: its van has left
_DRIVEN = (RouteStatus.IN_PROGRESS, RouteStatus.COMPLETED)


async def of_vehicles(
    db: AsyncSession, *, since: date, until: date, warehouse_id: uuid.UUID | None = None, seen: Visible = EVERYWHERE
) -> Sequence[VehicleUseRead]:
    """Every vehicle that is not retired or that drove on these days, by its number plate.

    Args:
        since: first day.
        until: last day.
        warehouse_id: only routes that set off there, and of the other vehicles those that are at home there.
        seen: whose vehicles and routes somebody may see.
    """
    its = [Route.delivery_date.between(since, until), Route.status.in_(_DRIVEN), seen.warehouses(Route.warehouse_id)]
    if warehouse_id is not None:
        its.append(Route.warehouse_id == warehouse_id)
    driven = (
        select(
            Route.vehicle_id,
            func.count(func.distinct(Route.delivery_date)).label("days_driven"),
            func.count().label("routes"),
            func.sum(Route.distance_m).label("distance_m"),
            func.coalesce(func.sum(RoutePerformance.duration_s), 0).label("duration_s"),
            func.sum(Route.load_g).label("load_g"),
        )
        .outerjoin(RoutePerformance, RoutePerformance.route_id == Route.id)
        .where(*its)
        .group_by(Route.vehicle_id)
    )
    did = {row.vehicle_id: row for row in await db.execute(driven)}
    served = (
        select(Route.vehicle_id, func.count())
        .join(Delivery, Delivery.route_id == Route.id)
        .where(*its, Delivery.status != DeliveryStatus.CANCELLED)
        .group_by(Route.vehicle_id)
    )
    stops = dict((await db.execute(served)).tuples().all())
    kept = Vehicle.status != VehicleStatus.INACTIVE
    if warehouse_id is not None:
        kept &= Vehicle.home_warehouse_id == warehouse_id
    wanted = fleet.visible(seen).where(kept | Vehicle.id.in_(did)).order_by(Vehicle.number)
    days = (until - since).days + 1
    rows = (await db.scalars(wanted)).all()
    return [_use(vehicle, did.get(vehicle.id), stops.get(vehicle.id, 0), days) for vehicle in rows]


def _use(vehicle: Vehicle, did: Row[Any] | None, stops: int, days: int) -> VehicleUseRead:
    return VehicleUseRead(
        vehicle_id=vehicle.id,
        number=vehicle.number,
        status=vehicle.status,
        days_driven=did.days_driven if did else 0,
        days=days,
        routes=did.routes if did else 0,
        stops=stops,
        distance_m=int(did.distance_m) if did else 0,
        duration_s=int(did.duration_s) if did else 0,
        load_share=round(int(did.load_g) / (vehicle.capacity_g * did.routes), 4) if did else None,
    )
