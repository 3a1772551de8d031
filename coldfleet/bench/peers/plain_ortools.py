"""OR-Tools as it is used by itself: matrices in C++, guided local search, no stop optional.

The cheapest arc makes the better start, and on some instances none at all; then insertion has the same time once more.
"""

import sys

from ortools.constraint_solver import pywrapcp, routing_enums_pb2  # type: ignore[import-untyped]

from coldfleet.bench.peers.plain_routes import Asked, answer, asked

FIRST = routing_enums_pb2.FirstSolutionStrategy


def routes(wanted: Asked) -> list[list[str]]:
    """Ids of stops, route by route; none when it finds none."""
    return _search(wanted, FIRST.PATH_CHEAPEST_ARC) or _search(wanted, FIRST.PARALLEL_CHEAPEST_INSERTION)


def _search(wanted: Asked, first: int) -> list[list[str]]:
    problem, matrix = wanted.problem, wanted.dense()
    vehicles, stops = len(problem.vehicles), problem.stops
    manager = pywrapcp.RoutingIndexManager(matrix.places, vehicles, 0)
    routing = pywrapcp.RoutingModel(manager)
    routing.SetArcCostEvaluatorOfAllVehicles(routing.RegisterTransitMatrix(matrix.distance_m.tolist()))
    demands = routing.RegisterUnaryTransitVector([0, *(wanted.demand(stop) for stop in stops)])
    routing.AddDimensionWithVehicleCapacity(demands, 0, [wanted.capacity] * vehicles, True, "load")
    if any(stop.windows for stop in stops):
        _add_time(wanted, routing, manager)
    parameters = pywrapcp.DefaultRoutingSearchParameters()
    parameters.first_solution_strategy = first
    parameters.local_search_metaheuristic = routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
    parameters.time_limit.FromMilliseconds(round(1_000 * wanted.seconds))
    found = routing.SolveWithParameters(parameters)
    return [] if found is None else [_order(wanted, routing, manager, found, number) for number in range(vehicles)]


def _add_time(wanted: Asked, routing: pywrapcp.RoutingModel, manager: pywrapcp.RoutingIndexManager) -> None:
    service_s = [0, *(stop.service_time_s for stop in wanted.problem.stops)]
    seconds = (wanted.dense().duration_s + [[each] for each in service_s]).tolist()
    horizon_s = wanted.problem.vehicles[0].shift.closes_s
    routing.AddDimension(routing.RegisterTransitMatrix(seconds), horizon_s, horizon_s, False, "time")
    times = routing.GetDimensionOrDie("time")
    for number, stop in enumerate(wanted.problem.stops, start=1):
        window = stop.windows[0]
        times.CumulVar(manager.NodeToIndex(number)).SetRange(window.opens_s, min(window.closes_s, horizon_s))


def _order(
    wanted: Asked,
    routing: pywrapcp.RoutingModel,
    manager: pywrapcp.RoutingIndexManager,
    found: pywrapcp.Assignment,
    vehicle: int,
) -> list[str]:
    order = []
    index = found.Value(routing.NextVar(routing.Start(vehicle)))
    while not routing.IsEnd(index):
        order.append(wanted.problem.stops[manager.IndexToNode(index) - 1].id)
        index = found.Value(routing.NextVar(index))
    return order


if __name__ == "__main__":
    wanted = asked(sys.argv[1:])
    answer(wanted, routes(wanted))
