"""Where in a route one more stop might go, ranked by what it would take: estimates, quick enough to look at every gap.

Breaks, rests and rides are left out of account; whoever uses a gap asks the schedule.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from route_optimizer.facts import Facts, facts_of
from route_optimizer.plan import Order
from route_optimizer.problem import LONGEST_S, UNREACHABLE, Compartment, Load, Problem, Stop, Vehicle

#: of a gap that no stretch of one rule opens
CLOSED = 1e9
_MINUTE_S = 60


@dataclass(frozen=True, slots=True)
class Line:
    """A vehicle's order with the slack there is between its stops; element 0 is the vehicle's start."""

    vehicle: Vehicle
    order: Order
    #: rows of the matrix; one more than there are elements if the vehicle has an end
    places: list[int]
    #: seconds: the soonest it can leave an element
    ready_s: list[int]
    #: seconds: the latest it may arrive at an element and still be in time, the end included
    latest_s: list[int]
    #: the same if the shift had no end
    unbounded_s: list[int]
    metres: int
    #: by dimension and compartment: room left on the fullest trip
    room: dict[tuple[str, Compartment | None], int]


def line(problem: Problem, vehicle: Vehicle, order: Order) -> Line:
    """What there is to know of an order, which must be one that keeps the rules."""
    facts = facts_of(problem)
    elements = [_element(facts, vehicle, name) for name in order]
    places = [vehicle.start, *(place for place, *_ in elements)]
    ready_s = [vehicle.shift.opens_s]
    for number, (place, windows, service_s) in enumerate(elements):
        arrival_s = ready_s[-1] + facts.seconds[places[number]][place]
        ready_s.append(_first(windows, arrival_s) + service_s)
    if vehicle.end is not None:
        places.append(vehicle.end)
    return Line(
        vehicle,
        order,
        places,
        ready_s,
        _latest(facts, places, elements, vehicle.shift.closes_s),
        _latest(facts, places, elements, 2 * LONGEST_S),
        sum(facts.metres[a][b] for a, b in pairwise(places)),
        _room(facts, vehicle, order),
    )


def orders(problem: Problem, route: Line, unit: Sequence[str], most: int) -> list[tuple[float, Order]]:
    """The likeliest orders with these stops among the others, each with an estimate of what it takes."""
    if len(unit) == 1:
        stop = problem.stop_by_id[unit[0]]
        gaps = sorted(_gaps(problem, route, stop))[:most]
        found = [(price, (*route.order[:at], stop.id, *route.order[at:])) for price, _, at in gaps]
        return [*found, *_after_a_reload(problem, route, unit)]
    facts, highest, start = facts_of(problem), 0.0, route
    for name in _pickups_first(facts, unit):
        after = max((route.order.index(each) + 1 for each in facts.pickups.get(name, ())), default=0)
        gaps = sorted(_gaps(problem, route, problem.stop_by_id[name], after))
        if not gaps:
            return _after_a_reload(problem, start, unit)
        price, _, at = gaps[0]
        highest = max(highest, price)
        route = line(problem, route.vehicle, (*route.order[:at], name, *route.order[at:]))
    return [(highest, route.order), *_after_a_reload(problem, start, unit)]


def _after_a_reload(problem: Problem, route: Line, unit: Sequence[str]) -> list[tuple[float, Order]]:
    """The unit on a trip of its own, after all others."""
    facts, reload = facts_of(problem), route.vehicle.reload
    if reload is None or not route.order:
        return []
    names = _pickups_first(facts, unit)
    halt = facts.halts[names[0]]
    back_s = facts.seconds[route.places[len(route.order)]][reload.place]
    out_s = facts.seconds[reload.place][halt.place]
    if UNREACHABLE in (back_s, out_s):
        return []
    leaves_s = max(route.ready_s[-1] + back_s, halt.release_s) + reload.duration_s
    done_s = _first(halt.windows, leaves_s + out_s) + halt.service_s
    late_s = max(0, done_s - route.vehicle.shift.closes_s)
    over = route.order.count(None) >= reload.most
    return [(late_s / _MINUTE_S + 60 * over, (*route.order, None, *names))]


def _element(facts: Facts, vehicle: Vehicle, name: str | None) -> tuple[int, tuple[tuple[int, int], ...], int]:
    if name is not None:
        halt = facts.halts[name]
        return halt.place, halt.windows, halt.service_s
    reload = vehicle.reload
    return (reload.place, ((0, LONGEST_S),), reload.duration_s) if reload else (vehicle.start, ((0, LONGEST_S),), 0)


def _first(windows: Sequence[tuple[int, int]], arrival_s: int) -> int:
    return next((max(arrival_s, opens_s) for opens_s, closes_s in windows if closes_s >= arrival_s), arrival_s)


def _latest(
    facts: Facts, places: list[int], elements: list[tuple[int, tuple[tuple[int, int], ...], int]], end_s: int
) -> list[int]:
    by_s, found = end_s, [end_s]
    for number in range(len(elements), 0, -1):
        _, windows, service_s = elements[number - 1]
        if number + 1 < len(places):
            by_s -= facts.seconds[places[number]][places[number + 1]]
        by_s -= service_s
        by_s = next((min(by_s, closes_s) for opens_s, closes_s in reversed(windows) if opens_s <= by_s), by_s)
        found.append(by_s)
    found.append(by_s)
    return [*reversed(found)]


def _room(facts: Facts, vehicle: Vehicle, order: Order) -> dict[tuple[str, Compartment | None], int]:
    room = {}
    for each in vehicle.capacities:
        fullest = held = 0
        for name in order:
            if name is None:
                held = 0
                continue
            for loads in facts.goods[name][:2]:
                held += _amount(loads, each.dimension, each.compartment)
            fullest = max(fullest, held)
        room[each.dimension, each.compartment] = each.limit - fullest
    return room


def _amount(loads: Sequence[Load], dimension: str, compartment: Compartment | None) -> int:
    return sum(load.amount for load in loads if load.dimension == dimension and compartment in (None, load.compartment))


def _gaps(problem: Problem, route: Line, stop: Stop, after: int = 0) -> Iterator[tuple[float, int, int]]:
    """What each gap takes in the minutes of `Remedy.price`, the detour in metres, and where it is."""
    facts = facts_of(problem)
    halt = facts.halts[stop.id]
    goods = _goods(facts, route, stop)
    first = max(after, len(route.vehicle.locked))
    last = len(route.order)
    on_board = route.vehicle.on_board
    if None in route.order and on_board is not None:
        reload = route.order.index(None)
        first, last = (first, reload) if stop.id in on_board else (max(first, reload + 1 if stop.loads else 0), last)
    to, to_s = facts.metres, facts.seconds
    away, away_s = facts.metres[halt.place], facts.seconds[halt.place]
    for at in range(first, last + 1):
        before, behind = route.places[at], route.places[at + 1] if at + 1 < len(route.places) else None
        detour = to[before][halt.place]
        if detour == UNREACHABLE or (behind is not None and away[behind] == UNREACHABLE):
            continue
        soonest_s = route.ready_s[at] + to_s[before][halt.place]
        then_s = halt.service_s
        if behind is not None:
            detour += away[behind] - to[before][behind]
            then_s += away_s[behind]
        price = goods + _clock(
            halt.windows, soonest_s, route.latest_s[at + 1] - then_s, route.unbounded_s[at + 1] - then_s
        )
        limit = route.vehicle.max_distance_m
        if limit is not None and route.metres + detour > limit:
            price += 10 + 200 * (route.metres + detour - limit) / max(1, limit)
        yield price, detour, at


def _clock(windows: Sequence[tuple[int, int]], soonest_s: int, latest_s: int, unbounded_s: int) -> float:
    if soonest_s <= latest_s:
        return _from_windows(windows, soonest_s, latest_s)
    if soonest_s <= unbounded_s:
        start_s = _first(windows, soonest_s)
        longer = 10 + (start_s - latest_s) / _MINUTE_S if start_s <= unbounded_s else CLOSED
        return min(longer, 10 + (soonest_s - latest_s) / _MINUTE_S + _from_windows(windows, soonest_s, soonest_s))
    return CLOSED


def _from_windows(windows: Sequence[tuple[int, int]], soonest_s: int, latest_s: int) -> float:
    gap_s = min(max(opens_s - latest_s, soonest_s - closes_s, 0) for opens_s, closes_s in windows)
    return 10 + 1.5 * gap_s / _MINUTE_S if gap_s else 0.0


def _goods(facts: Facts, route: Line, stop: Stop) -> float:
    vehicle = route.vehicle
    price = 200.0 * len(stop.skills - vehicle.skills)
    loads = [load for part in facts.goods[stop.id][:2] for load in part]
    price += 300 * len({load.compartment for load in loads} - {None} - vehicle.compartments)
    for each in vehicle.capacities:
        missing = _amount(loads, each.dimension, each.compartment) - route.room[each.dimension, each.compartment]
        if missing > 0:
            price += 15 + 300 * missing / max(1, each.limit)
    if vehicle.max_stops is not None and len(route.order) - route.order.count(None) >= vehicle.max_stops:
        price += 20
    price += 100 * len(facts.strangers.get(stop.id, frozenset()).intersection(route.order))
    holder = facts.holders.get(stop.id)
    return price + 250 * (holder is not None and holder != vehicle.id)


def _pickups_first(facts: Facts, unit: Sequence[str]) -> list[str]:
    first = [name for name in unit if name not in facts.pickups]
    return [*first, *(name for name in unit if name in facts.pickups)]
