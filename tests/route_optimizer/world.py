"""Tiny worlds for stories: towns on a straight road, one kilometre a minute."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import strategies as st

from route_optimizer.plan import Plan, Route, Visit
from route_optimizer.problem import (
    UNREACHABLE,
    Capacity,
    Compartment,
    Load,
    Matrix,
    Objective,
    Problem,
    Stop,
    Vehicle,
    Window,
)

KM, MINUTE, HOUR = 1_000, 60, 3_600


def road(*km: int) -> Matrix:
    """Places at these kilometres of one road; the depot is the first."""
    metres = [[abs(a - b) * KM for b in km] for a in km]
    return Matrix.of(metres, [[each * MINUTE // KM for each in row] for row in metres])


def towns(*km: int, stops: Sequence[Stop] | None = None, vehicles: Sequence[Vehicle] | None = None) -> Problem:
    """A depot at kilometre 0, and one stop in each town: A, B, C ..."""
    named = [Stop(chr(ord("A") + number), 1 + number) for number in range(len(km))]
    return Problem(tuple(named if stops is None else stops), tuple(vehicles or [van()]), road(0, *km))


def van(van_id: str = "van", /, **rules: object) -> Vehicle:
    """A van of the depot, with what a test wants of it."""
    return replace(Vehicle(van_id, 0, 0), **rules)  # type: ignore[arg-type]


def driven(plan: Plan) -> dict[str, str]:
    """Each vehicle's stops in order, as one word."""
    return {route.vehicle: "".join(visit.stop for visit in route.visits) for route in plan.routes}


def route_of(plan: Plan, vehicle: str = "van") -> Route:
    return next(route for route in plan.routes if route.vehicle == vehicle)


def visit_of(plan: Plan, stop: str) -> Visit:
    return next(visit for route in plan.routes for visit in route.visits if visit.stop == stop)


def left_out(plan: Plan) -> set[str]:
    return {unserved.stop for unserved in plan.unserved}


#: seconds of a small day
DAY_S = 24


def _windows(latest: int) -> st.SearchStrategy[Window]:
    return st.tuples(st.integers(0, latest), st.integers(0, 8)).map(lambda w: Window(w[0], w[0] + w[1]))


_loads = st.builds(
    Load, st.sampled_from(["weight_g", "crates"]), st.integers(0, 5), st.sampled_from([None, *Compartment])
)
_skills = st.frozensets(st.sampled_from(["lift", "keys"]), max_size=1)


def _maybe(low: int, high: int) -> st.SearchStrategy[int | None]:
    return st.none() | st.integers(low, high)


@st.composite
def matrices(draw: st.DrawFn, places: int, *, islands: bool) -> Matrix:
    """Any distances and times, one way unlike the other, now and then no way at all."""
    cell = st.tuples(st.integers(0, 9), st.integers(0, 9))
    cells = draw(st.lists(cell, min_size=places * places, max_size=places * places))
    cut = draw(st.sets(st.integers(0, places * places - 1), max_size=3)) if islands else set()
    for number in cut:
        row, column = divmod(number, places)
        if row != column and column != 0 and row != 0:
            cells[number] = (UNREACHABLE, UNREACHABLE)
    if islands and places > 2 and draw(st.booleans()):
        for row in range(places - 1):
            cells[row * places + places - 1] = (UNREACHABLE, UNREACHABLE)
    rows = [cells[row * places : (row + 1) * places] for row in range(places)]
    distance_m = [[0 if i == j else cell[0] for j, cell in enumerate(row)] for i, row in enumerate(rows)]
    duration_s = [[0 if i == j else cell[1] for j, cell in enumerate(row)] for i, row in enumerate(rows)]
    return Matrix.of(distance_m, duration_s)


@st.composite
def problems(draw: st.DrawFn, *, most_stops: int = 4) -> Problem:
    """Any problem: every rule, in small numbers, so that brute force can follow."""
    places = draw(st.integers(2, 5))
    vehicle = st.builds(
        Vehicle,
        id=st.just(""),
        start=st.just(0),
        end=st.sampled_from([0, None]),
        capacities=st.tuples(
            st.builds(Capacity, st.just("weight_g"), st.integers(0, 12)),
            st.builds(Capacity, st.just("crates"), st.integers(0, 12)),
            st.builds(Capacity, st.just("crates"), st.integers(0, 8), st.sampled_from(Compartment)),
        ),
        shift=st.builds(lambda a, b: Window(a, a + b), st.integers(0, 4), st.integers(0, 40)),
        max_distance_m=_maybe(0, 30),
        max_duration_s=_maybe(0, 40),
        max_stops=_maybe(0, 4),
        skills=_skills,
        fixed_cost_minor=st.integers(0, 20),
        cost_per_km_minor=st.integers(0, 9_000),
        cost_per_hour_minor=st.integers(0, 9_000),
    )
    stop = st.builds(
        Stop,
        id=st.just(""),
        location=st.integers(0, places - 1),
        windows=st.lists(_windows(DAY_S), max_size=2).map(tuple),
        service_time_s=st.integers(0, 4),
        loads=st.lists(_loads, max_size=2).map(tuple),
        skills=st.sampled_from([frozenset(), frozenset(), frozenset(["lift"])]),
        priority=st.sampled_from([0, 0, 1, 3]),
        prize=st.none() | st.integers(0, 25),
    )
    vehicles = draw(st.lists(vehicle, min_size=1, max_size=2))
    stops = draw(st.lists(stop, max_size=most_stops))
    return Problem(
        stops=tuple(replace(each, id=f"S{number}") for number, each in enumerate(stops)),
        vehicles=tuple(replace(each, id=f"V{number}") for number, each in enumerate(vehicles)),
        matrix=draw(matrices(places, islands=True)),
        objective=draw(st.sampled_from(Objective)),
    )
