"""Online payments: captured once, in whatever order the browser, the webhooks and we ourselves come."""

import itertools
import random
from collections.abc import Sequence
from typing import Any

import pytest

from cloud_api.orders.payments.provider import Razorpay
from device_sims.razorpay import RazorpayDouble
from device_sims.razorpay_words import Webhook
from tests.factories.farms import make_farm
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.orders import make_depot, make_order, order_from
from tests.factories.payments import begin, come_back, money_of, tell
from tests.factories.scopes import heard_by, make_buyer
from tests.platform_under_test import Platform, Tenant

pytestmark = [IN_ONE_LOOP, pytest.mark.usefixtures("razorpay")]

ORDERS = "/api/v1/orders"
TOTAL = 17_000


async def an_order(farm: Platform) -> str:
    """4 kg at 42.50: 170.00."""
    return str((await order_from(await make_depot(farm.tenant)))["id"])


def sums(money: Any) -> tuple[str, int, int, int, int]:
    return (
        money["payment_status"],
        money["received_minor"],
        money["refunded_minor"],
        money["refunding_minor"],
        money["due_minor"],
    )


def captured(double: RazorpayDouble) -> int:
    return sum(payment["captured"] is True for payment in double.payments())


async def test_a_checkout_is_what_the_page_needs_and_begun_twice_it_is_one(
    farm: Platform, double: RazorpayDouble
) -> None:
    order_id = await an_order(farm)
    begun = await begin(farm.tenant, order_id)
    checkout, payment = begun["checkout"], begun["payment"]
    [at_razorpay] = double.orders()
    assert checkout["key_id"] == double.key_id
    assert (checkout["provider_order_id"], checkout["amount_minor"], checkout["currency"]) == (
        at_razorpay["id"],
        TOTAL,
        "INR",
    )
    assert (at_razorpay["amount"], at_razorpay["receipt"]) == (TOTAL, payment["id"])
    assert (payment["status"], payment["direction"], payment["number"][:4]) == ("pending", "in", "PAY-")
    assert await begin(farm.tenant, order_id) == begun
    assert len(double.orders()) == 1
    assert sums(await money_of(farm.tenant, order_id)) == ("pending", 0, 0, 0, TOTAL)


async def test_an_answer_that_was_lost_is_no_second_checkout(farm: Platform, double: RazorpayDouble) -> None:
    order_id = await an_order(farm)
    double.lose_next(1)
    heard = await heard_by(farm.tenant, "POST", f"{ORDERS}/{order_id}/payments", {"kind": "online"})
    assert heard == (503, "PAYMENT_PROVIDER_AWAY")
    begun = await begin(farm.tenant, order_id)
    [at_razorpay] = double.orders()
    assert begun["checkout"]["provider_order_id"] == at_razorpay["id"]
    assert len((await money_of(farm.tenant, order_id))["payments"]) == 1


async def test_who_sends_the_same_key_again_gets_the_first_answer_even_when_it_is_paid(
    farm: Platform, double: RazorpayDouble
) -> None:
    order_id = await an_order(farm)
    path, key = f"{ORDERS}/{order_id}/payments", {"Idempotency-Key": "checkout-1"}
    first = await farm.tenant.client.post(path, json={"kind": "online"}, headers=key)
    provider_order_id = first.json()["data"]["checkout"]["provider_order_id"]
    await come_back(farm.tenant, order_id, double.authorize(provider_order_id))
    again = await farm.tenant.client.post(path, json={"kind": "online"}, headers=key)
    assert (again.status_code, again.content) == (201, first.content)
    other = await heard_by(farm.tenant, "POST", path, {"kind": "online"})
    assert other == (409, "NOTHING_DUE")


#: the browser, and what Razorpay tells: each order of them
COMINGS = [*itertools.permutations(["browser", "payment.authorized", "payment.captured", "order.paid"])]


