"""A customer's doors are added, changed and taken away by who looks after customers; two who change one are told."""

from typing import Any

from tests.cloud_api.identity.staff import refusal
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.orders import make_customer, make_depot, order_from
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

CUSTOMERS = "/api/v1/customers"
DOOR = {"label": "kitchen", "address": "12 Market Street", "latitude": 12.93, "longitude": 77.61}


async def a_customer(farm: Platform) -> dict[str, Any]:
    """With one door."""
    found: dict[str, Any] = await farm.tenant.get(f"{CUSTOMERS}/{await make_customer(farm.tenant)}")
    return found


async def test_a_door_is_added_changed_and_taken_away(farm: Platform) -> None:
    customer = await a_customer(farm)
    address = f"{CUSTOMERS}/{customer['id']}/addresses"
    [first] = customer["addresses"]
    last = await farm.tenant.client.delete(f"{address}/{first['id']}")
    assert refusal(last) == (409, "LAST_ADDRESS")
    made = await farm.tenant.post(address, DOOR)
    assert made["is_sure"]
    moved = await farm.tenant.put(f"{address}/{made['id']}", {"address": "14 Market Street"})
    assert (moved["address"], moved["latitude"], moved["is_sure"]) == ("14 Market Street", 12.93, False)
    pinned = await farm.tenant.put(f"{address}/{made['id']}", {"latitude": 12.94, "longitude": 77.62})
    assert (pinned["latitude"], pinned["is_sure"]) == (12.94, True)
    assert (await farm.tenant.client.delete(f"{address}/{first['id']}")).status_code == 204
    left = (await farm.tenant.get(f"{CUSTOMERS}/{customer['id']}"))["addresses"]
    assert [door["id"] for door in left] == [made["id"]]


async def test_an_order_keeps_the_door_that_is_taken_away(farm: Platform) -> None:
    order = await order_from(await make_depot(farm.tenant))
    address = f"{CUSTOMERS}/{order['customer_id']}/addresses"
    await farm.tenant.post(address, DOOR)
    assert (await farm.tenant.client.delete(f"{address}/{order['address_id']}")).status_code == 204
    assert (await farm.tenant.get(f"/api/v1/orders/{order['id']}"))["address"] == order["address"]


async def test_a_door_of_somebody_else_is_not_there(farm: Platform) -> None:
    customer = await a_customer(farm)
    [door] = customer["addresses"]
    other = f"{CUSTOMERS}/{await make_customer(farm.tenant)}/addresses/{door['id']}"
    assert (await farm.tenant.client.put(other, json={"label": "mine"})).status_code == 404
    assert (await farm.tenant.client.delete(other)).status_code == 404
    nobody = f"{CUSTOMERS}/{door['id']}/addresses"
    assert (await farm.tenant.client.post(nobody, json=DOOR)).status_code == 404


async def test_who_saw_an_older_version_changes_nothing(farm: Platform) -> None:
    customer = await a_customer(farm)
    address = f"{CUSTOMERS}/{customer['id']}"
    [door] = customer["addresses"]
    seen = {"version": customer["version"]}
    first = await farm.tenant.put(address, {**seen, "name": "Hotel Ashoka"})
    assert first["version"] == customer["version"] + 1
    late = await farm.tenant.client.put(address, json={**seen, "name": "Hotel Lotus"})
    assert refusal(late) == (409, "STALE_VERSION")
    at_the_door = await farm.tenant.client.put(f"{address}/addresses/{door['id']}", json={**seen, "label": "bar"})
    assert refusal(at_the_door) == (409, "STALE_VERSION")
    now = await farm.tenant.get(address)
    assert (now["name"], now["addresses"]) == ("Hotel Ashoka", customer["addresses"])
    await farm.tenant.put(f"{address}/addresses/{door['id']}", {"version": now["version"], "label": "bar"})
    assert refusal(await farm.tenant.client.put(address, json={"version": now["version"], "name": "X"}))[0] == 409


async def test_what_it_is_already_is_no_new_version(farm: Platform) -> None:
    customer = await a_customer(farm)
    address = f"{CUSTOMERS}/{customer['id']}"
    again = await farm.tenant.put(address, {"name": customer["name"], "email": None})
    assert again["version"] == customer["version"]


async def test_orders_are_taken_again_from_who_came_back(farm: Platform) -> None:
    customer = await a_customer(farm)
    address = f"{CUSTOMERS}/{customer['id']}"
    await farm.tenant.client.delete(address)
    assert (await farm.tenant.put(address, {"is_active": True}))["is_active"] is True
    assert customer["id"] in {one["id"] for one in await farm.tenant.get(CUSTOMERS, is_active=True)}
