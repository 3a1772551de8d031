"""Why a stop is not served, and what would let it in.

A reason is checked, not guessed: the rules are those that fail for a vehicle sent to this stop alone, each computed
with the ones before it already mended; and `relax` applies what the remedies say, so that a test can put the stop in.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from route_optimizer.insertion import cheapest, first_of_kind
from route_optimizer.plan import Reason, Rule, Unserved
from route_optimizer.problem import UNREACHABLE, Capacity, Compartment, Problem, Stop, Vehicle, Window
from route_optimizer.schedule import legs, opening
from route_optimizer.search import Sequences


def obstacles(problem: Problem, vehicle: Vehicle, stop: Stop) -> tuple[Reason, ...]:
    """The rules that keep this vehicle from serving this stop even alone; none when it can."""
    return (*_goods(vehicle, stop), *_journey(problem, vehicle, stop))


def hopeless(problem: Problem) -> set[str]:
    """Ids of the stops that no vehicle can ever serve: no engine need try."""
    kinds = tuple(first_of_kind(problem.vehicles))
    return {stop.id for stop in problem.stops if not any(may_serve(vehicle, stop) for vehicle in kinds)}


def may_serve(vehicle: Vehicle, stop: Stop) -> bool:
    """False only when it can serve the stop on no route at all.

    Less is ruled out than `obstacles` finds for a vehicle alone: where two short ways are shorter than the direct one,
    as rounding and real roads have it, a stop out of reach alone can lie on the way to another.
    """
    in_shift = any(
        each.closes_s >= vehicle.shift.opens_s and each.opens_s + stop.service_time_s <= vehicle.shift.closes_s
        for each in opening(stop.windows)
    )
    return in_shift and next(_goods(vehicle, stop), None) is None


def explain(problem: Problem, sequences: Sequences, stop: Stop) -> Unserved:
    """All that must be mended to serve a stop beside `sequences`, told of the vehicle with the fewest obstacles."""
    vehicle = min(first_of_kind(problem.vehicles), key=lambda each: len(obstacles(problem, each, stop)))
    reasons = list(obstacles(problem, vehicle, stop))
    easier = relax(problem, stop.id, reasons)
    found = cheapest(easier, sequences, easier.stop_by_id[stop.id])
    if found is None:
        reasons.append(_fleet_is_full(vehicle, alone=not reasons))
        easier = relax(problem, stop.id, reasons)
        found = cheapest(easier, sequences, easier.stop_by_id[stop.id])
    if stop.prize is not None and found is not None and stop.prize <= found.extra_cost:
        reasons.append(
            Reason(
                Rule.PRIZE,
                found.vehicle,
                f"serving it would add {found.extra_cost} to the cost and its prize is {stop.prize}",
                f"a prize of at least {found.extra_cost + 1}",
                needed=found.extra_cost + 1,
            )
        )
    return Unserved(stop.id, tuple(reasons))


def relax(problem: Problem, stop_id: str, reasons: Sequence[Reason]) -> Problem:
    """The problem with every remedy of these reasons applied to the vehicle or the stop it names."""
    for reason in reasons:
        vehicle, stop = problem.vehicle_by_id[reason.vehicle], problem.stop_by_id[stop_id]
        if reason.rule is Rule.FLEET:
            another = replace(vehicle, id=another_id(problem, vehicle))
            problem = replace(problem, vehicles=(*problem.vehicles, another))
            continue
        mend = _VEHICLE_MENDED.get(reason.rule)
        mended = mend(vehicle, reason) if mend else vehicle
        problem = replace(
            problem,
            vehicles=tuple((problem.vehicle_by_id | {vehicle.id: mended}).values()),
            stops=tuple((problem.stop_by_id | {stop.id: _stop_mended(vehicle, stop, reason)}).values()),
        )
    return problem


def another_id(problem: Problem, vehicle: Vehicle) -> str:
    """An id for one more vehicle like this one."""
    name = f"{vehicle.id} (another)"
    while name in problem.vehicle_by_id:
        name += "'"
    return name


def _with_capacity(vehicle: Vehicle, reason: Reason) -> Vehicle:
    capacity = Capacity(reason.subject, reason.needed, reason.compartment)
    of_another_kind = [
        each
        for each in vehicle.capacities
        if (each.dimension, each.compartment) != (capacity.dimension, capacity.compartment)
    ]
    return replace(vehicle, capacities=(*of_another_kind, capacity))


_VEHICLE_MENDED: dict[Rule, Callable[[Vehicle, Reason], Vehicle]] = {
    Rule.CAPACITY: _with_capacity,
    Rule.COMPARTMENT: _with_capacity,
    Rule.SKILL: lambda vehicle, reason: replace(vehicle, skills=vehicle.skills | {reason.subject}),
    Rule.SHIFT: lambda vehicle, reason: replace(vehicle, shift=Window(vehicle.shift.opens_s, reason.needed)),
    Rule.MAX_DISTANCE: lambda vehicle, reason: replace(vehicle, max_distance_m=reason.needed),
    Rule.MAX_DURATION: lambda vehicle, reason: replace(vehicle, max_duration_s=reason.needed),
    Rule.MAX_STOPS: lambda vehicle, reason: replace(vehicle, max_stops=reason.needed),
}


def _stop_mended(vehicle: Vehicle, stop: Stop, reason: Reason) -> Stop:
    if reason.rule is Rule.UNREACHABLE:
        return replace(stop, location=vehicle.start)
    if reason.rule is Rule.WINDOW:
        return replace(stop, windows=(*stop.windows, Window(reason.needed, reason.needed)))
    return replace(stop, prize=reason.needed) if reason.rule is Rule.PRIZE else stop


def _goods(vehicle: Vehicle, stop: Stop) -> Iterator[Reason]:
    """Skills, compartments and room."""
    for skill in sorted(stop.skills - vehicle.skills):
        words = f"it needs the skill {skill}, which {vehicle.id} lacks"
        yield Reason(Rule.SKILL, vehicle.id, words, f"a vehicle with the skill {skill}", subject=skill)
    missing = sorted({load.compartment for load in stop.loads if load.compartment} - vehicle.compartments)
    for compartment in missing:
        yield _missing_compartment(vehicle, stop, compartment)
    for capacity in vehicle.capacities:
        amount = _amount(stop, capacity.dimension, capacity.compartment)
        if amount > capacity.limit:
            part = f" {capacity.compartment}" if capacity.compartment else ""
            yield Reason(
                Rule.CAPACITY,
                vehicle.id,
                f"it takes {amount}{part} {capacity.dimension}, {vehicle.id} holds {capacity.limit}",
                f"a vehicle that holds {amount}{part} {capacity.dimension}, or the order split in two",
                subject=capacity.dimension,
                compartment=capacity.compartment,
                needed=amount,
            )
    if vehicle.max_stops == 0:
        words = f"{vehicle.id} may make no stop at all"
        yield Reason(Rule.MAX_STOPS, vehicle.id, words, "at least 1 stop allowed", needed=1)


def _missing_compartment(vehicle: Vehicle, stop: Stop, compartment: Compartment) -> Reason:
    dimension = next(load.dimension for load in stop.loads if load.compartment == compartment)
    amount = _amount(stop, dimension, compartment)
    return Reason(
        Rule.COMPARTMENT,
        vehicle.id,
        f"its goods need a {compartment} compartment, which {vehicle.id} lacks",
        f"a vehicle with a {compartment} compartment for {amount} {dimension}",
        subject=dimension,
        compartment=compartment,
        needed=amount,
    )


def _amount(stop: Stop, dimension: str, compartment: Compartment | None) -> int:
    return sum(
        load.amount for load in stop.loads if load.dimension == dimension and compartment in (None, load.compartment)
    )


def _journey(problem: Problem, vehicle: Vehicle, stop: Stop) -> Iterator[Reason]:
    """There and back, alone: roads, distance, times."""
    way = legs(vehicle, [stop])
    if UNREACHABLE in [problem.matrix.metres(*leg) for leg in way]:
        words = f"no road leads {vehicle.id} there and back"
        yield Reason(Rule.UNREACHABLE, vehicle.id, words, "a correct address, or a vehicle that starts on its side")
        way = legs(vehicle, [replace(stop, location=vehicle.start)])
    metres = sum(problem.matrix.metres(*leg) for leg in way)
    if vehicle.max_distance_m is not None and metres > vehicle.max_distance_m:
        yield Reason(
            Rule.MAX_DISTANCE,
            vehicle.id,
            f"there and back is {metres} m, {vehicle.id} may drive {vehicle.max_distance_m} m",
            f"a maximum distance of at least {metres} m",
            needed=metres,
        )
    seconds = [problem.matrix.seconds(*leg) for leg in way]
    yield from _day(vehicle, stop, seconds[0], sum(seconds[1:]))


def _day(vehicle: Vehicle, stop: Stop, out_s: int, back_s: int) -> Iterator[Reason]:
    arrival_s = vehicle.shift.opens_s + out_s
    starts = [max(arrival_s, each.opens_s) for each in opening(stop.windows) if each.closes_s >= arrival_s]
    start_s = starts[0] if starts else arrival_s
    if not starts:
        words = f"{vehicle.id} is there at {arrival_s} s at the earliest, its last window closes at {_last(stop)} s"
        remedy = f"a window that is open at {arrival_s} s, or a shift that begins {arrival_s - _last(stop)} s earlier"
        yield Reason(Rule.WINDOW, vehicle.id, words, remedy, needed=arrival_s)
    end_s = start_s + stop.service_time_s + back_s
    if end_s > vehicle.shift.closes_s:
        yield Reason(
            Rule.SHIFT,
            vehicle.id,
            f"{vehicle.id} would be back at {end_s} s, its shift ends at {vehicle.shift.closes_s} s",
            f"a shift until {end_s} s",
            needed=end_s,
        )
    under_way_s = out_s + stop.service_time_s + back_s
    if vehicle.max_duration_s is not None and under_way_s > vehicle.max_duration_s:
        yield Reason(
            Rule.MAX_DURATION,
            vehicle.id,
            f"there and back takes {under_way_s} s, {vehicle.id} may be under way {vehicle.max_duration_s} s",
            f"a maximum duration of at least {under_way_s} s",
            needed=under_way_s,
        )


def _last(stop: Stop) -> int:
    return max(each.closes_s for each in stop.windows)


def _fleet_is_full(vehicle: Vehicle, *, alone: bool) -> Reason:
    words = (
        "alone it fits, beside the other stops no room was found" if alone else "no room was found beside the others"
    )
    return Reason(Rule.FLEET, vehicle.id, words, f"one more vehicle like {vehicle.id}")
