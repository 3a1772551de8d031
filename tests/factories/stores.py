"""A cold store to test with, made over the API as an administrator would make it."""

import itertools
from dataclasses import dataclass
from typing import Any

from tests.platform_under_test import Platform, Tenant

_numbers = itertools.count(1)


@dataclass(frozen=True)
class ColdStore:
    """A warehouse with a cold room, a product, and a claimed gateway with a sensor in the room."""

    tenant: Tenant
    warehouse_id: str
    room_id: str
    product_id: str
    gateway_id: str
    gateway_token: str
    #: the temperature sensor of `z2m:cold-room-1`
    sensor_id: str


async def make_warehouse(tenant: Tenant, **fields: Any) -> str:
    """A warehouse; its id."""
    number = next(_numbers)
    body = {"code": f"WH-{number}", "name": f"Store {number}", **fields}
    made = await tenant.post("/api/v1/warehouse/warehouses", body)
    return str(made["id"])


async def make_room(tenant: Tenant, warehouse_id: str, **fields: Any) -> str:
    """A cold room; its id."""
    number = next(_numbers)
    body = {
        "warehouse_id": warehouse_id,
        "code": f"COLD-{number}",
        "name": f"Cold room {number}",
        "location_type": "room",
        "storage_type": "cold_storage",
        **fields,
    }
    return str((await tenant.post("/api/v1/warehouse/storage/locations", body))["id"])


async def make_product(tenant: Tenant, **fields: Any) -> str:
    """A product counted in kilograms; its id."""
    number = next(_numbers)
    body = {"sku": f"SPINACH-{number}", "name": "Spinach", "unit": "kg", **fields}
    return str((await tenant.post("/api/v1/warehouse/products", body))["id"])


async def make_gateway(platform: Platform, tenant: Tenant) -> tuple[str, str]:
    """A gateway that has claimed its credential: its id and its bearer token."""
    number = next(_numbers)
    registered = await tenant.post("/api/v1/edge/gateways", {"name": f"Gateway {number}"})
    secret = f"{number:064x}"
    async with platform.client() as client:
        claim = {"claim_code": registered["claim_code"], "secret": secret, "software_version": "0.1.0"}
        answer = await client.post("/api/v1/edge/provision", json=claim)
    assert answer.status_code == 200, answer.text
    gateway_id = answer.json()["data"]["gateway_id"]
    return gateway_id, f"gateway.{gateway_id}.{secret}"


async def make_cold_store(platform: Platform, tenant: Tenant | None = None) -> ColdStore:
    """All of it."""
    tenant = tenant or platform.tenant
    warehouse_id = await make_warehouse(tenant)
    room_id = await make_room(tenant, warehouse_id)
    gateway_id, token = await make_gateway(platform, tenant)
    body = {
        "gateway_id": gateway_id,
        "location_id": room_id,
        "code": "z2m:cold-room-1",
        "quantity": "temperature",
        "unit": "Cel",
    }
    sensor = await tenant.post("/api/v1/edge/sensors", body)
    product_id = await make_product(tenant)
    return ColdStore(tenant, warehouse_id, room_id, product_id, gateway_id, token, sensor["id"])


async def receive(store: ColdStore, *, lot: str = "LOT-1", quantity: str = "100.000", **fields: Any) -> Any:
    """Goods received into the store's cold room: the movement."""
    body = {
        "product_id": store.product_id,
        "location_id": store.room_id,
        "lot_number": lot,
        "expires_on": "2027-01-31",
        "quantity": quantity,
        **fields,
    }
    return await store.tenant.post("/api/v1/warehouse/stock/receiving", body)


async def make_rule(store: ColdStore, **fields: Any) -> Any:
    """A rule for the store's cold room: above 8 °C for ten minutes."""
    body = {
        "name": f"Warm {next(_numbers)}",
        "location_id": store.room_id,
        "quantity": "temperature",
        "kind": "high",
        "set_at": 8.0,
        "clear_at": 7.0,
        "duration_s": 600,
        **fields,
    }
    return await store.tenant.post("/api/v1/alerts/rules", body)
