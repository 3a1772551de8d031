"""The verbs of drivers' shifts."""

import uuid
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity.people.service import names_of
from cloud_api.kernel import clock
from cloud_api.kernel.errors import NotFound
from cloud_api.kernel.registers import flush_unique
from cloud_api.logistics.fleet import queries
from cloud_api.logistics.fleet.errors import DriverMissing
from cloud_api.logistics.fleet.models import DriverShift, Vehicle
from cloud_api.logistics.fleet.schemas import DriverShiftRead, ShiftCreate, ShiftNamedRead, ShiftUpdate
from cloud_api.logistics.fleet.service import get_vehicle
from cloud_api.notifications import audience
from cloud_api.places.queries import EVERYWHERE, Visible

_TAKEN = "they have another shift that begins at this time on this day: change that one"


async def create_shift(db: AsyncSession, *, new: ShiftCreate, seen: Visible = EVERYWHERE) -> DriverShift:
    """Say when somebody drives.

    Raises:
        DriverMissing: when nobody active here has that id.
        NotFound: when the vehicle is not there to be seen.
        AlreadyExists: when another shift of theirs begins then.
    """
    if not await audience.active(db, [new.user_id]):
        raise DriverMissing(f"nobody active here has the id {new.user_id}", field="user_id")
    await _check_vehicle(db, new.vehicle_id, seen)
    shift = DriverShift(**new.model_dump(), created_at=clock.now())
    db.add(shift)
    await flush_unique(db, _TAKEN, field="from_time")
    return shift


async def update_shift(
    db: AsyncSession, shift_id: uuid.UUID, *, changes: ShiftUpdate, seen: Visible = EVERYWHERE
) -> DriverShift:
    """Put other hours in the place of these.

    Raises:
        NotFound: when there is no such shift, or the vehicle is not there to be seen.
        AlreadyExists: when another shift of theirs begins then.
    """
    shift = await _get_shift(db, shift_id, seen)
    await _check_vehicle(db, changes.vehicle_id, seen)
    for field, value in changes.model_dump().items():
        setattr(shift, field, value)
    await flush_unique(db, _TAKEN, field="from_time")
    return shift


async def delete_shift(db: AsyncSession, shift_id: uuid.UUID, *, seen: Visible = EVERYWHERE) -> None:
    """Take a shift away.

    Raises:
        NotFound: when there is none.
    """
    await db.delete(await _get_shift(db, shift_id, seen))
    await db.flush()


async def named(db: AsyncSession, shifts: Sequence[DriverShift]) -> list[ShiftNamedRead]:
    """Shifts with their drivers' names and their vehicles' number plates."""
    drivers = await names_of(db, (shift.user_id for shift in shifts))
    vehicle_ids = {shift.vehicle_id for shift in shifts if shift.vehicle_id is not None}
    rows = await db.execute(select(Vehicle.id, Vehicle.number).where(Vehicle.id.in_(vehicle_ids)))
    numbers = dict(rows.tuples().all())
    return [
        ShiftNamedRead(
            **DriverShiftRead.model_validate(shift).model_dump(),
            driver_name=drivers[shift.user_id],
            vehicle_number=None if shift.vehicle_id is None else numbers[shift.vehicle_id],
        )
        for shift in shifts
    ]


async def _get_shift(db: AsyncSession, shift_id: uuid.UUID, seen: Visible) -> DriverShift:
    its = queries.shifts(seen).where(DriverShift.id == shift_id).with_for_update()
    shift = (await db.scalars(its)).one_or_none()
    if shift is None:
        raise NotFound(f"no shift with id {shift_id}")
    return shift


async def _check_vehicle(db: AsyncSession, vehicle_id: uuid.UUID | None, seen: Visible) -> None:
    if vehicle_id is not None:
        await get_vehicle(db, vehicle_id, seen=seen)
