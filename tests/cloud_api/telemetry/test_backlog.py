"""Live readings overtake a week of old ones: each is stored once, and nothing that was live is disturbed."""

from typing import Any

from tests.cloud_api.cold_chain.excursions import MINUTE_MS, breaches_of
from tests.factories.batches import EIGHT_OCLOCK_MS, make_batch, make_series, post, send_columns, stored_rows
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.stores import ColdStore, make_rule
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

HOUR_MS = 60 * MINUTE_MS


async def latest(store: ColdStore) -> Any:
    [row] = await store.tenant.get("/api/v1/telemetry/readings/latest", location_id=store.room_id)
    return row["value"], row["recorded_at"][:16]


async def test_old_readings_keep_their_sequences_in_a_lane_of_their_own(farm: Platform, store: ColdStore) -> None:
    live, old = make_series([4.0], first_sequence=1), make_series([5.0, 6.0], first_sequence=2)
    newest = make_series([7.0], first_sequence=4, start_ms=EIGHT_OCLOCK_MS + HOUR_MS)
    for lane, rows in (("readings", live), ("readings", newest), ("backlog", old), ("backlog", old)):
        await send_columns(farm, store, rows, lane=lane)
    assert [sequence for sequence, _, _ in await stored_rows(farm, store)] == [1, 4]
    assert [sequence for sequence, _, _ in await stored_rows(farm, store, lane="backlog")] == [2, 3]
    lanes = {row["lane"]: row for row in await store.tenant.get("/api/v1/telemetry/stats")}
    assert (lanes["readings"]["acked_through"], lanes["backlog"]["acked_through"]) == (4, 3)
    assert (lanes["backlog"]["accepted"], lanes["backlog"]["duplicates"]) == (2, 2)


async def test_the_same_sequence_at_the_same_instant_in_both_lanes_collides_with_nothing(
    farm: Platform, store: ColdStore
) -> None:
    for lane in ("readings", "backlog"):
        assert (await send_columns(farm, store, make_series([4.0, 5.0]), lane=lane))["accepted"] == 2


async def test_old_readings_as_objects_are_taken_too(farm: Platform, store: ColdStore) -> None:
    batch = {**make_batch(make_series([4.0])), "version": 2, "lane": "backlog"}
    assert (await post(farm, store, batch)).json()["data"]["accepted"] == 1


async def test_history_takes_no_last_value_back(farm: Platform, store: ColdStore) -> None:
    await send_columns(farm, store, make_series([7.0], start_ms=EIGHT_OCLOCK_MS + HOUR_MS))
    await send_columns(farm, store, make_series([4.0, 5.0]), lane="backlog")
    assert await latest(store) == (7.0, "2026-01-31T09:00")


async def test_a_breach_that_goes_on_is_not_disturbed_by_history(farm: Platform, store: ColdStore) -> None:
    await make_rule(store, duration_s=120)
    now = EIGHT_OCLOCK_MS + HOUR_MS
    await send_columns(farm, store, make_series([4.0, 9.0, 9.0], start_ms=now))
    await send_columns(farm, store, make_series([20.0] * 5 + [4.0] * 5 + [-5.0] * 5), lane="backlog")
    history = ("high", 0, 2 * MINUTE_MS, 5 * MINUTE_MS, 20.0)
    assert await breaches_of(farm, store, store.sensor_id) == [history]
    await send_columns(farm, store, make_series([9.5], first_sequence=4, start_ms=now + 3 * MINUTE_MS))
    live = ("high", HOUR_MS + MINUTE_MS, HOUR_MS + 3 * MINUTE_MS, None, 9.5)
    assert await breaches_of(farm, store, store.sensor_id) == [history, live]
    start_ms = EIGHT_OCLOCK_MS + 15 * MINUTE_MS
    await send_columns(farm, store, make_series([4.0] * 30, first_sequence=20, start_ms=start_ms), lane="backlog")
    assert await breaches_of(farm, store, store.sensor_id) == [history, live]


async def test_history_without_anything_live_is_judged_in_its_order(farm: Platform, store: ColdStore) -> None:
    await make_rule(store, duration_s=120)
    for start in range(0, 12, 4):
        rows = make_series([9.0] * 8 + [4.0] * 4)[start : start + 4]
        await send_columns(farm, store, rows, lane="backlog")
    assert await breaches_of(farm, store, store.sensor_id) == [("high", 0, 2 * MINUTE_MS, 8 * MINUTE_MS, 9.0)]
