"""A van's own life: what is known of it, its workshop, its papers, its end."""

import itertools
import uuid
from datetime import timedelta

import pytest
from sqlalchemy import select

from cloud_api.kernel import clock
from cloud_api.kernel.outbox import OutboxEvent
from cloud_api.kernel.states import InvalidTransition
from cloud_api.logistics.fleet.maintenance import remind_of_due
from cloud_api.logistics.fleet.states import VEHICLE, VehicleAction, VehicleStatus
from tests.cloud_api.logistics.deliveries.rounds import make_round
from tests.cloud_api.logistics.fleet.fleets import MAINTENANCE, SHIFTS, VEHICLES, hire, make_shift, make_van
from tests.factories.farms import make_farm, make_person
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.orders import day_in, today
from tests.factories.scopes import id_of, make_keeper
from tests.factories.stores import ColdStore, make_warehouse
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

ACTIVE, WORKSHOP, RETIRED = VehicleStatus
SEND, BRING_BACK, RETIRE = VehicleAction
LIFE = {
    (ACTIVE, SEND): WORKSHOP,
    (ACTIVE, RETIRE): RETIRED,
    (WORKSHOP, BRING_BACK): ACTIVE,
    (WORKSHOP, RETIRE): RETIRED,
    (RETIRED, BRING_BACK): ACTIVE,
}


@pytest.mark.parametrize(("state", "action"), [*itertools.product(VehicleStatus, VehicleAction)])
async def test_a_vehicle_lives_as_its_table_says(state: VehicleStatus, action: VehicleAction) -> None:
    if (state, action) in LIFE:
        assert VEHICLE.apply(state, action) == LIFE[state, action]
    else:
        with pytest.raises(InvalidTransition):
            VEHICLE.apply(state, action)


async def test_a_van_is_made_with_what_was_enough_before(farm: Platform) -> None:
    van = await farm.tenant.post(VEHICLES, {"number": "KA-01-AB-1234", "capacity_g": 500_000})
    assert (van["vehicle_type"], van["fuel_type"], van["status"], van["compartments"]) == (
        "van",
        "diesel",
        "active",
        [],
    )
    assert (van["odometer_km"], van["insurance_expires_on"], van["not_available"]) == (0, None, "")


async def test_what_is_not_sent_stays_and_compartments_are_replaced_as_a_whole(farm: Platform) -> None:
    part = {"name": "Chilled", "storage_type": "cold_storage", "capacity_g": 400_000}
    van = await make_van(farm.tenant, model="Tata Ace", compartments=[part])
    path = f"{VEHICLES}/{van['id']}"
    changed = await farm.tenant.put(path, {"odometer_km": 12_000})
    assert (changed["model"], changed["odometer_km"], len(changed["compartments"])) == ("Tata Ace", 12_000, 1)
    frozen = {"name": "Frozen", "storage_type": "freezer", "capacity_g": 300_000, "temperature_max_c": -18}
    changed = await farm.tenant.put(path, {"compartments": [frozen]})
    assert [one["name"] for one in changed["compartments"]] == ["Frozen"]
    assert await farm.tenant.get(path) == changed


async def test_another_number_plate_is_its_places_name_too(farm: Platform) -> None:
    van = await make_van(farm.tenant)
    await farm.tenant.put(f"{VEHICLES}/{van['id']}", {"number": f"MH-{van['number']}"})
    place = await farm.tenant.get(f"/api/v1/warehouse/storage/locations/{van['location_id']}")
    assert (place["code"], place["name"]) == (f"MH-{van['number']}", f"Van MH-{van['number']}")


async def test_parts_carry_no_more_than_the_whole(farm: Platform) -> None:
    part = {"name": "Chilled", "storage_type": "cold_storage", "capacity_g": 400_000}
    answer = await farm.tenant.client.post(
        VEHICLES, json={"number": "KA-9", "capacity_g": 399_999, "compartments": [part]}
    )
    assert (answer.status_code, "400000 g" in answer.text) == (422, True)
    van = await make_van(farm.tenant, compartments=[part])
    for body in ({"capacity_g": 399_999}, {"compartments": [part, {**part, "name": "More", "capacity_g": 900_000}]}):
        answer = await farm.tenant.client.put(f"{VEHICLES}/{van['id']}", json=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "COMPARTMENTS_TOO_LARGE")
    assert await farm.tenant.get(f"{VEHICLES}/{van['id']}") == van


