"""Problems to measure with: the rules of a business put on a public instance, and a busy day of a food distributor.

Both are seeded: the same seed is the same problem.
"""

import random
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from route_optimizer.plan import Order
from route_optimizer.problem import (
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
from route_optimizer.schedule import order_of, route
from route_optimizer.search import Sequences

MINUTE_S, HOUR_S = 60, 3_600

#: of a shift: half an hour of eight, within the middle third
LUNCH = 1 / 16
#: share of the stops that need it, share of the vehicles that have it
SKILLS = {"tail-lift": (0.15, 0.6), "keys": (0.05, 0.5)}
#: share of the stops, share of a vehicle's room
COMPARTMENTS = {Compartment.CHILLED: (0.3, 0.6), Compartment.FROZEN: (0.15, 0.4), Compartment.AMBIENT: (0.55, 1.0)}
#: of the routes, those that have begun
BEGUN = 1 / 3
#: stops of a route that has begun
LOCKED = 2


def rules_on(problem: Problem, plan: Sequences, seed: int) -> Problem:
    """A plain problem of the Solomon kind with breaks, skills, compartments and locked stops.

    Every vehicle gets a lunch break, by which its shift is longer; some stops need a skill that about half of the
    vehicles have; goods are chilled, frozen or ambient, and a vehicle's room is divided; and of a third of the routes
    of `plan` the first two stops are locked, the vehicle having what they need.

    Args:
        problem: stops of one load each; vehicles of one capacity each.
        plan: routes without these rules, such as those of the plan that is compared with.
        seed: for the same problem and plan, the same seed gives the same rules.
    """
    dice = random.Random(seed)  # noqa: S311 - no secret depends on it
    stops = tuple(_with_needs(stop, dice) for stop in problem.stops)
    vehicles = tuple(_with_rules(vehicle, dice) for vehicle in problem.vehicles)
    ruled = replace(problem, stops=stops, vehicles=vehicles)
    used = sorted(name for name, order in plan.items() if order)
    locked = {name: plan[name][:LOCKED] for name in dice.sample(used, round(BEGUN * len(used)))}
    return replace(ruled, vehicles=tuple(_begun(ruled, each, locked.get(each.id, ())) for each in vehicles))


def _with_needs(stop: Stop, dice: random.Random) -> Stop:
    skills = frozenset(name for name, (needed, _) in SKILLS.items() if dice.random() < needed)
    [part] = dice.choices(list(COMPARTMENTS), [share for share, _ in COMPARTMENTS.values()])
    return replace(stop, skills=skills, loads=tuple(replace(each, compartment=part) for each in stop.loads))


def _with_rules(vehicle: Vehicle, dice: random.Random) -> Vehicle:
    opens_s, closes_s = vehicle.shift.opens_s, vehicle.shift.closes_s
    third_s, lunch_s = (closes_s - opens_s) // 3, int(LUNCH * (closes_s - opens_s))
    [whole] = vehicle.capacities
    parts = tuple(
        Capacity(whole.dimension, int(share * whole.limit), part) for part, (_, share) in COMPARTMENTS.items()
    )
    return replace(
        vehicle,
        shift=Window(opens_s, closes_s + lunch_s),
        breaks=(Break(opens_s + third_s, closes_s - third_s, lunch_s),),
        skills=frozenset(name for name, (_, having) in SKILLS.items() if dice.random() < having),
        capacities=(whole, *parts),
    )


def _begun(problem: Problem, vehicle: Vehicle, locked: Order) -> Vehicle:
    """With these stops locked, as many of them as can be."""
    names = tuple(name for name in locked if name is not None)
    needed = frozenset().union(*(problem.stop_by_id[name].skills for name in names))
    able = replace(vehicle, skills=vehicle.skills | needed)
    for number in range(len(names), 0, -1):
        if route(problem, able, order_of(problem, names[:number])) is not None:
            return replace(able, locked=names[:number])
    return vehicle


def busy_day(seed: int, *, stops: int = 200, vans: int = 10) -> Problem:
    """A day of a food distributor in a town of 20 km, with every rule there is; seconds count from midnight.

    Half of the stops were planned on a van before. Two vans are under way: what they bring is on board, and the stop
    they head for is locked; one of them and four others may reload. Of the stops, some have two windows, a due time, a
    ride limit, a release time, a skill, a priority or a prize; some give empties back; some are shipments from one to
    another; some are to be served by one van, some by different ones.
    """
    dice = random.Random(seed)  # noqa: S311 - no secret depends on it
    places = [(10_000, 10_000), *((dice.randrange(20_000), dice.randrange(20_000)) for _ in range(stops))]
    sectors = [int(vans * (np.arctan2(y - 10_000, x - 10_000) / np.pi + 1) / 2) % vans for x, y in places]
    customers = [_customer(number, f"V{sectors[number]}", dice) for number in range(1, stops + 1)]
    fleet = [_van(number, dice) for number in range(vans)]
    loaded = {
        van: [each for each in customers if each.planned_on == van and not each.release_s] for van in ("V0", "V1")
    }
    fleet[:2] = [_under_way(van, loaded[van.id]) for van in fleet[:2]]
    on_board = {each.id for begun in loaded.values() for each in begun}
    free = dice.sample([each.id for each in customers if each.id not in on_board and each.prize is None], 36)
    crates = (Load("crates", 2, Compartment.AMBIENT),)
    shipments = tuple(Shipment(free[at], free[at + 1], crates) for at in range(0, 10, 2))
    ends = set(free[:10])
    return Problem(
        stops=tuple(_end_of_shipment(each) if each.id in ends else each for each in customers),
        vehicles=tuple(fleet),
        matrix=_town(places),
        objective=Objective.HYBRID,
        shipments=shipments,
        together=tuple(frozenset(free[at : at + 2]) for at in range(10, 18, 2)),
        apart=(frozenset(free[18:22]), frozenset(free[22:26])),
        fuel_price_minor_per_l=180,
        co2_price_minor_per_kg=10,
        reassign_cost=150,
        balance_cost_per_hour=500,
    )


def _customer(number: int, sector: str, dice: random.Random) -> Stop:
    """One of many kinds; `sector` is the van that usually comes here."""
    part = dice.choices(list(Compartment), (0.3, 0.2, 0.5))[0]
    crates = dice.randint(1, 3)
    opens_s = dice.randrange(7 * HOUR_S, 12 * HOUR_S, 15 * MINUTE_S)
    windows = dice.choices(
        [
            (),
            (Window(opens_s, opens_s + 3 * HOUR_S),),
            (Window(7 * HOUR_S, 9 * HOUR_S), Window(13 * HOUR_S, 15 * HOUR_S)),
        ],
        (0.4, 0.5, 0.1),
    )[0]
    due = dice.random() < 0.1
    return Stop(
        f"C{number}",
        number,
        windows=windows,
        service_time_s=dice.randint(3, 8) * MINUTE_S,
        loads=(Load("crates", crates, part), Load("weight_g", crates * dice.randint(4_000, 9_000), part)),
        collects=(Load("crates", 1, Compartment.AMBIENT),) if dice.random() < 0.15 else (),
        skills=frozenset({"tail-lift"} if dice.random() < 0.1 else ()),
        priority=5 if dice.random() < 0.1 else 0,
        prize=dice.randint(200, 2_000) if dice.random() < 0.05 else None,
        release_s=7 * HOUR_S if dice.random() < 0.1 else 0,
        max_ride_s=5 * HOUR_S if part is Compartment.FROZEN else None,
        due_s=12 * HOUR_S if due else None,
        late_cost_per_hour=1_000 if due else 0,
        planned_on=sector if dice.random() < 0.5 or sector in ("V0", "V1") else None,
    )


def _van(number: int, dice: random.Random) -> Vehicle:
    """Of the depot, with a driver."""
    room = {None: 60, Compartment.CHILLED: 40, Compartment.FROZEN: 30, Compartment.AMBIENT: 60}
    return Vehicle(
        f"V{number}",
        0,
        0,
        capacities=(*(Capacity("crates", limit, part) for part, limit in room.items()), Capacity("weight_g", 400_000)),
        shift=Window(6 * HOUR_S, 16 * HOUR_S),
        max_distance_m=250_000,
        max_duration_s=9 * HOUR_S + 30 * MINUTE_S,
        max_stops=40,
        skills=frozenset({"tail-lift"} if number % 2 else ()),
        breaks=(
            Break(8 * HOUR_S + 30 * MINUTE_S, 10 * HOUR_S, 15 * MINUTE_S),
            Break(11 * HOUR_S, 13 * HOUR_S + 30 * MINUTE_S, 30 * MINUTE_S),
        ),
        driving=DrivingRule(4 * HOUR_S + 30 * MINUTE_S, 45 * MINUTE_S),
        max_driving_s=7 * HOUR_S,
        reload=Reload(0, most=1, duration_s=20 * MINUTE_S) if 1 <= number <= 5 else None,
        fixed_cost_minor=2_000,
        cost_per_km_minor=dice.randint(25, 35),
        cost_per_hour_minor=2_400,
        overtime_after_s=8 * HOUR_S,
        overtime_cost_per_hour_minor=1_200,
        fuel_ml_per_km=dice.randint(85, 110),
        co2_g_per_km=dice.randint(220, 290),
    )


def _under_way(van: Vehicle, loaded: Sequence[Stop]) -> Vehicle:
    """With these goods on board, on its way to the one whose window closes first."""
    first = min(loaded, key=lambda each: min((window.closes_s for window in each.windows), default=24 * HOUR_S))
    able = van.skills.union(*(each.skills for each in loaded))
    return replace(van, on_board=frozenset(each.id for each in loaded), locked=(first.id,), skills=able)


def _end_of_shipment(stop: Stop) -> Stop:
    """Nothing but a place where goods of a shipment are taken or left."""
    return replace(stop, loads=(), collects=(), windows=stop.windows[:1], release_s=0, max_ride_s=None)


def _town(places: Sequence[tuple[int, int]]) -> Matrix:
    """Roads a third longer than the straight way, at 8 m/s."""
    points = np.array(places, dtype=np.int64)
    straight = np.hypot(*(points[:, None] - points[None, :]).transpose(2, 0, 1))
    metres = (straight * 1.3).round().astype(np.int64)
    return Matrix(metres, (metres / 8).round().astype(np.int64))
