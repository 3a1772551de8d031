"""The gateway judges and the cloud judges: one breach is one excursion, one hold, one notification."""

import uuid
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cloud_api.cold_chain.excursions import (
    MINUTE_MS,
    breaches_of,
    listed,
    the_only,
)
from tests.factories.batches import alarms_at_the_gateway, make_epoch, make_series, send
from tests.factories.farms import plant_sensor
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.properties import FEW
from tests.factories.stores import ColdStore, make_rule, receive
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

#: four minutes of breach, well again, and a worse one that goes on
SERIES = [4.0, 9.0, 9.5, 11.0, 9.0, 6.0, 10.0, 13.0, 10.0, 10.0]


async def notifications(store: ColdStore) -> list[Any]:
    found: list[Any] = await store.tenant.get("/api/v1/notifications", limit=200)
    return found


async def test_the_gateways_alarm_first_and_then_the_readings(farm: Platform, store: ColdStore) -> None:
    rule = await make_rule(store, duration_s=120)
    await receive(store)
    readings = make_series(SERIES[:4])
    [raised] = alarms_at_the_gateway(rule, readings)
    await send(farm, store, [raised], lane="alarms")
    before = await the_only(store)
    assert (before["status"], before["raised_by"], before["incident"]) == ("open", "gateway", raised["incident"])
    [level] = await store.tenant.get("/api/v1/warehouse/stock/levels")
    assert level["status"] == "on_hold"
    await send(farm, store, readings)
    assert await the_only(store) == before
    assert len(await notifications(store)) == 1


async def test_the_readings_first_and_then_the_gateways_alarm(farm: Platform, store: ColdStore) -> None:
    rule = await make_rule(store, duration_s=120)
    readings = make_series(SERIES[:4])
    await send(farm, store, readings)
    before = await the_only(store)
    [raised] = alarms_at_the_gateway(rule, readings)
    assert (before["raised_by"], before["incident"]) == ("cloud", raised["incident"])
    await send(farm, store, [raised], lane="alarms")
    assert await the_only(store) == before
    assert len(await notifications(store)) == 1


async def test_a_breach_that_is_over_before_its_readings_arrive_has_its_peak_all_the_same(
    farm: Platform, store: ColdStore
) -> None:
    rule = await make_rule(store, duration_s=120)
    readings = make_series([*SERIES[:3], 8.5, 14.0, 6.0])
    alarms = alarms_at_the_gateway(rule, readings)
    assert [alarm["event"] for alarm in alarms] == ["raised", "cleared"]
    await send(farm, store, alarms, lane="alarms")
    assert (await the_only(store))["status"] == "recovered"
    await send(farm, store, readings)
    assert await breaches_of(farm, store, store.sensor_id) == [("high", MINUTE_MS, 3 * MINUTE_MS, 5 * MINUTE_MS, 14.0)]
    assert (await the_only(store))["status"] == "recovered"
    assert len(await notifications(store)) == 1


async def test_a_worse_value_at_the_gateway_is_not_forgotten_for_what_we_have_seen(
    farm: Platform, store: ColdStore
) -> None:
    rule = await make_rule(store, duration_s=0)
    readings = make_series([9.0])
    [raised] = alarms_at_the_gateway(rule, readings)
    await send(farm, store, [{**raised, "value": 15.0}], lane="alarms")
    await send(farm, store, readings)
    assert (await the_only(store))["peak_value"] == 15.0


async def test_an_alarm_that_comes_again_from_a_restored_spool_opens_nothing_new(
    farm: Platform, store: ColdStore
) -> None:
    rule = await make_rule(store, duration_s=120)
    alarms = alarms_at_the_gateway(rule, make_series(SERIES[:6]))
    for _ in range(2):
        await send(farm, store, alarms, lane="alarms", epoch=make_epoch())
    assert [row["status"] for row in await listed(store)] == ["recovered"]
    assert len(await notifications(store)) == 1


@settings(FEW, max_examples=10)
@given(order=st.lists(st.tuples(st.sampled_from(["alarms", "readings"]), st.integers(1, 5)), max_size=6))
async def test_in_whatever_order_the_lanes_arrive_the_excursions_are_the_same(
    farm: Platform, store: ColdStore, order: list[tuple[str, int]]
) -> None:
    rules = await store.tenant.get("/api/v1/alerts/rules") or [await make_rule(store, duration_s=120)]
    code, epoch = f"z2m:{uuid.uuid4()}", make_epoch()
    sensor_id = await plant_sensor(farm, store.tenant, store.gateway_id, location_id=store.room_id, code=code)
    readings = [{**row, "sensor": code} for row in make_series(SERIES)]
    left = {"readings": readings, "alarms": alarms_at_the_gateway(rules[0], readings)}
    for lane, count in [*order, ("alarms", 9), ("readings", 99)]:
        rows, left[lane] = left[lane][:count], left[lane][count:]
        if rows:
            await send(farm, store, rows, epoch=epoch, lane=lane)
    assert await breaches_of(farm, store, sensor_id) == [
        ("high", 1 * MINUTE_MS, 3 * MINUTE_MS, 5 * MINUTE_MS, 11.0),
        ("high", 6 * MINUTE_MS, 8 * MINUTE_MS, None, 13.0),
    ]
