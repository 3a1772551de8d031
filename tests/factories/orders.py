"""Customers, orders, vans and drivers to test with."""

import hashlib
import itertools
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx2

from cloud_api.identity.passwords import new_password
from cloud_api.identity.people import service as people
from cloud_api.kernel import clock
from cloud_api.kernel.tenancy import SystemScope
from cloud_api.logistics.dispatch import planning
from cloud_api.logistics.dispatch.solver import solved
from cloud_api.orders.book import service as orders
from tests.factories.farms import make_person
from tests.factories.stores import make_product, make_room, make_warehouse
from tests.platform_under_test import PASSWORD, Platform, Tenant

_numbers = itertools.count(1)
INDIA = ZoneInfo("Asia/Kolkata")
STORE = {"latitude": 12.9340, "longitude": 77.6101}


@dataclass(frozen=True)
class Drive:
    """A planned route, with its driver signed in."""

    tenant: Tenant
    driver: Tenant
    warehouse_id: str
    room_id: str
    product_id: str
    van_location_id: str
    order_ids: Sequence[str]
    job: dict[str, Any]


async def make_driver(platform: Platform, tenant: Tenant) -> tuple[str, Tenant]:
    """A driver of the organisation, signed in: the user's id and the connection."""
    name = f"driver-{next(_numbers)}"
    async with platform.database.unit_of_work(SystemScope("test")) as db:
        user = await people.add_user(
            db,
            organization_id=tenant.organization.organization_id,
            username=name,
            email=f"{name}@farm.example",
            full_name="Driver",
            password_hash=await new_password(PASSWORD),
            roles=["delivery_personnel"],
        )
    client = platform.client()
    answer = await client.post("/api/v1/auth/login", json={"login": name, "password": PASSWORD})
    client.headers["Authorization"] = f"Bearer {answer.json()['data']['access_token']}"
    return str(user.id), Tenant(tenant.organization, tenant.slug, name, client)


async def make_customer(tenant: Tenant, *, latitude: float = 12.9352, longitude: float = 77.6146) -> str:
    """A customer with one door; its id."""
    number = next(_numbers)
    door = {"address": f"Door {number}", "latitude": latitude, "longitude": longitude}
    return str((await tenant.post("/api/v1/customers", {"name": f"Kitchen {number}", "addresses": [door]}))["id"])


async def make_order(
    tenant: Tenant, *, customer_id: str, warehouse_id: str, product_id: str, quantity: str = "4.000", **fields: Any
) -> Any:
    """An order for tomorrow, pending."""
    body = {
        "customer_id": customer_id,
        "warehouse_id": warehouse_id,
        "delivery_date": day_in(1),
        "lines": [{"product_id": product_id, "quantity": quantity, "unit_price": "42.5000"}],
        **fields,
    }
    return await tenant.post("/api/v1/orders", body)


async def make_van(tenant: Tenant, *, driver_id: str | None = None, capacity_g: int = 500_000) -> Any:
    """A van."""
    body = {"number": f"VAN-{next(_numbers)}", "capacity_g": capacity_g, "driver_id": driver_id}
    return await tenant.post("/api/v1/warehouse/fleet/vehicles", body)


async def hire_driver(platform: Platform, tenant: Tenant) -> tuple[str, Tenant]:
    """As `make_driver`, without a password: for tests that share a database."""
    driver = await make_person(platform, tenant, "delivery_personnel")
    return str((await driver.get("/api/v1/auth/me"))["id"]), driver


async def receive_lot(tenant: Tenant, *, product_id: str, location_id: str, **fields: Any) -> Any:
    """A lot that keeps for a month, received: its movement."""
    body = {
        "product_id": product_id,
        "location_id": location_id,
        "lot_number": "LOT-1",
        "expires_on": day_in(30),
        "quantity": "100.000",
        **fields,
    }
    return await tenant.post("/api/v1/warehouse/stock/receiving", body)


def today() -> date:
    """By the calendar of the tests' organisations: for a quarter of the day it is not that of UTC."""
    return clock.now().astimezone(INDIA).date()


def day_in(days: int) -> str:
    """A day from today, as the API writes it."""
    return (today() + timedelta(days=days)).isoformat()


async def pack(tenant: Tenant, order_id: str) -> Any:
    """Confirm and pack an order."""
    await tenant.post(f"/api/v1/orders/{order_id}/confirm")
    return await tenant.post(f"/api/v1/orders/{order_id}/pack")


