"""Nonsense is refused in one sentence that names the field and the remedy; hard luck is not nonsense."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from route_optimizer.matrix import Point, haversine
from route_optimizer.problem import Capacity, Load, Matrix, Problem, Stop, Window
from route_optimizer.solve import solve
from route_optimizer.validation import ProblemError, validate
from tests.route_optimizer.world import road, towns, van

GOOD = towns(10, 20, vehicles=[van(capacities=(Capacity("crates", 9),))])


def with_stop(**facts: object) -> Problem:
    return replace(GOOD, stops=(replace(GOOD.stops[0], **facts), GOOD.stops[1]))  # type: ignore[arg-type]


def with_van(**facts: object) -> Problem:
    return replace(GOOD, vehicles=(replace(GOOD.vehicles[0], **facts),))  # type: ignore[arg-type]


def with_cell(row: int, column: int, metres: int, seconds: int) -> Problem:
    matrix = Matrix(GOOD.matrix.distance_m.copy(), GOOD.matrix.duration_s.copy())
    matrix.distance_m[row, column] = metres
    matrix.duration_s[row, column] = seconds
    return replace(GOOD, matrix=matrix)


OTHER_SHAPE = Matrix(GOOD.matrix.distance_m, road(0, 1).duration_s)
NOT_SQUARE = Matrix(GOOD.matrix.distance_m[:2], GOOD.matrix.duration_s[:2])
FRACTIONS = Matrix(GOOD.matrix.distance_m / 7, GOOD.matrix.duration_s)  # type: ignore[arg-type]

NONSENSE = [
    (replace(GOOD, vehicles=()), "vehicles", "at least one vehicle"),
    (replace(GOOD, stops=GOOD.stops * 2), "stops", "id of its own"),
    (replace(GOOD, vehicles=GOOD.vehicles * 2), "vehicles", "id of its own"),
    (with_stop(id=""), "stops", "give each one an id"),
    (replace(GOOD, objective="distance"), "objective", "choose one of distance, time, cost"),  # type: ignore[arg-type]
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
        solve(problem, budget_s=1)
    assert caught.value.field == field
    assert remedy in caught.value.remedy
    assert str(caught.value).startswith(field)
    assert "\n" not in str(caught.value)


def test_good_sense_passes() -> None:
    validate(GOOD)
    validate(with_stop(location=int(np.int64(1)), windows=(Window(5, 5),)))


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
