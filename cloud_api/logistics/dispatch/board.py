"""A warehouse's day at a glance, in as many queries however long the day is."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity.organizations import service as organizations
from cloud_api.identity.people.service import names_of
from cloud_api.logistics.deliveries.models import Delivery, Route
from cloud_api.logistics.deliveries.states import DeliveryStatus, RouteStatus
from cloud_api.logistics.dispatch import gathering, queries
from cloud_api.logistics.dispatch.models import PlanningJob
from cloud_api.logistics.dispatch.schemas import (
    PlanningJobRead,
)
from cloud_api.logistics.dispatch.states import OPEN
from cloud_api.logistics.dispatch.view_schemas import (
    BoardOrderRead,
    BoardRead,
    BoardRouteRead,
    BoardVanRead,
)
from cloud_api.logistics.fleet import availability
from cloud_api.logistics.fleet.models import Vehicle
from cloud_api.logistics.tracking import service as tracking
from cloud_api.logistics.tracking.models import VehicleLastPosition
from cloud_api.places import service as places
from cloud_api.places.queries import EVERYWHERE, Visible

#: when a van whose driver has no shift leaves
_MORNING = time(7)
_AHEAD = (DeliveryStatus.ASSIGNED, DeliveryStatus.OUT_FOR_DELIVERY, DeliveryStatus.ARRIVED)


@dataclass(frozen=True)
class _Progress:
    """How far a route is."""

    stops: int = 0
    delivered: int = 0
    failed: int = 0
    next_arrival_at: datetime | None = None


async def board(
    db: AsyncSession, warehouse_id: uuid.UUID, *, day: date | None = None, seen: Visible = EVERYWHERE
) -> BoardRead:
    """What waits, who can drive, and what is on the road; today's, when no day is named.

    Raises:
        NotFound: when there is no such warehouse to be seen.
    """
    warehouse = await places.get_warehouse(db, warehouse_id, seen=seen)
    day = day or await places.today_in(db, warehouse.id)
    its = select(Route).where(Route.delivery_date == day, Route.warehouse_id == warehouse.id).order_by(Route.id)
    routes = (await db.scalars(its.where(Route.status != RouteStatus.CANCELLED))).all()
    jobs = select(PlanningJob).where(
        PlanningJob.warehouse_id == warehouse.id, PlanningJob.delivery_date == day, PlanningJob.status.in_(OPEN)
    )
    return BoardRead(
        warehouse_id=warehouse.id,
        delivery_date=day,
        unplanned=await _unplanned(db, day, warehouse.id),
        vans=await _vans(db, day, warehouse.id),
        routes=await _routes(db, routes),
        jobs=[PlanningJobRead.model_validate(job) for job in await db.scalars(jobs.order_by(PlanningJob.id.desc()))],
    )


async def _unplanned(db: AsyncSession, day: date, warehouse_id: uuid.UUID) -> list[BoardOrderRead]:
    orders = (await db.scalars(queries.waiting(day, warehouse_id))).all()
    loads = await gathering.loads_g(db, {order.id: order.packed_weight_g for order in orders})
    tried = dict((await db.execute(queries.failed_attempts([order.id for order in orders]))).tuples().all())
    return [
        BoardOrderRead(
            id=order.id,
            number=order.number,
            customer_name=order.customer_name,
            address=order.address,
            latitude=order.latitude,
            longitude=order.longitude,
            window_from=order.window_from,
            window_until=order.window_until,
            weight_g=sum(loads.get(order.id, {}).values()),
            attempts=tried.get(order.id, 0),
        )
        for order in orders
    ]


async def _vans(db: AsyncSession, day: date, warehouse_id: uuid.UUID) -> list[BoardVanRead]:
    departs_at = await organizations.instant(db, day, _MORNING)
    fleet = await availability.survey(db, day=day, warehouse_id=warehouse_id, departs_at=departs_at)
    left_out = select(Vehicle).where(Vehicle.id.in_(fleet.left_out)).order_by(Vehicle.id)
    others = (await db.scalars(left_out)).all()
    drivers = await names_of(db, [*(van.driver_id for van in fleet.vans), *(vehicle.driver_id for vehicle in others)])
    busy = select(Route.vehicle_id, Route.number).where(Route.status.in_(queries.OPEN_ROUTES)).order_by(Route.number)
    driving = dict((await db.execute(busy)).tuples().all())
    vans = [
        BoardVanRead(
            vehicle_id=van.vehicle.id,
            number=van.vehicle.number,
            driver_id=van.driver_id,
            driver_name=drivers.get(van.driver_id) if van.driver_id else None,
            capacity_g=van.vehicle.capacity_g,
            shift_from=van.shift.start_at,
            shift_until=van.shift.end_at,
            unavailable=f"drives {driving[van.vehicle.id]}" if van.vehicle.id in driving else "",
        )
        for van in fleet.vans
    ]
    vans += [
        BoardVanRead(
            vehicle_id=vehicle.id,
            number=vehicle.number,
            driver_id=vehicle.driver_id,
            driver_name=drivers.get(vehicle.driver_id) if vehicle.driver_id else None,
            capacity_g=vehicle.capacity_g,
            shift_from=None,
            shift_until=None,
            unavailable=fleet.left_out[vehicle.id],
        )
        for vehicle in others
    ]
    return vans


async def _routes(db: AsyncSession, routes: Sequence[Route]) -> list[BoardRouteRead]:
    far = await _progress(db, [route.id for route in routes])
    last = await tracking.last_positions(db, [route.vehicle_id for route in routes])
    drivers = await names_of(db, (route.driver_id for route in routes))
    return [_route(route, far.get(route.id, _Progress()), last, drivers) for route in routes]


async def _progress(db: AsyncSession, route_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, _Progress]:
    def count(*statuses: DeliveryStatus) -> ColumnElement[int]:
        return func.sum(case((Delivery.status.in_(statuses), 1), else_=0))

    its = (
        select(
            Delivery.route_id,
            func.count(),
            count(DeliveryStatus.DELIVERED),
            count(DeliveryStatus.FAILED, DeliveryStatus.RETURNED),
            func.min(case((Delivery.status.in_(_AHEAD), Delivery.planned_arrival_at))),
        )
        .where(Delivery.route_id.in_(route_ids), Delivery.status != DeliveryStatus.CANCELLED)
        .group_by(Delivery.route_id)
    )
    rows = (await db.execute(its)).tuples()
    return {
        route_id: _Progress(stops, int(delivered), int(failed), next_at)
        for route_id, stops, delivered, failed, next_at in rows
        if route_id is not None
    }


def _route(
    route: Route,
    far: _Progress,
    last: Mapping[uuid.UUID, VehicleLastPosition],
    drivers: Mapping[uuid.UUID, str],
) -> BoardRouteRead:
    here = last.get(route.vehicle_id) if route.status == RouteStatus.IN_PROGRESS else None
    return BoardRouteRead(
        id=route.id,
        number=route.number,
        status=route.status,
        version=route.version,
        vehicle_id=route.vehicle_id,
        driver_id=route.driver_id,
        driver_name=drivers.get(route.driver_id) if route.driver_id else None,
        departs_at=route.departs_at,
        started_at=route.started_at,
        completed_at=route.completed_at,
        distance_m=route.distance_m,
        load_g=route.load_g,
        stops=far.stops,
        delivered=far.delivered,
        failed=far.failed,
        next_arrival_at=far.next_arrival_at,
        latitude=here.latitude if here else None,
        longitude=here.longitude if here else None,
        seen_at=here.recorded_at if here else None,
    )
