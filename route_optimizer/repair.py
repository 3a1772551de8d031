"""What orders that an engine or a plan of yesterday proposes are worth, and what can be kept of them."""

from collections.abc import Iterable, Sequence

from route_optimizer.facts import facts_of
from route_optimizer.plan import Order, Route
from route_optimizer.problem import Problem, Vehicle
from route_optimizer.schedule import order_of, route
from route_optimizer.search import Sequences


def kept(problem: Problem, sequences: Sequences) -> dict[str, Order]:
    """These orders without the stops that would break a rule; what the problem does not know is forgotten.

    A route that is good as it is stays as it is. Of another, the locked stops are kept, and then one stop after the
    other (or one group: see `groups`) that can be served beside those kept before.
    """
    if not sequences:
        return {}
    belonging = groups(problem)
    seen: set[str] = set()
    result: dict[str, Order] = {}
    for vehicle in problem.vehicles:
        order = _known(problem, vehicle, sequences.get(vehicle.id, ()), seen)
        if order and not _keeps_rules(problem, vehicle, order):
            order = _good_part(problem, vehicle, order, belonging)
        if order:
            result[vehicle.id] = order
            seen.update(name for name in order if name is not None)
    return result


def tidy(order: Iterable[str | None]) -> Order:
    """The same without a reload at either end, or right after another."""
    names: list[str | None] = []
    for name in order:
        if name is not None or (names and names[-1] is not None):
            names.append(name)
    return tuple(names[:-1] if names and names[-1] is None else names)


def groups(problem: Problem) -> dict[str, frozenset[str]]:
    """For each stop, the stops that are served with it or not at all, itself among them."""
    return {stop.id: frozenset([stop.id]) for stop in problem.stops} | facts_of(problem).partners


def routes_of(problem: Problem, sequences: Sequences) -> list[Route]:
    """The orders with their times."""
    found = [
        route(problem, vehicle, order_of(problem, sequences[vehicle.id]))
        for vehicle in problem.vehicles
        if sequences.get(vehicle.id)
    ]
    return [each for each in found if each is not None]


def loss(problem: Problem, routes: Sequence[Route]) -> tuple[int, int]:
    """What a plan has as little of as possible: weight left out, then cost and prizes lost."""
    served = {visit.stop for each in routes for visit in each.visits}
    missed = [stop for stop in problem.stops if stop.id not in served]
    weight = sum(1 + stop.priority for stop in missed if stop.prize is None)
    return weight, cost(problem, routes) + sum(stop.prize for stop in missed if stop.prize is not None)


def cost(problem: Problem, routes: Sequence[Route]) -> int:
    """What a plan of these routes costs, in units of the objective."""
    longest_s = max((each.duration_s for each in routes), default=0)
    balance = (2 * problem.balance_cost_per_hour * longest_s + 3_600) // 7_200
    return sum(each.cost for each in routes) + balance


def _known(problem: Problem, vehicle: Vehicle, order: Order, seen: set[str]) -> Order:
    """What there is, once, with reloads for who can reload."""
    names: list[str | None] = []
    for name in order:
        if name is None:
            names += [None] * (vehicle.reload is not None)
        elif name in problem.stop_by_id and name not in seen and name not in names:
            names.append(name)
    return tidy(names)


def _keeps_rules(problem: Problem, vehicle: Vehicle, order: Order) -> bool:
    return route(problem, vehicle, order_of(problem, order)) is not None


def _good_part(problem: Problem, vehicle: Vehicle, order: Order, belonging: dict[str, frozenset[str]]) -> Order:
    """What is left of an order when each stop that breaks a rule is taken out, the first to come staying."""
    locked = frozenset(vehicle.locked)
    present = locked.union(name for name in order if name is not None)
    good: Order = vehicle.locked if vehicle.locked and _keeps_rules(problem, vehicle, vehicle.locked) else ()
    chosen = locked
    for name in order:
        if name is None or name in chosen or not belonging[name] <= present:
            continue
        wanted = chosen | belonging[name]
        longer = tidy((*vehicle.locked, *(each for each in order if each is None or each in wanted - locked)))
        if _keeps_rules(problem, vehicle, longer):
            good, chosen = longer, wanted
    return good
