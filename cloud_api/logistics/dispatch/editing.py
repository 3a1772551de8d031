"""Changing a plan by hand: simulated at once, and kept only when it breaks no rule, or when somebody insists."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel import clock
from cloud_api.logistics.deliveries import service as deliveries
from cloud_api.logistics.deliveries.models import Route
from cloud_api.logistics.deliveries.states import RouteStatus
from cloud_api.logistics.dispatch import constraints, gathering, jobs, made, reading, replanning, words
from cloud_api.logistics.dispatch.errors import BadMove, StalePlan
from cloud_api.logistics.dispatch.models import PlanningEdit
from cloud_api.logistics.dispatch.moves import moved
from cloud_api.logistics.dispatch.schemas import AssignmentRequest, DraftRead
from cloud_api.logistics.dispatch.solutions import Solution, edited, packed, total_of
from cloud_api.logistics.dispatch.states import JOB, JobAction, JobStatus
from cloud_api.places.queries import EVERYWHERE, Visible
from route_optimizer.plan import Plan
from route_optimizer.problem import Problem


async def assign(
    db: AsyncSession, *, wanted: AssignmentRequest, user_id: uuid.UUID | None, seen: Visible = EVERYWHERE
) -> DraftRead:
    """Do what was asked for to a job's solution, or to the routes of a day that have not left.

    An edit that breaks rules is not kept unless it is forced: the answer says which, and what the plan would be.

    Raises:
        NotFound: when the job or the warehouse is not there.
        NoSolution: when the job has found nothing.
        InvalidTransition: when its solution was applied or given up.
        StalePlan: when somebody else changed it meanwhile.
        BadMove: when a stop or a van is not part of the plan.
        NothingToReplan: when no route of the day waits to leave, and no order for a van.
        PlanOutdated: when a route cannot be changed any more.
    """
    if wanted.job_id is not None:
        return await _of_job(db, wanted.job_id, wanted, user_id=user_id, seen=seen)
    if wanted.warehouse_id is None or wanted.delivery_date is None:
        raise BadMove("name a job_id, or a warehouse_id with its delivery_date", field="warehouse_id")
    day = made.DayOf(wanted.warehouse_id, wanted.delivery_date)
    return await _of_routes(db, day, wanted, user_id=user_id, seen=seen)


async def _of_job(
    db: AsyncSession, job_id: uuid.UUID, wanted: AssignmentRequest, *, user_id: uuid.UUID | None, seen: Visible
) -> DraftRead:
    job = await jobs.lock_job(db, job_id, seen=seen)
    row, before = await jobs.solution_of(db, job)
    JOB.apply(JobStatus(job.status), JobAction.APPLY)
    jobs.check_version(job, wanted.version)
    problem, orders = moved(before.recipe.problem(), before.orders(), wanted.moves)
    after = edited(before, problem, orders)
    speaker = await words.speaker(db, after)
    kept = _is_kept(wanted, after)
    if kept:
        row.content = packed(after)
        job.version += 1
        jobs.summarize(job, after, speaker)
        _note(db, wanted, after, speaker, day=made.DayOf(job.warehouse_id, job.delivery_date), user_id=user_id)
        await db.flush()
        jobs.tell(db, job)
    return _draft(before.plan, after, problem, speaker, kept=kept, version=job.version)


async def _of_routes(
    db: AsyncSession, day: made.DayOf, wanted: AssignmentRequest, *, user_id: uuid.UUID | None, seen: Visible
) -> DraftRead:
    """Only the vans concerned are driven and judged: what another one breaks stands in nobody's way."""
    if any(move.action in ("lock", "unlock") for move in wanted.moves):
        raise BadMove("routes that were made have no locks: lock the stops of a job's solution", field="moves")
    await gathering.located(db, day.warehouse_id, seen=seen)
    routes = await made.routes_of(db, day)
    concern = await made.concern_of(db, day, routes, wanted.moves)
    before = await made.as_solution(db, day, routes, concern)
    await _check_versions(db, concern, wanted.route_versions)
    problem, orders = moved(before.recipe.problem(), before.orders(), wanted.moves)
    after = edited(before, problem, orders)
    speaker = await words.speaker(db, after)
    kept = _is_kept(wanted, after)
    if kept:
        objective = (await constraints.get(db)).objective
        errand = replanning.Errand(
            day.warehouse_id, day.delivery_date, objective, "the dispatcher changed it", user_id, kind="edit"
        )
        await replanning.apply(db, _touched(before, after), errand)
        _note(db, wanted, after, speaker, day=day, user_id=user_id)
        routes = await made.routes_of(db, day)
    draft = _draft(before.plan, after, problem, speaker, kept=kept, version=None)
    draft.vehicle_ids = sorted(concern.vehicle_ids)
    by_van = {route.vehicle_id: route for route in routes}
    for each in draft.routes:
        route = by_van.get(each.vehicle_id)
        each.route_id, each.version = (None, None) if route is None else (route.id, route.version)
    return draft


