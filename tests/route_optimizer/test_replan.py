"""A day under way is taken up again: nothing that is done is undone, and as little as can be is changed."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from route_optimizer.check import judge
from route_optimizer.engines import exact
from route_optimizer.plan import Order, Plan, Reason, Rule, Unserved
from route_optimizer.problem import (
    ANY_TIME,
    Break,
    Capacity,
    DrivingRule,
    Load,
    Problem,
    Reload,
    Shipment,
    Stop,
    Vehicle,
    Window,
)
from route_optimizer.repair import cost, routes_of
from route_optimizer.replan import replan
from route_optimizer.running import Day, Handling, UnderWay, as_planned, rest_of
from route_optimizer.search import Search
from route_optimizer.validation import ProblemError, validate
from tests.route_optimizer.world import HOUR, KM, MINUTE, driven, left_out, problems, road, towns, van, visit_of

CRATE = (Load("crates", 1),)
#: the shift of a van that has not left
LATER = Window(HOUR, 9 * HOUR)


def running(problem: Problem, orders: Mapping[str, Order]) -> Plan:
    """The plan of these orders."""
    routes = routes_of(problem, orders)
    served = {visit.stop for each in routes for visit in each.visits}
    reason = Reason(Rule.FLEET, problem.vehicles[0].id, "no room", "more room")
    left = tuple(Unserved(stop.id, (reason,)) for stop in problem.stops if stop.id not in served)
    return Plan(tuple(routes), left, cost(problem, routes), "exact", "optimal")


def boxes(*km: int, vehicles: tuple[Vehicle, ...]) -> Problem:
    """A stop for one crate at each of these kilometres."""
    stops = tuple(Stop(chr(ord("A") + number), number + 1, loads=CRATE) for number in range(len(km)))
    return Problem(stops, vehicles, road(0, *km))


def crates(limit: int, van_id: str = "van", /, **rules: object) -> Vehicle:
    return van(van_id, capacities=(Capacity("crates", limit),), **rules)


def test_what_is_done_is_no_part_of_the_rest_and_the_next_stop_stays_the_next() -> None:
    problem = towns(10, 20, 30, 40)
    plan = running(problem, {"van": ("A", "B", "C", "D")})
    again = replan(problem, Day(15 * MINUTE, plan), cancel=["C"])
    assert [stop.id for stop in again.problem.stops] == ["B", "D"]
    assert again.problem.vehicle_by_id["van"].locked == ("B",)
    assert driven(again.plan) == {"van": "BD"}
    assert visit_of(again.plan, "B").start_s == 20 * MINUTE


def test_while_it_serves_a_stop_a_van_can_be_sent_anywhere_from_when_it_is_done() -> None:
    stops = [Stop("A", 1, service_time_s=10 * MINUTE), Stop("B", 2)]
    problem = towns(10, 20, stops=stops)
    [state] = as_planned(problem, running(problem, {"van": ("A", "B")}), 15 * MINUTE)
    assert (state.place, state.free_s, state.finished, state.bound_for) == (1, 20 * MINUTE, ("A",), None)
    assert (state.metres, state.driven_s) == (10 * KM, 10 * MINUTE)


def test_a_late_order_goes_to_a_van_that_has_not_left() -> None:
    morning, noon = crates(9, "morning"), crates(9, "noon", shift=Window(3 * HOUR, 9 * HOUR))
    problem = boxes(10, 20, vehicles=(morning, noon))
    plan = running(problem, {"morning": ("A",), "noon": ("B",)})
    late = Stop("late", 2, loads=CRATE)
    again = replan(problem, Day(5 * MINUTE, plan), insert=[late])
    assert driven(again.plan)["morning"] == "A"
    assert set(driven(again.plan)["noon"]) == set("Blate")
    assert again.moved == ()
    assert "late is new and goes with noon" in again.why


def test_a_loaded_van_comes_back_for_a_late_order() -> None:
    problem = boxes(10, 20, vehicles=(crates(9, reload=Reload(0, duration_s=5 * MINUTE)),))
    plan = running(problem, {"van": ("A", "B")})
    again = replan(problem, Day(5 * MINUTE, plan), insert=[Stop("late", 1, loads=CRATE)])
    [route] = again.plan.routes
    assert route.order == ("A", "B", None, "late")
    alone = replace(problem, vehicles=(crates(9),))
    assert left_out(replan(alone, Day(5 * MINUTE, plan), insert=[Stop("late", 1, loads=CRATE)]).plan) == {"late"}


def test_an_empty_van_goes_back_to_the_depot_first() -> None:
    problem = boxes(10, vehicles=(crates(9, reload=Reload(0, duration_s=5 * MINUTE), end=None),))
    plan = running(problem, {"van": ("A",)})
    again = replan(problem, Day(12 * MINUTE, plan), insert=[Stop("late", 1, loads=CRATE)])
    assert visit_of(again.plan, "late").start_s == (12 + 10 + 5 + 10) * MINUTE


def test_a_late_order_without_goods_needs_no_depot() -> None:
    problem = boxes(10, 20, vehicles=(crates(9),))
    plan = running(problem, {"van": ("A", "B")})
    again = replan(problem, Day(5 * MINUTE, plan), insert=[Stop("empties", 1, collects=CRATE)])
    assert left_out(again.plan) == set()


def test_one_stop_makes_room_for_a_late_order_and_none_if_none_may() -> None:
    near, far = (
        crates(2, "near", shift=Window(HOUR, HOUR + 80 * MINUTE)),
        crates(1, "far", shift=LATER),
    )
    problem = boxes(10, 20, 200, vehicles=(near, far))
    plan = running(problem, {"near": ("A", "B")})
    late = Stop("late", 1, windows=(Window(HOUR, HOUR + 10 * MINUTE),), loads=CRATE)
    small = replace(problem, stops=problem.stops[:2])
    blocked = replace(late, skills=frozenset({"keys"}))
    keys = replace(small, vehicles=(replace(near, skills=frozenset({"keys"})), far))
    again = replan(keys, Day(MINUTE, plan), insert=[blocked])
    assert left_out(again.plan) == set()
    assert [(each.before, each.after) for each in again.moved] == [("near", "far")]
    still = replan(keys, Day(MINUTE, plan), insert=[blocked], most_moved=0)
    assert left_out(still.plan) == {"late"}
    assert still.moved == ()


def test_two_stops_make_room_where_one_cannot() -> None:
    vans = (
        crates(1, "keys", skills=frozenset({"keys"}), shift=LATER),
        crates(1, "lift", skills=frozenset({"lift"}), shift=LATER),
        crates(1, "bare", shift=LATER),
    )
    problem = boxes(10, 20, vehicles=vans)
    lifted = replace(problem.stops[0], skills=frozenset({"lift"}))
    both = replace(vans[0], skills=frozenset({"keys", "lift"}))
    problem = replace(problem, stops=(lifted, problem.stops[1]), vehicles=(both, *vans[1:]))
    plan = running(problem, {"keys": ("A",), "lift": ("B",)})
    late = Stop("late", 1, loads=CRATE, skills=frozenset({"keys"}))
    again = replan(problem, Day(0, plan), insert=[late], budget_s=60)
    assert driven(again.plan) == {"keys": "late", "lift": "A", "bare": "B"}
    assert {each.stop for each in again.moved} == {"A", "B"}
    assert left_out(replan(problem, Day(0, plan), insert=[late], budget_s=60, most_moved=1).plan) == {"late"}


def test_without_a_limit_the_whole_rest_is_planned_anew() -> None:
    problem = boxes(10, 20, vehicles=(crates(1, "one", shift=LATER), crates(2, "two")))
    plan = running(replace(problem, vehicles=problem.vehicles[:1]), {"one": ("A",)})
    again = replan(problem, Day(0, plan), most_moved=None, budget_s=5)
    assert left_out(again.plan) == set()
    assert judge(again.problem, again.plan).violations == ()


def test_another_van_fetches_the_goods_of_a_broken_one() -> None:
    problem = boxes(10, 20, vehicles=(crates(9, "broken"), crates(9, "spare")))
    plan = running(problem, {"broken": ("A", "B")})
    state = UnderWay("broken", 1, 10 * MINUTE, 0, finished=("A",), on_board=frozenset("B"))
    day = Day(10 * MINUTE, plan, (state,), broken=frozenset({"broken"}))
    again = replan(problem, day, handling=Handling(handover_s=3 * MINUTE))
    [route] = again.plan.routes
    assert route.order == ("B (in broken)", "B")
    assert visit_of(again.plan, "B").start_s == (10 + 10 + 3 + 10) * MINUTE
    assert again.moved == (), "what was in a broken van did not make room for anybody"
    assert again.why == ("spare fetches the goods of B and brings them",) or "spare fetches" in again.why[0]


def test_what_nobody_fetches_from_a_broken_van_is_left_out_and_says_so() -> None:
    problem = boxes(10, 20, vehicles=(crates(9, "broken"), crates(9, "spare")))
    plan = running(problem, {"broken": ("A", "B")})
    day = Day(5 * MINUTE, plan, broken=frozenset({"broken"}))
    again = replan(problem, day, handling=Handling(transfer=False))
    assert left_out(again.plan) == {"A", "B"}
    assert {reason.rule for each in again.plan.unserved for reason in each.reasons} == {Rule.ON_BOARD}


def test_the_stops_of_a_van_that_breaks_down_before_it_leaves_go_to_others() -> None:
    problem = boxes(10, 20, vehicles=(crates(9, "broken", shift=LATER), crates(9, "spare")))
    plan = running(problem, {"broken": ("A", "B")})
    again = replan(problem, Day(0, plan, broken=frozenset({"broken"})))
    assert set(driven(again.plan)["spare"]) == {"A", "B"}


def test_a_break_that_was_taken_is_not_taken_again_and_one_to_come_is() -> None:
    pauses = (Break(5 * MINUTE, 20 * MINUTE, 10 * MINUTE), Break(50 * MINUTE, HOUR, 15 * MINUTE))
    stops = [Stop("A", 1, windows=(Window(0, 25 * MINUTE),)), Stop("B", 2)]
    problem = towns(10, 60, stops=stops, vehicles=[van(breaks=pauses)])
    plan = running(problem, {"van": ("A", "B")})
    now_s = visit_of(plan, "A").departure_s
    again = replan(problem, Day(now_s, plan))
    assert len(rest_of(problem, Day(0, plan)).problem.vehicles[0].breaks) == 2
    assert again.problem.vehicles[0].breaks == ()
    [state] = as_planned(problem, plan, now_s)
    assert state.breaks == 2, "it is bound for B, and rests before it is there"


def test_what_was_driven_before_counts_for_the_next_rest() -> None:
    problem = towns(50, 80, vehicles=[van(driving=DrivingRule(HOUR, 10 * MINUTE))])
    plan = running(problem, {"van": ("A", "B")})
    state = UnderWay("van", 1, 50 * MINUTE, 0, finished=("A",), unrested_s=40 * MINUTE)
    left = rest_of(problem, Day(50 * MINUTE, plan, (state,))).problem.vehicles[0]
    assert left.breaks == (Break(50 * MINUTE, 70 * MINUTE, 10 * MINUTE),)
    tired = rest_of(problem, Day(50 * MINUTE, plan, (replace(state, unrested_s=55 * MINUTE),))).problem.vehicles[0]
    assert (tired.breaks, tired.shift.opens_s) == ((), 60 * MINUTE)


def test_limits_of_the_day_are_what_is_left_of_them() -> None:
    rules = {"max_distance_m": 100 * KM, "max_duration_s": 3 * HOUR, "max_stops": 5, "max_driving_s": 2 * HOUR}
    problem = towns(10, 20, 30, vehicles=[van(fixed_cost_minor=9, overtime_after_s=HOUR, **rules)])
    plan = running(problem, {"van": ("A", "B", "C")})
    left = rest_of(problem, Day(15 * MINUTE, plan)).problem.vehicles[0]
    assert (left.start, left.shift.opens_s, left.shift.closes_s) == (2, 20 * MINUTE, 3 * HOUR)
    assert (left.max_distance_m, left.max_driving_s, left.max_stops) == (80 * KM, 100 * MINUTE, 4)
    assert (left.max_duration_s, left.fixed_cost_minor, left.overtime_after_s) == (None, 0, 40 * MINUTE)


def test_food_on_board_keeps_its_time() -> None:
    stops = [Stop("A", 1, loads=CRATE), Stop("B", 2, loads=CRATE, max_ride_s=40 * MINUTE)]
    problem = Problem(tuple(stops), (crates(9),), road(0, 10, 20))
    plan = running(problem, {"van": ("A", "B")})
    left = rest_of(problem, Day(12 * MINUTE, plan)).problem.stop_by_id["B"]
    assert (left.windows, left.max_ride_s) == ((Window(0, 40 * MINUTE),), None)


def test_a_van_that_is_late_for_its_next_stop_serves_it_all_the_same() -> None:
    problem = towns(10, 20, stops=[Stop("A", 1, windows=(Window(0, 15 * MINUTE),)), Stop("B", 2)])
    plan = running(problem, {"van": ("A", "B")})
    stuck = UnderWay("van", 1, 30 * MINUTE, 0, bound_for="A", on_board=None)
    again = replan(problem, Day(20 * MINUTE, plan, (stuck,)))
    assert driven(again.plan) == {"van": "AB"}
    assert visit_of(again.plan, "A").start_s == 30 * MINUTE


def test_a_promised_time_is_kept_where_it_can_be() -> None:
    problem = towns(10, 20)
    plan = running(problem, {"van": ("A", "B")})
    left = rest_of(problem, Day(0, plan, vans=()), handling=Handling(promise_s=5 * MINUTE)).problem
    assert (left.stop_by_id["B"].due_s, left.stop_by_id["B"].planned_on) == (25 * MINUTE, "van")
    assert left.stop_by_id["B"].late_cost_per_hour == 60 * KM, "what an hour of the plan costs"


def test_what_was_picked_up_is_delivered_by_the_same_van() -> None:
    stops = (Stop("P", 1), Stop("D", 2))
    problem = Problem(stops, (crates(9), crates(9, "spare")), road(0, 10, 20), shipments=(Shipment("P", "D", CRATE),))
    plan = running(problem, {"van": ("P", "D")})
    left = rest_of(problem, Day(12 * MINUTE, plan)).problem
    assert left.shipments == ()
    assert left.stop_by_id["D"].loads == CRATE
    assert left.vehicle_by_id["van"].on_board == frozenset("D")
    assert left_out(replan(problem, Day(12 * MINUTE, plan), cancel=["P"]).plan) == set()
    cancelled = rest_of(problem, Day(0, replace(plan, routes=())), cancel=["P"])
    assert cancelled.problem.stops == ()


def test_a_group_that_a_van_has_begun_is_finished_by_it() -> None:
    vans = (van("one", max_stops=3), van("two"))
    problem = replace(towns(10, 20, 30, vehicles=vans), together=(frozenset("AB"),), apart=(frozenset("AC"),))
    plan = running(problem, {"one": ("A", "B"), "two": ("C",)})
    again = replan(problem, Day(12 * MINUTE, plan), insert=[Stop("E", 1)])
    assert driven(again.plan)["one"][0] == "B"
    assert "C" in driven(again.plan)["two"]
    able = {each.id: each.skills for each in again.problem.vehicles}
    assert again.problem.stop_by_id["B"].skills <= able["one"]
    assert not again.problem.stop_by_id["B"].skills <= able["two"]
    assert not again.problem.stop_by_id["C"].skills <= able["one"]


def test_about_to_reload_a_van_takes_a_late_order_along() -> None:
    problem = boxes(10, 20, 30, vehicles=(crates(2, reload=Reload(0, duration_s=5 * MINUTE)),))
    plan = running(problem, {"van": ("A", "B", None, "C")})
    now_s = visit_of(plan, "B").departure_s + MINUTE
    again = replan(problem, Day(now_s, plan), insert=[Stop("late", 1, loads=CRATE)])
    [route] = again.plan.routes
    assert route.reloads == (), "it loads once for both"
    assert {visit.stop for visit in route.visits} == {"C", "late"}


@pytest.mark.parametrize(
    "day",
    [
        {"broken": frozenset({"bus"})},
        {"vans": (UnderWay("bus", 0, 0, 0),)},
        {"vans": (UnderWay("van", 99, 0, 0),)},
    ],
)
def test_a_day_of_what_does_not_exist_is_refused(day: dict[str, object]) -> None:
    problem = towns(10)
    plan = running(problem, {"van": ("A",)})
    with pytest.raises(ProblemError):
        replan(problem, Day(0, plan, **day))  # type: ignore[arg-type]
    with pytest.raises(ProblemError):
        replan(problem, Day(0, plan), insert=[Stop("A", 1)])


@settings(max_examples=70, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(problems(), st.data())
def test_whatever_happens_the_judge_accepts_the_rest_and_little_moves(problem: Problem, data: st.DataObject) -> None:
    assume(is_sound(problem))
    plan = running(problem, exact.search(problem, Search(60, 0)).sequences)
    now_s = data.draw(st.integers(0, 40))
    broken = data.draw(st.sets(st.sampled_from([each.id for each in problem.vehicles]), max_size=1))
    cancel = data.draw(st.sets(st.sampled_from([each.id for each in problem.stops]), max_size=1))
    places = st.integers(0, problem.matrix.places - 1)
    loads = st.sampled_from([(), (Load("crates", 1),)])
    late = data.draw(st.lists(st.builds(Stop, st.just("late"), places, loads=loads), max_size=1))
    limit = data.draw(st.integers(0, 2))
    day = Day(now_s, plan, broken=frozenset(broken))
    again = replan(problem, day, insert=late, cancel=cancel, budget_s=60, most_moved=limit)
    finished = {visit.stop for each in plan.routes for visit in each.visits if visit.start_s <= now_s}
    assert judge(again.problem, again.plan).violations == ()
    assert finished.isdisjoint(again.problem.stop_by_id)
    assert cancel.isdisjoint(again.problem.stop_by_id)
    assert len(again.moved) <= limit
    states = {each.vehicle: each for each in as_planned(problem, plan, now_s)}
    for route in again.plan.routes:
        assert route.vehicle not in broken
        state = states.get(route.vehicle)
        assert route.start_s >= (now_s if state is None else state.free_s)
        if state is not None and state.bound_for in again.problem.stop_by_id:
            assert route.visits[0].stop == state.bound_for


def is_sound(problem: Problem) -> bool:
    try:
        validate(problem)
    except ProblemError:
        return False
    return bool(problem.stops) and problem.vehicles[0].shift is not ANY_TIME
