"""What customers give back: which lines, which goods of which lots, and what became of them."""

import uuid
from datetime import datetime
from decimal import Decimal

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.columns import Quantity
from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization
from cloud_api.returns.states import RefundStatus, ReturnStatus

#: intact: as it was sold; wrong: not what was ordered, and as it was sold
CONDITIONS = ("intact", "wrong", "damaged", "spoiled")
DISPOSITIONS = ("restock", "scrap")


class CustomerReturn(OrganizationOwned, Base):
    """What a customer wants to give back of one order, and how far it got."""

    __tablename__ = "customer_returns"
    __table_args__ = (
        UniqueConstraint("organization_id", "number"),
        CheckConstraint(f"status IN {tuple(str(status) for status in ReturnStatus)}", name="status"),
        CheckConstraint(f"refund_status IN {tuple(str(status) for status in RefundStatus)}", name="refund_status"),
        CheckConstraint("refund_minor >= 0", name="refund"),
        Index("ix_customer_returns_organization_id_status", "organization_id", "status", "id"),
        Index("ix_customer_returns_organization_id_requested_at", "organization_id", "requested_at", "id"),
        same_organization("order_id", "customer_orders"),
        same_organization("customer_id", "customers"),
    )

    #: `RET-2026-00042`
    number: Mapped[str]
    order_id: Mapped[uuid.UUID] = mapped_column(index=True)
    customer_id: Mapped[uuid.UUID] = mapped_column(index=True)
    status: Mapped[str] = mapped_column(default=ReturnStatus.REQUESTED)
    refund_status: Mapped[str] = mapped_column(default=RefundStatus.NONE)
    #: why the customer gives it back
    reason: Mapped[str]
    note: Mapped[str] = mapped_column(default="")
    #: why it was approved, rejected or cancelled
    decision: Mapped[str] = mapped_column(default="")
    #: minor units of the organisation's currency; None: nobody has granted anything
    refund_minor: Mapped[int | None] = mapped_column(BigInteger)
    #: why it is another sum than what the goods cost
    refund_note: Mapped[str] = mapped_column(default="")
    requested_by: Mapped[uuid.UUID | None]
    requested_at: Mapped[datetime]
    decided_by: Mapped[uuid.UUID | None]
    decided_at: Mapped[datetime | None]
    received_at: Mapped[datetime | None]
    inspected_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]


class ReturnLine(OrganizationOwned, Base):
    """So much of one line of the order."""

    __tablename__ = "customer_return_lines"
    __table_args__ = (
        UniqueConstraint("return_id", "order_line_id"),
        CheckConstraint("quantity > 0", name="quantity"),
        same_organization("return_id", "customer_returns"),
        same_organization("order_line_id", "order_items"),
        same_organization("product_id", "products"),
    )

    return_id: Mapped[uuid.UUID]
    order_line_id: Mapped[uuid.UUID] = mapped_column(index=True)
    product_id: Mapped[uuid.UUID]
    #: what is to come back
    quantity: Mapped[Decimal] = mapped_column(Quantity)


class ReturnedGoods(OrganizationOwned, Base):
    """What really came back of a line, of one lot: how it came, how it was found, where it went."""

    __tablename__ = "customer_return_goods"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("outside_minutes >= 0", name="outside"),
        CheckConstraint(f"condition IN {CONDITIONS}", name="condition"),
        CheckConstraint(f"disposition IN {DISPOSITIONS}", name="disposition"),
        same_organization("return_id", "customer_returns"),
        same_organization("return_line_id", "customer_return_lines"),
        same_organization("lot_id", "lots"),
        same_organization("location_id", "locations"),
        same_organization("to_location_id", "locations"),
    )

    return_id: Mapped[uuid.UUID] = mapped_column(index=True)
    return_line_id: Mapped[uuid.UUID] = mapped_column(index=True)
    lot_id: Mapped[uuid.UUID] = mapped_column(index=True)
    #: where it is kept in quarantine
    location_id: Mapped[uuid.UUID]
    quantity: Mapped[Decimal] = mapped_column(Quantity)
    #: of goods that are counted and weighed
    weight_g: Mapped[int | None] = mapped_column(BigInteger)
    #: measured when it was taken back; None: nobody did
    temperature_c: Mapped[float | None]
    #: how long it was outside of any cold, as whoever brought it says; None: nobody does
    outside_minutes: Mapped[int | None]
    condition: Mapped[str | None]
    finding: Mapped[str] = mapped_column(default="")
    disposition: Mapped[str | None]
    #: restocked there
    to_location_id: Mapped[uuid.UUID | None]
    disposed_by: Mapped[uuid.UUID | None]
    disposed_at: Mapped[datetime | None]


class ReturnPicture(OrganizationOwned, Base):
    """A picture of what comes back: the customer's when it is asked for, the store's at the door and at the table."""

    __tablename__ = "customer_return_pictures"
    __table_args__ = (
        UniqueConstraint("return_id", "media_id"),
        same_organization("return_id", "customer_returns"),
        same_organization("return_line_id", "customer_return_lines"),
        same_organization("media_id", "media"),
    )

    return_id: Mapped[uuid.UUID]
    #: what it shows; None: all of it
    return_line_id: Mapped[uuid.UUID | None]
    media_id: Mapped[uuid.UUID]
    sent_by: Mapped[uuid.UUID]
    sent_at: Mapped[datetime]
