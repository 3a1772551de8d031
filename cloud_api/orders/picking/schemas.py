"""Pick lists, picks and boxes, as they travel over HTTP."""

import uuid
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from cloud_api.kernel.http import RequestModel, ResponseModel
from cloud_api.kernel.quantity import PositiveQuantity, Quantity
from cloud_api.orders.book.schemas import OrderDetailRead

Status = Literal["open", "picking", "done", "cancelled"]
Reason = Annotated[str, Field(min_length=1, max_length=500)]
Name = Annotated[str, Field(min_length=1, max_length=200)]


class PickListCreate(RequestModel):
    """Orders to be picked together: all confirmed ones of a day, or those that are named."""

    warehouse_id: uuid.UUID
    delivery_date: date | None = None
    #: in the order in which they are served, as a route has them
    order_ids: Annotated[list[uuid.UUID], Field(min_length=1, max_length=500)] | None = None
    #: who is served last is picked, and loaded, first
    reversed: bool = False
    note: Annotated[str, Field(max_length=1000)] = ""


class PickListRead(ResponseModel):
    """A pick list."""

    id: uuid.UUID
    number: str
    warehouse_id: uuid.UUID
    delivery_date: date | None
    status: Status
    loads_last_stop_first: bool
    note: str
    created_by: uuid.UUID | None
    created_at: datetime
    started_by: uuid.UUID | None
    started_at: datetime | None
    closed_by: uuid.UUID | None
    closed_at: datetime | None


class ListedOrderRead(ResponseModel):
    """An order on a list."""

    order_id: uuid.UUID
    number: str
    customer_name: str
    #: from 1, in the order of loading
    position: int
    status: str


class PickLineRead(ResponseModel):
    """So much of a lot, from one place, for one order."""

    order_id: uuid.UUID
    #: whose box it goes into
    position: int
    line_id: uuid.UUID
    product_id: uuid.UUID
    sku: str
    product_name: str
    unit: str
    lot_id: uuid.UUID
    lot_number: str
    expires_on: date | None
    location_id: uuid.UUID
    #: codes of the places it lies in, outermost first
    path: list[str]
    quantity: Quantity
    is_picked: bool
    #: it may not leave: take another lot
    is_held: bool


class PickZoneRead(ResponseModel):
    """A part of the warehouse, with what is to be taken there in walking order."""

    location_id: uuid.UUID
    code: str
    name: str
    storage_type: str
    lines: list[PickLineRead]


class PickListDetailRead(PickListRead):
    """A pick list, and the walk: dry goods first, what is frozen last."""

    orders: list[ListedOrderRead]
    zones: list[PickZoneRead]


class _Amount(RequestModel):
    #: in the product's unit; not with `weight_id`
    quantity: PositiveQuantity | None = None
    #: a stable weight of a scale that nobody has used
    weight_id: uuid.UUID | None = None
    #: of the box or crate that it was weighed in
    container_g: Annotated[int, Field(ge=0, le=10**9)] = 0
    #: of goods that are counted and weighed: how many were on the scale
    pieces: PositiveQuantity | None = None


class LotPick(_Amount):
    """So much was taken of a lot."""

    #: or `code`
    lot_id: uuid.UUID | None = None
    #: what the scanner read: a label of ours, a GS1 code, a tag's EPC
    code: Annotated[str, Field(min_length=1, max_length=1000)] | None = None
    #: from where, when the lot lies in several places
    location_id: uuid.UUID | None = None
    #: take this lot although another is promised
    swap: bool = False


class Substitute(RequestModel):
    """Another product goes in the place of what is not there."""

    product_id: uuid.UUID
    #: how much of the line it replaces, and how much of it there is
    quantity: PositiveQuantity
    #: the customer was asked
    agreed: bool = False
    reason: Reason


class LinePick(RequestModel):
    """What was done about a line."""

    line_id: uuid.UUID
    lots: list[LotPick] = Field(default_factory=list, max_length=50)
    substitute: Substitute | None = None
    #: why what is left of the line cannot be had where it was promised
    short_reason: Reason | None = None


class OrderPick(RequestModel):
    """What was done about lines; several calls may pick one order, and one line."""

    lines: Annotated[list[LinePick], Field(min_length=1, max_length=200)]


class LinePack(_Amount):
    """What of a line is really in the box."""

    line_id: uuid.UUID
    #: of this lot; none: of all of the line's lots together
    lot_id: uuid.UUID | None = None


class OrderPack(RequestModel):
    """The boxes. A line that is not named is in them as it was promised."""

    lines: list[LinePack] = Field(default_factory=list, max_length=500)
    boxes: Annotated[int, Field(ge=1, le=1000)] = 1
    #: all boxes together, with what is in them
    packed_weight_g: Annotated[int, Field(gt=0, le=10**9)] | None = None
    #: give up what the order waits for
    deliver_short: bool = False


class OrderFulfill(RequestModel):
    """Pick and pack what there is; what is missing is not delivered, and not paid."""

    boxes: Annotated[int, Field(ge=1, le=1000)] = 1
    packed_weight_g: Annotated[int, Field(gt=0, le=10**9)] | None = None


class OrderShip(RequestModel):
    """How an order leaves without a van of ours."""

    kind: Literal["pick_up", "carrier"] = "pick_up"
    carrier: Annotated[str, Field(max_length=200)] = ""
    tracking_number: Annotated[str, Field(max_length=200)] = ""
    #: it is in the customer's hands; with `recipient_name`
    delivered: bool = False
    recipient_name: Name | None = None


class PackedOrderRead(OrderDetailRead):
    """An order, and what is to stand on its boxes."""

    boxes: int


class HandOverRead(ResponseModel):
    """How an order left without a van of ours."""

    order_id: uuid.UUID
    order_number: str
    status: str
    kind: Literal["pick_up", "carrier"]
    carrier: str
    tracking_number: str
    recipient_name: str
    shipped_at: datetime
    delivered_at: datetime | None
