"""Nonsense is refused in one sentence that names the field and the remedy; hard luck is not nonsense."""

import copy
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from route_optimizer.matrices import Point, haversine
from route_optimizer.problem import (
    Break,
    Capacity,
    DrivingRule,
    Load,
    Matrix,
    Problem,
    Reload,
    Shipment,
    Stop,
    Window,
)
from route_optimizer.solve import solve
from route_optimizer.validation import ProblemError, validate
from tests.route_optimizer.world import road, towns, van

MATRIX = road(0, 10, 20)
GOOD = towns(10, 20, vehicles=[van(capacities=(Capacity("crates", 9),))])


def with_stop(**facts: object) -> Problem:
    return replace(GOOD, stops=(replace(GOOD.stops[0], **facts), GOOD.stops[1]))  # type: ignore[arg-type]


def with_van(**facts: object) -> Problem:
    return replace(GOOD, vehicles=(replace(GOOD.vehicles[0], **facts),))  # type: ignore[arg-type]


def with_two(**facts: object) -> Problem:
    """The same said of both vans."""
    one = replace(GOOD.vehicles[0], **facts)  # type: ignore[arg-type]
    return replace(GOOD, vehicles=(one, replace(one, id="other")))


def with_cell(row: int, column: int, metres: int, seconds: int) -> Problem:
    matrix = Matrix(MATRIX.distance_m.copy(), MATRIX.duration_s.copy())
    matrix.distance_m[row, column] = metres
    matrix.duration_s[row, column] = seconds
    return replace(GOOD, matrix=matrix)


class Roads:
    """Ways that are computed when they are asked for, to any number of places."""

    def __init__(self, places: int, *, second_s: int = 60) -> None:
        self.places = places
        self.second_s = second_s

    def metres(self, origin: int, destination: int) -> int:
        return abs(origin - destination) * 1_000

    def seconds(self, origin: int, destination: int) -> int:
        return abs(origin - destination) * self.second_s

    def among(self, places: Sequence[int]) -> Matrix:
        return Matrix.of(
            [[self.metres(a, b) for b in places] for a in places],
            [[self.seconds(a, b) for b in places] for a in places],
        )


OTHER_SHAPE = Matrix(MATRIX.distance_m, road(0, 1).duration_s)
NOT_SQUARE = Matrix(MATRIX.distance_m[:2], MATRIX.duration_s[:2])
FRACTIONS = Matrix(MATRIX.distance_m / 7, MATRIX.duration_s)  # type: ignore[arg-type]

