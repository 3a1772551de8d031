"""Which warehouses serve an order: the fewest, then the nearest, each by what expires first; nothing is promised."""

import uuid
from typing import Any

from tests.factories.farms import make_person
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.stores import ColdStore, make_product, make_room, make_warehouse, receive
from tests.platform_under_test import Platform, Tenant

pytestmark = IN_ONE_LOOP

PATH = "/api/v1/warehouse/fulfillment/optimize"
#: latitude and longitude, with the kilometres from PUNE as maps tell them
PUNE, MUMBAI, NASHIK = (18.5204, 73.8567), (19.0760, 72.8777), (19.9975, 73.7898)


async def stocked(store: ColdStore, at: tuple[float, float] | None, **quantities: str) -> str:
    """A warehouse with lots of so much of each product, by product id."""
    where = {} if at is None else {"latitude": at[0], "longitude": at[1]}
    warehouse = await make_warehouse(store.tenant, **where)
    room = await make_room(store.tenant, warehouse)
    for product_id, quantity in quantities.items():
        lot = {"lot": f"LOT-{uuid.uuid4()}", "expires_on": "2027-01-31"}
        await receive(store, product_id=product_id, location_id=room, quantity=quantity, **lot)
    return warehouse


def order(*lines: tuple[str, str], **fields: Any) -> dict[str, Any]:
    return {"lines": [{"product_id": product, "quantity": quantity} for product, quantity in lines], **fields}


async def served(tenant: Tenant, body: object) -> tuple[bool, list[str]]:
    found = await tenant.post(PATH, body)
    return found["complete"], [one["warehouse_id"] for one in found["warehouses"]]


async def test_one_warehouse_that_has_it_all_is_better_than_two_nearer_ones(farm: Platform, store: ColdStore) -> None:
    leaf, root = store.product_id, await make_product(store.tenant)
    await stocked(store, PUNE, **{leaf: "5"})
    await stocked(store, PUNE, **{root: "5"})
    far = await stocked(store, NASHIK, **{leaf: "5", root: "5"})
    at = {"latitude": PUNE[0], "longitude": PUNE[1]}
    assert await served(store.tenant, order((leaf, "5"), (root, "5"), **at)) == (True, [far])


async def test_of_two_that_have_it_all_the_nearer_one_is_chosen(farm: Platform, store: ColdStore) -> None:
    nashik, mumbai = [await stocked(store, at, **{store.product_id: "5"}) for at in (NASHIK, MUMBAI)]
    unknown = await stocked(store, None, **{store.product_id: "5"})
    for at, expected in ((MUMBAI, mumbai), (NASHIK, nashik)):
        body = order((store.product_id, "5"), latitude=at[0], longitude=at[1])
        assert await served(store.tenant, body) == (True, [expected])
    body = order((store.product_id, "5"), latitude=PUNE[0], longitude=PUNE[1])
    [chosen] = (await store.tenant.post(PATH, body))["warehouses"]
    assert (chosen["warehouse_id"], round(chosen["distance_km"])) == (mumbai, 120)
    only = await served(store.tenant, {**body, "warehouse_ids": [unknown]})
    assert only == (True, [unknown])


async def test_in_a_warehouse_what_expires_first_is_picked_and_nothing_is_promised(
    farm: Platform, store: ColdStore
) -> None:
    await receive(store, lot="LATE", expires_on="2027-03-01", quantity="5")
    await receive(store, lot="SOON", expires_on="2027-01-01", quantity="2")
    found = await store.tenant.post(PATH, order((store.product_id, "4")))
    [chosen] = found["warehouses"]
    assert [(pick["lot_number"], pick["quantity"], pick["last_day"]) for pick in chosen["picks"]] == [
        ("SOON", "2.000", "2027-01-01"),
        ("LATE", "2.000", "2027-03-01"),
    ]
    assert await store.tenant.get("/api/v1/warehouse/stock/reservations") == []


async def test_what_nobody_has_is_named_beside_what_there_is(farm: Platform, store: ColdStore) -> None:
    nobodys = await make_product(store.tenant)
    await receive(store, quantity="3")
    found = await store.tenant.post(PATH, order((store.product_id, "4"), (nobodys, "1")))
    missing = {one["product_id"]: one["quantity"] for one in found["missing"]}
    assert (found["complete"], missing) == (False, {store.product_id: "1.000", nobodys: "1.000"})
    assert [pick["quantity"] for one in found["warehouses"] for pick in one["picks"]] == ["3.000"]


async def test_what_expires_before_it_is_needed_serves_nobody(farm: Platform, store: ColdStore) -> None:
    await receive(store, expires_on="2027-01-31", quantity="3")
    body = order((store.product_id, "3"))
    assert (await served(store.tenant, {**body, "needed_on": "2027-01-31"}))[0] is True
    assert (await served(store.tenant, {**body, "needed_on": "2027-02-01"}))[0] is False


async def test_what_cannot_be_meant_is_refused(farm: Platform, store: ColdStore) -> None:
    line = (store.product_id, "1")
    wrong = [order(line, line), order(line, latitude=1.0), order(), order((store.product_id, "0"))]
    codes = [(await store.tenant.client.post(PATH, json=body)).status_code for body in wrong]
    assert codes == [422] * 4
    nobodys = str(uuid.uuid4())
    for body in (order((nobodys, "1")), order(line, warehouse_ids=[nobodys]), order(line, customer_id=nobodys)):
        assert (await store.tenant.client.post(PATH, json=body)).status_code == 404
    customer = await make_person(farm, store.tenant, "customer")
    assert (await customer.client.post(PATH, json=order(line))).status_code == 403
