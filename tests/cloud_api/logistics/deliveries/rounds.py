"""A route made by hand, with its driver and its doors, and what a driver and a dispatcher do with it."""

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import select

from cloud_api.kernel import clock
from cloud_api.kernel.outbox import OutboxEvent
from cloud_api.logistics.deliveries import service
from cloud_api.logistics.deliveries.models import DeliveryCode
from cloud_api.notifications.models import ContactMessage
from tests.factories.orders import Depot, day_in, hire_driver, make_depot, make_order, make_van, pack, proof, upload
from tests.platform_under_test import Platform, Tenant

MOBILE = "/api/v1/mobile"
ROUTES = "/api/v1/warehouse/routes"
DELIVERIES = "/api/v1/warehouse/deliveries"
SIGNATURE = b"\x89PNG\r\n\x1a\n" + b"a name in ink"
SIGNATURE_SHA256 = hashlib.sha256(SIGNATURE).hexdigest()

Heard = tuple[int, str]


@dataclass(frozen=True)
class Round:
    """A route with its people."""

    farm: Platform
    depot: Depot
    driver_id: str
    driver: Tenant
    van: Any
    route_id: str
    #: of its stops, in their sequence
    delivery_ids: Sequence[str]
    order_ids: Sequence[str]

    @property
    def dispatcher(self) -> Tenant:
        """Who made it."""
        return self.depot.tenant

    async def start(self) -> Any:
        """Set off."""
        return await self.driver.post(f"{MOBILE}/routes/{self.route_id}/start")

    async def said(self, method: str, path: str, body: object = None, *, who: Tenant | None = None) -> Heard:
        """(status, error code) of a request, by the driver unless told otherwise."""
        answer = await (who or self.driver).client.request(method, path, json=body)
        return answer.status_code, "" if answer.is_success else str(answer.json()["error"]["code"])

    async def move(self, stop: int, status: str, **fields: Any) -> Heard:
        """The driver is at a door, or could not deliver."""
        body = {"status": status, **fields}
        return await self.said("PUT", f"{MOBILE}/deliveries/{self.delivery_ids[stop]}/status", body)

    async def prove(self, stop: int = 0, **fields: Any) -> Heard:
        """Upload a photo, and hand the goods over."""
        assert (await upload(self.driver, self.delivery_ids[stop])).status_code == 201
        return await self.said("POST", f"{MOBILE}/deliveries/{self.delivery_ids[stop]}/proof", proof(**fields))

    async def complete(self, **fields: Any) -> Heard:
        """Back at the store."""
        return await self.said("POST", f"{MOBILE}/routes/{self.route_id}/complete", fields)

    async def stop(self, number: int = 0) -> Any:
        """One delivery, as the dispatcher sees it."""
        return await self.dispatcher.get(f"{DELIVERIES}/{self.delivery_ids[number]}")

    async def route(self) -> Any:
        """The route with its stops."""
        return await self.dispatcher.get(f"{ROUTES}/{self.route_id}")

    async def order(self, number: int = 0) -> Any:
        """One order."""
        return await self.dispatcher.get(f"/api/v1/orders/{self.order_ids[number]}")

    async def told(self, kind: str) -> list[dict[str, Any]]:
        """What was emitted of a kind of event, oldest first."""
        async with self.farm.database.unit_of_work(self.dispatcher.organization, read_only=True) as db:
            its = select(OutboxEvent).order_by(OutboxEvent.id)
            return [event.payload for event in await db.scalars(its) if event.type.endswith(kind)]

    async def announce(self, stop: int = 0) -> None:
        """As when the event that a door is next is heard."""
        async with self.farm.database.unit_of_work(self.dispatcher.organization) as db:
            await service.announce_code(db, uuid.UUID(self.delivery_ids[stop]))

    async def code(self, stop: int = 0) -> str:
        """The code that a customer was sent last, as the sealed message says it."""
        async with self.farm.database.unit_of_work(self.dispatcher.organization, read_only=True) as db:
            its = select(ContactMessage).where(
                ContactMessage.subject == f"order:{self.order_ids[stop]}", ContactMessage.template == "delivery.otp"
            )
            messages = (await db.scalars(its.order_by(ContactMessage.id))).all()
            sealed = messages[-1].sealed_body
        assert sealed is not None
        return next(word for word in sealed.split() if word.isdigit() and len(word) == 6)

    async def codes(self, stop: int = 0) -> list[DeliveryCode]:
        """What recognises the codes that were sent, oldest first."""
        async with self.farm.database.unit_of_work(self.dispatcher.organization, read_only=True) as db:
            its = select(DeliveryCode).where(DeliveryCode.delivery_id == uuid.UUID(self.delivery_ids[stop]))
            return [*(await db.scalars(its.order_by(DeliveryCode.id))).all()]


async def order_for(depot: Depot, customer_id: str, *, quantity: str = "4.000", packed: bool = True) -> str:
    """An order of tomorrow, packed."""
    order = await make_order(
        depot.tenant,
        customer_id=customer_id,
        warehouse_id=depot.warehouse_id,
        product_id=depot.product_id,
        quantity=quantity,
    )
    if packed:
        await pack(depot.tenant, order["id"])
    return str(order["id"])


async def customer_with(tenant: Tenant, *, phone: str = "", door: int = 0) -> str:
    """A customer with one door; its id."""
    address = {"address": f"Door {door}", "latitude": 12.93 + door / 500, "longitude": 77.61}
    body = {"name": f"Kitchen {uuid.uuid4().hex[:6]}", "phone": phone, "addresses": [address]}
    return str((await tenant.post("/api/v1/customers", body))["id"])


async def make_round(
    farm: Platform,
    *,
    doors: int = 1,
    phone: str = "",
    same_door: bool = False,
    depot: Depot | None = None,
    tenant: Tenant | None = None,
    driver: tuple[str, Tenant] | None = None,
    quantity: str = "4.000",
) -> Round:
    """Orders for as many doors (or for one), packed, on a route by hand."""
    tenant = tenant or farm.tenant
    depot = depot or await make_depot(tenant)
    driver_id, drives = driver or await hire_driver(farm, tenant)
    van = await make_van(tenant, driver_id=driver_id)
    customers = [await customer_with(tenant, phone=phone, door=door) for door in range(1 if same_door else doors)]
    order_ids = [
        await order_for(depot, customers[0 if same_door else door], quantity=quantity) for door in range(doors)
    ]
    route = await by_hand(depot, van["id"], order_ids)
    deliveries = [stop["id"] for stop in route["deliveries"]]
    return Round(farm, depot, driver_id, drives, van, route["id"], deliveries, order_ids)


async def by_hand(depot: Depot, vehicle_id: str, order_ids: Sequence[str], **fields: Any) -> Any:
    """A route of these orders."""
    body = {
        "warehouse_id": depot.warehouse_id,
        "vehicle_id": vehicle_id,
        "delivery_date": day_in(1),
        "order_ids": list(order_ids),
        **fields,
    }
    return await depot.tenant.post(ROUTES, body)


def pass_time(**passed: float) -> None:
    """Let the clock run ahead, until the test ends."""
    clock.use(partial(clock.machine_now().__add__, timedelta(**passed)))
