"""What ingest keeps beside the readings, through the whole platform: the same as a recount of what is stored."""

import random
import uuid
from collections import defaultdict
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from cloud_api.kernel import clock
from cloud_api.telemetry.models import SensorDay, SensorHour, SensorReading, SensorSeries
from tests.cloud_api.telemetry.test_rollups import day_of, hour_of, summary
from tests.factories.batches import EIGHT_OCLOCK_MS, make_epoch, make_reading, make_series, send, send_columns
from tests.factories.farms import plant_store
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.properties import FEW
from tests.factories.stores import ColdStore
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

ZONE = "Asia/Kolkata"
MINUTE_MS = 60_000


async def rows_of(farm: Platform, model: Any, sensor_id: str) -> list[Any]:
    async with farm.database.unit_of_work(farm.tenant.organization, read_only=True) as db:
        return list(await db.scalars(select(model).where(model.sensor_id == uuid.UUID(sensor_id))))


async def series_of(farm: Platform, store: ColdStore) -> SensorSeries:
    [series] = await rows_of(farm, SensorSeries, store.sensor_id)
    assert isinstance(series, SensorSeries)
    return series


@FEW
@given(seed=st.integers(0, 2**32), days=st.integers(0, 3), slices=st.integers(1, 6))
async def test_hours_and_days_in_the_database_are_those_of_a_recount(
    farm: Platform, seed: int, days: int, slices: int
) -> None:
    store, chance = await plant_store(farm), random.Random(seed)
    rows = [
        make_reading(
            sequence,
            chance.randrange(-80, 80) / 8,
            EIGHT_OCLOCK_MS + chance.randrange(days * 24 * 60 + 90) * MINUTE_MS,
            quality=chance.choice(["good", "good", "suspect", "bad"]),
        )
        for sequence in range(1, 61)
    ]
    for number in range(slices):
        part = rows[number * 60 // slices : (number + 1) * 60 // slices]
        lane = chance.choice(["readings", "backlog"])
        if part:
            await send_columns(farm, store, part, lane=lane, epoch=make_epoch())
    stored: list[SensorReading] = await rows_of(farm, SensorReading, store.sensor_id)
    assert len(stored) == 60
    for model, begins in ((SensorHour, hour_of), (SensorDay, day_of)):
        recount: dict[int, list[float]] = defaultdict(list)
        for row in stored:
            if row.quality != 2:
                recount[begins(ZONE, row.recorded_at_ms)].append(row.value)
        kept = await rows_of(farm, model, store.sensor_id)
        assert {row.begins_ms: (row.count, row.total, row.minimum, row.maximum) for row in kept} == {
            begins_ms: summary(values) for begins_ms, values in recount.items()
        }


async def test_a_series_counts_the_hours_of_its_organisation(farm: Platform, store: ColdStore) -> None:
    await send(farm, store, make_series([4.0, 6.0], every_s=600))
    series = await series_of(farm, store)
    assert (series.zone, series.hour_count, series.hour_total) == (ZONE, 2, 10.0)
    assert series.hour_begins_ms == hour_of(ZONE, EIGHT_OCLOCK_MS) == EIGHT_OCLOCK_MS - 30 * MINUTE_MS
    assert clock.from_ms(series.day_begins_ms or 0).isoformat() == "2026-01-30T18:30:00+00:00"


async def test_it_is_known_when_a_sensor_was_heard_and_how_often_it_speaks(farm: Platform, store: ColdStore) -> None:
    instant = clock.from_ms(EIGHT_OCLOCK_MS + 90 * MINUTE_MS)
    clock.use(lambda: instant)
    await send(farm, store, make_series([4.0]))
    assert (await series_of(farm, store)).cadence_ms is None
    await send(farm, store, make_series([4.0] * 20, first_sequence=2, start_ms=EIGHT_OCLOCK_MS + MINUTE_MS))
    series = await series_of(farm, store)
    assert (series.cadence_ms, series.heard_at_ms) == (MINUTE_MS, clock.to_ms(instant))
    assert series.last_recorded_at_ms == EIGHT_OCLOCK_MS + 20 * MINUTE_MS


async def test_who_watches_a_place_is_woken_by_new_readings_and_not_by_old_ones(
    farm: Platform, store: ColdStore
) -> None:
    told: list[str] = []
    before = farm.database.on_announced
    farm.database.on_announced = told.extend
    try:
        await send(farm, store, make_series([4.0]))
        place = f"place:{store.tenant.organization.organization_id}:{store.room_id}"
        assert told.count(place) == 1
        await send(farm, store, make_series([4.0]))
        assert told.count(place) == 1
    finally:
        farm.database.on_announced = before
