"""The verbs of planning jobs: queued, run, found, given up.

A job is written with the request and run later by a `Planner`, outside any transaction: solving takes seconds, and no
lock is held meanwhile. Each taking of a job has a number: what an earlier one finds is refused.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity.organizations import service as organizations
from cloud_api.kernel import clock, outbox
from cloud_api.kernel.db import announce
from cloud_api.logistics.dispatch import applying, constraints, gathering, jobs, queries, replanning, standings, words
from cloud_api.logistics.dispatch.errors import NothingToPlan, Overtaken
from cloud_api.logistics.dispatch.models import PlanningJob, PlanningSolution
from cloud_api.logistics.dispatch.problems import recipe_of
from cloud_api.logistics.dispatch.schemas import PlanRequest
from cloud_api.logistics.dispatch.solutions import Solution, packed
from cloud_api.logistics.dispatch.solver import Task
from cloud_api.logistics.dispatch.states import JOB, JobAction, JobStatus
from cloud_api.logistics.events import PlanningRequested, ReplanProposed
from cloud_api.orders.book.models import CustomerOrder
from cloud_api.places.queries import EVERYWHERE, Visible
from cloud_api.realtime.hub import topic_of
from route_optimizer.search import Progress

#: the machine that runs a job must say so again within this time, or another takes it
LEASE = timedelta(seconds=45)


@dataclass(frozen=True)
class Started:
    """A job that this machine runs."""

    job_id: uuid.UUID
    #: which taking of the job this is
    run: int
    task: Task


async def request(
    db: AsyncSession, *, wanted: PlanRequest, user_id: uuid.UUID | None, seen: Visible = EVERYWHERE
) -> PlanningJob:
    """Queue a planning job.

    Raises:
        NotFound: when the warehouse is not there.
        WarehouseWithoutCoordinates: when it does not say where it is.
        NothingToPlan: when no order is packed for that day, one that is named is not, or no van is active.
    """
    warehouse, _ = await gathering.located(db, wanted.warehouse_id, seen=seen)
    said = await constraints.get(db)
    departs_at = await organizations.instant(db, wanted.delivery_date, wanted.departs_at)
    packed_orders = (await db.scalars(queries.waiting(wanted.delivery_date, warehouse.id))).all()
    if not packed_orders:
        raise NothingToPlan(f"no order of {warehouse.name} is packed for {wanted.delivery_date}", field="delivery_date")
    _chosen(packed_orders, wanted.order_ids)
    vans = await gathering.vans_of(
        db,
        day=wanted.delivery_date,
        warehouse_id=warehouse.id,
        departs_at=departs_at,
        vehicle_ids=wanted.vehicle_ids,
    )
    vans.expected()
    job = PlanningJob(
        warehouse_id=warehouse.id,
        delivery_date=wanted.delivery_date,
        objective=wanted.objective or said.objective,
        departs_at=departs_at,
        vehicle_ids=[str(vehicle_id) for vehicle_id in wanted.vehicle_ids],
        order_ids=[str(order_id) for order_id in wanted.order_ids],
        priorities={str(order_id): priority for order_id, priority in wanted.priorities.items()},
        time_limit_s=wanted.time_limit_s,
        seed=wanted.seed,
        auto_apply=wanted.auto_apply,
        requested_at=clock.now(),
        requested_by=user_id,
    )
    db.add(job)
    await db.flush()
    outbox.emit(db, PlanningRequested(job.id))
    return job


async def start(db: AsyncSession, job_id: uuid.UUID) -> Started:
    """Mark a job as running, and put its problem together as the day stands now.

    Raises:
        InvalidTransition: when it is over, or was given up.
        NothingToPlan: when there is nothing to plan any more.
        NothingToReplan: when no route is left that could be planned again.
    """
    job = (await db.scalars(queries.due_job(job_id))).one()
    job.status = JOB.apply(JobStatus(job.status), JobAction.RUN)
    job.run += 1
    job.started_at, job.progress = clock.now(), None
    job.leased_until = clock.machine_now() + LEASE
    task = await (standings.task(db, job) if job.kind == "replan" else _task(db, job))
    jobs.tell(db, job)
    return Started(job.id, job.run, task)


async def _task(db: AsyncSession, job: PlanningJob) -> Task:
    said = await constraints.get(db)
    _, depot = await gathering.located(db, job.warehouse_id)
    waiting = (await db.scalars(queries.waiting(job.delivery_date, job.warehouse_id))).all()
    chosen = [order for order in waiting if not job.order_ids or str(order.id) in job.order_ids]
    if not chosen:
        raise NothingToPlan(f"none of the orders is packed for {job.delivery_date} any more", field="order_ids")
    vans = await gathering.vans_of(
        db,
        day=job.delivery_date,
        warehouse_id=job.warehouse_id,
        departs_at=job.departs_at,
        vehicle_ids=[uuid.UUID(vehicle_id) for vehicle_id in job.vehicle_ids],
    )
    recipe = recipe_of(
        depot,
        await gathering.doors(db, chosen, said, priorities=job.priorities),
        vans.expected(),
        constraints.rules_of(said, objective=job.objective),
        midnight=await gathering.midnight(db, job.delivery_date),
    )
    return Task(recipe, job.time_limit_s, job.seed)


async def keep_running(db: AsyncSession, started: Started, progress: Progress | None = None) -> None:
    """Say that this machine still runs the job, and how far it is.

    Raises:
        Overtaken: when it was given up, or another machine has it.
    """
    job = await _own(db, started)
    job.leased_until = clock.machine_now() + LEASE
    if progress is not None:
        job.progress = {
            "elapsed_s": round(progress.elapsed_s, 2),
            "cost": progress.cost,
            "left_out": progress.left_out,
        }
        announce(db, topic_of("planning", job.organization_id, job.id))


async def is_wanted(db: AsyncSession, started: Started) -> bool:
    """Whether the job is still this machine's to run."""
    job = await db.get(PlanningJob, started.job_id, populate_existing=True)
    return job is not None and job.run == started.run and job.status == JobStatus.RUNNING


