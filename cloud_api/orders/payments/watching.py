"""Asks the provider what became of what nobody told us about: lost webhooks, closed browsers, refunds under way."""

import uuid
from collections.abc import Sequence
from datetime import timedelta

import structlog
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel import clock, outbox
from cloud_api.kernel.db import Database
from cloud_api.kernel.loops import keep_looking
from cloud_api.kernel.tenancy import OrganizationScope, SystemScope
from cloud_api.orders.payments import online
from cloud_api.orders.payments.events import RefundDue
from cloud_api.orders.payments.models import CustomerPayment
from cloud_api.orders.payments.provider import Razorpay, RazorpayAway, RazorpayRefused
from cloud_api.orders.payments.states import PaymentStatus

log = structlog.get_logger(__name__)

#: a payment is asked about when nothing was heard of it for so long, and until it is so old
QUIET_FOR = timedelta(minutes=10)
ASKED_UNTIL = timedelta(days=3)
_POLL_S = 60.0
#: asked about in one round
_AT_ONCE = 20


class PaymentWatch:
    """A loop; any number may run beside each other: whoever asks notes it first."""

    def __init__(self, database: Database, razorpay: Razorpay | None, *, poll_s: float = _POLL_S) -> None:
        self._database = database
        self._razorpay = razorpay
        self._poll_s = poll_s

    async def run(self) -> None:
        """Ask until cancelled; without an account there is nothing to ask."""
        if self._razorpay is not None:
            await keep_looking(self.ask_once, every_s=self._poll_s, failure="payment_watch_database_failed")

    async def ask_once(self) -> int:
        """Ask about what is quiet for too long. Returns about how many payments."""
        if self._razorpay is None:
            return 0
        async with self._database.unit_of_work(SystemScope("which payments are quiet")) as db:
            quiet = await _note_quiet(db)
        for organization_id, payment_id in quiet:
            try:
                await self._ask(self._razorpay, OrganizationScope(organization_id), payment_id)
            except (RazorpayAway, RazorpayRefused) as error:
                log.warning("payment_provider_away", reason=str(error))
        return len(quiet)

    async def _ask(self, razorpay: Razorpay, scope: OrganizationScope, payment_id: uuid.UUID) -> None:
        async with self._database.unit_of_work(scope, actor=online.PROVIDER) as db:
            payment = await db.get_one(CustomerPayment, payment_id)
            if payment.direction == "out":
                outbox.emit(db, RefundDue(payment.id))
                return
        for attempt in await razorpay.attempts(payment.provider_order_id):
            if attempt.status == "authorized":
                attempt = await razorpay.collect(
                    attempt.payment_id,
                    order_id=payment.provider_order_id,
                    amount_minor=payment.amount_minor,
                    currency=payment.currency,
                )
            async with self._database.unit_of_work(scope, actor=online.PROVIDER) as db:
                await online.book(db, payment.id, attempt)


async def _note_quiet(db: AsyncSession) -> Sequence[tuple[uuid.UUID, uuid.UUID]]:
    """(organisation, payment) of what is quiet, noted as asked about."""
    now = clock.now()
    its = (
        select(CustomerPayment)
        .where(
            CustomerPayment.status == PaymentStatus.PENDING,
            CustomerPayment.provider != "",
            or_(CustomerPayment.provider_order_id != "", CustomerPayment.direction == "out"),
            CustomerPayment.created_at < now - QUIET_FOR,
            CustomerPayment.created_at > now - ASKED_UNTIL,
            or_(CustomerPayment.asked_at.is_(None), CustomerPayment.asked_at < now - QUIET_FOR),
        )
        .order_by(CustomerPayment.created_at)
        .limit(_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    quiet = (await db.scalars(its)).all()
    for payment in quiet:
        payment.asked_at = now
    return [(payment.organization_id, payment.id) for payment in quiet]
