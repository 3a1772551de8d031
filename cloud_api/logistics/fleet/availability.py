"""Which vans may drive on a day, with whom and from when to when; and of the others, why not."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.logistics.fleet import footprints
from cloud_api.logistics.fleet.models import PAPERS, DriverShift, Vehicle, VehicleCompartment
from cloud_api.logistics.fleet.states import VehicleStatus
from cloud_api.places import service as places

#: a driver's day, where no shift says otherwise
USUAL_DAY = timedelta(hours=10)
_USUAL_START = time(7)


@dataclass(frozen=True)
class Compartment:
    """A part of a van with a climate of its own."""

    name: str
    #: as places have it: cold_storage, freezer, ambient or dry_storage
    storage_type: str
    capacity_g: int
    #: litres; None: nobody measured
    capacity_l: int | None
    temperature_min_c: float | None
    temperature_max_c: float | None


class Break(NamedTuple):
    """A rest that begins within these instants."""

    earliest_at: datetime
    latest_at: datetime
    duration_s: int


class Shift(NamedTuple):
    """When a van may be under way."""

    start_at: datetime
    end_at: datetime
    breaks: tuple[Break, ...] = ()


@dataclass(frozen=True)
class Van:
    """A vehicle that may drive on the day, ready to be planned with."""

    vehicle: Vehicle
    #: none: it is one space, of the climate of its place
    compartments: tuple[Compartment, ...]
    shift: Shift
    driver_id: uuid.UUID | None
    #: minor units of the organisation's currency
    fixed_cost_minor: int
    cost_per_km_minor: int
    #: 0 of an electric one
    fuel_l_per_100km: float
    #: 0 of all others
    energy_kwh_per_100km: float
    co2_g_per_km: int


@dataclass(frozen=True)
class Fleet:
    """The vehicles of a day."""

    vans: Sequence[Van]
    #: vehicle -> why it may not drive, in words
    left_out: Mapping[uuid.UUID, str]


async def available(
    db: AsyncSession,
    *,
    day: date,
    warehouse_id: uuid.UUID,
    vehicle_ids: Collection[uuid.UUID] = (),
    departs_at: datetime | None = None,
) -> Sequence[Van]:
    """The vans of `survey` that may drive."""
    seen = await survey(db, day=day, warehouse_id=warehouse_id, vehicle_ids=vehicle_ids, departs_at=departs_at)
    return seen.vans


async def survey(
    db: AsyncSession,
    *,
    day: date,
    warehouse_id: uuid.UUID,
    vehicle_ids: Collection[uuid.UUID] = (),
    departs_at: datetime | None = None,
) -> Fleet:
    """Which vans may drive on `day` from a warehouse, in key order.

    That a van is on a route already is known to the rooms above.

    Args:
        vehicle_ids: these, wherever they are at home; none: those that are at home there or nowhere.
        departs_at: when a van whose driver has no shifts leaves; None: at seven in the morning.
    """
    wanted = select(Vehicle).order_by(Vehicle.id)
    if vehicle_ids:
        wanted = wanted.where(Vehicle.id.in_(vehicle_ids))
    else:
        at_home = or_(Vehicle.home_warehouse_id.is_(None), Vehicle.home_warehouse_id == warehouse_id)
        wanted = wanted.where(at_home, Vehicle.status != VehicleStatus.INACTIVE)
    vehicles = (await db.scalars(wanted)).all()
    zone = await places.zone_of(db, warehouse_id)
    usual_start = departs_at or datetime.combine(day, _USUAL_START, zone).astimezone(UTC)
    parts = await compartments_of(db, [vehicle.id for vehicle in vehicles])
    rota = _Rota(await _shifts_of(db, vehicles), day)
    vans, left_out = [], {}
    for vehicle in vehicles:
        reason = why_not(vehicle, day) or rota.why_not(vehicle)
        if reason:
            left_out[vehicle.id] = reason
            continue
        driven = rota.shift_of(vehicle)
        vans.append(
            Van(
                vehicle=vehicle,
                compartments=tuple(map(_compartment, parts.get(vehicle.id, ()))),
                shift=Shift(usual_start, usual_start + USUAL_DAY) if driven is None else _shift(driven, day, zone),
                driver_id=vehicle.driver_id if driven is None else driven.user_id,
                fixed_cost_minor=vehicle.fixed_cost_minor,
                cost_per_km_minor=vehicle.cost_per_km_minor,
                fuel_l_per_100km=footprints.fuel_l_per_100km(vehicle),
                energy_kwh_per_100km=footprints.energy_kwh_per_100km(vehicle),
                co2_g_per_km=footprints.co2_g_per_km(vehicle),
            )
        )
    return Fleet(vans, left_out)


def why_not(vehicle: Vehicle, day: date) -> str:
    """Why a vehicle may not drive on a day whoever drives it, in words; empty: it may."""
    if vehicle.status == VehicleStatus.MAINTENANCE:
        return f"{vehicle.number} is in maintenance"
    if vehicle.status == VehicleStatus.INACTIVE:
        return f"{vehicle.number} is retired"
    for paper, column in PAPERS.items():
        expires_on: date | None = getattr(vehicle, column)
        if expires_on is not None and expires_on < day:
            return f"the {paper} of {vehicle.number} expired on {expires_on}"
    return ""


async def compartments_of(
    db: AsyncSession, vehicle_ids: Collection[uuid.UUID]
) -> Mapping[uuid.UUID, Sequence[VehicleCompartment]]:
    """The compartments of these vehicles, by their names."""
    theirs = select(VehicleCompartment).where(VehicleCompartment.vehicle_id.in_(vehicle_ids))
    found = defaultdict[uuid.UUID, list[VehicleCompartment]](list)
    for row in await db.scalars(theirs.order_by(VehicleCompartment.vehicle_id, VehicleCompartment.name)):
        found[row.vehicle_id].append(row)
    return found


class _Rota:
    """Who drives what on a day. A shift of the day itself counts instead of those of its weekday."""

    def __init__(self, shifts: Sequence[DriverShift], day: date) -> None:
        self._day = day
        self._with_shifts = {shift.user_id for shift in shifts}
        dated = [shift for shift in shifts if shift.on_date == day]
        settled = {shift.user_id for shift in dated}
        weekly = [shift for shift in shifts if shift.weekday == day.weekday() and shift.user_id not in settled]
        self._today = [shift for shift in (*dated, *weekly) if not shift.is_off]

    def shift_of(self, vehicle: Vehicle) -> DriverShift | None:
        """The shift in which it is driven: one that names it, or its own driver's; None: no shift says."""
        naming = [shift for shift in self._today if shift.vehicle_id == vehicle.id]
        its_drivers = [shift for shift in self._today if shift.user_id == vehicle.driver_id and not shift.vehicle_id]
        return min([*naming] or its_drivers, key=lambda shift: (shift.from_time, shift.id), default=None)

    def why_not(self, vehicle: Vehicle) -> str:
        """Why its driver does not drive it on the day, in words; empty: somebody does, or no shift says."""
        if vehicle.driver_id not in self._with_shifts or self.shift_of(vehicle) is not None:
            return ""
        if any(shift.user_id == vehicle.driver_id for shift in self._today):
            return f"the driver of {vehicle.number} drives another vehicle on {self._day}"
        return f"the driver of {vehicle.number} has no shift on {self._day}"


