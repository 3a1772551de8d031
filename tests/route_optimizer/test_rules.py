"""Each rule in a world small enough to check by hand, by every engine."""

from dataclasses import replace

import pytest

from route_optimizer.plan import EngineName, Plan
from route_optimizer.problem import (
    UNREACHABLE,
    Break,
    Capacity,
    Compartment,
    DrivingRule,
    Load,
    Matrix,
    Objective,
    Problem,
    Reload,
    Shipment,
    Stop,
    Window,
)
from route_optimizer.solve import solve
from tests.route_optimizer.world import HOUR, KM, MINUTE, driven, left_out, road, route_of, towns, van, visit_of

CRATES = (Capacity("crates", 10),)


@pytest.fixture(params=["exact", *(pytest.param(name, marks=pytest.mark.long) for name in ("ortools", "hybrid"))])
def engine(request: pytest.FixtureRequest) -> EngineName:
    name: EngineName = request.param
    return name


def planned(problem: Problem, engine: EngineName) -> Plan:
    return solve(problem, budget_s=30, engine=engine)


def crates(name: str, location: int, amount: int, compartment: Compartment | None = None) -> Stop:
    return Stop(name, location, loads=(Load("crates", amount, compartment),))


def test_one_van_goes_along_the_road_and_back(engine: EngineName) -> None:
    plan = planned(towns(30, 10, 20), engine)
    assert sorted(driven(plan)["van"]) == ["A", "B", "C"]
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


def test_a_lunch_break_lengthens_the_day_of_a_driver_who_is_under_way_at_noon(engine: EngineName) -> None:
    stops = [Stop("A", 1, windows=(Window(12 * HOUR, 12 * HOUR),), service_time_s=10 * MINUTE)]
    lunch = Break(12 * HOUR, 12 * HOUR + 30 * MINUTE, duration_s=30 * MINUTE)
    route = route_of(planned(towns(60, stops=stops, vehicles=[van(breaks=(lunch,))]), engine))
    assert (route.start_s, route.end_s) == (11 * HOUR, 13 * HOUR + 40 * MINUTE), "60 there, 10 there, 30 lunch, 60 back"
    (rest,) = route.rests
    assert rest.end_s - rest.start_s == 30 * MINUTE
    assert 12 * HOUR + 10 * MINUTE <= rest.start_s <= 12 * HOUR + 30 * MINUTE, "after service, before it is too late"


def test_a_break_is_not_due_when_the_van_is_back_in_time_for_it_or_leaves_after_it(engine: EngineName) -> None:
    stops = [Stop("A", 1, windows=(Window(12 * HOUR, 12 * HOUR),))]
    back_by_then = Break(11 * HOUR, 12 * HOUR + 30 * MINUTE, duration_s=30 * MINUTE)
    leaves_after = Break(11 * HOUR, 11 * HOUR + 30 * MINUTE - 1, duration_s=30 * MINUTE)
    for each in (back_by_then, leaves_after):
        route = route_of(planned(towns(30, stops=stops, vehicles=[van(breaks=(each,))]), engine))
        assert (route.rests, route.duration_s) == ((), 60 * MINUTE)
    a_second_later = replace(leaves_after, latest_s=11 * HOUR + 30 * MINUTE)
    assert len(route_of(planned(towns(30, stops=stops, vehicles=[van(breaks=(a_second_later,))]), engine)).rests) == 1


def test_a_break_while_waiting_costs_no_time(engine: EngineName) -> None:
    stops = [
        Stop("A", 1, windows=(Window(0, 10 * MINUTE),)),
        Stop("B", 1, windows=(Window(60 * MINUTE, 60 * MINUTE),)),
    ]
    nap = Break(20 * MINUTE, 40 * MINUTE, duration_s=20 * MINUTE)
    plan = planned(replace(towns(10, stops=stops, vehicles=[van(breaks=(nap,))]), objective=Objective.TIME), engine)
    assert plan.cost == 70 * MINUTE, "10 there, 50 waiting and 20 of them resting, 10 back"
    assert len(route_of(plan).rests) == 1


