"""A customer orders for itself, sees its own orders, and never acts as the store's staff."""

from typing import Any

from tests.factories.farms import make_person
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.orders import Depot, day_in, make_depot, order_from, pack
from tests.factories.scopes import asked, heard_by, make_buyer, make_keeper
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

ORDERS = "/api/v1/orders"


async def make_shop(farm: Platform) -> Depot:
    """A depot whose product has a price: who orders for themselves says none."""
    depot = await make_depot(farm.tenant)
    await farm.tenant.put(f"/api/v1/warehouse/products/{depot.product_id}", {"price": "42.5"})
    return depot


def wanted(depot: Depot, **changes: Any) -> dict[str, Any]:
    line = {"product_id": depot.product_id, "quantity": "4"}
    return {"warehouse_id": depot.warehouse_id, "delivery_date": day_in(1), "lines": [line], **changes}


async def test_a_customer_lists_and_gets_its_own_orders_only(farm: Platform) -> None:
    depot = await make_shop(farm)
    customer_id, buyer = await make_buyer(farm)
    own = await buyer.post(ORDERS, wanted(depot))
    others = await order_from(depot)
    assert own["customer_id"] == customer_id
    assert [row["id"] for row in await buyer.get(ORDERS)] == [own["id"]]
    assert await buyer.get(ORDERS, customer_id=others["customer_id"]) == []
    assert (await buyer.get(f"{ORDERS}/{own['id']}"))["number"] == own["number"]
    assert await heard_by(buyer, "GET", f"{ORDERS}/{others['id']}") == (404, "NOT_FOUND")
    assert {row["id"] for row in await farm.tenant.get(ORDERS)} == {own["id"], others["id"]}


async def test_a_customer_orders_for_nobody_else(farm: Platform) -> None:
    depot = await make_shop(farm)
    customer_id, buyer = await make_buyer(farm)
    other_id, _ = await make_buyer(farm)
    assert await heard_by(buyer, "POST", ORDERS, wanted(depot, customer_id=other_id)) == (404, "NOT_FOUND")
    assert await farm.tenant.get(ORDERS) == []
    assert (await buyer.post(ORDERS, wanted(depot, customer_id=customer_id)))["customer_id"] == customer_id
    assert await heard_by(farm.tenant, "POST", ORDERS, wanted(depot)) == (422, "BAD_ORDER")
    lonely = await make_person(farm, farm.tenant, "customer")
    assert await lonely.get(ORDERS) == []
    answer = await lonely.client.post(ORDERS, json=wanted(depot))
    assert (answer.status_code, "none of our customers" in answer.json()["error"]["message"]) == (404, True)


async def test_a_customer_never_acts_as_staff_not_even_on_its_own_order(farm: Platform) -> None:
    depot = await make_shop(farm)
    _, buyer = await make_buyer(farm)
    own = await buyer.post(ORDERS, wanted(depot))
    assert await heard_by(buyer, "POST", f"{ORDERS}/{own['id']}/confirm") == (403, "FORBIDDEN")
    await farm.tenant.post(f"{ORDERS}/{own['id']}/confirm")
    assert await heard_by(buyer, "POST", f"{ORDERS}/{own['id']}/pack") == (403, "FORBIDDEN")
    for path in (
        "/api/v1/warehouse/warehouses",
        "/api/v1/warehouse/storage/locations",
        "/api/v1/warehouse/stock/levels",
        "/api/v1/warehouse/batches",
        "/api/v1/warehouse/deliveries",
        "/api/v1/customers",
        "/api/v1/excursions",
    ):
        assert await heard_by(buyer, "GET", path) == (403, "FORBIDDEN"), path


async def test_a_customer_gives_its_own_order_up_until_it_is_packed(farm: Platform) -> None:
    depot = await make_shop(farm)
    _, buyer = await make_buyer(farm)
    others = await order_from(depot)
    pending, confirmed, packed = [await buyer.post(ORDERS, wanted(depot)) for _ in range(3)]
    await farm.tenant.post(f"{ORDERS}/{confirmed['id']}/confirm")
    await pack(farm.tenant, packed["id"])
    why = {"reason": "closed today"}
    assert (await buyer.post(f"{ORDERS}/{pending['id']}/cancel", why))["status"] == "cancelled"
    assert (await buyer.post(f"{ORDERS}/{confirmed['id']}/cancel", why))["status"] == "cancelled"
    assert await heard_by(buyer, "POST", f"{ORDERS}/{packed['id']}/cancel", why) == (409, "TOO_LATE_TO_CANCEL")
    assert await heard_by(buyer, "POST", f"{ORDERS}/{others['id']}/cancel", why) == (404, "NOT_FOUND")
    assert (await farm.tenant.get(f"{ORDERS}/{others['id']}"))["status"] == "pending"
    assert (await farm.tenant.post(f"{ORDERS}/{packed['id']}/cancel", why))["status"] == "cancelled"


async def test_which_lots_are_promised_is_the_stores_business(farm: Platform) -> None:
    depot = await make_shop(farm)
    _, buyer = await make_buyer(farm)
    own = await buyer.post(ORDERS, wanted(depot))
    confirmed = await farm.tenant.post(f"{ORDERS}/{own['id']}/confirm")
    assert len(confirmed["lines"][0]["allocations"]) == 1
    [line] = (await buyer.get(f"{ORDERS}/{own['id']}"))["lines"]
    assert (line["quantity"], line["allocations"]) == ("4.000", [])


async def test_orders_are_asked_for_as_often_for_many_as_for_none(farm: Platform) -> None:
    depot = await make_shop(farm)
    _, buyer = await make_buyer(farm)
    keeper = await make_keeper(farm, depot.warehouse_id)
    counted = list[int]()
    for _ in range(2):
        counted += [await asked(farm, person, ORDERS) for person in (buyer, keeper)]
        for _ in range(3):
            await buyer.post(ORDERS, wanted(depot))
    assert counted[:2] == counted[2:]
    assert max(counted) <= 6
