"""Orders that were handed over, and what comes back of them."""

import uuid
from dataclasses import dataclass
from typing import Any

from cloud_api.orders.book import service as orders
from tests.factories.orders import Depot, make_customer, make_depot, make_order, pack
from tests.factories.scopes import id_of
from tests.factories.stores import make_room
from tests.platform_under_test import Platform, Tenant

RETURNS = "/api/v1/returns"


@dataclass(frozen=True)
class HandedOver:
    """An order of 4 kg at 42.50 that was delivered, and the places that its goods know."""

    depot: Depot
    order_id: str
    line_id: str
    #: stands for the van
    van_id: str
    #: is kept for what comes back
    quarantine_id: str

    @property
    def tenant(self) -> Tenant:
        return self.depot.tenant

    async def ask(self, quantity: str = "4", *, by: Tenant | None = None) -> Any:
        """Somebody asks for so much to be taken back."""
        line = {"order_line_id": self.line_id, "quantity": quantity}
        body = {"reason": "too much", "lines": [line]}
        return await (by or self.tenant).post(f"/api/v1/orders/{self.order_id}/returns", body)

    async def approve(self, quantity: str = "4") -> Any:
        """Asked for and approved."""
        asked = await self.ask(quantity)
        return await self.tenant.put(f"{RETURNS}/{asked['id']}", {"status": "approved", "reason": "of course"})

    async def take_back(self, quantity: str = "4", **fields: Any) -> Any:
        """Approved, and in quarantine: 4 °C, ten minutes outside."""
        return await self._receive(await self.approve(quantity), quantity, **fields)

    async def _receive(self, one: Any, quantity: str, **fields: Any) -> Any:
        goods = {"line_id": one["lines"][0]["id"], "quantity": quantity, "temperature_c": 4.0, "outside_minutes": 10}
        body = {"location_id": self.quarantine_id, "goods": [{**goods, **fields}]}
        return await self.tenant.post(f"{RETURNS}/{one['id']}/receive", body)

    async def inspect(self, quantity: str = "4", *, condition: str = "intact", **fields: Any) -> Any:
        """In quarantine, and looked at."""
        return await self._look_at(await self.take_back(quantity, **fields), condition)

    async def inspect_approved(self, one: Any) -> Any:
        """Back as it was announced, and looked at."""
        return await self._look_at(await self._receive(one, one["lines"][0]["quantity"]), "intact")

    async def _look_at(self, one: Any, condition: str) -> Any:
        found = [{"goods_id": row["id"], "condition": condition} for row in one["goods"]]
        return await self.tenant.post(f"{RETURNS}/{one['id']}/inspect", {"goods": found})

    async def scrap(self, one: Any) -> Any:
        """Thrown away, all of it."""
        body = {"goods_ids": [row["id"] for row in one["goods"]], "reason": "nobody vouches for it"}
        return await self.tenant.post(f"{RETURNS}/{one['id']}/scrap", body)

    async def restock(self, one: Any, location_id: str = "") -> Any:
        """Back where it is sold from, all of it."""
        to = location_id or self.depot.room_id
        goods = [{"goods_id": row["id"], "location_id": to} for row in one["goods"]]
        return await self.tenant.post(f"{RETURNS}/{one['id']}/restock", {"goods": goods})


async def hand_over_order(
    platform: Platform, *, tenant: Tenant | None = None, customer_id: str = "", depot: Depot | None = None
) -> HandedOver:
    """An order that was driven and handed over, by the verbs that the drivers' room calls."""
    tenant = tenant or platform.tenant
    depot = depot or await make_depot(tenant)
    van_id, quarantine_id = [await make_room(tenant, depot.warehouse_id) for _ in range(2)]
    order = await make_order(
        tenant,
        customer_id=customer_id or await make_customer(tenant),
        warehouse_id=depot.warehouse_id,
        product_id=depot.product_id,
    )
    await pack(tenant, order["id"])
    order_id, driver_id = uuid.UUID(order["id"]), uuid.UUID(await id_of(tenant))
    async with platform.database.unit_of_work(tenant.organization) as db:
        await orders.load_orders(
            db, [order_id], van_location_id=uuid.UUID(van_id), reference="route:1", user_id=driver_id
        )
    async with platform.database.unit_of_work(tenant.organization) as db:
        await orders.deliver_order(db, order_id, reference="delivery:1", user_id=driver_id)
    return HandedOver(depot, order["id"], order["lines"][0]["id"], van_id, quarantine_id)
