"""A plan is looked at, changed by hand, and published: all of it, or a list of what no longer holds."""

import asyncio
import uuid
from typing import Any

import pytest

from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.orders import Depot, day_in, in_this_process, make_depot, make_van, order_from, pack
from tests.platform_under_test import Platform, Tenant

pytestmark = IN_ONE_LOOP

JOBS = "/api/v1/dispatch/jobs"
ASSIGN = "/api/v1/dispatch/assignments"


async def packed_order(depot: Depot, **fields: Any) -> str:
    order = await order_from(depot, **fields)
    await pack(depot.tenant, order["id"])
    return str(order["id"])


async def solved_job(farm: Platform, depot: Depot, **fields: Any) -> str:
    """A job that has succeeded; its id."""
    wanted = {"warehouse_id": depot.warehouse_id, "delivery_date": day_in(1), "time_limit_s": 1, **fields}
    job = await farm.tenant.post(JOBS, wanted)
    await in_this_process(farm, farm.tenant, job["id"])
    return str(job["id"])


async def solution_of(tenant: Tenant, job_id: str) -> Any:
    return await tenant.get(f"{JOBS}/{job_id}/solution")


def driven(solution: Any) -> dict[str, list[str]]:
    """Van -> its orders, in order."""
    return {route["vehicle_id"]: [stop["order_id"] for stop in route["stops"]] for route in solution["routes"]}


async def refused(tenant: Tenant, path: str, body: object) -> tuple[int, str, list[Any]]:
    answer = await tenant.client.post(path, json=body)
    error = answer.json()["error"]
    return answer.status_code, error["code"], error["details"]