NONSENSE = [
    (replace(GOOD, vehicles=()), "vehicles", "at least one vehicle"),
    (replace(GOOD, stops=GOOD.stops * 2), "stops", "id of its own"),
    (replace(GOOD, vehicles=GOOD.vehicles * 2), "vehicles", "id of its own"),
    (with_stop(id=""), "stops", "give each one an id"),
    (with_stop(id=7), "stops", "a text as its id"),
    (replace(GOOD, objective="distance"), "objective", "choose one of distance, time, fuel, cost, hybrid"),  # type: ignore[arg-type]
    (with_stop(location=3), "stops[A].location", "rows 0 to 2 only"),
    (with_stop(location=-1), "stops[A].location", "0 to"),
    (with_stop(location=math.nan), "stops[A].location", "whole number"),
    (with_stop(windows=(Window(0, 5), Window(7, 6))), "stops[A].windows[1]", "exchange the two"),
    (with_stop(windows=(Window(-1, 5),)), "stops[A].windows[0].opens_s", "0 to"),
    (with_stop(windows=(Window(0, 10**15),)), "stops[A].windows[0].closes_s", "0 to"),
    (with_stop(service_time_s=-5), "stops[A].service_time_s", "0 to"),
    (with_stop(service_time_s=2.5), "stops[A].service_time_s", "whole number"),
    (with_stop(priority=101), "stops[A].priority", "0 to 100"),
    (with_stop(prize=-1), "stops[A].prize", "0 to"),
    (with_stop(loads=(Load("crates", -1),)), "stops[A].loads[crates].amount", "0 to"),
    (with_stop(loads=(Load("crates", 10**30),)), "stops[A].loads[crates].amount", "0 to"),
    (with_stop(loads=(Load("creates", 1),)), "stops[A].loads[creates]", "a capacity in creates"),
    (with_stop(loads=(Load("crates", 1, "cold"),)), "stops[A].loads[crates].compartment", "chilled, frozen, ambient"),  # type: ignore[arg-type]
    (with_stop(collects=(Load("crates", -1),)), "stops[A].collects[crates].amount", "0 to"),
    (with_stop(collects=(Load("creates", 1),)), "stops[A].collects[creates]", "a capacity in creates"),
    (with_stop(release_s=-1), "stops[A].release_s", "0 to"),
    (with_stop(release_s=None), "stops[A].release_s", "whole number"),
    (with_stop(max_ride_s=1.5), "stops[A].max_ride_s", "whole number"),
    (with_stop(due_s=math.nan), "stops[A].due_s", "whole number"),
    (with_stop(late_cost_per_hour=10**13), "stops[A].late_cost_per_hour", "0 to 1,000,000,000,000"),
    (with_stop(planned_on="truck"), "stops[A].planned_on", "correct the id"),
    (with_van(breaks=(Break(5, 4, 60),)), "vehicles[van].breaks[0]", "exchange the two"),
    (with_van(breaks=(Break(0, 5, 0),)), "vehicles[van].breaks[0].duration_s", "1 to"),
    (with_van(breaks=(Break(0, 10**12, 60),)), "vehicles[van].breaks[0].latest_s", "0 to"),
    (with_van(breaks=(Break(9, 20, 1), Break(8, 30, 1))), "vehicles[van].breaks[1]", "order the breaks by time"),
    (with_van(breaks=(Break(9, 20, 1), Break(10, 19, 1))), "vehicles[van].breaks[1]", "within another's"),
    (with_van(driving=DrivingRule(0, 60)), "vehicles[van].driving.longest_s", "1 to"),
    (with_van(driving=DrivingRule(60, -1)), "vehicles[van].driving.rest_s", "1 to"),
    (with_van(max_driving_s=-1), "vehicles[van].max_driving_s", "0 to"),
    (with_van(reload=Reload(9)), "vehicles[van].reload.place", "rows 0 to 2 only"),
    (with_van(reload=Reload(0, most=10**9)), "vehicles[van].reload.most", "1 to 100"),
    (with_van(reload=Reload(0, duration_s=-1)), "vehicles[van].reload.duration_s", "0 to"),
    (with_van(overtime_after_s="8 h"), "vehicles[van].overtime_after_s", "whole number"),
    (with_van(overtime_cost_per_hour_minor=-1), "vehicles[van].overtime_cost_per_hour_minor", "0 to"),
    (with_van(fuel_ml_per_km=10**7), "vehicles[van].fuel_ml_per_km", "0 to 1,000,000"),
    (with_van(co2_g_per_km=False), "vehicles[van].co2_g_per_km", "whole number"),
    (with_van(locked=("Z",)), "vehicles[van].locked", "correct the id"),
    (with_van(locked="A"), "vehicles[van].locked", "a collection of ids"),
    (with_van(locked=("A", "A")), "vehicles[van].locked", "each stop once"),
    (with_van(on_board=frozenset("Z")), "vehicles[van].on_board", "correct the id"),
    (with_two(locked=("A",)), "vehicles[other]", "to one of the two"),
    (with_two(on_board=frozenset("A")), "vehicles[other]", "to one of the two"),
    (replace(GOOD, shipments=(Shipment("A", "Z"),)), "shipments[0].delivery", "correct the id"),
    (replace(GOOD, shipments=(Shipment("A", "A"),)), "shipments", "its own stop"),
    (replace(GOOD, shipments=(Shipment("A", "B"), Shipment("B", "A"))), "shipments", "its own stop"),
    (
        replace(GOOD, shipments=(Shipment("A", "B", (Load("crates", -1),)),)),
        "shipments[0].loads[crates].amount",
        "0 to",
    ),
    (
        replace(GOOD, shipments=(Shipment("A", "B", (Load("creates", 1),)),)),
        "shipments[0].loads[creates]",
        "a capacity in creates",
    ),
    (replace(GOOD, together=(frozenset("AZ"),)), "together[0]", "correct the id"),
    (replace(GOOD, apart=(frozenset("AB"), frozenset("BZ"))), "apart[1]", "correct the id"),
    (replace(GOOD, fuel_price_minor_per_l=-1), "fuel_price_minor_per_l", "0 to"),
    (replace(GOOD, co2_price_minor_per_kg=0.5), "co2_price_minor_per_kg", "whole number"),  # type: ignore[arg-type]
    (replace(GOOD, reassign_cost=10**13), "reassign_cost", "0 to"),
    (replace(GOOD, balance_cost_per_hour=math.inf), "balance_cost_per_hour", "whole number"),  # type: ignore[arg-type]
    (replace(GOOD, matrix=Roads(2)), "stops[B].location", "rows 0 to 1 only"),
    (replace(GOOD, matrix=Roads(3, second_s=-60), vehicles=(van(end=2),)), "matrix.duration_s[0][1]", "-1 where"),
    (replace(GOOD, matrix=Matrix([[0]], [[0]])), "matrix.distance_m", "`Matrix.of`"),  # type: ignore[arg-type]
    (with_van(start=9), "vehicles[van].start", "rows 0 to 2 only"),
    (with_van(end=9), "vehicles[van].end", "rows 0 to 2 only"),
    (with_van(shift=Window(9, 8)), "vehicles[van].shift", "exchange the two"),
    (with_van(max_stops=-1), "vehicles[van].max_stops", "0 to"),
    (with_van(max_duration_s=True), "vehicles[van].max_duration_s", "whole number"),
    (with_van(cost_per_km_minor=10**13), "vehicles[van].cost_per_km_minor", "0 to"),
    (with_van(capacities=(Capacity("crates", -1),)), "vehicles[van].capacities[crates].limit", "0 to"),
    (with_van(capacities=(Capacity("crates", 1),) * 2), "vehicles[van].capacities", "each limit once"),
    (replace(GOOD, matrix=NOT_SQUARE), "matrix.distance_m", "one row and one column"),
    (replace(GOOD, matrix=OTHER_SHAPE), "matrix", "the same places"),
    (replace(GOOD, matrix=FRACTIONS), "matrix.distance_m", "whole metres"),
    (with_cell(0, 2, -7, 5), "matrix.distance_m[0][2]", "-1 where no road leads"),
    (with_cell(0, 2, 10**10, 5), "matrix.distance_m[0][2]", "0 to 1,000,000,000"),
    (with_cell(0, 2, 5, 10**10), "matrix.duration_s[0][2]", "0 to"),
    (with_cell(0, 2, -1, 5), "matrix", "unreachable in both"),
    (with_cell(2, 2, -1, -1), "matrix", "0 on its diagonal"),
    (
        replace(with_cell(0, 2, -1, -1), vehicles=(van(end=2, capacities=(Capacity("crates", 9),)),)),
        "vehicles[van]",
        "leave the end open",
    ),
]


