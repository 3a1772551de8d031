"""Batches come twice, overlap, come at once, from spools old and new: each row is stored once."""

import asyncio
import gzip
import json
import uuid
from dataclasses import replace

import pytest
from sqlalchemy import func, select, update

from cloud_api.devices.models import Gateway
from cloud_api.kernel.tenancy import SystemScope
from cloud_api.telemetry.intake import ingest
from cloud_api.telemetry.models import LaneCursor, SensorSeries
from cloud_api.telemetry.stores.sql import SqlStore
from gateway.contract import BatchAnswer
from tests.factories.batches import (
    EIGHT_OCLOCK_MS,
    make_batch,
    make_epoch,
    make_reading,
    make_series,
    post,
    send,
    stored_rows,
)
from tests.factories.farms import make_person, plant_gateway, plant_store
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.stores import ColdStore
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP


def counts(answer: dict[str, object]) -> tuple[object, object, object, object]:
    refused = answer["refused"]
    assert isinstance(refused, list)
    return answer["acked_through"], answer["accepted"], answer["duplicates"], len(refused)


async def test_a_batch_sent_again_is_stored_once(farm: Platform, store: ColdStore) -> None:
    rows = make_series([4.0, 4.5, 5.0])
    assert counts(await send(farm, store, rows)) == (3, 3, 0, 0)
    assert counts(await send(farm, store, rows)) == (3, 0, 3, 0)
    assert await stored_rows(farm, store) == [(1, EIGHT_OCLOCK_MS, 4.0)] + [
        (row["sequence"], row["recorded_at_ms"], row["value"]) for row in rows[1:]
    ]


async def test_of_a_batch_that_overlaps_only_the_new_rows_are_stored(farm: Platform, store: ColdStore) -> None:
    rows = make_series(range(10))
    assert counts(await send(farm, store, rows[:6])) == (6, 6, 0, 0)
    assert counts(await send(farm, store, rows[3:9])) == (9, 3, 3, 0)
    assert counts(await send(farm, store, rows)) == (10, 1, 9, 0)
    assert [value for _, _, value in await stored_rows(farm, store)] == list(range(10))


async def test_a_batch_whose_sequences_do_not_rise_loses_no_row(farm: Platform, store: ColdStore) -> None:
    first, second, third = make_series([1.0, 2.0, 3.0])
    assert counts(await send(farm, store, [third, first, second, first])) == (3, 3, 1, 0)
    assert [value for _, _, value in await stored_rows(farm, store)] == [1.0, 2.0, 3.0]


async def test_sequences_may_have_holes(farm: Platform, store: ColdStore) -> None:
    assert counts(await send(farm, store, [make_reading(3), make_reading(17)])) == (17, 2, 0, 0)
    answer = await send(farm, store, [make_reading(5), make_reading(18)])
    assert counts(answer) == (18, 1, 0, 1)  # settled, and never stored: not a duplicate, and not silently lost
    assert [(refusal["sequence"], refusal["code"]) for refusal in answer["refused"]] == [(5, "CONFLICT")]


async def test_overlapping_batches_at_the_same_moment_store_each_row_once(farm: Platform, store: ColdStore) -> None:
    rows = make_series(range(200), every_s=1)
    answers = await asyncio.gather(*(send(farm, store, rows[:length]) for length in range(25, 201, 25)))
    assert sum(answer["accepted"] for answer in answers) == 200
    assert sum(answer["accepted"] + answer["duplicates"] for answer in answers) == sum(range(25, 201, 25))
    assert [sequence for sequence, _, _ in await stored_rows(farm, store)] == list(range(1, 201))
    [lane] = await store.tenant.get("/api/v1/telemetry/stats")
    assert (lane["acked_through"], lane["accepted"], lane["duplicates"]) == (200, 200, sum(range(25, 200, 25)))


async def test_a_fresh_spool_begins_anew_at_the_same_instants(farm: Platform, store: ColdStore) -> None:
    before, after = make_epoch(), make_epoch()
    assert counts(await send(farm, store, make_series([4.0, 5.0]), epoch=before)) == (2, 2, 0, 0)
    assert counts(await send(farm, store, make_series([6.0, 7.0]), epoch=after)) == (2, 2, 0, 0)
    assert counts(await send(farm, store, make_series([4.0, 5.0]), epoch=before)) == (2, 0, 2, 0)
    assert [value for _, _, value in await stored_rows(farm, store, epoch=before)] == [4.0, 5.0]
    assert [value for _, _, value in await stored_rows(farm, store, epoch=after)] == [6.0, 7.0]


