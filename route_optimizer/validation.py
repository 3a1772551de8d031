"""What is nonsense in a problem, told before any engine sees it.

A stop that merely cannot be served, being too heavy, too far or too late, is no nonsense: it comes back unserved, with
its reason.
"""

from collections import Counter
from collections.abc import Container, Iterable, Iterator
from numbers import Integral

import numpy as np
from numpy.typing import NDArray

from route_optimizer.problem import (
    HIGHEST_PRIORITY,
    LONGEST_S,
    UNREACHABLE,
    Capacity,
    Compartment,
    Load,
    Matrix,
    Objective,
    Problem,
    Stop,
    Vehicle,
    Window,
)

#: metres: 25 times round the Earth; also what benchmark files come to when scaled
LONGEST_M = 1_000_000_000
#: of a load, a capacity or a sum of money
LARGEST = 1_000_000_000_000
#: of fuel or carbon dioxide on a kilometre: a thousand litres, a tonne
HIGHEST_RATE = 1_000_000
#: in one route
MOST_RELOADS = 100
#: of a matrix that is not at hand as a whole, so many places are looked at
SAMPLE = 50

#: the fields of a stop and of a vehicle that are plain numbers or None, and the largest each may be
_STOP_NUMBERS = {
    "service_time_s": LONGEST_S,
    "priority": HIGHEST_PRIORITY,
    "prize": LARGEST,
    "release_s": LONGEST_S,
    "max_ride_s": LONGEST_S,
    "due_s": LONGEST_S,
    "late_cost_per_hour": LARGEST,
}
_VEHICLE_NUMBERS = {
    "max_distance_m": LARGEST,
    "max_duration_s": LARGEST,
    "max_stops": LARGEST,
    "max_driving_s": LARGEST,
    "fixed_cost_minor": LARGEST,
    "cost_per_km_minor": LARGEST,
    "cost_per_hour_minor": LARGEST,
    "overtime_after_s": LARGEST,
    "overtime_cost_per_hour_minor": LARGEST,
    "fuel_ml_per_km": HIGHEST_RATE,
    "co2_g_per_km": HIGHEST_RATE,
}
_PROBLEM_NUMBERS = ("fuel_price_minor_per_l", "co2_price_minor_per_kg", "reassign_cost", "balance_cost_per_hour")
_MAY_BE_NONE = {"prize", "max_ride_s", "due_s", "max_distance_m", "max_duration_s", "max_stops", "max_driving_s"} | {
    "overtime_after_s"
}


class ProblemError(ValueError):
    """A problem that makes no sense: which field, what is wrong with it, and what to do."""

    def __init__(self, field: str, wrong: str, remedy: str) -> None:
        super().__init__(f"{field} {wrong}: {remedy}")
        #: such as `stops[A].windows[0]`
        self.field = field
        self.wrong = wrong
        self.remedy = remedy

    def __reduce__(self) -> tuple[type["ProblemError"], tuple[str, str, str]]:
        """So that it comes whole from another process."""
        return type(self), (self.field, self.wrong, self.remedy)


def validate(problem: Problem) -> None:
    """That the problem makes sense.

    Raises:
        ProblemError: naming the first field that does not, with a remedy.
    """
    if not problem.vehicles:
        raise ProblemError("vehicles", "is empty", "give at least one vehicle")
    if not any(problem.objective is each for each in Objective):
        raise ProblemError("objective", f"is {problem.objective!r}", f"choose one of {', '.join(Objective)}")
    _unique("stops", [stop.id for stop in problem.stops])
    _unique("vehicles", [vehicle.id for vehicle in problem.vehicles])
    for name in _PROBLEM_NUMBERS:
        _whole(name, getattr(problem, name))
    _matrix(problem)
    for vehicle in problem.vehicles:
        _vehicle(problem, vehicle)
    for stop in problem.stops:
        _stop(problem, stop)
    _groups(problem)
    _one_vehicle_each(problem)
    _dimensions(problem)


def _unique(field: str, ids: list[str]) -> None:
    for name in ids:
        if not isinstance(name, str):
            raise ProblemError(field, f"has the id {name!r}", "give each one a text as its id")
        if not name:
            raise ProblemError(field, "has an empty id", "give each one an id")
    for name, times in Counter(ids).items():
        if times > 1:
            raise ProblemError(field, f"has the id {name!r} {times} times", "give each one an id of its own")


def _matrix(problem: Problem) -> None:
    """Every cell of a matrix at hand; of one that is computed or fetched as it is asked, the ways among the depots."""
    matrix = problem.matrix
    if isinstance(matrix, Matrix):
        _cells(matrix)
        return
    _whole("matrix.places", matrix.places)
    for vehicle in problem.vehicles:
        _places(problem, vehicle)
    depots = {place for vehicle in problem.vehicles for place in (vehicle.start, vehicle.end) if place is not None}
    _cells(matrix.among(sorted(depots)[:SAMPLE]))


