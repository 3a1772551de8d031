"""What customers pay and get back, what lessens what they owe, and what drivers hand over."""

import uuid
from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization
from cloud_api.orders.payments.states import PaymentStatus

#: online: whatever the provider's page offers, until it says which; credit: written to the customer's favour
METHODS = ("cash", "upi", "card", "online", "bank_transfer", "cheque", "credit")
_CAPTURED = text("provider_payment_id <> '' AND direction = 'in'")
_REFUNDED = text("provider_refund_id <> ''")
_AT_A_DOOR = text("delivery_id IS NOT NULL")
_WAITING = text("status = 'pending' AND provider <> ''")


class CustomerPayment(OrganizationOwned, Base):
    """Money of an order on its way in or out. Amounts never change: what goes back is a row of its own."""

    __tablename__ = "customer_payments"
    __table_args__ = (
        UniqueConstraint("organization_id", "number"),
        Index(
            "uq_customer_payments_provider_payment_id",
            "provider_payment_id",
            unique=True,
            sqlite_where=_CAPTURED,
            postgresql_where=_CAPTURED,
        ),
        Index(
            "uq_customer_payments_provider_refund_id",
            "provider_refund_id",
            unique=True,
            sqlite_where=_REFUNDED,
            postgresql_where=_REFUNDED,
        ),
        Index(
            "uq_customer_payments_delivery_id_reference",
            "delivery_id",
            "reference",
            unique=True,
            sqlite_where=_AT_A_DOOR,
            postgresql_where=_AT_A_DOOR,
        ),
        Index("ix_customer_payments_waiting", "created_at", sqlite_where=_WAITING, postgresql_where=_WAITING),
        CheckConstraint(f"status IN {tuple(str(status) for status in PaymentStatus)}", name="status"),
        CheckConstraint("direction IN ('in', 'out')", name="direction"),
        CheckConstraint(f"method IN {METHODS}", name="method"),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("(direction = 'out') = (refund_of_id IS NOT NULL)", name="refund_of"),
        same_organization("order_id", "customer_orders"),
        same_organization("refund_of_id", "customer_payments"),
        same_organization("handover_id", "cash_handovers"),
    )

    #: `PAY-`, the day, and the end of its id: no counter that every door would wait for (ADR 30)
    number: Mapped[str]
    order_id: Mapped[uuid.UUID] = mapped_column(index=True)
    #: of which attempt at the door; the room of deliveries stands above this one
    delivery_id: Mapped[uuid.UUID | None]
    #: in: from the customer; out: back to them
    direction: Mapped[str]
    method: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    #: ISO 4217
    currency: Mapped[str]
    status: Mapped[str] = mapped_column(default=PaymentStatus.PENDING)
    #: razorpay; empty: nobody stands between
    provider: Mapped[str] = mapped_column(default="")
    provider_order_id: Mapped[str] = mapped_column(default="", index=True)
    #: what was captured; of what goes back: what it is taken from
    provider_payment_id: Mapped[str] = mapped_column(default="")
    provider_refund_id: Mapped[str] = mapped_column(default="")
    #: of what goes back: of which payment
    refund_of_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    #: what its payer or its taker knows it by: a bank's number, a phone's command
    reference: Mapped[str] = mapped_column(default="")
    #: of what goes back
    why: Mapped[str] = mapped_column(default="")
    #: why the last attempt did not succeed, in the provider's words
    failure: Mapped[str] = mapped_column(default="")
    #: who held it in their hands, and when; the day where the order's warehouse is
    taken_by: Mapped[uuid.UUID | None] = mapped_column(index=True)
    taken_at: Mapped[datetime | None]
    taken_on: Mapped[date | None]
    #: of cash: with what it was handed over; None: whoever took it has it still
    handover_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    created_by: Mapped[uuid.UUID | None]
    created_at: Mapped[datetime]
    #: when the provider was last asked what became of it
    asked_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]


class OrderCredit(OrganizationOwned, Base):
    """What an order owes less than its total: goods came back, or something was wrong with them."""

    __tablename__ = "order_credits"
    __table_args__ = (
        UniqueConstraint("organization_id", "source"),
        Index("ix_order_credits_created_at", "organization_id", "created_at"),
        CheckConstraint("amount_minor > 0", name="amount"),
        same_organization("order_id", "customer_orders"),
    )

    order_id: Mapped[uuid.UUID] = mapped_column(index=True)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    why: Mapped[str]
    #: what it is for, as `return:<id>`; one credit each
    source: Mapped[str]
    created_at: Mapped[datetime]


class CashHandover(OrganizationOwned, Base):
    """A driver's cash, counted by whoever took it over."""

    __tablename__ = "cash_handovers"
    __table_args__ = (
        UniqueConstraint("organization_id", "number"),
        CheckConstraint("expected_minor >= 0 AND counted_minor >= 0", name="sums"),
        CheckConstraint("expected_minor = counted_minor OR reason <> ''", name="reason"),
    )

    #: `CSH-2026-00042`
    number: Mapped[str]
    driver_id: Mapped[uuid.UUID] = mapped_column(index=True)
    #: what of it was taken through this day; None: all of it
    through: Mapped[date | None]
    payment_count: Mapped[int]
    #: what the driver took, as it was recorded, and what was counted
    expected_minor: Mapped[int] = mapped_column(BigInteger)
    counted_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    #: of a difference
    reason: Mapped[str] = mapped_column(default="")
    received_by: Mapped[uuid.UUID]
    received_at: Mapped[datetime]

    @property
    def difference_minor(self) -> int:
        """What was counted more than expected; negative: what is missing."""
        return self.counted_minor - self.expected_minor


class ProviderEvent(OrganizationOwned, Base):
    """What the provider told us, once however often it did."""

    __tablename__ = "payment_provider_events"
    __audited__ = False
    __table_args__ = (
        UniqueConstraint("organization_id", "event_id"),
        same_organization("payment_id", "customer_payments"),
    )

    #: the provider's name for it
    event_id: Mapped[str]
    type: Mapped[str]
    payment_id: Mapped[uuid.UUID]
    #: what it changed: applied, known or refused
    outcome: Mapped[str]
    received_at: Mapped[datetime]
