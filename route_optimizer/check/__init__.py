"""The judge of any plan, written from the definition of the problem alone.

It trusts no figure of the plan and shares no code with what made it. It goes through the problem's rules one after
another, in words a dispatcher would use.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from route_optimizer.check.day import Shipped, day_of
from route_optimizer.check.figures import balance_cost, figures, route_cost
from route_optimizer.check.goods import goods
from route_optimizer.check.times import times
from route_optimizer.plan import Plan, Rule, Violation
from route_optimizer.problem import Problem

__all__ = ["Verdict", "judge"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the judge finds."""

    violations: tuple[Violation, ...]
    #: what the plan costs, recomputed, in units of the objective
    cost: int
    #: sum of 1 + priority over the stops left out that have no prize
    left_out: int
    #: sum of the prizes not collected
    prizes_lost: int


def judge(problem: Problem, plan: Plan) -> Verdict:
    """Recompute a plan from the raw problem and list every rule it breaks."""
    found = list(_completeness(problem, plan))
    shipped = Shipped(
        {each.pickup: each for each in problem.shipments}, {each.delivery: each for each in problem.shipments}
    )
    days = [
        day_of(problem, shipped, route)
        for route in plan.routes
        # what does not exist is told by _completeness; there is nothing to compute with
        if route.vehicle in problem.vehicle_by_id and all(visit.stop in problem.stop_by_id for visit in route.visits)
    ]
    for day in days:
        found += [*goods(day), *figures(day), *times(day)]
    found += _between_vehicles(problem, plan)
    total = sum(route_cost(day) for day in days) + balance_cost(problem, [day.route for day in days])
    if plan.cost != total:
        found.append(Violation(Rule.FIGURES, f"the plan says it costs {plan.cost}, it costs {total}"))
    served = {visit.stop for route in plan.routes for visit in route.visits}
    missed = [stop for stop in problem.stops if stop.id not in served]
    return Verdict(
        violations=tuple(found),
        cost=total,
        left_out=sum(1 + stop.priority for stop in missed if stop.prize is None),
        prizes_lost=sum(stop.prize for stop in missed if stop.prize is not None),
    )


def _completeness(problem: Problem, plan: Plan) -> Iterator[Violation]:
    served = Counter(visit.stop for route in plan.routes for visit in route.visits)
    left_out = Counter(unserved.stop for unserved in plan.unserved)
    for words in (*_vehicles_of(problem, plan), *_stops_of(problem, served, left_out)):
        yield Violation(Rule.COMPLETE, words)
    for unserved in plan.unserved:
        if not unserved.reasons:
            yield Violation(Rule.COMPLETE, f"stop {unserved.stop} is left out without a reason")


def _vehicles_of(problem: Problem, plan: Plan) -> Iterator[str]:
    for vehicle, times_driven in Counter(route.vehicle for route in plan.routes).items():
        if vehicle not in problem.vehicle_by_id:
            yield f"vehicle {vehicle} does not exist"
        if times_driven > 1:
            yield f"vehicle {vehicle} drives {times_driven} routes, it can drive one"
    for route in plan.routes:
        if not route.visits:
            yield f"the route of {route.vehicle} has no stops"


def _stops_of(problem: Problem, served: Counter[str], left_out: Counter[str]) -> Iterator[str]:
    for stop in sorted((served | left_out).keys() - problem.stop_by_id.keys()):
        yield f"stop {stop} does not exist"
    for stop in problem.stop_by_id:
        if served[stop] > 1:
            yield f"stop {stop} is served {served[stop]} times"
        if served[stop] and left_out[stop]:
            yield f"stop {stop} is served and said to be left out"
        if not served[stop] and left_out[stop] != 1:
            yield f"stop {stop} is not served and named {left_out[stop]} times among those left out"


def _between_vehicles(problem: Problem, plan: Plan) -> Iterator[Violation]:
    """What is said of stops whoever serves them."""
    by = {visit.stop: route.vehicle for route in plan.routes for visit in route.visits}
    for group in problem.together:
        if len({by.get(stop) for stop in group}) > 1:
            yield Violation(Rule.TOGETHER, f"one vehicle is to serve all or none: {_by_whom(by, sorted(group))}")
    for group in problem.apart:
        for vehicle, count in sorted(Counter(by[stop] for stop in group if stop in by).items()):
            if count > 1:
                told = " and ".join(stop for stop in sorted(group) if by.get(stop) == vehicle)
                yield Violation(Rule.APART, f"{vehicle} serves {told}, which are to be kept apart")
    for each in problem.shipments:
        if by.get(each.pickup) != by.get(each.delivery):
            words = f"one vehicle is to pick up and deliver: {_by_whom(by, [each.pickup, each.delivery])}"
            yield Violation(Rule.SHIPMENT, words)
    holders = {stop: owner.id for owner in problem.vehicles for stop in sorted(owner.on_board or ())}
    for stop, holder in holders.items():
        if by.get(stop, holder) != holder:
            yield Violation(Rule.ON_BOARD, f"{by[stop]} serves {stop}, whose goods are in {holder}")


def _by_whom(by: Mapping[str, str], stops: Iterable[str]) -> str:
    return ", ".join(f"{stop} is served by {by.get(stop, 'nobody')}" for stop in stops)
