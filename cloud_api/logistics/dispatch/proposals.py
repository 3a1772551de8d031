"""Proposals to plan the rest of a day again: one open at a time for a warehouse and a cause, the newest.

What happens in the meantime joins the proposal that still waits to be made; one that was made already, or is just being
made, gives way to a new one that knows of both.
"""

import uuid
from collections.abc import Collection, Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel import clock, outbox
from cloud_api.kernel.errors import NotFound
from cloud_api.logistics.deliveries.models import Route
from cloud_api.logistics.deliveries.queries import VisibleRoutes
from cloud_api.logistics.dispatch import constraints, jobs, queries
from cloud_api.logistics.dispatch.errors import NothingToReplan
from cloud_api.logistics.dispatch.models import PlanningJob
from cloud_api.logistics.dispatch.schemas import Cause
from cloud_api.logistics.dispatch.states import JOB, OPEN, JobAction, JobStatus
from cloud_api.logistics.events import PlanningRequested
from cloud_api.orders.book.models import CustomerOrder
from cloud_api.places.queries import EVERYWHERE, Visible

TIME_LIMIT_S = 2
_SUPERSEDED = "a newer proposal took its place"
_LONGEST_WHY = 300


async def propose_replan(
    db: AsyncSession,
    *,
    route_ids: Collection[uuid.UUID],
    why: str,
    cause: Cause,
    order_ids: Collection[uuid.UUID] = (),
    time_limit_s: int = TIME_LIMIT_S,
    user_id: uuid.UUID | None = None,
    seen: Visible = EVERYWHERE,
) -> PlanningJob:
    """Have the rest of a day planned again; `ReplanProposed` tells when there is something to look at.

    Args:
        route_ids: that something happened to; all of one warehouse and day.
        why: in words, for dispatchers and drivers.
        order_ids: those that are late, or were cancelled.

    Raises:
        NotFound: when a route or an order is not there to be seen.
        NothingToReplan: when none of them is planned or under way, or they are of several warehouses or days.
    """
    routes = await _routes(db, route_ids, seen)
    warehouse_id, day = routes[0].warehouse_id, routes[0].delivery_date
    await _check_orders(db, order_ids, warehouse_id)
    before = await _open_proposal(db, warehouse_id, cause)
    if before is not None and before.status == JobStatus.QUEUED and before.delivery_date == day:
        _join(before, routes, why, order_ids)
        await db.flush()
        return before
    job = await _new_job(db, warehouse_id, day, cause)
    job.time_limit_s, job.requested_by = time_limit_s, user_id
    if before is not None:
        if before.delivery_date == day:
            job.route_ids, job.order_ids, job.why = list(before.route_ids), list(before.order_ids), before.why
        _give_way(db, before)
        await db.flush()
    _join(job, routes, why, order_ids)
    try:
        async with db.begin_nested():
            db.add(job)
    except IntegrityError:  # somebody else proposed the same at this moment
        other = await _open_proposal(db, warehouse_id, cause)
        if other is None:
            raise
        return other
    outbox.emit(db, PlanningRequested(job.id))
    return job


async def _new_job(db: AsyncSession, warehouse_id: uuid.UUID, day: date, cause: Cause) -> PlanningJob:
    """A job about nothing so far."""
    return PlanningJob(
        warehouse_id=warehouse_id,
        delivery_date=day,
        kind="replan",
        objective=(await constraints.get(db)).objective,
        departs_at=clock.now(),
        vehicle_ids=[],
        route_ids=[],
        order_ids=[],
        time_limit_s=TIME_LIMIT_S,
        seed=0,
        cause=cause,
        why="",
        requested_at=clock.now(),
    )


async def _routes(db: AsyncSession, route_ids: Collection[uuid.UUID], seen: Visible) -> Sequence[Route]:
    """Those of them that are open; at least one, all of one warehouse's day."""
    shown = VisibleRoutes(seen).routes()
    found = (await db.scalars(select(Route).where(Route.id.in_(route_ids), shown).order_by(Route.id))).all()
    missing = set(route_ids) - {route.id for route in found}
    if missing:
        raise NotFound(f"no route with id {min(missing, key=str)}", field="route_ids")
    routes = [route for route in found if route.status in queries.OPEN_ROUTES]
    if not routes:
        raise NothingToReplan("none of these routes is planned or under way", field="route_ids")
    if len({(route.warehouse_id, route.delivery_date) for route in routes}) > 1:
        raise NothingToReplan(
            "these routes are of several warehouses or days: replan each by itself", field="route_ids"
        )
    return routes


async def _check_orders(db: AsyncSession, order_ids: Collection[uuid.UUID], warehouse_id: uuid.UUID) -> None:
    its = select(CustomerOrder.id).where(CustomerOrder.id.in_(order_ids), CustomerOrder.warehouse_id == warehouse_id)
    missing = set(order_ids) - set((await db.scalars(its)).all())
    if missing:
        raise NotFound(f"no order of that warehouse with id {min(missing, key=str)}", field="order_ids")


async def _open_proposal(db: AsyncSession, warehouse_id: uuid.UUID, cause: Cause) -> PlanningJob | None:
    its = (
        select(PlanningJob)
        .where(
            PlanningJob.kind == "replan",
            PlanningJob.warehouse_id == warehouse_id,
            PlanningJob.cause == cause,
            PlanningJob.status.in_(OPEN),
        )
        .with_for_update()
    )
    return (await db.scalars(its.execution_options(populate_existing=True))).one_or_none()


def _join(job: PlanningJob, routes: Sequence[Route], why: str, order_ids: Collection[uuid.UUID]) -> None:
    """One more thing that the proposal answers."""
    job.route_ids = list(dict.fromkeys([*job.route_ids, *(str(route.id) for route in routes)]))
    job.order_ids = list(dict.fromkeys([*job.order_ids, *map(str, order_ids)]))
    if why and why not in job.why:
        job.why = "; ".join(part for part in (job.why, why) if part)[:_LONGEST_WHY]


def _give_way(db: AsyncSession, job: PlanningJob) -> None:
    action = JobAction.DISCARD if job.status == JobStatus.SUCCEEDED else JobAction.CANCEL
    job.status = JOB.apply(JobStatus(job.status), action)
    job.error, job.leased_until = _SUPERSEDED, None
    job.finished_at = job.finished_at or clock.now()
    jobs.tell(db, job)


async def open_routes_of(db: AsyncSession, day: date, warehouse_id: uuid.UUID) -> Sequence[uuid.UUID]:
    """Routes of a day that are planned or under way, by their ids."""
    return (await db.scalars(queries.open_routes(day, warehouse_id).with_only_columns(Route.id))).all()
