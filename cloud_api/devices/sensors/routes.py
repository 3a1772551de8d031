"""`/api/v1/edge/sensors`."""

import uuid
from collections.abc import Iterator, Sequence
from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy import ColumnElement, select

from cloud_api.devices import queries
from cloud_api.devices.models import Sensor
from cloud_api.devices.sensors import service
from cloud_api.devices.sensors.schemas import SensorCreate, SensorFilter, SensorRead, SensorUpdate
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, RowsQuery, page
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.places import service as places
from cloud_api.places.visibility import VisiblePlaces

router = APIRouter(prefix="/edge/sensors", tags=["devices"], route_class=ApiRoute)


@router.get("", response_model=list[SensorRead], dependencies=[require("devices:read")])
async def list_sensors(
    db: Db,
    seen: VisiblePlaces,
    query: Annotated[RowsQuery, Depends()],
    wanted: Annotated[SensorFilter, Depends()],
) -> Page[Sensor]:
    """Newest first; those without a place were heard but not yet given one."""
    there = None if wanted.location_id is None else await places.within(db, wanted.location_id)
    mine = select(Sensor).where(queries.visible_sensors(seen), *_conditions(wanted, there))
    return await page(db, mine, Sensor.id, query)


@router.post("", response_model=SensorRead, status_code=201, dependencies=[require("devices:write")])
async def register_sensor(db: Db, seen: VisiblePlaces, body: SensorCreate) -> Sensor:
    """Register a sensor before it is heard; sensors that are heard register themselves, without a place."""
    return await service.register_sensor(db, new=body, seen=seen)


@router.get("/{id}", response_model=SensorRead, dependencies=[require("devices:read")])
async def get_sensor(db: Db, seen: VisiblePlaces, id: uuid.UUID) -> Sensor:
    """One sensor."""
    return await service.get_sensor(db, id, seen=seen)


@router.put("/{id}", response_model=SensorRead, dependencies=[require("devices:write")])
async def update_sensor(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID, body: SensorUpdate
) -> Sensor:
    """Give a sensor its place, another offset or its interval, retire it, or bring it back."""
    return await service.update_sensor(db, id, changes=body, by=principal.id, seen=seen)


@router.delete("/{id}", status_code=204, dependencies=[require("devices:write")])
async def retire_sensor(db: Db, seen: VisiblePlaces, id: uuid.UUID) -> None:
    """It is judged no more; what it measured stays, and what it still says is kept beside that."""
    await service.retire_sensor(db, id, seen=seen)


def _conditions(wanted: SensorFilter, there: Sequence[uuid.UUID] | None) -> Iterator[ColumnElement[bool]]:
    """What `wanted` says; `there` is its place with everything inside it."""
    if there is not None:
        yield Sensor.location_id.in_(there)
    for column in (Sensor.gateway_id, Sensor.quantity, Sensor.status):
        value = getattr(wanted, column.key)
        if value is not None:
            yield column == value
    if wanted.unplaced is not None:
        yield Sensor.location_id.is_(None) if wanted.unplaced else Sensor.location_id.is_not(None)
    if wanted.code:
        yield Sensor.code.icontains(wanted.code, autoescape=True)
