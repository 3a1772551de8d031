"""Readers and scales are what speaks for them, and what people know of them beside; sensors are found among many."""

from typing import Any

from cloud_api.kernel import clock
from tests.cloud_api.devices.things import facts_version
from tests.factories.batches import make_series, send
from tests.factories.farms import make_person, plant_gateway, plant_sensor
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.scopes import make_keeper
from tests.factories.stores import ColdStore, make_room, make_warehouse
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

READERS, SCALES, SENSORS = (f"/api/v1/edge/{kind}" for kind in ("readers", "scales", "sensors"))
SCALE = {"name": "Platform at dock 1", "capacity_kg": 600.0, "division_kg": 0.2, "tare_kg": 15.0}


async def hear(farm: Platform, store: ColdStore, *, reader: str = "zebra:dock-1", scale: str = "scale:dock-1") -> None:
    tag = {"sequence": 1, "reader": reader, "epc": "30340000000000000000000A", "recorded_at_ms": clock.now_ms()}
    await send(farm, store, [tag], lane="tags")
    weighing = {"scale": scale, "weight_kg": 12.5, "state": "stable", "unit": "kg", "recorded_at_ms": clock.now_ms()}
    await send(farm, store, [{"sequence": 1, **weighing}], lane="weights")


async def listed(store: ColdStore, path: str, **wanted: object) -> list[tuple[str, bool]]:
    return [(row["code"], row["registered"]) for row in await store.tenant.get(path, **wanted)]


async def test_what_is_heard_and_not_registered_is_shown_as_such(farm: Platform, store: ColdStore) -> None:
    await hear(farm, store)
    assert await listed(store, READERS) == [("zebra:dock-1", False)]
    assert await listed(store, SCALES) == [("scale:dock-1", False)]
    [reader], [scale] = await store.tenant.get(READERS), await store.tenant.get(SCALES)
    await store.tenant.put(f"{READERS}/{reader['id']}", {"name": "Dock 1"})
    await store.tenant.put(f"{SCALES}/{scale['id']}", SCALE)
    assert await listed(store, READERS, registered=True) == [("zebra:dock-1", True)]
    assert await listed(store, SCALES, registered=False) == []


async def test_a_reader_has_antennas_that_look_at_places(farm: Platform, store: ColdStore) -> None:
    dock = await make_room(store.tenant, store.warehouse_id)
    gate = {"direction": "both", "portal": True, "location_id": store.room_id}
    antennas = [
        {"number": 1, "direction": "in", "location_id": store.room_id},
        {"number": 2, "direction": "out", "location_id": dock},
    ]
    who = {"gateway_id": store.gateway_id, "code": "zebra:gate"}
    made = await store.tenant.post(READERS, {**who, "name": "Gate", **gate, "antennas": antennas})
    assert {name: made[name] for name in gate} == gate
    assert (made["antennas"], made["registered"], made["status"]) == (antennas, True, "active")
    path = f"{READERS}/{made['id']}"
    assert await store.tenant.get(path) == made
    changed = await store.tenant.put(path, {"name": "Gate", "portal": True, "antennas": antennas[1:]})
    assert (changed["antennas"], changed["location_id"]) == (antennas[1:], store.room_id)
    moved = await store.tenant.put(path, {"name": "Gate", "location_id": dock})
    assert (moved["antennas"], moved["portal"], moved["location_id"]) == ([], False, dock)
    places = await store.tenant.get(f"{SENSORS}/{made['id']}/placements")
    assert [row["location_id"] for row in places] == [dock, store.room_id]


async def test_registering_what_was_heard_takes_it_over(farm: Platform, store: ColdStore) -> None:
    await hear(farm, store)
    [heard] = await store.tenant.get(SCALES)
    who = {"gateway_id": store.gateway_id, "code": "scale:dock-1", "location_id": store.room_id}
    counted = await facts_version(farm, store)
    made = await store.tenant.post(SCALES, {**who, **SCALE})
    assert (made["id"], made["location_id"], made["unit"]) == (heard["id"], store.room_id, "kg")
    assert {name: made[name] for name in SCALE} == SCALE
    assert await facts_version(farm, store) > counted
    again = await store.tenant.client.post(SCALES, json={**who, **SCALE})
    assert (again.status_code, again.json()["error"]["code"]) == (409, "ALREADY_EXISTS")
    assert (await store.tenant.post(f"{SCALES}/{made['id']}/tare"))["target"] == "scale:dock-1"


