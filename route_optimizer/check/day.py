"""A route beside what the problem says of it: one call after another, and the trips between reloads."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from route_optimizer.plan import Reloading, Rest, Route, Visit
from route_optimizer.problem import Problem, Shipment, Stop, Vehicle


@dataclass(frozen=True, slots=True)
class Call:
    """The vehicle stands at a place, to serve a stop or to reload."""

    location: int
    #: its times as the plan says them
    said: Visit | Reloading
    #: seconds that serving or loading takes
    lasts_s: int
    #: None is a reload
    stop: Stop | None

    @property
    def name(self) -> str:
        """As a sentence has it."""
        return self.stop.id if self.stop else "the reload"


@dataclass(frozen=True)
class Trip:
    """The stops between one loading and the next."""

    #: None is the trip from the start
    reload: Reloading | None
    visits: tuple[tuple[Stop, Visit], ...]

    @property
    def stops(self) -> list[Stop]:
        """Its stops in order."""
        return [stop for stop, _ in self.visits]


@dataclass(frozen=True, slots=True)
class Shipped:
    """The problem's shipments."""

    #: by the stop they are picked up at
    out: Mapping[str, Shipment]
    #: by the stop they are delivered at
    into: Mapping[str, Shipment]


@dataclass(frozen=True)
class Day:
    """One vehicle's route."""

    problem: Problem
    shipped: Shipped
    vehicle: Vehicle
    route: Route
    calls: tuple[Call, ...]

    @cached_property
    def trips(self) -> list[Trip]:
        """The route, cut at its reloads."""
        trips: list[Trip] = []
        reload: Reloading | None = None
        visits: list[tuple[Stop, Visit]] = []
        for call in self.calls:
            if call.stop is not None and isinstance(call.said, Visit):
                visits.append((call.stop, call.said))
            elif isinstance(call.said, Reloading):
                trips.append(Trip(reload, tuple(visits)))
                reload, visits = call.said, []
        return [*trips, Trip(reload, tuple(visits))]

    @cached_property
    def legs(self) -> list[tuple[int, int]]:
        """From place to place; an open route has no leg after its last stop."""
        home = [] if self.vehicle.end is None else [self.vehicle.end]
        return list(pairwise([self.vehicle.start, *(call.location for call in self.calls), *home]))

    @cached_property
    def metres(self) -> int:
        """What it drives."""
        return sum(self.problem.matrix.metres(*leg) for leg in self.legs)

    @cached_property
    def travel_s(self) -> list[int]:
        """Seconds on each leg, rests not counted."""
        return [self.problem.matrix.seconds(*leg) for leg in self.legs]

    @property
    def seconds(self) -> int:
        """From its start to its end, as the plan says them."""
        return self.route.end_s - self.route.start_s

    def rests(self, begin_s: int, end_s: int) -> list[Rest]:
        """Those that lie within an interval."""
        return [rest for rest in self.route.rests if begin_s <= rest.start_s and rest.end_s <= end_s]


def day_of(problem: Problem, shipped: Shipped, route: Route) -> Day:
    """The route with its calls in order."""
    vehicle = problem.vehicle_by_id[route.vehicle]
    return Day(problem, shipped, vehicle, route, tuple(_calls(problem, vehicle, route)))


def _calls(problem: Problem, vehicle: Vehicle, route: Route) -> Iterator[Call]:
    for number in range(len(route.visits) + 1):
        for reloading in route.reloads:
            if reloading.after == number:
                place = vehicle.start if vehicle.reload is None else vehicle.reload.place
                lasts_s = 0 if vehicle.reload is None else vehicle.reload.duration_s
                yield Call(place, reloading, lasts_s, None)
        if number < len(route.visits):
            visit = route.visits[number]
            stop = problem.stop_by_id[visit.stop]
            yield Call(stop.location, visit, stop.service_time_s, stop)
