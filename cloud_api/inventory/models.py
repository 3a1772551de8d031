"""Lots, where they lie, how they came there, and what is kept from being sold.

`StockMovement` is the ledger, append-only; `StockLevel` is its projection, which a check can rebuild.
"""

import uuid
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import BigInteger, CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.columns import Quantity
from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization

#: what may become of held stock: `release` frees it, everything else keeps it from ever being sold
DISPOSITIONS = ("release", "quarantine", "downgrade", "waste")
MOVEMENT_TYPES = ("inbound", "outbound", "adjustment", "transfer", "waste", "production", "return", "opening")


class Lot(OrganizationOwned, Base):
    """What was received or made together: one product, one expiry."""

    __tablename__ = "lots"
    __table_args__ = (
        UniqueConstraint("organization_id", "product_id", "lot_number"),
        same_organization("product_id", "products"),
    )

    product_id: Mapped[uuid.UUID]
    lot_number: Mapped[str]
    expires_on: Mapped[date | None]
    received_at: Mapped[datetime]


class StockLevel(OrganizationOwned, Base):
    """How much of a lot lies in one place now, and whether it may be sold from there."""

    __tablename__ = "stock_levels"
    __audited__ = False
    __table_args__ = (
        UniqueConstraint("organization_id", "lot_id", "location_id"),
        CheckConstraint("on_hand >= reserved AND reserved >= 0", name="on_hand_covers_reserved"),
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
    #: on_hold as long as any hold covers it
    status: Mapped[str] = mapped_column(default="available")


class StockMovement(OrganizationOwned, Base):
    """One entry of the ledger. Never changed: a mistake is corrected by a counter-entry."""

    __tablename__ = "stock_movements"
    __audited__ = False
    __table_args__ = (
        UniqueConstraint("organization_id", "number"),
        CheckConstraint(f"movement_type IN {MOVEMENT_TYPES}", name="movement_type"),
        CheckConstraint("quantity <> 0", name="quantity"),
        same_organization("product_id", "products"),
        same_organization("lot_id", "lots"),
        same_organization("location_id", "locations"),
    )

    number: Mapped[str]
    movement_type: Mapped[str]
    product_id: Mapped[uuid.UUID] = mapped_column(index=True)
    lot_id: Mapped[uuid.UUID] = mapped_column(index=True)
    location_id: Mapped[uuid.UUID]
    #: signed: what it added to the place
    quantity: Mapped[Decimal] = mapped_column(Quantity)
    #: ten-thousandths of the organisation's currency a unit; None where goods do not change hands
    unit_cost: Mapped[int | None] = mapped_column(BigInteger)
    reference: Mapped[str] = mapped_column(default="")
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[uuid.UUID | None]


class StockHold(OrganizationOwned, Base):
    """A place whose stock is kept from being sold, for one reason, until somebody decides."""

    __tablename__ = "stock_holds"
    __table_args__ = (
        UniqueConstraint("organization_id", "source"),
        same_organization("location_id", "locations"),
    )

    location_id: Mapped[uuid.UUID] = mapped_column(index=True)
    reason: Mapped[str]
    #: what asked for it, as `excursion:<id>`; one hold each
    source: Mapped[str]
    #: while it is true, what arrives in the place is held as well
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


class StockReservation(OrganizationOwned, Base):
    """A quantity of one level that is promised to somebody; the level's `reserved` is the sum of the active ones."""

    __tablename__ = "stock_reservations"
    __audited__ = False
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("status IN ('active', 'consumed', 'released')", name="status"),
        same_organization("stock_level_id", "stock_levels"),
    )

    stock_level_id: Mapped[uuid.UUID] = mapped_column(index=True)
    quantity: Mapped[Decimal] = mapped_column(Quantity)
    #: for whom, as `order_line:<id>`
    source: Mapped[str] = mapped_column(index=True)
    status: Mapped[str] = mapped_column(default="active")
    reserved_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    #: the day by which it must not have expired; None: nobody said
    needed_on: Mapped[date | None]
    #: since when it stands packed: then no other stock can take its place unseen
    picked_at: Mapped[datetime | None]
    #: since when it is on hold and nothing else could be promised instead
    at_risk_since: Mapped[datetime | None] = mapped_column(index=True)


class TagSighting(OrganizationOwned, Base):
    """A tag that a reader saw in a place; append-only. Not yet that something moved."""

    __tablename__ = "rfid_reads"
    __audited__ = False
    __table_args__ = (
        UniqueConstraint("gateway_id", "sequence"),
        same_organization("gateway_id", "gateways"),
        same_organization("reader_id", "sensors"),
        same_organization("location_id", "locations"),
    )

    gateway_id: Mapped[uuid.UUID]
    #: of the gateway's lane, as readings are stored
    sequence: Mapped[int] = mapped_column(BigInteger)
    reader_id: Mapped[uuid.UUID]
    #: where the reader was then; None when it had no place
    location_id: Mapped[uuid.UUID | None]
    epc: Mapped[str] = mapped_column(index=True)
    antenna: Mapped[int | None]
    rssi_dbm: Mapped[float | None]
    direction: Mapped[str]
    seen_at: Mapped[datetime]


class Weight(OrganizationOwned, Base):
    """What a scale showed when it stood still; append-only."""

    __tablename__ = "weights"
    __audited__ = False
    __table_args__ = (
        UniqueConstraint("gateway_id", "sequence"),
        same_organization("gateway_id", "gateways"),
        same_organization("scale_id", "sensors"),
        same_organization("location_id", "locations"),
    )

    gateway_id: Mapped[uuid.UUID]
    sequence: Mapped[int] = mapped_column(BigInteger)
    scale_id: Mapped[uuid.UUID]
    location_id: Mapped[uuid.UUID | None]
    weight_g: Mapped[int] = mapped_column(BigInteger)
    #: gross, net or unknown
    basis: Mapped[str]
    weighed_at: Mapped[datetime]
