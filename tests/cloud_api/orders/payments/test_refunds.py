"""Money that goes back: once, whatever is lost on the way; and what nobody told us about is asked for."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel import clock
from cloud_api.orders.book import service as orders
from cloud_api.orders.book.models import CustomerOrder
from cloud_api.orders.payments import queries, service
from cloud_api.orders.payments.models import CustomerPayment
from cloud_api.orders.payments.provider import Razorpay
from cloud_api.orders.payments.queries import sums_of
from cloud_api.orders.payments.watching import PaymentWatch
from device_sims.razorpay import RazorpayDouble
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.orders import Depot, make_depot, order_from
from tests.factories.payments import begin, come_back, money_of, tell
from tests.factories.properties import FEW
from tests.factories.returns import RETURNS, hand_over_order
from tests.platform_under_test import Platform

pytestmark = [IN_ONE_LOOP, pytest.mark.usefixtures("razorpay")]

TOTAL = 17_000


async def a_paid_order(farm: Platform, double: RazorpayDouble) -> str:
    """Paid online, and its webhooks told."""
    order_id = str((await order_from(await make_depot(farm.tenant)))["id"])
    checkout = (await begin(farm.tenant, order_id))["checkout"]
    await come_back(farm.tenant, order_id, double.authorize(checkout["provider_order_id"]))
    await tell(farm, double.webhooks())
    return order_id


async def cancel(farm: Platform, order_id: str) -> None:
    await farm.tenant.post(f"/api/v1/orders/{order_id}/cancel", {"reason": "moved away"})


def shown(money: Any) -> tuple[str, int, int, int]:
    return money["payment_status"], money["received_minor"], money["refunded_minor"], money["refunding_minor"]


async def test_a_cancelled_order_is_refunded_once_though_an_answer_is_lost(
    farm: Platform, double: RazorpayDouble
) -> None:
    order_id = await a_paid_order(farm, double)
    await cancel(farm, order_id)
    double.lose_next(1)
    await farm.deliver()
    assert shown(await money_of(farm.tenant, order_id)) == ("pending", TOTAL, 0, TOTAL)
    assert len(double.refunds()) == 1
    told = [webhook for webhook in double.webhooks() if webhook.event.startswith("refund.")]
    assert await tell(farm, reversed(told)) == [(200, "applied"), (200, "known")]
    assert shown(await money_of(farm.tenant, order_id)) == ("refunded", TOTAL, TOTAL, 0)
    await farm.tenant.post(f"/api/v1/orders/{order_id}/payments/settle")
    await farm.deliver()
    assert [refund["amount"] for refund in double.refunds()] == [TOTAL]


async def test_a_refund_that_fails_is_told_and_can_be_tried_again(farm: Platform, double: RazorpayDouble) -> None:
    order_id = await a_paid_order(farm, double)
    double.slow_refunds = True
    await cancel(farm, order_id)
    await farm.deliver()
    assert double.process_refunds(succeed=False) == 1
    await tell(farm, double.webhooks())
    money = await money_of(farm.tenant, order_id)
    assert (shown(money), money["payments"][1]["status"]) == (("paid", TOTAL, 0, 0), "failed")
    assert "did not go through" in (await farm.tenant.get("/api/v1/notifications"))[0]["title"]
    double.slow_refunds = False
    await farm.tenant.post(f"/api/v1/orders/{order_id}/payments/settle")
    await farm.deliver()
    assert shown(await money_of(farm.tenant, order_id)) == ("refunded", TOTAL, TOTAL, 0)


async def test_what_somebody_gave_back_in_razorpays_console_is_seen(farm: Platform, double: RazorpayDouble) -> None:
    order_id = await a_paid_order(farm, double)
    [payment] = double.payments()
    double.refund(str(payment["id"]), 2_000)
    assert await tell(farm, double.webhooks()) == [(200, "known"), (200, "applied")]
    money = await money_of(farm.tenant, order_id)
    assert (shown(money), money["due_minor"]) == (("pending", TOTAL, 2_000, 0), 2_000)
    await cancel(farm, order_id)
    await farm.deliver()
    assert [refund["amount"] for refund in double.refunds()] == [2_000, TOTAL - 2_000]


async def test_a_return_of_a_paid_order_is_refunded_when_the_money_is_back(
    farm: Platform, double: RazorpayDouble
) -> None:
    handed = await hand_over_order(farm)
    checkout = (await begin(farm.tenant, handed.order_id))["checkout"]
    await come_back(farm.tenant, handed.order_id, double.authorize(checkout["provider_order_id"]))
    one = await handed.inspect("2")
    granted = await farm.tenant.post(f"{RETURNS}/{one['id']}/refund", {"amount_minor": 8_000, "note": "opened"})
    assert (granted["refund_status"], granted["refund_minor"]) == ("pending", 8_000)
    await farm.deliver()
    assert (await farm.tenant.get(f"{RETURNS}/{one['id']}"))["refund_status"] == "refunded"
    assert shown(await money_of(farm.tenant, handed.order_id)) == ("paid", TOTAL, 8_000, 0)
    assert [refund["amount"] for refund in double.refunds()] == [8_000]


async def age(farm: Platform, order_id: str) -> None:
    """What waits has waited for an hour."""
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        for payment in await db.scalars(queries.payments_of(uuid.UUID(order_id))):
            payment.created_at = clock.now() - timedelta(hours=1)


async def test_a_payment_of_which_nobody_told_us_is_asked_for(
    farm: Platform, double: RazorpayDouble, razorpay: Razorpay
) -> None:
    order_id = str((await order_from(await make_depot(farm.tenant)))["id"])
    provider_order_id = (await begin(farm.tenant, order_id))["checkout"]["provider_order_id"]
    double.decline(provider_order_id)
    double.authorize(provider_order_id)
    double.webhooks()
    watch = PaymentWatch(farm.database, razorpay)
    await watch.ask_once()
    assert (await money_of(farm.tenant, order_id))["received_minor"] == 0
    await age(farm, order_id)
    await watch.ask_once()
    assert shown(await money_of(farm.tenant, order_id)) == ("paid", TOTAL, 0, 0)


async def test_a_refund_of_which_nobody_told_us_is_asked_for(
    farm: Platform, double: RazorpayDouble, razorpay: Razorpay
) -> None:
    order_id = await a_paid_order(farm, double)
    double.slow_refunds = True
    await cancel(farm, order_id)
    await farm.deliver()
    double.process_refunds()
    double.webhooks()
    await age(farm, order_id)
    assert await PaymentWatch(farm.database, razorpay).ask_once() == 1
    await farm.deliver()
    assert shown(await money_of(farm.tenant, order_id)) == ("refunded", TOTAL, TOTAL, 0)
    assert len(double.refunds()) == 1


class Till:
    """The money of one order, by the verbs that everybody calls, and what a clerk beside them writes down."""

    def __init__(self, farm: Platform, order_id: uuid.UUID) -> None:
        self.farm, self.order_id = farm, order_id
        self.number = 0

    async def do(self, what: str, amount: int) -> None:
        self.number += 1
        async with self.farm.database.unit_of_work(self.farm.tenant.organization) as db:
            order = await orders.lock_order(db, self.order_id)
            await getattr(self, what)(db, order, amount)

    async def checkout(self, db: AsyncSession, order: CustomerOrder, _amount: int) -> None:
        if await service.due_minor(db, order):
            payment, _ = await service.open_checkout(db, order, opened_by=None)
            payment.provider_order_id = f"order_{payment.id}"

    async def capture(self, db: AsyncSession, _order: CustomerOrder, amount: int) -> None:
        for payment in await self._rows(db, "in", ("pending", "cancelled", "completed")):
            if payment.provider:
                name = f"pay_{payment.id}_{amount % 2}"
                await service.payment_captured(db, payment.id, provider_payment_id=name, method="card")

    async def door(self, db: AsyncSession, order: CustomerOrder, amount: int) -> None:
        await service.take_at_door(
            db,
            order.id,
            amount_minor=1 + amount % order.total_minor,
            method="cash",
            reference=f"{self.number}",
            taken_by=order.id,
            taken_at=clock.now(),
            delivery_id=order.id,
        )

    async def reprice(self, db: AsyncSession, order: CustomerOrder, amount: int) -> None:
        order.total_minor = 1 + amount
        await service.settle(db, order.id, why="repriced")

    async def credit(self, db: AsyncSession, order: CustomerOrder, amount: int) -> None:
        source = f"{order.id}:{amount % 3}"
        await service.credit(db, order.id, amount_minor=1 + amount, why="back", source=source)

    async def cancel(self, db: AsyncSession, order: CustomerOrder, _amount: int) -> None:
        order.status = "cancelled"
        await service.cancel_waiting(db, order.id)
        await service.settle(db, order.id, why="cancelled")

    async def refund_done(self, db: AsyncSession, _order: CustomerOrder, _amount: int) -> None:
        for refund in await self._rows(db, "out", ("pending",)):
            await service.refund_done(db, refund.id, provider_refund_id=f"rfnd_{refund.id}")

    async def refund_failed(self, db: AsyncSession, _order: CustomerOrder, _amount: int) -> None:
        for refund in await self._rows(db, "out", ("pending",)):
            await service.refund_failed(db, refund.id, why="the bank")

    async def settle(self, db: AsyncSession, order: CustomerOrder, _amount: int) -> None:
        await service.settle(db, order.id, why="by hand")

    async def _rows(self, db: AsyncSession, direction: str, statuses: tuple[str, ...]) -> list[CustomerPayment]:
        rows = await db.scalars(queries.payments_of(self.order_id))
        return [row for row in rows if row.direction == direction and row.status in statuses]

    async def check(self) -> None:
        """What is kept is never more than what is owed, never below nothing; nothing goes back twice."""
        async with self.farm.database.unit_of_work(self.farm.tenant.organization) as db:
            order = await orders.get_order(db, self.order_id)
            sums = await sums_of(db, order.id)
            rows = [*await db.scalars(queries.payments_of(order.id))]
            failed = [row for row in rows if row.direction == "out" and row.status == "failed"]
            assert sums.kept >= 0
            if not failed:
                assert sums.kept <= service.owed_minor(order, sums)
            for payment in rows:
                back = [
                    row for row in rows if row.refund_of_id == payment.id and row.status in {"pending", "completed"}
                ]
                assert sum(row.amount_minor for row in back) <= payment.amount_minor
            assert order.payment_status != "paid" or sums.kept >= service.owed_minor(order, sums)


@pytest_asyncio.fixture(loop_scope="session")
async def depot(farm: Platform) -> Depot:
    return await make_depot(farm.tenant)


STEPS = ["checkout", "capture", "door", "reprice", "credit", "cancel", "refund_done", "refund_failed", "settle"]


@given(steps=st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 30_000)), max_size=10))
@FEW
async def test_whatever_happens_no_more_is_kept_than_is_owed_and_nothing_goes_back_twice(
    farm: Platform, depot: Depot, steps: list[tuple[str, int]]
) -> None:
    order_id = (await order_from(depot))["id"]
    till = Till(farm, uuid.UUID(order_id))
    for what, amount in steps:
        await till.do(what, amount)
        await till.check()
    await till.do("settle", 0)
    await till.do("refund_done", 0)
    await till.do("settle", 0)
    await till.check()
