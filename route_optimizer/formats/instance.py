"""An instance: the problem a file states, and how to speak of it in the file's own numbers.

Benchmark files count in plain units of a plane. A convention says how the real distances become whole numbers, without
which two costs cannot be compared:

| convention | distance | scale | used for |
| --- | --- | --- | --- |
| dimacs | Euclidean, truncated to one decimal | 10 | time windows (DIMACS challenge 2021-22) |
| euc2d | Euclidean, rounded to the nearest integer | 1 | capacities only (TSPLIB's EUC_2D) |
| exact | Euclidean, rounded to three decimals | 1000 | real-valued costs |

Travel takes one unit of time per unit of distance. A "metre" or "second" of the problem is one unit divided by the
scale. Files of real places have no convention: their metres and seconds are what they say.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from route_optimizer.formats.source import FormatError
from route_optimizer.matrices import GreatCircles, Point
from route_optimizer.matrices.plane import Plane
from route_optimizer.plan import Order, Route
from route_optimizer.problem import ANY_TIME, LONGEST_S, Load, Problem, Stop, Ways, Window

if TYPE_CHECKING:
    from route_optimizer.formats.vroom_json import VroomJson

#: the first dimension of benchmark files; others get a number behind it
DEMAND = "demand"
#: places of which all distances are computed at once; of more, those that are asked for
MOST_AT_ONCE = 2_500
#: vehicles that a benchmark file may state
MOST_VEHICLES = 20_000
#: seconds: sooner they are those of a few days, later than the other Unix times
DAYS_S, UNIX_S = 4 * 86_400, 1_000_000_000
#: of a coordinate, times the scale: so that no distance is longer than a matrix may hold
FARTHEST = 300_000_000
#: across and up, in degrees or in units of a plane; None is a place that is nowhere
Coordinates = tuple[float, float] | None


class Convention(StrEnum):
    """How real distances become whole numbers."""

    DIMACS = "dimacs"
    EUC2D = "euc2d"
    EXACT = "exact"

    @property
    def scale(self) -> int:
        """Whole numbers in one unit of the file."""
        return {Convention.DIMACS: 10, Convention.EUC2D: 1, Convention.EXACT: 1_000}[self]

    @property
    def nearest(self) -> bool:
        """Whether it rounds to the nearest whole number; if not, it truncates."""
        return self is not Convention.DIMACS

    def whole(self, value: float) -> int:
        """A distance, time or cost of the file as the problem counts it."""
        scaled = value * self.scale
        # what 10 times a decimal lacks to a whole number is the machine's doing, not the file's
        return math.floor(scaled + (0.5 if self.nearest else 1e-6))


@dataclass(frozen=True, slots=True)
class Row:
    """One client or depot as a file states it; times None when the file has none."""

    number: int
    x: float
    y: float
    demand: int
    opens: float | None = None
    closes: float | None = None
    service: float = 0


@dataclass(frozen=True, slots=True)
class Instance:
    """A problem and where it comes from."""

    name: str
    #: `solomon`, `lilim`, `vrplib`, `vroom` or `json`
    format: str
    #: None counts metres and seconds as they are
    convention: Convention | None
    problem: Problem
    #: cost in the file's units of the best solution known, from the `.sol` beside it; None when there is none, or when
    #: it was counted in another convention
    best_known: float | None = None
    #: vehicles of that solution, where fewer of them count more than the way; else None
    best_vehicles: int | None = None
    #: what each vehicle that leaves adds to the problem's cost, so that fewer come first; no part of any cost told
    charge: int = 0
    #: of each row of the matrix; empty when nobody knows where they are
    points: Sequence[Coordinates] = ()
    #: the coordinates are degrees, longitude first
    geographic: bool = False
    #: routes the file states, for the search to start from
    start: Mapping[str, Order] = field(default_factory=dict)
    #: metres and seconds of the ways, where the problem's own metres are what driving costs; else None
    roads: Ways | None = None
    #: the row that stands for the start of vehicles that have none; None where all have one
    nowhere: int | None = None
    #: what a file of VROOM's said, which its answers repeat; else None
    vroom: "VroomJson | None" = None

    @property
    def scale(self) -> int:
        """Of the problem's units, how many make one of the file's."""
        return 1 if self.convention is None else self.convention.scale

    @property
    def sol_shift(self) -> int:
        """What a `.sol` file's client number lacks to the number in the instance: it counts from the depot as 0."""
        return 1 if self.format == "vrplib" else 0

    def in_file_units(self, number: int) -> float:
        """A distance, time or cost of the problem as the file would write it."""
        return number / self.scale

    def told(self, cost: int) -> int:
        """A cost of the problem without what the vehicles were charged for leaving."""
        return cost % self.charge if self.charge else cost

    def time(self, seconds: int) -> str:
        """An instant for people: hours and minutes of the first days, a date of Unix times, else the number."""
        if self.convention is None and 0 <= seconds < DAYS_S:
            return f"{seconds // 3_600}:{seconds // 60 % 60:02}"
        if self.convention is None and seconds > UNIX_S:
            return f"{datetime.fromtimestamp(seconds, tz=UTC):%Y-%m-%d %H:%M} UTC"
        return f"{self.in_file_units(seconds):,.10g}"

    def length(self, metres: int) -> str:
        """A distance for people."""
        return f"{metres / 1_000:,.1f} km" if self.convention is None else f"{self.in_file_units(metres):,.10g}"

    def distance(self, route: Route) -> int:
        """Metres that a route is long."""
        if self.roads is None:
            return route.distance_m
        return sum(self.roads.metres(*leg) for leg in pairwise(places(self.problem, route)))

    def coordinates(self, place: int) -> Coordinates:
        """Where a row of the matrix is."""
        return self.points[place] if place < len(self.points) else None


