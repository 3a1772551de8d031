"""The day goes otherwise than planned: what would change is proposed, and nothing else is changed."""

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cloud_api.cold_chain.events import ExcursionOpened
from cloud_api.inventory.holds import service as holds
from cloud_api.kernel import clock
from cloud_api.logistics.dispatch import proposals, reactions
from cloud_api.logistics.events import VehicleWithdrawn
from cloud_api.orders.book.events import OrderPacked
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.orders import (
    Depot,
    day_in,
    hire_driver,
    in_this_process,
    make_depot,
    make_van,
    order_from,
    pack,
)
from tests.platform_under_test import Platform, Tenant

pytestmark = IN_ONE_LOOP

JOBS = "/api/v1/dispatch/jobs"
REPLAN = "/api/v1/dispatch/replan"
ROUTES = "/api/v1/warehouse/routes"
INDIA = ZoneInfo("Asia/Kolkata")


@dataclass
class Day:
    """Vans with a route each, published for tomorrow."""

    farm: Platform
    depot: Depot
    #: van -> who drives it
    drivers: dict[str, Tenant]
    #: van -> its route
    routes: dict[str, str]
    vans: dict[str, Any]

    @property
    def tenant(self) -> Tenant:
        return self.farm.tenant

    async def stops(self, van: str) -> list[Any]:
        """What is not over of a van's route, in order."""
        detail = await self.tenant.get(f"{ROUTES}/{self.routes[van]}")
        return [stop for stop in detail["deliveries"] if stop["status"] not in ("cancelled", "failed", "delivered")]

    async def orders(self, van: str) -> list[str]:
        return [stop["order_id"] for stop in await self.stops(van)]

    async def leave(self, van: str) -> None:
        await self.drivers[van].post(f"/api/v1/mobile/routes/{self.routes[van]}/start")

    async def replan(self, *vans: str, cause: str, **fields: Any) -> str:
        """A proposal, made; the job's id."""
        body = {"route_ids": [self.routes[van] for van in vans], "cause": cause, "time_limit_s": 1, **fields}
        job = await self.tenant.post(REPLAN, body)
        await in_this_process(self.farm, self.tenant, job["id"])
        return str(job["id"])

    async def changes(self, job_id: str) -> dict[str, Any]:
        """Order -> what would happen to it."""
        solution = await self.tenant.get(f"{JOBS}/{job_id}/solution")
        return {change["order_id"]: change for change in solution["changes"]}


async def packed_order(depot: Depot, **fields: Any) -> str:
    order = await order_from(depot, **fields)
    await pack(depot.tenant, order["id"])
    return str(order["id"])


async def published(farm: Platform, *, vans: int, doors: int, capacity_g: int = 500_000) -> Day:
    """As many vans, each with a route of its own to as many doors."""
    depot = await make_depot(farm.tenant)
    day = Day(farm, depot, {}, {}, {})
    for number in range(vans):
        driver_id, driver = await hire_driver(farm, farm.tenant)
        van = await make_van(farm.tenant, driver_id=driver_id, capacity_g=capacity_g)
        orders = [await packed_order(depot, latitude=12.94 + number / 20 + door / 500) for door in range(doors)]
        body = {
            "warehouse_id": depot.warehouse_id,
            "vehicle_id": van["id"],
            "delivery_date": day_in(1),
            "order_ids": orders,
        }
        day.drivers[van["id"]], day.vans[van["id"]] = driver, van
        day.routes[van["id"]] = (await farm.tenant.post(ROUTES, body))["id"]
    return day


async def test_a_late_order_goes_along_where_it_costs_least_and_nothing_else_moves(farm: Platform) -> None:
    day = await published(farm, vans=2, doors=2)
    near, other = day.vans
    before = {van: await day.orders(van) for van in day.vans}
    late = await packed_order(day.depot, latitude=12.942)
    job_id = await day.replan(near, cause="late_order", order_ids=[late])
    changes = await day.changes(job_id)
    assert (changes[late]["change"], changes[late]["to_vehicle_id"]) == ("added", near)
    assert {change["change"] for order, change in changes.items() if order != late} <= {"later", "sooner"}
    assert await day.orders(near) == before[near]
    await day.tenant.post(f"{JOBS}/{job_id}/apply", {})
    now = await day.orders(near)
    assert [order for order in now if order != late] == before[near]
    assert late in now
    assert await day.orders(other) == before[other]
    history = await day.tenant.get(f"{ROUTES}/{day.routes[near]}/optimizations")
    assert [(each["kind"], each["job_id"]) for each in history] == [("replan", job_id)]
    assert history[0]["distance_m"] >= history[0]["distance_before_m"]


