"""The reason given for a stop left out is true: what it names, mended, lets the stop in."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings

from route_optimizer.check import judge
from route_optimizer.explain import relax
from route_optimizer.insertion import cheapest
from route_optimizer.plan import Plan, Reason, Rule, Unserved
from route_optimizer.problem import UNREACHABLE, Capacity, Compartment, Load, Matrix, Problem, Stop, Window
from route_optimizer.schedule import route
from route_optimizer.solve import solve
from tests.route_optimizer.world import HOUR, KM, MINUTE, left_out, problems, towns, van


def planned(problem: Problem) -> Plan:
    return solve(problem, budget_s=5)


def reasons(problem: Problem, stop: str = "A") -> list[Reason]:
    return list(next(each for each in planned(problem).unserved if each.stop == stop).reasons)


CRATES = (Capacity("crates", 10),)
COLD = (Capacity("crates", 10), Capacity("crates", 4, Compartment.CHILLED))
NO = UNREACHABLE
ISLAND = Matrix.of([[0, NO], [NO, 0]], [[0, NO], [NO, 0]])

ALONE = [
    (
        towns(10, stops=[Stop("A", 1, loads=(Load("crates", 11),))], vehicles=[van(capacities=CRATES)]),
        Rule.CAPACITY,
        11,
    ),
    (
        towns(
            10, stops=[Stop("A", 1, loads=(Load("crates", 5, Compartment.CHILLED),))], vehicles=[van(capacities=COLD)]
        ),
        Rule.CAPACITY,
        5,
    ),
    (
        towns(
            10, stops=[Stop("A", 1, loads=(Load("crates", 5, Compartment.FROZEN),))], vehicles=[van(capacities=COLD)]
        ),
        Rule.COMPARTMENT,
        5,
    ),
    (towns(10, stops=[Stop("A", 1, skills=frozenset({"lift"}))]), Rule.SKILL, 0),
    (Problem((Stop("A", 1),), (van(),), ISLAND), Rule.UNREACHABLE, 0),
    (towns(30, stops=[Stop("A", 1, windows=(Window(0, 29 * MINUTE),))]), Rule.WINDOW, 30 * MINUTE),
    (
        towns(
            10, stops=[Stop("A", 1, windows=(Window(20 * HOUR, 21 * HOUR),))], vehicles=[van(shift=Window(0, 8 * HOUR))]
        ),
        Rule.SHIFT,
        20 * HOUR + 10 * MINUTE,
    ),
    (towns(10, vehicles=[van(max_distance_m=19 * KM)]), Rule.MAX_DISTANCE, 20 * KM),
    (towns(10, vehicles=[van(max_duration_s=19 * MINUTE)]), Rule.MAX_DURATION, 20 * MINUTE),
    (towns(10, vehicles=[van(max_stops=0)]), Rule.MAX_STOPS, 1),
]


@pytest.mark.parametrize(("problem", "rule", "needed"), ALONE, ids=[str(case[1]) for case in ALONE])
def test_a_stop_that_no_van_can_serve_alone_says_which_rule_and_how_much_is_missing(
    problem: Problem, rule: Rule, needed: int
) -> None:
    found = reasons(problem)
    assert [(reason.rule, reason.needed) for reason in found] == [(rule, needed)]
    assert left_out(planned(relax(problem, "A", found))) == set()


def test_the_remedy_is_the_least_that_helps() -> None:
    problem = towns(10, vehicles=[van(max_distance_m=19 * KM)])
    (reason,) = reasons(problem)
    assert left_out(planned(relax(problem, "A", [replace(reason, needed=reason.needed - 1)]))) == {"A"}


def test_the_reason_is_told_of_the_van_that_comes_closest() -> None:
    heavy = Stop("A", 1, loads=(Load("crates", 11),), skills=frozenset({"lift"}))
    fleet = [van("neither", capacities=CRATES), van("lift", capacities=CRATES, skills=frozenset({"lift"}))]
    (reason,) = reasons(towns(10, stops=[heavy], vehicles=fleet))
    assert (reason.rule, reason.vehicle) == (Rule.CAPACITY, "lift")
    assert reason.words == "it takes 11 crates, lift holds 10"
    assert reason.remedy == "a vehicle that holds 11 crates, or the order split in two"


def test_two_rules_that_fail_are_both_named() -> None:
    problem = towns(
        10,
        stops=[Stop("A", 1, loads=(Load("crates", 11),), skills=frozenset({"lift"}))],
        vehicles=[van(capacities=CRATES)],
    )
    found = reasons(problem)
    assert {reason.rule for reason in found} == {Rule.SKILL, Rule.CAPACITY}
    assert left_out(planned(relax(problem, "A", found[:1]))) == {"A"}, "one alone does not help"
    assert left_out(planned(relax(problem, "A", found))) == set()


def test_alone_it_fits_together_it_does_not_and_one_more_van_would_take_it() -> None:
    load = (Load("crates", 10),)
    problem = towns(
        10,
        20,
        stops=[Stop("A", 1, loads=load), Stop("B", 2, loads=load, priority=1)],
        vehicles=[van(capacities=CRATES)],
    )
    (reason,) = reasons(problem)
    assert (reason.rule, reason.remedy) == (Rule.FLEET, "one more vehicle like van")
    assert left_out(planned(relax(problem, "A", [reason]))) == set()


def test_too_heavy_and_no_room_beside_the_others_needs_both_mended() -> None:
    stops = [Stop("A", 1, loads=(Load("crates", 11),)), Stop("B", 2, loads=(Load("crates", 10),))]
    problem = towns(10, 20, stops=stops, vehicles=[van(capacities=CRATES)])
    found = reasons(problem)
    assert [reason.rule for reason in found] == [Rule.CAPACITY, Rule.FLEET]
    assert left_out(planned(relax(problem, "A", found))) == set()


def test_a_prize_too_low_says_what_would_be_enough() -> None:
    problem = towns(10, 20, stops=[Stop("A", 2, prize=5 * KM), Stop("B", 1)])
    (reason,) = reasons(problem)
    assert (reason.rule, reason.needed) == (Rule.PRIZE, 20 * KM + 1)
    assert left_out(planned(relax(problem, "A", [reason]))) == set()


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(problems())
def test_whatever_the_problem_the_remedies_let_the_stop_into_the_plan_as_it_stands(problem: Problem) -> None:
    plan = planned(problem)
    for unserved in plan.unserved:
        assert unserved.reasons
        easier = relax(problem, unserved.stop, unserved.reasons)
        assert judge(easier, with_stop(easier, plan, unserved)).violations == ()


def with_stop(easier: Problem, plan: Plan, unserved: Unserved) -> Plan:
    """The plan with one more stop served, every other where it was."""
    stop = easier.stop_by_id[unserved.stop]
    found = cheapest(easier, {each.vehicle: tuple(visit.stop for visit in each.visits) for each in plan.routes}, stop)
    assert found is not None
    assert stop.prize is None or stop.prize > found.extra_cost
    vehicle = easier.vehicle_by_id[found.vehicle]
    longer = route(easier, vehicle, [easier.stop_by_id[name] for name in found.sequence])
    assert longer is not None
    routes = [*(each for each in plan.routes if each.vehicle != vehicle.id), longer]
    return replace(
        plan,
        routes=tuple(routes),
        unserved=tuple(each for each in plan.unserved if each is not unserved),
        cost=sum(each.cost for each in routes),
    )
