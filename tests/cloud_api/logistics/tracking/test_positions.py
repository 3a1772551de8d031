"""Positions: each answered by itself, kept once, believed only when a clock can have seen them."""

import uuid
from typing import Any

from sqlalchemy import select

from cloud_api.kernel import clock
from cloud_api.kernel.outbox import OutboxEvent
from tests.cloud_api.logistics.tracking.conftest import WallClock
from tests.cloud_api.logistics.tracking.written import kept, newest
from tests.factories.farms import make_farm, make_person
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.roads import DEPOT, at, plant_road
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

POSITIONS = "/api/v1/mobile/positions"


def statuses(answer: Any) -> list[str]:
    return [result["status"] for result in answer["results"]]


async def test_each_position_of_a_batch_is_answered_by_itself_in_the_order_it_was_sent(farm: Platform) -> None:
    road = await plant_road(farm)
    first, second = at(12.931, ago_s=20), at(12.932, ago_s=10)
    ahead, old = at(12.933, ago_s=-3_600), at(12.934, ago_s=8 * 86_400)
    answer = await road.report(second, ahead, first, old, second)
    assert statuses(answer) == ["accepted", "refused", "accepted", "refused", "duplicate"]
    assert (answer["accepted"], answer["duplicates"], answer["refused"]) == (2, 1, 2)
    assert [result["code"] for result in answer["results"] if result["code"]] == ["CLOCK_IMPLAUSIBLE", "TOO_OLD"]
    assert "3600 s ahead" in answer["results"][1]["message"]
    assert [row.latitude for row in await kept(road)] == [12.931, 12.932]


async def test_what_is_sent_again_is_a_duplicate_and_is_not_moved(farm: Platform) -> None:
    road = await plant_road(farm)
    sent = at(12.931, ago_s=5, speed_kmh=31.5, heading_deg=90, accuracy_m=7)
    assert statuses(await road.report(sent)) == ["accepted"]
    assert statuses(await road.report({**sent, "latitude": 13.5}, at(12.932))) == ["duplicate", "accepted"]
    [first, _] = await kept(road)
    assert (first.latitude, first.speed_kmh, first.heading_deg, first.accuracy_m) == (12.931, 31.5, 90, 7)


async def test_the_newest_position_is_the_latest_by_the_phones_clock_and_not_the_last_that_came(
    farm: Platform,
) -> None:
    road = await plant_road(farm)
    await road.report(at(12.95, ago_s=5))
    before = await newest(road)
    await road.report(at(12.93, ago_s=600), at(12.94, ago_s=300))
    after = await newest(road)
    assert (before.latitude, after.latitude) == (12.95, 12.95)
    assert after.heard_at >= before.heard_at
    await road.report(at(12.96, ago_s=1))
    assert (await newest(road)).latitude == 12.96


async def test_positions_of_another_drivers_route_and_of_another_farms_are_not_taken(farm: Platform) -> None:
    road, other = await plant_road(farm), await plant_road(farm)
    foreign = await plant_road(farm, tenant=await make_farm(farm))
    for route_id in (other.route_id, foreign.route_id, str(uuid.uuid4())):
        body = {"route_id": route_id, "positions": [at(12.93)]}
        answer = await road.driver.client.post(POSITIONS, json=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")
    assert await kept(other) == []


async def test_without_a_route_named_it_is_the_one_under_way_since_it_started(farm: Platform) -> None:
    road = await plant_road(farm, started_ago_s=60)
    before, since = at(12.93, ago_s=300), at(12.94, ago_s=5)
    await road.driver.post(POSITIONS, {"positions": [since, before]})
    assert [row.route_id and str(row.route_id) for row in await kept(road)] == [None, road.route_id]


async def test_without_a_route_under_way_it_is_the_drivers_own_van(farm: Platform) -> None:
    road = await plant_road(farm)
    await road.set_route(status="completed", completed_at=clock.now())
    await road.driver.post(POSITIONS, {"positions": [at(12.94)]})
    assert [row.route_id for row in await kept(road)] == [None]


async def test_who_drives_nothing_is_told_to_name_a_route(farm: Platform) -> None:
    walker = await make_person(farm, farm.tenant, "delivery_personnel")
    answer = await walker.client.post(POSITIONS, json={"positions": [at(12.94)]})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "NO_VEHICLE")


async def test_nonsense_is_refused_by_name_and_nothing_is_kept(farm: Platform) -> None:
    road = await plant_road(farm)
    good = at(12.93)
    spoilt: list[dict[str, Any]] = [
        {"latitude": 91},
        {"longitude": None},
        {"heading_deg": 360},
        {"recorded_at": "2026-11-22T08:00:00"},
    ]
    for wrong in spoilt:
        body = {"route_id": road.route_id, "positions": [good, {**good, **wrong}]}
        answer = await road.driver.client.post(POSITIONS, json=body)
        assert answer.status_code == 422
        assert answer.json()["error"]["details"][0]["field"].startswith(f"positions.1.{next(iter(wrong))}")
    for count in (0, 501):
        answer = await road.driver.client.post(POSITIONS, json={"positions": [good] * count})
        assert answer.status_code == 422
    assert await kept(road) == []


async def test_a_whole_batch_of_positions_is_taken_at_once(farm: Platform) -> None:
    road = await plant_road(farm)
    answer = await road.report(*(at(12.93, ago_s=second) for second in range(500)))
    assert (answer["accepted"], len(await kept(road))) == (500, 500)


async def test_a_position_writes_no_event_into_the_outbox(farm: Platform) -> None:
    road = await plant_road(farm)
    await road.report(at(12.93))
    async with farm.database.unit_of_work(farm.tenant.organization, read_only=True) as db:
        assert (await db.scalars(select(OutboxEvent.type))).all() == []


async def test_a_single_position_on_the_way_to_a_delivery_is_taken_as_before(
    farm: Platform, wall_clock: WallClock
) -> None:
    road = await plant_road(farm)
    path = f"/api/v1/mobile/deliveries/{road.delivery_ids[0]}/location"
    assert (await road.driver.client.post(path, json=at(DEPOT[0]))).status_code == 204
    ahead = await road.driver.client.post(path, json=at(DEPOT[0], ago_s=-600))
    assert (ahead.status_code, ahead.json()["error"]["code"]) == (422, "CLOCK_IMPLAUSIBLE")
    assert len(await kept(road)) == 1
