"""Reads of the fleet."""

from datetime import date

from sqlalchemy import Select, or_, select

from cloud_api.identity.people.models import User
from cloud_api.logistics.fleet.models import PAPERS, DriverShift, Vehicle, VehicleMaintenance
from cloud_api.logistics.fleet.states import VehicleStatus
from cloud_api.places.queries import Visible


def visible(seen: Visible) -> Select[tuple[Vehicle]]:
    """The vehicles that are at home where somebody may see, and those that are at home nowhere."""
    return select(Vehicle).where(seen.warehouses(Vehicle.home_warehouse_id))


def with_drivers(vehicles: Select[tuple[Vehicle]]) -> Select[tuple[Vehicle, str | None, str | None]]:
    """These with the full name and the username of whoever drives them."""
    named = vehicles.outerjoin(User, User.id == Vehicle.driver_id)
    return named.with_only_columns(Vehicle, User.full_name, User.username)


def falling_due(by: date) -> Select[tuple[Vehicle]]:
    """Vehicles that are not retired, with a paper or a workshop visit that falls due by then, in key order."""
    dates = [Vehicle.next_maintenance_on, *(getattr(Vehicle, column) for column in PAPERS.values())]
    soon = or_(*(column <= by for column in dates))
    return select(Vehicle).where(soon, Vehicle.status != VehicleStatus.INACTIVE).order_by(Vehicle.id)


def visits(seen: Visible) -> Select[tuple[VehicleMaintenance]]:
    """Workshop visits of the vehicles that somebody may see, the newest first."""
    theirs = VehicleMaintenance.vehicle_id.in_(visible(seen).with_only_columns(Vehicle.id))
    return select(VehicleMaintenance).where(theirs).order_by(VehicleMaintenance.done_on.desc(), VehicleMaintenance.id)


def shifts(seen: Visible) -> Select[tuple[DriverShift]]:
    """Shifts that name no vehicle, or one that somebody may see."""
    theirs = visible(seen).with_only_columns(Vehicle.id)
    return select(DriverShift).where(or_(DriverShift.vehicle_id.is_(None), DriverShift.vehicle_id.in_(theirs)))
