"""Charts: what many readings come to, in hours and days, from roll-ups and from readings, always the same."""

import random
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from cloud_api.kernel import clock
from cloud_api.kernel.http import Envelope
from cloud_api.telemetry.models import SensorSeries
from cloud_api.telemetry.schemas import AggregateRead
from cloud_api.telemetry.series.buckets import edges, parse
from tests.factories.batches import EIGHT_OCLOCK_MS, Row, make_epoch, make_reading, make_series, send
from tests.factories.farms import make_farm, plant_sensor, plant_store
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.properties import FEW
from tests.factories.series import put_calibrations, put_interval, put_places
from tests.factories.stores import ColdStore
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
PATH = "/api/v1/telemetry/readings/aggregate"


def span(since_ms: int, until_ms: int) -> dict[str, str]:
    return {"since": clock.from_ms(since_ms).isoformat(), "until": clock.from_ms(until_ms).isoformat()}


async def chart(store: ColdStore, since_ms: int, until_ms: int, **asked: Any) -> Any:
    by = {} if "location_id" in asked else {"sensor_id": store.sensor_id}
    return await store.tenant.get(PATH, **span(since_ms, until_ms), **by, **asked)


async def one(store: ColdStore, since_ms: int, until_ms: int, **asked: Any) -> Any:
    [series] = (await chart(store, since_ms, until_ms, **asked))["series"]
    return series


async def test_a_bucket_without_readings_is_a_gap_and_is_not_made_up(farm: Platform, store: ColdStore) -> None:
    await send(farm, store, make_series([4.0, 6.0, 2.0]))
    await send(farm, store, make_series([-3.0, 0.0], first_sequence=4, start_ms=EIGHT_OCLOCK_MS + 2 * HOUR_MS))
    for bucket in ("hour", "15m"):
        told = await chart(store, EIGHT_OCLOCK_MS, EIGHT_OCLOCK_MS + 3 * HOUR_MS, bucket=bucket, zone="UTC")
        [series] = told["series"]
        step = 1 if bucket == "hour" else 4
        assert told["begins_ms"][::step] == [EIGHT_OCLOCK_MS + hour * HOUR_MS for hour in range(3)]
        assert (series["counts"][::step], series["minima"][::step]) == ([3, 0, 2], [2.0, None, -3.0])
        assert (series["means"][::step], series["maxima"][::step]) == ([4.0, None, -1.5], [6.0, None, 0.0])
        assert (series["whole"]["count"], series["whole"]["mean"]) == (5, 1.8)


async def test_the_answer_is_what_the_document_says(farm: Platform, store: ColdStore) -> None:
    await send(farm, store, make_series([4.0, 9.0]))
    asked = {**span(EIGHT_OCLOCK_MS, EIGHT_OCLOCK_MS + 2 * HOUR_MS), "sensor_id": store.sensor_id}
    for extras in ({}, {"above": 8, "below": 2, "mkt": True}):
        answer = await store.tenant.client.get(PATH, params={**asked, **extras})
        Envelope[AggregateRead].model_validate(answer.json(), strict=False, extra="forbid")


async def test_buckets_are_whole_whatever_span_is_asked_for(farm: Platform, store: ColdStore) -> None:
    await send(farm, store, make_series([4.0, 6.0]))
    told = await chart(store, EIGHT_OCLOCK_MS + 1, EIGHT_OCLOCK_MS + 2, bucket="hour", zone="UTC")
    assert (told["since"], told["until"]) == ("2026-01-31T08:00:00Z", "2026-01-31T09:00:00Z")
    assert told["series"][0]["counts"] == [2]


async def test_days_are_those_of_the_zone(farm: Platform, store: ColdStore) -> None:
    evening_ms = round(datetime(2026, 1, 31, 23, 30, tzinfo=ZoneInfo("Asia/Kolkata")).timestamp() * 1000)
    await send(farm, store, make_series([1.0, 3.0], start_ms=evening_ms, every_s=3_600))
    whole = (evening_ms, evening_ms + 2 * HOUR_MS)
    at_home = await chart(store, *whole, bucket="day", zone="Asia/Kolkata")
    assert [(len(at_home["begins_ms"]), row["means"]) for row in at_home["series"]] == [(2, [1.0, 3.0])]
    abroad = await chart(store, *whole, bucket="day", zone="UTC")
    assert [row["means"] for row in abroad["series"]] == [[2.0]]


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata"])
async def test_a_series_of_another_zone_is_counted_all_the_same(farm: Platform, store: ColdStore, zone: str) -> None:
    """Hours of Kolkata begin at half past: what is kept of them cannot answer for those of UTC."""
    await send(farm, store, make_series([float(index) for index in range(60)], every_s=120))
    for bucket in ("hour", "2h", "day"):
        found = await one(store, EIGHT_OCLOCK_MS, EIGHT_OCLOCK_MS + 2 * HOUR_MS, bucket=bucket, zone=zone)
        assert (sum(found["counts"]), found["whole"]["mean"]) == (60, 29.5)


