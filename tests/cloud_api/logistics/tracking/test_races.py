"""Phones that report the same at once, and workers that look at the same at once; on both databases."""

import asyncio
import random
import uuid
from datetime import timedelta

from cloud_api.kernel import clock
from cloud_api.logistics.tracking import expiry, service
from cloud_api.logistics.tracking.models import VehiclePosition
from tests.cloud_api.logistics.tracking.conftest import WallClock
from tests.cloud_api.logistics.tracking.written import kept, newest, promised, told
from tests.factories.grounds import IN_ONE_LOOP, ground_url
from tests.factories.roads import at, look, plant_road
from tests.platform_under_test import Platform

__all__ = ["ground_url"]

pytestmark = IN_ONE_LOOP


async def test_the_same_positions_sent_at_once_from_all_sides_are_kept_once(farm: Platform) -> None:
    road = await plant_road(farm)
    moment = clock.now()
    sent = [
        {**at(12.93 + second / 1000), "recorded_at": (moment - timedelta(seconds=second)).isoformat()}
        for second in range(40)
    ]
    shuffled = [random.Random(seed).sample(sent, len(sent)) for seed in range(6)]
    answers = await asyncio.gather(*(road.report(*positions) for positions in shuffled))
    assert sum(answer["accepted"] for answer in answers) == len(sent)
    assert sum(answer["duplicates"] for answer in answers) == 5 * len(sent)
    assert len(await kept(road)) == len(sent)
    assert (await newest(road)).latitude == 12.93


async def test_of_many_phones_at_once_each_is_answered_for_its_own_van(farm: Platform) -> None:
    roads = [await plant_road(farm) for _ in range(5)]
    astray, *others = roads
    wrong = {"route_id": others[0].route_id, "positions": [at(12.99)]}
    sent = [at(12.93 + number / 1000, ago_s=number) for number in range(2)]
    lost, *answers = await asyncio.gather(
        astray.driver.client.post("/api/v1/mobile/positions", json=wrong), *(road.report(*sent) for road in others)
    )
    assert lost.status_code == 404
    assert [answer["accepted"] for answer in answers] == [2] * len(others)
    assert [[row.latitude for row in await kept(road)] for road in roads] == [[], *([[12.931, 12.93]] * len(others))]
    assert [(await newest(road)).latitude for road in others] == [12.93] * len(others)


async def test_two_watches_at_once_tell_of_a_change_once(farm: Platform, wall_clock: WallClock) -> None:
    road = await plant_road(farm, doors=3, started_ago_s=0)
    await look(farm)
    wall_clock.move(minutes=6)
    await road.set_route(departs_at=road.started_at + timedelta(minutes=30), started_at=None)
    await asyncio.gather(*(look(farm) for _ in range(4)))
    assert len(await told(road, "EtaMoved")) == 3
    assert len(await promised(road)) == 6


async def test_two_watches_at_once_write_a_crossing_down_once(farm: Platform) -> None:
    yard = {"name": "Yard", "kind": "depot", "circle": {"latitude": 12.93, "longitude": 77.61, "radius_m": 300}}
    await farm.tenant.post("/api/v1/geofences", yard)
    roads = [await plant_road(farm) for _ in range(3)]
    for road in roads:
        await road.report(at(12.93, ago_s=9), at(12.95))
    await asyncio.gather(*(look(farm) for _ in range(4)))
    events = await farm.tenant.get("/api/v1/geofences/events")
    assert sorted(event["vehicle_id"] for event in events) == sorted([road.vehicle_id for road in roads] * 2)


async def test_an_address_that_is_asked_for_at_once_is_one(farm: Platform) -> None:
    road = await plant_road(farm)

    async def asked() -> str:
        async with farm.database.unit_of_work(farm.tenant.organization) as db:
            return await service.link_for(db, uuid.UUID(road.order_ids[0]))

    assert len({*await asyncio.gather(*(asked() for _ in range(5)))}) == 1


async def test_a_report_that_comes_while_the_van_is_looked_at_is_looked_at_too(farm: Platform) -> None:
    yard = {"name": "Yard", "kind": "depot", "circle": {"latitude": 12.93, "longitude": 77.61, "radius_m": 300}}
    await farm.tenant.post("/api/v1/geofences", yard)
    road = await plant_road(farm)
    drive = [at(12.93 if step % 2 else 12.95, ago_s=40 - step) for step in range(40)]

    async def reported() -> None:
        for position in drive:
            await road.report(position)

    async def looked() -> None:
        for _ in range(25):
            await look(farm)

    await asyncio.gather(reported(), looked())
    await look(farm)
    events = await farm.tenant.get("/api/v1/geofences/events", limit=200)
    assert [event["event"] for event in events[::-1]] == ["enter", "exit"] * 19 + ["enter"]


async def test_positions_of_three_months_ago_are_deleted_and_younger_ones_stay(farm: Platform) -> None:
    await expiry.expire_positions(farm.database)  # what others left
    road = await plant_road(farm)
    days_ago = (120, 91, 89, 1)
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        for days in days_ago:
            recorded_at = clock.now() - timedelta(days=days)
            position = {"latitude": 12.93, "longitude": float(days), "recorded_at": recorded_at}
            key = uuid.UUID(int=clock.to_ms(recorded_at) << 80 | 7 << 76 | days)
            db.add(VehiclePosition(id=key, vehicle_id=uuid.UUID(road.vehicle_id), **position))
    assert await expiry.expire_positions(farm.database) == 2
    assert [row.longitude for row in await kept(road)] == [89, 1]
    assert await expiry.expire_positions(farm.database) == 0
