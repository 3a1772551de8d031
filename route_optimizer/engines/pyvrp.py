"""PyVRP: an iterated local search in C++ that is the best there is for what it can express (see `lacks`).

Some settings are ours, measured on 200 and 1,000 stops. Its penalties start where they end up after some ten thousand
rounds, instead of a thousand times higher; a stop has fewer neighbours, so that a round is shorter; and the search
settles in half a minute rather than in several. What has to be served may be left out, at a
high price, only when no plan serves all of it soon; once one does, the search goes on with that.
"""

import time
import warnings
from collections.abc import Callable
from concurrent.futures import wait
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pyvrp import (
    CostEvaluator,
    IteratedLocalSearch,
    IteratedLocalSearchCallbacks,
    IteratedLocalSearchParams,
    PenaltyManager,
    PenaltyParams,
    ProblemData,
    RandomNumberGenerator,
    Solution,
)
from pyvrp.exceptions import PenaltyBoundWarning
from pyvrp.search import (
    OPERATORS,
    LocalSearch,
    NeighbourhoodParams,
    PerturbationManager,
    PerturbationParams,
    compute_neighbours,
)

from route_optimizer.engines.pyvrp_model import Model, model
from route_optimizer.executor import processes
from route_optimizer.problem import Problem, Stop
from route_optimizer.search import Found, Search, Sequences

#: of the budget, to find a plan that serves all, before stops may be left out
SHARE_FOR_ALL = 0.3
#: stops that are tried beside a stop, of a problem below and from `LARGE` stops: of many, fewer settle too soon
NEIGHBOURS, NEIGHBOURS_OF_LARGE = 30, 50
LARGE = 500
#: of a second late, a metre too far or a unit of load too many, in what a stop's way to a neighbour costs
PENALTY = 3.0
#: a plan is accepted when it is better than the one so many rounds ago: the more, the later the search settles
#: for each second there is, within these bounds
HISTORY_PER_S = 4.0
SHORTEST_HISTORY, LONGEST_HISTORY, LONGEST_OF_LARGE = 10, 100, 300
#: rounds without a better plan after which it begins again with the best one: these for each stop, and at least so many
RESTART_PER_STOP, RESTART = 20, 4_000
#: rounds without a better plan after which the search has settled: these, and as many for each pair of stops
PATIENCE = 1_000
PATIENCE_PER_PAIR = 20
#: fewer are searched on one core
FEWEST_FOR_CORES = 40
#: more than any plan costs
UNKNOWN = 1 << 62
#: for what another core found to arrive, seconds
ON_THE_WAY_S = 0.3
#: the plan is told this often, seconds: to write it down costs a round or two
TELL_S = 0.1


def lacks(problem: Problem) -> str | None:
    """The rule that PyVRP cannot express, in words; None when it can express them all."""
    return next((words for words, there in _RULES.items() if there(problem)), None)


def _one_trip(problem: Problem) -> bool:
    return all(vehicle.reload is None for vehicle in problem.vehicles)


def _paired(problem: Problem) -> list[Stop]:
    return [problem.stop_by_id[name] for each in problem.shipments for name in (each.pickup, each.delivery)]


_RULES: dict[str, Callable[[Problem], bool]] = {
    "breaks": lambda problem: any(vehicle.breaks for vehicle in problem.vehicles),
    "driving times": lambda problem: any(
        vehicle.driving is not None or vehicle.max_driving_s is not None for vehicle in problem.vehicles
    ),
    "locked stops": lambda problem: any(vehicle.locked for vehicle in problem.vehicles),
    "goods on board": lambda problem: any(vehicle.on_board is not None for vehicle in problem.vehicles),
    "a longest time in the vehicle": lambda problem: any(stop.max_ride_s is not None for stop in problem.stops),
    "lateness at a price": lambda problem: any(
        stop.due_s is not None and stop.late_cost_per_hour > 0 for stop in problem.stops
    ),
    "stops that one vehicle serves together": lambda problem: any(len(each) > 1 for each in problem.together),
    "stops never together on a vehicle that reloads": lambda problem: bool(problem.apart) and not _one_trip(problem),
    "most stops of a vehicle that reloads": lambda problem: any(
        vehicle.max_stops is not None and vehicle.reload is not None for vehicle in problem.vehicles
    ),
    "a price for another vehicle": lambda problem: (
        problem.reassign_cost > 0 and any(stop.planned_on is not None for stop in problem.stops)
    ),
    "a balance of the routes": lambda problem: problem.balance_cost_per_hour > 0,
    "shipments beside most stops or stops never together": lambda problem: (
        bool(problem.shipments)
        and (bool(problem.apart) or any(vehicle.max_stops is not None for vehicle in problem.vehicles))
    ),
    "shipments of several windows, release times or goods of other places": lambda problem: any(
        len(stop.windows) > 1 or stop.release_s > 0 or stop.loads or stop.collects for stop in _paired(problem)
    ),
    "several shipments from or to one stop": lambda problem: (
        len(_paired(problem)) != len({stop.id for stop in _paired(problem)})
    ),
}


