"""Pick lists, picks and boxes, for the tables of operations."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from tests.architecture.worlds import World
from tests.factories.orders import make_depot, order_from, pack

ORDERS = "/api/v1/orders"


async def an_order_to_pick(world: World) -> Any:
    """Confirmed, of a store of its own."""
    order = await order_from(await make_depot(world.tenant))
    return await world.tenant.post(f"{ORDERS}/{order['id']}/confirm")


async def an_id_to_pick(world: World) -> str:
    return str((await an_order_to_pick(world))["id"])


async def a_box(world: World) -> str:
    order = await order_from(await make_depot(world.tenant))
    return str((await pack(world.tenant, order["id"]))["id"])


async def a_walk(world: World) -> dict[str, object]:
    order = await an_order_to_pick(world)
    return {"warehouse_id": order["warehouse_id"], "order_ids": [order["id"]]}


async def a_pick_list(world: World) -> str:
    return str((await world.tenant.post(f"{ORDERS}/picklists", await a_walk(world)))["id"])


async def a_finished_walk(world: World) -> str:
    """Begun, and its order given up."""
    walk: Any = await a_walk(world)
    list_id = (await world.tenant.post(f"{ORDERS}/picklists", walk))["id"]
    await world.tenant.post(f"{ORDERS}/picklists/{list_id}/start")
    await world.tenant.post(f"{ORDERS}/{walk['order_ids'][0]}/cancel", {"reason": "closed"})
    return str(list_id)


async def a_pick(world: World) -> dict[str, object]:
    """Of the order that was made last, or of one more: what is picked stands in it."""
    newest = await world.tenant.get(ORDERS, status="confirmed", limit=1)
    order_id = newest[0]["id"] if newest else await an_id_to_pick(world)
    order = await world.tenant.get(f"{ORDERS}/{order_id}")
    [line] = order["lines"]
    lots = [{"lot_id": line["allocations"][0]["lot_id"], "quantity": line["quantity"]}]
    return {"lines": [{"line_id": line["id"], "lots": lots}]}


Make = Callable[[World], Awaitable[str]]

#: operation -> what makes the id in its path, and what it is sent
PICKING_CASES: Mapping[str, tuple[Make, object]] = {
    "get_pick_list": (a_pick_list, None),
    "start_pick_list": (a_pick_list, None),
    "complete_pick_list": (a_finished_walk, None),
    "cancel_pick_list": (a_pick_list, None),
    "pick_order": (an_id_to_pick, a_pick),
    "fulfill_order": (an_id_to_pick, None),
    "ship_order": (a_box, None),
}

#: operation without an id -> what it is sent
PICKING_GOOD: Mapping[str, Callable[[World], Awaitable[object]]] = {"create_pick_list": a_walk}
