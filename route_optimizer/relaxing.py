"""A problem in which the remedies of some reasons are applied."""

from collections.abc import Sequence
from dataclasses import replace

from route_optimizer.facts import facts_of
from route_optimizer.plan import Reason, Rule
from route_optimizer.problem import Problem, Shipment, Stop, Vehicle, Window
from route_optimizer.remedies import OF_A_STOP, START, Case, Remedy, beside


def relax(problem: Problem, stop_id: str, reasons: Sequence[Reason]) -> Problem:
    """The problem with every remedy of these reasons applied to the vehicle or the stop it names."""
    for reason in reasons:
        vehicle, unit = problem.vehicle_by_id[reason.vehicle], unit_of(problem, stop_id)
        if reason.rule is Rule.FLEET:
            free = unclaimed(problem, unit)
            problem = replace(free, vehicles=(*free.vehicles, another(problem, free.vehicle_by_id[vehicle.id])))
        elif reason.rule is Rule.TOGETHER:
            problem = out_of_groups(problem, shipped_with(problem, stop_id))
        elif reason.rule is Rule.LOCK:
            problem = _with_vehicle(problem, replace(vehicle, locked=()))
        elif reason.rule is Rule.PRIZE:
            problem = _with_stop(problem, replace(problem.stop_by_id[stop_id], prize=reason.needed))
        elif reason.rule is Rule.WINDOW:
            stop = problem.stop_by_id[reason.subject or stop_id]
            problem = _with_stop(problem, replace(stop, windows=(*stop.windows, Window(reason.needed, reason.needed))))
        else:
            problem = _stretched(problem, vehicle, unit, stop_id, reason)
    return problem


def another(problem: Problem, vehicle: Vehicle) -> Vehicle:
    """One more vehicle like this one, as it is when it leaves in the morning: from where this one loads."""
    name = f"{vehicle.id} (another)"
    while name in problem.vehicle_by_id:
        name += "'"
    fresh = replace(vehicle, id=name, locked=(), on_board=None)
    if vehicle.on_board is None:
        return fresh
    depot = vehicle.reload.place if vehicle.reload else vehicle.start if vehicle.end is None else vehicle.end
    return replace(fresh, start=depot)


def unit_of(problem: Problem, name: str) -> tuple[str, ...]:
    """The stop and all that is served with it or not at all, pickups first."""
    facts = facts_of(problem)
    unit = set(facts.partners.get(name, (name,)))
    return tuple(sorted(unit, key=lambda each: (each in facts.pickups, each != name, each)))


def shipped_with(problem: Problem, name: str) -> tuple[str, ...]:
    """The stop and the other ends of its shipments, pickups first."""
    unit, size = {name}, 0
    while len(unit) > size:
        size = len(unit)
        unit |= {end for each in problem.shipments for end in (each.pickup, each.delivery) if _touches(each, unit)}
    return tuple(sorted(unit, key=lambda each: (each in facts_of(problem).pickups, each)))


def _touches(shipment: Shipment, unit: set[str]) -> bool:
    return not unit.isdisjoint((shipment.pickup, shipment.delivery))


def _with_stop(problem: Problem, stop: Stop) -> Problem:
    return replace(problem, stops=tuple((problem.stop_by_id | {stop.id: stop}).values()))


def _with_vehicle(problem: Problem, vehicle: Vehicle) -> Problem:
    return replace(problem, vehicles=tuple((problem.vehicle_by_id | {vehicle.id: vehicle}).values()))


def out_of_groups(problem: Problem, unit: Sequence[str]) -> Problem:
    """The problem in which these stops go together with no others."""
    rest = (group - set(unit) for group in problem.together)
    return replace(problem, together=tuple(group for group in rest if len(group) > 1))


def unclaimed(problem: Problem, unit: Sequence[str]) -> Problem:
    """The problem in which the goods of these stops are in no vehicle."""
    if not any(set(unit) & (each.on_board or set()) for each in problem.vehicles):
        return problem
    vehicles = (
        each if each.on_board is None else replace(each, on_board=each.on_board - set(unit))
        for each in problem.vehicles
    )
    return replace(problem, vehicles=tuple(vehicles))


def _stretched(problem: Problem, vehicle: Vehicle, unit: Sequence[str], stop_id: str, reason: Reason) -> Problem:
    stop = reason.subject if reason.rule in OF_A_STOP and reason.subject else stop_id
    if reason.rule is Rule.APART:
        for each in set(unit) - {reason.subject}:
            problem = beside(problem, each, reason.subject)
        return problem
    remedy = Remedy(reason.rule, stop, reason.subject, reason.compartment, now=reason.needed)
    by = 0
    if reason.rule is Rule.SHIFT:
        early = vehicle.shift.opens_s - reason.needed
        by = early if reason.subject == START else reason.needed - vehicle.shift.closes_s
    elif reason.rule is Rule.BREAK:
        by = reason.needed
    elif reason.rule in (Rule.SKILL, Rule.UNREACHABLE, Rule.ON_BOARD):
        by = 1
    case = remedy.stretched(Case(problem, vehicle, ()), by)
    return _with_vehicle(case.problem, case.vehicle)