async def test_figures_that_cannot_be_are_refused(farm: Platform) -> None:
    van = await make_van(farm.tenant)
    wrong: list[dict[str, object]] = [
        {"compartments": [{"name": "A", "storage_type": "freezer", "capacity_g": 1}] * 2},
        {"compartments": [{"name": "A", "storage_type": "oven", "capacity_g": 1}]},
        {"fuel_type": "coal"},
        {"fuel_l_per_100km": 0},
        {"odometer_km": -1},
        {"status": "stolen"},
        {"driver_id": "00000000-0000-7000-8000-000000000000"},
        {"wheels": 4},
    ]
    for body in wrong:
        answer = await farm.tenant.client.put(f"{VEHICLES}/{van['id']}", json=body)
        assert answer.status_code == 422, (body, answer.text)
    assert await farm.tenant.get(f"{VEHICLES}/{van['id']}") == van


async def test_into_the_workshop_and_out_of_it(farm: Platform) -> None:
    van = await make_van(farm.tenant)
    path = f"{VEHICLES}/{van['id']}"
    sent = await farm.tenant.put(path, {"status": "maintenance"})
    assert sent["not_available"] == f"{van['number']} is in maintenance"
    assert (await farm.tenant.put(path, {"status": "maintenance"}))["status"] == "maintenance"
    assert [row["id"] for row in await farm.tenant.get(VEHICLES, status="maintenance")] == [van["id"]]
    assert (await farm.tenant.put(path, {"status": "active"}))["not_available"] == ""
    async with farm.database.unit_of_work(farm.tenant.organization, read_only=True) as db:
        told = await db.scalars(select(OutboxEvent.payload).where(OutboxEvent.type == "VehicleWithdrawn"))
        assert told.all() == [{"vehicle_id": van["id"], "why": "maintenance"}]


async def test_a_retired_van_stays_in_the_books_and_can_come_back(farm: Platform) -> None:
    van = await make_van(farm.tenant)
    path = f"{VEHICLES}/{van['id']}"
    for _ in range(2):
        answer = await farm.tenant.client.delete(path)
        assert (answer.status_code, answer.json()["data"]["status"]) == (200, "inactive")
    refused = await farm.tenant.client.put(path, json={"status": "maintenance"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "INVALID_TRANSITION")
    assert (await farm.tenant.put(path, {"status": "active"}))["status"] == "active"


async def test_a_van_with_work_before_it_is_not_retired(farm: Platform) -> None:
    route = await (await make_round(farm)).route()
    path = f"{VEHICLES}/{route['vehicle_id']}"
    for answer in (
        await farm.tenant.client.delete(path),
        await farm.tenant.client.put(path, json={"status": "inactive", "model": "Scrap"}),
    ):
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "VEHICLE_ON_ROUTE")
        assert route["number"] in answer.json()["error"]["message"]
    van = await farm.tenant.get(path)
    assert (van["status"], van["model"]) == ("active", "")
    assert (await farm.tenant.put(path, {"status": "maintenance"}))["status"] == "maintenance"


async def test_a_van_at_home_elsewhere_is_not_seen(farm: Platform, store: ColdStore) -> None:
    elsewhere = await make_warehouse(farm.tenant)
    mine, theirs, anyones = [
        (await make_van(farm.tenant, home_warehouse_id=home))["id"] for home in (store.warehouse_id, elsewhere, None)
    ]
    keeper = await make_keeper(farm, store.warehouse_id)
    assert {row["id"] for row in await keeper.get(VEHICLES)} == {mine, anyones}
    assert (await keeper.client.put(f"{VEHICLES}/{theirs}", json={"model": "x"})).status_code == 404
    moved = await keeper.client.put(f"{VEHICLES}/{mine}", json={"home_warehouse_id": elsewhere})
    assert moved.status_code == 404
    visit = {"vehicle_id": theirs, "kind": "service", "done_on": "2026-01-31"}
    assert (await keeper.client.post(MAINTENANCE, json=visit)).status_code == 404


