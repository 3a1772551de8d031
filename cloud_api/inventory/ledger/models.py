"""Lots, where they lie, how they came there, and what of them is promised.

`StockMovement` is the ledger, append-only; `StockLevel` is its projection, and what is promised of it the sum of the
active reservations: a check can rebuild both.
"""

import uuid
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.columns import Quantity
from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization

GRADES = ("excellent", "very-good", "good", "fair", "poor")
#: who or what wrote an entry
SOURCES = ("manual", "scan", "rfid", "scale", "import", "system")
RESERVATION_STATUSES = ("active", "consumed", "released", "expired")
_SETTLED = text("settled_at IS NOT NULL")
_LAPSES = text("status = 'active' AND expires_at IS NOT NULL")
MOVEMENT_TYPES = ("inbound", "outbound", "adjustment", "transfer", "waste", "production", "return", "opening")


class Lot(OrganizationOwned, Base):
    """What was received or made together: one product, one variant of it, one expiry."""

    __tablename__ = "lots"
    __table_args__ = (
        UniqueConstraint("organization_id", "product_id", "lot_number"),
        Index("ix_lots_organization_id_expires_on", "organization_id", "expires_on"),
        CheckConstraint(f"grade IN {GRADES}", name="grade"),
        CheckConstraint("manufactured_on <= expires_on", name="dates"),
        same_organization("product_id", "products"),
        same_organization("variant_id", "product_variants"),
    )

    product_id: Mapped[uuid.UUID]
    variant_id: Mapped[uuid.UUID | None]
    lot_number: Mapped[str]
    manufactured_on: Mapped[date | None]
    #: the last day on which it may be sold, by the calendar of the warehouse it lies in
    expires_on: Mapped[date | None]
    grade: Mapped[str | None]
    #: from whom it came, as `supplier:<id>`, or in words
    supplier: Mapped[str] = mapped_column(default="")
    #: ten-thousandths of the organisation's currency a unit, when it was received or made; None: not known
    unit_cost: Mapped[int | None] = mapped_column(BigInteger)
    received_at: Mapped[datetime]
    #: why its grade or expiry was last corrected
    correction: Mapped[str] = mapped_column(default="")


class StockLevel(OrganizationOwned, Base):
    """How much of a lot lies in one place now, and whether it may be sold from there."""

    __tablename__ = "stock_levels"
    __audited__ = False
    __table_args__ = (
        UniqueConstraint("organization_id", "lot_id", "location_id"),
        CheckConstraint("on_hand >= reserved AND reserved >= 0", name="on_hand_covers_reserved"),
        CheckConstraint("weight_g >= 0", name="weight"),
        CheckConstraint("min_level <= max_level", name="limits"),
        CheckConstraint("status IN ('available', 'on_hold')", name="status"),
        same_organization("product_id", "products"),
        same_organization("lot_id", "lots"),
        same_organization("location_id", "locations"),
    )

    product_id: Mapped[uuid.UUID] = mapped_column(index=True)
    lot_id: Mapped[uuid.UUID]
    location_id: Mapped[uuid.UUID] = mapped_column(index=True)
    on_hand: Mapped[Decimal] = mapped_column(Quantity, default=Decimal(0))
    reserved: Mapped[Decimal] = mapped_column(Quantity, default=Decimal(0))
    #: of goods that are counted and weighed (catch weight); 0 for all others
    weight_g: Mapped[int] = mapped_column(BigInteger, default=0)
    #: the last day on which it may be sold from here, after what temperatures did to it; None: as its lot says
    keeps_until: Mapped[date | None]
    last_counted_at: Mapped[datetime | None]
    #: how much of it ought to lie here, at least and at most; None: nobody said
    min_level: Mapped[Decimal | None] = mapped_column(Quantity)
    max_level: Mapped[Decimal | None] = mapped_column(Quantity)
    #: on_hold as long as any hold covers it
    status: Mapped[str] = mapped_column(default="available")


