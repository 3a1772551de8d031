"""`/api/v1/warehouse/warehouses`, `/storage/locations`, and which warehouses a person is confined to.

What says how full they are, or takes them away, stands in `inventory.occupancy`, which knows what lies there.
"""

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy import select

from cloud_api.identity.people import service as people
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, RowsQuery, page
from cloud_api.kernel.permissions import require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.places import service
from cloud_api.places.models import Location, Warehouse
from cloud_api.places.schemas import (
    LocationCreate,
    LocationRead,
    WarehouseCreate,
    WarehouseRead,
    WarehouseScope,
    WarehouseScopeRead,
)
from cloud_api.places.visibility import VisiblePlaces

router = APIRouter(prefix="/warehouse", tags=["places"], route_class=ApiRoute)
members = APIRouter(prefix="/admin/users", tags=["users"], route_class=ApiRoute)


@router.get("/warehouses", response_model=list[WarehouseRead], dependencies=[require("stock:read")])
async def list_warehouses(db: Db, seen: VisiblePlaces, query: Annotated[RowsQuery, Depends()]) -> Page[Warehouse]:
    """Newest first."""
    return await page(db, select(Warehouse).where(seen.warehouses(Warehouse.id)), Warehouse.id, query)


@router.post("/warehouses", response_model=WarehouseRead, status_code=201, dependencies=[require("storage:write")])
async def create_warehouse(db: Db, seen: VisiblePlaces, body: WarehouseCreate) -> Warehouse:
    """A site that keeps stock."""
    return await service.create_warehouse(db, new=body, seen=seen)


@router.post(
    "/storage/locations", response_model=LocationRead, status_code=201, dependencies=[require("storage:write")]
)
async def create_location(db: Db, seen: VisiblePlaces, body: LocationCreate) -> Location:
    """A room, zone, rack, bin or vehicle."""
    return await service.create_location(db, new=body, seen=seen)


@members.get("/{id}/warehouses", response_model=WarehouseScopeRead, dependencies=[require("users:read")])
async def get_user_warehouses(db: Db, id: uuid.UUID) -> WarehouseScopeRead:
    """The warehouses that a person is confined to; an empty list: none, they see all."""
    person = await people.get_user(db, id)
    return WarehouseScopeRead(warehouse_ids=list(await service.warehouses_of(db, id)), version=person.version)


@members.put("/{id}/warehouses", response_model=WarehouseScopeRead, dependencies=[require("users:write")])
async def set_user_warehouses(db: Db, seen: VisiblePlaces, id: uuid.UUID, body: WarehouseScope) -> WarehouseScopeRead:
    """Confine a person to these warehouses instead of those before; an empty list opens all to them."""
    confined, version = await service.confine(db, id, scope=body, seen=seen)
    return WarehouseScopeRead(warehouse_ids=list(confined), version=version)
