"""What is nonsense in a problem, told before any engine sees it.

A stop that merely cannot be served, being too heavy, too far or too late, is no nonsense: it comes back unserved, with
its reason.
"""

from collections import Counter
from collections.abc import Iterable
from numbers import Integral

import numpy as np

from route_optimizer.problem import (
    HIGHEST_PRIORITY,
    LONGEST_S,
    UNREACHABLE,
    Compartment,
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


class ProblemError(ValueError):
    """A problem that makes no sense: which field, what is wrong with it, and what to do."""

    def __init__(self, field: str, wrong: str, remedy: str) -> None:
        super().__init__(f"{field} {wrong}: {remedy}")
        #: such as `stops[A].windows[0]`
        self.field = field
        self.remedy = remedy


def validate(problem: Problem) -> None:
    """That the problem makes sense.

    Raises:
        ProblemError: naming the first field that does not, with a remedy.
    """
    if not problem.vehicles:
        raise ProblemError("vehicles", "is empty", "give at least one vehicle")
    if not any(problem.objective is each for each in Objective):
        raise ProblemError("objective", f"is {problem.objective!r}", f"choose one of {', '.join(Objective)}")
    _unique("stops", (stop.id for stop in problem.stops))
    _unique("vehicles", (vehicle.id for vehicle in problem.vehicles))
    _matrix(problem)
    for vehicle in problem.vehicles:
        _vehicle(problem, vehicle)
    for stop in problem.stops:
        _stop(problem, stop)
    _dimensions(problem)


def _unique(field: str, ids: Iterable[str]) -> None:
    for name, times in Counter(ids).items():
        if not name:
            raise ProblemError(field, "has an empty id", "give each one an id")
        if times > 1:
            raise ProblemError(field, f"has the id {name!r} {times} times", "give each one an id of its own")


def _matrix(problem: Problem) -> None:
    arrays = {"distance_m": problem.matrix.distance_m, "duration_s": problem.matrix.duration_s}
    for name, array in arrays.items():
        field = f"matrix.{name}"
        if array.ndim != 2 or array.shape[0] != array.shape[1]:
            raise ProblemError(field, f"has the shape {array.shape}", "give one row and one column for each place")
        if array.dtype.kind not in "iu":
            raise ProblemError(field, f"holds {array.dtype} numbers", "round to whole metres and seconds")
        limit = LONGEST_M if name == "distance_m" else LONGEST_S
        bad = np.argwhere((array < UNREACHABLE) | (array > limit))
        if bad.size:
            row, column = bad[0]
            raise ProblemError(
                f"{field}[{row}][{column}]",
                f"is {array[row, column]}",
                f"give 0 to {limit:,}, or {UNREACHABLE} where no road leads",
            )
    if (problem.matrix.distance_m.diagonal() == UNREACHABLE).any():
        raise ProblemError("matrix", "has a place that cannot be reached from itself", "put 0 on its diagonal")
    if problem.matrix.distance_m.shape != problem.matrix.duration_s.shape:
        raise ProblemError(
            "matrix", "has distances and durations of different shapes", "compute both for the same places"
        )
    if ((problem.matrix.distance_m == UNREACHABLE) != (problem.matrix.duration_s == UNREACHABLE)).any():
        raise ProblemError("matrix", "knows a way's distance without its duration", "mark it unreachable in both")


def _vehicle(problem: Problem, vehicle: Vehicle) -> None:
    field = f"vehicles[{vehicle.id}]"
    _row(problem, f"{field}.start", vehicle.start)
    if vehicle.end is not None:
        _row(problem, f"{field}.end", vehicle.end)
        if problem.matrix.metres(vehicle.start, vehicle.end) == UNREACHABLE:
            raise ProblemError(
                field, "cannot reach its end from its start", "correct one of the two, or leave the end open"
            )
    _window(f"{field}.shift", vehicle.shift)
    for name in ("max_distance_m", "max_duration_s", "max_stops"):
        if getattr(vehicle, name) is not None:
            _whole(f"{field}.{name}", getattr(vehicle, name))
    for name in ("fixed_cost_minor", "cost_per_km_minor", "cost_per_hour_minor"):
        _whole(f"{field}.{name}", getattr(vehicle, name))
    named = Counter((each.dimension, each.compartment) for each in vehicle.capacities)
    for each in vehicle.capacities:
        _whole(f"{field}.capacities[{each.dimension}].limit", each.limit)
        _compartment(f"{field}.capacities[{each.dimension}].compartment", each.compartment)
        if named[each.dimension, each.compartment] > 1:
            raise ProblemError(f"{field}.capacities", f"names {each.dimension} twice", "give each limit once")


def _stop(problem: Problem, stop: Stop) -> None:
    field = f"stops[{stop.id}]"
    _row(problem, f"{field}.location", stop.location)
    for number, window in enumerate(stop.windows):
        _window(f"{field}.windows[{number}]", window)
    _whole(f"{field}.service_time_s", stop.service_time_s, LONGEST_S)
    _whole(f"{field}.priority", stop.priority, HIGHEST_PRIORITY)
    if stop.prize is not None:
        _whole(f"{field}.prize", stop.prize)
    for load in stop.loads:
        _whole(f"{field}.loads[{load.dimension}].amount", load.amount)
        _compartment(f"{field}.loads[{load.dimension}].compartment", load.compartment)


def _dimensions(problem: Problem) -> None:
    """A dimension that no vehicle names is more likely a slip of the pen than a fleet without limits."""
    limited = {each.dimension for vehicle in problem.vehicles for each in vehicle.capacities}
    for stop in problem.stops:
        for load in stop.loads:
            if load.dimension not in limited:
                raise ProblemError(
                    f"stops[{stop.id}].loads[{load.dimension}]",
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


def _whole(field: str, number: object, most: int = LARGEST) -> None:
    if not isinstance(number, Integral) or isinstance(number, bool):
        raise ProblemError(field, f"is {number!r}", "give a whole number")
    if not 0 <= int(number) <= most:
        raise ProblemError(field, f"is {number}", f"give a number from 0 to {most:,}")


def _compartment(field: str, compartment: Compartment | None) -> None:
    if compartment is not None and not isinstance(compartment, Compartment):
        raise ProblemError(field, f"is {compartment!r}", f"choose one of {', '.join(Compartment)}, or none")
