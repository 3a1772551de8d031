"""Where routes and deliveries are, as dispatchers, drivers and customers see it."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cloud_api.kernel import clock
from cloud_api.logistics.tracking import service
from cloud_api.logistics.tracking.models import EtaPromise
from tests.cloud_api.logistics.tracking.conftest import WallClock
from tests.factories.batches import make_reading, send
from tests.factories.farms import make_farm, make_person, plant_sensor, plant_store
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.roads import Road, at, look, plant_road
from tests.factories.scopes import id_of
from tests.platform_under_test import Platform, Tenant

pytestmark = IN_ONE_LOOP

DELIVERIES = "/api/v1/warehouse/deliveries"


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def make_buyer(farm: Platform, road: Road, stop: int = 0) -> Tenant:
    """Who signs in for the customer of a stop."""
    buyer = await make_person(farm, farm.tenant, "customer")
    await farm.tenant.put(f"/api/v1/customers/{road.customer_ids[stop]}/account", {"user_id": await id_of(buyer)})
    return buyer


async def test_a_route_shows_its_van_its_doors_its_way_and_what_it_crossed(
    farm: Platform, wall_clock: WallClock
) -> None:
    yard = {"name": "Yard", "kind": "depot", "circle": {"latitude": 12.93, "longitude": 77.61, "radius_m": 300}}
    await farm.tenant.post("/api/v1/geofences", yard)
    road = await plant_road(farm, doors=3, started_ago_s=60)
    await road.report(at(12.93, ago_s=50), at(12.932, ago_s=30), at(12.935, speed_kmh=40, heading_deg=0))
    await look(farm)
    track = await farm.tenant.get(f"{DELIVERIES}/tracking/{road.route_id}")
    assert (track["route"]["id"], track["delivery_id"]) == (road.route_id, None)
    assert (track["latitude"], track["speed_kmh"], track["heading_deg"]) == (12.935, 40, 0)
    assert [stop["stops_before"] for stop in track["stops"]] == [0, 1, 2]
    times = [instant(stop["eta"]["p50_at"]) for stop in track["stops"]]
    assert clock.now() <= times[0] < times[1] < times[2]
    assert all(instant(stop["eta"]["p90_at"]) > instant(stop["eta"]["p50_at"]) for stop in track["stops"])
    assert [point["latitude"] for point in track["trail"]] == [12.93, 12.932, 12.935]
    assert [event["event"] for event in track["events"]] == ["enter", "exit"]
    assert (track["cargo"], track["silent_since"]) == ([], None)


async def test_a_delivery_is_followed_by_its_own_id_too(farm: Platform) -> None:
    road = await plant_road(farm)
    track = await road.driver.get(f"{DELIVERIES}/tracking/{road.delivery_ids[1]}")
    assert (track["route"]["id"], track["delivery_id"]) == (road.route_id, road.delivery_ids[1])
    stranger, other = await make_farm(farm), await make_person(farm, farm.tenant, "delivery_personnel")
    for who in (stranger, other):
        for id in (road.delivery_ids[1], road.route_id):
            assert (await who.client.get(f"{DELIVERIES}/tracking/{id}")).status_code == 404


async def test_the_thermometer_in_the_van_is_read(farm: Platform) -> None:
    road, store = await plant_road(farm), await plant_store(farm)
    code = "z2m:in-the-van"
    await plant_sensor(farm, farm.tenant, store.gateway_id, location_id=road.location_id, code=code)
    await send(farm, store, [make_reading(1, sensor=code, at_ms=clock.now_ms() - 1_000, value=3.4)])
    [cargo] = (await farm.tenant.get(f"{DELIVERIES}/tracking/{road.route_id}"))["cargo"]
    assert (cargo["code"], cargo["temperature_c"], cargo["location_id"]) == (code, 3.4, road.location_id)


async def test_a_van_that_drives_another_route_now_is_shown_where_it_was_on_this_one(farm: Platform) -> None:
    road = await plant_road(farm)
    await road.report(at(12.931, ago_s=40))
    await road.set_route(status="completed", completed_at=clock.now())
    await road.driver.post("/api/v1/mobile/positions", {"positions": [at(13.4)]})
    track = await farm.tenant.get(f"{DELIVERIES}/tracking/{road.route_id}")
    assert (track["latitude"], track["stops"]) == (12.931, [])


async def test_deliveries_on_the_road_are_listed_with_where_their_van_is_and_when_it_comes(farm: Platform) -> None:
    road = await plant_road(farm, doors=3)
    await road.set_stop(0, status="delivered", arrived_at=clock.now(), delivered_at=clock.now(), photo_sha256="0" * 64)
    await road.report(at(12.945))
    rows = await farm.tenant.get(f"{DELIVERIES}/active")
    assert [row["id"] for row in rows] == [road.delivery_ids[2], road.delivery_ids[1]]
    assert [(row["stops_before"], row["latitude"]) for row in rows] == [(1, 12.945), (0, 12.945)]
    assert instant(rows[1]["eta"]["p50_at"]) < instant(rows[0]["eta"]["p50_at"])
    assert rows[0]["order_number"].startswith("TRACKED-")
    assert await road.driver.get(f"{DELIVERIES}/active") == rows
    assert await (await make_person(farm, farm.tenant, "delivery_personnel")).get(f"{DELIVERIES}/active") == []
    assert await (await make_farm(farm)).get(f"{DELIVERIES}/active") == []


async def test_active_deliveries_come_by_pages(farm: Platform) -> None:
    road = await plant_road(farm, doors=3)
    first = (await farm.tenant.client.get(f"{DELIVERIES}/active", params={"limit": 2})).json()
    rest = await farm.tenant.get(f"{DELIVERIES}/active", limit=2, cursor=first["meta"]["next_cursor"])
    assert [row["id"] for row in [*first["data"], *rest]] == road.delivery_ids[::-1]


async def test_a_customer_sees_the_van_only_when_it_is_near_and_the_store_always(farm: Platform) -> None:
    road = await plant_road(farm, doors=9)
    buyer = await make_buyer(farm, road, stop=8)
    path = f"/api/v1/orders/{road.order_ids[8]}/tracking"
    await road.report(at(12.931, ago_s=9))
    far, stores = await buyer.get(path), await farm.tenant.get(path)
    assert (far["status"], far["stops_before"], far["van"]) == ("on_the_way", 8, None)
    assert stores["van"]["latitude"] == 12.931
    assert far["eta"] == stores["eta"] is not None
    await road.report(at(13.0))
    near = await buyer.get(path)
    assert (near["stops_before"], near["van"]["latitude"]) == (8, 13.0)
    assert 2_000 < near["van"]["distance_m"] < 2_400
    other = await make_buyer(farm, road, stop=0)
    assert (await other.client.get(path)).status_code == 404


@pytest.mark.parametrize(
    ("order", "stop", "status", "done"),
    [
        ({"status": "confirmed", "packed_at": None}, {"status": "cancelled"}, "taken", 1),
        ({"status": "packed"}, {"status": "assigned"}, "packed", 2),
        ({}, {}, "next", 4),
        ({}, {"status": "arrived", "arrived_at": datetime(2026, 11, 22, 9, tzinfo=UTC)}, "arrived", 5),
        ({"status": "packed"}, {"status": "failed", "failure_reason": "customer_absent"}, "failed", 2),
        ({"status": "cancelled"}, {"status": "cancelled"}, "cancelled", 2),
        ({"status": "returned"}, {"status": "returned"}, "returned", 2),
    ],
)
async def test_how_far_an_order_is_is_said_in_one_word_and_in_steps(
    farm: Platform, order: dict[str, Any], stop: dict[str, Any], status: str, done: int
) -> None:
    road = await plant_road(farm)
    await road.set_order(0, **order)
    await road.set_stop(0, **stop)
    seen = await farm.tenant.get(f"/api/v1/orders/{road.order_ids[0]}/tracking")
    assert (seen["status"], sum(step["is_done"] for step in seen["steps"])) == (status, done)


async def test_routes_tell_when_they_come_to_whoever_plans(farm: Platform) -> None:
    road = await plant_road(farm, doors=2)
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        found = await service.etas(db, uuid.UUID(road.route_id))
        assert [str(id) for id in found] == road.delivery_ids
        assert await service.etas(db, uuid.uuid4()) == {}
    await road.set_route(status="completed", completed_at=clock.now())
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        assert await service.etas(db, uuid.UUID(road.route_id)) == {}


async def test_how_long_a_door_takes_is_learned_and_few_deliveries_are_not_the_truth(farm: Platform) -> None:
    road = await plant_road(farm, doors=6)
    slow, quick = (uuid.UUID(road.customer_ids[stop]) for stop in (0, 1))

    async def learned(customer_id: uuid.UUID) -> int:
        async with farm.database.unit_of_work(farm.tenant.organization) as db:
            return (await service.learned_service_s(db, [customer_id]))[customer_id]

    assert await learned(slow) == 240
    moment = clock.now()
    over = {"status": "delivered", "photo_sha256": "0" * 64, "delivered_at": moment}
    for stop in range(6):
        await road.set_order(stop, customer_id=slow)
        await road.set_stop(stop, **over, arrived_at=moment - timedelta(minutes=15))
    assert 500 < await learned(slow) < 900
    assert 240 < await learned(quick) < await learned(slow), "drawn towards the organisation's own doors"
    await road.set_stop(0, arrived_at=moment - timedelta(hours=20))
    assert await learned(slow) < 900, "who forgot to confirm taught nothing"


async def test_the_error_of_what_was_told_is_published_by_week(farm: Platform, wall_clock: WallClock) -> None:
    road = await plant_road(farm, doors=1)
    delivery_id = uuid.UUID(road.delivery_ids[0])
    arrived = clock.now()
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        for late_s, weeks_ago in ((-100, 0), (200, 0), (500, 0), (1_200, 1)):
            on = arrived - timedelta(weeks=weeks_ago)
            db.add(
                EtaPromise(
                    delivery_id=delivery_id,
                    told_at=on - timedelta(hours=1),
                    p50_at=on - timedelta(seconds=late_s),
                    band_s=300,
                    legs=1,
                    arrived_at=on,
                    error_s=late_s,
                )
            )
    path = f"{DELIVERIES}/eta-error"
    weeks = await farm.tenant.get(path, weeks=3)
    assert [week["promises"] for week in weeks] == [3, 1, 0]
    assert (weeks[0]["bias_s"], weeks[0]["mean_absolute_error_s"]) == (200, 267)
    assert weeks[0]["share_within_band"] == pytest.approx(2 / 3)
    assert weeks[0]["share_before_p50"] == pytest.approx(1 / 3)
    assert weeks[0]["share_before_p90"] == pytest.approx(2 / 3)
    assert (weeks[1]["bias_s"], weeks[1]["share_within_band"]) == (1_200, 0)
    assert weeks[2]["bias_s"] is None
    assert {datetime.fromisoformat(week["week"]).weekday() for week in weeks} == {0}
    assert (await road.driver.client.get(path)).status_code == 403
    assert [week["promises"] for week in await (await make_farm(farm)).get(path, weeks=2)] == [0, 0]
