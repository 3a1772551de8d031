"""Planning a day: what is packed gets a route or a reason, once, whatever happens meanwhile."""

import asyncio
import uuid
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from cloud_api.kernel import clock
from cloud_api.logistics.dispatch import planning
from cloud_api.logistics.dispatch.models import PlanningJob
from cloud_api.logistics.dispatch.planner import Planner
from cloud_api.logistics.dispatch.solver import solved
from tests.factories.farms import open_farm_alone
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.orders import (
    Depot,
    day_in,
    in_this_process,
    make_depot,
    make_drive,
    make_van,
    order_from,
    pack,
    request_plan,
)
from tests.factories.stores import make_warehouse
from tests.platform_under_test import Platform, Tenant

pytestmark = IN_ONE_LOOP

OPTIMIZE = "/api/v1/warehouse/routes/optimize"


async def packed_order(depot: Depot, **fields: Any) -> str:
    order = await order_from(depot, **fields)
    await pack(depot.tenant, order["id"])
    return str(order["id"])


async def job_of(tenant: Tenant, job_id: str) -> Any:
    return await tenant.get(f"/api/v1/dispatch/jobs/{job_id}")


async def planned_orders(tenant: Tenant, job_id: str) -> list[str]:
    """The orders on the job's routes, in the order in which they are driven."""
    routes = await tenant.get("/api/v1/warehouse/routes", planning_job_id=job_id)
    stops = [await tenant.get(f"/api/v1/warehouse/routes/{route['id']}") for route in routes]
    return [stop["order_id"] for route in stops for stop in route["deliveries"]]


async def test_packed_orders_become_a_route_with_times_and_a_load(farm: Platform) -> None:
    drive = await make_drive(farm, doors=3, tenant=farm.tenant)
    [route] = await farm.tenant.get("/api/v1/warehouse/routes", planning_job_id=drive.job["id"])
    detail = await farm.tenant.get(f"/api/v1/warehouse/routes/{route['id']}")
    assert (detail["status"], detail["load_g"], drive.job["unserved"]) == ("planned", 12_000, [])
    assert detail["distance_m"] == drive.job["distance_m"] > 0
    stops = detail["deliveries"]
    assert [(stop["sequence"], stop["attempt"], stop["status"]) for stop in stops] == [
        (number, 1, "assigned") for number in (1, 2, 3)
    ]
    assert {stop["order_id"] for stop in stops} == set(drive.order_ids)
    arrivals = [stop["planned_arrival_at"] for stop in stops]
    assert detail["departs_at"] < arrivals[0] < arrivals[1] < arrivals[2]


