"""Routes and deliveries, as they travel over HTTP, and what a phone says of them."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Annotated, Literal

from fastapi import Query
from pydantic import AwareDatetime, Field

from cloud_api.kernel.http import RequestModel, ResponseModel
from cloud_api.kernel.json_types import LocalTime
from cloud_api.kernel.paging import RowsQuery
from cloud_api.kernel.versions import Edit

Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
Celsius = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Otp = Annotated[str, Field(pattern="^[0-9]{6}$")]
Kilometres = Annotated[int, Field(ge=0, le=5_000_000)]
Note = Annotated[str, Field(max_length=1000)]
Reason = Annotated[str, Field(min_length=1, max_length=500)]
FailureReason = Literal["customer_absent", "refused", "wrong_address", "damaged", "excursion", "vehicle", "other"]
ContactChannel = Literal["call", "sms", "whatsapp"]


DeliveryNumber = Annotated[str, Field(max_length=40, pattern=r"^[^\x00]*$")]
RouteState = Literal["planned", "in_progress", "completed", "cancelled"]
DeliveryState = Literal[
    "pending", "assigned", "out_for_delivery", "arrived", "delivered", "failed", "returned", "cancelled"
]


@dataclass(frozen=True)
class RoutesQuery(RowsQuery):
    """Which routes are asked for."""

    planning_job_id: uuid.UUID | None = None
    vehicle_id: uuid.UUID | None = None
    driver_id: uuid.UUID | None = None
    warehouse_id: uuid.UUID | None = None
    status: RouteState | None = None
    #: days on which they are driven, the last one included
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True)
class DeliveriesQuery(RowsQuery):
    """Which deliveries are asked for; by driver or day, only such as are on a route."""

    order_id: uuid.UUID | None = None
    route_id: uuid.UUID | None = None
    driver_id: uuid.UUID | None = None
    warehouse_id: uuid.UUID | None = None
    status: DeliveryState | None = None
    #: only these, as `DLV-2026-00042`
    number: Annotated[list[DeliveryNumber] | None, Query(max_length=200)] = None
    #: days on which they are driven, the last one included
    since: date | None = None
    until: date | None = None


class RouteRead(ResponseModel):
    """What one van drives on one day."""

    id: uuid.UUID
    number: str
    name: str
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
    odometer_start_km: int | None
    odometer_end_km: int | None
    fuel_ml: int | None
    cancelled_reason: str | None
    version: int


class DeliveryRead(ResponseModel):
    """One attempt at one door. `route_id`, `sequence` and `planned_arrival_at` are null until a route takes it."""

    id: uuid.UUID
    number: str
    order_id: uuid.UUID
    attempt: int
    route_id: uuid.UUID | None
    sequence: int | None
    planned_arrival_at: datetime | None
    status: str
    scanned_at: datetime | None
    arrived_at: datetime | None
    delivered_at: datetime | None
    recipient_name: str | None
    photo_sha256: str | None
    signature_sha256: str | None
    cargo_temperature_c: float | None
    #: "probe" or "van_sensor"
    cargo_temperature_source: str | None
    latitude: float | None
    longitude: float | None
    failure_reason: str | None
    note: str
    otp_status: str
    otp_attempts: int
    otp_sent_at: datetime | None
    otp_verified_at: datetime | None
    #: counts what dispatchers changed; `DeliveryUpdate` may say which it was made of
    version: int


class RouteNamedRead(RouteRead):
    """A route with what people call its van and its driver."""

    vehicle_number: str
    #: null: nobody drives it yet
    driver_name: str | None


class DeliveryAtDoorRead(DeliveryRead):
    """A delivery with whose door it goes to, where that is, and when it is open."""

    order_number: str
    customer_name: str
    address: str
    door_latitude: float
    door_longitude: float
    #: local times of the day it is promised for
    window_from: LocalTime
    window_until: LocalTime
    #: as it was packed; null: nobody weighed it
    packed_weight_g: int | None


class RouteDetailRead(RouteNamedRead):
    """A route with its stops in order."""

    deliveries: list[DeliveryAtDoorRead]


class RouteCreate(RequestModel):
    """A route by hand: these orders, in this sequence."""

    warehouse_id: uuid.UUID
    vehicle_id: uuid.UUID
    #: the van's own, when there is none
    driver_id: uuid.UUID | None = None
    delivery_date: date
    #: local time at which the van leaves
    departs_at: LocalTime = time(7)
    order_ids: Annotated[list[uuid.UUID], Field(min_length=1, max_length=200)]
    name: Annotated[str, Field(max_length=120)] = ""


class RouteUpdate(RequestModel):
    """What is sent changes; the rest stays. Only as long as the route is planned."""

    name: Annotated[str, Field(max_length=120)] | None = None
    vehicle_id: uuid.UUID | None = None
    driver_id: uuid.UUID | None = None
    #: the stops in their new sequence, every one of them
    delivery_ids: Annotated[list[uuid.UUID], Field(min_length=1, max_length=200)] | None = None
    #: as it was read; refused when somebody else was quicker
    version: int | None = None


class RouteStart(RequestModel):
    """What the driver reads before setting off."""

    odometer_start_km: Kilometres | None = None


class RouteComplete(RequestModel):
    """Where what could not be delivered was put (needed when there is any), and what the driver reads at the end."""

    unload_location_id: uuid.UUID | None = None
    odometer_end_km: Kilometres | None = None
    #: filled up on the way
    fuel_ml: Annotated[int, Field(ge=0, le=2_000_000)] | None = None


class DeliveryCreate(RequestModel):
    """An attempt for a packed order, that waits for a route."""

    order_id: uuid.UUID


class DeliveryUpdate(Edit):
    """What is sent changes; the rest stays. Only before it is loaded."""

    #: null takes it off its route
    route_id: uuid.UUID | None = None
    planned_arrival_at: AwareDatetime | None = None
    note: Note | None = None


class DeliveryStatusChange(RequestModel):
    """A dispatcher moves a delivery: taken off its route, given up, at the door, or failed."""

    status: Literal["pending", "cancelled", "arrived", "failed"]
    failure_reason: FailureReason | None = None
    note: Note = ""


class OtpOverride(RequestModel):
    """Why the delivery is let pass without its code."""

    reason: Reason


class DeliveryMove(RequestModel):
    """The driver is at the door, or could not deliver."""

    status: Literal["arrived", "failed"]
    failure_reason: FailureReason | None = None
    #: what the driver found; uploaded before
    photo_sha256: Sha256 | None = None
    note: Note = ""


class Proof(RequestModel):
    """What shows that the goods were handed over. Photo and signature were uploaded before, and are named by hash."""

    photo_sha256: Sha256 | None = None
    signature_sha256: Sha256 | None = None
    recipient_name: Annotated[str, Field(min_length=1, max_length=120)]
    #: by a probe; null: the van's own sensor says it
    cargo_temperature_c: Celsius | None = None
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    delivered_at: AwareDatetime
    note: Note = ""
    #: what the customer said, when it was not entered before
    otp_code: Otp | None = None
    #: other deliveries of the same route for the same door: all of them, or none
    also: Annotated[list[uuid.UUID], Field(max_length=50, default_factory=list)]


class OtpEntry(RequestModel):
    """What the customer said."""

    code: Otp
    #: entered where there was no signal: a wrong one is kept as unverified instead of refused
    offline: bool = False


class DoorPayment(RequestModel):
    """Money taken at the door."""

    amount_minor: Annotated[int, Field(ge=1, le=10**12)]
    method: Literal["cash", "upi"]
    #: of the receipt, or of the UPI transaction: the same again is the same payment
    reference: Annotated[str, Field(min_length=1, max_length=80)]


class DoorPaymentRead(ResponseModel):
    """What was taken, and what is still due."""

    delivery_id: uuid.UUID
    amount_minor: int
    method: str
    reference: str
    due_minor: int


class ContactRequest(RequestModel):
    """The driver wants to reach the customer."""

    channel: ContactChannel
    #: of a message
    text: Annotated[str, Field(max_length=300)] = ""


class ContactRead(ResponseModel):
    """How the customer is reached. Their number is nowhere in it."""

    delivery_id: uuid.UUID
    channel: str
    #: "connected": dial `link`; "queued": the platform writes to them
    result: str
    #: the customer's number with all but its last digits hidden
    display: str
    #: `tel:` of the relay, which puts the call through; null for messages
    link: str | None


class ScanReport(RequestModel):
    """Codes that were scanned while loading: of orders, deliveries or lots."""

    codes: Annotated[list[Annotated[str, Field(min_length=1, max_length=1_000)]], Field(min_length=1, max_length=500)]


class MissingRead(ResponseModel):
    """What belongs on the van and was not scanned."""

    delivery_id: uuid.UUID
    order_number: str
    lot_numbers: list[str]


class ScanResult(ResponseModel):
    """What the scans say of the load."""

    complete: bool
    missing: list[MissingRead]
    #: codes of what is known, and not for this van
    not_for_this_van: list[str]
    unknown: list[str]


class PhotoRead(ResponseModel):
    """A photo that arrived whole."""

    sha256: str
    size_bytes: int


class ProofFileRead(ResponseModel):
    """A photo or a signature."""

    sha256: str
    size_bytes: int
    mime: str
    #: where its bytes are
    url: str
    #: the bytes were read just now, and have this hash
    intact: bool


class ProofRead(ResponseModel):
    """What shows that the goods were handed over."""

    delivery_id: uuid.UUID
    order_id: uuid.UUID
    delivered_at: datetime
    delivered_by: uuid.UUID | None
    #: who handed it over
    delivered_by_name: str | None
    recipient_name: str | None
    latitude: float | None
    longitude: float | None
    cargo_temperature_c: float | None
    cargo_temperature_source: str | None
    otp_status: str
    otp_verified_at: datetime | None
    otp_override_by: uuid.UUID | None
    otp_override_by_name: str | None
    otp_override_reason: str | None
    photo: ProofFileRead | None
    signature: ProofFileRead | None


class TodayLine(ResponseModel):
    """One product to hand over."""

    name: str
    quantity: str
    unit: str


class TodayStop(ResponseModel):
    """All that a driver has to know at one door."""

    delivery_id: uuid.UUID
    order_id: uuid.UUID
    order_number: str
    sequence: int
    attempt: int
    status: str
    planned_arrival_at: datetime
    customer_name: str
    address: str
    latitude: float
    longitude: float
    window_from: datetime
    window_until: datetime
    note: str
    phone: str
    cash_due_minor: int
    #: `upi://pay?…` for what is due, to be shown as a code; empty: nothing is due, or nobody said to whom
    upi_link: str
    otp_needed: bool
    otp_status: str
    lines: list[TodayLine]


class TodayRead(ResponseModel):
    """A driver's day: the route under way, or the next one."""

    route: RouteRead
    stops: list[TodayStop]


class HereRead(RequestModel):
    """Where the driver is; the last door, when it is not known."""

    latitude: Latitude | None = None
    longitude: Longitude | None = None


class Codes(RequestModel):
    """What a scanner read, many at once."""

    codes: Annotated[list[Annotated[str, Field(min_length=1, max_length=1_000)]], Field(min_length=1, max_length=200)]
