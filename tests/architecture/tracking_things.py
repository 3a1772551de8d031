"""Fences and positions, for the tables of operations."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from cloud_api.logistics.tracking.watching import look_at
from tests.architecture.worlds import World
from tests.factories.roads import at, plant_road

_YARD = {"latitude": 12.93, "longitude": 77.61, "radius_m": 300}


async def a_new_fence(world: World) -> dict[str, Any]:
    """Of the store's warehouse."""
    name = f"Yard {world.tenant.slug} {world.number()}"
    return {"name": name, "kind": "depot", "circle": _YARD, "warehouse_id": world.store.warehouse_id}


async def a_fence(world: World) -> str:
    return str((await world.tenant.post("/api/v1/geofences", await a_new_fence(world)))["id"])


async def a_fence_that_was_crossed(world: World) -> str:
    fence_id = await a_fence(world)
    road = await plant_road(world.platform, tenant=world.tenant, warehouse_id=world.store.warehouse_id)
    await road.report(at(12.93))
    await look_at(world.platform.database, world.tenant.organization)
    return fence_id


async def a_position(_world: World) -> object:
    """Of this moment."""
    return at(12.93)


async def _a_report(world: World) -> dict[str, Any]:
    """Of a route that the administrator drives."""
    road = await plant_road(world.platform, tenant=world.tenant, driver=world.tenant, under_way=False)
    return {"route_id": road.route_id, "positions": [at(12.93)]}


#: operation -> how to come by its id, and the body it takes
TRACKING_CASES: Mapping[str, tuple[Callable[[World], Awaitable[str]], object]] = {
    "update_geofence": (a_fence, {"kind": "restricted"}),
    "delete_geofence": (a_fence, None),
}

TRACKING_GOOD: Mapping[str, Callable[[World], Awaitable[Any]]] = {
    "create_geofence": a_new_fence,
    "report_positions": _a_report,
}
