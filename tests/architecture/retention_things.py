"""Classes of retention and legal holds, for the operations of `/api/v1/telemetry`."""

from tests.architecture.worlds import World


async def a_retention_class(world: World) -> str:
    """One that no sensor has."""
    made = await world.tenant.post("/api/v1/telemetry/retention-classes", await a_class_body(world))
    return str(made["id"])


async def a_class_body(world: World) -> dict[str, object]:
    return {"name": f"class {world.number()}", "raw_days": 400, "hours_days": 800}


async def a_legal_hold(world: World) -> str:
    made = await world.tenant.post("/api/v1/telemetry/legal-holds", a_hold_of(world))
    return str(made["id"])


def a_hold_of(world: World) -> dict[str, object]:
    return {"location_id": world.store.room_id, "reason": "claim 17"}