def test_service_is_not_interrupted_for_a_break(engine: EngineName) -> None:
    stops = [Stop("A", 1, windows=(Window(60 * MINUTE, 60 * MINUTE),), service_time_s=30 * MINUTE)]
    during = Break(65 * MINUTE, 85 * MINUTE, duration_s=5 * MINUTE)
    assert left_out(planned(towns(10, stops=stops, vehicles=[van(breaks=(during,))]), engine)) == {"A"}
    just_before = replace(during, earliest_s=50 * MINUTE, latest_s=85 * MINUTE)
    plan = planned(towns(10, stops=stops, vehicles=[van(breaks=(just_before,))]), engine)
    assert route_of(plan).rests[0].end_s <= 60 * MINUTE


def test_a_driver_rests_after_so_much_driving_however_often_it_is_interrupted(engine: EngineName) -> None:
    rule = DrivingRule(longest_s=45 * MINUTE, rest_s=15 * MINUTE)
    stops = [Stop("A", 1, service_time_s=20 * MINUTE)]
    problem = replace(towns(60, stops=stops, vehicles=[van(driving=rule)]), objective=Objective.TIME)
    plan = planned(problem, engine)
    assert plan.cost == (120 + 20 + 2 * 15) * MINUTE, "two rests in two hours of driving; service is none"
    assert len(route_of(plan).rests) == 2
    near = replace(towns(22, stops=stops, vehicles=[van(driving=rule)]), objective=Objective.TIME)
    assert planned(near, engine).cost == (44 + 20) * MINUTE, "44 minutes need no rest"


def test_a_break_that_is_long_enough_is_a_rest_from_driving(engine: EngineName) -> None:
    rule = DrivingRule(longest_s=45 * MINUTE, rest_s=15 * MINUTE)
    tea = Break(30 * MINUTE, 45 * MINUTE, duration_s=15 * MINUTE)
    long_day = van(driving=rule, breaks=(tea,), shift=Window(0, 24 * HOUR))
    stops = [Stop("A", 1, windows=(Window(0, 61 * MINUTE),))]
    problem = replace(towns(45, stops=stops, vehicles=[long_day]), objective=Objective.TIME)
    assert planned(problem, engine).cost == (90 + 15) * MINUTE, "45 out, tea there, 45 back"
    short_tea = replace(long_day, breaks=(replace(tea, duration_s=10 * MINUTE),))
    assert planned(replace(problem, vehicles=(short_tea,)), engine).cost == (90 + 10 + 15) * MINUTE


def test_whoever_waits_may_rest_meanwhile(engine: EngineName) -> None:
    stops = [
        Stop("A", 1, windows=(Window(30 * MINUTE, 30 * MINUTE),)),
        Stop("B", 1, windows=(Window(60 * MINUTE, 60 * MINUTE),)),
    ]
    rule = DrivingRule(longest_s=45 * MINUTE, rest_s=15 * MINUTE)
    problem = replace(towns(30, stops=stops, vehicles=[van(driving=rule)]), objective=Objective.TIME)
    assert planned(problem, engine).cost == 90 * MINUTE, "60 of driving, 30 of waiting, no minute more"


def test_driving_has_a_maximum_of_its_own(engine: EngineName) -> None:
    stops = [Stop("A", 1, service_time_s=HOUR)]
    enough, short = van(max_driving_s=60 * MINUTE), van(max_driving_s=60 * MINUTE - 1)
    assert left_out(planned(towns(30, stops=stops, vehicles=[enough]), engine)) == set()
    assert left_out(planned(towns(30, stops=stops, vehicles=[short]), engine)) == {"A"}


def test_a_van_comes_back_for_what_did_not_fit(engine: EngineName) -> None:
    stops = [crates("A", 1, 6), crates("B", 2, 6)]
    twice = van(capacities=CRATES, reload=Reload(0, most=1, duration_s=15 * MINUTE))
    plan = planned(replace(towns(10, 20, stops=stops, vehicles=[twice]), objective=Objective.TIME), engine)
    assert plan.cost == (20 + 15 + 40) * MINUTE
    (reload,) = route_of(plan).reloads
    assert (reload.after, reload.departure_s - reload.start_s) == (1, 15 * MINUTE)
    three = [*stops, crates("C", 2, 6)]
    assert len(left_out(planned(towns(10, 20, stops=three, vehicles=[twice]), engine))) == 1, "two trips, no more"


