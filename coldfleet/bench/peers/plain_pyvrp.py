"""PyVRP as its documentation begins: the whole problem at once, defaults, until the time is over."""

import sys

from pyvrp import Client, Depot, Location, ProblemData, VehicleType, solve
from pyvrp.stop import MaxRuntime

from coldfleet.bench.peers.plain_routes import Asked, answer, asked
from route_optimizer.problem import LONGEST_S


def routes(wanted: Asked) -> list[list[str]]:
    """Ids of stops, route by route."""
    stops, van = wanted.problem.stops, wanted.problem.vehicles[0]
    clients = [
        Client(
            place,
            delivery=[wanted.demand(stop)],
            service_duration=stop.service_time_s,
            tw_early=stop.windows[0].opens_s if stop.windows else 0,
            tw_late=stop.windows[0].closes_s if stop.windows else LONGEST_S,
        )
        for place, stop in enumerate(stops, start=1)
    ]
    fleet = VehicleType(
        len(wanted.problem.vehicles),
        capacity=[wanted.capacity],
        tw_early=van.shift.opens_s,
        tw_late=van.shift.closes_s,
    )
    matrix = wanted.dense()
    places = [Location(0, 0)] * matrix.places
    data = ProblemData(places, clients, [Depot(0)], [fleet], [matrix.distance_m], [matrix.duration_s])  # type: ignore[list-item]
    found = solve(data, stop=MaxRuntime(wanted.seconds), seed=wanted.seed, display=False)
    return [[stops[each.idx].id for each in route if each.is_client()] for route in found.best.routes()]


if __name__ == "__main__":
    wanted = asked(sys.argv[1:])
    answer(wanted, routes(wanted))
