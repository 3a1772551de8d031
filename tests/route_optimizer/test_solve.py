"""The whole library: agrees with brute force, always explains itself, can be watched and stopped."""

import random
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import get_args

import psutil
import pytest
from hypothesis import HealthCheck, given, settings

from route_optimizer.check import judge
from route_optimizer.engines import choice, pyvrp
from route_optimizer.formats.read import read
from route_optimizer.plan import EngineName, Plan
from route_optimizer.problem import UNREACHABLE, Capacity, Load, Matrix, Objective, Problem, Stop, Vehicle, Window
from route_optimizer.repair import kept
from route_optimizer.search import Progress, Search
from route_optimizer.solve import RefusedPlan, passed, planned, solve, without_hopeless
from route_optimizer.validation import ProblemError
from tests.route_optimizer.brute_force import best_loss
from tests.route_optimizer.world import MINUTE, driven, left_out, problems, towns, van

DATA = Path(__file__).parent / "data"
#: of which every search here needs a fraction
PLENTY_S = 60.0


def loss(problem: Problem, plan: Plan) -> tuple[int, int]:
    verdict = judge(problem, plan)
    assert verdict.violations == ()
    return verdict.left_out, verdict.cost + verdict.prizes_lost


def answered(problem: Problem, engine: EngineName, *, budget_s: float = PLENTY_S) -> Plan:
    """As `solve` does it, but in this process: an interpreter for each small problem would take a minute."""
    hopeful = without_hopeless(problem)
    if not hopeful.stops or not hopeful.vehicles:
        return planned(problem, [{}], engine, "optimal")
    found = choice.engine(engine)(hopeful, Search(budget_s, 0))
    return planned(problem, [found.sequences], engine, found.ending)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(problems())
def test_any_small_problem_gets_a_plan_as_good_as_brute_force_finds(problem: Problem) -> None:
    plan = solve(problem, budget_s=PLENTY_S, engine="exact")
    assert loss(problem, plan) == best_loss(problem)
    assert all(unserved.reasons for unserved in plan.unserved)


@pytest.mark.long
@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(problems(most_rules=12))
def test_any_small_problem_at_length(problem: Problem) -> None:
    assert loss(problem, solve(problem, budget_s=PLENTY_S, engine="exact")) == best_loss(problem)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(problems(rules={"capacity", "collects", "skills", "windows", "shift", "max_duration", "prizes", "money"}))
def test_pyvrp_serves_as_much_of_what_it_can_express(problem: Problem) -> None:
    if pyvrp.lacks(problem) is None:
        plan = answered(problem, "pyvrp")
        best = best_loss(problem)
        assert loss(problem, plan) >= best, "better than the best there is"
        assert loss(problem, plan)[0] == best[0], "brute force serves more"


