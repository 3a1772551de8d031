"""OR-Tools' routing library: the engine that knows every rule.

What it is careful about, each learnt by measuring:

* Every stop is optional at a penalty, so that a first solution always exists (with every stop mandatory, a bare
  cheapest-arc start found none in 30 s on some instances).
* Transits are vectors and matrices in C++; a Python callback is called millions of times.
* `SetAllowedVehiclesForIndex` does not take a list in the 9.15 wheel: the vehicle variable's values are set instead.
* The solver never lets go of the interpreter, and swallows what a callback raises. A limit written in Python, which
  reads two fields, lets other threads in and stops the search within milliseconds, for a sixth of the speed.
* Costs are 64-bit: they are divided until the largest sum that can occur fits. The plan's cost is recomputed exactly.
* It takes no seed: the seed shuffles the stops instead, which changes every tie.
"""

import random
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from ortools.constraint_solver import pywrapcp, routing_enums_pb2  # type: ignore[import-untyped]

from route_optimizer.explain import may_serve
from route_optimizer.plan import Ending
from route_optimizer.problem import UNREACHABLE, Objective, Problem, Stop, Vehicle
from route_optimizer.schedule import opening
from route_optimizer.search import Found, Search

#: the largest sum of costs handed to the solver, with room below 2^63 for what it adds itself
LARGEST_SUM = 2**58
#: a problem of at most so many stops is settled when nothing better was found for a while
SMALL = 25

FIRST = routing_enums_pb2.FirstSolutionStrategy.PATH_CHEAPEST_ARC
METAHEURISTIC = routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH


def search(problem: Problem, search: Search) -> Found:
    """Search until the budget ends; a small problem only until it is settled."""
    if not problem.stops:
        return Found({}, "optimal")
    stops = list(problem.stops)
    random.Random(search.seed).shuffle(stops)  # noqa: S311  no secret depends on it
    model = _Model(replace(problem, stops=tuple(stops), vehicles=_fleet(problem)))
    return model.run(search)


def _fleet(problem: Problem) -> tuple[Vehicle, ...]:
    """No more vehicles of a kind than stops: idle ones only slow the search."""
    kept: dict[Vehicle, list[Vehicle]] = {}
    for vehicle in problem.vehicles:
        alike = kept.setdefault(replace(vehicle, id=""), [])
        if len(alike) < len(problem.stops):
            alike.append(vehicle)
    chosen = {vehicle.id for alike in kept.values() for vehicle in alike}
    return tuple(vehicle for vehicle in problem.vehicles if vehicle.id in chosen)


@dataclass(frozen=True)
class _Graph:
    """The problem's places as nodes: the stops first, then starts and ends, then nowhere, the end of open routes."""

    problem: Problem

    @cached_property
    def terminals(self) -> dict[int | None, int]:
        """The node of each start and end."""
        places: set[int | None] = {vehicle.start for vehicle in self.problem.vehicles}
        places |= {vehicle.end for vehicle in self.problem.vehicles}
        ordered = sorted(places - {None}, key=lambda place: place or 0) + [None] * (None in places)
        return {place: len(self.problem.stops) + number for number, place in enumerate(ordered)}

    @cached_property
    def metres(self) -> NDArray[np.int64]:
        return self._between(self.problem.matrix.distance_m)

    @cached_property
    def seconds(self) -> NDArray[np.int64]:
        """Travel, and the service at the node that is left."""
        service_s = np.zeros(len(self.metres), dtype=np.int64)
        service_s[: len(self.problem.stops)] = [stop.service_time_s for stop in self.problem.stops]
        travel_s = self._between(self.problem.matrix.duration_s)
        return np.asarray(np.where(travel_s == UNREACHABLE, UNREACHABLE, travel_s + service_s[:, None]))

    def _between(self, matrix: NDArray[np.int64]) -> NDArray[np.int64]:
        places = [stop.location for stop in self.problem.stops]
        places += [place for place in self.terminals if place is not None]
        found = matrix[np.ix_(places, places)].astype(np.int64)
        if None in self.terminals:
            found = np.pad(found, (0, 1))
        return found


