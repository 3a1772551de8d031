"""The verbs of payments: what is due, what came in, what goes back.

Whoever touches the money of an order locks the order first, so that of two payments, a payment and a refund, or a
payment and a new total, one is done and then the other. However money comes in, what is too much of it goes back at
once (`settle`): what was captured less what goes back is never more than what the order owes, and never below nothing.
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity.organizations import service as organizations
from cloud_api.kernel import clock, outbox
from cloud_api.kernel.errors import Invalid
from cloud_api.kernel.ids import new_id
from cloud_api.kernel.tenancy import OrganizationScope
from cloud_api.orders.book import service as book
from cloud_api.orders.book.models import CustomerOrder
from cloud_api.orders.book.queries import EVERY_ORDER, VisibleOrders
from cloud_api.orders.book.states import OrderStatus
from cloud_api.orders.payments import queries
from cloud_api.orders.payments.errors import NothingDue, PaymentDiffers, TooMuch
from cloud_api.orders.payments.events import PaymentReceived, PaymentRefunded, RefundDue
from cloud_api.orders.payments.models import CustomerPayment, OrderCredit
from cloud_api.orders.payments.queries import CAME_IN, GOES_BACK, RAZORPAY, Sums
from cloud_api.orders.payments.schemas import PaymentRecord
from cloud_api.orders.payments.states import PAYMENT, PaymentAction, PaymentStatus
from cloud_api.places import service as places


def owed_minor(order: CustomerOrder, sums: Sums) -> int:
    """What an order owes all in all: nothing when it was given up, or came back without being handed over."""
    given_up = order.status == OrderStatus.CANCELLED
    refused = order.status == OrderStatus.RETURNED and order.delivered_at is None
    return 0 if given_up or refused else max(0, order.total_minor - sums.credited)


async def due_minor(db: AsyncSession, order: CustomerOrder) -> int:
    """What is still to be paid, in minor units of the organisation's currency."""
    sums = await queries.sums_of(db, order.id)
    return max(0, owed_minor(order, sums) - sums.kept)


async def dues_minor(db: AsyncSession, orders: Sequence[CustomerOrder]) -> Mapping[uuid.UUID, int]:
    """What is still to be paid for each of these orders, in minor units."""
    booked = await queries.sums_of_all(db, [order.id for order in orders])
    return {order.id: max(0, owed_minor(order, booked[order.id]) - booked[order.id].kept) for order in orders}


async def currency_of(db: AsyncSession) -> str:
    """In what the organisation counts its money (ISO 4217)."""
    scope = db.sync_session.info["scope"]
    assert isinstance(scope, OrganizationScope)  # noqa: S101 - money belongs to an organisation
    return (await organizations.get_organization(db, scope.organization_id)).currency


async def take_at_door(
    db: AsyncSession,
    order_id: uuid.UUID,
    *,
    amount_minor: int,
    method: str,
    reference: str,
    taken_by: uuid.UUID,
    taken_at: datetime,
    delivery_id: uuid.UUID,
) -> CustomerPayment:
    """Record cash or UPI that a driver took, once for each delivery and reference.

    What was paid online meanwhile is no reason to refuse it: the money is in the van. Then it goes back by `settle`.

    Raises:
        NotFound: when there is no such order.
        TooMuch: when it is more than the whole order: the driver gives change, or mistyped.
        PaymentDiffers: when the reference came before with something else.
    """
    order = await book.lock_order(db, order_id)
    before = await db.scalars(
        select(CustomerPayment).where(
            CustomerPayment.delivery_id == delivery_id, CustomerPayment.reference == reference
        )
    )
    known = before.one_or_none()
    if known is not None:
        if (known.order_id, known.amount_minor, known.method) != (order.id, amount_minor, method):
            raise PaymentDiffers(
                f"{known.number} of this delivery has the same reference, and {known.amount_minor} by {known.method}: "
                "give another payment another reference",
                field="reference",
            )
        return known
    if amount_minor > order.total_minor:
        raise TooMuch(
            f"the whole order is {order.total_minor}: give change, and say what stays with you", field="amount_minor"
        )
    payment = await _new_payment(
        db,
        order,
        method=method,
        amount_minor=amount_minor,
        delivery_id=delivery_id,
        reference=reference,
        created_by=taken_by,
        taken_by=taken_by,
        taken_at=taken_at,
    )
    await _arrived(db, order, payment)
    return payment


