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
