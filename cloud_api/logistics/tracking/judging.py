"""What positions mean: fences that were crossed, doors that were reached.

Positions are looked at once, in the order they were recorded, after they were written: what comes out of a dead zone
is looked at when it comes. What is older than something that was looked at already is kept, and changes nothing.
"""

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import and_, delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.configuration import service as configuration
from cloud_api.configuration.definitions import ARRIVAL_RADIUS_M
from cloud_api.kernel import outbox
from cloud_api.kernel.db import announce
from cloud_api.logistics.deliveries.models import Delivery, Route
from cloud_api.logistics.deliveries.states import DeliveryStatus, RouteStatus
from cloud_api.logistics.events import FenceCrossed
from cloud_api.logistics.tracking.fences import CLEAR_M, WORST_ACCURACY_M, Seen, is_inside
from cloud_api.logistics.tracking.geofencing import shape_of
from cloud_api.logistics.tracking.geometry import METRES_PER_DEGREE, Box, Circle, Shape
from cloud_api.logistics.tracking.models import (
    DeliveryTrack,
    Geofence,
    GeofenceEvent,
    GeofencePresence,
    VehicleLastPosition,
    VehiclePosition,
)
from cloud_api.logistics.tracking.promises import locked_tracks
from cloud_api.orders.book.models import CustomerOrder
from cloud_api.realtime.hub import topic_of

#: vans of one unit of work, and positions
_VANS, _POSITIONS = 100, 5_000
#: of a van that was never looked at: so far back
_FIRST_LOOK = timedelta(hours=12)
#: beyond a fence, a position may still decide
_MARGIN_M = WORST_ACCURACY_M + CLEAR_M
#: at a door a van has stopped when it is so slow, or has been there so long
_STOPPED_KMH = 5.0
_STOPPED_FOR = timedelta(seconds=20)
_TO_COME = (DeliveryStatus.OUT_FOR_DELIVERY, DeliveryStatus.ARRIVED)


@dataclass(frozen=True, slots=True)
class Fence:
    """One of the organisation's, ready to be asked."""

    id: uuid.UUID
    kind: str
    shape: Shape
    box: Box


@dataclass(slots=True)
class Visit:
    """A van at one door, as far as its positions tell."""

    delivery_id: uuid.UUID
    circle: Circle
    near_since: datetime | None
    arrived_at: datetime | None

    def see(self, at: datetime, seen: Seen, speed_kmh: float | None) -> None:
        """One more position: near or not, and stopped or only passing by."""
        near = is_inside(self.circle, seen, was_inside=self.near_since is not None)
        if not near:
            self.near_since = None
            return
        self.near_since = self.near_since or at
        slow = speed_kmh is not None and speed_kmh <= _STOPPED_KMH
        if self.arrived_at is None and (slow or at - self.near_since >= _STOPPED_FOR):
            self.arrived_at = self.near_since


@dataclass(slots=True)
class Work:
    """What is looked at in one unit of work."""

    vans: Mapping[uuid.UUID, VehicleLastPosition]
    positions: Mapping[uuid.UUID, Sequence[VehiclePosition]]
    fences: Sequence[Fence]
    #: van -> the fences that it is inside
    inside: dict[uuid.UUID, set[uuid.UUID]]
    visits: dict[uuid.UUID, list[Visit]] = field(default_factory=lambda: defaultdict(list))


async def judge(db: AsyncSession) -> int:
    """Look at positions of some vans that nobody has looked at. Returns of how many vans.

    Any number may do it beside each other: a van that somebody else looks at is left to them.
    """
    claimed = select(VehicleLastPosition).where(VehicleLastPosition.is_judged.is_(False))
    claimed = claimed.order_by(VehicleLastPosition.id).limit(_VANS).with_for_update(skip_locked=True)
    vans = {last.vehicle_id: last for last in await db.scalars(claimed.execution_options(populate_existing=True))}
    if not vans:
        return 0
    positions = await _positions(db, vans.values())
    work = Work(vans, positions, await _fences(db, positions), await _inside(db, vans))
    crossed = [crossing for vehicle_id in vans for crossing in _cross(work, vehicle_id)]
    await _write(db, work, crossed)
    await _see_doors(db, work)
    is_all = sum(map(len, positions.values())) < _POSITIONS
    for vehicle_id, last in vans.items():
        seen = positions.get(vehicle_id, ())
        if seen:
            last.judged_until = seen[-1].recorded_at
        # what did not fit is looked at next
        last.is_judged = is_all or last.judged_until == last.recorded_at
    return len(vans)


