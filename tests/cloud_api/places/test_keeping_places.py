"""Warehouses and places change: what is sent, and nothing that contradicts itself."""

import itertools
import uuid
from datetime import UTC, date, datetime

import pytest

from cloud_api.kernel import clock
from cloud_api.kernel.states import InvalidTransition
from cloud_api.places import service
from cloud_api.places.states import LOCATION, LocationAction, LocationStatus
from tests.factories.farms import make_farm, make_person, plant_store
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.scopes import heard_by, id_of
from tests.factories.stores import ColdStore, make_room, make_warehouse
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

PLACES = "/api/v1/warehouse/storage/locations"
WAREHOUSES = "/api/v1/warehouse/warehouses"


async def test_a_warehouse_changes_what_is_sent(farm: Platform, store: ColdStore) -> None:
    path = f"{WAREHOUSES}/{store.warehouse_id}"
    manager = await id_of(await make_person(farm, store.tenant, "warehouse_manager"))
    changes = {"timezone": "Pacific/Auckland", "capacity_limit_kg": 12_000.5, "manager_id": manager}
    changed = await store.tenant.put(path, changes)
    assert {name: changed[name] for name in changes} == changes
    assert changed["name"] == "Store"
    emptied = await store.tenant.put(path, {"manager_id": None, "name": None})
    assert (emptied["manager_id"], emptied["name"], emptied["timezone"]) == (None, "Store", "Pacific/Auckland")


async def test_a_warehouse_that_contradicts_itself_is_refused(farm: Platform, store: ColdStore) -> None:
    other = await make_warehouse(store.tenant, code="TAKEN")
    stranger = await make_person(farm, await make_farm(farm), "warehouse_manager")
    for change, expected in (
        ({"timezone": "Mars/Base"}, (422, "VALIDATION_FAILED")),
        ({"capacity_limit_kg": 0}, (422, "VALIDATION_FAILED")),
        ({"manager_id": str(uuid.uuid4())}, (404, "NOT_FOUND")),
        ({"manager_id": await id_of(stranger)}, (404, "NOT_FOUND")),
        ({"code": "TAKEN"}, (409, "ALREADY_EXISTS")),
    ):
        assert await heard_by(store.tenant, "PUT", f"{WAREHOUSES}/{store.warehouse_id}", change) == expected, change
    assert (await store.tenant.get(f"{WAREHOUSES}/{other}"))["code"] == "TAKEN"


async def test_who_changes_a_warehouse_or_a_place_at_the_same_time_is_told(store: ColdStore) -> None:
    for path in (f"{WAREHOUSES}/{store.warehouse_id}", f"{PLACES}/{store.room_id}"):
        seen = (await store.tenant.get(path))["version"]
        changed = await store.tenant.put(path, {"name": "North", "version": seen})
        assert (changed["name"], changed["version"]) == ("North", seen + 1)
        late = {"name": "South", "version": seen}
        assert await heard_by(store.tenant, "PUT", path, late) == (409, "STALE_VERSION"), path
        assert (await store.tenant.put(path, {"name": "East"}))["version"] == seen + 2


async def test_goods_expire_by_the_calendar_of_where_they_lie(farm: Platform, store: ColdStore) -> None:
    east = uuid.UUID(await make_warehouse(store.tenant, timezone="Pacific/Auckland"))
    west = uuid.UUID(await make_warehouse(store.tenant, timezone="Pacific/Honolulu"))
    ours = uuid.UUID(store.warehouse_id)
    clock.use(lambda: datetime(2026, 1, 31, 20, 0, tzinfo=UTC))
    try:
        async with farm.database.unit_of_work(store.tenant.organization, read_only=True) as db:
            assert await service.today_in(db, east) == date(2026, 2, 1)
            assert await service.today_in(db, west) == date(2026, 1, 31)
            assert await service.today_in(db, ours) == await service.today_in(db, None) == date(2026, 2, 1)
    finally:
        clock.use(None)


async def test_a_place_changes_what_is_sent_and_limits_stay_in_order(store: ColdStore) -> None:
    path = f"{PLACES}/{store.room_id}"
    limits = {"temperature_min_c": 2.0, "temperature_max_c": 6.0, "humidity_min_pct": 80.0, "humidity_max_pct": 95.0}
    changed = await store.tenant.put(path, {**limits, "name": "Leaf room", "capacity_kg": 500})
    assert {name: changed[name] for name in limits} == limits
    for wrong in ({"temperature_min_c": 6}, {"humidity_max_pct": 80}, {"humidity_min_pct": 101}, {"capacity_kg": -1}):
        assert (await heard_by(store.tenant, "PUT", path, wrong))[0] == 422, wrong
    assert (await store.tenant.put(path, {"temperature_max_c": None}))["temperature_max_c"] is None


