"""What customers are told of their order on its way. What has been overtaken by the time it is heard is not told."""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.configuration import definitions
from cloud_api.configuration import service as configuration
from cloud_api.kernel import clock
from cloud_api.logistics.deliveries import service as deliveries
from cloud_api.logistics.deliveries.models import Delivery
from cloud_api.logistics.deliveries.states import DeliveryStatus
from cloud_api.logistics.messages import words
from cloud_api.logistics.tracking import service as tracking
from cloud_api.logistics.tracking.eta import Eta
from cloud_api.notifications import contacts, letters
from cloud_api.notifications.pacing import ONCE, take_turn
from cloud_api.orders.book import service as orders
from cloud_api.orders.book.models import CustomerOrder
from cloud_api.orders.book.states import OrderStatus
from cloud_api.orders.payments.models import CustomerPayment
from cloud_api.places import service as places

#: no time is told sooner after another
ETA_PAUSE = timedelta(minutes=5)
_COMING = frozenset({DeliveryStatus.ASSIGNED, DeliveryStatus.OUT_FOR_DELIVERY})


@dataclass(frozen=True)
class _Stop:
    """A delivery, whose it is, and by which clock it is told."""

    delivery: Delivery
    order: CustomerOrder
    zone: ZoneInfo


async def tell_packed(db: AsyncSession, order_id: uuid.UUID) -> None:
    """An order is packed: when it will come."""
    order = await orders.get_order(db, order_id)
    if order.status != OrderStatus.PACKED:
        return
    window = {"window_from": f"{order.window_from:%H:%M}", "window_until": f"{order.window_until:%H:%M}"}
    await _tell(db, order, "order.packed", {"day": str(order.delivery_date), **window}, key=f"packed:{order.id}")


async def tell_next(db: AsyncSession, delivery_id: uuid.UUID) -> None:
    """Nobody comes before them: about when the van is there, and where to follow it."""
    stop = await _stop(db, delivery_id)
    if stop.delivery.status not in _COMING or not _reached(stop.order):
        return
    eta = await tracking.promise_eta(db, delivery_id)
    values = {**_band(stop, eta), "link": await tracking.link_for(db, stop.order.id)}
    if await _tell(db, stop.order, "stop.next", values, key=f"next:{delivery_id}"):
        # a time was told: another does not follow at once
        await take_turn(db, f"contact:eta:{delivery_id}", at_most_every=timedelta(0))


async def tell_eta_moved(db: AsyncSession, delivery_id: uuid.UUID) -> None:
    """They were told a time, and it is another one now."""
    stop = await _stop(db, delivery_id)
    if stop.delivery.status not in _COMING or stop.delivery.route_id is None or not _reached(stop.order):
        return
    eta = (await tracking.etas(db, stop.delivery.route_id)).get(delivery_id)
    if eta is None:
        return
    values = {**_band(stop, eta), "link": await tracking.link_for(db, stop.order.id)}
    await _tell(db, stop.order, "eta.moved", values, key=f"eta:{delivery_id}", at_most_every=ETA_PAUSE)


async def tell_arrived(db: AsyncSession, delivery_id: uuid.UUID) -> None:
    """The van stands before their door."""
    delivery = await deliveries.get_delivery(db, delivery_id)
    if delivery.status == DeliveryStatus.ARRIVED:
        order = await orders.get_order(db, delivery.order_id)
        await _tell(db, order, "stop.arrived", {"link": await _link(db, order)}, key=f"arrived:{delivery_id}")


async def tell_failed(db: AsyncSession, delivery_id: uuid.UUID, *, reason: str) -> None:
    """Their order could not be handed over, and why."""
    stop = await _stop(db, delivery_id)
    spoken = stop.order.locale or await configuration.value(db, definitions.LOCALE)
    said = words.reason(reason, letters.language_of(spoken))
    values = {"reason": said, "link": await _link(db, stop.order)}
    await _tell(db, stop.order, "stop.failed", values, key=f"failed:{delivery_id}")


async def tell_delivered(db: AsyncSession, delivery_id: uuid.UUID) -> None:
    """Their order was handed over, and when."""
    delivery = await deliveries.get_delivery(db, delivery_id)
    order = await orders.get_order(db, delivery.order_id)
    if delivery.delivered_at is None or not _reached(order):
        return
    zone = await places.zone_of(db, order.warehouse_id)
    values = {"at": words.clock_time(delivery.delivered_at, zone), "link": await _link(db, order)}
    await _tell(db, order, "stop.delivered", values, key=f"delivered:{delivery_id}")


async def tell_refunded(db: AsyncSession, order_id: uuid.UUID, *, payment_id: uuid.UUID) -> None:
    """Their money is on its way back. What is written to their credit they see on their next bill."""
    payment = await db.get_one(CustomerPayment, payment_id)
    if payment.method != "credit":
        order = await orders.get_order(db, order_id)
        values = {"amount": words.amount(payment.amount_minor, payment.currency)}
        await _tell(db, order, "payment.refunded", values, key=f"refunded:{payment_id}")


async def _tell(
    db: AsyncSession,
    order: CustomerOrder,
    template: str,
    values: Mapping[str, str],
    *,
    key: str,
    at_most_every: timedelta = ONCE,
    channels: Collection[contacts.ContactChannel] = ("sms", "mail"),
) -> bool:
    """Whether they were told."""
    told = await contacts.tell(
        db,
        contacts.Contact(order.customer_name, order.customer_phone, order.customer_email, order.locale),
        template=template,
        values={"order": order.number, **values},
        subject=f"order:{order.id}",
        channels=channels,
        collapse_key=key,
        at_most_every=at_most_every,
        warehouse_id=order.warehouse_id,
    )
    return bool(told)


async def _stop(db: AsyncSession, delivery_id: uuid.UUID) -> _Stop:
    delivery = await deliveries.get_delivery(db, delivery_id)
    order = await orders.get_order(db, delivery.order_id)
    return _Stop(delivery, order, await places.zone_of(db, order.warehouse_id))


async def _link(db: AsyncSession, order: CustomerOrder) -> str:
    """Empty for somebody who would not be told: an address that nobody gets is none to be made."""
    return await tracking.link_for(db, order.id) if _reached(order) else ""


def _reached(order: CustomerOrder) -> bool:
    return bool(order.customer_phone or order.customer_email)


def _band(stop: _Stop, eta: Eta | None) -> dict[str, str]:
    """Empty where nobody knows."""
    if eta is None:
        return {"eta_from": "", "eta_until": ""}
    begin, until = words.band(eta.p50_at, eta.p90_at, now=clock.now(), zone=stop.zone)
    return {"eta_from": begin, "eta_until": until}
