"""`/api/v1/telemetry/retention-classes`, `/sensors/{id}/retention` and `/legal-holds`."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy import select

from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.places.visibility import VisiblePlaces
from cloud_api.telemetry.retention import queries, service
from cloud_api.telemetry.retention.models import LegalHold, RetentionClass, SensorRetention
from cloud_api.telemetry.retention.schemas import (
    LegalHoldCreate,
    LegalHoldRead,
    RetentionClassRead,
    RetentionClassUpdate,
    RetentionClassWrite,
    SensorRetentionListed,
    SensorRetentionRead,
    SensorRetentionWrite,
)

router = APIRouter(prefix="/telemetry", tags=["telemetry"], route_class=ApiRoute)

_READING = [require("devices:read")]
_WRITING = [require("devices:write")]


@router.get("/retention-classes", response_model=list[RetentionClassRead], dependencies=_READING)
async def list_retention_classes(db: Db, query: Annotated[PageQuery, Depends()]) -> Page[RetentionClass]:
    """The organisation's own, newest first. Sensors without one: 400 days, hours for 3 years, days for ever."""
    return await page(db, select(RetentionClass), RetentionClass.id, query)


@router.post("/retention-classes", response_model=RetentionClassRead, status_code=201, dependencies=_WRITING)
async def create_retention_class(db: Db, body: RetentionClassWrite) -> RetentionClass:
    """Another one."""
    return await service.create_class(db, new=body)


@router.get("/retention-classes/{id}", response_model=RetentionClassRead, dependencies=_READING)
async def get_retention_class(db: Db, id: uuid.UUID) -> RetentionClass:
    """One class."""
    return await service.get_class(db, id)


@router.put("/retention-classes/{id}", response_model=RetentionClassRead, dependencies=_WRITING)
async def update_retention_class(db: Db, id: uuid.UUID, body: RetentionClassUpdate) -> RetentionClass:
    """Keep the readings of its sensors for another time. What is shorter takes effect within hours."""
    return await service.change_class(db, id, new=body)


@router.delete("/retention-classes/{id}", status_code=204, dependencies=_WRITING)
async def delete_retention_class(db: Db, id: uuid.UUID) -> None:
    """Take a class away that no sensor has."""
    await service.delete_class(db, id)


@router.get("/sensor-retentions", response_model=list[SensorRetentionListed], dependencies=_READING)
async def list_sensor_retentions(
    db: Db, seen: VisiblePlaces, query: Annotated[PageQuery, Depends()], class_id: uuid.UUID | None = None
) -> Page[SensorRetention]:
    """Sensors with a class of their own, the last to be given one first. All others have the standard one."""
    return await page(db, queries.sensors_with_class(seen, class_id=class_id), SensorRetention.id, query)


@router.get("/sensors/{id}/retention", response_model=SensorRetentionRead, dependencies=_READING)
async def get_sensor_retention(db: Db, seen: VisiblePlaces, id: uuid.UUID) -> SensorRetentionRead:
    """How long a sensor's readings are kept."""
    return await service.retention_of(db, id, seen=seen)


@router.put("/sensors/{id}/retention", response_model=SensorRetentionRead, dependencies=_WRITING)
async def set_sensor_retention(
    db: Db, seen: VisiblePlaces, id: uuid.UUID, body: SensorRetentionWrite
) -> SensorRetentionRead:
    """Give a sensor a class, or the standard one."""
    return await service.set_retention(db, id, class_id=body.class_id, seen=seen)


@router.get("/legal-holds", response_model=list[LegalHoldRead], dependencies=_READING)
async def list_legal_holds(db: Db, seen: VisiblePlaces, query: Annotated[PageQuery, Depends()]) -> Page[LegalHold]:
    """Those in force and those released, newest first."""
    return await page(db, queries.legal_holds(seen), LegalHold.id, query)


@router.post("/legal-holds", response_model=LegalHoldRead, status_code=201, dependencies=_WRITING)
async def create_legal_hold(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, body: LegalHoldCreate
) -> LegalHold:
    """Keep readings, whatever their class says, until somebody releases them."""
    return await service.hold(db, new=body, by=principal.id, seen=seen)


@router.get("/legal-holds/{id}", response_model=LegalHoldRead, dependencies=_READING)
async def get_legal_hold(db: Db, seen: VisiblePlaces, id: uuid.UUID) -> LegalHold:
    """One hold."""
    return await service.get_hold(db, id, seen=seen)


@router.post("/legal-holds/{id}/release", response_model=LegalHoldRead, dependencies=_WRITING)
async def release_legal_hold(db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID) -> LegalHold:
    """Let what was held go the way of its class again."""
    return await service.release(db, id, by=principal.id, seen=seen)
