"""OR-Tools as an engine: it knows every rule, and what it proposes hardly needs mending."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings

from route_optimizer.engines import ortools
from route_optimizer.engines.ortools.graph import IDLE, fleet
from route_optimizer.plan import Plan
from route_optimizer.problem import (
    Break,
    Capacity,
    DrivingRule,
    Load,
    Objective,
    Problem,
    Reload,
    Shipment,
    Stop,
    Window,
)
from route_optimizer.repair import kept
from route_optimizer.search import Search
from route_optimizer.solve import planned
from tests.route_optimizer.brute_force import best_loss
from tests.route_optimizer.test_solve import loss
from tests.route_optimizer.world import MINUTE, driven, problems, route_of, towns, van, visit_of

PLENTY_S = 60.0


def found(problem: Problem, *, start: dict[str, tuple[str | None, ...]] | None = None) -> Plan:
    """OR-Tools' own plan: what it proposes keeps every rule as it is."""
    answer = ortools.search(problem, Search(PLENTY_S, 0, start=start))
    assert kept(problem, answer.sequences) == answer.sequences
    return planned(problem, [answer.sequences], "ortools", answer.ending)


def any_plan(problem: Problem) -> None:
    answer = ortools.search(problem, Search(PLENTY_S, 0))
    plan = planned(problem, [answer.sequences], "ortools", answer.ending)
    assert loss(problem, plan) >= best_loss(problem), "better than the best there is"
    assert all(unserved.reasons for unserved in plan.unserved)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(problems())
def test_any_problem_gets_a_plan_that_the_judge_accepts(problem: Problem) -> None:
    any_plan(problem)


@pytest.mark.long
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(problems(most_rules=10, always=frozenset({"balance"})))
def test_any_problem_at_length(problem: Problem) -> None:
    any_plan(problem)


def test_a_break_interrupts_the_drive_and_delays_what_comes_after() -> None:
    lunch = Break(10 * MINUTE, 20 * MINUTE, 30 * MINUTE)
    open_until = replace(Stop("B", 2), windows=(Window(0, 55 * MINUTE),))
    problem = towns(5, 40, stops=[Stop("A", 1), open_until], vehicles=[van(breaks=(lunch,)), van("spare")])
    plan = found(problem)
    assert not plan.unserved
    assert visit_of(plan, "B").start_s <= 55 * MINUTE


def test_who_drives_long_has_time_to_rest() -> None:
    rule = DrivingRule(60 * MINUTE, 30 * MINUTE)
    plan = found(towns(50, 55, vehicles=[van(driving=rule, shift=Window(0, 139 * MINUTE)), van("spare")]))
    assert {route.vehicle for route in plan.routes} == {"spare"}


def test_a_van_that_reloads_brings_more_than_it_holds() -> None:
    stops = [Stop(name, 1 + at, loads=(Load("crates", 3),)) for at, name in enumerate("ABC")]
    vehicle = van(capacities=(Capacity("crates", 4),), reload=Reload(0, most=2, duration_s=MINUTE))
    plan = found(towns(1, 2, 3, stops=stops, vehicles=[vehicle]))
    assert len(route_of(plan).reloads) == 2
    assert not plan.unserved


def test_empties_need_the_room_that_goods_have_left() -> None:
    stops = [
        Stop("A", 1, loads=(Load("crates", 2),), collects=(Load("crates", 4),)),
        Stop("B", 2, loads=(Load("crates", 2),)),
    ]
    plan = found(towns(1, 9, stops=stops, vehicles=[van(capacities=(Capacity("crates", 4),))]))
    assert driven(plan) == {"van": "BA"}


def test_a_shipment_and_a_group_are_served_by_one_van_and_strangers_by_two() -> None:
    problem = replace(
        towns(1, 2, 3, 4, 5, 6, vehicles=[van("V"), van("W")]),
        shipments=(Shipment("D", "A"),),
        together=(frozenset("BE"),),
        apart=(frozenset("CF"),),
    )
    plan = found(problem)
    routes = driven(plan)
    assert not plan.unserved
    assert any("D" in order and order.index("D") < order.find("A") for order in routes.values())
    assert any({"B", "E"} <= set(order) for order in routes.values())
    assert not any({"C", "F"} <= set(order) for order in routes.values())


def test_locked_stops_come_first_and_goods_on_board_stay_where_they_are() -> None:
    stops = [Stop(name, 1 + at, loads=(Load("crates", 1),)) for at, name in enumerate("ABCD")]
    fleet = [van("V", locked=("D",), on_board=frozenset("DA")), van("W")]
    routes = driven(found(towns(1, 2, 3, 4, stops=stops, vehicles=fleet)))
    assert routes["V"] == "DA"
    assert set(routes["W"]) == set("BC")


def test_lateness_costs_what_it_costs() -> None:
    stops = [Stop("A", 1), Stop("B", 2, due_s=10 * MINUTE, late_cost_per_hour=60_000)]
    open_end = van(end=None)
    assert driven(found(towns(8, -9, stops=stops, vehicles=[open_end]))) == {"van": "BA"}
    indifferent = [stops[0], replace(stops[1], late_cost_per_hour=0)]
    assert driven(found(towns(8, -9, stops=indifferent, vehicles=[open_end]))) == {"van": "AB"}


def test_equal_days_where_they_are_paid_for() -> None:
    problem = towns(10, -10, vehicles=[van("V"), van("W")])
    balanced = replace(problem, objective=Objective.TIME, balance_cost_per_hour=36_000)
    assert len(found(balanced).routes) == 2
    assert len(found(replace(problem, vehicles=problem.vehicles[:1])).routes) == 1


def test_a_start_is_taken_up_and_its_reloads_with_it() -> None:
    stops = [Stop(name, 1 + at, loads=(Load("crates", 3),)) for at, name in enumerate("AB")]
    vehicle = van(capacities=(Capacity("crates", 3),), reload=Reload(0))
    plan = found(towns(1, 2, stops=stops, vehicles=[vehicle]), start={"van": ("A", None, "B")})
    assert not plan.unserved


def test_of_many_vans_alike_only_a_few_idle_ones_are_looked_at() -> None:
    vans = [van(f"V{number}") for number in range(50)]
    problem = towns(*range(1, 21), vehicles=vans)
    assert len(fleet(problem, {})) == 20
    assert len(fleet(problem, {"V7": tuple(problem.stop_by_id)})) == 1 + IDLE


def test_costs_beyond_64_bits_are_divided() -> None:
    dear = van(cost_per_km_minor=10**9, cost_per_hour_minor=10**9, fixed_cost_minor=10**9)
    problem = replace(towns(1, 2, 3, vehicles=[dear]), objective=Objective.COST)
    stops = [replace(stop, priority=100, late_cost_per_hour=10**9, due_s=0) for stop in problem.stops]
    assert not found(replace(problem, stops=tuple(stops))).unserved
