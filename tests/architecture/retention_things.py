"""Classes of retention and legal holds, for the operations of `/api/v1/telemetry`."""

from collections.abc import Awaitable, Callable, Mapping

from tests.architecture.worlds import World

Body = object | Callable[[World], Awaitable[object]]


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


#: operation -> how to come by its id, and what to send
RETENTION_CASES: Mapping[str, tuple[Callable[[World], Awaitable[str]], Body]] = {
    "get_retention_class": (a_retention_class, None),
    "update_retention_class": (a_retention_class, a_class_body),
    "delete_retention_class": (a_retention_class, None),
    "get_legal_hold": (a_legal_hold, None),
    "release_legal_hold": (a_legal_hold, None),
}
