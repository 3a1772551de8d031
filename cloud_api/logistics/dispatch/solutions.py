"""What a planning job found, as it is kept: a plan with the problem it answers, and what it is compared with.

Nothing here knows a database: it is made in the solver's process, and again at each edit.
"""

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import msgspec

from cloud_api.logistics.dispatch.problems import WEIGHT, Recipe
from route_optimizer.check import judge
from route_optimizer.plan import Order, Plan, Route, Violation
from route_optimizer.problem import Compartment, Problem, Stop, Vehicle
from route_optimizer.running import Day, Handling, rest_of
from route_optimizer.whatif import drive, simulate

_HOUR_S, _KM, _ML = 3_600, 1_000, 1_000


@dataclass(frozen=True, slots=True)
class Figures:
    """What driving takes; money is counted whatever the plan saves."""

    distance_m: int = 0
    duration_s: int = 0
    fuel_ml: int = 0
    co2_g: int = 0
    cost_minor: int = 0

    def __add__(self, other: "Figures") -> "Figures":
        """Of both together."""
        return Figures(
            self.distance_m + other.distance_m,
            self.duration_s + other.duration_s,
            self.fuel_ml + other.fuel_ml,
            self.co2_g + other.co2_g,
            self.cost_minor + other.cost_minor,
        )


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a plan is compared with."""

    #: in words
    what: str
    figures: Figures
    #: stops that it serves, and how many of them too late
    served: int
    late: int


@dataclass(frozen=True, slots=True)
class Standing:
    """A stop that stood on a route when a replan was begun."""

    delivery_id: str
    route_id: str
    vehicle_id: str
    sequence: int
    #: seconds
    planned_s: int
    #: its goods are in the van
    aboard: bool


@dataclass(frozen=True, slots=True)
class Solution:
    """A plan, judged, and everything that is told of it."""

    recipe: Recipe
    plan: Plan
    baseline: Baseline
    #: vehicle -> what its stops took before: in the order they were taken, or as the route was
    before: dict[str, Figures] = field(default_factory=dict)
    #: rules that somebody broke by hand
    violations: tuple[Violation, ...] = ()
    #: sentences
    why: tuple[str, ...] = ()
    #: of a replan: order -> where it stood
    standing: dict[str, Standing] = field(default_factory=dict)
    #: of a replan: vehicle -> its route
    routes: dict[str, str] = field(default_factory=dict)
    #: of a replan: orders that are to be taken off, with the reason
    removed: dict[str, str] = field(default_factory=dict)
    #: of a replan: stop at a broken van -> the order whose goods are there
    fetched: dict[str, str] = field(default_factory=dict)

    def orders(self) -> dict[str, Order]:
        """What each vehicle serves, in order."""
        return {route.vehicle: route.order for route in self.plan.routes}


def packed(solution: Solution) -> bytes:
    """As it is kept."""
    return zlib.compress(msgspec.json.encode(solution))


def unpacked(content: bytes) -> Solution:
    """As it was."""
    return msgspec.json.decode(zlib.decompress(content), type=Solution)


def figures_of(problem: Problem, route: Route) -> Figures:
    """What a route takes."""
    vehicle = problem.vehicle_by_id[route.vehicle]
    money = (
        vehicle.fixed_cost_minor
        + vehicle.cost_per_km_minor * route.distance_m / _KM
        + vehicle.cost_per_hour_minor * route.duration_s / _HOUR_S
        + problem.fuel_price_minor_per_l * route.fuel_ml / _ML
    )
    return Figures(route.distance_m, route.duration_s, route.fuel_ml, route.co2_g, round(money))


def total_of(problem: Problem, routes: Iterable[Route]) -> Figures:
    """Of all routes together."""
    return sum((figures_of(problem, route) for route in routes), Figures())


def loads_of(problem: Problem, names: Iterable[str | None]) -> dict[Compartment | None, int]:
    """Grams that a route brings, by the compartment they need; None: anywhere."""
    loads: dict[Compartment | None, int] = {}
    for name in names:
        for load in () if name is None else problem.stop_by_id[name].loads:
            if load.dimension == WEIGHT:
                loads[load.compartment] = loads.get(load.compartment, 0) + load.amount
    return loads


def as_taken(recipe: Recipe, problem: Problem) -> Baseline:
    """The day without a plan: each order, as it was taken, goes to the van that is nearest by then and has room."""
    orders: dict[str, list[str]] = {vehicle.id: [] for vehicle in problem.vehicles}
    places = {vehicle.id: vehicle.start for vehicle in problem.vehicles}
    for name in recipe.taken:
        stop = problem.stop_by_id.get(name)
        if stop is None:
            continue
        roomy = [vehicle for vehicle in problem.vehicles if _has_room(problem, vehicle, [*orders[vehicle.id], name])]
        ways = {each.id: problem.matrix.metres(places[each.id], stop.location) for each in roomy}
        reached = {vehicle: metres for vehicle, metres in ways.items() if metres >= 0}
        if reached:
            nearest = min(reached, key=lambda vehicle: (reached[vehicle], vehicle))
            orders[nearest].append(name)
            places[nearest] = stop.location
    routes = [
        drive(problem, problem.vehicle_by_id[vehicle], [problem.stop_by_id[name] for name in names])
        for vehicle, names in orders.items()
        if names
    ]
    late = sum(_is_late(problem.stop_by_id[visit.stop], visit.start_s) for route in routes for visit in route.visits)
    served = sum(len(route.visits) for route in routes)
    return Baseline("orders as taken, each by the nearest van", total_of(problem, routes), served, late)


def _has_room(problem: Problem, vehicle: Vehicle, names: list[str]) -> bool:
    """As far as weight, compartments and the number of stops go; nobody looks at the clock."""
    loads = loads_of(problem, names)
    if any(part is not None and part not in vehicle.compartments for part in loads):
        return False
    if vehicle.max_stops is not None and len(names) > vehicle.max_stops:
        return False
    held = {each.compartment: each.limit for each in vehicle.capacities if each.dimension == WEIGHT}
    return all((sum(loads.values()) if part is None else loads.get(part, 0)) <= limit for part, limit in held.items())


def _is_late(stop: Stop, start_s: int) -> bool:
    promised = stop.due_s if stop.due_s is not None else max((each.closes_s for each in stop.windows), default=None)
    return promised is not None and start_s > promised


def taken_in_turn(recipe: Recipe, problem: Problem, plan: Plan) -> dict[str, Figures]:
    """What each van's stops take in the order in which their orders were taken."""
    turn = {name: number for number, name in enumerate(recipe.taken)}
    figures = {}
    for route in plan.routes:
        names = sorted((visit.stop for visit in route.visits), key=lambda name: turn.get(name, len(turn)))
        stops = [problem.stop_by_id[name] for name in names]
        figures[route.vehicle] = figures_of(problem, drive(problem, problem.vehicle_by_id[route.vehicle], stops))
    return figures


