"""The judge of any plan, written from the definition of the problem alone.

It trusts no figure of the plan and shares no code with what made it. It goes through the problem's rules one after
another, in words a dispatcher would use.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import floor

from route_optimizer.plan import Plan, Route, Rule, Violation, Visit
from route_optimizer.problem import UNREACHABLE, Capacity, Objective, Problem, Stop, Vehicle


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the judge finds."""

    violations: tuple[Violation, ...]
    #: the sum of the routes' costs, recomputed, in units of the objective
    cost: int
    #: sum of 1 + priority over the stops left out that have no prize
    left_out: int
    #: sum of the prizes not collected
    prizes_lost: int


def judge(problem: Problem, plan: Plan) -> Verdict:
    """Recompute a plan from the raw problem and list every rule it breaks."""
    found = list(_completeness(problem, plan))
    total = 0
    for route in plan.routes:
        vehicle = problem.vehicle_by_id.get(route.vehicle)
        if vehicle is None or any(visit.stop not in problem.stop_by_id for visit in route.visits):
            continue  # told by _completeness; there is nothing to compute with
        total += _cost(problem.objective, vehicle, _metres(problem, vehicle, route), route.end_s - route.start_s)
        found += _route(problem, vehicle, route)
    if plan.cost != total:
        found.append(Violation(Rule.FIGURES, f"the plan says it costs {plan.cost}, its routes cost {total}"))
    served = {visit.stop for route in plan.routes for visit in route.visits}
    missed = [stop for stop in problem.stops if stop.id not in served]
    return Verdict(
        violations=tuple(found),
        cost=total,
        left_out=sum(1 + stop.priority for stop in missed if stop.prize is None),
        prizes_lost=sum(stop.prize for stop in missed if stop.prize is not None),
    )


def _completeness(problem: Problem, plan: Plan) -> Iterator[Violation]:
    served = Counter(visit.stop for route in plan.routes for visit in route.visits)
    left_out = Counter(unserved.stop for unserved in plan.unserved)
    for words in (*_vehicles_of(problem, plan), *_stops_of(problem, served, left_out)):
        yield Violation(Rule.COMPLETE, words)
    for unserved in plan.unserved:
        if not unserved.reasons:
            yield Violation(Rule.COMPLETE, f"stop {unserved.stop} is left out without a reason")


def _vehicles_of(problem: Problem, plan: Plan) -> Iterator[str]:
    for vehicle, times in Counter(route.vehicle for route in plan.routes).items():
        if vehicle not in problem.vehicle_by_id:
            yield f"vehicle {vehicle} does not exist"
        if times > 1:
            yield f"vehicle {vehicle} drives {times} routes, it can drive one"
    for route in plan.routes:
        if not route.visits:
            yield f"the route of {route.vehicle} has no stops"


def _stops_of(problem: Problem, served: Counter[str], left_out: Counter[str]) -> Iterator[str]:
    for stop in (served | left_out).keys() - problem.stop_by_id.keys():
        yield f"stop {stop} does not exist"
    for stop in problem.stop_by_id:
        if served[stop] > 1:
            yield f"stop {stop} is served {served[stop]} times"
        if served[stop] and left_out[stop]:
            yield f"stop {stop} is served and said to be left out"
        if not served[stop] and left_out[stop] != 1:
            yield f"stop {stop} is not served and named {left_out[stop]} times among those left out"


def _route(problem: Problem, vehicle: Vehicle, route: Route) -> Iterator[Violation]:
    stops = [problem.stop_by_id[visit.stop] for visit in route.visits]
    yield from _skills_and_compartments(vehicle, stops)
    for capacity in vehicle.capacities:
        yield from _capacity(vehicle, capacity, stops)
    if vehicle.max_stops is not None and len(stops) > vehicle.max_stops:
        yield Violation(Rule.MAX_STOPS, f"{vehicle.id} makes {len(stops)} stops, {vehicle.max_stops} are allowed")
    yield from _distance(problem, vehicle, route)
    yield from _times(problem, vehicle, route)


def _skills_and_compartments(vehicle: Vehicle, stops: list[Stop]) -> Iterator[Violation]:
    parts = {capacity.compartment for capacity in vehicle.capacities}
    for stop in stops:
        for skill in sorted(stop.skills):
            if skill not in vehicle.skills:
                yield Violation(Rule.SKILL, f"{vehicle.id} serves {stop.id} without the skill {skill}")
        for load in stop.loads:
            if load.compartment is not None and load.compartment not in parts:
                yield Violation(
                    Rule.COMPARTMENT, f"{vehicle.id} takes goods of {stop.id} without a {load.compartment} compartment"
                )


