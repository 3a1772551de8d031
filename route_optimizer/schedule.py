"""One vehicle and the stops it serves in a given order: may it, when is it where, and what does it cost.

Every engine's routes get their times here, so that a plan's times do not depend on who found it. The judge does not use
this module: it computes for itself.
"""

from collections.abc import Sequence
from itertools import pairwise

from route_optimizer.clock import Label, choices_of, days, replay, rests_of
from route_optimizer.course import Course, course
from route_optimizer.facts import FINE, Facts, Van, facts_of, opening
from route_optimizer.loads import Names, carries_names
from route_optimizer.plan import Order, Reloading, Rest, Route, Visit
from route_optimizer.problem import Problem, Stop, Vehicle
from route_optimizer.quick import is_quick, quick_cost

__all__ = ["cost", "cost_of", "legs", "opening", "order_of", "route"]


def route(problem: Problem, vehicle: Vehicle, order: Sequence[Stop | None]) -> Route | None:
    """The cheapest schedule that keeps every rule, then the shortest, then the earliest; None when there is none.

    `order` must not be empty; None in it is a reload.
    """
    facts = facts_of(problem)
    van = facts.van(vehicle)
    names = [None if stop is None else stop.id for stop in order]
    way = _way(facts, van, names) if carries_names(facts, van, names) else None
    if way is None:
        return None
    metres, seconds = way
    run = course(facts, van, names, seconds)
    best = _best(run, van, metres)
    if best is None:
        return None
    departure_s, begin, label = best
    return _told(problem, run, names, metres, departure_s=departure_s, begin=begin, label=label)


def cost_of(problem: Problem, vehicle: Vehicle, names: Names) -> int | None:
    """The cost of the `route` of these stops, by their ids, None when there is none; 0 of no stops."""
    facts = facts_of(problem)
    return cost_of_names(facts, facts.van(vehicle), names)


