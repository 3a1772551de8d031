"""A job is run by a worker: seen while it runs, stopped when nobody wants it, and never finished twice."""

import asyncio
import uuid
from typing import Any

import psutil
import pytest

from cloud_api.kernel import clock
from cloud_api.logistics.dispatch import planning
from cloud_api.logistics.dispatch.errors import Overtaken
from cloud_api.logistics.dispatch.models import PlanningJob
from cloud_api.logistics.dispatch.planner import Planner
from cloud_api.logistics.dispatch.solver import solved
from route_optimizer.search import Progress
from tests.cloud_api.realtime.sockets import refused, shown, token_of
from tests.factories.farms import make_farm, open_farm_alone
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.orders import Depot, make_depot, make_van, order_from, pack, request_plan
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

JOBS = "/api/v1/dispatch/jobs"


async def packed_order(depot: Depot, **fields: Any) -> str:
    order = await order_from(depot, **fields)
    await pack(depot.tenant, order["id"])
    return str(order["id"])


async def started(farm: Platform, job_id: str) -> planning.Started:
    """As if a planner had just taken the job."""
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        return await planning.start(db, uuid.UUID(job_id))


async def a_job(farm: Platform, *, doors: int = 1, **fields: Any) -> str:
    depot = await make_depot(farm.tenant)
    for _ in range(2):
        await make_van(farm.tenant)
    for door in range(doors):
        await packed_order(depot, latitude=12.94 + door / 300, longitude=77.61 + door % 3 / 200)
    return await request_plan(farm.tenant, depot.warehouse_id, **fields)


#: a solver that has found something at once, tells its process in place of the cost, and would search for ever
SEARCHES_ON = """
import os, pickle, sys, time
from route_optimizer.search import Progress
words = pickle.dumps(Progress(0.5, os.getpid(), 3))
sys.stdout.buffer.write(len(words).to_bytes(8, "big") + words)
sys.stdout.buffer.flush()
time.sleep(600)
"""


async def test_a_job_that_nobody_wants_any_more_is_stopped_and_its_solver_with_it(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_farm_alone(sqlite_url) as farm:
        job_id = await a_job(farm, doors=2)
        with monkeypatch.context() as patched:
            patched.setattr("cloud_api.logistics.dispatch.solver.CHILD", SEARCHES_ON)
            running = asyncio.create_task(Planner(farm.database).run_next())
            async with shown(farm.app, f"/ws/dispatch/jobs/{job_id}", by=farm.tenant) as socket:
                [job] = await socket.state()
                while job["progress"] is None:
                    [job], _ = await socket.change()
            assert (await farm.tenant.post(f"{JOBS}/{job_id}/cancel"))["status"] == "cancelled"
            assert await running is True
        assert not psutil.pid_exists(job["progress"]["cost"])
        job = await farm.tenant.get(f"{JOBS}/{job_id}")
        assert (job["status"], job["distance_m"]) == ("cancelled", None)
        assert await farm.tenant.get("/api/v1/warehouse/routes") == []


async def test_who_watches_a_job_sees_it_start_get_better_and_end(farm: Platform) -> None:
    job_id = await a_job(farm, doors=2)
    async with shown(farm.app, f"/ws/dispatch/jobs/{job_id}", by=farm.tenant) as socket:
        [job] = await socket.state()
        assert (job["id"], job["status"], job["progress"]) == (job_id, "queued", None)
        run = await started(farm, job_id)
        [[job], _] = await socket.change()
        assert job["status"] == "running"
        async with farm.database.unit_of_work(farm.tenant.organization) as db:
            await planning.keep_running(db, run, Progress(1.25, 4_200, 1))
        [[job], _] = await socket.change()
        assert job["progress"] == {"elapsed_s": 1.25, "cost": 4_200, "left_out": 1}
        async with farm.database.unit_of_work(farm.tenant.organization) as db:
            await planning.finish(db, run, solved(run.task))
        [[job], _] = await socket.change()
        assert (job["status"], job["unserved"]) == ("applied", [])


async def test_nobody_watches_the_job_of_another_organisation(farm: Platform) -> None:
    job_id = await a_job(farm)
    stranger = await make_farm(farm)
    code, reason = await refused(farm.app, f"/ws/dispatch/jobs/{job_id}", token=token_of(stranger))
    assert (code, reason) == (4404, f"no planning job with id {job_id}")
    code, reason = await refused(farm.app, "/ws/dispatch/jobs/tomorrow", token=token_of(farm.tenant))
    assert code == 4422
    assert "name a job by its id" in reason


async def test_who_runs_a_job_renews_its_lease_and_hears_when_it_was_taken_over(farm: Platform) -> None:
    job_id = await a_job(farm)
    first = await started(farm, job_id)
    before = clock.machine_now()
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        await planning.keep_running(db, first)
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        job = await db.get_one(PlanningJob, uuid.UUID(job_id))
        assert job.leased_until is not None
        assert job.leased_until >= before + planning.LEASE
        assert await planning.is_wanted(db, first)
    second = await started(farm, job_id)
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        with pytest.raises(Overtaken):
            await planning.keep_running(db, first)
        assert not await planning.is_wanted(db, first)
        assert await planning.is_wanted(db, second)
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        with pytest.raises(Overtaken):
            await planning.finish(db, first, solved(first.task))
