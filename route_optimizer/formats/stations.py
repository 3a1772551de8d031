"""A route told from its start to its end, for whoever writes or draws it."""

from dataclasses import dataclass

from route_optimizer.plan import Route
from route_optimizer.problem import Problem


@dataclass(frozen=True, slots=True)
class Station:
    """What a vehicle does at one moment of its route."""

    #: `start`, `stop`, `reload`, `rest` or `end`
    what: str
    #: row of the matrix; None is somewhere on the road
    place: int | None
    #: id, of a stop
    stop: str
    #: seconds: it is there, begins, and is done
    arrival_s: int
    start_s: int
    departure_s: int


def stations(problem: Problem, route: Route) -> list[Station]:
    """Everything a vehicle does, in order of time."""
    vehicle = problem.vehicle_by_id[route.vehicle]
    loads_at = vehicle.reload.place if vehicle.reload else vehicle.start
    found = [Station("rest", None, "", rest.start_s, rest.start_s, rest.end_s) for rest in route.rests]
    found += [Station("reload", loads_at, "", each.arrival_s, each.start_s, each.departure_s) for each in route.reloads]
    for visit in route.visits:
        place = problem.stop_by_id[visit.stop].location
        found.append(Station("stop", place, visit.stop, visit.arrival_s, visit.start_s, visit.departure_s))
    found.sort(key=lambda station: (station.start_s, station.departure_s))
    start = Station("start", vehicle.start, "", route.start_s, route.start_s, route.start_s)
    end = Station("end", vehicle.end, "", route.end_s, route.end_s, route.end_s)
    return [start, *found, *([end] if vehicle.end is not None else [])]
