"""One problem as the solver sees it."""

from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from ortools.constraint_solver import pywrapcp, routing_enums_pb2  # type: ignore[import-untyped]
from ortools.constraint_solver.routing_parameters_pb2 import RoutingSearchParameters  # type: ignore[import-untyped]

from route_optimizer.engines.ortools.graph import Graph
from route_optimizer.engines.ortools.loads import Loads
from route_optimizer.engines.ortools.prices import Prices
from route_optimizer.engines.ortools.times import Times, horizon_s, needed
from route_optimizer.engines.ortools.watch import Watch
from route_optimizer.facts import facts_of
from route_optimizer.insertion import kind_of
from route_optimizer.loads import hold_of
from route_optimizer.plan import Order
from route_optimizer.problem import Problem, Stop, Vehicle
from route_optimizer.repair import tidy
from route_optimizer.schedule import order_of, route
from route_optimizer.search import Found, Search, Sequences

FIRST = routing_enums_pb2.FirstSolutionStrategy.PARALLEL_CHEAPEST_INSERTION
METAHEURISTIC = routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH


class Model:
    """The solver's model of a problem, built at once, run once."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.graph = Graph(problem)
        terminals = self.graph.terminals
        self.manager = pywrapcp.RoutingIndexManager(
            self.graph.nodes,
            len(problem.vehicles),
            [terminals[vehicle.start] for vehicle in problem.vehicles],
            [terminals[vehicle.end] for vehicle in problem.vehicles],
        )
        self.routing = pywrapcp.RoutingModel(self.manager)
        #: the solver's index of each stop, then of each reload
        self.index: list[int] = [self.manager.NodeToIndex(node) for node in range(self.graph.visits)]
        self.number = {stop.id: number for number, stop in enumerate(problem.stops)}
        self.prices = Prices(self.graph, horizon_s(self.graph))
        self._add_costs()
        Loads(self.graph, self.routing, self.index).add()
        self._add_distance()
        if needed(self.graph):
            Times(self.graph, self.prices, self.manager, self.routing, self.index).add()
        self._add_stops()
        self._add_reloads()
        self._add_ties()
        self._add_locks()

    def _add_costs(self) -> None:
        registered: dict[tuple[int, int], int] = {}
        for number, vehicle in enumerate(self.problem.vehicles):
            rates = self.prices.per_metre(vehicle), self.prices.per_second(vehicle)
            if rates not in registered:
                registered[rates] = self.routing.RegisterTransitMatrix(self.prices.arcs(vehicle).tolist())
            self.routing.SetArcCostEvaluatorOfVehicle(registered[rates], number)
            self.routing.SetFixedCostOfVehicle(self.prices.priced(self.prices.fixed(vehicle)), number)
        if self.prices.reassign and any(stop.planned_on for stop in self.problem.stops):
            self._add_reassigning()

    def _add_reassigning(self) -> None:
        """Count the stops on another vehicle than planned, and price the count."""
        rest = self.graph.nodes - len(self.problem.stops)
        counts = [
            [int(stop.planned_on not in (None, vehicle.id)) for stop in self.problem.stops] + [0] * rest
            for vehicle in self.problem.vehicles
        ]
        transits = [self.routing.RegisterUnaryTransitVector(each) for each in counts]
        most = [len(self.problem.stops)] * len(counts)
        self.routing.AddDimensionWithVehicleTransitAndCapacity(transits, 0, most, True, "reassigned")
        reassigned = self.routing.GetDimensionOrDie("reassigned")
        for number in range(len(counts)):
            reassigned.SetSpanCostCoefficientForVehicle(self.prices.priced(self.prices.reassign), number)

    def _add_distance(self) -> None:
        limits = [vehicle.max_distance_m for vehicle in self.problem.vehicles]
        if any(limit is not None for limit in limits):
            metres = self.graph.metres.clip(min=0)
            longest = int(metres.max()) * (self.graph.visits + 1)
            transits = self.routing.RegisterTransitMatrix(metres.tolist())
            most = [longest if limit is None else min(limit, longest) for limit in limits]
            self.routing.AddDimensionWithVehicleCapacity(transits, 0, most, True, "distance")

    def _add_stops(self) -> None:
        facts, vehicles = facts_of(self.problem), self.problem.vehicles
        able = [hold_of(facts, facts.van(vehicle)).able for vehicle in vehicles]
        locked = {name: number for number, vehicle in enumerate(vehicles) for name in vehicle.locked}
        for index, stop in zip(self.index, self.problem.stops, strict=False):
            self.routing.AddDisjunction([index], self.prices.penalty(stop))
            allowed = [number for number in range(len(vehicles)) if stop.id in able[number]]
            if stop.id in locked:
                allowed = [number for number in allowed if number == locked[stop.id]]
            elif stop.loads:
                allowed = [number for number in allowed if _loads(vehicles[number], stop)]
            if len(allowed) < len(vehicles):
                self.routing.VehicleVar(index).SetValues([-1, *allowed])

    def _add_reloads(self) -> None:
        """Optional for nothing; not right after the start or another, not right before the end."""
        reloads = self.index[len(self.problem.stops) :]
        for index, (number, _) in zip(reloads, self.graph.reloads, strict=True):
            self.routing.AddDisjunction([index], 0)
            self.routing.VehicleVar(index).SetValues([-1, number])
            self.routing.NextVar(self.routing.Start(number)).RemoveValue(index)
            self.routing.NextVar(index).RemoveValue(self.routing.End(number))
            self.routing.NextVar(index).RemoveValues([other for other in reloads if other != index])

    def _add_ties(self) -> None:
        """Shipments, and who drives with whom."""
        solver, vehicle_of = self.routing.solver(), self.routing.VehicleVar
        for together in self.problem.together:
            # as a price: with an equation no route could be begun, stops being put in one at a time
            torn = self.prices.mandatory // self.prices.divisor
            self.routing.AddSoftSameVehicleConstraint([self._index(name) for name in sorted(together)], torn)
        for apart in self.problem.apart:
            solver.Add(solver.AllDifferentExcept([vehicle_of(self._index(name)) for name in sorted(apart)], -1))
        paired: set[int] = set()
        for shipment in self.problem.shipments:
            pickup, delivery = self._index(shipment.pickup), self._index(shipment.delivery)
            solver.Add(vehicle_of(pickup) == vehicle_of(delivery))
            if self.graph.reloads:
                trips = self.routing.GetDimensionOrDie("trips")
                solver.Add(trips.CumulVar(pickup) == trips.CumulVar(delivery))
            if paired.isdisjoint((pickup, delivery)):
                self.routing.AddPickupAndDelivery(pickup, delivery)
                paired |= {pickup, delivery}
            else:
                solver.Add(self._place(pickup) < self._place(delivery))

    def _index(self, name: str) -> int:
        return self.index[self.number[name]]

    def _place(self, index: int) -> pywrapcp.IntVar:
        """Which of the route's visits it is."""
        if not self.routing.HasDimension("place"):
            self.routing.AddConstantDimension(1, self.graph.visits + 2, True, "place")
        return self.routing.GetDimensionOrDie("place").CumulVar(index)

    def _add_locks(self) -> None:
        """A locked route begins as it must, or is none: there is only one way on from each of its stops."""
        for number, vehicle in enumerate(self.problem.vehicles):
            if not vehicle.locked:
                continue
            start, end = self.routing.Start(number), self.routing.End(number)
            way = [self._index(name) for name in vehicle.locked]
            # without ties to stops that come later, the locked ones are a route of their own
            alone = replace(self.problem, shipments=(), together=())
            if route(alone, vehicle, order_of(alone, vehicle.locked)) is not None:
                for here, there in zip([start, *way], way, strict=False):
                    self.routing.NextVar(here).SetValue(there)
                continue
            self.routing.NextVar(start).SetValues([way[0], end])
            for here, there in pairwise(way):
                self.routing.NextVar(here).SetValues([here, there])

    def run(self, search: Search) -> Found:
        """Search, and read the best sequences off."""
        watch = Watch(self, search)
        limit = self.routing.solver().CustomLimit(watch.is_over)
        self.routing.AddSearchMonitor(limit)
        self.routing.AddAtSolutionCallback(watch.look)
        parameters = pywrapcp.DefaultRoutingSearchParameters()
        parameters.first_solution_strategy = FIRST
        parameters.local_search_metaheuristic = METAHEURISTIC
        _limit(parameters, search)
        self.routing.CloseModelWithParameters(parameters)
        assignment = None
        if search.start:
            given = self.routing.ReadAssignmentFromRoutes(self._routes(search.start), True)
            if given is not None:
                _limit(parameters, search)
                assignment = self.routing.SolveFromAssignmentWithParameters(given, parameters)
        if assignment is None and not search.over:
            _limit(parameters, search)
            assignment = self.routing.SolveWithParameters(parameters)
        if assignment is None:
            return Found(search.start or {}, watch.ending)
        return Found(self.sequences(assignment.Value), watch.ending)

    def _routes(self, start: Sequences) -> list[list[int]]:
        """The start as the solver reads it, without what it was not shown."""
        spare: dict[int, deque[int]] = defaultdict(deque)
        for index, (number, _) in zip(self.index[len(self.problem.stops) :], self.graph.reloads, strict=True):
            spare[number].append(index)
        routes = []
        for number, vehicle in enumerate(self.problem.vehicles):
            route = []
            for name in start.get(vehicle.id, ()):
                if name in self.number:
                    route.append(self.index[self.number[name]])
                elif name is None and spare[number]:
                    route.append(spare[number].popleft())
            routes.append(route)
        return routes

    def sequences(self, value: Callable[[pywrapcp.IntVar], int]) -> dict[str, Order]:
        """The orders driven; among vehicles of one kind the first ones drive."""
        idle: dict[tuple[Vehicle, str], deque[str]] = defaultdict(deque)
        for vehicle in self.problem.vehicles:
            idle[kind_of(self.problem, vehicle)].append(vehicle.id)
        found = {}
        for number, vehicle in enumerate(self.problem.vehicles):
            order = tidy(self._order(number, value))
            if order:
                found[idle[kind_of(self.problem, vehicle)].popleft()] = order
        return found

    def _order(self, vehicle: int, value: Callable[[pywrapcp.IntVar], int]) -> Iterator[str | None]:
        stops = self.problem.stops
        index = value(self.routing.NextVar(self.routing.Start(vehicle)))
        while not self.routing.IsEnd(index):
            node = self.manager.IndexToNode(index)
            yield stops[node].id if node < len(stops) else None
            index = value(self.routing.NextVar(index))

    def cost(self) -> int:
        """Of the solution at hand, as the solver counts."""
        return int(self.routing.CostVar().Max())

    def orders(self) -> dict[str, Order]:
        """What is driven in the solution at hand."""
        return self.sequences(lambda variable: variable.Value())

    def left_out(self) -> int:
        """In the solution at hand, how many stops are not served."""
        active: Sequence[int] = [self.routing.ActiveVar(index).Max() for index in self.index[: len(self.problem.stops)]]
        return len(active) - sum(active)


def _loads(vehicle: Vehicle, stop: Stop) -> bool:
    """Whether the vehicle ever loads the stop's goods, or has them."""
    return vehicle.on_board is None or vehicle.reload is not None or stop.id in vehicle.on_board


def _limit(parameters: RoutingSearchParameters, search: Search) -> None:
    parameters.time_limit.FromMilliseconds(max(1, round(1_000 * search.remaining_s)))
