"""Whoever signs in as a customer keeps the customer's doors, and nobody else's."""

import uuid

from tests.factories.farms import make_farm, make_person
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.orders import make_customer, make_depot, order_from
from tests.factories.scopes import asked, heard_by, id_of, make_buyer
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

OWN = "/api/v1/auth/me/addresses"
DOOR = {"label": "kitchen", "address": "4 Mill Road", "latitude": 12.9, "longitude": 77.6}


async def test_a_customer_adds_changes_and_takes_away_doors(farm: Platform) -> None:
    customer_id, buyer = await make_buyer(farm)
    [first] = await buyer.get(OWN)
    added = await buyer.post(OWN, DOOR)
    assert [door["id"] for door in await buyer.get(OWN)] == [added["id"], first["id"]]
    changed = await buyer.put(f"{OWN}/{added['id']}", {"label": "back door"})
    assert changed == {**added, "label": "back door"}
    assert (await buyer.client.delete(f"{OWN}/{first['id']}")).status_code == 204
    assert await buyer.get(OWN) == [changed]
    assert (await farm.tenant.get(f"/api/v1/customers/{customer_id}"))["addresses"] == [changed]


async def test_the_only_door_stays(farm: Platform) -> None:
    _, buyer = await make_buyer(farm)
    [only] = await buyer.get(OWN)
    assert await heard_by(buyer, "DELETE", f"{OWN}/{only['id']}") == (409, "LAST_ADDRESS")
    assert await buyer.get(OWN) == [only]


async def test_an_order_keeps_its_door_when_that_is_changed_or_taken_away(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    order = await order_from(depot)
    _, buyer = await make_buyer(farm, customer_id=order["customer_id"])
    [door] = await buyer.get(OWN)
    await buyer.put(f"{OWN}/{door['id']}", {"address": "elsewhere", "latitude": 1.0})
    await buyer.post(OWN, DOOR)
    assert (await buyer.client.delete(f"{OWN}/{door['id']}")).status_code == 204
    kept = await farm.tenant.get(f"/api/v1/orders/{order['id']}")
    assert (kept["address"], kept["latitude"]) == (order["address"], order["latitude"])


async def test_another_customers_door_is_not_there(farm: Platform) -> None:
    _, buyer = await make_buyer(farm)
    _, neighbour = await make_buyer(farm)
    [theirs] = await neighbour.get(OWN)
    assert await heard_by(buyer, "PUT", f"{OWN}/{theirs['id']}", {"label": "mine"}) == (404, "NOT_FOUND")
    assert await heard_by(buyer, "DELETE", f"{OWN}/{theirs['id']}") == (404, "NOT_FOUND")
    assert await neighbour.get(OWN) == [theirs]


async def test_a_door_that_cannot_be_is_named(farm: Platform) -> None:
    _, buyer = await make_buyer(farm)
    for field, value in (("latitude", 91), ("address", ""), ("longitude", None), ("surplus", 1)):
        answer = await buyer.client.post(OWN, json={**DOOR, field: value})
        assert (answer.status_code, answer.json()["error"]["details"][0]["field"]) == (422, field)
    assert len(await buyer.get(OWN)) == 1


async def test_whoever_is_nobodys_customer_has_no_doors_and_hears_why(farm: Platform) -> None:
    lonely = await make_person(farm, farm.tenant, "customer")
    some_door = f"{OWN}/{uuid.uuid4()}"
    for person in (lonely, farm.tenant):
        for method, path in (("GET", OWN), ("POST", OWN), ("PUT", some_door), ("DELETE", some_door)):
            answer = await person.client.request(method, path, json=DOOR)
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND"), method
            assert "none of our customers" in answer.json()["error"]["message"]


async def test_a_person_is_tied_to_one_customer_at_a_time(farm: Platform) -> None:
    customer_id, buyer = await make_buyer(farm)
    buyer_id, other = await id_of(buyer), await make_customer(farm.tenant)
    tie = {"user_id": buyer_id}
    path = f"/api/v1/customers/{customer_id}/account"
    assert await farm.tenant.put(path, tie) == {"user_id": buyer_id, "customer_id": customer_id}
    elsewhere = f"/api/v1/customers/{other}/account"
    assert await heard_by(farm.tenant, "PUT", elsewhere, tie) == (409, "ALREADY_EXISTS")
    assert (await heard_by(farm.tenant, "DELETE", elsewhere))[0] == 204
    assert len(await buyer.get(OWN)) == 1
    assert (await heard_by(farm.tenant, "DELETE", path, user_id=str(uuid.uuid4())))[0] == 204
    assert len(await buyer.get(OWN)) == 1
    assert (await heard_by(farm.tenant, "DELETE", path, user_id=buyer_id))[0] == 204
    assert await heard_by(buyer, "GET", OWN) == (404, "NOT_FOUND")
    assert (await heard_by(farm.tenant, "PUT", elsewhere, tie))[0] == 200


async def test_nobody_is_tied_across_organisations_nor_by_those_who_may_not(farm: Platform) -> None:
    customer_id, buyer = await make_buyer(farm)
    stranger = await make_farm(farm)
    path, tie = f"/api/v1/customers/{customer_id}/account", {"user_id": await id_of(buyer)}
    assert await heard_by(stranger, "PUT", path, tie) == (404, "NOT_FOUND")
    assert await heard_by(farm.tenant, "PUT", path, {"user_id": await id_of(stranger)}) == (404, "NOT_FOUND")
    assert await heard_by(buyer, "PUT", path, tie) == (403, "FORBIDDEN")
    assert await heard_by(buyer, "DELETE", path) == (403, "FORBIDDEN")
    assert await heard_by(stranger, "DELETE", path) == (404, "NOT_FOUND")
    assert len(await buyer.get(OWN)) == 1


async def test_the_doors_are_asked_for_as_often_for_many_as_for_one(farm: Platform) -> None:
    _, buyer = await make_buyer(farm)
    counted = []
    for _ in range(2):
        counted.append(await asked(farm, buyer, OWN))
        for number in range(3):
            await buyer.post(OWN, {**DOOR, "label": f"door {number}"})
    assert counted[0] == counted[1] <= 6
