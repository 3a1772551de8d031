"""A day as it stands: which stops are ahead of which vans, where those are, and what has happened to them."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity.organizations import service as organizations
from cloud_api.inventory.reservations import service as reservations
from cloud_api.kernel import clock
from cloud_api.logistics.deliveries.models import Delivery, Route
from cloud_api.logistics.deliveries.states import DeliveryStatus, RouteStatus
from cloud_api.logistics.dispatch import constraints, gathering, queries
from cloud_api.logistics.dispatch.errors import NothingToReplan
from cloud_api.logistics.dispatch.models import PlanningJob
from cloud_api.logistics.dispatch.problems import Recipe, Rules, Wagon, recipe_of, stop_of
from cloud_api.logistics.dispatch.schemas import Constraints
from cloud_api.logistics.dispatch.solutions import Changed, Standing
from cloud_api.logistics.dispatch.solver import Task
from cloud_api.logistics.fleet import availability
from cloud_api.logistics.fleet.models import Vehicle
from cloud_api.logistics.tracking import service as tracking
from cloud_api.orders.book import service as orders
from cloud_api.orders.book.models import CustomerOrder, OrderLine
from route_optimizer.matrices import Point
from route_optimizer.plan import Plan, Unserved, Visit
from route_optimizer.plan import Route as Planned
from route_optimizer.problem import Compartment, Objective, Stop, Window
from route_optimizer.running import Day, Handling, UnderWay

#: loaded or to be loaded, and not over
REMAINING = (DeliveryStatus.ASSIGNED, DeliveryStatus.OUT_FOR_DELIVERY, DeliveryStatus.ARRIVED)
_ABOARD = (DeliveryStatus.OUT_FOR_DELIVERY, DeliveryStatus.ARRIVED)
#: a position that is older says little of where a van is
_FRESH = timedelta(minutes=30)
#: promised doors are served after their window rather than not at all, up to so many seconds later
_LATE_S = 12 * 3_600
#: what an hour of that costs, in each objective's own unit: about two hours of driving
_LATE_COST = {
    Objective.DISTANCE: 50_000,
    Objective.TIME: 7_200,
    Objective.FUEL: 5_000,
    Objective.COST: 100_000,
    Objective.HYBRID: 100_000,
}
#: vans leave then, where no route says otherwise
_MORNING = time(7)
#: a van that has not left cannot leave sooner than this
_SOON_S = 60


@dataclass(frozen=True)
class Standings:
    """Open routes with what is ahead of them, at one moment."""

    now: datetime
    routes: Sequence[Route]
    #: in the order in which they are driven
    ahead: Mapping[uuid.UUID, Sequence[Delivery]]
    orders: Mapping[uuid.UUID, CustomerOrder]

    def standing(self) -> dict[str, Standing]:
        """Order -> where it stands."""
        return {
            str(stop.order_id): Standing(
                delivery_id=str(stop.id),
                route_id=str(route.id),
                vehicle_id=str(route.vehicle_id),
                sequence=number,
                planned_s=_s(stop.planned_arrival_at or self.now),
                aboard=stop.status in _ABOARD,
            )
            for route in self.routes
            for number, stop in enumerate(self.ahead[route.id], start=1)
        }


async def read(db: AsyncSession, routes: Sequence[Route]) -> Standings:
    """What is ahead of these routes."""
    its = (
        select(Delivery)
        .where(Delivery.route_id.in_([route.id for route in routes]), Delivery.status.in_(REMAINING))
        .order_by(Delivery.sequence)
    )
    ahead: dict[uuid.UUID, list[Delivery]] = {route.id: [] for route in routes}
    for stop in await db.scalars(its):
        if stop.route_id is not None:
            ahead[stop.route_id].append(stop)
    order_ids = [stop.order_id for stops in ahead.values() for stop in stops]
    return Standings(clock.now(), routes, ahead, await gathering.orders_by_id(db, order_ids))


async def task(db: AsyncSession, job: PlanningJob) -> Task:
    """What a replan of these routes has to solve.

    Raises:
        NothingToReplan: when none of its routes is open any more, and no order waits.
        WarehouseWithoutCoordinates: when the warehouse does not say where it is.
    """
    said = await constraints.get(db)
    rules = constraints.rules_of(said, objective=job.objective)
    _, depot = await gathering.located(db, job.warehouse_id)
    open_routes = one_a_van(await gathering.routes_of(db, job.delivery_date, job.warehouse_id))
    hit = [route for route in open_routes if str(route.id) in job.route_ids]
    if not hit and not job.order_ids:
        raise NothingToReplan("none of these routes is planned or under way any more", field="route_ids")
    broken = frozenset(str(route.vehicle_id) for route in hit) if job.cause == "breakdown" else frozenset[str]()
    # what lies in a broken van goes over to one that is on the road too; the others have not left, and do not matter
    fetching = any(route.status == RouteStatus.IN_PROGRESS for route in hit) and bool(broken)
    if fetching:
        open_routes = [route for route in open_routes if route.status == RouteStatus.IN_PROGRESS]
    stands = await read(db, open_routes)
    removed = await _removed(db, job, stands, hit)
    late = await _late(db, job, stands)
    known = [stands.orders[stop.order_id] for stops in stands.ahead.values() for stop in stops]
    doors = await gathering.doors(db, [*known, *late], said)
    drives = Drives(job.delivery_date, job.warehouse_id, open_routes, stands.now)
    vans_there = await wagons(db, drives, said, free=not fetching)
    recipe = recipe_of(
        depot, doors[: len(known)], vans_there, rules, midnight=await gathering.midnight(db, job.delivery_date)
    )
    recipe = _promised(recipe, stands, rules)
    insert = tuple(
        stop_of(door, place, rules) for place, door in enumerate(doors[len(known) :], start=len(recipe.points))
    )
    recipe = replace(
        recipe,
        points=(*recipe.points, *(door.point for door in doors[len(known) :])),
        names=recipe.names | {door.order_id: door.number for door in doors},
    )
    recipe, vans = await _under_way(db, recipe, stands, depot)
    changed = Changed(
        day=Day(_s(stands.now), _as_driven(recipe, stands), vans, broken),
        insert=insert,
        cancel=tuple(name for name in removed if name in {stop.id for stop in recipe.stops}),
        most_moved=said.max_moved,
        handling=Handling(late_cost_per_hour=_LATE_COST[rules.objective], handover_s=said.handover_s),
        standing=stands.standing(),
        routes={str(route.vehicle_id): str(route.id) for route in open_routes},
        removed=removed,
    )
    return Task(recipe, job.time_limit_s, job.seed, changed)


def one_a_van(routes: Sequence[Route]) -> Sequence[Route]:
    """Of a van with several routes the one that it drives, or will drive first: the others can wait."""
    first: dict[uuid.UUID, Route] = {}
    for route in sorted(routes, key=lambda each: (each.status != RouteStatus.IN_PROGRESS, each.departs_at, each.id)):
        first.setdefault(route.vehicle_id, route)
    return sorted(first.values(), key=lambda each: each.id)


async def _removed(db: AsyncSession, job: PlanningJob, stands: Standings, hit: Sequence[Route]) -> dict[str, str]:
    """Orders ahead that are not to be brought any more: cancelled, or warm."""
    removed = {
        str(order.id): f"the order is {order.status} by now"
        for order in stands.orders.values()
        if order.status in ("cancelled", "returned")
    }
    if job.cause != "warm_van":
        return removed
    loaded = [stop.order_id for route in hit for stop in stands.ahead[route.id] if stop.status in _ABOARD]
    lines = (await db.scalars(select(OrderLine).where(OrderLine.order_id.in_(loaded)))).all()
    held = await reservations.held(db, [orders.source_of(line) for line in lines]) if lines else set()
    warm = {str(line.order_id) for line in lines if orders.source_of(line) in held}
    return removed | dict.fromkeys(sorted(warm), "its goods are on hold: the van was too warm")


async def _late(db: AsyncSession, job: PlanningJob, stands: Standings) -> Sequence[CustomerOrder]:
    """Orders to be taken along: those named, and after a cancellation whatever waits for a van."""
    if job.cause not in ("late_order", "cancelled"):
        return ()
    waiting = (await db.scalars(queries.waiting(job.delivery_date, job.warehouse_id))).all()
    named = set(job.order_ids) if job.cause == "late_order" else set[str]()
    return [order for order in waiting if order.id not in stands.orders and (not named or str(order.id) in named)]


@dataclass(frozen=True)
class Drives:
    """The open routes of a warehouse's day, at one moment."""

    day: date
    warehouse_id: uuid.UUID
    routes: Sequence[Route]
    now: datetime


