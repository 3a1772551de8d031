"""Stock, as it travels over HTTP."""

import uuid
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from cloud_api.kernel.http import RequestModel, ResponseModel
from cloud_api.kernel.money import UnitPrice
from cloud_api.kernel.quantity import PositiveQuantity, Quantity

LotNumber = Annotated[str, Field(min_length=1, max_length=64, examples=["SPINACH-2026-01-31"])]


class GoodsReceive(RequestModel):
    """Goods that came in."""

    product_id: uuid.UUID
    location_id: uuid.UUID
    lot_number: LotNumber
    expires_on: date | None = None
    quantity: PositiveQuantity
    #: in the organisation's currency, a unit
    unit_cost: UnitPrice | None = None
    reference: Annotated[str, Field(max_length=120)] = ""


class StockAdjust(RequestModel):
    """A correction: what is really there, or how much more or less than was thought."""

    lot_id: uuid.UUID
    location_id: uuid.UUID
    delta: Quantity
    reason: Annotated[str, Field(min_length=1, max_length=120)]


class MovementRead(ResponseModel):
    """One entry of the ledger."""

    id: uuid.UUID
    number: str
    movement_type: str
    product_id: uuid.UUID
    lot_id: uuid.UUID
    location_id: uuid.UUID
    quantity: Quantity
    reference: str
    recorded_at: datetime


class LotRead(ResponseModel):
    """A lot."""

    id: uuid.UUID
    product_id: uuid.UUID
    lot_number: str
    expires_on: date | None
    received_at: datetime


class LevelRead(ResponseModel):
    """How much of a lot lies in one place, and how much of it may be sold."""

    id: uuid.UUID
    product_id: uuid.UUID
    lot_id: uuid.UUID
    location_id: uuid.UUID
    on_hand: Quantity
    reserved: Quantity
    available: Quantity
    status: Literal["available", "on_hold"]


class HeldLevelRead(ResponseModel):
    """A lot in a place under a hold, and what somebody decided about it."""

    stock_level_id: uuid.UUID
    lot_id: uuid.UUID
    location_id: uuid.UUID
    on_hand: Quantity
    disposition: Literal["release", "quarantine", "downgrade", "waste"] | None
    reason: str
    decided_at: datetime | None
    decided_by: uuid.UUID | None


class HoldRead(ResponseModel):
    """Why stock of a place is kept back, and which."""

    id: uuid.UUID
    location_id: uuid.UUID
    reason: str
    source: str
    #: what arrives there is held as well
    covers_arrivals: bool
    held_at: datetime
    released_at: datetime | None
    levels: list[HeldLevelRead]


class HoldRelease(RequestModel):
    """Held stock may be sold again: all of it, or the levels that are named."""

    reason: Annotated[str, Field(min_length=1, max_length=2000)]
    stock_level_ids: Annotated[list[uuid.UUID], Field(min_length=1, max_length=1000)] | None = None


class HoldReject(HoldRelease):
    """Held stock may never be sold: all of it, or the levels that are named."""

    disposition: Literal["quarantine", "downgrade", "waste"]


class ReservationRead(ResponseModel):
    """Stock that is promised."""

    id: uuid.UUID
    source: str
    status: Literal["active", "consumed", "released"]
    stock_level_id: uuid.UUID
    product_id: uuid.UUID
    lot_id: uuid.UUID
    location_id: uuid.UUID
    quantity: Quantity
    reserved_at: datetime
    settled_at: datetime | None
    needed_on: date | None
    picked_at: datetime | None
    #: since when it is on hold, and nothing else could be promised instead
    at_risk_since: datetime | None


class TagSightingRead(ResponseModel):
    """A tag that a reader saw."""

    id: uuid.UUID
    epc: str
    reader_id: uuid.UUID
    location_id: uuid.UUID | None
    antenna: int | None
    rssi_dbm: float | None
    direction: str
    seen_at: datetime


class WeightRead(ResponseModel):
    """What a scale showed when it stood still."""

    id: uuid.UUID
    scale_id: uuid.UUID
    location_id: uuid.UUID | None
    weight_g: int
    basis: str
    weighed_at: datetime
