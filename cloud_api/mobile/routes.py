"""`/api/v1/mobile`: the driver's phone. Everything in it is the driver's own."""

import uuid
from hashlib import sha256

from fastapi import APIRouter, Request, Response

from cloud_api.inventory.labels.resolving import Onlooker, resolved
from cloud_api.inventory.labels.scan_schemas import ScanRead
from cloud_api.kernel.errors import NotFound
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.rate_limits import budget
from cloud_api.kernel.unit_of_work import Db
from cloud_api.logistics.deliveries import service
from cloud_api.logistics.deliveries.schemas import (
    Codes,
    ContactRead,
    ContactRequest,
    DeliveryMove,
    DeliveryRead,
    DoorPayment,
    DoorPaymentRead,
    HereRead,
    OtpEntry,
    PhotoRead,
    Proof,
    RouteComplete,
    RouteDetailRead,
    RouteRead,
    RouteStart,
    ScanReport,
    ScanResult,
    TodayRead,
)
from cloud_api.logistics.deliveries.visibility import OwnDrives
from cloud_api.logistics.sync import taking_in as sync
from cloud_api.logistics.tracking import service as tracking
from cloud_api.logistics.tracking.schemas import PositionReport
from cloud_api.media import service as media
from cloud_api.media.arrivals import PHOTO_BODY, ArrivedPhoto
from cloud_api.media.delivering import REVALIDATED, has_it
from cloud_api.orders.book import service as orders
from cloud_api.orders.book.schemas import OrderRead
from cloud_api.places.visibility import VisiblePlaces

router = APIRouter(prefix="/mobile", tags=["mobile"], route_class=ApiRoute)

NO_ROUTE = "you have no route: ask the dispatcher"
_MOVES = [require("deliveries:update_status")]


@router.get("/deliveries/assigned", response_model=list[DeliveryRead], dependencies=[require("deliveries:read")])
async def list_assigned(db: Db, own: OwnDrives) -> list[DeliveryRead]:
    """The driver's open routes' stops, in the order in which they are driven."""
    return [DeliveryRead.model_validate(stop) for stop in await service.open_deliveries(db, seen=own)]


