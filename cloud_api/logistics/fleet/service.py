"""The verbs of the fleet."""

import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity.organizations import service as organizations
from cloud_api.identity.people.service import names_of
from cloud_api.kernel import clock, outbox, versions
from cloud_api.kernel.errors import NotFound
from cloud_api.kernel.registers import flush_unique
from cloud_api.logistics.events import VehicleWithdrawn
from cloud_api.logistics.fleet import queries
from cloud_api.logistics.fleet.availability import Fleet as Fleet
from cloud_api.logistics.fleet.availability import Van as Van
from cloud_api.logistics.fleet.availability import available as available
from cloud_api.logistics.fleet.availability import compartments_of, why_not
from cloud_api.logistics.fleet.availability import survey as survey
from cloud_api.logistics.fleet.errors import CompartmentsTooLarge, DriverMissing
from cloud_api.logistics.fleet.footprints import Footprint as Footprint
from cloud_api.logistics.fleet.footprints import footprint as footprint
from cloud_api.logistics.fleet.models import Vehicle as Vehicle
from cloud_api.logistics.fleet.models import VehicleCompartment
from cloud_api.logistics.fleet.schemas import (
    CompartmentEntry,
    VehicleCreate,
    VehicleRead,
    VehicleUpdate,
    check_parts,
)
from cloud_api.logistics.fleet.states import LEADS_TO, VEHICLE, VehicleStatus
from cloud_api.notifications import audience
from cloud_api.places import service as places
from cloud_api.places.queries import EVERYWHERE, Visible
from cloud_api.places.schemas import LocationCreate, LocationUpdate

#: registered by `main`, asked before a vehicle is retired, with the vehicle locked; raises when it may not be
RetireGuard = Callable[[AsyncSession, Vehicle], Awaitable[None]]
#: what changes no row of the vehicle itself
_ELSEWHERE = {"compartments", "status"}


async def create_vehicle(db: AsyncSession, *, new: VehicleCreate, seen: Visible = EVERYWHERE) -> Vehicle:
    """Add a van, and the place that its load space is.

    Raises:
        NotFound: when its home is not there to be seen.
        DriverMissing: when its driver is not there.
        AlreadyExists: when the number plate is taken.
    """
    await _check_names(db, new.driver_id, new.home_warehouse_id, seen)
    storage = "cold_storage" if new.is_refrigerated else "ambient"
    place = LocationCreate(code=new.number, name=f"Van {new.number}", location_type="vehicle", storage_type=storage)
    location = await places.create_location(db, new=place)
    fields = new.model_dump(exclude=_ELSEWHERE)
    vehicle = Vehicle(**fields, location_id=location.id, created_at=clock.now())
    db.add(vehicle)
    await flush_unique(db, f"vehicle {new.number!r} exists already", field="number")
    await _put_compartments(db, vehicle, new.compartments)
    return vehicle


async def get_vehicle(
    db: AsyncSession, vehicle_id: uuid.UUID, *, seen: Visible = EVERYWHERE, locked: bool = False
) -> Vehicle:
    """One van.

    Raises:
        NotFound: when there is none to be seen.
    """
    its = queries.visible(seen).where(Vehicle.id == vehicle_id)
    if locked:
        its = its.with_for_update().execution_options(populate_existing=True)
    vehicle = (await db.scalars(its)).one_or_none()
    if vehicle is None:
        raise NotFound(f"no vehicle with id {vehicle_id}", field="vehicle_id")
    return vehicle


async def vehicle_in(db: AsyncSession, location_id: uuid.UUID) -> Vehicle | None:
    """The vehicle whose load space a place is; None: it is a place without wheels."""
    return (await db.scalars(select(Vehicle).where(Vehicle.location_id == location_id))).one_or_none()


