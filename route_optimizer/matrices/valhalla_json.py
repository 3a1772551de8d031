"""What Valhalla is asked and what it answers: the same in this process (`roads`) as over HTTP (`servers`)."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec
import numpy as np

from route_optimizer.matrices.points import Point
from route_optimizer.matrices.sources import Limits, Metres, Seconds, SourceConfused, Table, fill
from route_optimizer.matrices.sphere import GreatCircles

#: places located by one request
LOCATED_AT_ONCE = 50

#: an action such as `locate` and its request in; the answer out, both JSON
Ask = Callable[[str, bytes], bytes]
Shape = TypeVar("Shape")


class _Cell(msgspec.Struct):
    #: kilometres; that they are fewer than the most metres keeps nonsense out
    distance: Metres | None = None
    time: Seconds | None = None


class _Matrix(msgspec.Struct):
    sources_to_targets: list[list[_Cell]]


class _Edge(msgspec.Struct):
    correlated_lat: float
    correlated_lon: float


class _Located(msgspec.Struct):
    edges: list[_Edge] | None = None


@dataclass(frozen=True)
class Dialect:
    """How one Valhalla is to be asked."""

    #: kind of vehicle
    costing: str
    #: a place farther from any road than this is off the road
    reach_m: float
    limits: Limits
    #: `matrix`, or `square` where that is garbled
    ways: Callable[[Ask, Sequence[Point], Sequence[Point], str], Table]


def table(ask: Ask, origins: Sequence[Point], destinations: Sequence[Point], dialect: Dialect) -> Table:
    """Ways from each origin to each destination, those off the road told before they are asked about.

    One place that no road comes near fails a whole request, or makes every other search go to the end of the map.

    Raises:
        SourceError: when it cannot answer.
    """
    places = list(dict.fromkeys((*origins, *destinations)))
    whole = Table.blank(len(origins), len(destinations))
    whole.off_road.update(off_road(ask, places, dialect.costing, dialect.reach_m))
    fill(
        whole,
        origins,
        destinations,
        dialect.limits,
        lambda starts, ends: dialect.ways(ask, starts, ends, dialect.costing),
    )
    return whole


def matrix(ask: Ask, origins: Sequence[Point], destinations: Sequence[Point], costing: str) -> Table:
    """One request of `sources_to_targets`.

    Raises:
        SourceError: when it cannot answer.
    """
    wanted = {"sources": _locations(origins), "targets": _locations(destinations), "costing": costing}
    rows = _read(ask("sources_to_targets", msgspec.json.encode(wanted)), _Matrix).sources_to_targets
    if len(rows) != len(origins) or any(len(row) != len(destinations) for row in rows):
        raise _confused(f"answered another table than the {len(origins)} × {len(destinations)} asked for")
    part = Table.blank(len(origins), len(destinations))
    for number, row in enumerate(rows):
        for column, cell in enumerate(row):
            if cell.distance is not None and cell.time is not None:
                part.distance_m[number, column] = round(cell.distance * 1000)
                part.duration_s[number, column] = round(cell.time)
    return part


def square(ask: Ask, origins: Sequence[Point], destinations: Sequence[Point], costing: str) -> Table:
    """The same as `matrix` by asking for the ways among all of them: what Valhalla 3.2 answers otherwise is garbled.

    Its `timedistancematrix` numbers the cells of a table as if it had as many columns as rows; only a single row
    comes out right.
    """
    if len(origins) == 1:
        return matrix(ask, origins, destinations, costing)
    places = list(dict.fromkeys((*origins, *destinations)))
    number = {place: row for row, place in enumerate(places)}
    whole = matrix(ask, places, places, costing)
    cells = np.ix_([number[place] for place in origins], [number[place] for place in destinations])
    return Table(whole.distance_m[cells], whole.duration_s[cells])


def off_road(ask: Ask, places: Sequence[Point], costing: str, reach_m: float) -> dict[Point, str]:
    """The places that have no road within reach, each with the reason.

    Raises:
        SourceError: when it cannot answer.
    """
    reasons = {}
    for some in _chunks(places, LOCATED_AT_ONCE):
        wanted = {"locations": _locations(some), "costing": costing, "verbose": False}
        located = _read(ask("locate", msgspec.json.encode(wanted)), list[_Located])
        if len(located) != len(some):
            raise _confused(f"located {len(located)} places of {len(some)}")
        for place, found in zip(some, located, strict=True):
            roads = [Point(edge.correlated_lat, edge.correlated_lon) for edge in found.edges or ()]
            if not roads:
                reasons[place] = f"has no road for {costing} near it on this map"
            elif (away_m := _nearest_m(place, roads)) > reach_m:
                reasons[place] = f"is {away_m:,} m from the nearest road for {costing}, more than {reach_m:,.0f} m"
    return reasons


def _nearest_m(place: Point, roads: Sequence[Point]) -> int:
    circles = GreatCircles([place, *roads], detour_factor=1.0)
    return min(circles.metres(0, number) for number in range(1, circles.places))


def _locations(points: Sequence[Point]) -> list[dict[str, float]]:
    return [{"lat": point.latitude, "lon": point.longitude} for point in points]


def _chunks(places: Sequence[Point], size: int) -> Iterator[Sequence[Point]]:
    return (places[first : first + size] for first in range(0, len(places), size))


def _read(answer: bytes, shape: type[Shape]) -> Shape:
    try:
        return msgspec.json.decode(answer, type=shape)
    except msgspec.DecodeError as error:
        raise _confused(f"answered something else than was asked for: {error}") from None


def _confused(wrong: str) -> SourceConfused:
    return SourceConfused("valhalla", wrong, "check that the address or the library is Valhalla 3.2 or later")
