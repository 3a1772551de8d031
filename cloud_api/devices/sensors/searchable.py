"""Sensors as they are found: in the warehouse in which they are now."""

import uuid
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.devices.models import Sensor
from cloud_api.places.models import Location
from cloud_api.search import service as search
from cloud_api.search.service import Entry

_AT_ONCE = 300


async def put(db: AsyncSession, sensor: Sensor) -> None:
    """Let a sensor be found where it is now, and nowhere else."""
    where = select(Location).where(Location.id == sensor.location_id)
    await search.forget(db, "sensor", sensor.id)
    await search.put(db, _entry_of(sensor, (await db.scalars(where)).one_or_none()))


async def everything(db: AsyncSession, after: uuid.UUID | None) -> Sequence[Entry]:
    """Sensors, in the order of their ids."""
    following = select(Sensor, Location).outerjoin(Location, Location.id == Sensor.location_id)
    if after is not None:
        following = following.where(Sensor.id > after)
    rows = await db.execute(following.order_by(Sensor.id).limit(_AT_ONCE))
    return [_entry_of(sensor, location) for sensor, location in rows]


def _entry_of(sensor: Sensor, location: Location | None) -> Entry:
    return Entry(
        kind="sensor",
        id=sensor.id,
        title=f"{sensor.code} {sensor.quantity}" + (f" ({location.name})" if location else ""),
        code=sensor.code,
        text="",
        facets={"status": sensor.status, "quantity": sensor.quantity},
        permission="devices:read",
        warehouse_id=location.warehouse_id if location else None,
    )
