"""Running planning jobs: one at a time in this process, each solved in a child process that shares no lock with it."""

import asyncio
import uuid
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from multiprocessing import get_context

import structlog
from sqlalchemy import or_, select

from cloud_api.kernel import clock
from cloud_api.kernel.db import DATABASE_FAILURES, Database
from cloud_api.kernel.errors import AppError
from cloud_api.kernel.states import InvalidTransition
from cloud_api.kernel.tenancy import OrganizationScope, SystemScope
from cloud_api.logistics.dispatch import planning
from cloud_api.logistics.dispatch.models import PlanningJob
from cloud_api.logistics.dispatch.states import JobStatus
from route_optimizer.plan import Plan
from route_optimizer.problem import Problem
from route_optimizer.solve import RefusedPlan, solve
from route_optimizer.validation import ProblemError

log = structlog.get_logger(__name__)

_POLL_S = 2.0


class Planner:
    """Takes queued jobs, and running ones whose machine has fallen silent."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._awake = asyncio.Event()

    def wake(self) -> None:
        """Somebody has queued a job."""
        self._awake.set()

    async def run(self) -> None:
        """Run jobs until cancelled."""
        while True:
            self._awake.clear()
            try:
                found = await self.run_next()
            except DATABASE_FAILURES as error:
                log.warning("planner_failed", error=str(error))
                found = False
            if not found:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._awake.wait(), _POLL_S)

    async def run_next(self) -> bool:
        """Run the next job, if there is one."""
        claimed = await self._claim()
        if claimed is None:
            return False
        job_id, scope = claimed
        try:
            async with self._database.unit_of_work(scope) as db:
                task = await planning.start(db, job_id)
            plan = await _solve_apart(task)
        except (AppError, ProblemError, RefusedPlan, BrokenProcessPool) as error:
            async with self._database.unit_of_work(scope) as db:
                await planning.fail(db, job_id, str(error))
            return True
        await self.settle(job_id, scope, plan)
        return True

    async def settle(self, job_id: uuid.UUID, scope: OrganizationScope, plan: Plan) -> None:
        """Make routes of a plan, unless another planner was quicker because our lease had run out."""
        try:
            async with self._database.unit_of_work(scope) as db:
                await planning.apply(db, job_id, plan)
        except InvalidTransition as error:
            log.warning("planning_job_overtaken", job_id=str(job_id), error=error.message)

    async def _claim(self) -> tuple[uuid.UUID, OrganizationScope] | None:
        now = clock.machine_now()
        async with self._database.unit_of_work(SystemScope("claim a planning job")) as db:
            job = (
                await db.scalars(
                    select(PlanningJob)
                    .where(
                        PlanningJob.status.in_((JobStatus.QUEUED, JobStatus.RUNNING)),
                        or_(PlanningJob.leased_until.is_(None), PlanningJob.leased_until < now),
                    )
                    .order_by(PlanningJob.id)
                    .limit(1)
                    .with_for_update(skip_locked=True)
                )
            ).one_or_none()
            if job is None:
                return None
            job.leased_until = now + planning.LEASE
            return job.id, OrganizationScope(job.organization_id)


async def _solve_apart(task: planning.Task) -> Plan:
    """Solve in a process of its own: the solver holds the interpreter, and could take the process with it."""
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
        work: Callable[[Problem, int, int], Plan] = _solve
        return await asyncio.get_running_loop().run_in_executor(pool, work, task.problem, task.time_limit_s, task.seed)


def _solve(problem: Problem, budget_s: int, seed: int) -> Plan:
    return solve(problem, budget_s=budget_s, seed=seed)
