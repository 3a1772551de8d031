"""The driver's day: setting off, arriving, failing, coming back.

A driver moves only what is on a route of their own; everything else is not found. Loading is a transfer into the van.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel import outbox
from cloud_api.logistics.deliveries import lookup, routing, stops
from cloud_api.logistics.deliveries.errors import AlreadyDriving, BadRoute, ProofIncomplete, StopsOpen
from cloud_api.logistics.deliveries.lookup import plausible
from cloud_api.logistics.deliveries.models import Delivery, Route
from cloud_api.logistics.deliveries.queries import VisibleRoutes
from cloud_api.logistics.deliveries.rounds import Round
from cloud_api.logistics.deliveries.schemas import DeliveryMove, RouteComplete, RouteStart
from cloud_api.logistics.deliveries.states import (
    DELIVERY,
    ROUTE,
    DeliveryAction,
    DeliveryStatus,
    RouteAction,
    RouteStatus,
)
from cloud_api.logistics.events import RouteCompleted, RouteMoved, RouteStarted, StopArrived, StopFailed
from cloud_api.media.models import Media
from cloud_api.orders.book import service as orders
from cloud_api.orders.book.states import OrderStatus

_ENDED = frozenset({DeliveryStatus.DELIVERED, DeliveryStatus.FAILED, DeliveryStatus.RETURNED, DeliveryStatus.CANCELLED})


async def start_route(
    db: AsyncSession,
    route_id: uuid.UUID,
    *,
    driver_id: uuid.UUID,
    start: RouteStart | None = None,
    at: datetime | None = None,
) -> Route:
    """Load the van and set off: every order of the route is transferred into it, or none.

    What was cancelled and has not been taken off yet is taken off here; a route of which nothing is left is cancelled,
    and not started.

    Args:
        at: by the phone's own clock; None: now.

    Raises:
        NotFound: when the driver has no such route.
        InvalidTransition: when it is not planned.
        VehicleNotReady: when the van is in the workshop.
        AlreadyDriving: when the driver or the van has a route under way.
        StockOnHold: when a lot on it may not leave.
        ClockImplausible: when the phone says a time that cannot be.
    """
    route = await lookup.get_route(db, route_id, seen=VisibleRoutes(driver_id=driver_id), locked=True)
    status = ROUTE.apply(RouteStatus(route.status), RouteAction.START)
    started_at = plausible(at)
    vehicle = await routing.ready_vehicle(db, route.vehicle_id)
    await _refuse_second(db, route)
    its = await lookup.deliveries_of(db, route.id, locked=True)
    assigned = [stop for stop in its if stop.status == DeliveryStatus.ASSIGNED]
    await orders.lock_stock(db, [stop.order_id for stop in assigned], to_location_id=vehicle.location_id)
    loaded = await _without_cancelled(db, assigned)
    if not loaded:
        outbox.emit(db, RouteMoved(route.id))
        route.status = ROUTE.apply(RouteStatus(route.status), RouteAction.CANCEL)
        route.cancelled_reason = "every order of it was cancelled"
        return route
    for delivery in loaded:
        delivery.status = DELIVERY.apply(DeliveryStatus(delivery.status), DeliveryAction.LOAD)
    await orders.load_orders(
        db,
        [delivery.order_id for delivery in loaded],
        van_location_id=vehicle.location_id,
        reference=route.number,
        user_id=driver_id,
    )
    route.status, route.started_at = status, started_at
    route.odometer_start_km = None if start is None else start.odometer_start_km
    try:
        await db.flush()
    except IntegrityError as error:
        raise AlreadyDriving("another route was started just now: complete it first", field="status") from error
    outbox.emit(db, RouteStarted(route.id))
    await stops.announce_next(db, route)
    return route


async def move_delivery(
    db: AsyncSession,
    delivery_id: uuid.UUID,
    *,
    driver_id: uuid.UUID,
    move: DeliveryMove,
    at: datetime | None = None,
    within: Round | None = None,
) -> Delivery:
    """The driver is at the door, or could not deliver; a failed order goes back to the store when the route ends.

    The same again changes nothing.

    Args:
        at: by the phone's own clock; None: now.
        within: a round that is settled afterwards; None: by itself.

    Raises:
        NotFound: when the driver has no such delivery.
        InvalidTransition: when it is not on the road.
        ProofIncomplete: when a photo is named that has not arrived.
        ClockImplausible: when the phone says a time that cannot be.
    """
    ours = within or Round(driver_id)
    route, delivery = await ours.stop(db, delivery_id)
    if delivery.status == move.status:
        return delivery
    action = DeliveryAction.ARRIVE if move.status == "arrived" else DeliveryAction.FAIL
    delivery.status = DELIVERY.apply(DeliveryStatus(delivery.status), action)
    lookup.under_way(route)
    moved_at = plausible(at, earliest=route.started_at)
    if move.photo_sha256 is not None:
        delivery.photo_sha256 = move.photo_sha256
        ours.show(delivery, await kept(db, move.photo_sha256, field="photo_sha256", within=ours))
    delivery.note = move.note or delivery.note
    if action is DeliveryAction.ARRIVE:
        delivery.arrived_at = moved_at
        outbox.emit(db, StopArrived(delivery.id))
    else:
        delivery.failure_reason = move.failure_reason or "other"
        outbox.emit(db, StopFailed(delivery.id, delivery.failure_reason))
        ours.pass_by(route)
    if within is None:
        await ours.settle(db)
    return delivery


async def complete_route(
    db: AsyncSession,
    route_id: uuid.UUID,
    *,
    driver_id: uuid.UUID,
    done: RouteComplete,
    at: datetime | None = None,
) -> Route:
    """Back at the store: what could not be delivered is unloaded there. Refused and damaged goods came back for good;
    all else stays promised to its order, for another attempt. What is on hold in the van is on hold there too.

    Raises:
        NotFound: when the driver has no such route.
        InvalidTransition: when it is not being driven.
        StopsOpen: when a stop has neither been delivered nor failed.
        UnloadingPlaceMissing: when goods came back and nobody says where they were put, or somebody names a place that
            is not the warehouse's.
        BadRoute: when the odometer has run backwards.
        ClockImplausible: when the phone says a time that cannot be.
    """
    route = await lookup.get_route(db, route_id, seen=VisibleRoutes(driver_id=driver_id), locked=True)
    status = ROUTE.apply(RouteStatus(route.status), RouteAction.COMPLETE)
    completed_at = plausible(at, earliest=route.started_at)
    its = await lookup.deliveries_of(db, route.id, locked=True)
    still_open = [stop.number for stop in its if stop.status not in _ENDED]
    if still_open:
        raise StopsOpen(f"not ended yet: {', '.join(still_open)}; deliver them, or say why not", field="deliveries")
    if done.odometer_end_km is not None and done.odometer_end_km < (route.odometer_start_km or 0):
        raise BadRoute(f"the odometer read {route.odometer_start_km} km at the start", field="odometer_end_km")
    undelivered = [stop for stop in its if stop.status == DeliveryStatus.FAILED]
    if undelivered:
        await routing.unload(db, route, undelivered, place=done.unload_location_id, user_id=driver_id)
    elif done.unload_location_id is not None:
        await routing.unloading_place(db, route, done.unload_location_id)
    route.status, route.completed_at = status, completed_at
    route.odometer_end_km, route.fuel_ml = done.odometer_end_km, done.fuel_ml
    outbox.emit(db, RouteCompleted(route.id))
    return route


async def kept(db: AsyncSession, sha256: str, *, field: str, within: Round) -> Media:
    """A picture that has arrived here: its row is written only when its bytes lie in the store under this hash.

    Raises:
        ProofIncomplete: when it has not.
    """
    found = await within.picture(db, sha256)
    if found is None:
        what = "photo" if field == "photo_sha256" else "signature"
        raise ProofIncomplete(f"the {what} has not arrived here: upload it, then send this again", field=field)
    return found


async def _refuse_second(db: AsyncSession, route: Route) -> None:
    """One route under way for each driver, and for each van."""
    same = or_(Route.driver_id == route.driver_id, Route.vehicle_id == route.vehicle_id)
    other = (await db.scalars(select(Route).where(same, Route.status == RouteStatus.IN_PROGRESS).limit(1))).first()
    if other is not None:
        whose = "you are" if other.driver_id == route.driver_id else "this van is"
        raise AlreadyDriving(f"{whose} on route {other.number}: complete it first", field="status")


async def _without_cancelled(db: AsyncSession, assigned: Sequence[Delivery]) -> Sequence[Delivery]:
    """The stops whose orders were not given up meanwhile; the others are taken off. The orders are locked."""
    loaded = []
    current = await orders.orders_in_turn(db, [stop.order_id for stop in assigned])
    for delivery, order in zip(assigned, current, strict=True):
        if order.status == OrderStatus.CANCELLED:
            delivery.status = DELIVERY.apply(DeliveryStatus.ASSIGNED, DeliveryAction.CANCEL)
        else:
            loaded.append(delivery)
    return loaded
