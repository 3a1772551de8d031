"""The verbs of the road: vans, starting a route, positions, arriving, proving, failing, ending.

A driver moves only what is on a route of their own; everything else is not found. Loading is a transfer into the van,
a delivery an outbound from it.
"""

import uuid
from collections.abc import Sequence

from sqlalchemy import case, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel import clock, outbox
from cloud_api.kernel.errors import NotFound
from cloud_api.logistics.deliveries.errors import ProofIncomplete, StopsOpen, UnloadingPlaceMissing
from cloud_api.logistics.deliveries.models import Delivery, Route
from cloud_api.logistics.deliveries.queries import EVERY_ROUTE, VisibleRoutes
from cloud_api.logistics.deliveries.schemas import DeliveryMove, DeliveryRead, Proof, RouteDetailRead, RouteRead
from cloud_api.logistics.deliveries.states import (
    DELIVERY,
    ROUTE,
    DeliveryAction,
    DeliveryStatus,
    RouteAction,
    RouteStatus,
)
from cloud_api.logistics.events import RouteMoved
from cloud_api.logistics.fleet import service as fleet
from cloud_api.media import service as media
from cloud_api.orders.book import service as orders
from cloud_api.places import service as places

_OPEN = (RouteStatus.PLANNED, RouteStatus.IN_PROGRESS)
_ENDED = frozenset({DeliveryStatus.DELIVERED, DeliveryStatus.FAILED, DeliveryStatus.RETURNED, DeliveryStatus.CANCELLED})


async def start_route(db: AsyncSession, route_id: uuid.UUID, *, driver_id: uuid.UUID) -> Route:
    """Load the van and set off: every order of the route is transferred into it, or none.

    Raises:
        NotFound: when the driver has no such route.
        InvalidTransition: when it is not planned.
        StockOnHold: when a lot on it may not leave.
    """
    route = await get_route(db, route_id, seen=VisibleRoutes(driver_id=driver_id), locked=True)
    route.status = ROUTE.apply(RouteStatus(route.status), RouteAction.START)
    vehicle = await fleet.get_vehicle(db, route.vehicle_id)
    stops = await deliveries_of(db, route.id, locked=True)
    loaded = [stop for stop in stops if stop.status != DeliveryStatus.CANCELLED]
    await orders.lock_stock(db, [stop.order_id for stop in loaded], to_location_id=vehicle.location_id)
    for delivery in loaded:
        delivery.status = DELIVERY.apply(DeliveryStatus(delivery.status), DeliveryAction.LOAD)
        await orders.load_order(
            db, delivery.order_id, van_location_id=vehicle.location_id, reference=route.number, user_id=driver_id
        )
    route.started_at = clock.now()
    outbox.emit(db, RouteMoved(route.id))
    return route


async def cancel_deliveries(db: AsyncSession, order_id: uuid.UUID) -> None:
    """An order was given up: no van brings it. A route that has no stop left is given up with it."""
    assigned = Delivery.status == DeliveryStatus.ASSIGNED
    planned = select(Delivery.route_id).where(Delivery.order_id == order_id, assigned)
    routes = await db.scalars(select(Route).where(Route.id.in_(planned)).order_by(Route.id).with_for_update())
    for route in routes.all():
        stops = await deliveries_of(db, route.id, locked=True)
        for stop in stops:
            if stop.order_id == order_id and stop.status == DeliveryStatus.ASSIGNED:
                stop.status = DELIVERY.apply(DeliveryStatus.ASSIGNED, DeliveryAction.CANCEL)
        if all(stop.status == DeliveryStatus.CANCELLED for stop in stops):
            route.status = ROUTE.apply(RouteStatus(route.status), RouteAction.CANCEL)
        outbox.emit(db, RouteMoved(route.id))


async def move_delivery(
    db: AsyncSession, delivery_id: uuid.UUID, *, driver_id: uuid.UUID, move: DeliveryMove
) -> Delivery:
    """The driver is at the door, or could not deliver; a failed order goes back to the store when the route ends.

    Raises:
        NotFound: when the driver has no such delivery.
        InvalidTransition: when it is not on the road.
    """
    delivery = await get_delivery(db, delivery_id, seen=VisibleRoutes(driver_id=driver_id), locked=True)
    if delivery.status == move.status:
        return delivery
    action = DeliveryAction.ARRIVE if move.status == "arrived" else DeliveryAction.FAIL
    delivery.status = DELIVERY.apply(DeliveryStatus(delivery.status), action)
    if action is DeliveryAction.ARRIVE:
        delivery.arrived_at = clock.now()
    else:
        delivery.failure_reason = move.failure_reason or "other"
    delivery.note = move.note
    outbox.emit(db, RouteMoved(delivery.route_id))
    return delivery