@pytest.mark.parametrize("coming", random.Random(9).sample(COMINGS, 4))
async def test_browser_and_webhooks_in_any_order_and_twice_capture_once(
    farm: Platform, double: RazorpayDouble, coming: Sequence[str]
) -> None:
    order_id = await an_order(farm)
    checkout = (await begin(farm.tenant, order_id))["checkout"]
    double.captures_by_itself = coming.index("browser") > 1
    paid = double.authorize(checkout["provider_order_id"], method="upi")
    told: dict[str, Webhook] = {}
    for what in (*coming, *coming):
        told |= {webhook.event: webhook for webhook in double.webhooks()}
        if what == "browser":
            await come_back(farm.tenant, order_id, paid)
        elif what in told:
            [(status, _)] = await tell(farm, [told[what]])
            assert status == 200
            await farm.deliver()
    assert captured(double) == 1
    money = await money_of(farm.tenant, order_id)
    assert sums(money) == ("paid", TOTAL, 0, 0, 0)
    [payment] = money["payments"]
    assert (payment["status"], payment["method"]) == ("completed", "upi")
    assert (await farm.tenant.get(f"{ORDERS}/{order_id}"))["status"] == "pending"
    assert double.refunds() == []


async def test_the_same_event_twice_is_known(farm: Platform, double: RazorpayDouble) -> None:
    order_id = await an_order(farm)
    double.captures_by_itself = True
    double.authorize((await begin(farm.tenant, order_id))["checkout"]["provider_order_id"])
    webhooks = double.webhooks()
    assert [webhook.event for webhook in webhooks] == ["payment.authorized", "payment.captured", "order.paid"]
    assert await tell(farm, webhooks[1:]) == [(200, "applied"), (200, "known")]
    assert await tell(farm, webhooks[1:]) == [(200, "known"), (200, "known")]
    assert sums(await money_of(farm.tenant, order_id)) == ("paid", TOTAL, 0, 0, 0)


async def test_a_customer_whose_bank_refuses_tries_again(farm: Platform, double: RazorpayDouble) -> None:
    order_id = await an_order(farm)
    provider_order_id = (await begin(farm.tenant, order_id))["checkout"]["provider_order_id"]
    declined = double.decline(provider_order_id)
    failed = double.webhooks()
    assert await tell(farm, failed) == [(200, "applied")]
    money = await money_of(farm.tenant, order_id)
    assert (sums(money)[0], money["payments"][0]["failure"]) == ("failed", "Payment was declined by the bank")
    answer = await farm.tenant.client.post(
        f"{ORDERS}/{order_id}/payments/confirm", json=double.came_back(provider_order_id, declined).as_json()
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "PAYMENT_FAILED")
    paid = await come_back(farm.tenant, order_id, double.authorize(provider_order_id))
    assert sums(paid) == ("paid", TOTAL, 0, 0, 0)
    assert paid["payments"][0]["failure"] == ""
    late = double.webhook("payment.failed", payment={**double.payments()[0]})
    assert await tell(farm, [late]) == [(200, "known")]
    assert sums(await money_of(farm.tenant, order_id))[0] == "paid"


@pytest.mark.parametrize("changed", [{"amount": 16_999}, {"amount": 170_000}, {"currency": "USD"}])
async def test_another_sum_than_was_asked_for_is_refused_and_reported_once(
    farm: Platform, double: RazorpayDouble, changed: dict[str, Any]
) -> None:
    order_id = await an_order(farm)
    double.captures_by_itself = True
    double.authorize((await begin(farm.tenant, order_id))["checkout"]["provider_order_id"])
    double.webhooks()
    [payment] = double.payments()
    wrong = [double.webhook(event, payment={**payment, **changed}) for event in ("payment.captured", "order.paid")]
    assert await tell(farm, wrong) == [(200, "refused"), (200, "refused")]
    assert sums(await money_of(farm.tenant, order_id)) == ("pending", 0, 0, 0, TOTAL)
    [event] = await farm.tenant.get("/api/v1/admin/security/events")
    assert (event["type"], event["severity"]) == ("suspicious_activity", "high")
    assert [one["category"] for one in await farm.tenant.get("/api/v1/notifications")] == ["payment"]


