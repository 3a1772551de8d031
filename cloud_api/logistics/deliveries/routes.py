"""`/api/v1/warehouse/routes` and `/deliveries`: for the dispatcher."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, page
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.logistics.deliveries import naming, queries, service
from cloud_api.logistics.deliveries.models import Delivery, Route
from cloud_api.logistics.deliveries.proof_routes import KnownPicture, KnownProof, proof_read
from cloud_api.logistics.deliveries.schemas import (
    DeliveriesQuery,
    DeliveryAtDoorRead,
    DeliveryCreate,
    DeliveryRead,
    DeliveryStatusChange,
    DeliveryUpdate,
    OtpOverride,
    ProofRead,
    RouteCreate,
    RouteDetailRead,
    RouteNamedRead,
    RouteRead,
    RoutesQuery,
    RouteUpdate,
)
from cloud_api.logistics.deliveries.visibility import (
    DeliveriesToMove,
    DeliveriesToRead,
    DeliveriesToWrite,
    RoutesToRead,
    RoutesToWrite,
)
from cloud_api.media.delivering import deliver
from cloud_api.media.storage import Files
from cloud_api.orders.book import service as orders
from cloud_api.orders.book.queries import VisibleOrders
from cloud_api.places.visibility import VisiblePlaces

router = APIRouter(tags=["logistics"], route_class=ApiRoute)
live = APIRouter()

_BYTES = {"schema": {"type": "string", "format": "binary"}}


@router.get("/warehouse/routes", response_model=list[RouteNamedRead], dependencies=[require("routes:read")])
async def list_routes(db: Db, seen: RoutesToRead, query: Annotated[RoutesQuery, Depends()]) -> Page[RouteNamedRead]:
    """Newest first; a driver sees their own."""
    found = await page(db, queries.routes(seen, query), Route.id, query)
    return Page(await naming.named(db, found.items), found.limit, found.next_cursor)


@router.post(
    "/warehouse/routes", response_model=RouteDetailRead, status_code=201, dependencies=[require("routes:write")]
)
async def create_route(db: Db, seen: VisiblePlaces, body: RouteCreate) -> RouteDetailRead:
    """A route by hand: these packed orders in this sequence, with the times that follow. Send an `Idempotency-Key`."""
    return await service.detail(db, await service.plan_by_hand(db, new=body, seen=seen))


@router.get("/warehouse/routes/{id}", response_model=RouteDetailRead, dependencies=[require("routes:read")])
async def get_route(db: Db, seen: RoutesToRead, id: uuid.UUID) -> RouteDetailRead:
    """One route with its stops."""
    return await service.detail(db, await service.get_route(db, id, seen=seen))


@router.put("/warehouse/routes/{id}", response_model=RouteDetailRead, dependencies=[require("routes:write")])
async def update_route(db: Db, seen: RoutesToWrite, id: uuid.UUID, body: RouteUpdate) -> RouteDetailRead:
    """Another van, another driver, another sequence, as long as it is planned; its times follow."""
    return await service.detail(db, await service.update_route(db, id, changes=body, seen=seen))


@router.delete("/warehouse/routes/{id}", response_model=RouteRead, dependencies=[require("routes:write")])
async def cancel_route(
    db: Db,
    principal: CurrentPrincipal,
    seen: RoutesToWrite,
    id: uuid.UUID,
    reason: Annotated[str, Query(min_length=1, max_length=500)] = "given up by the dispatcher",
    unload_location_id: uuid.UUID | None = None,
) -> Route:
    """Give a route up: its orders are packed, and wait for another. Of one under way, say where its goods were put."""
    await service.get_route(db, id, seen=seen)
    return await service.cancel_route(
        db, id, reason=reason, unload_location_id=unload_location_id, user_id=principal.id
    )


@router.get("/warehouse/deliveries", response_model=list[DeliveryAtDoorRead], dependencies=[require("deliveries:read")])
async def list_deliveries(
    db: Db, seen: DeliveriesToRead, query: Annotated[DeliveriesQuery, Depends()]
) -> Page[DeliveryAtDoorRead]:
    """Newest first; a driver sees those on their own routes."""
    found = await page(db, queries.deliveries(seen, query), Delivery.id, query)
    return Page(await naming.at_doors(db, found.items), found.limit, found.next_cursor)


@router.post(
    "/warehouse/deliveries",
    response_model=DeliveryRead,
    status_code=201,
    dependencies=[require("deliveries:write")],
)
async def create_delivery(db: Db, seen: VisiblePlaces, body: DeliveryCreate) -> Delivery:
    """An attempt for a packed order, that waits for a route; the one that waits already, when there is one."""
    await orders.get_order(db, body.order_id, seen=VisibleOrders(seen))
    return await service.open_attempt(db, body.order_id)


@router.get("/warehouse/deliveries/{id}", response_model=DeliveryAtDoorRead, dependencies=[require("deliveries:read")])
async def get_delivery(db: Db, seen: DeliveriesToRead, id: uuid.UUID) -> DeliveryAtDoorRead:
    """One attempt."""
    return await naming.at_door(db, await service.get_delivery(db, id, seen=seen))


@router.put("/warehouse/deliveries/{id}", response_model=DeliveryRead, dependencies=[require("deliveries:write")])
async def update_delivery(db: Db, seen: DeliveriesToWrite, id: uuid.UUID, body: DeliveryUpdate) -> Delivery:
    """Onto another planned route, off its route, to another time, or with a note; as long as it is not loaded.

    Whose door it is, and when it is open, is the order's: change that there.
    """
    return await service.update_delivery(db, id, changes=body, seen=seen)


@router.put(
    "/warehouse/deliveries/{id}/status",
    response_model=DeliveryRead,
    dependencies=[require("deliveries:update_status")],
)
async def set_delivery_status(db: Db, seen: DeliveriesToMove, id: uuid.UUID, body: DeliveryStatusChange) -> Delivery:
    """What became of it, as its state machine allows. It is loaded by starting its route, delivered by its proof."""
    return await service.move_by_dispatcher(db, id, change=body, seen=seen)


@router.post(
    "/warehouse/deliveries/{id}/otp/override",
    response_model=DeliveryRead,
    dependencies=[require("deliveries:write")],
)
async def override_otp(
    db: Db, principal: CurrentPrincipal, seen: DeliveriesToWrite, id: uuid.UUID, body: OtpOverride
) -> Delivery:
    """Let it pass without its code, with a reason; nobody does so for their own. A doubtful one is settled by it."""
    return await service.override_otp(db, id, user_id=principal.id, reason=body.reason, seen=seen)


@router.get("/warehouse/deliveries/{id}/proof", response_model=ProofRead, dependencies=[require("deliveries:read")])
async def get_proof(request: Request, pictures: KnownProof) -> ProofRead:
    """What shows that it was handed over. The pictures' bytes are read again, and compared with their hashes."""
    return await proof_read(Files.of(request.app.state.settings), pictures)


@router.get(
    "/warehouse/deliveries/{id}/proof/{kind}",
    response_model=None,
    response_class=Response,
    responses={"200": {"description": "The picture", "content": {"image/jpeg": _BYTES, "image/png": _BYTES}}},
    dependencies=[require("deliveries:read")],
)
async def get_proof_picture(request: Request, picture: KnownPicture) -> Response:
    """The photo or the signature, as it came."""
    return await deliver(Files.of(request.app.state.settings), picture, request)
