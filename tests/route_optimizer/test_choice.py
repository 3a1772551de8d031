"""Which engine is chosen, and what is said of it."""

from dataclasses import replace
from typing import get_args

import pytest

from route_optimizer.engines import choice
from route_optimizer.plan import EngineName
from route_optimizer.problem import Break, Problem, Reload, Shipment
from tests.route_optimizer.world import HOUR, towns, van


def day(stops: int, **rules: object) -> Problem:
    """So many towns along the road, and one van."""
    return towns(*range(1, stops + 1), vehicles=[van(**rules)])


def test_a_handful_of_stops_is_planned_for_good_whatever_the_rules() -> None:
    lunch = Break(11 * HOUR, 13 * HOUR, HOUR // 2)
    for problem in (day(7), day(7, breaks=(lunch,)), day(7, locked=("B",))):
        assert choice.choose(problem) == choice.Choice("exact", "7 stops: every order can be tried, so exact")


def test_more_are_pyvrps_as_long_as_it_knows_the_rules() -> None:
    found = choice.choose(day(8, reload=Reload(0)))
    assert found == choice.Choice("pyvrp", "8 stops and no rule that PyVRP does not know, so pyvrp")


def test_very_many_are_divided() -> None:
    problem = day(choice.MANY_STOPS)
    assert choice.choose(problem).engine == "decomposition"
    assert choice.choose(problem.with_stops(problem.stops[1:])).engine == "pyvrp"


@pytest.mark.parametrize(
    ("problem", "rule"),
    [
        (day(9, breaks=(Break(0, 60, 60),)), "breaks"),
        (day(9, locked=("A",)), "locked stops"),
        (day(9, max_driving_s=HOUR), "driving times"),
        (day(9, on_board=frozenset("A")), "goods on board"),
        (replace(day(9), together=(frozenset("AB"),)), "stops that one vehicle serves together"),
        (replace(day(9), shipments=(Shipment("A", "B"), Shipment("A", "C"))), "several shipments from or to one stop"),
        (replace(day(3), balance_cost_per_hour=1), "a balance of the routes"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_the_rule_that_asks_for_the_hybrid_is_named(problem: Problem, rule: str) -> None:
    assert choice.choose(problem) == choice.Choice("hybrid", f"{rule}: PyVRP does not know this, so hybrid")


@pytest.mark.parametrize("name", get_args(EngineName))
def test_every_engine_there_is_answers_to_its_name(name: EngineName) -> None:
    assert choice.engine(name).__module__.startswith(f"route_optimizer.engines.{name}")