async def test_a_visit_to_the_workshop_moves_the_odometer_and_the_next_one(farm: Platform) -> None:
    day = today()
    van = await make_van(farm.tenant, odometer_km=10_000, next_maintenance_on=(day - timedelta(days=3)).isoformat())
    due = {"vehicle_id": van["id"], "number": van["number"], "what": "maintenance"}
    before = await farm.tenant.get(MAINTENANCE, within_days=0)
    assert before["due"] == [{**due, "due_on": van["next_maintenance_on"], "is_overdue": True}]
    done_on, next_on = (day - timedelta(days=1)).isoformat(), (day + timedelta(days=20)).isoformat()
    visit = {"vehicle_id": van["id"], "kind": "service", "done_on": done_on, "cost_minor": 450_000}
    await farm.tenant.post(MAINTENANCE, {**visit, "odometer_km": 12_345, "next_due_on": next_on})
    await farm.tenant.post(MAINTENANCE, {**visit, "kind": "tyres", "odometer_km": 12_000})
    after = await farm.tenant.get(MAINTENANCE, vehicle_id=van["id"])
    assert after["due"] == [{**due, "due_on": next_on, "is_overdue": False}]
    assert [(row["kind"], row["odometer_km"], row["cost_minor"]) for row in after["past"]] == [
        ("service", 12_345, 450_000),
        ("tyres", 12_000, 450_000),
    ]
    read = await farm.tenant.get(f"{VEHICLES}/{van['id']}")
    assert (read["odometer_km"], read["next_maintenance_on"]) == (12_345, next_on)
    assert (await farm.tenant.get(MAINTENANCE, within_days=19))["due"] == []


async def test_what_was_due_is_over_once_it_is_done(farm: Platform) -> None:
    van = await make_van(farm.tenant, next_maintenance_on="2026-01-31")
    await farm.tenant.post(MAINTENANCE, {"vehicle_id": van["id"], "kind": "service", "done_on": "2026-01-30"})
    assert len((await farm.tenant.get(MAINTENANCE))["due"]) == 1
    await farm.tenant.post(MAINTENANCE, {"vehicle_id": van["id"], "kind": "service", "done_on": "2026-02-01"})
    assert (await farm.tenant.get(MAINTENANCE))["due"] == []
    ahead = {"vehicle_id": van["id"], "kind": "service", "done_on": "2126-01-01"}
    assert (await farm.tenant.client.post(MAINTENANCE, json=ahead)).status_code == 422
    backwards = {**ahead, "done_on": day_in(0), "next_due_on": day_in(0)}
    assert (await farm.tenant.client.post(MAINTENANCE, json=backwards)).status_code == 422


async def test_of_each_date_people_are_told_once(farm: Platform, store: ColdStore) -> None:
    elsewhere = await make_warehouse(farm.tenant)
    keeper = await make_keeper(farm, elsewhere)
    soon = day_in(10)
    later = day_in(80)
    van = await make_van(
        farm.tenant, insurance_expires_on=soon, permit_expires_on=later, home_warehouse_id=store.warehouse_id
    )
    for _ in range(2):
        await remind_of_due(farm.database, clock.now())
    [told] = await farm.tenant.get("/api/v1/notifications")
    assert (told["title"], told["message"]) == (f"Van {van['number']}: insurance", f"Due on {soon}")
    assert told["subject"] == f"vehicle:{van['id']}"
    assert await keeper.get("/api/v1/notifications") == []
    await farm.tenant.put(f"{VEHICLES}/{van['id']}", {"insurance_expires_on": day_in(0)})
    await remind_of_due(farm.database, clock.now())
    assert len(await farm.tenant.get("/api/v1/notifications")) == 1
    await farm.tenant.put("/api/v1/admin/settings/fleet.remind_days", {"value": 90})
    await remind_of_due(farm.database, clock.now())
    assert [row["title"] for row in await farm.tenant.get("/api/v1/notifications")] == [
        f"Van {van['number']}: permit",
        f"Van {van['number']}: insurance",
    ]


