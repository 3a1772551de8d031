"""The best plan there is, for a handful of stops: every order of every subset, then the best division among vehicles.

With 7 stops there are 13,699 orders for each kind of vehicle, more with reloads. The division is a dynamic programme
over subsets: what the first vehicles serve at best, then one more vehicle (3^7 steps each).
"""

from collections import Counter
from collections.abc import Iterator

from route_optimizer.facts import Facts, Van, facts_of
from route_optimizer.insertion import kind_of
from route_optimizer.loads import carries_names
from route_optimizer.plan import Order
from route_optimizer.problem import Problem, Vehicle
from route_optimizer.schedule import cost_of_names
from route_optimizer.search import Found, Search

#: more take too long in Python
MOST_STOPS = 7

#: the least cost of one vehicle, and its order of stops, by the set of stops it serves as bits
Table = dict[int, tuple[int, Order]]
#: the same of some vehicles together, each with its order of stops
Division = dict[int, tuple[int, dict[str, Order]]]


class _Stopped(Exception):
    """Told to stop, or out of time, before everything was seen."""


def lacks(problem: Problem) -> str | None:
    """The rule it cannot express, None if it can: it adds up routes, and the longest of them is no sum."""
    return "work in balance (`balance_cost_per_hour`)" if problem.balance_cost_per_hour else None


def search(problem: Problem, search: Search) -> Found:
    """The optimal sequences. Stopped early, it has none to offer."""
    try:
        best = _divisions(problem, search)
    except _Stopped:
        return Found({}, "cancelled" if search.stopped else "budget")
    served = min(best, key=lambda each: _loss(problem, each, best[each][0]))
    cost, orders = best[served]
    search.found(cost, len(problem.stops) - served.bit_count(), orders)
    return Found(orders, "optimal")


def _divisions(problem: Problem, search: Search) -> Division:
    tables: dict[tuple[Vehicle, str], Table] = {}
    best: Division = {0: (0, {})}
    facts = facts_of(problem)
    alike = Counter[tuple[Vehicle, str]]()
    for vehicle in problem.vehicles:
        kind = kind_of(problem, vehicle)
        alike[kind] += 1
        if alike[kind] > len(problem.stops):
            continue  # of one kind no more can leave
        if kind not in tables:
            tables[kind] = _table(facts, facts.van(vehicle), search)
        extended = dict(best)
        for served, (cost, orders) in best.items():
            for added, (extra, order) in tables[kind].items():
                both = served | added
                if not served & added and (both not in extended or cost + extra < extended[both][0]):
                    extended[both] = cost + extra, orders | {vehicle.id: order}
        best = extended
        _breathe(search)
    return best


def _table(facts: Facts, van: Van, search: Search) -> Table:
    table: Table = {}
    bits = {name: 1 << number for number, name in enumerate(facts.stop_by_id)}
    for order in _orders(facts, van, tuple(bits), ()):
        _breathe(search)
        cost = cost_of_names(facts, van, order)
        served = sum(bits[name] for name in order if name is not None)
        if cost is not None and (served not in table or cost < table[served][0]):
            table[served] = cost, order
    return table


def _orders(facts: Facts, van: Van, stops: tuple[str, ...], begun: Order) -> Iterator[Order]:
    """Every order that the vehicle can carry; what is too much does not get less by going on."""
    for name in stops:
        order = (*begun, name)
        if name not in begun and carries_names(facts, van, order, begun=True):
            yield order
            yield from _orders(facts, van, stops, order)
            reloaded = (*order, None)
            if van.vehicle.reload is not None and carries_names(facts, van, reloaded, begun=True):
                yield from _orders(facts, van, stops, reloaded)


def _loss(problem: Problem, served: int, cost: int) -> tuple[int, int]:
    """What a plan has as little of as possible: weight left out, then cost and prizes lost."""
    missed = [stop for number, stop in enumerate(problem.stops) if not served >> number & 1]
    weight = sum(1 + stop.priority for stop in missed if stop.prize is None)
    return weight, cost + sum(stop.prize for stop in missed if stop.prize is not None)


def _breathe(search: Search) -> None:
    if search.stopped or not search.remaining_s:
        raise _Stopped
