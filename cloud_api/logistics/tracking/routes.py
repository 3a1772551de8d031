"""`/api/v1/warehouse/deliveries/{active,tracking,eta-error}`, `/geofences`, `/orders/{id}/tracking`, `/tracking`."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import AwareDatetime

from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery, RowsQuery, page
from cloud_api.kernel.permissions import require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.logistics.deliveries.queries import VisibleRoutes
from cloud_api.logistics.deliveries.visibility import DeliveriesToRead, RoutesToRead
from cloud_api.logistics.tracking import following, geofencing, promises, road, service, waiting
from cloud_api.logistics.tracking.customer_page import public_progress
from cloud_api.logistics.tracking.models import Geofence, GeofenceEvent
from cloud_api.logistics.tracking.schemas import (
    ActiveDeliveriesQuery,
    ActiveDeliveryRead,
    ActiveRouteRead,
    ActiveRoutesQuery,
    EtaErrorRead,
    FenceKind,
    GeofenceCreate,
    GeofenceEventRead,
    GeofenceRead,
    GeofenceUpdate,
    OrderTrackRead,
    TrackRead,
)
from cloud_api.orders.book import service as orders
from cloud_api.orders.book.visibility import OrdersToRead
from cloud_api.places.visibility import VisiblePlaces

router = APIRouter(tags=["tracking"], route_class=ApiRoute)

_READS = [require("routes:read")]
_WRITES = [require("routes:write")]


@router.get("/warehouse/routes/active", response_model=list[ActiveRouteRead], dependencies=[require("deliveries:read")])
async def list_active_routes(
    db: Db, seen: DeliveriesToRead, query: Annotated[ActiveRoutesQuery, Depends()]
) -> Page[ActiveRouteRead]:
    """Vans on the road, newest first: where each is, how many doors are ahead, the next of them, and who waits long."""
    return await road.under_way(db, seen=seen, query=query)


@router.get(
    "/warehouse/deliveries/active", response_model=list[ActiveDeliveryRead], dependencies=[require("deliveries:read")]
)
async def list_active_deliveries(
    db: Db, seen: DeliveriesToRead, query: Annotated[ActiveDeliveriesQuery, Depends()]
) -> Page[ActiveDeliveryRead]:
    """Deliveries on the road, newest first: where their van is, how many doors come first, and when it comes."""
    return await following.active(db, seen=seen, query=query)


@router.get(
    "/warehouse/deliveries/eta-error",
    response_model=list[EtaErrorRead],
    dependencies=[require("analytics:logistics", "analytics:warehouse")],
)
async def get_eta_error(
    db: Db, seen: VisiblePlaces, weeks: Annotated[int, Query(ge=1, le=53)] = 8
) -> list[EtaErrorRead]:
    """How true the arrivals that customers were told were, week by week, the present one first."""
    return [*await promises.error_by_week(db, weeks=weeks, seen=VisibleRoutes(seen))]


@router.get("/warehouse/deliveries/tracking/{id}", response_model=TrackRead, dependencies=[require("deliveries:read")])
async def track_route(db: Db, seen: DeliveriesToRead, id: uuid.UUID) -> TrackRead:
    """Where a route is, by its own id or by that of a delivery on it.

    Its van, the doors that come first and when it comes to each, where it drove, what it crossed, how cold it is.
    """
    return await service.track(db, id, seen=seen)


@router.get("/orders/{id}/tracking", response_model=OrderTrackRead, dependencies=[require("orders:read")])
async def track_order(db: Db, seen: OrdersToRead, id: uuid.UUID) -> OrderTrackRead:
    """How far an order is, and when it comes; a customer sees the van only when it is near."""
    order = await orders.get_order(db, id, seen=seen)
    return await waiting.progress_of(db, order, reader="staff" if seen.buyer_id is None else "customer")


@router.get("/tracking/{token}", response_model=OrderTrackRead)
async def follow_order(request: Request, token: str) -> OrderTrackRead:
    """How far an order is, for whoever was sent its address; the page `/t/{token}` shows the same."""
    return (await public_progress(request.app.state.database, token)).progress


@router.get("/geofences", response_model=list[GeofenceRead], dependencies=_READS)
async def list_geofences(
    db: Db, seen: VisiblePlaces, query: Annotated[RowsQuery, Depends()], kind: FenceKind | None = None
) -> Page[GeofenceRead]:
    """Newest first."""
    statement = geofencing.fences(seen)
    if kind is not None:
        statement = statement.where(Geofence.kind == kind)
    rows = await page(db, statement, Geofence.id, query)
    return Page([geofencing.read(row) for row in rows.items], rows.limit, rows.next_cursor)


@router.post("/geofences", response_model=GeofenceRead, status_code=201, dependencies=_WRITES)
async def create_geofence(db: Db, seen: VisiblePlaces, body: GeofenceCreate) -> GeofenceRead:
    """Draw a circle or a polygon. From now on it is written down when a van comes in and when it goes out."""
    return geofencing.read(await geofencing.create(db, new=body, seen=seen))


@router.get("/geofences/events", response_model=list[GeofenceEventRead], dependencies=_READS)
async def list_geofence_events(
    db: Db,
    seen: RoutesToRead,
    query: Annotated[PageQuery, Depends()],
    geofence_id: uuid.UUID | None = None,
    vehicle_id: uuid.UUID | None = None,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
) -> Page[GeofenceEvent]:
    """Who came in and went out, newest first; a driver sees their own routes'."""
    statement = geofencing.crossings(seen, geofence_id=geofence_id, vehicle_id=vehicle_id, since=since, until=until)
    return await page(db, statement, GeofenceEvent.id, query)


@router.put("/geofences/{id}", response_model=GeofenceRead, dependencies=_WRITES)
async def update_geofence(db: Db, seen: VisiblePlaces, id: uuid.UUID, body: GeofenceUpdate) -> GeofenceRead:
    """Change what is sent; who is inside shows with the next position."""
    return geofencing.read(await geofencing.change(db, id, changes=body, seen=seen))


@router.delete("/geofences/{id}", status_code=204, dependencies=_WRITES)
async def delete_geofence(db: Db, seen: VisiblePlaces, id: uuid.UUID) -> None:
    """Take a fence away; what crossed it is still listed."""
    await geofencing.remove(db, id, seen=seen)
