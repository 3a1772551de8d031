"""The verbs of fences: drawn, changed, taken away, and what crossed them."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.customers import service as customers
from cloud_api.kernel import clock, versions
from cloud_api.kernel.errors import NotFound
from cloud_api.kernel.registers import flush_unique
from cloud_api.logistics.deliveries.models import Route
from cloud_api.logistics.deliveries.queries import VisibleRoutes
from cloud_api.logistics.tracking.errors import FenceRefused
from cloud_api.logistics.tracking.geometry import Circle, Polygon, Shape
from cloud_api.logistics.tracking.models import Geofence, GeofenceEvent, GeofencePresence
from cloud_api.logistics.tracking.schemas import CircleRead, CircleShape, GeofenceCreate, GeofenceRead, GeofenceUpdate
from cloud_api.places import service as places
from cloud_api.places.queries import EVERYWHERE, Visible

#: a smaller polygon no phone is ever surely inside
_SMALLEST_M2 = 1_000
_HALF_A_TURN = 180.0


def fences(seen: Visible) -> Select[tuple[Geofence]]:
    """Those that are there to be seen."""
    return select(Geofence).where(Geofence.removed_at.is_(None), seen.warehouses(Geofence.warehouse_id))


def crossings(
    seen: VisibleRoutes,
    *,
    geofence_id: uuid.UUID | None,
    vehicle_id: uuid.UUID | None,
    since: datetime | None,
    until: datetime | None,
) -> Select[tuple[GeofenceEvent]]:
    """Who came in and went out; a driver sees what they did on routes of their own."""
    its = select(GeofenceEvent)
    if seen.driver_id is not None:
        its = its.where(GeofenceEvent.route_id.in_(select(Route.id).where(seen.routes())))
    else:
        shown = select(Geofence.id).where(seen.places.warehouses(Geofence.warehouse_id))
        its = its.where(GeofenceEvent.geofence_id.in_(shown))
    if geofence_id is not None:
        its = its.where(GeofenceEvent.geofence_id == geofence_id)
    if vehicle_id is not None:
        its = its.where(GeofenceEvent.vehicle_id == vehicle_id)
    if since is not None:
        its = its.where(GeofenceEvent.at >= since)
    return its if until is None else its.where(GeofenceEvent.at < until)


async def create(db: AsyncSession, *, new: GeofenceCreate, seen: Visible = EVERYWHERE) -> Geofence:
    """Draw a fence.

    Raises:
        FenceRefused: when it is no circle and no polygon, or one that cannot be drawn.
        NotFound: when its warehouse or its customer is not there.
        AlreadyExists: when another has its name.
    """
    fence = Geofence(name=new.name, kind=new.kind, created_at=clock.now())
    if new.circle is None and new.polygon is None:
        raise FenceRefused("send `circle` or `polygon`: where is the fence?", field="circle")
    _draw(fence, new.circle, new.polygon)
    await _belong(db, fence, new.warehouse_id, new.customer_id, seen)
    db.add(fence)
    await flush_unique(db, f"another fence is called {new.name!r}: choose another name", field="name")
    return fence


async def get(db: AsyncSession, fence_id: uuid.UUID, *, seen: Visible = EVERYWHERE) -> Geofence:
    """One fence.

    Raises:
        NotFound: when there is none to be seen.
    """
    found = (await db.scalars(fences(seen).where(Geofence.id == fence_id))).one_or_none()
    if found is None:
        raise NotFound(f"no geofence with id {fence_id}")
    return found


async def change(
    db: AsyncSession, fence_id: uuid.UUID, *, changes: GeofenceUpdate, seen: Visible = EVERYWHERE
) -> Geofence:
    """Change what is sent; who is inside is seen by the next position.

    Raises:
        NotFound: when there is no such fence, or its warehouse or its customer is not there.
        StaleVersion: when `changes` was made of another version than there is now.
        FenceRefused: when it cannot be drawn.
        AlreadyExists: when another has its name.
    """
    fence = await get(db, fence_id, seen=seen)
    await versions.count(db, fence, seen=changes.version, what=f"geofence {fence.name!r}")
    sent = changes.model_fields_set
    fence.name, fence.kind = changes.name or fence.name, changes.kind or fence.kind
    if changes.circle is not None or changes.polygon is not None:
        _draw(fence, changes.circle, changes.polygon)
    await _belong(
        db,
        fence,
        changes.warehouse_id if "warehouse_id" in sent else fence.warehouse_id,
        changes.customer_id if "customer_id" in sent else fence.customer_id,
        seen,
    )
    await flush_unique(db, f"another fence is called {fence.name!r}: choose another name", field="name")
    return fence


async def remove(db: AsyncSession, fence_id: uuid.UUID, *, seen: Visible = EVERYWHERE) -> None:
    """Take a fence away; what crossed it before still names it. Nobody leaves it by that.

    Raises:
        NotFound: when there is none to be seen.
    """
    fence = await get(db, fence_id, seen=seen)
    fence.removed_at = clock.now()
    await db.execute(delete(GeofencePresence).where(GeofencePresence.geofence_id == fence.id))


def read(fence: Geofence) -> GeofenceRead:
    """As it travels over HTTP."""
    circle = None
    if fence.latitude is not None and fence.longitude is not None and fence.radius_m is not None:
        circle = CircleRead(latitude=fence.latitude, longitude=fence.longitude, radius_m=fence.radius_m)
    return GeofenceRead(
        id=fence.id,
        name=fence.name,
        kind=fence.kind,
        circle=circle,
        polygon=None if circle else [(latitude, longitude) for latitude, longitude in fence.corners],
        warehouse_id=fence.warehouse_id,
        customer_id=fence.customer_id,
        version=fence.version,
        created_at=fence.created_at,
    )


def shape_of(fence: Geofence) -> Shape:
    """To be asked who is inside."""
    if fence.latitude is not None and fence.longitude is not None and fence.radius_m is not None:
        return Circle(fence.latitude, fence.longitude, fence.radius_m)
    return Polygon([(latitude, longitude) for latitude, longitude in fence.corners])


def _draw(fence: Geofence, circle: CircleShape | None, corners: Sequence[tuple[float, float]] | None) -> None:
    if circle is not None and corners is not None:
        raise FenceRefused("send `circle` or `polygon`, not both", field="polygon")
    shape: Shape
    if circle is not None:
        shape = Circle(circle.latitude, circle.longitude, circle.radius_m)
        fence.shape, fence.corners = "circle", []
        fence.latitude, fence.longitude, fence.radius_m = circle.latitude, circle.longitude, circle.radius_m
    else:
        shape = _polygon(corners or ())
        fence.shape, fence.corners = "polygon", [[latitude, longitude] for latitude, longitude in shape.corners]
        fence.latitude = fence.longitude = fence.radius_m = None
    box = shape.box
    if box.west < -_HALF_A_TURN or box.east > _HALF_A_TURN:
        raise FenceRefused("a fence must not cross the 180th meridian: draw two", field=fence.shape)
    fence.south, fence.west, fence.north, fence.east = box.south, box.west, box.north, box.east


def _polygon(sent: Sequence[tuple[float, float]]) -> Polygon:
    """Without a last corner that repeats the first."""
    corners = [*sent[:-1]] if len(sent) > 1 and sent[0] == sent[-1] else [*sent]
    polygon = Polygon(corners)
    if len(set(corners)) != len(corners) or len(corners) < 3:
        raise FenceRefused("a polygon has three or more corners, each of them once", field="polygon")
    longitudes = [longitude for _, longitude in corners]
    if max(longitudes) - min(longitudes) > _HALF_A_TURN:
        raise FenceRefused("a fence must not cross the 180th meridian: draw two", field="polygon")
    if polygon.crosses_itself():
        raise FenceRefused("the polygon's edges cross: send its corners in the order of its line", field="polygon")
    if polygon.area_m2() < _SMALLEST_M2:
        raise FenceRefused(f"the polygon is smaller than {_SMALLEST_M2} m²: no phone is that exact", field="polygon")
    return polygon


async def _belong(
    db: AsyncSession,
    fence: Geofence,
    warehouse_id: uuid.UUID | None,
    customer_id: uuid.UUID | None,
    seen: Visible,
) -> None:
    if warehouse_id is not None and warehouse_id != fence.warehouse_id:
        await places.get_warehouse(db, warehouse_id, seen=seen)
    if customer_id is not None and customer_id != fence.customer_id:
        await customers.get_customer(db, customer_id)
    fence.warehouse_id, fence.customer_id = warehouse_id, customer_id