async def test_lanes_and_gateways_count_for_themselves(farm: Platform, store: ColdStore) -> None:
    neighbour = await plant_store(farm)
    alarm = {
        **{name: make_reading(1)[name] for name in ("sequence", "sensor", "quantity", "value", "recorded_at_ms")},
        "rule": "nobody's",
        "kind": "high",
        "event": "raised",
        "incident": uuid.uuid4().hex,
        "started_at_ms": EIGHT_OCLOCK_MS,
    }
    for sender, rows, lane in (
        (store, make_series([4.0] * 3), "readings"),
        (store, [alarm], "alarms"),
        (neighbour, make_series([4.0] * 2), "readings"),
    ):
        assert counts(await send(farm, sender, rows, lane=lane)) == (len(rows), len(rows), 0, 0)
    lanes = await store.tenant.get("/api/v1/telemetry/stats")
    assert sorted((lane["gateway_id"] == store.gateway_id, lane["lane"], lane["acked_through"]) for lane in lanes) == [
        (False, "readings", 2),
        (True, "alarms", 1),
        (True, "readings", 3),
    ]


async def test_a_packed_batch_is_unpacked(farm: Platform, store: ColdStore) -> None:
    body = gzip.compress(json.dumps(make_batch(make_series([4.0] * 3))).encode())
    async with farm.client(store.gateway_token) as gateway:
        packed = {"Content-Encoding": "gzip"}
        answer = await gateway.post("/api/v1/telemetry/readings", content=body, headers=packed)
        assert answer.json()["data"]["accepted"] == 3
        broken = await gateway.post("/api/v1/telemetry/readings", content=body[:-9], headers=packed)
    assert (broken.status_code, broken.json()["error"]["code"]) == (422, "INVALID")


async def test_a_batch_that_is_wrong_as_a_whole_is_refused_and_leaves_nothing(farm: Platform, store: ColdStore) -> None:
    good = make_batch(make_series([4.0] * 2))
    wrong: list[tuple[str, dict[str, object]]] = [
        ("version", {"version": 0}),
        ("version", {"version": 3}),
        ("epoch", {"epoch": "short"}),
        ("epoch", {"epoch": "G" * 32}),
        ("lane", {"lane": "tags"}),
        ("lane", {"lane": "alarms"}),
        ("readings", {"readings": []}),
        ("readings", {"readings": make_series([4.0] * 2001)}),
        ("readings", {"readings": 5}),
        ("body", {"surplus": True}),
    ]
    for field, change in wrong:
        answer = await post(farm, store, {**good, **change})
        assert (answer.status_code, answer.json()["error"]["details"][0]["field"]) == (422, field)
    for body in (b"", b"{", b"[]", b'{"version": NaN}', b"\xff\xfe", b"[" * 100_000):
        answer = await post(farm, store, body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "INVALID"), body[:20]
    assert await stored_rows(farm, store) == []
    assert await store.tenant.get("/api/v1/telemetry/stats") == []
    assert await store.tenant.get("/api/v1/telemetry/dead-letters") == []


@pytest.mark.parametrize("role", ["org_admin", "warehouse_manager"])
async def test_people_without_the_right_send_no_readings(farm: Platform, store: ColdStore, role: str) -> None:
    person = await make_person(farm, store.tenant, role)
    answer = await person.client.post("/api/v1/telemetry/readings", json=make_batch(make_series([4.0])))
    assert answer.status_code == 403
    assert len(answer.json()["error"]["message"].split()) > 5
    assert await stored_rows(farm, store) == []


async def test_a_gateway_that_is_unknown_or_out_of_service_is_told_so(farm: Platform, store: ColdStore) -> None:
    strangers = [
        store.gateway_token[:-1] + ("0" if store.gateway_token[-1] != "0" else "1"),
        f"gateway.{uuid.uuid4()}.{'0' * 64}",
        "gateway.nobody.0",
    ]
    for token in strangers:
        answer = await post(farm, replace(store, gateway_token=token), make_batch(make_series([4.0])))
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "GATEWAY_UNKNOWN")
    async with farm.database.unit_of_work(store.tenant.organization) as db:
        await db.execute(
            update(Gateway).where(Gateway.id == uuid.UUID(store.gateway_id)).values(status="decommissioned")
        )
    answer = await post(farm, store, make_batch(make_series([4.0])))
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "GATEWAY_UNKNOWN")