async def test_an_hour_in_which_a_calibration_begins_is_corrected_reading_by_reading(
    farm: Platform, store: ColdStore
) -> None:
    await send(farm, store, make_series([10.0] * 180))
    half_past_ms = EIGHT_OCLOCK_MS + HOUR_MS + 30 * MINUTE_MS
    await put_calibrations(farm, store, [(0, 1.0, 0.0), (half_past_ms, 2.0, -1.0)])
    for bucket in ("hour", "30m"):
        found = await one(store, EIGHT_OCLOCK_MS, EIGHT_OCLOCK_MS + 3 * HOUR_MS, bucket=bucket, zone="UTC")
        step = 1 if bucket == "hour" else 2
        assert found["minima"][::step] == [10.0, 10.0, 19.0]
        assert found["maxima"][step - 1 :: step] == [10.0, 19.0, 19.0]
        assert found["whole"]["mean"] == 14.5
    [row] = await store.tenant.get(
        "/api/v1/telemetry/readings", sensor_id=store.sensor_id, limit=1, **span(half_past_ms, half_past_ms + 1)
    )
    assert (row["value"], row["raw_value"]) == (19.0, 10.0)


async def test_a_reading_belongs_to_the_place_where_its_sensor_was(farm: Platform, store: ColdStore) -> None:
    other = await plant_store(farm, store.tenant)
    left_ms, back_ms = EIGHT_OCLOCK_MS + 30 * MINUTE_MS, EIGHT_OCLOCK_MS + 150 * MINUTE_MS
    await send(farm, store, make_series([float(index) for index in range(180)]))
    await put_places(farm, store, store.room_id, (left_ms, other.room_id), (back_ms, store.room_id))
    whole = (EIGHT_OCLOCK_MS, EIGHT_OCLOCK_MS + 3 * HOUR_MS)
    for bucket, step in (("hour", 1), ("30m", 2)):
        here = await one(store, *whole, location_id=store.room_id, bucket=bucket, zone="UTC")
        there = await one(store, *whole, location_id=other.room_id, bucket=bucket, zone="UTC")
        everywhere = await one(store, *whole, bucket=bucket, zone="UTC")
        assert (here["whole"]["count"], there["whole"]["count"], everywhere["whole"]["count"]) == (60, 120, 180)
        assert (here["whole"]["minimum"], here["whole"]["maximum"]) == (0.0, 179.0)
        assert (there["whole"]["minimum"], there["whole"]["maximum"]) == (30.0, 149.0)
        assert [low is None for low in here["minima"]] == (
            [False, True, False] if step == 1 else [False, True, True, True, True, False]
        )


async def test_a_place_has_what_lies_in_it(farm: Platform, store: ColdStore) -> None:
    await send(farm, store, make_series([4.0]))
    rack = await store.tenant.post(
        "/api/v1/warehouse/storage/locations",
        {
            "warehouse_id": store.warehouse_id,
            "parent_id": store.room_id,
            "code": f"RACK-{uuid.uuid4().hex[:6]}",
            "name": "Rack",
            "location_type": "rack",
            "storage_type": "cold_storage",
        },
    )
    await plant_sensor(farm, store.tenant, store.gateway_id, location_id=rack["id"], code="z2m:rack")
    await send(farm, store, [make_reading(1, 5.0, EIGHT_OCLOCK_MS, sensor="z2m:rack")], epoch=make_epoch())
    told = await chart(store, EIGHT_OCLOCK_MS, EIGHT_OCLOCK_MS + 1, location_id=store.room_id, bucket="hour")
    assert [row["code"] for row in told["series"]] == ["z2m:cold-room-1", "z2m:rack"]
    inside = await chart(store, EIGHT_OCLOCK_MS, EIGHT_OCLOCK_MS + 1, location_id=rack["id"], bucket="hour")
    assert [row["code"] for row in inside["series"]] == ["z2m:rack"]


async def test_seconds_out_of_range_are_exact_and_a_limit_itself_is_in_range(farm: Platform, store: ColdStore) -> None:
    rows = make_series([8.0, 8.1, 0.0, -0.1, 4.0], every_s=600)
    await send(farm, store, rows)
    await put_interval(farm, store, 600)
    found = await one(
        store, EIGHT_OCLOCK_MS, EIGHT_OCLOCK_MS + 3 * HOUR_MS, bucket="hour", zone="UTC", above=8, below=0
    )
    assert found["hold_s"] == 1_800
    assert (found["above_s"], found["below_s"]) == ([600, 0, None], [600, 0, None])
    assert found["known_s"] == [3_600, 600, 0]  # the last one holds three periods, to ten past nine
    assert (found["whole"]["above_s"], found["whole"]["known_s"]) == (600, 4_200)


