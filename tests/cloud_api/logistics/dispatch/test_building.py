"""A day becomes a problem, and an answer becomes sentences: without a database, and without solving."""

import uuid
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.logistics.dispatch.gathering import shared_out
from cloud_api.logistics.dispatch.models import RoutePerformance
from cloud_api.logistics.dispatch.moves import moved
from cloud_api.logistics.dispatch.performance import driven_m, summed
from cloud_api.logistics.dispatch.problems import Door, Recipe, Roads, Rules, Wagon, matrix_of, recipe_of, time_factor
from cloud_api.logistics.dispatch.replanning import changes_of
from cloud_api.logistics.dispatch.schemas import Move
from cloud_api.logistics.dispatch.solutions import (
    Baseline,
    Figures,
    Solution,
    Standing,
    as_taken,
    edited,
    figures_of,
    packed,
    unpacked,
)
from cloud_api.logistics.dispatch.solver import Task, solved
from cloud_api.logistics.dispatch.words import Speaker
from route_optimizer.matrices import Point
from route_optimizer.plan import Order, Plan, Route, Visit
from route_optimizer.problem import Compartment, Objective, Window
from route_optimizer.whatif import simulate
from tests.factories.properties import FEW

INDIA = ZoneInfo("Asia/Kolkata")
MONDAY = datetime(2026, 11, 23, tzinfo=INDIA)
NOON_S = int((MONDAY + timedelta(hours=12)).timestamp())
HOUR_S = 3_600
DEPOT = Point(12.934, 77.610)
DAY = Window(NOON_S - 5 * HOUR_S, NOON_S + 5 * HOUR_S)
VAN, OTHER = (f"00000000-0000-7000-8000-00000000000{number}" for number in "12")


def name_of(door: int) -> str:
    return f"00000000-0000-7000-8000-0000000000a{door}"


def door(number: int, **fields: object) -> Door:
    """One on a line that leads north, a kilometre from the next."""
    usual = Door(
        order_id=name_of(number),
        number=f"ORD-{number}",
        point=Point(12.934 + number / 111, 77.610),
        window=DAY,
        loads_g={"cold_storage": 4_000},
        taken_s=number,
    )
    return replace(usual, **fields)  # type: ignore[arg-type]


def wagon(vehicle_id: str = VAN, **fields: object) -> Wagon:
    usual = Wagon(vehicle_id, f"KA-{vehicle_id[-1]}", 500_000, {Compartment.CHILLED: 500_000}, DAY)
    return replace(usual, **fields)  # type: ignore[arg-type]


def day(doors: list[Door], wagons: list[Wagon], rules: Rules | None = None) -> Recipe:
    return recipe_of(DEPOT, doors, wagons, rules or Rules(), midnight=MONDAY)


def reasons(solution: Solution) -> dict[str, list[str]]:
    return {each.stop: [str(reason.rule) for reason in each.reasons] for each in solution.plan.unserved}


def test_goods_go_where_they_are_kept_and_the_rest_goes_anywhere() -> None:
    loads = {"cold_storage": 3_000, "freezer": 2_000, "ambient": 500, "dry_storage": 400, "": 100}
    [stop] = day([door(1, loads_g=loads)], [wagon()]).stops
    assert {(load.compartment, load.amount) for load in stop.loads} == {
        (None, 1_000),
        (Compartment.CHILLED, 3_000),
        (Compartment.FROZEN, 2_000),
    }


def test_a_van_without_the_compartment_does_not_take_the_goods() -> None:
    frozen = door(1, loads_g={"freezer": 1_000})
    solution = solved(Task(day([frozen, door(2)], [wagon()]), 1))
    assert reasons(solution) == {name_of(1): ["compartment"]}
    both = wagon(compartments={Compartment.CHILLED: 400_000, Compartment.FROZEN: 100_000})
    assert reasons(solved(Task(day([frozen, door(2)], [both]), 1))) == {}


def test_a_van_is_full_when_one_compartment_is_although_it_could_carry_more() -> None:
    doors = [door(number, loads_g={"cold_storage": 60_000}) for number in (1, 2)]
    small = wagon(compartments={Compartment.CHILLED: 100_000})
    assert len(reasons(solved(Task(day(doors, [small]), 1)))) == 1


