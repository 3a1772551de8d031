"""One more stop in routes that exist, and the cheapest place for it."""

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from route_optimizer.engines import exact
from route_optimizer.insertion import cheapest, fill_in, first_of_kind
from route_optimizer.plan import Order
from route_optimizer.problem import Capacity, Load, Objective, Problem, Reload, Shipment, Stop
from route_optimizer.schedule import cost_of
from route_optimizer.search import Search
from tests.route_optimizer.world import problems, towns, van

CRATE = (Load("crates", 1),)


def orders_with(order: Order, names: list[str], reload: bool) -> list[Order]:
    """Every order that keeps the stops of one in their order and has others among them, with one more reload or not."""
    found = {order}
    for name in names:
        found = {(*each[:n], name, *each[n:]) for each in found for n in range(len(each) + 1)}
    if reload:
        found |= {(*each[:n], None, *each[n:]) for each in found for n in range(1, len(each))}
    return sorted(found, key=str)


def every_insertion(problem: Problem, sequences: dict[str, Order], names: list[str]) -> int | None:
    """What the cheapest one adds, all of them tried."""
    found = []
    for vehicle in problem.vehicles:
        order = sequences.get(vehicle.id, ())
        before = cost_of(problem, vehicle, order)
        for mixed in permutations(names):
            for each in orders_with(order, list(mixed), vehicle.reload is not None):
                cost = cost_of(problem, vehicle, each)
                if cost is not None and before is not None:
                    found.append(cost - before)
    return min(found, default=None)


@given(
    problems(most_stops=4, rules={"windows", "capacity", "reload", "breaks", "due", "max_duration", "ride", "release"})
)
@settings(max_examples=40, deadline=None)
def test_no_place_is_cheaper(problem: Problem) -> None:
    if not problem.stops:
        return
    *others, stop = problem.stops
    fewer = replace(problem, stops=tuple(others))
    sequences = dict(exact.search(fewer, Search(60, 0)).sequences)
    found = cheapest(problem, sequences, stop)
    assert (None if found is None else found.extra_cost) == every_insertion(problem, sequences, [stop.id])
    if found is not None:
        vehicle = problem.vehicle_by_id[found.vehicle]
        before = cost_of(problem, vehicle, sequences.get(vehicle.id, ()))
        assert before is not None
        assert cost_of(problem, vehicle, found.sequence) == before + found.extra_cost


@given(problems(most_stops=4, rules={"windows", "capacity", "reload"}, always={"shipments"}))
@settings(max_examples=20, deadline=None)
def test_a_shipment_goes_in_whole_at_the_cheapest_two_places(problem: Problem) -> None:
    if not problem.shipments:
        return
    shipment = problem.shipments[0]
    ends = [shipment.pickup, shipment.delivery]
    fewer = problem.with_stops([stop for stop in problem.stops if stop.id not in ends])
    sequences = dict(exact.search(fewer, Search(60, 0)).sequences)
    found = cheapest(problem, sequences, problem.stop_by_id[shipment.delivery])
    assert (None if found is None else found.extra_cost) == every_insertion(problem, sequences, ends)
    assert found is None or set(ends) <= set(found.sequence)


def test_a_full_van_reloads_on_the_way_rather_than_leave_a_stop_out() -> None:
    small = van(capacities=(Capacity("crates", 2),), reload=Reload(0))
    problem = towns(1, 2, -1, vehicles=[small])
    problem = replace(problem, stops=tuple(replace(stop, loads=CRATE) for stop in problem.stops))
    found = cheapest(problem, {"van": ("A", "B")}, problem.stop_by_id["C"])
    assert found is not None
    assert found.extra_cost == 2_000
    assert None in found.sequence


def test_a_stop_of_a_group_brings_the_group_along() -> None:
    problem = replace(towns(1, 2, 3, 4), together=(frozenset("BCD"),))
    found = cheapest(problem, {"van": ("A",)}, problem.stop_by_id["C"])
    assert found is not None
    assert set(found.sequence) == set("ABCD")
    assert found.extra_cost == 6_000