async def record_payment(
    db: AsyncSession, order_id: uuid.UUID, *, new: PaymentRecord, recorded_by: uuid.UUID, seen: VisibleOrders
) -> CustomerPayment:
    """Record what was paid elsewhere: into the bank, at the counter.

    Raises:
        NotFound: when there is no such order to be seen.
        NothingDue, TooMuch: when nothing, or less than that, is left to be paid.
        Invalid: when it is to have been paid later than now.
    """
    order = await book.lock_order(db, order_id, seen=seen)
    at = new.paid_at or clock.now()
    if at > clock.now():
        raise Invalid("nothing was paid later than now", field="paid_at")
    due = await due_minor(db, order)
    if due == 0:
        raise NothingDue(f"nothing is left to be paid for {order.number}")
    if new.amount_minor > due:
        raise TooMuch(f"{due} are left to be paid for {order.number}", field="amount_minor")
    payment = await _new_payment(
        db,
        order,
        method=new.method,
        amount_minor=new.amount_minor,
        reference=new.reference,
        created_by=recorded_by,
        taken_by=recorded_by if new.method == "cash" else None,
        taken_at=at,
    )
    await _arrived(db, order, payment)
    return payment


async def credit(db: AsyncSession, order_id: uuid.UUID, *, amount_minor: int, why: str, source: str) -> int:
    """Let an order owe less, once for each source, and give back what was paid too much by that.

    Never more than its total: answers what it owes less now because of this source.
    """
    order = await book.lock_order(db, order_id)
    its = select(OrderCredit.amount_minor).where(OrderCredit.source == source)
    granted = await db.scalar(its)
    if granted is None:
        granted = min(amount_minor, order.total_minor - (await queries.sums_of(db, order.id)).credited)
        if granted <= 0:
            return 0
        db.add(
            OrderCredit(order_id=order.id, amount_minor=granted, why=why[:500], source=source, created_at=clock.now())
        )
        await db.flush()
    await settle(db, order.id, why=why)
    return granted


async def settle(db: AsyncSession, order_id: uuid.UUID, *, why: str) -> None:
    """Give back what is there of an order beyond what it owes; nothing when there is nothing, however often.

    Through the provider what came through it, the newest first; everything else is written as a credit. What of it goes
    over the network goes after the commit, and counts as gone from now on.
    """
    order = await book.lock_order(db, order_id)
    sums = await queries.sums_of(db, order.id)
    over = sums.kept - owed_minor(order, sums)
    if over > 0:
        for payment, left in await _refundable(db, order.id):
            part = min(over, left)
            over -= part
            await _give_back(db, order, payment, amount_minor=part, why=why)
            if over == 0:
                break
    await _mark(db, order)


async def cancel_waiting(db: AsyncSession, order_id: uuid.UUID) -> None:
    """Nobody waits for the checkouts of an order any more. What is paid there all the same comes in, and goes back."""
    order = await book.lock_order(db, order_id)
    for payment in await db.scalars(queries.payments_of(order.id)):
        if payment.direction == "in" and payment.status == PaymentStatus.PENDING:
            payment.status = PAYMENT.apply(PaymentStatus.PENDING, PaymentAction.CANCEL)
    await db.flush()


async def open_checkout(
    db: AsyncSession, order: CustomerOrder, *, opened_by: uuid.UUID | None
) -> tuple[CustomerPayment, bool]:
    """The payment that waits for what is due of a locked order, and whether it did before.

    When something else is due by now, it is begun anew.

    Raises:
        NothingDue: when nothing is left to be paid.
    """
    due = await due_minor(db, order)
    if due == 0:
        raise NothingDue(f"nothing is left to be paid for {order.number}")
    for payment in await db.scalars(queries.payments_of(order.id)):
        if payment.direction == "in" and payment.provider and payment.status == PaymentStatus.PENDING:
            if payment.amount_minor == due:
                return payment, True
            payment.status = PAYMENT.apply(PaymentStatus.PENDING, PaymentAction.CANCEL)
    new = await _new_payment(db, order, method="online", amount_minor=due, provider=RAZORPAY, created_by=opened_by)
    return new, False


async def payment_captured(
    db: AsyncSession, payment_id: uuid.UUID, *, provider_payment_id: str, method: str
) -> CustomerPayment:
    """Money came in through the provider: once, however often and by whomever it is told.

    When another attempt paid the same checkout before, this one is a payment of its own, and goes back.
    """
    payment, order = await locked_payment(db, payment_id)
    its = select(CustomerPayment).where(
        CustomerPayment.direction == "in", CustomerPayment.provider_payment_id == provider_payment_id
    )
    known = (await db.scalars(its)).one_or_none()
    if known is not None:
        return known
    if payment.status in CAME_IN:
        payment = await _new_payment(
            db,
            order,
            method=method,
            amount_minor=payment.amount_minor,
            provider=payment.provider,
            created_by=payment.created_by,
        )
        payment.provider_order_id = (await db.get_one(CustomerPayment, payment_id)).provider_order_id
    payment.provider_payment_id, payment.method, payment.failure = provider_payment_id, method, ""
    await _arrived(db, order, payment)
    return payment