def _in_turn_again(solution: Solution, recipe: Recipe, problem: Problem, plan: Plan) -> dict[str, Figures]:
    """`taken_in_turn`, of the vans whose stops are others than they were; what is known of the rest stays."""
    were = {route.vehicle: frozenset(route.order) for route in solution.plan.routes}
    known = {
        route.vehicle: solution.before[route.vehicle]
        for route in plan.routes
        if route.vehicle in solution.before and were.get(route.vehicle) == frozenset(route.order)
    }
    others = replace(plan, routes=tuple(route for route in plan.routes if route.vehicle not in known))
    return known | taken_in_turn(recipe, problem, others)


def edited(solution: Solution, problem: Problem, orders: Mapping[str, Order]) -> Solution:
    """The solution with other orders of stops: its times, and the rules that it breaks now.

    `problem` is the solution's own, with the locks as they are to be; what was left out before keeps its reason, and
    who drives on as before its times.
    """
    result = simulate(problem, orders, solution.plan, known=solution.plan.routes)
    known = {each.stop: each for each in solution.plan.unserved}
    plan = replace(result.plan, unserved=tuple(known.get(each.stop, each) for each in result.plan.unserved))
    recipe = solution.recipe.of(problem)
    before = solution.before if solution.standing else _in_turn_again(solution, recipe, problem, plan)
    return replace(solution, recipe=recipe, plan=plan, before=before, violations=result.violations)


def violations_of(problem: Problem, plan: Plan) -> tuple[Violation, ...]:
    """What the judge says."""
    return judge(problem, plan).violations


@dataclass(frozen=True, slots=True)
class Changed:
    """The rest of a day that is to be planned again; see `route_optimizer.replan`."""

    day: Day
    insert: tuple[Stop, ...] = ()
    cancel: tuple[str, ...] = ()
    most_moved: int | None = 2
    handling: Handling = field(default_factory=Handling)
    standing: dict[str, Standing] = field(default_factory=dict)
    routes: dict[str, str] = field(default_factory=dict)
    removed: dict[str, str] = field(default_factory=dict)


def as_it_would_go_on(problem: Problem, changed: Changed) -> tuple[Plan, dict[str, Figures]]:
    """The rest of a day if nobody did anything: times, and what each vehicle's route still takes."""
    unbroken = replace(changed.day, broken=frozenset())
    rest = rest_of(problem, unbroken, (), (), changed.handling)
    orders = {vehicle: order for vehicle, order in rest.orders.items() if order}
    plan = simulate(rest.problem, orders).plan
    return plan, {route.vehicle: figures_of(rest.problem, route) for route in plan.routes}