async def _shifts_of(db: AsyncSession, vehicles: Sequence[Vehicle]) -> Sequence[DriverShift]:
    """Of their drivers, and those that name one of them."""
    drivers = [vehicle.driver_id for vehicle in vehicles if vehicle.driver_id is not None]
    theirs = or_(DriverShift.user_id.in_(drivers), DriverShift.vehicle_id.in_([vehicle.id for vehicle in vehicles]))
    named = select(DriverShift.user_id).where(theirs)
    return (await db.scalars(select(DriverShift).where(DriverShift.user_id.in_(named)).order_by(DriverShift.id))).all()


def _shift(shift: DriverShift, day: date, zone: ZoneInfo) -> Shift:
    """As instants; a break falls into the middle third of it."""
    ends_on = day if shift.from_time < shift.until_time else day + timedelta(days=1)
    start_at = datetime.combine(day, shift.from_time, zone).astimezone(UTC)
    end_at = datetime.combine(ends_on, shift.until_time, zone).astimezone(UTC)
    if not shift.break_minutes:
        return Shift(start_at, end_at)
    third = (end_at - start_at) / 3
    rest = Break(start_at + third, start_at + 2 * third, shift.break_minutes * 60)
    return Shift(start_at, end_at, (rest,))


def _compartment(row: VehicleCompartment) -> Compartment:
    return Compartment(
        row.name,
        row.storage_type,
        row.capacity_g,
        row.capacity_l,
        row.temperature_min_c,
        row.temperature_max_c,
    )
