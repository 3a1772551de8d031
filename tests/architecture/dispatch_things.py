"""Plans, proposals and the board, for the tables of operations."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from tests.architecture.worlds import World
from tests.factories.orders import Depot, day_in, in_this_process, make_depot, make_van, order_from, pack

JOBS = "/api/v1/dispatch/jobs"


async def _depot(world: World) -> Depot:
    if world.depot is None:
        world.depot = await make_depot(world.tenant)
    return world.depot


async def _to_plan(world: World) -> dict[str, object]:
    """A van of its own, and an order that no other plan takes."""
    depot = await _depot(world)
    van = await make_van(world.tenant)
    order = await order_from(depot, quantity="1")
    await pack(world.tenant, order["id"])
    return {
        "warehouse_id": depot.warehouse_id,
        "delivery_date": day_in(1),
        "time_limit_s": 1,
        "vehicle_ids": [van["id"]],
        "order_ids": [order["id"]],
    }


async def a_queued_job(world: World) -> str:
    return str((await world.tenant.post(JOBS, await _to_plan(world)))["id"])


async def a_solved_job(world: World) -> str:
    job_id = await a_queued_job(world)
    await in_this_process(world.platform, world.tenant, job_id)
    return job_id


async def a_published_route(world: World) -> str:
    job_id = await a_solved_job(world)
    await world.tenant.post(f"{JOBS}/{job_id}/apply", {})
    [route] = await world.tenant.get("/api/v1/warehouse/routes", planning_job_id=job_id)
    return str(route["id"])


#: operation -> how to come by its id, and what to send
DISPATCH_CASES: Mapping[str, tuple[Callable[[World], Awaitable[str]], object]] = {
    "cancel_planning_job": (a_queued_job, None),
    "get_planning_solution": (a_solved_job, None),
    "apply_planning_job": (a_solved_job, {}),
    "list_route_optimizations": (a_published_route, None),
}


async def an_edit(world: World) -> dict[str, object]:
    job_id = await a_solved_job(world)
    solution: Any = await world.tenant.get(f"{JOBS}/{job_id}/solution")
    [route] = solution["routes"]
    move = {
        "action": "assign",
        "order_id": route["stops"][0]["order_id"],
        "vehicle_id": route["vehicle_id"],
    }
    return {"job_id": job_id, "moves": [move]}


async def something_late(world: World) -> dict[str, object]:
    return {"route_ids": [await a_published_route(world)], "cause": "delay"}


async def some_places(_world: World) -> dict[str, object]:
    return {"points": [{"latitude": 12.93, "longitude": 77.61}]}


async def a_pace(_world: World) -> dict[str, object]:
    """How long a door takes."""
    return {"service_time_s": 200}


DISPATCH_GOOD: Mapping[str, Callable[[World], Awaitable[dict[str, object]]]] = {
    "create_planning_job": _to_plan,
    "assign_stops": an_edit,
    "put_planning_constraints": a_pace,
    "replan_routes": something_late,
    "compute_distance_matrix": some_places,
}


async def a_board(world: World) -> dict[str, str]:
    """Which warehouse's."""
    return {"warehouse_id": (await _depot(world)).warehouse_id}
