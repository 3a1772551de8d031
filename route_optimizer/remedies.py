"""The rules one by one: how each is stretched, what the stretch is worth, and how it is told.

A stretch is a whole number: minutes are seconds here, and 1 is "allowed" where a rule knows no more or less. One table,
`RULES`, says all of it, so that what `explain` tries and what `relax` does to a problem cannot differ.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from route_optimizer.plan import Order, Route, Rule
from route_optimizer.problem import LONGEST_S, UNREACHABLE, Capacity, Compartment, Problem, Stop, Vehicle, Window
from route_optimizer.schedule import legs, order_of, route

#: what one more vehicle is worth, in the minutes of `Remedy.price`
ANOTHER_VEHICLE = 120.0
#: metres or seconds that no route comes to
FAR_MORE = 10**12
#: in `Reason.subject`: the other of the two numbers a rule has
START, WHOLE_DAY = "start", "whole day"


@dataclass(frozen=True, slots=True)
class Case:
    """One vehicle and the order it is to drive; of the problem, no more than that needs."""

    problem: Problem
    vehicle: Vehicle
    order: Order

    def route(self) -> Route | None:
        """The route, if no rule is in its way."""
        return route(self.problem, self.vehicle, order_of(self.problem, self.order))

    def with_vehicle(self, **changes: object) -> "Case":
        """The same with another number in the vehicle."""
        return replace(self, vehicle=replace(self.vehicle, **changes))  # type: ignore[arg-type]

    def with_stop(self, stop: Stop) -> "Case":
        """The same with this stop in place of the one of its name."""
        stops = tuple((self.problem.stop_by_id | {stop.id: stop}).values())
        return replace(self, problem=replace(self.problem, stops=stops))


@dataclass(frozen=True, slots=True)
class Remedy:
    """One rule that could be stretched to let a stop in."""

    rule: Rule
    #: id of the stop that is to be let in, or of one that goes with it
    stop: str
    subject: str = ""
    compartment: Compartment | None = None
    #: the number of the rule as it stands
    now: int = 0
    #: a stretch beyond which no more helps
    most: int = 1

    def stretched(self, case: Case, by: int) -> Case:
        """The case with the rule stretched."""
        return RULES[self.rule].stretch(self, case, by)

    def used(self, case: Case, found: Route) -> int | None:
        """How much of a stretch a route needs, where that can be seen; never less than 1."""
        vehicle = case.vehicle
        needed = None
        if self.rule is Rule.SHIFT:
            needed = vehicle.shift.opens_s - found.start_s if self.subject == START else found.end_s - self.now
        elif self.rule is Rule.MAX_DISTANCE:
            needed = found.distance_m - self.now
        elif self.rule is Rule.MAX_DURATION:
            needed = found.duration_s - self.now
        elif self.rule is Rule.WINDOW:
            start_s = next(each.start_s for each in found.visits if each.stop == self.stop)
            windows = _stop(self, case).windows
            needed = min(max(each.opens_s - start_s, start_s - each.closes_s, 0) for each in windows)
        return None if needed is None else max(1, needed)

    def price(self, by: int) -> float:
        """How much it is to ask, in minutes of a driver's overtime."""
        base, each = RULES[self.rule].price
        per = {"percent": 100 / max(1, self.now), "minute": 1 / 60, "": 1.0}[RULES[self.rule].unit]
        return base + each * by * per


@dataclass(frozen=True, slots=True)
class _Rule:
    stretch: Callable[[Remedy, Case, int], Case]
    #: for stretching it at all, and for each unit
    price: tuple[float, float]
    unit: str = ""


