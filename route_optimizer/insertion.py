"""The cheapest place for one more stop in routes that exist.

What an insertion costs at least is known from the way alone; so the schedule, which knows the rest, is asked in the
order of promise, and no more often than until nothing better can come.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement, permutations

from route_optimizer.facts import FINE, NEVER, Facts, Van, facts_of
from route_optimizer.loads import hold_of
from route_optimizer.plan import Order
from route_optimizer.problem import Problem, Stop, Vehicle
from route_optimizer.schedule import cost_of_names
from route_optimizer.search import Sequences

#: so many costs of orders are remembered
MOST_COSTS = 100_000
#: stops of a group of which every way to place them is tried
MOST_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class Insertion:
    """One stop, and what must go with it, put into one route."""

    vehicle: str
    #: the route's order with the new ones among them
    sequence: Order
    #: what it adds to the plan's cost
    extra_cost: int


def cheapest(problem: Problem, sequences: Sequences, stop: Stop) -> Insertion | None:
    """The insertion that adds least to the cost and keeps every rule, the first among equals; None when none does.

    What must be served with the stop goes in with it: the other end of a shipment, a group that stays together, the
    stops a vehicle is locked to. A vehicle that may reload once more is tried with a new reload as well.
    """
    facts = facts_of(problem)
    served = {name for order in sequences.values() for name in order if name is not None}
    best: Insertion | None = None
    for vehicle in _candidates(problem, sequences):
        van = facts.van(vehicle)
        order = tuple(sequences.get(vehicle.id, ()))
        wanted = [name for name in facts.partners.get(stop.id, (stop.id,)) if name not in served]
        before = remembered_cost(facts, van, order)
        if not order and van.locked and served.isdisjoint(van.locked):
            order = van.locked
            tied = {each for name in order for each in facts.partners.get(name, ())} - served
            wanted = [name for name in {*wanted, *tied} if name not in order]
        if before is None:
            continue
        limit = NEVER if best is None else best.extra_cost + before
        found = into(facts, van, order, sorted(wanted), limit)
        if found is not None and found[0] < limit:
            best = Insertion(vehicle.id, found[1], found[0] - before)
    return best


def fill_in(problem: Problem, sequences: Sequences, *, within_s: float) -> Sequences:
    """Serve what an engine left out although there is room: heaviest first, prizes only where they pay."""
    until = time.monotonic() + within_s
    facts = facts_of(problem)
    filled = dict(sequences)
    served = {name for order in filled.values() for name in order if name is not None}
    waiting = [stop for stop in problem.stops if stop.id not in served]
    for stop in sorted(waiting, key=lambda each: (each.prize is not None, -each.priority, -(each.prize or 0))):
        if time.monotonic() > until:
            break
        if stop.id in served:
            continue
        found = cheapest(problem, filled, stop)
        if found is None:
            continue
        added = [facts.stop_by_id[name] for name in found.sequence if name is not None and name not in served]
        if any(each.prize is None for each in added) or found.extra_cost < sum(each.prize or 0 for each in added):
            filled[found.vehicle] = found.sequence
            served.update(each.id for each in added)
    return filled


def first_of_kind(problem: Problem, vehicles: Iterable[Vehicle] | None = None) -> tuple[Vehicle, ...]:
    """One vehicle of each kind, of all vehicles or of some: see `kind_of`."""
    firsts: dict[tuple[Vehicle, str], Vehicle] = {}
    for vehicle in problem.vehicles if vehicles is None else vehicles:
        firsts.setdefault(kind_of(problem, vehicle), vehicle)
    return tuple(firsts.values())


def kind_of(problem: Problem, vehicle: Vehicle) -> tuple[Vehicle, str]:
    """Vehicles of one kind differ in nothing but their ids, and no stop knows one of them by its id."""
    known = vehicle.id in facts_of(problem).planned or bool(vehicle.on_board)
    return replace(vehicle, id=""), vehicle.id if known else ""


def remembered_cost(facts: Facts, van: Van, order: Order) -> int | None:
    """The cost of an order, None when it breaks a rule."""
    if len(facts.costs) > MOST_COSTS:
        facts.costs.clear()
    key = van, order
    if key not in facts.costs:
        facts.costs[key] = cost_of_names(facts, van, order)
    return facts.costs[key]


def _candidates(problem: Problem, sequences: Sequences) -> Iterator[Vehicle]:
    idle = []
    for vehicle in problem.vehicles:
        if sequences.get(vehicle.id):
            yield vehicle
        else:
            idle.append(vehicle)
    yield from first_of_kind(problem, idle)


def into(facts: Facts, van: Van, order: Order, wanted: Sequence[str], limit: int) -> tuple[int, Order] | None:
    """The cheapest order with all that is wanted in it, and its cost; it may be none when none is below the limit."""
    if not hold_of(facts, van).able.issuperset(wanted):
        return None
    best: tuple[int, Order] | None = None
    for bound, candidate in sorted(_candidate_orders(facts, van, order, wanted), key=lambda each: each[0]):
        if bound >= (limit if best is None else best[0]):
            break
        cost = cost_of_names(facts, van, candidate)
        if cost is not None and cost < (limit if best is None else best[0]):
            best = cost, candidate
    return best


def _one_by_one(facts: Facts, van: Van, order: Order, wanted: Sequence[str]) -> Order | None:
    """A group put in one after the other, each at its cheapest place among those before it."""
    for name in wanted:
        found = None
        for bound, candidate in sorted(
            ((least_cost(facts, van, each), each) for each in _placed(order, [name], len(van.locked))),
            key=lambda each: each[0],
        ):
            if found is not None and bound >= found[0]:
                break
            cost = cost_of_names(facts, van, candidate, begun=True)
            if cost is not None and (found is None or cost < found[0]):
                found = cost, candidate
        if found is None:
            return None
        order = found[1]
    return order


def _candidate_orders(facts: Facts, van: Van, order: Order, wanted: Sequence[str]) -> Iterator[tuple[int, Order]]:
    """Every order with what is wanted in it, and with one more reload, and what it costs at least.

    Of a group of more than two only one: every way of placing them would be too many.
    """
    if len(wanted) > MOST_AT_ONCE:
        whole = _one_by_one(facts, van, order, wanted)
        if whole is not None:
            yield least_cost(facts, van, whole), whole
        return
    for placed in _placed(order, wanted, len(van.locked)):
        yield least_cost(facts, van, placed), placed
        for reloaded in with_reload(van, placed):
            yield least_cost(facts, van, reloaded), reloaded


def _placed(order: Order, wanted: Sequence[str], locked: int) -> Iterator[Order]:
    """Every order with these at any places, in any order of theirs; none before what is locked."""
    places = range(min(locked, len(order)), len(order) + 1)
    for arranged in permutations(wanted):
        for chosen in combinations_with_replacement(places, len(arranged)):
            names = list(order)
            for place, name in reversed(list(zip(chosen, arranged, strict=True))):
                names.insert(place, name)
            yield tuple(names)


def with_reload(van: Van, order: Order) -> Iterator[Order]:
    """Every order with one more reload."""
    reload = van.vehicle.reload
    if reload is None or order.count(None) >= reload.most:
        return
    for place in range(max(1, len(van.locked)), len(order)):
        if order[place - 1] is not None and order[place] is not None:
            yield (*order[:place], None, *order[place:])


def least_cost(facts: Facts, van: Van, order: Order) -> int:
    """What an order costs at least: its way, and the time to drive it and to serve; `NEVER` where no way leads."""
    vehicle = van.vehicle
    reload = vehicle.start if vehicle.reload is None else vehicle.reload.place
    here, metres, seconds = vehicle.start, 0, 0
    for name in order:
        if name is None:
            place = reload
            seconds += 0 if vehicle.reload is None else vehicle.reload.duration_s
        else:
            place, _, _, service_s = facts.plain_halts[name]
            seconds += service_s
        leg_m = facts.metres[here][place]
        if leg_m < 0:
            return NEVER
        metres += leg_m
        seconds += facts.seconds[here][place]
        here = place
    if vehicle.end is not None:
        leg_m = facts.metres[here][vehicle.end]
        if leg_m < 0:
            return NEVER
        metres += leg_m
        seconds += facts.seconds[here][vehicle.end]
    return (van.fine_cost(metres, seconds) + FINE // 2) // FINE
