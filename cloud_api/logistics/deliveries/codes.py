"""The code that a customer tells the driver: six digits, sent when their door is next, needed to hand the goods over.

Only what recognises a code is kept. Five wrong ones lock it; then a dispatcher decides. What was entered where there
was no signal is checked when it arrives, against the code that was valid then: goods that were handed over are not
undone, but they stay `unverified` when it was wrong, and `pending_verification` when there was none to compare with.
"""

import secrets
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.configuration import definitions
from cloud_api.configuration import service as configuration
from cloud_api.kernel import clock, vault
from cloud_api.kernel.states import InvalidTransition
from cloud_api.logistics.deliveries import lookup
from cloud_api.logistics.deliveries.errors import (
    CustomerUnreachable,
    OtpLocked,
    OtpRequired,
    OtpTooSoon,
    OtpWrong,
    OwnOverride,
)
from cloud_api.logistics.deliveries.lookup import plausible
from cloud_api.logistics.deliveries.models import Delivery, DeliveryCode
from cloud_api.logistics.deliveries.queries import EVERY_ROUTE, VisibleRoutes
from cloud_api.logistics.deliveries.schemas import OtpEntry
from cloud_api.logistics.deliveries.states import DeliveryStatus, OtpStatus
from cloud_api.notifications import contacts
from cloud_api.orders.book import service as orders
from cloud_api.orders.book.models import CustomerOrder

#: wrong ones, and then it is locked
TRIES = 5
RESEND_AFTER = timedelta(minutes=1)
#: what a phone says of longer ago was entered where there was no signal
OFFLINE_AFTER = timedelta(minutes=2)
#: nothing more is asked
PASSED = frozenset({OtpStatus.VERIFIED, OtpStatus.OVERRIDDEN})
#: the goods may stay where they are, and somebody has to look at it
DOUBTFUL = frozenset({OtpStatus.UNVERIFIED, OtpStatus.PENDING_VERIFICATION})
_ON_THE_ROAD = (DeliveryStatus.OUT_FOR_DELIVERY, DeliveryStatus.ARRIVED)


def can_be_reached(order: CustomerOrder) -> bool:
    """Whether whoever opens the door can be sent a code."""
    return bool(order.customer_phone or order.customer_email)


async def needed(db: AsyncSession, order: CustomerOrder) -> bool:
    """Whether an order is handed over against a code."""
    return can_be_reached(order) and await configuration.value(db, definitions.OTP_REQUIRED)


def was_offline(at: datetime | None) -> bool:
    """Whether what a phone did at `at` was done without signal: it is told later."""
    return at is not None and clock.now() - at > OFFLINE_AFTER


async def announce_code(db: AsyncSession, delivery_id: uuid.UUID) -> None:
    """A customer is next: send them their code, if they need one and have none."""
    delivery = await lookup.get_delivery(db, delivery_id, locked=True)
    order = await orders.get_order(db, delivery.order_id)
    if delivery.status in _ON_THE_ROAD and delivery.otp_status == OtpStatus.NONE and await needed(db, order):
        await _send(db, delivery, order)


async def send_otp(
    db: AsyncSession, delivery_id: uuid.UUID, *, driver_id: uuid.UUID, at: datetime | None = None
) -> Delivery:
    """Send the customer a code, or another one: the one before works no longer. At most one a minute.

    Raises:
        NotFound: when the driver has no such delivery.
        InvalidTransition: when it is not on the road.
        CustomerUnreachable: when neither a number nor an address is known.
        OtpTooSoon: when one was sent just now.
        OtpLocked: after too many wrong ones.
        ClockImplausible: when the phone says a time that cannot be.
    """
    route, delivery = await lookup.driven_stop(db, delivery_id, driver_id=driver_id)
    plausible(at, earliest=route.started_at)
    if delivery.otp_status in PASSED:
        return delivery
    _on_the_road(delivery)
    _not_locked(delivery)
    order = await orders.get_order(db, delivery.order_id)
    if not can_be_reached(order):
        raise CustomerUnreachable(f"no number and no address is known of {order.customer_name}: take a signature")
    if delivery.otp_sent_at is not None and clock.now() - delivery.otp_sent_at < RESEND_AFTER:
        left_s = (delivery.otp_sent_at + RESEND_AFTER - clock.now()).total_seconds()
        raise OtpTooSoon(f"a code was sent just now: ask again in {left_s:.0f} s")
    await _send(db, delivery, order)
    return delivery


async def enter_otp(
    db: AsyncSession,
    delivery_id: uuid.UUID,
    *,
    driver_id: uuid.UUID,
    entry: OtpEntry,
    at: datetime | None = None,
) -> Delivery:
    """Check what the customer said. A code that was checked is not asked for again.

    Raises:
        NotFound: when the driver has no such delivery.
        InvalidTransition: when it is not on the road.
        OtpRequired: when no code has been sent.
        OtpWrong: naming how many tries are left. Entered without signal it is kept as doubtful instead.
        OtpLocked: after too many wrong ones.
        ClockImplausible: when the phone says a time that cannot be.
    """
    route, delivery = await lookup.driven_stop(db, delivery_id, driver_id=driver_id)
    entered_at = plausible(at, earliest=route.started_at)
    if delivery.otp_status in PASSED:
        return delivery
    _on_the_road(delivery)
    await check(db, delivery, entry.code, at=entered_at, offline=entry.offline and was_offline(at))
    return delivery