def cost_of_names(facts: Facts, van: Van, names: Names, *, begun: bool = False) -> int | None:
    """`cost_of`, for who asks often; an order that is only `begun` need not be whole yet."""
    if not names:
        return 0
    if not carries_names(facts, van, names, begun=begun):
        return None
    fine = quick_cost(facts, van, names) if is_quick(facts, van, names) else _any_cost(facts, van, names)
    return None if fine is None else (fine + _reassigned(facts, van, names) + FINE // 2) // FINE


def cost(
    problem: Problem, vehicle: Vehicle, *, distance_m: int, duration_s: int, late_fine: int = 0, reassigned: int = 0
) -> int:
    """What a route costs, in units of the objective, rounded once.

    Args:
        problem: has the objective and the prices.
        vehicle: has the rates.
        distance_m: with the ways to reloads.
        duration_s: from start to end.
        late_fine: what lateness costs, in `FINE` parts of a unit.
        reassigned: stops that were planned on another vehicle.
    """
    facts = facts_of(problem)
    fine = facts.van(vehicle).fine_cost(distance_m, duration_s) + late_fine + reassigned * facts.reassign
    return (fine + FINE // 2) // FINE


def order_of(problem: Problem, names: Order) -> list[Stop | None]:
    """The stops of a search's order."""
    return [None if name is None else problem.stop_by_id[name] for name in names]


def legs(vehicle: Vehicle, order: Sequence[Stop | None]) -> list[tuple[int, int]]:
    """From place to place, start to end; an open route has no leg after its last stop."""
    reload = vehicle.start if vehicle.reload is None else vehicle.reload.place
    places = [vehicle.start, *(reload if stop is None else stop.location for stop in order)]
    if vehicle.end is not None:
        places.append(vehicle.end)
    return list(pairwise(places))


def _way(facts: Facts, van: Van, names: Names) -> tuple[int, list[int]] | None:
    """Metres of the whole way and seconds of each leg, when there is one and it is not too long."""
    vehicle = van.vehicle
    reload = vehicle.start if vehicle.reload is None else vehicle.reload.place
    places = [reload if name is None else facts.halts[name].place for name in names]
    if vehicle.end is not None:
        places.append(vehicle.end)
    here, metres, seconds = vehicle.start, 0, []
    for place in places:
        leg_m = facts.metres[here][place]
        if leg_m < 0:
            return None
        metres += leg_m
        seconds.append(facts.seconds[here][place])
        here = place
    if vehicle.max_distance_m is not None and metres > vehicle.max_distance_m:
        return None
    if vehicle.max_driving_s is not None and sum(seconds) > vehicle.max_driving_s:
        return None
    return metres, seconds


def _best(run: Course, van: Van, metres: int) -> tuple[int, Label, Label] | None:
    """The departure of the cheapest schedule, what it begins with and how it goes."""
    best: tuple[tuple[int, int, int], Label, Label] | None = None
    for begin, label in days(run):
        found = min(_worth(van, metres, label, departure_s) for departure_s in _departures(van, label))
        if best is None or found < best[0]:
            best = found, begin, label
    return None if best is None else (best[0][2], best[1], best[2])


def _departures(van: Van, label: Label) -> set[int]:
    """Where the cost as a function of the departure has its corners: one of them is the best."""
    corners = {label.first_s, label.earliest_s - label.duration_s}
    if van.vehicle.overtime_after_s is not None:
        corners.add(label.earliest_s - van.vehicle.overtime_after_s)
    for least_s, more_s, _ in label.late:
        corners |= {least_s - more_s, -more_s}
    return {min(max(each, label.first_s), label.last_s) for each in corners}


def _worth(van: Van, metres: int, label: Label, departure_s: int) -> tuple[int, int, int]:
    """What a departure is compared by: cost, duration, itself."""
    duration_s = max(label.earliest_s - departure_s, label.duration_s)
    fine = van.fine_cost(metres, duration_s)
    for least_s, more_s, rate in label.late:
        fine += max(least_s, departure_s + more_s) * rate
    return fine, duration_s, departure_s


def _any_cost(facts: Facts, van: Van, names: Names) -> int | None:
    way = _way(facts, van, names)
    if way is None:
        return None
    metres, seconds = way
    best = _best(course(facts, van, names, seconds, just_possible=not van.time_counts), van, metres)
    if best is None:
        return None
    departure_s, _, label = best
    return _worth(van, metres, label, departure_s)[0]


def _reassigned(facts: Facts, van: Van, names: Names) -> int:
    return facts.reassign * len(van.reassigned.intersection(names)) if van.reassigned else 0


def _told(
    problem: Problem, run: Course, names: Names, metres: int, *, departure_s: int, begin: Label, label: Label
) -> Route:
    """The route as a plan tells it."""
    vehicle = run.van.vehicle
    choices = choices_of(label)
    played = replay(run, begin, choices, label.floors)
    starts = [max(instant, departure_s + after) for instant, after in played[1]] if played else []
    calls, rests, end_s = rests_of(run, choices, departure_s, starts)
    visits: list[Visit] = []
    reloads: list[Reloading] = []
    late_s = late_fine = 0
    for name, halt, arrival_s, start_s in zip(names, run.halts, calls, starts, strict=True):
        if name is None:
            reloads.append(Reloading(len(visits), arrival_s, start_s, start_s + halt.service_s))
            continue
        visits.append(Visit(name, arrival_s, start_s, start_s + halt.service_s))
        stop = problem.stop_by_id[name]
        over_s = 0 if stop.due_s is None else max(0, start_s - stop.due_s)
        late_s += over_s
        late_fine += over_s * halt.late_rate
    facts = facts_of(problem)
    duration_s = end_s - departure_s
    fine = run.van.fine_cost(metres, duration_s) + late_fine + _reassigned(facts, run.van, names)
    return Route(
        vehicle=vehicle.id,
        start_s=departure_s,
        end_s=end_s,
        visits=tuple(visits),
        distance_m=metres,
        cost=(fine + FINE // 2) // FINE,
        rests=tuple(Rest(*each) for each in rests),
        reloads=tuple(reloads),
        late_s=late_s,
        fuel_ml=(metres * vehicle.fuel_ml_per_km + 500) // 1_000,
        co2_g=(metres * vehicle.co2_g_per_km + 500) // 1_000,
    )
