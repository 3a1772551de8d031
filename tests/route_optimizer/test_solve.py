"""The whole library: agrees with brute force, always explains itself, can be watched and stopped."""

import random
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from route_optimizer.check import judge
from route_optimizer.formats.read import read
from route_optimizer.plan import EngineName, Plan
from route_optimizer.problem import Capacity, Load, Matrix, Objective, Problem, Stop, Vehicle, Window
from route_optimizer.search import Progress
from route_optimizer.solve import RefusedPlan, passed, solve
from tests.route_optimizer.brute_force import best_loss
from tests.route_optimizer.world import MINUTE, left_out, problems, towns, van

DATA = Path(__file__).parent / "data"


def loss(problem: Problem, plan: Plan) -> tuple[int, int]:
    verdict = judge(problem, plan)
    assert verdict.violations == ()
    return verdict.left_out, verdict.cost + verdict.prizes_lost


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(problems())
def test_any_small_problem_gets_a_plan_as_good_as_brute_force_finds(problem: Problem) -> None:
    plan = solve(problem, budget_s=10)
    assert loss(problem, plan) == best_loss(problem)
    assert all(unserved.reasons for unserved in plan.unserved)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(problems(most_stops=5))
def test_any_problem_gets_a_plan_of_ortools_that_the_judge_accepts_and_that_explains_itself(problem: Problem) -> None:
    plan = solve(problem, budget_s=0.08, engine="ortools")
    assert loss(problem, plan) >= best_loss(problem), "better than the best there is"
    assert all(unserved.reasons for unserved in plan.unserved)


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


@pytest.mark.parametrize("engine", ["exact", "ortools"])
@pytest.mark.parametrize("stops", [4, 5, 6, 7])
def test_brute_force_agrees_up_to_seven_stops(engine: EngineName, stops: int) -> None:
    problem = round_trip(stops, seed=stops)
    assert loss(problem, solve(problem, budget_s=5, engine=engine)) == best_loss(problem)


def test_without_stops_there_is_nothing_to_search() -> None:
    engines: tuple[EngineName | None, ...] = (None, "ortools")
    for engine in engines:
        plan = solve(towns(), budget_s=3_600, engine=engine)
        assert (plan.routes, plan.unserved, plan.cost, plan.ending) == ((), (), 0, "optimal")


def test_a_few_stops_are_planned_for_good_whatever_the_budget() -> None:
    plan = solve(round_trip(7, seed=3), budget_s=3_600)
    assert (plan.engine, plan.ending) == ("exact", "optimal")


def test_a_dozen_stops_settle_long_before_a_long_budget_ends() -> None:
    plan = solve(round_trip(12, seed=3), budget_s=3_600)
    assert (plan.engine, plan.ending) == ("ortools", "settled")


def test_the_same_seed_gives_the_same_plan() -> None:
    problem = round_trip(12, seed=5)
    plans = [solve(problem, budget_s=60, seed=seed) for seed in (1, 1, 2)]
    assert plans[0] == plans[1]
    assert plans[0].cost == plans[2].cost, "so small a problem ends at the same cost by any way"


def test_stops_that_nobody_can_serve_do_not_trouble_the_others() -> None:
    problem = round_trip(10, seed=1)
    hopeless = Stop("heavy", 1, loads=(Load("crates", 1_000),))
    plan = solve(replace(problem, stops=(hopeless, *problem.stops)), budget_s=0.3)
    assert left_out(plan) == {"heavy"}


def test_a_search_that_is_told_to_stop_gives_what_it_has() -> None:
    plan = served_whole(read(DATA / "R101.txt").problem, at_least_s=0)
    assert (plan.ending, plan.unserved) == ("cancelled", ())


def test_a_search_stopped_before_it_began_still_accounts_for_every_stop() -> None:
    problem = round_trip(7, seed=2)
    plan = solve(problem, budget_s=3_600, cancelled=lambda: True)
    assert judge(problem, plan).violations == ()


def test_progress_is_told_in_the_callers_thread_and_gets_better() -> None:
    told: list[tuple[str, Progress]] = []
    problem = round_trip(20, seed=2)
    solve(problem, budget_s=0.5, progress=lambda best: told.append((threading.current_thread().name, best)))
    assert {thread for thread, _ in told} == {threading.current_thread().name}
    losses = [(best.left_out, best.cost) for _, best in told]
    assert losses == sorted(losses, reverse=True)


def test_what_the_caller_raises_ends_the_search_and_reaches_the_caller() -> None:
    def fail(best: Progress) -> None:
        raise ConnectionError(best.cost)

    with pytest.raises(ConnectionError):
        solve(read(DATA / "R101.txt").problem, budget_s=3_600, progress=fail)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("route-engine")]


def test_other_threads_live_while_the_solver_works() -> None:
    breaths = 0
    over = threading.Event()

    def breathe() -> None:
        nonlocal breaths
        while not over.wait(0.001):
            breaths += 1

    living = threading.Thread(target=breathe)
    living.start()
    solve(read(DATA / "R101.txt").problem, budget_s=0.6)
    over.set()
    living.join()
    assert breaths > 20


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