@router.get(
    "/today",
    response_model=TodayRead,
    responses={"304": {"description": "You have it"}},
    dependencies=[require("routes:read")],
)
async def get_today(request: Request, response: Response, db: Db, own: OwnDrives) -> TodayRead | Response:
    """The route under way, or the next one, with all that is needed at its doors; 304 when `If-None-Match` names it."""
    found = await service.today(db, seen=own)
    if found is None:
        raise NotFound(NO_ROUTE)
    headers = {"ETag": f'"{sha256(found.model_dump_json().encode()).hexdigest()[:32]}"', "Cache-Control": REVALIDATED}
    if has_it(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    return found


@router.get("/routes/current", response_model=RouteDetailRead, dependencies=[require("routes:read")])
async def get_current_route(db: Db, own: OwnDrives) -> RouteDetailRead:
    """The route under way, or the next one."""
    route = await service.next_route(db, seen=own)
    if route is None:
        raise NotFound(NO_ROUTE)
    return await service.detail(db, route)


@router.get("/routes/{id}/orders", response_model=list[OrderRead], dependencies=[require("routes:read")])
async def list_route_orders(db: Db, own: OwnDrives, id: uuid.UUID) -> list[OrderRead]:
    """Where the stops are and what they are for, in order."""
    stops = [stop.order_id for stop in await service.open_deliveries(db, seen=own) if stop.route_id == id]
    if not stops:
        raise NotFound(f"you have no open route with id {id}")
    return [OrderRead.model_validate(order) for order in await orders.orders_in_turn(db, stops)]


@router.post("/routes/{id}/start", response_model=RouteRead, dependencies=_MOVES)
async def start_route(db: Db, principal: CurrentPrincipal, id: uuid.UUID, body: RouteStart | None = None) -> RouteRead:
    """Load the van and set off. A route of which every order was cancelled meanwhile is answered as cancelled."""
    return RouteRead.model_validate(await service.start_route(db, id, driver_id=principal.id, start=body))


@router.post("/routes/{id}/scan", response_model=ScanResult, dependencies=_MOVES)
async def scan_load(db: Db, principal: CurrentPrincipal, id: uuid.UUID, body: ScanReport) -> ScanResult:
    """What was scanned while loading: what is missing, and what is not for this van. It refuses nothing."""
    return await service.scan(db, id, driver_id=principal.id, report=body)


@router.put("/routes/{id}/optimize", response_model=RouteDetailRead, dependencies=_MOVES)
@budget("driver")
async def optimize_route(db: Db, principal: CurrentPrincipal, id: uuid.UUID, body: HereRead) -> RouteDetailRead:
    """Put the stops ahead into a shorter sequence, from where the driver is."""
    here = None if body.latitude is None or body.longitude is None else (body.latitude, body.longitude)
    return await service.detail(db, await service.resequence_from(db, id, driver_id=principal.id, here=here))


@router.post("/routes/{id}/complete", response_model=RouteRead, dependencies=_MOVES)
async def complete_route(db: Db, principal: CurrentPrincipal, id: uuid.UUID, body: RouteComplete) -> RouteRead:
    """Back at the store; what could not be delivered is unloaded where the driver says."""
    return RouteRead.model_validate(await service.complete_route(db, id, driver_id=principal.id, done=body))


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
    await sync.note_photo(db, photo.sha256)
    return PhotoRead.model_validate(await media.keep(db, photo))


@router.post("/deliveries/{id}/proof", response_model=DeliveryRead, dependencies=_MOVES)
@budget("driver")
async def prove_delivery(db: Db, principal: CurrentPrincipal, id: uuid.UUID, body: Proof) -> DeliveryRead:
    """Handed over: with a photo or a signature that has arrived, a name, and the code where one is needed.

    `also` names other deliveries of the route for the same door: all are handed over, or none.
    """
    return DeliveryRead.model_validate(await service.prove_delivery(db, id, driver_id=principal.id, proof=body))


@router.post(
    "/deliveries/{id}/signature",
    response_model=PhotoRead,
    status_code=201,
    dependencies=_MOVES,
    openapi_extra=PHOTO_BODY,
)
@budget("driver")
async def upload_signature(photo: ArrivedPhoto, db: Db, own: OwnDrives, id: uuid.UUID) -> PhotoRead:
    """The signature as a picture, sent as a photo is."""
    await service.get_delivery(db, id, seen=own)
    await sync.note_photo(db, photo.sha256)
    return PhotoRead.model_validate(await media.keep(db, photo))


@router.post("/deliveries/{id}/otp", response_model=DeliveryRead, dependencies=_MOVES)
async def send_otp(db: Db, principal: CurrentPrincipal, id: uuid.UUID) -> DeliveryRead:
    """Send the customer a code, or another one; at most one a minute."""
    return DeliveryRead.model_validate(await service.send_otp(db, id, driver_id=principal.id))


@router.post("/deliveries/{id}/otp/verify", response_model=DeliveryRead, dependencies=_MOVES)
async def verify_otp(db: Db, principal: CurrentPrincipal, id: uuid.UUID, body: OtpEntry) -> DeliveryRead:
    """What the customer said; five wrong ones lock it, and a dispatcher decides."""
    return DeliveryRead.model_validate(await service.enter_otp(db, id, driver_id=principal.id, entry=body))


@router.post("/deliveries/{id}/contact", response_model=ContactRead, dependencies=[require("customers:contact")])
async def contact_customer(db: Db, principal: CurrentPrincipal, id: uuid.UUID, body: ContactRequest) -> ContactRead:
    """A call through the relay, or a message. The customer's number is never told; that it was asked for is logged."""
    return await service.contact(db, id, driver_id=principal.id, wanted=body)


@router.post("/deliveries/{id}/payment", response_model=DoorPaymentRead, dependencies=_MOVES)
@budget("driver")
async def take_payment(db: Db, principal: CurrentPrincipal, id: uuid.UUID, body: DoorPayment) -> DoorPaymentRead:
    """Cash or UPI taken at the door; the same reference again is the same payment. Send an `Idempotency-Key`."""
    return await service.take_payment(db, id, driver_id=principal.id, payment=body)


@router.post("/scan", response_model=list[ScanRead])
async def scan_codes(db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, body: Codes) -> list[ScanRead]:
    """What these codes are of, in their order; `unknown` where nothing in the books goes by one."""
    by = Onlooker(seen, principal.may)
    return [await resolved(db, code, by=by) for code in body.codes]
