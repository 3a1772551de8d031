"""What customers ordered, and where it is to go."""

import uuid
from datetime import date, datetime, time
from decimal import Decimal

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.columns import Quantity
from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization
from cloud_api.orders.book.states import OrderStatus

#: account: on a bill, later; cod: cash at the door; the others through a payment provider, before or at the door
PAYMENT_METHODS = ("account", "cod", "online", "upi", "card")
PAYMENT_STATUSES = ("pending", "paid", "failed", "refunded")
#: lists are narrowed or sorted by them, page by page
_LISTED_BY = ("delivery_date", "status", "warehouse_id", "payment_status", "customer_name", "total_minor")
#: what figures are counted and summed by
_FIGURES = {
    "delivered": ("delivered_at", "warehouse_id", "total_minor"),
    "packed": ("packed_at", "warehouse_id"),
    "created": ("created_at", "status", "warehouse_id", "customer_id", "address_id"),
    "customer": ("customer_id", "created_at", "status", "warehouse_id"),
}
_LINE_FIGURES = ("order_id", "product_id", "quantity", "packed_quantity", "unit_price")
FULFILLMENTS = ("open", "reserved", "backordered", "picked", "packed", "shipped", "cancelled")


class CustomerOrder(OrganizationOwned, Base):
    """An order. The door is copied into it: what was promised does not move with the customer."""

    __tablename__ = "customer_orders"
    __table_args__ = (
        UniqueConstraint("organization_id", "number"),
        CheckConstraint(f"status IN {tuple(str(status) for status in OrderStatus)}", name="status"),
        CheckConstraint("window_from < window_until", name="window"),
        CheckConstraint(f"payment_method IN {PAYMENT_METHODS}", name="payment_method"),
        CheckConstraint(f"payment_status IN {PAYMENT_STATUSES}", name="payment_status"),
        same_organization("customer_id", "customers"),
        same_organization("warehouse_id", "warehouses"),
        *(
            Index(f"ix_customer_orders_organization_id_{column}", "organization_id", column, "id")
            for column in _LISTED_BY
        ),
        # figures are read from these alone
        *(Index(f"ix_customer_orders_figures_{name}", "organization_id", *read) for name, read in _FIGURES.items()),
    )

    number: Mapped[str]
    customer_id: Mapped[uuid.UUID] = mapped_column(index=True)
    warehouse_id: Mapped[uuid.UUID]
    customer_name: Mapped[str]
    #: how whoever opens the door is reached; empty: they are not
    customer_phone: Mapped[str] = mapped_column(default="")
    customer_email: Mapped[str] = mapped_column(default="")
    #: of what they are told, as in BCP 47; empty: the organisation's
    locale: Mapped[str] = mapped_column(default="")
    address: Mapped[str]
    #: the customer's door that it was copied from; no key: that door may be taken away
    address_id: Mapped[uuid.UUID | None]
    #: somebody confirmed where that door is, or the map was certain
    address_is_sure: Mapped[bool] = mapped_column(default=True)
    #: degrees, WGS 84
    latitude: Mapped[float]
    longitude: Mapped[float]
    delivery_date: Mapped[date]
    #: local times of the warehouse's organisation
    window_from: Mapped[time]
    window_until: Mapped[time]
    status: Mapped[str] = mapped_column(default=OrderStatus.PENDING)
    #: minor units of the organisation's currency
    total_minor: Mapped[int] = mapped_column(BigInteger)
    payment_method: Mapped[str] = mapped_column(default="account")
    payment_status: Mapped[str] = mapped_column(default="pending")
    #: weighed when it was packed, with its boxes; None: by its products' own weights
    packed_weight_g: Mapped[int | None]
    note: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    packed_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    cancel_reason: Mapped[str | None]
    #: counts the changes of what was ordered; who changes it may say which one they have seen
    version: Mapped[int] = mapped_column(default=1)


class OrderLine(OrganizationOwned, Base):
    """One product of an order."""

    __tablename__ = "order_items"
    __table_args__ = (
        UniqueConstraint("order_id", "product_id"),
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("packed_quantity >= 0", name="packed_quantity"),
        CheckConstraint(f"fulfillment_status IN {FULFILLMENTS}", name="fulfillment_status"),
        same_organization("order_id", "customer_orders", ondelete="CASCADE"),
        same_organization("product_id", "products"),
        Index("ix_order_items_figures", "organization_id", *_LINE_FIGURES),
    )

    order_id: Mapped[uuid.UUID]
    product_id: Mapped[uuid.UUID]
    #: what was ordered
    quantity: Mapped[Decimal] = mapped_column(Quantity)
    #: what is really in the box, exact; None: not packed yet
    packed_quantity: Mapped[Decimal | None] = mapped_column(Quantity)
    fulfillment_status: Mapped[str] = mapped_column(default="open")
    #: ten-thousandths of the organisation's currency a unit
    unit_price: Mapped[int] = mapped_column(BigInteger)
    #: somebody said the price; otherwise it is the catalogue's, and another quantity may have another
    price_is_agreed: Mapped[bool] = mapped_column(default=True)


class OrderFeedback(OrganizationOwned, Base):
    """What a customer says of a delivery, once."""

    __tablename__ = "order_feedback"
    __table_args__ = (
        UniqueConstraint("organization_id", "order_id"),
        CheckConstraint("rating BETWEEN 1 AND 5", name="rating"),
        same_organization("order_id", "customer_orders", ondelete="CASCADE"),
    )

    order_id: Mapped[uuid.UUID]
    #: 5 is best
    rating: Mapped[int]
    comment: Mapped[str] = mapped_column(default="")
    #: a person or a machine; it may be gone by now
    given_by: Mapped[uuid.UUID]
    given_at: Mapped[datetime]
