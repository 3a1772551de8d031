"""Vans, their workshop visits and their drivers' shifts, as they travel over HTTP."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from cloud_api.kernel.http import RequestModel, ResponseModel
from cloud_api.kernel.json_types import LocalTime
from cloud_api.kernel.versions import Edit
from cloud_api.logistics.fleet.models import Vehicle, VehicleCompartment

VehicleType = Literal["van", "truck", "bike", "car"]
Fuel = Literal["petrol", "diesel", "electric", "cng"]
Climate = Literal["cold_storage", "freezer", "ambient", "dry_storage"]
MaintenanceKind = Literal["service", "repair", "inspection", "tyres", "refrigeration", "other"]
Number = Annotated[str, Field(min_length=1, max_length=24, pattern=r"^[A-Za-z0-9-]+$", examples=["KA-01-AB-1234"])]
Grams = Annotated[int, Field(ge=1, le=50_000_000)]
Litres = Annotated[int, Field(ge=1, le=200_000)]
#: minor units of the organisation's currency
Minor = Annotated[int, Field(ge=0, le=10_000_000_000)]
Celsius = Annotated[float, Field(ge=-90, le=90)]
#: of 100 km
Consumption = Annotated[float, Field(gt=0, le=500)]
Odometer = Annotated[int, Field(ge=0, le=10_000_000)]


class CompartmentEntry(RequestModel):
    """A part of a van with a climate of its own."""

    name: Annotated[str, Field(min_length=1, max_length=60)]
    storage_type: Climate
    temperature_min_c: Celsius | None = None
    temperature_max_c: Celsius | None = None
    capacity_g: Grams
    capacity_l: Litres | None = None

    @model_validator(mode="after")
    def _be_a_range(self) -> "CompartmentEntry":
        low, high = self.temperature_min_c, self.temperature_max_c
        if low is not None and high is not None and low >= high:
            raise ValueError("temperature_min_c must lie below temperature_max_c")
        return self


def _once_each(compartments: list[CompartmentEntry]) -> list[CompartmentEntry]:
    if len({one.name for one in compartments}) < len(compartments):
        raise ValueError("two compartments have the same name")
    return compartments


Compartments = Annotated[list[CompartmentEntry], Field(max_length=12), AfterValidator(_once_each)]


class VehicleFigures(RequestModel):
    """What may be known of a van, each when somebody knows it."""

    model: Annotated[str, Field(max_length=80)] = ""
    capacity_volume_l: Litres | None = None
    #: of petrol or diesel; of CNG as litres of petrol that take it as far; null: a usual one of its type
    fuel_l_per_100km: Consumption | None = None
    #: of an electric one, from the socket; null: a usual one of its type
    energy_kwh_per_100km: Consumption | None = None
    #: null: by what it burns
    co2_g_per_km: Annotated[int, Field(ge=0, le=10_000)] | None = None
    #: for each day on which it leaves
    fixed_cost_minor: Minor = 0
    cost_per_km_minor: Minor = 0
    #: whose day it drives; null: any warehouse's
    home_warehouse_id: uuid.UUID | None = None
    #: the last days on which it may drive; null: nobody keeps watch
    insurance_expires_on: date | None = None
    registration_expires_on: date | None = None
    permit_expires_on: date | None = None
    pollution_expires_on: date | None = None
    next_maintenance_on: date | None = None
    odometer_km: Odometer = 0


class VehicleCreate(VehicleFigures):
    """A van; its load space becomes a place of its own."""

    number: Number
    capacity_g: Grams
    is_refrigerated: bool = True
    driver_id: uuid.UUID | None = None
    vehicle_type: VehicleType = "van"
    fuel_type: Fuel = "diesel"
    #: none: it is one space
    compartments: Compartments = Field(default_factory=list)

    @model_validator(mode="after")
    def _fit(self) -> "VehicleCreate":
        check_parts(self.capacity_g, [part.capacity_g for part in self.compartments])
        return self


class VehicleUpdate(VehicleFigures, Edit):
    """What is not sent stays; compartments are replaced as a whole."""

    number: Number = ""
    capacity_g: Grams = 1
    driver_id: uuid.UUID | None = None
    vehicle_type: VehicleType = "van"
    fuel_type: Fuel = "diesel"
    #: `inactive` retires it, and is refused while it has an open route
    status: Literal["active", "maintenance", "inactive"] = "active"
    compartments: Compartments = Field(default_factory=list)


def check_parts(whole_g: int, parts_g: Sequence[int]) -> None:
    """Whether the parts are no more than the whole.

    Raises:
        ValueError: when they are.
    """
    if sum(parts_g) > whole_g:
        raise ValueError(f"the compartments carry {sum(parts_g)} g, and the vehicle {whole_g} g: lower them")


class CompartmentRead(ResponseModel):
    """A part of a van."""

    name: str
    storage_type: str
    temperature_min_c: float | None
    temperature_max_c: float | None
    capacity_g: int
    capacity_l: int | None


class VehicleRead(ResponseModel):
    """A van."""

    id: uuid.UUID
    number: str
    location_id: uuid.UUID
    capacity_g: int
    is_refrigerated: bool
    driver_id: uuid.UUID | None
    driver_name: str | None
    status: str
    vehicle_type: str
    model: str
    capacity_volume_l: int | None
    fuel_type: str
    fuel_l_per_100km: float | None
    energy_kwh_per_100km: float | None
    co2_g_per_km: int | None
    fixed_cost_minor: int
    cost_per_km_minor: int
    home_warehouse_id: uuid.UUID | None
    insurance_expires_on: date | None
    registration_expires_on: date | None
    permit_expires_on: date | None
    pollution_expires_on: date | None
    next_maintenance_on: date | None
    odometer_km: int
    compartments: list[CompartmentRead]
    #: why it may not drive today; empty: it may
    not_available: str
    version: int

    @classmethod
    def of(
        cls,
        vehicle: Vehicle,
        parts: Sequence[VehicleCompartment],
        not_available: str,
        *,
        drivers: Mapping[uuid.UUID, str],
    ) -> "VehicleRead":
        """With its compartments, and what its driver is called."""
        figures = {name: getattr(vehicle, name) for name in cls.model_fields if hasattr(vehicle, name)}
        read = [CompartmentRead.model_validate(part) for part in parts]
        driver_name = None if vehicle.driver_id is None else drivers[vehicle.driver_id]
        return cls(**figures, compartments=read, not_available=not_available, driver_name=driver_name)


class MaintenanceCreate(RequestModel):
    """A visit to the workshop that is over."""

    vehicle_id: uuid.UUID
    kind: MaintenanceKind
    done_on: date
    odometer_km: Odometer | None = None
    cost_minor: Minor = 0
    note: Annotated[str, Field(max_length=1_000)] = ""
    #: when the next one is due; null: the day that stands there stays, unless it is past by then
    next_due_on: date | None = None

    @model_validator(mode="after")
    def _lie_ahead(self) -> "MaintenanceCreate":
        if self.next_due_on is not None and self.next_due_on <= self.done_on:
            raise ValueError("next_due_on must lie after done_on")
        return self


class MaintenanceRead(ResponseModel):
    """A visit to the workshop that is over."""

    id: uuid.UUID
    vehicle_id: uuid.UUID
    kind: str
    done_on: date
    odometer_km: int | None
    cost_minor: int
    note: str
    recorded_by: uuid.UUID | None
    recorded_at: datetime


class DueRead(ResponseModel):
    """Something that a vehicle needs soon, or should have had by now."""

    vehicle_id: uuid.UUID
    number: str
    #: maintenance, or the name of a paper
    what: str
    due_on: date
    is_overdue: bool


class MaintenanceOverview(ResponseModel):
    """What falls due, the soonest first, and what was done, the newest first."""

    due: list[DueRead]
    past: list[MaintenanceRead]


class ShiftFields(RequestModel):
    """When somebody drives: `weekday` for every week, or `on_date` for one day, which then counts instead."""

    #: 0 is Monday
    weekday: Annotated[int, Field(ge=0, le=6)] | None = None
    on_date: date | None = None
    #: of a day on which they do not drive; its times mean nothing
    is_off: bool = False
    #: local times of the warehouse; over midnight when it ends before it begins
    from_time: LocalTime = time(8)
    until_time: LocalTime = time(18)
    break_minutes: Annotated[int, Field(ge=0, le=240)] = 0
    #: null: the one that they usually drive
    vehicle_id: uuid.UUID | None = None

    @model_validator(mode="after")
    def _have_one_rule(self) -> "ShiftFields":
        if (self.weekday is None) == (self.on_date is None):
            raise ValueError("send weekday or on_date, one of the two")
        if self.from_time == self.until_time:
            raise ValueError("from_time and until_time are equal: a shift has a length")
        return self


class ShiftCreate(ShiftFields):
    """When somebody drives."""

    user_id: uuid.UUID


class ShiftUpdate(ShiftFields):
    """The shift as it is from now on, whole."""


class DriverShiftRead(ResponseModel):
    """When somebody drives."""

    id: uuid.UUID
    user_id: uuid.UUID
    weekday: int | None
    on_date: date | None
    is_off: bool
    from_time: LocalTime
    until_time: LocalTime
    break_minutes: int
    vehicle_id: uuid.UUID | None


class ShiftNamedRead(DriverShiftRead):
    """When somebody drives, with what they and their vehicle are called."""

    driver_name: str
    #: null: the one that they usually drive
    vehicle_number: str | None


class DriverRead(ResponseModel):
    """Somebody who drives."""

    id: uuid.UUID
    full_name: str
