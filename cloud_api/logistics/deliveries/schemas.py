"""Vans, plans, routes and deliveries, as they travel over HTTP."""

import uuid
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from cloud_api.kernel.http import RequestModel, ResponseModel

Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
FailureReason = Literal["customer_absent", "refused", "wrong_address", "damaged", "excursion", "vehicle", "other"]


class RouteRead(ResponseModel):
    """What one van drives on one day."""

    id: uuid.UUID
    number: str
    vehicle_id: uuid.UUID
    driver_id: uuid.UUID | None
    warehouse_id: uuid.UUID
    planning_job_id: uuid.UUID | None
    delivery_date: date
    departs_at: datetime
    distance_m: int
    duration_s: int
    load_g: int
    status: str
    started_at: datetime | None
    completed_at: datetime | None


class DeliveryRead(ResponseModel):
    """One attempt at one door."""

    id: uuid.UUID
    number: str
    order_id: uuid.UUID
    attempt: int
    route_id: uuid.UUID
    sequence: int
    planned_arrival_at: datetime
    status: str
    arrived_at: datetime | None
    delivered_at: datetime | None
    recipient_name: str | None
    photo_sha256: str | None
    cargo_temperature_c: float | None
    latitude: float | None
    longitude: float | None
    failure_reason: str | None
    note: str


class RouteDetailRead(RouteRead):
    """A route with its stops in order."""

    deliveries: list[DeliveryRead]


class DeliveryMove(RequestModel):
    """The driver is at the door, or could not deliver."""

    status: Literal["arrived", "failed"]
    failure_reason: FailureReason | None = None
    note: Annotated[str, Field(max_length=1000)] = ""


class Proof(RequestModel):
    """What shows that the goods were handed over. The photo was uploaded before, and is named by its hash."""

    photo_sha256: Sha256
    recipient_name: Annotated[str, Field(min_length=1, max_length=120)]
    cargo_temperature_c: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
    latitude: Latitude
    longitude: Longitude
    delivered_at: AwareDatetime
    note: Annotated[str, Field(max_length=1000)] = ""


class RouteComplete(RequestModel):
    """Where what could not be delivered was put; needed when there is any."""

    unload_location_id: uuid.UUID | None = None


class PhotoRead(ResponseModel):
    """A photo that arrived whole."""

    sha256: str
    size_bytes: int
