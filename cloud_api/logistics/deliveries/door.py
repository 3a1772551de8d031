"""What else happens around a door: money is taken, the customer is reached, and before all that the van is loaded."""

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog import gs1
from cloud_api.configuration import definitions
from cloud_api.configuration import service as configuration
from cloud_api.inventory.ledger.models import Lot
from cloud_api.kernel.errors import AppError
from cloud_api.kernel.states import InvalidTransition
from cloud_api.logistics.deliveries import codes, lookup
from cloud_api.logistics.deliveries.errors import CustomerUnreachable, NoRelayNumber, RouteNotUnderWay
from cloud_api.logistics.deliveries.lookup import plausible
from cloud_api.logistics.deliveries.models import ContactLog, Delivery
from cloud_api.logistics.deliveries.queries import VisibleRoutes
from cloud_api.logistics.deliveries.schemas import (
    ContactRead,
    ContactRequest,
    DoorPayment,
    DoorPaymentRead,
    MissingRead,
    ScanReport,
    ScanResult,
)
from cloud_api.logistics.deliveries.states import DeliveryStatus
from cloud_api.notifications import contacts
from cloud_api.orders.book import queries as order_queries
from cloud_api.orders.book import service as orders
from cloud_api.orders.book.models import CustomerOrder, OrderLine
from cloud_api.orders.payments import service as payments

_AT_THE_DOOR = (DeliveryStatus.OUT_FOR_DELIVERY, DeliveryStatus.ARRIVED, DeliveryStatus.DELIVERED)
#: the application identifier of a lot
_LOT = "10"
#: of a number, what is shown
_SHOWN_DIGITS = 2


class Load(NamedTuple):
    """What is to be in the van for one stop."""

    delivery: Delivery
    order: CustomerOrder
    lot_numbers: Sequence[str]


async def take_payment(
    db: AsyncSession,
    delivery_id: uuid.UUID,
    *,
    driver_id: uuid.UUID,
    payment: DoorPayment,
    at: datetime | None = None,
) -> DoorPaymentRead:
    """Cash or UPI that the driver took; the same reference again is the same payment.

    Raises:
        NotFound: when the driver has no such delivery.
        InvalidTransition: when its van has not left, or the attempt failed.
        TooMuch: when it is more than the order.
        PaymentDiffers: when the reference came before with something else.
        ClockImplausible: when the phone says a time that cannot be.
    """
    route, delivery = await lookup.driven_stop(db, delivery_id, driver_id=driver_id)
    if delivery.status not in _AT_THE_DOOR:
        raise InvalidTransition(f"delivery is {delivery.status}: money is taken at its door", field="status")
    await payments.take_at_door(
        db,
        delivery.order_id,
        amount_minor=payment.amount_minor,
        method=payment.method,
        reference=payment.reference,
        taken_by=driver_id,
        taken_at=plausible(at, earliest=route.started_at),
        delivery_id=delivery.id,
    )
    due_minor = await payments.due_minor(db, await orders.get_order(db, delivery.order_id))
    return DoorPaymentRead(delivery_id=delivery.id, due_minor=due_minor, **payment.model_dump())


async def contact(
    db: AsyncSession,
    delivery_id: uuid.UUID,
    *,
    driver_id: uuid.UUID,
    wanted: ContactRequest,
    at: datetime | None = None,
) -> ContactRead:
    """Let the driver call or write to the customer, whose number the driver never gets. It is logged.

    Raises:
        NotFound: when the driver has no such delivery.
        RouteNotUnderWay: when its route is over.
        CustomerUnreachable: when no number is known.
        NoRelayNumber: when there is no number through which a call could go.
        ClockImplausible: when the phone says a time that cannot be.
    """
    delivery = await lookup.get_delivery(db, delivery_id, seen=VisibleRoutes(driver_id=driver_id))
    route = await lookup.route_of(db, delivery)
    if route.status not in lookup.OPEN:
        raise RouteNotUnderWay(f"route {route.number} is over: its customers are called no more")
    contacted_at = plausible(at)
    order = await orders.get_order(db, delivery.order_id)
    if not order.customer_phone:
        raise CustomerUnreachable(f"no number is known of {order.customer_name}")
    result, link = "queued", None
    if wanted.channel == "call":
        relay = await configuration.value(db, definitions.RELAY_NUMBER)
        if not relay:
            raise NoRelayNumber("no relay number is set (deliveries.relay_number): send a message instead")
        result, link = "connected", f"tel:{relay}"
    else:
        await contacts.tell(
            db,
            codes.contact_of(order),
            template="delivery.message",
            values={"order": order.number, "text": wanted.text or "I am on my way to you"},
            subject=f"order:{order.id}",
            channels=["sms"],
            warehouse_id=order.warehouse_id,
        )
    db.add(
        ContactLog(delivery_id=delivery.id, user_id=driver_id, channel=wanted.channel, at=contacted_at, result=result)
    )
    await db.flush()
    shown = masked(order.customer_phone)
    return ContactRead(delivery_id=delivery.id, channel=wanted.channel, result=result, display=shown, link=link)


