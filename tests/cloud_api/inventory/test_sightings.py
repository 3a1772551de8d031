"""What RFID readers saw and what scales showed, kept by inventory's judge."""

from typing import Any

from cloud_api.kernel import clock
from tests.factories.stores import ColdStore, make_cold_store
from tests.platform_under_test import Platform

EPOCH = "fedcba9876543210fedcba9876543210"
EPC = "3034257BF7194E4000001A85"


def tag(sequence: int, **fields: Any) -> dict[str, Any]:
    row = {"sequence": sequence, "reader": "zebra:dock-1", "epc": EPC, "recorded_at_ms": clock.now_ms()}
    return {**row, "antenna": 2, "rssi_dbm": -51.5, **fields}


def weighing(sequence: int, **fields: Any) -> dict[str, Any]:
    row = {"sequence": sequence, "scale": "scale:dock-1", "weight_kg": 12.345, "state": "stable", "unit": "kg"}
    return {**row, "recorded_at_ms": clock.now_ms(), **fields}


async def send(platform: Platform, store: ColdStore, lane: str, *rows: dict[str, Any]) -> Any:
    batch = {"version": 1, "epoch": EPOCH, "lane": lane, lane: list(rows)}
    async with platform.client(store.gateway_token) as gateway:
        answer = await gateway.post("/api/v1/telemetry/readings", json=batch)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def test_a_tag_seen_twice_is_two_sightings_and_sent_twice_it_is_one(platform: Platform) -> None:
    store = await make_cold_store(platform)

    first = await send(platform, store, "tags", tag(1), tag(2))
    again = await send(platform, store, "tags", tag(1), tag(2), tag(3, epc=EPC[:-2] + "86"))

    assert (first["accepted"], again["accepted"], again["duplicates"]) == (2, 1, 2)
    seen = await store.tenant.get("/api/v1/telemetry/rfid-reads", epc=EPC.lower())
    assert [(sighting["epc"], sighting["antenna"]) for sighting in seen] == [(EPC, 2), (EPC, 2)]


async def test_a_reader_that_was_given_a_place_tells_where_it_saw_the_tag(platform: Platform) -> None:
    store = await make_cold_store(platform)
    await send(platform, store, "tags", tag(1))
    [reader] = [sensor for sensor in await store.tenant.get("/api/v1/edge/sensors") if sensor["quantity"] == "tag"]
    await store.tenant.put(f"/api/v1/edge/sensors/{reader['id']}", {"location_id": store.room_id})

    await send(platform, store, "tags", tag(2))

    places = [sighting["location_id"] for sighting in await store.tenant.get("/api/v1/telemetry/rfid-reads")]
    assert sorted(places, key=str) == sorted([None, store.room_id], key=str)


async def test_only_a_scale_that_stands_still_has_a_weight(platform: Platform) -> None:
    store = await make_cold_store(platform)
    over = weighing(3, weight_kg=None, state="overload", quality="bad")

    answer = await send(platform, store, "weights", weighing(1), weighing(2, state="dynamic"), over)

    assert (answer["accepted"], answer["refused"]) == (3, [])
    [kept] = await store.tenant.get("/api/v1/telemetry/weights")
    assert kept["weight_g"] == 12345


async def test_a_tag_or_weight_that_cannot_be_is_refused_by_name_beside_its_neighbours(platform: Platform) -> None:
    store = await make_cold_store(platform)

    too_heavy = weighing(2, weight_kg=1e9)
    tags = await send(platform, store, "tags", tag(1, epc="nonsense"), tag(2))
    weights = await send(platform, store, "weights", weighing(1, weight_kg=None), too_heavy, weighing(3))

    assert [(row["row"], row["field"]) for row in tags["refused"]] == [(0, "epc")]
    assert [(row["row"], row["field"]) for row in weights["refused"]] == [(0, "weight_kg"), (1, "weight_kg")]
    assert (tags["accepted"], weights["accepted"]) == (1, 1)
