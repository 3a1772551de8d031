"""What people do with excursions: acknowledge, act, reset, decide."""

import uuid

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.cold_chain.alerts import service as alerts
from cloud_api.cold_chain.events import ExcursionClosed
from cloud_api.cold_chain.excursions import words
from cloud_api.cold_chain.excursions.incidents import GOING_ON, expose
from cloud_api.cold_chain.excursions.models import CorrectiveAction, Excursion
from cloud_api.cold_chain.excursions.states import EXCURSION, ExcursionAction, ExcursionStatus
from cloud_api.inventory.holds import service as holds
from cloud_api.kernel import clock, outbox
from cloud_api.kernel.db import announce
from cloud_api.kernel.errors import NotFound
from cloud_api.places.queries import EVERYWHERE, Visible
from cloud_api.realtime.hub import topic_of
from cloud_api.telemetry.stores.port import ReadingStore


async def acknowledge_excursion(
    db: AsyncSession, excursion_id: uuid.UUID, *, user_id: uuid.UUID, note: str, seen: Visible = EVERYWHERE
) -> Excursion:
    """Somebody is on it: nobody else is told any more.

    Raises:
        NotFound: when there is no such excursion.
        InvalidTransition: when it is not open.
    """
    excursion = await get_excursion(db, excursion_id, seen=seen, locked=True)
    excursion.status = EXCURSION.apply(ExcursionStatus(excursion.status), ExcursionAction.ACKNOWLEDGE)
    _answered(db, excursion, user_id, note)
    await db.flush()
    await alerts.acknowledge_subject(db, subject=words.source(excursion), user_id=user_id, comment=note)
    return excursion


async def hear_of_acknowledgement(
    db: AsyncSession, excursion_id: uuid.UUID, *, user_id: uuid.UUID, comment: str
) -> None:
    """Somebody answered for its alert, and so for it. One that is not open any more, or not there, stays as it is."""
    its = select(Excursion).where(Excursion.id == excursion_id).with_for_update()
    excursion = (await db.scalars(its)).one_or_none()
    if excursion is not None and excursion.status == ExcursionStatus.OPEN:
        excursion.status = EXCURSION.apply(ExcursionStatus.OPEN, ExcursionAction.ACKNOWLEDGE)
        _answered(db, excursion, user_id, comment)


async def act(
    db: AsyncSession, excursion_id: uuid.UUID, *, user_id: uuid.UUID, description: str, seen: Visible = EVERYWHERE
) -> CorrectiveAction:
    """Keep what somebody did about it, be it closed or not.

    Raises:
        NotFound: when there is no such excursion.
    """
    excursion = await get_excursion(db, excursion_id, seen=seen)
    action = CorrectiveAction(
        excursion_id=excursion.id, description=description, taken_at=clock.now(), taken_by=user_id
    )
    db.add(action)
    await db.flush()
    _announce(db, excursion)
    return action


async def close_excursion(
    db: AsyncSession,
    excursion_id: uuid.UUID,
    *,
    user_id: uuid.UUID,
    disposition: str,
    note: str,
    store: ReadingStore,
    seen: Visible = EVERYWHERE,
) -> Excursion:
    """Decide about the goods: `release` frees those that no other hold covers.

    One that goes on may be closed once somebody is on it; further readings of the same breach open no other.

    Raises:
        NotFound: when there is no such excursion.
        InvalidTransition: when nobody acknowledged it and it goes on, or it is closed already.
    """
    excursion = await get_excursion(db, excursion_id, seen=seen, locked=True)
    went_on = excursion.status in GOING_ON
    excursion.status = EXCURSION.apply(ExcursionStatus(excursion.status), ExcursionAction.CLOSE)
    excursion.closed_at = clock.now()
    excursion.closed_by = user_id
    excursion.disposition = disposition
    excursion.note = note
    await db.flush()
    if disposition == "release":
        await holds.release(db, source=words.source(excursion), reason=note, decided_by=user_id)
    else:
        source = words.source(excursion)
        await holds.reject(db, source=source, disposition=disposition, reason=note, decided_by=user_id)
    if went_on:
        await alerts.clear_alert(db, subject=words.source(excursion), at=excursion.closed_at)
    outbox.emit(db, ExcursionClosed(excursion.id, disposition))
    _announce(db, excursion)
    await expose(db, excursion, store=store)
    return excursion


async def get_excursion(
    db: AsyncSession, excursion_id: uuid.UUID, *, seen: Visible = EVERYWHERE, locked: bool = False
) -> Excursion:
    """One excursion; locked until the unit of work ends when it is to change.

    Raises:
        NotFound: when there is none to be seen.
    """
    its = select(Excursion).where(Excursion.id == excursion_id, seen.locations(Excursion.location_id))
    excursion = (await db.scalars(its.with_for_update() if locked else its)).one_or_none()
    if excursion is None:
        raise NotFound(f"no excursion with id {excursion_id}")
    return excursion


def _answered(db: AsyncSession, excursion: Excursion, user_id: uuid.UUID, words_said: str) -> None:
    excursion.acknowledged_at = clock.now()
    excursion.acknowledged_by = user_id
    excursion.acknowledgement = words_said
    _announce(db, excursion)


def _announce(db: AsyncSession, excursion: Excursion) -> None:
    announce(db, topic_of("alerts", excursion.organization_id, excursion.organization_id))