async def payment_failed(db: AsyncSession, payment_id: uuid.UUID, *, why: str) -> bool:
    """An attempt did not succeed; the checkout stays open for another. Answers whether that is news."""
    payment, order = await locked_payment(db, payment_id)
    if payment.status != PaymentStatus.PENDING:
        return False
    payment.failure = why[:500]
    if order.payment_status == "pending":
        order.payment_status = "failed"
    await db.flush()
    return True


async def refund_done(db: AsyncSession, payment_id: uuid.UUID, *, provider_refund_id: str) -> bool:
    """What was to go back went back. Answers whether that is news."""
    refund, order = await locked_payment(db, payment_id)
    if refund.status == PaymentStatus.COMPLETED:
        return False
    refund.provider_refund_id = provider_refund_id
    await _gone_back(db, order, refund)
    await settle(db, order.id, why="a refund that had failed went through")
    return True


async def refund_failed(db: AsyncSession, payment_id: uuid.UUID, *, why: str) -> bool:
    """The provider will not give it back: somebody has to. Answers whether that is news."""
    refund, order = await locked_payment(db, payment_id)
    if refund.status != PaymentStatus.PENDING:
        return False
    refund.status = PAYMENT.apply(PaymentStatus.PENDING, PaymentAction.FAIL)
    refund.failure = why[:500]
    await db.flush()
    await _mark(db, order)
    return True


async def refunded_elsewhere(
    db: AsyncSession, payment_id: uuid.UUID, *, provider_refund_id: str, amount_minor: int
) -> bool:
    """Somebody gave money back in the provider's own console. Answers whether that is news."""
    payment, order = await locked_payment(db, payment_id)
    its = select(CustomerPayment.id).where(CustomerPayment.provider_refund_id == provider_refund_id)
    if await db.scalar(its) is not None:
        return False
    refund = await _new_refund(db, order, payment, amount_minor=amount_minor, why="given back at the provider")
    refund.provider_refund_id = provider_refund_id
    await _gone_back(db, order, refund)
    await _mark(db, order)
    return True


async def locked_payment(db: AsyncSession, payment_id: uuid.UUID) -> tuple[CustomerPayment, CustomerOrder]:
    """One payment and its order, the order locked."""
    payment = await db.get_one(CustomerPayment, payment_id)
    order = await book.lock_order(db, payment.order_id)
    await db.refresh(payment)
    return payment, order


async def payments_of(
    db: AsyncSession, order_id: uuid.UUID, *, seen: VisibleOrders = EVERY_ORDER
) -> Sequence[CustomerPayment]:
    """What came in and went back of an order, the oldest first.

    Raises:
        NotFound: when there is no such order to be seen.
    """
    order = await book.get_order(db, order_id, seen=seen)
    return (await db.scalars(queries.payments_of(order.id))).all()


async def refunds_under_way(db: AsyncSession, order_id: uuid.UUID) -> bool:
    """Whether money of an order is on its way back, or could not be given back."""
    its = select(func.count()).where(
        CustomerPayment.order_id == order_id,
        CustomerPayment.direction == "out",
        CustomerPayment.status == PaymentStatus.PENDING,
    )
    sums = await queries.sums_of(db, order_id)
    order = await book.get_order(db, order_id)
    return bool(await db.scalar(its)) or sums.kept > owed_minor(order, sums)


async def _new_payment(
    db: AsyncSession,
    order: CustomerOrder,
    *,
    method: str,
    amount_minor: int,
    created_by: uuid.UUID | None,
    provider: str = "",
    reference: str = "",
    delivery_id: uuid.UUID | None = None,
    taken_by: uuid.UUID | None = None,
    taken_at: datetime | None = None,
) -> CustomerPayment:
    payment_id, now = new_id(), clock.now()
    zone = await places.zone_of(db, order.warehouse_id)
    payment = CustomerPayment(
        id=payment_id,
        number=_number(payment_id, now),
        order_id=order.id,
        direction="in",
        method=method,
        amount_minor=amount_minor,
        currency=await currency_of(db),
        provider=provider,
        reference=reference,
        delivery_id=delivery_id,
        taken_by=taken_by,
        taken_at=taken_at,
        taken_on=None if taken_at is None else taken_at.astimezone(zone).date(),
        created_by=created_by,
        created_at=now,
    )
    db.add(payment)
    await db.flush()
    return payment


