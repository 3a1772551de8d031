"""A dispatcher drags stops about: every draft gets its times, its cost and the rules that it breaks."""

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from route_optimizer.check import judge
from route_optimizer.plan import Order, Rule
from route_optimizer.problem import (
    UNREACHABLE,
    Break,
    Capacity,
    DrivingRule,
    Load,
    Matrix,
    Problem,
    Reload,
    Stop,
    Window,
)
from route_optimizer.schedule import order_of, route
from route_optimizer.validation import ProblemError
from route_optimizer.whatif import Moved, simulate
from tests.route_optimizer.world import HOUR, KM, MINUTE, problems, route_of, towns, van, visit_of


def test_a_draft_that_keeps_every_rule_gets_the_times_of_a_plan() -> None:
    problem = towns(10, 20)
    draft = simulate(problem, {"van": ("B", "A")})
    assert draft.violations == ()
    assert route_of(draft.plan) == route(problem, problem.vehicles[0], order_of(problem, ("B", "A")))
    assert judge(problem, draft.plan).violations == ()


def test_service_after_the_window_has_closed_is_still_given_its_time() -> None:
    stops = [Stop("A", 1), Stop("B", 2, windows=(Window(0, 15 * MINUTE),)), Stop("C", 3)]
    draft = simulate(towns(10, 20, 30, stops=stops), {"van": ("A", "B", "C")})
    assert [visit.start_s for visit in route_of(draft.plan).visits] == [10 * MINUTE, 20 * MINUTE, 30 * MINUTE]
    [violation] = draft.violations
    assert violation.rule is Rule.WINDOW
    assert "B" in violation.words


def test_a_van_that_is_too_full_leaves_as_late_as_one_that_is_not() -> None:
    stops = [Stop("A", 1, windows=(Window(2 * HOUR, 3 * HOUR),), loads=(Load("crates", 9),))]
    problem = towns(10, stops=stops, vehicles=[van(capacities=(Capacity("crates", 8),))])
    draft = simulate(problem, {"van": ("A",)})
    assert [each.rule for each in draft.violations] == [Rule.CAPACITY]
    assert route_of(draft.plan).start_s == 2 * HOUR - 10 * MINUTE


def test_breaks_and_rests_are_taken_on_a_route_that_comes_too_late() -> None:
    stops = [Stop("A", 1, windows=(Window(0, HOUR),))]
    driver = van(breaks=(Break(30 * MINUTE, HOUR, 15 * MINUTE),), driving=DrivingRule(50 * MINUTE, 10 * MINUTE))
    draft = simulate(towns(90, stops=stops, vehicles=[driver]), {"van": ("A",)})
    assert [each.rule for each in draft.violations] == [Rule.WINDOW]
    assert visit_of(draft.plan, "A").start_s == 115 * MINUTE
    assert route_of(draft.plan).duration_s == 215 * MINUTE


def test_a_draft_with_reloads_begins_its_second_trip_at_the_depot() -> None:
    stops = [Stop("A", 1, windows=(Window(0, 5 * MINUTE),)), Stop("B", 2)]
    problem = towns(10, 20, stops=stops, vehicles=[van(reload=Reload(0, duration_s=5 * MINUTE))])
    draft = simulate(problem, {"van": ("A", None, "B")})
    assert [each.rule for each in draft.violations] == [Rule.WINDOW]
    assert visit_of(draft.plan, "B").arrival_s == 45 * MINUTE
    assert route_of(draft.plan).distance_m == 60 * KM


def test_where_no_road_leads_the_draft_says_so_and_nothing_else() -> None:
    island = Matrix.of([[0, UNREACHABLE], [UNREACHABLE, 0]], [[0, UNREACHABLE], [UNREACHABLE, 0]])
    draft = simulate(Problem((Stop("A", 1),), (van(),), island), {"van": ("A",)})
    assert {each.rule for each in draft.violations} == {Rule.UNREACHABLE}


def test_against_the_plan_before_it_tells_what_changes() -> None:
    problem = towns(10, 20, 30, vehicles=[van("one"), van("two")])
    before = simulate(problem, {"one": ("A", "B"), "two": ("C",)}).plan
    changes = simulate(problem, {"one": ("A", "B", "C")}, before).changes
    assert changes is not None
    assert (changes.cost, changes.distance_m) == (-40 * KM, -40 * KM)
    assert changes.moved == (Moved("C", "two", "one"),)
    off = simulate(problem, {"one": ("A", "B")}, before)
    assert off.changes is not None
    assert off.changes.moved == (Moved("C", "two", None),)
    assert off.violations == (), "a stop on no route is left out, and says so"


def test_a_stop_that_comes_later_than_before_says_by_how_much() -> None:
    problem = towns(10, 20)
    before = simulate(problem, {"van": ("A", "B")}).plan
    changes = simulate(problem, {"van": ("B", "A")}, before).changes
    assert changes is not None
    assert changes.shifted_s == {"A": 20 * MINUTE}


@pytest.mark.parametrize("orders", [{"bus": ("A",)}, {"van": ("Z",)}, {"van": ("A", None, "B")}])
def test_a_draft_of_what_does_not_exist_is_refused(orders: dict[str, Order]) -> None:
    with pytest.raises(ProblemError):
        simulate(towns(10, 20), orders)


@settings(max_examples=70, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(problems(), st.data())
def test_whatever_is_drafted_every_stop_has_a_time_and_every_figure_adds_up(
    problem: Problem, data: st.DataObject
) -> None:
    assume(problem.stops)
    order = tuple(data.draw(st.permutations([stop.id for stop in problem.stops])))
    split = data.draw(st.integers(0, len(order)))
    orders = {problem.vehicles[0].id: order[:split], problem.vehicles[-1].id: order[split:]}
    draft = simulate(problem, orders)
    verdict = judge(problem, draft.plan)
    if not any(each.rule is Rule.UNREACHABLE for each in verdict.violations):
        assert Rule.FIGURES not in {each.rule for each in verdict.violations}
    served = [visit.stop for each in draft.plan.routes for visit in each.visits]
    assert sorted(served) == sorted(name for each in orders.values() for name in each)
    for vehicle in problem.vehicles:
        names = orders.get(vehicle.id, ())
        best = route(problem, vehicle, order_of(problem, names)) if names else None
        assert best is None or best in draft.plan.routes
