"""How long sensors were in excursion in a period."""

import uuid
from typing import Any

from cloud_api.cold_chain.evidence import minutes as evidence
from cloud_api.kernel import clock
from tests.cloud_api.cold_chain.stories import Story
from tests.factories.farms import make_farm, plant_sensor
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.stores import ColdStore, make_room
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP


async def minutes(story: Story, since: float, until: float, **asked: Any) -> dict[str, tuple[float, int]]:
    period = {"since": story.at(since).isoformat(), "until": story.at(until).isoformat()}
    found = await story.store.tenant.get("/api/v1/excursions/minutes", **period, **asked)
    return {one["sensor_id"]: (one["minutes"], one["excursions"]) for one in found["sensors"]}


async def test_only_what_lies_in_the_period_counts_and_what_two_rules_saw_at_once_counts_once(
    farm: Platform, store: ColdStore
) -> None:
    story = Story(farm, store)
    for start, end in ((-30, 10), (20, 40), (30, 50), (90, 200), (300, 310)):
        await story.excursion(start, end)
    assert await minutes(story, 0, 100) == {store.sensor_id: (50.0, 4)}
    assert await minutes(story, 55, 85) == {}


async def test_what_goes_on_is_counted_to_now_what_was_closed_to_its_closing_and_what_was_retracted_not(
    farm: Platform, store: ColdStore
) -> None:
    story = Story(farm, store)
    await story.excursion(0, None, status="closed", disposition="waste", closed_at=story.at(15), closed_by=uuid.uuid4())
    await story.excursion(20, 40, retracted_at=story.at(60))
    assert await minutes(story, -10, 10_000) == {store.sensor_id: (15.0, 1)}
    await story.excursion(60, None)
    clock.use(lambda: story.at(100))
    async with farm.database.unit_of_work(store.tenant.organization, read_only=True) as db:
        found = await evidence.in_excursion(db, since=story.at(0), until=story.at(10_000))
    assert evidence.minutes(found[uuid.UUID(store.sensor_id)]) == 55.0


async def test_it_is_asked_of_a_place_or_of_some_sensors(farm: Platform, store: ColdStore) -> None:
    story = Story(farm, store)
    elsewhere = await make_room(store.tenant, store.warehouse_id)
    other = await plant_sensor(farm, store.tenant, store.gateway_id, location_id=elsewhere, code="z2m:other")
    await story.excursion(0, 10)
    await story.excursion(0, 30, location_id=uuid.UUID(elsewhere), sensor_id=uuid.UUID(other))
    both = {store.sensor_id: (10.0, 1), other: (30.0, 1)}
    assert await minutes(story, 0, 60) == both
    assert await minutes(story, 0, 60, location_id=elsewhere) == {other: both[other]}
    assert await minutes(story, 0, 60, sensor_id=[store.sensor_id, other]) == both
    assert await minutes(story, 0, 60, sensor_id=store.sensor_id) == {store.sensor_id: both[store.sensor_id]}


async def test_another_organisation_sees_none_and_a_period_that_is_none_is_refused(
    farm: Platform, store: ColdStore
) -> None:
    story = Story(farm, store)
    await story.excursion(0, 10)
    stranger = await make_farm(farm)
    period = {"since": story.at(0).isoformat(), "until": story.at(60).isoformat()}
    assert (await stranger.get("/api/v1/excursions/minutes", **period))["sensors"] == []
    turned = {"since": period["until"], "until": period["since"]}
    answer = await store.tenant.client.get("/api/v1/excursions/minutes", params=turned)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "BAD_PERIOD")
