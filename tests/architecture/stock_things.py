"""Promises and reorder points, for the operations of these."""

from typing import Any

from tests.architecture.worlds import World
from tests.factories.orders import day_in
from tests.factories.stores import make_product, receive


async def a_wish(world: World) -> dict[str, Any]:
    """Something that can be promised: there is enough of it."""
    number = world.number()
    product_id = await make_product(world.tenant)
    await receive(world.store, product_id=product_id, lot=f"LOT-W{number}", expires_on=day_in(30))
    place = {"product_id": product_id, "warehouse_id": world.store.warehouse_id}
    return {**place, "quantity": "1.000", "reference": f"wish-{number}"}


async def a_reservation(world: World) -> str:
    made = await world.tenant.post("/api/v1/warehouse/stock/reservations", await a_wish(world))
    return str((made[0] if isinstance(made, list) else made)["id"])


async def a_reorder_point(world: World) -> dict[str, Any]:
    """Of a product that has none in the warehouse yet."""
    place = {"product_id": await make_product(world.tenant), "warehouse_id": world.store.warehouse_id}
    return {**place, "reorder_point": "5.000", "reorder_quantity": "10.000"}


async def a_reorder_rule(world: World) -> str:
    made = await world.tenant.post("/api/v1/warehouse/stock/reorder-rules", await a_reorder_point(world))
    return str(made["id"])
