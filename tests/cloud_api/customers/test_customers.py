"""Customers and their doors."""

import uuid

from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.orders import make_customer
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

CUSTOMERS = "/api/v1/customers"
DOOR = {"address": "12 Market Street", "city": "Bengaluru", "latitude": 12.93, "longitude": 77.61}


async def test_a_customer_is_kept_with_every_door_in_order(farm: Platform) -> None:
    doors = [{**DOOR, "label": label} for label in ("front", "kitchen")]
    made = await farm.tenant.post(CUSTOMERS, {"name": "Green Kitchen", "phone": "+91 98765 43210", "addresses": doors})
    assert [door["label"] for door in made["addresses"]] == ["front", "kitchen"]
    assert (made["name"], made["email"], made["is_active"]) == ("Green Kitchen", "", True)
    assert await farm.tenant.get(f"{CUSTOMERS}/{made['id']}") == made
    assert await farm.tenant.get(CUSTOMERS) == [made]


async def test_a_customer_that_no_van_finds_is_refused(farm: Platform) -> None:
    for doors in ([], [{**DOOR, "latitude": 91}], [{"address": "nowhere"}], [{**DOOR, "longitude": "NaN"}]):
        answer = await farm.tenant.client.post(CUSTOMERS, json={"name": "Green Kitchen", "addresses": doors})
        assert answer.status_code == 422, doors
    assert await farm.tenant.get(CUSTOMERS) == []


async def test_what_is_not_sent_stays(farm: Platform) -> None:
    customer_id = await make_customer(farm.tenant)
    before = await farm.tenant.get(f"{CUSTOMERS}/{customer_id}")
    after = await farm.tenant.put(f"{CUSTOMERS}/{customer_id}", {"email": "kitchen@green.example"})
    assert after == {**before, "email": "kitchen@green.example", "version": 2}
    nobody = await farm.tenant.client.put(f"{CUSTOMERS}/{uuid.uuid4()}", json={"name": "X"})
    assert nobody.status_code == 404


async def test_a_customer_who_left_is_still_known(farm: Platform) -> None:
    customer_id = await make_customer(farm.tenant)
    for _ in range(2):
        assert (await farm.tenant.client.delete(f"{CUSTOMERS}/{customer_id}")).status_code == 204
    assert (await farm.tenant.get(f"{CUSTOMERS}/{customer_id}"))["is_active"] is False