def test_a_reload_nearer_than_the_depot_saves_the_way(engine: EngineName) -> None:
    stops = [crates("A", 1, 10), crates("B", 1, 10)]
    fleet = [van(capacities=CRATES, reload=Reload(2))]
    plan = planned(towns(30, 20, stops=stops, vehicles=fleet), engine)
    assert plan.cost == 80 * KM, "30 out, 10 back to the hub, 10 out again, 30 home"


def test_what_is_collected_takes_the_room_of_what_was_brought(engine: EngineName) -> None:
    collects = Stop("A", 1, collects=(Load("crates", 6),))
    stops = [collects, crates("B", 2, 5)]
    plan = planned(towns(10, 20, stops=stops, vehicles=[van(capacities=CRATES)]), engine)
    assert driven(plan) == {"van": "BA"}, "5 out, and 6 back: not 11 at once"
    twice = [collects, replace(collects, id="B")]
    fleet = [van(capacities=CRATES, reload=Reload(0))]
    assert left_out(planned(towns(10, stops=twice, vehicles=fleet), engine)) == set(), "the first 6 stay at the depot"
    assert len(left_out(planned(towns(10, stops=twice, vehicles=[van(capacities=CRATES)]), engine))) == 1


def test_a_shipment_is_picked_up_before_it_is_delivered_and_needs_room_only_between(engine: EngineName) -> None:
    stops = [Stop("A", 1), Stop("B", 2), crates("C", 3, 10)]
    shipment = Shipment("B", "A", (Load("crates", 10),))
    problem = replace(
        towns(10, 20, 30, stops=stops, vehicles=[van(capacities=CRATES)]),
        shipments=(shipment,),
        objective=Objective.TIME,
    )
    plan = planned(problem, engine)
    assert driven(plan) == {"van": "CBA"}, "full to C, empty to B, full to A"
    other_way = replace(problem, shipments=(replace(shipment, pickup="A", delivery="B"),))
    assert (driven(planned(other_way, engine)), planned(other_way, engine).cost) == ({"van": "CAB"}, 80 * MINUTE)


def test_of_a_shipment_both_ends_are_served_or_neither(engine: EngineName) -> None:
    stops = [Stop("A", 1), Stop("B", 2, windows=(Window(0, 19 * MINUTE),)), Stop("C", 1)]
    plan = planned(replace(towns(10, 20, stops=stops), shipments=(Shipment("A", "B"),)), engine)
    assert left_out(plan) == {"A", "B"}, "nobody is at B within 19 minutes"


def test_no_van_leaves_before_its_goods_are_ready(engine: EngineName) -> None:
    stops = [Stop("A", 1, release_s=60 * MINUTE), Stop("B", 1, windows=(Window(0, 30 * MINUTE),))]
    assert len(left_out(planned(towns(10, stops=stops), engine))) == 1, "B cannot wait for the goods of A"
    plan = planned(towns(10, stops=stops, vehicles=[van(reload=Reload(0))]), engine)
    assert driven(plan) == {"van": "BA"}
    assert route_of(plan).reloads[0].start_s >= 60 * MINUTE


def test_goods_that_spoil_are_brought_first(engine: EngineName) -> None:
    ice = Stop("A", 1, max_ride_s=10 * MINUTE)
    assert driven(planned(towns(10, 30, stops=[ice, Stop("B", 2)]), engine)) == {"van": "AB"}
    too_far = replace(ice, max_ride_s=10 * MINUTE - 1)
    assert left_out(planned(towns(10, 30, stops=[too_far, Stop("B", 2)]), engine)) == {"A"}


def test_goods_that_spoil_wait_at_the_depot_and_not_in_the_van(engine: EngineName) -> None:
    ice = Stop("A", 1, max_ride_s=15 * MINUTE, windows=(Window(HOUR, HOUR),))
    plan = planned(towns(10, stops=[ice]), engine)
    assert 45 * MINUTE <= route_of(plan).start_s <= 50 * MINUTE


