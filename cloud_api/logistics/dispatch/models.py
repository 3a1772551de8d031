"""Runs of the optimizer, what they found, and what became of it."""

import uuid
from datetime import date, datetime

from sqlalchemy import JSON, CheckConstraint, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization
from cloud_api.logistics.dispatch.states import JobStatus

OBJECTIVES = ("distance", "time", "fuel", "cost", "hybrid")
#: a whole day, or what is left of one
JOB_KINDS = ("plan", "replan")
CAUSES = ("late_order", "cancelled", "breakdown", "warm_van", "delay")
#: what a route's figures were improved by
CHANGES = ("plan", "edit", "replan")
_MACHINE_STATE = {"audited": False}
_OPEN_PROPOSAL = text("kind = 'replan' AND status IN ('queued', 'running', 'succeeded')")


class PlanningConstraints(OrganizationOwned, Base):
    """How an organisation plans when nobody says otherwise: one row, of which `schemas.Constraints` is the content."""

    __tablename__ = "planning_constraints"
    __table_args__ = (UniqueConstraint("organization_id"),)

    content: Mapped[dict[str, object]] = mapped_column(JSON)
    #: counts the changes
    version: Mapped[int]
    changed_at: Mapped[datetime]
    changed_by: Mapped[uuid.UUID | None]


