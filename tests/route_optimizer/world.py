"""Tiny worlds for stories: towns on a straight road, one kilometre a minute."""

from collections.abc import Sequence, Set
from dataclasses import replace
from typing import TypeVar

from hypothesis import strategies as st

from route_optimizer.plan import Plan, Route, Visit
from route_optimizer.problem import (
    UNREACHABLE,
    Break,
    Capacity,
    Compartment,
    DrivingRule,
    Load,
    Matrix,
    Objective,
    Problem,
    Reload,
    Shipment,
    Stop,
    Vehicle,
    Window,
)

KM, MINUTE, HOUR = 1_000, 60, 3_600
T = TypeVar("T")


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

#: what a problem may have beside places, stops and vehicles
GOODS = frozenset({"capacity", "compartments", "collects", "shipments", "reload", "on_board", "skills", "max_stops"})
CLOCK = frozenset({"windows", "shift", "breaks", "driving", "max_driving", "max_duration", "release", "ride"})
ROADS = frozenset({"islands", "max_distance", "open_end"})
GROUPS = frozenset({"together", "apart", "locked", "planned_on"})
WORTH = frozenset({"balance", "co2", "due", "fuel", "money", "overtime", "priorities", "prizes"})
EVERY_RULE = GOODS | CLOCK | ROADS | GROUPS | WORTH


class _Dice:
    """Draws what a rule is about, or what stands there without the rule."""

    def __init__(self, draw: st.DrawFn, on: Set[str]) -> None:
        self.draw, self.on = draw, frozenset(on)

    def __call__(self, rule: str, strategy: st.SearchStrategy[T], otherwise: T) -> T:
        return self.draw(strategy) if rule in self.on else otherwise


@st.composite
def problems(
    draw: st.DrawFn,
    *,
    most_stops: int = 4,
    rules: Set[str] = EVERY_RULE - {"balance"},
    always: Set[str] = frozenset(),
    most_rules: int = 8,
) -> Problem:
    """Any problem in numbers so small that brute force can follow: `always` these rules, and some of the others.

    Balance is drawn where it is asked for only: no engine claims to find the best plan with it.
    """
    some = draw(st.sampled_from(range(min(most_rules, len(rules)) + 1)))
    others = draw(st.lists(st.sampled_from(sorted(rules)), min_size=some, max_size=some, unique=True)) if some else []
    dice = _Dice(draw, {*others, *always})
    places = draw(st.integers(2, 5))
    # each of these multiplies what brute force must try
    most_stops = max(2, most_stops - len(dice.on & {"breaks", "driving", "reload"}))
    ids = [f"S{number}" for number in range(draw(st.sampled_from(range(most_stops + 1))))]
    fleet = [f"V{number}" for number in range(draw(st.sampled_from([1, 2])))]
    stops = tuple(_stop(dice, name, places, fleet) for name in ids)
    several = len(ids) > 1
    groups = (
        st.lists(st.frozensets(st.sampled_from(ids), min_size=2, max_size=3), max_size=1) if several else st.just([])
    )
    return Problem(
        stops=stops,
        vehicles=_claimed(dice, tuple(_vehicle(dice, name, places) for name in fleet), ids),
        matrix=draw(matrices(places, islands="islands" in dice.on)),
        objective=draw(st.sampled_from(Objective)),
        shipments=_shipments(dice, ids),
        together=tuple(dice("together", groups, [])),
        apart=tuple(dice("apart", groups, [])),
        fuel_price_minor_per_l=dice("fuel", st.integers(0, 900), 0),
        co2_price_minor_per_kg=dice("co2", st.integers(0, 900), 0),
        reassign_cost=dice("planned_on", st.integers(0, 20), 0),
        balance_cost_per_hour=dice("balance", st.integers(0, 9_000), 0),
    )


def _stop(dice: _Dice, name: str, places: int, fleet: Sequence[str]) -> Stop:
    loads = st.lists(_loads(dice), max_size=2).map(tuple)
    return Stop(
        id=name,
        location=dice.draw(st.integers(0, places - 1)),
        windows=dice("windows", st.lists(_windows(DAY_S), min_size=1, max_size=2).map(tuple), ()),
        service_time_s=dice.draw(st.integers(0, 4)),
        loads=dice("capacity", loads, ()),
        collects=dice("collects", loads, ()),
        skills=dice("skills", st.sampled_from([frozenset(), frozenset(), frozenset(["lift"])]), frozenset()),
        priority=dice("priorities", st.sampled_from([0, 0, 1, 3]), 0),
        prize=dice("prizes", st.none() | st.integers(0, 25), None),
        release_s=dice("release", st.integers(0, 12), 0),
        max_ride_s=dice("ride", st.none() | st.integers(0, 20), None),
        due_s=dice("due", st.none() | st.integers(0, 15), None),
        late_cost_per_hour=dice("due", st.integers(0, 9_000), 0),
        planned_on=dice("planned_on", st.sampled_from([None, *fleet]), None),
    )


