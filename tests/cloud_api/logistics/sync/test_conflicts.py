"""The table "Conflicts" of docs/delivery.md, row by row."""

import uuid

from cloud_api.logistics.deliveries import service as deliveries
from cloud_api.logistics.sync import feed
from cloud_api.orders.book import service as orders
from tests.cloud_api.inventory.stock import hold, lying_in
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.handsets import MOBILE, Day, handed_over, make_phone_day
from tests.factories.stores import ColdStore
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP


async def started(farm: Platform, *, doors: int = 1) -> tuple[Day, int]:
    """A day whose van has left an hour ago, and the number of the command that said so."""
    day = await make_phone_day(farm, doors=doors)
    await farm_feeds(farm, day)
    start = day.phone.tell("start_route", day.route_id, ago_s=3600)
    assert await day.phone.send(start) == {start: ("applied", "")}
    return day, start


async def farm_feeds(farm: Platform, day: Day) -> None:
    """Let the phone's feed know the route, as the reactions do."""
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        await feed.refresh_route(db, uuid.UUID(day.route_id))


async def told_to(day: Day) -> list[str]:
    """What the office was told."""
    return [row["title"] for row in await day.tenant.get("/api/v1/notifications", limit=50)]


async def test_the_same_proof_again_is_the_same_delivery(farm: Platform) -> None:
    day, start = await started(farm)
    sha256 = await day.phone.photograph(day.stops[0])
    numbers = [day.phone.tell("deliver", day.stop(0), handed_over(sha256), after=[start]) for _ in range(3)]
    assert await day.phone.send(*numbers[:2]) == {numbers[0]: ("applied", ""), numbers[1]: ("duplicate", "ALREADY_SO")}
    assert await day.phone.send(numbers[2]) == {numbers[2]: ("duplicate", "ALREADY_SO")}
    assert await told_to(day) == []


async def test_a_second_proof_with_another_photo_is_a_conflict_and_the_first_stands(farm: Platform) -> None:
    day, start = await started(farm)
    first, second = [await day.phone.photograph(day.stops[0], number) for number in (1, 2)]
    one = day.phone.tell("deliver", day.stop(0), handed_over(first), after=[start])
    two = day.phone.tell("deliver", day.stop(0), handed_over(second), after=[start])
    assert await day.phone.send(one, two) == {one: ("applied", ""), two: ("conflict", "DELIVERED_BEFORE")}
    assert (await day.delivery(0))["photo_sha256"] == first
    [title] = await told_to(day)
    assert title.endswith("deliver, reported late")


async def test_an_order_that_was_cancelled_before_its_van_was_reported_is_told_and_its_proof_kept(
    farm: Platform,
) -> None:
    day = await make_phone_day(farm, doors=2)
    await farm_feeds(farm, day)
    sha256 = await day.phone.photograph(day.stops[0])
    start = day.phone.tell("start_route", day.route_id, ago_s=3600)
    proof = day.phone.tell("deliver", day.stop(0), handed_over(sha256), after=[start], ago_s=1800)
    await day.tenant.post(f"/api/v1/orders/{day.stops[0]['order_id']}/cancel", {"reason": "closed today"})
    assert await day.phone.send(start, proof) == {start: ("applied", ""), proof: ("conflict", "ORDER_CANCELLED")}
    assert [await day.order_status(stop) for stop in (0, 1)] == ["cancelled", "out_for_delivery"]
    assert len(await told_to(day)) == 1
    [kept] = await day.tenant.get(f"{MOBILE}/commands", result="conflict")
    assert (kept["kind"], kept["number"]) == ("deliver", proof)


async def test_a_stop_on_another_van_that_the_first_has_delivered_is_the_firsts(farm: Platform) -> None:
    first, start = await started(farm, doors=2)
    second, _ = await started(farm)
    sha256 = await first.phone.photograph(first.stops[0])
    proof = first.phone.tell("deliver", first.stop(0), handed_over(sha256), after=[start], ago_s=600)
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        stop = await deliveries.get_delivery(db, uuid.UUID(first.stop(0)))
        route = await deliveries.get_route(db, uuid.UUID(second.route_id))
        assert stop.planned_arrival_at is not None
        await deliveries.hand_over(db, stop, to_route=route, planned_arrival_at=stop.planned_arrival_at, user_id=None)
    assert await first.phone.send(proof) == {proof: ("applied", "TAKEN_BACK")}
    assert (await first.delivery(0))["route_id"] == first.route_id
    assert await first.status(0) == "delivered"
    assert len(await told_to(first)) == 1
    van = await lying_in(farm.tenant, second.drive.van_location_id)
    assert van == {"LOT-1": ("4.000", "0.000", "available")}, "only its own order is in the second van"

    late = second.phone.tell("deliver", first.stop(0), handed_over(sha256))
    assert (await second.phone.send(late))[late][0] == "refused"


