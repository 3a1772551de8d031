"""The cheapest place for one more stop in routes that exist."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from route_optimizer.problem import Problem, Stop, Vehicle
from route_optimizer.schedule import carries, route
from route_optimizer.search import Sequences


@dataclass(frozen=True, slots=True)
class Insertion:
    """One stop put into one route."""

    vehicle: str
    #: the route's stops with the new one among them
    sequence: tuple[str, ...]
    #: what it adds to the plan's cost
    extra_cost: int


def cheapest(problem: Problem, sequences: Sequences, stop: Stop) -> Insertion | None:
    """The insertion that adds least to the cost and keeps every rule, the first among equals; None when none does."""
    return min(_insertions(problem, sequences, stop), key=lambda each: each.extra_cost, default=None)


def fill_in(problem: Problem, sequences: Sequences, *, within_s: float) -> Sequences:
    """Serve what an engine left out although there is room: heaviest first, prizes only where they pay."""
    until = time.monotonic() + within_s
    filled = dict(sequences)
    served = {name for sequence in filled.values() for name in sequence}
    waiting = [stop for stop in problem.stops if stop.id not in served]
    for stop in sorted(waiting, key=lambda each: (each.prize is not None, -each.priority, -(each.prize or 0))):
        if time.monotonic() > until:
            break
        found = cheapest(problem, filled, stop)
        if found is not None and (stop.prize is None or stop.prize > found.extra_cost):
            filled[found.vehicle] = found.sequence
    return filled


def first_of_kind(vehicles: Iterable[Vehicle]) -> Iterable[Vehicle]:
    """One vehicle of each kind: those that differ in nothing but their ids are of one kind."""
    firsts: dict[Vehicle, Vehicle] = {}
    for vehicle in vehicles:
        firsts.setdefault(replace(vehicle, id=""), vehicle)
    return firsts.values()


def _insertions(problem: Problem, sequences: Sequences, stop: Stop) -> Iterator[Insertion]:
    used = [vehicle for vehicle in problem.vehicles if sequences.get(vehicle.id)]
    idle = [vehicle for vehicle in problem.vehicles if not sequences.get(vehicle.id)]
    for vehicle in (*used, *first_of_kind(idle)):
        names = sequences.get(vehicle.id, ())
        stops = [problem.stop_by_id[name] for name in names]
        if not carries(vehicle, [*stops, stop]):
            continue
        before = route(problem, vehicle, stops) if stops else None
        cost_before = before.cost if before else 0
        for place in range(len(stops) + 1):
            after = route(problem, vehicle, [*stops[:place], stop, *stops[place:]])
            if after is not None:
                yield Insertion(vehicle.id, (*names[:place], stop.id, *names[place:]), after.cost - cost_before)