def test_the_ride_of_a_shipment_begins_where_it_is_picked_up(engine: EngineName) -> None:
    stops = [
        Stop("A", 1, windows=(Window(0, 2 * HOUR),)),
        Stop("B", 2, windows=(Window(HOUR, HOUR),), max_ride_s=15 * MINUTE),
    ]
    plan = planned(replace(towns(10, 20, stops=stops), shipments=(Shipment("A", "B"),)), engine)
    assert visit_of(plan, "B").start_s - visit_of(plan, "A").departure_s <= 15 * MINUTE


def test_a_later_hour_has_its_price(engine: EngineName) -> None:
    first = Stop("A", 1, service_time_s=30 * MINUTE, due_s=10 * MINUTE, late_cost_per_hour=60)
    second = Stop("B", 2, due_s=20 * MINUTE, late_cost_per_hour=600)
    day = [van(shift=Window(0, 4 * HOUR))]
    plan = planned(towns(10, 20, stops=[first, second], vehicles=day), engine)
    assert (driven(plan), plan.cost) == ({"van": "BA"}, 40 * KM + 20), "A 20 minutes late costs 20, B half an hour 300"
    assert route_of(plan).late_s == 20 * MINUTE
    dear_a = planned(towns(10, 20, stops=[replace(first, late_cost_per_hour=6_000), second], vehicles=day), engine)
    assert (driven(dear_a), dear_a.cost) == ({"van": "AB"}, 40 * KM + 300)


def test_overtime_is_paid_on_top(engine: EngineName) -> None:
    pay = {"cost_per_hour_minor": 600, "overtime_after_s": 60 * MINUTE, "overtime_cost_per_hour_minor": 1_200}
    problem = replace(towns(45, vehicles=[van(**pay)]), objective=Objective.COST)
    assert planned(problem, engine).cost == 900 + 600, "90 minutes at 10, and 30 of them at 20 more"
    spare = replace(problem, vehicles=(*problem.vehicles, van("spare", cost_per_hour_minor=900)))
    assert (driven(planned(spare, engine)), planned(spare, engine).cost) == ({"spare": "A"}, 1_350)


def test_the_least_fuel_is_not_the_least_way(engine: EngineName) -> None:
    thirsty = van("lorry", fuel_ml_per_km=250)
    thrifty = van("van", start=2, end=2, fuel_ml_per_km=100)
    problem = towns(10, 30, stops=[Stop("A", 1)], vehicles=[thirsty, thrifty])
    assert (driven(planned(problem, engine)), planned(problem, engine).cost) == ({"lorry": "A"}, 20 * KM)
    plan = planned(replace(problem, objective=Objective.FUEL), engine)
    assert (driven(plan), plan.cost, route_of(plan).fuel_ml) == ({"van": "A"}, 4_000, 4_000), "the lorry burns 5,000"


def test_fuel_and_carbon_dioxide_have_their_price(engine: EngineName) -> None:
    diesel = van("diesel", cost_per_km_minor=20, fuel_ml_per_km=100, co2_g_per_km=260)
    electric = van("electric", cost_per_km_minor=45)
    problem = replace(towns(10, vehicles=[diesel, electric]), fuel_price_minor_per_l=200, co2_price_minor_per_kg=50)
    in_money = planned(replace(problem, objective=Objective.COST), engine)
    assert (driven(in_money), in_money.cost) == ({"diesel": "A"}, 20 * (20 + 20))
    assert (in_money.routes[0].fuel_ml, in_money.routes[0].co2_g) == (2_000, 5_200)
    hybrid = planned(replace(problem, objective=Objective.HYBRID), engine)
    assert (driven(hybrid), hybrid.cost) == ({"electric": "A"}, 20 * 45), "13 a kilometre for what the diesel emits"


