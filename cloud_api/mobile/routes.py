"""`/api/v1/mobile`: the driver's phone. Everything in it is the driver's own."""

import uuid

from fastapi import APIRouter

from cloud_api.kernel.errors import NotFound
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.rate_limits import budget
from cloud_api.kernel.unit_of_work import Db
from cloud_api.logistics.deliveries import service
from cloud_api.logistics.deliveries.schemas import (
    DeliveryMove,
    DeliveryRead,
    PhotoRead,
    Proof,
    RouteComplete,
    RouteDetailRead,
    RouteRead,
)
from cloud_api.logistics.deliveries.visibility import OwnDrives
from cloud_api.logistics.tracking import service as tracking
from cloud_api.logistics.tracking.schemas import PositionReport
from cloud_api.media import service as media
from cloud_api.media.arrivals import PHOTO_BODY, ArrivedPhoto
from cloud_api.orders.book import service as orders
from cloud_api.orders.book.schemas import OrderRead

router = APIRouter(prefix="/mobile", tags=["mobile"], route_class=ApiRoute)

_MOVES = [require("deliveries:update_status")]


@router.get("/deliveries/assigned", response_model=list[DeliveryRead], dependencies=[require("deliveries:read")])
async def list_assigned(db: Db, own: OwnDrives) -> list[DeliveryRead]:
    """The driver's open routes' stops, in the order in which they are driven."""
    return [DeliveryRead.model_validate(stop) for stop in await service.open_deliveries(db, seen=own)]


@router.get("/routes/current", response_model=RouteDetailRead, dependencies=[require("routes:read")])
async def get_current_route(db: Db, own: OwnDrives) -> RouteDetailRead:
    """The route under way, or the next one."""
    route = await service.next_route(db, seen=own)
    if route is None:
        raise NotFound("you have no route: ask the dispatcher")
    return await service.detail(db, route)


@router.get("/routes/{id}/orders", response_model=list[OrderRead], dependencies=[require("routes:read")])
async def list_route_orders(db: Db, own: OwnDrives, id: uuid.UUID) -> list[OrderRead]:
    """Where the stops are and what they are for, in order."""
    stops = [stop.order_id for stop in await service.open_deliveries(db, seen=own) if stop.route_id == id]
    if not stops:
        raise NotFound(f"you have no open route with id {id}")
    return [OrderRead.model_validate(order) for order in await orders.orders_in_turn(db, stops)]


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
async def get_my_delivery(db: Db, own: OwnDrives, id: uuid.UUID) -> DeliveryRead:
    """One stop of one's own."""
    return DeliveryRead.model_validate(await service.get_delivery(db, id, seen=own))


@router.put("/deliveries/{id}/status", response_model=DeliveryRead, dependencies=_MOVES)
@budget("driver")
async def move_delivery(db: Db, principal: CurrentPrincipal, id: uuid.UUID, body: DeliveryMove) -> DeliveryRead:
    """At the door, or not possible, with the reason. The same again changes nothing."""
    return DeliveryRead.model_validate(await service.move_delivery(db, id, driver_id=principal.id, move=body))


@router.post("/deliveries/{id}/location", status_code=204, dependencies=_MOVES)
@budget("driver")
async def report_position(db: Db, principal: CurrentPrincipal, id: uuid.UUID, body: PositionReport) -> None:
    """Where the van is."""
    await tracking.report_position(db, id, driver_id=principal.id, report=body)


@router.post(
    "/deliveries/{id}/photo",
    response_model=PhotoRead,
    status_code=201,
    dependencies=_MOVES,
    openapi_extra=PHOTO_BODY,
)
@budget("driver")
async def upload_photo(photo: ArrivedPhoto, db: Db, own: OwnDrives, id: uuid.UUID) -> PhotoRead:
    """The photo's bytes as the body, its kind as `Content-Type`, its SHA-256 in `X-Content-SHA256`."""
    await service.get_delivery(db, id, seen=own)
    return PhotoRead.model_validate(await media.keep(db, photo))


@router.post("/deliveries/{id}/proof", response_model=DeliveryRead, dependencies=_MOVES)
@budget("driver")
async def prove_delivery(db: Db, principal: CurrentPrincipal, id: uuid.UUID, body: Proof) -> DeliveryRead:
    """Handed over: with a photo that has arrived, a name, the product's temperature and the place."""
    return DeliveryRead.model_validate(await service.prove_delivery(db, id, driver_id=principal.id, proof=body))
