"""The judge catches every kind of lie and every broken rule, and says it in words."""

import ast
from dataclasses import replace
from pathlib import Path

import pytest

from route_optimizer import check
from route_optimizer.check import judge
from route_optimizer.plan import Plan, Reason, Route, Rule, Unserved, Visit
from route_optimizer.problem import (
    UNREACHABLE,
    Capacity,
    Compartment,
    Load,
    Matrix,
    Objective,
    Problem,
    Stop,
    Window,
)
from tests.route_optimizer.world import HOUR, KM, MINUTE, road, van

VAN = van(
    capacities=(Capacity("crates", 10), Capacity("crates", 4, Compartment.FROZEN)),
    shift=Window(8 * HOUR, 12 * HOUR),
    max_distance_m=60 * KM,
    max_duration_s=75 * MINUTE,
    max_stops=2,
    skills=frozenset({"lift"}),
    fixed_cost_minor=500,
    cost_per_km_minor=30,
    cost_per_hour_minor=2_400,
)
A = Stop(
    "A",
    1,
    windows=(Window(9 * HOUR, 10 * HOUR), Window(11 * HOUR, 12 * HOUR)),
    service_time_s=10 * MINUTE,
    loads=(Load("crates", 4, Compartment.FROZEN),),
    skills=frozenset({"lift"}),
)
B = Stop("B", 2, service_time_s=5 * MINUTE, loads=(Load("crates", 6),))
ROAD = road(0, 20, 30)
PROBLEM = Problem((A, B), (VAN, van("other")), ROAD, Objective.COST)

NINE = 9 * HOUR
#: leaves at 8:40, waits for nothing, is back at 9:55 by way of A and B: 60 km and 75 minutes
ROUTE = Route(
    "van",
    start_s=NINE - 20 * MINUTE,
    end_s=NINE + 55 * MINUTE,
    visits=(
        Visit("A", NINE, NINE, NINE + 10 * MINUTE),
        Visit("B", NINE + 20 * MINUTE, NINE + 20 * MINUTE, NINE + 25 * MINUTE),
    ),
    distance_m=60 * KM,
    cost=500 + 60 * 30 + 75 * 40,
)
PLAN = Plan((ROUTE,), (), ROUTE.cost, "exact", "optimal")


def rules(problem: Problem, plan: Plan) -> set[Rule]:
    return {violation.rule for violation in judge(problem, plan).violations}


def words(problem: Problem, plan: Plan) -> str:
    return "\n".join(violation.words for violation in judge(problem, plan).violations)


def with_van(**rules: object) -> Problem:
    return replace(PROBLEM, vehicles=(replace(VAN, **rules), PROBLEM.vehicles[1]))  # type: ignore[arg-type]


def with_a(**rules: object) -> Problem:
    return replace(PROBLEM, stops=(replace(A, **rules), B))  # type: ignore[arg-type]


def with_route(**figures: object) -> Plan:
    return replace(PLAN, routes=(replace(ROUTE, **figures),))  # type: ignore[arg-type]


def with_visit(number: int, **figures: int) -> Plan:
    visits = list(ROUTE.visits)
    visits[number] = replace(visits[number], **figures)  # type: ignore[arg-type]
    return with_route(visits=tuple(visits))


def test_an_honest_plan_passes_and_its_cost_is_recomputed() -> None:
    verdict = judge(PROBLEM, PLAN)
    assert verdict.violations == ()
    assert (verdict.cost, verdict.left_out, verdict.prizes_lost) == (5_300, 0, 0)


@pytest.mark.parametrize(
    ("problem", "rule", "said"),
    [
        (
            with_van(capacities=(Capacity("crates", 9), Capacity("crates", 4, Compartment.FROZEN))),
            Rule.CAPACITY,
            "10 crates",
        ),
        (with_van(capacities=(Capacity("crates", 3, Compartment.FROZEN),)), Rule.CAPACITY, "carries 4 frozen crates"),
        (with_van(capacities=(Capacity("crates", 10),)), Rule.COMPARTMENT, "without a frozen compartment"),
        (with_van(skills=frozenset()), Rule.SKILL, "without the skill lift"),
        (with_van(max_stops=1), Rule.MAX_STOPS, "makes 2 stops, 1 are allowed"),
        (with_van(max_distance_m=60 * KM - 1), Rule.MAX_DISTANCE, "drives 60000 m, 59999 m are allowed"),
        (with_van(max_duration_s=75 * MINUTE - 1), Rule.MAX_DURATION, "4500 s, 4499 s are allowed"),
        (with_van(shift=Window(NINE, 12 * HOUR)), Rule.SHIFT, "1200 s before its shift begins"),
        (with_van(shift=Window(0, ROUTE.end_s - 7)), Rule.SHIFT, "done 7 s after its shift"),
        (with_a(windows=(Window(0, NINE - 60),)), Rule.WINDOW, "60 s after its last window closes"),
        (with_a(windows=(Window(0, 1), Window(NINE + 1, NINE + 2))), Rule.WINDOW, "outside its windows"),
    ],
)
def test_a_broken_rule_of_the_business_is_named_with_its_figures(problem: Problem, rule: Rule, said: str) -> None:
    assert rules(problem, PLAN) == {rule}
    assert said in words(problem, PLAN)


