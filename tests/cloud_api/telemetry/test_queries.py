"""What people ask of readings: the last value, and those between two times."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from cloud_api.kernel import clock
from cloud_api.kernel.http import Envelope
from cloud_api.places.models import WarehouseMember
from cloud_api.telemetry.schemas import LatestRead
from tests.factories.batches import EIGHT_OCLOCK_MS, make_epoch, make_reading, make_series, send
from tests.factories.farms import make_farm, make_person, plant_sensor, plant_store
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.series import put_calibrations, put_interval, put_places
from tests.factories.stores import ColdStore, make_room
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

MINUTE_MS = 60_000
PATH = "/api/v1/telemetry/readings"


@contextmanager
def clock_at(at_ms: int) -> Iterator[None]:
    clock.use(lambda: clock.from_ms(at_ms))
    try:
        yield
    finally:
        clock.use(None)


def instant(at_ms: int) -> str:
    return clock.from_ms(at_ms).isoformat()


async def between(store: ColdStore, since_ms: int, until_ms: int, **parameters: Any) -> Any:
    span = {"since": instant(since_ms), "until": instant(until_ms)}
    return await store.tenant.get(PATH, sensor_id=store.sensor_id, **span, **parameters)


async def latest(store: ColdStore) -> dict[str, Any]:
    [row] = await store.tenant.get(f"{PATH}/latest", location_id=store.room_id)
    assert isinstance(row, dict)
    return row


async def test_the_last_value_is_the_newest_not_the_last_to_arrive(farm: Platform, store: ColdStore) -> None:
    await send(farm, store, make_series([4.0, 5.0]))
    await send(farm, store, [make_reading(3, 1.0, EIGHT_OCLOCK_MS - MINUTE_MS)])
    assert ((await latest(store))["value"], (await latest(store))["recorded_at"][:19]) == (5.0, "2026-01-31T08:01:00")
    await send(farm, store, [make_reading(4, 0.0, EIGHT_OCLOCK_MS + MINUTE_MS, quality="suspect")])
    row = await latest(store)
    assert (row["value"], row["quality"], row["unit"]) == (0.0, "suspect", "Cel")


async def test_the_last_value_says_how_old_it_is(farm: Platform, store: ColdStore) -> None:
    await send(farm, store, [make_reading(1, -3.0, EIGHT_OCLOCK_MS)])
    at_ms = clock.now_ms()
    clock.use(lambda: clock.from_ms(at_ms))
    row = await latest(store)
    assert (row["value"], row["age_s"]) == (-3.0, (at_ms - EIGHT_OCLOCK_MS) / 1000)


async def test_a_sensor_never_heard_has_no_last_value(farm: Platform, store: ColdStore) -> None:
    assert await store.tenant.get(f"{PATH}/latest") == []


async def test_the_last_values_of_one_place_are_not_anothers(farm: Platform, store: ColdStore) -> None:
    other = await plant_store(farm)
    await send(farm, store, make_series([4.0]))
    await send(farm, other, make_series([6.0]))
    assert [row["value"] for row in await store.tenant.get(f"{PATH}/latest", location_id=other.room_id)] == [6.0]
    assert len(await store.tenant.get(f"{PATH}/latest")) == 2


async def test_what_is_read_is_calibrated_and_the_raw_value_stands_beside_it(farm: Platform, store: ColdStore) -> None:
    await send(farm, store, make_series([4.5, 4.5]))
    noon_ms = EIGHT_OCLOCK_MS + 4 * 3_600_000
    await put_calibrations(farm, store, [(0, 1.0, -0.5), (EIGHT_OCLOCK_MS + 1, 2.0, 1.0), (noon_ms, 1.0, 9.0)])
    rows = await between(store, EIGHT_OCLOCK_MS, EIGHT_OCLOCK_MS + 2 * MINUTE_MS)
    assert [(row["value"], row["raw_value"]) for row in rows] == [(4.0, 4.5), (10.0, 4.5)]
    row = await latest(store)
    assert (row["value"], row["raw_value"]) == (10.0, 4.5), "the present calibration began after the last reading"
    await send(farm, store, [make_reading(3, 4.5, noon_ms)])
    assert (await latest(store))["value"] == 13.5


async def test_a_sensor_is_overdue_by_its_own_pace(farm: Platform, store: ColdStore) -> None:
    await send(farm, store, [make_reading(1, 4.0, EIGHT_OCLOCK_MS)])
    for interval_s, age_s, stale in ((300, 310, False), (300, 311, True), (60, 71, True), (None, 10**6, None)):
        await put_interval(farm, store, interval_s)
        with clock_at(EIGHT_OCLOCK_MS + age_s * 1000):
            row = await latest(store)
        assert (row["stale"], row["expected_s"]) == (stale, interval_s), age_s


async def test_a_sensor_of_which_nobody_said_a_pace_is_overdue_by_the_one_it_had(
    farm: Platform, store: ColdStore
) -> None:
    await send(farm, store, make_series([4.0] * 20, every_s=120))
    last_ms = EIGHT_OCLOCK_MS + 19 * 120_000
    for age_s, stale in ((120, False), (131, True)):
        with clock_at(last_ms + age_s * 1000):
            row = await latest(store)
        assert (row["expected_s"], row["stale"]) == (120, stale)


async def test_the_last_values_of_a_place_are_those_of_all_that_lies_in_it(farm: Platform, store: ColdStore) -> None:
    rack = await make_room(store.tenant, store.warehouse_id, parent_id=store.room_id)
    await plant_sensor(farm, store.tenant, store.gateway_id, location_id=rack, code="z2m:rack")
    await send(farm, store, [make_reading(1, 4.0), make_reading(2, 6.0, sensor="z2m:rack")])
    for place, values in ((store.room_id, [4.0, 6.0]), (rack, [6.0])):
        rows = await store.tenant.get(f"{PATH}/latest", location_id=place)
        assert [row["value"] for row in rows] == values


async def test_the_last_values_are_what_the_document_says(farm: Platform, store: ColdStore) -> None:
    await send(farm, store, [make_reading(1, 4.0)])
    answer = await store.tenant.client.get(f"{PATH}/latest")
    Envelope[list[LatestRead]].model_validate(answer.json(), extra="forbid")


async def test_readings_of_a_place_are_those_that_were_measured_there(farm: Platform, store: ColdStore) -> None:
    other = await plant_store(farm, store.tenant)
    await send(farm, store, make_series([1.0, 2.0, 3.0, 4.0]))
    moved_ms, back_ms = EIGHT_OCLOCK_MS + MINUTE_MS, EIGHT_OCLOCK_MS + 3 * MINUTE_MS
    await put_places(farm, store, store.room_id, (moved_ms, other.room_id), (back_ms, store.room_id))
    span = {"since": instant(EIGHT_OCLOCK_MS), "until": instant(EIGHT_OCLOCK_MS + 9 * MINUTE_MS)}
    for place, values in ((store.room_id, [1.0, 4.0]), (other.room_id, [2.0, 3.0])):
        rows = await store.tenant.get(PATH, location_id=place, **span)
        assert [(row["value"], row["location_id"]) for row in rows] == [(value, place) for value in values]


async def test_readings_of_several_sensors_come_page_by_page_sensor_by_sensor(farm: Platform, store: ColdStore) -> None:
    ids = [store.sensor_id]
    for number in range(2):
        code = f"z2m:more-{number}"
        ids.append(await plant_sensor(farm, store.tenant, store.gateway_id, location_id=store.room_id, code=code))
        rows = [{**row, "sensor": code} for row in make_series([10.0 * (number + 1) + index for index in range(3)])]
        await send(farm, store, rows, epoch=make_epoch())
    await send(farm, store, make_series([0.0, 1.0, 2.0]))
    span = {"since": instant(EIGHT_OCLOCK_MS), "until": instant(EIGHT_OCLOCK_MS + 9 * MINUTE_MS)}
    values, cursor = [], None
    while True:
        asked: dict[str, Any] = {**span, "sensor_id": ids, "limit": 2, **({"cursor": cursor} if cursor else {})}
        answer = (await store.tenant.client.get(PATH, params=asked)).json()
        values += [row["value"] for row in answer["data"]]
        cursor = answer["meta"]["next_cursor"]
        if cursor is None:
            break
    assert values == [0.0, 1.0, 2.0, 10.0, 11.0, 12.0, 20.0, 21.0, 22.0]
    elsewhere: dict[str, Any] = {**span, "sensor_id": ids[2], "limit": 2}
    first = (await store.tenant.client.get(PATH, params={**elsewhere, "sensor_id": ids[1]})).json()
    wrong = await store.tenant.client.get(PATH, params={**elsewhere, "cursor": first["meta"]["next_cursor"]})
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (422, "BAD_CURSOR")


async def test_who_is_confined_sees_what_was_measured_where_they_may_look(farm: Platform, store: ColdStore) -> None:
    other = await plant_store(farm, store.tenant)
    await send(farm, store, make_series([1.0, 2.0, 3.0]))
    await put_places(farm, store, other.room_id, (EIGHT_OCLOCK_MS + MINUTE_MS, store.room_id))
    keeper = await make_person(farm, store.tenant, "warehouse_manager")
    me = await keeper.get("/api/v1/auth/me")
    async with farm.database.unit_of_work(store.tenant.organization) as db:
        db.add(WarehouseMember(user_id=uuid.UUID(me["id"]), warehouse_id=uuid.UUID(store.warehouse_id)))
    span = {"since": instant(EIGHT_OCLOCK_MS), "until": instant(EIGHT_OCLOCK_MS + 9 * MINUTE_MS)}
    rows = await keeper.get(PATH, sensor_id=store.sensor_id, **span)
    assert [row["value"] for row in rows] == [2.0, 3.0]
    assert (await keeper.client.get(PATH, params={**span, "location_id": other.room_id})).status_code == 404
    assert (await keeper.client.get(PATH, params={**span, "sensor_id": other.sensor_id})).status_code == 404
    assert (await keeper.client.get(f"{PATH}/latest", params={"location_id": other.room_id})).status_code == 404


async def test_a_range_has_its_first_instant_and_not_its_last(farm: Platform, store: ColdStore) -> None:
    await send(farm, store, make_series([1.0, 2.0, 3.0]))
    start, middle, end = (EIGHT_OCLOCK_MS + minute * MINUTE_MS for minute in range(3))
    for since_ms, until_ms, values in (
        (start, end, [1.0, 2.0]),
        (start, end + 1, [1.0, 2.0, 3.0]),
        (start + 1, end, [2.0]),
        (middle, middle + 1, [2.0]),
        (middle + 1, end, []),
    ):
        assert [row["value"] for row in await between(store, since_ms, until_ms)] == values


async def test_a_range_is_read_page_by_page_while_more_arrives(farm: Platform, store: ColdStore) -> None:
    await send(farm, store, make_series([1.0, 2.0, 2.5, 3.0], every_s=0))
    await send(farm, store, make_series([4.0, 5.0], first_sequence=5, start_ms=EIGHT_OCLOCK_MS + 1, every_s=0))
    asked: dict[str, str | int] = {
        "sensor_id": store.sensor_id,
        "since": instant(EIGHT_OCLOCK_MS - MINUTE_MS),
        "until": instant(EIGHT_OCLOCK_MS + MINUTE_MS),
        "limit": 2,
    }
    values, cursor = [], None
    while True:
        answer = await store.tenant.client.get(PATH, params={**asked, **({"cursor": cursor} if cursor else {})})
        values += [row["value"] for row in answer.json()["data"]]
        cursor = answer.json()["meta"]["next_cursor"]
        if cursor is None:
            break
        # what arrives behind the cursor is for those who ask again
        late = make_series([0.5], start_ms=EIGHT_OCLOCK_MS - len(values))
        await send(farm, store, late, epoch=make_epoch())
    assert values == [1.0, 2.0, 2.5, 3.0, 4.0, 5.0]


async def test_a_question_that_cannot_be_understood_is_named(farm: Platform, store: ColdStore) -> None:
    asked = {"sensor_id": store.sensor_id, "since": "2026-01-31T08:00:00Z", "until": "2026-01-31T09:00:00-01:00"}
    for field, value in (
        ("since", "2026-01-31T08:00:00"),
        ("until", "2026-01-31"),
        ("since", "yesterday"),
        ("cursor", "bm90IG91cnM"),
        ("cursor", "%%%"),
        ("limit", "201"),
    ):
        answer = await store.tenant.client.get(PATH, params={**asked, field: value})
        assert (answer.status_code, answer.json()["error"]["details"][0]["field"]) == (422, field)


async def test_another_organisations_readings_are_not_there(farm: Platform, store: ColdStore) -> None:
    await send(farm, store, make_series([4.0]))
    stranger = await make_farm(farm)
    span = {"since": instant(0), "until": instant(EIGHT_OCLOCK_MS + int(timedelta(days=1).total_seconds()) * 1000)}
    for by in ({"sensor_id": store.sensor_id}, {"location_id": store.room_id}):
        assert (await stranger.client.get(PATH, params={**by, **span})).status_code == 404
    assert await stranger.get(f"{PATH}/latest") == []
    assert (await stranger.client.get(f"{PATH}/latest", params={"location_id": store.room_id})).status_code == 404
