"""`/api/v1/warehouse/deliveries/tracking/{id}`."""

import uuid

from fastapi import APIRouter

from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.permissions import require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.logistics.deliveries.visibility import DeliveriesToRead
from cloud_api.logistics.tracking import service
from cloud_api.logistics.tracking.schemas import TrackRead

router = APIRouter(tags=["tracking"], route_class=ApiRoute)


@router.get("/warehouse/deliveries/tracking/{id}", response_model=TrackRead, dependencies=[require("deliveries:read")])
async def track_route(db: Db, seen: DeliveriesToRead, id: uuid.UUID) -> TrackRead:
    """Where a route is, and how far; the same that `/ws/tracking/{route_id}` sends."""
    return await service.track(db, id, seen=seen)
