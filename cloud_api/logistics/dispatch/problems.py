"""A day as a `route_optimizer.Problem`, without a database: doors, vans, and how an organisation plans.

Seconds are Unix time. Row 0 of the matrix is the warehouse; the doors follow, then wherever vans are on the road.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np

from route_optimizer.matrices import Point, haversine
from route_optimizer.matrices.traffic import Profile
from route_optimizer.problem import (
    Break,
    Capacity,
    Compartment,
    DrivingRule,
    Load,
    Matrix,
    Objective,
    Problem,
    Shipment,
    Stop,
    Vehicle,
    Window,
)

#: the one dimension in which goods are counted
WEIGHT = "weight_g"
#: what a product's storage asks of a van; goods that are kept anywhere travel anywhere
COMPARTMENTS: Mapping[str, Compartment] = {"cold_storage": Compartment.CHILLED, "freezer": Compartment.FROZEN}
#: of a week that begins on Monday
_WEEK_S, _DAY_S = 604_800, 86_400
_KG_G = 1_000


@dataclass(frozen=True, slots=True)
class Rules:
    """How an organisation plans; see `schemas.Constraints`, of which this is what a problem is built from."""

    objective: Objective = Objective.DISTANCE
    service_time_s: int = 240
    #: on top, for every full 100 kg
    service_s_per_100_kg: int = 0
    speed_kmh: float = 25.0
    detour_factor: float = 1.3
    #: how many times longer a way takes, for each hour of a local day; none: always alike
    weekday_factors: tuple[float, ...] = ()
    weekend_factors: tuple[float, ...] = ()
    #: no more driving than this without a rest; None: nobody asks
    drive_at_most_s: int | None = None
    rest_s: int = 0
    max_stops: int | None = None
    max_distance_m: int | None = None
    #: chilled and frozen goods are no longer in a van than this; None: as long as it takes
    chilled_aboard_s: int | None = None
    frozen_aboard_s: int | None = None
    #: how long after its window a door may still be served, and what an hour of that costs, in units of the objective
    late_tolerance_s: int = 0
    late_cost_per_hour: int = 0
    driver_cost_per_hour_minor: int = 0
    fuel_price_minor_per_l: int = 0
    co2_price_minor_per_kg: int = 0


@dataclass(frozen=True, slots=True)
class Door:
    """An order that is to be brought."""

    order_id: str
    number: str
    point: Point
    window: Window
    #: grams, by how the goods are kept (`STORAGE_TYPES` of products); empty text: nobody said
    loads_g: Mapping[str, int]
    #: seconds, where this customer's own are known
    service_s: int | None = None
    #: 0 to 100
    priority: int = 0
    #: the instant it was taken, seconds: in this order it stands in the baseline
    taken_s: int = 0


@dataclass(frozen=True, slots=True)
class Wagon:
    """A van with its driver, as a plan needs it."""

    vehicle_id: str
    number: str
    capacity_g: int
    #: grams, by the parts it has
    compartments: Mapping[Compartment, int]
    shift: Window
    breaks: tuple[Break, ...] = ()
    driver_id: str | None = None
    fixed_cost_minor: int = 0
    cost_per_km_minor: int = 0
    fuel_ml_per_km: int = 0
    co2_g_per_km: int = 0


@dataclass(frozen=True, slots=True)
class Roads:
    """Where the ways come from: great circles, or a table that a server of roads gave."""

    speed_kmh: float
    detour_factor: float
    #: how many times longer than at that speed a way takes over the hours planned for
    time_factor: float = 1.0
    #: the server, and its metres and seconds; none: great circles
    source: str = ""
    distance_m: tuple[tuple[int, ...], ...] = ()
    duration_s: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Recipe:
    """A problem as it is kept: with what its matrix is computed from in place of the matrix."""

    points: tuple[Point, ...]
    roads: Roads
    stops: tuple[Stop, ...]
    vehicles: tuple[Vehicle, ...]
    objective: Objective
    shipments: tuple[Shipment, ...] = ()
    fuel_price_minor_per_l: int = 0
    co2_price_minor_per_kg: int = 0
    reassign_cost: int = 0
    #: stops in the order in which their orders were taken
    taken: tuple[str, ...] = ()
    #: what people call the stops and vehicles
    names: dict[str, str] = field(default_factory=dict)
    #: vehicle -> who drives it
    drivers: dict[str, str] = field(default_factory=dict)

    def problem(self) -> Problem:
        """With its matrix."""
        return Problem(
            stops=self.stops,
            vehicles=self.vehicles,
            matrix=matrix_of(self.points, self.roads),
            objective=self.objective,
            shipments=self.shipments,
            fuel_price_minor_per_l=self.fuel_price_minor_per_l,
            co2_price_minor_per_kg=self.co2_price_minor_per_kg,
            reassign_cost=self.reassign_cost,
        )

    def of(self, problem: Problem) -> "Recipe":
        """The same ways and names, with what a problem that was made of this one says of stops and vehicles."""
        return replace(self, stops=problem.stops, vehicles=problem.vehicles, shipments=problem.shipments)


def matrix_of(points: Sequence[Point], roads: Roads) -> Matrix:
    """Metres and seconds between all places."""
    if roads.source:
        distance_m = np.array(roads.distance_m, dtype=np.int64)
        duration_s = np.array(roads.duration_s, dtype=np.int64)
        if roads.time_factor != 1.0:
            duration_s = np.where(duration_s < 0, duration_s, np.rint(duration_s * roads.time_factor).astype(np.int64))
        return Matrix(distance_m, duration_s)
    return haversine(points, detour_factor=roads.detour_factor, speed_kmh=max(1.0, roads.speed_kmh / roads.time_factor))


def recipe_of(
    depot: Point, doors: Sequence[Door], wagons: Sequence[Wagon], rules: Rules, *, midnight: datetime
) -> Recipe:
    """The problem of a day.

    Args:
        depot: where every van starts and ends.
        doors: what is to be brought, each with a place of its own.
        wagons: who may bring it.
        rules: how this organisation plans.
        midnight: the local midnight that the day begins with.
    """
    stops = tuple(stop_of(door, place, rules) for place, door in enumerate(doors, start=1))
    # goods of a class that no van has a compartment for still have their dimension: every van counts its whole weight
    vehicles = tuple(vehicle_of(wagon, rules) for wagon in wagons)
    hours = Window(
        min((each.shift.opens_s for each in wagons), default=0),
        max((each.shift.closes_s for each in wagons), default=0),
    )
    return Recipe(
        points=(depot, *(door.point for door in doors)),
        roads=Roads(rules.speed_kmh, rules.detour_factor, time_factor(rules, hours, midnight)),
        stops=stops,
        vehicles=vehicles,
        objective=rules.objective,
        fuel_price_minor_per_l=rules.fuel_price_minor_per_l,
        co2_price_minor_per_kg=rules.co2_price_minor_per_kg,
        taken=tuple(door.order_id for door in sorted(doors, key=lambda each: (each.taken_s, each.number))),
        names={door.order_id: door.number for door in doors} | {each.vehicle_id: each.number for each in wagons},
        drivers={each.vehicle_id: each.driver_id for each in wagons if each.driver_id is not None},
    )


def time_factor(rules: Rules, hours: Window, midnight: datetime) -> float:
    """The mean factor over the hours planned for; `midnight` is local, of any day."""
    if not rules.weekday_factors and not rules.weekend_factors:
        return 1.0
    always = (1.0,) * 24
    profile = Profile.of_days(weekday=rules.weekday_factors or always, weekend=rules.weekend_factors or always)
    monday_s = (int(midnight.timestamp()) - midnight.weekday() * _DAY_S) % _WEEK_S
    return round(profile.mean(hours, monday_s=monday_s), 4)


def stop_of(door: Door, place: int, rules: Rules) -> Stop:
    """One door as a stop at a row of the matrix."""
    total_g = sum(door.loads_g.values())
    service_s = rules.service_time_s if door.service_s is None else door.service_s
    by_part: dict[Compartment | None, int] = {}
    for storage, grams in door.loads_g.items():
        part = COMPARTMENTS.get(storage)
        by_part[part] = by_part.get(part, 0) + grams
    aboard = [
        limit
        for part, limit in ((Compartment.CHILLED, rules.chilled_aboard_s), (Compartment.FROZEN, rules.frozen_aboard_s))
        if limit is not None and part in by_part
    ]
    return Stop(
        id=door.order_id,
        location=place,
        windows=(Window(door.window.opens_s, door.window.closes_s + rules.late_tolerance_s),),
        service_time_s=service_s + total_g // (100 * _KG_G) * rules.service_s_per_100_kg,
        loads=tuple(
            Load(WEIGHT, grams, part) for part, grams in sorted(by_part.items(), key=lambda each: str(each[0]))
        ),
        priority=door.priority,
        max_ride_s=min(aboard, default=None),
        due_s=door.window.closes_s if rules.late_tolerance_s else None,
        late_cost_per_hour=rules.late_cost_per_hour if rules.late_tolerance_s else 0,
    )


def vehicle_of(wagon: Wagon, rules: Rules) -> Vehicle:
    """One van as a vehicle that starts and ends at the warehouse."""
    parts = (Capacity(WEIGHT, limit, part) for part, limit in sorted(wagon.compartments.items()))
    rests = rules.drive_at_most_s is not None and rules.rest_s > 0
    return Vehicle(
        id=wagon.vehicle_id,
        start=0,
        end=0,
        capacities=(Capacity(WEIGHT, wagon.capacity_g), *parts),
        shift=wagon.shift,
        max_stops=rules.max_stops,
        max_distance_m=rules.max_distance_m,
        breaks=wagon.breaks,
        driving=DrivingRule(rules.drive_at_most_s or 0, rules.rest_s) if rests else None,
        fixed_cost_minor=wagon.fixed_cost_minor,
        cost_per_km_minor=wagon.cost_per_km_minor,
        cost_per_hour_minor=rules.driver_cost_per_hour_minor,
        fuel_ml_per_km=wagon.fuel_ml_per_km,
        co2_g_per_km=wagon.co2_g_per_km,
    )
