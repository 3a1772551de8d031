"""VROOM at its highest level of exploration, on one thread."""

import sys
from datetime import timedelta

import numpy as np
import vroom  # type: ignore[import-untyped]

from coldfleet.bench.peers.plain_routes import Asked, answer, asked


def routes(wanted: Asked) -> list[list[str]]:
    """Ids of stops, route by route."""
    stops, matrix = wanted.problem.stops, wanted.dense()
    problem = vroom.Input()
    problem.set_durations_matrix("car", matrix.duration_s.astype(np.uint32))
    problem.set_distances_matrix("car", matrix.distance_m.astype(np.uint32))
    problem.set_costs_matrix("car", matrix.distance_m.astype(np.uint32))
    van = wanted.problem.vehicles[0]
    timed = any(stop.windows for stop in stops)
    shift = {"time_window": vroom.TimeWindow(van.shift.opens_s, van.shift.closes_s)} if timed else {}
    for number in range(len(wanted.problem.vehicles)):
        problem.add_vehicle(vroom.Vehicle(number, start=0, end=0, capacity=[wanted.capacity], **shift))
    for number, stop in enumerate(stops, start=1):
        windows = [vroom.TimeWindow(each.opens_s, each.closes_s) for each in stop.windows]
        opening = {"time_windows": windows} if windows else {}
        problem.add_job(
            vroom.Job(number, number, default_service=stop.service_time_s, delivery=[wanted.demand(stop)], **opening)
        )
    found = problem.solve(exploration_level=5, nb_threads=1, timeout=timedelta(seconds=wanted.seconds))
    jobs = found.routes[found.routes["type"] == "job"]
    return [[stops[number - 1].id for number in of_one["id"]] for _, of_one in jobs.groupby("vehicle_id")]


if __name__ == "__main__":
    wanted = asked(sys.argv[1:])
    answer(wanted, routes(wanted))
