"""What dispatch does when it hears what happened to orders, vans and routes: it proposes, and changes nothing."""

import uuid
from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.cold_chain.events import ExcursionOpened
from cloud_api.kernel.outbox import Subscription, reaction
from cloud_api.logistics.deliveries.models import Delivery, Route
from cloud_api.logistics.deliveries.states import RouteStatus
from cloud_api.logistics.dispatch import performance, proposals, queries
from cloud_api.logistics.events import RouteCompleted, VehicleWithdrawn
from cloud_api.logistics.fleet.models import Vehicle
from cloud_api.orders.book import service as orders
from cloud_api.orders.book.events import OrderCancelled, OrderPacked
from cloud_api.orders.book.states import OrderStatus
from cloud_api.places import service as places


async def plan_without_it(db: AsyncSession, event: OrderCancelled) -> None:
    """An order on a route was cancelled: what waits may have room now, and the others come sooner."""
    on_it = select(Delivery.route_id).where(Delivery.order_id == event.order_id)
    routes = await _open_routes(db, Route.id.in_(on_it))
    if not routes:
        return
    order = await orders.get_order(db, event.order_id)
    is_today = order.delivery_date <= await places.today_in(db, order.warehouse_id)
    waits = (await db.scalars(queries.waiting(order.delivery_date, order.warehouse_id).limit(1))).first()
    if not is_today and waits is None:
        return  # the others come sooner, which nobody has to look at before the day
    await proposals.propose_replan(
        db,
        route_ids=_ids(routes),
        order_ids=[event.order_id],
        cause="cancelled",
        why=f"{order.number} was cancelled",
    )


async def take_it_along(db: AsyncSession, event: OrderPacked) -> None:
    """An order of today was packed after the day was planned: it is late, and may still go along."""
    order = await orders.get_order(db, event.order_id)
    if order.status != OrderStatus.PACKED or order.delivery_date != await places.today_in(db, order.warehouse_id):
        return
    taken = (await db.scalars(queries.taken_orders().where(Delivery.order_id == order.id))).first()
    routes = await proposals.open_routes_of(db, order.delivery_date, order.warehouse_id)
    if taken is None and routes:
        await proposals.propose_replan(
            db, route_ids=routes, order_ids=[order.id], cause="late_order", why=f"{order.number} is late"
        )


async def do_without_it(db: AsyncSession, event: VehicleWithdrawn) -> None:
    """A van with a route went into the workshop: others bring its goods."""
    routes = await _open_routes(db, Route.vehicle_id == event.vehicle_id)
    if routes:
        vehicle = await db.get_one(Vehicle, event.vehicle_id)
        for route in _by_day(routes):
            await proposals.propose_replan(
                db, route_ids=[route.id], cause="breakdown", why=f"{vehicle.number} is out of service"
            )


async def leave_what_is_warm(db: AsyncSession, event: ExcursionOpened) -> None:
    """A van under way is too warm: what lies in it is held, and is not brought."""
    its = select(Vehicle).where(Vehicle.location_id == event.location_id)
    vehicle = (await db.scalars(its)).one_or_none()
    if vehicle is None:
        return
    driving = await _open_routes(db, Route.vehicle_id == vehicle.id, Route.status == RouteStatus.IN_PROGRESS)
    if driving:
        await proposals.propose_replan(
            db, route_ids=_ids(driving), cause="warm_van", why=f"{vehicle.number} is too warm"
        )


async def write_performance_down(db: AsyncSession, event: RouteCompleted) -> None:
    """A van is back: what it was planned to drive, and what it drove."""
    await performance.write_down(db, event.route_id)


async def _open_routes(db: AsyncSession, *conditions: ColumnElement[bool]) -> Sequence[Route]:
    its = select(Route).where(Route.status.in_(queries.OPEN_ROUTES), *conditions).order_by(Route.id)
    return (await db.scalars(its)).all()


def _by_day(routes: Sequence[Route]) -> Collection[Route]:
    """Of each warehouse's day the first: a proposal is for one."""
    first: dict[tuple[uuid.UUID, object], Route] = {}
    for route in routes:
        first.setdefault((route.warehouse_id, route.delivery_date), route)
    return first.values()


def _ids(routes: Sequence[Route]) -> list[uuid.UUID]:
    return [route.id for route in routes]


REACTIONS: list[Subscription] = [
    reaction(OrderCancelled, "dispatch.plan_without_it", plan_without_it),
    reaction(OrderPacked, "dispatch.take_it_along", take_it_along),
    reaction(VehicleWithdrawn, "dispatch.do_without_it", do_without_it),
    reaction(ExcursionOpened, "dispatch.leave_what_is_warm", leave_what_is_warm),
    reaction(RouteCompleted, "dispatch.write_performance_down", write_performance_down),
]
