"""When a series of readings is an excursion, and when it is none; the same however it is cut into batches."""

import itertools
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import rules
from tests.cloud_api.cold_chain.excursions import (
    MINUTE_MS,
    Breach,
    breaches_of,
    judge_at_once,
    listed,
    of,
    the_only,
)
from tests.factories.batches import EIGHT_OCLOCK_MS, Row, make_epoch, make_reading, make_series, send, stored_rows
from tests.factories.farms import plant_sensor
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.properties import FEW
from tests.factories.stores import ColdStore, make_room, make_rule, receive
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

TEN_MINUTES_MS = 10 * MINUTE_MS


async def breaches(farm: Platform, store: ColdStore) -> list[Breach]:
    return await breaches_of(farm, store, store.sensor_id)


async def told(store: ColdStore) -> int:
    return len(await store.tenant.get("/api/v1/notifications", limit=200))


async def test_a_breach_of_the_whole_duration_is_an_excursion_and_a_millisecond_less_is_none(
    farm: Platform, store: ColdStore
) -> None:
    await make_rule(store, duration_s=600)
    short = [make_reading(1, 9.0, EIGHT_OCLOCK_MS), make_reading(2, 9.5, EIGHT_OCLOCK_MS + TEN_MINUTES_MS - 1)]
    await send(farm, store, short)
    assert await breaches(farm, store) == []
    await send(farm, store, [make_reading(3, 9.2, EIGHT_OCLOCK_MS + TEN_MINUTES_MS)])
    assert await breaches(farm, store) == [("high", 0, TEN_MINUTES_MS, None, 9.5)]
    excursion = await the_only(store)
    assert (excursion["status"], excursion["raised_by"]) == ("open", "cloud")
    assert (excursion["set_at"], excursion["unit"], excursion["sensor_id"]) == (8.0, "Cel", store.sensor_id)


async def test_a_breach_that_ends_in_time_is_none(farm: Platform, store: ColdStore) -> None:
    await make_rule(store, duration_s=600)
    await send(farm, store, make_series([9.0] * 10 + [7.0] + [9.0] * 10))
    assert await breaches(farm, store) == []


async def test_zero_and_below_are_values_like_others(farm: Platform, store: ColdStore) -> None:
    await judge_at_once(store, set_at=8, clear_at=8)
    await judge_at_once(store, kind="low", set_at=0, clear_at=0)
    await send(farm, store, make_series([0.0, 8.0, -0.0]))
    assert await breaches(farm, store) == []
    await send(farm, store, make_series([-3.0, 0.0], first_sequence=4, start_ms=EIGHT_OCLOCK_MS + TEN_MINUTES_MS))
    assert await breaches(farm, store) == [("low", TEN_MINUTES_MS, TEN_MINUTES_MS, TEN_MINUTES_MS + MINUTE_MS, -3.0)]
    [alert] = await store.tenant.get("/api/v1/alerts")
    assert (alert["alert_type"], alert["count"]) == ("low_temp", 1)
    assert "below 0 °C" in alert["title"]
    assert "temperature -3.0 °C since 08:10" in alert["message"]
    assert [value for _, _, value in await stored_rows(farm, store)] == [0.0, 8.0, 0.0, -3.0, 0.0]


async def test_between_the_limits_nothing_changes(farm: Platform, store: ColdStore) -> None:
    await judge_at_once(store)
    await send(farm, store, make_series([7.5, 8.0, 8.1, 7.9, 8.1, 7.1, 8.2, 7.5]))
    assert await breaches(farm, store) == [("high", 2 * MINUTE_MS, 2 * MINUTE_MS, None, 8.2)]
    await send(farm, store, make_series([7.0], first_sequence=9, start_ms=EIGHT_OCLOCK_MS + TEN_MINUTES_MS))
    assert await breaches(farm, store) == [("high", 2 * MINUTE_MS, 2 * MINUTE_MS, TEN_MINUTES_MS, 8.2)]
    assert await told(store) == 1


async def test_the_same_value_twice_within_two_seconds_does_not_flap(farm: Platform, store: ColdStore) -> None:
    await judge_at_once(store)
    await send(farm, store, make_series([9.0, 9.0, 9.0], every_s=1.5))
    await send(farm, store, make_series([9.0, 9.0], first_sequence=4, start_ms=EIGHT_OCLOCK_MS + 3000, every_s=0))
    assert await breaches(farm, store) == [("high", 0, 0, None, 9.0)]
    assert await told(store) == 1


async def test_history_that_comes_late_is_judged_as_if_it_had_come_in_time(farm: Platform, store: ColdStore) -> None:
    await make_rule(store, duration_s=600)
    await send(farm, store, make_series([4.0], start_ms=EIGHT_OCLOCK_MS + 3 * TEN_MINUTES_MS))
    await send(farm, store, make_series([12.0] * 15), epoch=make_epoch())
    assert await breaches(farm, store) == [("high", 0, TEN_MINUTES_MS, 3 * TEN_MINUTES_MS, 12.0)]
    assert (await the_only(store))["status"] == "recovered"


async def test_a_room_can_be_too_warm_and_then_too_cold(farm: Platform, store: ColdStore) -> None:
    await judge_at_once(store)
    await judge_at_once(store, kind="low", set_at=2, clear_at=3)
    await send(farm, store, make_series([9.0, 1.0, 2.5]))
    assert await breaches(farm, store) == [
        ("high", 0, 0, MINUTE_MS, 9.0),
        ("low", MINUTE_MS, MINUTE_MS, None, 1.0),
    ]
    assert await told(store) == 2