async def test_a_place_moves_within_its_warehouse_and_never_into_itself(farm: Platform, store: ColdStore) -> None:
    rack = await make_room(store.tenant, store.warehouse_id, location_type="rack")
    bin_ = await make_room(store.tenant, store.warehouse_id, parent_id=rack, location_type="bin")
    elsewhere = await plant_store(farm)
    moved = await store.tenant.put(f"{PLACES}/{rack}", {"parent_id": store.room_id})
    assert moved["parent_id"] == store.room_id
    for parent, expected in (
        (rack, (422, "INVALID")),
        (bin_, (422, "INVALID")),
        (elsewhere.room_id, (422, "INVALID")),
        (str(uuid.uuid4()), (404, "NOT_FOUND")),
    ):
        assert await heard_by(store.tenant, "PUT", f"{PLACES}/{rack}", {"parent_id": parent}) == expected
    assert await heard_by(store.tenant, "PUT", f"{PLACES}/{store.room_id}", {"parent_id": bin_}) == (422, "INVALID")
    assert (await store.tenant.put(f"{PLACES}/{rack}", {"parent_id": None}))["parent_id"] is None


async def test_places_are_listed_by_where_they_are_and_how_they_are_kept(store: ColdStore) -> None:
    freezer = await make_room(store.tenant, store.warehouse_id, storage_type="freezer", code=(code := "FROSTY"))
    rack = await make_room(store.tenant, store.warehouse_id, parent_id=store.room_id, location_type="rack")
    await store.tenant.put(f"{PLACES}/{rack}", {"status": "inactive"})
    for query, expected in (
        ({"warehouse_id": store.warehouse_id}, {freezer, rack, store.room_id}),
        ({"parent_id": store.room_id}, {rack}),
        ({"location_type": "rack"}, {rack}),
        ({"storage_type": "freezer"}, {freezer}),
        ({"status": "inactive"}, {rack}),
        ({"status": "maintenance"}, set()),
        ({"outermost": True}, {freezer, store.room_id}),
        ({"outermost": False}, {rack}),
        ({"search": code.lower()[1:]}, {freezer}),
        ({"search": "%"}, set()),
    ):
        assert {row["id"] for row in await store.tenant.get(PLACES, **query)} == expected, query
    codes = [row["code"] for row in await store.tenant.get(PLACES, sort="-code")]
    assert len(codes) == 3
    assert codes == sorted(codes, reverse=True)


async def test_places_on_the_way_are_nobodys_to_make_or_to_change(farm: Platform, store: ColdStore) -> None:
    body = {"code": "X", "name": "X", "location_type": "transit", "storage_type": "ambient"}
    assert await heard_by(store.tenant, "POST", PLACES, body) == (422, "VALIDATION_FAILED")
    async with farm.database.unit_of_work(store.tenant.organization) as db:
        way = await service.transit_to(db, uuid.UUID(store.warehouse_id))
        assert await service.transit_to(db, uuid.UUID(store.warehouse_id)) is way
    assert way.warehouse_id is None
    assert str(way.id) not in {row["id"] for row in await store.tenant.get(PLACES)}
    assert await heard_by(store.tenant, "PUT", f"{PLACES}/{way.id}", {"name": "Y"}) == (422, "INVALID")
    assert await heard_by(store.tenant, "DELETE", f"{PLACES}/{way.id}") == (409, "PLACE_IN_USE")


async def test_the_life_of_a_place(store: ColdStore) -> None:
    for at, action in itertools.product(LocationStatus, LocationAction):
        after = LOCATION.table.get((at, action))
        if after is None:
            with pytest.raises(InvalidTransition):
                LOCATION.apply(at, action)
        else:
            assert LOCATION.apply(at, action) == after
    path = f"{PLACES}/{store.room_id}"
    await store.tenant.put(path, {"status": "maintenance"})
    assert await heard_by(store.tenant, "PUT", path, {"status": "inactive"}) == (409, "INVALID_TRANSITION")
