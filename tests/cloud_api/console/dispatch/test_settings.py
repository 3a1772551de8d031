"""How an organisation plans, and what planning has saved."""

import re

import httpx2

from tests.cloud_api.console.dispatch.conftest import DayToPlan
from tests.cloud_api.console.typed import form_on
from tests.platform_under_test import Platform

PATH = "/console/dispatch/constraints"


async def test_constraints_are_typed_as_people_count(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    tenant = sqlite_platform.tenant
    typed = {
        "version": "0",
        "objective": "cost",
        "service_time_s": "5.5",
        "max_distance_m": "120",
        "fuel_price_minor_per_l": "102.5",
        "weekday_factors.8": "1.6",
    }
    assert (await console.post(PATH, data=typed)).status_code == 303
    said = await tenant.get("/api/v1/dispatch/constraints")
    assert (said["objective"], said["service_time_s"], said["max_distance_m"]) == ("cost", 330, 120_000)
    assert (said["fuel_price_minor_per_l"], said["max_stops"], said["learn_service_times"]) == (10_250, None, False)
    assert said["weekday_factors"] == [1.0] * 8 + [1.6] + [1.0] * 15
    assert said["weekend_factors"] == []
    shown = (await console.get(PATH)).text
    assert 'name="service_time_s" value="5.5"' in shown
    assert 'name="fuel_price_minor_per_l" value="102.5"' in shown


async def test_wrong_constraints_are_said_beside_their_fields(console: httpx2.AsyncClient) -> None:
    refused = await console.post(PATH, data={"objective": "time", "speed_kmh": "900", "rest_s": "long"})
    assert refused.status_code == 422
    assert 'name="speed_kmh" value="900"' in refused.text
    assert 'name="rest_s" value="long"' in refused.text
    assert refused.text.count('aria-invalid="true"') == 2


async def test_constraints_that_somebody_else_changed_are_not_overwritten(console: httpx2.AsyncClient) -> None:
    assert (await console.post(PATH, data={"objective": "time", "version": "0"})).status_code == 303
    stale = await console.post(PATH, data={"objective": "fuel", "version": "0"})
    assert stale.status_code == 409
    assert "Somebody else has changed it meanwhile" in stale.text
    assert re.search(r"Keep small.{,80}Time.{,80}Fuel", stale.text, re.DOTALL)
    again = await console.post(PATH, data={"objective": "fuel", **form_on(stale.text, PATH)})
    assert again.status_code == 303
    assert 'value="fuel" selected' in (await console.get(PATH)).text


async def test_history_says_what_plans_saved(console: httpx2.AsyncClient, day: DayToPlan) -> None:
    empty = await console.get("/console/dispatch/history")
    assert "Nothing has been planned yet" in empty.text
    await day.tenant.post(f"/api/v1/dispatch/jobs/{await day.planned()}/apply", {})
    shown = await console.get("/console/dispatch/history")
    routes = await day.tenant.get("/api/v1/warehouse/routes")
    assert all(route["number"] in shown.text for route in routes)
    assert "Distance saved" in shown.text
    chart = (await console.get("/console/dispatch/history/chart.json")).json()
    assert [each["name"] for each in chart["series"]] == ["Planned", "Driven"]
