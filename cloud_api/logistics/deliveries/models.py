"""Routes, deliveries, the codes that customers were sent, and who was called from the road."""

import uuid
from datetime import date, datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization
from cloud_api.kernel.versions import Versioned
from cloud_api.logistics.deliveries.states import DeliveryStatus, OtpStatus, RouteStatus

FAILURES = ("customer_absent", "refused", "wrong_address", "damaged", "excursion", "vehicle", "other")
#: what the product's temperature was taken with
TEMPERATURE_SOURCES = ("probe", "van_sensor")
CONTACT_CHANNELS = ("call", "sms", "whatsapp")
CONTACT_RESULTS = ("connected", "queued", "refused")
_DRIVING = text("status = 'in_progress'")


class Route(OrganizationOwned, Base):
    """What one van drives on one day."""

    __tablename__ = "delivery_routes"
    __table_args__ = (
        UniqueConstraint("organization_id", "number"),
        CheckConstraint(f"status IN {tuple(str(status) for status in RouteStatus)}", name="status"),
        CheckConstraint("odometer_end_km >= odometer_start_km", name="odometer"),
        CheckConstraint("fuel_ml >= 0", name="fuel"),
        Index(
            "uq_delivery_routes_driving", "vehicle_id", unique=True, sqlite_where=_DRIVING, postgresql_where=_DRIVING
        ),
        Index("uq_delivery_routes_driver", "driver_id", unique=True, sqlite_where=_DRIVING, postgresql_where=_DRIVING),
        Index("ix_delivery_routes_organization_id_delivery_date", "organization_id", "delivery_date"),
        same_organization("vehicle_id", "vehicles"),
        same_organization("driver_id", "users"),
        same_organization("warehouse_id", "warehouses"),
        same_organization("planning_job_id", "planning_jobs"),
    )

    number: Mapped[str]
    name: Mapped[str] = mapped_column(default="")
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
    #: as the driver read them
    odometer_start_km: Mapped[int | None]
    odometer_end_km: Mapped[int | None]
    #: filled up on the way
    fuel_ml: Mapped[int | None]
    cancelled_reason: Mapped[str | None]
    #: one more with each change of its stops, its van or its driver
    version: Mapped[int] = mapped_column(default=1)


class Delivery(Versioned, OrganizationOwned, Base):
    """One attempt to bring one order to its door. Until a route takes it, it is on none."""

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("organization_id", "number"),
        UniqueConstraint("order_id", "attempt"),
        UniqueConstraint("route_id", "sequence"),
        CheckConstraint(f"status IN {tuple(str(status) for status in DeliveryStatus)}", name="status"),
        CheckConstraint(f"failure_reason IN {FAILURES}", name="failure_reason"),
        CheckConstraint(f"otp_status IN {tuple(str(status) for status in OtpStatus)}", name="otp_status"),
        CheckConstraint(f"cargo_temperature_source IN {TEMPERATURE_SOURCES}", name="cargo_temperature_source"),
        CheckConstraint(
            "status <> 'delivered' OR photo_sha256 IS NOT NULL OR signature_sha256 IS NOT NULL",
            name="delivered_with_proof",
        ),
        CheckConstraint("route_id IS NOT NULL OR status IN ('pending', 'cancelled')", name="on_a_route"),
        CheckConstraint(
            "route_id IS NULL OR (sequence IS NOT NULL AND planned_arrival_at IS NOT NULL)", name="planned"
        ),
        same_organization("order_id", "customer_orders"),
        same_organization("route_id", "delivery_routes"),
        same_organization("delivered_by", "users"),
        same_organization("otp_override_by", "users"),
    )

    number: Mapped[str]
    order_id: Mapped[uuid.UUID]
    attempt: Mapped[int]
    route_id: Mapped[uuid.UUID | None]
    #: place in the route, from 1
    sequence: Mapped[int | None]
    planned_arrival_at: Mapped[datetime | None]
    status: Mapped[str] = mapped_column(default=DeliveryStatus.PENDING)
    #: its customer was told that nobody comes before them
    announced_at: Mapped[datetime | None] = mapped_column(info={"audited": False})
    #: all of it was scanned into the van
    scanned_at: Mapped[datetime | None]
    arrived_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    delivered_by: Mapped[uuid.UUID | None]
    recipient_name: Mapped[str | None]
    #: of the hand-over; of a failed attempt: what the driver found
    photo_sha256: Mapped[str | None]
    signature_sha256: Mapped[str | None]
    #: of the product, at the door
    cargo_temperature_c: Mapped[float | None]
    cargo_temperature_source: Mapped[str | None]
    #: where the proof was given; degrees, WGS 84
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    failure_reason: Mapped[str | None]
    note: Mapped[str] = mapped_column(default="")
    otp_status: Mapped[str] = mapped_column(default=OtpStatus.NONE)
    #: wrong ones so far
    otp_attempts: Mapped[int] = mapped_column(default=0)
    otp_sent_at: Mapped[datetime | None]
    otp_verified_at: Mapped[datetime | None]
    otp_override_by: Mapped[uuid.UUID | None]
    otp_override_reason: Mapped[str | None]


class DeliveryCode(OrganizationOwned, Base):
    """A code that a customer was sent; only what recognises it is kept."""

    __tablename__ = "delivery_codes"
    __audited__ = False
    __table_args__ = (same_organization("delivery_id", "deliveries"),)

    delivery_id: Mapped[uuid.UUID] = mapped_column(index=True)
    #: `vault.Vault.digest`
    digest: Mapped[str]
    sent_at: Mapped[datetime]
    #: it works until then, or until the next one is sent
    expires_at: Mapped[datetime]


class ContactLog(OrganizationOwned, Base):
    """A driver called or wrote to a customer. The number stands nowhere in it; append-only."""

    __tablename__ = "contact_logs"
    __audited__ = False
    __table_args__ = (
        CheckConstraint(f"channel IN {CONTACT_CHANNELS}", name="channel"),
        CheckConstraint(f"result IN {CONTACT_RESULTS}", name="result"),
        same_organization("delivery_id", "deliveries"),
        same_organization("user_id", "users"),
    )

    delivery_id: Mapped[uuid.UUID] = mapped_column(index=True)
    user_id: Mapped[uuid.UUID]
    channel: Mapped[str]
    at: Mapped[datetime]
    result: Mapped[str]
