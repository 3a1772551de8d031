"""Places side by side."""

from typing import Any

from cloud_api.kernel import clock
from tests.factories.batches import EIGHT_OCLOCK_MS, make_epoch, make_reading, make_series, send
from tests.factories.farms import make_farm, plant_sensor, plant_store
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.series import put_interval, put_places
from tests.factories.stores import ColdStore, make_room
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
PATH = "/api/v1/telemetry/readings/compare"
HOUR = {
    "since": clock.from_ms(EIGHT_OCLOCK_MS).isoformat(),
    "until": clock.from_ms(EIGHT_OCLOCK_MS + HOUR_MS).isoformat(),
}


async def compare(store: ColdStore, *location_ids: str, **asked: Any) -> Any:
    return await store.tenant.get(PATH, location_id=list(location_ids), **{**HOUR, **asked})


async def test_places_stand_side_by_side_in_the_order_asked_for(farm: Platform, store: ColdStore) -> None:
    other = await plant_store(farm, store.tenant)
    await send(farm, store, make_series([2.0, 8.0, 25.0]))
    await send(farm, other, make_series([5.0] * 60))
    there, here = await compare(store, other.room_id, store.room_id)
    assert [there["location_id"], here["location_id"]] == [other.room_id, store.room_id]
    assert (there["sensors"], there["count"], there["mean"], there["mkt_c"]) == (1, 60, 5.0, 5.0)
    assert (here["minimum"], here["maximum"], here["mkt_c"]) == (2.0, 25.0, 17.016339)
    assert here["in_range_share"] is None  # nobody said what the room is kept at


async def test_shares_are_of_time_and_not_of_readings(farm: Platform, store: ColdStore) -> None:
    room = await make_room(store.tenant, store.warehouse_id, temperature_min_c=0.0, temperature_max_c=8.0)
    await put_places(farm, store, room)
    # 30 minutes in range told twice, 10 out of it told five times, 20 in range; then silence
    values = [(0, 8.0), (15, 0.0), (30, 9.0), (32, 9.0), (34, 9.0), (36, 9.0), (38, 9.0), (40, 4.0)]
    rows = [
        make_reading(index, value, EIGHT_OCLOCK_MS + minute * MINUTE_MS)
        for index, (minute, value) in enumerate(values, start=1)
    ]
    await send(farm, store, rows)
    await put_interval(farm, store, 300)
    [told] = await compare(store, room)
    assert (told["temperature_min_c"], told["temperature_max_c"], told["count"]) == (0.0, 8.0, 8)
    assert round(told["in_range_share"], 6) == round(45 / 55, 6)
    assert round(told["gap_share"], 6) == round(5 / 60, 6)


async def test_a_second_sensor_fills_the_gaps_of_the_first(farm: Platform, store: ColdStore) -> None:
    await plant_sensor(farm, store.tenant, store.gateway_id, location_id=store.room_id, code="z2m:second")
    await send(farm, store, make_series([4.0] * 20))
    late = [make_reading(1, 6.0, EIGHT_OCLOCK_MS + 40 * MINUTE_MS, sensor="z2m:second")]
    await send(farm, store, late, epoch=make_epoch())
    await put_interval(farm, store, 60)
    [told] = await compare(store, store.room_id)
    # 22 minutes of the first, and 15 of the second, of which nobody knows how often it should be heard
    assert (told["sensors"], told["count"]) == (2, 21)
    assert round(told["gap_share"], 6) == round((60 - 22 - 15) / 60, 6)


async def test_a_place_without_readings_is_all_gap(farm: Platform, store: ColdStore) -> None:
    [told] = await compare(store, store.room_id)
    assert (told["sensors"], told["count"], told["mean"], told["mkt_c"], told["gap_share"]) == (0, 0, None, None, 1.0)
    [nothing] = await compare(store, store.room_id, since="9000-01-01T00:00:00Z", until="9000-01-02T00:00:00Z")
    assert nothing["gap_share"] is None  # what has not been cannot be missing


async def test_humidity_is_compared_without_kinetics_and_limits(farm: Platform, store: ColdStore) -> None:
    room = await make_room(store.tenant, store.warehouse_id, temperature_min_c=0.0, temperature_max_c=8.0)
    device = {"gateway_id": store.gateway_id, "code": "z2m:damp", "quantity": "humidity", "unit": "%"}
    await store.tenant.post("/api/v1/edge/sensors", {**device, "location_id": room})
    rows = [make_reading(1, 70.0, EIGHT_OCLOCK_MS, sensor="z2m:damp", quantity="humidity", unit="%")]
    await send(farm, store, rows)
    [told] = await compare(store, room, quantity="humidity")
    assert (told["count"], told["mean"], told["in_range_share"]) == (1, 70.0, None)


async def test_what_cannot_be_compared_is_named(farm: Platform, store: ColdStore) -> None:
    stranger = await make_farm(farm)
    foreign = await stranger.client.get(PATH, params={**HOUR, "location_id": store.room_id})
    assert (foreign.status_code, foreign.json()["error"]["details"][0]["field"]) == (404, "location_id")
    for changed, field in (
        ({"location_id": []}, "location_id"),
        ({"location_id": [store.room_id] * 21}, "location_id"),
        ({"since": HOUR["until"], "until": HOUR["since"]}, "since"),
        ({"since": "2026-01-31T08:00:00"}, "since"),
    ):
        answer = await store.tenant.client.get(PATH, params={**HOUR, "location_id": store.room_id, **changed})
        assert (answer.status_code, answer.json()["error"]["details"][0]["field"]) == (422, field)
