"""Many stops: cut into groups and put together again, nothing is lost and nothing gets worse."""

import math
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

from route_optimizer.engines import decomposition, pyvrp
from route_optimizer.executor import Executor
from route_optimizer.matrices.plane import Plane
from route_optimizer.plan import Order
from route_optimizer.problem import ANY_TIME, Capacity, Load, Problem, Reload, Shipment, Stop, Vehicle
from route_optimizer.schedule import order_of, route
from route_optimizer.search import Progress, Search, Sequences

ROOM = 20


def town(stops: int, *, vehicles: int | None = None) -> Problem:
    """A square town of stops with a parcel each, a depot in the middle, and just enough vans of 20 parcels."""
    dice = random.Random(stops)
    points = [(50.0, 50.0), *((dice.uniform(0, 100), dice.uniform(0, 100)) for _ in range(stops))]
    fleet = math.ceil(stops / ROOM) if vehicles is None else vehicles
    return Problem(
        tuple(Stop(f"S{number}", number, loads=(Load("parcels", 1),)) for number in range(1, stops + 1)),
        tuple(Vehicle(f"V{number}", 0, 0, (Capacity("parcels", ROOM),)) for number in range(fleet)),
        Plane(np.array(points), 100),
    )


def by_the_clock(problem: Problem) -> Sequences:
    """A plan that anybody could draw: around the depot, one van after the other."""
    points = problem.matrix
    assert isinstance(points, Plane)
    around = sorted(problem.stops, key=lambda stop: math.atan2(*(points.points[stop.location] - 50)))
    return {
        vehicle.id: tuple(stop.id for stop in around[ROOM * number : ROOM * (number + 1)])
        for number, vehicle in enumerate(problem.vehicles)
    }


def cost(problem: Problem, sequences: Sequences) -> int:
    """Of all routes, which keep every rule and serve no stop twice."""
    served = [name for order in sequences.values() for name in order if name is not None]
    assert len(served) == len(set(served))
    routes = [route(problem, problem.vehicle_by_id[name], order_of(problem, o)) for name, o in sequences.items() if o]
    assert all(each is not None for each in routes)
    return sum(each.cost for each in routes if each is not None)


def served(sequences: Sequences) -> set[str]:
    return {name for order in sequences.values() for name in order if name is not None}


class Enough:
    """Ends a search once it has told so many better plans, and keeps them."""

    def __init__(self, search: Search, number: int) -> None:
        self.search, self.number = search, number
        self.told: list[Progress] = []
        search.tell = self

    def __call__(self, best: Progress, sequences: Sequences | None) -> None:
        self.told.append(best)
        self.search.stopped = len(self.told) >= self.number


def test_a_plan_is_improved_group_by_group() -> None:
    problem = town(600)
    start = by_the_clock(problem)
    search = Search(3.0, 0, start=start)
    enough = Enough(search, 2)
    found = decomposition.search(problem, search)
    assert served(found.sequences) == served(start)
    costs = [cost(problem, start), *(best.cost for best in enough.told)]
    assert costs == sorted(costs, reverse=True)
    assert cost(problem, found.sequences) == costs[-1]


@contextmanager
def threads(workers: int) -> Iterator[Executor]:
    with ThreadPoolExecutor(workers, thread_name_prefix="brought-by-the-caller") as pool:
        yield pool


def test_groups_are_worked_on_where_the_caller_says() -> None:
    opened: list[int] = []

    @contextmanager
    def opening(workers: int) -> Iterator[Executor]:
        opened.append(workers)
        with threads(workers) as pool:
            yield pool

    problem = town(600)
    search = Search(1.0, 0, cores=2, start=by_the_clock(problem), executor=opening)
    found = decomposition.search(problem, search)
    assert opened == [2]
    assert served(found.sequences) == {stop.id for stop in problem.stops}
    assert cost(problem, found.sequences) <= cost(problem, by_the_clock(problem))


@pytest.mark.long
def test_without_a_plan_to_start_from_thousands_of_stops_are_served_whole() -> None:
    problem = town(3_200, vehicles=180)
    search = Search(60.0, 0, cores=2)
    Enough(search, 30)
    found = decomposition.search(problem, search)
    assert served(found.sequences) == {stop.id for stop in problem.stops}
    assert cost(problem, found.sequences) > 0


def test_few_stops_are_not_cut() -> None:
    problem = town(8)
    assert decomposition.search(problem, Search(600, 0)) == pyvrp.search(problem, Search(600, 0))


def test_stops_left_out_and_free_vans_come_together() -> None:
    """All of the plan is lost but two routes; the other vans are shared out to where stops wait."""
    problem = town(520)
    start = dict(list(by_the_clock(problem).items())[:2])
    search = Search(60.0, 0, start=start)
    Enough(search, 1)
    found = decomposition.search(problem, search)
    assert served(start) < served(found.sequences)
    assert cost(problem, found.sequences) > 0


def test_trips_and_shipments_are_never_torn_apart() -> None:
    problem = town(510, vehicles=14)
    stops = tuple(replace(stop, loads=()) if stop.id in ("S1", "S2") else stop for stop in problem.stops)
    vehicles = tuple(replace(each, reload=Reload(0), shift=ANY_TIME) for each in problem.vehicles)
    problem = replace(problem, stops=stops, vehicles=vehicles, shipments=(Shipment("S1", "S2"),))
    search = Search(60.0, 0, start={"V0": ("S1", "S2")})
    Enough(search, 1)
    orders: list[Order] = list(decomposition.search(problem, search).sequences.values())
    assert any(None in order for order in orders)
    assert [{"S1", "S2"} & set(order) for order in orders if "S1" in order] == [{"S1", "S2"}]


def test_a_plane_knows_the_same_ways_however_it_is_asked() -> None:
    plane = town(9).matrix
    places = [0, 3, 9, 4]
    part = plane.among(places)
    for row, origin in enumerate(places):
        for column, destination in enumerate(places):
            assert part.metres(row, column) == plane.metres(origin, destination)
            assert part.seconds(row, column) == plane.seconds(origin, destination)
    assert (plane.places, part.places) == (10, 4)


def test_a_plane_rounds_as_its_convention_says() -> None:
    points = np.array([(0.0, 0.0), (1.0, 1.0)])
    assert [Plane(points, 10, nearest=nearest).metres(0, 1) for nearest in (False, True)] == [14, 14]
    assert [Plane(points, 1_000, nearest=nearest).metres(0, 1) for nearest in (False, True)] == [1_414, 1_414]
    assert [Plane(points * 1.25, 1, nearest=nearest).metres(0, 1) for nearest in (False, True)] == [1, 2]