def _cells(matrix: Matrix) -> None:
    for name, limit in (("distance_m", LONGEST_M), ("duration_s", LONGEST_S)):
        _array(f"matrix.{name}", getattr(matrix, name), limit)
    if (matrix.distance_m.diagonal() == UNREACHABLE).any():
        raise ProblemError("matrix", "has a place that cannot be reached from itself", "put 0 on its diagonal")
    if matrix.distance_m.shape != matrix.duration_s.shape:
        raise ProblemError(
            "matrix", "has distances and durations of different shapes", "compute both for the same places"
        )
    if ((matrix.distance_m == UNREACHABLE) != (matrix.duration_s == UNREACHABLE)).any():
        raise ProblemError("matrix", "knows a way's distance without its duration", "mark it unreachable in both")


def _array(field: str, array: NDArray[np.int64], limit: int) -> None:
    if not isinstance(array, np.ndarray):
        raise ProblemError(field, f"is a {type(array).__name__}", "make the matrix with `Matrix.of`")
    if array.ndim != 2 or array.shape[0] != array.shape[1]:
        raise ProblemError(field, f"has the shape {array.shape}", "give one row and one column for each place")
    if array.dtype.kind not in "iu":
        raise ProblemError(field, f"holds {array.dtype} numbers", "round to whole metres and seconds")
    bad = np.argwhere((array < UNREACHABLE) | (array > limit))
    if bad.size:
        row, column = bad[0]
        remedy = f"give 0 to {limit:,}, or {UNREACHABLE} where no road leads"
        raise ProblemError(f"{field}[{row}][{column}]", f"is {array[row, column]}", remedy)


def _vehicle(problem: Problem, vehicle: Vehicle) -> None:
    field = f"vehicles[{vehicle.id}]"
    _places(problem, vehicle)
    if vehicle.end is not None and problem.matrix.metres(vehicle.start, vehicle.end) == UNREACHABLE:
        raise ProblemError(
            field, "cannot reach its end from its start", "correct one of the two, or leave the end open"
        )
    _window(f"{field}.shift", vehicle.shift)
    _numbers(field, vehicle, _VEHICLE_NUMBERS)
    _capacities(f"{field}.capacities", vehicle.capacities)
    _breaks(f"{field}.breaks", vehicle)
    if vehicle.driving is not None:
        _whole(f"{field}.driving.longest_s", vehicle.driving.longest_s, LONGEST_S, least=1)
        _whole(f"{field}.driving.rest_s", vehicle.driving.rest_s, LONGEST_S, least=1)
    if vehicle.reload is not None:
        _whole(f"{field}.reload.most", vehicle.reload.most, MOST_RELOADS, least=1)
        _whole(f"{field}.reload.duration_s", vehicle.reload.duration_s, LONGEST_S)
    _known(f"{field}.locked", vehicle.locked, problem.stop_by_id)
    _known(f"{field}.on_board", vehicle.on_board or (), problem.stop_by_id)


def _places(problem: Problem, vehicle: Vehicle) -> None:
    field = f"vehicles[{vehicle.id}]"
    _row(problem, f"{field}.start", vehicle.start)
    if vehicle.end is not None:
        _row(problem, f"{field}.end", vehicle.end)
    if vehicle.reload is not None:
        _row(problem, f"{field}.reload.place", vehicle.reload.place)


def _capacities(field: str, capacities: Iterable[Capacity]) -> None:
    named = set()
    for each in capacities:
        _whole(f"{field}[{each.dimension}].limit", each.limit)
        _compartment(f"{field}[{each.dimension}].compartment", each.compartment)
        if (each.dimension, each.compartment) in named:
            raise ProblemError(field, f"names {each.dimension} twice", "give each limit once")
        named.add((each.dimension, each.compartment))


def _breaks(field: str, vehicle: Vehicle) -> None:
    before = None
    for number, each in enumerate(vehicle.breaks):
        name = f"{field}[{number}]"
        _whole(f"{name}.earliest_s", each.earliest_s, LONGEST_S)
        _whole(f"{name}.latest_s", each.latest_s, LONGEST_S)
        _whole(f"{name}.duration_s", each.duration_s, LONGEST_S, least=1)
        if each.latest_s < each.earliest_s:
            wrong = f"begins at {each.latest_s} at the latest and at {each.earliest_s} at the earliest"
            raise ProblemError(name, wrong, "exchange the two")
        if before is not None and (each.earliest_s < before.earliest_s or each.latest_s < before.latest_s):
            remedy = "order the breaks by time, and let none end its window within another's"
            raise ProblemError(name, "may begin or must begin sooner than the break before it", remedy)
        before = each


