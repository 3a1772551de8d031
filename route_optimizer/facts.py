"""A problem as plain tuples and dictionaries, made once and kept with it: what is asked millions of times.

Times, distances and money are as in `problem`; a sum of money is kept in `FINE` parts of a unit, in which every rate is
whole, so that a route is rounded once.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple
from weakref import WeakKeyDictionary

from route_optimizer.problem import (
    ANY_TIME,
    Break,
    Compartment,
    Load,
    Matrix,
    Objective,
    Problem,
    Stop,
    Vehicle,
    Window,
)

#: parts of a unit of the objective
FINE = 9_000_000
#: of an hourly rate, for one second
FINE_PER_SECOND = FINE // 3_600
#: later and longer than anything in a problem
NEVER = 1 << 60
#: a matrix of more places is not held as lists: they take 72 bytes a pair
MOST_PLACES = 1_200
#: rows held of a larger one
MOST_ROWS = 200


class Halt(NamedTuple):
    """What the clock must know of a stop."""

    place: int
    #: of its only window
    opens_s: int
    closes_s: int
    service_s: int
    #: whether it has several windows or a rule of its own, as follows
    special: bool
    windows: tuple[tuple[int, int], ...]
    release_s: int
    max_ride_s: int | None
    #: counts from its shipments' pickups, by their ids; none is from where the vehicle loaded
    ride_from: tuple[str, ...]
    due_s: int | None
    #: fine cost of one second of lateness
    late_rate: int


@dataclass(frozen=True, eq=False)
class Van:
    """What the clock must know of a vehicle."""

    vehicle: Vehicle
    #: fine costs
    per_metre: int
    per_second: int
    per_second_of_overtime: int
    fixed: int
    #: whether a longer day costs more, or can be too long
    time_counts: bool
    #: place, window and service of a reload
    reload_halt: tuple[int, int, int, int]
    #: of each number of breaks taken: how many more may be taken on one leg, from when it must have been begun by, how
    #: long they last, until when they last at least
    spans: tuple[tuple[tuple[int, int, int, int], ...], ...]
    #: of each of its stops that was planned on another
    reassigned: frozenset[str]
    #: stops that come first
    locked: tuple[str, ...]

    def fine_cost(self, metres: int, seconds: int) -> int:
        """Without lateness and reassignments."""
        fine = self.fixed + metres * self.per_metre + seconds * self.per_second
        after_s = self.vehicle.overtime_after_s
        if self.per_second_of_overtime and after_s is not None and seconds > after_s:
            fine += (seconds - after_s) * self.per_second_of_overtime
        return fine


class Facts:
    """Of one problem."""

    def __init__(self, problem: Problem) -> None:
        self.stop_by_id = problem.stop_by_id
        self.objective = problem.objective
        self.fuel_price = problem.fuel_price_minor_per_l
        self.co2_price = problem.co2_price_minor_per_kg
        self.reassign = problem.reassign_cost * FINE
        self._matrix = problem.matrix
        self.metres = _Rows(problem, metres=True)
        self.seconds = self.metres if _same(problem) else _Rows(problem, metres=False)
        self._shipments = problem.shipments
        self._together = problem.together
        self._apart = problem.apart
        self._vehicles = problem.vehicles
        self._vans: dict[int, Van] = {}
        #: what `loads` keeps: by vehicle; by its skills and compartments; by the dimension and compartment counted
        self.holds: dict[Van, object] = {}
        self.able: dict[tuple[frozenset[str], frozenset[Compartment]], frozenset[str]] = {}
        self.amounts: dict[tuple[str, Compartment | None], tuple[dict[str, int], dict[str, int], bool]] = {}
        self.halts = {stop.id: self._halt(stop) for stop in problem.stops}
        #: place, window and service of each, for who needs no more
        self.plain_halts = {name: halt[:4] for name, halt in self.halts.items()}
        #: stops with several windows or a rule of their own
        self.special = frozenset(name for name, halt in self.halts.items() if halt.special)
        #: vehicles that stops were planned on
        self.planned = frozenset(stop.planned_on for stop in problem.stops if self.reassign)
        #: what `insertion` and `improve` remember: costs of orders
        self.costs: dict[tuple[Van, tuple[str | None, ...]], int | None] = {}

    def van(self, vehicle: Vehicle) -> Van:
        """What there is to know of a vehicle, which need not be one of the problem's."""
        found = self._vans.get(id(vehicle))
        if found is None:
            found = self._vans[id(vehicle)] = self._van(vehicle)
        return found

    @cached_property
    def pickups(self) -> dict[str, tuple[str, ...]]:
        """Where the goods that a stop gets from other stops come from."""
        found: dict[str, tuple[str, ...]] = {}
        for each in self._shipments:
            found[each.delivery] = (*found.get(each.delivery, ()), each.pickup)
        return found

    @cached_property
    def partners(self) -> dict[str, frozenset[str]]:
        """Stops that go with a stop, or none of them does; itself among them."""
        groups: dict[str, frozenset[str]] = {}
        for pair in (*({each.pickup, each.delivery} for each in self._shipments), *self._together):
            joined = frozenset(pair).union(*(groups.get(name, frozenset()) for name in pair))
            groups |= dict.fromkeys(joined, joined)
        return groups

    @cached_property
    def strangers(self) -> dict[str, frozenset[str]]:
        """Stops that no vehicle serves beside a stop."""
        found: dict[str, frozenset[str]] = {}
        for group in self._apart:
            for name in group:
                found[name] = found.get(name, frozenset()) | (group - {name})
        return found

    @cached_property
    def holders(self) -> dict[str, str]:
        """The vehicle whose goods a stop waits for, by the id of the stop."""
        return {name: vehicle.id for vehicle in self._vehicles for name in vehicle.on_board or ()}

    @cached_property
    def goods(self) -> dict[str, tuple[tuple[Load, ...], tuple[Load, ...], tuple[Load, ...]]]:
        """By stop: what the vehicle brings from where it loads, what it takes along, what of that it leaves."""
        found = {stop.id: (stop.loads, stop.collects, ()) for stop in self.stop_by_id.values()}
        left: dict[str, tuple[Load, ...]] = {}
        for each in self._shipments:
            brought, taken, _ = found[each.pickup]
            found[each.pickup] = brought, (*taken, *each.loads), ()
            left[each.delivery] = (*left.get(each.delivery, ()), *each.loads)
        return {name: (brought, taken, left.get(name, ())) for name, (brought, taken, _) in found.items()}

    def _halt(self, stop: Stop) -> Halt:
        windows = tuple((each.opens_s, each.closes_s) for each in opening(stop.windows))
        ride_from = self.pickups.get(stop.id, ()) if stop.max_ride_s is not None else ()
        late_rate = 0 if stop.due_s is None else stop.late_cost_per_hour * FINE_PER_SECOND
        special = len(windows) > 1 or bool(stop.release_s) or stop.max_ride_s is not None or late_rate > 0
        return Halt(
            stop.location,
            *windows[0],
            stop.service_time_s,
            special,
            windows,
            stop.release_s,
            stop.max_ride_s,
            ride_from,
            stop.due_s,
            late_rate,
        )

    def _van(self, vehicle: Vehicle) -> Van:
        per_metre, per_second, overtime, fixed = 0, 0, 0, 0
        if self.objective is Objective.DISTANCE:
            per_metre = FINE
        elif self.objective is Objective.TIME:
            per_second = FINE
        elif self.objective is Objective.FUEL:
            per_metre = FINE // 1_000 * vehicle.fuel_ml_per_km
        else:
            per_metre = 9_000 * vehicle.cost_per_km_minor + 9 * vehicle.fuel_ml_per_km * self.fuel_price
            if self.objective is Objective.HYBRID:
                per_metre += 9 * vehicle.co2_g_per_km * self.co2_price
            per_second = FINE_PER_SECOND * vehicle.cost_per_hour_minor
            overtime = FINE_PER_SECOND * vehicle.overtime_cost_per_hour_minor
            fixed = FINE * vehicle.fixed_cost_minor
        elsewhere = (stop.id for stop in self.stop_by_id.values() if stop.planned_on not in (None, vehicle.id))
        return Van(
            vehicle,
            per_metre,
            per_second,
            overtime,
            fixed,
            time_counts=bool(per_second or overtime or vehicle.max_duration_s is not None),
            reload_halt=_reload_halt(vehicle),
            spans=tuple(tuple(_spans(vehicle.breaks[taken:])) for taken in range(len(vehicle.breaks) + 1)),
            reassigned=frozenset(elsewhere) if self.reassign else frozenset(),
            locked=vehicle.locked,
        )


