"""Promises, as they travel over HTTP."""

import uuid
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from cloud_api.kernel.http import RequestModel, ResponseModel
from cloud_api.kernel.quantity import PositiveQuantity, Quantity

ReservationStatus = Literal["active", "consumed", "released", "expired"]
Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]


class ReservationCreate(RequestModel):
    """Stock to be promised: of a product in a warehouse what expires first, or of one stock level."""

    #: for whom or for what; what was reserved for it can be found by it
    reference: Annotated[str, Field(min_length=1, max_length=120)]
    quantity: PositiveQuantity
    #: with `warehouse_id`; not with `stock_level_id`
    product_id: uuid.UUID | None = None
    warehouse_id: uuid.UUID | None = None
    stock_level_id: uuid.UUID | None = None
    #: when it lapses by itself; nobody said: half an hour from now
    expires_at: AwareDatetime | None = None
    #: the day by which it must not have expired; nobody said: today
    needed_on: date | None = None
    #: for a customer who asks of shelf life more than that
    customer_id: uuid.UUID | None = None


class ReservationRelease(RequestModel):
    """Why a promise is given back."""

    #: for the audit trail
    reason: Annotated[str, Field(max_length=500)] = ""


class ReservationRead(ResponseModel):
    """Stock that is promised."""

    id: uuid.UUID
    #: for whom: `order_line:<id>`, or `manual:<reference>`
    source: str
    status: ReservationStatus
    stock_level_id: uuid.UUID
    product_id: uuid.UUID
    lot_id: uuid.UUID
    location_id: uuid.UUID
    quantity: Quantity
    reserved_at: datetime
    #: when it lapses by itself
    expires_at: datetime | None
    settled_at: datetime | None
    needed_on: date | None
    picked_at: datetime | None
    #: since when it is on hold, and nothing else could be promised instead
    at_risk_since: datetime | None


class FulfillmentLine(RequestModel):
    """How much of a product is to be served."""

    product_id: uuid.UUID
    quantity: PositiveQuantity


class FulfillmentRequest(RequestModel):
    """An order for which stock is to be found; nothing is promised by asking."""

    lines: Annotated[list[FulfillmentLine], Field(min_length=1, max_length=200)]
    needed_on: date | None = None
    customer_id: uuid.UUID | None = None
    #: where it goes; of two ways with as many warehouses the nearer one is chosen
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    #: only from these
    warehouse_ids: Annotated[list[uuid.UUID], Field(max_length=50)] | None = None


class FulfillmentPick(ResponseModel):
    """What to take from where, first to expire first."""

    product_id: uuid.UUID
    lot_id: uuid.UUID
    lot_number: str
    location_id: uuid.UUID
    stock_level_id: uuid.UUID
    quantity: Quantity
    #: the last day on which it may be sold from there
    last_day: date | None


class FulfillmentWarehouse(ResponseModel):
    """A warehouse of those that serve the order together."""

    warehouse_id: uuid.UUID
    code: str
    name: str
    #: as the crow flies; None: one of the two has no coordinates
    distance_km: float | None
    picks: list[FulfillmentPick]


class FulfillmentMissing(ResponseModel):
    """What nobody has."""

    product_id: uuid.UUID
    quantity: Quantity


class FulfillmentRead(ResponseModel):
    """How an order can be served."""

    complete: bool
    warehouses: list[FulfillmentWarehouse]
    missing: list[FulfillmentMissing]
