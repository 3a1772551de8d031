"""Returns, as they travel over HTTP. Amounts are minor units of the organisation's currency."""

import uuid
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from cloud_api.kernel.http import RequestModel, ResponseModel
from cloud_api.kernel.quantity import PositiveQuantity, Quantity

Reason = Annotated[str, Field(min_length=1, max_length=500)]
Status = Literal["requested", "approved", "received", "inspected", "completed", "rejected", "cancelled"]
Condition = Literal["intact", "wrong", "damaged", "spoiled"]
_MOST_LINES = 200


class ReturnLineCreate(RequestModel):
    """So much of one line of the order."""

    order_line_id: uuid.UUID
    quantity: PositiveQuantity


class OrderReturnCreate(RequestModel):
    """What of an order is to come back, and why."""

    reason: Reason
    note: Annotated[str, Field(max_length=1000)] = ""
    lines: Annotated[list[ReturnLineCreate], Field(min_length=1, max_length=_MOST_LINES)]


class ReturnCreate(OrderReturnCreate):
    """The same, saying of which order."""

    order_id: uuid.UUID


class ReturnUpdate(RequestModel):
    """Approve or reject."""

    status: Literal["approved", "rejected"]
    reason: Reason


class ReturnCancel(RequestModel):
    """Why."""

    reason: Reason


class GoodsReceive(RequestModel):
    """What came back of a line, of one lot."""

    line_id: uuid.UUID
    #: not needed when all of the line was of one lot
    lot_id: uuid.UUID | None = None
    quantity: PositiveQuantity
    #: of catch weight, and of nothing else
    weight_g: Annotated[int, Field(gt=0, le=10**9)] | None = None
    #: measured now; without it cold goods are not restocked
    temperature_c: Annotated[float, Field(ge=-60, le=60, allow_inf_nan=False)] | None = None
    #: how long it was outside of any cold, as whoever brings it declares; without it cold goods are not restocked
    outside_minutes: Annotated[int, Field(ge=0, le=100_000)] | None = None


class ReturnReceive(RequestModel):
    """What came back, and where it is kept in quarantine."""

    location_id: uuid.UUID
    goods: Annotated[list[GoodsReceive], Field(min_length=1, max_length=_MOST_LINES)]


class GoodsInspect(RequestModel):
    """How it was found."""

    goods_id: uuid.UUID
    condition: Condition
    finding: Annotated[str, Field(max_length=1000)] = ""


class ReturnInspect(RequestModel):
    """All that came back."""

    goods: Annotated[list[GoodsInspect], Field(min_length=1, max_length=_MOST_LINES)]


class GoodsRestock(RequestModel):
    """Where it is put."""

    goods_id: uuid.UUID
    location_id: uuid.UUID


class ReturnRestock(RequestModel):
    """What is sold again."""

    goods: Annotated[list[GoodsRestock], Field(min_length=1, max_length=_MOST_LINES)]


class ReturnScrap(RequestModel):
    """What is thrown away, and why."""

    goods_ids: Annotated[list[uuid.UUID], Field(min_length=1, max_length=_MOST_LINES)]
    reason: Reason


class ReturnRefund(RequestModel):
    """What the order owes less: what the goods cost, unless another sum is said, and why."""

    amount_minor: Annotated[int, Field(gt=0, le=10**14)] | None = None
    note: Annotated[str, Field(max_length=500)] = ""


class ReturnLineRead(ResponseModel):
    """So much of one line of the order."""

    id: uuid.UUID
    order_line_id: uuid.UUID
    product_id: uuid.UUID
    quantity: Quantity


class ReturnedGoodsRead(ResponseModel):
    """What came back."""

    id: uuid.UUID
    return_line_id: uuid.UUID
    lot_id: uuid.UUID
    location_id: uuid.UUID
    quantity: Quantity
    weight_g: int | None
    temperature_c: float | None
    outside_minutes: int | None
    condition: str | None
    finding: str
    disposition: str | None
    to_location_id: uuid.UUID | None
    disposed_at: datetime | None
    #: why it may not be restocked; empty: it may, once it was found intact or wrong
    doubts: list[str]


class ReturnPictureRead(ResponseModel):
    """A picture; its bytes are at `/api/v1/returns/{id}/pictures/{picture_id}`."""

    id: uuid.UUID
    #: what it shows; null: all of it
    return_line_id: uuid.UUID | None
    sent_by: uuid.UUID
    sent_at: datetime
    #: something was decided since it was sent: it is not taken away any more
    stands: bool


class ReturnRead(ResponseModel):
    """A return."""

    id: uuid.UUID
    number: str
    order_id: uuid.UUID
    customer_id: uuid.UUID
    status: Status
    refund_status: Literal["none", "pending", "refunded"]
    reason: str
    note: str
    decision: str
    refund_minor: int | None
    refund_note: str
    requested_at: datetime
    decided_at: datetime | None
    received_at: datetime | None
    inspected_at: datetime | None
    completed_at: datetime | None
    lines: list[ReturnLineRead]


class ReturnDetailRead(ReturnRead):
    """A return with what came back, and its pictures; customers see the lines, and the pictures that they sent."""

    goods: list[ReturnedGoodsRead]
    #: in the order in which they were sent
    pictures: list[ReturnPictureRead]
