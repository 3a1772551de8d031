"""A problem in PyVRP's words, and its answers in ours.

PyVRP counts in whole numbers of 64 bits and has one cost for everything, so that two things are to be chosen: how many
of its units make one of the objective, and what leaving a stop out costs, which is more than any plan can save by it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from math import gcd

import numpy as np
from numpy.typing import NDArray
from pyvrp import (
    Activity,
    ActivityType,
    Client,
    ClientGroup,
    Depot,
    Location,
    ProblemData,
    Route,
    Solution,
    VehicleType,
)
from pyvrp import Shipment as PyvrpShipment

from route_optimizer.plan import Order
from route_optimizer.problem import Capacity, Compartment, Load, Objective, Problem, Shipment, Stop, Vehicle
from route_optimizer.schedule import opening
from route_optimizer.search import Sequences

#: parts of a unit of money in which every rate is whole, see `_rates`
FINE = 9_000_000
#: the dearest metre or second, in PyVRP's units: dearer ones are scaled down and rounded, to 1 in 10,000
DEAREST = 20_000
#: all that can be lost together, in PyVRP's units: far from 64 bits also when it is added to itself
HEAVIEST = 1 << 60
#: what PyVRP's penalties may grow to, when stops are not worth more
USUAL_PENALTY = 100_000
#: stops whose order may have to change to serve one more
OTHERS = 20
#: PyVRP's longest arc
LONGEST = 1 << 43

#: of a distance or a duration, where there is none
NO_LIMIT = int(np.iinfo(np.int64).max)

Matrix = NDArray[np.int64]
Key = tuple[str, Compartment | None]


@dataclass(frozen=True)
class Model:
    """A problem and PyVRP's picture of it."""

    problem: Problem
    data: ProblemData
    #: PyVRP's units in one of the objective
    scale: float
    #: the highest penalty of a broken rule, per unit
    most_penalty: float
    #: what the dearest stop that may be left out is worth, in PyVRP's units; 0 when all that counts has to be served
    dearest: int
    #: the stop that each client stands for; with several windows several stand for one
    clients: Sequence[str]
    #: what each of PyVRP's shipments stands for
    shipments: Sequence[Shipment]
    #: ids of the vehicles of each type
    fleet: Sequence[Sequence[str]]
    #: number of the depot where each type reloads
    reloads: Sequence[int | None]

    @property
    def rounds_between_penalties(self) -> int:
        """How often PyVRP adapts what a broken rule costs: more often where it has farther to go."""
        return 100 if self.dearest else 500

    def sequences(self, solution: Solution) -> Sequences:
        """What each vehicle serves."""
        free = [iter(names) for names in self.fleet]
        return {next(free[route.vehicle_type()]): self._order(route) for route in solution.routes()}

    def _order(self, route: Route) -> Order:
        names = [self._name(activity) for activity in route]
        trips = [tuple(trip) for reload, trip in groupby(names, lambda name: name is None) if not reload]
        return tuple(name for number, trip in enumerate(trips) for name in ((None, *trip) if number else trip))

    def _name(self, activity: Activity) -> str | None:
        if activity.is_client():
            return self.clients[activity.idx]
        if activity.is_pickup():
            return self.shipments[activity.idx].pickup
        return self.shipments[activity.idx].delivery if activity.is_delivery() else None

    def solution(self, sequences: Sequences) -> Solution:
        """The other way round; names that it does not know are passed over."""
        type_of = {name: number for number, names in enumerate(self.fleet) for name in names}
        found = []
        for vehicle, order in sequences.items():
            if vehicle in type_of and (activities := self._activities(order, type_of[vehicle])):
                found.append(Route(self.data, activities, type_of[vehicle]))
        return Solution(self.data, found)

    def _activities(self, order: Order, kind: int) -> list[Activity]:
        """Without the depots at both ends, which PyVRP adds."""
        reload = self.reloads[kind]
        known = [name for name in order if name is None or name in self._activity]
        trips = [list(trip) for gap, trip in groupby(known, lambda name: name is None) if not gap]
        found: list[Activity] = []
        for trip in trips:
            if found and reload is not None:
                found.append(Activity(ActivityType.DEPOT, reload))
            found += [self._activity[name] for name in trip if name is not None]
        return found

    @cached_property
    def _activity(self) -> dict[str, Activity]:
        known = {name: Activity(ActivityType.CLIENT, number) for number, name in enumerate(self.clients)}
        for number, shipment in enumerate(self.shipments):
            known[shipment.pickup] = Activity(ActivityType.PICKUP, number)
            known[shipment.delivery] = Activity(ActivityType.DELIVERY, number)
        return known

    def cost(self, solution: Solution) -> int:
        """In units of the objective, rounded."""
        fine = solution.distance_cost() + solution.duration_cost() + solution.fixed_vehicle_cost()
        return round(fine / self.scale)

    def left_out(self, solution: Solution) -> int:
        """How many stops it does not serve."""
        served = sum(1 for route in solution.routes() for activity in route if not activity.is_depot())
        return len(self.problem.stops) - served


