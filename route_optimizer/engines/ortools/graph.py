"""The problem's places as the solver's nodes, and the vehicles worth showing to it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from route_optimizer.insertion import kind_of
from route_optimizer.problem import UNREACHABLE, Matrix, Problem, Reload, Vehicle
from route_optimizer.search import Sequences

#: how often one vehicle may reload in the solver's eyes: each time is a node more
MOST_RELOADS = 4
#: idle vehicles of a kind beside those that the start uses
IDLE = 5


def fleet(problem: Problem, start: Sequences) -> tuple[Vehicle, ...]:
    """Those that have a route, and of each kind some idle ones: no more than stops; a few where there is a start."""
    idle: dict[tuple[Vehicle, str], int] = {}
    chosen = []
    served = {name for order in start.values() for name in order}
    spare = IDLE if len(served) >= len(problem.stops) else len(problem.stops)
    for vehicle in problem.vehicles:
        alike = kind_of(problem, vehicle)
        if not start.get(vehicle.id):
            idle[alike] = idle.get(alike, 0) + 1
            if idle[alike] > spare:
                continue
        chosen.append(vehicle)
    return tuple(chosen)


@dataclass(frozen=True)
class Graph:
    """The nodes: stops, then each vehicle's reloads, then starts and ends, then nowhere, the end of open routes."""

    problem: Problem

    @cached_property
    def reloads(self) -> tuple[tuple[int, Reload], ...]:
        """For each reload node, the number of its vehicle."""
        most = min(MOST_RELOADS, len(self.problem.stops) - 1)
        return tuple(
            (number, vehicle.reload)
            for number, vehicle in enumerate(self.problem.vehicles)
            if vehicle.reload is not None
            for _ in range(min(most, vehicle.reload.most))
        )

    @property
    def visits(self) -> int:
        """How many nodes are visited on the way: stops and reloads."""
        return len(self.problem.stops) + len(self.reloads)

    @cached_property
    def terminals(self) -> dict[int | None, int]:
        """The node of each start and end."""
        places: set[int | None] = {vehicle.start for vehicle in self.problem.vehicles}
        places |= {vehicle.end for vehicle in self.problem.vehicles}
        ordered = sorted(places - {None}, key=lambda place: place or 0) + [None] * (None in places)
        return {place: self.visits + number for number, place in enumerate(ordered)}

    @property
    def nodes(self) -> int:
        """How many nodes there are."""
        return self.visits + len(self.terminals)

    @cached_property
    def metres(self) -> NDArray[np.int64]:
        """From node to node; `UNREACHABLE` where no road leads."""
        return self._padded(self._ways.distance_m)

    @cached_property
    def travel_s(self) -> NDArray[np.int64]:
        """From node to node, seconds of driving; `UNREACHABLE` where no road leads."""
        return self._padded(self._ways.duration_s)

    @cached_property
    def service_s(self) -> NDArray[np.int64]:
        """At each node, seconds."""
        service_s = np.zeros(self.nodes, dtype=np.int64)
        service_s[: self.visits] = [
            *(stop.service_time_s for stop in self.problem.stops),
            *(reload.duration_s for _, reload in self.reloads),
        ]
        return service_s

    @cached_property
    def seconds(self) -> NDArray[np.int64]:
        """Travel, and the service at the node that is left."""
        found = np.where(self.travel_s == UNREACHABLE, UNREACHABLE, self.travel_s + self.service_s[:, None])
        return np.asarray(found, dtype=np.int64)

    @cached_property
    def _ways(self) -> Matrix:
        places = [stop.location for stop in self.problem.stops]
        places += [reload.place for _, reload in self.reloads]
        places += [place for place in self.terminals if place is not None]
        return self.problem.matrix.among(places)

    def _padded(self, matrix: NDArray[np.int64]) -> NDArray[np.int64]:
        found = matrix.astype(np.int64)
        if None in self.terminals:
            found = np.pad(found, (0, 1))
        # from start to end goes only a vehicle that has no route
        found[self.visits :, self.visits :] = 0
        return found
