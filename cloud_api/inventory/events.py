"""What inventory tells the rooms above it."""

import uuid
from dataclasses import dataclass


@dataclass(frozen=True)
class GoodsReceived:
    """Goods came in."""

    lot_id: uuid.UUID
    location_id: uuid.UUID
    movement_id: uuid.UUID


@dataclass(frozen=True)
class StockHeld:
    """What lies in a place may not be sold for now."""

    hold_id: uuid.UUID
    location_id: uuid.UUID
    stock_level_ids: tuple[uuid.UUID, ...]


@dataclass(frozen=True)
class ReservationsAtRisk:
    """What was promised is on hold, and nothing else can be promised instead."""

    hold_id: uuid.UUID
    location_id: uuid.UUID
    #: for whom, as `order_line:<id>`
    sources: tuple[str, ...]


@dataclass(frozen=True)
class ReservationsExpired:
    """What was promised has lapsed: nobody came for it in time."""

    #: for whom, as `order_line:<id>`
    sources: tuple[str, ...]


@dataclass(frozen=True)
class LowStock:
    """Of a product no more is left in a warehouse than when it is to be bought again. Said once, until it recovers."""

    product_id: uuid.UUID
    warehouse_id: uuid.UUID
    #: what may be sold, and the reorder point; decimals in words
    available: str
    reorder_point: str
    suggested_quantity: str


@dataclass(frozen=True)
class StockRecovered:
    """Of a product there is more again than its reorder point."""

    product_id: uuid.UUID
    warehouse_id: uuid.UUID


@dataclass(frozen=True)
class LotsExpiring:
    """Lots in a warehouse can be sold for a few days more only. Said once of each."""

    warehouse_id: uuid.UUID
    lot_ids: tuple[uuid.UUID, ...]


@dataclass(frozen=True)
class LotsGone:
    """Of lots that were expiring in a warehouse nothing is left there to be sold: sold, thrown away, or expired."""

    warehouse_id: uuid.UUID
    lot_ids: tuple[uuid.UUID, ...]
