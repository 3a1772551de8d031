"""What lots were made of: split, put together, packed anew."""

import uuid
from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.columns import Quantity
from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization

TRANSFORMATIONS = ("split", "merge", "repack")


class LotLineage(OrganizationOwned, Base):
    """A lot that went into another. Append-only; a child is always a new lot, so nothing descends from itself."""

    __tablename__ = "lot_lineage"
    __audited__ = False
    __table_args__ = (
        Index("ix_lot_lineage_parent_lot_id", "parent_lot_id"),
        Index("ix_lot_lineage_child_lot_id", "child_lot_id"),
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("parent_lot_id <> child_lot_id", name="not_itself"),
        CheckConstraint(f"kind IN {TRANSFORMATIONS}", name="kind"),
        same_organization("parent_lot_id", "lots"),
        same_organization("child_lot_id", "lots"),
    )

    parent_lot_id: Mapped[uuid.UUID]
    child_lot_id: Mapped[uuid.UUID]
    kind: Mapped[str]
    #: what went in, in the unit of the parent's product
    quantity: Mapped[Decimal] = mapped_column(Quantity)
    #: of the movements it was booked by
    group_id: Mapped[uuid.UUID]
    made_at: Mapped[datetime]
