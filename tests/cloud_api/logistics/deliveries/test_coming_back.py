"""What is started, cancelled meanwhile, refused, held and brought back."""

import uuid

import pytest

from tests.cloud_api.inventory.stock import hold, lying_in
from tests.cloud_api.logistics.deliveries.rounds import MOBILE, Round, by_hand, make_round
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.orders import make_van
from tests.factories.stores import ColdStore
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP


async def hold_place(farm: Platform, made: Round, location_id: str) -> None:
    depot = made.depot
    store = ColdStore(depot.tenant, depot.warehouse_id, depot.room_id, depot.product_id, "", "", "")
    await hold(farm, store, f"excursion:{location_id}", location_id)


async def cancel_order(made: Round, number: int) -> None:
    path = f"/api/v1/orders/{made.order_ids[number]}/cancel"
    await made.dispatcher.post(path, {"reason": "closed today"})


async def test_an_order_cancelled_a_moment_ago_is_left_behind_and_the_others_are_loaded(farm: Platform) -> None:
    made = await make_round(farm, doors=3)
    await cancel_order(made, 1)
    started = await made.start()
    assert started["status"] == "in_progress"
    assert [(await made.stop(stop))["status"] for stop in range(3)] == [
        "out_for_delivery",
        "cancelled",
        "out_for_delivery",
    ]
    assert await lying_in(farm.tenant, made.van["location_id"]) == {"LOT-1": ("8.000", "0.000", "available")}


@pytest.mark.long
async def test_a_route_of_which_every_order_was_cancelled_is_cancelled_instead_of_started(farm: Platform) -> None:
    made = await make_round(farm)
    await cancel_order(made, 0)
    assert (await made.start())["status"] == "cancelled"
    assert await lying_in(farm.tenant, made.van["location_id"]) == {}


@pytest.mark.long
async def test_a_driver_and_a_van_have_one_route_under_way(farm: Platform) -> None:
    made = await make_round(farm)
    second = await make_round(farm, depot=made.depot)
    third = await make_round(farm, depot=made.depot)
    await farm.tenant.put(f"/api/v1/warehouse/routes/{second.route_id}", {"driver_id": made.driver_id})
    await farm.tenant.put(f"/api/v1/warehouse/routes/{third.route_id}", {"vehicle_id": made.van["id"]})
    await made.start()
    path = f"{MOBILE}/routes/{{}}/start"
    assert await made.said("POST", path.format(second.route_id)) == (409, "ALREADY_DRIVING")
    assert await third.said("POST", path.format(third.route_id)) == (409, "ALREADY_DRIVING")


@pytest.mark.long
async def test_the_next_stop_is_told_once_each_and_nobody_while_the_driver_stands_at_a_door(farm: Platform) -> None:
    made = await make_round(farm, doors=3)

    async def next_ones() -> list[int]:
        return [made.delivery_ids.index(event["delivery_id"]) for event in await made.told("StopIsNext")]

    assert await next_ones() == []
    await made.start()
    assert await next_ones() == [0]
    await made.move(0, "arrived")
    await made.move(1, "failed", failure_reason="customer_absent")
    assert await next_ones() == [0]
    assert await made.prove(0) == (200, "")
    assert await next_ones() == [0, 2]
    assert await made.prove(2) == (200, "")
    assert await next_ones() == [0, 2]
    assert [event["reason"] for event in await made.told("StopFailed")] == ["customer_absent"]


async def test_what_was_refused_is_returned_for_good_and_what_failed_goes_out_again(farm: Platform) -> None:
    made = await make_round(farm, doors=3)
    await made.start()
    for stop, reason in enumerate(("refused", "damaged", "customer_absent")):
        assert await made.move(stop, "failed", failure_reason=reason) == (200, "")
    assert await made.complete(unload_location_id=made.depot.room_id, odometer_end_km=10, fuel_ml=1_500) == (200, "")
    assert [(await made.order(stop))["status"] for stop in range(3)] == ["returned", "returned", "packed"]
    assert [(await made.stop(stop))["status"] for stop in range(3)] == ["returned"] * 3
    assert await lying_in(farm.tenant, made.van["location_id"]) == {"LOT-1": ("0.000", "0.000", "available")}
    stock = await lying_in(farm.tenant, made.depot.room_id)
    assert {on_hand for on_hand, _, _ in stock.values()} == {"100.000"}
    again = await by_hand(made.depot, made.van["id"], [made.order_ids[2]])
    assert [(stop["attempt"], stop["status"]) for stop in again["deliveries"]] == [(2, "assigned")]


async def test_held_goods_come_back_held_and_stay_promised(farm: Platform) -> None:
    made = await make_round(farm, doors=2)
    await made.start()
    await hold_place(farm, made, made.van["location_id"])
    assert await made.prove(0) == (409, "STOCK_ON_HOLD")
    for stop, reason in enumerate(("excursion", "refused")):
        await made.move(stop, "failed", failure_reason=reason)
    assert await made.complete(unload_location_id=made.depot.room_id) == (200, "")
    assert (await lying_in(farm.tenant, made.van["location_id"]))["LOT-1"][:2] == ("0.000", "0.000")
    assert (await lying_in(farm.tenant, made.depot.room_id))["LOT-1"][2] == "on_hold"
    assert [(await made.order(stop))["status"] for stop in range(2)] == ["packed", "returned"]


@pytest.mark.long
async def test_the_unloading_place_is_looked_at_even_when_nothing_came_back(farm: Platform) -> None:
    made = await make_round(farm)
    van = await make_van(farm.tenant)
    body = {"odometer_start_km": 1_000}
    await made.driver.post(f"{MOBILE}/routes/{made.route_id}/start", body)
    assert await made.prove() == (200, "")
    for nowhere in (van["location_id"], str(uuid.uuid4())):
        assert await made.complete(unload_location_id=nowhere) == (422, "UNLOADING_PLACE_MISSING")
    assert await made.complete(odometer_end_km=999) == (422, "BAD_ROUTE")
    assert await made.complete(odometer_end_km=1_042) == (200, "")
    route = await made.route()
    assert (route["status"], route["odometer_start_km"], route["odometer_end_km"]) == ("completed", 1_000, 1_042)
    assert len(await made.told("RouteCompleted")) == 1
