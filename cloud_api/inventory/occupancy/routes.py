"""`/api/v1/warehouse/warehouses/{id}` and `/storage/locations`: how full they are, and what it is like there."""

import uuid
from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from sqlalchemy import or_, select

from cloud_api.inventory.occupancy import maps, service
from cloud_api.inventory.occupancy.schemas import (
    AreaRead,
    FloorMapRead,
    PlaceRead,
    SensorOnMapRead,
    StorageUseRead,
    WarehouseUseRead,
)
from cloud_api.kernel import clock
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, RowsQuery
from cloud_api.kernel.permissions import require
from cloud_api.kernel.sorting import Columns, sorted_page
from cloud_api.kernel.unit_of_work import Db
from cloud_api.places import service as places
from cloud_api.places.models import Location, Warehouse
from cloud_api.places.schemas import (
    LocationRead,
    LocationType,
    LocationUpdate,
    StorageType,
    WarehouseRead,
    WarehouseUpdate,
)
from cloud_api.places.visibility import VisiblePlaces
from cloud_api.telemetry.series.service import Latest

router = APIRouter(prefix="/warehouse", tags=["places"], route_class=ApiRoute)
_SORTED_BY: Columns = {"code": Location.code, "name": Location.name}


@router.get("/warehouses/{id}", response_model=WarehouseUseRead, dependencies=[require("stock:read")])
async def get_warehouse(db: Db, seen: VisiblePlaces, id: uuid.UUID) -> WarehouseUseRead:
    """One site, and how full it is."""
    warehouse = await places.get_warehouse(db, id, seen=seen)
    whole, classes = await maps.use_of(db, warehouse)
    return WarehouseUseRead(
        **WarehouseRead.model_validate(warehouse).model_dump(),
        used_kg=whole.used_kg,
        utilisation_pct=whole.percent,
        by_storage_type=[
            StorageUseRead(
                storage_type=name, used_kg=use.used_kg, capacity_kg=use.capacity_kg, utilisation_pct=use.percent
            )
            for name, use in classes.items()
        ],
    )


@router.put("/warehouses/{id}", response_model=WarehouseRead, dependencies=[require("storage:write")])
async def update_warehouse(db: Db, seen: VisiblePlaces, id: uuid.UUID, body: WarehouseUpdate) -> Warehouse:
    """Change what is sent; null empties what may be empty."""
    return await service.update_warehouse(db, id, changes=body, seen=seen)


@router.delete("/warehouses/{id}", status_code=204, dependencies=[require("storage:write")])
async def deactivate_warehouse(db: Db, seen: VisiblePlaces, id: uuid.UUID) -> None:
    """Let an empty site take nothing in any more; PUT makes it active again."""
    await service.update_warehouse(db, id, changes=WarehouseUpdate(is_active=False), seen=seen)


@router.get("/warehouses/{id}/map", response_model=FloorMapRead, dependencies=[require("storage:read")])
async def get_warehouse_map(db: Db, seen: VisiblePlaces, id: uuid.UUID) -> FloorMapRead:
    """The floor plan: its places, how full they are, what their sensors said last, and what is on hold."""
    return FloorMapRead(warehouse_id=id, areas=[_area(area) for area in await maps.floor_map(db, id, seen=seen)])


