"""An organisation's currency: another one as long as nothing has said a sum in it."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.orders import make_depot, order_from
from tests.factories.stores import make_product
from tests.platform_under_test import Platform, Tenant

pytestmark = IN_ONE_LOOP


async def a_price(tenant: Tenant) -> object:
    return await make_product(tenant, price=9_900)


async def a_van_that_costs(tenant: Tenant) -> object:
    van = {"number": "KA01AB1234", "vehicle_type": "van", "capacity_g": 500_000, "cost_per_km_minor": 1_200}
    return await tenant.post("/api/v1/warehouse/fleet/vehicles", van)


async def an_order(tenant: Tenant) -> object:
    return await order_from(await make_depot(tenant))


async def own(tenant: Tenant) -> tuple[str, Any]:
    organization = (await tenant.get("/api/v1/auth/me"))["organization"]
    return f"/api/v1/organizations/{organization['id']}", organization["currency"]


@pytest.mark.parametrize("say", [a_price, a_van_that_costs, an_order])
async def test_a_currency_can_be_another_until_a_sum_is_in_it(
    farm: Platform, say: Callable[[Tenant], Awaitable[object]]
) -> None:
    path, _ = await own(farm.tenant)
    await make_product(farm.tenant)
    assert (await farm.tenant.put(path, {"currency": "EUR"}))["currency"] == "EUR"
    await say(farm.tenant)
    refused = await farm.tenant.client.put(path, json={"currency": "INR", "name": "Elsewhere"})
    error = refused.json()["error"]
    assert (refused.status_code, error["code"], error["details"][0]["field"]) == (409, "CURRENCY_IN_USE", "currency")
    assert (await own(farm.tenant))[1] == "EUR"
    assert (await farm.tenant.put(path, {"currency": "EUR", "name": "Here"}))["name"] == "Here"
