"""Handing goods over: the stock leaves, and what proves it stays."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity.people.service import names_of
from cloud_api.kernel import clock, outbox
from cloud_api.kernel.errors import NotFound
from cloud_api.logistics.deliveries import codes, lookup
from cloud_api.logistics.deliveries.driving import kept
from cloud_api.logistics.deliveries.errors import ProofIncomplete, WrongDoor
from cloud_api.logistics.deliveries.lookup import plausible
from cloud_api.logistics.deliveries.models import Delivery, Route
from cloud_api.logistics.deliveries.queries import EVERY_ROUTE, VisibleRoutes
from cloud_api.logistics.deliveries.rounds import Round
from cloud_api.logistics.deliveries.schemas import Proof
from cloud_api.logistics.deliveries.states import DELIVERY, DeliveryAction, DeliveryStatus
from cloud_api.logistics.events import ProofUnverified, StopDelivered
from cloud_api.logistics.fleet import service as fleet
from cloud_api.media import service as media
from cloud_api.media.models import Media
from cloud_api.orders.book import service as orders
from cloud_api.orders.book.models import CustomerOrder
from cloud_api.places.queries import EVERYWHERE
from cloud_api.telemetry.series import service as series

#: a reading of the van that is farther from the hand-over says nothing of it
NEAR_ENOUGH = timedelta(minutes=30)


class Pictures(NamedTuple):
    """What a delivery shows."""

    delivery: Delivery
    photo: Media | None
    signature: Media | None
    #: names of who handed it over, and of who let it pass without its code
    people: Mapping[uuid.UUID, str]


async def prove_delivery(
    db: AsyncSession,
    delivery_id: uuid.UUID,
    *,
    driver_id: uuid.UUID,
    proof: Proof,
    at: datetime | None = None,
    within: Round | None = None,
) -> Delivery:
    """Hand the goods over: the order is delivered, its stock leaves. The same proof again is the same delivery.

    With `proof.also` it is one confirmation for one door: all of the deliveries, or none.

    Args:
        at: by the phone's own clock; None: as the proof says.
        within: a round that is settled afterwards; None: by itself.

    Raises:
        NotFound: when the driver has no such delivery.
        ProofIncomplete: naming what has not arrived, or that another proof was given before.
        InvalidTransition: when it is not on the road.
        WrongDoor: when one of `proof.also` is for another door, or on another route.
        OtpRequired, OtpWrong, OtpLocked: when the customer's code is needed and was not entered.
        ClockImplausible: when the phone says a time that cannot be.
        StockOnHold: when the van was too warm: it may not be handed over.
    """
    ours = within or Round(driver_id)
    route, delivery = await ours.stop(db, delivery_id)
    if delivery.status == DeliveryStatus.DELIVERED:
        if (delivery.photo_sha256, delivery.signature_sha256) != (proof.photo_sha256, proof.signature_sha256):
            raise ProofIncomplete("this delivery has its proof already", field="photo_sha256")
        return delivery
    said_at = at or proof.delivered_at
    delivered_at = plausible(said_at, earliest=route.started_at)
    handed = await _of_one_door(db, route, delivery, proof.also, within=ours)
    status = [DELIVERY.apply(DeliveryStatus(one.status), DeliveryAction.DELIVER) for one, _ in handed]
    lookup.under_way(route)
    pictures = await _pictures(db, proof, within=ours)
    await codes.ask_for_code(
        db, delivery, handed[0][1], code=proof.otp_code, at=delivered_at, offline=codes.was_offline(said_at)
    )
    temperature_c, source = await _temperature(db, route, proof, at=delivered_at)
    for (one, _), after in zip(handed, status, strict=True):
        one.status, one.delivered_at, one.delivered_by = after, delivered_at, driver_id
        one.photo_sha256, one.signature_sha256 = proof.photo_sha256, proof.signature_sha256
        one.recipient_name, one.note = proof.recipient_name, proof.note or one.note
        one.latitude, one.longitude = proof.latitude, proof.longitude
        one.cargo_temperature_c, one.cargo_temperature_source = temperature_c, source
        one.otp_status, one.otp_verified_at = delivery.otp_status, delivery.otp_verified_at
        for picture in pictures:
            ours.show(one, picture)
    ours.hand_over([one for one, _ in handed])
    for one, _ in handed:
        outbox.emit(db, StopDelivered(one.id))
        if one.otp_status in codes.DOUBTFUL:
            outbox.emit(db, ProofUnverified(one.id))
    ours.pass_by(route)
    if within is None:
        await ours.settle(db)
    return delivery


async def pictures_of(db: AsyncSession, delivery_id: uuid.UUID, *, seen: VisibleRoutes = EVERY_ROUTE) -> Pictures:
    """What proves a delivery.

    Raises:
        NotFound: when there is none to be seen, or nothing proves it yet.
    """
    delivery = await lookup.get_delivery(db, delivery_id, seen=seen)
    if delivery.status != DeliveryStatus.DELIVERED:
        raise NotFound(f"delivery {delivery.number} is {delivery.status}: it has no proof yet")
    photo = None if delivery.photo_sha256 is None else await media.find(db, delivery.photo_sha256)
    signature = None if delivery.signature_sha256 is None else await media.find(db, delivery.signature_sha256)
    people = await names_of(db, (delivery.delivered_by, delivery.otp_override_by))
    return Pictures(delivery, photo, signature, people)


async def _of_one_door(
    db: AsyncSession, route: Route, delivery: Delivery, also: Sequence[uuid.UUID], *, within: Round
) -> list[tuple[Delivery, CustomerOrder]]:
    """The deliveries that one confirmation is for, locked, with their orders; the one at whose door it is first."""
    order = await within.order_of(db, delivery)
    handed = [(delivery, order)]
    others = sorted(set(also) - {delivery.id})
    if not others:
        return handed
    on_it = {stop.id: stop for stop in await lookup.deliveries_of(db, route.id, locked=True)}
    for other_id in others:
        if other_id not in on_it:
            raise WrongDoor(f"delivery {other_id} is not on this route", field="also")
        its_order = await orders.get_order(db, on_it[other_id].order_id)
        if _door(its_order) != _door(order):
            raise WrongDoor(f"{on_it[other_id].number} is for another door: confirm it there", field="also")
        handed.append((on_it[other_id], its_order))
    return handed


def _door(order: CustomerOrder) -> tuple[uuid.UUID, str, float, float]:
    return order.customer_id, order.address, order.latitude, order.longitude


async def _pictures(db: AsyncSession, proof: Proof, *, within: Round) -> list[Media]:
    """The pictures that a proof names.

    Raises:
        ProofIncomplete: when it names none, or one has not arrived here.
    """
    if proof.photo_sha256 is None and proof.signature_sha256 is None:
        raise ProofIncomplete("a photo or a signature is needed: upload one, and name its hash", field="photo_sha256")
    named = {"photo_sha256": proof.photo_sha256, "signature_sha256": proof.signature_sha256}
    return [await kept(db, sha256, field=field, within=within) for field, sha256 in named.items() if sha256 is not None]


async def _temperature(
    db: AsyncSession, route: Route, proof: Proof, *, at: datetime
) -> tuple[float | None, str | None]:
    """The product's temperature at the hand-over, and what it was taken with: a probe, or else the warmest sensor of
    the van that has said something about that time.
    """
    if proof.cargo_temperature_c is not None:
        return proof.cargo_temperature_c, "probe"
    van = await fleet.get_vehicle(db, route.vehicle_id)
    near = [
        last.value
        for last in await series.latest(db, seen=EVERYWHERE, location_id=van.location_id)
        if last.quantity == "temperature" and abs(at - clock.from_ms(last.recorded_at_ms)) <= NEAR_ENOUGH
    ]
    return (max(near), "van_sensor") if near else (None, None)
