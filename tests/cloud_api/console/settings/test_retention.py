"""How long readings are kept: classes, sensors that have them, and holds with their release."""

import httpx2

from cloud_api.console.settings.retention import STANDARD
from cloud_api.telemetry.retention import queries
from tests.cloud_api.console.screens import at_console
from tests.factories.farms import make_person
from tests.factories.stores import make_cold_store
from tests.platform_under_test import Platform

HERE = "/console/settings/retention"
CLASSES, HOLDS = "/api/v1/telemetry/retention-classes", "/api/v1/telemetry/legal-holds"


def test_the_standard_is_that_of_the_api() -> None:
    assert (*STANDARD, None) == (queries.STANDARD.raw_days, queries.STANDARD.hours_days, queries.STANDARD.days_days)


async def test_a_class_is_made_given_to_a_sensor_and_deleted(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    store, tenant = await make_cold_store(sqlite_platform), sqlite_platform.tenant
    new = {"name": "Vaccines", "raw_days": "400", "hours_days": "90", "days_days": ""}
    wrong = await console.post(f"{HERE}/classes/new", data=new)
    assert wrong.status_code == 422
    assert "keep hours at least as long" in wrong.text
    assert 'value="90"' in wrong.text
    words = await console.post(f"{HERE}/classes/new", data={**new, "raw_days": "many"})
    assert 'id="e-raw_days"' in words.text
    assert (await console.post(f"{HERE}/classes/new", data={**new, "hours_days": ""})).status_code == 303
    [made] = await tenant.get(CLASSES)
    assert (made["name"], made["raw_days"], made["hours_days"]) == ("Vaccines", 400, None)

    sensor = f"/console/gateways/sensors/{store.sensor_id}"
    assert "400 days (Standard)" in (await console.get(sensor)).text
    await console.post(f"{sensor}/retention", data={"class_id": made["id"]})
    assert "400 days (Vaccines)" in (await console.get(sensor)).text
    for page in (HERE, f"{HERE}/classes/{made['id']}"):
        assert f'href="{sensor}"' in (await console.get(page)).text
    assert (await console.post(f"{HERE}/classes/{made['id']}/delete")).status_code == 409
    await console.post(f"{sensor}/retention", data={"class_id": ""})
    assert (await console.post(f"{HERE}/classes/{made['id']}/delete")).status_code == 303
    assert await tenant.get(CLASSES) == []


async def test_readings_of_a_sensor_and_of_a_place_are_held_and_released(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    store, tenant = await make_cold_store(sqlite_platform), sqlite_platform.tenant
    assert "Nothing is held" in (await console.get(HERE)).text
    form = await console.get(f"{HERE}/holds/new?sensor_id={store.sensor_id}")
    assert f'name="sensor_id" value="{store.sensor_id}"' in form.text
    days = {"from_at": "2026-01-01", "to_at": "2026-01-31"}
    wrong = await console.post(f"{HERE}/holds/new", data={"sensor_id": store.sensor_id, "reason": "", **days})
    assert wrong.status_code == 422
    assert 'id="e-reason"' in wrong.text
    assert 'value="2026-01-31"' in wrong.text
    await console.post(f"{HERE}/holds/new", data={"sensor_id": store.sensor_id, "reason": "Claim 17", **days})
    await console.post(f"{HERE}/holds/new", data={"location_id": store.room_id, "reason": "Claim 18"})
    place, sensor = await tenant.get(HOLDS)
    assert (sensor["from_at"], sensor["to_at"]) == ("2025-12-31T18:30:00Z", "2026-01-31T18:30:00Z"), "whole days here"
    assert (place["location_id"], place["from_at"]) == (store.room_id, None)
    page = (await console.get(HERE)).text
    assert "Claim 17" in page
    assert "deleted within hours, for good" in page
    await console.post(f"{HERE}/holds/{sensor['id']}/release")
    assert [hold["released_at"] is None for hold in await tenant.get(HOLDS)] == [True, False]
    assert f"{HERE}/holds/{sensor['id']}/release" not in (await console.get(HERE)).text


async def test_who_only_reads_is_offered_nothing(sqlite_platform: Platform) -> None:
    await make_cold_store(sqlite_platform)
    await sqlite_platform.tenant.post(CLASSES, {"name": "Salad", "raw_days": 90})
    viewer = await make_person(sqlite_platform, sqlite_platform.tenant, "inventory_staff")
    async with at_console(sqlite_platform, viewer) as client:
        page = (await client.get(HERE)).text
        assert "Salad" in page
        assert "/new" not in page
        assert (await client.get(f"{HERE}/classes/new")).status_code == 403
        assert (await client.get(f"{HERE}/holds/new")).status_code == 403
