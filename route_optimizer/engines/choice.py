"""Which engine searches, and which rule decided it."""

from dataclasses import dataclass

from route_optimizer.engines import exact
from route_optimizer.plan import EngineName
from route_optimizer.problem import Problem
from route_optimizer.search import Engine

#: from so many stops on, groups of routes one after the other find more than all of them at once
MANY_STOPS = 700


@dataclass(frozen=True, slots=True)
class Choice:
    """An engine, and the reason for it in a sentence."""

    engine: EngineName
    why: str


def choose(problem: Problem, cores: int = 1) -> Choice:
    """The engine that finds most, of those that can express the problem.

    Args:
        problem: what is to be planned.
        cores: how many may work at once; more of them let fewer stops be divided.
    """
    number = len(problem.stops)
    if number <= exact.MOST_STOPS and exact.lacks(problem) is None:
        return Choice("exact", f"{number} stops: every order can be tried, so exact")
    from route_optimizer.engines import decomposition, pyvrp  # solvers take their time to load

    if unknown := pyvrp.lacks(problem):
        return Choice("hybrid", f"{unknown}: PyVRP does not know this, so hybrid")
    if number < MANY_STOPS:
        return Choice("pyvrp", f"{number} stops and no rule that PyVRP does not know, so pyvrp")
    if unknown := decomposition.lacks(problem):
        return Choice("pyvrp", f"{unknown}: the stops cannot be divided into groups, so pyvrp")
    return Choice("decomposition", f"{number} stops are too many to be searched as a whole, so decomposition")


def engine(name: EngineName) -> Engine:
    """The engine of this name; its solver is loaded only now."""
    match name:
        case "exact":
            return exact.search
        case "pyvrp":
            from route_optimizer.engines import pyvrp

            return pyvrp.search
        case "decomposition":
            from route_optimizer.engines import decomposition

            return decomposition.search
        case "ortools":
            from route_optimizer.engines import ortools

            return ortools.search
        case "hybrid":
            from route_optimizer.engines import hybrid

            return hybrid.search
