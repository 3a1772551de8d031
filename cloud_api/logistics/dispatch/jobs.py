"""Finding planning jobs and what they found, and telling that one moved on."""

import uuid

from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel import outbox
from cloud_api.kernel.db import announce
from cloud_api.kernel.errors import NotFound
from cloud_api.logistics.dispatch import queries
from cloud_api.logistics.dispatch.errors import NoSolution, StalePlan
from cloud_api.logistics.dispatch.models import PlanningJob, PlanningSolution
from cloud_api.logistics.dispatch.solutions import Solution, total_of, unpacked
from cloud_api.logistics.dispatch.states import JobStatus
from cloud_api.logistics.dispatch.words import Speaker
from cloud_api.logistics.events import PlanningMoved
from cloud_api.places.queries import EVERYWHERE, Visible
from cloud_api.realtime.hub import topic_of


async def get_job(db: AsyncSession, job_id: uuid.UUID, *, seen: Visible = EVERYWHERE) -> PlanningJob:
    """One job.

    Raises:
        NotFound: when there is none to be seen.
    """
    job = await db.get(PlanningJob, job_id)
    if job is None or not seen.shows(job.warehouse_id):
        raise NotFound(f"no planning job with id {job_id}", field="job_id")
    return job


async def lock_job(db: AsyncSession, job_id: uuid.UUID, *, seen: Visible = EVERYWHERE) -> PlanningJob:
    """The same, locked until the unit of work ends.

    Raises:
        NotFound: when there is none to be seen.
    """
    await get_job(db, job_id, seen=seen)
    return (await db.scalars(queries.due_job(job_id))).one()


async def solution_of(db: AsyncSession, job: PlanningJob) -> tuple[PlanningSolution, Solution]:
    """What a job found: the row, and what it holds.

    Raises:
        NoSolution: when it has not found anything.
    """
    row = (await db.scalars(queries.solution_row(job.id))).one_or_none()
    if row is None:
        remedy = "wait for it" if job.status in (JobStatus.QUEUED, JobStatus.RUNNING) else "queue another"
        raise NoSolution(f"the job is {job.status} and has no solution: {remedy}", field="status")
    return row, unpacked(row.content)


def check_version(job: PlanningJob, version: int | None) -> None:
    """Refuse to change what somebody else has changed meanwhile.

    Raises:
        StalePlan: when the job is not at the version that the caller has seen.
    """
    if version is not None and version != job.version:
        raise StalePlan(
            f"the plan is at version {job.version} by now, not {version}: look at it again", field="version"
        )


def summarize(job: PlanningJob, solution: Solution, speaker: Speaker) -> None:
    """What a list of jobs shows of a solution."""
    problem = solution.recipe.problem()
    job.distance_m = total_of(problem, solution.plan.routes).distance_m
    job.unserved = [
        {"order_id": each.stop, "reason": speaker.reason(each)}
        for each in sorted(solution.plan.unserved, key=lambda each: each.stop)
        if each.stop not in solution.fetched
    ]


def tell(db: AsyncSession, job: PlanningJob) -> None:
    """What is shown of the job may be old."""
    outbox.emit(db, PlanningMoved(job.id))
    announce(db, topic_of("planning", job.organization_id, job.id))
