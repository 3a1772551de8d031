"""A vehicle with work before it is not given up."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.logistics.deliveries.models import Route
from cloud_api.logistics.deliveries.states import RouteStatus
from cloud_api.logistics.fleet.errors import VehicleOnRoute
from cloud_api.logistics.fleet.models import Vehicle


async def refuse_while_on_route(db: AsyncSession, vehicle: Vehicle) -> None:
    """A guard of the fleet's (`fleet.service.RetireGuard`).

    Raises:
        VehicleOnRoute: naming the routes that are not over.
    """
    its = select(Route.number).where(
        Route.vehicle_id == vehicle.id, Route.status.in_((RouteStatus.PLANNED, RouteStatus.IN_PROGRESS))
    )
    numbers = (await db.scalars(its.order_by(Route.number))).all()
    if numbers:
        named = ", ".join(numbers[:3])
        raise VehicleOnRoute(f"{vehicle.number} has {named} before it: end or cancel that first", field="id")
