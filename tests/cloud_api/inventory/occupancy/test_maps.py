"""How full warehouses are, and what it is like in their places."""

from cloud_api.kernel import clock
from tests.cloud_api.inventory.stock import hold
from tests.factories.batches import make_series, send
from tests.factories.farms import plant_store
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.scopes import heard_by, make_keeper
from tests.factories.stores import ColdStore, make_product, make_room, receive
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

PLACES = "/api/v1/warehouse/storage/locations"
WAREHOUSES = "/api/v1/warehouse/warehouses"
#: how full a place is
FULL = ("used_kg", "utilisation_pct", "places_within")
AREA = {"x_m": 1.5, "y_m": 2, "width_m": 4, "height_m": 3.25}


async def test_a_warehouse_says_how_full_it_is_as_a_whole_and_by_storage_class(store: ColdStore) -> None:
    path = f"{WAREHOUSES}/{store.warehouse_id}"
    await store.tenant.put(path, {"capacity_limit_kg": 1_000})
    await store.tenant.put(f"{PLACES}/{store.room_id}", {"capacity_kg": 400})
    rack = await make_room(store.tenant, store.warehouse_id, parent_id=store.room_id, capacity_kg=300)
    freezer = await make_room(store.tenant, store.warehouse_id, storage_type="freezer")
    boxes = await make_product(store.tenant, unit="box", unit_weight_g=2_500)
    await receive(store)
    await receive(store, location_id=rack, product_id=boxes, quantity="4")
    await receive(store, location_id=freezer, quantity="40")
    told = await store.tenant.get(path)
    assert (told["used_kg"], told["utilisation_pct"]) == (150.0, 15.0)
    assert {
        row["storage_type"]: (row["used_kg"], row["capacity_kg"], row["utilisation_pct"])
        for row in told["by_storage_type"]
    } == {
        "cold_storage": (110.0, 400.0, 27.5),
        "freezer": (40.0, None, None),
    }


async def test_a_place_says_how_full_it_is_with_all_that_lies_within_it(store: ColdStore) -> None:
    await store.tenant.put(f"{PLACES}/{store.room_id}", {"capacity_kg": 400})
    rack = await make_room(store.tenant, store.warehouse_id, parent_id=store.room_id)
    bins = [await make_room(store.tenant, store.warehouse_id, parent_id=rack) for _ in range(2)]
    await store.tenant.client.delete(f"{PLACES}/{bins[1]}")
    await receive(store, quantity="20")
    await receive(store, location_id=bins[0], quantity="80")
    listed = {row["id"]: row for row in await store.tenant.get(PLACES, fill=True)}
    told = {id: tuple(row[name] for name in FULL) for id, row in listed.items()}
    assert told == {store.room_id: (100.0, 25.0, 2), rack: (80.0, None, 1), bins[0]: (80.0, None, 0)}
    assert (await store.tenant.get(f"{PLACES}/{rack}", fill=True))["used_kg"] == 80.0
    assert (await store.tenant.get(f"{PLACES}/{rack}"))["used_kg"] is None


async def test_the_floor_plan_shows_places_with_what_lies_and_hangs_in_them(farm: Platform, store: ColdStore) -> None:
    limits = {"temperature_min_c": 2, "temperature_max_c": 6}
    await store.tenant.put(f"{PLACES}/{store.room_id}", {"map": AREA, "capacity_kg": 200, **limits})
    rack = await make_room(store.tenant, store.warehouse_id, parent_id=store.room_id, location_type="rack")
    drawn = await make_room(store.tenant, store.warehouse_id, map={**AREA, "x_m": 20})
    await receive(store, location_id=rack)
    path = f"{WAREHOUSES}/{store.warehouse_id}/map"
    for sequence, (value, climate) in enumerate(((4.0, "in_range"), (9.0, "out_of_range"))):
        heard = make_series([value], first_sequence=sequence + 1, start_ms=clock.now_ms() - 1_000)
        await send(farm, store, heard)
        areas = {area["id"]: area for area in (await store.tenant.get(path))["areas"]}
        room = areas[store.room_id]
        assert set(areas) == {store.room_id, drawn}
        assert (room["map"], room["used_kg"], room["utilisation_pct"]) == (AREA, 100.0, 50.0)
        assert [(one["sensor_id"], one["value"]) for one in room["sensors"]] == [(store.sensor_id, value)]
        assert (room["climate"], areas[drawn]["climate"]) == (climate, "unknown")
    assert room["on_hold"] is False
    await hold(farm, store, "excursion:1")
    assert {area["id"]: area["on_hold"] for area in (await store.tenant.get(path))["areas"]} == {
        store.room_id: True,
        drawn: False,
    }
    [listed] = [row for row in await store.tenant.get(PLACES) if row["id"] == store.room_id]
    assert (listed["temperature_c"], listed["humidity_pct"]) == (9.0, None)
    assert (await store.tenant.get(f"{PLACES}/{store.room_id}"))["temperature_c"] == 9.0


async def test_places_are_told_apart_by_whether_something_measures_in_them(farm: Platform, store: ColdStore) -> None:
    rack = await make_room(store.tenant, store.warehouse_id, parent_id=store.room_id, location_type="rack")
    await send(farm, store, make_series([4.0], start_ms=clock.now_ms() - 1_000))
    asked = {measured: await store.tenant.get(PLACES, measured=measured) for measured in ("true", "false")}
    assert [row["id"] for row in asked["true"]] == [store.room_id]
    assert rack in [row["id"] for row in asked["false"]]
    [whole] = asked["true"]
    [bare] = await store.tenant.get(PLACES, measured="true", climate="false")
    assert (whole["temperature_c"], bare["temperature_c"]) == (4.0, None)
    assert (await store.tenant.get(f"{PLACES}/{store.room_id}", climate="false")) == bare
    await store.tenant.client.delete(f"/api/v1/edge/sensors/{store.sensor_id}")
    assert await store.tenant.get(PLACES, measured="true") == []


async def test_what_is_drawn_has_an_extent_and_lies_on_the_plan(store: ColdStore) -> None:
    for wrong in ({"x_m": -1}, {"width_m": 0}, {"height_m": 10_001}, {"y_m": None}, {"z_m": 1}):
        body = {"map": {**AREA, **wrong}}
        assert await heard_by(store.tenant, "PUT", f"{PLACES}/{store.room_id}", body) == (422, "VALIDATION_FAILED")


async def test_who_is_confined_sees_the_plan_of_theirs_only(farm: Platform, store: ColdStore) -> None:
    other = await plant_store(farm)
    keeper = await make_keeper(farm, store.warehouse_id)
    assert await heard_by(keeper, "GET", f"{WAREHOUSES}/{store.warehouse_id}/map") == (200, "")
    for path in (f"{WAREHOUSES}/{other.warehouse_id}/map", f"{WAREHOUSES}/{other.warehouse_id}"):
        assert await heard_by(keeper, "GET", path) == (404, "NOT_FOUND")
    assert await heard_by(keeper, "DELETE", f"{PLACES}/{other.room_id}") == (404, "NOT_FOUND")
