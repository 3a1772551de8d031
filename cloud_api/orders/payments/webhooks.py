"""What the provider tells by itself: in any order, late, and more than once.

An event changes something once: its id is kept with what it changed, in the same transaction. Whose payment it is says
the provider's order, which is ours. Of a payment that is not known (yet) the answer is 404, so that the provider tells
again: our own answer to the customer may be on its way still. Payments without an order are none of ours: ignored.
"""

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel import clock, outbox
from cloud_api.kernel.db import Database
from cloud_api.kernel.errors import Invalid, NotFound
from cloud_api.kernel.tenancy import OrganizationScope, SystemScope
from cloud_api.orders.payments import online, refunding, service
from cloud_api.orders.payments.events import CaptureDue
from cloud_api.orders.payments.models import CustomerPayment, ProviderEvent
from cloud_api.orders.payments.provider import Attempt, Refund, attempt_of, refund_of

log = structlog.get_logger(__name__)

Taken = Literal["applied", "known", "refused", "ignored"]
_ATTEMPTS = frozenset({"payment.authorized", "payment.captured", "payment.failed", "order.paid"})
_REFUNDS = frozenset({"refund.created", "refund.processed", "refund.failed"})


@dataclass(frozen=True)
class Told:
    """One event, read."""

    event_id: str
    type: str
    about: Attempt | Refund


@dataclass(frozen=True)
class _Subject:
    """Whose, and which payment an event is about."""

    organization_id: uuid.UUID
    payment_id: uuid.UUID


def read(body: bytes, event_id: str) -> Told | None:
    """An event of a body that the provider signed; None when it is about nothing of ours.

    Raises:
        Invalid: when it cannot be read.
    """
    name = event_id or hashlib.sha256(body).hexdigest()
    try:
        told = json.loads(body)
        type_ = str(told["event"])
        if type_ in _ATTEMPTS:
            attempt = attempt_of(_entity(told, "payment"))
            return Told(name, type_, attempt) if attempt.order_id else None
        if type_ in _REFUNDS:
            return Told(name, type_, refund_of(_entity(told, "refund")))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Invalid("this is no event of Razorpay's", field="body") from None
    return None


async def take(database: Database, told: Told) -> Taken:
    """Book an event.

    Raises:
        NotFound: when its payment is not known (yet).
    """
    async with database.unit_of_work(SystemScope("whose payment this is"), read_only=True) as db:
        subject = await _subject_of(db, told.about)
    if subject is None:
        log.warning("payment_event_of_nobody", type=told.type, event_id=told.event_id)
        raise NotFound("no such payment is known here")
    async with database.unit_of_work(OrganizationScope(subject.organization_id), actor=online.PROVIDER) as db:
        await service.locked_payment(db, subject.payment_id)  # whoever brings the same event waits here
        its = select(ProviderEvent.outcome).where(ProviderEvent.event_id == told.event_id)
        if await db.scalar(its) is not None:
            return "known"
        outcome = await _book(db, told, subject.payment_id)
        db.add(
            ProviderEvent(
                event_id=told.event_id,
                type=told.type,
                payment_id=subject.payment_id,
                outcome=outcome,
                received_at=clock.now(),
            )
        )
    return outcome


async def _book(db: AsyncSession, told: Told, payment_id: uuid.UUID) -> Taken:
    if isinstance(told.about, Attempt):
        return await _book_attempt(db, told, payment_id, told.about)
    return "applied" if await _book_refund(db, payment_id, told) else "known"


async def _book_attempt(db: AsyncSession, told: Told, payment_id: uuid.UUID, attempt: Attempt) -> Taken:
    outcome = await online.book(db, payment_id, attempt)
    if outcome == "waiting":
        outbox.emit(db, CaptureDue(payment_id, attempt.payment_id))
        return "applied"
    return "applied" if outcome == "failed" else outcome


async def _book_refund(db: AsyncSession, payment_id: uuid.UUID, told: Told) -> bool:
    assert isinstance(told.about, Refund)  # noqa: S101 - the caller looked
    row = await db.get_one(CustomerPayment, payment_id)
    if row.direction == "out":
        return await refunding.write_down(db, row.id, told.about)
    if told.type != "refund.processed":
        return False
    refund = told.about
    return await service.refunded_elsewhere(
        db, row.id, provider_refund_id=refund.refund_id, amount_minor=refund.amount_minor
    )


async def _subject_of(db: AsyncSession, about: Attempt | Refund) -> _Subject | None:
    if isinstance(about, Attempt):
        its = CustomerPayment.provider_order_id == about.order_id
        return await _first(db, its & (CustomerPayment.direction == "in"))
    refund = await _first(db, (CustomerPayment.direction == "out") & (CustomerPayment.id == _id_of(about.receipt)))
    captured = CustomerPayment.provider_payment_id == about.payment_id
    return refund or await _first(db, captured & (CustomerPayment.direction == "in"))


async def _first(db: AsyncSession, which: Any) -> _Subject | None:
    its = select(CustomerPayment.organization_id, CustomerPayment.id).where(which).order_by(CustomerPayment.id)
    row = (await db.execute(its.limit(1))).tuples().first()
    return None if row is None else _Subject(*row)


def _id_of(receipt: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(receipt)
    except ValueError:
        return None


def _entity(told: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    entity: Mapping[str, Any] = told["payload"][name]["entity"]
    return entity
