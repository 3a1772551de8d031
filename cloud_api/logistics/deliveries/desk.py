"""What a dispatcher does by hand: routes, attempts, and what became of them."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity.organizations import service as organizations
from cloud_api.identity.people import service as people
from cloud_api.kernel import outbox, versions
from cloud_api.logistics.deliveries import lookup, routing, stops
from cloud_api.logistics.deliveries.errors import BadRoute, RouteChangedMeanwhile, RouteHasLeft, VehicleOverloaded
from cloud_api.logistics.deliveries.legs import Course, Door, course, shortest
from cloud_api.logistics.deliveries.models import Delivery, Route
from cloud_api.logistics.deliveries.queries import EVERY_ROUTE, VisibleRoutes
from cloud_api.logistics.deliveries.schemas import DeliveryStatusChange, DeliveryUpdate, RouteCreate, RouteUpdate
from cloud_api.logistics.deliveries.states import DELIVERY, DeliveryAction, DeliveryStatus, RouteStatus
from cloud_api.logistics.events import RouteChanged, RouteMoved, RoutePublished, StopArrived, StopFailed
from cloud_api.orders.book import service as orders
from cloud_api.orders.book.models import CustomerOrder
from cloud_api.orders.book.queries import VisibleOrders
from cloud_api.places import service as places
from cloud_api.places.queries import EVERYWHERE, Visible


async def plan_by_hand(db: AsyncSession, *, new: RouteCreate, seen: Visible = EVERYWHERE) -> Route:
    """A route of these orders in this sequence; when the van is where follows from the ways between their doors.

    Raises:
        NotFound: when the warehouse, the van, the driver or an order is not there.
        VehicleNotReady: when the van is not to be driven.
        VehicleOverloaded: when the orders weigh more than it may carry.
        OrderNotPacked: when an order is not packed.
        AlreadyOnARoute: when another route has one of them.
        BadRoute: when an order is named twice, or is of another warehouse.
    """
    warehouse = await places.get_warehouse(db, new.warehouse_id, seen=seen)
    vehicle = await routing.ready_vehicle(db, new.vehicle_id)
    its = [await orders.get_order(db, order_id, seen=VisibleOrders(seen)) for order_id in new.order_ids]
    for order in its:
        if order.warehouse_id != warehouse.id:
            raise BadRoute(f"order {order.number} leaves another warehouse", field="order_ids")
    load_g = sum([await orders.weight_g(db, order.id) for order in its])
    if load_g > vehicle.capacity_g:
        raise VehicleOverloaded(
            f"the orders weigh {load_g} g, and {vehicle.number} carries {vehicle.capacity_g} g", field="order_ids"
        )
    departs_at = await organizations.instant(db, new.delivery_date, new.departs_at)
    way = await _course(db, warehouse.latitude, warehouse.longitude, its, departs_at=departs_at)
    planned = routing.NewRoute(
        vehicle_id=vehicle.id,
        driver_id=new.driver_id or vehicle.driver_id,
        warehouse_id=warehouse.id,
        delivery_date=new.delivery_date,
        departs_at=departs_at,
        distance_m=way.distance_m,
        duration_s=way.duration_s,
        stops=[routing.PlannedStop(order.id, at) for order, at in zip(its, way.arrivals_at, strict=True)],
        name=new.name,
    )
    return await routing.create_route(db, new=planned)


async def update_route(
    db: AsyncSession, route_id: uuid.UUID, *, changes: RouteUpdate, seen: VisibleRoutes = EVERY_ROUTE
) -> Route:
    """Give a planned route another van, another driver, or another sequence of its stops.

    Raises:
        NotFound: when the route, the van or the driver is not there.
        RouteHasLeft: when it is not planned any more.
        RouteChangedMeanwhile: when somebody was quicker than `changes.version`.
        VehicleNotReady, VehicleOverloaded: when the van cannot take it.
        BadRoute: when the sequence does not name every stop once.
    """
    route = await lookup.get_route(db, route_id, seen=seen, locked=True)
    if route.status != RouteStatus.PLANNED:
        raise RouteHasLeft(f"route {route.number} is {route.status}: only a planned one changes", field="status")
    if changes.version not in (None, route.version):
        raise RouteChangedMeanwhile(
            f"route {route.number} is at version {route.version} by now: read it again", field="version"
        )
    if changes.vehicle_id is not None:
        vehicle = await routing.ready_vehicle(db, changes.vehicle_id)
        if route.load_g > vehicle.capacity_g:
            raise VehicleOverloaded(f"{vehicle.number} carries {vehicle.capacity_g} g", field="vehicle_id")
        route.vehicle_id = vehicle.id
    before = route.driver_id
    if "driver_id" in changes.model_fields_set:
        route.driver_id = None if changes.driver_id is None else (await people.get_user(db, changes.driver_id)).id
    route.name = route.name if changes.name is None else changes.name
    if changes.delivery_ids is not None:
        await _put_in_order(db, route, changes.delivery_ids)
    else:
        route.version += 1
        outbox.emit(db, RouteMoved(route.id))
    if route.driver_id not in (None, before):
        outbox.emit(db, RoutePublished(route.id))
    else:
        outbox.emit(db, RouteChanged(route.id, "changed by the dispatcher"))
    await db.flush()
    return route


async def update_delivery(
    db: AsyncSession, delivery_id: uuid.UUID, *, changes: DeliveryUpdate, seen: VisibleRoutes = EVERY_ROUTE
) -> Delivery:
    """Put an attempt on another planned route, take it off, plan it for another time, or write a note.

    Raises:
        NotFound: when the delivery or the route is not there to be seen.
        RouteHasLeft: when it is loaded, or that route is.
        StaleVersion: when `changes` was made of another version than there is now.
    """
    delivery = await lookup.get_delivery(db, delivery_id, seen=seen)
    wanted = changes.route_id if "route_id" in changes.model_fields_set else delivery.route_id
    if wanted is not None:
        await lookup.get_route(db, wanted, seen=seen)
    await lookup.lock_routes(db, {route_id for route_id in (delivery.route_id, wanted) if route_id is not None})
    delivery = await lookup.get_delivery(db, delivery_id, seen=seen, locked=True)
    if delivery.status not in (DeliveryStatus.PENDING, DeliveryStatus.ASSIGNED):
        raise RouteHasLeft(f"{delivery.number} is {delivery.status}: only what is not loaded changes", field="status")
    await versions.count(db, delivery, seen=changes.version, what=f"delivery {delivery.number}")
    delivery.note = delivery.note if changes.note is None else changes.note
    if wanted != delivery.route_id and delivery.route_id is not None:
        delivery = await routing.take_off(db, delivery)
    if wanted is not None and delivery.route_id is None:
        route = await lookup.get_route(db, wanted)
        at = changes.planned_arrival_at or route.departs_at
        await routing.assign(db, delivery, route=route, planned_arrival_at=at)
        await _plan_again(db, route)
    if delivery.route_id is not None and changes.planned_arrival_at is not None:
        delivery.planned_arrival_at = changes.planned_arrival_at
        outbox.emit(db, RouteMoved(delivery.route_id))
    await db.flush()
    return delivery


async def move_by_dispatcher(
    db: AsyncSession, delivery_id: uuid.UUID, *, change: DeliveryStatusChange, seen: VisibleRoutes = EVERY_ROUTE
) -> Delivery:
    """Say what became of an attempt, as its state machine allows. Delivered is it by proof only, and loaded by starting
    its route. The same again changes nothing.

    Raises:
        NotFound: when there is none to be seen.
        InvalidTransition: when that cannot be.
    """
    route, delivery = await lookup.locked_stop(db, delivery_id, seen=seen)
    if delivery.status == change.status:
        return delivery
    if change.status == "pending":
        return await routing.take_off(db, delivery)
    action = {"cancelled": DeliveryAction.CANCEL, "arrived": DeliveryAction.ARRIVE, "failed": DeliveryAction.FAIL}
    delivery.status = DELIVERY.apply(DeliveryStatus(delivery.status), action[change.status])
    delivery.note = change.note or delivery.note
    if change.status == "arrived":
        delivery.arrived_at = lookup.plausible(None)
        outbox.emit(db, StopArrived(delivery.id))
    elif change.status == "failed":
        delivery.failure_reason = change.failure_reason or "other"
        outbox.emit(db, StopFailed(delivery.id, delivery.failure_reason))
    elif route is not None:
        outbox.emit(db, RouteMoved(route.id))
    if route is not None:
        await stops.announce_next(db, route)
    return delivery


async def resequence_from(
    db: AsyncSession, route_id: uuid.UUID, *, driver_id: uuid.UUID, here: tuple[float, float] | None
) -> Route:
    """Put the stops ahead into the shortest sequence from where the driver is: the nearest next, then two swapped as
    long as that saves time. Windows are kept where they can be: what would come too late is driven first.

    Args:
        here: latitude and longitude, degrees; None: the last door, or the store.

    Raises:
        NotFound: when the driver has no such route.
        RouteHasLeft: when it is over.
    """
    route = await lookup.get_route(db, route_id, seen=VisibleRoutes(driver_id=driver_id), locked=True)
    if route.status not in lookup.OPEN:
        raise RouteHasLeft(f"route {route.number} is {route.status}: there is nothing ahead", field="status")
    its = await lookup.deliveries_of(db, route.id, locked=True)
    ahead = [stop for stop in its if stop.status in lookup.AHEAD]
    of = {order.id: order for order in await orders.orders_in_turn(db, [stop.order_id for stop in its])}
    start = here or await _last_place(db, route, its, of)
    if not ahead or start is None:
        return route
    at = lookup.plausible(None) if route.status == RouteStatus.IN_PROGRESS else route.departs_at
    doors = [await _door(db, of[stop.order_id]) for stop in ahead]
    closes = [
        await organizations.instant(db, of[stop.order_id].delivery_date, of[stop.order_id].window_until)
        for stop in ahead
    ]
    best = shortest(start, doors, closes, departs_at=at)
    way = course(start, [doors[number] for number in best], departs_at=at, returns=False)
    await stops.reorder(
        db, route, [(ahead[number].id, arrival) for number, arrival in zip(best, way.arrivals_at, strict=True)]
    )
    return route


async def _last_place(
    db: AsyncSession, route: Route, its: Sequence[Delivery], of: dict[uuid.UUID, CustomerOrder]
) -> tuple[float, float] | None:
    """The door at which the driver was last, or the store."""
    been = [stop for stop in its if stop.status not in lookup.AHEAD and stop.status != DeliveryStatus.CANCELLED]
    if been:
        order = of[been[-1].order_id]
        return order.latitude, order.longitude
    warehouse = await places.get_warehouse(db, route.warehouse_id)
    if warehouse.latitude is None or warehouse.longitude is None:
        return None
    return warehouse.latitude, warehouse.longitude


async def _put_in_order(db: AsyncSession, route: Route, delivery_ids: Sequence[uuid.UUID]) -> None:
    ahead = [stop.id for stop in await lookup.deliveries_of(db, route.id) if stop.status in lookup.AHEAD]
    if sorted(delivery_ids) != sorted(ahead):
        raise BadRoute("name every stop of the route once, and no other", field="delivery_ids")
    arrivals = [(delivery_id, route.departs_at) for delivery_id in delivery_ids]
    await stops.reorder(db, route, arrivals)
    await _plan_again(db, route)


async def _plan_again(db: AsyncSession, route: Route) -> None:
    """When the van is where, now that its stops are others: by the ways between the doors."""
    ahead = [stop for stop in await lookup.deliveries_of(db, route.id) if stop.status in lookup.AHEAD]
    warehouse = await places.get_warehouse(db, route.warehouse_id)
    its = await orders.orders_in_turn(db, [stop.order_id for stop in ahead])
    way = await _course(db, warehouse.latitude, warehouse.longitude, its, departs_at=route.departs_at)
    for stop, at in zip(ahead, way.arrivals_at, strict=True):
        stop.planned_arrival_at = at
    route.distance_m, route.duration_s = way.distance_m, way.duration_s


async def _course(
    db: AsyncSession,
    latitude: float | None,
    longitude: float | None,
    its: Sequence[CustomerOrder],
    *,
    departs_at: datetime,
) -> Course:
    """The way from a store by these doors and back; of a store that does not say where it is, from the first door."""
    if not its:
        return Course([], 0, 0)
    start = (its[0].latitude, its[0].longitude) if latitude is None or longitude is None else (latitude, longitude)
    return course(start, [await _door(db, order) for order in its], departs_at=departs_at)


async def _door(db: AsyncSession, order: CustomerOrder) -> Door:
    opens_at = await organizations.instant(db, order.delivery_date, order.window_from)
    return Door(order.latitude, order.longitude, opens_at)
