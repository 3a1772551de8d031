"""Warehouses, and the tree of places in them."""

import uuid

from cloud_api.places import service
from tests.factories.farms import make_farm, plant_store
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.stores import ColdStore, make_room, make_warehouse
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

PATH = "/api/v1/warehouse/storage/locations"


async def test_a_place_lies_within_what_lies_around_it(farm: Platform, store: ColdStore) -> None:
    rack = await make_room(store.tenant, store.warehouse_id, parent_id=store.room_id, location_type="rack")
    bin_ = await make_room(store.tenant, store.warehouse_id, parent_id=rack, location_type="bin")
    beside = await make_room(store.tenant, store.warehouse_id)
    room_id, rack_id, bin_id, beside_id = map(uuid.UUID, (store.room_id, rack, bin_, beside))
    async with farm.database.unit_of_work(store.tenant.organization, read_only=True) as db:
        assert await service.within(db, room_id) == sorted([room_id, rack_id, bin_id])
        assert await service.within(db, bin_id) == [bin_id]
        assert await service.within(db, beside_id) == [beside_id]
        assert await service.around(db, bin_id) == [bin_id, rack_id, room_id]
        assert await service.around(db, room_id) == [room_id]


async def test_nothing_of_another_organisation_lies_within_a_place_of_ours(farm: Platform, store: ColdStore) -> None:
    stranger = await make_farm(farm)
    other = await plant_store(farm, stranger)
    body = {"code": "BIN-1", "name": "Bin", "location_type": "bin", "storage_type": "ambient"}
    for change in (
        {"warehouse_id": store.warehouse_id},
        {"warehouse_id": other.warehouse_id, "parent_id": store.room_id},
    ):
        assert (await stranger.client.post(PATH, json={**body, **change})).status_code == 404
    async with farm.database.unit_of_work(stranger.organization, read_only=True) as db:
        assert await service.within(db, uuid.UUID(store.room_id)) == []


async def test_a_place_that_contradicts_itself_is_refused(farm: Platform, store: ColdStore) -> None:
    body = {"code": "R", "name": "Room", "location_type": "room", "storage_type": "freezer"}
    wrong: list[tuple[str, dict[str, object]]] = [
        ("temperature_min_c", {"temperature_min_c": 4, "temperature_max_c": 4}),
        ("temperature_min_c", {"temperature_min_c": 0, "temperature_max_c": -18}),
        ("warehouse_id", {"location_type": "vehicle"}),
        ("warehouse_id", {"warehouse_id": None}),
        ("location_type", {"location_type": "drawer"}),
        ("code", {"code": "no spaces"}),
        ("surplus", {"surplus": 1}),
    ]
    for field, change in wrong:
        answer = await store.tenant.client.post(PATH, json={**body, "warehouse_id": store.warehouse_id, **change})
        assert (answer.status_code, answer.json()["error"]["details"][0]["field"]) == (422, field)


async def test_a_place_and_its_parent_stand_in_one_warehouse(farm: Platform, store: ColdStore) -> None:
    elsewhere = await make_warehouse(store.tenant)
    body = {"code": "R", "name": "Rack", "location_type": "rack", "storage_type": "freezer"}
    answer = await store.tenant.client.post(PATH, json={**body, "warehouse_id": elsewhere, "parent_id": store.room_id})
    assert (answer.status_code, answer.json()["error"]["details"][0]["field"]) == (422, "parent_id")
    van = {**body, "location_type": "vehicle", "parent_id": store.room_id}
    assert (await store.tenant.client.post(PATH, json=van)).status_code == 422
    assert (await store.tenant.client.post(PATH, json={**van, "parent_id": None})).status_code == 201


async def test_a_code_is_taken_within_an_organisation_only(farm: Platform, store: ColdStore) -> None:
    stranger = await make_farm(farm)
    body = {"code": "MAIN", "name": "Main"}
    path = "/api/v1/warehouse/warehouses"
    assert [(await tenant.client.post(path, json=body)).status_code for tenant in (store.tenant, stranger)] == [201] * 2
    taken = await store.tenant.client.post(path, json=body)
    assert (taken.status_code, taken.json()["error"]["details"][0]["field"]) == (409, "code")
    assert {row["code"] for row in await stranger.get(path)} == {"MAIN"}
