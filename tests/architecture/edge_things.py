"""Gateways, and what hangs on them, for the operations of `/api/v1/edge`."""

from tests.architecture.worlds import World
from tests.factories.stores import make_cold_store, make_gateway

HEARTBEAT: dict[str, object] = {
    "epoch": "0" * 32,
    "recorded_at_ms": 1,
    "uptime_s": 1,
    "software_version": "0.1.0",
    "config_version": 1,
    "backlog_rows": 0,
    "oldest_unsent_ms": None,
    "dead_letters": 0,
    "disk_free_mb": 1,
}
SCALE: dict[str, object] = {"name": "Platform at dock 1", "capacity_kg": 600.0, "division_kg": 0.2}
READER: dict[str, object] = {"name": "Dock 1", "antennas": [{"number": 1, "direction": "in"}]}
CONFIG_ACK: dict[str, object] = {"version": 1, "state": "confirmed", "recorded_at_ms": 1}


async def a_gateway(world: World) -> str:
    return (await make_gateway(world.platform, world.tenant))[0]


async def the_gateway(world: World) -> str:
    return world.store.gateway_id


async def a_gateway_of_its_own(world: World) -> str:
    """With a sensor in a room, and needed by nobody else."""
    return (await make_cold_store(world.platform, world.tenant)).gateway_id


async def a_command(world: World) -> str:
    """Two ids: whose, and which."""
    path = f"/api/v1/edge/gateways/{world.store.gateway_id}/commands"
    return f"{world.store.gateway_id} {(await world.tenant.post(path, {'kind': 'identify'}))['id']}"


async def a_new_name(world: World) -> object:
    return {"name": f"Box {world.number()}"}


async def a_sensor(world: World) -> str:
    return world.store.sensor_id


async def another_sensor(world: World) -> str:
    return await _sensor(world, "temperature", "Cel")


async def a_scale(world: World) -> str:
    return await _sensor(world, "weight", "kg")


async def a_reader(world: World) -> str:
    return await _sensor(world, "tag", "epc")


async def _sensor(world: World, quantity: str, unit: str) -> str:
    where = {"gateway_id": world.store.gateway_id, "location_id": world.store.room_id}
    what = {"code": f"scale:{world.number()}", "quantity": quantity, "unit": unit}
    return str((await world.tenant.post("/api/v1/edge/sensors", {**where, **what}))["id"])