async def finish(db: AsyncSession, started: Started, solution: Solution) -> PlanningJob:
    """Keep what was found, and make routes of it where that was asked for.

    A proposal in which nothing changes is discarded: nobody has to look at it.

    Raises:
        Overtaken: when the job was given up, or another machine has it.
    """
    job = await _own(db, started)
    job.status = JOB.apply(JobStatus(job.status), JobAction.SUCCEED)
    job.finished_at, job.leased_until = clock.now(), None
    jobs.summarize(job, solution, await words.speaker(db, solution))
    db.add(PlanningSolution(job_id=job.id, content=packed(solution)))
    await db.flush()
    if job.kind == "replan":
        if replanning.changes_of(solution):
            outbox.emit(db, ReplanProposed(job.id))
        else:
            job.status = JOB.apply(JobStatus(job.status), JobAction.DISCARD)
            job.error = "nothing would change"
    if job.auto_apply and job.status == JobStatus.SUCCEEDED:
        await applying.apply(db, job, solution, allow_partial=True, user_id=job.requested_by)
    jobs.tell(db, job)
    return job


async def fail(db: AsyncSession, job_id: uuid.UUID, error: str, *, run: int | None = None) -> None:
    """The day cannot be planned at all; says why. A job that was given up, or is another's, stays as it is."""
    job = (await db.scalars(queries.due_job(job_id))).one()
    if job.status not in (JobStatus.QUEUED, JobStatus.RUNNING) or (run is not None and job.run != run):
        return
    job.status = JOB.apply(JOB.apply(JobStatus(job.status), JobAction.RUN), JobAction.FAIL)
    job.error = error
    job.finished_at = clock.now()
    jobs.tell(db, job)


async def cancel(db: AsyncSession, job_id: uuid.UUID, *, seen: Visible = EVERYWHERE) -> PlanningJob:
    """Give a job up: one that runs is stopped within a second, what one has found is thrown away. Again is the same.

    Raises:
        NotFound: when there is none to be seen.
        InvalidTransition: when its routes were made, or it failed.
    """
    job = await jobs.lock_job(db, job_id, seen=seen)
    if job.status in (JobStatus.CANCELLED, JobStatus.DISCARDED):
        return job
    action = JobAction.DISCARD if job.status == JobStatus.SUCCEEDED else JobAction.CANCEL
    job.status = JOB.apply(JobStatus(job.status), action)
    job.finished_at, job.leased_until = job.finished_at or clock.now(), None
    jobs.tell(db, job)
    return job


async def _own(db: AsyncSession, started: Started) -> PlanningJob:
    job = (await db.scalars(queries.due_job(started.job_id))).one()
    if job.run != started.run or job.status != JobStatus.RUNNING:
        raise Overtaken(f"the job is {job.status}, and this is not its newest run: its result is not wanted any more")
    return job


def _chosen(packed_orders: Sequence[CustomerOrder], order_ids: Sequence[uuid.UUID]) -> None:
    """Refuse orders that do not wait for a van."""
    missing = set(order_ids) - {order.id for order in packed_orders}
    if missing:
        named = ", ".join(sorted(map(str, missing))[:10])
        raise NothingToPlan(f"not packed for that day and warehouse, or on a route already: {named}", field="order_ids")
