"""`/api/v1/warehouse/warehouses` and `/api/v1/warehouse/storage/locations`."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy import select

from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.places import service
from cloud_api.places.models import Location, Warehouse
from cloud_api.places.schemas import LocationCreate, LocationRead, WarehouseCreate, WarehouseRead

router = APIRouter(prefix="/warehouse", tags=["places"], route_class=ApiRoute)


@router.get("/warehouses", response_model=list[WarehouseRead], dependencies=[require("stock:read")])
async def list_warehouses(db: Db, query: Annotated[PageQuery, Depends()]) -> Page[Warehouse]:
    """Newest first."""
    return await page(db, select(Warehouse), Warehouse.id, query)


@router.post("/warehouses", response_model=WarehouseRead, status_code=201, dependencies=[require("storage:write")])
async def create_warehouse(db: Db, body: WarehouseCreate) -> Warehouse:
    """A site that keeps stock."""
    return await service.create_warehouse(db, new=body)


@router.get("/warehouses/{id}", response_model=WarehouseRead, dependencies=[require("stock:read")])
async def get_warehouse(db: Db, id: uuid.UUID) -> Warehouse:
    """One site."""
    return await service.get_warehouse(db, id)


@router.get("/storage/locations", response_model=list[LocationRead], dependencies=[require("storage:read")])
async def list_locations(db: Db, query: Annotated[PageQuery, Depends()]) -> Page[Location]:
    """Newest first; `parent_id` makes them a tree."""
    return await page(db, select(Location), Location.id, query)


@router.post(
    "/storage/locations", response_model=LocationRead, status_code=201, dependencies=[require("storage:write")]
)
async def create_location(db: Db, body: LocationCreate) -> Location:
    """A room, zone, rack, bin or vehicle."""
    return await service.create_location(db, new=body)


@router.get("/storage/locations/{id}", response_model=LocationRead, dependencies=[require("storage:read")])
async def get_location(db: Db, id: uuid.UUID) -> Location:
    """One place."""
    return await service.get_location(db, id)
