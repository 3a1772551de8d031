"""A problem in, a judged plan out."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from route_optimizer.apart import apart
from route_optimizer.check import judge
from route_optimizer.engines import choice
from route_optimizer.executor import Opening, processes
from route_optimizer.explain import explain, hopeless
from route_optimizer.insertion import fill_in
from route_optimizer.plan import Ending, EngineName, Plan, Route, Violation
from route_optimizer.problem import Problem
from route_optimizer.repair import cost, groups, kept, loss, routes_of
from route_optimizer.search import MEMORY_BYTES, Found, Progress, Search, Sequences, watched
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
    cores: int = 1,
    start: Sequences | None = None,
    executor: Opening | None = None,
    memory_bytes: int | None = None,
    cancelled: Callable[[], bool] | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Plan:
    """Plan the routes: leave out as little as possible (by weight, see `Stop.priority`), then cost as little.

    Args:
        problem: what is to be planned.
        budget_s: seconds to search at most; a problem of a few stops takes less.
        seed: the same seed takes the same way through the search; how far it comes depends on the machine.
        engine: who searches; None chooses: see `engines.choice`.
        cores: how many may work at once.
        start: a plan to begin with, such as yesterday's; what breaks a rule in it is forgotten, and the answer is never
            worse than what is left.
        executor: opens what divided work is spread over; None is processes of this machine.
        memory_bytes: what each process of the engine may take; None is 3 GiB.
        cancelled: asked about 20 times a second; once true, the best plan so far is returned.
        progress: told of better plans, in this thread.

    Raises:
        ProblemError: when the problem makes no sense.
        RefusedPlan: when the judge finds the plan to break a rule.
    """
    validate(problem)
    if not (math.isfinite(budget_s) and budget_s > 0):
        raise ProblemError("budget_s", f"is {budget_s}", "give seconds above 0")
    if cores < 1:
        raise ProblemError("cores", f"is {cores}", "give 1 or more")
    hopeful = without_hopeless(problem)
    given = kept(hopeful, start or {})
    name = engine or choice.choose(hopeful, cores).engine
    search = Search(budget_s, seed, cores, memory_bytes or MEMORY_BYTES, given or None, executor or processes)
    found = _run(name, hopeful, search, cancelled=cancelled, progress=progress)
    return planned(problem, [found.sequences, given] if given else [found.sequences], name, found.ending)


def planned(problem: Problem, proposals: Sequence[Sequences], engine: EngineName, ending: Ending) -> Plan:
    """The best of these orders as a plan: mended, what fits still put in, with times, reasons and the judge's word.

    Raises:
        RefusedPlan: when the judge finds the plan to break a rule.
    """
    hopeful = without_hopeless(problem)
    orders: list[Sequences] = [kept(hopeful, each) for each in proposals]
    # the hybrid has done so, as far as its time went; and who cancels is not to wait, unless there is nothing yet
    if engine != "hybrid" and (ending != "cancelled" or not any(orders)):
        orders = [fill_in(hopeful, each, within_s=FILL_IN_S) for each in orders]
    plans = [routes_of(hopeful, each) for each in orders]
    return passed(problem, _plan(problem, min(plans, key=lambda routes: loss(hopeful, routes)), engine, ending))


def passed(problem: Problem, plan: Plan) -> Plan:
    """The plan itself.

    Raises:
        RefusedPlan: when it breaks a rule.
    """
    if violations := judge(problem, plan).violations:
        raise RefusedPlan(plan.engine, violations)
    return plan


def without_hopeless(problem: Problem) -> Problem:
    """The problem without the stops that nobody can serve, and without the vehicles that can have no route."""
    out, idle = hopeless(problem), set[str]()
    while True:
        without_route = {
            vehicle.id for vehicle in problem.vehicles if vehicle.id not in idle and not out.isdisjoint(vehicle.locked)
        }
        if not without_route:
            break
        idle |= without_route
        # what is on board of a vehicle that cannot leave, nobody else can bring
        carried = {name for each in without_route for name in problem.vehicle_by_id[each].on_board or ()}
        belonging = groups(problem)
        out = out.union(*(belonging[name] for name in carried))
    remaining = problem.with_stops([stop for stop in problem.stops if stop.id not in out])
    return replace(remaining, vehicles=tuple(each for each in remaining.vehicles if each.id not in idle))


def _run(
    name: EngineName,
    problem: Problem,
    search: Search,
    *,
    cancelled: Callable[[], bool] | None,
    progress: Callable[[Progress], None] | None,
) -> Found:
    """The engine's answer; an engine that needs a solver works in a process of its own."""
    if not problem.stops or not problem.vehicles:
        return Found({}, "optimal")
    run = watched if name == "exact" else apart
    return run(choice.engine(name), problem, search, cancelled=cancelled, progress=progress)


def _plan(problem: Problem, routes: Sequence[Route], engine: EngineName, ending: Ending) -> Plan:
    """Give each stop that is left its reasons."""
    served = {visit.stop for each in routes for visit in each.visits}
    orders = {each.vehicle: each.order for each in routes}
    return Plan(
        routes=tuple(routes),
        unserved=tuple(explain(problem, orders, stop) for stop in problem.stops if stop.id not in served),
        cost=cost(problem, routes),
        engine=engine,
        ending=ending,
    )
