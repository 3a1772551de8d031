"""A rule is made, changed, disabled; what contradicts itself is not taken."""

import uuid

from cloud_api.kernel import clock
from tests.cloud_api.cold_chain.excursions import (
    break_the_limit,
    judge_at_once,
    listed,
    make_sensor,
    measure,
    the_only,
)
from tests.factories.batches import EIGHT_OCLOCK_MS, make_alarm, make_reading, send
from tests.factories.farms import plant_sensor
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.stores import ColdStore, make_room, make_rule
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

PATH = "/api/v1/alerts/rules"


async def test_a_rule_is_kept_as_it_was_made_and_changed_field_by_field(farm: Platform, store: ColdStore) -> None:
    rule = await make_rule(store, name="Too warm", set_at=8, clear_at=7.5)
    assert await store.tenant.get(f"{PATH}/{rule['id']}") == rule
    changed = await store.tenant.put(f"{PATH}/{rule['id']}", {"set_at": 0.0, "clear_at": 0.0})
    assert changed == {**rule, "set_at": 0.0, "clear_at": 0.0, "version": 2}
    assert await store.tenant.get(PATH) == [changed]


async def test_a_rule_that_cannot_be_is_refused(farm: Platform, store: ColdStore) -> None:
    body = {"name": "Warm", "location_id": store.room_id, "kind": "high", "set_at": 8, "clear_at": 7}
    wrong: list[tuple[int, str, dict[str, object]]] = [
        (422, "clear_at", {"clear_at": 8.1}),
        (422, "clear_at", {"kind": "low", "set_at": 0, "clear_at": -1}),
        (422, "kind", {"kind": "sideways"}),
        (422, "duration_s", {"duration_s": -1}),
        (422, "set_at", {"set_at": "NaN"}),
        (404, "location_id", {"location_id": str(uuid.uuid4())}),
    ]
    for status, field, change in wrong:
        answer = await store.tenant.client.post(PATH, json={**body, **change})
        assert (answer.status_code, answer.json()["error"]["details"][0]["field"]) == (status, field)
    assert await store.tenant.get(PATH) == []


async def test_a_change_that_would_contradict_the_rest_changes_nothing(farm: Platform, store: ColdStore) -> None:
    rule, other = await make_rule(store), await make_rule(store)
    for change, status in (({"set_at": 6.9}, 422), ({"name": other["name"]}, 409), ({"kind": "low"}, 422)):
        answer = await store.tenant.client.put(f"{PATH}/{rule['id']}", json=change)
        assert answer.status_code == status, change
    assert await store.tenant.get(f"{PATH}/{rule['id']}") == rule


async def test_a_change_of_what_somebody_else_has_changed_is_refused(farm: Platform, store: ColdStore) -> None:
    rule = await make_rule(store)
    assert (await store.tenant.put(f"{PATH}/{rule['id']}", {"name": "Mine", "version": 1}))["version"] == 2
    answer = await store.tenant.client.put(f"{PATH}/{rule['id']}", json={"name": "Also mine", "version": 1})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "STALE_VERSION")
    assert (await store.tenant.get(f"{PATH}/{rule['id']}"))["name"] == "Mine"


async def test_rules_are_listed_by_the_place_in_which_they_hold(farm: Platform, store: ColdStore) -> None:
    over, elsewhere = await make_rule(store), await make_room(store.tenant, store.warehouse_id)
    rack = await make_room(store.tenant, store.warehouse_id, parent_id=store.room_id, location_type="rack")
    low = {"name": "Frozen", "location_id": rack, "kind": "low", "set_at": 0.0, "clear_at": 1.0}
    own = await store.tenant.post(PATH, low)
    off = await store.tenant.put(f"{PATH}/{over['id']}", {"enabled": False})

    async def found(**asked: object) -> list[str]:
        return [rule["id"] for rule in await store.tenant.get(PATH, **asked)]

    assert await found(location_id=rack) == [own["id"], over["id"]]
    assert await found(location_id=store.room_id) == [off["id"]]
    assert await found(location_id=elsewhere) == []
    assert await found(kind="low") == await found(enabled=True) == [own["id"]]


async def test_a_disabled_rule_stays_silent_whoever_judges(farm: Platform, store: ColdStore) -> None:
    rule = await judge_at_once(store)
    await store.tenant.put(f"{PATH}/{rule['id']}", {"enabled": False})
    await measure(farm, store, 9.0, sequence=1)
    alarm = make_alarm(1, "raised", rule=rule["id"], started_at_ms=EIGHT_OCLOCK_MS, at_ms=EIGHT_OCLOCK_MS)
    await send(farm, store, [alarm], lane="alarms")
    assert await listed(store) == []
    await store.tenant.put(f"{PATH}/{rule['id']}", {"enabled": True})
    assert (await break_the_limit(farm, store, sequence=2))["status"] == "open"


async def test_the_end_of_a_breach_counts_also_when_its_rule_was_disabled_meanwhile(
    farm: Platform, store: ColdStore
) -> None:
    rule = await judge_at_once(store)
    raised = make_alarm(1, "raised", rule=rule["id"], started_at_ms=EIGHT_OCLOCK_MS, at_ms=EIGHT_OCLOCK_MS)
    await send(farm, store, [raised], lane="alarms")
    await store.tenant.put(f"{PATH}/{rule['id']}", {"enabled": False})
    await send(farm, store, [{**raised, "sequence": 2, "event": "cleared"}], lane="alarms")
    assert (await the_only(store))["status"] == "recovered"


async def test_an_alarm_of_a_rule_we_do_not_know_opens_nothing(farm: Platform, store: ColdStore) -> None:
    strange = make_alarm(1, "raised", rule="no rule of ours", started_at_ms=EIGHT_OCLOCK_MS, at_ms=EIGHT_OCLOCK_MS)
    cleared = {**strange, "sequence": 2, "event": "cleared"}
    assert (await send(farm, store, [strange, cleared], lane="alarms"))["accepted"] == 2
    assert await listed(store) == []


async def test_a_sensor_without_a_place_breaks_no_rule(farm: Platform, store: ColdStore) -> None:
    await judge_at_once(store)
    code = "z2m:nowhere"
    sensor_id = await plant_sensor(farm, store.tenant, store.gateway_id, location_id=None, code=code)
    await send(farm, store, [make_reading(1, 9.0, sensor=code)])
    assert await listed(store) == []
    await store.tenant.put(f"/api/v1/edge/sensors/{sensor_id}", {"location_id": store.room_id})
    await send(farm, store, [make_reading(2, 9.0, clock.now_ms(), sensor=code)])
    assert (await the_only(store))["location_id"] == store.room_id


async def test_rules_judge_the_quantity_they_are_about(farm: Platform, store: ColdStore) -> None:
    await judge_at_once(store, quantity="humidity")
    await make_sensor(store, quantity="humidity", unit="%")
    await measure(farm, store, 9.0, sequence=1)
    assert await listed(store) == []
    await send(farm, store, [make_reading(2, 90.0, quantity="humidity", unit="%")])
    assert (await the_only(store))["quantity"] == "humidity"
