"""What may be put where: by how it must be kept, by what a place can carry, and whether the place is open."""

import asyncio
from typing import Any

import pytest

from tests.cloud_api.inventory.stock import assert_consistent, hold, lying_in
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.scopes import heard_by
from tests.factories.stores import ColdStore, make_product, make_room, receive
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

STOCK = "/api/v1/warehouse/stock"
PLACES = "/api/v1/warehouse/storage/locations"
WAREHOUSES = "/api/v1/warehouse/warehouses"

KEPT = ("cold_storage", "freezer", "ambient", "dry_storage")
FITS = {
    "cold_storage": {"cold_storage"},
    "freezer": {"freezer"},
    "ambient": {"ambient", "dry_storage"},
    "dry_storage": {"ambient", "dry_storage"},
    None: set(KEPT),
}


async def put(store: ColdStore, location_id: str, quantity: str = "10", **fields: Any) -> tuple[int, str]:
    """What is heard when goods are taken in there."""
    goods = {"product_id": store.product_id, "lot_number": "LOT-1", "expires_on": "2027-01-31"}
    body = {**goods, "location_id": location_id, "quantity": quantity, **fields}
    return await heard_by(store.tenant, "POST", f"{STOCK}/receiving", body)


@pytest.mark.parametrize("wanted", FITS)
async def test_goods_lie_only_where_they_are_kept_as_they_must_be(store: ColdStore, wanted: str | None) -> None:
    product = await make_product(store.tenant, storage_type=wanted)
    for kept in KEPT:
        place = await make_room(store.tenant, store.warehouse_id, storage_type=kept)
        expected = (201, "") if kept in FITS[wanted] else (409, "WRONG_STORAGE")
        assert await put(store, place, product_id=product) == expected, kept


async def test_a_refusal_names_the_place_and_what_would_do(store: ColdStore) -> None:
    product = await make_product(store.tenant, storage_type="freezer")
    goods = {"product_id": product, "lot_number": "L", "quantity": "1", "location_id": store.room_id}
    answer = await store.tenant.client.post(f"{STOCK}/receiving", json=goods)
    room = await store.tenant.get(f"{PLACES}/{store.room_id}")
    message = answer.json()["error"]["message"]
    assert room["code"] in message
    assert "choose a place that is freezer" in message


async def test_a_place_carries_no_more_than_it_can(farm: Platform, store: ColdStore) -> None:
    rack = await make_room(store.tenant, store.warehouse_id, location_type="rack", capacity_kg=25)
    bin_ = await make_room(store.tenant, store.warehouse_id, parent_id=rack, location_type="bin")
    assert await put(store, bin_, "20") == (201, "")
    assert await put(store, rack, "5.001", lot_number="LOT-2") == (409, "PLACE_FULL")
    assert await put(store, rack, "5", lot_number="LOT-2") == (201, "")
    assert await put(store, bin_, "0.001") == (409, "PLACE_FULL")
    await store.tenant.put(f"{PLACES}/{rack}", {"capacity_kg": None})
    assert await put(store, bin_, "0.001") == (201, "")
    await assert_consistent(farm, store)


async def test_pieces_weigh_what_their_unit_says_or_what_was_weighed(store: ColdStore) -> None:
    boxes = await make_product(store.tenant, unit="box", unit_weight_g=4_000)
    cheese = await make_product(store.tenant, unit="piece", catch_weight=True)
    rack = await make_room(store.tenant, store.warehouse_id, capacity_kg=10)
    assert await put(store, rack, "3", product_id=boxes) == (409, "PLACE_FULL")
    assert await put(store, rack, "2", product_id=boxes) == (201, "")
    assert await put(store, rack, "1", product_id=cheese, weight_g=2_001) == (409, "PLACE_FULL")
    assert await put(store, rack, "1", product_id=cheese, weight_g=2_000) == (201, "")


async def test_of_two_who_would_both_just_fit_one_does(farm: Platform, store: ColdStore) -> None:
    rack = await make_room(store.tenant, store.warehouse_id, location_type="rack", capacity_kg=30)
    bins = [await make_room(store.tenant, store.warehouse_id, parent_id=rack, location_type="bin") for _ in range(2)]
    heard = await asyncio.gather(*(put(store, bins[number % 2], lot_number=f"LOT-{number}") for number in range(8)))
    assert sorted(heard) == [(201, "")] * 3 + [(409, "PLACE_FULL")] * 5
    levels = [await lying_in(store.tenant, bin_) for bin_ in bins]
    assert sum(len(level) for level in levels) == 3
    await assert_consistent(farm, store)


async def test_a_transfer_within_a_full_place_is_no_arrival_twice(store: ColdStore) -> None:
    rack = await make_room(store.tenant, store.warehouse_id, location_type="rack", capacity_kg=10)
    lot_id = (await receive(store, quantity="11"))["lot_id"]
    line = {"lot_id": lot_id, "from_location_id": store.room_id, "to_location_id": rack, "quantity": "11"}
    assert await heard_by(store.tenant, "POST", f"{STOCK}/transfer", {"lines": [line]}) == (409, "PLACE_FULL")
    await store.tenant.post(f"{STOCK}/transfer", {"lines": [{**line, "quantity": "10"}]})
    assert (await lying_in(store.tenant, rack))["LOT-1"][0] == "10.000"


