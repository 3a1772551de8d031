"""`/api/v1/edge/sensors/{id}/placements` and `/calibrations`; `/api/v1/edge/calibrations/due`."""

import uuid
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy import select

from cloud_api.devices.models import Sensor, SensorCalibration, SensorPlacement
from cloud_api.devices.sensors import calibrations, service
from cloud_api.devices.sensors.known import EVER
from cloud_api.devices.sensors.schemas import (
    CalibrationCreate,
    CalibrationDueRead,
    CalibrationRead,
    PlacementRead,
    SensorRead,
)
from cloud_api.kernel import clock
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.places.visibility import VisiblePlaces

router = APIRouter(prefix="/edge", tags=["devices"], route_class=ApiRoute)


@router.get("/sensors/{id}/placements", response_model=list[PlacementRead], dependencies=[require("devices:read")])
async def list_sensor_placements(db: Db, seen: VisiblePlaces, id: uuid.UUID) -> list[PlacementRead]:
    """Where a sensor is and where it was before, the latest first. Its readings belong to the place of their time."""
    sensor = await service.get_sensor(db, id, seen=seen)
    its = select(SensorPlacement).where(SensorPlacement.sensor_id == id).order_by(SensorPlacement.from_ms.desc())
    rows = (await db.scalars(its)).all()
    if not rows:
        return [PlacementRead(id=None, sensor_id=id, since=None, location_id=sensor.location_id)]
    return [
        PlacementRead(
            id=row.id,
            sensor_id=id,
            since=None if row.from_ms == EVER else clock.from_ms(row.from_ms),
            location_id=row.location_id,
        )
        for row in rows
    ]


@router.get("/sensors/{id}/calibrations", response_model=list[CalibrationRead], dependencies=[require("devices:read")])
async def list_sensor_calibrations(db: Db, seen: VisiblePlaces, id: uuid.UUID) -> list[CalibrationRead]:
    """How a sensor is corrected and how it was before, the latest first."""
    sensor = await service.get_sensor(db, id, seen=seen)
    its = select(SensorCalibration).where(SensorCalibration.sensor_id == id).order_by(SensorCalibration.from_ms.desc())
    rows = (await db.scalars(its)).all()
    return [_read(row) for row in rows] or [_never_calibrated(sensor)]


@router.post(
    "/sensors/{id}/calibrations",
    response_model=CalibrationRead,
    status_code=201,
    dependencies=[require("devices:write")],
)
async def record_calibration(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID, body: CalibrationCreate
) -> CalibrationRead:
    """Correct a sensor from a moment on, which may be past. Raw values stay; what is shown of them changes from then
    on, until the next calibration. The same moment again is written anew.
    """
    return _read(await calibrations.record_calibration(db, id, new=body, by=principal.id, seen=seen))


@router.get("/calibrations/due", response_model=list[CalibrationDueRead], dependencies=[require("devices:read")])
async def list_due_calibrations(
    db: Db,
    seen: VisiblePlaces,
    within_days: Annotated[int, Query(ge=0, le=3660)] = 30,
    location_id: uuid.UUID | None = None,
) -> list[CalibrationDueRead]:
    """Active sensors that must be calibrated again within so many days, the longest overdue first."""
    today = clock.now().date()
    return [
        CalibrationDueRead(
            sensor=SensorRead.model_validate(sensor),
            calibration=_read(calibration),
            due_on=due_on,
            overdue_days=(today - due_on).days,
        )
        for sensor, calibration in await calibrations.due_calibrations(
            db, today + timedelta(days=within_days), seen=seen, location_id=location_id
        )
        if (due_on := calibration.due_on) is not None
    ]


def _read(row: SensorCalibration) -> CalibrationRead:
    named = {name: getattr(row, name) for name in CalibrationRead.model_fields if name != "in_force_from"}
    return CalibrationRead(in_force_from=None if row.from_ms == EVER else clock.from_ms(row.from_ms), **named)


def _never_calibrated(sensor: Sensor) -> CalibrationRead:
    return CalibrationRead(
        id=None,
        sensor_id=sensor.id,
        in_force_from=None,
        gain=sensor.gain,
        offset=sensor.offset,
        certificate="",
        reference="",
        due_on=None,
        note="",
        recorded_by=None,
        recorded_at=None,
    )
