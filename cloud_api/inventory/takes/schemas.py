"""Stock takes and counts, as they travel over HTTP."""

import uuid
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field, model_validator

from cloud_api.kernel.http import RequestModel, ResponseModel
from cloud_api.kernel.quantity import Quantity

CountedQuantity = Annotated[Quantity, Field(ge=0)]
WeightG = Annotated[int, Field(ge=0, le=10**12)]
Method = Literal["manual", "scan", "rfid", "scale"]
Status = Literal["draft", "counting", "review", "completed", "cancelled"]


class TakeCreate(RequestModel):
    """What is to be counted: a warehouse, some of its places with all inside them, or vehicles."""

    warehouse_id: uuid.UUID | None = None
    location_ids: Annotated[list[uuid.UUID], Field(max_length=200)] = Field(default_factory=list)
    product_ids: Annotated[list[uuid.UUID], Field(max_length=200)] = Field(default_factory=list)
    #: whoever counts is not told what ought to be there
    blind: bool = False
    note: Annotated[str, Field(max_length=500)] = ""
    #: false: it is only planned
    start: bool = True


class CountEnter(RequestModel):
    """What was counted of one lot in one place.

    The lot is named by its id, by product and lot number, or by what a scanner read: a GS1 element string with GTIN
    and lot. A lot that nobody has heard of is begun when product and number are said.
    """

    location_id: uuid.UUID
    lot_id: uuid.UUID | None = None
    product_id: uuid.UUID | None = None
    lot_number: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    expires_on: date | None = None
    scanned: Annotated[str, Field(min_length=1, max_length=256)] | None = None
    #: in the product's unit; of a scan that says how many, it may be left out
    quantity: CountedQuantity | None = None
    #: of goods that are counted and weighed
    weight_g: WeightG | None = None
    method: Method = "manual"
    #: on top of what was counted of it before, instead of in its place
    additive: bool = False

    @model_validator(mode="after")
    def _one_name(self) -> "CountEnter":
        named = [self.lot_id is not None, self.scanned is not None, self.product_id is not None]
        if sum(named) != 1 or (self.product_id is None) != (self.lot_number is None):
            raise ValueError("name the lot by lot_id, by product_id and lot_number, or by what was scanned")
        if self.quantity is None and self.scanned is None:
            raise ValueError("say the quantity")
        return self


class CountsEnter(RequestModel):
    """What was counted; all of it is written down, or nothing."""

    counts: Annotated[list[CountEnter], Field(min_length=1, max_length=500)]


class TakeSubmit(RequestModel):
    """Nobody counts any more."""

    #: lines that nobody has counted: not yet, they stay as the books say, or nothing lies there
    uncounted: Literal["refuse", "skip", "zero"] = "refuse"


class TakeRead(ResponseModel):
    """A stock take, and how far it has come."""

    id: uuid.UUID
    number: str
    warehouse_id: uuid.UUID | None
    location_ids: list[uuid.UUID]
    product_ids: list[uuid.UUID]
    blind: bool
    note: str
    status: Status
    created_by: uuid.UUID | None
    created_at: datetime
    started_by: uuid.UUID | None
    started_at: datetime | None
    submitted_by: uuid.UUID | None
    submitted_at: datetime | None
    approved_by: uuid.UUID | None
    approved_at: datetime | None
    completed_by: uuid.UUID | None
    completed_at: datetime | None
    #: lots in places
    lines: int
    counted: int
    #: of those counted, 0 to 100: how many were as the books said; null while that is not reckoned, or not to be told
    accuracy_pct: float | None


class LineRead(ResponseModel):
    """A lot in a place. What ought to be there is null as long as it is not to be told."""

    id: uuid.UUID
    product_id: uuid.UUID
    lot_id: uuid.UUID
    lot_number: str
    location_id: uuid.UUID
    expected: Quantity | None
    expected_weight_g: int | None
    #: what was booked between the beginning of the take and the count
    moved: Quantity | None
    counted: Quantity | None
    counted_weight_g: int | None
    difference: Quantity | None
    difference_weight_g: int | None
    #: whether somebody has to approve the difference
    is_large: bool | None
    method: Method | None
    counted_by: uuid.UUID | None
    counted_at: datetime | None


class TakeWithLinesRead(TakeRead):
    """A stock take with everything that it counts."""

    details: list[LineRead]


class CountRead(ResponseModel):
    """Somebody, or something, counted."""

    id: uuid.UUID
    line_id: uuid.UUID
    quantity: Quantity
    weight_g: int | None
    method: Method
    additive: bool
    counted_by: uuid.UUID | None
    counted_at: datetime
