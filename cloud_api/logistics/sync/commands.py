"""Which command is which verb: one line a kind.

What a phone does offline is what it would have asked for online: the same bodies, the same verbs, with the phone's own
time.
"""

import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel.http import RequestModel
from cloud_api.logistics.deliveries import service as deliveries
from cloud_api.logistics.deliveries.schemas import (
    ContactRequest,
    DeliveryMove,
    DoorPayment,
    OtpEntry,
    Proof,
    RouteComplete,
    RouteStart,
    ScanReport,
)
from cloud_api.logistics.sync import clocks
from cloud_api.logistics.tracking import service as tracking
from cloud_api.logistics.tracking.schemas import PositionReport

Target = Literal["route", "delivery", "anything"]


class Nothing(RequestModel):
    """A command that says all by its kind."""


class Arrival(RequestModel):
    """At the door."""

    note: Annotated[str, Field(max_length=1000)] = ""


class DriversNote(RequestModel):
    """What the driver wants the next one to know about a door."""

    text: Annotated[str, Field(min_length=1, max_length=1000)]


class PositionBatch(RequestModel):
    """Where the van was, in the order of time."""

    positions: Annotated[list[PositionReport], Field(min_length=1, max_length=500)]


@dataclass(frozen=True)
class Call:
    """A command that is to be done."""

    db: AsyncSession
    driver_id: uuid.UUID
    #: the nil id where a command needs none
    target_id: uuid.UUID
    #: by our clock
    at: datetime
    #: how far the phone's clock was behind ours when it sent the command
    skew: timedelta
    received_at: datetime

    #: what is shared with other commands; None: it is done by itself
    within: "Together | None" = None


class Together:
    """What commands share that are done in one savepoint: a look at what they are about, and what they end in."""

    def __init__(self, round_: deliveries.Round) -> None:
        self.round = round_
        self._vans: dict[uuid.UUID, tracking.Van] = {}
        self._said: list[tuple[tracking.Van, list[PositionReport]]] = []

    async def note(self, call: Call, reports: list[PositionReport]) -> None:
        """A phone says where its van was.

        Raises:
            NotFound, NoVehicle: as `tracking.van_of` does.
        """
        van = self._vans.get(call.target_id)
        if van is None:
            van = self._vans[call.target_id] = await tracking.van_of(call.db, _route(call), driver_id=call.driver_id)
        self._said.append((van, reports))

    async def settle(self, db: AsyncSession) -> None:
        """Do what was left to do, and write all of it."""
        await self.round.settle(db)
        await tracking.write_down(db, self._said)
        await db.flush()


def _round(call: Call) -> deliveries.Round | None:
    return call.within.round if call.within else None


def _route(call: Call) -> uuid.UUID | None:
    return call.target_id if call.target_id.int else None


Verb = Callable[[Call, Any], Awaitable[object]]


@dataclass(frozen=True)
class Line:
    """One kind of command."""

    #: what its `target_id` names
    target: Target
    payload: type[BaseModel]
    do: Verb
    #: goods or money have changed hands: when it is not applied somebody has to look
    matters: bool = False
    #: it may be done in one savepoint with others of such a kind
    shares: bool = False


async def _start(call: Call, start: RouteStart) -> object:
    return await deliveries.start_route(call.db, call.target_id, driver_id=call.driver_id, start=start, at=call.at)


async def _complete(call: Call, done: RouteComplete) -> object:
    return await deliveries.complete_route(call.db, call.target_id, driver_id=call.driver_id, done=done, at=call.at)


async def _move(call: Call, move: DeliveryMove) -> object:
    return await deliveries.move_delivery(
        call.db, call.target_id, driver_id=call.driver_id, move=move, at=call.at, within=_round(call)
    )


async def _arrive(call: Call, arrival: Arrival) -> object:
    return await _move(call, DeliveryMove(status="arrived", note=arrival.note))


class Failure(DeliveryMove):
    """Could not deliver."""

    status: Literal["failed"] = "failed"


async def _fail(call: Call, move: Failure) -> object:
    return await _move(call, move)


async def _deliver(call: Call, proof: Proof) -> object:
    timed = proof.model_copy(update={"delivered_at": call.at})
    return await deliveries.prove_delivery(
        call.db, call.target_id, driver_id=call.driver_id, proof=timed, at=call.at, within=_round(call)
    )


async def _send_otp(call: Call, _nothing: Nothing) -> object:
    return await deliveries.send_otp(call.db, call.target_id, driver_id=call.driver_id, at=call.at)


async def _enter_otp(call: Call, entry: OtpEntry) -> object:
    return await deliveries.enter_otp(call.db, call.target_id, driver_id=call.driver_id, entry=entry, at=call.at)


async def _contact(call: Call, wanted: ContactRequest) -> object:
    return await deliveries.contact(call.db, call.target_id, driver_id=call.driver_id, wanted=wanted, at=call.at)


async def _payment(call: Call, payment: DoorPayment) -> object:
    return await deliveries.take_payment(call.db, call.target_id, driver_id=call.driver_id, payment=payment, at=call.at)


async def _scan(call: Call, report: ScanReport) -> object:
    return await deliveries.scan(call.db, call.target_id, driver_id=call.driver_id, report=report, at=call.at)


async def _note(call: Call, note: DriversNote) -> object:
    ours = _round(call) or deliveries.Round(call.driver_id)
    _, delivery = await ours.stop(call.db, call.target_id)
    delivery.note = note.text
    return delivery


async def _positions(call: Call, batch: PositionBatch) -> object:
    reports = [_moved(report, call) for report in batch.positions]
    if call.within is None:
        return await tracking.report_positions(call.db, _route(call), driver_id=call.driver_id, reports=reports)
    await call.within.note(call, reports)
    return None


def _moved(report: PositionReport, call: Call) -> PositionReport:
    """Its moment as the phone noted it, moved by the skew."""
    at = clocks.corrected(report.recorded_at, skew=call.skew, not_after=call.received_at)
    return report if at == report.recorded_at else report.model_copy(update={"recorded_at": at})


KINDS: Mapping[str, Line] = {
    "start_route": Line("route", RouteStart, _start, matters=True),
    "position_batch": Line("anything", PositionBatch, _positions, shares=True),
    "scan": Line("route", ScanReport, _scan),
    "arrive": Line("delivery", Arrival, _arrive, shares=True),
    "send_otp": Line("delivery", Nothing, _send_otp),
    "enter_otp": Line("delivery", OtpEntry, _enter_otp),
    "contact": Line("delivery", ContactRequest, _contact),
    "payment": Line("delivery", DoorPayment, _payment, matters=True),
    "deliver": Line("delivery", Proof, _deliver, matters=True, shares=True),
    "fail": Line("delivery", Failure, _fail, matters=True, shares=True),
    "note": Line("delivery", DriversNote, _note, shares=True),
    "complete_route": Line("route", RouteComplete, _complete, matters=True),
}
