"""Writing where a sensor was and how it was corrected, as functions of time that are whole from before all time on.

The caller holds the gateway (`gateways.service.hold_facts`) and counts the change.
"""

import uuid

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.devices.models import Sensor, SensorCalibration, SensorPlacement
from cloud_api.devices.sensors.known import EVER
from cloud_api.devices.sensors.schemas import CalibrationValues
from cloud_api.kernel import clock
from cloud_api.kernel.db import insert_missing


async def begin_placements(db: AsyncSession, sensor: Sensor) -> None:
    """A sensor has always been where it is now, until something else is said."""
    first = {"sensor_id": sensor.id, "from_ms": EVER, "location_id": sensor.location_id}
    await insert_missing(db, SensorPlacement, first)


async def place(db: AsyncSession, sensor: Sensor, *, location_id: uuid.UUID | None, from_ms: int) -> bool:
    """Let the sensor be at `location_id` from `from_ms` on, whatever was said of the time since; before, all stays.

    Returns whether that was something else than what was known.
    """
    its = select(SensorPlacement).where(SensorPlacement.sensor_id == sensor.id)
    known = list((await db.scalars(its.order_by(SensorPlacement.from_ms))).all())
    if not known:
        known = [SensorPlacement(sensor_id=sensor.id, from_ms=EVER, location_id=sensor.location_id)]
    before = [placement for placement in known if placement.from_ms < from_ms]
    since = known[len(before) :]
    was_there = before[-1].location_id == location_id
    said_before = [(placement.from_ms, placement.location_id) for placement in since]
    if said_before == ([] if was_there else [(from_ms, location_id)]):
        return False
    db.add(before[0])  # when it was not there yet
    if not was_there and since and since[0].from_ms == from_ms:
        since.pop(0).location_id = location_id
    elif not was_there:
        db.add(SensorPlacement(sensor_id=sensor.id, from_ms=from_ms, location_id=location_id))
    for obsolete in since:
        await db.delete(obsolete)
    sensor.location_id = location_id
    return True


async def correct(
    db: AsyncSession, sensor: Sensor, values: CalibrationValues, *, from_ms: int, by: uuid.UUID | None
) -> tuple[SensorCalibration, bool]:
    """Let the sensor be corrected so from `from_ms` until the next calibration; one of that moment is written anew.

    Returns it, and whether that was something else than what was known. The sensor's own correction is the last one's.
    """
    its = select(SensorCalibration).where(SensorCalibration.sensor_id == sensor.id)
    known = list((await db.scalars(its.order_by(SensorCalibration.from_ms))).all())
    now = clock.now()
    if not known:
        first = SensorCalibration(
            sensor_id=sensor.id, from_ms=EVER, gain=sensor.gain, offset=sensor.offset, recorded_at=now
        )
        known = [first]
        db.add(first)
    wanted = values.model_dump()
    calibration = next((one for one in known if one.from_ms == from_ms), None)
    if calibration is not None and all(getattr(calibration, name) == value for name, value in wanted.items()):
        return calibration, False
    if calibration is None:
        calibration = SensorCalibration(sensor_id=sensor.id, from_ms=from_ms)
        known.append(calibration)
    elif calibration.due_on != values.due_on:
        calibration.due_told_at = None
    for name, value in wanted.items():
        setattr(calibration, name, value)
    calibration.recorded_by, calibration.recorded_at = by, now
    db.add(calibration)
    last = max(known, key=lambda one: one.from_ms)
    sensor.gain, sensor.offset = last.gain, last.offset
    await db.flush()
    return calibration, True


async def last_calibration(db: AsyncSession, sensor_id: uuid.UUID) -> SensorCalibration | None:
    """The one in force; None: nobody has recorded any."""
    its = select(SensorCalibration).where(SensorCalibration.sensor_id == sensor_id)
    return (await db.scalars(its.order_by(SensorCalibration.from_ms.desc()).limit(1))).one_or_none()
