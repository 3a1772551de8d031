"""Routes and attempts that a dispatcher makes, changes and gives up."""

import uuid
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloud_api.kernel import clock
from cloud_api.logistics.deliveries.legs import Door, course, shortest
from tests.cloud_api.inventory.stock import lying_in
from tests.cloud_api.logistics.deliveries.rounds import (
    DELIVERIES,
    MOBILE,
    ROUTES,
    by_hand,
    customer_with,
    make_round,
    order_for,
)
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.orders import day_in, hire_driver, make_depot, make_van
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP


@pytest.mark.long
async def test_a_route_by_hand_keeps_the_sequence_and_its_times_follow(farm: Platform) -> None:
    made = await make_round(farm, doors=3)
    route = await made.route()
    stops = route["deliveries"]
    assert [stop["order_id"] for stop in stops] == list(made.order_ids)
    assert [(stop["sequence"], stop["status"], stop["attempt"]) for stop in stops] == [
        (number, "assigned", 1) for number in (1, 2, 3)
    ]
    assert route["departs_at"] < stops[0]["planned_arrival_at"] < stops[1]["planned_arrival_at"]
    assert (route["driver_id"], route["load_g"], route["status"]) == (made.driver_id, 12_000, "planned")
    assert route["distance_m"] > 0
    assert [event["route_id"] for event in await made.told("RoutePublished")] == [made.route_id]


async def test_a_route_that_cannot_be_meant_is_refused_by_name_and_nothing_is_made(farm: Platform) -> None:
    depot = await make_depot(farm.tenant)
    van = await make_van(farm.tenant, capacity_g=5_000)
    customer = await customer_with(farm.tenant)
    packed, heavy = await order_for(depot, customer), await order_for(depot, customer, quantity="6.000")
    pending = await order_for(depot, customer, packed=False)
    body = {"warehouse_id": depot.warehouse_id, "vehicle_id": van["id"], "delivery_date": day_in(1)}

    async def refused(**fields: object) -> tuple[int, str]:
        answer = await farm.tenant.client.post(ROUTES, json={**body, **fields})
        return answer.status_code, answer.json()["error"]["code"]

    assert await refused(order_ids=[]) == (422, "VALIDATION_FAILED")
    assert await refused(order_ids=[packed, packed]) == (409, "VEHICLE_OVERLOADED")
    assert await refused(order_ids=[heavy]) == (409, "VEHICLE_OVERLOADED")
    assert await refused(order_ids=[pending]) == (409, "ORDER_NOT_PACKED")
    assert await refused(order_ids=[str(uuid.uuid4())]) == (404, "NOT_FOUND")
    assert await refused(order_ids=[packed], vehicle_id=str(uuid.uuid4())) == (404, "NOT_FOUND")
    assert await refused(order_ids=[packed], driver_id=str(uuid.uuid4())) == (404, "NOT_FOUND")
    assert await farm.tenant.get(ROUTES) == []
    assert await farm.tenant.get(DELIVERIES) == []
    await by_hand(depot, van["id"], [packed])
    assert await refused(order_ids=[packed]) == (409, "ALREADY_ON_A_ROUTE")


async def test_an_attempt_waits_for_a_route_joins_it_and_leaves_it(farm: Platform) -> None:
    made = await make_round(farm, doors=2)
    late = await order_for(made.depot, await customer_with(farm.tenant, door=5))
    waiting = await farm.tenant.post(DELIVERIES, {"order_id": late})
    assert (waiting["status"], waiting["route_id"], waiting["sequence"]) == ("pending", None, None)
    assert (await farm.tenant.post(DELIVERIES, {"order_id": late}))["id"] == waiting["id"]
    path = f"{DELIVERIES}/{waiting['id']}"
    assert await made.said("GET", path) == (404, "NOT_FOUND")
    joined = await farm.tenant.put(path, {"route_id": made.route_id, "note": "ring twice"})
    assert (joined["status"], joined["sequence"], joined["note"]) == ("assigned", 3, "ring twice")
    route = await made.route()
    assert (route["load_g"], route["version"]) == (12_000, 2)
    left = await farm.tenant.put(path, {"route_id": None})
    assert (left["status"], left["route_id"], left["planned_arrival_at"]) == ("pending", None, None)
    assert (await made.route())["load_g"] == 8_000
    assert await made.said("PUT", f"{path}/status", {"status": "cancelled"}, who=made.dispatcher) == (200, "")
    await made.start()
    assert await made.said("PUT", f"{DELIVERIES}/{made.delivery_ids[0]}", {"route_id": None}, who=made.dispatcher) == (
        409,
        "ROUTE_HAS_LEFT",
    )


