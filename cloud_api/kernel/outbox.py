"""Events that leave a unit of work: written with it, delivered after it, at least once.

`emit` writes the event into the same transaction as the work. A `Dispatcher` later writes one delivery for each
reaction to it, and runs them: a *reaction* in a unit of work of its own, marked done in that same transaction (those
that hear all that is due at one time share it); an *effect* (a push, a webhook) outside any transaction, marked done
afterwards, so it may happen twice and must carry an identity the receiver can recognise. A delivery that keeps failing
is parked, and visible, and does not hold up others.

Readers are woken after the commit; polling is the safety net.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

import msgspec
import structlog
from sqlalchemy import ForeignKey, Index, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel import clock
from cloud_api.kernel.db import DATABASE_FAILURES, Base, Database
from cloud_api.kernel.metrics import EVENTS
from cloud_api.kernel.tenancy import Actor, OrganizationOwned, OrganizationScope, SystemScope

log = structlog.get_logger(__name__)

E = TypeVar("E")
_LEASE = timedelta(seconds=60)
_ATTEMPTS = 8
_BATCH = 50
_POLL_S = 2.0
#: who waits for an answer or at a screen goes first, and what happens within that time is planned at once
_GATHER_S = 0.03


class OutboxEvent(OrganizationOwned, Base):
    """What happened, as the room that did it says it."""

    __tablename__ = "outbox_events"
    __audited__ = False

    type: Mapped[str]
    payload: Mapped[dict[str, object]]
    emitted_at: Mapped[datetime]
    request_id: Mapped[str]
    dispatched_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_outbox_events_undispatched", "dispatched_at", "id"),)


class OutboxDelivery(Base):
    """One event on its way to one reaction. Belongs to no organisation's eyes: only the dispatcher reads it."""

    __tablename__ = "outbox_deliveries"

    event_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("outbox_events.id", ondelete="CASCADE"), primary_key=True)
    reaction: Mapped[str] = mapped_column(primary_key=True)
    #: pending, done or parked
    state: Mapped[str] = mapped_column(default="pending")
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime]
    last_error: Mapped[str | None]

    __table_args__ = (Index("ix_outbox_deliveries_due", "state", "due_at"),)


@dataclass(frozen=True)
class Subscription:
    """One reaction to one type of event."""

    event: type[Any]
    #: unique and stable: it stands in the database
    name: str
    react: Callable[[AsyncSession, Any], Awaitable[None]] | None = None
    #: of several events in one unit of work
    react_to_all: Callable[[AsyncSession, Sequence[Any]], Awaitable[None]] | None = None
    effect: Callable[[Database, uuid.UUID, Any], Awaitable[None]] | None = None


def reaction(event: type[E], name: str, react: Callable[[AsyncSession, E], Awaitable[None]]) -> Subscription:
    """`react(db, event)` runs in a unit of work of the event's organisation."""
    return Subscription(event, name, react=react)


def reaction_to_all(
    event: type[E], name: str, react: Callable[[AsyncSession, Sequence[E]], Awaitable[None]]
) -> Subscription:
    """The same for what comes in crowds: `react(db, events)` hears those that are due at one time in one unit of work.

    When that fails each of them is heard by itself, so that none holds up its neighbours.
    """
    return Subscription(event, name, react_to_all=react)


def effect(event: type[E], name: str, run: Callable[[Database, uuid.UUID, E], Awaitable[None]]) -> Subscription:
    """`run(database, organization_id, event)` runs outside any unit of work, and may run twice."""
    return Subscription(event, name, effect=run)


def emit(db: AsyncSession, event: object, *, organization_id: uuid.UUID | None = None) -> None:
    """Write `event` (a frozen dataclass) into this unit of work; a system session names the organisation it is for."""
    scope = db.sync_session.info["scope"]
    if organization_id is None:
        assert isinstance(scope, OrganizationScope)  # noqa: S101 - events belong to an organisation
        organization_id = scope.organization_id
    db.add(
        OutboxEvent(
            organization_id=organization_id,
            type=type(event).__name__,
            payload=cast(dict[str, object], msgspec.to_builtins(event)),
            emitted_at=clock.now(),
            request_id=str(structlog.contextvars.get_contextvars().get("request_id", "")),
            dispatched_at=None,
        )
    )
    db.sync_session.info["emitted"] = True


