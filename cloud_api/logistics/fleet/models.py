"""Vans: what they carry, cost and burn, their papers, their workshop visits, and who drives when."""

import uuid
from datetime import date, datetime, time

from sqlalchemy import JSON, BigInteger, CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization
from cloud_api.kernel.versions import Versioned
from cloud_api.places.models import STORAGE_TYPES

VEHICLE_TYPES = ("van", "truck", "bike", "car")
FUELS = ("petrol", "diesel", "electric", "cng")
MAINTENANCE_KINDS = ("service", "repair", "inspection", "tyres", "refrigeration", "other")
#: what a vehicle may not drive without, and the column that says until when it has it
PAPERS = {
    "insurance": "insurance_expires_on",
    "registration": "registration_expires_on",
    "permit": "permit_expires_on",
    "pollution certificate": "pollution_expires_on",
}
_WEEKLY, _DATED = text("weekday IS NOT NULL"), text("on_date IS NOT NULL")


class Vehicle(Versioned, OrganizationOwned, Base):
    """A place with wheels: what is in it lies in its location."""

    __tablename__ = "vehicles"
    __table_args__ = (
        UniqueConstraint("organization_id", "number"),
        CheckConstraint("status IN ('active', 'maintenance', 'inactive')", name="status"),
        CheckConstraint("capacity_g > 0", name="capacity"),
        CheckConstraint(f"vehicle_type IN {VEHICLE_TYPES}", name="vehicle_type"),
        CheckConstraint(f"fuel_type IN {FUELS}", name="fuel_type"),
        CheckConstraint("capacity_volume_l > 0", name="volume"),
        CheckConstraint("fixed_cost_minor >= 0 AND cost_per_km_minor >= 0", name="costs"),
        same_organization("location_id", "locations"),
        same_organization("driver_id", "users"),
        same_organization("home_warehouse_id", "warehouses"),
    )

    #: the number plate
    number: Mapped[str]
    location_id: Mapped[uuid.UUID]
    capacity_g: Mapped[int]
    is_refrigerated: Mapped[bool] = mapped_column(default=True)
    #: who drives it when no shift says otherwise
    driver_id: Mapped[uuid.UUID | None]
    status: Mapped[str] = mapped_column(default="active")
    created_at: Mapped[datetime]
    vehicle_type: Mapped[str] = mapped_column(default="van")
    #: as its maker calls it
    model: Mapped[str] = mapped_column(default="")
    #: litres; None: nobody measured
    capacity_volume_l: Mapped[int | None]
    fuel_type: Mapped[str] = mapped_column(default="diesel")
    #: of petrol or diesel; of CNG as litres of petrol that take one as far; None: a usual one of its type
    fuel_l_per_100km: Mapped[float | None]
    #: of an electric one, from the socket; None: a usual one of its type
    energy_kwh_per_100km: Mapped[float | None]
    #: None: by what it burns
    co2_g_per_km: Mapped[int | None]
    #: minor units of the organisation's currency, for each day on which it leaves
    fixed_cost_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    #: minor units of the organisation's currency, everything included
    cost_per_km_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    #: whose day it drives; None: any warehouse's
    home_warehouse_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    #: the last days on which it may drive; None: nobody keeps watch
    insurance_expires_on: Mapped[date | None]
    registration_expires_on: Mapped[date | None]
    permit_expires_on: Mapped[date | None]
    pollution_expires_on: Mapped[date | None]
    next_maintenance_on: Mapped[date | None]
    odometer_km: Mapped[int] = mapped_column(default=0)
    #: of what falls due people were told: what -> the day on which it does
    reminded: Mapped[dict[str, str]] = mapped_column(JSON, default=dict, info={"audited": False})


class VehicleCompartment(OrganizationOwned, Base):
    """A part of a vehicle with a climate of its own. Its sensors belong to the vehicle's place."""

    __tablename__ = "vehicle_compartments"
    __table_args__ = (
        UniqueConstraint("vehicle_id", "name"),
        CheckConstraint(f"storage_type IN {STORAGE_TYPES}", name="storage_type"),
        CheckConstraint("capacity_g > 0", name="capacity"),
        CheckConstraint("capacity_l > 0", name="volume"),
        CheckConstraint("temperature_min_c < temperature_max_c", name="temperature"),
        same_organization("vehicle_id", "vehicles", ondelete="CASCADE"),
    )

    vehicle_id: Mapped[uuid.UUID]
    name: Mapped[str]
    storage_type: Mapped[str]
    #: what it is kept at; None where it does not matter
    temperature_min_c: Mapped[float | None]
    temperature_max_c: Mapped[float | None]
    capacity_g: Mapped[int]
    #: litres; None: nobody measured
    capacity_l: Mapped[int | None]


class VehicleMaintenance(OrganizationOwned, Base):
    """A visit to the workshop that is over."""

    __tablename__ = "vehicle_maintenance"
    __table_args__ = (
        CheckConstraint(f"kind IN {MAINTENANCE_KINDS}", name="kind"),
        CheckConstraint("cost_minor >= 0", name="cost"),
        CheckConstraint("odometer_km >= 0", name="odometer"),
        same_organization("vehicle_id", "vehicles"),
    )

    vehicle_id: Mapped[uuid.UUID] = mapped_column(index=True)
    kind: Mapped[str]
    done_on: Mapped[date]
    #: None: nobody read it
    odometer_km: Mapped[int | None]
    #: minor units of the organisation's currency
    cost_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    note: Mapped[str] = mapped_column(default="")
    recorded_by: Mapped[uuid.UUID | None]
    recorded_at: Mapped[datetime]


class DriverShift(OrganizationOwned, Base):
    """When somebody drives: every week on one weekday, or on one day, which then counts instead of the weekday."""

    __tablename__ = "driver_shifts"
    __table_args__ = (
        Index(
            "uq_driver_shifts_weekly",
            "user_id",
            "weekday",
            "from_time",
            unique=True,
            sqlite_where=_WEEKLY,
            postgresql_where=_WEEKLY,
        ),
        Index(
            "uq_driver_shifts_dated",
            "user_id",
            "on_date",
            "from_time",
            unique=True,
            sqlite_where=_DATED,
            postgresql_where=_DATED,
        ),
        CheckConstraint("(weekday IS NULL) <> (on_date IS NULL)", name="one_rule"),
        CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday"),
        CheckConstraint("break_minutes BETWEEN 0 AND 240", name="break"),
        same_organization("user_id", "users"),
        same_organization("vehicle_id", "vehicles"),
    )

    user_id: Mapped[uuid.UUID] = mapped_column(index=True)
    #: 0 is Monday
    weekday: Mapped[int | None]
    on_date: Mapped[date | None]
    #: of a day on which they do not drive
    is_off: Mapped[bool] = mapped_column(default=False)
    #: local times of the warehouse; over midnight when it ends before it begins
    from_time: Mapped[time]
    until_time: Mapped[time]
    break_minutes: Mapped[int] = mapped_column(default=0)
    #: None: the one that they usually drive
    vehicle_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    created_at: Mapped[datetime]
