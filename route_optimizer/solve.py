"""A problem in, a judged plan out."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from route_optimizer.check import judge
from route_optimizer.engines import exact
from route_optimizer.explain import explain, hopeless
from route_optimizer.insertion import fill_in
from route_optimizer.plan import Ending, EngineName, Plan, Violation
from route_optimizer.problem import Problem
from route_optimizer.schedule import route
from route_optimizer.search import Engine, Progress, Search, Sequences, watched
from route_optimizer.validation import ProblemError, validate

#: to serve what an engine left out, seconds
FILL_IN_S = 0.3


class RefusedPlan(Exception):
    """An engine's plan that breaks rules: a fault of ours, never of the problem's."""

    def __init__(self, engine: str, violations: Sequence[Violation]) -> None:
        words = "; ".join(violation.words for violation in violations)
        super().__init__(f"the judge refuses the plan of {engine}: {words}")
        self.violations = violations


def solve(
    problem: Problem,
    *,
    budget_s: float,
    seed: int = 0,
    engine: EngineName | None = None,
    cancelled: Callable[[], bool] | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Plan:
    """Plan the routes: leave out as little as possible (by weight, see `Stop.priority`), then cost as little.

    Args:
        problem: what is to be planned.
        budget_s: seconds to search at most; a problem of a few stops takes less.
        seed: the same seed takes the same way through the search; how far it comes depends on the machine.
        engine: who searches; None chooses by the size of the problem.
        cancelled: asked about 20 times a second; once true, the best plan so far is returned.
        progress: told of better plans, in this thread.

    Raises:
        ProblemError: when the problem makes no sense.
        RefusedPlan: when the judge finds the plan to break a rule.
    """
    validate(problem)
    if not (math.isfinite(budget_s) and budget_s > 0):
        raise ProblemError("budget_s", f"is {budget_s}", "give seconds above 0")
    search = Search(budget_s, seed)
    without_hope = hopeless(problem)
    hopeful = replace(problem, stops=tuple(stop for stop in problem.stops if stop.id not in without_hope))
    name = engine or _fitting(hopeful)
    found = watched(_engine(name), hopeful, search, cancelled=cancelled, progress=progress)
    sequences = fill_in(hopeful, found.sequences, within_s=FILL_IN_S)
    return passed(problem, _plan(problem, sequences, name, found.ending))


def passed(problem: Problem, plan: Plan) -> Plan:
    """The plan itself.

    Raises:
        RefusedPlan: when it breaks a rule.
    """
    if violations := judge(problem, plan).violations:
        raise RefusedPlan(plan.engine, violations)
    return plan


def _fitting(problem: Problem) -> EngineName:
    return "exact" if len(problem.stops) <= exact.MOST_STOPS else "ortools"


def _engine(name: EngineName) -> Engine:
    if name == "exact":
        return exact.search
    from route_optimizer.engines import ortools  # a solver takes its time to load: only where one is needed

    return ortools.search


def _plan(problem: Problem, sequences: Sequences, engine: EngineName, ending: Ending) -> Plan:
    """Give the sequences their times, and each stop that is left its reasons."""
    routes = []
    for vehicle in problem.vehicles:
        stops = [problem.stop_by_id[name] for name in sequences.get(vehicle.id, ())]
        found = route(problem, vehicle, stops) if stops else None
        if found is not None:
            routes.append(found)
    served = {visit.stop for each in routes for visit in each.visits}
    kept = {each.vehicle: tuple(visit.stop for visit in each.visits) for each in routes}
    return Plan(
        routes=tuple(routes),
        unserved=tuple(explain(problem, kept, stop) for stop in problem.stops if stop.id not in served),
        cost=sum(each.cost for each in routes),
        engine=engine,
        ending=ending,
    )
