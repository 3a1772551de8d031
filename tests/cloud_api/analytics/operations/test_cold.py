"""How much of what was measured lay within the limits: counted from hours and days, held against every reading."""

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cloud_api.kernel import clock
from tests.factories.batches import make_reading, send
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.series import put_calibrations, put_places
from tests.factories.stores import ColdStore, make_room, make_warehouse
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

COMPLIANCE = "/api/v1/warehouse/analytics/compliance"
INDIA = ZoneInfo("Asia/Kolkata")
#: midnight of the first day, where the organisation is
BEGINS = datetime(2026, 1, 30, tzinfo=INDIA)
DAYS = {"from": "2026-01-30", "to": "2026-02-01"}
LOW, HIGH = 2.0, 8.0


async def limit(store: ColdStore, room_id: str, **limits: float | None) -> None:
    await store.tenant.put(f"/api/v1/warehouse/storage/locations/{room_id}", limits)


async def measured(farm: Platform, store: ColdStore, *readings: tuple[datetime, float]) -> None:
    rows = [make_reading(place, value, clock.to_ms(at)) for place, (at, value) in enumerate(readings, 1)]
    await send(farm, store, rows)


def told(said: Any) -> tuple[int, int, int, float | None]:
    return said["readings"], said["within"], said["crossing"], said["share"]


async def test_an_hour_on_one_side_of_the_limit_is_exact_and_one_that_crosses_it_is_told(
    farm: Platform, store: ColdStore
) -> None:
    await limit(store, store.room_id, temperature_min_c=LOW, temperature_max_c=HIGH)
    at = [BEGINS + timedelta(hours=hour) for hour in range(4)]
    await measured(farm, store, (at[0], 4.0), (at[0] + timedelta(minutes=5), 5.0), (at[1], 9.0), (at[2], 7.0))
    said = await store.tenant.get(COMPLIANCE, **DAYS)
    assert told(said["total"]) == (4, 3, 0, 0.75)
    await measured(farm, store, *[(at[0], 0.0)] * 4, (at[2] + timedelta(minutes=30), 9.0))
    said = await store.tenant.get(COMPLIANCE, **DAYS)
    assert told(said["total"]) == (5, 2, 2, 0.6), "an hour from 7 to 9: half of two, 3 of 5"
    assert (said["total"]["least"], said["total"]["most"]) == (0.4, 0.8)
    [place] = said["places"]
    assert place["location_id"] == store.room_id


@pytest.mark.parametrize("seed", [1, 2])
async def test_the_true_share_lies_between_the_least_and_the_most(farm: Platform, store: ColdStore, seed: int) -> None:
    drawn = random.Random(seed)
    await limit(store, store.room_id, temperature_min_c=LOW, temperature_max_c=HIGH)
    readings, value = [], 5.0
    for minute in range(0, 3 * 1_440, 20):
        value = min(11.0, max(0.0, value + drawn.uniform(-0.7, 0.7)))
        readings.append((BEGINS + timedelta(minutes=minute + drawn.random()), round(value, 3)))
    await measured(farm, store, *readings)
    changed = clock.to_ms(BEGINS + timedelta(hours=29))
    await put_calibrations(farm, store, [(-(1 << 62), 1.0, 0.0), (changed, 1.0, 0.5)])
    said = await store.tenant.get(COMPLIANCE, **DAYS)
    assert sum(one["readings"] for one in said["days"]) == len(readings) == said["total"]["readings"]
    for one in said["days"]:
        true = [
            LOW <= value + (0.5 if clock.to_ms(at) >= changed else 0.0) <= HIGH
            for at, value in readings
            if at.astimezone(INDIA).date() == date.fromisoformat(one["day"])
        ]
        assert one["readings"] == len(true)
        assert one["within"] <= sum(true) <= one["within"] + one["crossing"]
        assert one["least"] <= one["share"] <= one["most"]


async def test_a_reading_belongs_to_the_place_and_the_day_where_the_sensor_was(
    farm: Platform, store: ColdStore
) -> None:
    berlin = await make_warehouse(store.tenant, timezone="Europe/Berlin")
    freezer = await make_room(store.tenant, berlin, temperature_max_c=-18.0)
    await limit(store, store.room_id, temperature_max_c=HIGH)
    moved = BEGINS + timedelta(hours=30)
    await put_places(farm, store, store.room_id, (clock.to_ms(moved), freezer))
    # 23:30 on the 31st in Berlin is 04:00 on the 1st in India
    late = datetime(2026, 1, 31, 22, 30, tzinfo=UTC)
    await measured(farm, store, (BEGINS, 4.0), (moved - timedelta(hours=2), 4.0), (late, 4.0))
    said = await store.tenant.get(COMPLIANCE, **DAYS, by_place=True)
    found = {(one["location_id"], one["day"]): (one["readings"], one["within"]) for one in said["days"]}
    assert found == {
        (store.room_id, "2026-01-30"): (1, 1),
        (store.room_id, "2026-01-31"): (1, 1),
        (freezer, "2026-01-31"): (1, 0),
    }
    own = await store.tenant.get(COMPLIANCE, **DAYS, warehouse_id=berlin)
    assert told(own["total"]) == (1, 0, 0, 0.0)


async def test_a_place_without_limits_is_kept_as_what_it_lies_in_and_one_without_any_is_not_counted(
    farm: Platform, store: ColdStore
) -> None:
    await measured(farm, store, (BEGINS, 9.0))
    assert told((await store.tenant.get(COMPLIANCE, **DAYS))["total"]) == (0, 0, 0, None)
    around = await make_room(store.tenant, store.warehouse_id, temperature_max_c=HIGH)
    await store.tenant.put(f"/api/v1/warehouse/storage/locations/{store.room_id}", {"parent_id": around})
    said = await store.tenant.get(COMPLIANCE, **DAYS)
    assert told(said["total"]) == (1, 0, 0, 0.0)
    assert (await store.tenant.get("/api/v1/warehouse/operations/overview", **DAYS))["compliance_share"] == 0.0
