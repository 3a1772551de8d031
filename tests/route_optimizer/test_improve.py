"""Taking stops out and putting them back in, until the plan is better: under every rule."""

from dataclasses import replace

import pytest
from hypothesis import given, settings

from route_optimizer.engines import exact
from route_optimizer.improve import improve
from route_optimizer.plan import Order
from route_optimizer.problem import Break, Capacity, Load, Problem, Reload, Shipment, Stop, Window
from route_optimizer.schedule import cost_of
from route_optimizer.search import Search, Sequences
from tests.route_optimizer.brute_force import best_loss
from tests.route_optimizer.world import HOUR, MINUTE, problems, towns, van

CRATE = (Load("crates", 1),)


def loss(problem: Problem, sequences: Sequences) -> tuple[int, int]:
    """Weight left out, then cost and prizes lost; every order of the plan must keep the rules."""
    served = [name for order in sequences.values() for name in order if name is not None]
    assert len(served) == len(set(served))
    missed = [stop for stop in problem.stops if stop.id not in served]
    costs = [cost_of(problem, problem.vehicle_by_id[vehicle], order) for vehicle, order in sequences.items()]
    assert None not in costs
    weight = sum(1 + stop.priority for stop in missed if stop.prize is None)
    return weight, sum(cost or 0 for cost in costs) + sum(stop.prize or 0 for stop in missed)


def a_city() -> Problem:
    """Forty stops on a road to both sides of the depot, in windows, with skills, reloads and breaks."""
    stops = [
        Stop(
            f"S{number}",
            1 + number,
            windows=(Window(HOUR * (number % 4), HOUR * (number % 4 + 3)),),
            service_time_s=5 * MINUTE,
            loads=CRATE,
            skills=frozenset({"lift"}) if number % 7 == 0 else frozenset(),
        )
        for number in range(40)
    ]
    vans = [
        van(
            f"van {number}",
            capacities=(Capacity("crates", 6),),
            reload=Reload(0, duration_s=5 * MINUTE) if number % 2 else None,
            breaks=(Break(2 * HOUR, 4 * HOUR, 30 * MINUTE),),
            skills=frozenset({"lift"}) if number < 3 else frozenset(),
            shift=Window(0, 8 * HOUR),
        )
        for number in range(8)
    ]
    return towns(*[(-1) ** n * (1 + n * 7 % 37) for n in range(40)], stops=stops, vehicles=vans)


def test_a_bad_plan_becomes_a_better_one_and_the_same_one_every_time() -> None:
    problem = a_city()
    begun = improve(problem, {}, Search(1_000, 3), iterations=0)
    better = improve(problem, begun, Search(1_000, 3), iterations=60)
    assert loss(problem, better) < loss(problem, begun)
    assert improve(problem, begun, Search(1_000, 3), iterations=60) == better


@given(problems(most_stops=4))
@settings(max_examples=25, deadline=None)
def test_under_any_rules_it_finds_no_plan_better_than_the_best_and_loses_nothing(problem: Problem) -> None:
    begun = exact.search(problem, Search(1_000, 0)).sequences
    best = best_loss(problem)[:2]
    assert loss(problem, begun) == best
    assert loss(problem, improve(problem, begun, Search(1_000, 1), iterations=10)) == best
    assert loss(problem, improve(problem, {}, Search(1_000, 1), iterations=10)) >= best


def test_crossed_routes_are_uncrossed() -> None:
    problem = towns(1, 2, -1, -2, vehicles=[van("one", max_stops=2), van("two", max_stops=2)])
    found = improve(problem, {"one": ("A", "C"), "two": ("B", "D")}, Search(1_000, 0), iterations=30)
    assert loss(problem, found) == (0, 8_000)


def test_locked_stops_stay_first_however_dear_that_is() -> None:
    problem = towns(1, 2, 9, vehicles=[van(locked=("C", "A"))])
    found = improve(problem, {"van": ("C", "A", "B")}, Search(1_000, 0), iterations=30)
    assert found["van"][:2] == ("C", "A")
    assert len(found["van"]) == 3


def test_shipments_and_groups_move_as_one() -> None:
    problem = towns(1, 2, 3, 4, 5, 6, vehicles=[van("one"), van("two")])
    problem = replace(problem, shipments=(Shipment("F", "A"),), together=(frozenset("BE"),), apart=(frozenset("CD"),))
    found = improve(problem, {}, Search(1_000, 0), iterations=60)
    assert loss(problem, found)[0] == 0
    assert loss(problem, found)[1] == 12_000 + 6_000


def test_what_was_left_out_is_tried_again_and_a_heavy_stop_takes_the_place_of_a_light_one() -> None:
    problem = towns(1, 2, vehicles=[van(max_stops=1)])
    problem = replace(problem, stops=(problem.stops[0], replace(problem.stops[1], priority=9)))
    found = improve(problem, {"van": ("A",)}, Search(1_000, 0), iterations=60)
    assert found == {"van": ("B",)}


def test_a_route_that_breaks_a_rule_is_taken_apart() -> None:
    problem = towns(1, 2, vehicles=[van("one", max_stops=1), van("two")])
    found = improve(problem, {"one": ("A", "B")}, Search(1_000, 0), iterations=10)
    assert loss(problem, found)[0] == 0


def test_balance_counts_with_the_longest_route() -> None:
    problem = towns(3, -2, vehicles=[van("one"), van("two")])
    problem = replace(problem, balance_cost_per_hour=HOUR * 100)
    found = improve(problem, {"one": ("A", "B")}, Search(1_000, 0), iterations=40)
    assert sorted(found.values()) == [("A",), ("B",)]


@pytest.mark.parametrize("start", [{}, {"van": ("B", "A")}])
def test_told_to_stop_it_returns_what_it_has(start: dict[str, Order]) -> None:
    search = Search(1_000, 0, stopped=True)
    assert improve(towns(1, 2), start, search) == start
