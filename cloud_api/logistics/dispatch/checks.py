"""What no longer holds of a plan: vans and orders are locked, and looked at as they are now."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel.errors import Detail
from cloud_api.logistics.deliveries.models import Route
from cloud_api.logistics.dispatch import queries
from cloud_api.logistics.dispatch.errors import PlanOutdated
from cloud_api.logistics.fleet.models import Vehicle
from cloud_api.orders.book.models import CustomerOrder


def refusal(outdated: Mapping[str, str], names: Mapping[str, str]) -> PlanOutdated:
    """Each stop that no longer holds, named."""
    details = [
        Detail(f"orders.{order_id}", f"{names.get(order_id, order_id)}: {reason}")
        for order_id, reason in sorted(outdated.items())
    ]
    return PlanOutdated(
        f"{len(details)} stops are no longer as they were planned: plan again, or apply the rest with allow_partial",
        details=details,
    )


def instant(seconds: int) -> datetime:
    """Of the optimizer's seconds."""
    return datetime.fromtimestamp(seconds, UTC)


async def unfit_vans(db: AsyncSession, vehicle_ids: Sequence[uuid.UUID]) -> dict[str, str]:
    """Van -> why it cannot drive a new route. They are locked."""
    its = select(Vehicle).where(Vehicle.id.in_(vehicle_ids)).order_by(Vehicle.id).with_for_update()
    vehicles = (await db.scalars(its.execution_options(populate_existing=True))).all()
    busy = set((await db.scalars(queries.driving_vehicles().where(Route.vehicle_id.in_(vehicle_ids)))).all())
    unfit = {str(vehicle_id): "the vehicle is gone" for vehicle_id in vehicle_ids}
    for vehicle in vehicles:
        del unfit[str(vehicle.id)]
        if vehicle.status != "active":
            unfit[str(vehicle.id)] = f"vehicle {vehicle.number} is {vehicle.status} by now"
        elif vehicle.id in busy:
            unfit[str(vehicle.id)] = f"vehicle {vehicle.number} has another route by now"
    return unfit


async def locked_orders(db: AsyncSession, order_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, CustomerOrder]:
    """Orders as they are now, locked in key order."""
    its = select(CustomerOrder).where(CustomerOrder.id.in_(list(order_ids))).order_by(CustomerOrder.id)
    locked = its.with_for_update().execution_options(populate_existing=True)
    return {order.id: order for order in await db.scalars(locked)}
