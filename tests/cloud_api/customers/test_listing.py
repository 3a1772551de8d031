"""The list of customers: found by name, number and phone, narrowed, sorted."""

from typing import Any

from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.orders import make_customer
from tests.platform_under_test import Platform, Tenant

pytestmark = IN_ONE_LOOP

CUSTOMERS = "/api/v1/customers"
DOOR = {"address": "12 Market Street", "latitude": 12.93, "longitude": 77.61}


async def names(tenant: Tenant, **query: Any) -> list[str]:
    """Of those that a question finds, in its order."""
    return [customer["name"] for customer in await tenant.get(CUSTOMERS, **query)]


async def test_customers_are_found_by_name_number_and_the_end_of_their_phone(farm: Platform) -> None:
    made = {}
    for name, phone in (("Hotel Ashoka", "+91 98765 43210"), ("Green Kitchen", "098450 12345"), ("Lotus", "")):
        made[name] = await farm.tenant.post(CUSTOMERS, {"name": name, "phone": phone, "addresses": [DOOR]})
    questions = {
        "ashoka": ["Hotel Ashoka"],
        "KITCH gre": ["Green Kitchen"],
        made["Lotus"]["number"]: ["Lotus"],
        "43210": ["Hotel Ashoka"],
        "+91 98450 12345": ["Green Kitchen"],
        "098765-43210": ["Hotel Ashoka"],
        "98765": [],
        "_": [],
    }
    for asked, found in questions.items():
        assert await names(farm.tenant, search=asked) == found, asked
    await farm.tenant.put(f"{CUSTOMERS}/{made['Lotus']['id']}", {"phone": "+91 98765 00000"})
    assert await names(farm.tenant, search="00000") == ["Lotus"]


async def test_customers_are_narrowed_and_sorted_page_by_page(farm: Platform) -> None:
    for name in ("Mango", "Apple", "Mango", "Banana"):
        await farm.tenant.post(CUSTOMERS, {"name": name, "addresses": [DOOR]})
    [gone, *_] = await farm.tenant.get(CUSTOMERS, sort="name")
    await farm.tenant.client.delete(f"{CUSTOMERS}/{gone['id']}")
    assert await names(farm.tenant, is_active=True, sort="-name") == ["Mango", "Mango", "Banana"]
    assert await names(farm.tenant, is_active=False) == ["Apple"]
    seen: list[str] = []
    cursor = None
    while cursor is not None or not seen:
        asked: dict[str, Any] = {"sort": "name", "limit": 1, **({"cursor": cursor} if cursor else {})}
        answer = (await farm.tenant.client.get(CUSTOMERS, params=asked)).json()
        seen += [customer["name"] for customer in answer["data"]]
        cursor = answer["meta"]["next_cursor"]
    assert seen == ["Apple", "Banana", "Mango", "Mango"]


async def test_those_whose_door_nobody_is_certain_of_are_found(farm: Platform) -> None:
    customer_id = await make_customer(farm.tenant)
    await make_customer(farm.tenant)
    [door] = (await farm.tenant.get(f"{CUSTOMERS}/{customer_id}"))["addresses"]
    await farm.tenant.put(f"{CUSTOMERS}/{customer_id}/addresses/{door['id']}", {"address": "5 Lake Road"})
    assert [one["id"] for one in await farm.tenant.get(CUSTOMERS, is_sure=False)] == [customer_id]
    assert customer_id not in {one["id"] for one in await farm.tenant.get(CUSTOMERS, is_sure=True)}
