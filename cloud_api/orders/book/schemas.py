"""Orders, as they travel over HTTP."""

import uuid
from datetime import date, datetime, time
from typing import Annotated

from pydantic import Field

from cloud_api.kernel.http import RequestModel, ResponseModel
from cloud_api.kernel.json_types import LocalTime
from cloud_api.kernel.money import UnitPrice
from cloud_api.kernel.quantity import PositiveQuantity, Quantity


class OrderLineCreate(RequestModel):
    """One product."""

    product_id: uuid.UUID
    quantity: PositiveQuantity
    #: in the organisation's currency, a unit
    unit_price: UnitPrice


class OrderCreate(RequestModel):
    """A new order: for a day and a window of it, in the organisation's own time zone."""

    #: whoever orders for themselves need not say it
    customer_id: uuid.UUID | None = None
    #: the customer's first, when there is none
    address_id: uuid.UUID | None = None
    warehouse_id: uuid.UUID
    delivery_date: date
    window_from: LocalTime = time(8)
    window_until: LocalTime = time(20)
    note: Annotated[str, Field(max_length=1000)] = ""
    lines: Annotated[list[OrderLineCreate], Field(min_length=1, max_length=200)]


class OrderCancel(RequestModel):
    """Why."""

    reason: Annotated[str, Field(min_length=1, max_length=500)]


class AllocationRead(ResponseModel):
    """A lot that is promised to a line."""

    lot_id: uuid.UUID
    lot_number: str
    expires_on: date | None
    location_id: uuid.UUID
    quantity: Quantity
    status: str


class OrderLineRead(ResponseModel):
    """One product of an order, with the lots promised to it."""

    id: uuid.UUID
    product_id: uuid.UUID
    quantity: Quantity
    unit_price: UnitPrice
    allocations: list[AllocationRead]


class OrderRead(ResponseModel):
    """An order."""

    id: uuid.UUID
    number: str
    customer_id: uuid.UUID
    customer_name: str
    warehouse_id: uuid.UUID
    address: str
    latitude: float
    longitude: float
    delivery_date: date
    window_from: LocalTime
    window_until: LocalTime
    status: str
    total_minor: int
    note: str
    created_at: datetime
    confirmed_at: datetime | None
    packed_at: datetime | None
    delivered_at: datetime | None
    cancel_reason: str | None


class OrderDetailRead(OrderRead):
    """An order with its lines."""

    lines: list[OrderLineRead]