def test_heavy_orders_take_longer_and_a_customers_own_time_comes_first() -> None:
    rules = Rules(service_time_s=240, service_s_per_100_kg=60)
    loads = {"cold_storage": 250_000}
    recipe = day([door(1, loads_g=loads), door(2, loads_g=loads, service_s=600)], [wagon()], rules)
    assert [stop.service_time_s for stop in recipe.stops] == [240 + 120, 600 + 120]


def test_what_is_cold_is_not_driven_about_for_longer_than_allowed() -> None:
    rules = Rules(chilled_aboard_s=HOUR_S, frozen_aboard_s=1_800)
    recipe = day(
        [door(1), door(2, loads_g={"freezer": 1, "cold_storage": 1}), door(3, loads_g={"ambient": 1})], [wagon()], rules
    )
    assert [stop.max_ride_s for stop in recipe.stops] == [HOUR_S, 1_800, None]


def test_a_door_may_be_late_at_a_price_only_where_that_is_allowed() -> None:
    [strict] = day([door(1)], [wagon()]).stops
    assert (strict.windows[0].closes_s, strict.due_s) == (DAY.closes_s, None)
    [late] = day([door(1)], [wagon()], Rules(late_tolerance_s=900, late_cost_per_hour=700)).stops
    assert (late.windows[0].closes_s, late.due_s, late.late_cost_per_hour) == (DAY.closes_s + 900, DAY.closes_s, 700)


def test_hours_of_traffic_make_ways_longer_by_their_mean_over_the_shift() -> None:
    rush = tuple(2.0 if hour in (8, 9) else 1.0 for hour in range(24))
    rules = Rules(weekday_factors=rush)
    morning = Window(int(MONDAY.timestamp()) + 8 * HOUR_S, int(MONDAY.timestamp()) + 12 * HOUR_S)
    assert time_factor(rules, morning, MONDAY) == 1.5
    sunday = Window(morning.opens_s - 24 * HOUR_S, morning.closes_s - 24 * HOUR_S)
    assert time_factor(rules, sunday, MONDAY) == 1.0
    assert time_factor(Rules(), morning, MONDAY) == 1.0
    places = [DEPOT, Point(13.0, 77.6)]
    free, slow = (matrix_of(places, Roads(25.0, 1.3, factor)) for factor in (1.0, 1.5))
    assert slow.metres(0, 1) == free.metres(0, 1)
    assert slow.seconds(0, 1) == pytest.approx(1.5 * free.seconds(0, 1), abs=1)


def test_roads_that_a_server_knows_come_before_great_circles() -> None:
    table = ((0, 70), (-1, 0))
    ways = matrix_of(
        [DEPOT, DEPOT], Roads(25.0, 1.3, 2.0, source="osrm", distance_m=table, duration_s=((0, 7), (-1, 0)))
    )
    assert (ways.metres(0, 1), ways.seconds(0, 1), ways.seconds(1, 0)) == (70, 14, -1)


def test_the_baseline_is_the_day_without_a_plan() -> None:
    # taken north, south, north: whoever is near already goes on
    doors = [door(1, point=Point(13.0, 77.61)), door(2, point=Point(12.86, 77.61)), door(3, point=Point(13.01, 77.61))]
    recipe = day(doors, [wagon(VAN), wagon(OTHER)])
    baseline = as_taken(recipe, recipe.problem())
    assert (baseline.served, baseline.late) == (3, 0)
    best = solved(Task(recipe, 1))
    assert best.baseline == baseline
    driven = sum(route.distance_m for route in best.plan.routes)
    assert baseline.figures.distance_m >= driven


def test_money_is_counted_whatever_the_plan_saves() -> None:
    paid = wagon(fixed_cost_minor=10_000, cost_per_km_minor=1_000, fuel_ml_per_km=110, co2_g_per_km=290)
    rules = Rules(objective=Objective.TIME, driver_cost_per_hour_minor=6_000, fuel_price_minor_per_l=10_000)
    recipe = day([door(1)], [paid], rules)
    problem = recipe.problem()
    route = Route(VAN, 0, 1_800, (Visit(name_of(1), 900, 900, 1_140),), 4_000, 0, fuel_ml=440, co2_g=1_160)
    assert figures_of(problem, route) == Figures(4_000, 1_800, 440, 1_160, 10_000 + 4_000 + 3_000 + 4_400)