@router.get("/storage/locations", response_model=list[PlaceRead], dependencies=[require("storage:read")])
async def list_locations(
    db: Db,
    seen: VisiblePlaces,
    query: Annotated[RowsQuery, Depends()],
    warehouse_id: uuid.UUID | None = None,
    parent_id: uuid.UUID | None = None,
    location_type: LocationType | None = None,
    storage_type: StorageType | None = None,
    status: Literal["active", "maintenance", "inactive"] | None = None,
    measured: bool | None = None,
    outermost: bool | None = None,
    search: Annotated[str, Query(max_length=100)] = "",
    sort: Literal["-created_at", "created_at", "code", "-code", "name", "-name"] = "-created_at",
    climate: bool = True,
    fill: bool = False,
) -> Page[PlaceRead]:
    """Newest first, or as `sort` says, with what their own sensors said last unless `climate` is false, which is
    quicker, and how full they are if `fill` is true; `parent_id` makes them a tree, which begins with those that are
    `outermost`. `measured`: with a sensor that is in use, or without. `search`: in codes and names.
    """
    statement = select(Location).where(
        seen.warehouses(Location.warehouse_id), Location.removed_at.is_(None), Location.location_type != "transit"
    )
    for column, wanted in (
        (Location.warehouse_id, warehouse_id),
        (Location.parent_id, parent_id),
        (Location.location_type, location_type),
        (Location.storage_type, storage_type),
        (Location.status, status),
    ):
        if wanted is not None:
            statement = statement.where(column == wanted)
    if measured is not None:
        statement = statement.where(maps.is_measured() == measured)
    if outermost is not None:
        statement = statement.where(Location.parent_id.is_(None) == outermost)
    if search:
        columns = (Location.code, Location.name)
        statement = statement.where(or_(*(column.icontains(search, autoescape=True) for column in columns)))
    rows = await sorted_page(db, statement, Location.id, query, sort=sort, columns=_SORTED_BY)
    ids = [location.id for location in rows.items]
    said = await maps.climate_of(db, ids, seen=seen) if climate else {}
    full = await maps.fill_of(db, ids) if fill else {}
    items = [_place(one, said.get(one.id, ()), full.get(one.id)) for one in rows.items]
    return Page(items, rows.limit, rows.next_cursor)


@router.get("/storage/locations/{id}", response_model=PlaceRead, dependencies=[require("storage:read")])
async def get_location(
    db: Db, seen: VisiblePlaces, id: uuid.UUID, climate: bool = True, fill: bool = False
) -> PlaceRead:
    """One place, with what its sensors said last unless `climate` is false, and how full it is if `fill` is true."""
    location = await places.get_present(db, id, seen=seen)
    said = await maps.climate_of(db, [id], seen=seen) if climate else {}
    full = await maps.fill_of(db, [id]) if fill else {}
    return _place(location, said.get(id, ()), full.get(id))


@router.put("/storage/locations/{id}", response_model=LocationRead, dependencies=[require("storage:write")])
async def update_location(db: Db, seen: VisiblePlaces, id: uuid.UUID, body: LocationUpdate) -> Location:
    """Change what is sent: limits, capacity, status, or where in its warehouse it lies; null empties."""
    return await service.update_location(db, id, changes=body, seen=seen)


@router.delete("/storage/locations/{id}", status_code=204, dependencies=[require("storage:write")])
async def remove_location(db: Db, seen: VisiblePlaces, id: uuid.UUID) -> None:
    """Take an empty place away; what happened in it still names it."""
    await service.remove_location(db, id, seen=seen)


def _place(location: Location, said: Sequence[Latest], fill: maps.Fill | None) -> PlaceRead:
    use = None if fill is None else maps.Use(fill.used_kg, location.capacity_kg)
    warm, damp = maps.newest(said, "temperature"), maps.newest(said, "humidity")
    return PlaceRead(
        **LocationRead.model_validate(location).model_dump(),
        temperature_c=None if warm is None else warm.value,
        temperature_at=None if warm is None else clock.from_ms(warm.recorded_at_ms),
        humidity_pct=None if damp is None else damp.value,
        humidity_at=None if damp is None else clock.from_ms(damp.recorded_at_ms),
        used_kg=None if use is None else use.used_kg,
        utilisation_pct=None if use is None else use.percent,
        places_within=None if fill is None else fill.places,
    )


def _area(area: maps.Area) -> AreaRead:
    return AreaRead(
        **LocationRead.model_validate(area.location).model_dump(),
        used_kg=area.use.used_kg,
        utilisation_pct=area.use.percent,
        sensors=[
            SensorOnMapRead(
                sensor_id=one.sensor_id,
                code=one.code,
                quantity=one.quantity,
                unit=one.unit,
                value=one.value,
                recorded_at=clock.from_ms(one.recorded_at_ms),
                stale=one.stale,
            )
            for one in area.sensors
        ],
        climate=area.climate,
        on_hold=area.on_hold,
    )
