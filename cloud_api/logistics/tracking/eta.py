"""When a van comes to each of its doors: pure arithmetic over the plan, what happened, and where the van is.

Between two doors the plan's own time counts, held between what the straight line allows at 60 and at 12 km/h; what is
beyond it is waiting for a window. Travel is stretched by how today's legs compare with the plan. On the way to a door
what remains of its leg counts, by the van's last position. Half of the arrivals are expected before `p50_at`, nine of
ten before `p90_at`.
"""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cloud_api.logistics.tracking.geometry import distance_m
from cloud_api.logistics.tracking.learning import Spread

#: an older position says nothing any more
FRESH = timedelta(minutes=15)
#: so near the van is at the door
AT_THE_DOOR_M = 150.0
#: along straight lines; streets are longer
_FASTEST_M_PER_S, _SLOWEST_M_PER_S = 60 / 3.6 / 1.2, 12 / 3.6 / 1.4
_PARKING_S = 60.0
#: shorter legs say little about how far of them is left
_SHORT_M = 300.0
#: so much travel as planned is assumed beside what was driven today
_PACE_PRIOR_S = 1800.0
_PACE_RANGE = (0.6, 2.0)
_LONGEST_LEG_S = 3 * 3600.0
#: a van that should be there and says nothing of itself is not there before
_OVERDUE_S = 120.0


@dataclass(frozen=True, slots=True)
class Eta:
    """When a van is expected at a door."""

    p50_at: datetime
    p90_at: datetime
    #: doors that come first
    stops_before: int


@dataclass(frozen=True, slots=True)
class Door:
    """One stop of a route, in its order."""

    delivery_id: uuid.UUID
    latitude: float
    longitude: float
    planned_at: datetime
    #: how long its hand-over takes
    service_s: float
    arrived_at: datetime | None = None
    left_at: datetime | None = None
    #: delivered, failed, or otherwise over
    is_done: bool = False

    @property
    def gone_at(self) -> datetime | None:
        """When the van drove on from it, or will have."""
        if self.left_at is not None:
            return self.left_at
        return None if self.arrived_at is None else self.arrived_at + timedelta(seconds=self.service_s)


@dataclass(frozen=True, slots=True)
class Fix:
    """Where the van is."""

    at: datetime
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Course:
    """A route, with what has happened on it."""

    departs_at: datetime
    started_at: datetime | None
    #: (latitude, longitude); None: nobody knows where it sets off
    depot: tuple[float, float] | None
    doors: Sequence[Door]


@dataclass(frozen=True, slots=True)
class Leg:
    """The way to one door."""

    straight_m: float
    travel_s: float
    #: not served before, by the plan
    waits_until: datetime | None


def arrivals(
    course: Course, fix: Fix | None, *, now: datetime, spread: Spread | None = None
) -> Mapping[uuid.UUID, Eta]:
    """The doors that the van has not been at yet, by delivery; each no earlier than now and than the one before."""
    legs, spread = legs_of(course), spread or Spread()
    pace = pace_of(course, legs)
    ahead = [at for at, door in enumerate(course.doors) if not door.is_done and door.arrived_at is None]
    found: dict[uuid.UUID, Eta] = {}
    ready_at, p90_at = _ready(course, now), now
    for turn, at in enumerate(ahead):
        door, leg = course.doors[at], legs[at]
        if turn == 0:
            arrives_at = _first(course, door, leg, fix, ready_at=ready_at, pace=pace, now=now)
        else:
            arrives_at = ready_at + timedelta(seconds=leg.travel_s * pace)
        arrives_at = max(arrives_at, ready_at, leg.waits_until or now, now)
        p90_at = max(p90_at, arrives_at + timedelta(seconds=spread.late_s(turn + 1)))
        found[door.delivery_id] = Eta(arrives_at, p90_at, _before(course, door.delivery_id))
        ready_at = arrives_at + timedelta(seconds=door.service_s)
    return found


def _before(course: Course, delivery_id: uuid.UUID) -> int:
    """Doors that come first, the one that the van stands at included."""
    stops_before = 0
    for door in course.doors:
        if door.delivery_id == delivery_id:
            break
        stops_before += not door.is_done
    return stops_before


def legs_of(course: Course) -> Sequence[Leg]:
    """The way to each door, from the one before or from where the van sets off."""
    return [*_legs(course)]


def _legs(course: Course) -> Iterator[Leg]:
    point, leaves_at = course.depot, course.departs_at
    for door in course.doors:
        straight_m = 0.0 if point is None else distance_m(*point, door.latitude, door.longitude)
        gap_s = (door.planned_at - leaves_at).total_seconds()
        longest_s = _PARKING_S + straight_m / _SLOWEST_M_PER_S
        if point is None:
            longest_s = _LONGEST_LEG_S
        travel_s = min(max(gap_s, straight_m / _FASTEST_M_PER_S), longest_s)
        yield Leg(straight_m, travel_s, door.planned_at if gap_s > longest_s + _PARKING_S else None)
        point, leaves_at = (door.latitude, door.longitude), door.planned_at + timedelta(seconds=door.service_s)


def pace_of(course: Course, legs: Sequence[Leg]) -> float:
    """How today's driven legs compare with the plan, 1.2 a fifth slower; drawn towards 1 as long as there are few."""
    driven_s = planned_s = _PACE_PRIOR_S
    left_at = course.started_at
    for door, leg in zip(course.doors, legs, strict=True):
        if left_at is not None and door.arrived_at is not None and leg.waits_until is None:
            took_s = (door.arrived_at - left_at).total_seconds()
            if 0 <= took_s <= _LONGEST_LEG_S:
                driven_s, planned_s = driven_s + took_s, planned_s + leg.travel_s
        left_at = door.gone_at
    fastest, slowest = _PACE_RANGE
    return min(slowest, max(fastest, driven_s / planned_s))


def _ready(course: Course, now: datetime) -> datetime:
    """When the van can drive to its next door: it stands at one, has left one, or has not set off."""
    here = [door.gone_at for door in course.doors if not door.is_done and door.gone_at is not None]
    if here:
        return max(now, *here)
    if course.started_at is None:
        return max(now, course.departs_at)
    return now


def _first(
    course: Course, door: Door, leg: Leg, fix: Fix | None, *, ready_at: datetime, pace: float, now: datetime
) -> datetime:
    """When the van comes to the next door."""
    travel_s = leg.travel_s * pace
    is_elsewhere = any(other.gone_at is not None and not other.is_done for other in course.doors)
    if is_elsewhere or course.started_at is None:
        return ready_at + timedelta(seconds=travel_s)
    left_at = max([course.started_at, *(done.gone_at for done in course.doors if done.is_done and done.gone_at)])
    if fix is not None and now - fix.at <= FRESH and fix.at >= left_at:
        remaining_m = distance_m(fix.latitude, fix.longitude, door.latitude, door.longitude)
        if remaining_m <= AT_THE_DOOR_M:
            return now
        usual_m_per_s = _speed(leg, pace)
        return fix.at + timedelta(seconds=remaining_m / usual_m_per_s)
    by_the_plan = left_at + timedelta(seconds=travel_s)
    return by_the_plan if by_the_plan > now else now + timedelta(seconds=_OVERDUE_S)


def _speed(leg: Leg, pace: float) -> float:
    """Along the straight line, as the plan has this leg."""
    if leg.straight_m < _SHORT_M or leg.travel_s <= 0:
        return (_FASTEST_M_PER_S + _SLOWEST_M_PER_S) / 2 / pace
    return min(_FASTEST_M_PER_S, max(_SLOWEST_M_PER_S, leg.straight_m / leg.travel_s)) / pace
