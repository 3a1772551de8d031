"""A day on the board: planned, changed by hand, applied, and planned again."""

from typing import Any

import httpx2

from tests.cloud_api.console.dispatch.conftest import DayToPlan
from tests.cloud_api.console.screens import at_console
from tests.factories.farms import make_person
from tests.factories.orders import day_in, in_this_process, order_from, pack
from tests.platform_under_test import Platform

PLAN = "/console/dispatch/plan"


async def test_without_a_warehouse_the_board_says_what_is_missing(console: httpx2.AsyncClient) -> None:
    assert "There is no warehouse yet" in (await console.get("/console/dispatch")).text


async def test_a_day_is_planned_with_some_vans_for_some_orders_and_stopped(
    console: httpx2.AsyncClient, day: DayToPlan
) -> None:
    query = f"{day.address.partition('?')[2]}&order_ids={day.order_ids[0]}"
    asked = await console.get(f"{PLAN}?{query}")
    assert "1 orders that you chose" in asked.text
    typed = {
        "warehouse_id": day.depot.warehouse_id,
        "delivery_date": day_in(1),
        "departs_at": "08:30",
        "objective": "time",
        "time_limit_s": "5",
        "order_ids": [day.order_ids[0]],
        "vehicle_ids": [day.van_ids[0]],
    }
    made = await console.post(PLAN, data=typed)
    assert (made.status_code, made.headers["location"]) == (303, day.address)
    [job] = await day.tenant.get("/api/v1/dispatch/jobs")
    assert (job["objective"], job["time_limit_s"], job["status"]) == ("time", 5, "queued")
    shown = await console.get(day.address)
    assert "The plan waits for the planner" in shown.text
    part = await console.get(f"/console/dispatch/jobs/{job['id']}/progress", headers={"HX-Request": "true"})
    assert "/cancel" in part.text
    await console.post(f"/console/dispatch/jobs/{job['id']}/cancel")
    assert (await day.tenant.get(f"/api/v1/dispatch/jobs/{job['id']}"))["status"] == "cancelled"
    after = await console.get(f"/console/dispatch/jobs/{job['id']}/progress", headers={"HX-Request": "true"})
    assert after.headers["HX-Redirect"] == day.address


async def test_what_cannot_be_planned_is_said_beside_its_field(console: httpx2.AsyncClient, day: DayToPlan) -> None:
    typed = {"warehouse_id": day.depot.warehouse_id, "delivery_date": day_in(1), "time_limit_s": "999"}
    refused = await console.post(PLAN, data={**typed, "departs_at": "07:00", "objective": "fuel"})
    assert refused.status_code == 422
    assert 'id="e-time_limit_s"' in refused.text
    assert 'value="999"' in refused.text
    nothing = await console.post(PLAN, data={**typed, "delivery_date": day_in(9), "time_limit_s": "1"})
    assert nothing.status_code == 409
    assert "is packed for" in nothing.text


async def test_the_board_says_why_an_order_is_left_out_and_what_would_help(
    console: httpx2.AsyncClient, day: DayToPlan
) -> None:
    heavy = await order_from(day.depot, quantity="900")
    await pack(day.tenant, heavy["id"])
    job_id = await day.planned()
    review = await board_of(console, job=job_id)
    [left] = review["unserved"]
    assert (left["order_id"], review["can_edit"]) == (heavy["id"], True)
    assert left["reason"]
    assert left["remedy"]
    assert "Review the plan" in (await console.get(f"/console/dispatch?job={job_id}")).text
    applied = await console.post(f"/console/dispatch/jobs/{job_id}/apply", data={"version": str(review["version"])})
    assert applied.headers["location"] == day.address
    seen = await board_of(console, warehouse_id=day.depot.warehouse_id, date=day_in(1))
    assert [each["reason"] for each in seen["unserved"]] == [left["reason"]]
    stops = [stop for route in seen["routes"] for stop in route["stops"]]
    assert {stop["order_id"] for stop in stops} == set(day.order_ids)
    assert all(seen["orders"][stop["order_id"]]["closes_at"] for stop in stops)
    assert (await console.get(f"/console/dispatch?job={job_id}")).headers["location"] == day.address


