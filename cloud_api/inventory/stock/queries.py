"""Reusable reads of levels and movements."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import ColumnElement, Select, case, func, literal, or_, select

from cloud_api.inventory.ledger.models import Lot, StockLevel, StockMovement
from cloud_api.inventory.ledger.queries import products_named, words_of
from cloud_api.kernel.columns import Quantity
from cloud_api.places.models import Location
from cloud_api.places.queries import Visible


@dataclass(frozen=True)
class LevelFilter:
    """Which levels somebody asks for."""

    product_id: uuid.UUID | None = None
    variant_id: uuid.UUID | None = None
    warehouse_id: uuid.UUID | None = None
    location_id: uuid.UUID | None = None
    lot_id: uuid.UUID | None = None
    #: available or on_hold
    status: str | None = None
    #: words, of which each is in the name or the number of the product, the lot or the place
    search: str | None = None
    #: True: only where something lies; False: only what is empty
    in_stock: bool | None = None

    def conditions(self, seen: Visible) -> list[ColumnElement[bool]]:
        """The same, as conditions on `StockLevel`."""
        asked = [
            (self.product_id, StockLevel.product_id == self.product_id),
            (self.location_id, StockLevel.location_id == self.location_id),
            (self.lot_id, StockLevel.lot_id == self.lot_id),
            (self.status, StockLevel.status == self.status),
            (self.warehouse_id, _lies_in(StockLevel.location_id == Location.id, self.warehouse_id)),
            (self.variant_id, StockLevel.lot_id.in_(select(Lot.id).where(Lot.variant_id == self.variant_id))),
            (self.in_stock, StockLevel.on_hand > 0 if self.in_stock else StockLevel.on_hand == 0),
        ]
        conditions = [condition for value, condition in asked if value is not None]
        return [seen.locations(StockLevel.location_id), *conditions, *(_named(word) for word in words_of(self.search))]


@dataclass(frozen=True)
class MovementFilter:
    """Which movements somebody asks for."""

    product_id: uuid.UUID | None = None
    lot_id: uuid.UUID | None = None
    warehouse_id: uuid.UUID | None = None
    location_id: uuid.UUID | None = None
    group_id: uuid.UUID | None = None
    movement_type: str | None = None
    reference: str | None = None
    #: when they happened: from then on, and before then
    since: datetime | None = None
    until: datetime | None = None

    def statement(self, seen: Visible) -> Select[tuple[StockMovement]]:
        """The same, as a statement."""
        asked = [
            (self.product_id, StockMovement.product_id == self.product_id),
            (self.lot_id, StockMovement.lot_id == self.lot_id),
            (self.location_id, StockMovement.location_id == self.location_id),
            (self.group_id, StockMovement.group_id == self.group_id),
            (self.movement_type, StockMovement.movement_type == self.movement_type),
            (self.reference, StockMovement.reference == self.reference),
            (self.warehouse_id, _lies_in(StockMovement.location_id == Location.id, self.warehouse_id)),
        ]
        conditions = [condition for value, condition in asked if value is not None]
        if self.since is not None:
            conditions.append(StockMovement.effective_at >= self.since)
        if self.until is not None:
            conditions.append(StockMovement.effective_at < self.until)
        return select(StockMovement).where(seen.locations(StockMovement.location_id), *conditions)


def _named(word: str) -> ColumnElement[bool]:
    """Whether the product, the lot or the place of a level goes by a word."""
    lots = select(Lot.id).where(Lot.lot_number.icontains(word, autoescape=True))
    called = (column.icontains(word, autoescape=True) for column in (Location.name, Location.code))
    return or_(
        StockLevel.product_id.in_(products_named(word)),
        StockLevel.lot_id.in_(lots),
        StockLevel.location_id.in_(select(Location.id).where(or_(*called))),
    )


def _lies_in(join: ColumnElement[bool], warehouse_id: uuid.UUID | None) -> ColumnElement[bool]:
    return select(Location.id).where(join, Location.warehouse_id == warehouse_id).exists()


def per_product(
    asked: LevelFilter, seen: Visible
) -> Select[tuple[uuid.UUID, Decimal, Decimal, Decimal, Decimal, int, int]]:
    """What there is of each product, as the fields of `LevelSummary`, the newest product first."""
    nothing, free = literal(Decimal(0), Quantity), StockLevel.status == "available"
    return (
        select(
            StockLevel.product_id,
            func.sum(StockLevel.on_hand).label("on_hand"),
            func.sum(StockLevel.reserved).label("reserved"),
            func.sum(case((free, nothing), else_=StockLevel.on_hand), type_=Quantity()).label("on_hold"),
            func.sum(case((free, StockLevel.on_hand - StockLevel.reserved), else_=nothing), type_=Quantity()).label(
                "available"
            ),
            func.sum(StockLevel.weight_g).label("weight_g"),
            func.count().label("levels"),
        )
        .where(*asked.conditions(seen))
        .group_by(StockLevel.product_id)
        .order_by(StockLevel.product_id.desc())
    )


def expected(warehouse_id: uuid.UUID | None, seen: Visible) -> Select[tuple[StockLevel, uuid.UUID | None]]:
    """What is on its way into warehouses, and into which."""
    statement = (
        select(StockLevel, Location.transit_to_id)
        .join(Location, Location.id == StockLevel.location_id)
        .where(Location.transit_to_id.is_not(None), seen.warehouses(Location.transit_to_id), StockLevel.on_hand > 0)
        .order_by(StockLevel.id.desc())
    )
    return statement if warehouse_id is None else statement.where(Location.transit_to_id == warehouse_id)
