"""Vans, planning jobs, routes, deliveries, and where the vans were."""

import uuid
from datetime import date, datetime

from sqlalchemy import JSON, CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization
from cloud_api.logistics.states import DeliveryStatus, JobStatus, RouteStatus

FAILURES = ("customer_absent", "refused", "wrong_address", "damaged", "excursion", "vehicle", "other")


class Vehicle(OrganizationOwned, Base):
    """A place with wheels: what is in it lies in its location."""

    __tablename__ = "vehicles"
    __table_args__ = (
        UniqueConstraint("organization_id", "number"),
        CheckConstraint("status IN ('active', 'maintenance', 'inactive')", name="status"),
        CheckConstraint("capacity_g > 0", name="capacity"),
        same_organization("location_id", "locations"),
        same_organization("driver_id", "users"),
    )

    #: the number plate
    number: Mapped[str]
    location_id: Mapped[uuid.UUID]
    capacity_g: Mapped[int]
    is_refrigerated: Mapped[bool] = mapped_column(default=True)
    driver_id: Mapped[uuid.UUID | None]
    status: Mapped[str] = mapped_column(default="active")
    created_at: Mapped[datetime]


class PlanningJob(OrganizationOwned, Base):
    """One run of the optimizer over a day's packed orders."""

    __tablename__ = "planning_jobs"
    __table_args__ = (
        CheckConstraint(f"status IN {tuple(str(status) for status in JobStatus)}", name="status"),
        same_organization("warehouse_id", "warehouses"),
    )

    warehouse_id: Mapped[uuid.UUID]
    delivery_date: Mapped[date]
    #: vehicles leave no earlier
    departs_at: Mapped[datetime]
    vehicle_ids: Mapped[list[str]] = mapped_column(JSON)
    time_limit_s: Mapped[int]
    seed: Mapped[int]
    status: Mapped[str] = mapped_column(default=JobStatus.QUEUED)
    requested_at: Mapped[datetime]
    requested_by: Mapped[uuid.UUID]
    finished_at: Mapped[datetime | None]
    #: the machine that runs it is believed alive until then, by the machines' own clocks
    leased_until: Mapped[datetime | None] = mapped_column(info={"audited": False})
    distance_m: Mapped[int | None]
    #: [{"order_id", "reason"}]
    unserved: Mapped[list[dict[str, str]]] = mapped_column(JSON, default=list)
    error: Mapped[str | None]


class Route(OrganizationOwned, Base):
    """What one van drives on one day."""

    __tablename__ = "delivery_routes"
    __table_args__ = (
        UniqueConstraint("organization_id", "number"),
        CheckConstraint(f"status IN {tuple(str(status) for status in RouteStatus)}", name="status"),
        Index(
            "uq_delivery_routes_driving",
            "vehicle_id",
            unique=True,
            sqlite_where=text("status = 'in_progress'"),
            postgresql_where=text("status = 'in_progress'"),
        ),
        same_organization("vehicle_id", "vehicles"),
        same_organization("driver_id", "users"),
        same_organization("warehouse_id", "warehouses"),
        same_organization("planning_job_id", "planning_jobs"),
    )

    number: Mapped[str]
    vehicle_id: Mapped[uuid.UUID]
    driver_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    warehouse_id: Mapped[uuid.UUID]
    planning_job_id: Mapped[uuid.UUID | None]
    delivery_date: Mapped[date]
    departs_at: Mapped[datetime]
    distance_m: Mapped[int]
    duration_s: Mapped[int]
    load_g: Mapped[int]
    status: Mapped[str] = mapped_column(default=RouteStatus.PLANNED)
    started_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]


class Delivery(OrganizationOwned, Base):
    """One attempt to bring one order to its door."""

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("organization_id", "number"),
        UniqueConstraint("order_id", "attempt"),
        UniqueConstraint("route_id", "sequence"),
        CheckConstraint(f"status IN {tuple(str(status) for status in DeliveryStatus)}", name="status"),
        CheckConstraint(f"failure_reason IN {FAILURES}", name="failure_reason"),
        CheckConstraint("status <> 'delivered' OR photo_sha256 IS NOT NULL", name="delivered_with_proof"),
        same_organization("order_id", "customer_orders"),
        same_organization("route_id", "delivery_routes"),
    )

    number: Mapped[str]
    order_id: Mapped[uuid.UUID]
    attempt: Mapped[int]
    route_id: Mapped[uuid.UUID]
    #: place in the route, from 1
    sequence: Mapped[int]
    planned_arrival_at: Mapped[datetime]
    status: Mapped[str] = mapped_column(default=DeliveryStatus.ASSIGNED)
    arrived_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    recipient_name: Mapped[str | None]
    photo_sha256: Mapped[str | None]
    #: of the product, measured at the door
    cargo_temperature_c: Mapped[float | None]
    #: where the proof was given; degrees, WGS 84
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    failure_reason: Mapped[str | None]
    note: Mapped[str] = mapped_column(default="")


class VehiclePosition(OrganizationOwned, Base):
    """Where a van was; append-only."""

    __tablename__ = "vehicle_positions"
    __audited__ = False
    __table_args__ = (
        UniqueConstraint("vehicle_id", "recorded_at"),
        same_organization("vehicle_id", "vehicles"),
        same_organization("route_id", "delivery_routes"),
    )

    vehicle_id: Mapped[uuid.UUID]
    route_id: Mapped[uuid.UUID] = mapped_column(index=True)
    recorded_at: Mapped[datetime]
    latitude: Mapped[float]
    longitude: Mapped[float]
    speed_kmh: Mapped[float | None]