@contextmanager
def _away(failure: str) -> Iterator[None]:
    """Go on when the database does not answer; `failure` is what the log says then."""
    try:
        yield
    except DATABASE_FAILURES as error:
        log.warning(failure, error=str(error))


class Dispatcher:
    """Delivers events to their reactions. Any number may run beside each other on PostgreSQL."""

    def __init__(self, database: Database, subscriptions: Sequence[Subscription], *, poll_s: float = _POLL_S) -> None:
        self._database = database
        self._poll_s = poll_s
        self._by_name = {subscription.name: subscription for subscription in subscriptions}
        if len(self._by_name) != len(subscriptions):
            raise ValueError("two reactions have the same name")
        self._awake = asyncio.Event()
        #: deliveries that are claimed and not settled
        self._under_way = 0

    def wake(self) -> None:
        """Somebody has committed an event."""
        self._awake.set()

    async def run(self) -> None:
        """Deliver until cancelled: what takes long holds up nothing else; a database that is away is asked again."""
        async with asyncio.TaskGroup() as under_way:
            while True:
                self._awake.clear()
                claimed: list[tuple[OutboxEvent, str]] = []
                with _away("outbox_database_failed"):
                    claimed = await self._next(_BATCH - self._under_way)
                for name, events in self._groups(claimed):
                    under_way.create_task(self._settle(name, events))
                self._under_way += len(claimed)
                if not claimed:
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._awake.wait(), self._poll_s)
                    await asyncio.sleep(_GATHER_S)

    async def deliver_due(self) -> int:
        """Deliver what is due now, once. Returns how many deliveries were tried."""
        claimed = await self._next(_BATCH)
        self._under_way += len(claimed)
        await asyncio.gather(*(self._settle(name, events) for name, events in self._groups(claimed)))
        return len(claimed)

    async def _next(self, most: int) -> list[tuple[OutboxEvent, str]]:
        """What is to be delivered now, leased to us."""
        while await self._plan() == _BATCH:
            pass
        return await self._claim(most) if most > 0 else []

    def _groups(self, claimed: Sequence[tuple[OutboxEvent, str]]) -> list[tuple[str, list[OutboxEvent]]]:
        """What is delivered in one unit of work: an event; where a reaction hears several, an organisation's."""
        groups: dict[tuple[object, ...], list[OutboxEvent]] = {}
        for event, name in claimed:
            apart = event.id if self._by_name[name].react_to_all is None else event.organization_id
            groups.setdefault((name, apart), []).append(event)
        return [(str(name), events) for (name, _), events in groups.items()]

    async def _settle(self, name: str, events: Sequence[OutboxEvent]) -> None:
        """Deliver, or write down why not; what cannot even be written down is due again when its lease is over."""
        try:
            await self._try(name, events)
        finally:
            if self._under_way >= _BATCH:
                self._awake.set()
            self._under_way -= len(events)

    async def _try(self, name: str, events: Sequence[OutboxEvent]) -> None:
        [failure] = await asyncio.gather(self._deliver(events, name), return_exceptions=True)
        if failure is None:
            EVENTS.labels(name, "done").inc(len(events))
        elif not isinstance(failure, Exception):
            raise failure
        elif len(events) > 1:
            log.warning("outbox_group_failed", reaction=name, events=len(events), error=str(failure))
            for event in events:
                await self._try(name, [event])
        else:
            with _away("outbox_failure_not_noted"):
                await self._note_failure(events[0], name, failure)

    async def _plan(self) -> int:
        """Write a delivery for each reaction to each of the next new events. Returns how many events those were."""
        async with self._database.unit_of_work(SystemScope("plan outbox deliveries")) as db:
            events = (
                await db.scalars(
                    select(OutboxEvent)
                    .where(OutboxEvent.dispatched_at.is_(None))
                    .order_by(OutboxEvent.id)
                    .limit(_BATCH)
                    .with_for_update(skip_locked=True)
                )
            ).all()
            now = clock.machine_now()
            for event in events:
                event.dispatched_at = now
                db.add_all(
                    OutboxDelivery(event_id=event.id, reaction=subscription.name, due_at=now)
                    for subscription in self._by_name.values()
                    if subscription.event.__name__ == event.type
                )
        return len(events)

    async def _claim(self, most: int) -> list[tuple[OutboxEvent, str]]:
        """Lease what is due, so that no other dispatcher takes it meanwhile."""
        now = clock.machine_now()
        async with self._database.unit_of_work(SystemScope("claim outbox deliveries")) as db:
            rows = await db.execute(
                select(OutboxDelivery, OutboxEvent)
                .join(OutboxEvent, OutboxEvent.id == OutboxDelivery.event_id)
                .where(
                    OutboxDelivery.state == "pending",
                    OutboxDelivery.due_at <= now,
                    OutboxDelivery.reaction.in_(self._by_name),
                )
                .order_by(OutboxDelivery.due_at, OutboxDelivery.event_id)
                .limit(most)
                .with_for_update(skip_locked=True, of=OutboxDelivery)
            )
            claimed = []
            for delivery, event in rows:
                delivery.due_at = now + _LEASE
                delivery.attempts += 1
                claimed.append((event, delivery.reaction))
            return claimed

    async def _deliver(self, events: Sequence[OutboxEvent], name: str) -> None:
        """Deliver events of one organisation; several only to what hears several at once."""
        subscription = self._by_name[name]
        messages = {event.id: msgspec.convert(event.payload, subscription.event) for event in events}
        first = events[0]
        request_id = first.request_id if len(events) == 1 else ""
        structlog.contextvars.bind_contextvars(request_id=request_id, reaction=name)
        if subscription.effect is not None:
            await subscription.effect(self._database, first.organization_id, messages[first.id])
        scope, actor = OrganizationScope(first.organization_id), Actor("worker", None, name)
        async with self._database.unit_of_work(scope, actor=actor) as db:
            todo = await self._mark_done(db, events, name)
            if not todo:
                return
            if subscription.react_to_all is not None:
                await subscription.react_to_all(db, [messages[event.id] for event in events if event.id in todo])
            elif subscription.react is not None:
                await subscription.react(db, messages[first.id])

    async def _mark_done(self, db: AsyncSession, events: Sequence[OutboxEvent], name: str) -> set[uuid.UUID]:
        """Those that were still to do: another dispatcher may have overtaken us when our lease ran out."""
        marked = await db.scalars(
            update(OutboxDelivery)
            .where(
                OutboxDelivery.event_id.in_([event.id for event in events]),
                OutboxDelivery.reaction == name,
                OutboxDelivery.state == "pending",
            )
            .values(state="done", last_error=None)
            .returning(OutboxDelivery.event_id),
            execution_options={"synchronize_session": False},
        )
        return set(marked.all())

    async def _note_failure(self, event: OutboxEvent, name: str, error: Exception) -> None:
        async with self._database.unit_of_work(SystemScope("note a failed outbox delivery")) as db:
            delivery = await db.get_one(OutboxDelivery, (event.id, name), with_for_update=True)
            if delivery.state != "pending":  # our lease ran out, and another dispatcher has settled it
                return
            parked = delivery.attempts >= _ATTEMPTS
            delivery.state = "parked" if parked else "pending"
            delivery.due_at = clock.machine_now() + timedelta(seconds=min(2**delivery.attempts, 3600))
            delivery.last_error = f"{type(error).__name__}: {error}"[:2000]
        EVENTS.labels(name, "parked" if parked else "failed").inc()
        log.warning("outbox_delivery_failed", reaction=name, event_id=str(event.id), parked=parked, error=str(error))
