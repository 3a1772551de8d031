"""Where routes and deliveries are, for those who dispatch and drive them."""

import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel import clock
from cloud_api.kernel.errors import NotFound
from cloud_api.kernel.paging import Page, page
from cloud_api.logistics.deliveries import service as deliveries
from cloud_api.logistics.deliveries.models import Delivery, Route
from cloud_api.logistics.deliveries.queries import EVERY_ROUTE, VisibleRoutes
from cloud_api.logistics.deliveries.states import DeliveryStatus, RouteStatus
from cloud_api.logistics.fleet.models import Vehicle
from cloud_api.logistics.tracking.arrivals import Drive, drives, expected, is_late
from cloud_api.logistics.tracking.eta import Eta
from cloud_api.logistics.tracking.geometry import distance_m
from cloud_api.logistics.tracking.models import (
    DeliveryTrack,
    GeofenceEvent,
    RouteWatch,
    VehicleLastPosition,
    VehiclePosition,
)
from cloud_api.logistics.tracking.schemas import (
    ActiveDeliveriesQuery,
    ActiveDeliveryRead,
    CargoRead,
    EtaRead,
    GeofenceEventRead,
    StopTrackRead,
    TrackRead,
    TrailPoint,
)
from cloud_api.orders.book.models import CustomerOrder
from cloud_api.places import service as places
from cloud_api.places.queries import EVERYWHERE
from cloud_api.telemetry.series import service as series

_ON_THE_ROAD = (DeliveryStatus.OUT_FOR_DELIVERY, DeliveryStatus.ARRIVED)
#: a trail has no more points, and none nearer to the one before
_TRAIL_POINTS, _TRAIL_STEP_M = 300, 25.0
#: looked at, the newest
_TRAIL_ROWS = 8_000
_EVENTS = 200
_MINUTE = timedelta(minutes=1)


async def track(db: AsyncSession, id: uuid.UUID, *, seen: VisibleRoutes = EVERY_ROUTE) -> TrackRead:
    """Where a route is, or the route of a delivery: its van, how far each stop is, what it crossed, how cold it is.

    Raises:
        NotFound: when there is no such route or delivery to be seen.
    """
    route, delivery_id = await _asked_for(db, id, seen)
    last = await last_on(db, route)
    watch = (await db.scalars(select(RouteWatch).where(RouteWatch.route_id == route.id))).one_or_none()
    crossed = select(GeofenceEvent).where(GeofenceEvent.route_id == route.id).order_by(GeofenceEvent.at.desc())
    events = (await db.scalars(crossed.limit(_EVENTS))).all()
    return TrackRead(
        route=await deliveries.detail(db, route),
        delivery_id=delivery_id,
        latitude=last.latitude if last else None,
        longitude=last.longitude if last else None,
        recorded_at=last.recorded_at if last else None,
        speed_kmh=last.speed_kmh if last else None,
        heading_deg=last.heading_deg if last else None,
        silent_since=watch.silent_since if watch and route.status == RouteStatus.IN_PROGRESS else None,
        stops=await stops_of(db, route.id),
        trail=await _trail(db, route.id),
        events=[GeofenceEventRead.model_validate(event) for event in reversed(events)],
        cargo=await _cargo(db, route.vehicle_id),
    )


async def stops_of(db: AsyncSession, route_id: uuid.UUID) -> list[StopTrackRead]:
    """How far the van of a route is from each of its doors; none of a route that is over."""
    these = await drives(db, [route_id])
    etas = await expected(db, these)
    tracks = await tracks_of(db, [stop.delivery_id for drive in these for stop in drive.stops])
    return [
        StopTrackRead(
            delivery_id=stop.delivery_id,
            order_id=stop.order_id,
            sequence=stop.sequence,
            status=stop.status,
            stops_before=stops_before(drive, stop.delivery_id),
            eta=to_the_minute(etas.get(stop.delivery_id)),
            near_since=tracks[stop.delivery_id].near_since if stop.delivery_id in tracks else None,
            arrived_by_fence_at=tracks[stop.delivery_id].arrived_by_fence_at if stop.delivery_id in tracks else None,
            is_late=is_late(stop, etas.get(stop.delivery_id)),
        )
        for drive in these
        for stop in drive.stops
    ]


async def active(db: AsyncSession, *, seen: VisibleRoutes, query: ActiveDeliveriesQuery) -> Page[ActiveDeliveryRead]:
    """Deliveries on the road, newest first, with where their van is and when it comes."""
    statement = select(Delivery).join(Route, Route.id == Delivery.route_id).where(seen.routes(), *_wanted(query))
    rows = await page(db, statement, Delivery.id, query)
    route_ids = {row.route_id for row in rows.items if row.route_id is not None}
    these = {drive.route_id: drive for drive in await drives(db, route_ids)}
    etas = await expected(db, [*these.values()])
    asked = (
        select(Delivery.id, Route.driver_id, CustomerOrder.number)
        .join(Route, Route.id == Delivery.route_id)
        .join(CustomerOrder, CustomerOrder.id == Delivery.order_id)
        .where(Delivery.id.in_([row.id for row in rows.items]))
    )
    known = {id: (driver_id, number) for id, driver_id, number in (await db.execute(asked)).tuples()}
    items = [
        _active(row, these[row.route_id], etas.get(row.id), *known[row.id])
        for row in rows.items
        if row.route_id in these
    ]
    return Page(items, rows.limit, rows.next_cursor)


def _wanted(query: ActiveDeliveriesQuery) -> Iterator[ColumnElement[bool]]:
    yield Delivery.status.in_(_ON_THE_ROAD) if query.status is None else Delivery.status == query.status
    equal = {
        Delivery.route_id: query.route_id,
        Route.driver_id: query.driver_id,
        Route.warehouse_id: query.warehouse_id,
    }
    yield from (column == value for column, value in equal.items() if value is not None)


