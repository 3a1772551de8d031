"""Lots, what they were made of and where they went, as they travel over HTTP."""

import uuid
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from cloud_api.inventory.stock.schemas import Grade, LotNumber, MovementRead, Reference, WeightG
from cloud_api.kernel.http import RequestModel, ResponseModel
from cloud_api.kernel.money import UnitPrice
from cloud_api.kernel.quantity import PositiveQuantity, Quantity

LotStatus = Literal["available", "quarantine", "on_hold", "expired", "consumed"]
Reason = Annotated[str, Field(min_length=1, max_length=2000)]


class LotRead(ResponseModel):
    """A lot, and what may be done with it."""

    id: uuid.UUID
    product_id: uuid.UUID
    variant_id: uuid.UUID | None
    lot_number: str
    manufactured_on: date | None
    expires_on: date | None
    grade: Grade | None
    supplier: str
    #: in the organisation's currency, a unit
    unit_cost: UnitPrice | None
    received_at: datetime
    #: in all places that one may see
    on_hand: Quantity
    weight_g: int
    status: LotStatus
    #: why, and what else is the matter with it, in words
    reasons: list[str]


class ExpiringRead(LotRead):
    """A lot that will have expired soon, or has."""

    #: the last day on which some of it may be sold, after what temperatures did to it
    keeps_until: date
    #: from today, by the calendar of where it lies; negative: it has expired
    days_left: int


class LotUpdate(RequestModel):
    """What may be corrected of a lot. What is not sent stays."""

    grade: Grade | None = None
    expires_on: date | None = None
    reason: Reason


class LotHold(RequestModel):
    """Keep a lot from being sold, wherever it lies or in one place."""

    reason: Reason
    kind: Literal["hold", "quarantine"] = "hold"
    location_id: uuid.UUID | None = None


class LotRelease(RequestModel):
    """Let a lot that people put on hold be sold again."""

    reason: Reason


class PartCreate(RequestModel):
    """A lot that comes out of another."""

    lot_number: LotNumber
    quantity: PositiveQuantity
    #: of catch weight, and of nothing else
    weight_g: WeightG | None = None


class LotSplit(RequestModel):
    """Make several lots of what lies in a place of one."""

    location_id: uuid.UUID
    parts: Annotated[list[PartCreate], Field(min_length=1, max_length=100)]
    reference: Reference = ""


class Portion(RequestModel):
    """What goes into another lot."""

    lot_id: uuid.UUID
    location_id: uuid.UUID
    quantity: PositiveQuantity
    weight_g: WeightG | None = None


class LotMerge(RequestModel):
    """Put lots of one product together into a new one. It expires when the first of them does."""

    lot_number: LotNumber
    to_location_id: uuid.UUID
    portions: Annotated[list[Portion], Field(min_length=2, max_length=100)]
    reference: Reference = ""


class PackedCreate(PartCreate):
    """A lot of what was packed anew."""

    #: the same product, unless said
    product_id: uuid.UUID | None = None
    variant_id: uuid.UUID | None = None
    #: never later than what it was made of
    expires_on: date | None = None


class LotRepack(RequestModel):
    """Pack a part of a lot as another product, variant or size. What does not come out is lost, and booked so."""

    location_id: uuid.UUID
    to_location_id: uuid.UUID | None = None
    quantity: PositiveQuantity
    weight_g: WeightG | None = None
    made: Annotated[list[PackedCreate], Field(min_length=1, max_length=100)]
    #: what was weighed as lost; None: what is missing
    loss_g: Annotated[int, Field(ge=0, le=10**12)] | None = None
    reference: Reference = ""


class TransformationRead(ResponseModel):
    """What came out."""

    group_id: uuid.UUID
    #: grams that went in and did not come out; None where nothing was packed anew
    loss_g: int | None
    lots: list[uuid.UUID]
    movements: list[MovementRead]


class TracedLot(ResponseModel):
    """A lot of a trace."""

    id: uuid.UUID
    product_id: uuid.UUID
    lot_number: str
    supplier: str
    expires_on: date | None


class TracedStep(ResponseModel):
    """A lot that went into another."""

    parent_lot_id: uuid.UUID
    child_lot_id: uuid.UUID
    kind: Literal["split", "merge", "repack"]
    #: what went in
    quantity: Quantity
    made_at: datetime


class TracedPlace(ResponseModel):
    """Where a lot of the trace lies now."""

    lot_id: uuid.UUID
    location_id: uuid.UUID
    on_hand: Quantity
    status: str


class TraceRead(ResponseModel):
    """One lot followed: up to those it came from, down to those it went to."""

    direction: Literal["up", "down", "both"]
    #: the lot itself, what it was made of, what was made of it
    lots: list[TracedLot]
    steps: list[TracedStep]
    #: where it, and what it was made of, came in, with suppliers' references
    receipts: list[MovementRead]
    #: where it, and what was made of it, went out, newest first; `meta.next_cursor` leads to older ones
    shipments: list[MovementRead]
    #: where it, and what was made of it, lies now
    places: list[TracedPlace]
    #: for `cursor`: older shipments; None: that was all
    next_cursor: str | None
    #: whether there are more lots, receipts or places than are shown
    truncated: bool