@dataclass(frozen=True)
class _Prices:
    """What the solver pays, in a unit in which every rate is whole, divided by `divisor`."""

    graph: _Graph
    horizon_s: int

    @cached_property
    def unit(self) -> int:
        """Solver's cost of one unit of the objective, before division."""
        return 18_000 if self.graph.problem.objective is Objective.COST else 1

    def per_metre(self, vehicle: Vehicle) -> int:
        if self.graph.problem.objective is Objective.COST:
            return 18 * vehicle.cost_per_km_minor
        return int(self.graph.problem.objective is Objective.DISTANCE)

    def per_second(self, vehicle: Vehicle) -> int:
        if self.graph.problem.objective is Objective.COST:
            return 5 * vehicle.cost_per_hour_minor
        return int(self.graph.problem.objective is Objective.TIME)

    def fixed(self, vehicle: Vehicle) -> int:
        return vehicle.fixed_cost_minor * self.unit if self.graph.problem.objective is Objective.COST else 0

    @cached_property
    def dearest_arc(self) -> int:
        return max(
            int(self.graph.metres.max()) * self.per_metre(vehicle)
            + int(self.graph.seconds.max()) * self.per_second(vehicle)
            for vehicle in self.graph.problem.vehicles
        )

    @cached_property
    def mandatory(self) -> int:
        """The penalty of one unit of weight left out: more than any plan costs, prizes included."""
        stops, vehicles = self.graph.problem.stops, self.graph.problem.vehicles
        driving = (len(stops) + len(vehicles)) * self.dearest_arc
        waiting = sum(self.horizon_s * self.per_second(vehicle) for vehicle in vehicles)
        prizes = sum((stop.prize or 0) * self.unit for stop in stops)
        return 1 + driving + waiting + prizes + sum(self.fixed(vehicle) for vehicle in vehicles)

    @cached_property
    def divisor(self) -> int:
        """1, unless the largest sum that can occur would not fit."""
        weight = sum(1 + stop.priority for stop in self.graph.problem.stops)
        return 1 + (1 + weight) * self.mandatory // LARGEST_SUM

    def penalty(self, stop: Stop) -> int:
        worth = (1 + stop.priority) * self.mandatory if stop.prize is None else stop.prize * self.unit
        return worth // self.divisor

    def arcs(self, vehicle: Vehicle) -> NDArray[np.int64]:
        """Cost of each arc; where no road leads it does not matter, the times forbid it."""
        if self.divisor == 1:
            return self.graph.metres * self.per_metre(vehicle) + self.graph.seconds * self.per_second(vehicle)
        metre, second = self.per_metre(vehicle) / self.divisor, self.per_second(vehicle) / self.divisor
        return np.rint(self.graph.metres * metre + self.graph.seconds * second).astype(np.int64)

    def seen(self, solver_cost: int) -> int:
        """A cost of the solver in units of the objective, without penalties for weight left out."""
        return solver_cost % max(1, self.mandatory // self.divisor) * self.divisor // self.unit


class _Model:
    """One problem as the solver sees it; its time 0 is when the first shift begins."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.graph = _Graph(problem)
        terminals = self.graph.terminals
        self.manager = pywrapcp.RoutingIndexManager(
            len(problem.stops) + len(terminals),
            len(problem.vehicles),
            [terminals[vehicle.start] for vehicle in problem.vehicles],
            [terminals[vehicle.end] for vehicle in problem.vehicles],
        )
        self.routing = pywrapcp.RoutingModel(self.manager)
        self.index = [self.manager.NodeToIndex(node) for node in range(len(problem.stops))]
        self.opens_s = min(vehicle.shift.opens_s for vehicle in problem.vehicles)
        self.prices = _Prices(self.graph, self._horizon_s())
        self._add_costs()
        self._add_loads()
        self._add_distance()
        if self._needs_time():
            self._add_time()
        self._add_stops()

    def _horizon_s(self) -> int:
        """No sensible plan ends later, seconds after `opens_s`: keeps numbers small when shifts are endless."""
        vehicles, stops = self.problem.vehicles, self.problem.stops
        openings = [vehicle.shift.opens_s for vehicle in vehicles]
        openings += [window.opens_s for stop in stops for window in stop.windows]
        busy_s = (len(stops) + len(vehicles)) * int(self.graph.seconds.max())
        return min(max(openings) + busy_s, max(vehicle.shift.closes_s for vehicle in vehicles)) - self.opens_s

    def _needs_time(self) -> bool:
        """Without windows, ends of shifts and the like, times are not the solver's business."""
        return (
            self.problem.objective is not Objective.DISTANCE
            or any(stop.windows for stop in self.problem.stops)
            or any(vehicle.max_duration_s is not None for vehicle in self.problem.vehicles)
            or any(vehicle.shift.closes_s - self.opens_s <= self.prices.horizon_s for vehicle in self.problem.vehicles)
            or bool((self.graph.seconds == UNREACHABLE).any())
        )

    def _add_costs(self) -> None:
        registered: dict[tuple[int, int], int] = {}
        for number, vehicle in enumerate(self.problem.vehicles):
            rates = self.prices.per_metre(vehicle), self.prices.per_second(vehicle)
            if rates not in registered:
                registered[rates] = self.routing.RegisterTransitMatrix(self.prices.arcs(vehicle).tolist())
            self.routing.SetArcCostEvaluatorOfVehicle(registered[rates], number)
            self.routing.SetFixedCostOfVehicle(self.prices.fixed(vehicle) // self.prices.divisor, number)

    def _add_loads(self) -> None:
        vehicles, stops = self.problem.vehicles, self.problem.stops
        limits = {(each.dimension, each.compartment) for vehicle in vehicles for each in vehicle.capacities}
        for dimension, compartment in sorted(limits, key=str):
            amounts = [
                sum(
                    load.amount
                    for load in stop.loads
                    if load.dimension == dimension and compartment in (None, load.compartment)
                )
                for stop in stops
            ]
            named = [
                {(each.dimension, each.compartment): each.limit for each in vehicle.capacities} for vehicle in vehicles
            ]
            capacities = [limit.get((dimension, compartment), sum(amounts)) for limit in named]
            self._count(f"{dimension} {compartment}", amounts, capacities)
        if any(vehicle.max_stops is not None for vehicle in vehicles):
            most = [len(stops) if vehicle.max_stops is None else vehicle.max_stops for vehicle in vehicles]
            self._count("stops", [1] * len(stops), most)

    def _count(self, name: str, amounts: list[int], capacities: list[int]) -> None:
        transits = self.routing.RegisterUnaryTransitVector([*amounts, *[0] * len(self.graph.terminals)])
        self.routing.AddDimensionWithVehicleCapacity(transits, 0, capacities, True, name)

    def _add_distance(self) -> None:
        limits = [vehicle.max_distance_m for vehicle in self.problem.vehicles]
        if any(limit is not None for limit in limits):
            metres = np.maximum(self.graph.metres, 0)
            longest = int(metres.max()) * (len(self.problem.stops) + 1)
            transits = self.routing.RegisterTransitMatrix(metres.tolist())
            most = [longest if limit is None else min(limit, longest) for limit in limits]
            self.routing.AddDimensionWithVehicleCapacity(transits, 0, most, True, "distance")

    def _add_time(self) -> None:
        horizon_s = self.prices.horizon_s
        seconds = np.where(self.graph.seconds == UNREACHABLE, horizon_s + 1, self.graph.seconds)
        transits = self.routing.RegisterTransitMatrix(seconds.tolist())
        self.routing.AddDimension(transits, horizon_s, horizon_s, False, "time")
        times = self.routing.GetDimensionOrDie("time")
        for number, vehicle in enumerate(self.problem.vehicles):
            shift = vehicle.shift.opens_s - self.opens_s, min(vehicle.shift.closes_s - self.opens_s, horizon_s)
            times.CumulVar(self.routing.Start(number)).SetRange(*shift)
            times.CumulVar(self.routing.End(number)).SetRange(*shift)
            if vehicle.max_duration_s is not None:
                times.SetSpanUpperBoundForVehicle(min(vehicle.max_duration_s, horizon_s), number)
            if per_second := self.prices.per_second(vehicle) // self.prices.divisor:
                times.SetSlackCostCoefficientForVehicle(per_second, number)
        for index, stop in zip(self.index, self.problem.stops, strict=True):
            windows = [(each.opens_s - self.opens_s, each.closes_s - self.opens_s) for each in opening(stop.windows)]
            reachable = [(max(0, opens), min(closes, horizon_s)) for opens, closes in windows if closes >= 0]
            cumul = times.CumulVar(index)
            cumul.SetRange(reachable[0][0], reachable[-1][1])
            for (_, closes), (opens, _) in pairwise(reachable):
                cumul.RemoveInterval(closes + 1, opens - 1)

    def _add_stops(self) -> None:
        kinds = [replace(vehicle, id="") for vehicle in self.problem.vehicles]
        for index, stop in zip(self.index, self.problem.stops, strict=True):
            self.routing.AddDisjunction([index], self.prices.penalty(stop))
            serving = {kind for kind in set(kinds) if may_serve(kind, stop)}
            allowed = [number for number, kind in enumerate(kinds) if kind in serving]
            if len(allowed) < len(kinds):
                self.routing.VehicleVar(index).SetValues([-1, *allowed])

    def run(self, search: Search) -> Found:
        """Search, and read the best sequences off."""
        watch = _Watch(self, search)
        limit = self.routing.solver().CustomLimit(watch.is_over)
        self.routing.AddSearchMonitor(limit)
        self.routing.AddAtSolutionCallback(watch.look)
        parameters = pywrapcp.DefaultRoutingSearchParameters()
        parameters.first_solution_strategy = FIRST
        parameters.local_search_metaheuristic = METAHEURISTIC
        parameters.time_limit.FromMilliseconds(max(1, round(1_000 * search.remaining_s)))
        assignment = self.routing.SolveWithParameters(parameters)
        if assignment is None:
            return Found({}, watch.ending)
        return Found(dict(self._sequences(assignment.Value)), watch.ending)

    def _sequences(self, value: Callable[[object], int]) -> Iterator[tuple[str, tuple[str, ...]]]:
        """The orders driven; among vehicles of one kind the first ones drive."""
        idle: dict[Vehicle, deque[str]] = defaultdict(deque)
        for vehicle in self.problem.vehicles:
            idle[replace(vehicle, id="")].append(vehicle.id)
        for number, vehicle in enumerate(self.problem.vehicles):
            order = []
            index = value(self.routing.NextVar(self.routing.Start(number)))
            while not self.routing.IsEnd(index):
                order.append(self.problem.stops[self.manager.IndexToNode(index)].id)
                index = value(self.routing.NextVar(index))
            if order:
                yield idle[replace(vehicle, id="")].popleft(), tuple(order)


class _Watch:
    """Between the solver and the search: what was found, and whether it is enough."""

    def __init__(self, model: _Model, search: Search) -> None:
        self.model = model
        self.search = search
        self.best: int | None = None
        #: of this thread's own work, so that a busy machine makes nobody impatient
        self.found_s = time.thread_time()
        self.began_s = self.found_s
        stops = len(model.problem.stops)
        self.patience_s = 0.05 + 0.02 * stops if stops <= SMALL else None
        self.ending: Ending = "budget"

    def look(self) -> None:
        """Called at each solution; not all are better than the best."""
        cost = self.model.routing.CostVar().Max()
        if self.best is None or cost < self.best:
            self.best = cost
            self.found_s = time.thread_time()
            left_out = sum(1 for index in self.model.index if not self.model.routing.ActiveVar(index).Max())
            self.search.found(self.model.prices.seen(cost), left_out)

    def is_over(self) -> bool:
        """Called hundreds of thousands of times a second."""
        if self.search.stopped:
            self.ending = "cancelled"
            return True
        if self.patience_s is None or self.best is None:
            return False
        if time.thread_time() - self.found_s > self.patience_s + (self.found_s - self.began_s):
            self.ending = "settled"
            return True
        return False
