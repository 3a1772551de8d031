"""Paying online, from the checkout to the money: what the provider is asked, and what its answers change.

Nothing of the network goes on inside a unit of work: a checkout is written down, then opened at the provider, then
answered (`prepare`, `finish`); an attempt is looked at and captured there, then booked (`look`, `book`).
"""

import uuid
from dataclasses import dataclass
from typing import Literal

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.audit import service as audit
from cloud_api.kernel.db import Database
from cloud_api.kernel.errors import AppError, NotFound
from cloud_api.kernel.tenancy import Actor, OrganizationScope
from cloud_api.notifications import service as notifications
from cloud_api.orders.book import service as orders
from cloud_api.orders.book.queries import VisibleOrders
from cloud_api.orders.payments import service
from cloud_api.orders.payments.errors import PaymentFailed, ProviderUnavailable, SignatureRefused
from cloud_api.orders.payments.events import CaptureDue
from cloud_api.orders.payments.models import CustomerPayment
from cloud_api.orders.payments.provider import Attempt, Razorpay, RazorpayAway, RazorpayRefused
from cloud_api.orders.payments.schemas import PaymentConfirm

log = structlog.get_logger(__name__)

#: applied: booked; known: it changes nothing; refused: it is not what we asked for; waiting: the money is not there yet
Outcome = Literal["applied", "known", "refused", "waiting", "failed"]
#: in whose name the provider's news are booked
PROVIDER = Actor("worker", None, "Razorpay")


@dataclass(frozen=True)
class Caller:
    """For whom something is asked of the provider."""

    scope: OrganizationScope
    actor: Actor
    seen: VisibleOrders


@dataclass(frozen=True)
class Prepared:
    """A checkout that is open at the provider."""

    payment_id: uuid.UUID
    provider_order_id: str


@dataclass(frozen=True)
class Looked:
    """An attempt, as the provider tells it."""

    payment_id: uuid.UUID
    attempt: Attempt


async def prepare(database: Database, razorpay: Razorpay, order_id: uuid.UUID, *, by: Caller) -> Prepared | None:
    """Open a checkout of what is due, or find the open one; None when there is nothing to be paid: `finish` says why.

    Raises:
        ProviderUnavailable: when it does not answer; the same request finds what was begun.
        PaymentFailed: when it will not take such a payment.
    """
    try:
        async with database.unit_of_work(by.scope, actor=by.actor) as db:
            order = await orders.lock_order(db, order_id, seen=by.seen)
            payment, again = await service.open_checkout(db, order, opened_by=by.actor.id)
            number = order.number
    except AppError:
        return None
    if payment.provider_order_id:
        return Prepared(payment.id, payment.provider_order_id)
    notes = {"order": number, "payment": payment.number}
    try:
        provider_order_id = await razorpay.open_order(
            receipt=str(payment.id),
            amount_minor=payment.amount_minor,
            currency=payment.currency,
            notes=notes,
            again=again,
        )
    except RazorpayAway as away:
        log.warning("payment_provider_away", reason=str(away))
        raise ProviderUnavailable("the payment provider does not answer: try again") from None
    except RazorpayRefused as refused:
        raise PaymentFailed(f"the payment provider does not take this payment: {refused}") from None
    return Prepared(payment.id, provider_order_id)


async def finish(
    db: AsyncSession, order_id: uuid.UUID, prepared: Prepared | None, *, by: uuid.UUID, seen: VisibleOrders
) -> tuple[CustomerPayment, bool]:
    """The payment that waits for the customer; a checkout that was opened twice is the one that was first.

    Returns:
        The payment, and whether it still waits: it may have been paid meanwhile.

    Raises:
        NotFound, NothingDue: when there is nothing to be paid.
        ProviderUnavailable: when something else was due a moment ago.
    """
    if prepared is None:
        order = await orders.lock_order(db, order_id, seen=seen)
        await service.open_checkout(db, order, opened_by=by)
        raise ProviderUnavailable("the order has just changed: try again", retry_after_s=1)
    payment, _ = await service.locked_payment(db, prepared.payment_id)
    payment.provider_order_id = payment.provider_order_id or prepared.provider_order_id
    await db.flush()
    return payment, payment.status == "pending"


