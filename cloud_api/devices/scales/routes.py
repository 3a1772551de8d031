"""`/api/v1/edge/scales`."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy import select

from cloud_api.devices.models import Sensor
from cloud_api.devices.queries import visible_sensors
from cloud_api.devices.scales import service
from cloud_api.devices.scales.models import QUANTITY, Scale
from cloud_api.devices.scales.schemas import ScaleCreate, ScaleRead, ScaleUpdate
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, RowsQuery, page
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.places.visibility import VisiblePlaces

router = APIRouter(prefix="/edge/scales", tags=["devices"], route_class=ApiRoute)


@router.get("", response_model=list[ScaleRead], dependencies=[require("devices:read")])
async def list_scales(
    db: Db,
    seen: VisiblePlaces,
    query: Annotated[RowsQuery, Depends()],
    registered: bool | None = None,
    gateway_id: uuid.UUID | None = None,
) -> Page[ScaleRead]:
    """Newest first; those that are not registered were heard, and nobody has said what they are."""
    mine = select(Sensor).where(Sensor.quantity == QUANTITY, visible_sensors(seen))
    if registered is not None:
        known = select(Scale.id).where(Scale.sensor_id == Sensor.id).exists()
        mine = mine.where(known if registered else ~known)
    if gateway_id is not None:
        mine = mine.where(Sensor.gateway_id == gateway_id)
    rows = await page(db, mine, Sensor.id, query)
    return Page(await service.read(db, rows.items), rows.limit, rows.next_cursor)


@router.post("", response_model=ScaleRead, status_code=201, dependencies=[require("devices:write")])
async def register_scale(db: Db, seen: VisiblePlaces, body: ScaleCreate) -> ScaleRead:
    """Register a scale, whether it was heard already or not."""
    return await service.register_scale(db, new=body, seen=seen)


@router.get("/{id}", response_model=ScaleRead, dependencies=[require("devices:read")])
async def get_scale(db: Db, seen: VisiblePlaces, id: uuid.UUID) -> ScaleRead:
    """One scale. Its id is that of the sensor that tells its weight."""
    return (await service.read(db, [await service.get_scale(db, id, seen=seen)]))[0]


@router.put("/{id}", response_model=ScaleRead, dependencies=[require("devices:write")])
async def update_scale(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID, body: ScaleUpdate
) -> ScaleRead:
    """Say what a scale is, move it, retire it or bring it back."""
    return await service.update_scale(db, id, changes=body, by=principal.id, seen=seen)


@router.delete("/{id}", status_code=204, dependencies=[require("devices:write")])
async def retire_scale(db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID) -> None:
    """What it still says is kept, and nobody acts on it."""
    await service.retire_scale(db, id, by=principal.id, seen=seen)
