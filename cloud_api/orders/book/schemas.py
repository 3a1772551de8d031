"""Orders, as they travel over HTTP."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Annotated, Literal

from fastapi import Query
from pydantic import Field

from cloud_api.kernel.http import RequestModel, ResponseModel
from cloud_api.kernel.json_types import LocalTime
from cloud_api.kernel.money import UnitPrice
from cloud_api.kernel.quantity import PositiveQuantity, Quantity
from cloud_api.orders.book.states import OrderStatus

PaymentMethod = Literal["account", "cod", "online", "upi", "card"]
PaymentStatus = Literal["pending", "paid", "failed", "refunded"]
Sort = Literal[
    "created_at", "-created_at", "delivery_date", "-delivery_date", "customer_name", "-customer_name", "total", "-total"
]
NO_NUL = r"^[^\x00]*$"
Note = Annotated[str, Field(max_length=1000)]


class OrderLineCreate(RequestModel):
    """One product."""

    product_id: uuid.UUID
    quantity: PositiveQuantity
    #: in the organisation's currency, a unit; none: what the catalogue asks today. Who orders for themselves sends none
    unit_price: UnitPrice | None = None


class OrderCreate(RequestModel):
    """A new order: for a day and a window of it, in the organisation's own time zone."""

    #: whoever orders for themselves need not say it
    customer_id: uuid.UUID | None = None
    #: the customer's first, when there is none
    address_id: uuid.UUID | None = None
    #: the organisation's default, or its only one, when there is none
    warehouse_id: uuid.UUID | None = None
    delivery_date: date
    #: one of the warehouse's windows, when it has any
    window_from: LocalTime = time(8)
    window_until: LocalTime = time(20)
    #: account: on a bill, later; cod: cash at the door
    payment_method: PaymentMethod = "account"
    note: Note = ""
    lines: Annotated[list[OrderLineCreate], Field(min_length=1, max_length=200)]


@dataclass(frozen=True)
class OrderFilter:
    """Query parameters of the list of orders: all that are given hold."""

    status: OrderStatus | None = None
    customer_id: uuid.UUID | None = None
    warehouse_id: uuid.UUID | None = None
    #: to be delivered on that day
    delivery_date: date | None = None
    #: to be delivered from that day on, and until that day, with it
    since: Annotated[date | None, Query(alias="from")] = None
    until: Annotated[date | None, Query(alias="to")] = None
    #: has a place in that window
    slot_id: uuid.UUID | None = None
    #: has one of these lines: whose a reservation is, that says `order_line:<id>`
    line_id: Annotated[list[uuid.UUID] | None, Query(max_length=200)] = None
    payment_status: PaymentStatus | None = None
    payment_method: PaymentMethod | None = None
    #: words of the number, the customer's name or the address, as they begin, or how the customer's phone number ends
    search: Annotated[str | None, Query(max_length=120, pattern=NO_NUL)] = None
    sort: Sort = "-created_at"


class OrderUpdate(RequestModel):
    """What is not sent stays. Lines are sent all together: what is not among them is ordered no more."""

    #: the version that was seen: when it is another now, nothing is changed; none: whatever it is
    version: Annotated[int, Field(ge=1)] | None = None
    #: a door of the same customer, copied into the order
    address_id: uuid.UUID | None = None
    delivery_date: date | None = None
    window_from: LocalTime | None = None
    window_until: LocalTime | None = None
    note: Note | None = None
    lines: Annotated[list[OrderLineCreate], Field(min_length=1, max_length=200)] | None = None


class FeedbackCreate(RequestModel):
    """What a customer says of a delivery."""

    #: 5 is best
    rating: Annotated[int, Field(ge=1, le=5)]
    comment: Annotated[str, Field(max_length=2000)] = ""


class OrderCancel(RequestModel):
    """Why."""

    reason: Annotated[str, Field(min_length=1, max_length=500)]


class FeedbackRead(ResponseModel):
    """What was said of a delivery."""

    rating: int
    comment: str
    given_at: datetime


class HistoryRead(ResponseModel):
    """A status that an order came to, or a change of what was ordered."""

    #: none: only what was ordered has changed
    status: str | None
    #: of what was ordered, from then on; none: that stayed
    version: int | None
    at: datetime
    #: user, api_key, worker ...
    by_kind: str
    #: empty when it is not yours to know
    by_name: str
    #: of a cancellation
    reason: str | None


class OfferRead(ResponseModel):
    """A product in the shop window."""

    id: uuid.UUID
    sku: str
    name: str
    description: str
    brand: str
    unit: str
    unit_weight_g: int
    #: for one; none: ask the store
    price: UnitPrice | None
    #: ISO 4217
    currency: str
    #: the unit that the price is for; of what is weighed piece by piece the kilogram
    price_per: str
    is_available: bool


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
    #: what is really in the box
    packed_quantity: Quantity | None
    fulfillment_status: str
    unit_price: UnitPrice
    #: how much of it could be promised now; none once the order is confirmed or given up
    available: Quantity | None
    allocations: list[AllocationRead]


class OrderRead(ResponseModel):
    """An order."""

    id: uuid.UUID
    number: str
    customer_id: uuid.UUID
    customer_name: str
    warehouse_id: uuid.UUID
    address: str
    address_id: uuid.UUID | None
    #: false: nobody is certain where it is, and the order cannot be confirmed before somebody is
    address_is_sure: bool
    latitude: float
    longitude: float
    delivery_date: date
    window_from: LocalTime
    window_until: LocalTime
    status: str
    total_minor: int
    payment_method: str
    payment_status: str
    packed_weight_g: int | None
    note: str
    created_at: datetime
    confirmed_at: datetime | None
    packed_at: datetime | None
    delivered_at: datetime | None
    cancel_reason: str | None
    version: int


class OrderedRead(ResponseModel):
    """So much of one product of an order."""

    id: uuid.UUID
    product_id: uuid.UUID
    quantity: Quantity
    #: what is really in the box
    packed_quantity: Quantity | None
    fulfillment_status: str
    unit_price: UnitPrice


class OrderLinesRead(OrderRead):
    """An order with what was ordered."""

    lines: list[OrderedRead]


class OrderDetailRead(OrderRead):
    """An order with its lines, and how its customer is reached."""

    #: E.164, or empty
    customer_phone: str
    customer_email: str
    #: of what they are told; empty: the organisation's
    locale: str
    feedback: FeedbackRead | None
    lines: list[OrderLineRead]
