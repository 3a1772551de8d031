"""What a route drives, burns and costs."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from math import floor

from route_optimizer.check.day import Day
from route_optimizer.plan import Route, Rule, Violation
from route_optimizer.problem import UNREACHABLE, Objective, Problem

HALF = Fraction(1, 2)


def figures(day: Day) -> Iterator[Violation]:
    """The roads it takes, and whether its own figures add up."""
    name, route = day.vehicle.id, day.route
    for origin, destination in day.legs:
        if day.problem.matrix.metres(origin, destination) == UNREACHABLE:
            words = f"{name} drives from place {origin} to place {destination}, where no road leads"
            yield Violation(Rule.UNREACHABLE, words)
    fuel_ml = floor(Fraction(day.metres * day.vehicle.fuel_ml_per_km, 1_000) + HALF)
    co2_g = floor(Fraction(day.metres * day.vehicle.co2_g_per_km, 1_000) + HALF)
    late_s = sum(_late_s(day).values())
    for said, true, words in (
        (route.distance_m, day.metres, f"{name} is said to drive {route.distance_m} m, it drives {day.metres} m"),
        (route.fuel_ml, fuel_ml, f"{name} is said to burn {route.fuel_ml} ml, it burns {fuel_ml} ml"),
        (route.co2_g, co2_g, f"{name} is said to emit {route.co2_g} g, it emits {co2_g} g"),
        (route.late_s, late_s, f"{name} is said to be {route.late_s} s late, it is {late_s} s late"),
        (route.cost, cost := route_cost(day), f"the route of {name} is said to cost {route.cost}, it costs {cost}"),
    ):
        if said != true:
            yield Violation(Rule.FIGURES, words)
    if day.vehicle.max_distance_m is not None and day.metres > day.vehicle.max_distance_m:
        words = f"{name} drives {day.metres} m, {day.vehicle.max_distance_m} m are allowed"
        yield Violation(Rule.MAX_DISTANCE, words)


def route_cost(day: Day) -> int:
    """One sum, rounded to the nearest whole once, half a unit up."""
    stops = [day.problem.stop_by_id[visit.stop] for visit in day.route.visits]
    lateness = _late_s(day)
    late = Fraction(sum(lateness[stop.id] * stop.late_cost_per_hour for stop in stops), 3_600)
    strangers = sum(stop.planned_on not in (None, day.vehicle.id) for stop in stops)
    return floor(_used(day) + late + strangers * day.problem.reassign_cost + HALF)


def balance_cost(problem: Problem, routes: Iterable[Route]) -> int:
    """What the plan pays for its longest route."""
    longest_s = max((route.end_s - route.start_s for route in routes), default=0)
    return floor(Fraction(problem.balance_cost_per_hour * longest_s, 3_600) + HALF)


def _late_s(day: Day) -> dict[str, int]:
    late = {}
    for visit in day.route.visits:
        due_s = day.problem.stop_by_id[visit.stop].due_s
        late[visit.stop] = 0 if due_s is None else max(0, visit.start_s - due_s)
    return late


def _used(day: Day) -> Fraction:
    """What the objective counts."""
    fuel_ml = Fraction(day.metres * day.vehicle.fuel_ml_per_km, 1_000)
    match day.problem.objective:
        case Objective.DISTANCE:
            return Fraction(day.metres)
        case Objective.TIME:
            return Fraction(day.seconds)
        case Objective.FUEL:
            return fuel_ml
        case Objective.COST:
            return _money(day, fuel_ml)
        case Objective.HYBRID:
            co2_g = Fraction(day.metres * day.vehicle.co2_g_per_km, 1_000)
            return _money(day, fuel_ml) + co2_g * day.problem.co2_price_minor_per_kg / 1_000


def _money(day: Day, fuel_ml: Fraction) -> Fraction:
    vehicle = day.vehicle
    driven = Fraction(day.metres * vehicle.cost_per_km_minor, 1_000)
    worked = Fraction(day.seconds * vehicle.cost_per_hour_minor, 3_600)
    overtime_s = 0 if vehicle.overtime_after_s is None else max(0, day.seconds - vehicle.overtime_after_s)
    overtime = Fraction(overtime_s * vehicle.overtime_cost_per_hour_minor, 3_600)
    fuel = fuel_ml * day.problem.fuel_price_minor_per_l / 1_000
    return vehicle.fixed_cost_minor + driven + worked + overtime + fuel
