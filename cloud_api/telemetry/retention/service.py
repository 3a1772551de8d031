"""The verbs of retention: say how long, hold, release."""

import uuid

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.devices.sensors.service import get_sensor
from cloud_api.identity.organizations.models import Organization
from cloud_api.kernel import clock, versions
from cloud_api.kernel.db import insert_missing
from cloud_api.kernel.errors import Conflict, Forbidden, NotFound
from cloud_api.kernel.registers import flush_unique
from cloud_api.places.queries import EVERYWHERE, Visible
from cloud_api.places.service import get_location
from cloud_api.telemetry.retention import queries
from cloud_api.telemetry.retention.models import LegalHold, RetentionClass, SensorRetention
from cloud_api.telemetry.retention.schemas import (
    LegalHoldCreate,
    RetentionClassUpdate,
    RetentionClassWrite,
    SensorRetentionRead,
)

_TAKEN = "another retention class has this name"


async def get_class(db: AsyncSession, id: uuid.UUID) -> RetentionClass:
    """One class.

    Raises:
        NotFound: when this organisation has none of this id.
    """
    found = await db.get(RetentionClass, id)
    if found is None:
        raise NotFound(f"no retention class {id}")
    return found


async def create_class(db: AsyncSession, *, new: RetentionClassWrite) -> RetentionClass:
    """Another one.

    Raises:
        AlreadyExists: when its name is taken.
    """
    made = RetentionClass(**new.model_dump())
    db.add(made)
    await flush_unique(db, _TAKEN, field="name")
    return made


async def change_class(db: AsyncSession, id: uuid.UUID, *, new: RetentionClassUpdate) -> RetentionClass:
    """Keep the readings of its sensors for another time from now on.

    Raises:
        NotFound: when this organisation has none of this id.
        AlreadyExists: when its new name is taken.
        StaleVersion: when somebody else has changed it since it was read.
    """
    found = await get_class(db, id)
    await versions.count(db, found, seen=new.version, what="this retention class")
    for name, value in new.model_dump().items():
        setattr(found, name, value)
    await flush_unique(db, _TAKEN, field="name")
    return found


async def delete_class(db: AsyncSession, id: uuid.UUID) -> None:
    """Take a class away that no sensor has.

    Raises:
        NotFound: when this organisation has none of this id.
        Conflict: when a sensor has it.
    """
    found = await get_class(db, id)
    if await db.scalar(select(SensorRetention.id).where(SensorRetention.class_id == id).limit(1)) is not None:
        raise Conflict("sensors have this retention class: give them another first")
    await db.delete(found)
    await db.flush()


async def retention_of(db: AsyncSession, sensor_id: uuid.UUID, *, seen: Visible = EVERYWHERE) -> SensorRetentionRead:
    """How long a sensor's readings are kept.

    Raises:
        NotFound: when there is no such sensor to be seen.
    """
    await get_sensor(db, sensor_id, seen=seen)
    its = (
        select(RetentionClass)
        .join(SensorRetention, SensorRetention.class_id == RetentionClass.id)
        .where(SensorRetention.sensor_id == sensor_id)
    )
    found = (await db.scalars(its)).one_or_none()
    kept = found or queries.STANDARD
    return SensorRetentionRead(
        sensor_id=sensor_id,
        class_id=None if found is None else found.id,
        name=kept.name,
        raw_days=kept.raw_days,
        hours_days=kept.hours_days,
        days_days=kept.days_days,
    )


async def set_retention(
    db: AsyncSession, sensor_id: uuid.UUID, *, class_id: uuid.UUID | None, seen: Visible = EVERYWHERE
) -> SensorRetentionRead:
    """Give a sensor a class, or with None the standard one.

    Raises:
        NotFound: when there is no such sensor to be seen, or no such class.
    """
    await get_sensor(db, sensor_id, seen=seen)
    its = select(SensorRetention).where(SensorRetention.sensor_id == sensor_id).with_for_update()
    if class_id is not None:
        await get_class(db, class_id)
        await insert_missing(db, SensorRetention, {"sensor_id": sensor_id, "class_id": class_id})
        (await db.scalars(its)).one().class_id = class_id
    elif (row := (await db.scalars(its)).one_or_none()) is not None:
        await db.delete(row)
    await db.flush()
    return await retention_of(db, sensor_id, seen=seen)


async def hold(db: AsyncSession, *, new: LegalHoldCreate, by: uuid.UUID, seen: Visible = EVERYWHERE) -> LegalHold:
    """Keep readings whatever their class says. When this is committed nothing of them is deleted any more.

    Raises:
        NotFound: when there is no such place or sensor to be seen.
        Forbidden: when somebody who is confined to warehouses would hold what lies outside.
    """
    if new.location_id is not None:
        await get_location(db, new.location_id, seen=seen)
    elif new.sensor_id is not None:
        await get_sensor(db, new.sensor_id, seen=seen)
    elif seen.warehouse_ids is not None:
        raise Forbidden("you see a part of the organisation: name a place or a sensor to hold")
    await lock_deletion(db)
    made = LegalHold(created_by=by, created_at=clock.now(), **new.model_dump())
    db.add(made)
    await db.flush()
    return made


async def get_hold(db: AsyncSession, id: uuid.UUID, *, seen: Visible = EVERYWHERE) -> LegalHold:
    """One hold.

    Raises:
        NotFound: when there is none of this id to be seen.
    """
    found = (await db.scalars(queries.legal_holds(seen).where(LegalHold.id == id))).one_or_none()
    if found is None:
        raise NotFound(f"no legal hold {id}")
    return found


async def release(db: AsyncSession, id: uuid.UUID, *, by: uuid.UUID, seen: Visible = EVERYWHERE) -> LegalHold:
    """Let what was held go the way of its class again. Safe to say again.

    Raises:
        NotFound: when there is none of this id to be seen.
        Forbidden: when somebody who is confined to warehouses would release what concerns all.
    """
    found = await get_hold(db, id, seen=seen)
    if found.location_id is None and found.sensor_id is None and seen.warehouse_ids is not None:
        raise Forbidden("this hold concerns the whole organisation, of which you see a part")
    if found.released_at is None:
        found.released_by, found.released_at = by, clock.now()
        await db.flush()
    return found


async def lock_deletion(db: AsyncSession, *, unless_busy: bool = False) -> bool:
    """Have what holds and what deletes wait for each other, an organisation at a time; nobody else waits for either.

    Returns:
        False when `unless_busy` and somebody else is at it.
    """
    own = select(Organization.id).with_for_update(key_share=True, skip_locked=unless_busy)
    return (await db.scalars(own)).one_or_none() is not None
