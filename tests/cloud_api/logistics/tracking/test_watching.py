"""What is noticed beside the reports: doors reached, times that moved, phones that fell silent."""

import uuid
from datetime import timedelta

from cloud_api.kernel import clock, outbox
from cloud_api.logistics.deliveries.models import Delivery
from cloud_api.logistics.events import StopArrived
from cloud_api.logistics.tracking import promises, service
from cloud_api.logistics.tracking.watching import Looked, look_at, look_at_the_road
from tests.cloud_api.logistics.tracking.conftest import WallClock
from tests.cloud_api.logistics.tracking.written import promised, told, track_of
from tests.factories.farms import make_farm
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.roads import at, look, plant_road
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

SETTINGS = "/api/v1/admin/settings"


async def test_a_van_that_stops_at_a_door_has_arrived_there_by_its_positions_and_the_delivery_is_the_drivers(
    farm: Platform,
) -> None:
    road = await plant_road(farm, doors=3)
    door = road.door(0)
    sent = [at(*door, ago_s=40, speed_kmh=30, accuracy_m=5), at(*door, ago_s=15, speed_kmh=2, accuracy_m=5)]
    await road.report(*sent)
    await look(farm)
    track = await track_of(road, 0)
    assert track is not None
    assert track.arrived_by_fence_at is not None
    assert track.arrived_by_fence_at.isoformat() == sent[0]["recorded_at"]
    async with farm.database.unit_of_work(farm.tenant.organization, read_only=True) as db:
        delivery = await db.get_one(Delivery, uuid.UUID(road.delivery_ids[0]))
        assert (delivery.status, delivery.arrived_at) == ("out_for_delivery", None)
    await road.report(at(12.9455))
    await look(farm)
    left = await track_of(road, 0)
    assert left is not None
    assert (left.near_since, left.arrived_by_fence_at) == (None, track.arrived_by_fence_at)


async def test_a_van_that_only_drives_past_a_door_has_not_arrived_there(farm: Platform) -> None:
    road = await plant_road(farm, doors=3)
    past = [at(road.door(1)[0] + step / 10_000, ago_s=20 - step, speed_kmh=40, accuracy_m=5) for step in range(-15, 15)]
    await road.report(*past)
    await look(farm)
    track = await track_of(road, 1)
    assert track is None or (track.near_since, track.arrived_by_fence_at) == (None, None)


async def test_how_near_is_near_is_the_organisations(farm: Platform) -> None:
    await farm.tenant.put(SETTINGS, {"values": {"deliveries.arrival_radius_m": 400}})
    road = await plant_road(farm)
    await road.report(at(road.door(0)[0] - 0.003, speed_kmh=0, accuracy_m=5))
    await look(farm)
    track = await track_of(road, 0)
    assert track is not None
    assert track.arrived_by_fence_at is not None


async def test_what_is_expected_first_is_written_down_and_tells_nobody(farm: Platform, wall_clock: WallClock) -> None:
    road = await plant_road(farm, doors=2, started_ago_s=0)
    await look(farm)
    assert [(one.legs, str(one.delivery_id)) for one in await promised(road)] == [
        (1, road.delivery_ids[0]),
        (2, road.delivery_ids[1]),
    ]
    assert all(one.band_s > 0 for one in await promised(road))
    wall_clock.move(minutes=2)
    await look(farm)
    assert (len(await promised(road)), await told(road, "EtaMoved")) == (2, [])


async def test_a_time_that_moves_by_five_minutes_is_told_once_and_again_not_before_five_minutes_have_gone(
    farm: Platform, wall_clock: WallClock
) -> None:
    road = await plant_road(farm, doors=1, started_ago_s=0)
    await look(farm)
    planned = (await promised(road))[0].p50_at

    async def planned_later(minutes: int) -> list[dict[str, object]]:
        wall_clock.move(seconds=61)
        await road.set_route(started_at=None, departs_at=road.started_at + timedelta(minutes=minutes))
        await road.set_stop(0, planned_arrival_at=planned + timedelta(minutes=minutes))
        await look(farm)
        return await told(road, "EtaMoved")

    assert await planned_later(4) == []
    assert await planned_later(20) == [], "the customer was told two minutes ago"
    wall_clock.move(minutes=3)
    assert await planned_later(20) == [{"delivery_id": road.delivery_ids[0]}]
    assert len(await planned_later(40)) == 1, "told a minute ago"
    wall_clock.move(minutes=4)
    assert len(await planned_later(40)) == 2
    assert len(await promised(road)) == 3