async def look(
    database: Database, razorpay: Razorpay, order_id: uuid.UUID, *, told: PaymentConfirm, by: Caller
) -> Looked:
    """What became of the attempt that a customer's browser came back with; captured, when that is due.

    Raises:
        NotFound: when the order, or its checkout, is not there.
        SignatureRefused: when the provider did not say so. Reported.
        ProviderUnavailable: when it does not answer; the webhook will tell, or the same request later.
    """
    async with database.unit_of_work(by.scope, read_only=True) as db:
        order = await orders.get_order(db, order_id, seen=by.seen)
        payment = await checkout_of(db, order.id, told.razorpay_order_id)
    if not razorpay.signed_payment(
        order_id=told.razorpay_order_id, payment_id=told.razorpay_payment_id, signature=told.razorpay_signature
    ):
        details = {"order": order.number, "payment": payment.number, "attempt": told.razorpay_payment_id}
        async with database.unit_of_work(by.scope, actor=by.actor) as db:
            audit.raise_security_event(db, type="signature_refused", severity="medium", details=details)
        raise SignatureRefused("Razorpay did not sign this", field="razorpay_signature")
    return Looked(payment.id, await _collected(razorpay, payment, told.razorpay_payment_id))


async def checkout_of(db: AsyncSession, order_id: uuid.UUID, provider_order_id: str) -> CustomerPayment:
    """The payment of an order that waits, or waited, at the provider under this name.

    Raises:
        NotFound: when there is none.
    """
    its = (
        select(CustomerPayment)
        .where(CustomerPayment.order_id == order_id, CustomerPayment.provider_order_id == provider_order_id)
        .order_by(CustomerPayment.id)
        .limit(1)
    )
    payment = (await db.scalars(its)).one_or_none()
    if payment is None:
        raise NotFound("this order has no such checkout", field="razorpay_order_id")
    return payment


async def book(db: AsyncSession, payment_id: uuid.UUID, attempt: Attempt) -> Outcome:
    """Write down what became of an attempt. What does not fit what we asked for is reported, and books nothing."""
    payment, order = await service.locked_payment(db, payment_id)
    asked = (payment.provider_order_id, payment.amount_minor, payment.currency)
    if attempt.status == "failed":
        why = attempt.failure or "the customer's bank refused it"
        return "failed" if await service.payment_failed(db, payment.id, why=why) else "known"
    if (attempt.order_id, attempt.amount_minor, attempt.currency) != asked:
        await _report_mismatch(db, payment, attempt)
        return "refused"
    its = select(CustomerPayment.id).where(
        CustomerPayment.direction == "in", CustomerPayment.provider_payment_id == attempt.payment_id
    )
    if await db.scalar(its) is not None:
        return "known"
    if not attempt.is_captured:
        return "waiting"
    await service.payment_captured(db, payment.id, provider_payment_id=attempt.payment_id, method=attempt.our_method)
    log.info("payment_captured", order=order.number, payment=payment.number)
    return "applied"


async def capture(razorpay: Razorpay | None, database: Database, organization_id: uuid.UUID, event: CaptureDue) -> None:
    """The outbox effect: capture what a customer's bank holds for us, and book it. Twice is once.

    Raises:
        ProviderUnavailable: when it has to be tried again.
    """
    if razorpay is None:
        log.warning("payment_not_captured", reason="no Razorpay account: set COLDFLEET_RAZORPAY_KEY_ID and its others")
        return
    scope = OrganizationScope(organization_id)
    async with database.unit_of_work(scope, read_only=True) as db:
        payment = await db.get_one(CustomerPayment, event.payment_id)
    attempt = await _collected(razorpay, payment, event.provider_payment_id)
    async with database.unit_of_work(scope, actor=PROVIDER) as db:
        await book(db, event.payment_id, attempt)


async def _collected(razorpay: Razorpay, payment: CustomerPayment, attempt_id: str) -> Attempt:
    try:
        return await razorpay.collect(
            attempt_id,
            order_id=payment.provider_order_id,
            amount_minor=payment.amount_minor,
            currency=payment.currency,
        )
    except RazorpayAway as away:
        log.warning("payment_provider_away", reason=str(away))
        raise ProviderUnavailable("the payment provider does not answer: try again") from None
    except RazorpayRefused as refused:
        raise PaymentFailed(f"the payment provider knows no such payment: {refused}") from None


async def _report_mismatch(db: AsyncSession, payment: CustomerPayment, attempt: Attempt) -> None:
    """Somebody paid something else than was asked for; told once."""
    paid = f"{attempt.payment_id}: {attempt.amount_minor} {attempt.currency} for {attempt.order_id}"
    if payment.failure == paid:
        return
    payment.failure = paid
    asked = f"{payment.amount_minor} {payment.currency} for {payment.provider_order_id}"
    details = {"payment": payment.number, "asked": asked, "paid": paid}
    audit.raise_security_event(db, type="suspicious_activity", severity="high", details=details)
    await notifications.notify(
        db,
        permission="returns:refund",
        title=f"{payment.number}: another sum was paid than was asked for",
        message=f"Asked: {asked}. Paid: {paid}. The order stays unpaid: look into it at Razorpay.",
        severity="error",
        category="payment",
        subject=f"payment:{payment.id}",
    )
    await db.flush()