@pytest.mark.long
async def test_a_planned_route_gets_another_driver_van_and_sequence(farm: Platform) -> None:
    made = await make_round(farm, doors=3)
    other_id, other = await hire_driver(farm, farm.tenant)
    van = await make_van(farm.tenant)
    turned = [made.delivery_ids[number] for number in (2, 0, 1)]
    path = f"{ROUTES}/{made.route_id}"
    changes = {"driver_id": other_id, "vehicle_id": van["id"], "delivery_ids": turned, "version": 1}
    changed = await farm.tenant.put(path, changes)
    assert [stop["id"] for stop in changed["deliveries"]] == turned
    assert [stop["sequence"] for stop in changed["deliveries"]] == [1, 2, 3]
    arrivals = [stop["planned_arrival_at"] for stop in changed["deliveries"]]
    assert arrivals == sorted(arrivals)
    assert await made.said("GET", f"{MOBILE}/routes/current") == (404, "NOT_FOUND")
    assert (await other.get(f"{MOBILE}/routes/current"))["vehicle_id"] == van["id"]
    assert await made.said("PUT", path, {"name": "north", "version": 1}, who=made.dispatcher) == (
        409,
        "ROUTE_CHANGED_MEANWHILE",
    )
    assert await made.said("PUT", path, {"delivery_ids": turned[:2]}, who=made.dispatcher) == (422, "BAD_ROUTE")
    await other.post(f"{MOBILE}/routes/{made.route_id}/start")
    assert await made.said("PUT", path, {"name": "north"}, who=made.dispatcher) == (409, "ROUTE_HAS_LEFT")


@pytest.mark.long
async def test_a_planned_route_that_is_given_up_leaves_its_orders_waiting(farm: Platform) -> None:
    made = await make_round(farm, doors=2)
    given_up = await farm.tenant.client.delete(f"{ROUTES}/{made.route_id}", params={"reason": "rain"})
    assert (given_up.json()["data"]["status"], given_up.json()["data"]["cancelled_reason"]) == ("cancelled", "rain")
    assert [(await made.stop(stop))["status"] for stop in (0, 1)] == ["pending"] * 2
    assert [(await made.order(stop))["status"] for stop in (0, 1)] == ["packed"] * 2
    again = await by_hand(made.depot, made.van["id"], made.order_ids)
    assert [stop["id"] for stop in again["deliveries"]] == list(made.delivery_ids)


@pytest.mark.long
async def test_a_route_under_way_is_given_up_only_with_all_its_goods_and_a_place_for_them(farm: Platform) -> None:
    made = await make_round(farm, doors=2)
    await made.start()
    path = f"{ROUTES}/{made.route_id}"
    assert await made.said("DELETE", path, who=made.dispatcher) == (422, "UNLOADING_PLACE_MISSING")
    place = f"{path}?unload_location_id={made.depot.room_id}"
    assert await made.said("DELETE", place, who=made.dispatcher) == (200, "")
    assert [(await made.stop(stop))["status"] for stop in (0, 1)] == ["returned"] * 2
    assert [(await made.order(stop))["status"] for stop in (0, 1)] == ["packed"] * 2
    assert await lying_in(farm.tenant, made.depot.room_id) == {"LOT-1": ("100.000", "92.000", "available")}
    other = await make_round(farm, doors=2, depot=made.depot)
    await other.start()
    assert await other.prove() == (200, "")
    assert await other.said("DELETE", f"{ROUTES}/{other.route_id}", who=made.dispatcher) == (409, "ROUTE_HAS_LEFT")