class PlanningJob(OrganizationOwned, Base):
    """One run of the optimizer: over a day's packed orders, or over what is left of the day."""

    __tablename__ = "planning_jobs"
    __table_args__ = (
        CheckConstraint(f"status IN {tuple(str(status) for status in JobStatus)}", name="status"),
        CheckConstraint(f"objective IN {OBJECTIVES}", name="objective"),
        CheckConstraint(f"kind IN {JOB_KINDS}", name="kind"),
        CheckConstraint(f"cause IN {CAUSES}", name="cause"),
        CheckConstraint("(kind = 'replan') = (cause IS NOT NULL)", name="replan_has_a_cause"),
        Index(
            "uq_planning_jobs_open_proposal",
            "warehouse_id",
            "cause",
            unique=True,
            sqlite_where=_OPEN_PROPOSAL,
            postgresql_where=_OPEN_PROPOSAL,
        ),
        same_organization("warehouse_id", "warehouses"),
    )

    warehouse_id: Mapped[uuid.UUID]
    delivery_date: Mapped[date]
    kind: Mapped[str] = mapped_column(default="plan")
    objective: Mapped[str] = mapped_column(default="distance")
    #: vehicles leave no earlier
    departs_at: Mapped[datetime]
    vehicle_ids: Mapped[list[str]] = mapped_column(JSON)
    #: none: every packed order of the day; of a replan those that are late or cancelled
    order_ids: Mapped[list[str]] = mapped_column(JSON, default=list)
    #: of a replan: the routes that something happened to
    route_ids: Mapped[list[str]] = mapped_column(JSON, default=list)
    #: order -> 0 to 100: the higher, the later it is left out
    priorities: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)
    time_limit_s: Mapped[int]
    seed: Mapped[int]
    #: its routes are made as soon as it has succeeded; what no longer holds by then is left out and named
    auto_apply: Mapped[bool] = mapped_column(default=False)
    #: of a replan: what happened, as one of `CAUSES` and in words
    cause: Mapped[str | None]
    why: Mapped[str] = mapped_column(default="")
    status: Mapped[str] = mapped_column(default=JobStatus.QUEUED)
    requested_at: Mapped[datetime]
    #: None: the platform itself
    requested_by: Mapped[uuid.UUID | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    applied_at: Mapped[datetime | None]
    applied_by: Mapped[uuid.UUID | None]
    #: the machine that runs it is believed alive until then, by the machines' own clocks
    leased_until: Mapped[datetime | None] = mapped_column(info=_MACHINE_STATE)
    #: counts who took it: what an earlier run found is refused
    run: Mapped[int] = mapped_column(default=0, info=_MACHINE_STATE)
    #: {"elapsed_s", "cost", "left_out"} of the best plan so far
    progress: Mapped[dict[str, object] | None] = mapped_column(JSON, info=_MACHINE_STATE)
    #: counts the edits of its solution
    version: Mapped[int] = mapped_column(default=1)
    distance_m: Mapped[int | None]
    #: [{"order_id", "reason"}]
    unserved: Mapped[list[dict[str, str]]] = mapped_column(JSON, default=list)
    #: why it failed, or why nobody wants it
    error: Mapped[str | None]


class PlanningSolution(OrganizationOwned, Base):
    """What a job found, as it was edited since; of each change `PlanningEdit` tells who made it."""

    __tablename__ = "planning_solutions"
    __audited__ = False
    __table_args__ = (UniqueConstraint("job_id"), same_organization("job_id", "planning_jobs", ondelete="CASCADE"))

    job_id: Mapped[uuid.UUID]
    #: `solutions.Solution`, packed
    content: Mapped[bytes] = mapped_column(LargeBinary)


class PlanningEdit(OrganizationOwned, Base):
    """A change that somebody made by hand, with the rules that it breaks."""

    __tablename__ = "planning_edits"
    __table_args__ = (
        same_organization("job_id", "planning_jobs", ondelete="CASCADE"),
        same_organization("warehouse_id", "warehouses"),
    )

    #: None: of routes that were made already
    job_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    warehouse_id: Mapped[uuid.UUID]
    delivery_date: Mapped[date]
    edited_at: Mapped[datetime]
    edited_by: Mapped[uuid.UUID | None]
    #: as they were asked for
    moves: Mapped[list[dict[str, object]]] = mapped_column(JSON)
    #: [{"rule", "words"}]: kept all the same
    violations: Mapped[list[dict[str, str]]] = mapped_column(JSON)


class RouteOptimization(OrganizationOwned, Base):
    """What a plan, an edit or a replan did to one route's figures; append-only."""

    __tablename__ = "route_optimizations"
    __table_args__ = (
        CheckConstraint(f"kind IN {CHANGES}", name="kind"),
        CheckConstraint(f"objective IN {OBJECTIVES}", name="objective"),
        same_organization("route_id", "delivery_routes", ondelete="CASCADE"),
        same_organization("job_id", "planning_jobs"),
    )

    route_id: Mapped[uuid.UUID] = mapped_column(index=True)
    job_id: Mapped[uuid.UUID | None]
    kind: Mapped[str]
    objective: Mapped[str]
    made_at: Mapped[datetime]
    #: metres, seconds, millilitres, grams, minor currency units: before and after
    distance_before_m: Mapped[int]
    distance_m: Mapped[int]
    duration_before_s: Mapped[int]
    duration_s: Mapped[int]
    fuel_before_ml: Mapped[int]
    fuel_ml: Mapped[int]
    co2_before_g: Mapped[int]
    co2_g: Mapped[int]
    cost_before_minor: Mapped[int]
    cost_minor: Mapped[int]


class RoutePerformance(OrganizationOwned, Base):
    """What a completed route was planned to be and what it was; append-only."""

    __tablename__ = "route_performances"
    __table_args__ = (
        UniqueConstraint("route_id"),
        Index("ix_route_performances_organization_id_delivery_date", "organization_id", "delivery_date"),
        same_organization("route_id", "delivery_routes", ondelete="CASCADE"),
        same_organization("warehouse_id", "warehouses"),
        same_organization("driver_id", "users"),
    )

    route_id: Mapped[uuid.UUID]
    warehouse_id: Mapped[uuid.UUID]
    driver_id: Mapped[uuid.UUID | None]
    delivery_date: Mapped[date]
    planned_distance_m: Mapped[int]
    #: by the odometer, else by the positions; None: neither is known
    distance_m: Mapped[int | None]
    planned_duration_s: Mapped[int]
    duration_s: Mapped[int]
    planned_fuel_ml: Mapped[int]
    fuel_ml: Mapped[int | None]
    planned_co2_g: Mapped[int]
    co2_g: Mapped[int | None]
    stops: Mapped[int]
    delivered: Mapped[int]
    #: delivered, and the van was there before the window closed
    on_time: Mapped[int]
