"""The schedule of a given order, against every way to spend every second of a small day."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from route_optimizer.check import judge
from route_optimizer.plan import Plan, Rule
from route_optimizer.problem import (
    Break,
    DrivingRule,
    Matrix,
    Objective,
    Problem,
    Reload,
    Shipment,
    Stop,
    Vehicle,
    Window,
)
from route_optimizer.schedule import cost_of, order_of, route
from tests.route_optimizer.world import HOUR, MINUTE, towns, van

#: seconds of a small day
DAY_S = 20
#: seconds between full hours of rates: so that a second of work costs a whole unit
RATE = 3_600


class Now(NamedTuple):
    """Where a vehicle can be at an instant, with all that matters for what it may do next."""

    #: halts behind it
    done: int
    #: seconds to drive to the next one
    left_s: int
    driven_s: int
    breaks: tuple[bool, ...]
    starts: tuple[int, ...]


def every_day(problem: Problem, vehicle: Vehicle, order: list[Stop | None]) -> Iterator[tuple[Fraction, int, int]]:
    """Cost, duration and departure of every way to spend the day, second by second."""
    reload = vehicle.reload
    places = [vehicle.start, *(s.location if s else reload.place for s in order)]  # type: ignore[union-attr]
    places += [] if vehicle.end is None else [vehicle.end]
    ways = list(pairwise(places))
    metres = sum(problem.matrix.metres(*way) for way in ways)
    legs = [problem.matrix.seconds(*way) for way in ways]
    if vehicle.max_driving_s is not None and sum(legs) > vehicle.max_driving_s:
        return
    for departure_s in range(vehicle.shift.opens_s, vehicle.shift.closes_s + 1):
        for end_s, starts in ends(problem, vehicle, order, legs, departure_s):
            seconds = end_s - departure_s
            if vehicle.max_duration_s is None or seconds <= vehicle.max_duration_s:
                yield cost(problem, vehicle, order, starts, metres, seconds), seconds, departure_s


def ends(
    problem: Problem, vehicle: Vehicle, order: list[Stop | None], legs: list[int], departure_s: int
) -> Iterator[tuple[int, tuple[int, ...]]]:
    """When a day that leaves at an instant can be over, and when each halt began."""
    at: list[set[Now]] = [set() for _ in range(vehicle.shift.closes_s + 1)]
    at[departure_s].add(Now(0, legs[0], 0, (False,) * len(vehicle.breaks), ()))
    for now_s in range(departure_s, vehicle.shift.closes_s + 1):
        todo = list(at[now_s])
        while todo:
            now = todo.pop()
            if done(vehicle, order, now) and breaks_are_right(vehicle, now, departure_s, now_s):
                yield now_s, now.starts
            for lasts_s, after in steps(problem, vehicle, order, legs, now, now_s, departure_s):
                then_s = now_s + lasts_s
                if then_s <= vehicle.shift.closes_s and after not in at[then_s]:
                    at[then_s].add(after)
                    if not lasts_s:
                        todo.append(after)


def done(vehicle: Vehicle, order: list[Stop | None], now: Now) -> bool:
    return now.done == len(order) and (vehicle.end is None or not now.left_s)


def breaks_are_right(vehicle: Vehicle, now: Now, departure_s: int, end_s: int) -> bool:
    return all(
        taken == (departure_s <= each.latest_s < end_s) for each, taken in zip(vehicle.breaks, now.breaks, strict=True)
    )


def steps(
    problem: Problem,
    vehicle: Vehicle,
    order: list[Stop | None],
    legs: list[int],
    now: Now,
    now_s: int,
    departure_s: int,
) -> Iterator[tuple[int, Now]]:
    """Whatever the driver can do next, and how long it takes."""
    rule = vehicle.driving
    if now.done == len(order) and vehicle.end is None:
        return
    yield 1, now
    if now.left_s and (rule is None or now.driven_s < rule.longest_s):
        yield 1, now._replace(left_s=now.left_s - 1, driven_s=now.driven_s + 1 if rule else 0)
    if rule is not None and now.driven_s:
        yield rule.rest_s, now._replace(driven_s=0)
    for number, each in enumerate(vehicle.breaks):
        earlier = [t for n, t in enumerate(now.breaks[:number]) if vehicle.breaks[n].latest_s >= departure_s]
        if not now.breaks[number] and all(earlier) and each.earliest_s <= now_s <= each.latest_s:
            taken = tuple(t or n == number for n, t in enumerate(now.breaks))
            rested = rule is not None and each.duration_s >= rule.rest_s
            yield each.duration_s, now._replace(breaks=taken, driven_s=0 if rested else now.driven_s)
    if now.done < len(order) and not now.left_s and may_begin(problem, order, now, now_s, departure_s):
        halt = order[now.done]
        lasts_s = halt.service_time_s if halt else vehicle.reload.duration_s  # type: ignore[union-attr]
        leg_s = legs[now.done + 1] if now.done + 1 < len(legs) else 0
        yield lasts_s, now._replace(done=now.done + 1, left_s=leg_s, starts=(*now.starts, now_s))


def may_begin(problem: Problem, order: list[Stop | None], now: Now, now_s: int, departure_s: int) -> bool:
    halt = order[now.done]
    if halt is None:
        trip = order[now.done + 1 :]
        trip = trip[: trip.index(None)] if None in trip else trip
        return all(stop is None or stop.release_s <= now_s for stop in trip)
    if not now.done or None not in order[: now.done]:
        trip = order[: order.index(None)] if None in order else order
        if any(stop is not None and stop.release_s > departure_s for stop in trip):
            return False
    if halt.windows and not any(each.opens_s <= now_s <= each.closes_s for each in halt.windows):
        return False
    if halt.max_ride_s is None:
        return True
    return now_s - on_board_since(problem, order, now, departure_s) <= halt.max_ride_s


def on_board_since(problem: Problem, order: list[Stop | None], now: Now, departure_s: int) -> int:
    halt = order[now.done]
    pickups = {each.pickup for each in problem.shipments if halt and each.delivery == halt.id}
    since_s = departure_s
    for other, start_s in zip(order, now.starts, strict=False):
        if other is None and not pickups:
            since_s = start_s + (problem.vehicles[0].reload or Reload(0)).duration_s
        if other is not None and other.id in pickups:
            since_s = start_s + other.service_time_s
    return since_s


def cost(
    problem: Problem, vehicle: Vehicle, order: list[Stop | None], starts: tuple[int, ...], metres: int, seconds: int
) -> Fraction:
    late = Fraction(0)
    for halt, start_s in zip(order, starts, strict=True):
        if halt is not None and halt.due_s is not None:
            late += Fraction(max(0, start_s - halt.due_s) * halt.late_cost_per_hour, RATE)
    if problem.objective is Objective.DISTANCE:
        return metres + late
    if problem.objective is Objective.TIME:
        return seconds + late
    money = Fraction(metres * vehicle.cost_per_km_minor, 1_000) + Fraction(seconds * vehicle.cost_per_hour_minor, RATE)
    if vehicle.overtime_after_s is not None:
        over_s = max(0, seconds - vehicle.overtime_after_s)
        money += Fraction(over_s * vehicle.overtime_cost_per_hour_minor, RATE)
    return vehicle.fixed_cost_minor + money + late


def maybe(low: int, high: int) -> st.SearchStrategy[int | None]:
    return st.none() | st.none() | st.integers(low, high)


def windows(latest: int) -> st.SearchStrategy[Window]:
    return st.builds(lambda a, b: Window(a, a + b), st.integers(0, latest), st.integers(0, 9))


@st.composite
def breaks(draw: st.DrawFn) -> tuple[Break, ...]:
    """None within another."""
    begins = sorted(draw(st.sets(st.integers(0, DAY_S), max_size=2)))
    ends = sorted(draw(st.sets(st.integers(0, 8), min_size=len(begins), max_size=len(begins))))
    pairs = zip(begins, ends, strict=True)
    return tuple(Break(a, a + b, draw(st.integers(0, 4))) for a, b in pairs)


@st.composite
def orders(draw: st.DrawFn, *, rules: bool = True) -> tuple[Problem, list[Stop | None]]:
    """A vehicle, an order of up to four stops, and any rules about time."""
    places = draw(st.integers(2, 4))
    cells = draw(st.lists(st.integers(0, 4), min_size=places * places, max_size=places * places))
    rows = [cells[n * places : (n + 1) * places] for n in range(places)]
    shift = draw(st.builds(lambda a, b: Window(a, a + b), st.integers(0, 3), st.integers(12, 30)))
    stops = [
        Stop(
            f"S{number}",
            draw(st.integers(0, places - 1)),
            windows=tuple(
                draw(st.sampled_from([0, 0, 1, 2]).flatmap(lambda n: st.lists(windows(DAY_S), min_size=n, max_size=n)))
            ),
            service_time_s=draw(st.integers(0, 3)),
            release_s=draw(st.sampled_from([0, 0, 0, 4, 8])),
            max_ride_s=draw(maybe(0, 9)) if rules else None,
            due_s=draw(maybe(0, DAY_S)),
            late_cost_per_hour=RATE * draw(st.integers(0, 3)),
        )
        for number in range(draw(st.sampled_from([1, 2, 3, 3, 4])))
    ]
    order: list[Stop | None] = list(stops)
    if len(stops) > 1 and draw(st.booleans()):
        order.insert(draw(st.integers(1, len(stops) - 1)), None)
    shipments: tuple[Shipment, ...] = ()
    if len(stops) > 1 and None not in order and draw(st.booleans()):
        shipments = (Shipment("S0", f"S{draw(st.integers(1, len(stops) - 1))}"),)
    vehicle = Vehicle(
        "van",
        0,
        draw(st.sampled_from([0, 1, None])),
        shift=shift,
        max_duration_s=draw(maybe(8, 30)),
        max_driving_s=draw(maybe(6, 20)),
        breaks=draw(breaks()) if rules else (),
        driving=draw(st.none() | st.builds(DrivingRule, st.integers(2, 8), st.integers(0, 3))) if rules else None,
        reload=Reload(draw(st.integers(0, places - 1)), 1, draw(st.integers(0, 2))) if None in order else None,
        cost_per_hour_minor=RATE * draw(st.integers(0, 2)),
        overtime_after_s=draw(maybe(0, 12)),
        overtime_cost_per_hour_minor=RATE * draw(st.integers(0, 3)),
    )
    problem = Problem(
        tuple(stops),
        (vehicle,),
        Matrix.of(rows, rows),
        objective=draw(st.sampled_from([Objective.DISTANCE, Objective.TIME, Objective.COST])),
        shipments=shipments,
    )
    return problem, order


def agrees(problem: Problem, order: list[Stop | None]) -> None:
    vehicle = problem.vehicles[0]
    found = route(problem, vehicle, order)
    best = min(every_day(problem, vehicle, order), default=None)
    names = tuple(None if stop is None else stop.id for stop in order)
    assert cost_of(problem, vehicle, names) == (None if found is None else found.cost)
    assert (found is None) == (best is None)
    if found is None or best is None:
        return
    assert (Fraction(found.cost), found.duration_s, found.start_s) == best
    assert found.order == names
    plan = Plan((found,), (), found.cost, "exact", "optimal")
    assert [each for each in judge(problem, plan).violations if each.rule is not Rule.COMPLETE] == []


@given(orders())
@settings(max_examples=12, deadline=None)
def test_no_second_of_the_day_is_spent_better(case: tuple[Problem, list[Stop | None]]) -> None:
    agrees(*case)


@given(orders(rules=False))
@settings(max_examples=25, deadline=None)
def test_an_ordinary_day_is_spent_as_well(case: tuple[Problem, list[Stop | None]]) -> None:
    agrees(*case)


@pytest.mark.long
@given(orders())
@settings(max_examples=600, deadline=None)
def test_no_second_of_any_day_is_spent_better(case: tuple[Problem, list[Stop | None]]) -> None:
    agrees(*case)


def test_leaving_later_spares_the_wait_at_the_door() -> None:
    problem = towns(10, stops=[Stop("A", 1, windows=(Window(HOUR, 2 * HOUR),))])
    found = route(problem, problem.vehicles[0], problem.stops)
    assert found is not None
    assert found.start_s == HOUR - 10 * MINUTE
    assert found.visits[0].arrival_s == found.visits[0].start_s == HOUR


def test_a_break_that_counts_as_a_rest_is_taken_as_late_as_it_may() -> None:
    lorry = van(
        breaks=(Break(3 * HOUR, 4 * HOUR, 45 * MINUTE),),
        driving=DrivingRule(4 * HOUR + 30 * MINUTE, 45 * MINUTE),
        shift=Window(0, 12 * HOUR),
    )
    problem = towns(240, vehicles=[lorry])
    found = route(problem, lorry, problem.stops)
    assert found is not None
    assert [(rest.start_s, rest.end_s - rest.start_s) for rest in found.rests] == [(4 * HOUR, 45 * MINUTE)]
    assert found.duration_s == 8 * HOUR + 45 * MINUTE


def test_a_pickup_waits_so_that_the_goods_need_not() -> None:
    stops = [
        Stop("farm", 1),
        Stop("shop", 2, windows=(Window(2 * HOUR, 3 * HOUR),), max_ride_s=30 * MINUTE),
    ]
    problem = replace(towns(5, 15, stops=stops), shipments=(Shipment("farm", "shop"),))
    problem = replace(problem, vehicles=(van(shift=Window(0, 4 * HOUR)),), objective=Objective.TIME)
    found = route(problem, problem.vehicles[0], problem.stops)
    assert found is not None
    assert found.visits[1].start_s - found.visits[0].departure_s <= 30 * MINUTE


def test_what_is_late_is_paid_for_and_overtime_too() -> None:
    stops = [Stop("A", 1, due_s=0, late_cost_per_hour=6), Stop("B", 2)]
    problem = towns(60, 120, stops=stops, vehicles=[van(overtime_after_s=HOUR, overtime_cost_per_hour_minor=10)])
    problem = replace(problem, objective=Objective.COST)
    found = route(problem, problem.vehicles[0], problem.stops)
    assert found is not None
    assert (found.late_s, found.cost) == (HOUR, 6 + 3 * 10)


def test_the_order_comes_back_with_its_reloads() -> None:
    lorry = van(reload=Reload(0, duration_s=MINUTE))
    problem = towns(1, 2, vehicles=[lorry])
    order = order_of(problem, ("A", None, "B"))
    found = route(problem, lorry, order)
    assert found is not None
    assert found.order == ("A", None, "B")
    assert found.distance_m == 6_000
    assert [(each.arrival_s, each.departure_s) for each in found.reloads] == [(2 * MINUTE, 3 * MINUTE)]


def test_rests_beyond_counting_make_no_route_and_no_endless_search() -> None:
    lorry = van(driving=DrivingRule(1, 1))
    problem = towns(1_000, vehicles=[lorry])
    assert route(problem, lorry, problem.stops) is None
