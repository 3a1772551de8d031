"""`/api/v1/edge/sensors`."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy import select

from cloud_api.devices import queries
from cloud_api.devices.models import Sensor
from cloud_api.devices.sensors import service
from cloud_api.devices.sensors.schemas import SensorCreate, SensorRead, SensorUpdate
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.places.visibility import VisiblePlaces

router = APIRouter(prefix="/edge/sensors", tags=["devices"], route_class=ApiRoute)


@router.get("", response_model=list[SensorRead], dependencies=[require("devices:read")])
async def list_sensors(db: Db, seen: VisiblePlaces, query: Annotated[PageQuery, Depends()]) -> Page[Sensor]:
    """Newest first; those without a place were heard but not yet given one."""
    return await page(db, select(Sensor).where(queries.visible_sensors(seen)), Sensor.id, query)


@router.post("", response_model=SensorRead, status_code=201, dependencies=[require("devices:write")])
async def register_sensor(db: Db, seen: VisiblePlaces, body: SensorCreate) -> Sensor:
    """Register a sensor before it is heard; sensors that are heard register themselves, without a place."""
    return await service.register_sensor(db, new=body, seen=seen)


@router.get("/{id}", response_model=SensorRead, dependencies=[require("devices:read")])
async def get_sensor(db: Db, seen: VisiblePlaces, id: uuid.UUID) -> Sensor:
    """One sensor."""
    return await service.get_sensor(db, id, seen=seen)


@router.put("/{id}", response_model=SensorRead, dependencies=[require("devices:write")])
async def update_sensor(db: Db, seen: VisiblePlaces, id: uuid.UUID, body: SensorUpdate) -> Sensor:
    """Give a sensor its place or its calibration, retire it, or bring it back."""
    return await service.update_sensor(db, id, changes=body, seen=seen)


@router.delete("/{id}", status_code=204, dependencies=[require("devices:write")])
async def retire_sensor(db: Db, seen: VisiblePlaces, id: uuid.UUID) -> None:
    """It is judged no more; what it measured stays, and what it still says is kept beside that."""
    await service.retire_sensor(db, id, seen=seen)