async def test_what_a_customer_is_told_with_a_message_is_what_later_times_are_held_against(
    farm: Platform, wall_clock: WallClock
) -> None:
    road = await plant_road(farm, doors=2, started_ago_s=0)
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        eta = await service.promise_eta(db, uuid.UUID(road.delivery_ids[1]))
        assert await service.promise_eta(db, uuid.uuid4()) is None
    track = await track_of(road, 1)
    assert eta is not None
    assert track is not None
    assert (track.told_p50_at, track.told_p90_at, track.told_at) == (eta.p50_at, eta.p90_at, clock.now())


async def test_an_arrival_is_compared_with_what_was_told_before_it_and_with_nothing_else(
    farm: Platform, wall_clock: WallClock
) -> None:
    road = await plant_road(farm, doors=1, started_ago_s=0)
    await look(farm)
    arrived_at = road.started_at + timedelta(minutes=13)
    wall_clock.move(minutes=13)
    await road.set_stop(0, arrived_at=arrived_at, status="arrived")
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        outbox.emit(db, StopArrived(uuid.UUID(road.delivery_ids[0])))
    await farm.deliver()
    [promise] = await promised(road)
    assert promise.arrived_at == arrived_at
    assert promise.error_s == round((arrived_at - promise.p50_at).total_seconds())
    await road.set_stop(0, arrived_at=arrived_at + timedelta(hours=1))
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        await promises.settle(db, [uuid.UUID(road.delivery_ids[0])])
    assert (await promised(road))[0].arrived_at == arrived_at


async def test_a_phone_that_says_nothing_for_ten_minutes_is_told_of_once_until_it_speaks(
    farm: Platform, wall_clock: WallClock
) -> None:
    road = await plant_road(farm, started_ago_s=0)
    path = f"/api/v1/warehouse/deliveries/tracking/{road.route_id}"

    async def after(minutes: float) -> int:
        wall_clock.move(minutes=minutes)
        await look(farm)
        return len(await told(road, "PhoneFellSilent"))

    assert await after(9) == 0
    await road.report(at(12.931))
    assert await after(9) == 0
    assert (await farm.tenant.get(path))["silent_since"] is None
    assert await after(2) == 1
    assert (await farm.tenant.get(path))["silent_since"] is not None
    assert await after(30) == 1
    await road.report(at(12.932))
    assert await after(2) == 1
    assert (await farm.tenant.get(path))["silent_since"] is None
    assert await after(11) == 2
    assert await told(road, "PhoneFellSilent") == [{"route_id": road.route_id}] * 2


async def test_what_a_driver_does_at_a_door_is_a_word_too_and_a_route_that_is_over_is_not_missed(
    farm: Platform, wall_clock: WallClock
) -> None:
    road, over = await plant_road(farm, started_ago_s=0), await plant_road(farm, started_ago_s=0)
    wall_clock.move(minutes=8)
    await road.set_stop(0, arrived_at=clock.now(), status="arrived")
    await over.set_route(status="completed", completed_at=clock.now())
    wall_clock.move(minutes=8)
    await look(farm)
    assert await told(road, "PhoneFellSilent") == []


async def test_a_worker_looks_at_whatever_is_due_in_any_organisation(farm: Platform) -> None:
    stranger = await make_farm(farm)
    roads = [await plant_road(farm), await plant_road(farm, tenant=stranger)]
    for road in roads:
        await road.report(at(12.931))
    first = await look_at_the_road(farm.database)
    assert first.vans >= 2
    assert first.routes >= 2
    for road in roads:
        assert len(await promised(road)) == 2
        assert (await look_at(farm.database, road.tenant.organization)) == Looked(0, 0)


async def test_how_long_silence_is_is_the_organisations(farm: Platform, wall_clock: WallClock) -> None:
    await farm.tenant.put(SETTINGS, {"values": {"deliveries.silent_after_minutes": 45}})
    road = await plant_road(farm, started_ago_s=0)
    wall_clock.move(minutes=44)
    await look(farm)
    assert await told(road, "PhoneFellSilent") == []
    wall_clock.move(minutes=2)
    await look(farm)
    assert len(await told(road, "PhoneFellSilent")) == 1
