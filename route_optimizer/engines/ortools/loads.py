"""What a vehicle holds, counts and may take along, as the solver's dimensions.

A dimension's value at a node is what was counted on the way there. Goods brought are counted from 0 and must stay below
the capacity. Where a vehicle also takes goods along, two values are kept: what was taken (`collected`), and what is
held altogether (`held`), free at the start; that there is always enough left to bring is `held >= collected`.
"""

from dataclasses import dataclass

from ortools.constraint_solver import pywrapcp  # type: ignore[import-untyped]

from route_optimizer.engines.ortools.graph import Graph
from route_optimizer.problem import Compartment, Load


@dataclass(frozen=True)
class Loads:
    """Adds the dimensions of goods, stops, trips and orders to a model."""

    graph: Graph
    routing: pywrapcp.RoutingModel
    #: the solver's index of each visit
    index: list[int]

    def add(self) -> None:
        """All of them."""
        vehicles = self.graph.problem.vehicles
        limits = {(each.dimension, each.compartment) for vehicle in vehicles for each in vehicle.capacities}
        for dimension, compartment in sorted(limits, key=str):
            self._add_goods(dimension, compartment)
        if any(vehicle.max_stops is not None for vehicle in vehicles):
            stops = len(self.graph.problem.stops)
            most = [stops if vehicle.max_stops is None else vehicle.max_stops for vehicle in vehicles]
            self._count("stops", [1] * stops, most)
        if self.graph.reloads:
            self._add_trips()

    def _add_goods(self, dimension: str, compartment: Compartment | None) -> None:
        problem = self.graph.problem

        def amount(loads: tuple[Load, ...]) -> int:
            same = (each for each in loads if each.dimension == dimension)
            return sum(each.amount for each in same if compartment in (None, each.compartment))

        number = {stop.id: place for place, stop in enumerate(problem.stops)}
        brought = [amount(stop.loads) for stop in problem.stops]
        taken = [amount(stop.collects) for stop in problem.stops]
        for each in problem.shipments:
            taken[number[each.pickup]] += amount(each.loads)
            taken[number[each.delivery]] -= amount(each.loads)
        most = sum(brought) + sum(max(0, each) for each in taken)
        limits = [
            {(each.dimension, each.compartment): each.limit for each in vehicle.capacities}.get(
                (dimension, compartment), most
            )
            for vehicle in problem.vehicles
        ]
        limits = [min(limit, most) for limit in limits]
        name = f"{dimension} {compartment}"
        if not any(taken):
            self._count(name, brought, limits)
            return
        if not any(brought):
            self._count(name, taken, limits)
            return
        self._count(f"{name} collected", taken, limits)
        self._count(
            name, [plus - minus for plus, minus in zip(taken, brought, strict=True)], limits, begins_empty=False
        )
        collected = self.routing.GetDimensionOrDie(f"{name} collected")
        held = self.routing.GetDimensionOrDie(name)
        ends = [self.routing.End(vehicle) for vehicle in range(len(problem.vehicles))]
        for index in (*self.index, *ends):
            self.routing.solver().Add(held.CumulVar(index) >= collected.CumulVar(index))

    def _count(self, name: str, amounts: list[int], limits: list[int], *, begins_empty: bool = True) -> None:
        """A dimension that a reload sets to 0, or to anything."""
        most = max(limits)
        reloads, terminals = len(self.graph.reloads), len(self.graph.terminals)
        transits = self.routing.RegisterUnaryTransitVector([*amounts, *[-most] * reloads, *[0] * terminals])
        slack = 0 if not reloads else most if begins_empty else 2 * most
        self.routing.AddDimensionWithVehicleCapacity(transits, slack, limits, begins_empty, name)
        if slack:
            dimension = self.routing.GetDimensionOrDie(name)
            self._still(dimension, reloads_too=False)

    def _still(self, dimension: pywrapcp.RoutingDimension, *, reloads_too: bool) -> None:
        """Nothing is added at starts and stops."""
        stops = len(self.graph.problem.stops)
        starts = [self.routing.Start(vehicle) for vehicle in range(len(self.graph.problem.vehicles))]
        for index in (*starts, *(self.index if reloads_too else self.index[:stops])):
            dimension.SlackVar(index).SetValue(0)

    def _add_trips(self) -> None:
        """How often the vehicle has reloaded so far."""
        stops, vehicles = self.graph.problem.stops, self.graph.problem.vehicles
        transits = self.routing.RegisterUnaryTransitVector(
            [*[0] * len(stops), *[1] * len(self.graph.reloads), *[0] * len(self.graph.terminals)]
        )
        most = max(vehicle.reload.most for vehicle in vehicles if vehicle.reload is not None)
        self.routing.AddDimension(transits, 0, min(most, len(self.graph.reloads)), True, "trips")
        trips = self.routing.GetDimensionOrDie("trips")
        numbers = {vehicle.id: number for number, vehicle in enumerate(vehicles)}
        boards = {name: vehicle.id for vehicle in vehicles for name in vehicle.on_board or ()}
        solver = self.routing.solver()
        for index, stop in zip(self.index, stops, strict=False):
            if stop.id in boards:
                trips.CumulVar(index).SetValue(0)
                continue
            if not stop.loads:
                continue
            for vehicle in vehicles:
                if vehicle.on_board is not None and vehicle.reload is not None:
                    here = solver.IsEqualCstVar(self.routing.VehicleVar(index), numbers[vehicle.id])
                    solver.Add(trips.CumulVar(index) >= here)
        ends: dict[int, int] = {}
        for (vehicle_number, _), index in zip(self.graph.reloads, self.index[len(stops) :], strict=True):
            # the nodes of one vehicle differ in nothing: the first goes first
            if vehicle_number in ends:
                before = ends[vehicle_number]
                solver.Add(self.routing.ActiveVar(index) <= self.routing.ActiveVar(before))
            ends[vehicle_number] = index
