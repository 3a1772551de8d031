"""What customers ordered, and where it is to go."""

import uuid
from datetime import date, datetime, time
from decimal import Decimal

from sqlalchemy import BigInteger, CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.columns import Quantity
from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization
from cloud_api.orders.states import OrderStatus


class CustomerOrder(OrganizationOwned, Base):
    """An order. The door is copied into it: what was promised does not move with the customer."""

    __tablename__ = "customer_orders"
    __table_args__ = (
        UniqueConstraint("organization_id", "number"),
        CheckConstraint(f"status IN {tuple(str(status) for status in OrderStatus)}", name="status"),
        CheckConstraint("window_from < window_until", name="window"),
        same_organization("customer_id", "customers"),
        same_organization("warehouse_id", "warehouses"),
    )

    number: Mapped[str]
    customer_id: Mapped[uuid.UUID] = mapped_column(index=True)
    warehouse_id: Mapped[uuid.UUID]
    customer_name: Mapped[str]
    address: Mapped[str]
    #: degrees, WGS 84
    latitude: Mapped[float]
    longitude: Mapped[float]
    delivery_date: Mapped[date] = mapped_column(index=True)
    #: local times of the warehouse's organisation
    window_from: Mapped[time]
    window_until: Mapped[time]
    status: Mapped[str] = mapped_column(default=OrderStatus.PENDING)
    #: minor units of the organisation's currency
    total_minor: Mapped[int] = mapped_column(BigInteger)
    note: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    packed_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    cancel_reason: Mapped[str | None]


class OrderLine(OrganizationOwned, Base):
    """One product of an order."""

    __tablename__ = "order_items"
    __table_args__ = (
        UniqueConstraint("order_id", "product_id"),
        CheckConstraint("quantity > 0", name="quantity"),
        same_organization("order_id", "customer_orders", ondelete="CASCADE"),
        same_organization("product_id", "products"),
    )

    order_id: Mapped[uuid.UUID]
    product_id: Mapped[uuid.UUID]
    quantity: Mapped[Decimal] = mapped_column(Quantity)
    #: ten-thousandths of the organisation's currency a unit
    unit_price: Mapped[int] = mapped_column(BigInteger)
