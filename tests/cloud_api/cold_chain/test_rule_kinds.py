"""Rules of every kind: what each takes, what it raises, and what it leaves alone."""

from typing import Any

from cloud_api.kernel import clock
from tests.cloud_api.cold_chain.excursions import MINUTE_MS, breaches_of, judge_at_once, listed, make_sensor, the_only
from tests.factories.batches import EIGHT_OCLOCK_MS, Row, make_reading, make_series, send
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.stores import ColdStore, make_rule, receive
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

PATH = "/api/v1/alerts/rules"


async def alerts(store: ColdStore) -> list[tuple[str, str]]:
    return [
        (alert["alert_type"], alert["status"])
        for alert in await store.tenant.get("/api/v1/alerts", status=["open", "resolved"])
    ]


def measured(quantity: str, unit: str, *values: float, first: int = 1) -> list[Row]:
    """One a minute from eight o'clock on, and the first as many minutes later as its sequence says."""
    return [
        make_reading(first + index, value, EIGHT_OCLOCK_MS + (first + index) * MINUTE_MS, quantity=quantity, unit=unit)
        for index, value in enumerate(values)
    ]


async def test_what_a_kind_needs_is_asked_for(farm: Platform, store: ColdStore) -> None:
    body = {"name": "X", "location_id": store.room_id}
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("set_at", {"kind": "high"}),
        ("set_at", {"kind": "cumulative_low"}),
        ("change", {"kind": "rising"}),
        ("change", {"kind": "falling", "change": 0}),
        ("duration_s", {"kind": "rising", "change": 2, "duration_s": 0}),
        ("duration_s", {"kind": "cumulative_high", "set_at": 8, "duration_s": 0}),
        ("latched", {"kind": "cumulative_high", "set_at": 8, "latched": True}),
        ("quantity", {"kind": "high", "set_at": 8, "quantity": "any"}),
    ]
    for field, fields in wrong:
        answer = await store.tenant.client.post(PATH, json={**body, **fields})
        assert (answer.status_code, answer.json()["error"]["details"][0]["field"]) == (422, field), fields
    strange = {"kind": "silent", "escalation_policy_id": "01234567-89ab-7def-8123-456789abcdef"}
    assert (await store.tenant.client.post(PATH, json={**body, **strange})).status_code == 404
    assert await store.tenant.get(PATH) == []


async def test_a_deleted_rule_is_gone_and_its_name_is_free(farm: Platform, store: ColdStore) -> None:
    for _ in range(2):
        rule = await judge_at_once(store, name="Too warm")
        assert (await store.tenant.client.delete(f"{PATH}/{rule['id']}")).status_code == 204
        assert (await store.tenant.client.get(f"{PATH}/{rule['id']}")).status_code == 404
    assert await store.tenant.get(PATH) == []
    await send(farm, store, make_series([20.0]))
    assert await listed(store) == []


async def test_minutes_above_the_limit_are_counted_over_the_day(farm: Platform, store: ColdStore) -> None:
    await make_rule(store, kind="cumulative_high", set_at=8.0, clear_at=8.0, duration_s=240)
    await receive(store)
    await send(farm, store, make_series([9.0, 9.0, 9.0, 4.0, 4.0, 11.0]))
    assert await listed(store) == []  # three minutes so far
    await send(farm, store, make_series([4.0], first_sequence=7, start_ms=EIGHT_OCLOCK_MS + 6 * MINUTE_MS))
    assert await breaches_of(farm, store, store.sensor_id) == [("cumulative_high", 0, 6 * MINUTE_MS, None, 11.0)]
    [level] = await store.tenant.get("/api/v1/warehouse/stock/levels")
    assert level["status"] == "on_hold"
    assert await alerts(store) == [("cumulative", "open")]
    # the day of India ends at 18:30 UTC
    next_day_ms = EIGHT_OCLOCK_MS + 11 * 60 * MINUTE_MS
    await send(farm, store, [make_reading(8, 20.0, next_day_ms)])
    [(_, _, _, ended_ms, _)] = await breaches_of(farm, store, store.sensor_id)
    assert ended_ms == (10 * 60 + 30) * MINUTE_MS


async def test_air_and_core_are_judged_each_by_its_own_rule(farm: Platform, store: ColdStore) -> None:
    await judge_at_once(store)
    await judge_at_once(store, quantity="core_temperature", set_at=4, clear_at=4)
    await make_sensor(store, quantity="core_temperature")
    await send(farm, store, [make_reading(1, 6.0), *measured("core_temperature", "Cel", 3.0, first=2)])
    assert await listed(store) == []
    await send(farm, store, measured("core_temperature", "Cel", 5.0, first=3))
    excursion = await the_only(store)
    assert (excursion["quantity"], excursion["set_at"]) == ("core_temperature", 4.0)


async def test_an_empty_battery_is_an_alert_and_holds_no_goods(farm: Platform, store: ColdStore) -> None:
    await make_sensor(store, quantity="battery", unit="%")
    await make_rule(store, quantity="battery", kind="low", set_at=20, clear_at=30, duration_s=0, severity="warning")
    await receive(store)
    await send(farm, store, measured("battery", "%", 21.0, 20.0, 19.0, 25.0))
    assert (await alerts(store), await listed(store)) == ([("battery", "open")], [])
    [level] = await store.tenant.get("/api/v1/warehouse/stock/levels")
    assert level["status"] == "available"
    await send(farm, store, measured("battery", "%", 100.0, first=5))
    assert await alerts(store) == [("battery", "resolved")]


async def test_a_quick_rise_is_an_alert_until_it_slows_down(farm: Platform, store: ColdStore) -> None:
    await make_rule(store, kind="rising", set_at=None, clear_at=None, change=2.0, duration_s=600, severity="warning")
    await send(farm, store, make_series([4.0, 4.5, 5.0, 5.5]))
    assert await alerts(store) == []
    await send(farm, store, make_series([6.5], first_sequence=5, start_ms=EIGHT_OCLOCK_MS + 4 * MINUTE_MS))
    assert (await alerts(store), await listed(store)) == ([("rate", "open")], [])
    await send(farm, store, make_series([6.5] * 12, first_sequence=6, start_ms=EIGHT_OCLOCK_MS + 5 * MINUTE_MS))
    assert await alerts(store) == [("rate", "resolved")]


async def test_a_rise_whose_readings_come_in_disorder_is_seen_all_the_same(farm: Platform, store: ColdStore) -> None:
    await make_rule(store, kind="rising", set_at=None, clear_at=None, change=2.0, duration_s=600, severity="warning")
    now_ms = clock.now_ms()
    await send(farm, store, [make_reading(1, 4.2, now_ms - 4 * MINUTE_MS), make_reading(2, 6.1, now_ms)])
    assert await alerts(store) == []
    await send(farm, store, [make_reading(3, 4.0, now_ms - 3 * MINUTE_MS)])
    assert await alerts(store) == [("rate", "open")]


async def test_the_gateways_are_given_limits_only_and_a_latch_with_them(farm: Platform, store: ColdStore) -> None:
    await make_rule(store, kind="rising", set_at=None, clear_at=None, change=2.0)
    await make_rule(store, kind="cumulative_high", duration_s=60)
    await make_rule(store, kind="silent", set_at=None, clear_at=None)
    latched = await make_rule(store, latched=True)
    config = await store.tenant.get(f"/api/v1/edge/gateways/{store.gateway_id}/config")
    assert [(limit["rule"], limit["latched"]) for limit in config["limits"]] == [(latched["id"], True)]
    assert config["watches"] == []
