"""When a vehicle is where: windows, shifts, breaks and rests, lateness, rides, and what time costs."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from ortools.constraint_solver import pywrapcp  # type: ignore[import-untyped]

from route_optimizer.engines.ortools.graph import Graph
from route_optimizer.engines.ortools.prices import Prices
from route_optimizer.problem import UNREACHABLE, Break, Objective, Vehicle
from route_optimizer.schedule import opening

#: rests for the driving rule that one route is offered at most
MOST_RESTS = 4


def opens_s(graph: Graph) -> int:
    """The solver's instant 0."""
    return min(vehicle.shift.opens_s for vehicle in graph.problem.vehicles)


def horizon_s(graph: Graph) -> int:
    """No sensible plan ends later, seconds after `opens_s`: keeps numbers small when shifts are endless."""
    vehicles, stops = graph.problem.vehicles, graph.problem.stops
    latest = [vehicle.shift.opens_s for vehicle in vehicles]
    latest += [window.opens_s for stop in stops for window in stop.windows]
    latest += [stop.release_s for stop in stops]
    busy_s = (graph.visits + len(vehicles)) * int(graph.seconds.max())
    rests = [each.duration_s for vehicle in vehicles for each in vehicle.breaks]
    rests += [MOST_RESTS * vehicle.driving.rest_s for vehicle in vehicles if vehicle.driving]
    return min(max(latest) + busy_s + sum(rests), max(vehicle.shift.closes_s for vehicle in vehicles)) - opens_s(graph)


def needed(graph: Graph) -> bool:
    """Without windows, ends of shifts and the like, times are not the solver's business."""
    problem, closes_s = graph.problem, opens_s(graph) + horizon_s(graph)
    return (
        problem.objective not in (Objective.DISTANCE, Objective.FUEL)
        or problem.balance_cost_per_hour > 0
        or any(
            stop.windows or stop.release_s or stop.max_ride_s is not None or stop.due_s is not None
            for stop in problem.stops
        )
        or any(
            vehicle.max_duration_s is not None
            or vehicle.breaks
            or vehicle.driving
            or vehicle.shift.closes_s <= closes_s
            or vehicle.overtime_after_s is not None
            for vehicle in problem.vehicles
        )
        or bool((graph.seconds == UNREACHABLE).any())
    )


