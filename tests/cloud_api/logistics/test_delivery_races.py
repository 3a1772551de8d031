"""What two people do to one route or one delivery at once: one of them does it, and goods are moved once."""

import asyncio

import pytest

from tests.cloud_api.inventory.stock import lying_in
from tests.cloud_api.logistics.deliveries.rounds import MOBILE, ROUTES, make_round
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.orders import proof, upload
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP


async def test_of_two_proofs_at_once_the_goods_leave_by_one(farm: Platform) -> None:
    made = await make_round(farm, doors=2, same_door=True)
    await made.start()
    assert (await upload(made.driver, made.delivery_ids[0])).status_code == 201
    paths = [f"{MOBILE}/deliveries/{delivery_id}/proof" for delivery_id in made.delivery_ids]
    both = [proof(also=[made.delivery_ids[1]]), proof(also=[made.delivery_ids[0]])]
    heard = await asyncio.gather(*(made.said("POST", path, body) for path, body in zip(paths, both, strict=True)))
    assert heard == [(200, "")] * 2
    assert await lying_in(farm.tenant, made.van["location_id"]) == {"LOT-1": ("0.000", "0.000", "available")}
    assert len(await made.told("StopDelivered")) == 2


async def test_a_start_and_a_cancelled_order_end_in_one_of_two_ways(farm: Platform) -> None:
    made = await make_round(farm, doors=2)
    cancel = f"/api/v1/orders/{made.order_ids[0]}/cancel"
    started, cancelled = await asyncio.gather(
        made.said("POST", f"{MOBILE}/routes/{made.route_id}/start"),
        made.said("POST", cancel, {"reason": "closed"}, who=made.dispatcher),
    )
    assert started == (200, "")
    states = ((await made.order())["status"], (await made.stop())["status"])
    if cancelled == (200, ""):
        assert states == ("cancelled", "cancelled")
    else:
        assert (cancelled, states) == ((409, "INVALID_TRANSITION"), ("out_for_delivery", "out_for_delivery"))
    assert (await made.stop(1))["status"] == "out_for_delivery"


async def test_a_proof_and_the_end_of_its_route_never_bring_back_what_was_handed_over(farm: Platform) -> None:
    made = await make_round(farm)
    await made.start()
    assert (await upload(made.driver, made.delivery_ids[0])).status_code == 201
    proved, ended = await asyncio.gather(
        made.said("POST", f"{MOBILE}/deliveries/{made.delivery_ids[0]}/proof", proof()),
        made.complete(unload_location_id=made.depot.room_id),
    )
    assert proved == (200, "")
    assert ended in ((200, ""), (409, "STOPS_OPEN"))
    assert (await made.order())["status"] == "delivered"
    assert await lying_in(farm.tenant, made.depot.room_id) == {"LOT-1": ("96.000", "96.000", "available")}


async def test_two_routes_of_one_driver_started_at_once_are_one(farm: Platform) -> None:
    made = await make_round(farm)
    other = await make_round(farm, depot=made.depot)
    await farm.tenant.put(f"{ROUTES}/{other.route_id}", {"driver_id": made.driver_id})
    paths = [f"{MOBILE}/routes/{route_id}/start" for route_id in (made.route_id, other.route_id)]
    heard = await asyncio.gather(*(made.said("POST", path) for path in paths))
    assert sorted(heard) == [(200, ""), (409, "ALREADY_DRIVING")]


@pytest.mark.long
async def test_a_route_given_up_while_it_starts_has_loaded_all_or_nothing(farm: Platform) -> None:
    made = await make_round(farm, doors=2)
    started, given_up = await asyncio.gather(
        made.said("POST", f"{MOBILE}/routes/{made.route_id}/start"),
        made.said("DELETE", f"{ROUTES}/{made.route_id}", who=made.dispatcher),
    )
    stops = [(await made.stop(stop))["status"] for stop in (0, 1)]
    if started == (200, ""):
        assert (given_up, stops) == ((422, "UNLOADING_PLACE_MISSING"), ["out_for_delivery"] * 2)
    else:
        assert (given_up, stops) == ((200, ""), ["pending"] * 2)
        assert await lying_in(farm.tenant, made.van["location_id"]) == {}
