"""Each rule in a world small enough to check by hand, by every engine."""

from dataclasses import replace

import pytest

from route_optimizer.plan import EngineName, Plan
from route_optimizer.problem import UNREACHABLE, Capacity, Compartment, Load, Matrix, Objective, Problem, Stop, Window
from route_optimizer.solve import solve
from tests.route_optimizer.world import HOUR, KM, MINUTE, driven, left_out, road, route_of, towns, van, visit_of

CRATES = (Capacity("crates", 10),)


@pytest.fixture(params=["exact", "ortools"])
def engine(request: pytest.FixtureRequest) -> EngineName:
    name: EngineName = request.param
    return name


def planned(problem: Problem, engine: EngineName) -> Plan:
    return solve(problem, budget_s=30, engine=engine)


def crates(name: str, location: int, amount: int, compartment: Compartment | None = None) -> Stop:
    return Stop(name, location, loads=(Load("crates", amount, compartment),))


def test_one_van_goes_along_the_road_and_back(engine: EngineName) -> None:
    plan = planned(towns(30, 10, 20), engine)
    assert driven(plan) in ({"van": "BCA"}, {"van": "ACB"})
    assert (plan.cost, route_of(plan).distance_m, route_of(plan).duration_s) == (60 * KM, 60 * KM, 60 * MINUTE)


def test_an_open_route_ends_at_its_last_stop(engine: EngineName) -> None:
    plan = planned(towns(30, 10, 20, vehicles=[van(end=None)]), engine)
    assert driven(plan) == {"van": "BCA"}
    assert plan.cost == 30 * KM


def test_a_van_may_start_here_and_end_there(engine: EngineName) -> None:
    stops = [Stop("A", 2), Stop("B", 3)]
    plan = planned(towns(40, 30, 10, stops=stops, vehicles=[van(end=1)]), engine)
    assert (driven(plan), plan.cost) == ({"van": "BA"}, 40 * KM)


def test_what_does_not_fit_in_one_van_goes_in_two(engine: EngineName) -> None:
    stops = [crates("A", 1, 6), crates("B", 2, 6), crates("C", 3, 4)]
    plan = planned(
        towns(10, 20, 30, stops=stops, vehicles=[van("v", capacities=CRATES), van("w", capacities=CRATES)]), engine
    )
    assert plan.unserved == ()
    assert sorted("".join(sorted(stops)) for stops in driven(plan).values()) in (["A", "BC"], ["AC", "B"])
    assert plan.cost == 80 * KM


def test_capacity_holds_in_every_dimension(engine: EngineName) -> None:
    loads = (Load("crates", 1), Load("weight_g", 600))
    stops = [Stop("A", 1, loads=loads), Stop("B", 1, loads=loads)]
    both = (*CRATES, Capacity("weight_g", 1_000))
    plan = planned(towns(10, stops=stops, vehicles=[van("v", capacities=both), van("w", capacities=both)]), engine)
    assert len(plan.routes) == 2
    roomy = planned(towns(10, stops=stops, vehicles=[van(capacities=CRATES), van("w", capacities=both)]), engine)
    assert [route.vehicle for route in roomy.routes] == ["van"], "a van is not limited in what it does not name"


def test_frozen_goods_travel_in_a_frozen_compartment_within_the_whole(engine: EngineName) -> None:
    frozen = Capacity("crates", 4, Compartment.FROZEN)
    fleet = [van("plain", capacities=CRATES), van("cold", capacities=(Capacity("crates", 6), frozen))]
    stops = [crates("A", 1, 4, Compartment.FROZEN), crates("B", 1, 3)]
    plan = planned(towns(10, stops=stops, vehicles=fleet), engine)
    assert driven(plan) == {"plain": "B", "cold": "A"}


def test_a_stop_that_needs_a_skill_gets_the_driver_who_has_it(engine: EngineName) -> None:
    stops = [Stop("A", 1, skills=frozenset({"tail-lift"})), Stop("B", 1)]
    fleet = [van("near"), van("far", start=2, end=2, skills=frozenset({"tail-lift", "keys"}))]
    plan = planned(towns(10, 50, stops=stops, vehicles=fleet), engine)
    assert (set(driven(plan)), plan.cost) == ({"far"}, 80 * KM), "and takes B along, which lies there too"
    elsewhere = planned(towns(10, 50, stops=[stops[0], Stop("B", 0)], vehicles=fleet), engine)
    assert driven(elsewhere) == {"near": "B", "far": "A"}


