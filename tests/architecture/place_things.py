"""Places, transfers and stock takes, as operations need them."""

from collections.abc import Awaitable, Callable
from typing import Any

from tests.architecture.worlds import World
from tests.factories.stores import make_product, make_room, make_warehouse, receive

TRANSFERS = "/api/v1/warehouse/stock/transfers"
TAKES = "/api/v1/warehouse/stock/takes"


async def a_warehouse_of_its_own(world: World) -> str:
    return await make_warehouse(world.tenant)


async def a_place(world: World) -> str:
    return world.store.room_id


async def an_empty_place(world: World) -> str:
    return await make_room(world.tenant, world.store.warehouse_id)


async def a_move(world: World) -> dict[str, object]:
    lot = await receive(world.store, lot=f"LOT-{world.number()}")
    line = {"lot_id": lot["lot_id"], "from_location_id": world.store.room_id, "quantity": "1.000"}
    return {"lines": [{**line, "to_location_id": await an_empty_place(world)}]}


async def a_new_transfer(world: World) -> dict[str, object]:
    lot = await receive(world.store, lot=f"LOT-{world.number()}")
    there = await make_warehouse(world.tenant)
    line = {"lot_id": lot["lot_id"], "from_location_id": world.store.room_id, "quantity": "1.000"}
    line["to_location_id"] = await make_room(world.tenant, there)
    return {"from_warehouse_id": world.store.warehouse_id, "to_warehouse_id": there, "lines": [line]}


async def a_transfer(world: World) -> str:
    return str((await world.tenant.post(TRANSFERS, await a_new_transfer(world)))["id"])


async def a_shipped_transfer(world: World) -> str:
    transfer_id = await a_transfer(world)
    await world.tenant.post(f"{TRANSFERS}/{transfer_id}/ship")
    return transfer_id


async def what_arrived(world: World) -> dict[str, Any]:
    """Of the transfer that was shipped last."""
    query = {"status": "in_transit", "limit": 1}
    [transfer] = await world.tenant.get(TRANSFERS, **query) or [
        await world.tenant.get(f"{TRANSFERS}/{await a_shipped_transfer(world)}")
    ]
    return {"lines": [{"line_id": transfer["lines"][0]["id"], "quantity": "1.000"}]}


async def a_new_take(world: World) -> dict[str, object]:
    """Of a product that nobody else counts."""
    product_id = await make_product(world.tenant)
    await receive(world.store, product_id=product_id)
    return {"warehouse_id": world.store.warehouse_id, "product_ids": [product_id]}


async def a_take(world: World) -> str:
    return str((await world.tenant.post(TAKES, await a_new_take(world)))["id"])


async def a_planned_take(world: World) -> str:
    return str((await world.tenant.post(TAKES, {**await a_new_take(world), "start": False}))["id"])


async def a_submitted_take(world: World) -> str:
    """Nobody has counted, so that anybody may approve it."""
    take_id = await a_take(world)
    await world.tenant.post(f"{TAKES}/{take_id}/submit", {"uncounted": "skip"})
    return take_id


async def a_count(world: World) -> dict[str, object]:
    """For the take that was begun last."""
    takes = await world.tenant.get(TAKES, status="counting", limit=1)
    take_id = takes[0]["id"] if takes else await a_take(world)
    [line] = (await world.tenant.get(f"{TAKES}/{take_id}"))["details"]
    named = {"lot_id": line["lot_id"], "location_id": line["location_id"]}
    return {"counts": [{**named, "quantity": "100.000"}]}


Make = Callable[[World], Awaitable[str]]

PLACE_CASES: dict[str, tuple[Make, object]] = {
    "update_warehouse": (a_warehouse_of_its_own, {"timezone": "Asia/Kolkata"}),
    "deactivate_warehouse": (a_warehouse_of_its_own, None),
    "get_warehouse_map": (a_warehouse_of_its_own, None),
    "update_location": (a_place, {"name": "Leaf room"}),
    "remove_location": (an_empty_place, None),
    "get_stock_transfer": (a_transfer, None),
    "ship_stock_transfer": (a_transfer, None),
    "receive_stock_transfer": (a_shipped_transfer, what_arrived),
    "return_stock_transfer": (a_shipped_transfer, None),
    "cancel_stock_transfer": (a_transfer, None),
    "get_stock_take": (a_take, None),
    "list_stock_take_counts": (a_take, None),
    "start_stock_take": (a_planned_take, None),
    "enter_stock_counts": (a_take, a_count),
    "submit_stock_take": (a_take, {"uncounted": "skip"}),
    "reopen_stock_take": (a_submitted_take, None),
    "approve_stock_take": (a_submitted_take, None),
    "complete_stock_take": (a_submitted_take, None),
    "cancel_stock_take": (a_take, None),
}

PLACE_GOOD: dict[str, Callable[[World], Awaitable[object]]] = {
    "transfer_stock": a_move,
    "create_stock_transfer": a_new_transfer,
    "create_stock_take": a_new_take,
}
