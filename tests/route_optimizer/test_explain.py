"""The reason given for a stop left out is true: what it names, mended, lets the stop in."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations_with_replacement, permutations

import pytest
from hypothesis import HealthCheck, given, settings

from route_optimizer.engines import exact
from route_optimizer.explain import explain, hopeless, obstacles, relax
from route_optimizer.plan import Order, Plan, Reason, Rule
from route_optimizer.problem import (
    UNREACHABLE,
    Capacity,
    Compartment,
    Load,
    Matrix,
    Problem,
    Reload,
    Shipment,
    Stop,
    Window,
)
from route_optimizer.schedule import order_of, route
from route_optimizer.search import Search, Sequences
from route_optimizer.solve import solve
from tests.route_optimizer.world import HOUR, KM, MINUTE, left_out, problems, towns, van


def planned(problem: Problem) -> Plan:
    return solve(problem, budget_s=5)


def reasons(problem: Problem, stop: str = "A") -> list[Reason]:
    return list(next(each for each in planned(problem).unserved if each.stop == stop).reasons)


CRATES = (Capacity("crates", 10),)
CRATE = (Load("crates", 1),)
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
    (towns(10, vehicles=[van(max_driving_s=19 * MINUTE)]), Rule.DRIVING, 20 * MINUTE),
    (
        towns(10, stops=[Stop("A", 1, loads=CRATE, max_ride_s=9 * MINUTE)], vehicles=[van(capacities=CRATES)]),
        Rule.RIDE,
        10 * MINUTE,
    ),
    (
        towns(10, stops=[Stop("A", 1, release_s=HOUR, windows=(Window(0, 59 * MINUTE),))]),
        Rule.WINDOW,
        70 * MINUTE,
    ),
    (
        towns(
            10,
            stops=[Stop("A", 1, windows=(Window(HOUR, 2 * HOUR),))],
            vehicles=[van(shift=Window(2 * HOUR, 9 * HOUR))],
        ),
        Rule.SHIFT,
        110 * MINUTE,
    ),
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


def test_two_crates_more_on_a_route_as_it_stands_are_less_than_one_more_van() -> None:
    load = (Load("crates", 26),)
    stops = [Stop("A", 1, loads=load), Stop("B", 2, loads=load, priority=1)]
    problem = towns(10, 20, stops=stops, vehicles=[van(capacities=(Capacity("crates", 50),))])
    (reason,) = reasons(problem)
    assert (reason.rule, reason.words) == (Rule.CAPACITY, "with it van carries 52 crates, it holds 50")
    assert reason.remedy == "room for 2 crates more in van"
    assert left_out(planned(relax(problem, "A", [reason]))) == set()


def test_two_minutes_of_overtime_are_less_than_one_more_van() -> None:
    stops = [Stop("A", 1, service_time_s=5 * MINUTE), Stop("B", 2, service_time_s=5 * MINUTE, priority=1)]
    problem = towns(10, 20, stops=stops, vehicles=[van(shift=Window(0, 48 * MINUTE))])
    (reason,) = reasons(problem)
    assert (reason.rule, reason.remedy) == (Rule.SHIFT, "a shift of van until 3000 s, 2 min longer")
    assert left_out(planned(relax(problem, "A", [reason]))) == set()


def test_a_window_that_a_van_on_its_way_misses_by_a_little() -> None:
    first = Stop("B", 1, windows=(Window(0, 10 * MINUTE),), service_time_s=10 * MINUTE, priority=1)
    problem = towns(10, 20, stops=[first, Stop("A", 2, windows=(Window(0, 25 * MINUTE),))])
    (reason,) = reasons(problem)
    assert (reason.rule, reason.needed) == (Rule.WINDOW, 30 * MINUTE)
    assert reason.words == "van is there at 1800 s at the earliest, 5 min after its last window closes"


def test_one_more_reload() -> None:
    full = (Load("crates", 10),)
    stops = [Stop("A", 1, loads=full), *(Stop(name, 2, loads=full, priority=1) for name in "BC")]
    problem = towns(10, 20, stops=stops, vehicles=[van(capacities=CRATES, reload=Reload(0))])
    (reason,) = reasons(problem)
    assert (reason.rule, reason.needed) == (Rule.RELOAD, 2)
    assert left_out(planned(relax(problem, "A", [reason]))) == set()


def test_a_stop_that_may_not_go_with_another() -> None:
    problem = replace(towns(10, 20), apart=(frozenset("AB"),))
    (reason,) = reasons(problem, "B")
    assert (reason.rule, reason.subject) == (Rule.APART, "A")
    assert left_out(planned(relax(problem, "B", [reason]))) == set()


def test_a_group_of_which_one_cannot_be_served_says_so() -> None:
    stops = [Stop("A", 1), Stop("B", 2, skills=frozenset({"lift"}))]
    problem = replace(towns(10, 20, stops=stops), together=(frozenset("AB"),))
    (reason,) = reasons(problem)
    assert (reason.rule, reason.words) == (Rule.TOGETHER, "it goes with B, or nowhere")
    assert left_out(planned(relax(problem, "A", [reason]))) == {"B"}
    (partner,) = reasons(problem, "B")
    assert partner.rule is Rule.SKILL


def test_a_pickup_whose_delivery_comes_too_late_says_so() -> None:
    stops = [Stop("A", 1), Stop("B", 2, windows=(Window(0, 19 * MINUTE),))]
    problem = towns(10, 20, stops=stops, vehicles=[van(capacities=CRATES)])
    problem = replace(problem, shipments=(Shipment("A", "B", CRATE),))
    (reason,) = reasons(problem)
    assert (reason.rule, reason.subject, reason.needed) == (Rule.WINDOW, "B", 20 * MINUTE)
    assert reason.words.startswith("B, which goes with it: van is there at 1200 s")
    assert left_out(planned(relax(problem, "A", [reason]))) == set()


def test_goods_in_a_van_that_cannot_bring_them_are_handed_over() -> None:
    vans = [van("stuck", capacities=CRATES, on_board=frozenset("A"), max_stops=0), van("free", capacities=CRATES)]
    problem = towns(10, stops=[Stop("A", 1, loads=CRATE)], vehicles=vans)
    (reason,) = reasons(problem)
    assert (reason.rule, reason.remedy) == (Rule.ON_BOARD, "its goods handed over to free")
    assert left_out(planned(relax(problem, "A", [reason]))) == set()


def test_a_van_under_way_does_not_load_for_one_stop_more() -> None:
    vans = [van(capacities=CRATES, on_board=frozenset())]
    problem = towns(10, stops=[Stop("A", 1, loads=CRATE)], vehicles=vans)
    (reason,) = reasons(problem)
    assert (reason.rule, reason.words) == (Rule.FLEET, "its goods are not in van, which is under way")
    assert left_out(planned(relax(problem, "A", [reason]))) == set()


def test_a_van_that_cannot_begin_as_it_must_is_the_reason_for_what_it_could_serve() -> None:
    stops = [Stop("A", 1), Stop("B", 2, skills=frozenset({"lift"}))]
    problem = towns(10, 20, stops=stops, vehicles=[van(locked=("B",))])
    (reason,) = reasons(problem)
    assert (reason.rule, reason.words) == (Rule.LOCK, "van must begin with B, and cannot")
    assert left_out(planned(relax(problem, "A", [reason]))) == {"B"}


def test_hundreds_of_stops_for_one_small_van_all_have_a_reason() -> None:
    stops = [Stop(f"S{number}", 1 + number % 9, loads=CRATE) for number in range(300)]
    problem = towns(*range(1, 10), stops=stops, vehicles=[van(capacities=CRATES)])
    orders = {"van": tuple(stop.id for stop in stops[:10])}
    found = [explain(problem, orders, stop) for stop in stops[10:]]
    assert {reason.rule for each in found for reason in each.reasons} == {Rule.CAPACITY}


def test_no_stop_that_could_be_served_is_hopeless() -> None:
    stops = [
        Stop("fits", 1, loads=CRATE),
        Stop("heavy", 1, loads=(Load("crates", 11),)),
        Stop("partner", 1),
        Stop("closed", 1, windows=(Window(0, MINUTE),)),
    ]
    vans = [van(capacities=CRATES, shift=Window(HOUR, 9 * HOUR)), van("bare", shift=Window(HOUR, 9 * HOUR))]
    problem = towns(10, stops=stops, vehicles=vans[:1])
    assert hopeless(replace(problem, together=(frozenset({"heavy", "partner"}),))) == {"heavy", "partner", "closed"}
    assert hopeless(replace(problem, vehicles=tuple(vans))) == {"closed"}, "the bare van has no limit"
    assert [reason.rule for reason in obstacles(problem, vans[0], stops[3])] == [Rule.WINDOW]
    assert obstacles(problem, vans[0], stops[0]) == ()


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(problems())
def test_whatever_the_problem_the_remedies_let_the_stop_into_the_plan_as_it_stands(problem: Problem) -> None:
    orders = exact.search(problem, Search(60, 0)).sequences
    served = {name for order in orders.values() for name in order}
    assert hopeless(problem).isdisjoint(served)
    for stop in problem.stops:
        if stop.id not in served:
            found = explain(problem, orders, stop)
            assert found.reasons
            assert fits_in(relax(problem, stop.id, found.reasons), orders, stop.id)


def fits_in(easier: Problem, orders: Sequences, stop: str) -> bool:
    """Whether the stop, and what goes with it, has a place in one of these routes, or on a vehicle without one."""
    served = {name for order in orders.values() for name in order}
    bound = [*easier.together, *map(frozenset, map(ends, easier.shipments))]
    unit: set[str] = {stop}
    while more := set().union(*(group for group in bound if unit & group)) - unit:  # what goes with what goes with it
        unit |= more
    for vehicle in easier.vehicles:
        order = orders.get(vehicle.id) or (vehicle.locked if served.isdisjoint(vehicle.locked) else ())
        for arranged in permutations(unit - set(order)):
            for candidate in merged(order, arranged):
                if any(
                    route(easier, vehicle, order_of(easier, each)) is not None
                    for each in (candidate, *reloaded(candidate))
                ):
                    return True
    return False


def ends(shipment: Shipment) -> tuple[str, str]:
    return shipment.pickup, shipment.delivery


def merged(order: Order, added: Order) -> Iterator[Order]:
    for places in combinations_with_replacement(range(len(order) + 1), len(added)):
        names = list(order)
        for place, name in reversed([*zip(places, added, strict=True)]):
            names.insert(place, name)
        yield tuple(names)


def reloaded(order: Order) -> Iterator[Order]:
    return ((*order[:place], None, *order[place:]) for place in range(1, len(order)))