async def test_what_held_before_the_span_began_counts_in_it(farm: Platform, store: ColdStore) -> None:
    await send(farm, store, make_series([9.0, 4.0], start_ms=EIGHT_OCLOCK_MS - MINUTE_MS, every_s=180))
    await put_interval(farm, store, 180)
    found = await one(store, EIGHT_OCLOCK_MS, EIGHT_OCLOCK_MS + MINUTE_MS, bucket="15m", zone="UTC", above=8)
    assert (found["counts"], found["above_s"]) == ([1], [120])


async def test_the_mean_kinetic_temperature_is_the_hand_calculated_one(farm: Platform, store: ColdStore) -> None:
    await send(farm, store, make_series([2.0, 8.0, 25.0]))
    await send(farm, store, make_series([20.0, 22.0, 30.0], first_sequence=4, start_ms=EIGHT_OCLOCK_MS + HOUR_MS))
    found = await one(store, EIGHT_OCLOCK_MS, EIGHT_OCLOCK_MS + 3 * HOUR_MS, bucket="hour", zone="UTC", mkt=True)
    assert found["mkt_c"] == [17.016339, 25.042213, None]
    assert 17.016339 < found["whole"]["mkt_c"] < 25.042213


async def test_what_is_not_a_temperature_has_no_kinetic_one(farm: Platform, store: ColdStore) -> None:
    await send(farm, store, [make_reading(1, 70.0, EIGHT_OCLOCK_MS, quantity="humidity", unit="%")])
    told = await chart(
        store, EIGHT_OCLOCK_MS, EIGHT_OCLOCK_MS + 1, location_id=store.room_id, quantity="humidity", mkt=True
    )
    assert [(row["unit"], row["mkt_c"], row["whole"]["mkt_c"]) for row in told["series"]] == [("%", None, None)]


async def test_auto_chooses_a_bucket_for_the_width_of_a_chart(farm: Platform, store: ColdStore) -> None:
    told = await chart(store, EIGHT_OCLOCK_MS, EIGHT_OCLOCK_MS + 30 * 24 * HOUR_MS, points=100)
    assert told["bucket"] == "12h"
    assert len(told["begins_ms"]) <= 101


async def test_a_question_that_cannot_be_answered_names_field_and_remedy(farm: Platform, store: ColdStore) -> None:
    day = span(EIGHT_OCLOCK_MS, EIGHT_OCLOCK_MS + 24 * HOUR_MS)
    asked = {"sensor_id": store.sensor_id, **day}
    unknown = str(uuid.uuid4())
    for changed, status, field, word in (
        ({"since": day["until"], "until": day["since"]}, 422, "since", "before until"),
        ({"until": day["since"]}, 422, "since", "before until"),
        ({"since": "2026-01-31T08:00:00"}, 422, "since", "zone"),
        ({"until": "1969-12-31T23:00:00Z", "since": "1969-12-31T22:00:00Z"}, 422, "since", "1970"),
        ({"bucket": "week"}, 422, "bucket", "hour, day"),
        ({"bucket": "5m", "until": "2027-01-31T08:00:00Z"}, 422, "bucket", "wider bucket"),
        ({"zone": "Mars/Olympus"}, 422, "zone", "IANA"),
        ({"zone": "../etc/passwd"}, 422, "zone", "IANA"),
        ({"above": "nan"}, 422, "above", ""),
        ({"points": "5"}, 422, "points", ""),
        ({"sensor_id": unknown}, 404, "sensor_id", unknown),
        ({"location_id": store.room_id}, 422, "sensor_id", "one of the two"),
        ({"sensor_id": [], "location_id": unknown}, 404, "location_id", unknown),
        ({"sensor_id": []}, 422, "sensor_id", "location_id"),
        ({"sensor_id": [str(uuid.uuid4()) for _ in range(201)]}, 422, "sensor_id", "200 at a time"),
    ):
        answer = await store.tenant.client.get(PATH, params={**asked, **changed})
        told = answer.json()["error"]
        assert (answer.status_code, told["details"][0]["field"]) == (status, field), changed
        assert word in told["message"], changed


async def test_more_readings_than_anybody_waits_for_are_refused_before_they_are_read(
    farm: Platform, store: ColdStore
) -> None:
    await send(farm, store, make_series([4.0]))
    async with farm.database.unit_of_work(store.tenant.organization) as db:
        its = update(SensorSeries).where(SensorSeries.sensor_id == uuid.UUID(store.sensor_id))
        await db.execute(its.values(day_count=2_000_000))
    whole = {**span(EIGHT_OCLOCK_MS, EIGHT_OCLOCK_MS + HOUR_MS), "sensor_id": store.sensor_id, "bucket": "hour"}
    answer = await store.tenant.client.get(PATH, params={**whole, "mkt": True})
    assert (answer.status_code, answer.json()["error"]["details"][0]["field"]) == (422, "until")
    assert (await store.tenant.client.get(PATH, params=whole)).status_code == 200