_known: WeakKeyDictionary[Problem, Facts] = WeakKeyDictionary()


def facts_of(problem: Problem) -> Facts:
    """The facts of a problem, made at the first call."""
    found = _known.get(problem)
    if found is None:
        found = _known[problem] = Facts(problem)
    return found


def opening(windows: Sequence[Window]) -> tuple[Window, ...]:
    """The same instants as disjoint windows in order; any time when none is given."""
    merged: list[Window] = []
    for window in sorted(windows, key=lambda each: each.opens_s):
        if merged and window.opens_s <= merged[-1].closes_s + 1:
            merged[-1] = Window(merged[-1].opens_s, max(merged[-1].closes_s, window.closes_s))
        else:
            merged.append(window)
    return tuple(merged) or (ANY_TIME,)


def _reload_halt(vehicle: Vehicle) -> tuple[int, int, int, int]:
    if vehicle.reload is None:
        return vehicle.start, 0, NEVER, 0
    return vehicle.reload.place, 0, NEVER, vehicle.reload.duration_s


def _spans(breaks: Sequence[Break]) -> Iterator[tuple[int, int, int, int]]:
    by_s, lasts_s, until_s = NEVER, 0, 0
    for number, each in enumerate(breaks):
        by_s = min(by_s, each.latest_s - lasts_s)
        lasts_s += each.duration_s
        until_s = max(until_s, each.earliest_s) + each.duration_s
        if until_s - each.duration_s > each.latest_s:
            return  # too late for this one after those before it
        yield number + 1, by_s, lasts_s, until_s