async def test_a_milder_and_a_stricter_limit_have_an_excursion_each(farm: Platform, store: ColdStore) -> None:
    await judge_at_once(store)
    await judge_at_once(store, set_at=10, clear_at=9)
    await send(farm, store, make_series([9.5, 11.0]))
    await send(farm, store, make_series([12.0], first_sequence=3, start_ms=EIGHT_OCLOCK_MS + TEN_MINUTES_MS))
    assert [(row["set_at"], row["peak_value"], row["status"]) for row in await listed(store)] == [
        (8.0, 12.0, "open"),
        (10.0, 12.0, "open"),
    ]
    assert await told(store) == 1


async def test_what_the_sensor_itself_calls_bad_is_not_judged(farm: Platform, store: ColdStore) -> None:
    await judge_at_once(store)
    await send(farm, store, [make_reading(1, 85.0, EIGHT_OCLOCK_MS, quality="bad")])
    assert await breaches(farm, store) == []
    await send(farm, store, [make_reading(2, 9.0, EIGHT_OCLOCK_MS, quality="suspect")])
    assert await breaches(farm, store) == [("high", 0, 0, None, 9.0)]


async def test_calibrated_values_are_judged(farm: Platform, store: ColdStore) -> None:
    await judge_at_once(store)
    code = "z2m:calibrated"
    sensor_id = await plant_sensor(
        farm, store.tenant, store.gateway_id, location_id=store.room_id, code=code, offset=-1.0
    )
    await send(farm, store, of(code, make_series([8.5, 9.0])))
    assert await breaches_of(farm, store, sensor_id) == []
    start_ms = EIGHT_OCLOCK_MS + TEN_MINUTES_MS
    await send(farm, store, of(code, make_series([9.1], first_sequence=3, start_ms=start_ms)))
    [(_, _, _, _, peak)] = await breaches_of(farm, store, sensor_id)
    assert peak == pytest.approx(8.1)


async def test_a_sensor_on_a_rack_is_judged_by_the_rooms_rule_and_its_rack_is_held(
    farm: Platform, store: ColdStore
) -> None:
    rack = await make_room(store.tenant, store.warehouse_id, parent_id=store.room_id, location_type="rack")
    await plant_sensor(farm, store.tenant, store.gateway_id, location_id=rack, code="z2m:rack")
    await judge_at_once(store)
    await receive(store)
    await receive(store, location_id=rack)
    await send(farm, store, of("z2m:rack", make_series([9.0])))
    levels = await store.tenant.get("/api/v1/warehouse/stock/levels")
    assert {level["location_id"]: level["status"] for level in levels} == {store.room_id: "available", rack: "on_hold"}


def judged(rule: dict[str, object], rows: list[Row]) -> list[Breach]:
    """What the pure state machine makes of the whole series, in the order of time."""
    kind: rules.Kind = "high" if rule["kind"] == "high" else "low"
    limit = rules.Limit("x", kind, float(str(rule["set_at"])), float(str(rule["clear_at"])), 120.0)
    state, found = rules.State(), list[Breach]()
    for row in sorted(rows, key=lambda row: row["recorded_at_ms"]):
        state, event = rules.judge(limit, state, row["recorded_at_ms"], row["value"])
        if isinstance(event, rules.Raised):
            start_ms, raised_ms = event.started_at_ms - EIGHT_OCLOCK_MS, event.at_ms - EIGHT_OCLOCK_MS
            found.append((kind, start_ms, raised_ms, None, event.value))
        elif event is not None:
            _, start_ms, raised_ms, _, _ = found[-1]
            found[-1] = (kind, start_ms, raised_ms, event.at_ms - EIGHT_OCLOCK_MS, event.peak)
    if state.phase == "active" and state.peak is not None:
        found[-1] = (*found[-1][:4], state.peak)
    return found


@FEW
@given(
    series=st.lists(
        st.tuples(
            st.sampled_from([-3.0, 0.0, 0.5, 4.0, 7.0, 7.5, 8.5, 9.0, 12.0, 12.0, 12.0]),
            st.sampled_from([-30_000, 0, 1000, 60_000, 60_000, 120_000]),
        ),
        min_size=1,
        max_size=24,
    ),
    cuts=st.sets(st.integers(1, 23), max_size=8),
)
async def test_however_a_series_is_cut_into_batches_its_excursions_are_the_same(
    farm: Platform, store: ColdStore, series: list[tuple[float, int]], cuts: set[int]
) -> None:
    wanted = (
        {"kind": "high", "set_at": 8.0, "clear_at": 7.0, "duration_s": 120},
        {"kind": "low", "set_at": 0.0, "clear_at": 1.0, "duration_s": 120},
    )
    if not await store.tenant.get("/api/v1/alerts/rules"):
        for rule in wanted:
            await make_rule(store, **rule)
    code, epoch, at_ms, rows = f"z2m:{uuid.uuid4()}", make_epoch(), EIGHT_OCLOCK_MS, list[Row]()
    sensor_id = await plant_sensor(farm, store.tenant, store.gateway_id, location_id=store.room_id, code=code)
    for sequence, (value, step_ms) in enumerate(series, start=1):
        at_ms += step_ms
        rows.append(make_reading(sequence, value, at_ms, sensor=code))
    edges = [0, *sorted(cut for cut in cuts if cut < len(rows)), len(rows)]
    for start, end in itertools.pairwise(edges):
        await send(farm, store, rows[start:end], epoch=epoch)
    assert await breaches_of(farm, store, sensor_id) == sorted(
        breach for rule in wanted for breach in judged(rule, rows)
    )
