"""Every plan of a tiny problem, one after the other: what the best one leaves out and costs."""

from itertools import pairwise, permutations
from math import floor

from route_optimizer.problem import UNREACHABLE, Objective, Problem, Stop, Vehicle

Loss = tuple[int, int]


def best_loss(problem: Problem) -> Loss:
    """Weight left out, then cost plus prizes lost: the least there is."""
    tables = [_table(problem, vehicle) for vehicle in problem.vehicles]
    return min(_divided(problem, tables, frozenset(stop.id for stop in problem.stops)))


def _divided(problem: Problem, tables: list[dict[frozenset[str], int]], missed: frozenset[str]) -> list[Loss]:
    if not tables:
        stops = [problem.stop_by_id[name] for name in missed]
        weight = sum(1 + stop.priority for stop in stops if stop.prize is None)
        return [(weight, sum(stop.prize for stop in stops if stop.prize is not None))]
    table, *others = tables
    found = []
    for served, cost in table.items():
        if served <= missed:
            weight, rest = min(_divided(problem, others, missed - served))
            found.append((weight, cost + rest))
    return found


def _table(problem: Problem, vehicle: Vehicle) -> dict[frozenset[str], int]:
    """The least cost at which a vehicle serves exactly a set of stops, for every set that it can."""
    table = {frozenset[str](): 0}
    for size in range(1, len(problem.stops) + 1):
        for order in permutations(problem.stops, size):
            cost = _cost(problem, vehicle, order)
            served = frozenset(stop.id for stop in order)
            if cost is not None and (served not in table or cost < table[served]):
                table[served] = cost
    return table


def _cost(problem: Problem, vehicle: Vehicle, order: tuple[Stop, ...]) -> int | None:
    if not _fits(vehicle, order):
        return None
    places = [vehicle.start, *(stop.location for stop in order), *([] if vehicle.end is None else [vehicle.end])]
    legs = [(int(problem.matrix.distance_m[a, b]), int(problem.matrix.duration_s[a, b])) for a, b in pairwise(places)]
    metres = sum(leg[0] for leg in legs)
    if any(UNREACHABLE in leg for leg in legs):
        return None
    if vehicle.max_distance_m is not None and metres > vehicle.max_distance_m:
        return None
    time_counts = problem.objective is not Objective.DISTANCE or vehicle.max_duration_s is not None
    seconds = _shortest(vehicle, order, [leg[1] for leg in legs], time_counts=time_counts)
    if seconds is None or (vehicle.max_duration_s is not None and seconds > vehicle.max_duration_s):
        return None
    if problem.objective is Objective.DISTANCE:
        return metres
    if problem.objective is Objective.TIME:
        return seconds
    money = metres * vehicle.cost_per_km_minor / 1_000 + seconds * vehicle.cost_per_hour_minor / 3_600
    return vehicle.fixed_cost_minor + floor(round(money, 6) + 0.5)


def _fits(vehicle: Vehicle, order: tuple[Stop, ...]) -> bool:
    if vehicle.max_stops is not None and len(order) > vehicle.max_stops:
        return False
    parts = {capacity.compartment for capacity in vehicle.capacities} | {None}
    loads = [load for stop in order for load in stop.loads]
    if any(stop.skills - vehicle.skills for stop in order) or any(load.compartment not in parts for load in loads):
        return False
    for capacity in vehicle.capacities:
        same = [load.amount for load in loads if load.dimension == capacity.dimension]
        if capacity.compartment is not None:
            same = [
                load.amount
                for load in loads
                if (load.dimension, load.compartment) == (capacity.dimension, capacity.compartment)
            ]
        if sum(same) > capacity.limit:
            return False
    return True


def _shortest(vehicle: Vehicle, order: tuple[Stop, ...], legs: list[int], *, time_counts: bool) -> int | None:
    """The shortest day, over every second at which it can begin; the first alone where only being in time matters."""
    latest = vehicle.shift.closes_s if time_counts else vehicle.shift.opens_s
    days = [_day(vehicle, order, legs, start) for start in range(vehicle.shift.opens_s, latest + 1)]
    return min((day for day in days if day is not None), default=None)


def _day(vehicle: Vehicle, order: tuple[Stop, ...], legs: list[int], start: int) -> int | None:
    now = start
    for stop, leg in zip(order, legs, strict=False):
        now += leg
        openings = [max(now, window.opens_s) for window in stop.windows if window.closes_s >= now]
        if stop.windows:
            if not openings:
                return None
            now = min(openings)
        now += stop.service_time_s
    now += legs[-1] if vehicle.end is not None else 0
    return now - start if now <= vehicle.shift.closes_s else None
