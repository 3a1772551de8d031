"""`/api/v1/mobile`: the driver's phone. Everything in it is the driver's own."""

import uuid

from fastapi import APIRouter, Request

from cloud_api.kernel import wire
from cloud_api.kernel.errors import NotFound
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.logistics import service
from cloud_api.logistics.schemas import (
    DeliveryMove,
    DeliveryRead,
    PhotoRead,
    PositionReport,
    Proof,
    RouteComplete,
    RouteDetailRead,
    RouteRead,
)
from cloud_api.media import service as media
from cloud_api.orders import service as orders
from cloud_api.orders.schemas import OrderRead

router = APIRouter(prefix="/mobile", tags=["mobile"], route_class=ApiRoute)

_MOVES = [require("deliveries:update_status")]
PHOTO_HASH_HEADER = "X-Content-SHA256"


@router.get("/deliveries/assigned", response_model=list[DeliveryRead], dependencies=[require("deliveries:read")])
async def list_assigned(db: Db, principal: CurrentPrincipal) -> list[DeliveryRead]:
    """The driver's open routes' stops, in the order in which they are driven."""
    return [
        DeliveryRead.model_validate(stop)
        for route in await service.routes_of_driver(db, principal.id)
        for stop in await service.deliveries_of(db, route.id)
    ]


@router.get("/routes/current", response_model=RouteDetailRead, dependencies=[require("routes:read")])
async def get_current_route(db: Db, principal: CurrentPrincipal) -> RouteDetailRead:
    """The route under way, or the next one."""
    mine = await service.routes_of_driver(db, principal.id)
    if not mine:
        raise NotFound("you have no route: ask the dispatcher")
    route = next((route for route in mine if route.status == "in_progress"), mine[0])
    return await service.detail(db, route)


@router.get("/routes/{id}/orders", response_model=list[OrderRead], dependencies=[require("routes:read")])
async def list_route_orders(db: Db, principal: CurrentPrincipal, id: uuid.UUID) -> list[OrderRead]:
    """Where the stops are and what they are for, in order."""
    mine = [route.id for route in await service.routes_of_driver(db, principal.id)]
    if id not in mine:
        raise NotFound(f"you have no route with id {id}")
    return [
        OrderRead.model_validate(await orders.get_order(db, stop.order_id))
        for stop in await service.deliveries_of(db, id)
    ]


@router.post("/routes/{id}/start", response_model=RouteRead, dependencies=_MOVES)
async def start_route(db: Db, principal: CurrentPrincipal, id: uuid.UUID) -> RouteRead:
    """Load the van and set off."""
    return RouteRead.model_validate(await service.start_route(db, id, driver_id=principal.id))


@router.post("/routes/{id}/complete", response_model=RouteRead, dependencies=_MOVES)
async def complete_route(db: Db, principal: CurrentPrincipal, id: uuid.UUID, body: RouteComplete) -> RouteRead:
    """Back at the store; what could not be delivered is unloaded where the driver says."""
    route = await service.complete_route(db, id, driver_id=principal.id, unload_location_id=body.unload_location_id)
    return RouteRead.model_validate(route)


@router.get("/deliveries/{id}", response_model=DeliveryRead, dependencies=[require("deliveries:read")])
async def get_my_delivery(db: Db, principal: CurrentPrincipal, id: uuid.UUID) -> DeliveryRead:
    """One stop of one's own."""
    return DeliveryRead.model_validate(await service.drivers_delivery(db, id, driver_id=principal.id))


@router.put("/deliveries/{id}/status", response_model=DeliveryRead, dependencies=_MOVES)
async def move_delivery(db: Db, principal: CurrentPrincipal, id: uuid.UUID, body: DeliveryMove) -> DeliveryRead:
    """At the door, or not possible, with the reason. The same again changes nothing."""
    return DeliveryRead.model_validate(await service.move_delivery(db, id, driver_id=principal.id, move=body))


@router.post("/deliveries/{id}/location", status_code=204, dependencies=_MOVES)
async def report_position(db: Db, principal: CurrentPrincipal, id: uuid.UUID, body: PositionReport) -> None:
    """Where the van is."""
    await service.report_position(db, id, driver_id=principal.id, report=body)


@router.post(
    "/deliveries/{id}/photo",
    response_model=PhotoRead,
    status_code=201,
    dependencies=_MOVES,
    openapi_extra=media.PHOTO_BODY,
)
async def upload_photo(request: Request, db: Db, principal: CurrentPrincipal, id: uuid.UUID) -> PhotoRead:
    """The photo's bytes as the body, its kind as `Content-Type`, its SHA-256 in `X-Content-SHA256`."""
    await service.drivers_delivery(db, id, driver_id=principal.id)
    kept = await media.keep_photo(
        db,
        request.app.state.settings.media_folder,
        content=await wire.read_body(request),
        mime=request.headers.get("content-type", ""),
        sha256=request.headers.get(PHOTO_HASH_HEADER, ""),
    )
    return PhotoRead.model_validate(kept)


@router.post("/deliveries/{id}/proof", response_model=DeliveryRead, dependencies=_MOVES)
async def prove_delivery(db: Db, principal: CurrentPrincipal, id: uuid.UUID, body: Proof) -> DeliveryRead:
    """Handed over: with a photo that has arrived, a name, the product's temperature and the place."""
    return DeliveryRead.model_validate(await service.prove_delivery(db, id, driver_id=principal.id, proof=body))
