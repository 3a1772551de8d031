"""Planning a day: packed orders and vans become a `route_optimizer.Problem`, its plan becomes routes and deliveries.

A job is written with the request and run later by a `Planner`, outside any transaction: solving takes seconds, and no
lock is held meanwhile. What changed in between (an order cancelled, a van sent to the workshop) is left out when the
plan is applied, with that as its reason.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity.organizations import service as organizations
from cloud_api.kernel import clock, outbox
from cloud_api.kernel.errors import NotFound
from cloud_api.kernel.numbers import next_number
from cloud_api.logistics.deliveries.models import Delivery, Route
from cloud_api.logistics.deliveries.states import DeliveryStatus, RouteStatus
from cloud_api.logistics.dispatch.errors import NothingToPlan, WarehouseWithoutCoordinates
from cloud_api.logistics.dispatch.models import PlanningJob
from cloud_api.logistics.dispatch.schemas import OptimizeRequest
from cloud_api.logistics.dispatch.states import JOB, JobAction, JobStatus
from cloud_api.logistics.events import PlanningRequested
from cloud_api.logistics.fleet.models import Vehicle
from cloud_api.orders.book import queries as order_queries
from cloud_api.orders.book import service as orders
from cloud_api.orders.book.models import CustomerOrder
from cloud_api.orders.book.states import OrderStatus
from cloud_api.places import service as places
from cloud_api.places.queries import EVERYWHERE, Visible
from route_optimizer import matrices
from route_optimizer import plan as plans
from route_optimizer import problem as problems

#: handing over at a door, seconds
SERVICE_TIME_S = 240
#: over a day in a city, standing at lights included
CITY_SPEED_KMH = 25.0
#: a driver's day
SHIFT = timedelta(hours=10)
#: the machine that runs a job must say so again within this time, or another takes it
LEASE = timedelta(minutes=10)


@dataclass(frozen=True)
class Task:
    """A job as the solver takes it."""

    job_id: uuid.UUID
    problem: problems.Problem
    time_limit_s: int
    seed: int


async def request(
    db: AsyncSession, *, wanted: OptimizeRequest, user_id: uuid.UUID, seen: Visible = EVERYWHERE
) -> PlanningJob:
    """Queue a planning job.

    Raises:
        NotFound: when the warehouse or a vehicle is not there.
        WarehouseWithoutCoordinates: when it does not say where it is.
        NothingToPlan: when no order is packed for that day, or no van is active.
    """
    warehouse = await places.get_warehouse(db, wanted.warehouse_id, seen=seen)
    if warehouse.latitude is None or warehouse.longitude is None:
        raise WarehouseWithoutCoordinates(f"{warehouse.name} has no coordinates: set them first", field="warehouse_id")
    if not await _waiting(db, wanted.delivery_date, warehouse.id):
        raise NothingToPlan(f"no order of {warehouse.name} is packed for {wanted.delivery_date}", field="delivery_date")
    vehicles = await _vehicles(db, wanted.vehicle_ids)
    job = PlanningJob(
        warehouse_id=warehouse.id,
        delivery_date=wanted.delivery_date,
        departs_at=await organizations.instant(db, wanted.delivery_date, wanted.departs_at),
        vehicle_ids=[str(vehicle.id) for vehicle in vehicles],
        time_limit_s=wanted.time_limit_s,
        seed=wanted.seed,
        requested_at=clock.now(),
        requested_by=user_id,
    )
    db.add(job)
    await db.flush()
    outbox.emit(db, PlanningRequested(job.id))
    return job


async def get_job(db: AsyncSession, job_id: uuid.UUID, *, seen: Visible = EVERYWHERE) -> PlanningJob:
    """One job.

    Raises:
        NotFound: when there is none to be seen.
    """
    job = await db.get(PlanningJob, job_id)
    if job is None or not seen.shows(job.warehouse_id):
        raise NotFound(f"no planning job with id {job_id}")
    return job


async def start(db: AsyncSession, job_id: uuid.UUID) -> Task:
    """Mark a claimed job as running, and put its problem together as the day stands now."""
    job = (await db.scalars(select(PlanningJob).where(PlanningJob.id == job_id).with_for_update())).one()
    job.status = JOB.apply(JobStatus(job.status), JobAction.RUN)
    packed = await _waiting(db, job.delivery_date, job.warehouse_id)
    vehicles = await _vehicles(db, [uuid.UUID(vehicle_id) for vehicle_id in job.vehicle_ids])
    return Task(job.id, await _problem(db, job, packed, vehicles), job.time_limit_s, job.seed)


async def apply(db: AsyncSession, job_id: uuid.UUID, plan: plans.Plan) -> PlanningJob:
    """Make routes and deliveries of a plan; whatever is no longer as it was planned is left out and named."""
    job = (await db.scalars(select(PlanningJob).where(PlanningJob.id == job_id).with_for_update())).one()
    job.status = JOB.apply(JobStatus(job.status), JobAction.APPLY)
    left_out = {stop.stop: "; ".join(reason.words for reason in stop.reasons) for stop in plan.unserved}
    # two jobs for the same orders wait for each other, whatever way round they drive them
    for order_id in sorted(uuid.UUID(visit.stop) for route in plan.routes for visit in route.visits):
        await orders.lock_order(db, order_id)
    for route in sorted(plan.routes, key=lambda route: route.vehicle):
        left_out |= await _apply_route(db, job, route)
    job.distance_m = sum(route.distance_m for route in plan.routes)
    job.unserved = [{"order_id": order_id, "reason": reason} for order_id, reason in sorted(left_out.items())]
    job.finished_at = clock.now()
    return job


async def fail(db: AsyncSession, job_id: uuid.UUID, error: str) -> None:
    """The day cannot be planned at all; says why."""
    job = (await db.scalars(select(PlanningJob).where(PlanningJob.id == job_id).with_for_update())).one()
    job.status = JOB.apply(JOB.apply(JobStatus(job.status), JobAction.RUN), JobAction.FAIL)
    job.error = error
    job.finished_at = clock.now()


async def _waiting(db: AsyncSession, day: date, warehouse_id: uuid.UUID) -> Sequence[CustomerOrder]:
    """Packed orders of the day that no route has taken yet."""
    return (
        await db.scalars(order_queries.packed_for(day, warehouse_id).where(CustomerOrder.id.not_in(_on_a_route())))
    ).all()


def _on_a_route() -> Select[tuple[uuid.UUID]]:
    return select(Delivery.order_id).where(Delivery.status == DeliveryStatus.ASSIGNED)


async def _vehicles(db: AsyncSession, wanted: Sequence[uuid.UUID]) -> Sequence[Vehicle]:
    """The active vehicles, or those of `wanted`, that are not on the road."""
    driving = select(Route.vehicle_id).where(Route.status.in_((RouteStatus.PLANNED, RouteStatus.IN_PROGRESS)))
    statement = select(Vehicle).where(Vehicle.status == "active", Vehicle.id.not_in(driving)).order_by(Vehicle.id)
    if wanted:
        statement = statement.where(Vehicle.id.in_(wanted))
    vehicles = (await db.scalars(statement)).all()
    if not vehicles:
        raise NothingToPlan("no van is active and without a route: add one, or end its route", field="vehicle_ids")
    return vehicles


async def _problem(
    db: AsyncSession, job: PlanningJob, packed: Sequence[CustomerOrder], vehicles: Sequence[Vehicle]
) -> problems.Problem:
    """Place 0 is the warehouse; place n the door of order n. Seconds are Unix time."""
    warehouse = await places.get_warehouse(db, job.warehouse_id)
    doors = [matrices.Point(warehouse.latitude or 0.0, warehouse.longitude or 0.0)]
    doors += [matrices.Point(order.latitude, order.longitude) for order in packed]
    leaves_s = int(job.departs_at.timestamp())
    shift = problems.Window(leaves_s, leaves_s + int(SHIFT.total_seconds()))
    stops = [
        problems.Stop(
            id=str(order.id),
            location=place,
            windows=(await _window(db, order),),
            service_time_s=SERVICE_TIME_S,
            loads=(problems.Load("weight_g", await orders.weight_g(db, order.id)),),
        )
        for place, order in enumerate(packed, start=1)
    ]
    vans = [
        problems.Vehicle(
            id=str(vehicle.id),
            start=0,
            end=0,
            capacities=(problems.Capacity("weight_g", vehicle.capacity_g),),
            shift=shift,
        )
        for vehicle in vehicles
    ]
    return problems.Problem(tuple(stops), tuple(vans), matrices.haversine(doors, speed_kmh=CITY_SPEED_KMH))


async def _window(db: AsyncSession, order: CustomerOrder) -> problems.Window:
    opens = await organizations.instant(db, order.delivery_date, order.window_from)
    closes = await organizations.instant(db, order.delivery_date, order.window_until)
    return problems.Window(int(opens.timestamp()), int(closes.timestamp()))


async def _apply_route(db: AsyncSession, job: PlanningJob, planned: plans.Route) -> dict[str, str]:
    """Make one route. Returns order -> reason for those that are left out after all."""
    vehicle = (
        await db.scalars(select(Vehicle).where(Vehicle.id == uuid.UUID(planned.vehicle)).with_for_update())
    ).one()
    if vehicle.status != "active":
        return {visit.stop: f"vehicle {vehicle.number} is {vehicle.status} by now" for visit in planned.visits}
    left_out: dict[str, str] = {}
    kept: list[tuple[CustomerOrder, datetime]] = []
    for visit in planned.visits:
        order = await orders.lock_order(db, uuid.UUID(visit.stop))
        taken = await db.scalar(_on_a_route().where(Delivery.order_id == order.id))
        if taken is not None:
            left_out[visit.stop] = "another route has taken the order meanwhile"
        elif order.status == OrderStatus.PACKED:
            kept.append((order, datetime.fromtimestamp(visit.start_s, UTC)))
        else:
            left_out[visit.stop] = f"the order is {order.status} by now"
    if not kept:
        return left_out
    route = Route(
        number=await next_number(db, "RT"),
        vehicle_id=vehicle.id,
        driver_id=vehicle.driver_id,
        warehouse_id=job.warehouse_id,
        planning_job_id=job.id,
        delivery_date=job.delivery_date,
        departs_at=datetime.fromtimestamp(planned.start_s, UTC),
        distance_m=planned.distance_m,
        duration_s=planned.duration_s,
        load_g=sum([await orders.weight_g(db, order.id) for order, _ in kept]),
    )
    db.add(route)
    await db.flush()
    for sequence, (order, arrival) in enumerate(kept, start=1):
        attempts = await db.scalar(select(func.max(Delivery.attempt)).where(Delivery.order_id == order.id))
        db.add(
            Delivery(
                number=await next_number(db, "DLV"),
                order_id=order.id,
                attempt=(attempts or 0) + 1,
                route_id=route.id,
                sequence=sequence,
                planned_arrival_at=arrival,
            )
        )
    await db.flush()
    return left_out
