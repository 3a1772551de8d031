"""How much vehicles are used, and who may be chosen to drive them."""

from datetime import timedelta
from typing import Any

from cloud_api.kernel import clock
from tests.cloud_api.logistics.fleet.fleets import hire, make_shift, make_van
from tests.factories.farms import make_person
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.roads import Road, plant_road
from tests.factories.scopes import id_of
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

USE = "/api/v1/warehouse/fleet/use"
DRIVERS = "/api/v1/warehouse/fleet/drivers"
SHIFTS = "/api/v1/warehouse/fleet/shifts"


async def use_of(farm: Platform, road: Road, **query: object) -> dict[str, Any]:
    """What a road's vehicle did."""
    [row] = [row for row in await farm.tenant.get(USE, **query) if row["vehicle_id"] == road.vehicle_id]
    return dict(row)


async def test_a_vehicle_did_what_its_routes_of_these_days_say(farm: Platform) -> None:
    road = await plant_road(farm, doors=4)
    carries_g = (await farm.tenant.get(f"/api/v1/warehouse/fleet/vehicles/{road.vehicle_id}"))["capacity_g"]
    await road.set_route(load_g=carries_g // 4)
    await road.set_stop(3, status="cancelled")
    today = clock.now().date()
    row = await use_of(farm, road, since=today, until=today)
    assert (row["days_driven"], row["days"], row["routes"], row["stops"]) == (1, 1, 1, 3)
    assert (row["distance_m"], row["duration_s"], row["load_share"]) == (8_000, 0, 0.25)
    yesterday = today - timedelta(days=1)
    before = await use_of(farm, road, since=yesterday - timedelta(days=6), until=yesterday)
    assert (before["days_driven"], before["days"], before["routes"], before["load_share"]) == (0, 7, 0, None)


async def test_a_planned_route_is_no_use_yet_and_a_retired_vehicle_shows_where_it_drove(farm: Platform) -> None:
    planned = await plant_road(farm, under_way=False)
    assert (await use_of(farm, planned))["routes"] == 0
    retired = await make_van(farm.tenant)
    await farm.tenant.client.delete(f"/api/v1/warehouse/fleet/vehicles/{retired['id']}")
    assert retired["id"] not in {row["vehicle_id"] for row in await farm.tenant.get(USE)}


async def test_the_use_of_vehicles_is_of_days_that_follow_each_other(farm: Platform) -> None:
    backwards = {"since": "2026-05-02", "until": "2026-05-01"}
    answer = await farm.tenant.client.get(USE, params=backwards)
    assert answer.status_code == 422


async def test_those_who_drive_are_named_to_whoever_plans_and_nobody_else_is(farm: Platform) -> None:
    driver = await hire(farm)
    dispatcher = await make_person(farm, farm.tenant, "logistics_manager")
    found = await dispatcher.get(DRIVERS)
    assert driver in {row["id"] for row in found}
    assert await id_of(dispatcher) not in {row["id"] for row in found}
    assert all(row.keys() == {"id", "full_name"} for row in found)
    packer = await make_person(farm, farm.tenant, "inventory_staff")
    assert (await packer.client.get(DRIVERS)).status_code == 403


async def test_shifts_of_one_day_are_listed_by_days_and_weekly_ones_always(farm: Platform) -> None:
    driver = await hire(farm)
    van = await make_van(farm.tenant, driver_id=driver)
    await make_shift(farm.tenant, driver, weekday=1, from_time="06:00:00", until_time="14:00:00")
    dated = {"user_id": driver, "vehicle_id": van["id"], "from_time": "07:00:00", "until_time": "15:00:00"}
    await farm.tenant.post(SHIFTS, {**dated, "on_date": "2026-11-25"})
    within = await farm.tenant.get(SHIFTS, user_id=driver, since="2026-11-23", until="2026-11-29")
    assert {(row["weekday"], row["on_date"], row["vehicle_number"]) for row in within} == {
        (1, None, None),
        (None, "2026-11-25", van["number"]),
    }
    assert {row["driver_name"] for row in within} == {(await farm.tenant.get(DRIVERS, id=driver))[0]["full_name"]}
    after = await farm.tenant.get(SHIFTS, user_id=driver, since="2026-11-26")
    assert [row["on_date"] for row in after] == [None]
