"""When to buy again, and what has been said about it."""

import uuid
from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.columns import Quantity
from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization
from cloud_api.kernel.versions import Versioned


class ReorderRule(Versioned, OrganizationOwned, Base):
    """When a product is to be bought again in one warehouse, and how much; instead of what the product says."""

    __tablename__ = "reorder_rules"
    __table_args__ = (
        UniqueConstraint("organization_id", "product_id", "warehouse_id"),
        CheckConstraint(
            "reorder_point >= 0 AND reorder_quantity > 0 AND up_to_level > reorder_point", name="quantities"
        ),
        CheckConstraint("reorder_quantity IS NULL OR up_to_level IS NULL", name="one_way"),
        CheckConstraint("lead_time_days >= 0", name="lead_time_days"),
        same_organization("product_id", "products"),
        same_organization("warehouse_id", "warehouses"),
    )

    product_id: Mapped[uuid.UUID]
    warehouse_id: Mapped[uuid.UUID] = mapped_column(index=True)
    #: at so much, or less, it is low
    reorder_point: Mapped[Decimal] = mapped_column(Quantity)
    #: how much is bought at a time, or up to what level; None: what the product says
    reorder_quantity: Mapped[Decimal | None] = mapped_column(Quantity)
    up_to_level: Mapped[Decimal | None] = mapped_column(Quantity)
    #: how long it takes to come
    lead_time_days: Mapped[int | None]
    created_at: Mapped[datetime]


class StockWatch(OrganizationOwned, Base):
    """Whether a product has been said to be low in a warehouse: it is said once, until it recovers."""

    __tablename__ = "stock_watches"
    __audited__ = False
    __table_args__ = (
        UniqueConstraint("organization_id", "product_id", "warehouse_id"),
        same_organization("product_id", "products"),
        same_organization("warehouse_id", "warehouses"),
    )

    product_id: Mapped[uuid.UUID]
    warehouse_id: Mapped[uuid.UUID]
    is_low: Mapped[bool]
    #: when that was said
    since: Mapped[datetime]


class ExpiryNotice(OrganizationOwned, Base):
    """That a lot is expiring in a warehouse has been said: once."""

    __tablename__ = "expiry_notices"
    __audited__ = False
    __table_args__ = (
        UniqueConstraint("organization_id", "lot_id", "warehouse_id"),
        same_organization("lot_id", "lots"),
        same_organization("warehouse_id", "warehouses"),
    )

    lot_id: Mapped[uuid.UUID]
    warehouse_id: Mapped[uuid.UUID]
    told_at: Mapped[datetime]
    #: since when nothing of it is left there to be sold; None: there is
    over_at: Mapped[datetime | None]
