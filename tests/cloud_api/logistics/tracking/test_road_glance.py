"""The vans on the road at a glance, and the lists of routes and deliveries by what is asked of them."""

from datetime import timedelta

from cloud_api.kernel import clock
from tests.factories.farms import make_person
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.roads import Road, at, plant_road
from tests.factories.scopes import id_of
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

ACTIVE = "/api/v1/warehouse/routes/active"
ROUTES = "/api/v1/warehouse/routes"
DELIVERIES = "/api/v1/warehouse/deliveries"


async def test_a_van_shows_its_next_door_with_its_name_and_how_far_it_has_come(farm: Platform) -> None:
    road = await plant_road(farm, doors=4)
    await road.report(at(12.9305, ago_s=1))
    await road.set_stop(0, status="failed", failure_reason="customer_absent", arrived_at=clock.now())
    [van] = await farm.tenant.get(ACTIVE, id=road.route_id)
    assert (van["stops"], van["delivered"], van["failed"], van["ahead"]) == (4, 0, 1, 3)
    assert (van["latitude"], van["silent_since"]) == (12.9305, None)
    [door] = van["doors"]
    order = await farm.tenant.get(f"/api/v1/orders/{road.order_ids[1]}")
    assert (door["delivery_id"], door["sequence"]) == (road.delivery_ids[1], 2)
    assert (door["customer_name"], door["order_number"]) == (order["customer_name"], order["number"])
    assert (door["latitude"], door["longitude"]) == road.door(1)
    driver = await farm.tenant.get(f"/api/v1/warehouse/fleet/drivers?id={await id_of(road.driver)}")
    assert van["driver_name"] == driver[0]["full_name"]


async def test_all_doors_ahead_or_only_the_late_ones_are_told_when_asked_for(farm: Platform) -> None:
    late = await plant_road(farm, doors=2, started_ago_s=7_200)
    punctual = await plant_road(farm, doors=3, started_ago_s=0)
    ids = {"id": [late.route_id, punctual.route_id]}
    every = {van["id"]: van for van in await farm.tenant.get(ACTIVE, doors="all", **ids)}
    assert [len(every[road.route_id]["doors"]) for road in (late, punctual)] == [2, 3]
    assert all(door["is_late"] for door in every[late.route_id]["doors"])
    only = {van["id"]: van for van in await farm.tenant.get(ACTIVE, doors="late", **ids)}
    assert [len(only[road.route_id]["doors"]) for road in (late, punctual)] == [2, 0]
    assert [only[road.route_id]["late"] for road in (late, punctual)] == [2, 0]


async def test_a_van_of_which_nothing_was_heard_since_it_left_is_silent_since_then(farm: Platform) -> None:
    road = await plant_road(farm, started_ago_s=1_800)
    [van] = await farm.tenant.get(ACTIVE, id=road.route_id)
    assert van["silent_since"] is not None
    assert van["silent_since"] == van["started_at"]
    await road.report(at(12.931, ago_s=1))
    [van] = await farm.tenant.get(ACTIVE, id=road.route_id)
    assert van["silent_since"] is None


async def test_routes_that_wait_or_are_over_are_not_on_the_road_and_a_driver_sees_their_own(farm: Platform) -> None:
    road, planned = await plant_road(farm), await plant_road(farm, under_way=False)
    over = await plant_road(farm)
    await over.set_route(status="completed", completed_at=clock.now())
    ids = {"id": [road.route_id, planned.route_id, over.route_id]}
    assert [van["id"] for van in await farm.tenant.get(ACTIVE, **ids)] == [road.route_id]
    assert [van["id"] for van in await road.driver.get(ACTIVE)] == [road.route_id]
    assert await planned.driver.get(ACTIVE) == []
    packer = await make_person(farm, farm.tenant, "inventory_staff")
    assert (await packer.client.get(ACTIVE)).status_code == 403


async def ids_of(farm: Platform, path: str, **query: object) -> set[str]:
    """The rows of a list that are told."""
    return {row["id"] for row in await farm.tenant.get(path, limit=200, **query)}


async def test_routes_are_listed_by_driver_van_warehouse_state_and_days(farm: Platform) -> None:
    one, other = await plant_road(farm), await plant_road(farm, under_way=False)
    for field, value in (
        ("driver_id", await id_of(one.driver)),
        ("vehicle_id", one.vehicle_id),
        ("warehouse_id", one.warehouse_id),
        ("status", "in_progress"),
    ):
        found = await ids_of(farm, ROUTES, **{field: value})
        assert one.route_id in found, field
        assert other.route_id not in found, field
    today = clock.now().date()
    assert one.route_id in await ids_of(farm, ROUTES, since=today, until=today)
    assert one.route_id not in await ids_of(farm, ROUTES, until=today - timedelta(days=1))
    assert one.route_id not in await ids_of(farm, ROUTES, since=today + timedelta(days=1))


async def test_deliveries_are_listed_by_route_driver_warehouse_state_and_days(farm: Platform) -> None:
    one, other = await plant_road(farm), await plant_road(farm, under_way=False)
    today = clock.now().date()
    wanted: list[dict[str, object]] = [
        {"route_id": one.route_id},
        {"driver_id": await id_of(one.driver)},
        {"warehouse_id": one.warehouse_id},
        {"status": "out_for_delivery", "since": today, "until": today},
    ]
    for query in wanted:
        found = await ids_of(farm, DELIVERIES, **query)
        assert set(one.delivery_ids) <= found, query
        assert not found & set(other.delivery_ids), query
    assert not await ids_of(farm, DELIVERIES, route_id=one.route_id, until=today - timedelta(days=1))
    active = f"{DELIVERIES}/active"
    assert await ids_of(farm, active, route_id=one.route_id, status="out_for_delivery") == set(one.delivery_ids)
    assert not await ids_of(farm, active, route_id=one.route_id, status="arrived")


async def test_a_delivery_says_whose_door_it_goes_to_to_its_driver_too(farm: Platform) -> None:
    road = await plant_road(farm)
    order = await farm.tenant.get(f"/api/v1/orders/{road.order_ids[0]}")
    told = await road.driver.get(f"{DELIVERIES}/{road.delivery_ids[0]}")
    assert (told["order_number"], told["customer_name"]) == (order["number"], order["customer_name"])
    assert (told["door_latitude"], told["door_longitude"]) == road.door(0)
    assert await its_names(road) == {(order["customer_name"], order["address"])}


async def its_names(road: Road) -> set[tuple[str, str]]:
    """The door that a route's first stop goes to, as its driver reads it."""
    route = await road.driver.get(f"{ROUTES}/{road.route_id}")
    return {(stop["customer_name"], stop["address"]) for stop in route["deliveries"][:1]}
