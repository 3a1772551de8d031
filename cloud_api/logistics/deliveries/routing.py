"""Attempts and routes before a van leaves: opened, assigned, taken off, put in order, handed over, given up."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity.people import service as people
from cloud_api.inventory.reservations import service as reservations
from cloud_api.kernel import outbox
from cloud_api.kernel.numbers import next_number
from cloud_api.logistics.deliveries import lookup, stops
from cloud_api.logistics.deliveries.errors import (
    AlreadyOnARoute,
    BadRoute,
    OrderNotPacked,
    RouteHasLeft,
    UnloadingPlaceMissing,
    VehicleNotReady,
)
from cloud_api.logistics.deliveries.models import Delivery, Route
from cloud_api.logistics.deliveries.states import (
    DELIVERY,
    ROUTE,
    DeliveryAction,
    DeliveryStatus,
    RouteAction,
    RouteStatus,
)
from cloud_api.logistics.events import RouteMoved, RoutePublished
from cloud_api.logistics.fleet import service as fleet
from cloud_api.orders.book import service as orders
from cloud_api.orders.book.states import OrderStatus
from cloud_api.places import service as places

#: of one order there is at most one in these
_GOING = (
    DeliveryStatus.PENDING,
    DeliveryStatus.ASSIGNED,
    DeliveryStatus.OUT_FOR_DELIVERY,
    DeliveryStatus.ARRIVED,
    DeliveryStatus.FAILED,
)


@dataclass(frozen=True)
class PlannedStop:
    """A packed order, and when its van is to be there."""

    order_id: uuid.UUID
    arrival_at: datetime


@dataclass(frozen=True, kw_only=True)
class NewRoute:
    """A route as it was planned; its stops in the order in which they are driven."""

    vehicle_id: uuid.UUID
    #: None: nobody yet
    driver_id: uuid.UUID | None
    warehouse_id: uuid.UUID
    delivery_date: date
    departs_at: datetime
    distance_m: int
    duration_s: int
    stops: Sequence[PlannedStop] = field(default_factory=list)
    planning_job_id: uuid.UUID | None = None
    name: str = ""


async def open_attempt(db: AsyncSession, order_id: uuid.UUID) -> Delivery:
    """An attempt to bring a packed order, on no route yet; the one that waits, when there is one.

    Raises:
        NotFound: when there is no such order.
        OrderNotPacked: when it is not packed.
        AlreadyOnARoute: when a route has it.
    """
    order = await orders.lock_order(db, order_id)
    attempts = (await db.scalars(select(Delivery).where(Delivery.order_id == order_id))).all()
    going = next((attempt for attempt in attempts if attempt.status in _GOING), None)
    if going is not None and going.status == DeliveryStatus.PENDING:
        return going
    if going is not None:
        raise AlreadyOnARoute(f"order {order.number} is on a route already, as {going.number}", field="order_id")
    if order.status != OrderStatus.PACKED:
        raise OrderNotPacked(f"order {order.number} is {order.status}: pack it first", field="order_id")
    delivery = Delivery(
        number=await next_number(db, "DLV"),
        order_id=order_id,
        attempt=max((attempt.attempt for attempt in attempts), default=0) + 1,
        status=DeliveryStatus.PENDING,
    )
    db.add(delivery)
    await db.flush()
    return delivery


async def assign(
    db: AsyncSession,
    delivery: Delivery,
    *,
    route: Route,
    sequence: int | None = None,
    planned_arrival_at: datetime,
) -> Delivery:
    """Put an attempt on a planned route.

    Args:
        sequence: its place, from 1; the stops from there on move up. None: the end.

    Raises:
        InvalidTransition: when it does not wait for a route.
        RouteHasLeft: when the route is not planned: what lies in the store cannot join a van on the road.
    """
    route = await lookup.get_route(db, route.id, locked=True)
    _still_planned(route)
    status = DELIVERY.apply(DeliveryStatus(delivery.status), DeliveryAction.ASSIGN)
    last = await db.scalar(select(func.max(Delivery.sequence)).where(Delivery.route_id == route.id)) or 0
    delivery.status, delivery.route_id, delivery.sequence = status, route.id, last + 1
    delivery.planned_arrival_at = planned_arrival_at
    delivery.version += 1
    await db.flush()
    if sequence is not None and sequence <= last:
        ahead = [stop for stop in await lookup.deliveries_of(db, route.id) if stop.status in lookup.AHEAD]
        before = sum(1 for stop in ahead if stop.id != delivery.id and (stop.sequence or 0) < sequence)
        ahead.remove(delivery)
        ahead.insert(before, delivery)
        others = [stop for stop in await lookup.deliveries_of(db, route.id) if stop not in ahead]
        await stops.renumber(db, ahead, others=others)
    route.load_g += await orders.weight_g(db, delivery.order_id)
    route.version += 1
    outbox.emit(db, RouteMoved(route.id))
    return delivery


async def take_off(db: AsyncSession, delivery: Delivery) -> Delivery:
    """Take a stop off its route before it is loaded: it waits for another.

    Raises:
        InvalidTransition: when it is loaded, or on no route.
        NotFound: when it was moved to another route meanwhile.
    """
    route, delivery = await lookup.locked_stop(db, delivery.id)
    delivery.status = DELIVERY.apply(DeliveryStatus(delivery.status), DeliveryAction.TAKE_OFF)
    delivery.route_id = delivery.sequence = delivery.planned_arrival_at = None
    delivery.version += 1
    if route is not None:
        route.load_g = max(0, route.load_g - await orders.weight_g(db, delivery.order_id))
        route.version += 1
        outbox.emit(db, RouteMoved(route.id))
    await db.flush()
    return delivery


async def resequence(
    db: AsyncSession, route_id: uuid.UUID, arrivals: Sequence[tuple[uuid.UUID, datetime]]
) -> Sequence[Delivery]:
    """Drive the stops that are still ahead in this order, at these times; those not named follow as they were.

    Args:
        arrivals: (delivery, planned arrival), in the order in which they are driven.

    Returns:
        The stops ahead, in their new order.

    Raises:
        NotFound: when there is no such route.
        BadRoute: when one is named twice, is not on the route, or not ahead any more.
    """
    return await stops.reorder(db, await lookup.get_route(db, route_id, locked=True), arrivals)


async def hand_over(
    db: AsyncSession,
    delivery: Delivery,
    *,
    to_route: Route,
    sequence: int | None = None,
    planned_arrival_at: datetime,
    user_id: uuid.UUID | None,
) -> Delivery:
    """Goods go from van to van: the stop is on the other route, its goods lie in the other van, still promised.

    Args:
        sequence: its place among the stops ahead; None: the end.

    Raises:
        RouteNotUnderWay: when one of the vans has not left, or is back.
        BadRoute: when it is not on board, or on that route already.
        StockOnHold: when the van was too warm: somebody must decide first.
    """
    if delivery.route_id is None or delivery.route_id == to_route.id:
        raise BadRoute(f"{delivery.number} is not in another van", field="delivery_id")
    routes = {route.id: route for route in await lookup.lock_routes(db, [delivery.route_id, to_route.id])}
    delivery = await lookup.get_delivery(db, delivery.id, locked=True)
    if delivery.status != DeliveryStatus.OUT_FOR_DELIVERY or delivery.route_id not in routes:
        raise BadRoute(f"{delivery.number} is {delivery.status}: only what is on board goes over", field="delivery_id")
    left, taken = routes[delivery.route_id], routes[to_route.id]
    lookup.under_way(left)
    lookup.under_way(taken)
    van = await fleet.get_vehicle(db, taken.vehicle_id)
    await orders.lock_order(db, delivery.order_id)
    sources = [orders.source_of(line) for line in await orders.lines_of(db, delivery.order_id)]
    await reservations.move(db, sources, to_location_id=van.location_id, reference=taken.number, moved_by=user_id)
    weight_g = await orders.weight_g(db, delivery.order_id)
    left.load_g, taken.load_g = max(0, left.load_g - weight_g), taken.load_g + weight_g
    last = await db.scalar(select(func.max(Delivery.sequence)).where(Delivery.route_id == taken.id)) or 0
    delivery.route_id, delivery.sequence, delivery.announced_at = taken.id, last + 1, None
    delivery.planned_arrival_at = planned_arrival_at
    left.version += 1
    await db.flush()
    ahead = [stop for stop in await lookup.deliveries_of(db, taken.id) if stop.status in lookup.AHEAD]
    if sequence is not None:
        ahead.remove(delivery)
        ahead.insert(sum(1 for stop in ahead if (stop.sequence or 0) < sequence), delivery)
    await stops.reorder(db, taken, [(stop.id, stop.planned_arrival_at or planned_arrival_at) for stop in ahead])
    outbox.emit(db, RouteMoved(left.id))
    await stops.announce_next(db, left)
    return delivery


async def create_route(db: AsyncSession, *, new: NewRoute) -> Route:
    """Make a planned route of packed orders, and tell its driver. All of its stops, or nothing.

    Raises:
        NotFound: when the vehicle, the driver or an order is not there.
        VehicleNotReady: when the van is not to be driven.
        OrderNotPacked: when an order is not packed.
        AlreadyOnARoute: when another route has one of them.
        BadRoute: when an order is named twice.
    """
    order_ids = [stop.order_id for stop in new.stops]
    if len(set(order_ids)) < len(order_ids):
        raise BadRoute("an order is named twice", field="order_ids")
    await ready_vehicle(db, new.vehicle_id)
    if new.driver_id is not None:
        await people.get_user(db, new.driver_id)
    attempts = {order_id: await open_attempt(db, order_id) for order_id in sorted(order_ids)}
    route = Route(
        number=await next_number(db, "RT"),
        name=new.name,
        vehicle_id=new.vehicle_id,
        driver_id=new.driver_id,
        warehouse_id=new.warehouse_id,
        planning_job_id=new.planning_job_id,
        delivery_date=new.delivery_date,
        departs_at=new.departs_at,
        distance_m=new.distance_m,
        duration_s=new.duration_s,
        load_g=sum([await orders.weight_g(db, order_id) for order_id in order_ids]),
    )
    db.add(route)
    await db.flush()
    for sequence, stop in enumerate(new.stops, start=1):
        attempt = attempts[stop.order_id]
        attempt.status = DELIVERY.apply(DeliveryStatus(attempt.status), DeliveryAction.ASSIGN)
        attempt.route_id, attempt.sequence, attempt.planned_arrival_at = route.id, sequence, stop.arrival_at
        attempt.version += 1
    await db.flush()
    outbox.emit(db, RoutePublished(route.id))
    return route


async def cancel_route(
    db: AsyncSession,
    route_id: uuid.UUID,
    *,
    reason: str,
    unload_location_id: uuid.UUID | None = None,
    user_id: uuid.UUID | None = None,
) -> Route:
    """Give a route up. Of a planned one the stops wait for another; of one under way the goods are unloaded, as after
    a failed attempt.

    Args:
        unload_location_id: where the goods of a van on the road were put.

    Raises:
        NotFound: when there is no such route.
        InvalidTransition: when it is over.
        RouteHasLeft: when something of it was delivered: complete it instead.
        UnloadingPlaceMissing: when its van has left, and nobody says where the goods were put.
    """
    route = await lookup.get_route(db, route_id, locked=True)
    status = ROUTE.apply(RouteStatus(route.status), RouteAction.CANCEL)
    its = await lookup.deliveries_of(db, route.id, locked=True)
    if any(stop.status == DeliveryStatus.DELIVERED for stop in its):
        raise RouteHasLeft(f"route {route.number} has delivered: complete it instead", field="status")
    loaded = [stop for stop in its if stop.status not in (DeliveryStatus.ASSIGNED, DeliveryStatus.CANCELLED)]
    for stop in its:
        if stop.status == DeliveryStatus.ASSIGNED:
            stop.status = DELIVERY.apply(DeliveryStatus.ASSIGNED, DeliveryAction.TAKE_OFF)
            stop.route_id = stop.sequence = stop.planned_arrival_at = None
            stop.version += 1
        elif stop in loaded and stop.status != DeliveryStatus.FAILED:
            stop.status = DELIVERY.apply(DeliveryStatus(stop.status), DeliveryAction.FAIL)
            stop.failure_reason, stop.note = "other", reason
    if loaded:
        await unload(db, route, loaded, place=unload_location_id, user_id=user_id)
    route.status, route.cancelled_reason = status, reason
    route.version += 1
    outbox.emit(db, RouteMoved(route.id))
    return route


async def cancel_deliveries(db: AsyncSession, order_id: uuid.UUID) -> None:
    """An order was given up: no van brings it. A route that has no stop left is given up with it."""
    assigned = Delivery.status == DeliveryStatus.ASSIGNED
    waiting = Delivery.status == DeliveryStatus.PENDING
    planned = select(Delivery.route_id).where(Delivery.order_id == order_id, assigned)
    routes = await db.scalars(select(Route).where(Route.id.in_(planned)).order_by(Route.id).with_for_update())
    for route in routes.all():
        its = await lookup.deliveries_of(db, route.id, locked=True)
        for stop in its:
            if stop.order_id == order_id and stop.status == DeliveryStatus.ASSIGNED:
                stop.status = DELIVERY.apply(DeliveryStatus.ASSIGNED, DeliveryAction.CANCEL)
                route.version += 1
        if all(stop.status == DeliveryStatus.CANCELLED for stop in its):
            route.status = ROUTE.apply(RouteStatus(route.status), RouteAction.CANCEL)
            route.cancelled_reason = "every order of it was cancelled"
        outbox.emit(db, RouteMoved(route.id))
    for attempt in await db.scalars(select(Delivery).where(Delivery.order_id == order_id, waiting).with_for_update()):
        attempt.status = DELIVERY.apply(DeliveryStatus.PENDING, DeliveryAction.CANCEL)


async def ready_vehicle(db: AsyncSession, vehicle_id: uuid.UUID) -> fleet.Vehicle:
    """A van that may be driven.

    Raises:
        NotFound: when there is none.
        VehicleNotReady: when it is in the workshop, or given up.
    """
    vehicle = await fleet.get_vehicle(db, vehicle_id)
    if vehicle.status != "active":
        raise VehicleNotReady(f"van {vehicle.number} is {vehicle.status}: choose another", field="vehicle_id")
    return vehicle


async def unload(
    db: AsyncSession,
    route: Route,
    undelivered: Sequence[Delivery],
    *,
    place: uuid.UUID | None,
    user_id: uuid.UUID | None,
) -> None:
    """Put what comes back into the store: refused or damaged goods for good, all else for another attempt.

    Held goods are held there as well. The stops have failed, and are locked.

    Raises:
        UnloadingPlaceMissing: when nobody says where, or it is no place of the route's warehouse.
    """
    put_at = await unloading_place(db, route, place)
    await orders.lock_stock(db, [stop.order_id for stop in undelivered], to_location_id=put_at)
    for stop in sorted(undelivered, key=lambda stop: stop.order_id):
        stop.status = DELIVERY.apply(DeliveryStatus(stop.status), DeliveryAction.RETURN)
        back = orders.return_order if stop.failure_reason in ("refused", "damaged") else orders.bring_back_order
        await back(db, stop.order_id, to_location_id=put_at, reference=route.number, user_id=user_id)


async def unloading_place(db: AsyncSession, route: Route, location_id: uuid.UUID | None) -> uuid.UUID:
    """The place of the route's warehouse into which goods are put.

    Raises:
        UnloadingPlaceMissing: when it is none.
    """
    if location_id is None or location_id not in await places.of_warehouse(db, route.warehouse_id):
        raise UnloadingPlaceMissing(
            "name the place of the route's warehouse where the undelivered goods were put", field="unload_location_id"
        )
    return location_id


def _still_planned(route: Route) -> None:
    if route.status != RouteStatus.PLANNED:
        raise RouteHasLeft(
            f"route {route.number} is {route.status}: only a planned one can be changed", field="route_id"
        )
