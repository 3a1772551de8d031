"""A store with two lots of one product, a confirmed order, and what is asked of both."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.factories.orders import Depot, day_in, make_depot, order_from, receive_lot
from tests.factories.stores import ColdStore, make_room
from tests.platform_under_test import Platform, Tenant

ORDERS = "/api/v1/orders"


@dataclass(frozen=True)
class Shelves:
    """What may be picked."""

    depot: Depot
    #: LOT-1, that expires first, and LOT-2, each in a room of its own
    first: Any
    second: Any

    @property
    def tenant(self) -> Tenant:
        """Whose it is."""
        return self.depot.tenant

    @property
    def store(self) -> ColdStore:
        """The same, as others call it."""
        depot = self.depot
        return ColdStore(depot.tenant, depot.warehouse_id, depot.room_id, depot.product_id, "", "", "")


async def make_shelves(farm: Platform, *, first: str = "10", second: str = "10") -> Shelves:
    """So much of LOT-1 and of LOT-2."""
    depot = await make_depot(farm.tenant, quantity=first)
    [level] = await farm.tenant.get("/api/v1/warehouse/stock/levels", location_id=depot.room_id)
    room_id = await make_room(farm.tenant, depot.warehouse_id)
    other = await receive_lot(
        farm.tenant,
        product_id=depot.product_id,
        location_id=room_id,
        lot_number="LOT-2",
        quantity=second,
        expires_on=day_in(60),
    )
    return Shelves(depot, level, other)


async def confirmed(shelves: Shelves, quantity: str = "4", **fields: Any) -> Any:
    """An order to which LOT-1 is promised."""
    order = await order_from(shelves.depot, quantity=quantity, **fields)
    return await shelves.tenant.post(f"{ORDERS}/{order['id']}/confirm")


def took(order: Any, lot_id: str, quantity: str, *, line: int = 0, **fields: Any) -> dict[str, Any]:
    """What a picker says who took so much of a lot."""
    lot = {"lot_id": lot_id, "quantity": quantity, **fields}
    return {"lines": [{"line_id": order["lines"][line]["id"], "lots": [lot]}]}


def did(order: Any, *, line: int = 0, **what: Any) -> dict[str, Any]:
    """What a picker says about a line."""
    return {"lines": [{"line_id": order["lines"][line]["id"], **what}]}


async def pick(tenant: Tenant, order: Any, body: dict[str, Any]) -> Any:
    """Say so."""
    return await tenant.post(f"{ORDERS}/{order['id']}/pick", body)


async def pack(tenant: Tenant, order: Any, **body: Any) -> Any:
    """Close the boxes."""
    return await tenant.post(f"{ORDERS}/{order['id']}/pack", body)


async def refused(tenant: Tenant, order: Any, verb: str, body: object) -> tuple[str, str]:
    """(code, message) of what must be refused, and change nothing."""
    before = await tenant.get(f"{ORDERS}/{order['id']}")
    answer = await tenant.client.post(f"{ORDERS}/{order['id']}/{verb}", json=body)
    assert not answer.is_success, answer.text
    assert await tenant.get(f"{ORDERS}/{order['id']}") == before
    error = answer.json()["error"]
    return error["code"], error["message"]


def promised(order: Any, line: int = 0) -> dict[str, str]:
    """Lot -> what of it is promised to a line."""
    sums: dict[str, Decimal] = {}
    for one in order["lines"][line]["allocations"]:
        sums[one["lot_number"]] = sums.get(one["lot_number"], Decimal(0)) + Decimal(one["quantity"])
    return {lot: f"{quantity:.3f}" for lot, quantity in sums.items()}


async def set_up(tenant: Tenant, **values: object) -> None:
    """Settings of the organisation, `orders__short_pick` for `orders.short_pick`."""
    for name, value in values.items():
        await tenant.put(f"/api/v1/admin/settings/{name.replace('__', '.')}", {"value": value})
