"""What waits for a decision, place by place: as many words as a tile has room for, however much there is."""

from tests.cloud_api.cold_chain.excursions import break_the_limit, judge_at_once, mend
from tests.factories.farms import plant_store
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.scopes import make_keeper
from tests.factories.stores import ColdStore, make_room
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

PLACES = "/api/v1/excursions/places"


async def test_a_place_tells_how_many_wait_and_first_what_goes_on(farm: Platform, store: ColdStore) -> None:
    await judge_at_once(store)
    for sequence in range(1, 9, 2):
        await break_the_limit(farm, store, sequence=sequence)
        await mend(farm, store, sequence=sequence + 1)
    latest = await break_the_limit(farm, store, sequence=9)
    [place] = await store.tenant.get(PLACES)
    assert (place["location_id"], place["count"], len(place["first"])) == (store.room_id, 5, 3)
    assert [one["status"] for one in place["first"]] == ["open", "recovered", "recovered"]
    assert place["first"][0]["id"] == latest["id"]
    begun = [one["started_at"] for one in place["first"][1:]]
    assert begun == sorted(begun, reverse=True)


async def test_what_is_decided_waits_no_more(farm: Platform, store: ColdStore) -> None:
    await judge_at_once(store)
    excursion = await break_the_limit(farm, store)
    await mend(farm, store)
    decided = {"disposition": "release", "note": "measured the cores: fine"}
    await store.tenant.post(f"/api/v1/excursions/{excursion['id']}/close", decided)
    assert await store.tenant.get(PLACES) == []


async def test_a_place_is_asked_for_with_all_inside_it_and_nothing_beside(farm: Platform, store: ColdStore) -> None:
    await judge_at_once(store)
    await break_the_limit(farm, store)
    beside = await make_room(store.tenant, store.warehouse_id)
    assert await store.tenant.get(PLACES, location_id=beside) == []
    [place] = await store.tenant.get(PLACES, location_id=store.room_id)
    assert place["count"] == 1


async def test_who_is_confined_is_told_of_theirs_only(farm: Platform, store: ColdStore) -> None:
    other = await plant_store(farm)
    for one in (store, other):
        await judge_at_once(one)
        await break_the_limit(farm, one)
    keeper = await make_keeper(farm, store.warehouse_id)
    assert [place["location_id"] for place in await keeper.get(PLACES)] == [store.room_id]
