"""Orders, their windows and their doors, for the tables of operations."""

import itertools
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from cloud_api.customers.finding import AddressFinder, Sought
from tests.architecture.worlds import World
from tests.factories.orders import day_in, deliver_without_a_route, make_customer, make_depot, order_from
from tests.factories.stores import make_warehouse
from tests.route_optimizer.nominatim import NominatimServer, place

ORDERS = "/api/v1/orders"
#: as the map has it
ADDRESS = {"address": "4 Mill Road", "city": "Bengaluru"}
_AT = {"latitude": 12.93, "longitude": 77.61}


async def an_order_to_change(world: World) -> str:
    """Far from its cut-off."""
    if world.depot is None:
        world.depot = await make_depot(world.tenant)
    return str((await order_from(world.depot, quantity="1", delivery_date=day_in(5)))["id"])


async def a_change(world: World) -> object:
    """Of the order that was made last, or of one made for it."""
    pending = await world.tenant.get(ORDERS, status="pending", limit=1)
    order_id = pending[0]["id"] if pending else await an_order_to_change(world)
    order = await world.tenant.get(f"{ORDERS}/{order_id}")
    line = {"product_id": order["lines"][0]["product_id"], "quantity": "2", "unit_price": "1"}
    return {"address_id": order["address_id"], "lines": [line], "note": "ring twice"}


async def a_delivered_order(world: World) -> str:
    order_id = await an_order_to_change(world)
    await deliver_without_a_route(world.platform, world.tenant, order_id)
    return order_id


async def a_customer_who_orders(world: World) -> str:
    return await make_customer(world.tenant)


async def a_door(world: World) -> str:
    """Two ids: whose, and which."""
    customer_id = await make_customer(world.tenant)
    [door] = (await world.tenant.get(f"/api/v1/customers/{customer_id}"))["addresses"]
    return f"{customer_id} {door['id']}"


async def one_door_of_two(world: World) -> str:
    """It may be taken away."""
    customer_id = await make_customer(world.tenant)
    door = await world.tenant.post(f"/api/v1/customers/{customer_id}/addresses", {**ADDRESS, **_AT})
    return f"{customer_id} {door['id']}"


async def a_window(world: World) -> dict[str, object]:
    """Of a store of its own: where there are windows, orders have to name one."""
    hours = {"window_from": "09:00", "window_until": "11:00"}
    return {"warehouse_id": await make_warehouse(world.tenant), "weekdays": [1, 5], "capacity": 20, **hours}


async def a_slot(world: World) -> str:
    return str((await world.tenant.post(f"{ORDERS}/slots", await a_window(world)))["id"])


async def an_address_on_the_map(world: World) -> object:
    """The map has answered once: from then on it is remembered."""
    state = world.platform.app.state
    state.settings.media_folder.mkdir(parents=True, exist_ok=True)
    found = [place(12.93, 77.61, "4, Mill Road, Bengaluru, India")]
    with NominatimServer({"mill road": found}, itertools.count(0, 10).__next__) as server:
        cache = state.settings.media_folder / "geocoder.db"
        told = {"geocoder_url": server.url, "geocoder_interval_s": 0.0, "geocoder_cache": cache}
        state.address_finder = AddressFinder(state.settings.model_copy(update=told))
        for country in ("IN", "US"):
            await state.address_finder.candidates(Sought(**ADDRESS), country=country)
    return ADDRESS


Make = Callable[[World], Awaitable[str]]

#: operation -> what makes the id in its path, and what it is sent
ORDER_CASES: Mapping[str, tuple[Make, object]] = {
    "update_order": (an_order_to_change, a_change),
    "get_order_history": (an_order_to_change, None),
    "rate_order": (a_delivered_order, {"rating": 5}),
    "list_orders_of_customer": (a_customer_who_orders, None),
    "confirm_address": (a_door, _AT),
    "add_customer_address": (a_customer_who_orders, {**ADDRESS, **_AT}),
    "update_customer_address": (a_door, {"label": "kitchen"}),
    "remove_customer_address": (one_door_of_two, None),
    "get_slot": (a_slot, None),
    "update_slot": (a_slot, {"capacity": 30}),
    "withdraw_slot": (a_slot, None),
}

#: operation -> what it is sent
ORDER_GOOD: Mapping[str, Callable[[World], Awaitable[object]]] = {
    "create_slot": a_window,
    "geocode_address": an_address_on_the_map,
}


async def whose_shop(world: World) -> Mapping[str, Any]:
    return {"organization": world.tenant.slug}
