"""Plans, as they travel over HTTP."""

import uuid
from datetime import date, datetime, time
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from cloud_api.kernel.http import RequestModel, ResponseModel
from cloud_api.kernel.json_types import LocalTime

Objective = Literal["distance", "time", "fuel", "cost", "hybrid"]
Cause = Literal["late_order", "cancelled", "breakdown", "warm_van", "delay"]
Seconds = Annotated[int, Field(ge=0, le=86_400)]
Minor = Annotated[int, Field(ge=0, le=100_000_000)]
Priority = Annotated[int, Field(ge=0, le=100)]
Factors = list[Annotated[float, Field(ge=0.1, le=10, allow_inf_nan=False)]]


class Constraints(RequestModel):
    """How an organisation plans when nobody says otherwise. What is not sent is as it is by default."""

    #: metres, seconds, millilitres, money, or money with a price for carbon dioxide
    objective: Objective = "distance"
    #: handing over at each door is as long as past deliveries there took; else `service_time_s`
    learn_service_times: bool = True
    service_time_s: Annotated[int, Field(ge=0, le=14_400)] = 240
    service_s_per_100_kg: Annotated[int, Field(ge=0, le=3_600)] = 0
    #: over a day in a city, standing at lights included
    speed_kmh: Annotated[float, Field(ge=1, le=150, allow_inf_nan=False)] = 25.0
    #: metres of road for a metre as the crow flies
    detour_factor: Annotated[float, Field(ge=1, le=5, allow_inf_nan=False)] = 1.3
    #: 24 factors of travel time, by local hour; none: always alike
    weekday_factors: Factors = Field(default_factory=list)
    weekend_factors: Factors = Field(default_factory=list)
    #: no more driving than this without a rest of `rest_s`
    drive_at_most_s: Annotated[int, Field(ge=1_800, le=43_200)] | None = None
    rest_s: Annotated[int, Field(ge=0, le=14_400)] = 1_800
    max_stops: Annotated[int, Field(ge=1, le=500)] | None = None
    max_distance_m: Annotated[int, Field(ge=1_000, le=2_000_000)] | None = None
    #: chilled and frozen goods are no longer in a van than this
    chilled_aboard_s: Annotated[int, Field(ge=600, le=86_400)] | None = None
    frozen_aboard_s: Annotated[int, Field(ge=600, le=86_400)] | None = None
    #: how long after its window a door may still be served, and the price of an hour of it, in units of the objective
    late_tolerance_s: Seconds = 0
    late_cost_per_hour: Minor = 0
    #: added to the priority of an order for each attempt that has failed: it is left out last
    retry_priority: Priority = 10
    driver_cost_per_hour_minor: Minor = 0
    #: on top of what the vans cost by the kilometre
    fuel_price_minor_per_l: Minor = 0
    co2_price_minor_per_kg: Minor = 0
    #: stops that may change vans for each late order
    max_moved: Annotated[int, Field(ge=0, le=50)] = 2
    #: how long after its shift a van that is under way may still be sent
    overtime_s: Annotated[int, Field(ge=0, le=28_800)] = 7_200
    #: handing one order over from a van that broke down
    handover_s: Annotated[int, Field(ge=0, le=3_600)] = 120

    @model_validator(mode="after")
    def _whole_days(self) -> Self:
        for name in ("weekday_factors", "weekend_factors"):
            if len(getattr(self, name)) not in (0, 24):
                raise ValueError(f"{name} has {len(getattr(self, name))} factors: give 24, one an hour, or none")
        return self


class ConstraintsWrite(Constraints):
    """The same, as they are set."""

    #: the version that was read; left out: whatever it is by now
    version: Annotated[int, Field(ge=0)] | None = None


class ConstraintsRead(Constraints):
    """The same, as they are."""

    #: counts the changes; 0: nobody has set anything
    version: int
    changed_at: datetime | None
    changed_by: uuid.UUID | None


class OptimizeRequest(RequestModel):
    """Plan a day's packed orders of a warehouse."""

    warehouse_id: uuid.UUID
    delivery_date: date
    #: local time at which vans may leave
    departs_at: LocalTime = time(7)
    #: every active van, when there are none
    vehicle_ids: Annotated[list[uuid.UUID], Field(max_length=200, default_factory=list)]
    time_limit_s: Annotated[int, Field(ge=1, le=300)] = 10
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0


