"""What goes on beside the phones' reports: positions are looked at, arrivals expected anew, silence is noticed.

Any number of watches may run beside each other: each row is claimed under its lock, and what another holds is left to
it. A route is looked at each minute; positions as soon as they come.
"""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.configuration import service as configuration
from cloud_api.configuration.definitions import SILENT_AFTER_MINUTES
from cloud_api.kernel import clock, outbox
from cloud_api.kernel.db import Database, announce, insert_missing
from cloud_api.kernel.loops import keep_looking
from cloud_api.kernel.tenancy import Actor, OrganizationScope, SystemScope
from cloud_api.logistics.deliveries.models import Route
from cloud_api.logistics.deliveries.states import RouteStatus
from cloud_api.logistics.events import PhoneFellSilent
from cloud_api.logistics.tracking.arrivals import Drive, drives, expected
from cloud_api.logistics.tracking.judging import judge
from cloud_api.logistics.tracking.models import RouteWatch, VehicleLastPosition
from cloud_api.logistics.tracking.promises import tell_what_moved
from cloud_api.realtime.hub import topic_of

_POLL_S = 2.0
_LOOK_EVERY = timedelta(minutes=1)
#: routes of one unit of work
_ROUTES = 50
_ACTOR = Actor("worker", None, "logistics.road_watch")


@dataclass(frozen=True, slots=True)
class Looked:
    """What one look found."""

    vans: int = 0
    routes: int = 0


class RoadWatch:
    """Looks again and again."""

    def __init__(self, database: Database, *, poll_s: float = _POLL_S) -> None:
        self._database = database
        self._poll_s = poll_s

    async def run(self) -> None:
        """Look until cancelled; a database that does not answer is asked again."""
        await keep_looking(lambda: look_at_the_road(self._database), every_s=self._poll_s, failure="road_watch_failed")


async def look_at_the_road(database: Database) -> Looked:
    """Everything that is due now, of every organisation."""
    vans = routes = 0
    for organization_id in await _with_news(database):
        looked = await look_at(database, OrganizationScope(organization_id))
        vans, routes = vans + looked.vans, routes + looked.routes
    return Looked(vans, routes)


async def look_at(database: Database, scope: OrganizationScope) -> Looked:
    """What is due of one organisation: positions first, then when their vans come."""
    vans = routes = 0
    seen = 1
    while seen:
        async with database.unit_of_work(scope, actor=_ACTOR) as db:
            seen = await judge(db)
        vans += seen
    async with database.unit_of_work(scope, read_only=True) as db:
        due = (await db.scalars(_due(select(Route.id)).order_by(Route.id))).all()
    for first in range(0, len(due), _ROUTES):
        async with database.unit_of_work(scope, actor=_ACTOR) as db:
            routes += await _look_at(db, due[first : first + _ROUTES])
    return Looked(vans, routes)


async def _with_news(database: Database) -> Sequence[uuid.UUID]:
    """Organisations with positions that nobody has looked at, or routes that are due."""
    unseen = select(VehicleLastPosition.organization_id).where(VehicleLastPosition.is_judged.is_(False))
    async with database.unit_of_work(SystemScope("find vans to look at"), read_only=True) as db:
        found = set((await db.scalars(unseen.distinct())).all())
        found |= set((await db.scalars(_due(select(Route.organization_id)).distinct())).all())
    return sorted(found)


def _due(its: Select[tuple[uuid.UUID]]) -> Select[tuple[uuid.UUID]]:
    """Of routes under way, those that were not looked at for a minute."""
    watched = its.outerjoin(RouteWatch, RouteWatch.route_id == Route.id)
    return watched.where(Route.status == RouteStatus.IN_PROGRESS, _is_old())


def _is_old() -> ColumnElement[bool]:
    return or_(RouteWatch.looked_at.is_(None), RouteWatch.looked_at <= clock.now() - _LOOK_EVERY)


async def _look_at(db: AsyncSession, route_ids: Sequence[uuid.UUID]) -> int:
    """When the vans of some routes come now, and whether their phones speak. Returns how many were looked at."""
    watches = await _claim(db, route_ids)
    these = [drive for drive in await drives(db, [*watches]) if drive.status == RouteStatus.IN_PROGRESS]
    etas = await expected(db, these)
    await tell_what_moved(db, etas)
    now = clock.now()
    silence = timedelta(minutes=await configuration.value(db, SILENT_AFTER_MINUTES))
    for drive in these:
        _listen(db, watches[drive.route_id], drive, silence=silence, now=now)
    for watch in watches.values():
        watch.looked_at = now
    return len(watches)


async def _claim(db: AsyncSession, route_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, RouteWatch]:
    """The watches of those routes that nobody else looks at now, begun where there is none."""
    known = set((await db.scalars(select(RouteWatch.route_id).where(RouteWatch.route_id.in_(route_ids)))).all())
    for route_id in sorted(set(route_ids) - known):
        await insert_missing(db, RouteWatch, {"route_id": route_id})
    its = select(RouteWatch).where(RouteWatch.route_id.in_(route_ids), _is_old()).order_by(RouteWatch.route_id)
    return {watch.route_id: watch for watch in await db.scalars(its.with_for_update(skip_locked=True))}


def _listen(db: AsyncSession, watch: RouteWatch, drive: Drive, *, silence: timedelta, now: datetime) -> None:
    """Notice that a phone fell silent, once; and that it speaks again."""
    heard_at = drive.heard_at
    if heard_at is None:
        return
    if now - heard_at < silence:
        silent_since = None
    else:
        silent_since = heard_at
        if watch.silent_since != heard_at:
            outbox.emit(db, PhoneFellSilent(drive.route_id))
    if watch.silent_since != silent_since:
        watch.silent_since = silent_since
        announce(db, topic_of("route", db.sync_session.info["scope"].organization_id, drive.route_id))