async def test_a_plan_is_looked_at_before_any_route_is_made(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    van = await make_van(farm.tenant, capacity_g=9_000)
    near = await packed_order(depot, latitude=12.94)
    far = await packed_order(depot, latitude=12.99)
    heavy = await packed_order(depot, quantity="20.000")
    job_id = await solved_job(farm, depot)
    job = await farm.tenant.get(f"{JOBS}/{job_id}")
    assert (job["status"], job["kind"], job["objective"]) == ("succeeded", "plan", "distance")
    assert await farm.tenant.get("/api/v1/warehouse/routes") == []
    solution = await solution_of(farm.tenant, job_id)
    [route] = solution["routes"]
    assert (route["vehicle_id"], route["vehicle_number"]) == (van["id"], van["number"])
    assert {stop["order_id"] for stop in route["stops"]} == {near, far}
    assert {load["compartment"]: (load["load_g"], load["capacity_g"]) for load in route["loads"]} == {
        None: (8_000, 9_000),
        "chilled": (0, 9_000),
    }
    [left_out] = solution["unserved"]
    assert (left_out["order_id"], left_out["rules"][0]) == (heavy, "capacity")
    assert van["number"] in left_out["reason"]
    assert "20 kg" in left_out["reason"]
    assert "a vehicle that holds 20 kg" in left_out["remedy"]
    total, baseline = solution["total"], solution["baseline"]
    assert solution["saved"]["distance_m"] == baseline["distance_m"] - total["distance_m"] >= 0
    assert (total["distance_m"], total["co2_g"] > 0) == (route["distance_m"], True)
    assert (solution["served"], baseline["served"]) == (2, 2)


async def test_publishing_makes_the_routes_once_and_keeps_what_it_saved(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    await make_van(farm.tenant)
    # as taken the van would drive to and fro
    orders = [await packed_order(depot, latitude=latitude) for latitude in (12.99, 12.94, 12.98, 12.95)]
    job_id = await solved_job(farm, depot)
    solution = await solution_of(farm.tenant, job_id)
    applied = await farm.tenant.post(f"{JOBS}/{job_id}/apply", {"version": 1})
    assert (applied["status"], applied["unserved"]) == ("applied", [])
    [route] = await farm.tenant.get("/api/v1/warehouse/routes", planning_job_id=job_id)
    detail = await farm.tenant.get(f"/api/v1/warehouse/routes/{route['id']}")
    assert [stop["order_id"] for stop in detail["deliveries"]] == driven(solution)[route["vehicle_id"]]
    assert sorted(driven(solution)[route["vehicle_id"]]) == sorted(orders)
    [made] = await farm.tenant.get(f"/api/v1/warehouse/routes/{route['id']}/optimizations")
    assert (made["kind"], made["job_id"], made["distance_m"]) == ("plan", job_id, route["distance_m"])
    assert made["distance_before_m"] > made["distance_m"]
    assert made["co2_before_g"] > made["co2_g"]
    assert (await refused(farm.tenant, f"{JOBS}/{job_id}/apply", {}))[:2] == (409, "INVALID_TRANSITION")


async def test_what_no_longer_holds_is_named_stop_by_stop_and_nothing_is_made(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    await make_van(farm.tenant)
    stays, goes = await packed_order(depot), await packed_order(depot, latitude=12.95)
    job_id = await solved_job(farm, depot)
    await farm.tenant.post(f"/api/v1/orders/{goes}/cancel", {"reason": "closed today"})
    status, code, details = await refused(farm.tenant, f"{JOBS}/{job_id}/apply", {})
    assert (status, code) == (409, "PLAN_OUTDATED")
    [outdated] = details
    assert outdated["field"] == f"orders.{goes}"
    assert "the order is cancelled by now" in outdated["message"]
    assert await farm.tenant.get("/api/v1/warehouse/routes") == []
    assert (await farm.tenant.get(f"{JOBS}/{job_id}"))["status"] == "succeeded"
    applied = await farm.tenant.post(f"{JOBS}/{job_id}/apply", {"allow_partial": True})
    assert applied["unserved"] == [{"order_id": goes, "reason": "the order is cancelled by now"}]
    [route] = await farm.tenant.get("/api/v1/warehouse/routes", planning_job_id=job_id)
    detail = await farm.tenant.get(f"/api/v1/warehouse/routes/{route['id']}")
    assert [stop["order_id"] for stop in detail["deliveries"]] == [stays]


@pytest.mark.long
async def test_a_van_that_got_another_route_meanwhile_is_named_for_each_of_its_stops(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    van = await make_van(farm.tenant)
    first, second = await packed_order(depot), await packed_order(depot, latitude=12.95)
    jobs = [await solved_job(farm, depot, order_ids=[order]) for order in (first, second)]
    await farm.tenant.post(f"{JOBS}/{jobs[0]}/apply", {})
    _, code, details = await refused(farm.tenant, f"{JOBS}/{jobs[1]}/apply", {})
    assert code == "PLAN_OUTDATED"
    assert [detail["field"] for detail in details] == [f"orders.{second}"]
    assert f"vehicle {van['number']} has another route by now" in details[0]["message"]


async def test_of_two_who_publish_at_once_one_wins(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    await make_van(farm.tenant)
    order = await packed_order(depot)
    job_id = await solved_job(farm, depot)
    answers = await asyncio.gather(*(farm.tenant.client.post(f"{JOBS}/{job_id}/apply", json={}) for _ in range(2)))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    stops = await farm.tenant.get("/api/v1/warehouse/deliveries", order_id=order)
    assert [stop["status"] for stop in stops] == ["assigned"]


async def test_a_stop_is_moved_and_the_new_schedule_is_the_answer(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    vans = [await make_van(farm.tenant, capacity_g=8_000) for _ in range(2)]
    orders = [await packed_order(depot, latitude=12.94 + door / 200) for door in range(3)]
    job_id = await solved_job(farm, depot)
    was = await solution_of(farm.tenant, job_id)
    before = driven(was)
    full = next(van for van, stops in before.items() if len(stops) == 2)
    other = next(van["id"] for van in vans if van["id"] != full)
    moved = before[full][0]
    move = {"action": "assign", "order_id": moved, "vehicle_id": other}
    draft = await farm.tenant.post(ASSIGN, {"job_id": job_id, "version": 1, "moves": [move]})
    assert (draft["kept"], draft["violations"], draft["version"]) == (True, [], 2)
    now = driven(draft)
    assert (now[full], sorted(now[other])) == (before[full][1:], sorted([*before[other], moved]))
    assert draft["distance_m"] == draft["total"]["distance_m"] - was["total"]["distance_m"]
    assert driven(await solution_of(farm.tenant, job_id)) == now
    assert sorted(stop for stops in now.values() for stop in stops) == sorted(orders)


async def test_an_edit_that_breaks_a_rule_is_not_kept_unless_somebody_insists(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    vans = [await make_van(farm.tenant, capacity_g=8_000) for _ in range(2)]
    for door in range(3):
        await packed_order(depot, latitude=12.94 + door / 200)
    job_id = await solved_job(farm, depot)
    before = driven(await solution_of(farm.tenant, job_id))
    full = next(van for van, stops in before.items() if len(stops) == 2)
    [single] = next(stops for stops in before.values() if len(stops) == 1)
    body = {
        "job_id": job_id,
        "moves": [{"action": "assign", "order_id": single, "vehicle_id": full, "before": before[full][0]}],
    }
    draft = await farm.tenant.post(ASSIGN, body)
    assert (draft["kept"], draft["version"]) == (False, 1)
    assert [violation["rule"] for violation in draft["violations"]] == ["capacity"] * len(draft["violations"])
    plate = next(van["number"] for van in vans if van["id"] == full)
    assert plate in draft["violations"][0]["words"]
    assert driven(draft) == {full: [single, *before[full]]}
    assert driven(await solution_of(farm.tenant, job_id)) == before
    forced = await farm.tenant.post(ASSIGN, {**body, "force": True})
    assert (forced["kept"], forced["version"]) == (True, 2)
    kept = await solution_of(farm.tenant, job_id)
    assert (driven(kept), kept["violations"]) == (driven(draft), draft["violations"])


async def test_who_has_not_seen_the_last_edit_changes_nothing(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    await make_van(farm.tenant)
    order = await packed_order(depot)
    job_id = await solved_job(farm, depot)
    take_off = {"job_id": job_id, "version": 1, "moves": [{"action": "unassign", "order_id": order}]}
    draft = await farm.tenant.post(ASSIGN, take_off)
    assert [left["order_id"] for left in draft["unserved"]] == [order]
    assert (await refused(farm.tenant, ASSIGN, take_off))[:2] == (409, "STALE_PLAN")
    assert (await refused(farm.tenant, f"{JOBS}/{job_id}/apply", {"version": 1}))[:2] == (409, "STALE_PLAN")


@pytest.mark.long
async def test_locked_stops_stay_where_they_are_and_vans_exchange_their_routes(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    one, other = [(await make_van(farm.tenant))["id"] for _ in range(2)]
    orders = [await packed_order(depot, latitude=12.94 + door / 200) for door in range(2)]
    job_id = await solved_job(farm, depot, vehicle_ids=[one, other])
    [(van, stops)] = driven(await solution_of(farm.tenant, job_id)).items()
    assert sorted(stops) == sorted(orders)

    async def edit(*moves: dict[str, object]) -> Any:
        return await farm.tenant.post(ASSIGN, {"job_id": job_id, "moves": list(moves)})

    locked = await edit({"action": "lock", "order_id": stops[0]})
    assert [stop["locked"] for stop in locked["routes"][0]["stops"]] == [True, False]
    turned = await edit({"action": "assign", "order_id": stops[1], "vehicle_id": van, "before": stops[0]})
    assert (turned["kept"], turned["violations"][0]["rule"]) == (False, "locked stops")
    other_van = other if van == one else one
    swapped = await edit({"action": "swap", "vehicle_id": van, "with_vehicle_id": other_van})
    assert (swapped["kept"], driven(swapped)) == (True, {other_van: stops})
    await edit({"action": "unlock", "vehicle_id": other_van})
    free = await edit({"action": "assign", "order_id": stops[1], "vehicle_id": other_van, "before": stops[0]})
    assert (free["kept"], driven(free)) == (True, {other_van: stops[::-1]})


async def test_a_move_of_what_is_not_in_the_plan_is_refused_by_name(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    van, order = (await make_van(farm.tenant))["id"], await packed_order(depot)
    job_id, nobodys = await solved_job(farm, depot), str(uuid.UUID(int=7))
    usual = {"action": "assign", "order_id": order, "vehicle_id": van}
    for field, wrong in (("order_id", nobodys), ("vehicle_id", nobodys), ("after", nobodys), ("after", order)):
        asked = {"job_id": job_id, "moves": [{**usual, field: wrong}]}
        status, code, details = await refused(farm.tenant, ASSIGN, asked)
        assert (status, code, details[0]["field"]) == (422, "BAD_MOVE", f"moves[0].{field}")
    swap, both = {"action": "swap", "vehicle_id": van}, {**usual, "before": order, "after": order}
    for unclear in (swap, both, {**usual, "action": "unassign"}):
        assert (await refused(farm.tenant, ASSIGN, {"job_id": job_id, "moves": [unclear]}))[0] == 422


async def test_routes_that_have_not_left_are_changed_by_hand_too(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    vans = [(await make_van(farm.tenant))["id"] for _ in range(2)]
    orders = [await packed_order(depot, latitude=12.94 + door / 200) for door in range(3)]
    job_id = await solved_job(farm, depot, vehicle_ids=[vans[0]])
    await farm.tenant.post(f"{JOBS}/{job_id}/apply", {})
    [route] = await farm.tenant.get("/api/v1/warehouse/routes")
    late = await packed_order(depot, latitude=12.96)
    day = {"warehouse_id": depot.warehouse_id, "delivery_date": day_in(1)}
    moves = [
        {"action": "assign", "order_id": late, "vehicle_id": vans[0]},
        {"action": "assign", "order_id": orders[0], "vehicle_id": vans[1]},
        {"action": "unassign", "order_id": orders[1]},
    ]
    tried = await farm.tenant.post(ASSIGN, {**day, "moves": moves, "dry_run": True})
    assert tried["kept"] is False
    versions = {"route_versions": {route["id"]: 99}}
    assert (await refused(farm.tenant, ASSIGN, {**day, "moves": moves, **versions}))[1] == "STALE_PLAN"
    draft = await farm.tenant.post(ASSIGN, {**day, "moves": moves})
    assert (draft["kept"], draft["violations"]) == (True, [])
    routes = await farm.tenant.get("/api/v1/warehouse/routes")
    by_van = {}
    for each in routes:
        detail = await farm.tenant.get(f"/api/v1/warehouse/routes/{each['id']}")
        by_van[each["vehicle_id"]] = [stop["order_id"] for stop in detail["deliveries"]]
    assert by_van == driven(draft)
    assert (sorted(by_van[vans[0]]), by_van[vans[1]]) == (sorted([late, orders[2]]), [orders[0]])
    history = await farm.tenant.get(f"/api/v1/warehouse/routes/{route['id']}/optimizations")
    assert [each["kind"] for each in history] == ["plan", "edit"]
    edits = await farm.tenant.get("/api/v1/warehouse/routes/optimizations", kind="edit")
    assert {each["route_id"] for each in edits} == {each["id"] for each in routes}
    of_this = await farm.tenant.get("/api/v1/warehouse/routes/optimizations", route_id=route["id"])
    assert of_this == history[::-1]


async def test_an_edit_of_made_routes_is_judged_by_the_vans_that_it_concerns(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    full, one, other = [(await make_van(farm.tenant, capacity_g=8_000))["id"] for _ in range(3)]
    orders = [await packed_order(depot, latitude=12.94 + door / 200) for door in range(4)]
    day = {"warehouse_id": depot.warehouse_id, "delivery_date": day_in(1)}

    async def edit(*moves: dict[str, object], **how: object) -> Any:
        return await farm.tenant.post(ASSIGN, {**day, "moves": list(moves), **how})

    def put(order_id: str, van: str) -> dict[str, object]:
        return {"action": "assign", "order_id": order_id, "vehicle_id": van}

    await edit(*(put(order_id, full) for order_id in orders[:3]), force=True)
    overloaded = await route_of(farm.tenant, full)
    assert overloaded is not None
    placed = await edit(put(orders[3], one))
    assert (placed["kept"], placed["vehicle_ids"], placed["violations"]) == (True, [one], [])
    seen = {placed["routes"][0]["route_id"]: placed["routes"][0]["version"]}
    moved = await edit(put(orders[3], other), route_versions={**seen, overloaded[0]: 99})
    assert (moved["kept"], moved["vehicle_ids"]) == (True, sorted([one, other]))
    assert (driven(moved), await route_of(farm.tenant, one)) == ({other: [orders[3]]}, None)
    # the van that it was taken from has another version by now, or no route
    again = {**day, "moves": [put(orders[3], one)], "route_versions": seen}
    assert (await refused(farm.tenant, ASSIGN, again))[1] == "STALE_PLAN"
    relieved = await edit(put(orders[0], one))
    assert (relieved["kept"], relieved["violations"]) == (True, [])
    assert driven(relieved) == {full: orders[1:3], one: [orders[0]]}


async def test_a_vans_second_route_of_the_day_stands_in_no_edits_way(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    van = (await make_van(farm.tenant))["id"]
    orders = [await packed_order(depot, latitude=12.94 + door / 200) for door in range(3)]
    day = {"warehouse_id": depot.warehouse_id, "delivery_date": day_in(1)}
    first, second = [
        await farm.tenant.post("/api/v1/warehouse/routes", {**day, "vehicle_id": van, "order_ids": [order]})
        for order in orders[:2]
    ]
    seen = {route["id"]: route["version"] for route in (first, second)}
    moves = [{"action": "assign", "order_id": orders[2], "vehicle_id": van}]
    draft = await farm.tenant.post(ASSIGN, {**day, "moves": moves, "route_versions": seen})
    assert draft["kept"]
    after = [await farm.tenant.get(f"/api/v1/warehouse/routes/{route['id']}") for route in (first, second)]
    brought = [{stop["order_id"] for stop in route["deliveries"]} for route in after]
    assert brought == [{orders[0], orders[2]}, {orders[1]}]


async def route_of(tenant: Tenant, vehicle_id: str) -> tuple[str, int] | None:
    """A van's route that has not left, with its version."""
    its = await tenant.get("/api/v1/warehouse/routes", vehicle_id=vehicle_id, status="planned")
    return (its[0]["id"], its[0]["version"]) if its else None


async def test_a_job_without_a_solution_says_so(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    await make_van(farm.tenant)
    await packed_order(depot)
    wanted = {"warehouse_id": depot.warehouse_id, "delivery_date": day_in(1), "time_limit_s": 1}
    job_id = (await farm.tenant.post(JOBS, wanted))["id"]
    answer = await farm.tenant.client.get(f"{JOBS}/{job_id}/solution")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "NO_SOLUTION")
    cancelled = await farm.tenant.post(f"{JOBS}/{job_id}/cancel")
    assert cancelled["status"] == "cancelled"
    assert (await farm.tenant.post(f"{JOBS}/{job_id}/cancel"))["status"] == "cancelled"


@pytest.mark.long
async def test_a_solution_that_nobody_wants_is_thrown_away(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    await make_van(farm.tenant)
    await packed_order(depot)
    job_id = await solved_job(farm, depot)
    assert (await farm.tenant.post(f"{JOBS}/{job_id}/cancel"))["status"] == "discarded"
    assert (await refused(farm.tenant, f"{JOBS}/{job_id}/apply", {}))[:2] == (409, "INVALID_TRANSITION")


async def test_orders_that_do_not_wait_for_a_van_are_named_when_they_are_asked_for(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    await make_van(farm.tenant)
    await packed_order(depot)
    unpacked = (await order_from(depot))["id"]
    wanted = {"warehouse_id": depot.warehouse_id, "delivery_date": day_in(1), "order_ids": [unpacked]}
    _, code, details = await refused(farm.tenant, JOBS, wanted)
    assert (code, details[0]["field"]) == ("NOTHING_TO_PLAN", "order_ids")
    assert unpacked in details[0]["message"]
