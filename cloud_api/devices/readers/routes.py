"""`/api/v1/edge/readers`."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy import select

from cloud_api.devices.models import Sensor
from cloud_api.devices.queries import visible_sensors
from cloud_api.devices.readers import service
from cloud_api.devices.readers.models import QUANTITY, Reader
from cloud_api.devices.readers.schemas import ReaderCreate, ReaderRead, ReaderUpdate
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, RowsQuery, page
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.places.visibility import VisiblePlaces

router = APIRouter(prefix="/edge/readers", tags=["devices"], route_class=ApiRoute)


@router.get("", response_model=list[ReaderRead], dependencies=[require("devices:read")])
async def list_readers(
    db: Db,
    seen: VisiblePlaces,
    query: Annotated[RowsQuery, Depends()],
    registered: bool | None = None,
    gateway_id: uuid.UUID | None = None,
) -> Page[ReaderRead]:
    """Newest first; those that are not registered were heard, and nobody has said what they are."""
    mine = select(Sensor).where(Sensor.quantity == QUANTITY, visible_sensors(seen))
    if registered is not None:
        known = select(Reader.id).where(Reader.sensor_id == Sensor.id).exists()
        mine = mine.where(known if registered else ~known)
    if gateway_id is not None:
        mine = mine.where(Sensor.gateway_id == gateway_id)
    rows = await page(db, mine, Sensor.id, query)
    return Page(await service.read(db, rows.items), rows.limit, rows.next_cursor)


@router.post("", response_model=ReaderRead, status_code=201, dependencies=[require("devices:write")])
async def register_reader(db: Db, seen: VisiblePlaces, body: ReaderCreate) -> ReaderRead:
    """Register a reader, whether it was heard already or not."""
    return await service.register_reader(db, new=body, seen=seen)


@router.get("/{id}", response_model=ReaderRead, dependencies=[require("devices:read")])
async def get_reader(db: Db, seen: VisiblePlaces, id: uuid.UUID) -> ReaderRead:
    """One reader. Its id is that of the sensor that speaks for it."""
    return (await service.read(db, [await service.get_reader(db, id, seen=seen)]))[0]


@router.put("/{id}", response_model=ReaderRead, dependencies=[require("devices:write")])
async def update_reader(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID, body: ReaderUpdate
) -> ReaderRead:
    """Say what a reader is, move it, retire it or bring it back."""
    return await service.update_reader(db, id, changes=body, by=principal.id, seen=seen)


@router.delete("/{id}", status_code=204, dependencies=[require("devices:write")])
async def retire_reader(db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID) -> None:
    """What it still says is kept, and nobody acts on it."""
    await service.retire_reader(db, id, by=principal.id, seen=seen)
