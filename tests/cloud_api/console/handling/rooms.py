"""What the tests of goods have in common: a store with a room, and what a page said."""

import re
from dataclasses import dataclass
from typing import Any

import httpx2

from tests.factories.stores import make_product, make_room, make_warehouse
from tests.platform_under_test import Tenant


@dataclass(frozen=True)
class Rooms:
    """A warehouse with two rooms, and a product."""

    tenant: Tenant
    warehouse_id: str
    room_id: str
    other_id: str
    product_id: str

    async def receive(self, lot: str, quantity: str, **fields: Any) -> Any:
        """Goods come into the first room: the movement."""
        body = {"product_id": self.product_id, "location_id": self.room_id, "lot_number": lot, "quantity": quantity}
        return await self.tenant.post("/api/v1/warehouse/stock/receiving", {**body, **fields})

    async def on_hand(self, location_id: str) -> dict[str, str]:
        """Lot -> what lies of it in a place."""
        levels = await self.tenant.get("/api/v1/warehouse/stock/levels", location_id=location_id)
        return {level["lot_id"]: level["on_hand"] for level in levels}


async def make_rooms(tenant: Tenant) -> Rooms:
    """All of it."""
    warehouse_id = await make_warehouse(tenant)
    room_id, other_id = [await make_room(tenant, warehouse_id) for _ in range(2)]
    return Rooms(tenant, warehouse_id, room_id, other_id, await make_product(tenant))


async def page(client: httpx2.AsyncClient, path: str) -> str:
    """What a page says that must be there."""
    answer = await client.get(path)
    assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:500]}"
    return answer.text


def invalid(html: str) -> list[str]:
    """The fields that are shown as wrong, by their names."""
    fields = re.findall(r"<(?:input|select|textarea)[^>]*is-invalid[^>]*>", html)
    return [re.findall(r'name="([^"]+)"', one)[0] for one in fields]
