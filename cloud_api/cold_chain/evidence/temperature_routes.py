"""`/api/v1/warehouse/temperature`."""

import uuid
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends

from cloud_api.cold_chain.alerts.models import Alert
from cloud_api.cold_chain.evidence import temperature
from cloud_api.cold_chain.evidence.errors import BadPeriod
from cloud_api.cold_chain.evidence.temperature_schemas import (
    BrokenRead,
    LogRead,
    ManualReadingCreate,
    ManualReadingRead,
    TemperatureAlertRead,
)
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.places.visibility import VisiblePlaces

router = APIRouter(prefix="/warehouse/temperature", tags=["cold chain"], route_class=ApiRoute)
_AlertType = Literal["high_temp", "low_temp", "high_humidity", "low_humidity", "sensor_failure"]


@router.get("/logs", response_model=list[LogRead], dependencies=[require("telemetry:read")])
async def temperature_log(
    db: Db, seen: VisiblePlaces, location_id: uuid.UUID, since: datetime, until: datetime
) -> list[LogRead]:
    """What was measured in a place, hour by hour and by hand, over at most 31 days."""
    if since.tzinfo is None or until.tzinfo is None:
        raise BadPeriod("give the times with their zones, as in 2026-01-31T08:00:00Z", field="since")
    found = await temperature.log(db, location_id, since=since, until=until, seen=seen)
    return [_read(entry) for entry in found]


@router.post("/logs", response_model=ManualReadingRead, status_code=201, dependencies=[require("quality:write")])
async def record_manual_reading(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, body: ManualReadingCreate
) -> ManualReadingRead:
    """Write down what a thermometer shows; the answer says which limits it breaks."""
    row, broken = await temperature.record(
        db,
        location_id=body.location_id,
        quantity=body.quantity,
        value=body.value,
        measured_at=body.measured_at,
        note=body.note,
        recorded_by=principal.id,
        seen=seen,
    )
    return ManualReadingRead(
        id=row.id,
        location_id=row.location_id,
        quantity=row.quantity,
        value=row.value,
        measured_at=row.measured_at,
        note=row.note,
        alert_type=row.alert_type,
        broken=[BrokenRead.model_validate(one) for one in broken],
    )


@router.get("/alerts", response_model=list[TemperatureAlertRead], dependencies=[require("telemetry:read")])
async def list_temperature_alerts(
    db: Db,
    seen: VisiblePlaces,
    query: Annotated[PageQuery, Depends()],
    location_id: uuid.UUID | None = None,
    alert_type: _AlertType | None = None,
) -> Page[Alert]:
    """What was too warm, too cold, too humid, too dry or silent, newest first."""
    its = temperature.raised(seen, location_id=location_id, alert_type=alert_type)
    return await page(db, its, Alert.id, query)


def _read(entry: temperature.LogEntry) -> LogRead:
    is_temperature = entry.quantity == "temperature"
    return LogRead(
        location_id=entry.location_id,
        sensor_id=entry.sensor_id,
        recorded_at=entry.recorded_at,
        source="manual" if entry.sensor_id is None else "gateway",
        temperature=round(entry.value, 3) if is_temperature else None,
        humidity=None if is_temperature else round(entry.value, 3),
        minimum=round(entry.minimum, 3),
        maximum=round(entry.maximum, 3),
        alert_triggered=entry.alert_type is not None,
        alert_type=entry.alert_type,
    )
