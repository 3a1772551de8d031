"""What follows from what people do: to alerts, excursions, rules and sensors; over the outbox where rooms are apart."""

from typing import Any

from tests.cloud_api.cold_chain.excursions import break_the_limit, judge_at_once, listed, make_sensor, measure, the_only
from tests.factories.batches import EIGHT_OCLOCK_MS, make_epoch, make_reading, make_series, send, stored_rows
from tests.factories.stores import ColdStore, make_cold_store, make_room, make_rule, receive
from tests.platform_under_test import Platform


async def alerts(store: ColdStore) -> list[Any]:
    found: list[Any] = await store.tenant.get("/api/v1/alerts", status=["open", "acknowledged", "resolved"])
    return found


async def test_who_answers_for_the_alert_answers_for_its_excursions(platform: Platform) -> None:
    store = await make_cold_store(platform)
    await judge_at_once(store)
    await judge_at_once(store, set_at=10, clear_at=9)
    await measure(platform, store, 12.0, sequence=1)
    [alert] = await alerts(store)
    await store.tenant.post(f"/api/v1/alerts/{alert['id']}/ack", {"comment": "the door was open"})
    await platform.deliver()
    said = [(row["status"], row["acknowledgement"]) for row in await listed(store)]
    assert said == [("acknowledged", "the door was open")] * 2


async def test_who_answers_for_an_excursion_answers_for_its_alert_and_the_others_of_it(platform: Platform) -> None:
    store = await make_cold_store(platform)
    await judge_at_once(store)
    await judge_at_once(store, set_at=10, clear_at=9)
    await measure(platform, store, 12.0, sequence=1)
    first = (await listed(store))[0]
    await store.tenant.post(f"/api/v1/excursions/{first['id']}/ack", {"note": "on my way"})
    assert [alert["status"] for alert in await alerts(store)] == ["acknowledged"]
    await platform.deliver()
    assert [row["status"] for row in await listed(store)] == ["acknowledged"] * 2


async def test_what_a_disabled_or_deleted_rule_has_raised_is_over(platform: Platform) -> None:
    store = await make_cold_store(platform)
    await receive(store)
    for disable in (True, False):
        rule = await judge_at_once(store)
        await make_sensor(store, code=f"z2m:{disable}")
        row = make_reading(1, 9.0, EIGHT_OCLOCK_MS, sensor=f"z2m:{disable}")
        await send(platform, store, [row], epoch=make_epoch())
        path = f"/api/v1/alerts/rules/{rule['id']}"
        if disable:
            await store.tenant.put(path, {"enabled": False})
        else:
            await store.tenant.client.delete(path)
        await platform.deliver()
        [excursion] = [one for one in await listed(store) if one["rule_id"] == rule["id"]]
        assert (excursion["status"], excursion["retracted_at"]) == ("recovered", None)
    [level] = await store.tenant.get("/api/v1/warehouse/stock/levels")
    assert level["status"] == "on_hold"  # a person decides


async def test_what_was_raised_at_a_sensor_that_was_taken_away_is_over(platform: Platform) -> None:
    store = await make_cold_store(platform)
    elsewhere = await make_room(store.tenant, store.warehouse_id)
    await judge_at_once(store)
    await break_the_limit(platform, store)
    await store.tenant.put(f"/api/v1/edge/sensors/{store.sensor_id}", {"location_id": elsewhere})
    await platform.deliver()
    excursion = await the_only(store)
    assert (excursion["status"], excursion["location_id"]) == ("recovered", store.room_id)
    await send(platform, store, [make_reading(2, 12.0)])
    assert await the_only(store) == excursion


async def test_a_rule_changed_while_a_backlog_comes_in_loses_no_reading(platform: Platform) -> None:
    store = await make_cold_store(platform)
    rule = await make_rule(store, duration_s=120)
    rows, versions = make_series([4.0] * 10 + [9.0] * 10), list[int]()
    for first in range(0, 20, 5):
        answer = await send(platform, store, rows[first : first + 5])
        versions.append(answer["config_version"])
        await store.tenant.put(f"/api/v1/alerts/rules/{rule['id']}", {"set_at": 7.9 - first / 100})
    assert len(await stored_rows(platform, store)) == 20
    assert versions == sorted(set(versions))
    assert (await the_only(store))["peak_value"] == 9.0


async def test_an_excursion_is_told_whole(platform: Platform) -> None:
    store = await make_cold_store(platform)
    await receive(store)
    rule = await judge_at_once(store)
    excursion = await break_the_limit(platform, store)
    path = f"/api/v1/excursions/{excursion['id']}"
    await store.tenant.post(f"{path}/ack", {"note": "on my way"})
    await store.tenant.post(f"{path}/actions", {"description": "shut the door"})
    await measure(platform, store, 4.0, sequence=2)
    await store.tenant.post(f"{path}/close", {"disposition": "release", "note": "cores are fine"})
    told = await store.tenant.get(path)
    assert (told["rule_id"], told["status"]) == (rule["id"], "closed")
    assert [action["description"] for action in told["actions"]] == ["shut the door"]
    happened = {moment["what"]: moment["said"] for moment in told["timeline"]}
    assert happened == {
        "started": "",
        "raised": "",
        "recovered": "",
        "acknowledged": "on my way",
        "acted": "shut the door",
        "closed": "cores are fine",
    }


async def test_excursions_are_found_by_place_status_and_time(platform: Platform) -> None:
    store = await make_cold_store(platform)
    rack = await make_room(store.tenant, store.warehouse_id, parent_id=store.room_id, location_type="rack")
    await judge_at_once(store)
    await make_sensor(store, code="z2m:rack", location_id=rack)
    await send(platform, store, [make_reading(1, 9.0, EIGHT_OCLOCK_MS, sensor="z2m:rack")])
    await measure(platform, store, 9.0, sequence=10)
    await measure(platform, store, 4.0, sequence=20)

    async def found(**query: Any) -> int:
        return len(await store.tenant.get("/api/v1/excursions", **query))

    assert (await found(location_id=store.room_id), await found(location_id=rack)) == (2, 1)
    assert (await found(status="open"), await found(status=["open", "recovered"])) == (1, 2)
    assert await found(until="2026-01-31T08:05:00Z") == 1
    assert await found(since="2026-01-31T08:30:00Z") == 1
    assert await found(retracted=True) == 2


async def test_an_excursion_shows_the_lots_it_touched(platform: Platform) -> None:
    store = await make_cold_store(platform)
    await receive(store)
    await judge_at_once(store)
    sensor = await make_sensor(store, code="z2m:now")
    await send(platform, store, [make_reading(1, 9.0, sensor="z2m:now")])
    excursion = await the_only(store)
    assert excursion["sensor_id"] == sensor["id"]
    [lot] = (await store.tenant.get(f"/api/v1/excursions/{excursion['id']}"))["lots"]
    assert (lot["location_id"], lot["to_at"]) == (store.room_id, None)
