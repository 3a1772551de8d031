"""When a van is where, driven from door to door in a given order: straight lines, city speed, no search."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from route_optimizer.matrices import Point, haversine

#: handing over at a door, seconds
SERVICE_TIME_S = 240
#: over a day in a city, standing at lights included
CITY_SPEED_KMH = 25.0


@dataclass(frozen=True)
class Door:
    """A stop, and from when on it may be served."""

    latitude: float
    longitude: float
    opens_at: datetime | None = None


@dataclass(frozen=True)
class Course:
    """How it goes."""

    arrivals_at: Sequence[datetime]
    #: from the start by all doors, and back
    distance_m: int
    duration_s: int


def course(start: tuple[float, float], doors: Sequence[Door], *, departs_at: datetime, returns: bool = True) -> Course:
    """Drive the doors in their order; a van that comes before a door opens waits.

    Args:
        start: latitude and longitude, degrees.
        returns: back to where it started.
    """
    points = [Point(*start), *(Point(door.latitude, door.longitude) for door in doors)]
    ways = haversine(points, speed_kmh=CITY_SPEED_KMH)
    at, metres, arrivals = departs_at, 0, []
    for number, door in enumerate(doors, start=1):
        at += timedelta(seconds=int(ways.duration_s[number - 1, number]))
        metres += int(ways.distance_m[number - 1, number])
        if door.opens_at is not None:
            at = max(at, door.opens_at)
        arrivals.append(at)
        at += timedelta(seconds=SERVICE_TIME_S)
    if returns and doors:
        at += timedelta(seconds=int(ways.duration_s[len(doors), 0]))
        metres += int(ways.distance_m[len(doors), 0])
    return Course(arrivals, metres, int((at - departs_at).total_seconds()))


#: how many stops in a row are turned round at most, and how often all of them are tried
_TURNED, _ROUNDS = 12, 4


def shortest(
    start: tuple[float, float], doors: Sequence[Door], closes: Sequence[datetime], *, departs_at: datetime
) -> list[int]:
    """The doors, by their numbers, in a short sequence: as few seconds late as can be, then as short as can be.

    Always to the nearest, then pieces of the sequence are turned round (2-opt) as long as that is better. For the stops
    of one van; a day is planned by `route_optimizer.solve`.

    Args:
        start: latitude and longitude, degrees.
        closes: until when each door is to be served.
    """
    points = [Point(*start), *(Point(door.latitude, door.longitude) for door in doors)]
    way_s = haversine(points, speed_kmh=CITY_SPEED_KMH).duration_s.tolist()
    opens = [(door.opens_at - departs_at).total_seconds() if door.opens_at else 0.0 for door in doors]
    shuts = [(at - departs_at).total_seconds() for at in closes]

    def cost(order: Sequence[int]) -> tuple[float, float]:
        late_s, at_s, place = 0.0, 0.0, 0
        for number in order:
            at_s = max(at_s + way_s[place][number + 1], opens[number])
            late_s += max(0.0, at_s - shuts[number])
            at_s, place = at_s + SERVICE_TIME_S, number + 1
        return late_s, at_s

    order: list[int] = []
    left = set(range(len(doors)))
    while left:
        here = way_s[order[-1] + 1 if order else 0]
        order.append(min((here[number + 1], number) for number in left)[1])
        left.remove(order[-1])
    best = cost(order)
    for _ in range(_ROUNDS):
        before = best
        for first in range(len(order) - 1):
            for last in range(first + 1, min(len(order), first + _TURNED)):
                turned = [*order[:first], *reversed(order[first : last + 1]), *order[last + 1 :]]
                its_cost = cost(turned)
                if its_cost < best:
                    order, best = turned, its_cost
        if best == before:
            break
    return order
