"""Transfers between warehouses: what was sent, what arrived, what was lost, what came back."""

import uuid
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import BigInteger, CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.inventory.transfers.states import TransferStatus
from cloud_api.kernel.columns import Quantity
from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization


class StockTransfer(OrganizationOwned, Base):
    """Goods that go from one warehouse to another. On their way they lie in the place of what goes there."""

    __tablename__ = "stock_transfers"
    __table_args__ = (
        UniqueConstraint("organization_id", "number"),
        CheckConstraint(f"status IN {tuple(status.value for status in TransferStatus)}", name="status"),
        CheckConstraint("from_warehouse_id <> to_warehouse_id", name="warehouses"),
        same_organization("from_warehouse_id", "warehouses"),
        same_organization("to_warehouse_id", "warehouses"),
    )

    number: Mapped[str]
    from_warehouse_id: Mapped[uuid.UUID] = mapped_column(index=True)
    to_warehouse_id: Mapped[uuid.UUID] = mapped_column(index=True)
    status: Mapped[str] = mapped_column(default=TransferStatus.DRAFT)
    #: when it should arrive, by the calendar of where it goes
    expected_on: Mapped[date | None]
    note: Mapped[str] = mapped_column(default="")
    created_by: Mapped[uuid.UUID | None]
    created_at: Mapped[datetime]
    shipped_by: Mapped[uuid.UUID | None]
    shipped_at: Mapped[datetime | None]
    #: when nothing was on its way any more
    closed_by: Mapped[uuid.UUID | None]
    closed_at: Mapped[datetime | None]


class StockTransferLine(OrganizationOwned, Base):
    """So much of a lot, from one place; `quantity = received + lost + returned + outstanding`."""

    __tablename__ = "stock_transfer_lines"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint(
            "received >= 0 AND lost >= 0 AND returned >= 0 AND received + lost + returned <= quantity", name="settled"
        ),
        CheckConstraint("loss_type IN ('adjustment', 'waste')", name="loss_type"),
        same_organization("transfer_id", "stock_transfers"),
        same_organization("product_id", "products"),
        same_organization("lot_id", "lots"),
        same_organization("from_location_id", "locations"),
        same_organization("to_location_id", "locations"),
    )

    transfer_id: Mapped[uuid.UUID] = mapped_column(index=True)
    product_id: Mapped[uuid.UUID]
    lot_id: Mapped[uuid.UUID]
    from_location_id: Mapped[uuid.UUID]
    #: where it is to be put; None: whoever receives it says
    to_location_id: Mapped[uuid.UUID | None]
    quantity: Mapped[Decimal] = mapped_column(Quantity)
    #: of goods that are counted and weighed: what is on its way; said, or found when it was shipped
    weight_g: Mapped[int | None] = mapped_column(BigInteger)
    received: Mapped[Decimal] = mapped_column(Quantity, default=Decimal(0))
    lost: Mapped[Decimal] = mapped_column(Quantity, default=Decimal(0))
    returned: Mapped[Decimal] = mapped_column(Quantity, default=Decimal(0))
    #: as what was lost is booked, and why
    loss_type: Mapped[str | None]
    loss_reason: Mapped[str] = mapped_column(default="")

    @property
    def outstanding(self) -> Decimal:
        """What is on its way, once it was shipped."""
        return self.quantity - self.received - self.lost - self.returned
