"""Why a stop is not served, and the least that would let it in.

A reason is checked, not guessed. For each place that the stop could have (on a route as it stands, on a vehicle that
stays at home, on one more vehicle) the rules in the way are stretched, each as little as helps, until the schedule
accepts the route; of all these the one that asks least is told. What "least" is, `remedies.RULES` says: a few minutes
of overtime are less than a window, any small stretch is less than one more vehicle, and that is less than a new skill.
`relax` does to a problem what the remedies say, so that a test can put the stop in.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from route_optimizer.facts import facts_of
from route_optimizer.gaps import CLOSED, Line, line, orders
from route_optimizer.insertion import cheapest
from route_optimizer.loads import carries
from route_optimizer.plan import Order, Reason, Route, Rule, Unserved
from route_optimizer.problem import Problem, Stop, Vehicle
from route_optimizer.relaxing import another, out_of_groups, relax, shipped_with, unclaimed, unit_of
from route_optimizer.remedies import ANOTHER_VEHICLE, RULES, Case, Remedy, of_clock, of_goods
from route_optimizer.schedule import opening, order_of
from route_optimizer.search import Sequences
from route_optimizer.words import told

__all__ = ["explain", "hopeless", "may_serve", "obstacles", "relax"]

#: routes looked at closely for one stop, and kinds of vehicles
CLOSELY, KINDS = 3, 6
#: stops of routes looked at closely for one plan, and for how many one counts where there are breaks: beyond that,
#: only one more vehicle is thought of
MOST_EFFORT, SLOW = 25_000, 60
#: gaps between stops that are glanced at for as long as it takes to look at one stop closely
GLANCES = 20
#: stops of a route with breaks in which several rules at once are stretched
MOST_SLOW = 6
#: in the minutes of `Remedy.price`
OUT_OF_GROUP, UNLOCKED, HANDED_OVER = 100.0, 100.0, 250.0

#: a route, or True where there is no need for one; what is false does not fit
_Fits = Callable[[Case], Route | bool | None]
_Mended = tuple[tuple[Remedy, int], ...]


def obstacles(problem: Problem, vehicle: Vehicle, stop: Stop) -> tuple[Reason, ...]:
    """What must be mended for this vehicle to serve this stop, and what goes with it, alone; nothing when it can."""
    found = next(_alone(problem, vehicle, unit_of(problem, stop.id), 0.0, _Limit()), None)
    return (_never(vehicle),) if found is None else found.reasons(stop.id)


def hopeless(problem: Problem) -> set[str]:
    """Ids of the stops that no vehicle can ever serve: no engine need try. With each goes what goes with it."""
    kinds = {replace(each, id="", locked=(), on_board=each.on_board and frozenset()): each for each in problem.vehicles}
    owners = {name: each for each in problem.vehicles for name in each.on_board or ()}
    answers: dict[tuple[int, Stop], bool] = {}
    found: set[str] = set()
    seen: set[str] = set()
    for stop in problem.stops:
        if stop.id in seen:
            continue
        unit = unit_of(problem, stop.id)
        seen.update(unit)
        claimed = {owners[name].id: owners[name] for name in unit if name in owners}
        stops = [_as_loaded(problem, name) for name in unit]
        able = (
            all(_brings(each, one) and _may(answers, each, one) for one in stops)
            for each in (claimed or kinds).values()
        )
        if len(claimed) > 1 or not any(able):
            found.update(unit)
    return found


def may_serve(vehicle: Vehicle, stop: Stop) -> bool:
    """False only when it can serve the stop on no route at all.

    Less is ruled out than `obstacles` finds for a vehicle alone: where two short ways are shorter than the direct one,
    as rounding and real roads have it, a stop out of reach alone can lie on the way to another.
    """
    in_shift = any(
        each.closes_s >= vehicle.shift.opens_s and each.opens_s + stop.service_time_s <= vehicle.shift.closes_s
        for each in opening(stop.windows)
    )
    if not in_shift or vehicle.max_stops == 0 or not stop.skills <= vehicle.skills:
        return False
    return all(
        load.compartment is None or load.compartment in vehicle.compartments for load in (*stop.loads, *stop.collects)
    ) and all(
        sum(
            load.amount
            for load in loads
            if load.dimension == each.dimension and each.compartment in (None, load.compartment)
        )
        <= each.limit
        for each in vehicle.capacities
        for loads in (stop.loads, stop.collects)
    )


def explain(problem: Problem, sequences: Sequences, stop: Stop) -> Unserved:
    """All that must be mended to serve a stop beside `sequences`, which keep the rules; the least of what would do."""
    lines = _lines(problem, tuple(sorted(sequences.items())))
    least = _Limit(effort=lines.effort)
    best: _Way | None = None
    for way in _ways(problem, lines, stop, least):
        if way.price < least.price:
            best, least.price = way, way.price
    if best is None:
        return Unserved(stop.id, (_never(problem.vehicles[0]),))
    reasons = list(best.reasons(stop.id))
    if stop.prize is not None:
        prize = _prize(relax(problem, stop.id, reasons), sequences, stop.id)
        reasons += [] if prize is None else [prize]
    if not reasons:
        words = f"it would fit on {best.vehicle.id}, which nobody has tried"
        reasons.append(Reason(Rule.FLEET, best.vehicle.id, words, "more time to search"))
    return Unserved(stop.id, tuple(reasons))


@dataclass(slots=True)
class _Limit:
    """The price of the best way so far: what costs as much need not be looked at."""

    price: float = CLOSED
    #: what has been looked at closely: see `MOST_EFFORT`
    effort: list[int] = field(default_factory=lambda: [0])


@dataclass(frozen=True, slots=True)
class _Way:
    """One way to let a stop in."""

    #: in minutes of a driver's overtime: see `Remedy.price`
    price: float
    #: of the whole problem
    vehicle: Vehicle
    case: Case
    mended: _Mended = ()
    before: tuple[Reason, ...] = ()
    after: tuple[Reason, ...] = ()

    def reasons(self, stop: str) -> tuple[Reason, ...]:
        """In words, told of its vehicle."""
        route = _applied(self.case, self.mended).route() if self.mended else None
        found = [told(remedy, by, self.case, route, stop, self.vehicle.id) for remedy, by in self.mended]
        return (*self.before, *found, *self.after)


def _ways(problem: Problem, lines: "_Lines", stop: Stop, least: _Limit) -> Iterator[_Way]:
    """The ways that may be worth telling."""
    unit = unit_of(problem, stop.id)
    yield from _whole(problem, lines, stop.id, unit, least)
    if any(stop.id in group for group in problem.together):
        fellows = shipped_with(problem, stop.id)
        others = ", ".join(sorted(set(unit) - set(fellows)))
        apart = out_of_groups(problem, fellows)
        words, remedy = f"it goes with {others}, or nowhere", f"that it may go without {others}"
        reason = Reason(Rule.TOGETHER, problem.vehicles[0].id, words, remedy)
        for way in _whole(apart, lines, stop.id, fellows, least, OUT_OF_GROUP):
            told_of = replace(reason, vehicle=way.vehicle.id)
            yield replace(way, before=(told_of, *way.before))


def _whole(
    problem: Problem, lines: "_Lines", name: str, unit: Sequence[str], least: _Limit, paid: float = 0.0
) -> Iterator[_Way]:
    """Ways for a stop and its whole unit: on vehicles at home, on one more, on routes as they stand."""
    for vehicle in _promising(problem, unit, lines.at_home):
        yield from _at_home(problem, lines, problem.vehicle_by_id[vehicle.id], unit, paid, least)
    yield from _on_another(problem, lines, name, paid, least)
    if least.effort[0] >= MOST_EFFORT:
        return
    least.effort[0] += len(lines.served) // GLANCES
    likely = [
        (paid + price, number, order)
        for number, each in enumerate(lines.driven)
        for price, order in orders(lines.problem, each, unit, CLOSELY - 1)
        if price < CLOSED
    ]
    for price, number, order in sorted(likely, key=lambda each: each[:2])[:CLOSELY]:
        if price < least.price and least.effort[0] < MOST_EFFORT:
            vehicle = problem.vehicle_by_id[lines.driven[number].vehicle.id]
            least.effort[0] += len(order)
            yield from _least(problem, vehicle, order, unit, paid, least)


def _at_home(
    problem: Problem, lines: "_Lines", vehicle: Vehicle, unit: Sequence[str], paid: float, least: _Limit
) -> Iterator[_Way]:
    if not vehicle.locked:
        yield from _alone(problem, vehicle, unit, paid, least)
        return
    if lines.served.isdisjoint(vehicle.locked) and not set(unit).isdisjoint(vehicle.locked):
        whole = {each for name in (*unit, *vehicle.locked) for each in unit_of(problem, name)}
        yield from _alone(problem, vehicle, sorted(whole), paid, least)
    words = f"{vehicle.id} must begin with {', '.join(vehicle.locked)}, and cannot"
    reason = Reason(Rule.LOCK, vehicle.id, words, f"that {vehicle.id} may begin with anything")
    for way in _alone(problem, replace(vehicle, locked=()), unit, paid + UNLOCKED, least):
        yield replace(way, before=(reason,))


def _on_another(problem: Problem, lines: "_Lines", name: str, paid: float, least: _Limit) -> Iterator[_Way]:
    unit = unit_of(problem, name)
    claimed = [each for each in problem.vehicles if set(unit) & (each.on_board or set())]
    paid += ANOTHER_VEHICLE + (HANDED_OVER if claimed else 0)
    if paid >= least.price:
        return
    free = unclaimed(problem, unit)
    for kind in _promising(free, unit, lines.kinds):
        vehicle = free.vehicle_by_id[kind.id]
        for way in _alone(free, another(free, vehicle), unit, paid, least):
            words = f"{'beside' if way.mended else 'alone it fits, beside'} the other stops no room was found"
            if claimed:
                words = f"its goods are in {claimed[0].id}, which cannot bring them"
            elif vehicle.on_board is not None and any(problem.stop_by_id[each].loads for each in unit):
                words = f"its goods are not in {vehicle.id}, which is under way"
            reason = Reason(Rule.FLEET, vehicle.id, words, f"one more vehicle like {vehicle.id}")
            yield replace(way, vehicle=vehicle, after=(reason,))


def _alone(problem: Problem, vehicle: Vehicle, unit: Sequence[str], paid: float, least: _Limit) -> Iterator[_Way]:
    rest = [name for name in unit if name not in vehicle.locked]
    order: Order = (*vehicle.locked, *rest)
    if rest:
        order = next((each for _, each in orders(problem, line(problem, vehicle, vehicle.locked), rest, 1)), order)
    yield from _least(problem, vehicle, order, unit, paid, least)


def _least(
    problem: Problem, vehicle: Vehicle, order: Order, unit: Sequence[str], paid: float, least: _Limit
) -> Iterator[_Way]:
    """The least to be mended for this vehicle to drive this order; none if nothing helps or it costs too much."""
    case = _case(problem, vehicle, order, unit)
    if not _is_slow(vehicle):
        found = _mended(case, unit, least.price - paid)
        if found is not None:
            yield _Way(paid + _price(found), vehicle, case, found)
        return
    # without breaks and rests it is seen quickly; what is enough then is needed with them, and often enough
    quick = _mended(case.with_vehicle(breaks=(), driving=None), unit, least.price - paid)
    if quick is None:
        return
    if not _applied(case, quick).route():
        least.effort[0] += SLOW * len(order)
        quick = _mended(case, unit, least.price - paid) if least.effort[0] < MOST_EFFORT else None
    if quick is not None:
        yield _Way(paid + _price(quick), vehicle, case, quick)


def _mended(case: Case, unit: Sequence[str], most: float) -> _Mended | None:
    """What is to be stretched in a case, if that is less than a price."""
    mended: _Mended = ()
    for remedies, fits in ((of_goods, _carried), (of_clock, Case.route)):
        found = _mend(case, [*remedies(case, unit)], fits, most - _price(mended))
        if found is None or _price((*mended, *found)) >= most:
            return None
        case = _applied(case, found)
        mended += found
    return mended


def _price(mended: _Mended) -> float:
    return sum(remedy.price(by) for remedy, by in mended)


def _applied(case: Case, mended: _Mended) -> Case:
    for remedy, by in mended:
        case = remedy.stretched(case, by)
    return case


def _carried(case: Case) -> bool:
    return carries(case.problem, case.vehicle, order_of(case.problem, case.order))


def _mend(case: Case, remedies: Sequence[Remedy], fits: _Fits, most: float) -> _Mended | None:
    """The cheapest single remedy; where one is not enough, several of which none can be spared."""
    if fits(case):
        return ()
    if not fits(_all_stretched(case, remedies)):
        return None
    best: tuple[Remedy, int] | None = None
    for each in sorted(remedies, key=lambda one: one.price(1)):
        if each.price(1) >= most:
            break
        by = _needed(case, each, fits)
        if by is not None and each.price(by) < most:
            best, most = (each, by), each.price(by)
    if best is not None:
        return (best,)
    if _is_slow(case.vehicle) and len(case.order) > MOST_SLOW:
        return None
    return _together(case, remedies, fits)


def _together(case: Case, remedies: Sequence[Remedy], fits: _Fits) -> _Mended:
    """Those that are kept last when one after the other is put back in force, the most reluctantly stretched first."""
    ranks = {rule: rank for rank, rule in enumerate(RULES)}
    needed = sorted(remedies, key=lambda each: ranks[each.rule])
    for each in list(needed):
        others = [other for other in needed if other is not each]
        if fits(_all_stretched(case, others)):
            needed = others
    chosen = []
    for number, each in enumerate(needed):
        by = _needed(_all_stretched(case, needed[number + 1 :]), each, fits) or each.most
        case = each.stretched(case, by)
        chosen.append((each, by))
    return tuple(chosen)


def _all_stretched(case: Case, remedies: Sequence[Remedy]) -> Case:
    for each in remedies:
        case = each.stretched(case, each.most)
    return case


def _needed(case: Case, remedy: Remedy, fits: _Fits) -> int | None:
    """The least stretch that helps, None if none does; to the minute where the schedule takes its time."""
    found = fits(remedy.stretched(case, remedy.most))
    if not found:
        return None
    too_little, enough = 0, remedy.most
    used = remedy.used(case, found) if isinstance(found, Route) else None
    if used is not None:
        enough = used
        if enough == 1 or not fits(remedy.stretched(case, enough - 1)):
            return enough
    else:
        step = min(64, enough)
        while step < enough and not fits(remedy.stretched(case, step)):
            too_little, step = step, 8 * step
        enough = min(step, enough)
    while enough - too_little > (60 if _is_slow(case.vehicle) else 1):
        middle = (too_little + enough) // 2
        if fits(remedy.stretched(case, middle)):
            enough = middle
        else:
            too_little = middle
    return enough


def _is_slow(vehicle: Vehicle) -> bool:
    """Whether the schedule of its routes takes many times as long as another's."""
    return bool(vehicle.breaks) or vehicle.driving is not None


