"""The code that a customer tells the driver: sent once, kept as what recognises it, five tries, and what passes."""

from datetime import timedelta

import pytest

from cloud_api.kernel import clock
from tests.cloud_api.logistics.deliveries.rounds import DELIVERIES, MOBILE, Round, make_round, pass_time
from tests.factories.farms import make_person
from tests.factories.grounds import IN_ONE_LOOP
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

SETTING = "/api/v1/admin/settings/deliveries.{}"
PHONE = "+919876543210"


async def reachable(farm: Platform, *, doors: int = 1, same_door: bool = False) -> Round:
    """Under way, its first customer told."""
    made = await make_round(farm, doors=doors, phone=PHONE, same_door=same_door)
    await made.start()
    await made.announce()
    return made


def other_than(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


async def verify(made: Round, code: str, *, stop: int = 0) -> tuple[int, str]:
    path = f"{MOBILE}/deliveries/{made.delivery_ids[stop]}/otp/verify"
    return await made.said("POST", path, {"code": code})


@pytest.mark.long
async def test_the_next_customer_gets_a_code_of_which_only_a_digest_is_kept(farm: Platform) -> None:
    made = await reachable(farm, doors=2)
    assert [event["delivery_id"] for event in await made.told("StopIsNext")] == [made.delivery_ids[0]]
    code = await made.code()
    [kept] = await made.codes()
    assert code not in kept.digest
    assert len(kept.digest) == 64
    assert ((await made.stop())["otp_status"], (await made.stop(1))["otp_status"]) == ("sent", "none")
    await made.announce()
    assert len(await made.codes()) == 1


async def test_the_right_code_lets_the_goods_be_handed_over(farm: Platform) -> None:
    made = await reachable(farm)
    assert await made.prove() == (409, "OTP_REQUIRED")
    assert (await made.stop())["status"] == "out_for_delivery"
    code = await made.code()
    assert [await verify(made, code) for _ in range(2)] == [(200, "")] * 2
    assert (await made.stop())["otp_status"] == "verified"
    assert await made.prove() == (200, "")
    assert (await made.order())["status"] == "delivered"


@pytest.mark.long
async def test_the_code_may_come_with_the_proof(farm: Platform) -> None:
    made = await reachable(farm)
    code = await made.code()
    assert await made.prove(otp_code=other_than(code)) == (409, "OTP_WRONG")
    stop = await made.stop()
    assert (stop["status"], stop["otp_attempts"], stop["photo_sha256"]) == ("out_for_delivery", 1, None)
    assert await made.prove(otp_code=code) == (200, "")


async def test_five_wrong_codes_lock_it_and_a_dispatcher_lets_it_pass(farm: Platform) -> None:
    made = await reachable(farm)
    code = await made.code()
    answers = [await verify(made, other_than(code)) for _ in range(6)]
    assert answers == [(409, "OTP_WRONG")] * 5 + [(409, "OTP_LOCKED")]
    assert await verify(made, code) == (409, "OTP_LOCKED")
    pass_time(minutes=2)
    again = f"{MOBILE}/deliveries/{made.delivery_ids[0]}/otp"
    assert await made.said("POST", again) == (409, "OTP_LOCKED")
    assert await made.prove(otp_code=code) == (409, "OTP_LOCKED")
    override = f"{DELIVERIES}/{made.delivery_ids[0]}/otp/override"
    assert await made.said("POST", override, {"reason": "I know her"}) == (403, "FORBIDDEN")
    assert await made.said("POST", override, {}, who=made.dispatcher) == (422, "VALIDATION_FAILED")
    assert await made.said("POST", override, {"reason": "called the kitchen"}, who=made.dispatcher) == (200, "")
    assert await made.prove() == (200, "")
    proved = await made.dispatcher.get(f"{DELIVERIES}/{made.delivery_ids[0]}/proof")
    assert (proved["otp_status"], proved["otp_override_reason"]) == ("overridden", "called the kitchen")


@pytest.mark.long
async def test_nobody_lets_a_delivery_of_their_own_route_pass(farm: Platform) -> None:
    made = await reachable(farm)
    dispatcher = await make_person(farm, farm.tenant, "logistics_manager")
    me = (await dispatcher.get("/api/v1/auth/me"))["id"]
    other = await make_round(farm, depot=made.depot)
    await made.dispatcher.put(f"/api/v1/warehouse/routes/{other.route_id}", {"driver_id": me})
    override = f"{DELIVERIES}/{other.delivery_ids[0]}/otp/override"
    assert await made.said("POST", override, {"reason": "mine"}, who=dispatcher) == (403, "OWN_OVERRIDE")


@pytest.mark.long
async def test_a_code_is_sent_again_after_a_minute_and_the_one_before_works_no_more(farm: Platform) -> None:
    made = await reachable(farm)
    first, path = await made.code(), f"{MOBILE}/deliveries/{made.delivery_ids[0]}/otp"
    assert await made.said("POST", path) == (409, "OTP_TOO_SOON")
    pass_time(seconds=61)
    assert await made.said("POST", path) == (200, "")
    second = await made.code()
    if first != second:
        assert await verify(made, first) == (409, "OTP_WRONG")
    assert await verify(made, second) == (200, "")


@pytest.mark.long
async def test_a_code_ends_with_its_time(farm: Platform) -> None:
    await farm.tenant.put(SETTING.format("otp_minutes"), {"value": 5})
    made = await reachable(farm)
    code = await made.code()
    pass_time(minutes=6)
    assert await verify(made, code) == (409, "OTP_WRONG")
    assert (await made.stop())["otp_status"] == "sent"


@pytest.mark.long
async def test_who_cannot_be_reached_or_need_not_be_asked_is_asked_for_no_code(farm: Platform) -> None:
    unreachable = await make_round(farm)
    await unreachable.start()
    path = f"{MOBILE}/deliveries/{unreachable.delivery_ids[0]}/otp"
    assert await unreachable.said("POST", path) == (409, "CUSTOMER_UNREACHABLE")
    assert await unreachable.prove() == (200, "")
    await farm.tenant.put(SETTING.format("otp_required"), {"value": False})
    made = await reachable(farm)
    assert await made.codes() == []
    assert await made.prove() == (200, "")


@pytest.mark.long
async def test_one_code_is_for_one_door_however_many_parcels(farm: Platform) -> None:
    made = await reachable(farm, doors=3, same_door=True)
    also = [made.delivery_ids[1], made.delivery_ids[2]]
    assert await made.prove(otp_code=await made.code(), also=also) == (200, "")
    assert [(await made.stop(stop))["otp_status"] for stop in range(3)] == ["verified"] * 3
    assert [(await made.order(stop))["status"] for stop in range(3)] == ["delivered"] * 3


@pytest.mark.parametrize("known", [True, False], ids=["wrong", "with nothing to compare it with"])
async def test_a_doubtful_code_from_a_dead_zone_stands_and_the_dispatcher_is_told(farm: Platform, known: bool) -> None:
    made = await make_round(farm, phone=PHONE)
    await made.start()
    if known:
        await made.announce()
    code = other_than(await made.code()) if known else "123456"
    at = clock.now() + timedelta(seconds=1)
    pass_time(minutes=30)
    assert await made.prove(otp_code=code, delivered_at=at.isoformat()) == (200, "")
    expected = "unverified" if known else "pending_verification"
    assert ((await made.stop())["otp_status"], (await made.order())["status"]) == (expected, "delivered")
    assert [event["delivery_id"] for event in await made.told("ProofUnverified")] == [made.delivery_ids[0]]
    override = f"{DELIVERIES}/{made.delivery_ids[0]}/otp/override"
    assert await made.said("POST", override, {"reason": "she has it"}, who=made.dispatcher) == (200, "")
    assert (await made.stop())["otp_status"] == "overridden"


@pytest.mark.long
async def test_the_right_code_from_a_dead_zone_is_verified_by_when_it_was_entered(farm: Platform) -> None:
    await farm.tenant.put(SETTING.format("otp_minutes"), {"value": 5})
    made = await reachable(farm)
    code, at = await made.code(), clock.now() + timedelta(seconds=1)
    pass_time(minutes=40)
    assert await made.prove(otp_code=code, delivered_at=at.isoformat()) == (200, "")
    stop = await made.stop()
    assert (stop["otp_status"], stop["delivered_at"][:19]) == ("verified", at.isoformat()[:19])


@pytest.mark.long
async def test_without_any_code_a_dead_zone_is_no_excuse(farm: Platform) -> None:
    made = await reachable(farm)
    at = clock.now()
    pass_time(minutes=30)
    assert await made.prove(delivered_at=at.isoformat()) == (409, "OTP_REQUIRED")
