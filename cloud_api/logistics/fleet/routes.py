"""`/api/v1/warehouse/fleet`."""

import uuid
from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from sqlalchemy import or_

from cloud_api.identity.people import service as people
from cloud_api.identity.people.models import User
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, RowsQuery, page, page_with
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.logistics.fleet import maintenance, queries, service, shifts
from cloud_api.logistics.fleet.models import DriverShift, Vehicle, VehicleMaintenance
from cloud_api.logistics.fleet.schemas import (
    DriverRead,
    DriverShiftRead,
    MaintenanceCreate,
    MaintenanceOverview,
    MaintenanceRead,
    ShiftCreate,
    ShiftNamedRead,
    ShiftUpdate,
    VehicleCreate,
    VehicleRead,
    VehicleUpdate,
)
from cloud_api.places.visibility import VisiblePlaces

router = APIRouter(prefix="/warehouse/fleet", tags=["fleet"], route_class=ApiRoute)
READING = [require("fleet:read")]
WRITING = [require("fleet:write")]


@router.get("/vehicles", response_model=list[VehicleRead], dependencies=READING)
async def list_vehicles(
    db: Db,
    seen: VisiblePlaces,
    query: Annotated[RowsQuery, Depends()],
    status: Literal["active", "maintenance", "inactive"] | None = None,
) -> Page[VehicleRead]:
    """Newest first."""
    theirs = queries.visible(seen)
    if status is not None:
        theirs = theirs.where(Vehicle.status == status)
    found = await page_with(db, queries.with_drivers(theirs), Vehicle.id, query)
    drivers = {van.driver_id: full_name or username or "" for van, full_name, username in found.items if van.driver_id}
    read = await service.read_vehicles(db, [vehicle for vehicle, *_ in found.items], drivers=drivers)
    return Page(read, found.limit, found.next_cursor)


@router.post("/vehicles", response_model=VehicleRead, status_code=201, dependencies=WRITING)
async def create_vehicle(db: Db, seen: VisiblePlaces, body: VehicleCreate) -> VehicleRead:
    """A van; its load space becomes a place."""
    return await service.read_vehicle(db, await service.create_vehicle(db, new=body, seen=seen))


@router.get("/vehicles/{id}", response_model=VehicleRead, dependencies=READING)
async def get_vehicle(db: Db, seen: VisiblePlaces, id: uuid.UUID) -> VehicleRead:
    """One van."""
    return await service.read_vehicle(db, await service.get_vehicle(db, id, seen=seen))


@router.put("/vehicles/{id}", response_model=VehicleRead, dependencies=WRITING)
async def update_vehicle(
    db: Db, request: Request, seen: VisiblePlaces, id: uuid.UUID, body: VehicleUpdate
) -> VehicleRead:
    """Change what is sent; into the workshop and out of it by `status`. Compartments are replaced as a whole."""
    guards = request.app.state.retire_guards
    return await service.read_vehicle(db, await service.update_vehicle(db, id, changes=body, guards=guards, seen=seen))


@router.delete("/vehicles/{id}", response_model=VehicleRead, dependencies=WRITING)
async def retire_vehicle(db: Db, request: Request, seen: VisiblePlaces, id: uuid.UUID) -> VehicleRead:
    """It drives no more, and what it did stays written down; refused while it has a route that is not over."""
    guards = request.app.state.retire_guards
    return await service.read_vehicle(db, await service.retire_vehicle(db, id, guards=guards, seen=seen))


@router.get("/maintenance", response_model=MaintenanceOverview, dependencies=READING)
async def get_fleet_maintenance(
    db: Db,
    seen: VisiblePlaces,
    within_days: Annotated[int, Query(ge=0, le=3_650)] = 30,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    vehicle_id: uuid.UUID | None = None,
) -> dict[str, object]:
    """Workshop visits and papers that fall due within so many days or have by now, and the last visits."""
    past = queries.visits(seen).limit(limit)
    if vehicle_id is not None:
        past = past.where(VehicleMaintenance.vehicle_id == vehicle_id)
    due = await maintenance.due_soon(db, within_days=within_days, vehicle_id=vehicle_id, seen=seen)
    return {"due": due, "past": (await db.scalars(past)).all()}


@router.post("/maintenance", response_model=MaintenanceRead, status_code=201, dependencies=WRITING)
async def record_fleet_maintenance(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, body: MaintenanceCreate
) -> VehicleMaintenance:
    """Write down a visit to the workshop. Send an `Idempotency-Key`."""
    by = principal.id if principal.kind == "user" else None
    return await maintenance.record_maintenance(db, new=body, by=by, seen=seen)


@router.get("/drivers", response_model=list[DriverRead], dependencies=READING)
async def list_drivers(db: Db, query: Annotated[RowsQuery, Depends()]) -> Page[User]:
    """Who drives, by name and nothing else: for choosing who drives what, and when. Newest first."""
    return await page(db, await people.users_for_their_own(db, "deliveries:update_status"), User.id, query)


@router.get("/shifts", response_model=list[ShiftNamedRead], dependencies=READING)
async def list_shifts(
    db: Db,
    seen: VisiblePlaces,
    query: Annotated[RowsQuery, Depends()],
    user_id: uuid.UUID | None = None,
    vehicle_id: uuid.UUID | None = None,
    since: Annotated[date | None, Query(description="Of those of one day, not the ones before.")] = None,
    until: Annotated[date | None, Query(description="Of those of one day, not the ones after.")] = None,
) -> Page[ShiftNamedRead]:
    """Newest first."""
    theirs = queries.shifts(seen)
    if since is not None:
        theirs = theirs.where(or_(DriverShift.on_date.is_(None), DriverShift.on_date >= since))
    if until is not None:
        theirs = theirs.where(or_(DriverShift.on_date.is_(None), DriverShift.on_date <= until))
    if user_id is not None:
        theirs = theirs.where(DriverShift.user_id == user_id)
    if vehicle_id is not None:
        theirs = theirs.where(DriverShift.vehicle_id == vehicle_id)
    found = await page(db, theirs, DriverShift.id, query)
    return Page(await shifts.named(db, found.items), found.limit, found.next_cursor)


@router.post("/shifts", response_model=DriverShiftRead, status_code=201, dependencies=WRITING)
async def create_shift(db: Db, seen: VisiblePlaces, body: ShiftCreate) -> DriverShift:
    """When somebody drives, every week or on one day."""
    return await shifts.create_shift(db, new=body, seen=seen)


@router.put("/shifts/{id}", response_model=DriverShiftRead, dependencies=WRITING)
async def update_shift(db: Db, seen: VisiblePlaces, id: uuid.UUID, body: ShiftUpdate) -> DriverShift:
    """Other hours in the place of these."""
    return await shifts.update_shift(db, id, changes=body, seen=seen)


@router.delete("/shifts/{id}", status_code=204, dependencies=WRITING)
async def delete_shift(db: Db, seen: VisiblePlaces, id: uuid.UUID) -> None:
    """Take it away."""
    await shifts.delete_shift(db, id, seen=seen)