def test_a_van_waits_for_a_window_and_leaves_no_earlier_than_it_must(engine: EngineName) -> None:
    stops = [Stop("A", 1, windows=(Window(9 * HOUR, 10 * HOUR),), service_time_s=5 * MINUTE)]
    plan = planned(towns(30, stops=stops, vehicles=[van(shift=Window(6 * HOUR, 12 * HOUR))]), engine)
    assert route_of(plan).start_s == 8 * HOUR + 30 * MINUTE
    assert visit_of(plan, "A").start_s == 9 * HOUR
    assert route_of(plan).end_s == 9 * HOUR + 35 * MINUTE


def test_windows_decide_the_order_against_the_distance(engine: EngineName) -> None:
    stops = [Stop("A", 1, windows=(Window(70 * MINUTE, 80 * MINUTE),)), Stop("B", 2, windows=(Window(0, 60 * MINUTE),))]
    plan = planned(towns(10, 30, stops=stops), engine)
    assert driven(plan) == {"van": "BA"}
    assert visit_of(plan, "A").start_s == 70 * MINUTE


def test_of_several_windows_the_one_that_suits_is_used(engine: EngineName) -> None:
    morning, afternoon = Window(8 * HOUR, 9 * HOUR), Window(14 * HOUR, 15 * HOUR)
    stops = [Stop("A", 1, windows=(afternoon, morning)), Stop("B", 2, windows=(afternoon,))]
    plan = planned(replace(towns(10, 20, stops=stops), objective=Objective.TIME), engine)
    assert plan.cost == 40 * MINUTE, "both in the afternoon, without hours of waiting"
    closed_at_noon = replace(stops[0], windows=(Window(8 * HOUR, 9 * HOUR), Window(10 * HOUR, 11 * HOUR)))
    late = van(shift=Window(9 * HOUR, 20 * HOUR))
    assert visit_of(planned(towns(10, stops=[closed_at_noon], vehicles=[late]), engine), "A").start_s >= 10 * HOUR


def test_the_shift_ends_when_the_van_is_back(engine: EngineName) -> None:
    exactly, short = Window(0, 60 * MINUTE), Window(0, 60 * MINUTE - 1)
    assert left_out(planned(towns(30, vehicles=[van(shift=exactly)]), engine)) == set()
    assert left_out(planned(towns(30, vehicles=[van(shift=short)]), engine)) == {"A"}


@pytest.mark.parametrize(
    ("rule", "enough"),
    [("max_distance_m", 60 * KM), ("max_duration_s", 60 * MINUTE), ("max_stops", 2)],
)
def test_a_maximum_is_kept_to_the_last_metre_second_and_stop(engine: EngineName, rule: str, enough: int) -> None:
    assert left_out(planned(towns(10, 30, vehicles=[van(**{rule: enough})]), engine)) == set()
    assert len(left_out(planned(towns(10, 30, vehicles=[van(**{rule: enough - 1})]), engine))) == 1


def test_waiting_and_service_count_in_the_duration(engine: EngineName) -> None:
    stops = [
        Stop("A", 1, windows=(Window(0, 10 * MINUTE),)),
        Stop("B", 1, windows=(Window(60 * MINUTE, 60 * MINUTE),), service_time_s=5 * MINUTE),
    ]
    long, short = van(max_duration_s=75 * MINUTE), van(max_duration_s=75 * MINUTE - 1)
    assert left_out(planned(towns(10, stops=stops, vehicles=[long]), engine)) == set()
    assert len(left_out(planned(towns(10, stops=stops, vehicles=[short]), engine))) == 1


def test_money_chooses_the_van_with_the_lower_bill(engine: EngineName) -> None:
    cheap_to_own = van("small", cost_per_km_minor=90, cost_per_hour_minor=3_000)
    cheap_to_drive = van("large", fixed_cost_minor=5_000, cost_per_km_minor=60, cost_per_hour_minor=3_000)
    near = replace(towns(10, vehicles=[cheap_to_own, cheap_to_drive]), objective=Objective.COST)
    far = replace(towns(100, vehicles=[cheap_to_own, cheap_to_drive]), objective=Objective.COST)
    assert (driven(planned(near, engine)), planned(near, engine).cost) == ({"small": "A"}, 1_800 + 1_000)
    assert (driven(planned(far, engine)), planned(far, engine).cost) == ({"large": "A"}, 5_000 + 12_000 + 10_000)


