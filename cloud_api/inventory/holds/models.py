"""What is kept from being sold, and what somebody decided about it."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization

#: what may become of held stock: `release` frees it, everything else keeps it from ever being sold
DISPOSITIONS = ("release", "quarantine", "downgrade", "waste")


#: why stock is kept back: something is wrong with the place or the goods, goods wait for a check, goods are called back
HOLD_KINDS = ("hold", "quarantine", "recall")


class StockHold(OrganizationOwned, Base):
    """Stock that is kept from being sold, for one reason, until somebody decides.

    Of a place: all that lies in it. Of a lot: it, wherever it lies. Of both: the lot in that place.
    """

    __tablename__ = "stock_holds"
    __table_args__ = (
        UniqueConstraint("organization_id", "source"),
        CheckConstraint(f"kind IN {HOLD_KINDS}", name="kind"),
        CheckConstraint("location_id IS NOT NULL OR lot_id IS NOT NULL", name="of_something"),
        same_organization("location_id", "locations"),
        same_organization("lot_id", "lots"),
    )

    location_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    lot_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    kind: Mapped[str] = mapped_column(default="hold")
    reason: Mapped[str]
    #: what asked for it, as `excursion:<id>`; one hold each
    source: Mapped[str]
    #: while it is true, what of it arrives is held as well
    covers_arrivals: Mapped[bool] = mapped_column(default=True)
    held_at: Mapped[datetime]
    released_at: Mapped[datetime | None]


class HeldLevel(OrganizationOwned, Base):
    """A stock level under a hold, and what somebody decided about it."""

    __tablename__ = "stock_held_levels"
    __table_args__ = (
        UniqueConstraint("hold_id", "stock_level_id"),
        same_organization("hold_id", "stock_holds"),
        same_organization("stock_level_id", "stock_levels"),
    )

    hold_id: Mapped[uuid.UUID]
    stock_level_id: Mapped[uuid.UUID] = mapped_column(index=True)
    #: None: it is held; a rejected one always is
    released_at: Mapped[datetime | None]
    #: one of `DISPOSITIONS`; None: nobody has decided
    disposition: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[uuid.UUID | None]
    reason: Mapped[str] = mapped_column(default="")
