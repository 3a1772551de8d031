"""Where a sensor was: a reading belongs to the place where the sensor was then."""

import asyncio
import itertools
import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.devices.events import SensorPlaced
from cloud_api.devices.models import Sensor
from cloud_api.devices.sensors import history
from cloud_api.kernel import clock
from tests.cloud_api.devices.things import emitted, facts_version, known
from tests.factories.batches import EIGHT_OCLOCK_MS, make_reading, make_series, send
from tests.factories.farms import make_farm, plant_sensor, plant_store
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.stores import ColdStore, make_room
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

HOUR_MS = 3_600_000


def iso(at_ms: int) -> str:
    return clock.from_ms(at_ms).isoformat()


async def move(store: ColdStore, location_id: str | None, **fields: object) -> Any:
    body = {"location_id": location_id, **fields}
    return await store.tenant.put(f"/api/v1/edge/sensors/{store.sensor_id}", body)


async def placements(store: ColdStore) -> list[tuple[str | None, str | None]]:
    """(since, place), the latest first."""
    rows = await store.tenant.get(f"/api/v1/edge/sensors/{store.sensor_id}/placements")
    return [(row["since"] and row["since"].replace("Z", "+00:00"), row["location_id"]) for row in rows]


async def test_a_new_sensor_has_always_been_where_it_is(farm: Platform, store: ColdStore) -> None:
    assert await placements(store) == [(None, store.room_id)]


async def test_a_sensor_that_was_moved_was_elsewhere_before(farm: Platform, store: ColdStore) -> None:
    cellar = await make_room(store.tenant, store.warehouse_id)
    now = clock.now().replace(microsecond=0)
    clock.use(lambda: now)
    assert (await move(store, cellar))["location_id"] == cellar
    assert await placements(store) == [(now.isoformat(), cellar), (None, store.room_id)]
    sensor, now_ms = await known(farm, store), clock.to_ms(now)
    places = [sensor.place_at(at_ms) for at_ms in (0, now_ms - 1, now_ms, now_ms + 1)]
    assert [str(place) for place in places] == [store.room_id, store.room_id, cellar, cellar]


async def test_a_move_may_be_told_of_later_and_again(farm: Platform, store: ColdStore) -> None:
    cellar = await make_room(store.tenant, store.warehouse_id)
    await move(store, cellar)
    for _ in range(2):
        await move(store, cellar, moved_at=iso(EIGHT_OCLOCK_MS))
        assert await placements(store) == [(iso(EIGHT_OCLOCK_MS), cellar), (None, store.room_id)]
    counted = await facts_version(farm, store)
    await move(store, cellar)
    await move(store, cellar, moved_at=iso(EIGHT_OCLOCK_MS + HOUR_MS))  # there it was then, and is
    assert await facts_version(farm, store) == counted
    await move(store, store.room_id, moved_at=iso(EIGHT_OCLOCK_MS))  # no: it was never moved
    assert await placements(store) == [(None, store.room_id)]


async def test_a_sensor_that_is_taken_away_is_nowhere_from_then_on(farm: Platform, store: ColdStore) -> None:
    await move(store, None, moved_at=iso(EIGHT_OCLOCK_MS))
    assert await placements(store) == [(iso(EIGHT_OCLOCK_MS), None), (None, store.room_id)]


async def test_moves_that_make_no_sense_are_refused(farm: Platform, store: ColdStore) -> None:
    path = f"/api/v1/edge/sensors/{store.sensor_id}"
    for body, field in (
        ({"location_id": None, "moved_at": iso(clock.now_ms() + 60_000)}, "moved_at"),
        ({"location_id": None, "moved_at": "1969-12-31T23:59:59Z"}, "moved_at"),
        ({"location_id": None, "moved_at": "2026-01-31T08:00:00"}, "moved_at"),
        ({"moved_at": iso(EIGHT_OCLOCK_MS)}, "body"),
    ):
        answer = await store.tenant.client.put(path, json=body)
        assert (answer.status_code, answer.json()["error"]["details"][0]["field"]) == (422, field), body
    elsewhere = await plant_store(farm, await make_farm(farm))
    assert (await store.tenant.client.put(path, json={"location_id": elsewhere.room_id})).status_code == 404
    assert await placements(store) == [(None, store.room_id)]