def _loads(dice: _Dice) -> st.SearchStrategy[Load]:
    parts = [None, *Compartment] if "compartments" in dice.on else [None]
    return st.builds(Load, st.sampled_from(["weight_g", "crates"]), st.integers(0, 5), st.sampled_from(parts))


def _vehicle(dice: _Dice, name: str, places: int) -> Vehicle:
    place = st.integers(0, places - 1)
    rule = st.builds(DrivingRule, longest_s=st.integers(4, 16), rest_s=st.integers(1, 5))
    reload = st.builds(Reload, place=st.just(0) | place, most=st.integers(1, 2), duration_s=st.integers(0, 3))
    return Vehicle(
        id=name,
        start=0,
        end=dice("open_end", st.sampled_from([0, None]), 0),
        capacities=_capacities(dice),
        shift=dice(
            "shift", st.builds(lambda a, b: Window(a, a + b), st.integers(0, 4), st.integers(0, 40)), Window(0, 44)
        ),
        max_distance_m=dice("max_distance", st.integers(0, 30), None),
        max_duration_s=dice("max_duration", st.integers(0, 40), None),
        max_stops=dice("max_stops", st.integers(0, 4), None),
        skills=dice("skills", st.frozensets(st.sampled_from(["lift", "keys"]), max_size=1), frozenset()),
        breaks=dice("breaks", _breaks(), ()),
        driving=dice("driving", rule, None),
        max_driving_s=dice("max_driving", st.integers(0, 40), None),
        reload=dice("reload", reload, None),
        fixed_cost_minor=dice("money", st.integers(0, 20), 0),
        cost_per_km_minor=dice("money", st.integers(0, 9_000), 700),
        cost_per_hour_minor=dice("money", st.integers(0, 9_000), 0),
        overtime_after_s=dice("overtime", st.none() | st.integers(0, 30), None),
        overtime_cost_per_hour_minor=dice("overtime", st.integers(0, 9_000), 0),
        fuel_ml_per_km=dice("fuel", st.integers(0, 9_000), 100),
        co2_g_per_km=dice("co2", st.integers(0, 9_000), 0),
    )


def _capacities(dice: _Dice) -> tuple[Capacity, ...]:
    limits = [Capacity("weight_g", dice("capacity", st.integers(0, 12), 20))]
    limits += [Capacity("crates", dice("capacity", st.integers(0, 12), 20))]
    part = st.builds(Capacity, st.just("crates"), st.integers(0, 8), st.sampled_from(Compartment))
    return (*limits, *dice("compartments", part.map(lambda each: (each,)), ()))


@st.composite
def _breaks(draw: st.DrawFn) -> tuple[Break, ...]:
    earliest = sorted(draw(st.lists(st.integers(0, 20), min_size=1, max_size=2)))
    latest = sorted(each + draw(st.integers(0, 10)) for each in earliest)
    return tuple(Break(a, b, draw(st.integers(1, 4))) for a, b in zip(earliest, latest, strict=True))


def _shipments(dice: _Dice, ids: Sequence[str]) -> tuple[Shipment, ...]:
    pairs = st.permutations(ids).map(lambda mixed: list(zip(mixed[::2], mixed[1::2], strict=False)))
    loads = st.lists(_loads(dice), max_size=1).map(tuple)
    chosen = dice("shipments", pairs, [])[: dice("shipments", st.integers(1, 2), 0)]
    return tuple(Shipment(pickup, delivery, dice.draw(loads)) for pickup, delivery in chosen)


def _claimed(dice: _Dice, fleet: tuple[Vehicle, ...], ids: Sequence[str]) -> tuple[Vehicle, ...]:
    """What is in a vehicle already, and what it must begin with: no stop on two of them."""
    on_board = dice("on_board", st.sets(st.sampled_from(ids), max_size=2), set()) if ids else set()
    locked = dice("locked", st.lists(st.sampled_from(ids), max_size=2, unique=True), []) if ids else []
    first = replace(
        fleet[0],
        locked=tuple(locked),
        on_board=frozenset(on_board) if "on_board" in dice.on else None,
    )
    return (first, *fleet[1:])


def _windows(latest: int) -> st.SearchStrategy[Window]:
    return st.tuples(st.integers(0, latest), st.integers(0, 8)).map(lambda w: Window(w[0], w[0] + w[1]))


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
