"""Reusable reads of payments."""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.orders.book.models import CustomerOrder
from cloud_api.orders.book.queries import VisibleOrders
from cloud_api.orders.payments.models import CashHandover, CustomerPayment, OrderCredit
from cloud_api.orders.payments.states import PaymentStatus

#: money that came in, whatever became of it afterwards
CAME_IN = (PaymentStatus.COMPLETED, PaymentStatus.REFUNDED)
#: money that went back, or is on its way
GOES_BACK = (PaymentStatus.PENDING, PaymentStatus.COMPLETED)
RAZORPAY = "razorpay"


@dataclass(frozen=True, slots=True)
class Sums:
    """What was booked of an order, in minor units."""

    received: int = 0
    #: gone back, or credited
    refunded: int = 0
    #: on its way back
    refunding: int = 0
    #: what the order owes less than its total
    credited: int = 0

    @property
    def kept(self) -> int:
        """What is ours when everything on its way back is there."""
        return self.received - self.refunded - self.refunding


async def sums_of(db: AsyncSession, order_id: uuid.UUID) -> Sums:
    """What was booked of one order."""
    return (await sums_of_all(db, [order_id]))[order_id]


async def sums_of_all(db: AsyncSession, order_ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, Sums]:
    """What was booked of each of these orders."""
    paid = CustomerPayment
    booked = (
        select(paid.order_id, paid.direction, paid.status, func.sum(paid.amount_minor))
        .where(paid.order_id.in_(order_ids))
        .group_by(paid.order_id, paid.direction, paid.status)
    )
    by = {
        (order_id, direction, status): int(amount)
        for order_id, direction, status, amount in (await db.execute(booked)).tuples()
    }
    granted = (
        select(OrderCredit.order_id, func.sum(OrderCredit.amount_minor))
        .where(OrderCredit.order_id.in_(order_ids))
        .group_by(OrderCredit.order_id)
    )
    credited = {order_id: int(amount) for order_id, amount in (await db.execute(granted)).tuples()}
    return {
        order_id: Sums(
            received=sum(by.get((order_id, "in", status), 0) for status in CAME_IN),
            refunded=by.get((order_id, "out", PaymentStatus.COMPLETED), 0),
            refunding=by.get((order_id, "out", PaymentStatus.PENDING), 0),
            credited=credited.get(order_id, 0),
        )
        for order_id in order_ids
    }


def payments_of(order_id: uuid.UUID) -> Select[tuple[CustomerPayment]]:
    """All payments of an order, in and out, the oldest first."""
    return select(CustomerPayment).where(CustomerPayment.order_id == order_id).order_by(CustomerPayment.id)


def cash_held(seen: VisibleOrders) -> Select[tuple[CustomerPayment]]:
    """Cash of visible orders that whoever took it has not handed over."""
    visible = select(CustomerOrder.id).where(seen.orders())
    return select(CustomerPayment).where(
        CustomerPayment.direction == "in",
        CustomerPayment.method == "cash",
        CustomerPayment.status.in_(CAME_IN),
        CustomerPayment.taken_by.is_not(None),
        CustomerPayment.handover_id.is_(None),
        CustomerPayment.order_id.in_(visible),
    )


def cash_by_driver(seen: VisibleOrders) -> Select[tuple[uuid.UUID | None, date | None, int, int]]:
    """(who, day, how many payments, how much) of cash that was not handed over."""
    held = cash_held(seen).subquery()
    return (
        select(held.c.taken_by, held.c.taken_on, func.count(), func.sum(held.c.amount_minor))
        .group_by(held.c.taken_by, held.c.taken_on)
        .order_by(held.c.taken_on, held.c.taken_by)
    )


def handovers(driver_id: uuid.UUID | None) -> Select[tuple[CashHandover]]:
    """What was handed over, by one driver or by all."""
    statement = select(CashHandover)
    return statement if driver_id is None else statement.where(CashHandover.driver_id == driver_id)
