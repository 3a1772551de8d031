"""The vans on the road at a glance, in as many queries however many there are."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.configuration import service as configuration
from cloud_api.configuration.definitions import SILENT_AFTER_MINUTES
from cloud_api.identity.people.models import User
from cloud_api.kernel import clock
from cloud_api.kernel.paging import Page, page_with
from cloud_api.logistics.deliveries.models import Route
from cloud_api.logistics.deliveries.queries import VisibleRoutes
from cloud_api.logistics.deliveries.states import DeliveryStatus, RouteStatus
from cloud_api.logistics.fleet.models import Vehicle
from cloud_api.logistics.tracking.arrivals import Drive, Stop, driven, drives_of, expected, is_late
from cloud_api.logistics.tracking.eta import Eta
from cloud_api.logistics.tracking.following import to_the_minute
from cloud_api.logistics.tracking.schemas import ActiveRouteRead, ActiveRoutesQuery, DoorAheadRead

_FAILED = frozenset({DeliveryStatus.FAILED, DeliveryStatus.RETURNED})


async def under_way(db: AsyncSession, *, seen: VisibleRoutes, query: ActiveRoutesQuery) -> Page[ActiveRouteRead]:
    """Routes under way, newest first: where their vans are, how far they have come, and the doors asked for."""
    statement = (
        driven()
        .add_columns(Vehicle.number, User.full_name, User.username, configuration.asked(SILENT_AFTER_MINUTES))
        .join(Vehicle, Vehicle.id == Route.vehicle_id)
        .outerjoin(User, User.id == Route.driver_id)
        .where(seen.routes(), Route.status == RouteStatus.IN_PROGRESS)
    )
    equal = {Route.driver_id: query.driver_id, Route.warehouse_id: query.warehouse_id}
    statement = statement.where(*(column == value for column, value in equal.items() if value is not None))
    found = await page_with(db, statement, Route.id, query)
    these = await drives_of(db, [row[:4] for row in found.items])
    etas = await expected(db, these)
    items = []
    for drive, (route, _, _, _, plate, full_name, username, minutes) in zip(these, found.items, strict=True):
        doors = [_door(stop, etas) for stop in _shown(drive, etas, query.doors)]
        read = _route(route, drive, etas, doors, plate=plate, driver=full_name or username)
        silence = timedelta(minutes=configuration.told(SILENT_AFTER_MINUTES, minutes))
        heard_at = drive.heard_at
        read.silent_since = heard_at if heard_at is not None and clock.now() - heard_at >= silence else None
        items.append(read)
    return Page(items, found.limit, found.next_cursor)


def _shown(drive: Drive, etas: Mapping[uuid.UUID, Eta], wanted: str) -> Sequence[Stop]:
    ahead = [stop for stop in drive.stops if stop.is_open]
    if wanted == "late":
        return [stop for stop in ahead if is_late(stop, etas.get(stop.delivery_id))]
    return ahead if wanted == "all" else ahead[:1]


def _route(
    route: Route,
    drive: Drive,
    etas: Mapping[uuid.UUID, Eta],
    doors: list[DoorAheadRead],
    *,
    plate: str,
    driver: str | None,
) -> ActiveRouteRead:
    last = drive.last if drive.last is not None and drive.last.route_id == route.id else None
    statuses = [stop.status for stop in drive.stops]
    return ActiveRouteRead(
        id=route.id,
        number=route.number,
        warehouse_id=route.warehouse_id,
        vehicle_id=route.vehicle_id,
        vehicle_number=plate,
        driver_id=route.driver_id,
        driver_name=driver,
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


def _door(stop: Stop, etas: Mapping[uuid.UUID, Eta]) -> DoorAheadRead:
    eta = etas.get(stop.delivery_id)
    return DoorAheadRead(
        delivery_id=stop.delivery_id,
        number=stop.number,
        order_id=stop.order_id,
        order_number=stop.order_number,
        customer_name=stop.customer_name,
        address=stop.address,
        latitude=stop.latitude,
        longitude=stop.longitude,
        sequence=stop.sequence,
        status=stop.status,
        planned_arrival_at=stop.planned_at,
        eta=to_the_minute(eta),
        is_late=is_late(stop, eta),
    )
