"""Many stops: groups of neighbouring routes, each searched by PyVRP for a moment, then cut otherwise and again.

PyVRP's rounds get dearer with the stops, and its memory with their square; a group of some hundred stops is searched
as if it were alone. What a group's search finds is never worse than what it had, so that every moment's plan is whole.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from random import Random

import numpy as np
from numpy.typing import NDArray

from route_optimizer.engines import pyvrp
from route_optimizer.engines.pyvrp_model import places_of
from route_optimizer.executor import Executor, processes
from route_optimizer.plan import Order
from route_optimizer.problem import Matrix, Problem
from route_optimizer.schedule import order_of, route
from route_optimizer.search import WATCH_S, Found, Search, Sequences

#: stops of a group, and how many routes it has at least
GROUP, ROUTES = 250, 12
#: fewer are searched as they are
FEWEST = 2 * GROUP
#: so many are searched as they are where a route has many stops: groups of a few long routes find little
MOST_OF_LONG, LONG = 1_500, 30
#: more are not searched as a whole, not even to begin
MOST_AS_WHOLE = 3_000
#: of the time, to search the whole before it is cut
SHARE_AS_WHOLE = 0.3
#: for a group of the usual size, seconds
MOMENT_S = 2.0
#: the least that is worth to begin with, seconds
SHORTEST_S = 0.25
#: how often each stop is in some group at least, if that leaves `SHORTEST_S` for each
LEAST_ROUNDS = 3
#: places from whose distances the others' positions follow
LANDMARKS = 6
#: vehicles without a route that a group may use
SPARE = 2
#: places whose ways are asked for together
AT_ONCE = 60

Points = NDArray[np.float64]

lacks = pyvrp.lacks


@dataclass(frozen=True, eq=False, slots=True)
class _Part:
    """The ways among some places, under their numbers in the whole; see `problem.Ways`."""

    matrix: Matrix
    row: Mapping[int, int]

    @property
    def places(self) -> int:
        return self.matrix.places

    def metres(self, origin: int, destination: int) -> int:
        return self.matrix.metres(self.row[origin], self.row[destination])

    def seconds(self, origin: int, destination: int) -> int:
        return self.matrix.seconds(self.row[origin], self.row[destination])

    def among(self, places: Sequence[int]) -> Matrix:
        return self.matrix.among([self.row[place] for place in places])


@dataclass(frozen=True, slots=True)
class _Item:
    """What stays together when a plan is cut: a route, or a stop that nobody serves (a pair, of a shipment)."""

    stops: tuple[str, ...]
    vehicle: str | None
    #: where its middle is
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class _Group:
    stops: frozenset[str]
    #: those that serve some of its stops, and some that are free
    vehicles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a group."""

    sequences: Sequences
    #: of each vehicle that drives, in units of the objective
    costs: Mapping[str, int]


def search(problem: Problem, search: Search) -> Found:
    """Like `pyvrp.search`, for many stops."""
    stops = len(problem.stops)
    if stops < FEWEST or not problem.vehicles or (stops <= MOST_OF_LONG and stops >= LONG * _fewest_routes(problem)):
        return pyvrp.search(problem, search)
    with _workers(search) as executor:
        return _Decomposition(problem, search, executor).found()


