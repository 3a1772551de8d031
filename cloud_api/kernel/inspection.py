"""`/api/v1/admin`: what operators of the platform look at: the outbox, and the database's revisions."""

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel
from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel import clock
from cloud_api.kernel.errors import NotFound
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.outbox import OutboxDelivery, OutboxEvent
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.unit_of_work import platform_unit_of_work

log = structlog.get_logger(__name__)
router = APIRouter(prefix="/admin", tags=["system"], route_class=ApiRoute)

OutboxDb = Annotated[AsyncSession, Depends(platform_unit_of_work("look at the outbox"), scope="function")]
RetryDb = Annotated[AsyncSession, Depends(platform_unit_of_work("try parked deliveries again"), scope="function")]
RevisionsDb = Annotated[AsyncSession, Depends(platform_unit_of_work("look at the revisions"), scope="function")]

#: every revision this program knows, oldest first, with its title; given by `main`
KnownRevisions = Callable[[], Sequence[tuple[str, str]]]
_SHOWN = 50


class ParkedDelivery(BaseModel):
    """A delivery that failed too often, and waits for a person."""

    event_id: uuid.UUID
    event: str
    organization_id: uuid.UUID
    reaction: str
    attempts: int
    emitted_at: datetime
    last_error: str | None


class Outbox(BaseModel):
    """What has been said and not yet heard."""

    #: events nobody has looked at
    undispatched_events: int
    #: deliveries still to be made
    pending_deliveries: int
    #: since the oldest of them was emitted; null when all is heard
    oldest_age_s: float | None
    parked_deliveries: int
    #: the newest of these
    parked: list[ParkedDelivery]


class Retried(BaseModel):
    """How many deliveries of an event are tried again."""

    deliveries: int


class Revision(BaseModel):
    """One step of the database's schema."""

    revision: str
    title: str


class Revisions(BaseModel):
    """How far the database is."""

    current: str | None
    #: false: the database is newer than this program
    is_known: bool
    applied: list[Revision]
    pending: list[Revision]


@router.get("/outbox", response_model=Outbox, dependencies=[require("monitoring:read")])
async def get_outbox(db: OutboxDb) -> Outbox:
    """Backlog, its age, and what is parked."""
    new = select(func.count(), func.min(OutboxEvent.emitted_at)).where(OutboxEvent.dispatched_at.is_(None))
    under_way = (
        select(func.count(), func.min(OutboxEvent.emitted_at))
        .select_from(OutboxDelivery)
        .join(OutboxEvent, OutboxEvent.id == OutboxDelivery.event_id)
        .where(OutboxDelivery.state == "pending")
    )
    parked = select(func.count()).select_from(OutboxDelivery).where(OutboxDelivery.state == "parked")
    undispatched_events, oldest_new = (await db.execute(new)).one()
    pending_deliveries, oldest_under_way = (await db.execute(under_way)).one()
    emitted = [instant for instant in (oldest_new, oldest_under_way) if instant is not None]
    return Outbox(
        undispatched_events=undispatched_events,
        pending_deliveries=pending_deliveries,
        oldest_age_s=max(0.0, (clock.now() - min(emitted)).total_seconds()) if emitted else None,
        parked_deliveries=await db.scalar(parked) or 0,
        parked=await _newest_parked(db),
    )


@router.post("/outbox/{id}/retry", response_model=Retried, dependencies=[require("platform:manage")])
async def retry_event(db: RetryDb, principal: CurrentPrincipal, id: uuid.UUID) -> Retried:
    """Try again what of an event is parked, as often as at first; a worker does it within seconds."""
    parked = (
        update(OutboxDelivery)
        .where(OutboxDelivery.event_id == id, OutboxDelivery.state == "parked")
        .values(state="pending", attempts=0, due_at=clock.machine_now())
        .returning(OutboxDelivery.reaction)
    )
    tried = (await db.scalars(parked, execution_options={"synchronize_session": False})).all()
    if not tried:
        raise NotFound(f"nothing of an event {id} is parked")
    log.warning("outbox_deliveries_retried", event_id=str(id), reactions=sorted(tried), by=str(principal.id))
    return Retried(deliveries=len(tried))


async def _newest_parked(db: AsyncSession) -> list[ParkedDelivery]:
    rows = await db.execute(
        select(OutboxDelivery, OutboxEvent)
        .join(OutboxEvent, OutboxEvent.id == OutboxDelivery.event_id)
        .where(OutboxDelivery.state == "parked")
        .order_by(OutboxEvent.id.desc(), OutboxDelivery.reaction)
        .limit(_SHOWN)
    )
    return [
        ParkedDelivery(
            event_id=event.id,
            event=event.type,
            organization_id=event.organization_id,
            reaction=delivery.reaction,
            attempts=delivery.attempts,
            emitted_at=event.emitted_at,
            last_error=delivery.last_error,
        )
        for delivery, event in rows
    ]


@router.get("/migrations", response_model=Revisions, dependencies=[require("monitoring:read")])
async def get_migrations(request: Request, db: RevisionsDb) -> Revisions:
    """Which revisions the database has, and which it lacks."""
    known: KnownRevisions = request.app.state.known_revisions
    current = (await db.scalars(text("SELECT version_num FROM alembic_version"))).one_or_none()
    revisions = [Revision(revision=revision, title=title) for revision, title in known()]
    names = [revision.revision for revision in revisions]
    is_known = current is None or current in names
    have = 0 if current is None else names.index(current) + 1 if is_known else len(names)
    return Revisions(current=current, is_known=is_known, applied=revisions[:have], pending=revisions[have:])
