"""What each driver's phone has still to hear: changes in the order in which they were committed.

A feed has one row for each route, stop and message of a driver, at the place of its last change: it is as long as a
day's work, whoever asks from however far back. Whoever adds to it locks its head first, takes the next number, and
holds the lock until the commit: no number appears below one that was handed out. What is told is read when it is
asked for; the feed says only that it changed.
"""

import hashlib
import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from pydantic import BaseModel
from sqlalchemy import delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel import clock
from cloud_api.kernel.db import insert_missing
from cloud_api.kernel.paging import BadCursor, decode_cursor, encode_cursor
from cloud_api.logistics.deliveries.models import Delivery, Route
from cloud_api.logistics.deliveries.schemas import RouteRead, TodayStop
from cloud_api.logistics.deliveries.service import stops_of
from cloud_api.logistics.deliveries.states import RouteStatus
from cloud_api.logistics.sync.errors import StartAgain
from cloud_api.logistics.sync.models import PhoneFeedHead, PhoneFeedItem
from cloud_api.logistics.sync.schemas import Changes, FeedItem, Message
from cloud_api.notifications.models import Notification

_OPEN = (RouteStatus.PLANNED, RouteStatus.IN_PROGRESS)
#: what was taken away is remembered for phones that have not heard of it
REMEMBERED = timedelta(days=30)
#: messages are told while they are news
_NEWS = timedelta(days=2)

_Key = tuple[str, uuid.UUID]


@dataclass(frozen=True)
class _Place:
    """Where in a feed a phone stands: which feed, and after which number."""

    feed: str
    sequence: int

    def cursor(self) -> str:
        return encode_cursor(f"{self.feed}:{self.sequence}".encode())


async def changes(db: AsyncSession, *, driver_id: uuid.UUID, cursor: str | None, limit: int) -> Changes:
    """What has changed for a driver since `cursor`; without one all that is theirs now.

    Raises:
        BadCursor: when it is not one of ours.
        StartAgain: when it is of another feed, or from before what has been forgotten.
    """
    head = await _head(db, driver_id)
    here = _Place("", 0) if head is None else _Place(head.id.hex, head.sequence)
    since = _Place(here.feed, 0) if cursor is None else _read(cursor)
    if since.feed not in ("", here.feed) or since.sequence > here.sequence:
        raise StartAgain("this cursor leads nowhere here: ask without one, and forget what you knew", field="cursor")
    if cursor is not None and head is not None and since.sequence < head.forgotten_through:
        raise StartAgain("too long ago: ask without a cursor, and forget what you knew", field="cursor")
    wanted = select(PhoneFeedItem).where(
        PhoneFeedItem.driver_id == driver_id,
        PhoneFeedItem.sequence > since.sequence,
        PhoneFeedItem.sequence <= here.sequence,
    )
    if cursor is None:
        wanted = wanted.where(PhoneFeedItem.gone.is_(False))
    rows = (await db.scalars(wanted.order_by(PhoneFeedItem.sequence).limit(limit + 1))).all()
    told, more = rows[:limit], len(rows) > limit
    end = _Place(here.feed, told[-1].sequence) if more else here
    items = await _items(db, told, driver_id=driver_id)
    return Changes(items=items, cursor=end.cursor(), more=more, told_at=clock.now())


async def standing(db: AsyncSession, *, driver_id: uuid.UUID) -> str:
    """What an answer's tag is made of: it is another one as soon as the feed has grown."""
    head = await _head(db, driver_id)
    return "0" if head is None else f"{head.id.hex[-12:]}-{head.sequence}"


async def refresh_route(db: AsyncSession, route_id: uuid.UUID) -> None:
    """Bring the feeds of all who have, or had, a route up to date with it. What looks the same is not told again."""
    heads: dict[uuid.UUID, PhoneFeedHead] = {}
    while missing := await _drivers(db, route_id) - heads.keys():
        heads |= await _locked_heads(db, missing)
    fresh = select(Route).where(Route.id == route_id).execution_options(populate_existing=True)
    route = (await db.scalars(fresh)).one_or_none()
    for driver_id, head in heads.items():
        theirs = route is not None and route.driver_id == driver_id and route.status in _OPEN
        told: Mapping[_Key, BaseModel] = {}
        if theirs and route is not None:
            on_it = select(Delivery.id).where(Delivery.route_id == route_id).order_by(Delivery.id)
            told = await _told_of(db, route, (await db.scalars(on_it)).all())
        await _set(db, head, driver_id=driver_id, route_id=route_id, told=told)