@dataclass(frozen=True)
class Times:
    """Adds the dimension of time, and those that follow it, to a model."""

    graph: Graph
    prices: Prices
    manager: pywrapcp.RoutingIndexManager
    routing: pywrapcp.RoutingModel
    #: the solver's index of each visit
    index: list[int]

    def add(self) -> None:
        """All of it."""
        self._add_driving()
        self._add_clock()
        self._add_windows()
        for number, vehicle in enumerate(self.graph.problem.vehicles):
            self._add_shift(number, vehicle)
            self._add_breaks(number, vehicle)
        self._add_rests()
        self._add_trip_starts()
        if self.prices.balance:
            self._add_balance()

    @property
    def _horizon_s(self) -> int:
        return self.prices.horizon_s

    @cached_property
    def _opens_s(self) -> int:
        return opens_s(self.graph)

    @property
    def _solver(self) -> pywrapcp.Solver:
        return self.routing.solver()

    @cached_property
    def _clock(self) -> pywrapcp.RoutingDimension:
        return self.routing.GetDimensionOrDie("time")

    def _add_driving(self) -> None:
        vehicles = self.graph.problem.vehicles
        if any(vehicle.max_driving_s is not None or vehicle.driving for vehicle in vehicles):
            transits = self.routing.RegisterTransitMatrix(np.maximum(self.graph.travel_s, 0).tolist())
            most = [min(self._horizon_s, _or(vehicle.max_driving_s, self._horizon_s)) for vehicle in vehicles]
            self.routing.AddDimensionWithVehicleCapacity(transits, 0, most, True, "driving")

    def _add_clock(self) -> None:
        seconds = np.where(self.graph.seconds == UNREACHABLE, self._horizon_s + 1, self.graph.seconds)
        transits = self.routing.RegisterTransitMatrix(seconds.tolist())
        self.routing.AddDimension(transits, self._horizon_s, self._horizon_s, False, "time")

    def _add_windows(self) -> None:
        for index, stop in zip(self.index, self.graph.problem.stops, strict=False):
            windows = [(each.opens_s - self._opens_s, each.closes_s - self._opens_s) for each in opening(stop.windows)]
            reachable = [
                (max(0, opens), min(closes, self._horizon_s))
                for opens, closes in windows
                if closes >= 0 and opens <= self._horizon_s
            ]
            cumul = self._clock.CumulVar(index)
            if not reachable:
                self.routing.VehicleVar(index).SetValue(-1)
                continue
            cumul.SetRange(reachable[0][0], reachable[-1][1])
            for (_, closes), (opens, _) in pairwise(reachable):
                cumul.RemoveInterval(closes + 1, opens - 1)
            per_second = self.prices.priced(self.prices.late(stop))
            if stop.due_s is not None and per_second:
                self._clock.SetCumulVarSoftUpperBound(index, max(0, stop.due_s - self._opens_s), per_second)

    def _add_shift(self, number: int, vehicle: Vehicle) -> None:
        start, end = self.routing.Start(number), self.routing.End(number)
        shift = vehicle.shift.opens_s - self._opens_s, min(vehicle.shift.closes_s - self._opens_s, self._horizon_s)
        self._clock.CumulVar(start).SetRange(*shift)
        self._clock.CumulVar(end).SetRange(*shift)
        if vehicle.max_duration_s is not None:
            self._clock.SetSpanUpperBoundForVehicle(min(vehicle.max_duration_s, self._horizon_s), number)
        if per_second := self.prices.priced(self.prices.per_second(vehicle)):
            self._clock.SetSlackCostCoefficientForVehicle(per_second, number)
        if vehicle.overtime_after_s is not None and (over := self.prices.priced(self.prices.overtime(vehicle))):
            bound = pywrapcp.BoundCost(min(vehicle.overtime_after_s, self._horizon_s), over)
            self._clock.SetSoftSpanUpperBoundForVehicle(bound, number)
        self.routing.AddVariableMinimizedByFinalizer(self._clock.CumulVar(end))
        self.routing.AddVariableMaximizedByFinalizer(self._clock.CumulVar(start))

    def _add_breaks(self, number: int, vehicle: Vehicle) -> None:
        """Breaks outside of the route, which the solver allows, are those that are not due."""
        start = self._clock.CumulVar(self.routing.Start(number))
        intervals = []
        for each in self._possible(vehicle):
            opens, closes = max(0, each.earliest_s - self._opens_s), each.latest_s - self._opens_s
            interval = self._solver.FixedDurationIntervalVar(opens, closes, each.duration_s, False, f"break {number}")
            if opens + each.duration_s <= closes and vehicle.shift.closes_s > each.earliest_s + each.duration_s:
                # not over before the route begins, unless it begins when the break is no longer due
                late = self._solver.IsGreaterCstVar(start, closes)
                self._solver.Add(interval.StartExpr() + late * (self._horizon_s + 1) >= start)
            intervals.append(interval)
        if intervals:
            self._clock.SetBreakIntervalsOfVehicle(intervals, number, self._services)

    def _possible(self, vehicle: Vehicle) -> Iterable[Break]:
        """The breaks that can be due at all."""
        for each in vehicle.breaks:
            ends_s = min(vehicle.shift.closes_s, self._opens_s + self._horizon_s)
            if each.duration_s and vehicle.shift.opens_s <= each.latest_s < ends_s:
                yield each

    def _add_rests(self) -> None:
        """A rest for each `longest_s` of driving beside all that fills the day, less the breaks that are long enough.

        How many, not where; and a rest may fall into waiting, which is not what fills the day.
        """
        if not any(vehicle.driving for vehicle in self.graph.problem.vehicles):
            return
        transits = self.routing.RegisterTransitMatrix(np.maximum(self.graph.seconds, 0).tolist())
        self.routing.AddDimension(transits, 0, self._horizon_s, True, "busy")
        for number, vehicle in enumerate(self.graph.problem.vehicles):
            rule = vehicle.driving
            if rule is None:
                continue
            start, end = self.routing.Start(number), self.routing.End(number)
            driven = self.routing.GetDimensionOrDie("driving").CumulVar(end)
            breaks = sum(each.duration_s >= rule.rest_s for each in self._possible(vehicle))
            least_s = self.routing.GetDimensionOrDie("busy").CumulVar(end)
            for place in range(breaks + 1, breaks + 1 + MOST_RESTS):
                if place * rule.longest_s < driven.Max():
                    due = self._solver.IsGreaterCstVar(driven, place * rule.longest_s)
                    least_s = least_s + due * min(rule.rest_s, self._horizon_s)
            self._solver.Add(self._clock.CumulVar(end) - self._clock.CumulVar(start) >= least_s)

    @cached_property
    def _services(self) -> list[int]:
        """At each of the solver's indices, seconds of service, into which no break falls."""
        nodes = (self.manager.IndexToNode(index) for index in range(self.routing.Size()))
        return [int(self.graph.service_s[node]) for node in nodes]

    def _add_trip_starts(self) -> None:
        """When the vehicle left with the goods of each stop, if somebody asks: a release, or the length of a ride."""
        stops = self.graph.problem.stops
        if not any(stop.release_s or stop.max_ride_s is not None for stop in stops):
            return
        nothing = self.routing.RegisterUnaryTransitVector([0] * self.graph.nodes)
        self.routing.AddDimension(nothing, self._horizon_s, self._horizon_s, False, "left")
        left = self.routing.GetDimensionOrDie("left")
        for number in range(len(self.graph.problem.vehicles)):
            start = self.routing.Start(number)
            left.SlackVar(start).SetValue(0)
            self._solver.Add(left.CumulVar(start) == self._clock.CumulVar(start))
        for index in self.index[len(stops) :]:
            self._solver.Add(left.CumulVar(index) + left.SlackVar(index) == self._clock.CumulVar(index))
        pickups = {each.delivery: each.pickup for each in self.graph.problem.shipments}
        indices = {stop.id: index for stop, index in zip(stops, self.index, strict=False)}
        for stop, index in zip(stops, self.index, strict=False):
            left.SlackVar(index).SetValue(0)
            if stop.release_s > self._opens_s:
                if stop.release_s - self._opens_s > self._horizon_s:
                    self.routing.VehicleVar(index).SetValue(-1)
                    continue
                left.CumulVar(index).SetMin(stop.release_s - self._opens_s)
            if stop.max_ride_s is None:
                continue
            begun = left.CumulVar(index) + self._reloading(index)
            if stop.id in pickups:
                pickup = indices[pickups[stop.id]]
                begun = self._clock.CumulVar(pickup) + self._services[pickup]
            absent = (1 - self.routing.ActiveVar(index)) * (2 * self._horizon_s)
            self._solver.Add(self._clock.CumulVar(index) <= begun + absent + min(stop.max_ride_s, self._horizon_s))

    def _reloading(self, index: int) -> pywrapcp.IntExpr:
        """Seconds between the beginning of the trip's reload, if there was one, and its leaving."""
        longest_s = max((reload.duration_s for _, reload in self.graph.reloads), default=0)
        if not longest_s:
            return 0
        trips = self.routing.GetDimensionOrDie("trips").CumulVar(index)
        return self._solver.IsGreaterOrEqualCstVar(trips, 1) * longest_s

    def _add_balance(self) -> None:
        """What each route takes, counted from 0, so that the largest of them is a price."""
        transits = self.routing.RegisterTransitMatrix(np.maximum(self.graph.seconds, 0).tolist())
        self.routing.AddDimension(transits, self._horizon_s, 2 * self._horizon_s, True, "duration")
        durations = self.routing.GetDimensionOrDie("duration")
        durations.SetGlobalSpanCostCoefficient(self.prices.priced(self.prices.balance))
        for number in range(len(self.graph.problem.vehicles)):
            start, end = self.routing.Start(number), self.routing.End(number)
            took = self._clock.CumulVar(end) - self._clock.CumulVar(start)
            self._solver.Add(durations.CumulVar(end) >= took)


def _or(limit: int | None, otherwise: int) -> int:
    return otherwise if limit is None else limit