async def _positions(
    db: AsyncSession, vans: Collection[VehicleLastPosition]
) -> Mapping[uuid.UUID, Sequence[VehiclePosition]]:
    """What is new of each van, in the order it was recorded."""
    new = [
        and_(
            VehiclePosition.vehicle_id == last.vehicle_id,
            VehiclePosition.recorded_at > (last.judged_until or last.recorded_at - _FIRST_LOOK),
        )
        for last in vans
    ]
    rows = await db.scalars(
        select(VehiclePosition).where(or_(*new)).order_by(VehiclePosition.recorded_at).limit(_POSITIONS)
    )
    found: dict[uuid.UUID, list[VehiclePosition]] = defaultdict(list)
    for row in rows:
        found[row.vehicle_id].append(row)
    return found


async def _fences(db: AsyncSession, positions: Mapping[uuid.UUID, Sequence[VehiclePosition]]) -> Sequence[Fence]:
    """Those that any of the positions may have to do with, and those that a van is inside of."""
    seen = [row for rows in positions.values() for row in rows]
    if not seen:
        return []
    up = _MARGIN_M / METRES_PER_DEGREE
    south, north = min(row.latitude for row in seen) - up, max(row.latitude for row in seen) + up
    west, east = min(row.longitude for row in seen) - 0.1, max(row.longitude for row in seen) + 0.1
    near = and_(Geofence.south <= north, Geofence.north >= south, Geofence.west <= east, Geofence.east >= west)
    held = Geofence.id.in_(select(GeofencePresence.geofence_id).where(GeofencePresence.vehicle_id.in_(positions)))
    rows = await db.scalars(
        select(Geofence).where(Geofence.removed_at.is_(None), or_(near, held)).order_by(Geofence.id)
    )
    return [Fence(row.id, row.kind, shape_of(row), Box(row.south, row.west, row.north, row.east)) for row in rows.all()]


async def _inside(db: AsyncSession, vehicle_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, set[uuid.UUID]]:
    rows = await db.execute(
        select(GeofencePresence.vehicle_id, GeofencePresence.geofence_id).where(
            GeofencePresence.vehicle_id.in_(vehicle_ids)
        )
    )
    found: dict[uuid.UUID, set[uuid.UUID]] = defaultdict(set)
    for vehicle_id, fence_id in rows.tuples():
        found[vehicle_id].add(fence_id)
    return found


def _cross(work: Work, vehicle_id: uuid.UUID) -> Iterator[tuple[GeofenceEvent, Fence]]:
    """What one van came into and left, in order."""
    inside = work.inside[vehicle_id]
    for row in work.positions.get(vehicle_id, ()):
        seen = Seen(row.latitude, row.longitude, row.accuracy_m)
        for fence in work.fences:
            was_inside = fence.id in inside
            if not was_inside and not fence.box.holds(row.latitude, row.longitude):
                continue
            now_inside = is_inside(fence.shape, seen, was_inside=was_inside)
            if now_inside == was_inside:
                continue
            (inside.add if now_inside else inside.discard)(fence.id)
            event = GeofenceEvent(
                geofence_id=fence.id,
                vehicle_id=vehicle_id,
                route_id=row.route_id,
                event="enter" if now_inside else "exit",
                at=row.recorded_at,
                latitude=row.latitude,
                longitude=row.longitude,
            )
            yield event, fence


