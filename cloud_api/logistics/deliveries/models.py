"""Vans, planning jobs, routes, deliveries, and where the vans were."""

import uuid
from datetime import date, datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization
from cloud_api.logistics.deliveries.states import DeliveryStatus, RouteStatus

FAILURES = ("customer_absent", "refused", "wrong_address", "damaged", "excursion", "vehicle", "other")


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