def test_stops_that_go_together_go_with_one_van_or_stay(engine: EngineName) -> None:
    stops = [crates("A", 1, 6), crates("B", 2, 6), crates("C", 1, 1)]
    fleet = [van("v", capacities=CRATES), van("w", capacities=CRATES)]
    problem = replace(towns(10, 20, stops=stops, vehicles=fleet), together=(frozenset("AB"),))
    assert left_out(planned(problem, engine)) == {"A", "B"}, "12 crates are too many for either van"
    room = replace(problem, vehicles=(fleet[0], van("w", capacities=(Capacity("crates", 12),))))
    plan = planned(room, engine)
    assert plan.unserved == ()
    assert set(driven(plan)["w"]) >= {"A", "B"}
    again = replace(problem, vehicles=(van(capacities=CRATES, reload=Reload(0)),))
    assert left_out(planned(again, engine)) == set(), "one van in two trips is one van"


def test_stops_that_are_kept_apart_take_two_vans(engine: EngineName) -> None:
    problem = replace(towns(10, 20, vehicles=[van("v"), van("w")]), apart=(frozenset("AB"),))
    plan = planned(problem, engine)
    assert (len(plan.routes), plan.cost) == (2, 60 * KM)
    alone = replace(problem, vehicles=(van("v"),))
    assert len(left_out(planned(alone, engine))) == 1


def test_locked_stops_come_first_in_their_order(engine: EngineName) -> None:
    plan = planned(towns(10, 20, 30, vehicles=[van(locked=("C", "A"))]), engine)
    assert (driven(plan), plan.cost) == ({"van": "CAB"}, 80 * KM), "30 out, 20 back, 10 on, 20 home"


def test_without_its_locked_stops_a_route_is_nothing(engine: EngineName) -> None:
    stops = [crates("A", 1, 11), crates("B", 1, 1)]
    fleet = [van(capacities=CRATES, locked=("A",))]
    assert left_out(planned(towns(10, stops=stops, vehicles=fleet), engine)) == {"A", "B"}


def test_what_is_in_a_van_already_nobody_else_brings(engine: EngineName) -> None:
    stops = [crates("A", 1, 1), crates("B", 1, 1)]
    far = van("far", start=2, end=2, capacities=CRATES, on_board=frozenset("A"))
    near = van("near", capacities=CRATES)
    problem = towns(10, 50, stops=stops, vehicles=[far, near])
    plan = planned(problem, engine)
    assert (driven(plan), plan.cost) == ({"far": "A", "near": "B"}, 100 * KM), "80 from afar; B is not on board there"
    alone = replace(problem, vehicles=(far,))
    assert left_out(planned(alone, engine)) == {"B"}
    by_the_depot = replace(problem, vehicles=(replace(far, reload=Reload(0)),))
    plan = planned(by_the_depot, engine)
    assert (driven(plan), plan.cost) == ({"far": "AB"}, 100 * KM), "40 to A, 10 to the depot, 10 to B, 40 back"


def test_a_stop_changes_vans_only_where_that_saves_more_than_it_costs(engine: EngineName) -> None:
    nearer, planned_van = van("nearer", start=2, end=2), van("planned")
    stops = [Stop("A", 1, planned_on="planned")]
    problem = towns(10, 12, stops=stops, vehicles=[nearer, planned_van])
    moved = planned(replace(problem, reassign_cost=15 * KM), engine)
    assert (driven(moved), moved.cost) == ({"nearer": "A"}, 4 * KM + 15 * KM)
    kept = planned(replace(problem, reassign_cost=17 * KM), engine)
    assert (driven(kept), kept.cost) == ({"planned": "A"}, 20 * KM)


@pytest.mark.long
@pytest.mark.parametrize("name", ["ortools", "hybrid"])
def test_work_is_shared_where_that_is_worth_the_way(name: EngineName) -> None:
    stops = [Stop("A", 1, service_time_s=HOUR), Stop("B", 1, service_time_s=HOUR)]
    problem = towns(10, stops=stops, vehicles=[van("v"), van("w")])
    assert planned(replace(problem, balance_cost_per_hour=10_000), name).cost == 20 * KM + 10_000 * 140 // 60
    shared = planned(replace(problem, balance_cost_per_hour=30_000), name)
    assert (len(shared.routes), shared.cost) == (2, 40 * KM + 30_000 * 80 // 60), "not 20 km and 140 minutes: 90,000"
