"""A gateway's limits are those of the places its sensors are in; a version is made only when they change."""

import asyncio
from typing import Any

import pytest

from tests.factories.batches import make_reading, send
from tests.factories.farms import plant_gateway, plant_sensor
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.stores import ColdStore, make_cold_store, make_room, make_rule
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP


async def config(store: ColdStore, gateway_id: str | None = None) -> Any:
    return await store.tenant.get(f"/api/v1/edge/gateways/{gateway_id or store.gateway_id}/config")


async def test_a_rule_reaches_the_gateway_when_it_is_made_changed_and_disabled(
    farm: Platform, store: ColdStore
) -> None:
    empty = {"limits": [], "heartbeat_interval_s": 60, "gateway_id": "", "watches": [], "pauses": [], "outputs": []}
    assert await config(store) == {"version": 1, **empty}
    rule = await make_rule(store)
    told = await config(store)
    assert told["version"] == 2
    assert told["limits"] == [
        {
            "rule": rule["id"],
            "sensor": "z2m:cold-room-1",
            "quantity": "temperature",
            "kind": "high",
            "set_at": 8.0,
            "clear_at": 7.0,
            "duration_s": 600.0,
            "offset": 0.0,
            "holds": False,
            "latched": False,
            "gain": 1.0,
        }
    ]
    await store.tenant.put(f"/api/v1/alerts/rules/{rule['id']}", {"set_at": 9.0})
    told = await config(store)
    assert (told["version"], told["limits"][0]["set_at"], told["limits"][0]["clear_at"]) == (3, 9.0, 7.0)
    await store.tenant.put(f"/api/v1/alerts/rules/{rule['id']}", {"enabled": False})
    assert await config(store) == {"version": 4, **empty}


async def test_what_changes_no_limit_makes_no_version(farm: Platform, store: ColdStore) -> None:
    rule = await make_rule(store)
    await store.tenant.put(f"/api/v1/alerts/rules/{rule['id']}", {"severity": "info", "set_at": 8.0, "name": "Renamed"})
    elsewhere = await make_room(store.tenant, store.warehouse_id)
    await make_rule(store, location_id=elsewhere)
    await make_rule(store, quantity="humidity", set_at=90, clear_at=85)
    assert (await config(store))["version"] == 2


async def test_the_rule_of_a_place_is_that_of_the_places_inside_it(farm: Platform, store: ColdStore) -> None:
    rack = await make_room(
        store.tenant, store.warehouse_id, parent_id=store.room_id, location_type="rack", code="RACK-1"
    )
    gateway_id, _ = await plant_gateway(farm, store.tenant)
    await plant_sensor(farm, store.tenant, gateway_id, location_id=rack)
    await make_rule(store)
    await make_rule(store, location_id=rack, set_at=5, clear_at=4)
    assert [limit["set_at"] for limit in (await config(store, gateway_id))["limits"]] == [8.0, 5.0]
    assert [limit["set_at"] for limit in (await config(store))["limits"]] == [8.0]


async def test_two_rules_made_at_the_same_moment_both_reach_the_gateway(farm: Platform, store: ColdStore) -> None:
    await asyncio.gather(*(make_rule(store, set_at=float(limit), clear_at=1.0) for limit in range(4, 10)))
    told = await config(store)
    assert sorted(limit["set_at"] for limit in told["limits"]) == [4.0, 5.0, 6.0, 7.0, 8.0, 9.0]
    assert told["version"] == 7


@pytest.mark.asyncio(loop_scope="function")
async def test_a_sensor_that_is_given_a_place_has_its_limits_once_the_event_is_delivered(platform: Platform) -> None:
    store = await make_cold_store(platform)
    await make_rule(store)
    cellar = await make_room(store.tenant, store.warehouse_id)
    await send(platform, store, [make_reading(1, sensor="z2m:new")])
    [new] = [row for row in await store.tenant.get("/api/v1/edge/sensors") if row["code"] == "z2m:new"]
    assert new["location_id"] is None
    await platform.deliver()
    version = (await config(store))["version"]
    for change, sensors in (
        ({"location_id": store.room_id}, ["z2m:cold-room-1", "z2m:new"]),
        ({"location_id": cellar}, ["z2m:cold-room-1"]),
        ({"location_id": store.room_id, "offset": -0.5}, ["z2m:cold-room-1", "z2m:new"]),
        ({"location_id": None}, ["z2m:cold-room-1"]),
    ):
        await store.tenant.put(f"/api/v1/edge/sensors/{new['id']}", change)
        await platform.deliver()
        told = await config(store)
        version += 1
        assert (told["version"], [limit["sensor"] for limit in told["limits"]]) == (version, sensors)
    await store.tenant.put(f"/api/v1/edge/sensors/{store.sensor_id}", {"offset": -0.5})
    await platform.deliver()
    assert [limit["offset"] for limit in (await config(store))["limits"]] == [-0.5]
    async with platform.client(store.gateway_token) as gateway:
        told = await gateway.get(f"/api/v1/edge/gateways/{store.gateway_id}/config")
    assert told.json()["data"] == {**await config(store), "gateway_id": store.gateway_id}


async def test_a_sensor_is_registered_once_and_at_what_is_there(farm: Platform, store: ColdStore) -> None:
    body = {"gateway_id": store.gateway_id, "code": "z2m:cold-room-1", "quantity": "temperature", "unit": "Cel"}
    nowhere = "00000000-0000-7000-8000-000000000000"
    for change, status in (({}, 409), ({"gateway_id": nowhere}, 404), ({"code": "z2m:2", "location_id": nowhere}, 404)):
        answer = await store.tenant.client.post("/api/v1/edge/sensors", json={**body, **change})
        assert answer.status_code == status, change
