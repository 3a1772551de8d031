"""The verbs of the fleet."""

import uuid

from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel import clock
from cloud_api.kernel.errors import NotFound
from cloud_api.kernel.registers import flush_unique
from cloud_api.logistics.fleet.models import Vehicle
from cloud_api.logistics.fleet.schemas import VehicleCreate
from cloud_api.places import service as places
from cloud_api.places.schemas import LocationCreate


async def create_vehicle(db: AsyncSession, *, new: VehicleCreate) -> Vehicle:
    """Add a van, and the place that its load space is.

    Raises:
        AlreadyExists: when the number plate is taken, or the driver is not there.
    """
    storage = "cold_storage" if new.is_refrigerated else "ambient"
    place = LocationCreate(code=new.number, name=f"Van {new.number}", location_type="vehicle", storage_type=storage)
    location = await places.create_location(db, new=place)
    vehicle = Vehicle(**new.model_dump(), location_id=location.id, created_at=clock.now())
    db.add(vehicle)
    await flush_unique(db, f"vehicle {new.number!r} exists already, or its driver does not", field="number")
    return vehicle


async def get_vehicle(db: AsyncSession, vehicle_id: uuid.UUID) -> Vehicle:
    """One van.

    Raises:
        NotFound: when there is none.
    """
    vehicle = await db.get(Vehicle, vehicle_id)
    if vehicle is None:
        raise NotFound(f"no vehicle with id {vehicle_id}", field="vehicle_id")
    return vehicle
