"""What is to be planned. All numbers are whole: metres, seconds, grams, minor currency units.

Seconds count from any instant the caller chooses, the same for the whole problem: midnight, or the Unix epoch. Places
are row numbers of the matrix, so that a problem is the same whether its distances come from a formula or from roads.

What it takes to build one is kept apart from what may be wrong with it: see `validation`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

#: a matrix entry where no road leads
UNREACHABLE = -1
#: the largest instant or duration, seconds: 126 years, so that Unix times fit
LONGEST_S = 4_000_000_000
#: the highest priority of a stop
HIGHEST_PRIORITY = 100


class Objective(StrEnum):
    """What a plan has as little of as possible, after the stops it leaves out."""

    #: metres driven
    DISTANCE = "distance"
    #: seconds from each vehicle's start to its end: driving, waiting and serving
    TIME = "time"
    #: money: `Vehicle.fixed_cost_minor` and the two rates
    COST = "cost"


class Compartment(StrEnum):
    """A part of a vehicle with a climate of its own."""

    CHILLED = "chilled"
    FROZEN = "frozen"
    AMBIENT = "ambient"


@dataclass(frozen=True, slots=True)
class Window:
    """An interval of time; both ends belong to it."""

    #: seconds
    opens_s: int
    #: seconds
    closes_s: int


#: when nobody says otherwise
ANY_TIME = Window(0, LONGEST_S)


@dataclass(frozen=True, slots=True)
class Load:
    """An amount of goods, in one dimension."""

    #: what is counted, such as `weight_g`, `volume_cm3`, `crates`
    dimension: str
    amount: int
    #: where it must travel; None is anywhere
    compartment: Compartment | None = None


@dataclass(frozen=True, slots=True)
class Capacity:
    """What a vehicle holds, in one dimension. A dimension that a vehicle does not name is not limited on it."""

    dimension: str
    limit: int
    #: the part of the vehicle it is about; None is the vehicle as a whole. A vehicle has the compartments it names
    compartment: Compartment | None = None


@dataclass(frozen=True, slots=True)
class Stop:
    """A place to be served once, by one vehicle."""

    id: str
    #: row of the matrix
    location: int
    #: service may start within any of these; none given is any time
    windows: tuple[Window, ...] = ()
    #: seconds
    service_time_s: int = 0
    loads: tuple[Load, ...] = ()
    #: what the vehicle must be able to do, such as `tail-lift`
    skills: frozenset[str] = frozenset()
    #: 0 to 100: a stop left out weighs 1 + priority, and a plan leaves out as little weight as it can
    priority: int = 0
    #: what serving is worth, in units of the objective; None is a stop that is left out only when it does not fit
    prize: int | None = None


@dataclass(frozen=True, slots=True)
class Vehicle:
    """A van with its driver: at most one route."""

    id: str
    #: row of the matrix where the route starts
    start: int
    #: row of the matrix where it ends; None is at its last stop
    end: int | None
    capacities: tuple[Capacity, ...] = ()
    #: the route starts and ends within it
    shift: Window = ANY_TIME
    max_distance_m: int | None = None
    #: seconds from start to end, waiting and serving included
    max_duration_s: int | None = None
    max_stops: int | None = None
    skills: frozenset[str] = frozenset()
    #: minor currency units, for a vehicle that leaves at all
    fixed_cost_minor: int = 0
    #: minor currency units per 1,000 metres
    cost_per_km_minor: int = 0
    #: minor currency units per 3,600 seconds from start to end
    cost_per_hour_minor: int = 0

    @property
    def compartments(self) -> frozenset[Compartment]:
        """The parts it has; a load without a compartment needs none."""
        return frozenset(each.compartment for each in self.capacities if each.compartment is not None)


@dataclass(frozen=True, eq=False)
class Matrix:
    """Distances and travel times between all places; `UNREACHABLE` in both where no road leads."""

    #: metres from row to column, shape (places, places), int64
    distance_m: NDArray[np.int64]
    #: seconds from row to column, the same shape
    duration_s: NDArray[np.int64]

    @classmethod
    def of(cls, distance_m: Sequence[Sequence[int]], duration_s: Sequence[Sequence[int]]) -> Self:
        """From plain lists.

        Raises:
            ValueError: when rows differ in length or a number is not an integer (see `validation` for the rest).
        """
        arrays = np.array(distance_m), np.array(duration_s)
        if any(array.size and array.dtype.kind not in "iu" for array in arrays):
            raise ValueError("a matrix holds whole numbers only: round metres and seconds first")
        return cls(arrays[0].astype(np.int64), arrays[1].astype(np.int64))

    @property
    def places(self) -> int:
        """How many places it knows."""
        return int(self.distance_m.shape[0])

    def metres(self, origin: int, destination: int) -> int:
        """The distance, or `UNREACHABLE`."""
        return int(self.distance_m.item(origin, destination))

    def seconds(self, origin: int, destination: int) -> int:
        """The travel time, or `UNREACHABLE`."""
        return int(self.duration_s.item(origin, destination))


@dataclass(frozen=True, eq=False)
class Problem:
    """Stops, vehicles, the ways between them, and what to save."""

    stops: tuple[Stop, ...]
    vehicles: tuple[Vehicle, ...]
    matrix: Matrix
    objective: Objective = Objective.DISTANCE

    @cached_property
    def stop_by_id(self) -> dict[str, Stop]:
        """Each stop under its id."""
        return {stop.id: stop for stop in self.stops}

    @cached_property
    def vehicle_by_id(self) -> dict[str, Vehicle]:
        """Each vehicle under its id."""
        return {vehicle.id: vehicle for vehicle in self.vehicles}
