"""What an excursion did to the lots that lay in its place: by the ledger, however they came and went."""

import uuid

import pytest

from cloud_api.cold_chain.exposure.models import LotExposure
from cloud_api.cold_chain.exposure.service import total
from cloud_api.kernel import clock
from tests.cloud_api.cold_chain.stories import Story
from tests.factories.batches import make_epoch, make_reading, send
from tests.factories.farms import make_farm, plant_sensor
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.stores import ColdStore, make_room, make_rule, receive
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP


async def test_what_lay_there_came_and_left_is_exposed_for_as_long_as_it_lay_there(
    farm: Platform, store: ColdStore
) -> None:
    story = Story(farm, store)
    all_along = await story.receive(-60, lot="ALL-ALONG")
    left = await story.receive(-60, lot="LEFT")
    came = await story.receive(20, lot="CAME")
    gone_before = await story.receive(-60, lot="GONE")
    await story.leave(-5, gone_before)
    await story.leave(10, left)
    later = await story.receive(45, lot="LATER")
    await story.measure([9.0] * 30 + [4.0] * 30)
    excursion = await story.excursion(0, 40)
    found = await story.expose(excursion)
    room = uuid.UUID(store.room_id)
    assert {key: (row.minutes, row.degree_minutes, row.peak) for key, row in found.items()} == {
        (all_along, room): (30.0, 30.0, 9.0),
        (left, room): (10.0, 10.0, 9.0),
        (came, room): (10.0, 10.0, 9.0),
    }
    assert later not in {lot for lot, _ in found}
    stays = {key[0]: (row.from_at, row.to_at) for key, row in found.items()}
    assert stays[all_along] == (story.at(0), story.at(40))
    assert stays[left] == (story.at(0), story.at(10))
    assert stays[came] == (story.at(20), story.at(40))


async def test_a_lot_that_leaves_and_comes_back_is_exposed_for_both_stays(farm: Platform, store: ColdStore) -> None:
    story = Story(farm, store)
    lot = await story.receive(-1)
    await story.leave(5, lot)
    await story.receive(20)
    await story.measure([10.0] * 30)
    [row] = (await story.expose(await story.excursion(0, 30))).values()
    assert (row.minutes, row.degree_minutes) == (15.0, 30.0)


async def test_what_lies_in_a_rack_of_the_room_is_exposed_and_what_lies_beside_it_not(
    farm: Platform, store: ColdStore
) -> None:
    story = Story(farm, store)
    rack = await make_room(store.tenant, store.warehouse_id, parent_id=store.room_id, location_type="rack")
    beside = await make_room(store.tenant, store.warehouse_id)
    lot = await story.receive(-1, place=rack)
    await story.receive(-1, place=beside)
    await story.measure([9.0] * 10)
    found = await story.expose(await story.excursion(0, 10))
    assert set(found) == {(lot, uuid.UUID(rack))}


async def test_reckoned_again_it_is_the_same_and_with_later_readings_what_they_say(
    farm: Platform, store: ColdStore
) -> None:
    story = Story(farm, store)
    await story.receive(-1)
    await story.measure([9.0] * 10)
    excursion = await story.excursion(0, 30)
    [first] = (await story.expose(excursion)).values()
    [again] = (await story.expose(excursion)).values()
    assert (first.id, first.minutes, first.degree_minutes) == (again.id, again.minutes, again.degree_minutes)
    await story.measure([11.0] * 20, start=10)
    [after] = (await story.expose(excursion)).values()
    assert (after.id, after.minutes, after.degree_minutes, after.peak) == (first.id, 30.0, 70.0, 11.0)


async def test_an_excursion_that_never_was_exposed_nothing(farm: Platform, store: ColdStore) -> None:
    story = Story(farm, store)
    await story.receive(-1)
    await story.measure([9.0] * 10)
    excursion = await story.excursion(0, 10)
    assert len(await story.expose(excursion)) == 1
    excursion.ended_at = excursion.started_at
    assert await story.expose(excursion) == {}


async def test_one_that_goes_on_has_no_end_and_is_counted_to_now(farm: Platform, store: ColdStore) -> None:
    story = Story(farm, store)
    lot = await story.receive(-1)
    await story.measure([9.0] * 10)
    excursion = await story.excursion(0, None)
    clock.use(lambda: story.at(12))
    [row] = (await story.expose(excursion)).values()
    clock.use(None)
    assert (row.lot_id, row.to_at, row.minutes) == (lot, None, 12.0)


