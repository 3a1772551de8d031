"""Routes by hand, attempts, codes and proofs, for the tables of operations."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from sqlalchemy import select

from cloud_api.notifications.models import ContactMessage
from tests.architecture.worlds import World
from tests.cloud_api.logistics.deliveries.rounds import Round, customer_with, make_round, order_for
from tests.factories.orders import Depot, day_in, make_depot, make_van, proof, upload
from tests.factories.scopes import id_of

#: of all that these tables make there is enough in one store
_LITTLE = "0.050"
PHONE = "+919876543210"


async def _depot(world: World) -> Depot:
    if world.depot is None:
        world.depot = await make_depot(world.tenant)
    return world.depot


async def _round(world: World, *, phone: str = "", own: bool = True) -> Round:
    """Driven by the administrator, or by somebody else."""
    driver = (await id_of(world.tenant), world.tenant) if own else None
    depot = await _depot(world)
    return await make_round(
        world.platform, phone=phone, depot=depot, tenant=world.tenant, driver=driver, quantity=_LITTLE
    )


async def a_round(world: World) -> str:
    return (await _round(world)).route_id


async def a_stop(world: World) -> str:
    return (await _round(world)).delivery_ids[0]


async def _on_the_road(world: World, *, phone: str = "", own: bool = True) -> Round:
    if own:
        await end_own_route(world)
    made = await _round(world, phone=phone, own=own)
    await made.start()
    return made


async def end_own_route(world: World) -> None:
    """Whoever drives has one route under way: the one before is brought back."""
    before = await world.tenant.client.get("/api/v1/mobile/routes/current")
    if not before.is_success or before.json()["data"]["status"] != "in_progress":
        return
    route: Any = before.json()["data"]
    for stop in route["deliveries"]:
        if stop["status"] in ("out_for_delivery", "arrived"):
            await world.tenant.put(f"/api/v1/mobile/deliveries/{stop['id']}/status", {"status": "failed"})
    rooms = await world.tenant.get("/api/v1/warehouse/storage/locations", warehouse_id=route["warehouse_id"])
    put_at = {"unload_location_id": rooms[0]["id"]}
    await world.tenant.post(f"/api/v1/mobile/routes/{route['id']}/complete", put_at)


async def free_the_driver(world: World) -> None:
    """Give up what the administrator is to drive: whoever has a route on a day is not planned again."""
    await end_own_route(world)
    me = await id_of(world.tenant)
    for route in await world.tenant.get("/api/v1/warehouse/routes", limit=200):
        if route["driver_id"] == me and route["status"] == "planned":
            await world.tenant.client.delete(f"/api/v1/warehouse/routes/{route['id']}")


async def a_stop_on_the_road(world: World) -> str:
    return (await _on_the_road(world, phone=PHONE)).delivery_ids[0]


async def a_stop_of_somebody_else(world: World) -> str:
    return (await _on_the_road(world, own=False)).delivery_ids[0]


async def a_stop_with_a_code(world: World) -> str:
    made = await _on_the_road(world, phone=PHONE)
    await made.announce()
    return made.delivery_ids[0]


async def the_code(world: World) -> dict[str, object]:
    """What the last customer was sent; any code, when nobody was."""
    async with world.platform.database.unit_of_work(world.tenant.organization, read_only=True) as db:
        its = select(ContactMessage.sealed_body).where(ContactMessage.template == "delivery.otp")
        sealed = await db.scalar(its.order_by(ContactMessage.id.desc()).limit(1))
    words = (sealed or "").split()
    return {"code": next((word for word in words if word.isdigit() and len(word) == 6), "000000")}


async def a_stop_with_its_photo(world: World) -> str:
    made = await _on_the_road(world)
    assert (await upload(world.tenant, made.delivery_ids[0])).status_code == 201
    return made.delivery_ids[0]


async def a_round_to_start(world: World) -> str:
    await end_own_route(world)
    return await a_round(world)


async def a_round_to_end(world: World) -> str:
    made = await _on_the_road(world)
    assert await made.prove() == (200, "")
    return made.route_id


async def a_handed_over_stop(world: World) -> str:
    made = await _on_the_road(world)
    assert await made.prove() == (200, "")
    return made.delivery_ids[0]


async def its_photo(world: World) -> str:
    return f"{await a_handed_over_stop(world)} photo"


async def a_proof(_world: World) -> dict[str, object]:
    """As of now."""
    return proof()


_PAID = {"amount_minor": 100, "method": "cash", "reference": "slip-1"}

DELIVERY_CASES: Mapping[str, tuple[Callable[[World], Awaitable[str]], object]] = {
    "start_route": (a_round_to_start, None),
    "complete_route": (a_round_to_end, {}),
    "move_delivery": (a_stop_with_its_photo, {"status": "arrived"}),
    "prove_delivery": (a_stop_with_its_photo, a_proof),
    "update_route": (a_round, {"name": "north"}),
    "cancel_route": (a_round, None),
    "scan_load": (a_round, {"codes": ["LOT-1"]}),
    "optimize_route": (a_round, {}),
    "get_delivery": (a_stop, None),
    "update_delivery": (a_stop, {"note": "ring twice"}),
    "set_delivery_status": (a_stop, {"status": "pending"}),
    "override_otp": (a_stop_of_somebody_else, {"reason": "called the kitchen"}),
    "get_proof": (a_handed_over_stop, None),
    "get_proof_picture": (its_photo, None),
    "send_otp": (a_stop_on_the_road, None),
    "verify_otp": (a_stop_with_a_code, the_code),
    "contact_customer": (a_stop_on_the_road, {"channel": "sms", "text": "at the back gate"}),
    "take_payment": (a_stop_on_the_road, _PAID),
}


async def a_packed_order(world: World) -> str:
    return await order_for(await _depot(world), await customer_with(world.tenant), quantity=_LITTLE)


async def a_route_to_make(world: World) -> dict[str, object]:
    depot = await _depot(world)
    van, order_id = await make_van(world.tenant), await a_packed_order(world)
    return {
        "warehouse_id": depot.warehouse_id,
        "vehicle_id": van["id"],
        "delivery_date": day_in(1),
        "order_ids": [order_id],
    }


async def an_attempt_to_make(world: World) -> dict[str, object]:
    return {"order_id": await a_packed_order(world)}


async def codes_to_resolve(_world: World) -> dict[str, object]:
    return {"codes": ["LOT-1"]}


DELIVERY_GOOD: Mapping[str, Callable[[World], Awaitable[dict[str, object]]]] = {
    "create_route": a_route_to_make,
    "create_delivery": an_attempt_to_make,
    "scan_codes": codes_to_resolve,
}