@dataclass(frozen=True, slots=True)
class _Rates:
    """What a vehicle's kind costs, in PyVRP's units."""

    metre: int
    second: int
    overtime_second: int
    fixed: int


@dataclass(frozen=True, slots=True)
class _Dimension:
    """Something that fills up."""

    #: of each kind of vehicle
    capacities: tuple[int, ...]
    #: by id of the stop
    delivered: dict[str, int]
    collected: dict[str, int]
    #: by shipment
    carried: dict[Shipment, int]


def model(problem: Problem, *, must: bool) -> Model:
    """Tell PyVRP a problem of which `engines.pyvrp.lacks` says that it can express it.

    Args:
        problem: what is to be planned; stops that no vehicle is fit for are not in it.
        must: whether a stop without a prize has to be served, whatever it takes. Searching is easier so, but when not
            all fit it ends with nothing.
    """
    return _Translation(problem, must).model()


class _Translation:
    def __init__(self, problem: Problem, must: bool) -> None:
        self.problem = problem
        self.must = must
        self.kinds = _kinds(problem.vehicles)
        self.vehicles = [problem.vehicle_by_id[names[0]] for names in self.kinds]
        self.scale, self.rates, self.prizes = _scaled(problem, self.vehicles)
        self.places = sorted(places_of(problem.stops, self.vehicles))
        self.row = {place: number for number, place in enumerate(self.places)}
        self.distance, self.duration = self._ways()
        self.paired = {name: each for each in problem.shipments for name in (each.pickup, each.delivery)}
        self.dimensions = list(self._dimensions())
        shifts = [vehicle.shift for vehicle in self.vehicles]
        self.horizon_s = max(each.closes_s for each in shifts) - min(each.opens_s for each in shifts)
        self.weight = self._weight()

    def model(self) -> Model:
        clients, names, groups = self._clients()
        types, depots, reloads = self._fleet()
        open_end = len(self.places)
        locations = [Location(0, 0) for _ in range(len(self.distance))]
        data = ProblemData(
            locations,
            clients,
            [Depot(open_end if place is None else self.row[place], service_duration=s) for place, s in depots],
            types,
            [self.distance],  # type: ignore[list-item]  # PyVRP's stubs say ndarray[int]
            [self.duration],  # type: ignore[list-item]
            groups,
            [self._shipment(each) for each in self.problem.shipments],
        )
        return Model(
            self.problem,
            data,
            self.scale,
            self._most_penalty(),
            0 if self.must else max(self._worth(stop)[0] for stop in self.problem.stops),
            names,
            self.problem.shipments,
            self.kinds,
            reloads,
        )

    def _ways(self) -> tuple[Matrix, Matrix]:
        """Metres and seconds; where no road leads a way longer than any day, and one more place to end open routes."""
        ways = self.problem.matrix.among(self.places)
        never_s = max(vehicle.shift.closes_s for vehicle in self.vehicles) + 1
        cut = ways.distance_m < 0
        if not cut.any() and all(vehicle.end is not None for vehicle in self.vehicles):
            distance = _with_zeros(ways.distance_m)
            same = ways.duration_s is ways.distance_m
            return distance, distance if same else _with_zeros(ways.duration_s)
        far = min(LONGEST, 10 * int(ways.distance_m.max(initial=0)) + 1)
        size = len(self.places) + 1
        distance, duration = np.zeros((size, size), np.int64), np.zeros((size, size), np.int64)
        distance[:-1, :-1] = np.where(cut, far, ways.distance_m)
        duration[:-1, :-1] = np.where(cut, never_s, ways.duration_s)
        distance[-1, :-1], duration[-1, :-1] = far, never_s
        return _with_zeros(distance), _with_zeros(duration)

    def _weight(self) -> int:
        """What leaving out one stop of priority 0 costs: more than serving it can, as far as 64 bits allow."""
        stops = self.problem.stops
        metre = max((each.metre for each in self.rates), default=0)
        second = max((each.second + each.overtime_second for each in self.rates), default=0)
        fixed = max((each.fixed for each in self.rates), default=0)
        detour = 2 * int(self.distance.max(initial=0)) * metre + min(self.horizon_s, self._busy_s()) * second + fixed
        weights = sum((1 + stop.priority) * max(1, len(stop.windows)) for stop in stops)
        most = detour * min(len(stops), OTHERS) + max(self.prizes.values(), default=0) + 1
        return max(1, min(most, HEAVIEST // max(1, weights)))

    def _most_penalty(self) -> float:
        """Breaking a rule by one unit may not pay even to serve the dearest stop, as far as 64 bits allow."""
        stops = self.problem.stops
        worth = max(1 + stop.priority for stop in stops) * self.weight if not self.must else 0
        loads = [sum(each.delivered.values()) + sum(each.collected.values()) for each in self.dimensions]
        excess = max(1, len(stops) * max(self.horizon_s, int(self.distance.max(initial=0))), *loads)
        return float(max(1, min(max(worth, USUAL_PENALTY), HEAVIEST // excess)))

    def _busy_s(self) -> int:
        """An upper bound of what one route can take: driving, serving everything and waiting for the last window."""
        service_s = sum(stop.service_time_s for stop in self.problem.stops)
        last_s = max((window.opens_s for stop in self.problem.stops for window in stop.windows), default=0)
        return service_s + last_s + 2 * (len(self.problem.stops) + 1) * int(self.duration.max(initial=0))

    def _worth(self, stop: Stop) -> tuple[int, bool]:
        """Its prize, and whether it must be served."""
        if stop.prize is not None:
            return self.prizes[stop.id], False
        return (0, True) if self.must else (self.weight * (1 + stop.priority), False)

    def _clients(self) -> tuple[list[Client], list[str], list[ClientGroup]]:
        clients: list[Client] = []
        names: list[str] = []
        groups: list[ClientGroup] = []
        for stop in self.problem.stops:
            if stop.id in self.paired:
                continue
            prize, required = self._worth(stop)
            # a stop that closes before its goods are ready is in vain, and PyVRP refuses it
            windows = [window for window in opening(stop.windows) if window.closes_s >= stop.release_s]
            group = None
            if len(windows) > 1:
                group = len(groups)
                groups.append(ClientGroup(list(range(len(clients), len(clients) + len(windows))), required))
            for window in windows:
                names.append(stop.id)
                clients.append(
                    Client(
                        self.row[stop.location],
                        [each.delivered.get(stop.id, 0) for each in self.dimensions],
                        [each.collected.get(stop.id, 0) for each in self.dimensions],
                        stop.service_time_s,
                        window.opens_s,
                        window.closes_s,
                        stop.release_s,
                        prize,
                        required and group is None,
                        group,
                    )
                )
        return clients, names, groups

    def _shipment(self, shipment: Shipment) -> PyvrpShipment:
        pickup, delivery = (self.problem.stop_by_id[name] for name in (shipment.pickup, shipment.delivery))
        (opens,), (closes,) = opening(pickup.windows), opening(delivery.windows)
        worth = [self._worth(stop) for stop in (pickup, delivery)]
        return PyvrpShipment(
            self.row[pickup.location],
            self.row[delivery.location],
            opens.opens_s,
            opens.closes_s,
            pickup.service_time_s,
            closes.opens_s,
            closes.closes_s,
            delivery.service_time_s,
            [each.carried.get(shipment, 0) for each in self.dimensions],
            sum(prize for prize, _ in worth),
            any(required for _, required in worth),
        )

    def _fleet(self) -> tuple[list[VehicleType], list[tuple[int | None, int]], list[int | None]]:
        """PyVRP's vehicle types, its depots as place and seconds of loading, and at which of them each type reloads."""
        depots: list[tuple[int | None, int]] = []

        def depot(place: int | None, loading_s: int = 0) -> int:
            if (place, loading_s) not in depots:
                depots.append((place, loading_s))
            return depots.index((place, loading_s))

        types, reloads = [], []
        for number, (vehicle, names, rates) in enumerate(zip(self.vehicles, self.kinds, self.rates, strict=True)):
            reload = vehicle.reload
            again = None if reload is None or not reload.most else depot(reload.place, reload.duration_s)
            reloads.append(again)
            shift_s, overtime_s = _duration(vehicle, rates)
            types.append(
                VehicleType(
                    len(names),
                    [each.capacities[number] for each in self.dimensions],
                    depot(vehicle.start),
                    depot(vehicle.end),
                    fixed_cost=rates.fixed,
                    tw_early=vehicle.shift.opens_s,
                    tw_late=vehicle.shift.closes_s,
                    unit_distance_cost=rates.metre,
                    unit_duration_cost=rates.second,
                    reload_depots=[] if again is None else [again],
                    max_reloads=0 if reload is None else reload.most,
                    shift_duration=shift_s,
                    max_overtime=overtime_s,
                    unit_overtime_cost=rates.overtime_second,
                    max_distance=NO_LIMIT if vehicle.max_distance_m is None else vehicle.max_distance_m,
                )
            )
        return types, depots, reloads

    def _dimensions(self) -> Iterator[_Dimension]:
        stops, shipments = self.problem.stops, self.problem.shipments
        keys = {(each.dimension, each.compartment) for vehicle in self.vehicles for each in vehicle.capacities}
        for key in sorted(keys, key=str):
            yield self._filling(
                [_limit(vehicle.capacities, key) for vehicle in self.vehicles],
                {stop.id: _amount(stop.loads, key) for stop in stops},
                {stop.id: _amount(stop.collects, key) for stop in stops},
                {each: _amount(each.loads, key) for each in shipments},
            )
        if any(vehicle.max_stops is not None for vehicle in self.vehicles):
            yield self._filling([vehicle.max_stops for vehicle in self.vehicles], {stop.id: 1 for stop in stops})
        for group in self.problem.apart:
            yield self._filling([1 for _ in self.vehicles], dict.fromkeys(group, 1))
        yield from self._fitness()

    def _fitness(self) -> Iterator[_Dimension]:
        """For stops that only some vehicles are fit for: goods of which the others can carry none."""
        unfit: dict[frozenset[int], dict[str, int]] = {}
        unfit_shipments: dict[frozenset[int], dict[Shipment, int]] = {}
        for stop in self.problem.stops:
            needs = _compartments((*stop.loads, *stop.collects))
            if others := self._others(stop.skills, needs):
                if stop.id in self.paired:
                    unfit_shipments.setdefault(others, {})[self.paired[stop.id]] = 1
                else:
                    unfit.setdefault(others, {})[stop.id] = 1
        for shipment in self.problem.shipments:
            if others := self._others(frozenset(), _compartments(shipment.loads)):
                unfit_shipments.setdefault(others, {})[shipment] = 1
        for others in {**unfit, **unfit_shipments}:
            limits = [0 if number in others else None for number in range(len(self.vehicles))]
            yield self._filling(limits, unfit.get(others, {}), {}, unfit_shipments.get(others, {}))

    def _others(self, skills: frozenset[str], needs: frozenset[Compartment]) -> frozenset[int]:
        return frozenset(
            number
            for number, vehicle in enumerate(self.vehicles)
            if not (skills <= vehicle.skills and needs <= vehicle.compartments)
        )

    def _filling(
        self,
        limits: Sequence[int | None],
        delivered: dict[str, int],
        collected: dict[str, int] | None = None,
        carried: dict[Shipment, int] | None = None,
    ) -> _Dimension:
        """In the largest unit that divides all amounts; no limit is more than there is."""
        collected, carried = collected or {}, carried or {}
        amounts = [*delivered.values(), *collected.values(), *carried.values()]
        unit = gcd(*amounts) or 1
        total = sum(amounts) // unit
        return _Dimension(
            tuple(total if limit is None else min(total, limit // unit) for limit in limits),
            {name: amount // unit for name, amount in delivered.items()},
            {name: amount // unit for name, amount in collected.items()},
            {shipment: amount // unit for shipment, amount in carried.items()},
        )


def _kinds(vehicles: Iterable[Vehicle]) -> list[list[str]]:
    """Ids of vehicles that are alike."""
    kinds: dict[Vehicle, list[str]] = {}
    for vehicle in vehicles:
        kinds.setdefault(replace(vehicle, id=""), []).append(vehicle.id)
    return list(kinds.values())


def places_of(stops: Iterable[Stop], vehicles: Iterable[Vehicle]) -> set[int]:
    """All places that routes of these vehicles to these stops can touch."""
    places = {stop.location for stop in stops}
    for vehicle in vehicles:
        reload = {vehicle.reload.place} if vehicle.reload is not None else set()
        places |= {vehicle.start, vehicle.start if vehicle.end is None else vehicle.end, *reload}
    return places


def _with_zeros(matrix: Matrix) -> Matrix:
    """From a place to itself there is no way."""
    matrix = matrix.copy()
    np.fill_diagonal(matrix, 0)
    return matrix


def _duration(vehicle: Vehicle, rates: _Rates) -> tuple[int, int]:
    """How long a route may take at the usual price, seconds, and how much longer at the price of overtime."""
    longest_s = NO_LIMIT if vehicle.max_duration_s is None else vehicle.max_duration_s
    after_s = vehicle.overtime_after_s
    if after_s is None or not rates.overtime_second or longest_s <= after_s:
        return longest_s, 0
    return after_s, min(longest_s, vehicle.shift.closes_s - vehicle.shift.opens_s + after_s) - after_s


def _limit(capacities: Iterable[Capacity], key: Key) -> int | None:
    return min((each.limit for each in capacities if (each.dimension, each.compartment) == key), default=None)


def _amount(loads: Iterable[Load], key: Key) -> int:
    dimension, compartment = key
    return sum(load.amount for load in loads if load.dimension == dimension and compartment in (None, load.compartment))


def _compartments(loads: Iterable[Load]) -> frozenset[Compartment]:
    return frozenset(load.compartment for load in loads if load.compartment is not None)


def _scaled(problem: Problem, vehicles: Sequence[Vehicle]) -> tuple[float, list[_Rates], dict[str, int]]:
    """PyVRP's units in one of the objective; the rates of each vehicle and the prizes in them."""
    rates = [_rates(problem, vehicle) for vehicle in vehicles]
    prizes = {stop.id: stop.prize * FINE for stop in problem.stops if stop.prize is not None}
    numbers = [number for each in rates for number in (each.metre, each.second, each.overtime_second, each.fixed)]
    unit = gcd(*numbers, *prizes.values()) or 1
    dearest = max([each.metre for each in rates] + [each.second + each.overtime_second for each in rates])
    if dearest // unit > DEAREST:
        unit = dearest // DEAREST

    def whole(number: int) -> int:
        return (number + unit // 2) // unit

    scaled = [_Rates(whole(r.metre), whole(r.second), whole(r.overtime_second), whole(r.fixed)) for r in rates]
    return FINE / unit, scaled, {name: whole(prize) for name, prize in prizes.items()}


def _rates(problem: Problem, vehicle: Vehicle) -> _Rates:
    """In parts of a unit of the objective, see `FINE`."""
    if problem.objective is Objective.DISTANCE:
        return _Rates(FINE, 0, 0, 0)
    if problem.objective is Objective.TIME:
        return _Rates(0, FINE, 0, 0)
    if problem.objective is Objective.FUEL:
        return _Rates(vehicle.fuel_ml_per_km * FINE // 1_000, 0, 0, 0)
    km = vehicle.cost_per_km_minor * 1_000 + vehicle.fuel_ml_per_km * problem.fuel_price_minor_per_l
    if problem.objective is Objective.HYBRID:
        km += vehicle.co2_g_per_km * problem.co2_price_minor_per_kg
    hour, overtime = vehicle.cost_per_hour_minor, vehicle.overtime_cost_per_hour_minor
    return _Rates(km * 9, hour * 2_500, overtime * 2_500, vehicle.fixed_cost_minor * FINE)