class StockMovement(OrganizationOwned, Base):
    """One entry of the ledger. Never changed: a mistake is corrected by a counter-entry.

    Its variant is its lot's. It has no number that anybody counted: a counter would make every writer of the
    organisation wait for every other (ADR 30).
    """

    __tablename__ = "stock_movements"
    __audited__ = False
    __table_args__ = (
        # each with the key that lists are read by
        Index("ix_stock_movements_product_id_id", "product_id", "id"),
        Index("ix_stock_movements_lot_id_id", "lot_id", "id"),
        Index("ix_stock_movements_location_id_id", "location_id", "id"),
        Index("ix_stock_movements_group_id", "group_id"),
        Index("ix_stock_movements_organization_id_effective_at", "organization_id", "effective_at"),
        Index("ix_stock_movements_kind", "organization_id", "movement_type", "effective_at"),
        Index("ix_stock_movements_reference", "organization_id", "reference"),
        UniqueConstraint("organization_id", "reverses_id"),
        CheckConstraint(f"movement_type IN {MOVEMENT_TYPES}", name="movement_type"),
        CheckConstraint(f"source IN {SOURCES}", name="source"),
        CheckConstraint("quantity <> 0", name="quantity"),
        CheckConstraint("effective_at <= recorded_at", name="effective_at"),
        same_organization("product_id", "products"),
        same_organization("lot_id", "lots"),
        same_organization("location_id", "locations"),
        same_organization("reverses_id", "stock_movements"),
    )

    movement_type: Mapped[str]
    product_id: Mapped[uuid.UUID]
    lot_id: Mapped[uuid.UUID]
    location_id: Mapped[uuid.UUID]
    #: signed: what it added to the place
    quantity: Mapped[Decimal] = mapped_column(Quantity)
    #: signed likewise; of goods that are counted and weighed (catch weight); None for all others
    weight_g: Mapped[int | None] = mapped_column(BigInteger)
    #: ten-thousandths of the organisation's currency a unit; None where goods do not change hands
    unit_cost: Mapped[int | None] = mapped_column(BigInteger)
    #: what it was booked for, as `order:<number>`, or in words
    reference: Mapped[str] = mapped_column(default="")
    source: Mapped[str] = mapped_column(default="manual")
    #: what was booked together: both ends of a transfer, all of a batch
    group_id: Mapped[uuid.UUID | None]
    #: the entry that this one undoes; each can be undone once
    reverses_id: Mapped[uuid.UUID | None]
    #: when it happened; before `recorded_at` for an entry that was written later
    effective_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[uuid.UUID | None]

    @property
    def number(self) -> str:
        """What people call it: `MOV-`, the day it was recorded, and the end of its id."""
        return f"MOV-{self.recorded_at:%Y%m%d}-{self.id.hex[-12:].upper()}"


class StockReservation(OrganizationOwned, Base):
    """A quantity of one level that is promised to somebody; the level's `reserved` is the sum of the active ones."""

    __tablename__ = "stock_reservations"
    __audited__ = False
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint(f"status IN {RESERVATION_STATUSES}", name="status"),
        Index("ix_stock_reservations_settled_at", "settled_at", sqlite_where=_SETTLED, postgresql_where=_SETTLED),
        Index("ix_stock_reservations_expires_at", "expires_at", sqlite_where=_LAPSES, postgresql_where=_LAPSES),
        same_organization("stock_level_id", "stock_levels"),
    )

    stock_level_id: Mapped[uuid.UUID] = mapped_column(index=True)
    quantity: Mapped[Decimal] = mapped_column(Quantity)
    #: for whom, as `order_line:<id>`
    source: Mapped[str] = mapped_column(index=True)
    status: Mapped[str] = mapped_column(default="active")
    reserved_at: Mapped[datetime]
    #: when it lapses by itself; None: only when it is consumed or released
    expires_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    #: the day by which it must not have expired; None: nobody said
    needed_on: Mapped[date | None]
    #: since when it stands packed: then no other stock can take its place unseen
    picked_at: Mapped[datetime | None]
    #: since when it is on hold and nothing else could be promised instead
    at_risk_since: Mapped[datetime | None] = mapped_column(index=True)