async def test_a_gateway_knows_only_so_many_sensors(farm: Platform, store: ColdStore) -> None:
    async def take_in(*rows: dict[str, object]) -> BatchAnswer:
        async with farm.database.unit_of_work(store.tenant.organization) as db:
            body = json.dumps(make_batch(rows)).encode()
            gateway_id = uuid.UUID(store.gateway_id)
            return await ingest.take_in(
                db, gateway_id=gateway_id, body=body, judges=(), store=SqlStore(), max_sensors=2
            )

    unreadable = {**make_reading(2), "value": None}
    answer = await take_in(
        make_reading(1), unreadable, make_reading(3, sensor="z2m:a"), make_reading(4, sensor="z2m:b"), make_reading(5)
    )
    assert (answer.acked_through, answer.accepted) == (5, 3)
    assert [(refusal.row, refusal.sequence, refusal.code) for refusal in answer.refused] == [
        (1, 2, "INVALID_ROW"),
        (3, 4, "TOO_MANY_SENSORS"),
    ]
    assert [sequence for sequence, _, _ in await stored_rows(farm, store)] == [1, 3, 5]
    letters = await store.tenant.get("/api/v1/telemetry/dead-letters")
    assert {json.loads(letter["raw"])["sensor"] for letter in letters} == {"z2m:b", "z2m:cold-room-1"}
    async with farm.database.unit_of_work(store.tenant.organization) as db:
        over_the_limit = await ingest.take_in(
            db,
            gateway_id=uuid.UUID(store.gateway_id),
            body=json.dumps(
                make_batch([make_reading(6), make_reading(7, sensor="z2m:c"), make_reading(8, sensor="z2m:d")])
            ).encode(),
            judges=(),
            store=SqlStore(),
            max_sensors=1,
        )
    assert (over_the_limit.accepted, [refusal.row for refusal in over_the_limit.refused]) == (1, [1, 2])


async def test_what_a_known_device_measures_besides_has_the_devices_place(farm: Platform, store: ColdStore) -> None:
    rows = [make_reading(1, 71.0, quantity="humidity", unit="%"), make_reading(2, sensor="z2m:never-heard-of")]
    assert counts(await send(farm, store, rows)) == (2, 2, 0, 0)
    sensors = {(row["code"], row["quantity"]): row for row in await store.tenant.get("/api/v1/edge/sensors")}
    assert sensors["z2m:cold-room-1", "humidity"]["location_id"] == store.room_id
    assert sensors["z2m:cold-room-1", "humidity"]["unit"] == "%"
    assert sensors["z2m:never-heard-of", "temperature"]["location_id"] is None


async def test_series_have_numbers_of_their_own_when_many_begin_at_once(farm: Platform, store: ColdStore) -> None:
    gateways = [await plant_gateway(farm, store.tenant) for _ in range(6)]
    rows = [make_reading(sequence, sensor=f"z2m:{sequence}") for sequence in range(1, 6)]
    senders = [replace(store, gateway_id=gateway_id, gateway_token=token) for gateway_id, token in gateways]
    answers = await asyncio.gather(*(send(farm, sender, rows) for sender in senders))
    assert [answer["accepted"] for answer in answers] == [5] * 6
    async with farm.database.unit_of_work(store.tenant.organization, read_only=True) as db:
        assert await db.scalar(select(func.count()).select_from(SensorSeries)) == 30
    async with farm.database.unit_of_work(SystemScope("test"), read_only=True) as db:
        numbers = (await db.scalars(select(SensorSeries.number))).all()
    assert len(numbers) == len(set(numbers))


async def test_lanes_of_a_gateway_have_numbers_of_their_own_when_they_begin_at_once(
    farm: Platform, store: ColdStore
) -> None:
    await asyncio.gather(*(send(farm, store, make_series([4.0]), epoch=make_epoch()) for _ in range(6)))
    async with farm.database.unit_of_work(store.tenant.organization, read_only=True) as db:
        assert sorted(await db.scalars(select(LaneCursor.number))) == [1, 2, 3, 4, 5, 6]
