"""A day under way: where each vehicle is, and the problem that is left of the day.

The rest of a day is a problem like any other, so that every engine, the judge and the explanations work on it. What has
happened becomes part of it: a vehicle starts where it can next be sent elsewhere, its shift begins when it gets there,
what it has driven is taken off its limits, and what is in it is `on_board`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from route_optimizer.plan import Order, Plan, Route
from route_optimizer.plan import Rest as Pause
from route_optimizer.problem import (
    LONGEST_S,
    UNREACHABLE,
    Break,
    Capacity,
    Load,
    Problem,
    Shipment,
    Stop,
    Vehicle,
    Window,
)
from route_optimizer.repair import tidy


@dataclass(frozen=True, slots=True)
class UnderWay:
    """A vehicle that has left its start: where it is, and what is behind it."""

    #: id of the vehicle
    vehicle: str
    #: row of the matrix: where it can next be sent elsewhere, such as the stop that it is driving to
    place: int
    #: seconds: it is there then, and free
    free_s: int
    #: seconds: it left its start then
    left_s: int
    #: ids of the stops it has served, the one that it is serving among them
    finished: tuple[str, ...] = ()
    #: id of the stop at `place` that it has not served yet, and serves next
    bound_for: str | None = None
    #: ids of the stops whose goods are in it; None is a vehicle that is about to load
    on_board: frozenset[str] | None = frozenset()
    #: stop -> seconds: its goods are in the vehicle since then, where that is known
    since_s: Mapping[str, int] = field(default_factory=dict)
    #: what it has taken along since it last loaded
    collected: tuple[Load, ...] = ()
    #: how many of its breaks are behind it
    breaks: int = 0
    reloads: int = 0
    #: driven until it is at `place`
    metres: int = 0
    #: seconds of driving until it is at `place`: all day, and since its last rest
    driven_s: int = 0
    unrested_s: int = 0


@dataclass(frozen=True, slots=True)
class Day:
    """How things stand."""

    #: seconds
    now_s: int
    #: what was being driven; its problem is the one that is replanned
    plan: Plan
    #: vehicles that are not where the plan has them by now
    vans: tuple[UnderWay, ...] = ()
    #: ids of vehicles that go no further; each stays where it is
    broken: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Handling:
    """How a day is taken up again."""

    #: seconds that a stop may be later than planned before it is late
    promise_s: int = 900
    #: units of the objective for 3,600 seconds of lateness; None is what an hour of the plan has cost
    late_cost_per_hour: int | None = None
    #: whether other vehicles fetch what is in a broken one; else it is left out
    transfer: bool = True
    #: seconds to hand over one stop's goods
    handover_s: int = 120


@dataclass(frozen=True, slots=True)
class Rest:
    """What is left of a day."""

    problem: Problem
    #: what is left of the plan; it may keep the rules no longer
    orders: dict[str, Order]
    #: ids of stops that are finished
    finished: frozenset[str]
    #: stops whose goods are to be fetched from a broken vehicle -> the stop where they are
    fetched: dict[str, str]


def as_planned(problem: Problem, plan: Plan, now_s: int) -> tuple[UnderWay, ...]:
    """Where the vehicles are if all has gone as planned; those that have not left are not among them."""
    return tuple(_on_route(problem, route, now_s) for route in plan.routes if route.start_s <= now_s)


def rest_of(
    problem: Problem,
    day: Day,
    insert: Sequence[Stop] = (),
    cancel: Iterable[str] = (),
    handling: Handling | None = None,
) -> Rest:
    """The problem from now on: late orders in, cancelled and finished stops out, broken vehicles without a stop.

    Rows of the matrix keep their numbers: a late order at a new place needs a problem whose matrix has one row more.
    """
    return _Rest(problem, day, handling or Handling()).told(insert, set(cancel))


class _Rest:
    def __init__(self, problem: Problem, day: Day, handling: Handling) -> None:
        self._problem, self._day, self._handling = problem, day, handling
        given = {each.vehicle: each for each in day.vans}
        vans = {each.vehicle: each for each in as_planned(problem, day.plan, day.now_s)} | given
        self._vans = {name: _rested(problem.vehicle_by_id[name], each) for name, each in vans.items()}
        self._finished = {name for each in self._vans.values() for name in each.finished}
        self._server = {name: each.vehicle for each in self._vans.values() for name in each.finished}
        self._planned = {visit.stop: (route.vehicle, visit) for route in day.plan.routes for visit in route.visits}

    def told(self, insert: Sequence[Stop], cancel: set[str]) -> Rest:
        gone = self._finished | self._cancelled(cancel)
        stops = {each.id: self._stop(each) for each in self._problem.stops if each.id not in gone}
        stops |= {each.id: each for each in insert}
        shipments = [each for each in self._problem.shipments if {each.pickup, each.delivery} <= stops.keys()]
        fetched = self._fetch(stops, shipments) if self._handling.transfer else {}
        vehicles = tuple(self._vehicle(each, stops, fetched) for each in self._problem.vehicles)
        vehicles = self._bind(stops, vehicles)
        left = replace(self._problem, stops=tuple(stops.values()), vehicles=vehicles, shipments=tuple(shipments))
        names = set(stops)
        left = replace(
            left,
            together=tuple(group & names for group in left.together if len(group & names) > 1),
            apart=tuple(group & names for group in left.apart if len(group & names) > 1),
        )
        return Rest(left, self._orders(stops), frozenset(self._finished), fetched)

    def _cancelled(self, cancel: set[str]) -> set[str]:
        """With a stop goes the other end of its shipment, unless its goods are in the vehicle."""
        ends = {name for each in self._problem.shipments for name in _ends(each) if cancel & _ends(each)}
        return cancel | {name for name in ends if not self._picked_up(name)}

    def _picked_up(self, name: str) -> bool:
        return any(name == each.delivery and each.pickup in self._finished for each in self._problem.shipments)

    def _stop(self, stop: Stop) -> Stop:
        """A stop of the plan, its goods as they are by now and its time as promised."""
        planned = self._planned.get(stop.id)
        if planned is None:
            return stop
        vehicle, visit = planned
        van = self._vans.get(vehicle)
        stop = replace(stop, planned_on=None if vehicle in self._day.broken else vehicle)
        if stop.due_s is None:
            promised_s = visit.start_s + self._handling.promise_s
            stop = replace(stop, due_s=promised_s, late_cost_per_hour=self._late_cost())
        for each in self._problem.shipments:
            if each.delivery == stop.id and each.pickup in self._finished:
                stop = replace(stop, loads=(*stop.loads, *each.loads))
        if van is None:
            return stop
        if stop.id == van.bound_for and stop.windows and all(each.closes_s < van.free_s for each in stop.windows):
            stop = replace(stop, windows=(*stop.windows, Window(van.free_s, van.free_s)))
        if stop.max_ride_s is not None and stop.id in van.since_s:
            fresh_s = van.since_s[stop.id] + stop.max_ride_s
            stop = replace(stop, max_ride_s=None, windows=_until(stop.windows, fresh_s))
        return replace(stop, release_s=0) if stop.id in (van.on_board or ()) else stop

    def _late_cost(self) -> int:
        if self._handling.late_cost_per_hour is not None:
            return self._handling.late_cost_per_hour
        seconds = sum(each.duration_s for each in self._day.plan.routes)
        return self._day.plan.cost * 3_600 // max(1, seconds)

    def _vehicle(self, vehicle: Vehicle, stops: Mapping[str, Stop], fetched: Mapping[str, str]) -> Vehicle:
        van = self._vans.get(vehicle.id)
        if van is None:
            opens_s = max(vehicle.shift.opens_s, self._day.now_s)
            shift = Window(opens_s, max(opens_s, vehicle.shift.closes_s))
            locked = tuple(name for name in vehicle.locked if name in stops)
            on_board = None if vehicle.on_board is None else vehicle.on_board.intersection(stops)
            fresh = replace(vehicle, shift=shift, locked=locked, on_board=on_board)
        else:
            fresh = _from_now(vehicle, van, stops, self._problem)
        if vehicle.id in self._day.broken:
            kept = None if fresh.on_board is None else fresh.on_board.difference(fetched)
            gone = Window(0, 0)
            fresh = replace(fresh, max_stops=0, shift=gone, locked=(), on_board=kept, breaks=(), reload=None)
        elif van is not None and fresh.on_board == frozenset() and not self._order(vehicle.id, stops):
            fresh = _loaded_again(self._problem, fresh)
        return fresh

    def _fetch(self, stops: dict[str, Stop], shipments: list[Shipment]) -> dict[str, str]:
        """Make what is in a broken vehicle a shipment from where it stands."""
        fetched: dict[str, str] = {}
        for vehicle in sorted(self._day.broken & self._vans.keys()):
            van = self._vans[vehicle]
            for name in sorted((van.on_board or frozenset()) & stops.keys()):
                if not stops[name].loads:
                    continue
                pickup = f"{name} (in {vehicle})"
                while pickup in stops:
                    pickup += "'"
                where = Stop(pickup, van.place, service_time_s=self._handling.handover_s, priority=stops[name].priority)
                shipments.append(Shipment(pickup, name, stops[name].loads))
                stops |= {pickup: where, name: replace(stops[name], loads=())}
                fetched[name] = pickup
        return fetched

    def _bind(self, stops: dict[str, Stop], vehicles: tuple[Vehicle, ...]) -> tuple[Vehicle, ...]:
        """Groups that a vehicle has begun: who goes with a finished stop, and who must not, as skills."""
        for kind, groups in (("with", self._problem.together), ("not with", self._problem.apart)):
            for group in groups:
                for server in sorted({self._server[name] for name in group & self._server.keys()} - self._day.broken):
                    skill = f"{kind} what {server} has served"
                    for name in group & stops.keys():
                        stops[name] = replace(stops[name], skills=stops[name].skills | {skill})
                    vehicles = tuple(
                        replace(each, skills=each.skills | {skill}) if (each.id == server) == (kind == "with") else each
                        for each in vehicles
                    )
        return vehicles

    def _orders(self, stops: Mapping[str, Stop]) -> dict[str, Order]:
        orders = {each.vehicle: self._order(each.vehicle, stops) for each in self._day.plan.routes}
        return {vehicle: order for vehicle, order in orders.items() if order and vehicle not in self._day.broken}

    def _order(self, vehicle: str, stops: Mapping[str, Stop]) -> Order:
        order = next((each.order for each in self._day.plan.routes if each.vehicle == vehicle), ())
        left = tidy(name for name in order if name is None or name in stops)
        van = self._vans.get(vehicle)
        if van is None or van.bound_for is None or van.bound_for not in left:
            return left
        return (van.bound_for, *tidy(name for name in left if name != van.bound_for))


def _ends(shipment: Shipment) -> set[str]:
    return {shipment.pickup, shipment.delivery}


def _until(windows: Sequence[Window], last_s: int) -> tuple[Window, ...]:
    """The part of these windows that is not after an instant; that instant where there is none."""
    cut = (Window(each.opens_s, min(each.closes_s, last_s)) for each in windows or (Window(0, LONGEST_S),))
    return tuple(each for each in cut if each.opens_s <= each.closes_s) or (Window(last_s, last_s),)


def _from_now(vehicle: Vehicle, van: UnderWay, stops: Mapping[str, Stop], problem: Problem) -> Vehicle:
    """A vehicle as it goes on: what it has used up of its limits is gone."""
    closes_s = vehicle.shift.closes_s
    if vehicle.max_duration_s is not None:
        closes_s = min(closes_s, van.left_s + vehicle.max_duration_s)
    first = () if van.bound_for not in stops else (van.bound_for,)
    reloads_left = 0 if vehicle.reload is None else vehicle.reload.most - van.reloads
    return replace(
        vehicle,
        start=van.place,
        shift=Window(van.free_s, max(van.free_s, closes_s)),
        capacities=tuple(_less(each, van.collected) for each in vehicle.capacities),
        max_distance_m=_left(vehicle.max_distance_m, van.metres),
        max_duration_s=None,
        max_stops=_left(vehicle.max_stops, len(van.finished)),
        max_driving_s=_left(vehicle.max_driving_s, van.driven_s),
        breaks=_breaks_left(vehicle, van),
        reload=replace(vehicle.reload, most=reloads_left) if vehicle.reload and reloads_left > 0 else None,
        fixed_cost_minor=0,
        overtime_after_s=_left(vehicle.overtime_after_s, van.free_s - van.left_s),
        locked=(*first, *(name for name in vehicle.locked if name in stops and name not in first)),
        on_board=None if van.on_board is None else van.on_board.intersection(stops),
    )


def _loaded_again(problem: Problem, vehicle: Vehicle) -> Vehicle:
    """An empty vehicle with nothing to do, as it stands at its depot again, loading."""
    reload = vehicle.reload
    if reload is None or vehicle.locked or problem.matrix.metres(vehicle.start, reload.place) == UNREACHABLE:
        return vehicle
    back_s = vehicle.shift.opens_s + problem.matrix.seconds(vehicle.start, reload.place) + reload.duration_s
    return replace(
        vehicle,
        start=reload.place,
        shift=Window(back_s, max(back_s, vehicle.shift.closes_s)),
        max_distance_m=_left(vehicle.max_distance_m, problem.matrix.metres(vehicle.start, reload.place)),
        max_driving_s=_left(vehicle.max_driving_s, problem.matrix.seconds(vehicle.start, reload.place)),
        reload=replace(reload, most=reload.most - 1) if reload.most > 1 else None,
        on_board=None,
    )


def _left(limit: int | None, used: int) -> int | None:
    return None if limit is None else max(0, limit - used)


def _less(capacity: Capacity, taken: Iterable[Load]) -> Capacity:
    used = sum(
        each.amount
        for each in taken
        if each.dimension == capacity.dimension and capacity.compartment in (None, each.compartment)
    )
    return replace(capacity, limit=max(0, capacity.limit - used))


def _rested(vehicle: Vehicle, van: UnderWay) -> UnderWay:
    """A vehicle that may drive no longer than its rest takes, rests first."""
    rule = vehicle.driving
    if rule is None or not van.unrested_s or rule.longest_s - van.unrested_s >= rule.rest_s:
        return van
    return replace(van, free_s=van.free_s + rule.rest_s, unrested_s=0)


def _breaks_left(vehicle: Vehicle, van: UnderWay) -> tuple[Break, ...]:
    """Breaks to come, and the rest that is due for what has been driven already: at the latest as if it drove on.

    A vehicle that leaves later than that has stood for as long as the rest takes: see `_rested`.
    """
    breaks = [
        replace(each, earliest_s=max(each.earliest_s, van.free_s))
        for each in vehicle.breaks[van.breaks :]
        if each.latest_s >= van.free_s
    ]
    if vehicle.driving is None or not van.unrested_s:
        return tuple(breaks)
    by_s = van.free_s + max(0, vehicle.driving.longest_s - van.unrested_s)
    at = sum(each.latest_s <= by_s for each in breaks)
    if any(each.duration_s >= vehicle.driving.rest_s for each in breaks[:at]):
        return tuple(breaks)
    earliest_s = breaks[at - 1].earliest_s if at else van.free_s
    return (*breaks[:at], Break(min(earliest_s, by_s), by_s, vehicle.driving.rest_s), *breaks[at:])


def _on_route(problem: Problem, route: Route, now_s: int) -> UnderWay:
    vehicle = problem.vehicle_by_id[route.vehicle]
    done = sum(visit.start_s <= now_s for visit in route.visits)
    ahead = next((each for each in route.reloads if each.after == done and each.departure_s > now_s), None)
    reloads = [each for each in route.reloads if each.after < done or each.departure_s <= now_s]
    place, free_s, bound_for = _next(problem, route, done, now_s)
    loaded_s = reloads[-1].departure_s if reloads else route.start_s
    on_board: frozenset[str] | None = frozenset(name for name in _trip(route, done) if problem.stop_by_id[name].loads)
    if ahead is not None and vehicle.reload is not None:
        # it loads before anything else, whatever it does now
        place, free_s, bound_for = vehicle.reload.place, ahead.departure_s, None
        loaded_s, reloads = ahead.departure_s, [*reloads, ahead]
        on_board = on_board if ahead.start_s <= now_s else None
    free_s = max([free_s, *(each.end_s for each in route.rests if each.start_s <= free_s < each.end_s)])
    van = UnderWay(
        vehicle=vehicle.id,
        place=place,
        free_s=free_s,
        left_s=route.start_s,
        finished=tuple(visit.stop for visit in route.visits[:done]),
        bound_for=bound_for,
        on_board=on_board,
        since_s=dict.fromkeys(on_board or (), loaded_s),
        reloads=len(reloads),
    )
    return _behind(problem, route, van)


def _next(problem: Problem, route: Route, done: int, now_s: int) -> tuple[int, int, str | None]:
    """Where and when it can next be sent elsewhere, and the stop that is there if it has not been served."""
    vehicle, last = problem.vehicle_by_id[route.vehicle], route.visits[done - 1]
    if done and (last.departure_s > now_s or (done == len(route.visits) and vehicle.end is None)):
        return problem.stop_by_id[last.stop].location, max(now_s, last.departure_s), None
    if done == len(route.visits):
        return vehicle.start if vehicle.end is None else vehicle.end, max(now_s, route.end_s), None
    visit = route.visits[done]
    return problem.stop_by_id[visit.stop].location, max(now_s, visit.arrival_s), visit.stop


def _trip(route: Route, done: int) -> list[str]:
    """The stops that are next before another reload; of a vehicle that is about to reload, those after it."""
    after = next((each.after for each in route.reloads if each.after > done), len(route.visits))
    return [visit.stop for visit in route.visits[done:after]]


def _behind(problem: Problem, route: Route, van: UnderWay) -> UnderWay:
    """With what it has driven, taken along and rested until it is free."""
    vehicle = problem.vehicle_by_id[route.vehicle]
    way = [*_way(problem, vehicle, route, len(van.finished), van.reloads)]
    legs = [*pairwise(place for place, _ in way), (way[-1][0], van.place)]
    seconds = [problem.matrix.seconds(*leg) for leg in legs]
    rests = [each for each in route.rests if each.start_s < van.free_s]
    enough = [each for each in rests if vehicle.driving and each.end_s - each.start_s >= vehicle.driving.rest_s]
    unrested = [
        leg_s
        for leg_s, (_, left_s) in zip(seconds, way, strict=True)
        if not enough or left_s + leg_s > enough[-1].start_s
    ]
    at_s = {visit.stop: visit.departure_s for visit in route.visits[: len(van.finished)]}
    picked_up = {
        each.delivery: at_s[each.pickup]
        for each in problem.shipments
        if each.pickup in at_s and each.delivery not in at_s
    }
    loaded = max((each.after for each in route.reloads[: van.reloads]), default=0)
    return replace(
        van,
        on_board=None if van.on_board is None else van.on_board.union(picked_up),
        since_s={**van.since_s, **picked_up},
        collected=tuple(load for name in van.finished[loaded:] for load in problem.stop_by_id[name].collects),
        breaks=_taken(vehicle, rests),
        metres=sum(problem.matrix.metres(*leg) for leg in legs),
        driven_s=sum(seconds),
        unrested_s=sum(unrested),
    )


def _way(problem: Problem, vehicle: Vehicle, route: Route, done: int, reloads: int) -> Iterator[tuple[int, int]]:
    """The places it has left, and when."""
    yield vehicle.start, route.start_s
    for number, visit in enumerate(route.visits[:done]):
        for each in route.reloads[:reloads]:
            if each.after == number and vehicle.reload is not None:
                yield vehicle.reload.place, each.departure_s
        yield problem.stop_by_id[visit.stop].location, visit.departure_s


def _taken(vehicle: Vehicle, rests: Sequence[Pause]) -> int:
    """How many of its breaks are behind it when the last that was taken is."""
    fitting = [
        number
        for number, each in enumerate(vehicle.breaks, start=1)
        if any(
            each.earliest_s <= rest.start_s <= each.latest_s and rest.end_s - rest.start_s >= each.duration_s
            for rest in rests
        )
    ]
    return max(fitting, default=0)