def _capacity(vehicle: Vehicle, capacity: Capacity, stops: list[Stop]) -> Iterator[Violation]:
    carried = 0
    for stop in stops:
        for load in stop.loads:
            same_part = capacity.compartment is None or load.compartment == capacity.compartment
            if load.dimension == capacity.dimension and same_part:
                carried += load.amount
    if carried > capacity.limit:
        part = f" {capacity.compartment}" if capacity.compartment else ""
        yield Violation(
            Rule.CAPACITY,
            f"{vehicle.id} carries {carried}{part} {capacity.dimension}, it holds {capacity.limit}",
        )


def _legs(problem: Problem, vehicle: Vehicle, route: Route) -> list[tuple[int, int]]:
    places = [vehicle.start]
    places += [problem.stop_by_id[visit.stop].location for visit in route.visits]
    places += [] if vehicle.end is None else [vehicle.end]
    return list(pairwise(places))


def _metres(problem: Problem, vehicle: Vehicle, route: Route) -> int:
    return sum(int(problem.matrix.distance_m[leg]) for leg in _legs(problem, vehicle, route))


def _distance(problem: Problem, vehicle: Vehicle, route: Route) -> Iterator[Violation]:
    metres = _metres(problem, vehicle, route)
    for origin, destination in _legs(problem, vehicle, route):
        if problem.matrix.distance_m[origin, destination] == UNREACHABLE:
            yield Violation(
                Rule.UNREACHABLE, f"{vehicle.id} drives from place {origin} to place {destination}, where no road leads"
            )
    if route.distance_m != metres:
        yield Violation(Rule.FIGURES, f"{vehicle.id} is said to drive {route.distance_m} m, it drives {metres} m")
    cost = _cost(problem.objective, vehicle, metres, route.end_s - route.start_s)
    if route.cost != cost:
        yield Violation(Rule.FIGURES, f"the route of {vehicle.id} is said to cost {route.cost}, it costs {cost}")
    if vehicle.max_distance_m is not None and metres > vehicle.max_distance_m:
        yield Violation(Rule.MAX_DISTANCE, f"{vehicle.id} drives {metres} m, {vehicle.max_distance_m} m are allowed")


def _times(problem: Problem, vehicle: Vehicle, route: Route) -> Iterator[Violation]:
    now_s = route.start_s
    place = vehicle.start
    for visit in route.visits:
        stop = problem.stop_by_id[visit.stop]
        now_s += int(problem.matrix.duration_s[place, stop.location])
        yield from _visit(vehicle, stop, visit, now_s)
        place, now_s = stop.location, visit.departure_s
    if vehicle.end is not None:
        now_s += int(problem.matrix.duration_s[place, vehicle.end])
    if route.end_s != now_s:
        yield Violation(Rule.FIGURES, f"{vehicle.id} is said to be done at {route.end_s} s, it is done at {now_s} s")
    if route.start_s < vehicle.shift.opens_s:
        late_s = vehicle.shift.opens_s - route.start_s
        yield Violation(Rule.SHIFT, f"{vehicle.id} leaves {late_s} s before its shift begins")
    if now_s > vehicle.shift.closes_s:
        yield Violation(Rule.SHIFT, f"{vehicle.id} is done {now_s - vehicle.shift.closes_s} s after its shift")
    if vehicle.max_duration_s is not None and now_s - route.start_s > vehicle.max_duration_s:
        yield Violation(
            Rule.MAX_DURATION,
            f"{vehicle.id} is under way {now_s - route.start_s} s, {vehicle.max_duration_s} s are allowed",
        )


def _visit(vehicle: Vehicle, stop: Stop, visit: Visit, arrival_s: int) -> Iterator[Violation]:
    if visit.arrival_s != arrival_s:
        yield Violation(
            Rule.FIGURES,
            f"{vehicle.id} is said to arrive at {stop.id} at {visit.arrival_s} s, it arrives at {arrival_s} s",
        )
    if visit.start_s < arrival_s:
        yield Violation(
            Rule.FIGURES, f"service at {stop.id} starts {arrival_s - visit.start_s} s before {vehicle.id} arrives"
        )
    if visit.departure_s != visit.start_s + stop.service_time_s:
        yield Violation(
            Rule.FIGURES,
            f"{vehicle.id} stays {visit.departure_s - visit.start_s} s at {stop.id}, "
            f"service takes {stop.service_time_s} s",
        )
    if stop.windows and not any(each.opens_s <= visit.start_s <= each.closes_s for each in stop.windows):
        late_s = visit.start_s - max(each.closes_s for each in stop.windows)
        words = f"{late_s} s after its last window closes" if late_s > 0 else "outside its windows"
        yield Violation(Rule.WINDOW, f"service at {stop.id} starts at {visit.start_s} s, {words}")


def _cost(objective: Objective, vehicle: Vehicle, metres: int, seconds: int) -> int:
    if objective is Objective.DISTANCE:
        return metres
    if objective is Objective.TIME:
        return seconds
    driven = Fraction(metres, 1_000) * vehicle.cost_per_km_minor
    worked = Fraction(seconds, 3_600) * vehicle.cost_per_hour_minor
    return vehicle.fixed_cost_minor + floor(driven + worked + Fraction(1, 2))