def test_a_solution_comes_back_as_it_was_kept() -> None:
    recipe = day([door(number) for number in range(1, 4)], [wagon(), wagon(OTHER, capacity_g=5_000)])
    solution = solved(Task(recipe, 1))
    assert unpacked(packed(solution)) == solution


@FEW
@given(
    st.dictionaries(
        st.sampled_from(["", "cold_storage", "freezer"]), st.decimals("0.001", 10_000, places=3), min_size=1
    ),
    st.integers(0, 10_000_000),
)
def test_what_was_weighed_is_shared_out_and_none_of_it_is_lost(shares: dict[str, Decimal], weighed_g: int) -> None:
    shared = shared_out(shares, weighed_g)
    assert weighed_g <= sum(shared.values()) < weighed_g + len(shares)
    assert shared.keys() == shares.keys()


def test_sentences_have_names_local_times_and_minutes() -> None:
    speaker = Speaker({VAN: "KA-01", name_of(1): "ORD-7"}, INDIA)
    assert speaker.said(f"with it {VAN} is done at {NOON_S} s, its shift ends at {NOON_S - 900} s") == (
        "with it KA-01 is done at 12:00, its shift ends at 11:45"
    )
    assert speaker.said(f"{name_of(1)} needs 1830 s and 20000 weight_g") == "ORD-7 needs 30 min 30 s and 20 kg"
    assert speaker.said(f"with it {VAN} carries 1020500 chilled weight_g, it holds 900000; two doors") == (
        "with it KA-01 carries 1,020.5 kg chilled, it holds 900 kg; two doors"
    )
    assert speaker.said(f"with it {VAN} drives 120340 m, 95000 m are allowed") == (
        "with it KA-01 drives 120.34 km, 95 km are allowed"
    )
    assert speaker.said(f"with it {VAN} makes 1200 stops, 900 are allowed") == (
        "with it KA-01 makes 1200 stops, 900 are allowed"
    )


def test_a_stop_without_a_place_is_put_where_it_costs_least() -> None:
    recipe = day([door(number) for number in (1, 2, 3)], [wagon()])
    problem = recipe.problem()
    move = Move.model_validate({"action": "assign", "order_id": name_of(2), "vehicle_id": VAN})
    _, orders = moved(problem, {VAN: (name_of(1), name_of(3))}, [move])
    assert orders == {VAN: (name_of(1), name_of(2), name_of(3))}


@FEW
@given(st.data())
def test_however_stops_are_moved_none_is_lost_or_driven_twice(data: st.DataObject) -> None:
    doors = [door(number) for number in range(1, 6)]
    problem = day(doors, [wagon(), wagon(OTHER)]).problem()
    names = [each.order_id for each in doors]
    orders: dict[str, Order] = {VAN: tuple(names[:3])}
    for _ in range(data.draw(st.integers(1, 6))):
        action = data.draw(st.sampled_from(["assign", "unassign", "swap", "lock"]))
        stop, van = data.draw(st.sampled_from(names)), data.draw(st.sampled_from([VAN, OTHER]))
        if action == "lock" and not any(stop in order for order in orders.values()):
            continue
        other = OTHER if van == VAN else VAN
        named = {"order_id": stop, "vehicle_id": van, "with_vehicle_id": other}
        needed = {"assign": ["order_id", "vehicle_id"], "swap": ["vehicle_id", "with_vehicle_id"]}
        fields = {name: named[name] for name in needed.get(action, ["order_id"])}
        move = Move.model_validate({"action": action, **fields})
        before = {name for order in orders.values() for name in order}
        problem, orders = moved(problem, orders, [move])
        after = [name for order in orders.values() for name in order]
        assert len(set(after)) == len(after)
        assert set(after) ^ before <= {stop}


def planned(orders: dict[str, tuple[str, ...]], *, shift_s: int = 0) -> Solution:
    recipe = day([door(number) for number in (1, 2, 3)], [wagon(), wagon(OTHER)])
    plan = simulate(recipe.problem(), orders).plan
    starts = {visit.stop: visit.start_s for route in plan.routes for visit in route.visits}
    standing = {
        name: Standing(f"d{name}", f"r{vehicle}", vehicle, number, starts.get(name, NOON_S) - shift_s, aboard=False)
        for vehicle, names in {VAN: (name_of(1), name_of(2)), OTHER: (name_of(3),)}.items()
        for number, name in enumerate(names, start=1)
    }
    return Solution(recipe, plan, Baseline("", Figures(), 3, 0), standing=standing)


