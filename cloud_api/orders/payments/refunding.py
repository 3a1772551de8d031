"""Money that goes back through the provider: after the commit, each refund once, its result written down."""

import uuid

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel.db import Database
from cloud_api.kernel.tenancy import OrganizationScope
from cloud_api.notifications import service as notifications
from cloud_api.orders.payments import service
from cloud_api.orders.payments.errors import ProviderUnavailable
from cloud_api.orders.payments.events import RefundDue
from cloud_api.orders.payments.models import CustomerPayment
from cloud_api.orders.payments.online import PROVIDER
from cloud_api.orders.payments.provider import Razorpay, RazorpayAway, RazorpayRefused, Refund
from cloud_api.orders.payments.states import PaymentStatus

log = structlog.get_logger(__name__)


async def send_refund(
    razorpay: Razorpay | None, database: Database, organization_id: uuid.UUID, event: RefundDue
) -> None:
    """The outbox effect. It may happen twice: the provider knows our refund by its id, and makes one.

    Raises:
        ProviderUnavailable: when it has to be tried again.
    """
    if razorpay is None:
        log.warning("refund_not_sent", reason="no Razorpay account: set COLDFLEET_RAZORPAY_KEY_ID and its others")
        return
    scope = OrganizationScope(organization_id)
    async with database.unit_of_work(scope, read_only=True) as db:
        refund = await db.get_one(CustomerPayment, event.payment_id)
    if refund.status != PaymentStatus.PENDING:
        return
    answer: Refund | str
    try:
        answer = await razorpay.refund(
            refund.provider_payment_id,
            receipt=str(refund.id),
            amount_minor=refund.amount_minor,
            notes={"refund": refund.number, "why": refund.why[:250]},
        )
    except RazorpayAway as away:
        log.warning("payment_provider_away", reason=str(away))
        raise ProviderUnavailable("the payment provider does not answer") from None
    except RazorpayRefused as refused:
        answer = str(refused)
    async with database.unit_of_work(scope, actor=PROVIDER) as db:
        if isinstance(answer, Refund):
            await write_down(db, refund.id, answer)
        else:
            await give_up(db, refund.id, why=answer)


async def write_down(db: AsyncSession, refund_id: uuid.UUID, told: Refund) -> bool:
    """What the provider says of one of our refunds. Answers whether that is news."""
    if told.status == "processed":
        return await service.refund_done(db, refund_id, provider_refund_id=told.refund_id)
    if told.status == "failed":
        return await give_up(db, refund_id, why="the customer's bank did not take it")
    refund, _ = await service.locked_payment(db, refund_id)
    if refund.provider_refund_id:
        return False
    refund.provider_refund_id = told.refund_id
    await db.flush()
    return True


async def give_up(db: AsyncSession, refund_id: uuid.UUID, *, why: str) -> bool:
    """A refund will not go through: those who grant refunds are told. Answers whether that is news."""
    if not await service.refund_failed(db, refund_id, why=why):
        return False
    refund = await db.get_one(CustomerPayment, refund_id)
    log.error("refund_failed", refund=refund.number, reason=why)
    await notifications.notify(
        db,
        permission="returns:refund",
        title=f"{refund.number}: a refund did not go through",
        message=f"{refund.amount_minor} {refund.currency} (minor units): {why}. "
        "Settle the order's payments again, or give the money back otherwise.",
        severity="error",
        category="payment",
        subject=f"payment:{refund.id}",
    )
    return True
