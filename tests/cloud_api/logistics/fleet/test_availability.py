"""Which vans may drive on a day, with whom and from when to when; and of the others, why not."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.cloud_api.logistics.fleet.fleets import DAY, hire, look, make_shift, make_van, only
from tests.factories.farms import make_farm
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.stores import ColdStore, make_warehouse
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP


def at(hour: int, minute: int = 0, *, days: int = 0) -> datetime:
    """A local time of the store on the day, in India."""
    local = datetime(DAY.year, DAY.month, DAY.day, hour, minute, tzinfo=UTC) + timedelta(days=days)
    return local - timedelta(hours=5, minutes=30)


async def test_a_van_of_which_nobody_said_anything_drives_ten_hours_from_seven(
    farm: Platform, store: ColdStore
) -> None:
    driver = await hire(farm)
    made = await make_van(farm.tenant, driver_id=driver)
    van = await only(farm, store.warehouse_id)
    assert (str(van.vehicle.id), str(van.driver_id), van.compartments) == (made["id"], driver, ())
    assert van.shift == (at(7), at(17), ())
    leaves = at(13)
    assert (await only(farm, store.warehouse_id, departs_at=leaves)).shift == (leaves, leaves + timedelta(hours=10), ())
    assert (van.fixed_cost_minor, van.cost_per_km_minor, van.fuel_l_per_100km, van.co2_g_per_km) == (0, 0, 11.0, 295)


async def test_a_shift_says_who_drives_from_when_to_when_and_rests(farm: Platform, store: ColdStore) -> None:
    driver = await hire(farm)
    await make_van(farm.tenant, driver_id=driver)
    await make_shift(farm.tenant, driver, from_time="06:00:00", until_time="15:00:00", break_minutes=45)
    van = await only(farm, store.warehouse_id)
    assert van.shift == (at(6), at(15), ((at(9), at(12), 2_700),))


async def test_a_shift_over_midnight_ends_on_the_next_day(farm: Platform, store: ColdStore) -> None:
    driver = await hire(farm)
    await make_van(farm.tenant, driver_id=driver)
    await make_shift(farm.tenant, driver, from_time="22:00:00", until_time="04:30:00")
    assert (await only(farm, store.warehouse_id)).shift == (at(22), at(4, 30, days=1), ())


async def test_a_day_of_its_own_counts_instead_of_its_weekday(farm: Platform, store: ColdStore) -> None:
    driver = await hire(farm)
    await make_van(farm.tenant, driver_id=driver)
    await make_shift(farm.tenant, driver, from_time="06:00:00", until_time="15:00:00")
    await make_shift(farm.tenant, driver, on_date=DAY.isoformat(), from_time="12:00:00", until_time="16:00:00")
    assert (await only(farm, store.warehouse_id)).shift[:2] == (at(12), at(16))
    later = await only(farm, store.warehouse_id, day=DAY + timedelta(days=7))
    assert later.shift[:2] == (at(6, days=7), at(15, days=7))


async def test_who_does_not_drive_that_day_leaves_the_van_where_it_is(farm: Platform, store: ColdStore) -> None:
    driver = await hire(farm)
    van = await make_van(farm.tenant, driver_id=driver)
    await make_shift(farm.tenant, driver)
    tuesday = await look(farm, store.warehouse_id, day=DAY + timedelta(days=1))
    assert [*tuesday.vans] == []
    assert tuesday.left_out == {uuid.UUID(van["id"]): f"the driver of {van['number']} has no shift on 2027-03-02"}
    await make_shift(farm.tenant, driver, on_date=DAY.isoformat(), is_off=True)
    assert (await look(farm, store.warehouse_id)).left_out.keys() == {uuid.UUID(van["id"])}


async def test_a_shift_that_names_a_van_comes_before_who_usually_drives_it(farm: Platform, store: ColdStore) -> None:
    usual, stand_in = await hire(farm), await hire(farm)
    van = await make_van(farm.tenant, driver_id=usual)
    other = await make_van(farm.tenant)
    await make_shift(farm.tenant, stand_in, vehicle_id=van["id"], from_time="09:00:00", until_time="12:00:00")
    await make_shift(farm.tenant, usual, vehicle_id=other["id"])
    day = await look(farm, store.warehouse_id)
    assert {str(one.vehicle.id): str(one.driver_id) for one in day.vans} == {van["id"]: stand_in, other["id"]: usual}


async def test_whose_driver_drives_another_is_left_out(farm: Platform, store: ColdStore) -> None:
    driver = await hire(farm)
    van, other = await make_van(farm.tenant, driver_id=driver), await make_van(farm.tenant)
    await make_shift(farm.tenant, driver, vehicle_id=other["id"])
    day = await look(farm, store.warehouse_id)
    assert [str(one.vehicle.id) for one in day.vans] == [other["id"]]
    assert "drives another vehicle" in day.left_out[uuid.UUID(van["id"])]


PAPERS = {
    "insurance": "insurance_expires_on",
    "registration": "registration_expires_on",
    "permit": "permit_expires_on",
    "pollution certificate": "pollution_expires_on",
}


async def test_a_van_drives_on_the_last_day_of_its_papers_and_on_no_later_one(farm: Platform, store: ColdStore) -> None:
    after = DAY + timedelta(days=1)
    for paper, field in PAPERS.items():
        van = await make_van(farm.tenant, **{field: DAY.isoformat()})
        assert len((await look(farm, store.warehouse_id, van["id"])).vans) == 1
        later = await look(farm, store.warehouse_id, van["id"], day=after)
        assert later.left_out == {uuid.UUID(van["id"]): f"the {paper} of {van['number']} expired on 2027-03-01"}
        assert [*later.vans] == []


@pytest.mark.parametrize(("status", "why"), [("maintenance", "is in maintenance"), ("inactive", "is retired")])
async def test_a_van_that_does_not_drive_says_so_when_it_is_asked_for(
    farm: Platform, store: ColdStore, status: str, why: str
) -> None:
    van = await make_van(farm.tenant)
    await farm.tenant.put(f"/api/v1/warehouse/fleet/vehicles/{van['id']}", {"status": status})
    day = await look(farm, store.warehouse_id, van["id"])
    assert [*day.vans] == []
    assert day.left_out == {uuid.UUID(van["id"]): f"{van['number']} {why}"}


async def test_a_van_drives_for_its_own_warehouse_unless_it_is_asked_for(farm: Platform, store: ColdStore) -> None:
    elsewhere = await make_warehouse(farm.tenant)
    here, there, anywhere = [
        (await make_van(farm.tenant, home_warehouse_id=home))["id"] for home in (store.warehouse_id, elsewhere, None)
    ]
    stranger = await make_van(await make_farm(farm))

    async def ids(*wanted: str) -> set[str]:
        return {str(one.vehicle.id) for one in (await look(farm, store.warehouse_id, *wanted)).vans}

    assert await ids() == {here, anywhere}
    assert await ids(there, stranger["id"]) == {there}


async def test_compartments_and_figures_come_with_the_van(farm: Platform, store: ColdStore) -> None:
    parts: list[dict[str, Any]] = [
        {"name": "Freezer", "storage_type": "freezer", "capacity_g": 200_000, "temperature_max_c": -18.0},
        {"name": "Chilled", "storage_type": "cold_storage", "capacity_g": 700_000, "capacity_l": 4_000},
    ]
    figures = {"fixed_cost_minor": 90_000, "cost_per_km_minor": 1_500, "fuel_type": "electric"}
    await make_van(farm.tenant, compartments=parts, energy_kwh_per_100km=30.0, **figures)
    van = await only(farm, store.warehouse_id)
    assert [(part.name, part.storage_type, part.capacity_g, part.capacity_l) for part in van.compartments] == [
        ("Chilled", "cold_storage", 700_000, 4_000),
        ("Freezer", "freezer", 200_000, None),
    ]
    assert (van.fixed_cost_minor, van.cost_per_km_minor) == (90_000, 1_500)
    assert (van.fuel_l_per_100km, van.energy_kwh_per_100km, van.co2_g_per_km) == (0.0, 30.0, 215)
