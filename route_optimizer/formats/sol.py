"""`.sol` files: `Route #1: 3 1 2` for each vehicle, and `Cost 827.3`. Clients count from the depot as 0.

Where a set tells vehicles apart, route n is vehicle n's. A depot among the clients is a reload.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from route_optimizer.formats.instance import Convention, Instance
from route_optimizer.formats.source import FormatError, text_of
from route_optimizer.plan import Order, Plan
from route_optimizer.problem import UNREACHABLE, Objective
from route_optimizer.search import Sequences

_ROUTE = re.compile(r"^\s*route\s*#?\s*\d+\s*:(.*)$", re.IGNORECASE)
_COST = re.compile(r"^\s*cost\s*:?\s*([0-9.eE+]+)\s*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Solution:
    """What such a file says."""

    #: the clients of each route in the file's numbers; empty when it says the cost only
    routes: tuple[tuple[int, ...], ...]
    #: in the unit of whoever wrote it
    cost: float


def read(path: Path) -> Solution:
    """Read one.

    Raises:
        FormatError: when it names no cost, or a route is not made of numbers.
    """
    routes, cost = [], None
    for line, text in enumerate(text_of(path).splitlines(), start=1):
        if found := _ROUTE.match(text):
            words = found[1].split()
            if not all(word.isdecimal() and len(word) < 10 for word in words):
                raise FormatError(path, line, f"`{text.strip()}` are not all client numbers", "give whole numbers")
            routes.append(tuple(int(word) for word in words))
        elif found := _COST.match(text):
            cost = _number(path, line, found[1])
    if cost is None:
        raise FormatError(path, None, "names no cost", "write a line such as `Cost 827.3`, or move the file away")
    return Solution(tuple(routes), cost)


def _number(path: Path, line: int, word: str) -> float:
    try:
        return float(word)
    except ValueError:
        raise FormatError(path, line, f"`{word}` is no number", "write a line such as `Cost 827.3`") from None


def sequences(instance: Instance, solution: Solution) -> Sequences | None:
    """Its routes, each on the vehicle of its number; None when they are not the instance's."""
    vehicles = instance.problem.vehicles
    if len(solution.routes) > len(vehicles):
        return None
    known = instance.problem.stop_by_id
    depots = {vehicle.start for vehicle in vehicles}
    found: dict[str, Order] = {}
    served: set[str] = set()
    for vehicle, route in zip(vehicles, solution.routes, strict=False):
        names = [None if number in depots else str(number + instance.sol_shift) for number in route]
        clients = {name for name in names if name is not None}
        if not clients <= known.keys() or clients & served or len(clients) + names.count(None) < len(names):
            return None
        served |= clients
        if names:
            found[vehicle.id] = tuple(names)
    return found


def with_best_known(instance: Instance, path: Path, usual: Convention) -> Instance:
    """The instance with the cost of the `.sol` beside it, if there is one and it was counted alike.

    Authors count costs in units of their own; their routes are beyond doubt. So routes that serve every stop are
    counted again, and the cost that is written counts where they are missing.

    Raises:
        FormatError: when there is such a file and it cannot be read.
    """
    beside = path.with_suffix(".sol")
    if not beside.is_file():
        return instance
    solution = read(beside)
    if instance.convention is not usual:
        return instance
    orders = sequences(instance, solution)
    cost = _count(instance, orders) if orders else None
    if cost is None:
        return replace(instance, best_known=solution.cost)
    fewest = len(orders) if orders and instance.charge else None
    return replace(instance, best_known=instance.in_file_units(instance.told(cost)), best_vehicles=fewest)


def _count(instance: Instance, orders: Sequences) -> int | None:
    """What routes cost, for the objectives of benchmark files: fixed costs, the way, prizes that are lost."""
    problem = instance.problem
    served = {name for order in orders.values() for name in order}
    total = 0
    for stop in problem.stops:
        if stop.id not in served:
            if stop.prize is None:
                return None
            total += stop.prize
    for name, order in orders.items():
        metres = [problem.matrix.metres(*leg) for leg in pairwise(_way(instance, name, order))]
        if UNREACHABLE in metres:
            return None
        vehicle = problem.vehicle_by_id[name]
        if problem.objective is Objective.DISTANCE:
            total += sum(metres)
        else:
            total += vehicle.fixed_cost_minor + (sum(metres) * vehicle.cost_per_km_minor + 500) // 1_000
    return total


def _way(instance: Instance, name: str, order: Order) -> Iterator[int]:
    vehicle = instance.problem.vehicle_by_id[name]
    yield vehicle.start
    again = vehicle.reload.place if vehicle.reload else vehicle.start
    for stop in order:
        yield again if stop is None else instance.problem.stop_by_id[stop].location
    if vehicle.end is not None:
        yield vehicle.end


def write(instance: Instance, plan: Plan) -> str:
    """A plan as such a file, one line for each vehicle up to the last that drives."""
    orders = {route.vehicle: route.order for route in plan.routes}
    lines = []
    for number, vehicle in enumerate(instance.problem.vehicles, start=1):
        depot = vehicle.reload.place if vehicle.reload else vehicle.start
        names = [depot if name is None else int(name) - instance.sol_shift for name in orders.pop(vehicle.id, ())]
        lines.append(f"Route #{number}: {' '.join(str(name) for name in names)}".rstrip())
        if not orders:
            break
    return "\n".join([*lines, f"Cost {instance.in_file_units(instance.told(plan.cost)):.10g}"]) + "\n"