@pytest.mark.parametrize(("problem", "field", "remedy"), NONSENSE, ids=[f"{case[1]} {case[2]}" for case in NONSENSE])
def test_nonsense_is_refused_by_field_and_remedy(problem: Problem, field: str, remedy: str) -> None:
    with pytest.raises(ProblemError) as caught:
        validate(problem)
    assert caught.value.field == field
    assert remedy in caught.value.remedy
    assert str(caught.value) == f"{field} {caught.value.wrong}: {caught.value.remedy}"
    assert "\n" not in str(caught.value)


def test_nonsense_is_refused_before_anything_is_searched() -> None:
    with pytest.raises(ProblemError, match="is empty: give at least one vehicle"):
        solve(replace(GOOD, vehicles=()), budget_s=1)


def test_what_is_wrong_is_told_whole_when_it_comes_from_another_process() -> None:
    told = ProblemError("stops[A].prize", "is -1", "give a number from 0")
    again = copy.copy(told)
    assert (again.field, again.wrong, again.remedy, str(again)) == (told.field, told.wrong, told.remedy, str(told))


def test_good_sense_passes() -> None:
    validate(GOOD)
    validate(with_stop(location=int(np.int64(1)), windows=(Window(5, 5),)))
    validate(replace(GOOD, matrix=Roads(3)))


def test_every_rule_at_once_is_good_sense() -> None:
    rich = with_van(
        breaks=(Break(0, 9, 1), Break(0, 9, 1), Break(5, 20, 2)),
        driving=DrivingRule(1, 1),
        max_driving_s=0,
        reload=Reload(0, most=100),
        overtime_after_s=0,
        overtime_cost_per_hour_minor=10**9,
        locked=("A",),
        on_board=frozenset("AB"),
    )
    validate(replace(rich, shipments=(Shipment("A", "B"),), together=(frozenset("AB"),), apart=(frozenset("AB"),)))


def test_of_a_matrix_that_answers_when_asked_no_more_is_asked_than_needed() -> None:
    stops = tuple(Stop(f"S{number}", number) for number in range(1, 20_000))
    validate(Problem(stops, (van(), van("far", start=19_999, end=5)), Roads(20_000)))


@pytest.mark.parametrize("budget_s", [0, -1, math.nan, math.inf])
def test_a_budget_is_above_zero_and_ends(budget_s: float) -> None:
    with pytest.raises(ProblemError, match="budget_s"):
        solve(GOOD, budget_s=budget_s)


def test_ragged_rows_and_fractions_make_no_matrix() -> None:
    rows: Sequence[Sequence[int]] = [[0, 1], [1]]
    with pytest.raises(ValueError, match="inhomogeneous"):
        Matrix.of(rows, rows)
    with pytest.raises(ValueError, match="whole numbers"):
        Matrix.of([[0.5]], [[0]])  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("point", "field"),
    [
        (Point(math.nan, 25.0), "points[1].latitude"),
        (Point(60.0, math.inf), "points[1].longitude"),
        (Point(91.0, 25.0), "points[1].latitude"),
        (Point(60.0, -181.0), "points[1].longitude"),
    ],
)
def test_a_place_that_is_not_on_earth_is_refused(point: Point, field: str) -> None:
    with pytest.raises(ProblemError) as caught:
        haversine([Point(60.0, 25.0), point])
    assert caught.value.field == field


def test_hard_luck_is_an_unserved_stop() -> None:
    stops = (Stop("A", 1, loads=(Load("crates", 10**12),)), Stop("B", 2))
    assert [each.stop for each in solve(replace(GOOD, stops=stops), budget_s=1).unserved] == ["A"]
