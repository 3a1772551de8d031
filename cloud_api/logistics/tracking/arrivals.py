"""When vans come to their doors: `eta` with what the database knows, for any number of routes at once."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel import clock
from cloud_api.logistics.deliveries.models import Delivery, Route
from cloud_api.logistics.deliveries.states import DeliveryStatus, RouteStatus
from cloud_api.logistics.tracking import eta
from cloud_api.logistics.tracking.eta import Course, Door, Eta, Fix
from cloud_api.logistics.tracking.learning import SERVICE_S, Spread, learned
from cloud_api.logistics.tracking.models import VehicleLastPosition
from cloud_api.orders.book.models import CustomerOrder
from cloud_api.places.models import Warehouse

_UNDER_WAY = (RouteStatus.PLANNED, RouteStatus.IN_PROGRESS)
_OPEN = frozenset({DeliveryStatus.ASSIGNED, DeliveryStatus.OUT_FOR_DELIVERY, DeliveryStatus.ARRIVED})
_OFF = (DeliveryStatus.PENDING, DeliveryStatus.CANCELLED)
#: expected so much after the plan is late
LATE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Stop:
    """One stop of a route, with its door."""

    delivery_id: uuid.UUID
    order_id: uuid.UUID
    route_id: uuid.UUID
    customer_id: uuid.UUID
    sequence: int
    status: str
    planned_at: datetime
    arrived_at: datetime | None
    delivered_at: datetime | None
    latitude: float
    longitude: float
    number: str
    order_number: str
    customer_name: str
    address: str

    @property
    def is_open(self) -> bool:
        """Whether the van still has to go there, or stands there."""
        return self.status in _OPEN


@dataclass(frozen=True, slots=True)
class Drive:
    """A route under way or planned: its van, its stops in order, and where it is."""

    route_id: uuid.UUID
    vehicle_id: uuid.UUID
    status: str
    departs_at: datetime
    started_at: datetime | None
    depot: tuple[float, float] | None
    stops: Sequence[Stop]
    last: VehicleLastPosition | None

    @property
    def heard_at(self) -> datetime | None:
        """When its phone was last heard of: by a position, or by what its driver did."""
        done = [at for stop in self.stops for at in (stop.arrived_at, stop.delivered_at) if at is not None]
        heard = [self.last.heard_at] if self.last is not None else []
        said = [*done, *heard, *([self.started_at] if self.started_at is not None else [])]
        return max(said, default=None)


async def etas(db: AsyncSession, route_id: uuid.UUID) -> Mapping[uuid.UUID, Eta]:
    """When the van comes to each door of a route that it has not been at yet, by delivery; empty when it is over."""
    return await expected(db, await drives(db, [route_id]))


async def drives(db: AsyncSession, route_ids: Collection[uuid.UUID]) -> Sequence[Drive]:
    """Those of these routes that are planned or under way."""
    its = driven().where(Route.id.in_(route_ids), Route.status.in_(_UNDER_WAY)).order_by(Route.id)
    return await drives_of(db, (await db.execute(its)).tuples().all())


def driven() -> Select[tuple[Route, float | None, float | None, VehicleLastPosition]]:
    """Routes, with where each sets off and where its van is: what `drives_of` takes."""
    return (
        select(Route, Warehouse.latitude, Warehouse.longitude, VehicleLastPosition)
        .join(Warehouse, Warehouse.id == Route.warehouse_id)
        .outerjoin(VehicleLastPosition, VehicleLastPosition.vehicle_id == Route.vehicle_id)
    )


async def drives_of(
    db: AsyncSession, found: Sequence[tuple[Route, float | None, float | None, VehicleLastPosition | None]]
) -> Sequence[Drive]:
    """The drives of these routes, in their order."""
    stops = await _stops(db, [route.id for route, *_ in found])
    return [
        Drive(
            route.id,
            route.vehicle_id,
            route.status,
            route.departs_at,
            route.started_at,
            None if latitude is None or longitude is None else (latitude, longitude),
            stops.get(route.id, ()),
            last,
        )
        for route, latitude, longitude, last in found
    ]


async def expected(db: AsyncSession, these: Sequence[Drive]) -> Mapping[uuid.UUID, Eta]:
    """When their vans come, by delivery."""
    if not these:
        return {}
    customers = {stop.customer_id for drive in these for stop in drive.stops}
    service_s, spread = await learned(db, customers)
    now = clock.now()
    return {id: eta for drive in these for id, eta in expect(drive, service_s, spread, now=now).items()}


def expect(
    drive: Drive, service_s: Mapping[uuid.UUID, int], spread: Spread, *, now: datetime
) -> Mapping[uuid.UUID, Eta]:
    """When one van comes, by delivery."""
    doors = [
        Door(
            stop.delivery_id,
            stop.latitude,
            stop.longitude,
            stop.planned_at,
            service_s.get(stop.customer_id, SERVICE_S),
            stop.arrived_at,
            stop.delivered_at,
            is_done=not stop.is_open,
        )
        for stop in drive.stops
    ]
    last = drive.last
    fix = None if last is None else Fix(last.recorded_at, last.latitude, last.longitude)
    return eta.arrivals(Course(drive.departs_at, drive.started_at, drive.depot, doors), fix, now=now, spread=spread)


def is_late(stop: Stop, eta: Eta | None) -> bool:
    """Whether a van comes later than planned, as likely as not."""
    return stop.is_open and eta is not None and eta.p50_at - stop.planned_at >= LATE


async def _stops(db: AsyncSession, route_ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, Sequence[Stop]]:
    rows = await db.execute(
        select(
            Delivery.id,
            Delivery.order_id,
            Delivery.route_id,
            CustomerOrder.customer_id,
            Delivery.sequence,
            Delivery.status,
            Delivery.planned_arrival_at,
            Delivery.arrived_at,
            Delivery.delivered_at,
            CustomerOrder.latitude,
            CustomerOrder.longitude,
            Delivery.number,
            CustomerOrder.number.label("order_number"),
            CustomerOrder.customer_name,
            CustomerOrder.address,
        )
        .join(CustomerOrder, CustomerOrder.id == Delivery.order_id)
        .where(Delivery.route_id.in_(route_ids), Delivery.status.not_in(_OFF))
        .order_by(Delivery.route_id, Delivery.sequence)
    )
    found: dict[uuid.UUID, list[Stop]] = defaultdict(list)
    for row in rows:
        stop = Stop(*row)
        found[stop.route_id].append(stop)
    return found