async def test_what_a_browser_made_up_is_refused_and_reported(farm: Platform, double: RazorpayDouble) -> None:
    order_id = await an_order(farm)
    paid = double.authorize((await begin(farm.tenant, order_id))["checkout"]["provider_order_id"]).as_json()
    path = f"{ORDERS}/{order_id}/payments/confirm"
    forged = {**paid, "razorpay_signature": "0" * 64}
    assert await heard_by(farm.tenant, "POST", path, forged) == (422, "SIGNATURE_REFUSED")
    elsewhere = {**paid, "razorpay_order_id": "order_of_nobody"}
    assert await heard_by(farm.tenant, "POST", path, elsewhere) == (404, "NOT_FOUND")
    other = await an_order(farm)
    assert await heard_by(farm.tenant, "POST", f"{ORDERS}/{other}/payments/confirm", paid) == (404, "NOT_FOUND")
    assert captured(double) == 0
    [event] = await farm.tenant.get("/api/v1/admin/security/events")
    assert event["type"] == "signature_refused"


async def test_a_webhook_that_razorpay_did_not_sign_changes_nothing(farm: Platform, double: RazorpayDouble) -> None:
    order_id = await an_order(farm)
    double.captures_by_itself = True
    double.authorize((await begin(farm.tenant, order_id))["checkout"]["provider_order_id"])
    _, told, _ = double.webhooks()
    forged = [
        Webhook(told.event, told.body, {**told.headers, "X-Razorpay-Signature": "é"}),
        Webhook(told.event, told.body, {**told.headers, "X-Razorpay-Signature": "0" * 64}),
        Webhook(told.event, told.body.replace(b"17000", b"17001"), told.headers),
        Webhook(told.event, b"\xff\xfe", told.headers),
        Webhook(told.event, told.body, {"Content-Type": "application/json"}),
    ]
    for webhook in forged:
        raw = [(name.encode(), value.encode()) for name, value in webhook.headers.items()]
        async with farm.client() as anybody:
            answer = await anybody.post("/api/v1/payments/webhooks/razorpay", content=webhook.body, headers=raw)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "SIGNATURE_REFUSED")
    assert sums(await money_of(farm.tenant, order_id)) == ("pending", 0, 0, 0, TOTAL)
    assert await tell(farm, [told]) == [(200, "applied")]


async def test_what_is_signed_and_not_ours_is_ignored_or_told_again(farm: Platform, double: RazorpayDouble) -> None:
    order_id = await an_order(farm)
    double.authorize((await begin(farm.tenant, order_id))["checkout"]["provider_order_id"])
    [payment] = double.payments()
    strangers = [
        double.webhook("payment.captured", payment={**payment, "order_id": None}),
        double.webhook("settlement.processed", settlement={"id": "setl_1"}),
        double.webhook("payment.captured", payment={**payment, "order_id": "order_of_nobody"}),
        double.webhook("payment.captured", payment={"id": "pay_1"}),
        double.webhook("payment.captured"),
    ]
    assert await tell(farm, strangers) == [
        (200, "ignored"),
        (200, "ignored"),
        (404, "NOT_FOUND"),
        (422, "INVALID"),
        (422, "INVALID"),
    ]


async def test_each_organisation_gets_its_own_money(farm: Platform, double: RazorpayDouble) -> None:
    other = await make_farm(farm)
    theirs = str((await order_from(await make_depot(other)))["id"])
    ours = await an_order(farm)
    double.captures_by_itself = True
    for tenant, order_id in ((other, theirs), (farm.tenant, ours)):
        double.authorize((await begin(tenant, order_id))["checkout"]["provider_order_id"])
    first, second = double.webhooks()[1::3]
    assert await tell(farm, [first]) == [(200, "applied")]
    assert sums(await money_of(other, theirs))[0] == "paid"
    assert sums(await money_of(farm.tenant, ours))[0] == "pending"
    assert await tell(farm, [second]) == [(200, "applied")]
    assert sums(await money_of(farm.tenant, ours))[0] == "paid"