async def test_the_calibration_is_applied_and_a_bad_reading_is_none(farm: Platform, store: ColdStore) -> None:
    sensor_id = await plant_sensor(
        farm, store.tenant, store.gateway_id, location_id=store.room_id, code="z2m:off", offset=-2.0
    )
    story = Story(farm, store)
    await story.receive(-1)
    rows = [make_reading(n + 1, 11.0, story.ms(n), sensor="z2m:off") for n in range(10)]
    rows[4]["quality"] = "bad"
    rows[4]["value"] = 80.0
    await send(farm, store, rows, epoch=make_epoch())
    [row] = (await story.expose(await story.excursion(0, 10, sensor_id=uuid.UUID(sensor_id)))).values()
    assert (row.minutes, row.degree_minutes, row.peak) == (10.0, 10.0, 9.0)
    assert row.mean_kinetic_c == pytest.approx(9.0)


def row(begin: float, end: float | None, minutes: float, story: Story) -> LotExposure:
    return LotExposure(
        id=uuid.uuid4(),
        from_at=story.at(begin),
        to_at=None if end is None else story.at(end),
        minutes=minutes,
        degree_minutes=2 * minutes,
    )


async def test_of_two_sensors_in_one_room_the_worst_counts_and_not_both(farm: Platform, store: ColdStore) -> None:
    story = Story(farm, store)
    at_once = [row(0, 30, 20, story), row(10, 40, 25, story)]
    after = row(60, None, 5, story)
    found = total([*at_once, after])
    assert (found.minutes, found.degree_minutes) == (30, 60)


async def test_a_judged_excursion_stands_on_the_lot_and_in_its_history(farm: Platform, store: ColdStore) -> None:
    story = Story(farm, store)
    await make_rule(store, duration_s=300)
    lot = await story.receive(-90)
    await story.measure([4.0] * 60 + [10.0] * 20 + [4.0] * 20, start=-60)
    found = await store.tenant.get(f"/api/v1/warehouse/batches/{lot}/exposure")
    [exposed] = found["exposures"]
    assert (exposed["minutes"], exposed["degree_minutes"], exposed["peak"]) == (20.0, 40.0, 10.0)
    assert (found["minutes"], found["degree_minutes"]) == (20.0, 40.0)
    [stretch] = found["stretches"]
    assert (stretch["sensor_id"], stretch["present"]) == (store.sensor_id, True)
    assert stretch["hours"]["maximum"] == [4.0, 10.0]
    assert stretch["hours"]["minimum"] == [4.0, 4.0]
    assert stretch["gaps"][0]["until"] == story.at(-60).isoformat().replace("+00:00", "Z")
    assert found["shelf_life"] is None


async def test_a_lots_history_follows_it_from_place_to_place_and_names_where_nobody_measured(
    farm: Platform, store: ColdStore
) -> None:
    story = Story(farm, store)
    elsewhere = await make_room(store.tenant, store.warehouse_id)
    lot = await story.receive(0)
    await story.measure([5.0] * 60)
    await story.leave(60, lot)
    await story.receive(60, place=elsewhere)
    found = await store.tenant.get(f"/api/v1/warehouse/batches/{lot}/exposure")
    first, second = found["stretches"]
    assert (first["location_id"], first["present"], first["hours"]["mean"]) == (store.room_id, False, [5.0])
    assert (second["location_id"], second["sensor_id"], second["hours"]["mean"]) == (elsewhere, None, [])
    assert len(second["gaps"]) == 1


async def test_the_label_and_the_heat_say_what_is_left(farm: Platform, store: ColdStore) -> None:
    lot = (await receive(store, expires_on="2027-12-31"))["lot_id"]
    found = (await store.tenant.get(f"/api/v1/warehouse/batches/{lot}/exposure"))["shelf_life"]
    assert (found["reference_c"], found["q10"]) == (4.0, 3.0)
    assert 0 < found["remaining_days"] <= found["total_days"]


async def test_nobody_else_sees_what_a_lot_has_been_through(farm: Platform, store: ColdStore) -> None:
    lot = (await receive(store))["lot_id"]
    stranger = await make_farm(farm)
    assert (await stranger.client.get(f"/api/v1/warehouse/batches/{lot}/exposure")).status_code == 404
