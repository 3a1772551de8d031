"""What holds when a phone without signal and the office have done different things.

The rows of the table "Conflicts" in docs/delivery.md: what really happened at a door wins as long as the goods can
have been there; nothing happens twice; what cannot be booked is kept with its proof, and somebody is told.
"""

import uuid
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel import clock
from cloud_api.kernel.errors import AppError
from cloud_api.logistics.deliveries import codes, lookup
from cloud_api.logistics.deliveries import service as deliveries
from cloud_api.logistics.deliveries.errors import OtpRequired
from cloud_api.logistics.deliveries.models import Delivery, Route
from cloud_api.logistics.deliveries.states import DELIVERY, DeliveryAction, DeliveryStatus, OtpStatus, RouteStatus
from cloud_api.logistics.sync.commands import Call, Line
from cloud_api.logistics.sync.models import PhoneFeedItem
from cloud_api.logistics.sync.schemas import Result, SealedCommand


@dataclass(frozen=True)
class Outcome:
    """What became of a command."""

    result: Result
    code: str = ""
    message: str = ""
    field: str = ""
    #: the picture that it waits for
    photo: str | None = None
    #: somebody in the office has to know, although it was applied
    tell: bool = False


APPLIED = Outcome("applied")
_HAPPENED = Outcome("duplicate", "ALREADY_SO", "it is so already")


@dataclass(frozen=True)
class Standing:
    """How a route or a delivery stood before a command."""

    status: str
    #: of a proof
    pictures: tuple[str | None, str | None] = (None, None)
    delivered_by: uuid.UUID | None = None


def photos_of(command: SealedCommand) -> list[str]:
    """The pictures that a command names, by their SHA-256."""
    named = (command.payload.get(field) for field in ("photo_sha256", "signature_sha256"))
    return [sha256 for sha256 in named if isinstance(sha256, str)]


async def standings(
    db: AsyncSession, target_ids: Collection[uuid.UUID], *, driver_id: uuid.UUID
) -> dict[uuid.UUID, Standing]:
    """How these routes and deliveries stand now, those that are the driver's or, as their phone was told, were."""
    if not target_ids:
        return {}
    found: dict[uuid.UUID, Standing] = {}
    routes = select(Route.id, Route.status).where(Route.id.in_(target_ids), Route.driver_id == driver_id)
    for route_id, status in (await db.execute(routes)).tuples():
        found[route_id] = Standing(status)
    own = select(Route.id).where(Route.driver_id == driver_id)
    told = select(PhoneFeedItem.subject_id).where(PhoneFeedItem.driver_id == driver_id, PhoneFeedItem.kind == "stop")
    columns = (Delivery.id, Delivery.status, Delivery.photo_sha256, Delivery.signature_sha256, Delivery.delivered_by)
    its = select(*columns).where(Delivery.id.in_(target_ids), or_(Delivery.route_id.in_(own), Delivery.id.in_(told)))
    for delivery_id, status, photo, signature, by in (await db.execute(its)).tuples():
        found[delivery_id] = Standing(status, (photo, signature), by)
    return found


#: command -> how its target stands when it has happened already
_SO = {
    "start_route": (RouteStatus.IN_PROGRESS, RouteStatus.COMPLETED),
    "complete_route": (RouteStatus.COMPLETED,),
    "arrive": (DeliveryStatus.ARRIVED,),
    "fail": (DeliveryStatus.FAILED,),
}


def already(command: SealedCommand, before: Standing | None, *, driver_id: uuid.UUID) -> Outcome | None:
    """What a command is that says what is so already; None: it is to be done."""
    if before is None:
        return None
    if before.status in _SO.get(command.kind, ()):
        return _HAPPENED
    if command.kind == "deliver" and before.status == DeliveryStatus.DELIVERED:
        named = (command.payload.get("photo_sha256"), command.payload.get("signature_sha256"))
        if named == before.pictures and before.delivered_by in (None, driver_id):
            return _HAPPENED
    return None


def standing_after(command: SealedCommand, *, driver_id: uuid.UUID) -> Standing | None:
    """How a delivery stands once a command has been done; None: as before, or nobody knows without a look."""
    match command.kind:
        case "arrive":
            return Standing(DeliveryStatus.ARRIVED)
        case "fail":
            return Standing(DeliveryStatus.FAILED)
        case "deliver":
            photo, signature = (command.payload.get(name) for name in ("photo_sha256", "signature_sha256"))
            pictures = (photo if isinstance(photo, str) else None, signature if isinstance(signature, str) else None)
            return Standing(DeliveryStatus.DELIVERED, pictures, driver_id)
    return None