async def test_of_a_retired_van_nobody_is_told(farm: Platform) -> None:
    van = await make_van(farm.tenant, insurance_expires_on=day_in(0))
    await farm.tenant.client.delete(f"{VEHICLES}/{van['id']}")
    await remind_of_due(farm.database, clock.now())
    assert await farm.tenant.get("/api/v1/notifications") == []


async def test_shifts_are_written_changed_and_taken_away(farm: Platform) -> None:
    driver, van = await hire(farm), await make_van(farm.tenant)
    shift = await make_shift(farm.tenant, driver, break_minutes=30)
    assert (shift["weekday"], shift["from_time"], shift["vehicle_id"]) == (0, "08:00:00", None)
    body = {"weekday": 2, "from_time": "09:00:00", "until_time": "17:00:00", "vehicle_id": van["id"]}
    changed = await farm.tenant.put(f"{SHIFTS}/{shift['id']}", body)
    assert (changed["weekday"], changed["break_minutes"], changed["vehicle_id"]) == (2, 0, van["id"])
    assert [row["id"] for row in await farm.tenant.get(SHIFTS, user_id=driver)] == [shift["id"]]
    assert [row["id"] for row in await farm.tenant.get(SHIFTS, vehicle_id=van["id"])] == [shift["id"]]
    assert (await farm.tenant.client.delete(f"{SHIFTS}/{shift['id']}")).status_code == 204
    assert await farm.tenant.get(SHIFTS) == []


async def test_shifts_that_cannot_be_are_refused(farm: Platform) -> None:
    me = await id_of(farm.tenant)
    wrong: list[tuple[dict[str, object], int]] = [
        ({"weekday": 0, "on_date": "2027-03-01"}, 422),
        ({}, 422),
        ({"weekday": 7}, 422),
        ({"weekday": 0, "from_time": "08:00:00", "until_time": "08:00:00"}, 422),
        ({"weekday": 0, "break_minutes": 241}, 422),
        ({"weekday": 0, "user_id": str(uuid.UUID(int=7))}, 422),
        ({"weekday": 0, "vehicle_id": str(uuid.UUID(int=7))}, 404),
    ]
    for body, status in wrong:
        answer = await farm.tenant.client.post(SHIFTS, json={"user_id": me, **body})
        assert answer.status_code == status, (body, answer.text)
    assert await farm.tenant.get(SHIFTS) == []


async def test_nobody_has_two_shifts_that_begin_at_once(farm: Platform) -> None:
    driver = await hire(farm)
    for rule in ({"weekday": 0}, {"on_date": "2027-03-01"}):
        await farm.tenant.post(SHIFTS, {"user_id": driver, **rule})
        again = await farm.tenant.client.post(SHIFTS, json={"user_id": driver, **rule, "until_time": "12:00:00"})
        assert (again.status_code, again.json()["error"]["code"]) == (409, "ALREADY_EXISTS")


async def test_the_fleet_is_its_organisations_own_and_drivers_do_not_change_it(farm: Platform) -> None:
    van = await make_van(farm.tenant)
    stranger, driver = await make_farm(farm), await make_person(farm, farm.tenant, "delivery_personnel")
    assert await stranger.get(VEHICLES) == []
    assert (await stranger.client.put(f"{VEHICLES}/{van['id']}", json={"model": "x"})).status_code == 404
    assert (await driver.client.put(f"{VEHICLES}/{van['id']}", json={"model": "x"})).status_code == 403
    named = {"user_id": await id_of(stranger), "weekday": 0, "vehicle_id": van["id"]}
    assert (await stranger.client.post(SHIFTS, json=named)).status_code == 404