def test_two_drivers_who_do_not_wait_take_less_time_than_one_who_does(engine: EngineName) -> None:
    stops = [
        Stop("A", 1, windows=(Window(10 * MINUTE, 10 * MINUTE),)),
        Stop("B", 1, windows=(Window(70 * MINUTE, 70 * MINUTE),)),
    ]
    problem = towns(10, stops=stops, vehicles=[van("v"), van("w")])
    assert (len(planned(problem, engine).routes), planned(problem, engine).cost) == (1, 20 * KM)
    in_time = planned(replace(problem, objective=Objective.TIME), engine)
    assert (len(in_time.routes), in_time.cost) == (2, 40 * MINUTE)


def test_when_not_all_fit_the_higher_priority_is_served(engine: EngineName) -> None:
    stops = [crates("A", 1, 10), replace(crates("B", 2, 10), priority=50), crates("C", 1, 10)]
    plan = planned(towns(1, 90, stops=stops, vehicles=[van(capacities=CRATES)]), engine)
    assert driven(plan) == {"van": "B"}


def test_more_stops_are_served_rather_than_a_shorter_way_driven(engine: EngineName) -> None:
    stops = [crates("A", 1, 10), crates("B", 2, 5), crates("C", 3, 5)]
    plan = planned(towns(1, 80, 90, stops=stops, vehicles=[van(capacities=CRATES)]), engine)
    assert left_out(plan) == {"A"}


def test_a_prize_is_fetched_only_where_it_pays(engine: EngineName) -> None:
    stops = [Stop("A", 1), Stop("B", 2, prize=20 * KM), Stop("C", 3, prize=20 * KM + 1)]
    plan = planned(towns(10, 20, 20, stops=stops), engine)
    assert left_out(plan) in (set(), {"B"})
    alone = planned(towns(10, 20, stops=[Stop("A", 1), Stop("B", 2, prize=20 * KM - 1)]), engine)
    assert left_out(alone) == {"B"}


def test_one_way_streets_and_missing_roads_are_respected(engine: EngineName) -> None:
    no = UNREACHABLE
    ways = [[0, 10, 10], [10, 0, no], [10, 1, 0]]
    problem = Problem((Stop("A", 1), Stop("B", 2)), (van(),), Matrix.of(ways, ways))
    plan = planned(problem, engine)
    assert (driven(plan), plan.cost) == ({"van": "BA"}, 21)


def test_a_stop_out_of_reach_alone_is_served_on_the_way_to_another(engine: EngineName) -> None:
    ways = [[0, 5, 5], [9, 0, 1], [5, 9, 0]]
    stops = (Stop("A", 1), Stop("B", 2))
    for rule in ({"shift": Window(0, 11)}, {"max_distance_m": 11}, {"max_duration_s": 11}):
        plan = planned(Problem(stops, (van(**rule),), Matrix.of(ways, ways)), engine)
        assert driven(plan) == {"van": "AB"}, "A and straight back would take 14"


def test_times_may_be_counted_from_1970(engine: EngineName) -> None:
    today = 1_795_000_000
    stops = [Stop("A", 1, windows=(Window(today + HOUR, today + 2 * HOUR),))]
    plan = planned(towns(30, stops=stops, vehicles=[van(shift=Window(today, today + 8 * HOUR))]), engine)
    assert visit_of(plan, "A").start_s == today + HOUR


def test_a_fortune_per_kilometre_neither_overflows_nor_confuses(engine: EngineName) -> None:
    dear = {"fixed_cost_minor": 10**9, "cost_per_km_minor": 10**9, "cost_per_hour_minor": 10**9}
    stops = [Stop("A", 1, priority=100), Stop("B", 2, priority=100)]
    matrix = Matrix(road(0, 10, 20).distance_m * 10_000, road(0, 10, 20).duration_s * 10_000)
    plan = planned(Problem(tuple(stops), (van(**dear),), matrix, Objective.COST), engine)
    assert (left_out(plan), plan.cost) == (set(), 1_000_000_000 + 400_000_000_000_000 + 6_666_666_666_667)
