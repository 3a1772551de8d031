"""Running planning jobs: one at a time in this process, each solved in a child process that shares no lock with it."""

import asyncio
import time
import uuid
from contextlib import suppress

import structlog
from sqlalchemy import or_, select

from cloud_api.kernel import clock
from cloud_api.kernel.db import DATABASE_FAILURES, Database
from cloud_api.kernel.errors import AppError
from cloud_api.kernel.states import InvalidTransition
from cloud_api.kernel.tenancy import OrganizationScope, SystemScope
from cloud_api.logistics.dispatch import planning
from cloud_api.logistics.dispatch.errors import Overtaken
from cloud_api.logistics.dispatch.models import PlanningJob
from cloud_api.logistics.dispatch.roads import RoadMap
from cloud_api.logistics.dispatch.solutions import Solution
from cloud_api.logistics.dispatch.solver import SolverDied, solved_apart
from cloud_api.logistics.dispatch.states import JobStatus
from route_optimizer.apart import EngineDied
from route_optimizer.search import Progress
from route_optimizer.validation import ProblemError

log = structlog.get_logger(__name__)

_POLL_S = 2.0
#: a job that somebody gives up is noticed within so long
_LOOK_S = 0.3
#: better plans are written at most this often, and without any the lease is renewed this often
_WRITE_S, _RENEW_S = 1.0, 10.0


class _Pace:
    """When this was last done, by the machine's own clock."""

    def __init__(self) -> None:
        self.start()

    def start(self) -> None:
        """It is done now."""
        self._at = time.monotonic()

    def due(self, after_s: float) -> bool:
        """Whether that long has passed."""
        return time.monotonic() - self._at >= after_s


class Planner:
    """Takes queued jobs, and running ones whose machine has fallen silent."""

    def __init__(self, database: Database, *, roads: RoadMap | None = None) -> None:
        self._database = database
        self._roads = roads
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
        await self.run_job(*claimed)
        return True

    async def run_job(self, job_id: uuid.UUID, scope: OrganizationScope) -> None:
        """Run one job to its end: with a solution, with the reason why there is none, or given up."""
        started: planning.Started | None = None
        try:
            async with self._database.unit_of_work(scope) as db:
                started = await planning.start(db, job_id)
            solution = await self._solve(started, scope)
        except InvalidTransition as error:
            log.info("planning_job_given_up", job_id=str(job_id), error=error.message)
        except (AppError, ProblemError, EngineDied, SolverDied) as error:
            async with self._database.unit_of_work(scope) as db:
                await planning.fail(db, job_id, str(error), run=started.run if started else None)
        else:
            if solution is not None:
                await self.settle(started, scope, solution)

    async def settle(self, started: planning.Started, scope: OrganizationScope, solution: Solution) -> None:
        """Keep what was found, unless the job was given up, or another planner was quicker as our lease had run out."""
        try:
            async with self._database.unit_of_work(scope) as db:
                await planning.finish(db, started, solution)
        except Overtaken as error:
            log.warning("planning_job_overtaken", job_id=str(started.job_id), error=error.message)
        except AppError as error:  # its routes could not be made: a driver or a van that is gone
            async with self._database.unit_of_work(scope) as db:
                await planning.fail(db, started.job_id, error.message, run=started.run)

    async def _solve(self, started: planning.Started, scope: OrganizationScope) -> Solution | None:
        """What the child finds; None: nobody wants it any more, and the child has been ended."""
        task = started.task if self._roads is None else await self._roads.surveyed(started.task)
        best: list[Progress] = []
        pace = _Pace()

        async def told(progress: Progress) -> None:
            best[:] = [progress]

        solving = asyncio.create_task(solved_apart(task, told))
        try:
            while not await _done(solving):
                if not await self._still_wanted(started, scope, best, pace):
                    return None
            return solving.result()
        finally:
            solving.cancel()
            await asyncio.gather(solving, return_exceptions=True)

    async def _still_wanted(
        self, started: planning.Started, scope: OrganizationScope, best: list[Progress], pace: _Pace
    ) -> bool:
        """Say that the job is run, when it is time to, and look whether it still is to be."""
        progress = best.pop() if best and pace.due(_WRITE_S) else None
        try:
            if progress is not None or pace.due(_RENEW_S):
                pace.start()
                async with self._database.unit_of_work(scope) as db:
                    await planning.keep_running(db, started, progress)
                return True
            async with self._database.unit_of_work(scope, read_only=True) as db:
                return await planning.is_wanted(db, started)
        except Overtaken:
            return False
        except DATABASE_FAILURES as error:  # it may answer again before the lease is over
            log.warning("planning_job_not_renewed", job_id=str(started.job_id), error=str(error))
            return True

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


async def _done(solving: "asyncio.Task[Solution]") -> bool:
    await asyncio.wait({solving}, timeout=_LOOK_S)
    return solving.done()
