"""The workshop and the papers: what was done, what falls due, and telling people of that once."""

import uuid
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.configuration import definitions
from cloud_api.configuration import service as configuration
from cloud_api.identity.organizations import service as organizations
from cloud_api.identity.people import service as people
from cloud_api.kernel import clock
from cloud_api.kernel.db import Database
from cloud_api.kernel.errors import Invalid
from cloud_api.kernel.loops import keep_looking
from cloud_api.kernel.tenancy import OrganizationScope, SystemScope
from cloud_api.logistics.fleet import queries
from cloud_api.logistics.fleet.models import PAPERS, Vehicle, VehicleMaintenance
from cloud_api.logistics.fleet.schemas import DueRead, MaintenanceCreate
from cloud_api.logistics.fleet.service import get_vehicle
from cloud_api.notifications import colleagues
from cloud_api.places import service as places
from cloud_api.places.queries import EVERYWHERE, Visible

_POLL_S = 3600.0
#: what the loop looks for; an organisation reminds that early at most
_LONGEST_DAYS = 90
_WORKSHOP = "maintenance"


class Due(NamedTuple):
    """What a vehicle needs, and by when."""

    vehicle: Vehicle
    #: maintenance, or the name of a paper
    what: str
    due_on: date


async def record_maintenance(
    db: AsyncSession, *, new: MaintenanceCreate, by: uuid.UUID | None, seen: Visible = EVERYWHERE
) -> VehicleMaintenance:
    """Write down a visit to the workshop: the odometer moves on, and so does the day of the next one.

    Raises:
        NotFound: when the vehicle is not there to be seen.
        Invalid: when it lies ahead.
    """
    vehicle = await get_vehicle(db, new.vehicle_id, seen=seen, locked=True)
    if new.done_on > await organizations.today(db):
        raise Invalid("done_on lies ahead: write it down once it is done", field="done_on")
    visit = VehicleMaintenance(**new.model_dump(exclude={"next_due_on"}), recorded_by=by, recorded_at=clock.now())
    db.add(visit)
    vehicle.odometer_km = max(vehicle.odometer_km, new.odometer_km or 0)
    before = vehicle.next_maintenance_on
    if new.next_due_on is not None:
        vehicle.next_maintenance_on = new.next_due_on
    elif before is not None and before <= new.done_on:
        vehicle.next_maintenance_on = None
    await db.flush()
    return visit


async def due_soon(
    db: AsyncSession, *, within_days: int, vehicle_id: uuid.UUID | None = None, seen: Visible = EVERYWHERE
) -> Sequence[DueRead]:
    """What falls due within so many days, or has by now, the soonest first."""
    today = await organizations.today(db)
    soon = queries.falling_due(today + timedelta(days=within_days)).where(seen.warehouses(Vehicle.home_warehouse_id))
    if vehicle_id is not None:
        soon = soon.where(Vehicle.id == vehicle_id)
    found = [
        due
        for vehicle in await db.scalars(soon)
        for due in dates_of(vehicle)
        if due.due_on <= today + timedelta(days=within_days)
    ]
    found.sort(key=lambda due: (due.due_on, due.vehicle.number, due.what))
    return [
        DueRead(
            vehicle_id=due.vehicle.id,
            number=due.vehicle.number,
            what=due.what,
            due_on=due.due_on,
            is_overdue=due.due_on < today,
        )
        for due in found
    ]


def dates_of(vehicle: Vehicle) -> Iterator[Due]:
    """Everything of a vehicle that falls due one day."""
    for what, column in {_WORKSHOP: "next_maintenance_on", **PAPERS}.items():
        due_on: date | None = getattr(vehicle, column)
        if due_on is not None:
            yield Due(vehicle, what, due_on)


async def remind_of_due(database: Database, now: datetime) -> int:
    """Tell who looks after the fleet what falls due soon, once for each date.

    A step for a loop: a unit of work finds whose it is, then each organisation has one of its own. Any number may run
    beside each other. Returns how many reminders were written.
    """
    horizon = (now + timedelta(days=_LONGEST_DAYS + 1)).date()
    async with database.unit_of_work(
        SystemScope("find papers and workshop visits that fall due"), read_only=True
    ) as db:
        found = queries.falling_due(horizon).with_only_columns(Vehicle.organization_id).order_by(None).distinct()
        organization_ids = (await db.scalars(found)).all()
    told = 0
    for organization_id in organization_ids:
        async with database.unit_of_work(OrganizationScope(organization_id)) as db:
            told += await _remind_one(db)
    return told


async def _remind_one(db: AsyncSession) -> int:
    days = await configuration.value(db, definitions.FLEET_REMIND_DAYS)
    by = await organizations.today(db) + timedelta(days=days)
    told = 0
    for vehicle in await db.scalars(queries.falling_due(by).with_for_update(skip_locked=True)):
        fresh = [
            due for due in dates_of(vehicle) if due.due_on <= by and vehicle.reminded.get(due.what) != str(due.due_on)
        ]
        for due in fresh:
            await _tell(db, due)
        if fresh:
            vehicle.reminded = {**vehicle.reminded, **{due.what: str(due.due_on) for due in fresh}}
        told += len(fresh)
    return told


async def _tell(db: AsyncSession, due: Due) -> None:
    readers = await people.users_with_permission(db, "fleet:read")
    await colleagues.tell(
        db,
        await places.who_may_see_warehouse(db, readers, warehouse_id=due.vehicle.home_warehouse_id),
        template="fleet.due",
        values={"vehicle": due.vehicle.number, "what": due.what, "on": str(due.due_on)},
        severity="warning",
        category="delivery",
        subject=f"vehicle:{due.vehicle.id}",
        collapse_key=f"vehicle:{due.vehicle.id}:{due.what}",
    )


class FleetReminder:
    """Says once of each paper and workshop visit that it falls due. Any number may run beside each other."""

    def __init__(self, database: Database, *, poll_s: float = _POLL_S) -> None:
        self._database = database
        self._poll_s = poll_s

    async def run(self) -> None:
        """Look until cancelled; a database that does not answer is asked again."""
        await keep_looking(
            lambda: remind_of_due(self._database, clock.now()), every_s=self._poll_s, failure="fleet_reminder_failed"
        )