def test_a_van_with_locked_stops_begins_with_them_even_when_it_was_idle() -> None:
    problem = towns(1, 2, 3, vehicles=[van(locked=("C",))])
    found = cheapest(problem, {}, problem.stop_by_id["A"])
    assert found is not None
    assert found.sequence[0] == "C"
    later = cheapest(problem, {"van": ("C",)}, problem.stop_by_id["A"])
    assert later is not None
    assert later.sequence == ("C", "A")


def test_goods_on_board_are_delivered_by_who_has_them() -> None:
    near = van("near", on_board=frozenset())
    holder = van("holder", start=3, on_board=frozenset("A"))
    problem = towns(1, 2, 30, vehicles=[near, holder])
    problem = replace(problem, stops=tuple(replace(stop, loads=CRATE) for stop in problem.stops))
    found = cheapest(problem, {}, problem.stop_by_id["A"])
    assert found is not None
    assert found.vehicle == "holder"
    assert cheapest(problem, {}, problem.stop_by_id["B"]) is None


def test_where_the_straight_way_is_the_longest_the_detour_is_found() -> None:
    problem = towns(1, 2)
    problem.matrix.distance_m[0, 2] = problem.matrix.distance_m[2, 0] = 50_000  # type: ignore[attr-defined]
    found = cheapest(problem, {"van": ("B",)}, problem.stop_by_id["A"])
    assert found is not None
    assert found.extra_cost < 0


def test_what_does_not_pay_stays_out_and_what_weighs_most_goes_in_first() -> None:
    stops = [
        Stop("dear", 1, prize=100),
        Stop("worth it", 2, prize=3_000, loads=CRATE),
        Stop("light", 3, loads=CRATE),
        Stop("heavy", 4, loads=CRATE, priority=5),
    ]
    small = van(capacities=(Capacity("crates", 2),))
    problem = towns(-9, 1, 2, 3, stops=stops, vehicles=[small])
    filled = fill_in(problem, {}, within_s=60)
    assert set(filled["van"]) == {"heavy", "light"}
    roomy = replace(problem, vehicles=(van(capacities=(Capacity("crates", 3),)),))
    assert set(fill_in(roomy, {}, within_s=60)["van"]) == {"heavy", "light", "worth it"}


def test_a_shipment_is_filled_in_with_both_ends() -> None:
    problem = replace(towns(1, 2, 3), shipments=(Shipment("C", "A"),))
    filled = fill_in(problem, {}, within_s=60)
    assert filled["van"].index("C") < filled["van"].index("A")


@pytest.mark.parametrize("known", ["one by a stop", "one by its goods", "one by its lock", "neither"])
def test_vehicles_are_of_one_kind_unless_a_stop_knows_one_of_them(known: str) -> None:
    vehicles = {
        "one by its goods": van("one", on_board=frozenset("A")),
        "one by its lock": van("one", locked=("A",)),
    }
    problem = replace(
        towns(1, vehicles=[vehicles.get(known, van("one")), van("two"), van("three")]),
        objective=Objective.COST,
        reassign_cost=5,
    )
    if known == "one by a stop":
        problem = replace(problem, stops=(replace(problem.stops[0], planned_on="one"),))
    kinds = [vehicle.id for vehicle in first_of_kind(problem)]
    assert kinds == (["one"] if known == "neither" else ["one", "two"])


@given(st.integers(2, 5))
@settings(max_examples=4, deadline=None)
def test_a_late_order_finds_its_place_on_a_full_day(vans: int) -> None:
    problem = towns(*range(1, 4 * vans + 1), vehicles=[van(f"van {n}", max_stops=4) for n in range(vans)])
    *early, late = problem.stops
    sequences = fill_in(problem.with_stops(early), {}, within_s=60)
    found = cheapest(problem, sequences, late)
    assert found is not None
    assert len(found.sequence) == 4