async def _write(db: AsyncSession, work: Work, crossed: Sequence[tuple[GeofenceEvent, Fence]]) -> None:
    """The events, and who is inside now."""
    if not crossed:
        return
    entered: dict[tuple[uuid.UUID, uuid.UUID], datetime] = {}
    for event, _ in crossed:
        entered[event.vehicle_id, event.geofence_id] = event.at
    for vehicle_id in {vehicle_id for vehicle_id, _ in entered}:
        moved = [fence_id for van, fence_id in entered if van == vehicle_id]
        gone = delete(GeofencePresence).where(GeofencePresence.vehicle_id == vehicle_id)
        await db.execute(gone.where(GeofencePresence.geofence_id.in_(moved)))
    db.add_all(
        GeofencePresence(vehicle_id=vehicle_id, geofence_id=fence_id, entered_at=at)
        for (vehicle_id, fence_id), at in entered.items()
        if fence_id in work.inside[vehicle_id]
    )
    db.add_all(event for event, _ in crossed)
    await db.flush()
    for event, fence in crossed:
        outbox.emit(
            db,
            FenceCrossed(
                event.id, geofence_id=fence.id, kind=fence.kind, vehicle_id=event.vehicle_id, crossing=event.event
            ),
        )


async def _see_doors(db: AsyncSession, work: Work) -> None:
    """At which of its doors each van is, and where it has stopped."""
    doors = await _doors(db, work)
    near = await _near(db, doors, work)
    if not near:
        return
    tracks = await locked_tracks(db, near)
    for vehicle_id, visits in doors.items():
        for visit in visits:
            track = tracks.get(visit.delivery_id)
            if track is not None:
                visit.near_since, visit.arrived_at = track.near_since, track.arrived_by_fence_at
                _visit(track, visit, work.positions.get(vehicle_id, ()))
    organization_id = db.sync_session.info["scope"].organization_id
    for route_id in {row.route_id for rows in work.positions.values() for row in rows if row.route_id is not None}:
        announce(db, topic_of("route", organization_id, route_id))


def _visit(track: DeliveryTrack, visit: Visit, rows: Sequence[VehiclePosition]) -> None:
    for row in rows:
        visit.see(row.recorded_at, Seen(row.latitude, row.longitude, row.accuracy_m), row.speed_kmh)
    track.near_since, track.arrived_by_fence_at = visit.near_since, visit.arrived_at


async def _doors(db: AsyncSession, work: Work) -> Mapping[uuid.UUID, Sequence[Visit]]:
    """Of each van, the doors that it has yet to be done with."""
    radius_m = await configuration.value(db, ARRIVAL_RADIUS_M)
    rows = await db.execute(
        select(Route.vehicle_id, Delivery.id, CustomerOrder.latitude, CustomerOrder.longitude)
        .join(Delivery, Delivery.route_id == Route.id)
        .join(CustomerOrder, CustomerOrder.id == Delivery.order_id)
        .where(Route.vehicle_id.in_(work.vans), Route.status == RouteStatus.IN_PROGRESS, Delivery.status.in_(_TO_COME))
        .order_by(Delivery.id)
    )
    for vehicle_id, delivery_id, latitude, longitude in rows.tuples():
        work.visits[vehicle_id].append(Visit(delivery_id, Circle(latitude, longitude, radius_m), None, None))
    return work.visits


async def _near(db: AsyncSession, doors: Mapping[uuid.UUID, Sequence[Visit]], work: Work) -> Collection[uuid.UUID]:
    """Deliveries whose door a position is anywhere near, or was before."""
    ids = [visit.delivery_id for visits in doors.values() for visit in visits]
    known = select(DeliveryTrack.delivery_id).where(
        DeliveryTrack.delivery_id.in_(ids), DeliveryTrack.near_since.is_not(None)
    )
    near = set((await db.scalars(known)).all()) if ids else set()
    for vehicle_id, visits in doors.items():
        for visit in visits:
            box = visit.circle.box
            if any(box.holds(row.latitude, row.longitude) for row in work.positions.get(vehicle_id, ())):
                near.add(visit.delivery_id)
    return near
