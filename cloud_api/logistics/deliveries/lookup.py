"""Finding routes and deliveries, and locking them.

Locks are taken in one sequence: the route, its deliveries by key, then orders, then stock. Who changes two routes locks
both by `lock_routes` before anything else.
"""

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import case, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel import clock
from cloud_api.kernel.errors import NotFound
from cloud_api.logistics.deliveries import naming
from cloud_api.logistics.deliveries.errors import ClockImplausible, RouteNotUnderWay
from cloud_api.logistics.deliveries.models import Delivery, Route
from cloud_api.logistics.deliveries.queries import EVERY_ROUTE, VisibleRoutes
from cloud_api.logistics.deliveries.schemas import RouteDetailRead
from cloud_api.logistics.deliveries.states import DeliveryStatus, RouteStatus

OPEN = (RouteStatus.PLANNED, RouteStatus.IN_PROGRESS)
#: loaded or to be loaded, and nobody stands before the door yet
AHEAD = (DeliveryStatus.ASSIGNED, DeliveryStatus.OUT_FOR_DELIVERY)
#: how far a phone's clock may be off
TOLERANCE = timedelta(minutes=5)
#: what a phone did without signal is taken for this long
LONGEST_OFFLINE = timedelta(days=7)


def plausible(at: datetime | None, *, earliest: datetime | None = None) -> datetime:
    """The instant at which something happened by a phone's own clock; now, when it does not say.

    What is off by less than `TOLERANCE` is moved to what can be.

    Args:
        earliest: it cannot have happened before.

    Raises:
        ClockImplausible: naming how far the clock is off.
    """
    now = clock.now()
    if at is None:
        return now
    ahead_s = round((at - now).total_seconds())
    if at - now > TOLERANCE:
        raise ClockImplausible(f"the phone's clock is {ahead_s} s ahead of ours: set it, and send again", field="at")
    if at < now - LONGEST_OFFLINE:
        raise ClockImplausible(f"the phone says {-ahead_s} s ago: more than a week is not believed", field="at")
    if earliest is not None and at < earliest - TOLERANCE:
        before_s = round((earliest - at).total_seconds())
        raise ClockImplausible(
            f"the phone says {at.isoformat()}, {before_s} s before its route was started: set its clock", field="at"
        )
    return min(at if earliest is None else max(at, earliest), now)


async def get_route(
    db: AsyncSession, route_id: uuid.UUID, *, seen: VisibleRoutes = EVERY_ROUTE, locked: bool = False
) -> Route:
    """One route; locked until the unit of work ends when it is to change.

    Raises:
        NotFound: when there is none to be seen.
    """
    its = select(Route).where(Route.id == route_id, seen.routes())
    if locked:
        its = its.with_for_update().execution_options(populate_existing=True)
    route = (await db.scalars(its)).one_or_none()
    if route is None:
        raise NotFound(f"no route with id {route_id}", field="route_id")
    return route


async def lock_routes(db: AsyncSession, route_ids: Collection[uuid.UUID]) -> Sequence[Route]:
    """Several routes, locked in key order."""
    its = select(Route).where(Route.id.in_(route_ids)).order_by(Route.id).with_for_update()
    return (await db.scalars(its.execution_options(populate_existing=True))).all()


async def deliveries_of(db: AsyncSession, route_id: uuid.UUID, *, locked: bool = False) -> Sequence[Delivery]:
    """A route's stops, in order; locked in key order."""
    its = select(Delivery).where(Delivery.route_id == route_id)
    if locked:
        await db.execute(
            select(Delivery.id).where(Delivery.route_id == route_id).order_by(Delivery.id).with_for_update()
        )
        its = its.execution_options(populate_existing=True)
    return (await db.scalars(its.order_by(Delivery.sequence))).all()


async def next_route(db: AsyncSession, *, seen: VisibleRoutes) -> Route | None:
    """The route under way, or the next one."""
    open_routes = select(Route).where(seen.routes(), Route.status.in_(OPEN))
    under_way_first = case((Route.status == RouteStatus.IN_PROGRESS, 0), else_=1)
    ordered = open_routes.order_by(under_way_first, Route.departs_at, Route.id)
    return (await db.scalars(ordered.limit(1))).one_or_none()


async def open_deliveries(db: AsyncSession, *, seen: VisibleRoutes) -> Sequence[Delivery]:
    """The stops of routes that are planned or under way, in the order in which they are driven."""
    statement = (
        select(Delivery)
        .join(Route, Route.id == Delivery.route_id)
        .where(seen.routes(), Route.status.in_(OPEN))
        .order_by(Route.departs_at, Route.id, Delivery.sequence)
    )
    return (await db.scalars(statement)).all()


async def get_delivery(
    db: AsyncSession, delivery_id: uuid.UUID, *, seen: VisibleRoutes = EVERY_ROUTE, locked: bool = False
) -> Delivery:
    """One delivery; locked until the unit of work ends when it is to change.

    Raises:
        NotFound: when there is none to be seen.
    """
    its = select(Delivery).where(Delivery.id == delivery_id, seen.deliveries())
    if locked:
        its = its.with_for_update().execution_options(populate_existing=True)
    delivery = (await db.scalars(its)).one_or_none()
    if delivery is None:
        raise NotFound(f"no delivery with id {delivery_id}")
    return delivery


async def route_of(db: AsyncSession, delivery: Delivery) -> Route:
    """The route that a delivery is on.

    Raises:
        RouteNotUnderWay: when it is on none.
    """
    if delivery.route_id is None:
        raise RouteNotUnderWay(f"{delivery.number} is on no route: plan it first")
    return await get_route(db, delivery.route_id)


async def locked_stop(
    db: AsyncSession, delivery_id: uuid.UUID, *, seen: VisibleRoutes = EVERY_ROUTE
) -> tuple[Route | None, Delivery]:
    """A delivery and its route, both locked, the route first.

    Raises:
        NotFound: when there is none to be seen, or it was given away meanwhile.
    """
    found = await get_delivery(db, delivery_id, seen=seen)
    route = None if found.route_id is None else await get_route(db, found.route_id, locked=True)
    delivery = await get_delivery(db, delivery_id, seen=seen, locked=True)
    if delivery.route_id != (route.id if route else None):
        raise NotFound(f"no delivery with id {delivery_id}: it was just moved to another route")
    return route, delivery


async def driven_stop(db: AsyncSession, delivery_id: uuid.UUID, *, driver_id: uuid.UUID) -> tuple[Route, Delivery]:
    """A stop of the driver's own, with its route, both locked.

    Raises:
        NotFound: when the driver has no such delivery.
    """
    route, delivery = await locked_stop(db, delivery_id, seen=VisibleRoutes(driver_id=driver_id))
    if route is None:
        raise NotFound(f"no delivery with id {delivery_id}")
    return route, delivery


def under_way(route: Route) -> None:
    """Refuse what is only possible on the road.

    Raises:
        RouteNotUnderWay: when its van has not left, or is back.
    """
    if route.status != RouteStatus.IN_PROGRESS:
        raise RouteNotUnderWay(f"route {route.number} is {route.status}: start it first", field="status")


async def detail(db: AsyncSession, route: Route) -> RouteDetailRead:
    """A route with its stops in order."""
    [read] = await naming.named(db, [route])
    stops = await naming.at_doors(db, await deliveries_of(db, route.id))
    return RouteDetailRead(**read.model_dump(), deliveries=stops)