def _active(
    row: Delivery, drive: Drive, eta: Eta | None, driver_id: uuid.UUID | None, order_number: str
) -> ActiveDeliveryRead:
    last = drive.last if drive.last is not None and drive.last.route_id == drive.route_id else None
    [stop] = [stop for stop in drive.stops if stop.delivery_id == row.id]
    return ActiveDeliveryRead(
        id=row.id,
        number=row.number,
        order_id=row.order_id,
        order_number=order_number,
        route_id=drive.route_id,
        vehicle_id=drive.vehicle_id,
        driver_id=driver_id,
        sequence=stop.sequence,
        status=row.status,
        stops_before=stops_before(drive, row.id),
        eta=to_the_minute(eta),
        planned_arrival_at=stop.planned_at,
        latitude=last.latitude if last else None,
        longitude=last.longitude if last else None,
        recorded_at=last.recorded_at if last else None,
    )


def stops_before(drive: Drive, delivery_id: uuid.UUID) -> int | None:
    """Doors that come before a delivery's; None: the van has been there."""
    before = 0
    for stop in drive.stops:
        if stop.delivery_id == delivery_id:
            return before if stop.is_open else None
        before += stop.is_open
    return None


def to_the_minute(eta: Eta | None) -> EtaRead | None:
    """As it is shown: whole minutes, later rather than earlier, so that it does not change with each second."""
    return None if eta is None else EtaRead(p50_at=_minute_of(eta.p50_at), p90_at=_minute_of(eta.p90_at))


def _minute_of(at: datetime) -> datetime:
    whole = at.astimezone(UTC).replace(second=0, microsecond=0)
    return whole if whole == at else whole + _MINUTE


async def last_positions(
    db: AsyncSession, vehicle_ids: Collection[uuid.UUID]
) -> Mapping[uuid.UUID, VehicleLastPosition]:
    """The newest position of each van that has one."""
    its = select(VehicleLastPosition).where(VehicleLastPosition.vehicle_id.in_(vehicle_ids))
    return {last.vehicle_id: last for last in await db.scalars(its)}


async def last_on(db: AsyncSession, route: Route) -> VehicleLastPosition | VehiclePosition | None:
    """Where the van of a route is, or was last while it drove it."""
    newest = (await last_positions(db, [route.vehicle_id])).get(route.vehicle_id)
    if newest is not None and newest.route_id == route.id:
        return newest
    its = select(VehiclePosition).where(VehiclePosition.route_id == route.id)
    return (await db.scalars(its.order_by(VehiclePosition.recorded_at.desc()).limit(1))).one_or_none()


async def tracks_of(db: AsyncSession, delivery_ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, DeliveryTrack]:
    """What is known of these deliveries, of those of which anything is."""
    its = select(DeliveryTrack).where(DeliveryTrack.delivery_id.in_(delivery_ids))
    return {track.delivery_id: track for track in await db.scalars(its)}


async def _asked_for(db: AsyncSession, id: uuid.UUID, seen: VisibleRoutes) -> tuple[Route, uuid.UUID | None]:
    """The route, and the delivery by which it was asked for."""
    route = (await db.scalars(select(Route).where(Route.id == id, seen.routes()))).one_or_none()
    if route is not None:
        return route, None
    its = select(Route).join(Delivery, Delivery.route_id == Route.id).where(Delivery.id == id, seen.routes())
    route = (await db.scalars(its)).one_or_none()
    if route is None:
        raise NotFound(f"no route, and no delivery on one, with id {id}")
    return route, id


async def _trail(db: AsyncSession, route_id: uuid.UUID) -> list[TrailPoint]:
    rows = await db.execute(
        select(VehiclePosition.recorded_at, VehiclePosition.latitude, VehiclePosition.longitude)
        .where(VehiclePosition.route_id == route_id)
        .order_by(VehiclePosition.recorded_at.desc())
        .limit(_TRAIL_ROWS)
    )
    points = [TrailPoint(recorded_at=at, latitude=lat, longitude=lon) for at, lat, lon in rows.tuples()]
    return thinned(points[::-1])


def thinned(points: Sequence[TrailPoint]) -> list[TrailPoint]:
    """A few hundred points that show the same way: none but the last near the one before; the ends stay."""
    kept: list[TrailPoint] = []
    for point in points:
        before = kept[-1] if kept else None
        if before is None or _apart_m(before, point) >= _TRAIL_STEP_M:
            kept.append(point)
    if points and kept[-1] is not points[-1]:
        kept.append(points[-1])
    step = -(-len(kept) // _TRAIL_POINTS)
    return kept if step <= 1 else [*kept[:-1:step], kept[-1]]


def _apart_m(a: TrailPoint, b: TrailPoint) -> float:
    return distance_m(a.latitude, a.longitude, b.latitude, b.longitude)


async def _cargo(db: AsyncSession, vehicle_id: uuid.UUID) -> list[CargoRead]:
    """What the thermometers in a van say."""
    location_id = await db.scalar(select(Vehicle.location_id).where(Vehicle.id == vehicle_id))
    if location_id is None:
        return []
    inside = await places.within(db, location_id)
    return [
        CargoRead(
            location_id=row.location_id or location_id,
            code=row.code,
            temperature_c=row.value,
            recorded_at=clock.from_ms(row.recorded_at_ms),
            stale=row.stale,
        )
        for row in await series.latest(db, seen=EVERYWHERE, location_ids=inside)
        if row.quantity == "temperature"
    ]