async def test_an_order_that_no_van_can_take_is_left_out_with_its_reason(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    van = await make_van(farm.tenant, capacity_g=5_000)
    heavy = await packed_order(depot, quantity="6.000")
    early = await packed_order(depot, window_from="03:00", window_until="04:00")
    far = await packed_order(depot, latitude=28.61, longitude=77.21)
    fine = await packed_order(depot)
    job_id = await request_plan(farm.tenant, depot.warehouse_id, vehicle_ids=[van["id"]])
    await in_this_process(farm, farm.tenant, job_id)
    job = await job_of(farm.tenant, job_id)
    reasons = {left["order_id"]: left["reason"] for left in job["unserved"]}
    assert job["status"] == "applied"
    assert set(reasons) == {heavy, early, far}
    assert "6 kg" in reasons[heavy], reasons[heavy]
    assert reasons[early]
    assert reasons[far]
    assert await planned_orders(farm.tenant, job_id) == [fine]
    assert (await farm.tenant.get(f"/api/v1/orders/{heavy}"))["status"] == "packed"


async def test_what_changed_while_the_plan_was_made_is_left_out_with_its_reason(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    await make_van(farm.tenant)
    stays, goes = await packed_order(depot), await packed_order(depot)
    job_id = await request_plan(farm.tenant, depot.warehouse_id)
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        started = await planning.start(db, uuid.UUID(job_id))
    assert (await job_of(farm.tenant, job_id))["status"] == "running"
    await farm.tenant.post(f"/api/v1/orders/{goes}/cancel", {"reason": "closed today"})
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        await planning.finish(db, started, solved(started.task))
    job = await job_of(farm.tenant, job_id)
    assert job["unserved"] == [{"order_id": goes, "reason": "the order is cancelled by now"}]
    assert await planned_orders(farm.tenant, job_id) == [stays]


async def test_two_jobs_for_the_same_orders_never_plan_one_twice(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    vans = [await make_van(farm.tenant) for _ in range(2)]
    orders = {await packed_order(depot, latitude=12.93 + door / 500) for door in range(4)}
    jobs = [await request_plan(farm.tenant, depot.warehouse_id, vehicle_ids=[van["id"]]) for van in vans]
    runs = []
    for job_id in jobs:
        async with farm.database.unit_of_work(farm.tenant.organization) as db:
            runs.append(await planning.start(db, uuid.UUID(job_id)))
    solutions = [solved(run.task) for run in runs]

    async def finish(number: int) -> None:
        async with farm.database.unit_of_work(farm.tenant.organization) as db:
            await planning.finish(db, runs[number], solutions[number])

    await asyncio.gather(*map(finish, range(2)))
    on_routes = [order for job_id in jobs for order in await planned_orders(farm.tenant, job_id)]
    assert sorted(on_routes) == sorted(orders)
    left_out = [left for job_id in jobs for left in (await job_of(farm.tenant, job_id))["unserved"]]
    assert {left["order_id"] for left in left_out} == orders
    assert {left["reason"] for left in left_out} == {"another route has taken the order meanwhile"}


async def test_without_an_order_a_van_or_coordinates_nothing_is_planned(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    nowhere = await make_warehouse(farm.tenant)
    body = {"warehouse_id": depot.warehouse_id, "delivery_date": day_in(1)}

    async def refused(**changes: Any) -> tuple[int, str, str]:
        answer = await farm.tenant.client.post(OPTIMIZE, json={**body, **changes})
        error = answer.json()["error"]
        return answer.status_code, error["code"], error["details"][0]["field"]

    assert await refused(warehouse_id=nowhere) == (409, "WAREHOUSE_WITHOUT_COORDINATES", "warehouse_id")
    assert await refused() == (409, "NOTHING_TO_PLAN", "delivery_date")
    await packed_order(depot)
    assert await refused() == (409, "NOTHING_TO_PLAN", "vehicle_ids")
    assert await refused(delivery_date=day_in(2)) == (409, "NOTHING_TO_PLAN", "delivery_date")
    assert (await refused(warehouse_id=str(uuid.uuid4())))[:2] == (404, "NOT_FOUND")
    assert await farm.tenant.get("/api/v1/dispatch/jobs") == []


@pytest.mark.long
async def test_a_van_that_has_its_route_is_not_planned_again(farm: Platform) -> None:
    drive = await make_drive(farm, doors=1, tenant=farm.tenant)
    depot = Depot(farm.tenant, drive.warehouse_id, drive.room_id, drive.product_id)
    await packed_order(depot)
    answer = await farm.tenant.client.post(
        OPTIMIZE, json={"warehouse_id": drive.warehouse_id, "delivery_date": day_in(1)}
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "NOTHING_TO_PLAN")


async def lease_of(farm: Platform, job_id: str, *, ran_out: bool) -> None:
    """As if another planner had taken the job."""
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        job = (await db.scalars(select(PlanningJob).where(PlanningJob.id == uuid.UUID(job_id)))).one()
        job.leased_until = clock.machine_now() + (timedelta(seconds=-1) if ran_out else planning.LEASE)


async def test_a_job_whose_planner_died_is_taken_again_when_its_lease_has_run_out(database_url: str) -> None:
    async with open_farm_alone(database_url) as farm:
        depot = await make_depot(farm.tenant)
        await make_van(farm.tenant)
        order = await packed_order(depot)
        job_id = await request_plan(farm.tenant, depot.warehouse_id)
        async with farm.database.unit_of_work(farm.tenant.organization) as db:
            first = await planning.start(db, uuid.UUID(job_id))
        await lease_of(farm, job_id, ran_out=False)
        planner = Planner(farm.database)
        assert await planner.run_next() is False
        await lease_of(farm, job_id, ran_out=True)
        assert await planner.run_next() is True
        assert (await job_of(farm.tenant, job_id))["status"] == "applied"
        assert await planned_orders(farm.tenant, job_id) == [order]
        # the first one was not dead after all: its plan comes too late
        await planner.settle(first, farm.tenant.organization, solved(first.task))
        assert await planned_orders(farm.tenant, job_id) == [order]


@pytest.mark.long
async def test_a_day_that_can_be_planned_no_longer_fails_with_a_sentence(database_url: str) -> None:
    async with open_farm_alone(database_url) as farm:
        depot = await make_depot(farm.tenant)
        van = await make_van(farm.tenant)
        await packed_order(depot)
        first, second = [await request_plan(farm.tenant, depot.warehouse_id, vehicle_ids=[van["id"]]) for _ in range(2)]
        planner = Planner(farm.database)
        assert [await planner.run_next() for _ in range(3)] == [True, True, False]
        assert (await job_of(farm.tenant, first))["status"] == "applied"
        failed = await job_of(farm.tenant, second)
        assert failed["status"] == "failed"
        assert "none of the orders is packed" in failed["error"]


#: a solver that takes its process with it
DIES = "import os; os._exit(1)"


async def test_a_solver_that_takes_its_process_with_it_fails_its_job_and_no_other(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_farm_alone(sqlite_url) as farm:
        depot = await make_depot(farm.tenant)
        await make_van(farm.tenant)
        order = await packed_order(depot)
        jobs = [await request_plan(farm.tenant, depot.warehouse_id) for _ in range(2)]
        with monkeypatch.context() as patched:
            patched.setattr("cloud_api.logistics.dispatch.solver.CHILD", DIES)
            assert await Planner(farm.database).run_next() is True
        failed = await job_of(farm.tenant, jobs[0])
        assert failed["status"] == "failed"
        assert "process" in failed["error"]
        await in_this_process(farm, farm.tenant, jobs[1])
        assert await planned_orders(farm.tenant, jobs[1]) == [order]


@pytest.mark.long
async def test_a_cancelled_order_leaves_its_planned_route_and_an_empty_route_is_given_up(database_url: str) -> None:
    async with open_farm_alone(database_url) as farm:
        drive = await make_drive(farm, doors=2, tenant=farm.tenant)
        [route] = await farm.tenant.get("/api/v1/warehouse/routes")
        first, second = drive.order_ids
        for order, left, status in ((first, 1, "planned"), (second, 0, "cancelled")):
            await farm.tenant.post(f"/api/v1/orders/{order}/cancel", {"reason": "closed today"})
            await farm.deliver()
            detail = await farm.tenant.get(f"/api/v1/warehouse/routes/{route['id']}")
            assert [stop["status"] for stop in detail["deliveries"]].count("assigned") == left
            assert detail["status"] == status
        assert (await drive.driver.client.get("/api/v1/mobile/routes/current")).status_code == 404
