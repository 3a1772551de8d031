"""Making routes of a solution: all of it, or a list of what no longer holds.

Two jobs for the same orders or vans wait for each other: vans are locked in key order, then orders in theirs.
"""

import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity.organizations import service as organizations
from cloud_api.kernel import clock
from cloud_api.logistics.deliveries import routing
from cloud_api.logistics.deliveries.models import Delivery, Route
from cloud_api.logistics.dispatch import checks, gathering, history, jobs, queries, replanning
from cloud_api.logistics.dispatch.models import PlanningJob
from cloud_api.logistics.dispatch.solutions import Solution, figures_of
from cloud_api.logistics.dispatch.states import JOB, JobAction, JobStatus
from cloud_api.orders.book.models import CustomerOrder
from cloud_api.orders.book.states import OrderStatus
from cloud_api.places.queries import EVERYWHERE, Visible
from route_optimizer import plan as plans
from route_optimizer.problem import Problem, Stop
from route_optimizer.whatif import drive


async def apply_job(
    db: AsyncSession,
    job_id: uuid.UUID,
    *,
    user_id: uuid.UUID | None,
    allow_partial: bool = False,
    version: int | None = None,
    seen: Visible = EVERYWHERE,
) -> PlanningJob:
    """Publish what a job found. Of two who do so at once the first one wins; again is refused.

    Raises:
        NotFound: when there is no such job to be seen.
        InvalidTransition: when it has not succeeded, or was applied before.
        StalePlan: when somebody edited it meanwhile.
        PlanOutdated: when something no longer holds, naming each stop; not with `allow_partial`: then the rest is made.
    """
    job = await jobs.lock_job(db, job_id, seen=seen)
    JOB.apply(JobStatus(job.status), JobAction.APPLY)
    jobs.check_version(job, version)
    _, solution = await jobs.solution_of(db, job)
    await apply(db, job, solution, allow_partial=allow_partial, user_id=user_id)
    jobs.tell(db, job)
    return job


async def apply(
    db: AsyncSession, job: PlanningJob, solution: Solution, *, allow_partial: bool, user_id: uuid.UUID | None
) -> None:
    """Make routes of a solution, or what a replan changes of them; the job is locked by the caller.

    Raises:
        PlanOutdated: when something no longer holds, and that is not allowed.
    """
    job.status = JOB.apply(JobStatus(job.status), JobAction.APPLY)
    job.applied_at, job.applied_by = clock.now(), user_id
    if job.kind == "replan":
        errand = replanning.Errand(
            job.warehouse_id, job.delivery_date, job.objective, job.why, user_id, kind="replan", job_id=job.id
        )
        await replanning.apply(db, solution, errand)
        return
    outdated = await _outdated(db, job, solution)
    if outdated and not allow_partial:
        raise checks.refusal(outdated, solution.recipe.names)
    problem = solution.recipe.problem()
    for route in sorted(solution.plan.routes, key=lambda each: each.vehicle):
        stays = _without(problem, route, outdated)
        if stays is not None:
            made = await _publish(db, job, solution, stays)
            history.note(
                db,
                made.id,
                before=solution.before[route.vehicle],
                after=figures_of(problem, stays),
                kind="plan",
                objective=job.objective,
                job_id=job.id,
            )
    if outdated:
        known = [each for each in job.unserved if each["order_id"] not in outdated]
        left_out = [{"order_id": order_id, "reason": reason} for order_id, reason in outdated.items()]
        job.unserved = sorted(known + left_out, key=lambda each: each["order_id"])
    await db.flush()


def _without(problem: Problem, route: plans.Route, outdated: Mapping[str, str]) -> plans.Route | None:
    """The route without the stops that no longer hold; None: nothing is left of it."""
    left = [problem.stop_by_id[visit.stop] for visit in route.visits if visit.stop not in outdated]
    if len(left) == len(route.visits):
        return route
    return drive(problem, replace(problem.vehicle_by_id[route.vehicle], locked=()), left) if left else None


async def _publish(db: AsyncSession, job: PlanningJob, solution: Solution, route: plans.Route) -> Route:
    driver_id = solution.recipe.drivers.get(route.vehicle)
    return await routing.create_route(
        db,
        new=routing.NewRoute(
            vehicle_id=uuid.UUID(route.vehicle),
            driver_id=None if driver_id is None else uuid.UUID(driver_id),
            warehouse_id=job.warehouse_id,
            delivery_date=job.delivery_date,
            departs_at=checks.instant(route.start_s),
            distance_m=route.distance_m,
            duration_s=route.duration_s,
            stops=[routing.PlannedStop(uuid.UUID(visit.stop), checks.instant(visit.start_s)) for visit in route.visits],
            planning_job_id=job.id,
        ),
    )


async def _outdated(db: AsyncSession, job: PlanningJob, solution: Solution) -> dict[str, str]:
    """Order -> why it can no longer be brought as it was planned. Everything looked at is locked."""
    vans = await checks.unfit_vans(db, [uuid.UUID(route.vehicle) for route in solution.plan.routes])
    order_ids = [uuid.UUID(visit.stop) for route in solution.plan.routes for visit in route.visits]
    orders = await checks.locked_orders(db, order_ids)
    taken = set((await db.scalars(queries.taken_orders().where(Delivery.order_id.in_(order_ids)))).all())
    stops = {stop.id: stop for stop in solution.recipe.stops}
    zone = await organizations.zone(db)
    found: dict[str, str] = {}
    for route in solution.plan.routes:
        for visit in route.visits:
            order = orders.get(uuid.UUID(visit.stop))
            if order is None:
                reason = "the order is gone"
            elif order.id in taken:
                reason = "another route has taken the order meanwhile"
            elif order.status != OrderStatus.PACKED:
                reason = f"the order is {order.status} by now"
            elif route.vehicle in vans:
                reason = vans[route.vehicle]
            else:
                at = solution.recipe.points[stops[visit.stop].location]
                opens_at, closes_at = gathering.window_of(order, zone)
                reason = _moved(job, order, stops[visit.stop], at, (opens_at, closes_at))
            if reason:
                found[visit.stop] = reason
    return found


def _moved(
    job: PlanningJob,
    order: CustomerOrder,
    stop: Stop,
    at: tuple[float, float],
    window: tuple[datetime, datetime],
) -> str:
    """What of an order is not as the plan has it, in words; empty: all is."""
    if (order.warehouse_id, order.delivery_date) != (job.warehouse_id, job.delivery_date):
        return "the order is for another day or warehouse by now"
    if (order.latitude, order.longitude) != tuple(at):
        return "its door is another by now"
    closes_s = stop.due_s if stop.due_s is not None else stop.windows[0].closes_s
    if (int(window[0].timestamp()), int(window[1].timestamp())) != (stop.windows[0].opens_s, closes_s):
        return "its window is another by now"
    return ""