async def test_what_others_keep_in_memory_is_counted_when_it_changes_and_only_then(
    farm: Platform, store: ColdStore
) -> None:
    path, counted = f"/api/v1/edge/sensors/{store.sensor_id}", await facts_version(farm, store)
    told = len(await emitted(farm, store, SensorPlaced))
    changes: list[Mapping[str, object]] = [
        {"location_id": None},
        {"offset": 0.5},
        {"interval_s": 60},
        {"status": "retired"},
        {"status": "active"},
    ]
    for at, change in enumerate(changes, start=1):
        for _ in range(2):
            await store.tenant.put(path, change)
        assert await facts_version(farm, store) == counted + at, change
    assert len(await emitted(farm, store, SensorPlaced)) == told + len(changes)
    await plant_sensor(farm, store.tenant, store.gateway_id, location_id=None, code="z2m:other")
    assert await facts_version(farm, store) == counted + len(changes) + 1


async def test_what_is_heard_for_the_first_time_is_counted_and_has_its_place(farm: Platform, store: ColdStore) -> None:
    await send(farm, store, make_series([4.0]))
    counted = await facts_version(farm, store)
    await send(farm, store, make_series([4.0], first_sequence=2))
    assert await facts_version(farm, store) == counted
    await send(farm, store, [make_reading(3, 71.0, quantity="humidity", unit="%")])
    assert await facts_version(farm, store) > counted
    [new] = await store.tenant.get("/api/v1/edge/sensors", gateway_id=store.gateway_id, quantity="humidity")
    rows = await store.tenant.get(f"/api/v1/edge/sensors/{new['id']}/placements")
    assert [(row["since"], row["location_id"]) for row in rows] == [(None, store.room_id)]


async def test_two_who_move_a_sensor_at_once_leave_one_history(farm: Platform, store: ColdStore) -> None:
    rooms = [await make_room(store.tenant, store.warehouse_id) for _ in range(4)]
    await asyncio.gather(*(move(store, room) for room in rooms))
    history_now = await placements(store)
    [sensor] = await store.tenant.get("/api/v1/edge/sensors", gateway_id=store.gateway_id)
    assert history_now[0][1] == sensor["location_id"]
    assert history_now[-1] == (None, store.room_id)
    assert all(before != after for (_, before), (_, after) in itertools.pairwise(history_now))


async def test_a_correction_of_the_history_stands_in_the_trail(farm: Platform, store: ColdStore) -> None:
    await move(store, None, moved_at=iso(EIGHT_OCLOCK_MS))
    [row, _] = await store.tenant.get(f"/api/v1/edge/sensors/{store.sensor_id}/placements")
    await move(store, store.room_id, moved_at=iso(EIGHT_OCLOCK_MS))
    entries = await store.tenant.get("/api/v1/admin/security/audit-logs", entity_id=row["id"])
    assert [entry["action"].rpartition(".")[2] for entry in entries] == ["deleted", "created"]


@pytest.mark.long
async def test_histories_say_what_was_said_last(farm: Platform, store: ColdStore) -> None:
    """Moves at whatever moments, in whatever order: each says where the sensor is from then on."""
    rooms = [None, *[uuid.UUID(await make_room(store.tenant, store.warehouse_id)) for _ in range(2)]]
    moves = st.lists(st.tuples(st.integers(1, 6), st.sampled_from(rooms)), max_size=8)
    cases: list[list[tuple[int, uuid.UUID | None]]] = []

    @given(moves)
    def collect(told: list[tuple[int, uuid.UUID | None]]) -> None:
        cases.append(told)

    collect()
    for told in cases:
        sensor_id = await plant_sensor(
            farm, store.tenant, store.gateway_id, location_id=store.room_id, code=f"z2m:{uuid.uuid4()}"
        )
        model: dict[int, uuid.UUID | None] = dict.fromkeys(range(8), uuid.UUID(store.room_id))
        async with farm.database.unit_of_work(store.tenant.organization) as db:
            sensor = await db.get_one(Sensor, uuid.UUID(sensor_id))
            for at, room in told:
                changed = await history.place(db, sensor, location_id=room, from_ms=at)
                await db.flush()
                after = model | {moment: room for moment in model if moment >= at}
                assert changed == (after != model)
                model = after
        found = await known(farm, store, sensor_id)
        assert {moment: found.place_at(moment) for moment in model} == model
        assert found.location_id == model[7]


async def test_the_clock_of_a_move_is_ours(farm: Platform, store: ColdStore) -> None:
    now = clock.now() + timedelta(minutes=10)
    clock.use(lambda: now)
    await move(store, None)
    assert (await placements(store))[0] == (clock.from_ms(clock.to_ms(now)).isoformat(), None)