def search(problem: Problem, search: Search) -> Found:
    """Sequences that keep every rule as PyVRP understands it; what it cannot express is not looked at.

    Each core goes another way; nobody waits for a core that is later than the first.
    """
    if search.cores == 1 or len(problem.stops) < FEWEST_FOR_CORES or not problem.vehicles:
        return _one_way(problem, search)
    others = search.cores - 1
    with (search.executor or processes)(others) as executor:
        seconds = max(0.0, search.remaining_s - ON_THE_WAY_S)
        told = problem, seconds, search.start, search.memory_bytes
        futures = [executor.submit(_elsewhere, *told, search.seed + 1 + number) for number in range(others)]
        found = _one_way(problem, search)
        if not search.stopped:
            wait(futures, search.remaining_s if found.ending == "budget" else ON_THE_WAY_S)
        ways = [each.result() for each in futures if each.done() and each.exception() is None]
        own = Way(found, search.best.cost if search.best else None)
        return min([own, *ways], key=lambda way: _loss(problem, way)).found


@dataclass(frozen=True, slots=True)
class Way:
    """What a core found."""

    found: Found
    #: in units of the objective, once there is a plan of its own
    cost: int | None


def _elsewhere(problem: Problem, seconds: float, start: Sequences | None, memory_bytes: int, seed: int) -> Way:
    own = Search(seconds, seed, memory_bytes=memory_bytes, start=start)
    found = _one_way(problem, own)
    return Way(found, own.best.cost if own.best else None)


def _loss(problem: Problem, way: Way) -> tuple[int, int]:
    """The weight left out, then cost and prizes lost."""
    served = {name for order in way.found.sequences.values() for name in order}
    missed = [stop for stop in problem.stops if stop.id not in served]
    weight = sum(1 + stop.priority for stop in missed if stop.prize is None)
    cost = UNKNOWN if way.cost is None else way.cost
    return weight, cost + sum(stop.prize or 0 for stop in missed)


def _one_way(problem: Problem, search: Search) -> Found:
    if not problem.stops or not problem.vehicles:
        return Found({}, "optimal")
    start = search.start or {}
    found: Sequences | None = None
    settled = False
    if not start or _serves_all(problem, start):
        found, settled = _Run(search, model(problem, must=True)).from_start(start, share=SHARE_FOR_ALL)
    if found is None and not search.over:
        found, settled = _Run(search, model(problem, must=False)).from_start(start, until_all=True)
        if found is not None and _serves_all(problem, found):
            better, settled = _Run(search, model(problem, must=True)).from_start(found)
            found = better or found
    return Found(found or start, "cancelled" if search.stopped else "settled" if settled else "budget")


def _serves_all(problem: Problem, sequences: Sequences) -> bool:
    """Whether nothing is left out but what has a prize."""
    served = {name for order in sequences.values() for name in order}
    return all(stop.id in served for stop in problem.stops if stop.prize is None)


