"""Reads of excursions."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.cold_chain.excursions.models import CorrectiveAction, Excursion
from cloud_api.cold_chain.excursions.states import ExcursionStatus
from cloud_api.cold_chain.exposure.models import LotExposure
from cloud_api.places import service as places
from cloud_api.places.queries import Visible

_UNDECIDED = (ExcursionStatus.OPEN, ExcursionStatus.ACKNOWLEDGED, ExcursionStatus.RECOVERED)


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened to an excursion; who did it, when it was a person."""

    at: datetime
    what: str
    by: uuid.UUID | None = None
    said: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """An excursion with all that hangs on it."""

    excursion: Excursion
    lots: Sequence[LotExposure]
    actions: Sequence[CorrectiveAction]
    timeline: Sequence[Moment]


async def listing(
    db: AsyncSession,
    seen: Visible,
    *,
    statuses: Sequence[str] = (),
    location_id: uuid.UUID | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    retracted: bool = False,
) -> Select[tuple[Excursion]]:
    """Excursions that went on at any moment of [since, until), in a place or inside it; those taken back if asked."""
    its = select(Excursion).where(seen.locations(Excursion.location_id))
    if not retracted:
        its = its.where(Excursion.retracted_at.is_(None))
    if statuses:
        its = its.where(Excursion.status.in_(statuses))
    if location_id is not None:
        its = its.where(Excursion.location_id.in_(await places.within(db, location_id)))
    if since is not None:
        its = its.where(or_(Excursion.ended_at.is_(None), Excursion.ended_at > since))
    if until is not None:
        its = its.where(Excursion.started_at < until)
    return its


@dataclass(frozen=True, slots=True)
class Brief:
    """An excursion, as far as its place is told by it."""

    id: uuid.UUID
    number: str
    status: str
    severity: str
    quantity: str
    kind: str
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for a decision in one place."""

    location_id: uuid.UUID
    count: int
    #: those that go on first, and of these the newest
    first: list[Brief]


async def undecided(
    db: AsyncSession, seen: Visible, *, location_id: uuid.UUID | None = None, most: int
) -> Sequence[Waiting]:
    """The places where excursions go on or wait for a decision: how many there are, and a few of them.

    Args:
        location_id: of this place and all inside it; None: of everywhere.
        most: so many of each place.
    """
    its = await listing(db, seen, statuses=_UNDECIDED, location_id=location_id)
    order = (Excursion.status == ExcursionStatus.RECOVERED, Excursion.started_at.desc(), Excursion.id.desc())
    ranked = its.with_only_columns(
        Excursion.location_id,
        func.count().over(partition_by=Excursion.location_id).label("count"),
        func.row_number().over(partition_by=Excursion.location_id, order_by=order).label("turn"),
        *(getattr(Excursion, field.name) for field in fields(Brief)),
    ).subquery()
    asked = select(*(column for column in ranked.c if column.key != "turn")).where(ranked.c.turn <= most)
    found: dict[uuid.UUID, Waiting] = {}
    for place_id, count, *brief in await db.execute(asked.order_by(ranked.c.location_id, ranked.c.turn)):
        found.setdefault(place_id, Waiting(place_id, count, [])).first.append(Brief(*brief))
    return [*found.values()]


async def told(db: AsyncSession, excursion: Excursion) -> Told:
    """The excursion with its lots, what was done about it, and what happened when."""
    lots = select(LotExposure).where(LotExposure.excursion_id == excursion.id).order_by(LotExposure.id)
    taken = select(CorrectiveAction).where(CorrectiveAction.excursion_id == excursion.id).order_by(CorrectiveAction.id)
    actions = (await db.scalars(taken)).all()
    return Told(excursion, (await db.scalars(lots)).all(), actions, _timeline(excursion, actions))


def _timeline(excursion: Excursion, actions: Sequence[CorrectiveAction]) -> list[Moment]:
    moments = [
        Moment(excursion.started_at, "started"),
        Moment(excursion.raised_at, "raised"),
        *(Moment(action.taken_at, "acted", action.taken_by, action.description) for action in actions),
    ]
    for at, what, by, said in (
        (excursion.acknowledged_at, "acknowledged", excursion.acknowledged_by, excursion.acknowledgement),
        (excursion.ended_at, "recovered", None, ""),
        (excursion.reset_at, "reset", excursion.reset_by, ""),
        (excursion.retracted_at, "retracted", None, ""),
        (excursion.closed_at, "closed", excursion.closed_by, excursion.note),
    ):
        if at is not None:
            moments.append(Moment(at, what, by, said))
    return sorted(moments, key=lambda moment: moment.at)