async def refresh_stops(db: AsyncSession, delivery_ids: Collection[uuid.UUID]) -> None:
    """Stops are others than before, and with them their routes: nothing else of the routes is looked at."""
    its = select(Route, Delivery.id).join(Delivery, Delivery.route_id == Route.id)
    driven = its.where(Delivery.id.in_(delivery_ids), Route.status.in_(_OPEN), Route.driver_id.is_not(None))
    routes: dict[uuid.UUID, Route] = {}
    stops: dict[uuid.UUID, list[uuid.UUID]] = defaultdict(list)
    for route, delivery_id in (await db.execute(driven.order_by(Delivery.id))).tuples():
        routes[route.id] = route
        stops[route.id].append(delivery_id)
    heads = await _locked_heads(db, {route.driver_id for route in routes.values() if route.driver_id})
    for route_id, route in sorted(routes.items()):
        if route.driver_id is not None:
            await _refresh_some(db, heads[route.driver_id], route, stops[route_id], driver_id=route.driver_id)
    others = set(delivery_ids).difference(*stops.values())
    if others:
        await refresh_deliveries(db, others)


async def _refresh_some(
    db: AsyncSession, head: PhoneFeedHead, route: Route, delivery_ids: Sequence[uuid.UUID], *, driver_id: uuid.UUID
) -> None:
    told = await _told_of(db, route, delivery_ids)
    about = select(PhoneFeedItem).where(
        PhoneFeedItem.driver_id == driver_id, PhoneFeedItem.subject_id.in_([route.id, *delivery_ids])
    )
    known = {(item.kind, item.subject_id): item for item in await db.scalars(about)}
    await _tell(db, head, known, told, driver_id=driver_id, route_id=route.id)


async def refresh_deliveries(db: AsyncSession, delivery_ids: Collection[uuid.UUID]) -> None:
    """The same of the routes that deliveries are on, and of those whose drivers had them."""
    its = select(Delivery.route_id).where(Delivery.id.in_(delivery_ids))
    had = select(PhoneFeedItem.route_id).where(
        PhoneFeedItem.kind == "stop", PhoneFeedItem.subject_id.in_(delivery_ids), PhoneFeedItem.gone.is_(False)
    )
    routes = {*(await db.scalars(its)).all(), *(await db.scalars(had)).all()}
    if len(routes) > 1:
        theirs = [await _drivers(db, route_id) for route_id in routes if route_id is not None]
        await _locked_heads(db, set().union(*theirs))
    for route_id in sorted(route_id for route_id in routes if route_id is not None):
        await refresh_route(db, route_id)


async def refresh_order(db: AsyncSession, order_id: uuid.UUID) -> None:
    """The same of every attempt at an order."""
    attempts = await db.scalars(select(Delivery.id).where(Delivery.order_id == order_id))
    await refresh_deliveries(db, attempts.all())


async def add_message(db: AsyncSession, notification_id: uuid.UUID) -> None:
    """Whoever drives hears on the phone what was written to them."""
    written = await db.get(Notification, notification_id)
    if written is None or await _head(db, written.user_id) is None:
        return
    head = await _locked_head(db, written.user_id)
    await _put(db, head, {}, driver_id=written.user_id, key=("message", written.id), route_id=None, fingerprint="")


async def _drivers(db: AsyncSession, route_id: uuid.UUID) -> set[uuid.UUID]:
    """Who has a route, and who still believes to have something of it."""
    believing = select(PhoneFeedItem.driver_id).where(PhoneFeedItem.route_id == route_id, PhoneFeedItem.gone.is_(False))
    drives = await db.scalar(select(Route.driver_id).where(Route.id == route_id))
    return {*(await db.scalars(believing.distinct())).all()} | ({drives} if drives else set())


async def _told_of(db: AsyncSession, route: Route, delivery_ids: Sequence[uuid.UUID]) -> Mapping[_Key, BaseModel]:
    told: dict[_Key, BaseModel] = {("route", route.id): RouteRead.model_validate(route)}
    for stop in await stops_of(db, delivery_ids):
        told["stop", stop.delivery_id] = stop
    return told


async def _set(
    db: AsyncSession,
    head: PhoneFeedHead,
    *,
    driver_id: uuid.UUID,
    route_id: uuid.UUID,
    told: Mapping[_Key, BaseModel],
) -> None:
    """Say what a driver has of a route; everything else that they had of it is gone."""
    its = select(PhoneFeedItem).where(
        PhoneFeedItem.driver_id == driver_id,
        or_(
            PhoneFeedItem.route_id == route_id,
            PhoneFeedItem.subject_id.in_([subject_id for _, subject_id in told]),
        ),
    )
    known = {(item.kind, item.subject_id): item for item in await db.scalars(its)}
    await _tell(db, head, known, told, driver_id=driver_id, route_id=route_id)
    for key, item in known.items():
        if key not in told and not item.gone:
            item.gone, item.fingerprint = True, ""
            _number(head, item)
    if told:
        await _forget(db, head, driver_id=driver_id)
    await db.flush()


async def _tell(
    db: AsyncSession,
    head: PhoneFeedHead,
    known: Mapping[_Key, PhoneFeedItem],
    told: Mapping[_Key, BaseModel],
    *,
    driver_id: uuid.UUID,
    route_id: uuid.UUID,
) -> None:
    for key, content in told.items():
        fingerprint = hashlib.sha256(content.model_dump_json().encode()).hexdigest()[:32]
        await _put(db, head, known, driver_id=driver_id, key=key, route_id=route_id, fingerprint=fingerprint)


