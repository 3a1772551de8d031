"""Reads of excursions."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.cold_chain.excursions.models import CorrectiveAction, Excursion
from cloud_api.cold_chain.exposure.models import LotExposure
from cloud_api.places import service as places
from cloud_api.places.queries import Visible


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