async def test_a_retired_one_is_known_on_and_comes_back(farm: Platform, store: ColdStore) -> None:
    who = {"gateway_id": store.gateway_id, "code": "scale:old"}
    path = f"{SCALES}/{(await store.tenant.post(SCALES, {**who, **SCALE}))['id']}"
    for _ in range(2):
        assert (await store.tenant.client.delete(path)).status_code == 204
    assert (await store.tenant.get(path))["status"] == "retired"
    assert (await store.tenant.client.post(f"{path}/tare")).status_code == 404
    assert (await store.tenant.put(path, {**SCALE, "status": "active", "unit": "lb"}))["status"] == "active"


async def test_what_cannot_be_is_refused(farm: Platform, store: ColdStore) -> None:
    who = {"gateway_id": store.gateway_id, "code": "x:1"}
    bodies: list[tuple[str, dict[str, Any]]] = [
        (SCALES, {**SCALE, "capacity_kg": 0}),
        (SCALES, {**SCALE, "division_kg": 601.0}),
        (SCALES, {**SCALE, "tare_kg": -1.0}),
        (SCALES, {**SCALE, "unit": "stone"}),
        (READERS, {"name": "Gate", "direction": "up"}),
        (READERS, {"name": "Gate", "antennas": [{"number": 0}]}),
        (READERS, {"name": "Gate", "antennas": [{"number": 1}, {"number": 1}]}),
    ]
    for path, body in bodies:
        assert (await store.tenant.client.post(path, json={**who, **body})).status_code == 422, body
    nowhere = {"name": "Gate", "antennas": [{"number": 1, "location_id": store.gateway_id}]}
    assert (await store.tenant.client.post(READERS, json={**who, **nowhere})).status_code == 404
    for path in (READERS, SCALES):
        assert (await store.tenant.client.get(f"{path}/{store.sensor_id}")).status_code == 404
        assert await store.tenant.get(path) == []


async def test_who_is_confined_sees_and_changes_what_is_there(farm: Platform, store: ColdStore) -> None:
    elsewhere = await make_keeper(farm, await make_warehouse(farm.tenant))
    who = {"gateway_id": store.gateway_id, "code": "scale:dock", "location_id": store.room_id}
    made = await store.tenant.post(SCALES, {**who, **SCALE})
    assert await elsewhere.get(SCALES) == []
    assert (await elsewhere.client.put(f"{SCALES}/{made['id']}", json=SCALE)).status_code == 404
    viewer = await make_person(farm, farm.tenant, "viewer")
    assert len(await viewer.get(SCALES)) == 1
    assert (await viewer.client.put(f"{SCALES}/{made['id']}", json=SCALE)).status_code == 403


async def codes(store: ColdStore, **wanted: object) -> set[str]:
    return {f"{row['code']} {row['quantity']}" for row in await store.tenant.get(SENSORS, **wanted)}


async def test_sensors_are_found_by_where_they_hang_and_what_they_are(farm: Platform, store: ColdStore) -> None:
    rack = await make_room(store.tenant, store.warehouse_id, location_type="rack", parent_id=store.room_id)
    other_box, _ = await plant_gateway(farm, store.tenant)
    await plant_sensor(farm, store.tenant, store.gateway_id, location_id=rack, code="z2m:Rack_1", quantity="humidity")
    await plant_sensor(farm, store.tenant, other_box, location_id=None, code="z2m:new")
    cold, racked, new = "z2m:cold-room-1 temperature", "z2m:Rack_1 humidity", "z2m:new temperature"
    assert await codes(store) == {cold, racked, new}
    for wanted, found in (
        ({"unplaced": True}, {new}),
        ({"unplaced": False}, {cold, racked}),
        ({"gateway_id": other_box}, {new}),
        ({"location_id": store.room_id}, {cold, racked}),
        ({"location_id": rack}, {racked}),
        ({"quantity": "humidity"}, {racked}),
        ({"code": "rack_"}, {racked}),
        ({"code": "%"}, set()),
        ({"status": "retired"}, set()),
        ({"status": "active", "quantity": "temperature", "unplaced": False}, {cold}),
    ):
        assert await codes(store, **wanted) == found, wanted
    await store.tenant.client.delete(f"{SENSORS}/{store.sensor_id}")
    assert await codes(store, status="retired") == {cold}
    assert (await store.tenant.client.get(SENSORS, params={"status": "lost"})).status_code == 422


async def test_a_sensor_says_how_often_it_should_be_heard(farm: Platform, store: ColdStore) -> None:
    await send(farm, store, make_series([4.0]))
    path = f"{SENSORS}/{store.sensor_id}"
    assert (await store.tenant.put(path, {"interval_s": 900}))["interval_s"] == 900
    assert (await store.tenant.put(path, {"interval_s": None}))["interval_s"] is None
    assert (await store.tenant.client.put(path, json={"interval_s": 0})).status_code == 422
