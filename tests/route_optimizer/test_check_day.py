"""A day with nearly every rule, judged: as it is it passes, and each thing amiss is told in words.

The depot lies at kilometre 0, A, C, E and X at kilometre 10, B and D at kilometre 20; a kilometre takes a minute.
The van leaves at 8:00 with the goods of A on board, takes a load from B to C, rests twice, comes back for the goods of
D, which are late, and collects at E.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from route_optimizer.check import judge
from route_optimizer.plan import Plan, Reason, Reloading, Rest, Route, Rule, Unserved, Visit
from route_optimizer.problem import (
    Break,
    Capacity,
    Compartment,
    DrivingRule,
    Load,
    Objective,
    Problem,
    Reload,
    Shipment,
    Stop,
    Vehicle,
    Window,
)
from route_optimizer.solve import solve
from tests.route_optimizer.brute_force import best_loss
from tests.route_optimizer.world import EVERY_RULE, HOUR, KM, MINUTE, problems, road, van


def at(hour: int, minute: int, second: int = 0) -> int:
    """Seconds from midnight."""
    return hour * HOUR + minute * MINUTE + second


VAN = van(
    capacities=(Capacity("crates", 7),),
    shift=Window(at(8, 0), at(11, 5)),
    # the second is not due: the van is back by then
    breaks=(Break(at(8, 36), at(9, 0), 30 * MINUTE), Break(at(11, 0), at(11, 5), 30 * MINUTE)),
    driving=DrivingRule(longest_s=40 * MINUTE, rest_s=30 * MINUTE),
    max_driving_s=80 * MINUTE,
    reload=Reload(0, most=1, duration_s=15 * MINUTE),
    fixed_cost_minor=500,
    cost_per_km_minor=30,
    cost_per_hour_minor=2_400,
    overtime_after_s=3 * HOUR,
    overtime_cost_per_hour_minor=1_200,
    fuel_ml_per_km=100,
    co2_g_per_km=250,
    locked=("A",),
    on_board=frozenset("A"),
)
STOPS = {
    "A": Stop("A", 1, service_time_s=10 * MINUTE, loads=(Load("crates", 4),), release_s=at(8, 0)),
    "B": Stop("B", 2, service_time_s=5 * MINUTE),
    "C": Stop("C", 1, service_time_s=5 * MINUTE, max_ride_s=40 * MINUTE),
    "D": Stop(
        "D",
        2,
        service_time_s=5 * MINUTE,
        loads=(Load("crates", 6),),
        release_s=at(10, 0),
        max_ride_s=20 * MINUTE,
        due_s=at(10, 5),
        late_cost_per_hour=600,
    ),
    # on time to the second, or it would cost a fortune
    "E": Stop(
        "E",
        1,
        service_time_s=5 * MINUTE,
        collects=(Load("crates", 3),),
        due_s=at(10, 50),
        late_cost_per_hour=10**9,
        planned_on="other",
    ),
    "X": Stop("X", 1),
}
PROBLEM = Problem(
    tuple(STOPS.values()),
    (VAN, van("other")),
    road(0, 10, 20),
    Objective.HYBRID,
    shipments=(Shipment("B", "C", (Load("crates", 7),)),),
    together=(frozenset("DE"),),
    apart=(frozenset("AX"),),
    fuel_price_minor_per_l=200,
    co2_price_minor_per_kg=5,
    reassign_cost=70,
    balance_cost_per_hour=120,
)
ROUTE = Route(
    "van",
    start_s=at(8, 0),
    end_s=at(11, 5),
    visits=(
        Visit("A", at(8, 10), at(8, 10), at(8, 20)),
        Visit("B", at(8, 30), at(8, 30), at(8, 35)),
        # ten minutes of driving and a break of thirty
        Visit("C", at(9, 15), at(9, 15), at(9, 20)),
        Visit("D", at(10, 35), at(10, 35), at(10, 40)),
        Visit("E", at(10, 50), at(10, 50), at(10, 55)),
    ),
    distance_m=80 * KM,
    # fixed; 80 km at 0.30; 185 minutes at 0.40; 5 minutes of overtime at 0.20; 8 l at 2.00; 20 kg at 0.05; D half an
    # hour late; E not on the van it was planned on
    cost=500 + 2_400 + 7_400 + 100 + 1_600 + 100 + 300 + 70,
    rests=(Rest(at(8, 40), at(9, 10)), Rest(at(9, 30), at(10, 0))),
    reloads=(Reloading(3, at(9, 30), at(10, 0), at(10, 15)),),
    late_s=30 * MINUTE,
    fuel_ml=8_000,
    co2_g=20_000,
)
OTHER = Route("other", at(8, 0), at(8, 20), (Visit("X", at(8, 10), at(8, 10), at(8, 10)),), 20 * KM, 0)
#: and the longest route, 185 minutes, at 1.20 an hour
PLAN = Plan((ROUTE, OTHER), (), ROUTE.cost + 370, "exact", "optimal")


def rules(problem: Problem, plan: Plan) -> set[Rule]:
    return {violation.rule for violation in judge(problem, plan).violations}


def words(problem: Problem, plan: Plan) -> str:
    return "\n".join(violation.words for violation in judge(problem, plan).violations)


def with_van(**facts: object) -> Problem:
    return replace(PROBLEM, vehicles=(replace(VAN, **facts), PROBLEM.vehicles[1]))  # type: ignore[arg-type]


def with_stop(name: str, **facts: object) -> Problem:
    stops = STOPS | {name: replace(STOPS[name], **facts)}  # type: ignore[arg-type]
    return replace(PROBLEM, stops=tuple(stops.values()))


def with_breaks(*breaks: Break) -> Problem:
    return with_van(breaks=breaks)


def with_route(**figures: object) -> Plan:
    return replace(PLAN, routes=(replace(ROUTE, **figures), OTHER))  # type: ignore[arg-type]


def with_rests(*rests: Rest) -> Plan:
    return with_route(rests=rests)


def test_a_day_with_every_rule_passes_and_is_counted_to_the_last_minor_unit() -> None:
    verdict = judge(PROBLEM, PLAN)
    assert verdict.violations == ()
    assert (verdict.cost, verdict.left_out, verdict.prizes_lost) == (12_840, 0, 0)


def test_a_day_on_which_nobody_drives_costs_nothing() -> None:
    reasons = (Reason(Rule.FLEET, "van", "everybody is ill", "another day"),)
    nobody = Plan((), tuple(Unserved(name, reasons) for name in STOPS), 0, "exact", "optimal")
    assert judge(PROBLEM, nobody).violations == ()


LUNCH = Break(at(8, 36), at(9, 0), 30 * MINUTE)
BROKEN: Sequence[tuple[Problem, Rule, str]] = [
    (with_van(capacities=(Capacity("crates", 6),)), Rule.CAPACITY, "carries 7 crates when it leaves B, it holds 6"),
    (
        with_stop("E", collects=(Load("crates", 8),)),
        Rule.CAPACITY,
        "carries 8 crates when it leaves E, it holds 7",
    ),
    (
        with_stop("D", loads=(Load("crates", 8),)),
        Rule.CAPACITY,
        "carries 8 crates when it leaves the reload, it holds 7",
    ),
    (
        with_stop("E", collects=(Load("crates", 3, Compartment.FROZEN),)),
        Rule.COMPARTMENT,
        "takes goods of E without a frozen compartment",
    ),
    (
        replace(PROBLEM, shipments=(Shipment("B", "C", (Load("crates", 1, Compartment.CHILLED),)),)),
        Rule.COMPARTMENT,
        "takes goods of B without a chilled compartment",
    ),
    (with_breaks(replace(LUNCH, latest_s=at(8, 39))), Rule.BREAK, "no break of 1800 s between 30960 s and 31140 s"),
    (with_breaks(replace(LUNCH, earliest_s=at(8, 41))), Rule.BREAK, "van begins no break of 1800 s"),
    (with_breaks(replace(LUNCH, duration_s=1_801)), Rule.BREAK, "no break of 1801 s"),
    (with_breaks(LUNCH, LUNCH), Rule.BREAK, "no break of 1800 s"),
    (with_breaks(LUNCH, Break(at(11, 0), at(11, 5) - 1, 60)), Rule.BREAK, "no break of 60 s"),
    (with_breaks(Break(at(7, 0), at(8, 0), 60)), Rule.BREAK, "no break of 60 s"),
    (
        with_van(driving=DrivingRule(40 * MINUTE - 1, 30 * MINUTE)),
        Rule.DRIVING,
        "drives 2400 s without a rest of 1800 s, 2399 s are allowed",
    ),
    (
        with_van(driving=DrivingRule(80 * MINUTE - 1, 30 * MINUTE + 1)),
        Rule.DRIVING,
        "drives 4800 s without a rest of 1801 s",
    ),
    (with_van(max_driving_s=80 * MINUTE - 1), Rule.DRIVING, "drives 4800 s, 4799 s are allowed"),
    (with_stop("C", max_ride_s=40 * MINUTE - 1), Rule.RIDE, "goods of C are 2400 s in van, 2399 s are allowed"),
    (with_stop("D", max_ride_s=20 * MINUTE - 1), Rule.RIDE, "goods of D are 1200 s in van, 1199 s are allowed"),
    (with_stop("B", max_ride_s=30 * MINUTE - 1), Rule.RIDE, "goods of B are 1800 s in van, 1799 s are allowed"),
    (with_stop("B", release_s=at(8, 0, 1)), Rule.RELEASE, "leaves at 28800 s, the goods of B are ready at 28801 s"),
    (with_stop("D", release_s=at(10, 0, 1)), Rule.RELEASE, "begins to reload at 36000 s, the goods of D are ready"),
    (with_van(reload=None), Rule.RELOAD, "van reloads, it is to make one trip only"),
    (with_van(reload=Reload(0, most=0, duration_s=15 * MINUTE)), Rule.RELOAD, "reloads 1 times, 0 are allowed"),
    (
        with_van(reload=Reload(0, duration_s=14 * MINUTE)),
        Rule.FIGURES,
        "stays 900 s at the reload, loading takes 840 s",
    ),
    (with_van(reload=Reload(1, duration_s=15 * MINUTE)), Rule.FIGURES, "said to arrive at the reload"),
    (replace(PROBLEM, shipments=(Shipment("E", "D"),)), Rule.SHIPMENT, "delivers at D before it picks up at E"),
    (replace(PROBLEM, shipments=(Shipment("A", "E"),)), Rule.SHIPMENT, "reloads between picking up at A and"),
    (replace(PROBLEM, shipments=(Shipment("A", "X"),)), Rule.SHIPMENT, "A is served by van, X is served by other"),
    (replace(PROBLEM, together=(frozenset("ABX"),)), Rule.TOGETHER, "all or none: A is served by van, B is"),
    (replace(PROBLEM, apart=(frozenset("ABX"),)), Rule.APART, "van serves A and B, which are to be kept apart"),
    (with_van(locked=("B",)), Rule.LOCK, "begins with A, locked are B"),
    (with_van(locked=("A", "X")), Rule.LOCK, "begins with A, B, locked are A, X"),
    (with_van(locked=("A", "B", "C", "D")), Rule.LOCK, "reloads before its locked stops are served"),
    (with_van(on_board=frozenset()), Rule.ON_BOARD, "brings goods to A that are not on board"),
    (with_van(on_board=frozenset("AD")), Rule.ON_BOARD, "reloads before it serves D, whose goods are on board"),
    (
        replace(PROBLEM, vehicles=(VAN, van("other", on_board=frozenset("B")))),
        Rule.ON_BOARD,
        "van serves B, whose goods are in other",
    ),
]


@pytest.mark.parametrize(("problem", "rule", "said"), BROKEN, ids=[f"{case[1]}: {case[2]}" for case in BROKEN])
def test_a_broken_rule_is_named_with_its_figures(problem: Problem, rule: Rule, said: str) -> None:
    broken = rules(problem, PLAN)
    # a rule in place of another shows in what it makes the same times and goods mean
    assert rule in broken <= {rule, Rule.FIGURES, Rule.RIDE, Rule.CAPACITY}
    assert said in words(problem, PLAN)


@pytest.mark.parametrize(
    ("facts", "cost"),
    [
        ({"objective": Objective.DISTANCE}, 80 * KM + 300 + 70),
        ({"objective": Objective.TIME}, 185 * MINUTE + 300 + 70),
        ({"objective": Objective.FUEL}, 8_000 + 300 + 70),
        ({"objective": Objective.COST}, ROUTE.cost - 100),
        ({"fuel_price_minor_per_l": 0}, ROUTE.cost - 1_600),
        ({"co2_price_minor_per_kg": 10}, ROUTE.cost + 100),
        ({"reassign_cost": 0}, ROUTE.cost - 70),
    ],
)
def test_the_cost_is_counted_in_the_objective_at_its_prices(facts: dict[str, object], cost: int) -> None:
    other = {Objective.DISTANCE: 20 * KM, Objective.TIME: 20 * MINUTE}.get(facts.get("objective", PROBLEM.objective), 0)  # type: ignore[call-overload]
    routes = replace(ROUTE, cost=cost), replace(OTHER, cost=other)
    plan = replace(PLAN, routes=routes, cost=cost + other + 370)
    assert judge(replace(PROBLEM, **facts), plan).violations == ()  # type: ignore[arg-type]


FIRST, SECOND = ROUTE.rests
LIES: Sequence[tuple[Plan, Rule, str]] = [
    (with_route(late_s=0), Rule.FIGURES, "said to be 0 s late, it is 1800 s late"),
    (with_route(fuel_ml=7_999), Rule.FIGURES, "said to burn 7999 ml, it burns 8000 ml"),
    (with_route(co2_g=20_001), Rule.FIGURES, "said to emit 20001 g, it emits 20000 g"),
    (with_rests(SECOND), Rule.FIGURES, "said to arrive at C at 33300 s, it arrives at 31500 s"),
    (with_rests(FIRST), Rule.DRIVING, "drives 3300 s without a rest of 1800 s"),
    (with_rests(SECOND, FIRST), Rule.BREAK, "rests from 31200 s to 33000 s before its rest from 34200 s"),
    (
        with_rests(Rest(at(8, 15), at(8, 16)), FIRST, SECOND),
        Rule.BREAK,
        "rests from 29700 s to 29760 s while it serves A",
    ),
    (with_rests(FIRST, SECOND, Rest(at(10, 1), at(10, 2))), Rule.BREAK, "while it loads"),
    (with_rests(Rest(at(7, 59), at(8, 0)), FIRST, SECOND), Rule.BREAK, "before it leaves at 28800 s"),
    (with_rests(FIRST, SECOND, Rest(at(11, 5), at(11, 6))), Rule.BREAK, "when it is done at 39900 s"),
    (with_rests(FIRST, Rest(at(9, 29), at(9, 59))), Rule.BREAK, "arrives at the reload while it rests"),
    (with_rests(FIRST, Rest(at(10, 0), at(9, 30))), Rule.FIGURES, "ends 1800 s before it begins"),
    (with_route(reloads=(replace(ROUTE.reloads[0], after=0),)), Rule.RELOAD, "after 0 of its stops"),
    (with_route(reloads=(replace(ROUTE.reloads[0], after=5),)), Rule.RELOAD, "after 5 of its stops"),
    (with_route(reloads=ROUTE.reloads * 2), Rule.RELOAD, "after 3 of its stops, with nothing served before"),
    (with_route(reloads=(replace(ROUTE.reloads[0], start_s=at(9, 29)),)), Rule.FIGURES, "loading at the reload starts"),
    (replace(PLAN, cost=PLAN.cost - 1), Rule.FIGURES, "says it costs 12839, it costs 12840"),
]


@pytest.mark.parametrize(("plan", "rule", "said"), LIES, ids=[f"{case[1]}: {case[2]}" for case in LIES])
def test_a_figure_that_does_not_add_up_is_found(plan: Plan, rule: Rule, said: str) -> None:
    assert rule in rules(PROBLEM, plan)
    assert said in words(PROBLEM, plan)


def test_the_van_may_reload_right_after_its_locked_stops() -> None:
    assert rules(with_van(locked=("A", "B", "C")), PLAN) == set()


def test_a_rest_may_stand_for_a_break_that_is_shorter() -> None:
    assert rules(with_breaks(Break(at(9, 20), at(9, 40), 5 * MINUTE)), PLAN) == set()


def test_a_rest_is_taken_anywhere_between_two_calls() -> None:
    for minute in (35, 36, 45):
        moved = Rest(at(8, minute), at(8, minute) + 30 * MINUTE)
        assert rules(with_breaks(replace(LUNCH, earliest_s=at(8, 35))), with_rests(moved, SECOND)) == set(), minute


def test_a_rest_may_come_first_and_last_and_lengthens_the_way_home() -> None:
    problem = Problem((Stop("A", 1),), (van(),), road(0, 10))
    visits = (Visit("A", 20 * MINUTE, 20 * MINUTE, 20 * MINUTE),)
    rests = Rest(0, 10 * MINUTE), Rest(30 * MINUTE, 40 * MINUTE)
    route = Route("van", 0, 40 * MINUTE, visits, 20 * KM, 20 * KM, rests)
    assert rules(problem, Plan((route,), (), 20 * KM, "exact", "optimal")) == set()
    sooner = replace(route, end_s=30 * MINUTE, rests=rests[:1])
    assert rules(problem, Plan((sooner,), (), 20 * KM, "exact", "optimal")) == set(), "without the second rest"
    no_rest = replace(route, rests=rests[:1])
    assert "said to be done at 2400 s, it is done at 1800 s" in words(
        problem, Plan((no_rest,), (), 20 * KM, "exact", "optimal")
    )


Disturbance = Callable[[Route, int], Route]


def _visit(number: int, name: str) -> Disturbance:
    def disturbed(route: Route, by: int) -> Route:
        visits = list(route.visits)
        at_number = number % len(visits)
        visits[at_number] = replace(visits[at_number], **{name: getattr(visits[at_number], name) + by})
        return replace(route, visits=tuple(visits))

    return disturbed


def _figure(name: str) -> Disturbance:
    return lambda route, by: replace(route, **{name: getattr(route, name) + by})


DISTURBANCES: Sequence[Disturbance] = [
    *(_figure(name) for name in ("distance_m", "cost", "late_s", "fuel_ml", "co2_g", "start_s", "end_s")),
    *(_visit(number, name) for number in range(3) for name in ("arrival_s", "start_s", "departure_s")),
    lambda route, _: replace(route, visits=route.visits[1:]),
    lambda route, _: replace(route, visits=(*route.visits, route.visits[0])),
    lambda route, _: replace(route, vehicle="nobody"),
]


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(problems(), st.sampled_from(DISTURBANCES), st.integers(-3, 3).filter(bool))
def test_whatever_is_disturbed_in_a_good_plan_is_found(problem: Problem, disturb: Disturbance, by: int) -> None:
    plan = solve(problem, budget_s=1)
    for number, route in enumerate(plan.routes):
        routes = (*plan.routes[:number], disturb(route, by), *plan.routes[number + 1 :])
        assert judge(problem, replace(plan, routes=routes)).violations


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(problems(rules=EVERY_RULE, most_stops=3), st.randoms(use_true_random=False))
def test_no_plan_driven_at_random_passes_and_is_better_than_the_best_there_is(problem: Problem, dice: Random) -> None:
    best = best_loss(problem)
    for _ in range(20):
        verdict = judge(problem, driven_at_random(problem, dice))
        # its times are true; the sums below them are not made
        passes = all(each.rule is Rule.FIGURES for each in verdict.violations)
        assert not passes or (verdict.left_out, verdict.cost + verdict.prizes_lost) >= best


def driven_at_random(problem: Problem, dice: Random) -> Plan:
    """Stops dealt to the vans and driven in any order, with reloads, rests and waits as they come."""
    hands: dict[str, list[Stop]] = {vehicle.id: [] for vehicle in problem.vehicles}
    for stop in dice.sample(problem.stops, dice.randint(0, len(problem.stops))):
        hands[dice.choice(problem.vehicles).id].append(stop)
    routes = tuple(
        _Driver(problem, problem.vehicle_by_id[name], dice).serve(hand) for name, hand in hands.items() if hand
    )
    served = {visit.stop for route in routes for visit in route.visits}
    reasons = (Reason(Rule.FLEET, problem.vehicles[0].id, "it was not dealt", "another hand"),)
    left_out = tuple(Unserved(stop.id, reasons) for stop in problem.stops if stop.id not in served)
    return Plan(routes, left_out, 0, "exact", "budget")


class _Driver:
    def __init__(self, problem: Problem, vehicle: Vehicle, dice: Random) -> None:
        self.problem, self.vehicle, self.dice = problem, vehicle, dice
        self.start_s = self.now_s = vehicle.shift.opens_s + dice.choice([0, 0, dice.randint(0, 12)])
        self.place = vehicle.start
        self.rests: list[Rest] = []

    def serve(self, hand: Sequence[Stop]) -> Route:
        visits: list[Visit] = []
        reloads: list[Reloading] = []
        for number, stop in enumerate(hand):
            reload = self.vehicle.reload
            if number and reload and self.dice.random() < 0.4:
                times = self.call(reload.place, stop.release_s, reload.duration_s)
                reloads.append(Reloading(number, *times))
            opens_s = self.dice.choice([each.opens_s for each in stop.windows] or [0])
            visits.append(Visit(stop.id, *self.call(stop.location, opens_s, stop.service_time_s)))
        if self.vehicle.end is not None:
            self.drive(self.vehicle.end)
        tail = tuple(self.rests), tuple(reloads)
        return Route(self.vehicle.id, self.start_s, self.now_s, tuple(visits), 0, 0, *tail)

    def call(self, place: int, opens_s: int, lasts_s: int) -> tuple[int, int, int]:
        self.drive(place)
        arrival_s = self.now_s
        self.rest()
        start_s = max(self.now_s, opens_s) + self.dice.choice([0, 0, 0, 1])
        self.now_s = start_s + lasts_s
        return arrival_s, start_s, self.now_s

    def drive(self, place: int) -> None:
        seconds = max(0, self.problem.matrix.seconds(self.place, place))
        before_s = self.dice.randint(0, seconds)
        self.now_s += before_s
        self.rest()
        self.now_s += seconds - before_s
        self.place = place

    def rest(self) -> None:
        lengths = [each.duration_s for each in self.vehicle.breaks]
        lengths += [self.vehicle.driving.rest_s] if self.vehicle.driving else []
        if lengths and self.dice.random() < 0.4:
            self.rests.append(Rest(self.now_s, self.now_s + self.dice.choice(lengths)))
            self.now_s = self.rests[-1].end_s