def _stop(problem: Problem, stop: Stop) -> None:
    field = f"stops[{stop.id}]"
    _row(problem, f"{field}.location", stop.location)
    for number, window in enumerate(stop.windows):
        _window(f"{field}.windows[{number}]", window)
    _numbers(field, stop, _STOP_NUMBERS)
    for name, load in _loads_of(stop):
        _load(f"{field}.{name}[{load.dimension}]", load)
    if stop.planned_on is not None:
        _known(f"{field}.planned_on", [stop.planned_on], problem.vehicle_by_id)


def _loads_of(stop: Stop) -> Iterator[tuple[str, Load]]:
    yield from (("loads", load) for load in stop.loads)
    yield from (("collects", load) for load in stop.collects)


def _load(field: str, load: Load) -> None:
    _whole(f"{field}.amount", load.amount)
    _compartment(f"{field}.compartment", load.compartment)


def _groups(problem: Problem) -> None:
    """Shipments, and what goes together or apart."""
    for number, shipment in enumerate(problem.shipments):
        field = f"shipments[{number}]"
        _known(f"{field}.pickup", [shipment.pickup], problem.stop_by_id)
        _known(f"{field}.delivery", [shipment.delivery], problem.stop_by_id)
        for load in shipment.loads:
            _load(f"{field}.loads[{load.dimension}]", load)
    ends = Counter(end for each in problem.shipments for end in (each.pickup, each.delivery))
    for name, times in ends.items():
        if times > 1:
            raise ProblemError(
                "shipments", f"name the stop {name!r} {times} times", "give each pickup and each delivery its own stop"
            )
    for kind in ("together", "apart"):
        for number, group in enumerate(getattr(problem, kind)):
            _known(f"{kind}[{number}]", group, problem.stop_by_id)


def _one_vehicle_each(problem: Problem) -> None:
    """What is locked on a vehicle or in it already is no other's."""
    claimed: dict[str, str] = {}
    for vehicle in problem.vehicles:
        if len(set(vehicle.locked)) < len(vehicle.locked):
            raise ProblemError(f"vehicles[{vehicle.id}].locked", "names a stop twice", "name each stop once")
        for name in {*vehicle.locked, *(vehicle.on_board or ())}:
            if claimed.setdefault(name, vehicle.id) != vehicle.id:
                raise ProblemError(
                    f"vehicles[{vehicle.id}]",
                    f"has the stop {name!r} locked or on board, as {claimed[name]} has",
                    "leave it to one of the two",
                )


def _dimensions(problem: Problem) -> None:
    """A dimension that no vehicle names is more likely a slip of the pen than a fleet without limits."""
    limited = {each.dimension for vehicle in problem.vehicles for each in vehicle.capacities}
    goods = [(f"stops[{stop.id}].{name}", load) for stop in problem.stops for name, load in _loads_of(stop)]
    goods += [(f"shipments[{n}].loads", load) for n, each in enumerate(problem.shipments) for load in each.loads]
    for field, load in goods:
        if load.dimension not in limited:
            raise ProblemError(
                f"{field}[{load.dimension}]",
                "is counted in a dimension that no vehicle limits",
                f"give the vehicles a capacity in {load.dimension}, or leave the load out",
            )


def _row(problem: Problem, field: str, row: int) -> None:
    _whole(field, row)
    if row >= problem.matrix.places:
        raise ProblemError(field, f"is {row}", f"the matrix has rows 0 to {problem.matrix.places - 1} only")


def _window(field: str, window: Window) -> None:
    _whole(f"{field}.opens_s", window.opens_s, LONGEST_S)
    _whole(f"{field}.closes_s", window.closes_s, LONGEST_S)
    if window.closes_s < window.opens_s:
        raise ProblemError(
            field, f"closes at {window.closes_s} before it opens at {window.opens_s}", "exchange the two"
        )


def _numbers(field: str, owner: Stop | Vehicle, limits: dict[str, int]) -> None:
    for name, most in limits.items():
        number = getattr(owner, name)
        plain = type(number) is int and 0 <= number <= most  # nearly all are, of very many
        if not plain and (number is not None or name not in _MAY_BE_NONE):
            _whole(f"{field}.{name}", number, most)


def _whole(field: str, number: object, most: int = LARGEST, *, least: int = 0) -> None:
    if not isinstance(number, Integral) or isinstance(number, bool):
        raise ProblemError(field, f"is {number!r}", "give a whole number")
    if not least <= int(number) <= most:
        raise ProblemError(field, f"is {number}", f"give a number from {least} to {most:,}")


def _known(field: str, names: Iterable[str], known: Container[str]) -> None:
    if isinstance(names, str):
        raise ProblemError(field, f"is the text {names!r}", "give a collection of ids")
    for name in names:
        if name not in known:
            raise ProblemError(field, f"names {name!r}, which does not exist", "correct the id, or leave it out")


def _compartment(field: str, compartment: Compartment | None) -> None:
    if compartment is not None and not isinstance(compartment, Compartment):
        raise ProblemError(field, f"is {compartment!r}", f"choose one of {', '.join(Compartment)}, or none")