async def update_vehicle(
    db: AsyncSession,
    vehicle_id: uuid.UUID,
    *,
    changes: VehicleUpdate,
    guards: Sequence[RetireGuard] = (),
    seen: Visible = EVERYWHERE,
) -> Vehicle:
    """Change what is sent; its place keeps the name of its number plate.

    Raises:
        NotFound: when it, or its home, is not there to be seen.
        StaleVersion: when `changes` was made of another version than there is now.
        DriverMissing: when its driver is not there.
        AlreadyExists: when the number plate is taken.
        InvalidTransition: when the status cannot follow the present one.
        VehicleOnRoute: when it would be retired in the middle of its work.
        CompartmentsTooLarge: when they carry more than the vehicle.
    """
    vehicle = await get_vehicle(db, vehicle_id, seen=seen, locked=True)
    await versions.count(db, vehicle, seen=changes.version, what=f"vehicle {vehicle.number!r}")
    sent = changes.model_dump(exclude_unset=True, exclude=_ELSEWHERE)
    await _check_names(db, sent.get("driver_id"), sent.get("home_warehouse_id"), seen)
    if "number" in sent and sent["number"] != vehicle.number:
        called = LocationUpdate(code=sent["number"], name=f"Van {sent['number']}")
        await places.update_location(db, vehicle.location_id, changes=called)
    for field, value in sent.items():
        setattr(vehicle, field, value)
    if "status" in changes.model_fields_set:
        await _move(db, vehicle, VehicleStatus(changes.status), guards)
    await flush_unique(db, f"vehicle {vehicle.number!r} exists already", field="number")
    if "compartments" in changes.model_fields_set:
        await _put_compartments(db, vehicle, changes.compartments)
    elif "capacity_g" in sent:
        _check_parts(vehicle, (await compartments_of(db, [vehicle.id])).get(vehicle.id, ()))
    return vehicle


async def retire_vehicle(
    db: AsyncSession, vehicle_id: uuid.UUID, *, guards: Sequence[RetireGuard] = (), seen: Visible = EVERYWHERE
) -> Vehicle:
    """It drives no more; what it did stays written down. Doing it again changes nothing.

    Raises:
        NotFound: when there is none to be seen.
        VehicleOnRoute: when it has a route that is not over.
    """
    vehicle = await get_vehicle(db, vehicle_id, seen=seen, locked=True)
    await _move(db, vehicle, VehicleStatus.INACTIVE, guards)
    await db.flush()
    return vehicle


async def read_vehicles(
    db: AsyncSession, vehicles: Sequence[Vehicle], *, drivers: Mapping[uuid.UUID, str]
) -> list[VehicleRead]:
    """These with their compartments, and whether they may drive today.

    Args:
        drivers: what theirs are called.
    """
    parts = await compartments_of(db, [vehicle.id for vehicle in vehicles])
    today = await organizations.today(db)
    return [
        VehicleRead.of(vehicle, parts.get(vehicle.id, ()), why_not(vehicle, today), drivers=drivers)
        for vehicle in vehicles
    ]


async def read_vehicle(db: AsyncSession, vehicle: Vehicle) -> VehicleRead:
    """The same of one."""
    [read] = await read_vehicles(db, [vehicle], drivers=await names_of(db, [vehicle.driver_id]))
    return read


async def _move(db: AsyncSession, vehicle: Vehicle, to: VehicleStatus, guards: Sequence[RetireGuard]) -> None:
    if vehicle.status == to:
        return
    moved = VEHICLE.apply(VehicleStatus(vehicle.status), LEADS_TO[to])
    if to == VehicleStatus.INACTIVE:
        for guard in guards:
            await guard(db, vehicle)
    vehicle.status = moved
    if to != VehicleStatus.ACTIVE:
        outbox.emit(db, VehicleWithdrawn(vehicle.id, why=str(to)))


async def _check_names(
    db: AsyncSession, driver_id: uuid.UUID | None, home_warehouse_id: uuid.UUID | None, seen: Visible
) -> None:
    if driver_id is not None and not await audience.active(db, [driver_id]):
        raise DriverMissing(f"nobody active here has the id {driver_id}", field="driver_id")
    if home_warehouse_id is not None:
        await places.get_warehouse(db, home_warehouse_id, seen=seen)


async def _put_compartments(db: AsyncSession, vehicle: Vehicle, entries: Sequence[CompartmentEntry]) -> None:
    before = (await compartments_of(db, [vehicle.id])).get(vehicle.id, ())
    for row in before:
        await db.delete(row)
    await db.flush()
    rows = [VehicleCompartment(vehicle_id=vehicle.id, **entry.model_dump()) for entry in entries]
    _check_parts(vehicle, rows)
    db.add_all(rows)
    await db.flush()


def _check_parts(vehicle: Vehicle, parts: Sequence[VehicleCompartment]) -> None:
    try:
        check_parts(vehicle.capacity_g, [part.capacity_g for part in parts])
    except ValueError as error:
        raise CompartmentsTooLarge(str(error), field="compartments") from None