@pytest.mark.long
async def test_a_late_order_does_not_join_a_van_that_has_left(farm: Platform) -> None:
    day = await published(farm, vans=1, doors=1)
    [van] = day.vans
    await day.leave(van)
    late = await packed_order(day.depot)
    spare = await make_van(farm.tenant)
    job_id = await day.replan(van, cause="late_order", order_ids=[late])
    assert (await day.changes(job_id))[late]["to_vehicle_id"] == spare["id"]
    await day.tenant.post(f"{JOBS}/{job_id}/apply", {})
    routes = {route["vehicle_id"]: route for route in await day.tenant.get(ROUTES)}
    assert (routes[spare["id"]]["status"], routes[van]["status"]) == ("planned", "in_progress")
    assert len(await day.orders(van)) == 1


async def test_what_lies_in_a_broken_van_goes_over_to_another_on_the_road(farm: Platform) -> None:
    day = await published(farm, vans=2, doors=1)
    broken, helper = day.vans
    [stranded], [own] = await day.orders(broken), await day.orders(helper)
    for van in day.vans:
        await day.leave(van)
    job_id = await day.replan(broken, cause="breakdown", why="no oil")
    change = (await day.changes(job_id))[stranded]
    assert (change["change"], change["to_vehicle_id"]) == ("handed_over", helper)
    solution = await day.tenant.get(f"{JOBS}/{job_id}/solution")
    [route] = solution["routes"]
    pickups = [stop["is_pickup"] for stop in route["stops"] if stop["order_id"] == stranded]
    assert pickups == [True, False]
    assert any(day.vans[helper]["number"] in sentence for sentence in solution["why"])
    await day.tenant.post(f"{JOBS}/{job_id}/apply", {})
    assert (await day.orders(broken), sorted(await day.orders(helper))) == ([], sorted([stranded, own]))
    stock = await day.tenant.get("/api/v1/warehouse/stock/levels", location_id=day.vans[helper]["location_id"])
    assert sum(float(level["on_hand"]) for level in stock) == 8.0


async def test_a_proposal_that_the_road_has_overtaken_changes_nothing(farm: Platform) -> None:
    day = await published(farm, vans=2, doors=1)
    broken, helper = day.vans
    [stranded] = await day.orders(broken)
    for van in day.vans:
        await day.leave(van)
    job_id = await day.replan(broken, cause="breakdown")
    [stop] = await day.stops(broken)
    failed = {"status": "failed", "failure_reason": "customer_absent"}
    await day.drivers[broken].put(f"/api/v1/mobile/deliveries/{stop['id']}/status", failed)
    answer = await day.tenant.client.post(f"{JOBS}/{job_id}/apply", json={})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (409, "PLAN_OUTDATED")
    assert [detail["field"] for detail in error["details"]] == [f"orders.{stranded}"]
    assert "it is failed by now" in error["details"][0]["message"]
    assert len(await day.orders(helper)) == 1


@pytest.mark.long
async def test_a_planned_van_in_the_workshop_gives_its_stops_to_the_others(farm: Platform) -> None:
    day = await published(farm, vans=2, doors=2)
    broken, helper = day.vans
    orders = {van: await day.orders(van) for van in day.vans}
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        await reactions.do_without_it(db, VehicleWithdrawn(uuid.UUID(broken), "maintenance"))
    [job] = await day.tenant.get(JOBS)
    assert (job["kind"], job["cause"], job["status"]) == ("replan", "breakdown", "queued")
    await in_this_process(farm, farm.tenant, job["id"])
    await day.tenant.post(f"{JOBS}/{job['id']}/apply", {})
    assert sorted(await day.orders(helper)) == sorted(orders[broken] + orders[helper])
    detail = await day.tenant.get(f"{ROUTES}/{day.routes[broken]}")
    assert (detail["status"], detail["deliveries"]) == ("cancelled", [])


async def test_what_is_warm_in_a_van_is_not_brought(farm: Platform) -> None:
    day = await published(farm, vans=1, doors=2)
    [van] = day.vans
    orders = await day.orders(van)
    await day.leave(van)
    place = uuid.UUID(day.vans[van]["location_id"])
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        await holds.hold(db, location_id=place, reason="above 8 °C", source=f"excursion:{uuid.UUID(int=5)}")
        await reactions.leave_what_is_warm(db, ExcursionOpened(uuid.UUID(int=5), place))
    [job] = await day.tenant.get(JOBS)
    await in_this_process(farm, farm.tenant, job["id"])
    changes = await day.changes(job["id"])
    assert {order: change["change"] for order, change in changes.items()} == dict.fromkeys(orders, "removed")
    assert {change["why"] for change in changes.values()} == {"its goods are on hold: the van was too warm"}
    await day.tenant.post(f"{JOBS}/{job['id']}/apply", {})
    detail = await day.tenant.get(f"{ROUTES}/{day.routes[van]}")
    assert {(stop["status"], stop["failure_reason"]) for stop in detail["deliveries"]} == {("failed", "excursion")}