class _Run(IteratedLocalSearchCallbacks):
    """One run of PyVRP's search, which it asks after each round whether to go on."""

    def __init__(self, search: Search, model: Model) -> None:
        self.search = search
        self.model = model
        self.settled = False
        self._best: Solution | None = None
        self._rounds = 0
        self._patience = PATIENCE + PATIENCE_PER_PAIR * len(model.problem.stops) ** 2
        self._told = 0.0
        self._to_tell = False

    def from_start(
        self, start: Sequences, *, share: float = 1.0, until_all: bool = False
    ) -> tuple[Sequences | None, bool]:
        """The best feasible plan, if any, and whether the search settled.

        Args:
            start: where to begin; nothing is a plan at random.
            share: of the time that is left, to find anything feasible at all.
            until_all: end as soon as nothing that has to be served is left out.
        """
        give_up_s = self.search.elapsed_s + share * self.search.remaining_s
        data = self.model.data
        if not data.num_clients and not data.num_shipments:
            return None, True
        generator = RandomNumberGenerator(seed=self.search.seed)
        method = local_search(data, generator)
        params = PenaltyParams(self.model.rounds_between_penalties, max_penalty=self.model.most_penalty)
        penalties = PenaltyManager(first_penalties(self.model), params)
        if start:
            first = self.model.solution(start)
        else:
            first = method(Solution.make_random(data, generator), penalties.max_cost_evaluator(), exhaustive=True)
        if first.is_feasible():
            self.on_best(first)

        def stop(best_cost: int) -> bool:
            new = self._rounds == 0
            enough = until_all and new and _serves_all(self.model.problem, self._sequences())
            lost = self._best is None and self.search.elapsed_s > give_up_s
            self._rounds += 1
            self.settled = self._rounds > self._patience
            self._tell()
            return self.search.over or self.settled or enough or lost

        stops = len(self.model.problem.stops)
        longest = LONGEST_HISTORY if stops < LARGE else LONGEST_OF_LARGE
        history = min(longest, max(SHORTEST_HISTORY, round(HISTORY_PER_S * self.search.remaining_s)))
        restart = max(RESTART, RESTART_PER_STOP * stops)
        settings = IteratedLocalSearchParams(restart, history, callbacks=self)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PenaltyBoundWarning)
            IteratedLocalSearch(data, penalties, method, first, settings).run(stop, collect_stats=False)
        self._tell(at_once=True)
        return None if self._best is None else self._sequences(), self.settled

    def _sequences(self) -> Sequences:
        return {} if self._best is None else self.model.sequences(self._best)

    def on_best(self, best: Solution) -> None:
        if best.is_feasible():
            self._best = best
            self._rounds = 0
            self._to_tell = True

    def on_iteration(
        self, current: Solution, candidate: Solution, best: Solution, cost_evaluator: CostEvaluator
    ) -> None:
        """Nothing: what matters is told by `on_best`."""

    def _tell(self, *, at_once: bool = False) -> None:
        if self._best is None or not self._to_tell or not (at_once or time.monotonic() - self._told > TELL_S):
            return
        self._told, self._to_tell = time.monotonic(), False
        model, best = self.model, self._best
        self.search.found(model.cost(best), model.left_out(best), self._sequences())


def local_search(data: ProblemData, generator: RandomNumberGenerator) -> LocalSearch:
    """PyVRP's, with our number of neighbours."""
    number = NEIGHBOURS if data.num_clients < LARGE else NEIGHBOURS_OF_LARGE
    neighbours = compute_neighbours(data, NeighbourhoodParams(num_neighbours=number))
    method = LocalSearch(data, generator, neighbours, PerturbationManager(PerturbationParams()))
    for operator in OPERATORS:
        if operator.supports(data):
            method.add_operator(operator(data))
    return method


def first_penalties(model: Model) -> tuple[list[float], float, float]:
    """Of a unit of each load, a second and a metre too many: some ways to a neighbour, or what a stop is worth."""
    data = model.data
    distance, duration = np.asarray(data.distance_matrix(0)), np.asarray(data.duration_matrix(0))
    near = min(20, len(distance) - 1)
    metres, seconds = _typical(distance, near), _typical(duration, near)
    kinds = data.vehicle_types()
    rate_m, rate_s = (
        max(rates) for rates in zip(*((k.unit_distance_cost, k.unit_duration_cost) for k in kinds), strict=True)
    )
    step = PENALTY * max(1.0, rate_m * metres + rate_s * seconds, model.dearest)
    goods = [[*client.delivery] for client in data.clients()] + [[*each.amount] for each in data.shipments()]
    loads = np.mean(goods, axis=0) if data.num_load_dimensions else []
    return [step / max(1.0, load) for load in loads], step / seconds, step / metres


def _typical(matrix: NDArray[np.int64], near: int) -> float:
    """The mean over all places of the ways to the nearest others; at least 1."""
    return max(1.0, float(np.sort(matrix, axis=1)[:, 1 : near + 1].mean())) if near else 1.0
