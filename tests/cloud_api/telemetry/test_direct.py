"""Programs that are no gateway send readings too: of registered sensors, each request by its own key."""

import uuid
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from sqlalchemy import select

from cloud_api.devices.models import Gateway
from cloud_api.kernel import clock
from cloud_api.kernel.tenancy import OrganizationScope
from cloud_api.telemetry.models import SensorReading
from tests.factories.batches import make_series, send
from tests.factories.farms import make_farm, make_person, plant_sensor, plant_store
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.stores import ColdStore
from tests.platform_under_test import Platform, Tenant

pytestmark = IN_ONE_LOOP

PATH = "/api/v1/telemetry/readings"


def reading(sensor_id: str, value: object = 4.0, **fields: object) -> dict[str, object]:
    return {"sensor_id": sensor_id, "value": value, "unit": "Cel", "recorded_at": "2026-01-31T08:00:00Z", **fields}


async def program(farm: Platform, store: ColdStore) -> Tenant:
    """Somebody who may."""
    return await make_person(farm, store.tenant, "super_admin")


async def put(sender: Tenant, *readings: object, key: str = "") -> httpx2.Response:
    headers = {"Idempotency-Key": key or uuid.uuid4().hex}
    return await sender.client.post(PATH, json={"readings": readings}, headers=headers)


async def values(farm: Platform, scope: OrganizationScope, sensor_id: str) -> list[float]:
    async with farm.database.unit_of_work(scope, read_only=True) as db:
        its = select(SensorReading.value).where(SensorReading.sensor_id == uuid.UUID(sensor_id))
        return list(await db.scalars(its.order_by(SensorReading.recorded_at_ms, SensorReading.sequence)))


def said(answer: httpx2.Response) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def test_readings_are_stored_beside_those_of_the_gateway(farm: Platform, store: ColdStore) -> None:
    await send(farm, store, make_series([1.0]))
    sender = await program(farm, store)
    answer = said(await put(sender, reading(store.sensor_id, 2.0), reading(store.sensor_id, 3.0)))
    assert answer == {"accepted": 2, "refused": []}
    await send(farm, store, make_series([1.0, 4.0]))
    assert await values(farm, store.tenant.organization, store.sensor_id) == [1.0, 2.0, 3.0, 4.0]
    lanes = {row["lane"]: row for row in await store.tenant.get("/api/v1/telemetry/stats")}
    assert (lanes["direct"]["acked_through"], lanes["direct"]["accepted"]) == (2, 2)
    assert lanes["readings"]["accepted"] == 2


async def test_the_same_key_is_answered_the_same_and_stored_once(farm: Platform, store: ColdStore) -> None:
    sender = await program(farm, store)
    first, again = [await put(sender, reading(store.sensor_id), key="k-1") for _ in range(2)]
    assert said(first) == said(again) == {"accepted": 1, "refused": []}
    assert again.headers["Idempotency-Replayed"] == "true"
    other = await put(sender, reading(store.sensor_id, 5.0), key="k-1")
    assert (other.status_code, other.json()["error"]["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")
    assert await values(farm, store.tenant.organization, store.sensor_id) == [4.0]


async def test_without_a_key_nothing_is_stored_and_the_header_is_named(farm: Platform, store: ColdStore) -> None:
    sender = await program(farm, store)
    answer = await sender.client.post(PATH, json={"readings": [reading(store.sensor_id)]})
    [detail] = answer.json()["error"]["details"]
    assert (answer.status_code, detail["field"]) == (400, "Idempotency-Key")
    assert await values(farm, store.tenant.organization, store.sensor_id) == []


async def test_what_cannot_be_taken_is_named_row_by_row_and_its_neighbours_are_stored(
    farm: Platform, store: ColdStore
) -> None:
    foreign = await plant_store(farm, await make_farm(farm))
    sender, ahead = await program(farm, store), (clock.now() + timedelta(minutes=11)).isoformat()
    bad: list[tuple[object, str, str]] = [
        (reading(foreign.sensor_id), "UNKNOWN_SENSOR", "sensor_id"),
        (reading(str(uuid.uuid4())), "UNKNOWN_SENSOR", "sensor_id"),
        (reading("cold-room-1"), "INVALID_ROW", "sensor_id"),
        (reading(store.sensor_id, unit="%"), "WRONG_UNIT", "unit"),
        (reading(store.sensor_id, value=None), "INVALID_ROW", "value"),
        (reading(store.sensor_id, value="cold"), "INVALID_ROW", "value"),
        (reading(store.sensor_id, recorded_at=ahead), "TIME_AHEAD", "recorded_at"),
        (reading(store.sensor_id, recorded_at="2026-01-31T08:00:00"), "INVALID_ROW", "recorded_at"),
        (reading(store.sensor_id, recorded_at="yesterday"), "INVALID_ROW", "recorded_at"),
        (reading(store.sensor_id, surplus=1), "INVALID_ROW", "body"),
        (5, "INVALID_ROW", "body"),
    ]
    rows: list[object] = [reading(store.sensor_id, 1.0)]
    for row, _, _ in bad:
        rows += [row, reading(store.sensor_id, 1.0)]
    answer = said(await put(sender, *rows))
    assert [(one["row"], one["code"], one["field"]) for one in answer["refused"]] == [
        (2 * index + 1, code, field) for index, (_, code, field) in enumerate(bad)
    ]
    assert answer["accepted"] == len(bad) + 1
    assert await values(farm, store.tenant.organization, store.sensor_id) == [1.0] * (len(bad) + 1)
    assert await values(farm, foreign.tenant.organization, foreign.sensor_id) == []


async def test_sensors_of_several_gateways_may_come_together(farm: Platform, store: ColdStore) -> None:
    other = await plant_store(farm)
    humidity = await plant_sensor(farm, farm.tenant, other.gateway_id, location_id=None, quantity="humidity")
    sender = await program(farm, store)
    rows = [reading(sensor_id, float(number)) for number, sensor_id in enumerate([store.sensor_id, humidity] * 3)]
    assert said(await put(sender, *rows)) == {"accepted": 6, "refused": []}
    assert await values(farm, farm.tenant.organization, humidity) == [1.0, 3.0, 5.0]


@pytest.mark.parametrize("body", [{"readings": []}, {"readings": 5}, {"rows": []}, {"version": 1}])
async def test_what_makes_no_sense_as_a_whole_is_refused_as_a_whole(
    farm: Platform, store: ColdStore, body: dict[str, object]
) -> None:
    sender = await program(farm, store)
    answer = await sender.client.post(PATH, json=body, headers={"Idempotency-Key": uuid.uuid4().hex})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "INVALID")


async def test_nobody_is_heard_of_because_a_program_speaks_for_him(farm: Platform, store: ColdStore) -> None:
    sender = await program(farm, store)
    said(await put(sender, reading(store.sensor_id)))
    async with farm.database.unit_of_work(store.tenant.organization, read_only=True) as db:
        gateway = await db.get_one(Gateway, uuid.UUID(store.gateway_id))
    assert (gateway.last_seen_at, gateway.batches) == (None, 1)