async def in_this_process(platform: Platform, tenant: Tenant, job_id: str) -> None:
    """Plan this one job here: quicker, and on a database that others use nobody else's."""
    async with platform.database.unit_of_work(tenant.organization) as db:
        started = await planning.start(db, uuid.UUID(job_id))
    solution = solved(started.task)
    async with platform.database.unit_of_work(tenant.organization) as db:
        await planning.finish(db, started, solution)


async def request_plan(tenant: Tenant, warehouse_id: str, **fields: Any) -> str:
    """Ask for tomorrow's routes; the job's id."""
    wanted = {"warehouse_id": warehouse_id, "delivery_date": day_in(1), "time_limit_s": 1, **fields}
    return str((await tenant.post("/api/v1/warehouse/routes/optimize", wanted))["id"])


@dataclass(frozen=True)
class Depot:
    """A store that delivers: a room with a lot in it, and a product of it."""

    tenant: Tenant
    warehouse_id: str
    room_id: str
    product_id: str


async def make_depot(tenant: Tenant, *, quantity: str = "100.000") -> Depot:
    """A store with coordinates and one lot."""
    warehouse_id = await make_warehouse(tenant, **STORE)
    room_id = await make_room(tenant, warehouse_id)
    product_id = await make_product(tenant)
    await receive_lot(tenant, product_id=product_id, location_id=room_id, quantity=quantity)
    return Depot(tenant, warehouse_id, room_id, product_id)


async def order_from(depot: Depot, **fields: Any) -> Any:
    """A customer's order for tomorrow from the depot, pending."""
    door = {key: fields.pop(key) for key in ("latitude", "longitude") if key in fields}
    customer_id = await make_customer(depot.tenant, **door)
    wanted = {"warehouse_id": depot.warehouse_id, "product_id": depot.product_id, **fields}
    return await make_order(depot.tenant, customer_id=customer_id, **wanted)


async def make_drive(
    platform: Platform,
    *,
    doors: int,
    tenant: Tenant | None = None,
    driver: tuple[str, Tenant] | None = None,
) -> Drive:
    """A store with stock, orders packed for tomorrow, one van, and its route planned."""
    tenant = tenant or platform.tenant
    depot = await make_depot(tenant)
    driver_id, driver_tenant = driver or await make_driver(platform, tenant)
    van = await make_van(tenant, driver_id=driver_id)
    order_ids = []
    for door in range(doors):
        order = await order_from(depot, latitude=12.93 + door / 500)
        await pack(tenant, order["id"])
        order_ids.append(order["id"])
    job_id = await request_plan(tenant, depot.warehouse_id, vehicle_ids=[van["id"]])
    await in_this_process(platform, tenant, job_id)
    job = await tenant.get(f"/api/v1/dispatch/jobs/{job_id}")
    assert job["status"] == "applied", job
    return Drive(
        tenant,
        driver_tenant,
        depot.warehouse_id,
        depot.room_id,
        depot.product_id,
        van["location_id"],
        order_ids,
        job,
    )


PHOTO = b"\x89PNG\r\n\x1a\n" + b"a crate before a green door"
PHOTO_SHA256 = hashlib.sha256(PHOTO).hexdigest()


def proof(**fields: Any) -> dict[str, Any]:
    """What a driver says at the door."""
    return {
        "photo_sha256": PHOTO_SHA256,
        "recipient_name": "The cook",
        "cargo_temperature_c": 3.4,
        "latitude": 12.93,
        "longitude": 77.61,
        "delivered_at": clock.now().isoformat(),
        **fields,
    }


async def upload(driver: Tenant, delivery_id: str, photo: bytes = PHOTO, *, sha256: str = "") -> httpx2.Response:
    """Send a photo, under its own hash unless told otherwise."""
    sha256 = sha256 or hashlib.sha256(photo).hexdigest()
    headers = {"Content-Type": "image/png", "X-Content-SHA256": sha256}
    path = f"/api/v1/mobile/deliveries/{delivery_id}/photo"
    return await driver.client.post(path, content=photo, headers=headers)


async def deliver_without_a_route(platform: Platform, tenant: Tenant, order_id: str) -> None:
    """Confirm, pack, load and hand over an order, by the verbs that a route's stops call."""
    await pack(tenant, order_id)
    van = await make_van(tenant)
    me = uuid.UUID((await tenant.get("/api/v1/auth/me"))["id"])
    async with platform.database.unit_of_work(tenant.organization) as db:
        place = uuid.UUID(van["location_id"])
        await orders.load_orders(db, [uuid.UUID(order_id)], van_location_id=place, reference="test", user_id=me)
        await orders.deliver_order(db, uuid.UUID(order_id), reference="test", user_id=me)
