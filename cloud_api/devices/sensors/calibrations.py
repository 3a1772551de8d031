"""The verbs of calibrations: record, list what is due, tell of it once."""

import uuid
from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from cloud_api.devices.events import CalibrationDue, SensorPlaced
from cloud_api.devices.gateways.service import count_change
from cloud_api.devices.models import Sensor, SensorCalibration
from cloud_api.devices.queries import visible_sensors
from cloud_api.devices.sensors import history
from cloud_api.devices.sensors.schemas import CalibrationCreate, CalibrationValues
from cloud_api.devices.sensors.service import check_not_ahead, hold_sensor
from cloud_api.kernel import clock, outbox
from cloud_api.kernel.db import Database
from cloud_api.kernel.loops import keep_looking
from cloud_api.kernel.tenancy import OrganizationScope, SystemScope
from cloud_api.places import service as places
from cloud_api.places.queries import EVERYWHERE, Visible

_POLL_S = 3600.0


class Due(NamedTuple):
    """A sensor and its calibration in force, whose time is over."""

    sensor: Sensor
    calibration: SensorCalibration


async def record_calibration(
    db: AsyncSession, sensor_id: uuid.UUID, *, new: CalibrationCreate, by: uuid.UUID, seen: Visible = EVERYWHERE
) -> SensorCalibration:
    """Correct a sensor's values from a moment on, which may be past: raw values stay, what is shown of them changes.

    The same again changes nothing.

    Raises:
        NotFound: when there is no such sensor.
        Invalid: when it is to hold from a moment that has not come.
    """
    sensor = await hold_sensor(db, sensor_id, seen=seen)
    from_ms = check_not_ahead("in_force_from", new.in_force_from)
    values = CalibrationValues.model_validate(new.model_dump(exclude={"in_force_from"}))
    calibration, changed = await history.correct(db, sensor, values, from_ms=from_ms, by=by)
    if changed:
        await count_change(db, sensor.gateway_id)
        outbox.emit(db, SensorPlaced(sensor.id, sensor.gateway_id))
    return calibration


async def due_calibrations(
    db: AsyncSession, on: date, *, seen: Visible = EVERYWHERE, location_id: uuid.UUID | None = None
) -> Sequence[Due]:
    """Active sensors whose calibration in force is to be done again by this day, the longest overdue first.

    Args:
        location_id: in this place or anywhere inside it; None: everywhere.
    """
    there = [] if location_id is None else [Sensor.location_id.in_(await places.within(db, location_id))]
    rows = await db.execute(_due(SensorCalibration.due_on <= on, visible_sensors(seen), *there))
    return [Due(sensor, calibration) for sensor, calibration in rows]


async def tell_due_calibrations(database: Database, now: datetime) -> int:
    """Say `CalibrationDue` of every sensor whose calibration is due today (UTC), once for each sensor and due date.

    A step for a loop: a unit of work finds whose they are, then each organisation has one of its own. Any number may
    run beside each other. Returns how many were told.
    """
    untold = (SensorCalibration.due_on <= now.date(), SensorCalibration.due_told_at.is_(None))
    async with database.unit_of_work(SystemScope("find calibrations that are due"), read_only=True) as db:
        found = _due(*untold).with_only_columns(Sensor.organization_id).order_by(None).distinct()
        organization_ids = (await db.scalars(found)).all()
    told = 0
    for organization_id in organization_ids:
        async with database.unit_of_work(OrganizationScope(organization_id)) as db:
            locked = _due(*untold).with_for_update(of=SensorCalibration, skip_locked=True)
            for sensor, calibration in (await db.execute(locked)).all():
                calibration.due_told_at = now
                outbox.emit(db, CalibrationDue(sensor.id, sensor.gateway_id, calibration.id, calibration.due_on))
                told += 1
    return told


class CalibrationReminder:
    """Says once of each sensor that its calibration is due. Any number may run beside each other."""

    def __init__(self, database: Database, *, poll_s: float = _POLL_S) -> None:
        self._database = database
        self._poll_s = poll_s

    async def run(self) -> None:
        """Look until cancelled; a database that does not answer is asked again."""
        await keep_looking(
            lambda: tell_due_calibrations(self._database, clock.now()),
            every_s=self._poll_s,
            failure="calibration_reminder_failed",
        )


def _due(*conditions: ColumnElement[bool]) -> Select[tuple[Sensor, SensorCalibration]]:
    later = aliased(SensorCalibration)
    replaced = select(later.id).where(
        later.sensor_id == SensorCalibration.sensor_id, later.from_ms > SensorCalibration.from_ms
    )
    return (
        select(Sensor, SensorCalibration)
        .join(SensorCalibration, SensorCalibration.sensor_id == Sensor.id)
        .where(Sensor.status == "active", ~replaced.exists(), *conditions)
        .order_by(SensorCalibration.due_on, Sensor.id)
    )