async def _check_versions(db: AsyncSession, concern: made.Concern, seen: Mapping[uuid.UUID, int]) -> None:
    """Lock the routes concerned, and refuse to change what somebody else has changed meanwhile.

    Raises:
        StalePlan: when one is not at the version that the caller has seen, or is none of theirs any more.
    """
    routes = await deliveries.lock_routes(db, [route.id for route in concern.routes])
    now = {route.id: route.version for route in routes}
    gone = select(Route.id).where(
        Route.id.in_(seen.keys() - now.keys()),
        Route.vehicle_id.in_(concern.vehicle_ids),
        Route.status != RouteStatus.PLANNED,  # a van's later route waits for its turn
    )
    for route_id in (await db.scalars(gone)).all():
        raise StalePlan(f"route {route_id} does not wait to leave any more: look at it again", field="route_versions")
    for route_id, version in now.items():
        if seen.get(route_id, version) != version:
            raise StalePlan(
                f"route {route_id} is at version {version} by now: look at it again", field="route_versions"
            )


def _touched(before: Solution, after: Solution) -> Solution:
    """Only the vans whose order of stops is another: the others are not promised new times for nothing."""
    was, now = before.orders(), after.orders()
    changed = {vehicle for vehicle in was.keys() | now.keys() if was.get(vehicle, ()) != now.get(vehicle, ())}
    concerned = {name for vehicle in changed for name in (*was.get(vehicle, ()), *now.get(vehicle, ()))}
    return replace(
        after,
        plan=replace(after.plan, routes=tuple(each for each in after.plan.routes if each.vehicle in changed)),
        standing={name: stood for name, stood in after.standing.items() if name in concerned},
    )


def _is_kept(wanted: AssignmentRequest, after: Solution) -> bool:
    return not wanted.dry_run and (wanted.force or not after.violations)


def _note(
    db: AsyncSession,
    wanted: AssignmentRequest,
    after: Solution,
    speaker: words.Speaker,
    *,
    day: made.DayOf,
    user_id: uuid.UUID | None,
) -> None:
    """Who changed what, and the rules that it breaks."""
    moves: Sequence[dict[str, object]] = [move.model_dump(mode="json", exclude_none=True) for move in wanted.moves]
    db.add(
        PlanningEdit(
            job_id=wanted.job_id,
            warehouse_id=day.warehouse_id,
            delivery_date=day.delivery_date,
            edited_at=clock.now(),
            edited_by=user_id,
            moves=list(moves),
            violations=[each.model_dump() for each in reading.violations_read(after, speaker)],
        )
    )


def _draft(
    before: Plan, after: Solution, problem: Problem, speaker: words.Speaker, *, kept: bool, version: int | None
) -> DraftRead:
    was, now = total_of(problem, before.routes), total_of(problem, after.plan.routes)
    return DraftRead(
        kept=kept,
        version=version,
        vehicle_ids=sorted(uuid.UUID(each.id) for each in problem.vehicles),
        total=reading.figures_read(now),
        cost=after.plan.cost - before.cost,
        distance_m=now.distance_m - was.distance_m,
        duration_s=now.duration_s - was.duration_s,
        routes=reading.routes_read(after, problem),
        unserved=reading.unserved_read(after, speaker),
        violations=reading.violations_read(after, speaker),
    )