@pytest.mark.parametrize(
    ("orders", "shift_s", "expected"),
    [
        ({VAN: (1, 2), OTHER: (3,)}, 0, {}),
        ({VAN: (1, 2), OTHER: (3,)}, 299, {}),
        ({VAN: (1, 2), OTHER: (3,)}, 300, {1: "later", 2: "later", 3: "later"}),
        ({VAN: (1, 2), OTHER: (3,)}, -300, {1: "sooner", 2: "sooner", 3: "sooner"}),
        ({VAN: (2, 1), OTHER: (3,)}, 0, {1: "resequenced", 2: "resequenced"}),
        ({VAN: (1,), OTHER: (3, 2)}, 0, {2: "moved"}),
        ({VAN: (1, 2)}, 0, {3: "left_out"}),
    ],
)
def test_only_what_changes_is_a_change(
    orders: dict[str, tuple[int, ...]], shift_s: int, expected: dict[int, str]
) -> None:
    named = {vehicle: tuple(map(name_of, doors)) for vehicle, doors in orders.items()}
    found = {change.order_id: change.kind for change in changes_of(planned(named, shift_s=shift_s))}
    assert found == {name_of(number): kind for number, kind in expected.items()}


def test_what_was_left_out_keeps_its_reason_when_something_else_is_edited() -> None:
    heavy = door(3, loads_g={"cold_storage": 900_000})
    solution = solved(Task(day([door(1), door(2), heavy], [wagon()]), 1))
    problem = solution.recipe.problem()
    after = edited(solution, problem, {VAN: (name_of(1),)})
    assert reasons(after)[name_of(3)] == reasons(solution)[name_of(3)]
    assert reasons(after)[name_of(2)] == ["completeness"]
    assert after.violations == ()
    assert after.plan.routes[0].distance_m < solution.plan.routes[0].distance_m


def test_a_van_that_stands_still_drives_nowhere() -> None:
    still = [Point(12.934 + wobble / 1_000_000, 77.61) for wobble in (0, 40, -30, 20) * 50]
    assert driven_m(still) == 0
    there = Point(12.944, 77.61)
    assert driven_m([*still, there, *[there] * 10]) == pytest.approx(1_112, abs=10)
    assert driven_m(still[:1]) is None


def test_a_plan_of_a_day_is_empty_when_nothing_is_ahead() -> None:
    empty = Plan((), (), 0, "exact", "settled")
    assert changes_of(Solution(day([], [wagon()]), empty, Baseline("", Figures(), 0, 0))) == []


def row(day: str, *, distance_m: int | None, driver: int = 1, delivered: int = 3, on_time: int = 2) -> RoutePerformance:
    return RoutePerformance(
        delivery_date=date.fromisoformat(day),
        driver_id=uuid.UUID(int=driver),
        planned_distance_m=10_000,
        distance_m=distance_m,
        planned_duration_s=3_600,
        duration_s=4_000,
        planned_fuel_ml=1_100,
        fuel_ml=None if distance_m is None else 1_200,
        planned_co2_g=2_900,
        co2_g=None if distance_m is None else 3_200,
        stops=4,
        delivered=delivered,
        on_time=on_time,
    )


def test_weeks_are_summed_and_what_nobody_measured_is_on_neither_side() -> None:
    rows = [
        row("2026-11-16", distance_m=12_000),
        row("2026-11-22", distance_m=None, driver=2),
        row("2026-11-23", distance_m=9_000, delivered=0, on_time=0),
    ]
    newest, oldest = summed(rows, by_driver=False)
    assert (newest.week, newest.on_time_share) == (date(2026, 11, 23), None)
    assert (oldest.week, oldest.routes, oldest.measured) == (date(2026, 11, 16), 2, 1)
    assert (oldest.planned_distance_m, oldest.distance_m) == (10_000, 12_000)
    assert (oldest.planned_duration_s, oldest.duration_s) == (7_200, 8_000)
    assert (oldest.stops, oldest.delivered, oldest.on_time_share) == (8, 6, 0.6667)
    drivers = summed(rows, by_driver=True)
    assert [(each.week.day, each.driver_id) for each in drivers] == [
        (23, uuid.UUID(int=1)),
        (16, uuid.UUID(int=1)),
        (16, uuid.UUID(int=2)),
    ]