async def test_others_sensors_and_places_are_not_there(farm: Platform, store: ColdStore) -> None:
    stranger = await make_farm(farm)
    asked = span(EIGHT_OCLOCK_MS, EIGHT_OCLOCK_MS + HOUR_MS)
    for by in ({"sensor_id": store.sensor_id}, {"location_id": store.room_id}):
        assert (await stranger.client.get(PATH, params={**asked, **by})).status_code == 404


@dataclass(frozen=True)
class Told:
    """One reading as its sensor told it."""

    at_ms: int
    value: float
    quality: str


tellings = st.lists(
    st.tuples(
        st.integers(0, 3 * 24 * 60),
        st.floats(-30, 40).map(lambda value: round(value, 2)),
        st.sampled_from(["good", "good", "good", "suspect", "bad"]),
    ).map(lambda told: Told(EIGHT_OCLOCK_MS + told[0] * MINUTE_MS, told[1], told[2])),
    min_size=1,
    max_size=40,
    unique_by=lambda told: told.at_ms,
)


def recount(
    told: Iterable[Told], grid: list[int], corrections: list[tuple[int, float, float]], stays: list[tuple[int, int]]
) -> list[tuple[int, float | None, float | None, float | None]]:
    """Count, least, mean and greatest of each bucket, in the plainest words."""
    found = []
    for begin, end in pairwise(grid):
        values = []
        for reading in told:
            here = any(since <= reading.at_ms < until for since, until in stays)
            if begin <= reading.at_ms < end and here and reading.quality != "bad":
                _, gain, offset = [one for one in corrections if one[0] <= reading.at_ms][-1]
                values.append(reading.value * gain + offset)
        mean = sum(values) / len(values) if values else None
        found.append((len(values), min(values, default=None), mean, max(values, default=None)))
    return found


@FEW
@given(
    told=tellings,
    seed=st.integers(0, 1_000),
    cuts=st.lists(st.integers(0, 3 * 24 * 60), min_size=3, max_size=3),
    zone=st.sampled_from(["Asia/Kolkata", "UTC"]),
    buckets=st.sampled_from([("day", "hour"), ("day", "30m"), ("6h", "hour")]),
)
async def test_however_late_readings_come_charts_are_a_recount(
    farm: Platform, told: list[Told], seed: int, cuts: list[int], zone: str, buckets: tuple[str, str]
) -> None:
    store, shuffled = await plant_store(farm), random.Random(seed)
    late = shuffled.sample(told, len(told))
    rows: list[Row] = [
        make_reading(sequence, reading.value, reading.at_ms, quality=reading.quality)
        for sequence, reading in enumerate(late, start=1)
    ]
    while rows:
        cut = shuffled.randint(1, len(rows))
        await send(farm, store, rows[:cut])
        rows = rows[cut:]
    calibrated, left, back = (EIGHT_OCLOCK_MS + cut * MINUTE_MS + 30_000 for cut in (cuts[0], *sorted(cuts[1:])))
    back += MINUTE_MS
    corrections = [(0, 1.0, 0.5), (calibrated, 1.5, -2.0)]
    await put_calibrations(farm, store, corrections)
    elsewhere = await plant_store(farm)
    await put_places(farm, store, store.room_id, (left, elsewhere.room_id), (back, store.room_id))
    since, until = EIGHT_OCLOCK_MS, EIGHT_OCLOCK_MS + 3 * 24 * HOUR_MS + MINUTE_MS
    for bucket in buckets:
        grid = [int(edge) for edge in edges(zone, parse(bucket), since, until)]
        for by, stays in (
            ({"sensor_id": store.sensor_id}, [(0, 1 << 62)]),
            ({"location_id": store.room_id}, [(0, left), (back, 1 << 62)]),
        ):
            answer = await store.tenant.get(PATH, **span(since, until), bucket=bucket, zone=zone, **by)
            [series] = answer["series"]
            expected = recount(told, grid, corrections, stays)
            assert answer["begins_ms"] == grid[:-1]
            assert series["counts"] == [row[0] for row in expected]
            for name, index in (("minima", 1), ("means", 2), ("maxima", 3)):
                shown = np.array(series[name], float)
                wanted = np.array([row[index] for row in expected], float)
                np.testing.assert_allclose(shown, wanted, atol=1e-5, err_msg=f"{zone} {bucket} {name} {by}")
