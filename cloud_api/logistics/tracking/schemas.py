"""Where vans are and when they come, as it travels over HTTP."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import Query
from pydantic import AwareDatetime, Field

from cloud_api.kernel.http import RequestModel, ResponseModel
from cloud_api.kernel.paging import PageQuery, RowsQuery
from cloud_api.kernel.versions import Edit
from cloud_api.logistics.deliveries.schemas import Latitude, Longitude, RouteDetailRead

FenceKind = Literal["depot", "customer", "restricted"]
#: in one report
MOST_POSITIONS = 500


class PositionReport(RequestModel):
    """Where the van was. The same instant twice is one position."""

    recorded_at: AwareDatetime
    latitude: Latitude
    longitude: Longitude
    speed_kmh: Annotated[float, Field(ge=0, le=250, allow_inf_nan=False)] | None = None
    #: degrees from north, clockwise
    heading_deg: Annotated[float, Field(ge=0, lt=360, allow_inf_nan=False)] | None = None
    #: how far off it may be
    accuracy_m: Annotated[float, Field(ge=0, le=100_000, allow_inf_nan=False)] | None = None


class PositionReports(RequestModel):
    """Where the van was, one after the other."""

    #: null: the route under way, or else the van that is the driver's own
    route_id: uuid.UUID | None = None
    positions: Annotated[list[PositionReport], Field(min_length=1, max_length=MOST_POSITIONS)]


class PositionResult(ResponseModel):
    """What became of one position."""

    recorded_at: datetime
    status: Literal["accepted", "duplicate", "refused"]
    #: of one that was refused: CLOCK_IMPLAUSIBLE or TOO_OLD
    code: str | None = None
    message: str | None = None


class PositionsRead(ResponseModel):
    """What became of each position, in the order they were sent."""

    accepted: int
    duplicates: int
    refused: int
    results: list[PositionResult]


class EtaRead(ResponseModel):
    """When a van is expected, to the minute."""

    #: as likely before as after
    p50_at: datetime
    #: nine of ten come before it
    p90_at: datetime


class StopTrackRead(ResponseModel):
    """How far the van is from one door."""

    delivery_id: uuid.UUID
    order_id: uuid.UUID
    sequence: int
    status: str
    #: doors that come first; null: it has been there
    stops_before: int | None
    eta: EtaRead | None
    near_since: datetime | None
    #: when the van stopped there by its positions; that it has arrived, the driver says
    arrived_by_fence_at: datetime | None
    #: expected a quarter of an hour after it was planned, or later
    is_late: bool


class TrailPoint(ResponseModel):
    """Where the van was."""

    recorded_at: datetime
    latitude: float
    longitude: float


class CargoRead(ResponseModel):
    """What a thermometer in the van says."""

    location_id: uuid.UUID
    code: str
    temperature_c: float
    recorded_at: datetime
    #: it should have said something since; null: nobody knows how often it speaks
    stale: bool | None


class GeofenceEventRead(ResponseModel):
    """A van came into a fence, or left it."""

    id: uuid.UUID
    geofence_id: uuid.UUID
    vehicle_id: uuid.UUID
    route_id: uuid.UUID | None
    #: "enter" or "exit"
    event: str
    at: datetime
    latitude: float
    longitude: float


class TrackRead(ResponseModel):
    """Where a route is."""

    route: RouteDetailRead
    #: the delivery that was asked for; null: the route was
    delivery_id: uuid.UUID | None
    latitude: float | None
    longitude: float | None
    recorded_at: datetime | None
    speed_kmh: float | None
    heading_deg: float | None
    #: when the phone was last heard before it fell silent; null: it speaks
    silent_since: datetime | None
    stops: list[StopTrackRead]
    #: oldest first, thinned to a few hundred
    trail: list[TrailPoint]
    events: list[GeofenceEventRead]
    cargo: list[CargoRead]


@dataclass(frozen=True)
class ActiveDeliveriesQuery(PageQuery):
    """Which deliveries on the road are asked for."""

    route_id: uuid.UUID | None = None
    driver_id: uuid.UUID | None = None
    warehouse_id: uuid.UUID | None = None
    status: Literal["out_for_delivery", "arrived"] | None = None


@dataclass(frozen=True)
class ActiveRoutesQuery(RowsQuery):
    """Which routes under way are asked for, and which of their doors."""

    driver_id: uuid.UUID | None = None
    warehouse_id: uuid.UUID | None = None
    doors: Annotated[
        Literal["next", "late", "all"],
        Query(description="Of each: the next door ahead, those that it comes to late, or all ahead."),
    ] = "next"


class DoorAheadRead(ResponseModel):
    """A door that a van still comes to, or stands at."""

    delivery_id: uuid.UUID
    number: str
    order_id: uuid.UUID
    order_number: str
    customer_name: str
    address: str
    latitude: float
    longitude: float
    sequence: int
    status: str
    planned_arrival_at: datetime
    eta: EtaRead | None
    #: expected a quarter of an hour after it was planned, or later
    is_late: bool


class ActiveRouteRead(ResponseModel):
    """A van on the road."""

    id: uuid.UUID
    number: str
    warehouse_id: uuid.UUID
    vehicle_id: uuid.UUID
    vehicle_number: str
    driver_id: uuid.UUID | None
    driver_name: str | None
    started_at: datetime | None
    latitude: float | None
    longitude: float | None
    recorded_at: datetime | None
    #: when its phone was last heard before it fell silent; null: it speaks
    silent_since: datetime | None
    #: doors of the route; of them those that were served, those that failed, and those ahead
    stops: int
    delivered: int
    failed: int
    ahead: int
    #: of those ahead
    late: int
    #: those that were asked for, in the order in which they are driven
    doors: list[DoorAheadRead]


class ActiveDeliveryRead(ResponseModel):
    """A delivery on the road."""

    id: uuid.UUID
    number: str
    order_id: uuid.UUID
    order_number: str
    route_id: uuid.UUID
    vehicle_id: uuid.UUID
    driver_id: uuid.UUID | None
    sequence: int
    status: str
    stops_before: int | None
    eta: EtaRead | None
    planned_arrival_at: datetime
    #: of the van
    latitude: float | None
    longitude: float | None
    recorded_at: datetime | None


class EtaErrorRead(ResponseModel):
    """How true what customers were told was, of the arrivals of one week. Null: nobody arrived."""

    #: its Monday, by the organisation's calendar
    week: date
    #: one for each time that somebody was told
    promises: int
    #: later than told is positive
    bias_s: int | None
    mean_absolute_error_s: int | None
    #: came no later than p90, and no earlier before p50 than p90 lies after it
    share_within_band: float | None
    share_before_p50: float | None
    share_before_p90: float | None


class CircleRead(ResponseModel):
    """Everything within a radius."""

    latitude: float
    longitude: float
    radius_m: int


class CircleShape(RequestModel):
    """Everything within a radius."""

    latitude: Latitude
    longitude: Longitude
    radius_m: Annotated[int, Field(ge=20, le=50_000)]


Corner = tuple[Latitude, Longitude]
Corners = Annotated[list[Corner], Field(min_length=3, max_length=200)]
FenceName = Annotated[str, Field(min_length=1, max_length=120)]


class GeofenceCreate(RequestModel):
    """A circle or a polygon, one of them."""

    name: FenceName
    kind: FenceKind
    circle: CircleShape | None = None
    #: [latitude, longitude] of each corner; the last one is joined to the first
    polygon: Corners | None = None
    #: whose it is; null: everybody's
    warehouse_id: uuid.UUID | None = None
    customer_id: uuid.UUID | None = None


class GeofenceUpdate(Edit):
    """What is sent changes; the rest stays."""

    name: FenceName | None = None
    kind: FenceKind | None = None
    circle: CircleShape | None = None
    polygon: Corners | None = None
    warehouse_id: uuid.UUID | None = None
    customer_id: uuid.UUID | None = None


class GeofenceRead(ResponseModel):
    """A fence."""

    id: uuid.UUID
    name: str
    kind: str
    circle: CircleRead | None
    polygon: list[tuple[float, float]] | None
    warehouse_id: uuid.UUID | None
    customer_id: uuid.UUID | None
    version: int
    created_at: datetime


class StepRead(ResponseModel):
    """One step of an order on its way."""

    #: "taken", "packed", "on_the_way", "next", "arrived" or "delivered"
    step: str
    is_done: bool
    at: datetime | None


class VanRead(ResponseModel):
    """Where the van is, once it is near."""

    latitude: float
    longitude: float
    recorded_at: datetime
    #: to the door, as the crow flies
    distance_m: int


class OrderTrackRead(ResponseModel):
    """How far an order is, for whoever waits for it. No ids, and nobody's name."""

    order_number: str
    #: "taken", "packed", "on_the_way", "next", "arrived", "delivered", "failed", "returned" or "cancelled"
    status: str
    steps: list[StepRead]
    window_from: datetime
    window_until: datetime
    eta: EtaRead | None
    #: doors that come first; null: it is not on the road
    stops_before: int | None
    van: VanRead | None
    delivered_at: datetime | None
    has_photo: bool
    has_signature: bool
    #: of the product, at the door
    cargo_temperature_c: float | None
