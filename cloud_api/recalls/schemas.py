"""Recalls and their reports, as they travel over HTTP."""

import uuid
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from cloud_api.kernel.http import RequestModel, ResponseModel
from cloud_api.kernel.quantity import Quantity

Reason = Annotated[str, Field(min_length=1, max_length=2000)]


class RecallOpen(RequestModel):
    """Call a lot back."""

    reason: Reason


class RecallClose(RequestModel):
    """It is over: why, and what becomes of the goods that are held."""

    reason: Reason
    outcome: Literal["release", "quarantine", "downgrade", "waste"]


class RecallRead(ResponseModel):
    """A lot that was called back."""

    id: uuid.UUID
    number: str
    lot_id: uuid.UUID
    reason: str
    status: Literal["open", "closed"]
    opened_at: datetime
    opened_by: uuid.UUID | None
    closed_at: datetime | None
    closed_by: uuid.UUID | None
    close_reason: str | None
    outcome: str | None


class RecalledLot(ResponseModel):
    """The lot itself, or one that was made of it."""

    lot_id: uuid.UUID
    lot_number: str
    product_id: uuid.UUID
    product_name: str
    sku: str
    #: what lies in all places
    on_hand: Quantity
    #: of it, what is held
    on_hold: Quantity


class RecalledCustomer(ResponseModel):
    """Who has some of it, or would have got it."""

    customer_id: uuid.UUID
    customer_name: str
    phone: str
    email: str
    address: str
    order_id: uuid.UUID
    order_number: str
    order_status: str
    lot_number: str
    product_name: str
    quantity: Quantity
    unit: str
    #: whether they have it; else it is promised to them, and held
    delivered: bool
    delivered_at: datetime | None


class RecalledStop(ResponseModel):
    """An attempt to bring an order with some of it to its door."""

    route_number: str
    vehicle: str
    sequence: int
    delivery_number: str
    order_number: str
    status: str
    planned_arrival_at: datetime


class OtherShipment(ResponseModel):
    """What went out by no order of ours."""

    movement_id: uuid.UUID
    number: str
    lot_number: str
    quantity: Quantity
    reference: str
    effective_at: datetime


class RecallReport(ResponseModel):
    """What a recall concerns, as it is known now."""

    recall: RecallRead
    made_at: datetime
    lots: list[RecalledLot]
    customers: list[RecalledCustomer]
    stops: list[RecalledStop]
    other_shipments: list[OtherShipment]
