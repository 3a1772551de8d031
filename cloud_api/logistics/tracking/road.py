"""The vans on the road at a glance, in as many queries however many there are."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.configuration import service as configuration
from cloud_api.configuration.definitions import SILENT_AFTER_MINUTES
from cloud_api.kernel import clock
from cloud_api.kernel.paging import Page, page
from cloud_api.logistics.deliveries import naming
from cloud_api.logistics.deliveries.models import Delivery, Route
from cloud_api.logistics.deliveries.queries import VisibleRoutes
from cloud_api.logistics.deliveries.schemas import DeliveryAtDoorRead, RouteNamedRead
from cloud_api.logistics.deliveries.states import DeliveryStatus, RouteStatus
from cloud_api.logistics.tracking.arrivals import Drive, Stop, drives, expected, is_late
from cloud_api.logistics.tracking.eta import Eta
from cloud_api.logistics.tracking.following import to_the_minute
from cloud_api.logistics.tracking.schemas import ActiveRouteRead, ActiveRoutesQuery, DoorAheadRead

_FAILED = frozenset({DeliveryStatus.FAILED, DeliveryStatus.RETURNED})


async def under_way(db: AsyncSession, *, seen: VisibleRoutes, query: ActiveRoutesQuery) -> Page[ActiveRouteRead]:
    """Routes under way, newest first: where their vans are, how far they have come, and the doors asked for."""
    statement = select(Route).where(seen.routes(), Route.status == RouteStatus.IN_PROGRESS)
    equal = {Route.driver_id: query.driver_id, Route.warehouse_id: query.warehouse_id}
    statement = statement.where(*(column == value for column, value in equal.items() if value is not None))
    found = await page(db, statement, Route.id, query)
    these = {drive.route_id: drive for drive in await drives(db, [route.id for route in found.items])}
    etas = await expected(db, [*these.values()])
    shown = {route_id: _shown(drive, etas, query.doors) for route_id, drive in these.items()}
    doors = await _at_doors(db, [stop.delivery_id for stops in shown.values() for stop in stops])
    silence = timedelta(minutes=await configuration.value(db, SILENT_AFTER_MINUTES))
    items = [
        _route(route, these[route.id], etas, [_door(doors[stop.delivery_id], stop, etas) for stop in shown[route.id]])
        for route in await naming.named(db, found.items)
    ]
    for item in items:
        heard_at = these[item.id].heard_at
        item.silent_since = heard_at if heard_at is not None and clock.now() - heard_at >= silence else None
    return Page(items, found.limit, found.next_cursor)


def _shown(drive: Drive, etas: Mapping[uuid.UUID, Eta], wanted: str) -> Sequence[Stop]:
    ahead = [stop for stop in drive.stops if stop.is_open]
    if wanted == "late":
        return [stop for stop in ahead if is_late(stop, etas.get(stop.delivery_id))]
    return ahead if wanted == "all" else ahead[:1]


async def _at_doors(db: AsyncSession, ids: Sequence[uuid.UUID]) -> Mapping[uuid.UUID, DeliveryAtDoorRead]:
    rows = (await db.scalars(select(Delivery).where(Delivery.id.in_(ids)))).all()
    return {read.id: read for read in await naming.at_doors(db, rows)}


def _route(
    route: RouteNamedRead, drive: Drive, etas: Mapping[uuid.UUID, Eta], doors: list[DoorAheadRead]
) -> ActiveRouteRead:
    last = drive.last if drive.last is not None and drive.last.route_id == route.id else None
    statuses = [stop.status for stop in drive.stops]
    return ActiveRouteRead(
        id=route.id,
        number=route.number,
        warehouse_id=route.warehouse_id,
        vehicle_id=route.vehicle_id,
        vehicle_number=route.vehicle_number,
        driver_id=route.driver_id,
        driver_name=route.driver_name,
        started_at=route.started_at,
        latitude=last.latitude if last else None,
        longitude=last.longitude if last else None,
        recorded_at=last.recorded_at if last else None,
        silent_since=None,
        stops=len(statuses),
        delivered=statuses.count(DeliveryStatus.DELIVERED),
        failed=sum(status in _FAILED for status in statuses),
        ahead=sum(stop.is_open for stop in drive.stops),
        late=sum(is_late(stop, etas.get(stop.delivery_id)) for stop in drive.stops),
        doors=doors,
    )


def _door(read: DeliveryAtDoorRead, stop: Stop, etas: Mapping[uuid.UUID, Eta]) -> DoorAheadRead:
    eta = etas.get(stop.delivery_id)
    return DoorAheadRead(
        delivery_id=read.id,
        number=read.number,
        order_id=read.order_id,
        order_number=read.order_number,
        customer_name=read.customer_name,
        address=read.address,
        latitude=read.door_latitude,
        longitude=read.door_longitude,
        sequence=stop.sequence,
        status=stop.status,
        planned_arrival_at=stop.planned_at,
        eta=to_the_minute(eta),
        is_late=is_late(stop, eta),
    )