async def test_a_plan_is_changed_by_hand_and_an_old_one_is_not(console: httpx2.AsyncClient, day: DayToPlan) -> None:
    job_id = await day.planned()
    before = await board_of(console, job=job_id)
    move = {"action": "unassign", "order_id": day.order_ids[0]}
    edits = f"/console/dispatch/jobs/{job_id}/edits"
    done = (await console.post(edits, json={"moves": [move], "version": before["version"]})).json()
    assert (done["kept"], done["version"]) == (True, before["version"] + 1)
    assert [each["order_id"] for each in done["unserved"]] == [day.order_ids[0]]
    stale = await console.post(edits, json={"moves": [move], "version": before["version"]})
    assert (stale.status_code, stale.json()["code"]) == (409, "STALE_PLAN")


async def test_routes_that_have_not_left_are_changed_by_hand(console: httpx2.AsyncClient, day: DayToPlan) -> None:
    job_id = await day.planned()
    await day.tenant.post(f"/api/v1/dispatch/jobs/{job_id}/apply", {})
    where = {"warehouse_id": day.depot.warehouse_id, "delivery_date": day_in(1)}
    move = {"action": "unassign", "order_id": day.order_ids[1]}
    done = await console.post("/console/dispatch/edits", json={**where, "moves": [move]})
    assert done.json()["kept"], done.text
    seen = await board_of(console, warehouse_id=day.depot.warehouse_id, date=day_in(1))
    assert [each["order_id"] for each in seen["unserved"]] == [day.order_ids[1]]


async def test_what_no_longer_holds_is_named_and_the_rest_applied(console: httpx2.AsyncClient, day: DayToPlan) -> None:
    job_id = await day.planned()
    await day.tenant.post(f"/api/v1/orders/{day.order_ids[0]}/cancel", {"reason": "closed"})
    apply = f"/console/dispatch/jobs/{job_id}/apply"
    refused = await console.post(apply)
    assert refused.status_code == 409
    assert "the order is cancelled by now" in refused.text
    assert "Apply what still holds" in refused.text
    assert (await console.post(apply, data={"allow_partial": "true"})).status_code == 303
    seen = await board_of(console, warehouse_id=day.depot.warehouse_id, date=day_in(1))
    assert sum(len(route["stops"]) for route in seen["routes"]) == 2


async def test_a_proposal_says_its_cause_and_is_dismissed(
    console: httpx2.AsyncClient, day: DayToPlan, sqlite_platform: Platform
) -> None:
    await day.tenant.post(f"/api/v1/dispatch/jobs/{await day.planned()}/apply", {})
    late = await order_from(day.depot)
    await pack(day.tenant, late["id"])
    routes = await day.tenant.get("/api/v1/warehouse/routes")
    typed = {"cause": "late_order", "why": "a cook called", "route_ids": [route["id"] for route in routes]}
    assert (await console.post("/console/dispatch/replan", data=typed)).headers["location"] == day.address
    job = next(each for each in await day.tenant.get("/api/v1/dispatch/jobs") if each["kind"] == "replan")
    await in_this_process(sqlite_platform, day.tenant, job["id"])
    shown = (await console.get(day.address)).text
    assert "Proposal: Late order" in shown.replace("</h2>", "")
    assert "a cook called" in shown
    assert late["number"] in shown
    assert "What would change" in (await console.get(f"/console/dispatch?job={job['id']}")).text
    await console.post(f"/console/dispatch/jobs/{job['id']}/cancel")
    assert "Proposal" not in (await console.get(day.address)).text


async def test_who_may_not_plan_sees_no_board(sqlite_platform: Platform, day: DayToPlan) -> None:
    driver = await make_person(sqlite_platform, day.tenant, "delivery_personnel")
    async with at_console(sqlite_platform, driver) as theirs:
        assert (await theirs.get(day.address)).status_code == 403
        assert (await theirs.get("/console/dispatch/constraints")).status_code == 403


async def board_of(console: httpx2.AsyncClient, **query: str) -> dict[str, Any]:
    """What the board's script is told."""
    answer = await console.get("/console/dispatch/board.json", params=query)
    assert answer.status_code == 200, answer.text
    said: dict[str, Any] = answer.json()
    return said