async def prove_delivery(db: AsyncSession, delivery_id: uuid.UUID, *, driver_id: uuid.UUID, proof: Proof) -> Delivery:
    """Hand the goods over: the order is delivered, its stock leaves. The same proof again is the same delivery.

    Raises:
        NotFound: when the driver has no such delivery.
        ProofIncomplete: when the photo has not arrived, or another proof was given before.
        InvalidTransition: when it is not on the road.
        StockOnHold: when the van was too warm: it may not be handed over.
    """
    delivery = await get_delivery(db, delivery_id, seen=VisibleRoutes(driver_id=driver_id), locked=True)
    if delivery.status == DeliveryStatus.DELIVERED:
        if delivery.photo_sha256 != proof.photo_sha256:
            raise ProofIncomplete("this delivery has its proof already", field="photo_sha256")
        return delivery
    photo = await media.find(db, proof.photo_sha256)
    if photo is None:
        raise ProofIncomplete("the photo has not arrived here: upload it, then send the proof", field="photo_sha256")
    delivery.status = DELIVERY.apply(DeliveryStatus(delivery.status), DeliveryAction.DELIVER)
    for field, value in proof.model_dump().items():
        setattr(delivery, field, value)
    await media.attach(db, media_id=photo.id, entity_type="delivery", entity_id=delivery.id)
    await orders.deliver_order(db, delivery.order_id, reference=delivery.number, user_id=driver_id)
    outbox.emit(db, RouteMoved(delivery.route_id))
    return delivery


async def complete_route(
    db: AsyncSession, route_id: uuid.UUID, *, driver_id: uuid.UUID, unload_location_id: uuid.UUID | None
) -> Route:
    """Back at the store: what could not be delivered is unloaded there, still promised to its order.

    Raises:
        NotFound: when the driver has no such route.
        InvalidTransition: when it is not being driven.
        StopsOpen: when a stop has neither been delivered nor failed.
        UnloadingPlaceMissing: when goods came back and nobody says where they were put.
    """
    route = await get_route(db, route_id, seen=VisibleRoutes(driver_id=driver_id), locked=True)
    status = ROUTE.apply(RouteStatus(route.status), RouteAction.COMPLETE)
    stops = await deliveries_of(db, route.id, locked=True)
    still_open = [stop.number for stop in stops if stop.status not in _ENDED]
    if still_open:
        raise StopsOpen(f"not ended yet: {', '.join(still_open)}; deliver them, or say why not", field="deliveries")
    undelivered = [stop for stop in stops if stop.status == DeliveryStatus.FAILED]
    if undelivered:
        place = await _unloading_place(db, route, unload_location_id)
        await orders.lock_stock(db, [stop.order_id for stop in undelivered], to_location_id=place)
        for stop in undelivered:
            stop.status = DELIVERY.apply(DeliveryStatus.FAILED, DeliveryAction.RETURN)
            await orders.bring_back_order(
                db, stop.order_id, to_location_id=place, reference=route.number, user_id=driver_id
            )
    route.status = status
    route.completed_at = clock.now()
    outbox.emit(db, RouteMoved(route.id))
    return route


async def get_route(
    db: AsyncSession, route_id: uuid.UUID, *, seen: VisibleRoutes = EVERY_ROUTE, locked: bool = False
) -> Route:
    """One route; locked until the unit of work ends when it is to change.

    Raises:
        NotFound: when there is none to be seen.
    """
    its = select(Route).where(Route.id == route_id, seen.routes())
    route = (await db.scalars(its.with_for_update() if locked else its)).one_or_none()
    if route is None:
        raise NotFound(f"no route with id {route_id}", field="route_id")
    return route


async def deliveries_of(db: AsyncSession, route_id: uuid.UUID, *, locked: bool = False) -> Sequence[Delivery]:
    """A route's stops, in order."""
    statement = select(Delivery).where(Delivery.route_id == route_id).order_by(Delivery.sequence)
    return (await db.scalars(statement.with_for_update() if locked else statement)).all()


async def next_route(db: AsyncSession, *, seen: VisibleRoutes) -> Route | None:
    """The route under way, or the next one."""
    open_routes = select(Route).where(seen.routes(), Route.status.in_(_OPEN))
    under_way_first = case((Route.status == RouteStatus.IN_PROGRESS, 0), else_=1)
    ordered = open_routes.order_by(under_way_first, Route.departs_at, Route.id)
    return (await db.scalars(ordered.limit(1))).one_or_none()


async def open_deliveries(db: AsyncSession, *, seen: VisibleRoutes) -> Sequence[Delivery]:
    """The stops of routes that are planned or under way, in the order in which they are driven."""
    statement = (
        select(Delivery)
        .join(Route, Route.id == Delivery.route_id)
        .where(seen.routes(), Route.status.in_(_OPEN))
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
    delivery = (await db.scalars(its.with_for_update() if locked else its)).one_or_none()
    if delivery is None:
        raise NotFound(f"no delivery with id {delivery_id}")
    return delivery


async def detail(db: AsyncSession, route: Route) -> RouteDetailRead:
    """A route with its stops in order."""
    stops = await deliveries_of(db, route.id)
    return RouteDetailRead(
        **RouteRead.model_validate(route).model_dump(),
        deliveries=[DeliveryRead.model_validate(stop) for stop in stops],
    )


async def _unloading_place(db: AsyncSession, route: Route, location_id: uuid.UUID | None) -> uuid.UUID:
    if location_id is None or location_id not in await places.of_warehouse(db, route.warehouse_id):
        raise UnloadingPlaceMissing(
            "name the place of the route's warehouse where the undelivered goods were put", field="unload_location_id"
        )
    return location_id
