"""Receipts, corrections, movements, levels and the ledger, as they travel over HTTP."""

import uuid
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal, Self

from fastapi import Query
from pydantic import AwareDatetime, Field, model_validator

from cloud_api.kernel.http import RequestModel, ResponseModel
from cloud_api.kernel.money import UnitPrice
from cloud_api.kernel.quantity import PositiveQuantity, Quantity

LotNumber = Annotated[str, Field(min_length=1, max_length=64, examples=["SPINACH-2026-01-31"])]
Grade = Literal["excellent", "very-good", "good", "fair", "poor"]
MovementType = Literal["inbound", "outbound", "adjustment", "transfer", "waste", "production", "return", "opening"]
#: what a person says of how an entry came about; the rest is said by imports and by the platform itself
Source = Literal["manual", "scan", "rfid", "scale"]
WeightG = Annotated[int, Field(gt=0, le=10**12)]
Reference = Annotated[str, Field(max_length=120)]
#: words that somebody searches for
Search = Annotated[str | None, Query(max_length=120, pattern=r"^[^\x00]*$")]
#: a unit of measure, as `catalog` knows it, or a pack of the product
Unit = Annotated[str, Field(min_length=1, max_length=40)]


class GoodsReceive(RequestModel):
    """Goods that came in."""

    product_id: uuid.UUID
    variant_id: uuid.UUID | None = None
    location_id: uuid.UUID
    lot_number: LotNumber
    expires_on: date | None = None
    manufactured_on: date | None = None
    quantity: PositiveQuantity
    #: None: the product's own
    unit: Unit | None = None
    #: of goods that are counted and weighed (catch weight), and of no others
    weight_g: WeightG | None = None
    grade: Grade | None = None
    #: as `supplier:<id>`, or in words
    supplier: Annotated[str, Field(max_length=120)] = ""
    #: in the organisation's currency, of the product's own unit
    unit_cost: UnitPrice | None = None
    reference: Reference = ""
    source: Source = "manual"
    #: when they came in; None: now
    effective_at: AwareDatetime | None = None


class StockAdjust(RequestModel):
    """A correction: what is really there, or how much more or less than was thought."""

    lot_id: uuid.UUID
    location_id: uuid.UUID
    delta: Quantity | None = None
    #: what lies there; instead of `delta`
    counted: Annotated[Quantity, Field(ge=0)] | None = None
    #: of catch weight: what the difference weighs, or with `counted` all that lies there
    weight_g: Annotated[int, Field(ge=0, le=10**12)] | None = None
    reason: Annotated[str, Field(min_length=1, max_length=120)]
    source: Source = "manual"
    effective_at: AwareDatetime | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.delta is None) == (self.counted is None):
            raise ValueError("say `delta` or `counted`: one of both")
        if self.counted is not None and self.effective_at is not None:
            raise ValueError("what is counted is what lies there now: say `delta` for an entry that is written later")
        return self


class MovementCreate(RequestModel):
    """One movement. Its type says the sign: only adjustments and production say it themselves."""

    movement_type: MovementType
    lot_id: uuid.UUID
    location_id: uuid.UUID
    #: of a transfer, and of nothing else
    to_location_id: uuid.UUID | None = None
    quantity: Quantity
    unit: Unit | None = None
    #: of catch weight: needed for what comes in; of what leaves without it the share that belongs to the quantity
    weight_g: WeightG | None = None
    unit_cost: UnitPrice | None = None
    reference: Reference = ""
    source: Source = "manual"
    #: when it happened; None: now
    effective_at: AwareDatetime | None = None


class MovementBatch(RequestModel):
    """Movements that are booked together, each upon what those before it left, or not at all."""

    movements: Annotated[list[MovementCreate], Field(min_length=1, max_length=500)]


class MovementReverse(RequestModel):
    """Undo a booking."""

    reason: Annotated[str, Field(min_length=1, max_length=120)]


class LevelOpen(RequestModel):
    """An inventory record with what lay there when counting began."""

    lot_id: uuid.UUID
    location_id: uuid.UUID
    quantity: PositiveQuantity
    weight_g: WeightG | None = None
    unit_cost: UnitPrice | None = None
    effective_at: AwareDatetime | None = None


class LevelUpdate(RequestModel):
    """What may be said of a record; what lies there changes by movements only."""

    last_counted_at: AwareDatetime | None = None
    min_level: Annotated[Quantity, Field(ge=0)] | None = None
    max_level: Annotated[Quantity, Field(ge=0)] | None = None


class MovementRead(ResponseModel):
    """One entry of the ledger."""

    id: uuid.UUID
    number: str
    movement_type: str
    product_id: uuid.UUID
    lot_id: uuid.UUID
    location_id: uuid.UUID
    quantity: Quantity
    weight_g: int | None
    reference: str
    source: str
    #: booked together with it: both ends of a transfer, all of a batch
    group_id: uuid.UUID | None
    #: the entry that this one undoes
    reverses_id: uuid.UUID | None
    effective_at: datetime
    recorded_at: datetime
    recorded_by: uuid.UUID | None


class LevelRead(ResponseModel):
    """How much of a lot lies in one place, and how much of it may be sold."""

    id: uuid.UUID
    product_id: uuid.UUID
    lot_id: uuid.UUID
    location_id: uuid.UUID
    on_hand: Quantity
    reserved: Quantity
    available: Quantity
    weight_g: int
    #: the last day on which it may be sold from here, after what temperatures did to it; None: as its lot says
    keeps_until: date | None
    last_counted_at: datetime | None
    min_level: Quantity | None
    max_level: Quantity | None
    status: Literal["available", "on_hold"]


class LevelSummary(ResponseModel):
    """What there is of a product, over all levels that were asked for."""

    product_id: uuid.UUID
    on_hand: Quantity
    reserved: Quantity
    #: of `on_hand`: what is on hold
    on_hold: Quantity
    available: Quantity
    weight_g: int
    levels: int


class ExpectedRead(ResponseModel):
    """Goods on their way into a warehouse."""

    lot_id: uuid.UUID
    product_id: uuid.UUID
    location_id: uuid.UUID
    to_warehouse_id: uuid.UUID
    quantity: Quantity


class ReceivingRead(ResponseModel):
    """What is on its way, and what came in of late, newest first."""

    expected: list[ExpectedRead]
    recent: list[MovementRead]


class ValuedProduct(ResponseModel):
    """What the stock of a product in a warehouse is worth; amounts in the organisation's currency, exact."""

    product_id: uuid.UUID
    #: None: in vans and on the way
    warehouse_id: uuid.UUID | None
    quantity: Quantity
    value: Decimal
    value_in: Decimal
    value_out: Decimal


class ValuationRead(ResponseModel):
    """What stock was worth at the end of a day, by when things happened."""

    method: Literal["fifo", "average"]
    on: date
    value: Decimal
    value_in: Decimal
    value_out: Decimal
    products: list[ValuedProduct]
