"""One vehicle and the stops it serves in a given order: may it, when is it where, and what does it cost.

Every engine's routes get their times here, so that a plan's times do not depend on who found it. The judge does not use
this module: it computes for itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from route_optimizer.plan import Route, Visit
from route_optimizer.problem import ANY_TIME, LONGEST_S, UNREACHABLE, Objective, Problem, Stop, Vehicle, Window


def route(problem: Problem, vehicle: Vehicle, stops: Sequence[Stop]) -> Route | None:
    """The route with the shortest duration that keeps every rule, the earliest of them; None when there is none.

    `stops` must not be empty.
    """
    if not carries(vehicle, stops) or (vehicle.max_stops is not None and len(stops) > vehicle.max_stops):
        return None
    way = legs(vehicle, stops)
    metres = [problem.matrix.metres(*leg) for leg in way]
    if UNREACHABLE in metres or (vehicle.max_distance_m is not None and sum(metres) > vehicle.max_distance_m):
        return None
    times = _Times([problem.matrix.seconds(*leg) for leg in way], stops, vehicle.shift)
    departure_s = times.best_departure()
    if departure_s is None:
        return None
    starts = times.forward(departure_s)
    end_s = starts[-1] + stops[-1].service_time_s + times.home_s
    if vehicle.max_duration_s is not None and end_s - departure_s > vehicle.max_duration_s:
        return None
    return Route(
        vehicle=vehicle.id,
        start_s=departure_s,
        end_s=end_s,
        visits=tuple(times.visits(departure_s, starts)),
        distance_m=sum(metres),
        cost=cost(problem.objective, vehicle, distance_m=sum(metres), duration_s=end_s - departure_s),
    )


def cost(objective: Objective, vehicle: Vehicle, *, distance_m: int, duration_s: int) -> int:
    """What a route costs, in units of the objective; money is rounded to the nearest minor unit."""
    if objective is Objective.DISTANCE:
        return distance_m
    if objective is Objective.TIME:
        return duration_s
    # in 1/18000 of a minor unit both rates are whole
    fine = 18 * distance_m * vehicle.cost_per_km_minor + 5 * duration_s * vehicle.cost_per_hour_minor
    return vehicle.fixed_cost_minor + (fine + 9_000) // 18_000


def carries(vehicle: Vehicle, stops: Sequence[Stop]) -> bool:
    """Whether it has the skills, the compartments and the room for all of these at once."""
    for stop in stops:
        if not stop.skills <= vehicle.skills:
            return False
        if not {load.compartment for load in stop.loads} - {None} <= vehicle.compartments:
            return False
    loads = [load for stop in stops for load in stop.loads]
    return all(
        each.limit
        >= sum(
            load.amount
            for load in loads
            if load.dimension == each.dimension and each.compartment in (None, load.compartment)
        )
        for each in vehicle.capacities
    )


def opening(windows: Sequence[Window]) -> tuple[Window, ...]:
    """The same instants as disjoint windows in order; any time when none is given."""
    merged: list[Window] = []
    for window in sorted(windows, key=lambda each: each.opens_s):
        if merged and window.opens_s <= merged[-1].closes_s + 1:
            merged[-1] = Window(merged[-1].opens_s, max(merged[-1].closes_s, window.closes_s))
        else:
            merged.append(window)
    return tuple(merged) or (ANY_TIME,)


def legs(vehicle: Vehicle, stops: Sequence[Stop]) -> list[tuple[int, int]]:
    """From place to place, start to end; an open route has no leg after its last stop."""
    places = [vehicle.start, *(stop.location for stop in stops)]
    if vehicle.end is not None:
        places.append(vehicle.end)
    return list(pairwise(places))


@dataclass(slots=True)
class _Times:
    """The times of one order of stops."""

    #: seconds for each leg, the one home last (absent on an open route)
    legs: list[int]
    stops: Sequence[Stop]
    shift: Window

    @property
    def home_s(self) -> int:
        return self.legs[-1] if len(self.legs) > len(self.stops) else 0

    def forward(self, departure_s: int) -> list[int]:
        """The earliest instants at which service can start, stop by stop; empty when a stop is closed for good."""
        starts = []
        now_s = departure_s
        for stop, leg_s in zip(self.stops, self.legs, strict=False):
            arrival_s = now_s + leg_s
            start_s = next(
                (max(arrival_s, each.opens_s) for each in opening(stop.windows) if each.closes_s >= arrival_s), None
            )
            if start_s is None:
                return []
            starts.append(start_s)
            now_s = start_s + stop.service_time_s
        return starts

    def latest_departure(self, end_s: int) -> int:
        """The latest departure that is over by `end_s`, which `forward` must have reached."""
        by_s = end_s - self.home_s
        for stop, leg_s in zip(reversed(self.stops), reversed(self.legs[: len(self.stops)]), strict=True):
            by_s -= stop.service_time_s
            by_s = next(min(by_s, each.closes_s) for each in reversed(opening(stop.windows)) if each.opens_s <= by_s)
            by_s -= leg_s
        return min(by_s, self.shift.closes_s)

    def best_departure(self) -> int | None:
        """The departure of the shortest duration, the earliest end among equals; None when the shift is too short.

        Leaving later shortens waiting until some stop's window would be missed; the next window of that stop begins
        another candidate. There are no more of them than windows.
        """
        best: tuple[int, int] | None = None
        departure_s = self.shift.opens_s
        while starts := self.forward(departure_s):
            end_s = starts[-1] + self.stops[-1].service_time_s + self.home_s
            if end_s > self.shift.closes_s:
                break
            departure_s = self.latest_departure(end_s)
            if best is None or end_s - departure_s < best[0]:
                best = end_s - departure_s, departure_s
            departure_s += 1 + self._slack(departure_s)
        return best[1] if best else None

    def _slack(self, departure_s: int) -> int:
        """How much later each service may start without leaving its window, up to the first stop that waits."""
        slack = LONGEST_S
        now_s = departure_s
        for stop, leg_s, start_s in zip(self.stops, self.legs, self.forward(departure_s), strict=False):
            if start_s > now_s + leg_s:
                break
            slack = min(
                slack, next(each.closes_s for each in opening(stop.windows) if each.closes_s >= start_s) - start_s
            )
            now_s = start_s + stop.service_time_s
        return slack

    def visits(self, departure_s: int, starts: Sequence[int]) -> list[Visit]:
        found = []
        now_s = departure_s
        for stop, leg_s, start_s in zip(self.stops, self.legs, starts, strict=False):
            found.append(Visit(stop.id, now_s + leg_s, start_s, start_s + stop.service_time_s))
            now_s = start_s + stop.service_time_s
        return found