def span(seconds: int) -> str:
    """A duration for people: 45 s, 12 min, 1 h 20 min; rounded up to the minute."""
    if seconds < 60:
        return f"{seconds} s"
    hours, minutes = divmod(-(-seconds // 60), 60)
    return " ".join(part for part in (f"{hours} h" if hours else "", f"{minutes} min" if minutes else "") if part)


def _stop(remedy: Remedy, case: Case) -> Stop:
    return case.problem.stop_by_id[remedy.stop]


def _capacity(remedy: Remedy, case: Case, by: int) -> Case:
    counted = remedy.subject, remedy.compartment
    others = [each for each in case.vehicle.capacities if (each.dimension, each.compartment) != counted]
    if remedy.now + by < 0:
        return case
    return case.with_vehicle(capacities=(*others, Capacity(remedy.subject, remedy.now + by, remedy.compartment)))


def _window(remedy: Remedy, case: Case, by: int) -> Case:
    stop = _stop(remedy, case)
    wider = tuple(Window(max(0, each.opens_s - by), each.closes_s + by) for each in stop.windows)
    return case.with_stop(replace(stop, windows=wider))


def _shift(remedy: Remedy, case: Case, by: int) -> Case:
    shift = case.vehicle.shift
    if remedy.subject == START:
        return case.with_vehicle(shift=Window(max(0, shift.opens_s - by), shift.closes_s))
    return case.with_vehicle(shift=Window(shift.opens_s, shift.closes_s + by))


def _breaks(_: Remedy, case: Case, by: int) -> Case:
    return case.with_vehicle(
        breaks=tuple(
            replace(each, earliest_s=max(0, each.earliest_s - by), latest_s=each.latest_s + by)
            for each in case.vehicle.breaks
        )
    )


def _driving(remedy: Remedy, case: Case, by: int) -> Case:
    if remedy.subject == WHOLE_DAY:
        return case.with_vehicle(max_driving_s=remedy.now + by)
    rule = case.vehicle.driving
    return case.with_vehicle(driving=rule and replace(rule, longest_s=remedy.now + by))


def _reload(remedy: Remedy, case: Case, by: int) -> Case:
    reload = case.vehicle.reload
    return case.with_vehicle(reload=reload and replace(reload, most=remedy.now + by))


def _unreachable(remedy: Remedy, case: Case, by: int) -> Case:
    place = case.vehicle.start if by else _stop(remedy, case).location
    return case.with_stop(replace(_stop(remedy, case), location=place))


def _apart(remedy: Remedy, case: Case, by: int) -> Case:
    return replace(case, problem=beside(case.problem, remedy.stop, remedy.subject)) if by else case


def _on_board(remedy: Remedy, case: Case, by: int) -> Case:
    if not by:
        return case
    problem = handed_over(case.problem, case.vehicle.id, remedy.stop)
    on_board = case.vehicle.on_board
    vehicle = case.vehicle if on_board is None else replace(case.vehicle, on_board=on_board | {remedy.stop})
    return replace(case, problem=problem, vehicle=vehicle)


def beside(problem: Problem, stop: str, other: str) -> Problem:
    """The problem in which these two may go together after all, whatever else is said of each of them."""
    groups: list[frozenset[str]] = []
    for group in problem.apart:
        if {stop, other} <= group:
            rest = group - {stop, other}
            groups += [group - {stop}, *(frozenset((stop, each)) for each in sorted(rest))]
        else:
            groups.append(group)
    return replace(problem, apart=tuple(each for each in groups if len(each) > 1))


def handed_over(problem: Problem, vehicle: str, stop: str) -> Problem:
    """The problem in which this vehicle has the goods of a stop, or may load them."""
    return replace(
        problem,
        vehicles=tuple(
            each
            if each.on_board is None
            else replace(each, on_board=each.on_board | {stop} if each.id == vehicle else each.on_board - {stop})
            for each in problem.vehicles
        ),
    )


#: what can be stretched, the most reluctantly stretched first; `price` compares them, one more vehicle being 120
RULES: dict[Rule, _Rule] = {
    Rule.UNREACHABLE: _Rule(_unreachable, (1_000, 0)),
    Rule.COMPARTMENT: _Rule(_capacity, (300, 0)),
    Rule.ON_BOARD: _Rule(_on_board, (250, 0)),
    Rule.SKILL: _Rule(
        lambda remedy, case, by: case.with_vehicle(skills=case.vehicle.skills | {remedy.subject}) if by else case,
        (200, 0),
    ),
    Rule.APART: _Rule(_apart, (100, 0)),
    Rule.CAPACITY: _Rule(_capacity, (15, 3), "percent"),
    Rule.RELOAD: _Rule(_reload, (30, 30)),
    Rule.MAX_STOPS: _Rule(
        lambda remedy, case, by: case.with_vehicle(max_stops=remedy.now + by),
        (10, 10),
    ),
    Rule.DRIVING: _Rule(_driving, (40, 4), "minute"),
    Rule.BREAK: _Rule(_breaks, (40, 2), "minute"),
    Rule.RIDE: _Rule(
        lambda remedy, case, by: case.with_stop(replace(_stop(remedy, case), max_ride_s=remedy.now + by)),
        (40, 3),
        "minute",
    ),
    Rule.RELEASE: _Rule(
        lambda remedy, case, by: case.with_stop(replace(_stop(remedy, case), release_s=max(0, remedy.now - by))),
        (15, 2),
        "minute",
    ),
    Rule.MAX_DISTANCE: _Rule(
        lambda remedy, case, by: case.with_vehicle(max_distance_m=remedy.now + by), (10, 2), "percent"
    ),
    Rule.WINDOW: _Rule(_window, (10, 1.5), "minute"),
    Rule.MAX_DURATION: _Rule(
        lambda remedy, case, by: case.with_vehicle(max_duration_s=remedy.now + by), (10, 1), "minute"
    ),
    Rule.SHIFT: _Rule(_shift, (10, 1), "minute"),
}


#: rules whose number is a stop's; `Reason.subject` names the stop where it is not the one left out, but its partner
OF_A_STOP = frozenset({Rule.UNREACHABLE, Rule.ON_BOARD, Rule.RIDE, Rule.RELEASE, Rule.WINDOW})


def of_goods(case: Case, unit: Sequence[str]) -> Iterator[Remedy]:
    """The rules about goods that may keep these stops off this vehicle."""
    vehicle = case.vehicle
    stops = [case.problem.stop_by_id[name] for name in unit]
    for stop in stops:
        yield from (Remedy(Rule.SKILL, stop.id, skill) for skill in sorted(stop.skills - vehicle.skills))
        holders = [each.id for each in case.problem.vehicles if stop.id in (each.on_board or ())]
        if (holders and holders != [vehicle.id]) or (vehicle.on_board is not None and stop.loads and not holders):
            yield Remedy(Rule.ON_BOARD, stop.id, "".join(holders))
        others = {name for group in case.problem.apart if stop.id in group for name in group} & set(case.order)
        yield from (Remedy(Rule.APART, stop.id, other) for other in sorted(others - {stop.id}))
    yield from _of_room(case, unit)
    if vehicle.max_stops is not None:
        yield Remedy(Rule.MAX_STOPS, unit[0], now=vehicle.max_stops, most=len(case.order))
    if vehicle.reload is not None and case.order.count(None) > vehicle.reload.most:
        yield Remedy(Rule.RELOAD, unit[0], now=vehicle.reload.most, most=case.order.count(None))


def _of_room(case: Case, unit: Sequence[str]) -> Iterator[Remedy]:
    problem, vehicle = case.problem, case.vehicle
    loads = [(stop.id, load) for stop in problem.stops for load in (*stop.loads, *stop.collects)]
    loads += [(each.pickup, load) for each in problem.shipments for load in each.loads]
    total = {capacity: 0 for capacity in ((each.dimension, each.compartment) for each in vehicle.capacities)}
    for name, load in loads:
        if load.compartment is not None and load.compartment not in vehicle.compartments and name in unit:
            total.setdefault((load.dimension, load.compartment), 0)
    limits = {(each.dimension, each.compartment): each.limit for each in vehicle.capacities}
    for dimension, compartment in total:
        amount = sum(
            load.amount for _, load in loads if load.dimension == dimension and compartment in (None, load.compartment)
        )
        if (dimension, compartment) in limits:
            now = limits[dimension, compartment]
            if amount > now:
                yield Remedy(Rule.CAPACITY, unit[0], dimension, compartment, now, most=amount - now)
        else:
            yield Remedy(Rule.COMPARTMENT, unit[0], dimension, compartment, now=-1, most=amount + 1)


def of_clock(case: Case, unit: Sequence[str]) -> Iterator[Remedy]:
    """The rules of road and clock that may keep these stops out of this order."""
    vehicle, name = case.vehicle, unit[0]
    for each in unit:
        yield from _of_stop(case, case.problem.stop_by_id[each])
    yield Remedy(Rule.SHIFT, name, now=vehicle.shift.closes_s, most=2 * LONGEST_S)
    if vehicle.shift.opens_s:
        yield Remedy(Rule.SHIFT, name, START, now=vehicle.shift.opens_s, most=vehicle.shift.opens_s)
    limits = (
        (Rule.MAX_DISTANCE, "", vehicle.max_distance_m),
        (Rule.MAX_DURATION, "", vehicle.max_duration_s),
        (Rule.DRIVING, WHOLE_DAY, vehicle.max_driving_s),
        (Rule.DRIVING, "", None if vehicle.driving is None else vehicle.driving.longest_s),
    )
    for rule, subject, limit in limits:
        if limit is not None:
            yield Remedy(rule, name, subject, now=limit, most=FAR_MORE)
    if vehicle.breaks:
        yield Remedy(Rule.BREAK, name, most=2 * LONGEST_S)


def _of_stop(case: Case, stop: Stop) -> Iterator[Remedy]:
    if _cut_off(case, stop):
        yield Remedy(Rule.UNREACHABLE, stop.id)
    if stop.windows:
        yield Remedy(Rule.WINDOW, stop.id, most=LONGEST_S)
    if stop.max_ride_s is not None:
        yield Remedy(Rule.RIDE, stop.id, now=stop.max_ride_s, most=LONGEST_S)
    if stop.release_s:
        yield Remedy(Rule.RELEASE, stop.id, now=stop.release_s, most=stop.release_s)


def _cut_off(case: Case, stop: Stop) -> bool:
    """Whether no road leads to it from the start or the place before, or from it to the end or the place after."""
    at, vehicle = case.order.index(stop.id), case.vehicle
    ways = legs(vehicle, order_of(case.problem, case.order))[at : at + 2]
    ways += legs(vehicle, [stop])
    return any(case.problem.matrix.metres(*leg) == UNREACHABLE for leg in ways)