def round_trip(stops: int, *, seed: int) -> Problem:
    """Two vans of room for all but little, in a square town; half of the stops with a window."""
    dice = random.Random(seed)
    places = [(dice.randrange(100), dice.randrange(100)) for _ in range(stops + 1)]
    metres = [[round(100 * ((a - c) ** 2 + (b - d) ** 2) ** 0.5) for c, d in places] for a, b in places]
    named = [
        Stop(
            f"S{number}",
            number,
            windows=(Window(opens := dice.randrange(60) * MINUTE, opens + 90 * MINUTE),) if number % 2 else (),
            service_time_s=3 * MINUTE,
            loads=(Load("crates", dice.randint(1, 4)),),
        )
        for number in range(1, stops + 1)
    ]
    room = (Capacity("crates", 2 * stops),)
    fleet = [Vehicle(f"V{number}", 0, 0, room, Window(0, 300 * MINUTE)) for number in range(2)]
    return Problem(tuple(named), tuple(fleet), Matrix.of(metres, [[each // 10 for each in row] for row in metres]))


@pytest.mark.parametrize("engine", ["exact", "ortools", "pyvrp", "hybrid"])
def test_brute_force_agrees_on_a_few_stops(engine: EngineName) -> None:
    problem = round_trip(5, seed=5)
    assert loss(problem, answered(problem, engine)) == best_loss(problem)


def test_without_stops_there_is_nothing_to_search() -> None:
    engines: tuple[EngineName | None, ...] = (None, *get_args(EngineName))
    for engine in engines:
        plan = solve(towns(), budget_s=3_600, engine=engine)
        assert (plan.routes, plan.unserved, plan.cost, plan.ending) == ((), (), 0, "optimal")


def test_a_few_stops_are_planned_for_good_whatever_the_budget() -> None:
    plan = solve(round_trip(6, seed=3), budget_s=3_600)
    assert (plan.engine, plan.ending) == ("exact", "optimal")


def test_a_dozen_stops_settle_long_before_a_long_budget_ends() -> None:
    plan = solve(round_trip(12, seed=3), budget_s=3_600)
    assert (plan.engine, plan.ending) == ("pyvrp", "settled")


def test_the_same_seed_gives_the_same_plan() -> None:
    problem = round_trip(10, seed=5)
    assert answered(problem, "pyvrp") == answered(problem, "pyvrp")


def test_stops_that_nobody_can_serve_do_not_trouble_the_others() -> None:
    problem = round_trip(6, seed=1)
    hopeless = Stop("heavy", 1, loads=(Load("crates", 1_000),))
    plan = solve(replace(problem, stops=(hopeless, *problem.stops)), budget_s=PLENTY_S)
    assert left_out(plan) == {"heavy"}


def test_a_van_whose_locked_stop_is_hopeless_stays_and_what_is_on_board_with_it() -> None:
    heavy = Stop("B", 2, loads=(Load("crates", 9),))
    stops = [Stop("A", 1), heavy, Stop("C", 3)]
    room = (Capacity("crates", 5),)
    begun = van("V", capacities=room, locked=("B",), on_board=frozenset("BC"))
    problem = towns(1, 2, 3, stops=stops, vehicles=[begun, van("W", capacities=room)])
    engines: tuple[EngineName, ...] = ("exact", "ortools", "hybrid")
    for engine in engines:
        plan = answered(problem, engine)
        assert driven(plan) == {"W": "A"}
        assert left_out(plan) == {"B", "C"}


def test_without_a_vehicle_there_is_nothing_to_plan() -> None:
    with pytest.raises(ProblemError, match="vehicles"):
        solve(replace(towns(1, 2), vehicles=()), budget_s=PLENTY_S)


def test_islands_and_costs_of_a_thousand_million_do_no_harm() -> None:
    dear = van(cost_per_km_minor=10**9, cost_per_hour_minor=10**9, fixed_cost_minor=10**9)
    problem = replace(towns(1, 2, 3, vehicles=[dear]), objective=Objective.COST)
    cut = problem.matrix.among(range(4))
    for matrix in (cut.distance_m, cut.duration_s):
        matrix[3, :3] = matrix[:3, 3] = UNREACHABLE
    engines: tuple[EngineName, ...] = ("exact", "ortools", "pyvrp", "hybrid")
    for engine in engines:
        plan = answered(replace(problem, matrix=cut), engine)
        assert left_out(plan) == {"C"}
        assert plan.cost == 10**9 * (1 + 4) + round(10**9 * 4 / 60)


def test_a_start_is_what_the_answer_is_at_least() -> None:
    problem = round_trip(30, seed=4)
    fine = answered(problem, "pyvrp", budget_s=1)
    start = {route.vehicle: route.order for route in fine.routes}
    plan = solve(problem, budget_s=0.01, start=start)
    assert loss(problem, plan) <= loss(problem, fine)


def test_what_is_wrong_with_a_start_is_forgotten() -> None:
    problem = towns(1, 2, 3, vehicles=[van(max_stops=2), van("other", max_stops=1)])
    start = {"van": ("C", "nowhere", None, "A", "B"), "gone": ("A",), "other": ("C",)}
    assert kept(problem, start) == {"van": ("C", "A")}
    assert not solve(problem, budget_s=PLENTY_S, start=start).unserved


@pytest.mark.parametrize(("rule", "value"), [("budget_s", 0), ("budget_s", float("nan")), ("cores", 0)])
def test_a_search_that_makes_no_sense_is_refused(rule: str, value: float) -> None:
    with pytest.raises(ProblemError, match=rule):
        solve(towns(1), **{"budget_s": 1.0, rule: value})  # type: ignore[arg-type]


def test_a_search_that_is_told_to_stop_gives_what_it_has() -> None:
    plan = served_whole(read(DATA / "R101.txt").problem, at_least_s=0)
    assert (plan.ending, plan.unserved) == ("cancelled", ())


def test_a_search_stopped_before_it_began_still_accounts_for_every_stop() -> None:
    problem = round_trip(7, seed=2)
    plan = solve(problem, budget_s=3_600, cancelled=lambda: True)
    assert judge(problem, plan).violations == ()


def test_progress_is_told_in_the_callers_thread_and_gets_better() -> None:
    told: list[tuple[str, Progress]] = []
    problem = round_trip(12, seed=2)
    solve(problem, budget_s=PLENTY_S, progress=lambda best: told.append((threading.current_thread().name, best)))
    assert {thread for thread, _ in told} == {threading.current_thread().name}
    losses = [(best.left_out, best.cost) for _, best in told]
    assert losses == sorted(losses, reverse=True)


def test_what_the_caller_raises_ends_the_search_and_reaches_the_caller() -> None:
    def fail(best: Progress) -> None:
        raise ConnectionError(best.cost)

    before = set(psutil.Process().children())  # the tests' own servers, if there are any by now
    with pytest.raises(ConnectionError):
        solve(read(DATA / "R101.txt").problem, budget_s=3_600, progress=fail)
    assert set(psutil.Process().children()) <= before, "nothing of the search is left"


def test_a_plan_that_breaks_a_rule_does_not_leave_the_house() -> None:
    problem = towns(10, vehicles=[van(max_stops=1)])
    plan = solve(problem, budget_s=1)
    assert passed(problem, plan) is plan
    with pytest.raises(RefusedPlan, match="the judge refuses the plan of exact: the plan says it costs 7"):
        passed(problem, replace(plan, cost=7))


def served_whole(problem: Problem, *, at_least_s: float) -> Plan:
    """The plan once nothing is left out, after a while at the earliest."""
    began = time.monotonic()
    told: list[Progress] = []
    return solve(
        problem,
        budget_s=60,
        progress=told.append,
        cancelled=lambda: bool(told) and not told[-1].left_out and time.monotonic() - began > at_least_s,
    )


@pytest.mark.parametrize("name", ["C101", "R101", "RC208"])
def test_a_public_instance_is_served_whole_and_not_better_than_the_best_known(name: str) -> None:
    instance = read(DATA / f"{name}.txt")
    plan = served_whole(instance.problem, at_least_s=0.6)
    assert judge(instance.problem, plan).violations == ()
    assert plan.unserved == ()
    assert instance.best_known is not None
    assert instance.in_file_units(plan.cost) >= instance.best_known


@pytest.mark.parametrize("objective", Objective)
def test_any_objective_serves_a_public_instance(objective: Objective) -> None:
    problem = read(DATA / "R101.txt").problem
    vehicles = tuple(
        replace(each, fixed_cost_minor=900, cost_per_km_minor=80, cost_per_hour_minor=2_500)
        for each in problem.vehicles
    )
    assert served_whole(replace(problem, vehicles=vehicles, objective=objective), at_least_s=0).unserved == ()