async def test_an_order_that_costs_something_else_by_now_is_another_checkout(
    farm: Platform, double: RazorpayDouble
) -> None:
    order_id = await an_order(farm)
    old = await begin(farm.tenant, order_id)
    transfer = {"kind": "recorded", "method": "bank_transfer", "amount_minor": 7_000, "reference": "UTR 1"}
    await farm.tenant.post(f"{ORDERS}/{order_id}/payments", transfer)
    new = await begin(farm.tenant, order_id)
    assert new["checkout"]["amount_minor"] == 10_000
    assert new["checkout"]["provider_order_id"] != old["checkout"]["provider_order_id"]
    # the old page is still open in a browser: what is paid there is too much, and goes back
    await come_back(farm.tenant, order_id, double.authorize(old["checkout"]["provider_order_id"]))
    assert sums(await money_of(farm.tenant, order_id)) == ("paid", 24_000, 0, 7_000, 0)
    await farm.deliver()
    assert sums(await money_of(farm.tenant, order_id)) == ("paid", 24_000, 7_000, 0, 0)
    assert [refund["amount"] for refund in double.refunds()] == [7_000]


async def test_a_customer_pays_its_own_order_and_no_other(farm: Platform, double: RazorpayDouble) -> None:
    depot = await make_depot(farm.tenant)
    customer_id, buyer = await make_buyer(farm)
    of = {"customer_id": customer_id, "warehouse_id": depot.warehouse_id, "product_id": depot.product_id}
    own = str((await make_order(farm.tenant, **of))["id"])
    paid = double.authorize((await begin(buyer, own))["checkout"]["provider_order_id"])
    assert sums(await come_back(buyer, own, paid)) == ("paid", TOTAL, 0, 0, 0)
    others = str((await order_from(depot))["id"])
    record = {"kind": "recorded", "method": "cash", "amount_minor": 100, "reference": "mine"}
    for path, body, heard in (
        (f"{ORDERS}/{others}/payments", {"kind": "online"}, (404, "NOT_FOUND")),
        (f"{ORDERS}/{others}/payments/confirm", paid.as_json(), (404, "NOT_FOUND")),
        (f"{ORDERS}/{own}/payments", record, (403, "FORBIDDEN")),
    ):
        assert await heard_by(buyer, "POST", path, body) == heard
    assert await heard_by(buyer, "GET", f"{ORDERS}/{others}/payments") == (404, "NOT_FOUND")


async def test_without_an_account_nothing_is_paid_online(farm: Platform, razorpay: Razorpay) -> None:
    order_id = await an_order(farm)
    farm.app.state.razorpay = None
    heard = await heard_by(farm.tenant, "POST", f"{ORDERS}/{order_id}/payments", {"kind": "online"})
    farm.app.state.razorpay = razorpay
    assert heard == (409, "ONLINE_PAYMENTS_OFF")


async def recorded(tenant: Tenant, order_id: str, **fields: Any) -> tuple[int, str]:
    body = {"kind": "recorded", "method": "bank_transfer", "amount_minor": 100, "reference": "UTR 1", **fields}
    return await heard_by(tenant, "POST", f"{ORDERS}/{order_id}/payments", body)


async def test_what_was_paid_elsewhere_is_recorded_up_to_what_is_due(farm: Platform) -> None:
    order_id = await an_order(farm)
    assert await recorded(farm.tenant, order_id, amount_minor=TOTAL + 1) == (409, "TOO_MUCH")
    assert await recorded(farm.tenant, order_id, paid_at="2100-01-01T00:00:00Z") == (422, "INVALID")
    assert await recorded(farm.tenant, order_id, amount_minor=0) == (422, "VALIDATION_FAILED")
    assert await recorded(farm.tenant, order_id, amount_minor=TOTAL - 1) == (201, "")
    assert sums(await money_of(farm.tenant, order_id)) == ("pending", TOTAL - 1, 0, 0, 1)
    assert await recorded(farm.tenant, order_id, amount_minor=1) == (201, "")
    assert sums(await money_of(farm.tenant, order_id)) == ("paid", TOTAL, 0, 0, 0)
    assert await recorded(farm.tenant, order_id, amount_minor=1) == (409, "NOTHING_DUE")