async def _put(
    db: AsyncSession,
    head: PhoneFeedHead,
    known: Mapping[_Key, PhoneFeedItem],
    *,
    driver_id: uuid.UUID,
    key: _Key,
    route_id: uuid.UUID | None,
    fingerprint: str,
) -> None:
    item = known.get(key)
    if item is None:
        item = PhoneFeedItem(driver_id=driver_id, kind=key[0], subject_id=key[1])
        db.add(item)
    elif item.fingerprint == fingerprint and item.route_id == route_id and not item.gone:
        return
    item.route_id, item.fingerprint, item.gone = route_id, fingerprint, False
    _number(head, item)


def _number(head: PhoneFeedHead, item: PhoneFeedItem) -> None:
    head.sequence += 1
    item.sequence, item.changed_at = head.sequence, clock.now()


async def _forget(db: AsyncSession, head: PhoneFeedHead, *, driver_id: uuid.UUID) -> None:
    """Take out what has been gone for long, and what is no news; how far, stands in the head."""
    now = clock.now()
    gone = PhoneFeedItem.gone.is_(True) & (PhoneFeedItem.changed_at < now - REMEMBERED)
    old = PhoneFeedItem.kind.in_(["message"]) & (PhoneFeedItem.changed_at < now - _NEWS)
    its = select(PhoneFeedItem).where(PhoneFeedItem.driver_id == driver_id, gone | old)
    rows = (await db.scalars(its)).all()
    if not rows:
        return
    tombstones = [item.sequence for item in rows if item.gone]
    head.forgotten_through = max([head.forgotten_through, *tombstones])
    await db.execute(delete(PhoneFeedItem).where(PhoneFeedItem.id.in_([item.id for item in rows])))


async def _items(db: AsyncSession, rows: Sequence[PhoneFeedItem], *, driver_id: uuid.UUID) -> list[FeedItem]:
    """What is told of these rows, as it is now; what is not the driver's by now is gone."""
    live = {kind: [row.subject_id for row in rows if row.kind == kind and not row.gone] for kind in _KINDS}
    its = select(Route).where(Route.id.in_(live["route"]), Route.driver_id == driver_id)
    routes = {route.id: RouteRead.model_validate(route) for route in await db.scalars(its)}
    mine = (
        select(Delivery.id)
        .join(Route, Route.id == Delivery.route_id)
        .where(Delivery.id.in_(live["stop"]), Route.driver_id == driver_id)
    )
    stops: dict[uuid.UUID, TodayStop] = {}
    if live["stop"]:
        stops = {stop.delivery_id: stop for stop in await stops_of(db, (await db.scalars(mine)).all())}
    messages = await _messages(db, live["message"], user_id=driver_id)
    told = []
    for row in rows:
        route, stop, message = routes.get(row.subject_id), stops.get(row.subject_id), messages.get(row.subject_id)
        found = {"route": route, "stop": stop, "message": message}[row.kind]
        told.append(
            FeedItem(
                kind=row.kind,
                id=row.subject_id,
                route_id=row.route_id,
                gone=row.gone or found is None,
                route=None if row.gone else route,
                stop=None if row.gone else stop,
                message=None if row.gone else message,
            )
        )
    return told


_KINDS = ("route", "stop", "message")


async def _messages(db: AsyncSession, ids: Sequence[uuid.UUID], *, user_id: uuid.UUID) -> Mapping[uuid.UUID, Message]:
    if not ids:
        return {}
    its = select(Notification).where(Notification.id.in_(ids), Notification.user_id == user_id)
    return {one.id: Message.model_validate(one) for one in await db.scalars(its)}


def _read(cursor: str) -> _Place:
    feed, _, sequence = decode_cursor(cursor).decode("ascii", "replace").partition(":")
    if not sequence.isdecimal() or len(sequence) > 12:
        raise BadCursor
    return _Place(feed, int(sequence))


async def _head(db: AsyncSession, driver_id: uuid.UUID) -> PhoneFeedHead | None:
    return (await db.scalars(select(PhoneFeedHead).where(PhoneFeedHead.driver_id == driver_id))).one_or_none()


async def _locked_heads(db: AsyncSession, driver_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, PhoneFeedHead]:
    """Several, in the order in which everybody locks them."""
    return {driver_id: await _locked_head(db, driver_id) for driver_id in sorted(driver_ids)}


async def _locked_head(db: AsyncSession, driver_id: uuid.UUID) -> PhoneFeedHead:
    await insert_missing(db, PhoneFeedHead, {"driver_id": driver_id, "sequence": 0, "forgotten_through": 0})
    its = select(PhoneFeedHead).where(PhoneFeedHead.driver_id == driver_id).with_for_update()
    return (await db.scalars(its.execution_options(populate_existing=True))).one()