def test_a_way_where_no_road_leads_is_refused() -> None:
    matrix = Matrix(ROAD.distance_m.copy(), ROAD.duration_s.copy())
    matrix.distance_m[1, 2] = matrix.duration_s[1, 2] = UNREACHABLE
    assert Rule.UNREACHABLE in rules(replace(PROBLEM, matrix=matrix), PLAN)


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        (replace(PLAN, cost=1), "says it costs 1, it costs 5300"),
        (with_route(cost=5_299), "said to cost 5299, it costs 5300"),
        (with_route(distance_m=1), "said to drive 1 m, it drives 60000 m"),
        (with_route(end_s=ROUTE.end_s - 600), "said to be done at"),
        (with_visit(0, arrival_s=NINE - 60), "said to arrive at A"),
        (with_visit(1, start_s=ROUTE.visits[1].start_s - 60), "starts 60 s before van arrives"),
        (with_visit(1, departure_s=ROUTE.visits[1].departure_s - 60), "stays 240 s at B, service takes 300 s"),
    ],
)
def test_a_figure_that_does_not_add_up_is_found(plan: Plan, said: str) -> None:
    assert Rule.FIGURES in rules(PROBLEM, plan)
    assert said in words(PROBLEM, plan)


NOTED = Unserved("A", (Reason(Rule.FLEET, "van", "full", "another"),))


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        (replace(PLAN, routes=(ROUTE, ROUTE)), "vehicle van drives 2 routes"),
        (replace(PLAN, routes=(replace(ROUTE, vehicle="ghost"),)), "vehicle ghost does not exist"),
        (replace(PLAN, routes=(ROUTE, replace(ROUTE, vehicle="other"))), "stop A is served 2 times"),
        (replace(PLAN, routes=(ROUTE, replace(ROUTE, vehicle="other", visits=()))), "the route of other has no stops"),
        (replace(PLAN, routes=()), "stop A is not served and named 0 times"),
        (replace(PLAN, unserved=(NOTED,)), "stop A is served and said to be left out"),
        (replace(PLAN, routes=(), unserved=(NOTED, NOTED)), "stop A is not served and named 2 times"),
        (replace(PLAN, routes=(), unserved=(replace(NOTED, reasons=()),)), "stop A is left out without a reason"),
        (replace(PLAN, unserved=(replace(NOTED, stop="Z"),)), "stop Z does not exist"),
        (with_route(visits=(Visit("Z", 0, 0, 0),)), "stop Z does not exist"),
    ],
)
def test_a_stop_is_served_once_or_left_out_with_a_reason(plan: Plan, said: str) -> None:
    assert Rule.COMPLETE in rules(PROBLEM, plan)
    assert said in words(PROBLEM, plan)


def test_what_is_left_out_weighs_by_priority_and_costs_its_prize() -> None:
    stops = (replace(A, priority=9), replace(B, prize=70))
    empty = Plan((), tuple(Unserved(stop.id, NOTED.reasons) for stop in stops), 0, "exact", "optimal")
    verdict = judge(replace(PROBLEM, stops=stops), empty)
    assert (verdict.violations, verdict.left_out, verdict.prizes_lost) == ((), 10, 70)


@pytest.mark.parametrize(("objective", "cost"), [(Objective.DISTANCE, 60 * KM), (Objective.TIME, 75 * MINUTE)])
def test_the_cost_is_counted_in_the_objective(objective: Objective, cost: int) -> None:
    plan = replace(with_route(cost=cost), cost=cost)
    assert judge(replace(PROBLEM, objective=objective), plan).violations == ()


def test_half_a_unit_is_rounded_up_once_for_the_route() -> None:
    by_the_kilometre = {"fixed_cost_minor": 0, "cost_per_km_minor": 1, "cost_per_hour_minor": 0}
    problem = replace(with_van(**by_the_kilometre), matrix=Matrix(ROAD.distance_m // 40, ROAD.duration_s))
    exactly_half = replace(with_route(distance_m=1_500, cost=2), cost=2)
    assert judge(problem, exactly_half).violations == ()


def test_not_a_second_of_overtime_is_paid_that_was_not_worked() -> None:
    to_the_second = with_van(overtime_after_s=75 * MINUTE, overtime_cost_per_hour_minor=10**9)
    assert judge(to_the_second, PLAN).violations == ()


def test_an_open_route_ends_where_its_last_service_does() -> None:
    problem = with_van(end=None)
    done = replace(ROUTE, end_s=ROUTE.end_s - 30 * MINUTE, distance_m=30 * KM, cost=500 + 30 * 30 + 45 * 40)
    assert judge(problem, replace(PLAN, routes=(done,), cost=done.cost)).violations == ()


def test_the_judge_and_brute_force_know_nothing_of_how_plans_are_made() -> None:
    judges = list(Path(check.__file__).parent.glob("*.py"))
    for path in (*judges, Path(__file__).with_name("brute_force.py")):
        imported = {node.module for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)}
        ours = {name for name in imported if name and name.startswith("route_optimizer")}
        told = {name for name in ours if not (path in judges and name.startswith("route_optimizer.check."))}
        assert told <= {"route_optimizer.problem", "route_optimizer.plan"}, path.name
