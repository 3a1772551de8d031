"""`/api/v1/warehouse/fleet`, `/routes`, `/deliveries` and `/api/v1/dispatch/jobs`: for the dispatcher."""

import uuid
from contextlib import aclosing
from typing import Annotated

from fastapi import APIRouter, Depends, WebSocket, status
from sqlalchemy import select

from cloud_api.kernel.db import Database
from cloud_api.kernel.errors import AppError
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import TOKEN_SUBPROTOCOL, CurrentPrincipal, Principal, require, watcher
from cloud_api.kernel.unit_of_work import Db
from cloud_api.logistics import planning, service
from cloud_api.logistics.models import Delivery, PlanningJob, Route, Vehicle
from cloud_api.logistics.schemas import (
    DeliveryRead,
    OptimizeRequest,
    PlanningJobRead,
    RouteDetailRead,
    RouteRead,
    TrackRead,
    VehicleCreate,
    VehicleRead,
)
from cloud_api.logistics.visibility import DeliveriesToRead, RoutesToRead, visible_routes
from cloud_api.places.visibility import VisiblePlaces
from cloud_api.realtime.hub import topic_of
from cloud_api.realtime.live import changes

router = APIRouter(tags=["logistics"], route_class=ApiRoute)
live = APIRouter()


@router.get("/warehouse/fleet/vehicles", response_model=list[VehicleRead], dependencies=[require("fleet:read")])
async def list_vehicles(db: Db, query: Annotated[PageQuery, Depends()]) -> Page[Vehicle]:
    """Newest first."""
    return await page(db, select(Vehicle), Vehicle.id, query)


@router.post(
    "/warehouse/fleet/vehicles", response_model=VehicleRead, status_code=201, dependencies=[require("fleet:write")]
)
async def create_vehicle(db: Db, body: VehicleCreate) -> Vehicle:
    """A van; its load space becomes a place."""
    return await service.create_vehicle(db, new=body)


@router.get("/warehouse/fleet/vehicles/{id}", response_model=VehicleRead, dependencies=[require("fleet:read")])
async def get_vehicle(db: Db, id: uuid.UUID) -> Vehicle:
    """One van."""
    return await service.get_vehicle(db, id)


@router.post(
    "/warehouse/routes/optimize",
    response_model=PlanningJobRead,
    status_code=202,
    dependencies=[require("routes:write")],
)
async def optimize_routes(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, body: OptimizeRequest
) -> PlanningJob:
    """Plan a day's packed orders. The job runs after this answer; ask for it under `/dispatch/jobs/{id}`."""
    return await planning.request(db, wanted=body, user_id=principal.id, seen=seen)


@router.get("/dispatch/jobs", response_model=list[PlanningJobRead], dependencies=[require("dispatch:read")])
async def list_planning_jobs(db: Db, seen: VisiblePlaces, query: Annotated[PageQuery, Depends()]) -> Page[PlanningJob]:
    """Newest first."""
    return await page(db, select(PlanningJob).where(seen.warehouses(PlanningJob.warehouse_id)), PlanningJob.id, query)


@router.get("/dispatch/jobs/{id}", response_model=PlanningJobRead, dependencies=[require("dispatch:read")])
async def get_planning_job(db: Db, seen: VisiblePlaces, id: uuid.UUID) -> PlanningJob:
    """One run of the optimizer, with a reason for every order that no route takes."""
    return await planning.get_job(db, id, seen=seen)


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


@router.get("/warehouse/deliveries/tracking/{id}", response_model=TrackRead, dependencies=[require("deliveries:read")])
async def track_route(db: Db, seen: DeliveriesToRead, id: uuid.UUID) -> TrackRead:
    """Where a route is, and how far; the same that `/ws/tracking/{route_id}` sends."""
    return await service.track(db, id, seen=seen)


@live.websocket("/ws/tracking/{route_id}")
async def follow_route(socket: WebSocket, route_id: uuid.UUID) -> None:
    """What `track_route` answers, at once and again at each change.

    The token is the second subprotocol, after `bearer`. It is looked at again before each answer.
    """
    try:
        principal, _ = await _look(socket, route_id)
    except AppError as error:
        await socket.close(status.WS_1008_POLICY_VIOLATION, error.message)
        return
    await socket.accept(TOKEN_SUBPROTOCOL)
    topic = topic_of("route", principal.organization_id, route_id)
    async with aclosing(changes(socket, topic)) as changed:
        async for _ in changed:
            try:
                _, track = await _look(socket, route_id)
            except AppError as error:  # signed out, or somebody else drives it by now
                await socket.close(status.WS_1008_POLICY_VIOLATION, error.message)
                return
            await socket.send_text(track.model_dump_json())


async def _look(socket: WebSocket, route_id: uuid.UUID) -> tuple[Principal, TrackRead]:
    """Who watches, and the route as they may see it at this moment."""
    principal = await watcher(socket, "deliveries:read")
    database: Database = socket.app.state.database
    async with database.unit_of_work(principal.scope, read_only=True) as db:
        seen = await visible_routes(db, principal, "deliveries:read")
        return principal, await service.track(db, route_id, seen=seen)