async def test_a_stop_that_the_office_has_failed_is_delivered_when_there_is_a_proof(farm: Platform) -> None:
    day, start = await started(farm)
    sha256 = await day.phone.photograph(day.stops[0])
    await day.tenant.put(
        f"/api/v1/warehouse/deliveries/{day.stop(0)}/status", {"status": "failed", "failure_reason": "other"}
    )
    proof = day.phone.tell("deliver", day.stop(0), handed_over(sha256), after=[start], ago_s=600)
    assert await day.phone.send(proof) == {proof: ("applied", "FAILURE_UNDONE")}
    assert (await day.status(), await day.order_status()) == ("delivered", "delivered")
    assert (await day.delivery(0))["failure_reason"] is None
    assert len(await told_to(day)) == 1


async def test_a_stop_that_failed_after_it_was_delivered_stays_delivered(farm: Platform) -> None:
    day, start = await started(farm)
    sha256 = await day.phone.photograph(day.stops[0])
    proof = day.phone.tell("deliver", day.stop(0), handed_over(sha256), after=[start])
    fail = day.phone.tell("fail", day.stop(0), {"failure_reason": "refused"}, after=[start])
    assert await day.phone.send(proof, fail) == {proof: ("applied", ""), fail: ("conflict", "INVALID_TRANSITION")}
    assert await day.status() == "delivered"


async def test_a_route_that_the_office_has_given_up_is_not_driven(farm: Platform) -> None:
    day = await make_phone_day(farm)
    start = day.phone.tell("start_route", day.route_id)
    assert (await day.tenant.client.delete(f"/api/v1/warehouse/routes/{day.route_id}")).is_success
    assert await day.phone.send(start) == {start: ("conflict", "ROUTE_CANCELLED")}
    assert len(await told_to(day)) == 1


async def test_a_start_and_an_end_that_come_twice_are_once(farm: Platform) -> None:
    day, start = await started(farm)
    again = day.phone.tell("start_route", day.route_id)
    fail = day.phone.tell("fail", day.stop(0), {"failure_reason": "customer_absent"})
    same = day.phone.tell("fail", day.stop(0), {"failure_reason": "customer_absent"})
    back = {"unload_location_id": day.drive.room_id}
    ends = [day.phone.tell("complete_route", day.route_id, back, after=[fail]) for _ in range(2)]
    assert await day.phone.send(again, fail, same, *ends) == {
        again: ("duplicate", "ALREADY_SO"),
        fail: ("applied", ""),
        same: ("duplicate", "ALREADY_SO"),
        ends[0]: ("applied", ""),
        ends[1]: ("duplicate", "ALREADY_SO"),
    }
    assert start == 1


async def reachable(farm: Platform, day: Day) -> None:
    """A customer who can be sent a code."""
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        order = await orders.get_order(db, uuid.UUID(day.stops[0]["order_id"]))
        order.customer_phone = "+919876543210"


async def test_a_code_that_could_not_be_sent_lets_the_hand_over_stand_and_somebody_look(farm: Platform) -> None:
    day, start = await started(farm)
    await reachable(farm, day)
    sha256 = await day.phone.photograph(day.stops[0])
    offline = day.phone.tell("deliver", day.stop(0), handed_over(sha256), after=[start], ago_s=1800)
    assert await day.phone.send(offline) == {offline: ("applied", "CODE_PENDING")}
    delivered = await day.delivery(0)
    assert (delivered["status"], delivered["otp_status"]) == ("delivered", "pending_verification")


async def test_with_signal_there_is_no_hand_over_without_the_code(farm: Platform) -> None:
    day, start = await started(farm)
    await reachable(farm, day)
    sha256 = await day.phone.photograph(day.stops[0])
    online = day.phone.tell("deliver", day.stop(0), handed_over(sha256), after=[start])
    assert await day.phone.send(online) == {online: ("conflict", "OTP_REQUIRED")}
    assert await day.status() == "out_for_delivery"


async def test_a_wrong_code_is_counted_although_its_command_is_refused(farm: Platform) -> None:
    day, start = await started(farm)
    await reachable(farm, day)
    send = day.phone.tell("send_otp", day.stop(0), after=[start])
    wrong = [day.phone.tell("enter_otp", day.stop(0), {"code": f"00000{digit}"}, after=[send]) for digit in range(6)]
    told = await day.phone.send(send, *wrong)
    assert told[send] == ("applied", "")
    assert [told[number] for number in wrong][4:] == [("conflict", "OTP_WRONG"), ("conflict", "OTP_LOCKED")]


async def test_a_proof_for_a_van_that_is_too_warm_is_a_conflict_that_somebody_hears_of(farm: Platform) -> None:
    day, start = await started(farm)
    sha256 = await day.phone.photograph(day.stops[0])
    depot = day.depot
    store = ColdStore(depot.tenant, depot.warehouse_id, depot.room_id, depot.product_id, "", "", "")
    await hold(farm, store, "excursion:1", day.drive.van_location_id)
    proof = day.phone.tell("deliver", day.stop(0), handed_over(sha256), after=[start])
    assert await day.phone.send(proof) == {proof: ("conflict", "STOCK_ON_HOLD")}
    assert len(await told_to(day)) == 1
