"""What only a gateway can see, that a sensor is silent or a value jumps, is kept and told to people once."""

from typing import Any

from tests.cloud_api.devices.boxes import path_of
from tests.factories.batches import EIGHT_OCLOCK_MS, make_alarm, make_epoch, send
from tests.factories.farms import make_person, plant_sensor
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.scopes import confine
from tests.factories.stores import ColdStore, make_room, make_rule, make_warehouse
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

MINUTE_MS = 60_000
WATCH = {
    "rule": "room-1-silent",
    "sensor": "z2m:cold-room-1",
    "quantity": "temperature",
    "kind": "silent",
    "duration_s": 600,
}


def silence(sequence: int, event: str, at_ms: int = EIGHT_OCLOCK_MS, **fields: Any) -> dict[str, Any]:
    return make_alarm(
        sequence, event, rule="room-1-silent", kind="silent", started_at_ms=EIGHT_OCLOCK_MS, at_ms=at_ms, **fields
    )


async def watch(store: ColdStore) -> None:
    await store.tenant.put(path_of(store, "/config"), {"watches": [WATCH]})


async def alarms(store: ColdStore) -> Any:
    return await store.tenant.get(path_of(store, "/alarms"))


async def notifications(store: ColdStore) -> Any:
    return await store.tenant.get("/api/v1/notifications", limit=200)


async def test_a_silent_sensor_is_told_once_and_the_alarm_ends(farm: Platform, store: ColdStore) -> None:
    await watch(store)
    await send(farm, store, [silence(1, "raised", value=600.0)], lane="alarms")
    [told] = await notifications(store)
    assert told["title"] == "z2m:cold-room-1: temperature is silent"
    assert "room-1-silent" in told["message"]
    [alarm] = await alarms(store)
    assert (alarm["kind"], alarm["rule"], alarm["value"], alarm["cleared_at"]) == (
        "silent",
        "room-1-silent",
        600.0,
        None,
    )
    await send(farm, store, [silence(2, "cleared", EIGHT_OCLOCK_MS + MINUTE_MS)], lane="alarms")
    [alarm] = await alarms(store)
    assert alarm["cleared_at"][:19] == "2026-01-31T08:01:00"
    assert len(await notifications(store)) == 1
    assert await store.tenant.get("/api/v1/excursions") == []


async def test_the_same_alarm_of_a_fresh_spool_is_the_same(farm: Platform, store: ColdStore) -> None:
    await watch(store)
    for _ in range(2):
        await send(farm, store, [silence(1, "raised")], lane="alarms", epoch=make_epoch())
    assert (len(await alarms(store)), len(await notifications(store))) == (1, 1)


async def test_an_alarm_of_a_watch_that_is_gone_is_kept_and_disturbs_nobody(farm: Platform, store: ColdStore) -> None:
    await send(farm, store, [silence(1, "raised"), silence(2, "cleared")], lane="alarms")
    assert (len(await alarms(store)), await notifications(store)) == (1, [])


async def test_an_end_whose_beginning_never_came_is_nothing(farm: Platform, store: ColdStore) -> None:
    await send(farm, store, [silence(1, "cleared")], lane="alarms")
    assert await alarms(store) == []


async def test_an_alarm_of_a_rule_is_an_excursion_and_told_once(farm: Platform, store: ColdStore) -> None:
    rule = await make_rule(store)
    raised = make_alarm(
        1, "raised", rule=rule["id"], started_at_ms=EIGHT_OCLOCK_MS, at_ms=EIGHT_OCLOCK_MS + 10 * MINUTE_MS
    )
    await send(farm, store, [raised], lane="alarms")
    [excursion] = await store.tenant.get("/api/v1/excursions")
    [alarm] = await alarms(store)
    assert (alarm["incident"], alarm["kind"]) == (excursion["incident"], "high")
    assert len(await notifications(store)) == 1


async def test_a_retired_sensor_alarms_nobody(farm: Platform, store: ColdStore) -> None:
    await watch(store)
    rule = await make_rule(store, duration_s=0)
    assert (await store.tenant.client.delete(f"/api/v1/edge/sensors/{store.sensor_id}")).status_code == 204
    raised = make_alarm(2, "raised", rule=rule["id"], started_at_ms=EIGHT_OCLOCK_MS, at_ms=EIGHT_OCLOCK_MS)
    await send(farm, store, [silence(1, "raised"), raised], lane="alarms")
    assert (await notifications(store), await store.tenant.get("/api/v1/excursions")) == ([], [])
    assert len(await alarms(store)) == 2


async def test_who_is_confined_to_a_warehouse_sees_the_alarms_there(farm: Platform, store: ColdStore) -> None:
    elsewhere = await make_warehouse(store.tenant)
    room = await make_room(store.tenant, elsewhere)
    await plant_sensor(farm, store.tenant, store.gateway_id, location_id=room, code="z2m:elsewhere")
    await send(farm, store, [silence(1, "raised"), silence(2, "raised", sensor="z2m:elsewhere")], lane="alarms")
    person = await make_person(farm, farm.tenant, "warehouse_manager")
    await confine(farm.tenant, person, store.warehouse_id)
    assert [row["sensor_id"] for row in await person.get(path_of(store, "/alarms"))] == [store.sensor_id]
    assert len(await alarms(store)) == 2
