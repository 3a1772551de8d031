"""The hybrid: an easier problem first, then every rule."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings

from route_optimizer.engines import hybrid, pyvrp
from route_optimizer.engines.relaxed import relaxed
from route_optimizer.plan import Plan
from route_optimizer.problem import Break, Capacity, DrivingRule, Load, Problem, Reload, Shipment, Stop, Window
from route_optimizer.search import Search
from route_optimizer.solve import planned
from tests.route_optimizer.brute_force import best_loss
from tests.route_optimizer.test_solve import loss
from tests.route_optimizer.world import HOUR, MINUTE, driven, problems, route_of, towns, van, visit_of

PLENTY_S = 60.0


def found(problem: Problem, *, seed: int = 0) -> Plan:
    answer = hybrid.search(problem, Search(PLENTY_S, seed))
    return planned(problem, [answer.sequences], "hybrid", answer.ending)


def any_plan(problem: Problem) -> None:
    plan = found(problem)
    weight, _ = best = best_loss(problem)
    assert loss(problem, plan) >= best, "better than the best there is"
    assert loss(problem, plan)[0] == weight, "brute force serves more"
    assert all(unserved.reasons for unserved in plan.unserved)


@settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(problems())
def test_any_problem_gets_a_plan_that_serves_as_much_as_can_be(problem: Problem) -> None:
    any_plan(problem)


@pytest.mark.long
@settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(problems(most_rules=10))
def test_any_problem_at_length(problem: Problem) -> None:
    any_plan(problem)


@settings(max_examples=40, deadline=None)
@given(problems(most_rules=15))
def test_pyvrp_can_express_what_is_left_of_any_problem(problem: Problem) -> None:
    easier = relaxed(problem).easier
    assert pyvrp.lacks(easier) is None
    assert {stop.id for stop in easier.stops} <= set(problem.stop_by_id)


def test_time_stands_still_during_a_break() -> None:
    lunch = Break(12 * HOUR, 13 * HOUR, HOUR // 2)
    open_at = [Window(11 * HOUR, 12 * HOUR), Window(12 * HOUR, 14 * HOUR), Window(15 * HOUR, 16 * HOUR)]
    stops = [Stop(name, 1, windows=(window,)) for name, window in zip("ABC", open_at, strict=True)]
    problem = towns(1, stops=stops, vehicles=[van(breaks=(lunch,), shift=Window(0, 18 * HOUR))])
    half = HOUR // 2
    for looseness, b_closes_s in ((0, 14 * HOUR - half), (1, 14 * HOUR - half)):
        easier = relaxed(problem, looseness).easier
        assert [stop.windows for stop in easier.stops] == [
            (Window(11 * HOUR, 12 * HOUR),),
            (Window(12 * HOUR, b_closes_s),),
            (Window(15 * HOUR - half, 16 * HOUR - half),),
        ]
        assert easier.vehicles[0].shift == Window(0, 18 * HOUR - half)
        assert not easier.vehicles[0].breaks


def test_where_each_stop_has_its_own_opinion_of_a_break_what_closes_within_it_is_not_moved() -> None:
    lunch = Break(12 * HOUR, 13 * HOUR, HOUR // 2)
    stop = Stop("A", 1, windows=(Window(11 * HOUR, 13 * HOUR),))
    problem = towns(1, stops=[stop], vehicles=[van(breaks=(lunch,))])
    closes_s = [relaxed(problem, looseness).easier.stops[0].windows[0].closes_s for looseness in (0, 0.25, 1)]
    assert closes_s == [12.5 * HOUR, 12.5 * HOUR, 13 * HOUR]


def test_a_route_that_has_begun_goes_on_from_its_last_locked_stop() -> None:
    stops = [Stop(name, 1 + at, service_time_s=MINUTE, loads=(Load("crates", 2),)) for at, name in enumerate("ABC")]
    vehicle = van(capacities=(Capacity("crates", 5),), locked=("B", "A"), max_distance_m=50_000, max_stops=5)
    problem = towns(5, 10, 20, stops=stops, vehicles=[vehicle])
    both = relaxed(problem)
    [begun] = both.easier.vehicles
    assert (begun.start, begun.capacities[0].limit, begun.max_distance_m, begun.max_stops) == (1, 1, 35_000, 3)
    assert begun.shift.opens_s == 17 * MINUTE
    assert [stop.id for stop in both.easier.stops] == ["C"]
    assert both.back({"van": ("C",)}) == {"van": ("B", "A", "C")}
    assert both.there({"van": ("B", "A", "C")}) == {"van": ("C",)}


def test_nine_stops_with_every_kind_of_rule_are_served_and_settle() -> None:
    fleet = [
        van("V", breaks=(Break(30 * MINUTE, 60 * MINUTE, 20 * MINUTE),), locked=("I",), on_board=frozenset("IA")),
        van("W", driving=DrivingRule(40 * MINUTE, 10 * MINUTE), reload=Reload(0, duration_s=5 * MINUTE)),
    ]
    problem = replace(
        towns(*range(1, 10), vehicles=[replace(each, capacities=(Capacity("crates", 6),)) for each in fleet]),
        shipments=(Shipment("C", "E"),),
        together=(frozenset("GH"),),
        apart=(frozenset("AB"),),
        reassign_cost=7,
        balance_cost_per_hour=60,
    )
    stops = [
        stop if stop.id in "CE" else replace(stop, loads=(Load("crates", 1),), planned_on="W") for stop in problem.stops
    ]
    plan = found(replace(problem, stops=tuple(stops)))
    assert not plan.unserved
    assert plan.ending == "settled"
    assert route_of(plan, "V").order[0] == "I"
    assert set(driven(plan)["V"]) == set("IA")
    assert visit_of(plan, "C").departure_s <= visit_of(plan, "E").start_s


def test_the_same_seed_gives_the_same_plan() -> None:
    problem = towns(3, -4, 8, -9, 2, vehicles=[van("V", breaks=(Break(0, HOUR, MINUTE),)), van("W")])
    assert found(problem, seed=3) == found(problem, seed=3)


def test_told_to_stop_it_gives_what_it_has() -> None:
    problem = towns(*range(1, 60), vehicles=[van(breaks=(Break(0, HOUR, MINUTE),))])
    search = Search(PLENTY_S, 0)

    def stop(progress: object, sequences: object) -> None:
        search.stopped = True

    search.tell = stop
    answer = hybrid.search(problem, search)
    assert answer.ending == "cancelled"
    assert len(answer.sequences["van"]) == 59