def refused_for(command: SealedCommand, now: Standing | None) -> Outcome | None:
    """Why a command was refused, in words, when that is because of what was done meanwhile; None: as the verb says."""
    if now is None:
        return None
    if command.kind in ("start_route", "complete_route") and now.status == RouteStatus.CANCELLED:
        return Outcome("conflict", "ROUTE_CANCELLED", "the office has given this route up meanwhile", "target_id")
    if command.kind == "deliver" and now.status == DeliveryStatus.DELIVERED:
        words = "another proof was here first, and stands; this one is kept beside it"
        return Outcome("conflict", "DELIVERED_BEFORE", words, "target_id")
    if command.kind == "deliver" and now.status == DeliveryStatus.CANCELLED:
        words = "the order was cancelled before its van was reported as gone; the proof is kept, the office decides"
        return Outcome("conflict", "ORDER_CANCELLED", words, "target_id")
    return None


async def set_right(call: Call, command: SealedCommand, error: AppError) -> Outcome | None:
    """Set right what the office did meanwhile and a proof refutes, so that the command can be done after all.

    Returns:
        What the command is once it has been done; None: nothing is to be set right, it stays refused.
    """
    if command.kind != "deliver":
        return None
    if error.code == OtpRequired.code and codes.was_offline(call.at):
        return await _do_without_code(call)
    fresh = select(Delivery).where(Delivery.id == call.target_id).execution_options(populate_existing=True)
    delivery = (await call.db.scalars(fresh)).one_or_none()
    if delivery is None:
        return None
    route = await _taken_from(call, delivery)
    if route is not None:
        await deliveries.hand_over(
            call.db,
            delivery,
            to_route=route,
            planned_arrival_at=delivery.planned_arrival_at or clock.now(),
            user_id=call.driver_id,
        )
        words = f"{delivery.number} was on another van; its first proof won"
        return Outcome("applied", "TAKEN_BACK", words, tell=True)
    if delivery.status == DeliveryStatus.FAILED and await _may_go_on(call, delivery):
        _, delivery = await lookup.driven_stop(call.db, delivery.id, driver_id=call.driver_id)
        delivery.status = DELIVERY.apply(DeliveryStatus(delivery.status), DeliveryAction.RESUME)
        delivery.failure_reason = None
        words = f"{delivery.number} was said to have failed; there is a proof"
        return Outcome("applied", "FAILURE_UNDONE", words, tell=True)
    return None


async def _do_without_code(call: Call) -> Outcome | None:
    """Where there is no signal no code can be sent: the hand-over stands, and somebody has to look at it."""
    _, delivery = await lookup.driven_stop(call.db, call.target_id, driver_id=call.driver_id)
    if delivery.otp_status not in (OtpStatus.NONE, OtpStatus.SENT):
        return None
    delivery.otp_status = OtpStatus.PENDING_VERIFICATION
    words = "handed over without signal and without the code: somebody has to look at it"
    return Outcome("applied", "CODE_PENDING", words)


async def _taken_from(call: Call, delivery: Delivery) -> Route | None:
    """The route under way of this driver from which a stop was moved to somebody else's van; None: it was not."""
    if delivery.status != DeliveryStatus.OUT_FOR_DELIVERY or delivery.route_id is None:
        return None
    its = select(Route.driver_id).where(Route.id == delivery.route_id)
    if await call.db.scalar(its) == call.driver_id:
        return None
    had = select(PhoneFeedItem.route_id).where(
        PhoneFeedItem.driver_id == call.driver_id,
        PhoneFeedItem.kind == "stop",
        PhoneFeedItem.subject_id == delivery.id,
    )
    route_id = await call.db.scalar(had)
    if route_id is None or route_id == delivery.route_id:
        return None
    own = select(Route).where(
        Route.id == route_id, Route.driver_id == call.driver_id, Route.status == RouteStatus.IN_PROGRESS
    )
    return (await call.db.scalars(own)).one_or_none()


async def _may_go_on(call: Call, delivery: Delivery) -> bool:
    """Whether a failed stop's goods are still in the van of this driver."""
    own = select(Route.id).where(
        Route.id == delivery.route_id, Route.driver_id == call.driver_id, Route.status == RouteStatus.IN_PROGRESS
    )
    return await call.db.scalar(own) is not None


def judged(error: AppError) -> Outcome:
    """What a command is that was refused: it does not fit what happened here meanwhile, or it never could."""
    field = error.details[0].field if error.details else ""
    result: Result = "conflict" if error.status == 409 else "refused"
    return Outcome(result, error.code, error.message, field)


def to_be_told(line: Line, outcome: Outcome) -> bool:
    """Whether somebody in the office has to know."""
    return outcome.tell or (line.matters and outcome.result in ("conflict", "refused"))


async def number_of(db: AsyncSession, target_id: uuid.UUID | None) -> str:
    """What people call a delivery or a route."""
    for model in (Delivery, Route):
        number = await db.scalar(select(model.number).where(model.id == target_id))
        if number is not None:
            return number
    return "something unknown"
