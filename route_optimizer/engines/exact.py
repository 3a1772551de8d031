"""The best plan there is, for a handful of stops: every order of every subset, then the best division among vehicles.

With 7 stops there are 13,699 orders for each kind of vehicle. The division is a dynamic programme over subsets: what
the first vehicles serve at best, then one more vehicle (3^7 steps each).
"""

from collections.abc import Iterator
from dataclasses import replace

from route_optimizer.problem import Problem, Stop, Vehicle
from route_optimizer.schedule import carries, route
from route_optimizer.search import Found, Search

#: more take too long in Python
MOST_STOPS = 7

#: the least cost of one vehicle, and its order of stops, by the set of stops it serves as bits
Table = dict[int, tuple[int, tuple[Stop, ...]]]
#: the same of some vehicles together, each with its order of stops
Division = dict[int, tuple[int, dict[str, tuple[Stop, ...]]]]


class _Stopped(Exception):
    """Told to stop, or out of time, before everything was seen."""


def search(problem: Problem, search: Search) -> Found:
    """The optimal sequences. Stopped early, it has none to offer."""
    try:
        best = _divisions(problem, search)
    except _Stopped:
        return Found({}, "cancelled" if search.stopped else "budget")
    served = min(best, key=lambda each: _loss(problem, each, best[each][0]))
    cost, orders = best[served]
    search.found(cost, len(problem.stops) - served.bit_count())
    return Found({vehicle: tuple(stop.id for stop in order) for vehicle, order in orders.items()}, "optimal")


def _divisions(problem: Problem, search: Search) -> Division:
    tables: dict[Vehicle, Table] = {}
    best: Division = {0: (0, {})}
    for vehicle in problem.vehicles:
        kind = replace(vehicle, id="")
        if kind not in tables:
            tables[kind] = _table(problem, kind, search)
        extended = dict(best)
        for served, (cost, orders) in best.items():
            for added, (extra, order) in tables[kind].items():
                both = served | added
                if not served & added and (both not in extended or cost + extra < extended[both][0]):
                    extended[both] = cost + extra, orders | {vehicle.id: order}
        best = extended
        _breathe(search)
    return best


def _table(problem: Problem, vehicle: Vehicle, search: Search) -> Table:
    table: Table = {}
    for order in _orders(vehicle, problem.stops, ()):
        _breathe(search)
        found = route(problem, vehicle, order)
        served = sum(1 << problem.stops.index(stop) for stop in order)
        if found is not None and (served not in table or found.cost < table[served][0]):
            table[served] = found.cost, order
    return table


def _orders(vehicle: Vehicle, stops: tuple[Stop, ...], begun: tuple[Stop, ...]) -> Iterator[tuple[Stop, ...]]:
    """Every order that the vehicle can carry; what is too much does not get less by going on."""
    for stop in stops:
        order = (*begun, stop)
        if stop not in begun and carries(vehicle, order):
            yield order
            yield from _orders(vehicle, stops, order)


def _loss(problem: Problem, served: int, cost: int) -> tuple[int, int]:
    """What a plan has as little of as possible: weight left out, then cost and prizes lost."""
    missed = [stop for number, stop in enumerate(problem.stops) if not served >> number & 1]
    weight = sum(1 + stop.priority for stop in missed if stop.prize is None)
    return weight, cost + sum(stop.prize for stop in missed if stop.prize is not None)


def _breathe(search: Search) -> None:
    if search.stopped or not search.remaining_s:
        raise _Stopped
