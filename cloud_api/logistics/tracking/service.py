"""Where vans are."""

import uuid

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel import outbox
from cloud_api.kernel.db import insert_missing
from cloud_api.logistics.deliveries import service as deliveries
from cloud_api.logistics.deliveries.queries import EVERY_ROUTE, VisibleRoutes
from cloud_api.logistics.events import RouteMoved
from cloud_api.logistics.tracking.models import VehiclePosition
from cloud_api.logistics.tracking.schemas import PositionReport, TrackRead


async def report_position(
    db: AsyncSession, delivery_id: uuid.UUID, *, driver_id: uuid.UUID, report: PositionReport
) -> None:
    """Keep where the van is, on its way to a delivery.

    Raises:
        NotFound: when the driver has no such delivery.
    """
    delivery = await deliveries.get_delivery(db, delivery_id, seen=VisibleRoutes(driver_id=driver_id))
    route = await deliveries.get_route(db, delivery.route_id)
    await insert_missing(
        db, VehiclePosition, {"vehicle_id": route.vehicle_id, "route_id": route.id, **report.model_dump()}
    )
    outbox.emit(db, RouteMoved(route.id))


async def track(db: AsyncSession, route_id: uuid.UUID, *, seen: VisibleRoutes = EVERY_ROUTE) -> TrackRead:
    """Where a route's van was last, and how far its stops are.

    Raises:
        NotFound: when there is no such route to be seen.
    """
    route = await deliveries.get_route(db, route_id, seen=seen)
    at = (
        await db.scalars(
            select(VehiclePosition)
            .where(VehiclePosition.route_id == route_id)
            .order_by(VehiclePosition.recorded_at.desc())
            .limit(1)
        )
    ).one_or_none()
    return TrackRead(
        route=await deliveries.detail(db, route),
        latitude=at.latitude if at else None,
        longitude=at.longitude if at else None,
        recorded_at=at.recorded_at if at else None,
    )
