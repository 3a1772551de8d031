"""What dispatchers look at beside plans, as it travels over HTTP: the board, distances, and what became of plans."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import Query
from pydantic import Field

from cloud_api.kernel.http import RequestModel, ResponseModel
from cloud_api.kernel.json_types import LocalTime
from cloud_api.kernel.paging import PageQuery
from cloud_api.logistics.deliveries.states import DeliveryStatus, RouteStatus
from cloud_api.logistics.dispatch.schemas import (
    CompartmentLoadRead,
    Objective,
    PlanningJobRead,
    PlanStopRead,
    RestRead,
)


class PointWrite(RequestModel):
    """A place, WGS 84 degrees."""

    latitude: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
    longitude: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]


class MatrixRequest(RequestModel):
    """Between which places."""

    points: Annotated[list[PointWrite], Field(min_length=1, max_length=200)]


class MatrixRead(ResponseModel):
    """From row to column; null where no road leads."""

    #: great circles, or the server that knows the roads
    source: str
    distance_m: list[list[int | None]]
    duration_s: list[list[int | None]]


@dataclass(frozen=True)
class OptimizationsQuery(PageQuery):
    """Which changes of routes."""

    route_id: Annotated[list[uuid.UUID] | None, Query(max_length=200, description="Only of these routes.")] = None
    kind: Literal["plan", "edit", "replan"] | None = None


class RouteOptimizationRead(ResponseModel):
    """What a plan, an edit or a replan did to a route's figures."""

    id: uuid.UUID
    route_id: uuid.UUID
    job_id: uuid.UUID | None
    kind: Literal["plan", "edit", "replan"]
    objective: Objective
    made_at: datetime
    distance_before_m: int
    distance_m: int
    duration_before_s: int
    duration_s: int
    fuel_before_ml: int
    fuel_ml: int
    co2_before_g: int
    co2_g: int
    cost_before_minor: int
    cost_minor: int


class PerformanceRead(ResponseModel):
    """Completed routes of one week, and of one driver where it is asked for by driver: planned against driven."""

    #: its Monday
    week: date
    #: None: all drivers together, or a route that nobody was named for
    driver_id: uuid.UUID | None
    routes: int
    #: of those whose distance is known
    measured: int
    planned_distance_m: int
    distance_m: int
    planned_fuel_ml: int
    fuel_ml: int
    planned_co2_g: int
    co2_g: int
    planned_duration_s: int
    duration_s: int
    stops: int
    delivered: int
    on_time: int
    #: of the delivered; None: there are none
    on_time_share: float | None


class VehicleUseRead(ResponseModel):
    """What a vehicle did on some days."""

    vehicle_id: uuid.UUID
    number: str
    status: str
    #: on which it drove, of those that were asked for
    days_driven: int
    days: int
    routes: int
    stops: int
    #: as planned; what was driven is known of completed routes only
    distance_m: int
    #: from leaving to coming back, of completed routes
    duration_s: int
    #: carried when it left, against what it carries, over all its routes; null: it drove none
    load_share: float | None


class BoardOrderRead(ResponseModel):
    """An order, and the door it goes to."""

    id: uuid.UUID
    number: str
    customer_name: str
    address: str
    latitude: float
    longitude: float
    window_from: LocalTime
    window_until: LocalTime
    weight_g: int
    #: in vain, until now
    attempts: int


class BoardVanRead(ResponseModel):
    """A van, and whether it can be planned."""

    vehicle_id: uuid.UUID
    number: str
    driver_id: uuid.UUID | None
    driver_name: str | None
    capacity_g: int
    shift_from: datetime | None
    shift_until: datetime | None
    #: why it cannot be planned; empty: it can
    unavailable: str


class BoardRouteRead(ResponseModel):
    """A route of the day, and how far it is."""

    id: uuid.UUID
    number: str
    status: str
    version: int
    vehicle_id: uuid.UUID
    driver_id: uuid.UUID | None
    driver_name: str | None
    departs_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    distance_m: int
    load_g: int
    stops: int
    delivered: int
    failed: int
    #: of the stop that is next
    next_arrival_at: datetime | None
    latitude: float | None
    longitude: float | None
    seen_at: datetime | None


class BoardRead(ResponseModel):
    """A warehouse's day at a glance."""

    warehouse_id: uuid.UUID
    delivery_date: date
    #: packed, and on no route
    unplanned: list[BoardOrderRead]
    vans: list[BoardVanRead]
    routes: list[BoardRouteRead]
    #: jobs that wait for somebody: queued, running, or with a solution that was not applied
    jobs: list[PlanningJobRead]


class ScheduledStopRead(PlanStopRead):
    """One stop of a route of the day: as planned, or what became of it."""

    status: DeliveryStatus


class ScheduledRouteRead(ResponseModel):
    """A route of the day: one that has not left as its plan has it, another one as it is driven."""

    route_id: uuid.UUID
    status: RouteStatus
    version: int
    vehicle_id: uuid.UUID
    vehicle_number: str
    driver_id: uuid.UUID | None
    departs_at: datetime
    #: null: it is on the road
    returns_at: datetime | None
    distance_m: int
    duration_s: int
    late_s: int
    load_g: int
    #: of one that has not left
    loads: list[CompartmentLoadRead]
    rests: list[RestRead]
    stops: list[ScheduledStopRead]


class ScheduleRead(ResponseModel):
    """The routes of a warehouse's day, stop by stop."""

    warehouse_id: uuid.UUID
    delivery_date: date
    routes: list[ScheduledRouteRead]
    #: those that the routes have
    orders: list[BoardOrderRead]
