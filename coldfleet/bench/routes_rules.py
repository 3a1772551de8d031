"""What rules cost, how soon there is a plan that keeps them all, and how soon a late order is in a running day."""

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from coldfleet.bench.gateway import Figure, at_most
from coldfleet.bench.processes import BenchProblem
from coldfleet.bench.route_problems import busy_day, rules_on
from route_optimizer.check import judge
from route_optimizer.formats.read import read
from route_optimizer.plan import EngineName, Plan
from route_optimizer.problem import Stop
from route_optimizer.replan import replan
from route_optimizer.running import Day, as_planned
from route_optimizer.search import Progress
from route_optimizer.solve import solve

HOUR_S = 3_600
#: when the late orders come in: the vans have left
LATE_S = 9 * HOUR_S
#: how many of them are tried, one at a time, each on the day as it was before
LATE_ORDERS = 20
#: to plan the day that they come into
_DAY_BUDGET_S = 20.0


def rules(files: Sequence[Path], *, seconds: float, seeds: int) -> Iterator[Figure]:
    """Rules on: percent above what PyVRP's plan without them costs, in the same time on one core."""
    ours: dict[EngineName, list[float]] = {"hybrid": [], "ortools": []}
    violations = 0
    for path in files:
        plain = read(path).problem
        for seed in range(1, 1 + seeds):
            free = solve(plain, budget_s=seconds, seed=seed, engine="pyvrp")
            ruled = rules_on(plain, {route.vehicle: route.order for route in free.routes}, seed)
            for engine, above in ours.items():
                plan = solve(ruled, budget_s=seconds, seed=seed, engine=engine)
                violations += len(judge(ruled, plan).violations)
                above.append(_above(plan, free))
    title = f"rules on, {len(files)} of Homberger-200, {seconds:g} s"
    yield at_most(f"{title}: coldfleet, mean", "% above without", [_mean(ours["hybrid"])], 3.0)
    yield Figure(f"{title}: coldfleet, each", "% above without", ours["hybrid"])
    yield Figure(f"{title}: OR-Tools alone", "% above without", ours["ortools"])
    yield at_most(f"{title}: violations", "", [violations], 0)


def _above(plan: Plan, free: Plan) -> float:
    """Percent; a plan that leaves a stop out counts as 100."""
    return 100.0 if plan.unserved else 100 * (plan.cost / free.cost - 1)


def first(*, seeds: int) -> Iterator[Figure]:
    """200 stops, 10 vans, every rule: seconds until there is a plan, from the call to the judged answer."""
    taken, left_out = [], []
    for seed in range(1, 1 + seeds):
        told: list[Progress] = []
        began = time.monotonic()
        plan = solve(busy_day(seed), budget_s=60, seed=seed, progress=told.append, cancelled=partial(bool, told))
        taken.append(time.monotonic() - began)
        left_out.append(float(len(plan.unserved)))
    yield at_most("200 stops, 10 vans, all rules: the first plan", "s", taken, 2.0)
    yield Figure("200 stops, 10 vans, all rules: left out by it, with reasons", "stops", left_out)


def late() -> Iterator[Figure]:
    """One late order at a time into a running day of 200 stops."""
    full = busy_day(1, stops=200 + LATE_ORDERS)
    orders = [_plain(stop) for stop in full.stops[-LATE_ORDERS:]]
    known = full.with_stops(full.stops[:-LATE_ORDERS])
    plan = solve(known, budget_s=_DAY_BUDGET_S, seed=1)
    day = Day(LATE_S, plan, as_planned(known, plan, LATE_S))
    taken, moved, served = [], [], 0
    for order in orders:
        began = time.monotonic()
        again = replan(known, day, insert=[order])
        taken.append(time.monotonic() - began)
        moved.append(float(len(again.moved)))
        served += order.id not in {unserved.stop for unserved in again.plan.unserved}
    yield at_most("a late order into a running day of 200 stops", "s", taken, 2.0)
    yield at_most("the same, the slowest", "s", [max(taken)], 2.0)
    yield at_most("the same, other stops that change vans, at most", "stops", [max(moved)], 2)
    yield Figure(f"the same, served of {len(orders)}; the others say why not", "orders", [float(served)])


def _plain(stop: Stop) -> Stop:
    """An order of the day: its goods are at the depot, and nobody has planned it."""
    return replace(stop, planned_on=None, release_s=0)


def pinned() -> None:
    """This process and those it starts, on one processor."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-1:])


def _mean(numbers: Sequence[float]) -> float:
    if not numbers:
        raise BenchProblem("there is no instance of the Homberger-200 class in this folder")
    return sum(numbers) / len(numbers)
