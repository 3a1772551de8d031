"""The fleet: vehicles come in, are changed, go to the workshop, and say when their papers end."""

import csv
import io
from datetime import timedelta

import httpx2

from cloud_api.kernel import clock
from tests.cloud_api.console.screens import Screen, at_console
from tests.factories.farms import make_person
from tests.factories.orders import day_in, hire_driver
from tests.factories.roads import plant_road
from tests.platform_under_test import Platform, Tenant

FLEET = "/console/fleet"
SHIFTS = f"{FLEET}/shifts"
VEHICLES = "/api/v1/warehouse/fleet/vehicles"


async def make_van(tenant: Tenant, number: str = "KA-01-AB-1", **fields: object) -> str:
    """A van; its id."""
    return str((await tenant.post(VEHICLES, {"number": number, "capacity_g": 900_000, **fields}))["id"])


async def test_an_empty_fleet_says_what_vehicles_are_for(console: httpx2.AsyncClient) -> None:
    page = (await console.get(FLEET)).text
    assert "There are no vehicles yet" in page
    assert f'href="{FLEET}/new"' in page
    assert "No vehicle is like this" in (await console.get(f"{FLEET}?status=inactive")).text


async def test_a_new_vehicle_is_typed_in_kilograms_and_rupees(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    sent = {
        "number": "KA-01-AB-1234",
        "vehicle_type": "van",
        "fuel_type": "diesel",
        "capacity_kg": "750.5",
        "is_refrigerated": "true",
        "fuel_l_per_100km": "8.5",
        "cost_per_km": "12.50",
        "insurance_expires_on": day_in(10),
        "compartments.0.name": "Chilled",
        "compartments.0.storage_type": "cold_storage",
        "compartments.0.temperature_min_c": "2",
        "compartments.0.temperature_max_c": "8",
        "compartments.0.capacity_kg": "500",
        "compartments.1.name": "",
        "compartments.1.storage_type": "freezer",
    }
    answer = await console.post(FLEET, data=sent)
    assert answer.status_code == 303, answer.text
    [van] = await sqlite_platform.tenant.get(VEHICLES)
    assert answer.headers["location"] == f"{FLEET}/{van['id']}"
    assert (van["capacity_g"], van["cost_per_km_minor"], van["fuel_l_per_100km"]) == (750_500, 1_250, 8.5)
    [part] = van["compartments"]
    assert (part["name"], part["capacity_g"], part["temperature_max_c"]) == ("Chilled", 500_000, 8.0)
    assert "days left" in (await console.get(answer.headers["location"])).text


async def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_is_kept(console: httpx2.AsyncClient) -> None:
    sent = {
        "number": "no plate!",
        "vehicle_type": "van",
        "fuel_type": "diesel",
        "capacity_kg": "many",
        "model": "Tata Ace",
        "compartments.2.name": "Frozen",
        "compartments.2.storage_type": "freezer",
        "compartments.2.capacity_kg": "lots",
    }
    answer = await console.post(FLEET, data=sent)
    assert answer.status_code == 422
    for name in ("number", "capacity_kg"):
        assert f'id="e-{name}"' in answer.text
    assert 'id="e-2-capacity_kg"' in answer.text
    for typed in ("no plate!", "many", "Tata Ace", "lots"):
        assert f'value="{typed}"' in answer.text


async def test_an_edit_changes_what_was_typed_and_empties_what_was_emptied(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    driver_id, _ = await hire_driver(sqlite_platform, sqlite_platform.tenant)
    van = await make_van(sqlite_platform.tenant, driver_id=driver_id, permit_expires_on=day_in(3), co2_g_per_km=210)
    form = (await console.get(f"{FLEET}/{van}/edit")).text
    assert 'value="900"' in form
    sent = {
        "number": "KA-01-AB-2",
        "capacity_kg": "800",
        "driver_id": "",
        "permit_expires_on": "",
        "co2_g_per_km": "",
        "model": "Eicher",
    }
    assert (await console.post(f"{FLEET}/{van}", data=sent)).status_code == 303
    said = await sqlite_platform.tenant.get(f"{VEHICLES}/{van}")
    assert (said["number"], said["capacity_g"], said["model"]) == ("KA-01-AB-2", 800_000, "Eicher")
    assert (said["driver_id"], said["permit_expires_on"], said["co2_g_per_km"]) == (None, None, None)


async def test_papers_say_in_words_that_they_have_expired(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    past = (clock.now() - timedelta(days=4)).date().isoformat()
    van = await make_van(sqlite_platform.tenant, insurance_expires_on=past)
    listed = (await console.get(FLEET)).text
    assert "Expired" in listed
    assert "May not drive today" in listed
    assert "Overdue" in listed
    assert "It may not drive today" in (await console.get(f"{FLEET}/{van}")).text


async def test_a_vehicle_goes_to_the_workshop_and_what_was_done_is_written_down(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    van = await make_van(sqlite_platform.tenant)
    assert (await console.post(f"{FLEET}/{van}/status", data={"status": "maintenance"})).status_code == 303
    assert (await sqlite_platform.tenant.get(f"{VEHICLES}/{van}"))["status"] == "maintenance"
    sent = {"kind": "tyres", "done_on": clock.now().date().isoformat(), "cost": "4500", "odometer_km": "12000"}
    assert (await console.post(f"{FLEET}/{van}/maintenance", data=sent)).status_code == 303
    page = (await console.get(f"{FLEET}/{van}")).text
    assert "₹4,500.00" in page
    assert "12,000 km" in page
    wrong = await console.post(f"{FLEET}/{van}/maintenance", data={"kind": "tyres", "done_on": "", "note": "kept"})
    assert wrong.status_code == 422
    assert 'id="e-done_on"' in wrong.text
    assert 'value="kept"' in wrong.text


async def test_a_shift_is_added_and_taken_away(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    driver_id, _ = await hire_driver(sqlite_platform, sqlite_platform.tenant)
    van = await make_van(sqlite_platform.tenant, driver_id=driver_id)
    sent = {"user_id": driver_id, "weekday": "2", "on_date": "", "from_time": "06:00", "until_time": "14:00"}
    assert (await console.post(f"{FLEET}/{van}/shifts", data=sent)).status_code == 303
    [shift] = await sqlite_platform.tenant.get("/api/v1/warehouse/fleet/shifts", vehicle_id=van)
    assert shift["weekday"] == 2
    assert "Wednesday · 06:00–14:00" in (await console.get(f"{FLEET}/{van}")).text
    wrong = await console.post(f"{FLEET}/{van}/shifts", data={**sent, "until_time": "06:00"})
    assert wrong.status_code == 422
    assert "a shift has a length" in wrong.text
    assert (await console.post(f"{FLEET}/{van}/shifts/{shift['id']}/delete")).status_code == 303
    assert await sqlite_platform.tenant.get("/api/v1/warehouse/fleet/shifts", vehicle_id=van) == []


async def test_who_only_looks_is_offered_no_change(sqlite_platform: Platform) -> None:
    van = await make_van(sqlite_platform.tenant)
    viewer = await make_person(sqlite_platform, sqlite_platform.tenant, "viewer")
    async with at_console(sqlite_platform, viewer) as looking:
        assert "New vehicle" not in (await looking.get(FLEET)).text
        page = (await looking.get(f"{FLEET}/{van}")).text
        assert "Write down a visit" not in page
        assert "To the workshop" not in page
        assert (await looking.post(f"{FLEET}/{van}/status", data={"status": "inactive"})).status_code == 403
    packer = await make_person(sqlite_platform, sqlite_platform.tenant, "inventory_staff")
    async with at_console(sqlite_platform, packer) as packing:
        assert (await packing.get(FLEET)).status_code == 403


async def test_a_week_shows_who_drives_when_and_one_day_counts_instead_of_every_week(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    driver_id, _ = await hire_driver(sqlite_platform, sqlite_platform.tenant)
    van = await make_van(sqlite_platform.tenant)
    week = {"week": "2026-11-25"}
    assert "Nobody has a shift in this week" in (await console.get(SHIFTS, params=week)).text
    weekly = {"user_id": driver_id, "vehicle_id": van, "from_time": "06:00", "until_time": "14:30"}
    for day in (0, 3):
        sent = {**weekly, "weekday": str(day), "break_minutes": "30"}
        assert (await console.post(SHIFTS, params=week, data=sent)).status_code == 303
    off = {"user_id": driver_id, "on_date": "2026-11-26", "from_time": "06:00", "until_time": "14:30", "is_off": "true"}
    answer = await console.post(SHIFTS, params=week, data=off)
    assert answer.headers["location"] == f"{SHIFTS}?week=2026-11-23"
    page = (await console.get(SHIFTS, params=week)).text
    assert (page.count("06:00–14:30"), page.count("does not drive")) == (1, 1)
    assert (await console.get(SHIFTS, params={"week": "2026-12-01"})).text.count("06:00–14:30") == 2
    told = [row[1:] for row in rows_of(await console.get(f"{SHIFTS}/export", params=week))[1:]]
    assert told == [
        ["2026-11-23", "Yes", "06:00", "14:30", "30", "KA-01-AB-1"],
        ["2026-11-26", "No", "", "", "0", ""],
    ]


async def test_what_is_wrong_with_a_shift_stands_beside_its_field_and_a_shift_is_taken_away(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    driver_id, _ = await hire_driver(sqlite_platform, sqlite_platform.tenant)
    wrong = {"user_id": driver_id, "weekday": "1", "from_time": "", "until_time": "14:00", "break_minutes": "500"}
    refused = await console.post(SHIFTS, data=wrong)
    assert refused.status_code == 422
    assert 'id="e-break_minutes"' in refused.text
    assert (await console.post(SHIFTS, data={**wrong, "from_time": "06:00", "break_minutes": ""})).status_code == 303
    [shift] = await sqlite_platform.tenant.get("/api/v1/warehouse/fleet/shifts")
    edit = f"{SHIFTS}/{shift['id']}/edit"
    assert f'href="{edit}' in (await console.get(SHIFTS)).text
    assert 'value="06:00"' in (await console.get(edit)).text
    refused = await console.post(edit, data={**wrong, "from_time": "07:00"})
    assert refused.status_code == 422
    assert 'id="e-break_minutes"' in refused.text
    changed = {"weekday": "1", "on_date": "2026-12-24", "from_time": "07:00", "until_time": "15:00"}
    assert (await console.post(edit, data=changed)).status_code == 303
    [shift] = await sqlite_platform.tenant.get("/api/v1/warehouse/fleet/shifts", id=shift["id"])
    assert (shift["on_date"], shift["weekday"], shift["from_time"]) == ("2026-12-24", None, "07:00:00")
    nobodys = f"{SHIFTS}/00000000-0000-7000-8000-000000000000/edit"
    assert (await console.get(nobodys)).status_code == 404
    assert (await console.post(f"{SHIFTS}/{shift['id']}/delete")).status_code == 303
    assert await sqlite_platform.tenant.get("/api/v1/warehouse/fleet/shifts") == []


async def test_a_dispatcher_who_may_not_see_people_still_reads_who_drives(sqlite_platform: Platform) -> None:
    driver_id, _ = await hire_driver(sqlite_platform, sqlite_platform.tenant)
    van = await make_van(sqlite_platform.tenant, driver_id=driver_id)
    said = await sqlite_platform.tenant.get(f"{VEHICLES}/{van}")
    dispatcher = await make_person(sqlite_platform, sqlite_platform.tenant, "logistics_manager")
    async with at_console(sqlite_platform, dispatcher) as planning:
        assert said["driver_name"] in (await planning.get(FLEET)).text
        assert f'value="{driver_id}"' in (await planning.get(f"{FLEET}/{van}/edit")).text


async def test_vehicles_what_falls_due_and_their_use_become_files(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    road = await plant_road(sqlite_platform, doors=3)
    idle = await make_van(sqlite_platform.tenant, insurance_expires_on=day_in(10))
    [head, row] = rows_of(await console.get(f"{FLEET}/due/export"))
    assert dict(zip(head, row, strict=True)) == {
        "Vehicle": "KA-01-AB-1", "What": "Insurance", "Due on": day_in(10), "Overdue": "No"
    }  # fmt: skip
    assert f"{FLEET}/{idle}" in (await console.get(f"{FLEET}/due")).text
    rows = rows_of(await console.get(f"{FLEET}/use/export"))
    use = {line[0]: dict(zip(rows[0], line, strict=True)) for line in rows[1:]}
    driven = (await sqlite_platform.tenant.get(f"/api/v1/warehouse/routes/{road.route_id}"))["vehicle_number"]
    assert (use[driven]["Days driven"], use[driven]["Routes"], use[driven]["Stops"]) == ("1", "1", "3")
    assert use["KA-01-AB-1"]["Routes"] == "0"
    assert "1 of 2" in (await console.get(f"{FLEET}/use")).text
    numbers = {line[0] for line in rows_of(await console.get(f"{FLEET}/export"))[1:]}
    assert numbers == {driven, "KA-01-AB-1"}


async def test_the_calendar_and_the_use_of_vehicles_are_usable_by_everybody(
    screen: Screen, sqlite_platform: Platform
) -> None:
    driver_id, _ = await hire_driver(sqlite_platform, sqlite_platform.tenant)
    hours = {"user_id": driver_id, "weekday": 2, "from_time": "06:00", "until_time": "14:00"}
    await sqlite_platform.tenant.post("/api/v1/warehouse/fleet/shifts", hours)
    await plant_road(sqlite_platform)
    for path in (SHIFTS, f"{FLEET}/use", f"{FLEET}/due"):
        await screen.open(path)
        await screen.is_accessible()


def rows_of(file: httpx2.Response) -> list[list[str]]:
    """What stands in a CSV file."""
    return list(csv.reader(io.StringIO(file.content.decode("utf-8-sig"))))