@dataclass(frozen=True, slots=True)
class _Lines:
    """A plan as it stands."""

    problem: Problem
    driven: tuple[Line, ...]
    #: one of each kind of those that do not leave
    at_home: tuple[Vehicle, ...]
    #: one of each kind, as it would leave in the morning
    kinds: tuple[Vehicle, ...]
    served: frozenset[str]
    #: stops of the routes that have been looked at closely
    effort: list[int]


@lru_cache(maxsize=1)
def _lines(problem: Problem, sequences: tuple[tuple[str, Order], ...]) -> _Lines:
    orders_by_id = dict(sequences)
    at_home = {
        each if each.locked or each.on_board else replace(each, id=""): each
        for each in problem.vehicles
        if not orders_by_id.get(each.id)
    }
    driven = [line(problem, each, orders_by_id[each.id]) for each in problem.vehicles if orders_by_id.get(each.id)]
    served = frozenset(name for order in orders_by_id.values() for name in order if name is not None)
    kinds = {replace(each, id="", locked=(), on_board=None): each for each in problem.vehicles}
    return _Lines(problem, tuple(driven), tuple(at_home.values()), tuple(kinds.values()), served, [0])


def _promising(problem: Problem, unit: Sequence[str], vehicles: Sequence[Vehicle]) -> list[Vehicle]:
    """A few of the vehicles, those first that lack least of what these stops need."""
    in_service = [each for each in vehicles if each.max_stops != 0] or list(vehicles)
    stops = [_as_loaded(problem, name) for name in unit]

    def lacks(vehicle: Vehicle) -> tuple[int, int]:
        others = sum(stop.id not in (vehicle.on_board or ()) for stop in stops)
        return sum(not may_serve(vehicle, stop) for stop in stops), others

    return sorted(in_service, key=lacks)[:KINDS]