class PlanRequest(OptimizeRequest):
    """The same, looked at before it is driven."""

    #: every packed order of the day that has no route, when there are none
    order_ids: Annotated[list[uuid.UUID], Field(max_length=2_000, default_factory=list)]
    #: the organisation's own, when none is named
    objective: Objective | None = None
    #: order -> 0 to 100: the higher, the later it is left out
    priorities: Annotated[dict[uuid.UUID, Priority], Field(max_length=2_000, default_factory=dict)]
    #: make the routes at once; what no longer holds by then is left out and named
    auto_apply: bool = False


class UnservedRead(ResponseModel):
    """An order that no route takes, and why."""

    order_id: uuid.UUID
    reason: str


class ProgressRead(ResponseModel):
    """The best plan so far."""

    elapsed_s: float
    #: in units of the objective
    cost: int
    #: orders that it leaves out
    left_out: int


class PlanningJobRead(ResponseModel):
    """A run of the optimizer."""

    id: uuid.UUID
    warehouse_id: uuid.UUID
    delivery_date: date
    kind: Literal["plan", "replan"]
    objective: Objective
    status: str
    #: of a replan: what happened, in words too
    cause: Cause | None
    why: str
    auto_apply: bool
    time_limit_s: int
    requested_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    applied_at: datetime | None
    progress: ProgressRead | None
    #: counts the edits of its solution
    version: int
    distance_m: int | None
    unserved: list[UnservedRead]
    error: str | None


class PlanStopRead(ResponseModel):
    """One stop of a planned route."""

    order_id: uuid.UUID
    order_number: str
    #: from 1
    sequence: int
    arrives_at: datetime
    #: the door is served from then; in between the van waits
    starts_at: datetime
    leaves_at: datetime
    waits_s: int
    #: after what was promised
    late_s: int
    load_g: int
    latitude: float
    longitude: float
    #: it stays where it is when the plan is made again
    locked: bool
    #: its goods are fetched there from a van that broke down
    is_pickup: bool = False


class CompartmentLoadRead(ResponseModel):
    """How full one part of a van leaves."""

    #: None: the van as a whole
    compartment: str | None
    load_g: int
    capacity_g: int


class RestRead(ResponseModel):
    """A break of the driver's."""

    starts_at: datetime
    ends_at: datetime


class FiguresRead(ResponseModel):
    """What driving takes; money in minor units of the organisation's currency."""

    distance_m: int
    duration_s: int
    fuel_ml: int
    co2_g: int
    cost_minor: int


class PlanRouteRead(FiguresRead):
    """One van's day."""

    vehicle_id: uuid.UUID
    vehicle_number: str
    driver_id: uuid.UUID | None
    #: of a replan, and of routes that were made: the route that it goes on with
    route_id: uuid.UUID | None
    #: of a route that was made: to be named by whoever changes it
    version: int | None = None
    departs_at: datetime
    returns_at: datetime
    late_s: int
    loads: list[CompartmentLoadRead]
    rests: list[RestRead]
    stops: list[PlanStopRead]


class PlanUnservedRead(ResponseModel):
    """An order that no van takes."""

    order_id: uuid.UUID
    order_number: str
    #: which rules stand in the way
    rules: list[str]
    reason: str
    #: the cheapest change that would let it in
    remedy: str


class ComparisonRead(FiguresRead):
    """What the plan is compared with."""

    #: in words
    what: str
    #: stops that it serves, and how many of them too late
    served: int
    late: int


class ViolationRead(ResponseModel):
    """A rule that somebody broke by hand."""

    rule: str
    words: str


class ChangeRead(ResponseModel):
    """What a replan does to one order."""

    order_id: uuid.UUID
    order_number: str
    change: Literal["added", "removed", "moved", "handed_over", "resequenced", "later", "sooner", "left_out"]
    from_vehicle_id: uuid.UUID | None
    to_vehicle_id: uuid.UUID | None
    #: seconds that its van comes later than planned; negative: sooner
    shift_s: int | None
    why: str