async def check(db: AsyncSession, delivery: Delivery, code: str, *, at: datetime, offline: bool) -> None:
    """Compare a code with those that were valid at `at`, and write down what came of it. The delivery is locked.

    Raises:
        OtpLocked: after too many wrong ones.
        OtpRequired: when none has been sent; with `offline` it waits for somebody instead.
        OtpWrong: when it is none of them; with `offline` it is kept as unverified instead.
    """
    _not_locked(delivery)
    sent = (await db.scalars(select(DeliveryCode).where(DeliveryCode.delivery_id == delivery.id))).all()
    valid = [one for one in sent if one.sent_at <= at < one.expires_at]
    if any([vault.current().recognises(one.digest, _of(delivery, code)) for one in valid]):
        delivery.otp_status, delivery.otp_verified_at = OtpStatus.VERIFIED, at
        return
    if offline and not valid:
        delivery.otp_status = OtpStatus.PENDING_VERIFICATION
        return
    if not sent:
        raise OtpRequired("no code has been sent to the customer yet: send one first", field="code")
    delivery.otp_attempts += 1
    if offline:
        delivery.otp_status = OtpStatus.UNVERIFIED
        return
    left = TRIES - delivery.otp_attempts
    if left <= 0:
        delivery.otp_status = OtpStatus.LOCKED
    said = "this is not the code" if valid else "this code is too old: send another"
    raise OtpWrong(f"{said}; {max(left, 0)} tries left", field="code")


async def ask_for_code(
    db: AsyncSession, delivery: Delivery, order: CustomerOrder, *, code: str | None, at: datetime, offline: bool
) -> None:
    """Refuse a hand-over without the code that it needs. Nothing else may have been written before.

    Raises:
        OtpRequired, OtpWrong, OtpLocked: when it was not entered, is wrong, or was too often.
    """
    if delivery.otp_status in PASSED or not await needed(db, order):
        return
    if code is not None:
        await check(db, delivery, code, at=at, offline=offline)
    if delivery.otp_status in PASSED or (delivery.otp_status in DOUBTFUL and offline):
        return
    _not_locked(delivery)
    raise OtpRequired("enter the code that the customer was sent, or ask a dispatcher to let it pass", field="otp_code")


async def override_otp(
    db: AsyncSession, delivery_id: uuid.UUID, *, user_id: uuid.UUID, reason: str, seen: VisibleRoutes = EVERY_ROUTE
) -> Delivery:
    """A dispatcher lets a delivery pass without its code, or takes one that is in doubt for good.

    Raises:
        NotFound: when there is none to be seen.
        OwnOverride: when it is on a route that they drive.
        InvalidTransition: when it is neither on the road, nor delivered and in doubt.
    """
    route, delivery = await lookup.locked_stop(db, delivery_id, seen=seen)
    if route is not None and route.driver_id == user_id:
        raise OwnOverride("somebody else has to let your own delivery pass")
    if delivery.otp_status in PASSED:
        return delivery
    if delivery.otp_status not in DOUBTFUL:
        _on_the_road(delivery)
    delivery.otp_status = OtpStatus.OVERRIDDEN
    delivery.otp_override_by, delivery.otp_override_reason = user_id, reason
    return delivery


async def codes_of(db: AsyncSession, delivery_id: uuid.UUID) -> Sequence[DeliveryCode]:
    """What was sent for a delivery, oldest first; what recognises each code, never the code."""
    its = select(DeliveryCode).where(DeliveryCode.delivery_id == delivery_id).order_by(DeliveryCode.id)
    return (await db.scalars(its)).all()


async def _send(db: AsyncSession, delivery: Delivery, order: CustomerOrder) -> None:
    """Draw a code, keep what recognises it, and let it leave, sealed, after the commit."""
    now = clock.now()
    for before in await codes_of(db, delivery.id):
        before.expires_at = min(before.expires_at, now)
    minutes = await configuration.value(db, definitions.OTP_MINUTES)
    code = f"{secrets.randbelow(1_000_000):06d}"
    expires_at = now + timedelta(minutes=minutes)
    digest = vault.current().digest(_of(delivery, code))
    db.add(DeliveryCode(delivery_id=delivery.id, digest=digest, sent_at=now, expires_at=expires_at))
    delivery.otp_sent_at = now
    if delivery.otp_status == OtpStatus.NONE:
        delivery.otp_status = OtpStatus.SENT
    await contacts.tell(
        db,
        contact_of(order),
        template="delivery.otp",
        values={"order": order.number, "code": code, "minutes": str(minutes)},
        subject=f"order:{order.id}",
        secret=True,
        expires_at=expires_at,
        warehouse_id=order.warehouse_id,
    )


def contact_of(order: CustomerOrder) -> contacts.Contact:
    """Whoever opens the door."""
    return contacts.Contact(order.customer_name, order.customer_phone, order.customer_email, order.locale)


def _of(delivery: Delivery, code: str) -> str:
    return f"delivery:{delivery.id}:{code}"


def _not_locked(delivery: Delivery) -> None:
    if delivery.otp_status == OtpStatus.LOCKED or delivery.otp_attempts >= TRIES:
        raise OtpLocked(f"{TRIES} wrong codes: a dispatcher has to let {delivery.number} pass", field="code")


def _on_the_road(delivery: Delivery) -> None:
    if delivery.status not in _ON_THE_ROAD:
        raise InvalidTransition(f"delivery is {delivery.status}: a code belongs to one on the road", field="status")