def _as_loaded(problem: Problem, name: str) -> Stop:
    """A stop with what shipments add to it, as far as a vehicle must be able to hold it."""
    stop = problem.stop_by_id[name]
    loads, taken, left = facts_of(problem).goods[name]
    return replace(stop, loads=loads, collects=max(taken, left, key=len)) if taken or left else stop


def _brings(vehicle: Vehicle, stop: Stop) -> bool:
    """Whether its goods are in the vehicle or can still get there."""
    if vehicle.on_board is None or not stop.loads or stop.id in vehicle.on_board:
        return True
    return vehicle.reload is not None


def _may(answers: dict[tuple[int, Stop], bool], vehicle: Vehicle, stop: Stop) -> bool:
    """Asked once for stops that differ in nothing but name and place."""
    key = id(vehicle), replace(stop, id="", location=0)
    if key not in answers:
        answers[key] = may_serve(vehicle, stop)
    return answers[key]


def _case(problem: Problem, vehicle: Vehicle, order: Order, unit: Sequence[str]) -> Case:
    """This vehicle and these stops as a problem of their own, with a small matrix, so that it is quick to change."""
    names = [name for name in order if name is not None]
    own = (vehicle.start, vehicle.end, None if vehicle.reload is None else vehicle.reload.place)
    places = sorted(
        {problem.stop_by_id[name].location for name in names} | {place for place in own if place is not None}
    )
    row = {place: number for number, place in enumerate(places)}
    stops = [problem.stop_by_id[name] for name in names]
    here = replace(
        vehicle,
        start=row[vehicle.start],
        end=None if vehicle.end is None else row[vehicle.end],
        reload=vehicle.reload and replace(vehicle.reload, place=row[vehicle.reload.place]),
    )
    holders = [each for each in problem.vehicles if each.id != here.id and each.on_board and each.on_board & set(unit)]
    ids = set(names)
    small = Problem(
        stops=tuple(replace(stop, location=row[stop.location]) for stop in stops),
        vehicles=(here, *holders),
        matrix=problem.matrix.among(places),
        objective=problem.objective,
        shipments=tuple(each for each in problem.shipments if {each.pickup, each.delivery} <= ids),
        together=tuple(each for each in problem.together if each <= ids),
        apart=tuple(each & ids for each in problem.apart if len(each & ids) > 1),
    )
    return Case(small, here, order)


def _prize(problem: Problem, sequences: Sequences, name: str) -> Reason | None:
    """That it is not worth what it costs, where it has a prize."""
    stop = problem.stop_by_id[name]
    prizes = [problem.stop_by_id[each].prize for each in unit_of(problem, name)]
    if stop.prize is None or None in prizes:
        return None
    found = cheapest(problem, sequences, stop)
    worth = sum(prize for prize in prizes if prize is not None)
    if found is None or worth > found.extra_cost:
        return None
    needed = found.extra_cost + 1 - worth + stop.prize
    words = f"serving it would add {found.extra_cost} to the cost and its prize is {worth}"
    return Reason(Rule.PRIZE, found.vehicle, words, f"a prize of at least {needed}", needed=needed)


def _never(vehicle: Vehicle) -> Reason:
    """For what no stretch of one rule after the other lets in, such as service that takes longer than a life."""
    words = f"{vehicle.id} could not serve it whatever rule were stretched"
    return Reason(Rule.SHIFT, vehicle.id, words, "another stop in its place")
