"""The temperature log: hours of sensors, what people read off, and the alerts that came of either."""

from typing import Any

from tests.cloud_api.cold_chain.stories import Story
from tests.factories.farms import make_farm, make_person
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.stores import ColdStore, make_room, make_rule
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

LOGS = "/api/v1/warehouse/temperature/logs"
ALERTS = "/api/v1/warehouse/temperature/alerts"


async def log(story: Story, since: float, until: float) -> list[Any]:
    asked = {"since": story.at(since).isoformat(), "until": story.at(until).isoformat()}
    found: list[Any] = await story.store.tenant.get(LOGS, location_id=story.store.room_id, **asked)
    return found


async def read_off(store: ColdStore, value: float, **fields: Any) -> Any:
    return await store.tenant.post(LOGS, {"location_id": store.room_id, "value": value, **fields})


async def test_the_log_has_hours_of_sensors_and_what_people_read_off(farm: Platform, store: ColdStore) -> None:
    story = Story(farm, store)
    await story.measure([4.0] * 30 + [6.0] * 30)
    await story.measure([80.0] * 60, quantity="humidity", unit="%")
    await read_off(store, 5.5, measured_at=story.at(90).isoformat(), note="fluke 51")
    found = await log(story, 0, 120)
    assert [(row["source"], row["temperature"], row["humidity"]) for row in found] == [
        ("gateway", None, 80.0),
        ("gateway", 5.0, None),
        ("manual", 5.5, None),
    ]
    assert (found[1]["minimum"], found[1]["maximum"], found[1]["sensor_id"]) == (4.0, 6.0, store.sensor_id)
    assert {row["alert_triggered"] for row in found} == {False}


async def test_an_hour_of_an_excursion_says_so(farm: Platform, store: ColdStore) -> None:
    story = Story(farm, store)
    await make_rule(store, duration_s=0)
    await story.measure([4.0] * 60 + [9.0] * 30 + [4.0] * 30)
    assert [(row["alert_triggered"], row["alert_type"]) for row in await log(story, 0, 120)] == [
        (False, None),
        (True, "high_temp"),
    ]
    assert [alert["alert_type"] for alert in await store.tenant.get(ALERTS)] == ["high_temp"]


async def test_what_somebody_reads_off_is_judged_at_once(farm: Platform, store: ColdStore) -> None:
    rule = await make_rule(store, set_at=8.0)
    assert (await read_off(store, 8.0))["broken"] == []
    assert await store.tenant.get(ALERTS) == []
    warm = await read_off(store, 9.5)
    assert (warm["alert_type"], [one["rule_id"] for one in warm["broken"]]) == ("high_temp", [rule["id"]])
    [alert] = await store.tenant.get(ALERTS, location_id=store.room_id)
    assert (alert["alert_type"], alert["location_id"]) == ("high_temp", store.room_id)
    assert await store.tenant.get("/api/v1/excursions") == []


async def test_a_place_says_itself_what_it_is_kept_at_zero_included(farm: Platform, store: ColdStore) -> None:
    room = await make_room(store.tenant, store.warehouse_id, temperature_min_c=0, temperature_max_c=8)
    for value, kind in ((0.0, []), (-3.0, ["low"]), (8.0, []), (8.1, ["high"])):
        found = await read_off(store, value, location_id=room)
        assert [one["kind"] for one in found["broken"]] == kind
        assert found["alert_type"] == {(): None, ("low",): "low_temp", ("high",): "high_temp"}[tuple(kind)]


async def test_a_reading_within_the_limits_ends_what_the_one_before_raised(farm: Platform, store: ColdStore) -> None:
    await make_rule(store, severity="warning")
    await read_off(store, 9.5)
    await read_off(store, 4.0)
    [alert] = await store.tenant.get(ALERTS)
    assert (alert["status"], alert["resolved_at"] is not None) == ("resolved", True)


async def test_who_may_write_and_what_cannot_be(farm: Platform, store: ColdStore) -> None:
    viewer = await make_person(farm, store.tenant, "viewer")
    body = {"location_id": store.room_id, "value": 4.0}
    assert (await viewer.client.post(LOGS, json=body)).status_code == 403
    stranger = await make_farm(farm)
    assert (await stranger.client.post(LOGS, json=body)).status_code == 404
    for wrong in ({"value": 1e9}, {"measured_at": "2100-01-01T00:00:00Z"}, {"measured_at": "2026-01-01T00:00:00"}):
        assert (await store.tenant.client.post(LOGS, json={**body, **wrong})).status_code == 422
    period = {"since": "2026-01-01T00:00:00Z", "until": "2026-03-01T00:00:00Z", "location_id": store.room_id}
    assert (await store.tenant.client.get(LOGS, params=period)).status_code == 422