async def wagons(db: AsyncSession, drives: Drives, said: Constraints, *, free: bool) -> list[Wagon]:
    """The vans of the routes, whatever became of them, and those that are free."""
    day, warehouse_id, now = drives.day, drives.warehouse_id, drives.now
    driving = {route.vehicle_id: route for route in drives.routes}
    found: list[Wagon] = []
    if driving:
        departs_at = min(route.departs_at for route in drives.routes)
        fleet = await availability.survey(
            db, day=day, warehouse_id=warehouse_id, vehicle_ids=list(driving), departs_at=departs_at
        )
        found = [_driving(gathering.wagon_of(van), driving[van.vehicle.id], now, said) for van in fleet.vans]
        missing = driving.keys() - {van.vehicle.id for van in fleet.vans}
        others = await db.scalars(select(Vehicle).where(Vehicle.id.in_(missing)).order_by(Vehicle.id))
        found += [_driving(_as_it_is(vehicle, now), driving[vehicle.id], now, said) for vehicle in others]
    if free:
        morning = await organizations.instant(db, day, _MORNING)
        first = min((each.departs_at for each in drives.routes), default=morning)
        departs_at = max(now + timedelta(seconds=_SOON_S), first)
        spare = await gathering.vans_of(db, day=day, warehouse_id=warehouse_id, departs_at=departs_at)
        found += [wagon for wagon in spare.wagons if uuid.UUID(wagon.vehicle_id) not in driving]
    return found