def _fewest_routes(problem: Problem) -> int:
    """As many as the goods need, in the roomiest vehicle; reloads bring more stops to a route."""
    carried = Counter[str]()
    for stop in problem.stops:
        for load in stop.loads:
            carried[load.dimension] += load.amount
    room = Counter[str]()
    for vehicle in problem.vehicles:
        for each in vehicle.capacities:
            if each.compartment is None:
                room[each.dimension] = max(room[each.dimension], each.limit)
    return max([1, *(carried[name] // limit for name, limit in room.items() if limit)])


def _workers(search: Search) -> AbstractContextManager[Executor | None]:
    if search.executor is not None:
        return search.executor(search.cores)
    return processes(search.cores) if search.cores > 1 else nullcontext()


def work(problem: Problem, search: Search) -> Outcome:
    """Search one group."""
    return _timed(problem, pyvrp.search(problem, search).sequences)


def _timed(problem: Problem, sequences: Sequences) -> Outcome:
    routes = {
        name: route(problem, problem.vehicle_by_id[name], order_of(problem, order))
        for name, order in sequences.items()
        if order
    }
    driven = {name: each for name, each in routes.items() if each is not None}
    return Outcome({name: sequences[name] for name in driven}, {name: each.cost for name, each in driven.items()})


def work_far_away(problem: Problem, seconds: float, seed: int, start: Sequences, memory_bytes: int) -> Outcome:
    """The same in the process of a worker, whose clock may be another."""
    return work(problem, Search(seconds, seed, memory_bytes=memory_bytes, start=start))


class _Decomposition:
    def __init__(self, problem: Problem, search: Search, executor: Executor | None) -> None:
        self.problem = problem
        self.search = search
        self.executor = executor
        self.dice = Random(search.seed)  # noqa: S311 - no secret
        self.plan: dict[str, Order] = {}
        self.costs: dict[str, int] = {}
        self.partner = {each.pickup: each.delivery for each in problem.shipments}
        self.position = _positions(problem)

    def found(self) -> Found:
        search = self.search
        self._begin()
        rounds = 0
        while not search.over:
            self._round(list(self._cut(self._items(), polar=bool(rounds % 2))))
            rounds += 1
        return Found(self.plan, "cancelled" if search.stopped else "budget")

    @property
    def groups(self) -> int:
        """How many: as many stops in each, and more where routes are long."""
        stops = len(self.problem.stops)
        of_routes = ROUTES * stops / len(self.plan) if self.plan else 0
        return max(2, round(stops / max(GROUP, of_routes)))

    def _begin(self) -> None:
        """A first plan: the one that is given, or of all stops at once, or group by group."""
        search = self.search
        if search.start:
            self._take(_timed(self.problem, search.start))
        elif len(self.problem.stops) <= MOST_AS_WHOLE:
            first = search.part(SHARE_AS_WHOLE * search.remaining_s, cores=search.cores)
            first.tell = lambda best, sequences: search.found(best.cost, best.left_out, sequences)
            self._take(work(self.problem, first))
        else:
            self._round(list(self._cut(self._items(), polar=False)))

    def _take(self, outcome: Outcome) -> None:
        self.plan = dict(outcome.sequences)
        self.costs = dict(outcome.costs)

    def _items(self) -> list[_Item]:
        served = {name for order in self.plan.values() for name in order}
        deliveries = set(self.partner.values())
        items = [
            self._item((stop.id, self.partner[stop.id]) if stop.id in self.partner else (stop.id,))
            for stop in self.problem.stops
            if stop.id not in served and stop.id not in deliveries
        ]
        return items + [self._item(order, vehicle) for vehicle, order in self.plan.items()]

    def _item(self, order: Iterable[str | None], vehicle: str | None = None) -> _Item:
        stops = tuple(name for name in order if name is not None)
        x, y = np.mean([self.position[self.problem.stop_by_id[name].location] for name in stops], axis=0)
        return _Item(stops, vehicle, float(x), float(y))

    def _cut(self, items: list[_Item], *, polar: bool) -> Iterator[_Group]:
        """Groups of about the same number of stops: sectors around the depot, or fields cut out in some direction."""
        angle = self.dice.uniform(-math.pi, math.pi)
        if polar:
            x, y = self.position[self.problem.vehicles[0].start]
            items.sort(key=lambda each: (math.atan2(each.y - y, each.x - x) - angle) % math.tau)
            pieces = _slices(items, self.groups)
        else:
            pieces = list(_fields(items, self.groups, angle))
        spare = [vehicle.id for vehicle in self.problem.vehicles if vehicle.id not in self.plan]
        self.dice.shuffle(spare)
        for piece, extra in zip(pieces, self._shares(pieces, spare), strict=True):
            vehicles = [each.vehicle for each in piece if each.vehicle is not None]
            yield _Group(frozenset(name for each in piece for name in each.stops), (*vehicles, *extra))

    def _shares(self, pieces: list[list[_Item]], spare: list[str]) -> list[list[str]]:
        """Who may use which of the free vehicles: a few for each, the others where stops have none."""
        lost = [sum(len(each.stops) for each in piece if each.vehicle is None) for piece in pieces]
        common = min(SPARE, len(spare) // len(pieces))
        rest = max(0, len(spare) - common * len(pieces))
        ends = np.floor(np.cumsum(lost) / max(1, sum(lost)) * rest).astype(int) if any(lost) else [0] * len(pieces)
        shares = []
        begun = 0
        for number, end in enumerate(ends):
            before = begun + common * number
            shares.append(spare[before : before + common + int(end) - begun])
            begun = int(end)
        return shares

    def _round(self, groups: list[_Group]) -> None:
        """Search each group once, as many at a time as there are workers."""
        usual_s = MOMENT_S * max(1.0, len(self.problem.stops) / len(groups) / GROUP)
        rounds = self.search.remaining_s * self.search.cores / len(groups) / usual_s
        moment_s = usual_s * min(1.0, max(rounds / LEAST_ROUNDS, SHORTEST_S / usual_s))
        if self.executor is None:
            for group in groups:
                if not self.search.over:
                    part = self.search.part(moment_s, seed=self._seed(), start=self._had(group))
                    self._replace(group, work(self._problem(group), part))
            return
        busy: dict[Future[Outcome], _Group] = {}
        while groups or busy:
            while groups and len(busy) < self.search.cores:
                group = groups.pop()
                seconds = min(moment_s, self.search.remaining_s)
                told = self._problem(group), seconds, self._seed(), self._had(group), self.search.memory_bytes
                busy[self.executor.submit(work_far_away, *told)] = group
            for each in wait(busy, WATCH_S, FIRST_COMPLETED).done:
                self._replace(busy.pop(each), each.result())
            if self.search.over:
                groups.clear()
            if self.search.stopped:
                return

    def _seed(self) -> int:
        return self.dice.randrange(1 << 31)

    def _had(self, group: _Group) -> Sequences:
        return {name: self.plan[name] for name in group.vehicles if name in self.plan}

    def _problem(self, group: _Group) -> Problem:
        """The group alone."""
        problem = self.problem
        stops = [stop for stop in problem.stops if stop.id in group.stops]
        vehicles = tuple(problem.vehicle_by_id[name] for name in group.vehicles)
        places = sorted(places_of(stops, vehicles))
        part = _Part(problem.matrix.among(places), {place: row for row, place in enumerate(places)})
        return replace(problem, vehicles=vehicles, matrix=part).with_stops(stops)

    def _replace(self, group: _Group, outcome: Outcome) -> None:
        """Take the outcome, unless the group had something better."""
        before = self._loss(group, self._had(group), self.costs)
        if self._loss(group, outcome.sequences, outcome.costs) > before:
            return
        for name in group.vehicles:
            self.plan.pop(name, None)
            self.costs.pop(name, None)
        self.plan |= outcome.sequences
        self.costs |= outcome.costs
        served = sum(name is not None for order in self.plan.values() for name in order)
        self.search.found(sum(self.costs.values()), len(self.problem.stops) - served, dict(self.plan))

    def _loss(self, group: _Group, sequences: Sequences, costs: Mapping[str, int]) -> tuple[int, int]:
        """The weight left out, then costs and prizes lost."""
        missed = group.stops - {name for order in sequences.values() for name in order if name is not None}
        stops = [self.problem.stop_by_id[name] for name in missed]
        weight = sum(1 + stop.priority for stop in stops if stop.prize is None)
        return weight, sum(costs[name] for name in sequences) + sum(stop.prize or 0 for stop in stops)


def _slices(items: list[_Item], pieces: int) -> list[list[_Item]]:
    """In their order, so that each piece has about as many stops."""
    ends = np.cumsum([len(each.stops) for each in items])
    number = np.minimum((ends - 1) * pieces // max(1, int(ends[-1])), pieces - 1) if items else []
    found: list[list[_Item]] = [[] for _ in range(pieces)]
    for item, piece in zip(items, number, strict=True):
        found[int(piece)].append(item)
    return [piece for piece in found if piece]


def _fields(items: list[_Item], pieces: int, angle: float) -> Iterator[list[_Item]]:
    """Halves across a direction, and each of them across the other."""
    if pieces <= 1 or len(items) <= 1:
        yield items
        return
    x, y = math.cos(angle), math.sin(angle)
    items = sorted(items, key=lambda each: each.x * x + each.y * y)
    ends = np.cumsum([len(each.stops) for each in items])
    first = pieces // 2
    middle = max(1, min(len(items) - 1, int(np.searchsorted(ends, ends[-1] * first / pieces))))
    yield from _fields(items[:middle], first, angle + math.pi / 2)
    yield from _fields(items[middle:], pieces - first, angle + math.pi / 2)


def _positions(problem: Problem) -> Mapping[int, tuple[float, float]]:
    """Where places are on a map that fits the distances from some landmarks far apart (landmark scaling)."""
    places = sorted(places_of(problem.stops, problem.vehicles))
    landmarks = [problem.vehicles[0].start]
    ways: list[Points] = [_from(problem, landmarks[0], places)]
    while len(ways) < min(LANDMARKS, len(places)):
        nearest = np.min(ways, axis=0)
        landmarks.append(places[int(np.argmax(nearest))])
        ways.append(_from(problem, landmarks[-1], places))
    rows = [places.index(each) for each in landmarks]
    squares = np.square(np.array(ways))
    mutual = (squares[:, rows] + squares[:, rows].T) / 2
    centred = mutual - mutual.mean(axis=0) - mutual.mean(axis=1)[:, None] + mutual.mean()
    values, vectors = np.linalg.eigh(-centred / 2)
    two = vectors[:, -2:] / np.sqrt(np.maximum(values[-2:], 1.0))
    map_ = -(squares - mutual.mean(axis=1)[:, None]).T @ two / 2
    map_ = np.pad(map_, ((0, 0), (0, 2 - map_.shape[1])))
    return {place: (float(x), float(y)) for place, (x, y) in zip(places, map_, strict=True)}


def _from(problem: Problem, landmark: int, places: Sequence[int]) -> Points:
    """Distances from a landmark; what cannot be reached is as far as the farthest."""
    found = [
        problem.matrix.among([landmark, *places[begin : begin + AT_ONCE]]).distance_m[0, 1:]
        for begin in range(0, len(places), AT_ONCE)
    ]
    metres = np.concatenate(found).astype(np.float64)
    return np.where(metres < 0, metres.max(), metres)
