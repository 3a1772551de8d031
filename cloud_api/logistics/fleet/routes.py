"""`/api/v1/warehouse/fleet`."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy import select

from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.logistics.fleet import service
from cloud_api.logistics.fleet.models import Vehicle
from cloud_api.logistics.fleet.schemas import VehicleCreate, VehicleRead

router = APIRouter(prefix="/warehouse/fleet", tags=["fleet"], route_class=ApiRoute)


@router.get("/vehicles", response_model=list[VehicleRead], dependencies=[require("fleet:read")])
async def list_vehicles(db: Db, query: Annotated[PageQuery, Depends()]) -> Page[Vehicle]:
    """Newest first."""
    return await page(db, select(Vehicle), Vehicle.id, query)


@router.post("/vehicles", response_model=VehicleRead, status_code=201, dependencies=[require("fleet:write")])
async def create_vehicle(db: Db, body: VehicleCreate) -> Vehicle:
    """A van; its load space becomes a place."""
    return await service.create_vehicle(db, new=body)


@router.get("/vehicles/{id}", response_model=VehicleRead, dependencies=[require("fleet:read")])
async def get_vehicle(db: Db, id: uuid.UUID) -> Vehicle:
    """One van."""
    return await service.get_vehicle(db, id)
