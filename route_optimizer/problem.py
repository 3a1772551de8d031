"""What is to be planned. All numbers are whole: metres, seconds, grams, minor currency units.

Seconds count from any instant the caller chooses, the same for the whole problem: midnight, or the Unix epoch. Places
are row numbers of the matrix, so that a problem is the same whether its distances come from a formula or from roads.

What it takes to build one is kept apart from what may be wrong with it: see `validation`. What the rules mean to the
second is told here, at each of them, and nowhere else: the engines, the schedule and the judge are written from it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

#: a matrix entry where no road leads
UNREACHABLE = -1
#: the largest instant or duration, seconds: 126 years, so that Unix times fit
LONGEST_S = 4_000_000_000
#: the highest priority of a stop
HIGHEST_PRIORITY = 100


class Objective(StrEnum):
    """What a plan has as little of as possible, after the stops it leaves out; its unit is the unit of every cost.

    To each, `Stop.late_cost_per_hour`, `Problem.reassign_cost` and `Problem.balance_cost_per_hour` are added.
    """

    #: metres driven
    DISTANCE = "distance"
    #: seconds from each vehicle's start to its end: driving, waiting, serving, resting
    TIME = "time"
    #: millilitres: `Vehicle.fuel_ml_per_km`
    FUEL = "fuel"
    #: money, minor units: `Vehicle.fixed_cost_minor`, its rates for distance, time and overtime, and its fuel
    COST = "cost"
    #: money as in `COST`, and `Problem.co2_price_minor_per_kg` for what `Vehicle.co2_g_per_km` emits
    HYBRID = "hybrid"


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
    """What a vehicle holds at any moment, in one dimension. A dimension that it does not name is not limited on it."""

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
    #: brought here from where the vehicle loads: its start, or its last reload
    loads: tuple[Load, ...] = ()
    #: taken along from here, until the vehicle reloads or ends
    collects: tuple[Load, ...] = ()
    #: what the vehicle must be able to do, such as `tail-lift`
    skills: frozenset[str] = frozenset()
    #: 0 to 100: a stop left out weighs 1 + priority, and a plan leaves out as little weight as it can
    priority: int = 0
    #: what serving is worth, in units of the objective; None is a stop that is left out only when it does not fit
    prize: int | None = None
    #: seconds: its goods are ready then; the vehicle neither leaves its start nor begins to reload for it before
    release_s: int = 0
    #: seconds its goods may spend in the vehicle: from its leaving the start, the reload or (of a shipment) the pickup
    #: until service here starts; None is as long as it takes
    max_ride_s: int | None = None
    #: seconds: service that starts later than this is late, which is allowed at a price; None is never late
    due_s: int | None = None
    #: in units of the objective, for 3,600 seconds of lateness
    late_cost_per_hour: int = 0
    #: id of the vehicle it was planned on; any other costs `Problem.reassign_cost`
    planned_on: str | None = None


@dataclass(frozen=True, slots=True)
class Shipment:
    """Goods taken from one stop to another by the same vehicle, with no reload in between: both stops or neither."""

    #: ids of stops
    pickup: str
    delivery: str
    loads: tuple[Load, ...] = ()


@dataclass(frozen=True, slots=True)
class Break:
    """A driver's break. Due when the vehicle is under way at `latest_s`, start <= `latest_s` < end; else not taken.

    It interrupts driving or waiting, never service, and begins no sooner than the vehicle has left its start.
    """

    #: seconds: it begins within these
    earliest_s: int
    latest_s: int
    #: seconds
    duration_s: int


@dataclass(frozen=True, slots=True)
class DrivingRule:
    """Never more than `longest_s` of driving without a rest of at least `rest_s` in one piece.

    Driving alone counts, however often it is interrupted by waiting or service. A rest is a `Break` that is long
    enough, or one taken for this rule; it may fall anywhere on the road or at a stop, but not into service.
    """

    #: seconds
    longest_s: int
    #: seconds
    rest_s: int


@dataclass(frozen=True, slots=True)
class Reload:
    """Coming back for more goods between stops: what was collected is left there, what is next is loaded."""

    #: row of the matrix
    place: int
    #: how often in one route
    most: int = 1
    #: seconds it takes
    duration_s: int = 0


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
    #: seconds from start to end, waiting, serving and resting included
    max_duration_s: int | None = None
    max_stops: int | None = None
    skills: frozenset[str] = frozenset()
    #: in the order they are taken, no two windows nested in one another
    breaks: tuple[Break, ...] = ()
    driving: DrivingRule | None = None
    #: seconds of driving in the whole route
    max_driving_s: int | None = None
    #: None is a vehicle that makes one trip
    reload: Reload | None = None
    #: minor currency units, for a vehicle that leaves at all
    fixed_cost_minor: int = 0
    #: minor currency units per 1,000 metres
    cost_per_km_minor: int = 0
    #: minor currency units per 3,600 seconds from start to end
    cost_per_hour_minor: int = 0
    #: seconds from start to end after which overtime begins
    overtime_after_s: int | None = None
    #: minor currency units per 3,600 seconds of overtime, on top of `cost_per_hour_minor`
    overtime_cost_per_hour_minor: int = 0
    #: millilitres per 1,000 metres
    fuel_ml_per_km: int = 0
    #: grams of carbon dioxide per 1,000 metres
    co2_g_per_km: int = 0
    #: ids of the stops that a route of this vehicle begins with, in this order and with no reload before or among them;
    #: without them it has no route, and others may serve them
    locked: tuple[str, ...] = ()
    #: ids of the stops whose goods are in it already: no other vehicle can serve them, and it serves them before it
    #: reloads. None is a vehicle that loads at its start whatever it is to bring; else it brings other goods only after
    #: a reload
    on_board: frozenset[str] | None = None

    @property
    def compartments(self) -> frozenset[Compartment]:
        """The parts it has; a load without a compartment needs none."""
        return frozenset(each.compartment for each in self.capacities if each.compartment is not None)


class Ways(Protocol):
    """What is known of the ways between places, however it is held: see `Matrix` and `matrices`."""

    @property
    def places(self) -> int:
        """How many places it knows."""

    def metres(self, origin: int, destination: int) -> int:
        """The distance, or `UNREACHABLE`."""

    def seconds(self, origin: int, destination: int) -> int:
        """The travel time, or `UNREACHABLE`."""

    def among(self, places: Sequence[int]) -> "Matrix":
        """The ways among some places only; its row n is `places[n]`."""


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

    def among(self, places: Sequence[int]) -> "Matrix":
        """The ways among some places only; its row n is `places[n]`."""
        chosen = np.ix_(places, places)
        distance_m = self.distance_m[chosen]
        same = self.duration_s is self.distance_m
        return Matrix(distance_m, distance_m if same else self.duration_s[chosen])


@dataclass(frozen=True, eq=False)
class Problem:
    """Stops, vehicles, the ways between them, and what to save."""

    stops: tuple[Stop, ...]
    vehicles: tuple[Vehicle, ...]
    matrix: Ways
    objective: Objective = Objective.DISTANCE
    shipments: tuple[Shipment, ...] = ()
    #: ids of stops that one vehicle serves, all of them, or nobody serves any
    together: tuple[frozenset[str], ...] = ()
    #: ids of stops of which no vehicle serves two
    apart: tuple[frozenset[str], ...] = ()
    #: minor currency units per 1,000 millilitres
    fuel_price_minor_per_l: int = 0
    #: minor currency units per 1,000 grams of carbon dioxide; counts in `Objective.HYBRID`
    co2_price_minor_per_kg: int = 0
    #: in units of the objective, for each stop served by another vehicle than `Stop.planned_on`
    reassign_cost: int = 0
    #: in units of the objective, for 3,600 seconds that the longest route takes from start to end
    balance_cost_per_hour: int = 0

    @cached_property
    def stop_by_id(self) -> dict[str, Stop]:
        """Each stop under its id."""
        return {stop.id: stop for stop in self.stops}

    @cached_property
    def vehicle_by_id(self) -> dict[str, Vehicle]:
        """Each vehicle under its id."""
        return {vehicle.id: vehicle for vehicle in self.vehicles}

    def with_stops(self, stops: Sequence[Stop]) -> "Problem":
        """The same with these stops only; what was said of others is forgotten."""
        ids = {stop.id for stop in stops}
        return replace(
            self,
            stops=tuple(stops),
            vehicles=tuple(_without_strangers(vehicle, ids) for vehicle in self.vehicles),
            shipments=tuple(each for each in self.shipments if {each.pickup, each.delivery} <= ids),
            together=tuple(each & ids for each in self.together if len(each & ids) > 1),
            apart=tuple(each & ids for each in self.apart if len(each & ids) > 1),
        )


def _without_strangers(vehicle: Vehicle, ids: set[str]) -> Vehicle:
    on_board = None if vehicle.on_board is None else vehicle.on_board & ids
    return replace(vehicle, locked=tuple(name for name in vehicle.locked if name in ids), on_board=on_board)