def masked(phone: str) -> str:
    """A number with all but its last digits hidden; empty for none."""
    return "" if not phone else "•" * (len(phone.lstrip("+")) - _SHOWN_DIGITS) + phone[-_SHOWN_DIGITS:]


async def scan(
    db: AsyncSession,
    route_id: uuid.UUID,
    *,
    driver_id: uuid.UUID,
    report: ScanReport,
    at: datetime | None = None,
) -> ScanResult:
    """Compare what was scanned while loading with what belongs on the van: numbers of orders or deliveries, or of lots.

    An order is there when its number, or that of its delivery, or all of its lots were scanned. It refuses nothing:
    the driver may set off all the same.

    Raises:
        NotFound: when the driver has no such route.
        ClockImplausible: when the phone says a time that cannot be.
    """
    route = await lookup.get_route(db, route_id, seen=VisibleRoutes(driver_id=driver_id), locked=True)
    scanned_at = plausible(at)
    said = {_text(code) for code in report.codes}
    used: set[str] = set()
    missing = []
    for load in await _loads(db, route.id):
        names, lots = {load.order.number, load.delivery.number}, set(load.lot_numbers)
        used |= said & (names | lots)
        if said & names or (lots and lots <= said):
            load.delivery.scanned_at = load.delivery.scanned_at or scanned_at
        elif load.delivery.scanned_at is None:
            left = sorted(lots - said)
            missing.append(MissingRead(delivery_id=load.delivery.id, order_number=load.order.number, lot_numbers=left))
    others = said - used
    known = await _known(db, others)
    await db.flush()
    return ScanResult(
        complete=not missing,
        missing=missing,
        not_for_this_van=sorted(others & known),
        unknown=sorted(others - known),
    )


async def _loads(db: AsyncSession, route_id: uuid.UUID) -> Sequence[Load]:
    """What is to be in the van, stop by stop."""
    stops = [
        stop
        for stop in await lookup.deliveries_of(db, route_id, locked=True)
        if stop.status in (*lookup.AHEAD, DeliveryStatus.ARRIVED)
    ]
    of = {order.id: order for order in await orders.orders_in_turn(db, [stop.order_id for stop in stops])}
    lines = await db.scalars(select(OrderLine).where(OrderLine.order_id.in_(of)))
    order_of = {orders.source_of(line): line.order_id for line in lines}
    lots: dict[uuid.UUID, set[str]] = {order_id: set() for order_id in of}
    for reservation, _, lot in await db.execute(order_queries.allocations(list(order_of))):
        lots[order_of[reservation.source]].add(lot.lot_number)
    return [Load(stop, of[stop.order_id], sorted(lots[stop.order_id])) for stop in stops]


async def _known(db: AsyncSession, texts: Collection[str]) -> set[str]:
    """Those of these texts that are the number of some order, delivery or promised lot."""
    numbers = [*(await db.scalars(select(CustomerOrder.number).where(CustomerOrder.number.in_(texts))))]
    numbers += await db.scalars(select(Delivery.number).where(Delivery.number.in_(texts)))
    numbers += await db.scalars(select(Lot.lot_number).where(Lot.lot_number.in_(texts)))
    return set(numbers)


def _text(code: str) -> str:
    """What a code says of what it is on: of a GS1 element string its lot, of all else itself."""
    symbology, text = gs1.strip_aim(code)
    if symbology in gs1.CARRIERS or gs1.GS in text:
        try:
            lot_number = gs1.read(code, fnc1=True).value(_LOT)
        except AppError:
            return text
        return lot_number or text
    return text
