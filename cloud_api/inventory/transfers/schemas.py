"""Transfers, as they travel over HTTP."""

import uuid
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from cloud_api.kernel.http import RequestModel, ResponseModel
from cloud_api.kernel.quantity import PositiveQuantity, Quantity

WeightG = Annotated[int, Field(gt=0, le=10**12)]
Note = Annotated[str, Field(max_length=500)]
Status = Literal["draft", "in_transit", "completed", "returned", "cancelled"]


class MoveCreate(RequestModel):
    """So much of a lot, from one place to another."""

    lot_id: uuid.UUID
    from_location_id: uuid.UUID
    to_location_id: uuid.UUID
    quantity: PositiveQuantity
    #: of goods that are counted and weighed; left out: their share of what lies there weighs
    weight_g: WeightG | None = None


class StockMove(RequestModel):
    """Goods that are taken from places to others now: all of them, or none."""

    lines: Annotated[list[MoveCreate], Field(min_length=1, max_length=200)]
    #: what for
    reference: Annotated[str, Field(max_length=120)] = ""


class TransferLineCreate(RequestModel):
    """So much of a lot, from one place."""

    lot_id: uuid.UUID
    from_location_id: uuid.UUID
    #: left out: whoever receives it says
    to_location_id: uuid.UUID | None = None
    quantity: PositiveQuantity
    weight_g: WeightG | None = None


class TransferCreate(RequestModel):
    """Goods that are to go from one warehouse to another."""

    from_warehouse_id: uuid.UUID
    to_warehouse_id: uuid.UUID
    lines: Annotated[list[TransferLineCreate], Field(min_length=1, max_length=200)]
    expected_on: date | None = None
    note: Note = ""


class Loss(RequestModel):
    """What becomes of what did not arrive."""

    book_as: Literal["adjustment", "waste"]
    reason: Annotated[str, Field(min_length=1, max_length=500)]


class LineReceive(RequestModel):
    """What arrived of one line."""

    line_id: uuid.UUID
    quantity: Annotated[Quantity, Field(ge=0)]
    #: where it is put; left out: where the transfer says
    location_id: uuid.UUID | None = None
    #: the rest will not arrive; left out: it is still on its way
    loss: Loss | None = None


class TransferReceive(RequestModel):
    """What arrived."""

    lines: Annotated[list[LineReceive], Field(min_length=1, max_length=200)]


class TransferReturn(RequestModel):
    """What is still on its way is back."""

    #: where all of it is put; left out: where each line left
    location_id: uuid.UUID | None = None


class TransferLineRead(ResponseModel):
    """So much of a lot, and what became of it."""

    id: uuid.UUID
    product_id: uuid.UUID
    lot_id: uuid.UUID
    from_location_id: uuid.UUID
    to_location_id: uuid.UUID | None
    quantity: Quantity
    weight_g: int | None
    received: Quantity
    lost: Quantity
    returned: Quantity
    loss_type: Literal["adjustment", "waste"] | None
    loss_reason: str


class TransferRead(ResponseModel):
    """A transfer."""

    id: uuid.UUID
    number: str
    from_warehouse_id: uuid.UUID
    to_warehouse_id: uuid.UUID
    status: Status
    expected_on: date | None
    note: str
    created_by: uuid.UUID | None
    created_at: datetime
    shipped_by: uuid.UUID | None
    shipped_at: datetime | None
    closed_by: uuid.UUID | None
    closed_at: datetime | None
    lines: list[TransferLineRead]


class InTransitRead(ResponseModel):
    """What of a product is on its way to a warehouse. Nobody can be promised it before it has arrived."""

    warehouse_id: uuid.UUID
    product_id: uuid.UUID
    quantity: Quantity
    weight_g: int