@pytest.mark.long
async def test_a_dispatcher_moves_a_stop_as_its_states_allow(farm: Platform) -> None:
    made = await make_round(farm, doors=2)
    path = f"{DELIVERIES}/{made.delivery_ids[0]}/status"

    async def moved(status: str) -> tuple[int, str]:
        return await made.said("PUT", path, {"status": status}, who=made.dispatcher)

    assert [await moved(status) for status in ("arrived", "pending", "cancelled")] == [
        (409, "INVALID_TRANSITION"),
        (200, ""),
        (200, ""),
    ]
    assert await moved("delivered") == (422, "VALIDATION_FAILED")
    await made.start()
    path = f"{DELIVERIES}/{made.delivery_ids[1]}/status"
    assert [await moved(status) for status in ("pending", "arrived", "arrived", "failed", "arrived")] == [
        (409, "INVALID_TRANSITION"),
        (200, ""),
        (200, ""),
        (200, ""),
        (409, "INVALID_TRANSITION"),
    ]


@pytest.mark.long
async def test_the_stops_ahead_are_put_into_a_shorter_sequence_and_what_happened_stays(farm: Platform) -> None:
    made = await make_round(farm, doors=4)
    backwards = [made.delivery_ids[number] for number in (0, 3, 1, 2)]
    await farm.tenant.put(f"{ROUTES}/{made.route_id}", {"delivery_ids": backwards})
    await made.start()
    assert await made.move(0, "failed") == (200, "")
    path = f"{MOBILE}/routes/{made.route_id}/optimize"
    better = await made.driver.put(path, {"latitude": 12.93, "longitude": 77.61})
    assert [stop["id"] for stop in better["deliveries"]] == list(made.delivery_ids)
    assert [stop["sequence"] for stop in better["deliveries"]] == [1, 2, 3, 4]
    stranger = await hire_driver(farm, farm.tenant)
    assert await made.said("PUT", path, {}, who=stranger[1]) == (404, "NOT_FOUND")


places = st.tuples(st.floats(12.8, 13.1), st.floats(77.4, 77.8))


@given(
    start=places,
    doors=st.lists(places, max_size=7),
    hours=st.lists(st.integers(1, 9), min_size=7, max_size=7),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
async def test_a_shorter_sequence_has_every_door_once_and_is_never_worse_than_the_nearest_first(
    start: tuple[float, float], doors: list[tuple[float, float]], hours: list[int]
) -> None:
    departs_at: datetime = clock.machine_now()
    its = [Door(latitude, longitude) for latitude, longitude in doors]
    closes = [departs_at + timedelta(hours=hour) for hour in hours[: len(its)]]
    order = shortest(start, its, closes, departs_at=departs_at)
    assert sorted(order) == list(range(len(its)))

    def late_s(sequence: list[int]) -> float:
        way = course(start, [its[number] for number in sequence], departs_at=departs_at, returns=False)
        pairs = zip(sequence, way.arrivals_at, strict=True)
        return sum(max(0.0, (at - closes[number]).total_seconds()) for number, at in pairs)

    turned = list(reversed(order))
    assert late_s(order) <= late_s(turned) + len(its)


async def test_deliveries_are_found_by_their_numbers(farm: Platform) -> None:
    made = await make_round(farm, doors=3)
    numbers = [one["number"] for one in await farm.tenant.get(DELIVERIES, route_id=made.route_id)]
    found = await farm.tenant.get(DELIVERIES, number=[*numbers[:2], "nobody's"])
    assert {one["number"] for one in found} == set(numbers[:2])
