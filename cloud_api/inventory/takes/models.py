"""Stock takes: what ought to lie there, what was counted, and what became of the difference."""

import uuid
from datetime import datetime
from decimal import Decimal

from sqlalchemy import JSON, BigInteger, CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.inventory.takes.states import TakeStatus
from cloud_api.kernel.columns import Quantity
from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization

METHODS = ("manual", "scan", "rfid", "scale")


class StockTake(OrganizationOwned, Base):
    """A count of a warehouse, of some of its places, or of some products in them."""

    __tablename__ = "stock_takes"
    __table_args__ = (
        UniqueConstraint("organization_id", "number"),
        CheckConstraint(f"status IN {tuple(status.value for status in TakeStatus)}", name="status"),
        same_organization("warehouse_id", "warehouses"),
    )

    number: Mapped[str]
    #: None: of vehicles
    warehouse_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    #: ids of the places that are counted, with everything inside them; empty: all of the warehouse
    location_ids: Mapped[list[str]] = mapped_column(JSON)
    #: ids of the products that are counted; empty: all
    product_ids: Mapped[list[str]] = mapped_column(JSON)
    #: whoever counts is not told what ought to be there
    blind: Mapped[bool]
    note: Mapped[str] = mapped_column(default="")
    status: Mapped[str] = mapped_column(default=TakeStatus.DRAFT)
    created_by: Mapped[uuid.UUID | None]
    created_at: Mapped[datetime]
    started_by: Mapped[uuid.UUID | None]
    started_at: Mapped[datetime | None]
    submitted_by: Mapped[uuid.UUID | None]
    submitted_at: Mapped[datetime | None]
    approved_by: Mapped[uuid.UUID | None]
    approved_at: Mapped[datetime | None]
    completed_by: Mapped[uuid.UUID | None]
    completed_at: Mapped[datetime | None]


class StockTakeLine(OrganizationOwned, Base):
    """A lot in a place: what ought to lie there, and what its last count says; the sum of its counts.

    The difference is `counted - booked`, corrected by what was written later of the time before the count
    (`written_later` then and now). So it is no loss what was sold while others counted.
    """

    __tablename__ = "stock_take_lines"
    __audited__ = False
    __table_args__ = (
        UniqueConstraint("take_id", "lot_id", "location_id"),
        # a lot in a place is counted for one take at a time: two would book the same difference twice
        Index(
            "uq_stock_take_lines_open",
            "organization_id",
            "lot_id",
            "location_id",
            unique=True,
            sqlite_where=text("is_open"),
            postgresql_where=text("is_open"),
        ),
        CheckConstraint("counted >= 0 AND counted_weight_g >= 0", name="counted"),
        CheckConstraint(f"method IN {METHODS}", name="method"),
        same_organization("take_id", "stock_takes"),
        same_organization("product_id", "products"),
        same_organization("lot_id", "lots"),
        same_organization("location_id", "locations"),
    )

    take_id: Mapped[uuid.UUID]
    product_id: Mapped[uuid.UUID]
    lot_id: Mapped[uuid.UUID]
    location_id: Mapped[uuid.UUID]
    is_open: Mapped[bool] = mapped_column(default=True)
    #: what lay there by the books when the take began; 0 of what was found
    expected: Mapped[Decimal] = mapped_column(Quantity)
    expected_weight_g: Mapped[int] = mapped_column(BigInteger, default=0)
    #: None: not counted yet
    counted: Mapped[Decimal | None] = mapped_column(Quantity)
    counted_weight_g: Mapped[int | None] = mapped_column(BigInteger)
    #: what lay there by the books when it was counted; less what was expected: what moved meanwhile
    booked: Mapped[Decimal | None] = mapped_column(Quantity)
    booked_weight_g: Mapped[int | None] = mapped_column(BigInteger)
    #: of that, what entries say that were written later than what they tell
    written_later: Mapped[Decimal | None] = mapped_column(Quantity)
    written_later_weight_g: Mapped[int | None] = mapped_column(BigInteger)
    counted_at: Mapped[datetime | None]
    counted_by: Mapped[uuid.UUID | None]
    method: Mapped[str | None]
    #: as it was when the take was last submitted or approved, and at last booked
    difference: Mapped[Decimal | None] = mapped_column(Quantity)
    difference_weight_g: Mapped[int | None] = mapped_column(BigInteger)


class StockTakeCount(OrganizationOwned, Base):
    """Somebody, or something, counted; append-only."""

    __tablename__ = "stock_take_counts"
    __audited__ = False
    __table_args__ = (
        CheckConstraint("quantity >= 0 AND weight_g >= 0", name="quantity"),
        CheckConstraint(f"method IN {METHODS}", name="method"),
        same_organization("take_id", "stock_takes"),
        same_organization("line_id", "stock_take_lines"),
    )

    take_id: Mapped[uuid.UUID] = mapped_column(index=True)
    line_id: Mapped[uuid.UUID]
    quantity: Mapped[Decimal] = mapped_column(Quantity)
    weight_g: Mapped[int | None] = mapped_column(BigInteger)
    method: Mapped[str]
    #: it goes on top of what was counted before, instead of taking its place
    additive: Mapped[bool]
    counted_by: Mapped[uuid.UUID | None]
    counted_at: Mapped[datetime]