def _same(problem: Problem) -> bool:
    matrix = problem.matrix
    return isinstance(matrix, Matrix) and matrix.duration_s is matrix.distance_m


class _Row(dict[int, int]):
    """The ways from one place, each asked for when it is first used."""

    def __init__(self, ask: Callable[[int, int], int], origin: int) -> None:
        super().__init__()
        self._ask = ask
        self._origin = origin

    def __missing__(self, destination: int) -> int:
        found = self[destination] = self._ask(self._origin, destination)
        return found


class _Rows(dict[int, "list[int] | _Row"]):
    """The ways from each place."""

    def __init__(self, problem: Problem, *, metres: bool) -> None:
        super().__init__()
        self._problem_matrix = problem.matrix
        self._metres = metres
        self._listed = isinstance(problem.matrix, Matrix) and problem.matrix.places <= MOST_PLACES

    def __missing__(self, origin: int) -> "list[int] | _Row":
        matrix = self._problem_matrix
        found: list[int] | _Row
        if self._listed and isinstance(matrix, Matrix):
            found = (matrix.distance_m if self._metres else matrix.duration_s)[origin].tolist()
        else:
            if len(self) >= MOST_ROWS:
                self.clear()
            found = _Row(matrix.metres if self._metres else matrix.seconds, origin)
        self[origin] = found
        return found
