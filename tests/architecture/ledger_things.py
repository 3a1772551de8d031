"""Lots, movements, levels and recalls, for the operations of these."""

from collections.abc import Awaitable, Callable
from typing import Any

from tests.architecture.worlds import World
from tests.factories.orders import day_in
from tests.factories.stores import receive

LOTS = "/api/v1/warehouse/batches"
STOCK = "/api/v1/warehouse/stock"


async def a_receipt(world: World) -> Any:
    return await receive(world.store, lot=f"LOT-S{world.number()}", expires_on=day_in(5))


async def a_lot_here(world: World) -> str:
    return str((await a_receipt(world))["lot_id"])


async def a_booking(world: World) -> str:
    return str((await a_receipt(world))["id"])


async def a_level(world: World) -> str:
    lot_id = await a_lot_here(world)
    [level] = await world.tenant.get(f"{STOCK}/levels", lot_id=lot_id)
    return str(level["id"])


async def an_empty_level(world: World) -> str:
    level_id = await a_level(world)
    level = await world.tenant.get(f"{STOCK}/levels/{level_id}")
    gone = {"movement_type": "waste", "lot_id": level["lot_id"], "location_id": level["location_id"]}
    await world.tenant.post(f"{STOCK}/movements", {**gone, "quantity": level["on_hand"]})
    return level_id


async def a_held_lot(world: World) -> str:
    lot_id = await a_lot_here(world)
    await world.tenant.post(f"{LOTS}/{lot_id}/hold", {"reason": "label wrong"})
    return lot_id


async def a_recall(world: World) -> str:
    made = await world.tenant.post(f"{LOTS}/{await a_lot_here(world)}/recall", {"reason": "glass"})
    return str(made["recall"]["id"])


async def a_split(world: World) -> object:
    part = {"lot_number": f"HALF-{world.number()}", "quantity": "1"}
    return {"location_id": world.store.room_id, "parts": [part]}


async def a_repacking(world: World) -> object:
    made = {"lot_number": f"BAGS-{world.number()}", "quantity": "1"}
    return {"location_id": world.store.room_id, "quantity": "1", "made": [made]}


async def a_waste(world: World) -> dict[str, object]:
    place = {"lot_id": await a_lot_here(world), "location_id": world.store.room_id}
    return {"movement_type": "waste", **place, "quantity": "1"}


async def a_batch(world: World) -> object:
    return {"movements": [await a_waste(world)]}


async def a_group(world: World) -> str:
    """Of movements that were booked together."""
    rows = await world.tenant.post(f"{STOCK}/batch", {"movements": [await a_waste(world), await a_waste(world)]})
    return str(rows[0]["group_id"])


async def an_opening(world: World) -> object:
    return {"lot_id": await a_lot_here(world), "location_id": world.store.room_id, "quantity": "1"}


async def a_merging(world: World) -> object:
    portion = {"lot_id": await a_lot_here(world), "location_id": world.store.room_id, "quantity": "1"}
    return {
        "lot_number": f"MIX-{world.number()}",
        "to_location_id": world.store.room_id,
        "portions": [portion, portion],
    }


Make = Callable[[World], Awaitable[str]]

#: operation -> what makes the id in its path, and what it is sent
STOCK_CASES: dict[str, tuple[Make, object]] = {
    "get_level": (a_level, None),
    "update_level": (a_level, {"max_level": "500"}),
    "remove_level": (an_empty_level, None),
    "reverse_movement": (a_booking, {"reason": "mistake"}),
    "update_lot": (a_lot_here, {"grade": "good", "reason": "bruised"}),
    "hold_lot": (a_lot_here, {"reason": "label wrong"}),
    "release_lot": (a_held_lot, {"reason": "relabelled"}),
    "split_lot": (a_lot_here, a_split),
    "repack_lot": (a_lot_here, a_repacking),
    "trace_lot": (a_lot_here, None),
    "recall_lot": (a_lot_here, {"reason": "glass"}),
    "get_recall": (a_recall, None),
    "get_recall_report": (a_recall, None),
    "close_recall": (a_recall, {"reason": "all came back", "outcome": "waste"}),
}

#: operation without an id -> what it is sent
STOCK_GOOD: dict[str, Callable[[World], Awaitable[object]]] = {
    "record_movement": a_waste,
    "record_batch": a_batch,
    "open_level": an_opening,
    "merge_lots": a_merging,
}
