"""`/api/v1/warehouse/fleet`, `/routes`, `/deliveries` and `/api/v1/dispatch/jobs`: for the dispatcher."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy import select

from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.logistics.deliveries import service
from cloud_api.logistics.deliveries.models import Delivery, Route
from cloud_api.logistics.deliveries.schemas import DeliveryRead, RouteDetailRead, RouteRead
from cloud_api.logistics.deliveries.visibility import DeliveriesToRead, RoutesToRead

router = APIRouter(tags=["logistics"], route_class=ApiRoute)
live = APIRouter()


@router.get("/warehouse/routes", response_model=list[RouteRead], dependencies=[require("routes:read")])
async def list_routes(
    db: Db, seen: RoutesToRead, query: Annotated[PageQuery, Depends()], planning_job_id: uuid.UUID | None = None
) -> Page[Route]:
    """Newest first; a driver sees their own."""
    statement = select(Route).where(seen.routes())
    if planning_job_id is not None:
        statement = statement.where(Route.planning_job_id == planning_job_id)
    return await page(db, statement, Route.id, query)


@router.get("/warehouse/routes/{id}", response_model=RouteDetailRead, dependencies=[require("routes:read")])
async def get_route(db: Db, seen: RoutesToRead, id: uuid.UUID) -> RouteDetailRead:
    """One route with its stops."""
    return await service.detail(db, await service.get_route(db, id, seen=seen))


@router.get("/warehouse/deliveries", response_model=list[DeliveryRead], dependencies=[require("deliveries:read")])
async def list_deliveries(
    db: Db, seen: DeliveriesToRead, query: Annotated[PageQuery, Depends()], order_id: uuid.UUID | None = None
) -> Page[Delivery]:
    """Newest first; a driver sees those on their own routes."""
    statement = select(Delivery).where(seen.deliveries())
    if order_id is not None:
        statement = statement.where(Delivery.order_id == order_id)
    return await page(db, statement, Delivery.id, query)