@pytest.mark.long
async def test_a_delayed_van_says_how_much_later_it_comes(farm: Platform) -> None:
    day = await published(farm, vans=1, doors=2)
    [van] = day.vans
    first, second = await day.stops(van)
    late = {"planned_arrival_at": (clock.now() - timedelta(hours=1)).isoformat()}
    for stop in (first, second):
        await day.tenant.put(f"/api/v1/warehouse/deliveries/{stop['id']}", late)
    await day.leave(van)
    job_id = await day.replan(van, cause="delay", why="a road is closed")
    changes = await day.changes(job_id)
    assert {change["change"] for change in changes.values()} <= {"later", "resequenced"}
    assert all(change["shift_s"] > 3_600 for change in changes.values())
    await day.tenant.post(f"{JOBS}/{job_id}/apply", {})
    now = [stop["planned_arrival_at"] for stop in await day.stops(van)]
    assert now == sorted(now)
    assert now[0] > late["planned_arrival_at"]


async def test_a_proposal_in_which_nothing_changes_bothers_nobody(farm: Platform) -> None:
    day = await published(farm, vans=1, doors=1)
    [van] = day.vans
    job_id = await day.replan(van, cause="late_order", order_ids=[])
    job = await day.tenant.get(f"{JOBS}/{job_id}")
    assert (job["status"], job["error"]) == ("discarded", "nothing would change")


async def test_of_one_cause_there_is_one_open_proposal_and_a_newer_one_knows_of_both(farm: Platform) -> None:
    day = await published(farm, vans=1, doors=1)
    [route_id] = map(uuid.UUID, day.routes.values())
    late = [await packed_order(day.depot, latitude=12.95 + door / 100) for door in range(3)]

    async def propose(order: str) -> str:
        async with farm.database.unit_of_work(farm.tenant.organization) as db:
            job = await proposals.propose_replan(
                db, route_ids=[route_id], why=f"{order} is late", cause="late_order", order_ids=[uuid.UUID(order)]
            )
            return str(job.id)

    first = await propose(late[0])
    assert await propose(late[1]) == first
    await in_this_process(farm, farm.tenant, first)
    assert set(late[:2]) <= (await day.changes(first)).keys()
    second = await propose(late[2])
    assert second != first
    old = await day.tenant.get(f"{JOBS}/{first}")
    assert (old["status"], old["error"]) == ("discarded", "a newer proposal took its place")
    await in_this_process(farm, farm.tenant, second)
    assert set(late) <= (await day.changes(second)).keys()
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        other = await proposals.propose_replan(db, route_ids=[route_id], why="slow", cause="delay")
    assert str(other.id) != second


async def test_an_order_that_is_packed_late_today_is_proposed_and_one_for_tomorrow_is_not(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    van = await make_van(farm.tenant)
    today = clock.now().astimezone(INDIA).date().isoformat()
    wanted = {"delivery_date": today, "window_from": "00:00", "window_until": "23:59"}
    planned, late = await packed_order(depot, **wanted), await packed_order(depot, **wanted)
    tomorrow = await packed_order(depot)
    body = {"warehouse_id": depot.warehouse_id, "vehicle_id": van["id"], "delivery_date": today}
    await farm.tenant.post(ROUTES, {**body, "order_ids": [planned]})
    for order in (planned, late, tomorrow):
        async with farm.database.unit_of_work(farm.tenant.organization) as db:
            await reactions.take_it_along(db, OrderPacked(uuid.UUID(order)))
    [job] = await farm.tenant.get(JOBS)
    assert (job["cause"], job["delivery_date"]) == ("late_order", today)
    number = (await farm.tenant.get(f"/api/v1/orders/{late}"))["number"]
    assert job["why"] == f"{number} is late"


async def test_a_route_that_is_over_is_not_replanned(farm: Platform) -> None:
    day = await published(farm, vans=1, doors=1)
    [route_id] = day.routes.values()
    await day.tenant.client.request("DELETE", f"{ROUTES}/{route_id}", json={"reason": "not today"})
    answer = await day.tenant.client.post(REPLAN, json={"route_ids": [route_id], "cause": "delay"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "NOTHING_TO_REPLAN")
    nobody = await day.tenant.client.post(REPLAN, json={"route_ids": [str(uuid.UUID(int=7))], "cause": "delay"})
    assert nobody.status_code == 404