class SolutionRead(ResponseModel):
    """What a job found, as it was edited since."""

    job_id: uuid.UUID
    status: str
    #: counts the edits: who changes it names the one that they saw
    version: int
    objective: Objective
    #: where the ways come from: great circles, or a server of roads
    roads: str
    total: FiguresRead
    baseline: ComparisonRead
    #: baseline minus total
    saved: FiguresRead
    served: int
    routes: list[PlanRouteRead]
    unserved: list[PlanUnservedRead]
    #: none: it can be driven as it is
    violations: list[ViolationRead]
    #: of a replan
    changes: list[ChangeRead]
    why: list[str]


class Move(RequestModel):
    """One change by hand. A stop that is assigned without a place is put where it costs least."""

    action: Literal["assign", "unassign", "swap", "lock", "unlock"]
    #: of assign, unassign and lock: locked is its route up to it
    order_id: uuid.UUID | None = None
    #: of assign, swap and unlock
    vehicle_id: uuid.UUID | None = None
    #: of swap: the two vans exchange their routes
    with_vehicle_id: uuid.UUID | None = None
    #: of assign: the stop before or after which it is driven
    before: uuid.UUID | None = None
    after: uuid.UUID | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        needed = {
            "assign": ("order_id", "vehicle_id"),
            "unassign": ("order_id",),
            "swap": ("vehicle_id", "with_vehicle_id"),
            "lock": ("order_id",),
            "unlock": ("vehicle_id",),
        }[self.action]
        missing = [name for name in needed if getattr(self, name) is None]
        if missing:
            raise ValueError(f"{self.action} needs {' and '.join(missing)}")
        taken = {*needed, "before", "after"} if self.action == "assign" else {*needed}
        beside = [name for name in type(self).model_fields if name not in {*taken, "action"} and getattr(self, name)]
        if beside:
            raise ValueError(f"{self.action} takes no {' and no '.join(beside)}")
        if self.before is not None and self.after is not None:
            raise ValueError("say before or after which stop, not both")
        return self


class AssignmentRequest(RequestModel):
    """Change a plan by hand: a job's solution, or routes that have been made and not started."""

    #: whose solution; None: the routes of a warehouse's day
    job_id: uuid.UUID | None = None
    warehouse_id: uuid.UUID | None = None
    delivery_date: date | None = None
    moves: Annotated[list[Move], Field(min_length=1, max_length=200)]
    #: of the solution that was looked at
    version: Annotated[int, Field(ge=1)] | None = None
    #: route -> the version that was looked at; another one is refused
    route_versions: Annotated[dict[uuid.UUID, int], Field(max_length=200, default_factory=dict)]
    #: only say what it would do
    dry_run: bool = False
    #: keep it although it breaks rules; they are written down
    force: bool = False

    @model_validator(mode="after")
    def _of_something(self) -> Self:
        of_a_day = self.warehouse_id is not None and self.delivery_date is not None
        of_a_job = self.job_id is not None and self.warehouse_id is None and self.delivery_date is None
        if of_a_job == (of_a_day and self.job_id is None):
            raise ValueError("name a job_id alone, or a warehouse_id with its delivery_date")
        return self


class DraftRead(ResponseModel):
    """What an edit makes of a plan; of routes that were made, of the vans that it concerns."""

    #: whether it was kept
    kept: bool
    version: int | None
    #: of these vans all the rest is told; one that is not among `routes` has no stops
    vehicle_ids: list[uuid.UUID]
    total: FiguresRead
    #: against the plan before; positive is more
    cost: int
    distance_m: int
    duration_s: int
    routes: list[PlanRouteRead]
    unserved: list[PlanUnservedRead]
    violations: list[ViolationRead]


class ApplyRequest(RequestModel):
    """Publish a solution."""

    #: make what still holds, and name the rest; otherwise it is all or nothing
    allow_partial: bool = False
    #: of the solution that was looked at
    version: Annotated[int, Field(ge=1)] | None = None


class ReplanRequest(RequestModel):
    """Plan what is left of a day again: a proposal, changed by nobody until it is applied."""

    route_ids: Annotated[list[uuid.UUID], Field(min_length=1, max_length=200)]
    cause: Cause
    why: Annotated[str, Field(max_length=300)] = ""
    #: of a late order: these; otherwise every packed order of the day that waits
    order_ids: Annotated[list[uuid.UUID], Field(max_length=500, default_factory=list)]
    time_limit_s: Annotated[int, Field(ge=1, le=60)] = 2
