"""Vehicles, their workshop visits and their drivers' shifts, for the tables of operations."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from cloud_api.kernel import clock
from tests.architecture.worlds import World
from tests.factories.scopes import id_of

VEHICLES = "/api/v1/warehouse/fleet/vehicles"
SHIFTS = "/api/v1/warehouse/fleet/shifts"

Body = object | Callable[[World], Awaitable[object]]


async def a_van_at_home(world: World) -> str:
    """One that others than its warehouse's people do not see."""
    number = f"HOME-{world.tenant.slug[:6]}-{world.number()}"
    body = {"number": number, "capacity_g": 500_000, "home_warehouse_id": world.store.warehouse_id}
    return str((await world.tenant.post(VEHICLES, body))["id"])


async def some_hours(world: World) -> Mapping[str, object]:
    """At a time that nobody has a shift from."""
    number = world.number()
    return {"weekday": number % 7, "from_time": f"{number % 12:02}:{number % 60:02}:00", "until_time": "18:00:00"}


async def a_new_shift(world: World) -> Mapping[str, object]:
    return {**await some_hours(world), "user_id": await id_of(world.tenant)}


async def a_shift(world: World) -> str:
    """Of the administrator, in a van that others than its warehouse's people do not see."""
    body = {**await a_new_shift(world), "vehicle_id": await a_van_at_home(world)}
    return str((await world.tenant.post(SHIFTS, body))["id"])


async def a_visit(world: World) -> Mapping[str, object]:
    yesterday = (clock.now() - timedelta(days=1)).date().isoformat()
    return {"vehicle_id": await a_van_at_home(world), "kind": "service", "done_on": yesterday}


#: operation -> how to come by its id, and what to send
FLEET_CASES: Mapping[str, tuple[Callable[[World], Awaitable[str]], Body]] = {
    "update_vehicle": (a_van_at_home, {"model": "Tata Ace", "status": "maintenance"}),
    "retire_vehicle": (a_van_at_home, None),
    "update_shift": (a_shift, some_hours),
    "delete_shift": (a_shift, None),
}

#: operation -> what is sent
FLEET_GOOD: Mapping[str, Callable[[World], Awaitable[object]]] = {
    "record_fleet_maintenance": a_visit,
    "create_shift": a_new_shift,
}