def places(problem: Problem, route: Route) -> Iterator[int]:
    """The rows of the matrix that a route comes through, reloads among them."""
    vehicle = problem.vehicle_by_id[route.vehicle]
    yield vehicle.start
    for name in route.order:
        if name is not None:
            yield problem.stop_by_id[name].location
        elif vehicle.reload is not None:
            yield vehicle.reload.place
    if vehicle.end is not None:
        yield vehicle.end


def windows(row: Row, convention: Convention) -> tuple[Window, ...]:
    """When a row is open; none is always. What closes beyond all time closes at its end."""
    if row.opens is None or row.closes is None:
        return ()
    closes_s = min(convention.whole(row.closes), LONGEST_S)
    return (Window(convention.whole(row.opens), closes_s),)


def shift(depot: Row, convention: Convention) -> Window:
    """When the vehicles of a depot may drive."""
    return next(iter(windows(depot, convention)), ANY_TIME)


def stop(row: Row, place: int, convention: Convention) -> Stop:
    """A client."""
    return Stop(
        id=str(row.number),
        location=place,
        windows=windows(row, convention),
        service_time_s=convention.whole(row.service),
        loads=(Load(DEMAND, row.demand),) if row.demand else (),
    )


def check_row(path: Path, line: int, row: Row, convention: Convention) -> None:
    """That a row is near enough, and open before it closes.

    Raises:
        FormatError: naming the line.
    """
    if max(abs(row.x), abs(row.y)) * convention.scale > FARTHEST:
        remedy = f"give coordinates from -{FARTHEST // convention.scale:,} to {FARTHEST // convention.scale:,}"
        raise FormatError(path, line, f"{row.number} lies at {row.x:g}, {row.y:g}", remedy)
    if row.opens is not None and row.closes is not None and not 0 <= row.opens <= row.closes:
        wrong = f"the window of {row.number} closes at {row.closes:g} before it opens at {row.opens:g}"
        raise FormatError(path, line, wrong, "give two times of 0 or more, the earlier first")
    for name, value in (("opens", row.opens or 0), ("takes", row.service)):
        if not 0 <= value * convention.scale <= LONGEST_S:
            remedy = f"give 0 to {LONGEST_S // convention.scale:,}"
            raise FormatError(path, line, f"{row.number} {name} {'at ' * (name == 'opens')}{value:g}", remedy)


def check_fleet(path: Path, line: int, count: int) -> None:
    """That there are vehicles, and not too many to name.

    Raises:
        FormatError: naming the line.
    """
    if count < 1:
        raise FormatError(path, line, "there are no vehicles", "state at least one")
    if count > MOST_VEHICLES:
        raise FormatError(path, line, f"there are {count:,} vehicles", f"state at most {MOST_VEHICLES:,}")


def great_circles(points: Sequence[Point], *, detour_factor: float, speed_kmh: float) -> Ways:
    """Ways on Earth; see `GreatCircles` for the arguments."""
    ways = GreatCircles(points, detour_factor=detour_factor, speed_kmh=speed_kmh)
    return ways if len(points) > MOST_AT_ONCE else ways.among(range(len(points)))


def plane(rows: Sequence[Row], convention: Convention) -> Ways:
    """Euclidean distances in a convention; travel takes as long as the way is."""
    points = np.array([(row.x, row.y) for row in rows], dtype=np.float64).reshape(-1, 2)
    ways = Plane(points, convention.scale, nearest=convention.nearest)
    return ways if len(rows) > MOST_AT_ONCE else ways.among(range(len(rows)))
