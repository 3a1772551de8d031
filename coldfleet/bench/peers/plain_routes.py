"""What the peers of `coldfleet bench routes` are asked, and how they answer: one process, one instance.

    python -m coldfleet.bench.peers.plain_pyvrp INSTANCE SECONDS SEED ANSWER.json

Only instances of one depot, one kind of vehicle and one window a stop.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from route_optimizer.formats.read import read
from route_optimizer.problem import Matrix, Problem, Stop


@dataclass(frozen=True)
class Asked:
    """One question."""

    problem: Problem
    seconds: float
    seed: int
    output: Path

    @property
    def capacity(self) -> int:
        """Of each vehicle."""
        return self.problem.vehicles[0].capacities[0].limit

    def demand(self, stop: Stop) -> int:
        """What a stop takes of it."""
        return sum(load.amount for load in stop.loads)

    def dense(self) -> Matrix:
        """Every way between the depot, which comes first, and the stops in their order."""
        return self.problem.matrix.among(range(self.problem.matrix.places))


def asked(arguments: Sequence[str]) -> Asked:
    """Read the command line."""
    path, seconds, seed, output = arguments
    return Asked(read(Path(path)).problem, float(seconds), int(seed), Path(output))


def answer(wanted: Asked, routes: Sequence[Sequence[str]]) -> None:
    """Write the routes as PLAN.json has them."""
    numbered = [{"stops": [int(stop) for stop in route]} for route in routes if route]
    wanted.output.write_text(json.dumps({"routes": numbered}), encoding="utf-8")