async def _new_refund(
    db: AsyncSession, order: CustomerOrder, payment: CustomerPayment, *, amount_minor: int, why: str
) -> CustomerPayment:
    refund_id, now = new_id(), clock.now()
    refund = CustomerPayment(
        id=refund_id,
        number=_number(refund_id, now),
        order_id=order.id,
        direction="out",
        method=payment.method if payment.provider else "credit",
        amount_minor=amount_minor,
        currency=payment.currency,
        provider=payment.provider,
        provider_payment_id=payment.provider_payment_id,
        refund_of_id=payment.id,
        why=why[:500],
        created_at=now,
    )
    db.add(refund)
    await db.flush()
    return refund


def _number(payment_id: uuid.UUID, at: datetime) -> str:
    return f"PAY-{at:%Y%m%d}-{payment_id.hex[-12:].upper()}"


async def _arrived(db: AsyncSession, order: CustomerOrder, payment: CustomerPayment) -> None:
    """The money of a payment is there."""
    payment.status = PAYMENT.apply(PaymentStatus(payment.status or PAYMENT.initial), PaymentAction.COMPLETE)
    payment.completed_at = clock.now()
    await db.flush()
    outbox.emit(db, PaymentReceived(order.id, payment.id))
    await settle(db, order.id, why="more was paid than the order owes")


async def _give_back(
    db: AsyncSession, order: CustomerOrder, payment: CustomerPayment, *, amount_minor: int, why: str
) -> None:
    refund = await _new_refund(db, order, payment, amount_minor=amount_minor, why=why)
    if refund.provider:
        outbox.emit(db, RefundDue(refund.id))
    else:
        await _gone_back(db, order, refund)


async def _gone_back(db: AsyncSession, order: CustomerOrder, refund: CustomerPayment) -> None:
    """Money went back: the payment that all of it went back of is refunded."""
    refund.status = PAYMENT.apply(PaymentStatus(refund.status), PaymentAction.COMPLETE)
    refund.completed_at, refund.failure = clock.now(), ""
    await db.flush()
    payment = await db.get_one(CustomerPayment, refund.refund_of_id)
    gone = await _given_back(db, order.id, (PaymentStatus.COMPLETED,))
    if payment.status == PaymentStatus.COMPLETED and gone.get(payment.id, 0) >= payment.amount_minor:
        payment.status = PAYMENT.apply(PaymentStatus.COMPLETED, PaymentAction.REFUND)
    await db.flush()
    outbox.emit(db, PaymentRefunded(order.id, refund.id))


async def _refundable(db: AsyncSession, order_id: uuid.UUID) -> list[tuple[CustomerPayment, int]]:
    """What came in, with what of it may go back; through the provider before anything else, the newest first."""
    gone = await _given_back(db, order_id, GOES_BACK)
    came_in = [
        payment
        for payment in await db.scalars(queries.payments_of(order_id))
        if payment.direction == "in" and payment.status in CAME_IN
    ]
    left = [(payment, payment.amount_minor - gone.get(payment.id, 0)) for payment in reversed(came_in)]
    return sorted([one for one in left if one[1] > 0], key=lambda one: one[0].provider == "")


async def _given_back(
    db: AsyncSession, order_id: uuid.UUID, statuses: tuple[PaymentStatus, ...]
) -> dict[uuid.UUID | None, int]:
    its = (
        select(CustomerPayment.refund_of_id, func.sum(CustomerPayment.amount_minor))
        .where(
            CustomerPayment.order_id == order_id,
            CustomerPayment.direction == "out",
            CustomerPayment.status.in_(statuses),
        )
        .group_by(CustomerPayment.refund_of_id)
    )
    return {payment_id: int(amount) for payment_id, amount in (await db.execute(its)).tuples()}


async def _mark(db: AsyncSession, order: CustomerOrder) -> None:
    """Write onto the order whether it is paid."""
    sums = await queries.sums_of(db, order.id)
    if sums.received > 0 and sums.received == sums.refunded:
        order.payment_status = "refunded"
    elif sums.kept > 0 and sums.kept >= owed_minor(order, sums):
        order.payment_status = "paid"
    elif order.payment_status != "failed":
        order.payment_status = "pending"
    await db.flush()