async def test_a_closed_place_takes_nothing_in(store: ColdStore) -> None:
    rack = await make_room(store.tenant, store.warehouse_id)
    await store.tenant.put(f"{PLACES}/{rack}", {"status": "maintenance"})
    assert await put(store, rack) == (409, "PLACE_CLOSED")
    await store.tenant.put(f"{PLACES}/{rack}", {"status": "active"})
    assert await put(store, rack) == (201, "")
    assert await heard_by(store.tenant, "DELETE", f"{WAREHOUSES}/{store.warehouse_id}") == (409, "PLACE_IN_USE")
    await store.tenant.post(
        f"{STOCK}/adjustment",
        {
            "lot_id": (await store.tenant.get("/api/v1/warehouse/batches"))[0]["id"],
            "location_id": rack,
            "delta": "-10",
            "reason": "sold",
        },
    )
    assert await heard_by(store.tenant, "DELETE", f"{WAREHOUSES}/{store.warehouse_id}") == (204, "")
    assert (await store.tenant.get(f"{WAREHOUSES}/{store.warehouse_id}"))["is_active"] is False
    assert await put(store, rack) == (409, "PLACE_CLOSED")
    await store.tenant.put(f"{WAREHOUSES}/{store.warehouse_id}", {"is_active": True})
    assert await put(store, rack) == (201, "")


async def test_a_place_stays_as_its_goods_must_be_kept(store: ColdStore) -> None:
    product = await make_product(store.tenant, storage_type="cold_storage")
    await receive(store, product_id=product)
    path = f"{PLACES}/{store.room_id}"
    assert await heard_by(store.tenant, "PUT", path, {"storage_type": "ambient"}) == (409, "WRONG_STORAGE")
    assert await heard_by(store.tenant, "PUT", path, {"capacity_kg": 99.9}) == (409, "PLACE_FULL")
    assert (await store.tenant.put(path, {"capacity_kg": 100}))["capacity_kg"] == 100


async def test_what_is_moved_into_a_place_under_a_hold_comes_under_it(farm: Platform, store: ColdStore) -> None:
    rack = await make_room(store.tenant, store.warehouse_id, location_type="rack")
    await receive(store, location_id=rack)
    await hold(farm, store, "excursion:1")
    assert (await lying_in(store.tenant, rack))["LOT-1"][2] == "available"
    await store.tenant.put(f"{PLACES}/{rack}", {"parent_id": store.room_id})
    assert (await lying_in(store.tenant, rack))["LOT-1"][2] == "on_hold"


async def test_a_place_is_not_moved_into_one_that_cannot_carry_it(store: ColdStore) -> None:
    rack = await make_room(store.tenant, store.warehouse_id, location_type="rack")
    await receive(store, location_id=rack)
    shelf = await make_room(store.tenant, store.warehouse_id, capacity_kg=99)
    path = f"{PLACES}/{rack}"
    assert await heard_by(store.tenant, "PUT", path, {"parent_id": shelf}) == (409, "PLACE_FULL")
    assert (await store.tenant.get(path))["parent_id"] is None


async def test_only_an_empty_place_can_be_removed_and_then_its_code_is_free(store: ColdStore) -> None:
    rack = await make_room(store.tenant, store.warehouse_id, location_type="rack", code="RACK-1")
    bin_ = await make_room(store.tenant, store.warehouse_id, parent_id=rack, location_type="bin")
    movement = await receive(store, location_id=bin_)
    for path in (f"{PLACES}/{rack}", f"{PLACES}/{bin_}", f"{PLACES}/{store.room_id}"):
        assert await heard_by(store.tenant, "DELETE", path) == (409, "PLACE_IN_USE"), path
    out = {"lot_id": movement["lot_id"], "location_id": bin_, "delta": "-100", "reason": "sold"}
    await store.tenant.post(f"{STOCK}/adjustment", out)
    for path in (f"{PLACES}/{bin_}", f"{PLACES}/{rack}"):
        assert await heard_by(store.tenant, "DELETE", path) == (204, "")
        assert await heard_by(store.tenant, "GET", path) == (404, "NOT_FOUND")
        assert await heard_by(store.tenant, "DELETE", path) == (404, "NOT_FOUND")
    assert {row["id"] for row in await store.tenant.get(PLACES)} & {rack, bin_} == set()
    assert await put(store, rack) == (409, "PLACE_CLOSED")
    booked = await store.tenant.get(f"{STOCK}/movements/{movement['id']}")
    assert booked["location_id"] == bin_
    assert await make_room(store.tenant, store.warehouse_id, code="RACK-1") != rack
