"""The routes of a warehouse's day, stop by stop, in as many queries however many there are."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, tzinfo
from itertools import groupby
from typing import Any, TypeAlias

from sqlalchemy import Row, Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity.organizations import service as organizations
from cloud_api.logistics.deliveries.models import Delivery, Route
from cloud_api.logistics.deliveries.states import DeliveryStatus, RouteStatus
from cloud_api.logistics.dispatch import gathering, made, reading
from cloud_api.logistics.dispatch.errors import NothingToReplan, WarehouseWithoutCoordinates
from cloud_api.logistics.dispatch.schemas import PlanRouteRead
from cloud_api.logistics.dispatch.view_schemas import (
    BoardOrderRead,
    ScheduledRouteRead,
    ScheduledStopRead,
    ScheduleRead,
)
from cloud_api.logistics.fleet.models import Vehicle
from cloud_api.orders.book.models import CustomerOrder
from cloud_api.places import service as places
from cloud_api.places.queries import EVERYWHERE, Visible

#: what `_stops` selects of a delivery and its order
_Stop: TypeAlias = Row[Any]


async def schedule(
    db: AsyncSession, warehouse_id: uuid.UUID, *, day: date | None = None, seen: Visible = EVERYWHERE
) -> ScheduleRead:
    """All routes that were not given up; today's, when no day is named.

    Raises:
        NotFound: when there is no such warehouse to be seen.
    """
    warehouse = await places.get_warehouse(db, warehouse_id, seen=seen)
    day = day or await places.today_in(db, warehouse.id)
    its = (
        select(Route, Vehicle.number)
        .join(Vehicle, Vehicle.id == Route.vehicle_id)
        .where(Route.delivery_date == day, Route.warehouse_id == warehouse.id, Route.status != RouteStatus.CANCELLED)
        .order_by(Route.id)
    )
    routes = (await db.execute(its)).tuples().all()
    planned = await _as_planned(db, made.DayOf(warehouse.id, day), [route for route, _ in routes])
    stops = (await db.execute(_stops([route.id for route, _ in routes]))).all()
    of_route = {route_id: list(its) for route_id, its in groupby(stops, key=lambda stop: stop.route_id)}
    zone = await organizations.zone(db)
    weights = await _weights_g(db, stops)
    return ScheduleRead(
        warehouse_id=warehouse.id,
        delivery_date=day,
        routes=[
            _planned(route, planned[route.id])
            if route.id in planned
            else _driven(route, number, [_stop(each, weights, zone) for each in of_route.get(route.id, [])])
            for route, number in routes
        ],
        orders=[_order(stop, weights) for stop in stops],
    )


async def _as_planned(db: AsyncSession, day: made.DayOf, routes: Sequence[Route]) -> Mapping[uuid.UUID, PlanRouteRead]:
    """Those that have not left, by their ids; none where nothing can be reckoned: their times are the promised ones."""
    waiting = made.that_wait(routes)
    if not waiting:
        return {}
    everything = made.Concern(frozenset(route.vehicle_id for route in waiting), waiting, ())
    try:
        solution = await made.as_solution(db, day, waiting, everything)
    except (NothingToReplan, WarehouseWithoutCoordinates):
        return {}
    drawn_up = reading.routes_read(solution, solution.recipe.problem())
    return {each.route_id: each for each in drawn_up if each.route_id is not None}


def _stops(route_ids: Iterable[uuid.UUID]) -> Select[Any]:
    return (
        select(
            Delivery.route_id,
            Delivery.order_id,
            Delivery.sequence,
            Delivery.status,
            Delivery.attempt,
            Delivery.planned_arrival_at,
            Delivery.arrived_at,
            Delivery.delivered_at,
            CustomerOrder.number,
            CustomerOrder.customer_name,
            CustomerOrder.address,
            CustomerOrder.latitude,
            CustomerOrder.longitude,
            CustomerOrder.delivery_date,
            CustomerOrder.window_from,
            CustomerOrder.window_until,
            CustomerOrder.packed_weight_g,
        )
        .join(CustomerOrder, CustomerOrder.id == Delivery.order_id)
        .where(Delivery.route_id.in_(route_ids), Delivery.status != DeliveryStatus.CANCELLED)
        .order_by(Delivery.route_id, Delivery.sequence)
    )


def _planned(route: Route, plan: PlanRouteRead) -> ScheduledRouteRead:
    """One that has not left."""
    told = plan.model_dump(exclude={"stops", "route_id", "version"})
    stops = [ScheduledStopRead(**stop.model_dump(), status=DeliveryStatus.ASSIGNED) for stop in plan.stops]
    return ScheduledRouteRead(
        **told, route_id=route.id, status=route.status, version=route.version, load_g=route.load_g, stops=stops
    )


async def _weights_g(db: AsyncSession, stops: Sequence[_Stop]) -> Mapping[uuid.UUID, int]:
    """Order -> grams: as weighed when it was packed, else as its units weigh."""
    unweighed = {stop.order_id: None for stop in stops if stop.packed_weight_g is None}
    loads = await gathering.loads_g(db, unweighed)
    return {stop.order_id: stop.packed_weight_g or sum(loads.get(stop.order_id, {}).values()) for stop in stops}


def _driven(route: Route, number: str, stops: list[ScheduledStopRead]) -> ScheduledRouteRead:
    """One that is on the road or back; or nobody can reckon when it would come where."""
    return ScheduledRouteRead(
        route_id=route.id,
        status=route.status,
        version=route.version,
        vehicle_id=route.vehicle_id,
        vehicle_number=number,
        driver_id=route.driver_id,
        departs_at=route.started_at or route.departs_at,
        returns_at=route.completed_at,
        distance_m=route.distance_m,
        duration_s=route.duration_s,
        late_s=sum(each.late_s for each in stops),
        load_g=route.load_g,
        loads=[],
        rests=[],
        stops=stops,
    )


def _stop(stop: _Stop, weights_g: Mapping[uuid.UUID, int], zone: tzinfo) -> ScheduledStopRead:
    at: datetime = stop.arrived_at or stop.delivered_at or stop.planned_arrival_at
    closes = datetime.combine(stop.delivery_date, stop.window_until, zone).astimezone(UTC)
    return ScheduledStopRead(
        order_id=stop.order_id,
        order_number=stop.number,
        sequence=stop.sequence,
        arrives_at=at,
        starts_at=at,
        leaves_at=stop.delivered_at or at,
        waits_s=0,
        late_s=max(0, int((at - closes).total_seconds())),
        load_g=weights_g[stop.order_id],
        latitude=stop.latitude,
        longitude=stop.longitude,
        locked=False,
        status=stop.status,
    )


def _order(stop: _Stop, weights_g: Mapping[uuid.UUID, int]) -> BoardOrderRead:
    return BoardOrderRead(
        id=stop.order_id,
        number=stop.number,
        customer_name=stop.customer_name,
        address=stop.address,
        latitude=stop.latitude,
        longitude=stop.longitude,
        window_from=stop.window_from,
        window_until=stop.window_until,
        weight_g=weights_g[stop.order_id],
        attempts=stop.attempt - 1,
    )