def _driving(wagon: Wagon, route: Route, now: datetime, said: Constraints) -> Wagon:
    """A van with a route: it leaves as planned, not before now, and may come back later than its shift says."""
    opens_s = max(_s(route.departs_at), _s(now) + _SOON_S)
    if route.status == RouteStatus.IN_PROGRESS:
        opens_s = _s(route.started_at or route.departs_at)
    closes_s = max(wagon.shift.closes_s, _s(now)) + said.overtime_s
    return replace(wagon, shift=Window(opens_s, max(opens_s, closes_s)))


def _as_it_is(vehicle: Vehicle, now: datetime) -> Wagon:
    """A van that may not be planned any more, but is on the road: its rest of the day is what it is."""
    part = Compartment.CHILLED if vehicle.is_refrigerated else Compartment.AMBIENT
    every = dict.fromkeys(Compartment, vehicle.capacity_g) if vehicle.is_refrigerated else {part: vehicle.capacity_g}
    return Wagon(str(vehicle.id), vehicle.number, vehicle.capacity_g, every, Window(_s(now), _s(now) + _LATE_S))


def _promised(recipe: Recipe, stands: Standings, rules: Rules) -> Recipe:
    """Stops that a route has are served late rather than not at all; a promise is kept where that is possible."""
    late = stands.standing().keys()
    cost = _LATE_COST[rules.objective]

    def promised(stop: Stop) -> Stop:
        if stop.id not in late:
            return stop
        window = stop.windows[0]
        due_s = window.closes_s if stop.due_s is None else stop.due_s
        closes_s = max(window.closes_s, _s(stands.now)) + _LATE_S
        return replace(
            stop, windows=(Window(window.opens_s, closes_s),), due_s=due_s, late_cost_per_hour=cost, max_ride_s=None
        )

    return replace(recipe, stops=tuple(map(promised, recipe.stops)))


async def _under_way(
    db: AsyncSession, recipe: Recipe, stands: Standings, depot: Point
) -> tuple[Recipe, tuple[UnderWay, ...]]:
    """The vans on the road: each where it was last, with a place of its own in the matrix."""
    driving = [route for route in stands.routes if route.status == RouteStatus.IN_PROGRESS]
    last = await tracking.last_positions(db, [route.vehicle_id for route in driving])
    places = {stop.id: stop.location for stop in recipe.stops}
    points, vans = list(recipe.points), []
    for route in driving:
        ahead = stands.ahead[route.id]
        here = last.get(route.vehicle_id)
        at_door = next((stop for stop in ahead if stop.status == DeliveryStatus.ARRIVED), None)
        if at_door is not None:
            place = places[str(at_door.order_id)]
        elif here is not None and here.recorded_at >= stands.now - _FRESH:
            place = len(points)
            points.append(Point(here.latitude, here.longitude))
        else:
            place = len(points)
            points.append(await _last_door(db, route) or depot)
        left_s = min(_s(route.started_at or route.departs_at), _s(stands.now))
        aboard = frozenset(str(stop.order_id) for stop in ahead if stop.status in _ABOARD)
        vans.append(
            UnderWay(
                vehicle=str(route.vehicle_id),
                place=place,
                free_s=_s(stands.now),
                left_s=left_s,
                bound_for=None if at_door is None else str(at_door.order_id),
                on_board=aboard,
                since_s=dict.fromkeys(aboard, left_s),
            )
        )
    return replace(recipe, points=tuple(points)), tuple(vans)


async def _last_door(db: AsyncSession, route: Route) -> Point | None:
    """Where a van that says nothing was for certain."""
    over = (DeliveryStatus.DELIVERED, DeliveryStatus.FAILED)
    its = (
        select(CustomerOrder.latitude, CustomerOrder.longitude)
        .join(Delivery, Delivery.order_id == CustomerOrder.id)
        .where(Delivery.route_id == route.id, Delivery.status.in_(over))
        .order_by(Delivery.sequence.desc())
        .limit(1)
    )
    found = (await db.execute(its)).tuples().one_or_none()
    return None if found is None else Point(*found)


def _as_driven(recipe: Recipe, stands: Standings) -> Plan:
    """The routes as a plan: what is ahead, at the times that were promised."""
    service_s = {stop.id: stop.service_time_s for stop in recipe.stops}
    routes = []
    for route in stands.routes:
        visits = []
        for stop in stands.ahead[route.id]:
            at_s = _s(stop.planned_arrival_at or stands.now)
            visits.append(Visit(str(stop.order_id), at_s, at_s, at_s + service_s[str(stop.order_id)]))
        if not visits:
            continue
        start_s = _s(stands.now) + _SOON_S
        if route.status == RouteStatus.IN_PROGRESS:
            start_s = min(_s(route.started_at or route.departs_at), _s(stands.now))
        end_s = max([start_s, *(visit.departure_s for visit in visits)])
        routes.append(Planned(str(route.vehicle_id), start_s, end_s, tuple(visits), 0, 0))
    return Plan(tuple(routes), tuple[Unserved, ...](), 0, "exact", "settled")


def _s(at: datetime) -> int:
    return int(at.timestamp())
