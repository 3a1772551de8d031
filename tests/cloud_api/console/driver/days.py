"""A driver's day: a store, three doors of three kinds, a van, and the phone that hears of it."""

import uuid
from typing import Any

from cloud_api.logistics.sync import feed
from tests.cloud_api.logistics.deliveries.rounds import Round, by_hand, customer_with
from tests.factories.orders import hire_driver, make_depot, make_order, make_van, pack
from tests.platform_under_test import Platform, Tenant

#: the door with a code is that of a customer who can be reached
REACHABLE = "+919876543210"
UPI_ID = "farm@upi"


async def make_day(platform: Platform, tenant: Tenant | None = None) -> Round:
    """Planned: the first customer is asked for a code, the third pays at the door."""
    tenant = tenant or platform.tenant
    await tenant.put("/api/v1/admin/settings/deliveries.upi_id", {"value": UPI_ID})
    depot = await make_depot(tenant)
    driver_id, driver = await hire_driver(platform, tenant)
    van = await make_van(tenant, driver_id=driver_id)
    order_ids = [
        await _order(depot, await customer_with(tenant, phone=phone, door=door), **fields)
        for door, (phone, fields) in enumerate(((REACHABLE, {}), ("", {}), ("", {"payment_method": "cod"})))
    ]
    route = await by_hand(depot, van["id"], order_ids)
    made = Round(
        platform, depot, driver_id, driver, van, route["id"], [stop["id"] for stop in route["deliveries"]], order_ids
    )
    await let_phones_hear(platform, tenant, made.route_id)
    return made


async def let_phones_hear(platform: Platform, tenant: Tenant, route_id: str) -> None:
    """Bring the drivers' feeds up to date, as the reactions do."""
    async with platform.database.unit_of_work(tenant.organization) as db:
        await feed.refresh_route(db, uuid.UUID(route_id))


async def _order(depot: Any, customer_id: str, **fields: Any) -> str:
    order = await make_order(
        depot.tenant, customer_id=customer_id, warehouse_id=depot.warehouse_id, product_id=depot.product_id, **fields
    )
    await pack(depot.tenant, order["id"])
    return str(order["id"])
