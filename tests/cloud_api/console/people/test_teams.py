"""Teams at the console."""

import httpx2

from tests.factories.farms import make_person
from tests.factories.scopes import id_of
from tests.platform_under_test import Platform

TEAMS = "/console/teams"


async def test_a_team_is_made_filled_renamed_and_dissolved(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    tenant = sqlite_platform.tenant
    lead, packer = [await id_of(await make_person(sqlite_platform, tenant, "inventory_staff")) for _ in range(2)]
    assert "No teams yet" in (await console.get(TEAMS)).text
    made = await console.post(TEAMS, data={"name": "Early shift", "description": "From four"})
    here = made.headers["location"]
    await console.post(f"{here}/members", data={"user_ids": [packer], "leads": [lead]})
    [team] = await tenant.get("/api/v1/teams")
    members = (await tenant.get(f"/api/v1/teams/{team['id']}"))["members"]
    assert {one["user_id"]: one["is_lead"] for one in members} == {lead: True, packer: False}
    await console.post(here, data={"name": "Late shift", "description": ""})
    [team] = await tenant.get("/api/v1/teams")
    assert (team["name"], team["description"], team["member_count"]) == ("Late shift", "", 2)
    refused = await console.post(TEAMS, data={"name": "Late shift"})
    assert (refused.status_code, 'id="e-name"' in refused.text) == (409, True)
    await console.post(f"{here}/dissolve")
    assert await tenant.get("/api/v1/teams") == []


async def test_what_the_filters_leave_of_the_people_is_a_file(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    driver = await make_person(sqlite_platform, sqlite_platform.tenant, "delivery_personnel")
    everybody = (await console.get("/console/people/export")).text
    assert driver.username in everybody
    assert sqlite_platform.tenant.username in everybody
    drivers = (await console.get("/console/people/export", params={"role": "delivery_personnel"})).text
    assert sqlite_platform.tenant.username not in drivers
    sheet = await console.get("/console/people/export", params={"format": "xlsx"})
    assert sheet.content.startswith(b"PK")
