"""What people ask of readings: the last value, and those between two times."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from cloud_api.kernel import clock
from tests.factories.batches import EIGHT_OCLOCK_MS, make_epoch, make_reading, make_series, send
from tests.factories.farms import make_farm, plant_sensor, plant_store
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.stores import ColdStore
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

MINUTE_MS = 60_000
PATH = "/api/v1/telemetry/readings"


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


async def test_what_is_read_is_calibrated_and_what_is_stored_is_not(farm: Platform, store: ColdStore) -> None:
    code = "z2m:off-by-half"
    sensor_id = await plant_sensor(
        farm, store.tenant, store.gateway_id, location_id=store.room_id, code=code, offset=-0.5
    )
    await send(farm, store, [make_reading(1, 4.5, EIGHT_OCLOCK_MS, sensor=code)])
    calibrated = replace(store, sensor_id=sensor_id)
    assert (await latest(store))["value"] == 4.0
    assert [row["value"] for row in await between(calibrated, EIGHT_OCLOCK_MS, EIGHT_OCLOCK_MS + 1)] == [4.0]
    await store.tenant.put(f"/api/v1/edge/sensors/{sensor_id}", {"offset": 1.0})
    assert (await latest(store))["value"] == 5.5
    assert [row["value"] for row in await between(calibrated, EIGHT_OCLOCK_MS, EIGHT_OCLOCK_MS + 1)] == [5.5]


async def test_a_range_has_its_first_instant_and_not_its_last(farm: Platform, store: ColdStore) -> None:
    await send(farm, store, make_series([1.0, 2.0, 3.0]))
    start, middle, end = (EIGHT_OCLOCK_MS + minute * MINUTE_MS for minute in range(3))
    for since_ms, until_ms, values in (
        (start, end, [1.0, 2.0]),
        (start, end + 1, [1.0, 2.0, 3.0]),
        (start + 1, end, [2.0]),
        (middle, middle, []),
        (end, start, []),
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
    asked = {"sensor_id": store.sensor_id, "since": "2026-01-31T08:00:00Z", "until": "2026-01-31T09:00:00+01:00"}
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
    answer = await stranger.client.get(PATH, params={"sensor_id": store.sensor_id, **span})
    assert answer.status_code == 404
    assert await stranger.get(f"{PATH}/latest") == []
