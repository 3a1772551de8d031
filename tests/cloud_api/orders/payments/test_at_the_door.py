"""Money taken at doors: recorded once, given back when it was too much, and handed over counted."""

import uuid
from typing import Any

import pytest

from cloud_api.orders.payments.errors import PaymentDiffers, TooMuch
from device_sims.razorpay import RazorpayDouble
from tests.factories.farms import make_person
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.orders import make_depot, order_from
from tests.factories.payments import begin, come_back, money_of, take
from tests.factories.scopes import heard_by, id_of, make_keeper
from tests.factories.stores import make_warehouse
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

CASH = "/api/v1/orders/payments/cash"
TOTAL = 17_000
DRIVER = str(uuid.uuid4())


async def an_order(farm: Platform) -> str:
    """4 kg at 42.50: 170.00."""
    return str((await order_from(await make_depot(farm.tenant)))["id"])


async def test_a_phone_that_sends_it_again_has_taken_it_once(farm: Platform) -> None:
    order_id, delivery_id = await an_order(farm), uuid.uuid4()
    known: dict[str, Any] = {"taken_by": DRIVER, "delivery_id": delivery_id}
    first = await take(farm, farm.tenant, order_id, amount_minor=9_000, **known)
    assert await take(farm, farm.tenant, order_id, amount_minor=9_000, **known) == first
    with pytest.raises(PaymentDiffers, match=first):
        await take(farm, farm.tenant, order_id, amount_minor=8_000, **known)
    second = await take(farm, farm.tenant, order_id, amount_minor=8_000, method="upi", reference="note 2", **known)
    assert second != first
    money = await money_of(farm.tenant, order_id)
    assert (money["payment_status"], money["received_minor"], money["due_minor"]) == ("paid", TOTAL, 0)


async def test_more_than_the_whole_order_is_a_slip(farm: Platform) -> None:
    order_id = await an_order(farm)
    with pytest.raises(TooMuch, match=str(TOTAL)):
        await take(farm, farm.tenant, order_id, amount_minor=TOTAL + 1, taken_by=DRIVER)
    assert (await money_of(farm.tenant, order_id))["payments"] == []


async def test_who_paid_online_and_at_the_door_gets_the_online_payment_back(
    farm: Platform, double: RazorpayDouble, razorpay: object
) -> None:
    order_id = await an_order(farm)
    checkout = (await begin(farm.tenant, order_id))["checkout"]
    await come_back(farm.tenant, order_id, double.authorize(checkout["provider_order_id"]))
    await take(farm, farm.tenant, order_id, amount_minor=TOTAL, taken_by=DRIVER)
    await farm.deliver()
    money = await money_of(farm.tenant, order_id)
    assert (money["payment_status"], money["received_minor"], money["refunded_minor"]) == ("paid", 2 * TOTAL, TOTAL)
    assert [one["status"] for one in money["payments"]] == ["refunded", "completed", "completed"]
    assert [refund["amount"] for refund in double.refunds()] == [TOTAL]


async def test_cash_of_an_order_that_was_cancelled_is_a_credit(farm: Platform) -> None:
    order_id = await an_order(farm)
    await take(farm, farm.tenant, order_id, amount_minor=5_000, taken_by=DRIVER)
    await farm.tenant.post(f"/api/v1/orders/{order_id}/cancel", {"reason": "moved away"})
    await farm.deliver()
    money = await money_of(farm.tenant, order_id)
    assert (money["payment_status"], money["due_minor"]) == ("refunded", 0)
    assert [(one["direction"], one["method"], one["why"]) for one in money["payments"]] == [
        ("in", "cash", ""),
        ("out", "credit", "the order was cancelled"),
    ]


def counted(driver: str, **sums: Any) -> dict[str, Any]:
    return {"driver_id": driver, **sums}


async def test_a_drivers_cash_is_counted_once_and_a_difference_has_its_reason(farm: Platform) -> None:
    driver = await id_of(await make_person(farm, farm.tenant, "delivery_personnel"))
    other = await id_of(await make_person(farm, farm.tenant, "delivery_personnel"))
    orders = [await an_order(farm) for _ in range(3)]
    for order_id, amount, who, method in (
        (orders[0], 5_000, driver, "cash"),
        (orders[1], 7_000, driver, "cash"),
        (orders[1], 1_000, driver, "upi"),
        (orders[2], 9_000, other, "cash"),
    ):
        await take(farm, farm.tenant, order_id, amount_minor=amount, taken_by=who, method=method)
    held = {row["driver_id"]: (row["payment_count"], row["amount_minor"]) for row in await farm.tenant.get(CASH)}
    assert held == {driver: (2, 12_000), other: (1, 9_000)}
    path = f"{CASH}/handover"
    for body, heard in (
        (counted(driver, expected_minor=11_000, counted_minor=11_000), (409, "CASH_DIFFERS")),
        (counted(driver, expected_minor=12_000, counted_minor=11_900), (409, "CASH_DIFFERS")),
        (counted(str(uuid.uuid4()), expected_minor=0, counted_minor=0), (409, "NOTHING_DUE")),
        (counted(driver, expected_minor=12_000, counted_minor=12_000, through="2020-01-01"), (409, "NOTHING_DUE")),
    ):
        assert await heard_by(farm.tenant, "POST", path, body) == heard
    short = counted(driver, expected_minor=12_000, counted_minor=11_900, reason="a note was torn")
    handed = await farm.tenant.post(path, short)
    assert (handed["difference_minor"], handed["payment_count"], handed["number"][:4]) == (-100, 2, "CSH-")
    assert await heard_by(farm.tenant, "POST", path, short) == (409, "NOTHING_DUE")
    assert [row["driver_id"] for row in await farm.tenant.get(CASH)] == [other]
    assert [row["id"] for row in await farm.tenant.get(f"{CASH}/handovers", driver_id=driver)] == [handed["id"]]
    assert await farm.tenant.get(f"{CASH}/handovers", driver_id=other) == []


async def test_nobody_counts_their_own_cash_and_who_is_confined_sees_none_of_others(farm: Platform) -> None:
    keeper = await make_keeper(farm, await make_warehouse(farm.tenant))
    manager = await make_person(farm, farm.tenant, "logistics_manager")
    mine = await id_of(manager)
    await take(farm, farm.tenant, await an_order(farm), amount_minor=5_000, taken_by=mine)
    own = counted(mine, expected_minor=5_000, counted_minor=5_000)
    assert await heard_by(manager, "POST", f"{CASH}/handover", own) == (403, "FORBIDDEN")
    assert await keeper.get(CASH) == []
    assert await heard_by(keeper, "POST", f"{CASH}/handover", own) == (409, "NOTHING_DUE")
    await farm.tenant.post(f"{CASH}/handover", own)
    assert await keeper.get(f"{CASH}/handovers") == []
    assert len(await farm.tenant.get(f"{CASH}/handovers")) == 1
