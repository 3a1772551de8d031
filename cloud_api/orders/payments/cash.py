"""The cash that drivers took, until they hand it over."""

import uuid
from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel import clock
from cloud_api.kernel.errors import Forbidden
from cloud_api.kernel.numbers import next_number
from cloud_api.orders.book.queries import VisibleOrders
from cloud_api.orders.payments import queries
from cloud_api.orders.payments.errors import CashDiffers, NothingDue
from cloud_api.orders.payments.models import CashHandover, CustomerPayment
from cloud_api.orders.payments.schemas import CashRead, HandoverCreate
from cloud_api.orders.payments.service import currency_of


async def held(db: AsyncSession, *, seen: VisibleOrders) -> list[CashRead]:
    """Who holds how much cash of which day, the oldest first."""
    currency = await currency_of(db)
    return [
        CashRead(driver_id=who, day=day, payment_count=count, amount_minor=int(amount), currency=currency)
        for who, day, count, amount in (await db.execute(queries.cash_by_driver(seen))).tuples()
        if who is not None and day is not None
    ]


async def hand_over(
    db: AsyncSession, *, new: HandoverCreate, received_by: uuid.UUID, seen: VisibleOrders
) -> CashHandover:
    """Take over a driver's cash, as it was counted.

    Raises:
        Forbidden: when somebody takes over their own.
        NothingDue: when the driver holds nothing.
        CashDiffers: when the driver holds another sum than whoever counted was shown, or the count differs and nobody
            says why.
    """
    if new.driver_id == received_by:
        raise Forbidden("nobody takes over their own cash: somebody else counts it")
    payments = await _held_by(db, new.driver_id, through=new.through, seen=seen)
    if not payments:
        raise NothingDue(
            "this driver holds no cash",
        )
    expected_minor = sum(payment.amount_minor for payment in payments)
    if expected_minor != new.expected_minor:
        raise CashDiffers(
            f"the driver holds {expected_minor} by now: read the list again, and count again", field="expected_minor"
        )
    if new.counted_minor != expected_minor and not new.reason:
        raise CashDiffers(f"{new.counted_minor - expected_minor:+d} against what was taken: say why", field="reason")
    handover = CashHandover(
        number=await next_number(db, "CSH"),
        driver_id=new.driver_id,
        through=new.through,
        payment_count=len(payments),
        expected_minor=expected_minor,
        counted_minor=new.counted_minor,
        currency=payments[0].currency,
        reason=new.reason,
        received_by=received_by,
        received_at=clock.now(),
    )
    db.add(handover)
    await db.flush()
    for payment in payments:
        payment.handover_id = handover.id
    await db.flush()
    return handover


async def _held_by(
    db: AsyncSession, driver_id: uuid.UUID, *, through: date | None, seen: VisibleOrders
) -> list[CustomerPayment]:
    """The payments whose cash a driver holds, locked in key order."""
    statement = queries.cash_held(seen).where(CustomerPayment.taken_by == driver_id)
    if through is not None:
        statement = statement.where(CustomerPayment.taken_on <= through)
    locked = statement.order_by(CustomerPayment.id).with_for_update().execution_options(populate_existing=True)
    return list(await db.scalars(locked))
