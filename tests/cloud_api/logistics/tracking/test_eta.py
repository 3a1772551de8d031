"""Expected arrivals: from the plan, what happened, and where the van is; never before now, never out of order."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.logistics.tracking.eta import FRESH, Course, Door, Eta, Fix, arrivals, legs_of, pace_of
from cloud_api.logistics.tracking.geometry import METRES_PER_DEGREE
from cloud_api.logistics.tracking.learning import Spread, spread_of

EIGHT = datetime(2026, 11, 22, 8, tzinfo=UTC)
DEPOT = (12.93, 77.61)
IDS = [uuid.UUID(int=number) for number in range(1, 30)]


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def north(metres: float) -> tuple[float, float]:
    return DEPOT[0] + metres / METRES_PER_DEGREE, DEPOT[1]


def course(*doors: Door, started: bool = True) -> Course:
    return Course(EIGHT, EIGHT if started else None, DEPOT, doors)


def door(place: int, *, planned: float, metres: float | None = None, service_s: float = 120, **more: Any) -> Door:
    """The `place`-th, `metres` north of the depot (two kilometres each), planned so many minutes after eight."""
    point = north(2_000 * place if metres is None else metres)
    return Door(IDS[place], *point, EIGHT + minutes(planned), service_s, **more)


THREE = [door(1, planned=6), door(2, planned=14), door(3, planned=22)]


def p50(found: dict[uuid.UUID, Eta] | object, place: int) -> datetime:
    assert isinstance(found, dict)
    eta = found[IDS[place]]
    assert isinstance(eta, Eta)
    return eta.p50_at


def test_a_van_that_leaves_as_planned_comes_as_planned() -> None:
    found = arrivals(course(*THREE), None, now=EIGHT)
    assert [p50(found, place) - EIGHT for place in (1, 2, 3)] == [minutes(6), minutes(14), minutes(22)]
    assert [eta.stops_before for eta in found.values()] == [0, 1, 2]


def test_a_van_that_has_not_left_is_late_by_as_much_as_it_is_late() -> None:
    late = EIGHT + minutes(25)
    found = arrivals(course(*THREE, started=False), None, now=late)
    assert [p50(found, place) - late for place in (1, 2, 3)] == [minutes(6), minutes(14), minutes(22)]
    early = arrivals(course(*THREE, started=False), None, now=EIGHT - minutes(90))
    assert p50(early, 1) == EIGHT + minutes(6)


def test_half_way_to_a_door_half_of_the_leg_remains() -> None:
    now = EIGHT + minutes(4)
    found = arrivals(course(*THREE), Fix(now, *north(1_000)), now=now)
    assert abs(p50(found, 1) - (now + minutes(3))) < timedelta(seconds=2)
    assert abs(p50(found, 2) - p50(found, 1) - minutes(8)) < timedelta(seconds=2)


def test_before_a_door_it_is_now() -> None:
    now = EIGHT + minutes(4)
    assert p50(arrivals(course(*THREE), Fix(now, *north(1_900)), now=now), 1) == now


def test_an_old_position_is_no_position() -> None:
    now = EIGHT + minutes(4)
    stale = Fix(now - FRESH - minutes(1), *north(1_900))
    assert arrivals(course(*THREE), stale, now=now) == arrivals(course(*THREE), None, now=now)


def test_a_van_that_should_be_there_and_says_nothing_is_not_there_before_now() -> None:
    now = EIGHT + minutes(40)
    assert p50(arrivals(course(*THREE), None, now=now), 1) > now


def test_where_a_van_stands_at_a_door_the_next_one_waits_for_the_hand_over() -> None:
    here = replace(THREE[0], arrived_at=EIGHT + minutes(6))
    now = EIGHT + minutes(7)
    found = arrivals(course(here, *THREE[1:]), Fix(now, here.latitude, here.longitude), now=now)
    assert IDS[1] not in found
    assert abs(p50(found, 2) - (EIGHT + minutes(8 + 6))) < timedelta(seconds=20)
    assert found[IDS[2]].stops_before == 1
    much_later = EIGHT + minutes(30)
    assert p50(arrivals(course(here, *THREE[1:]), None, now=much_later), 2) > much_later


def test_a_door_that_is_done_is_not_expected_and_not_before_anybody() -> None:
    done = replace(THREE[0], arrived_at=EIGHT + minutes(6), left_at=EIGHT + minutes(8), is_done=True)
    found = arrivals(course(done, *THREE[1:]), None, now=EIGHT + minutes(9))
    assert [*found] == IDS[2:4]
    assert [eta.stops_before for eta in found.values()] == [0, 1]


def test_a_slow_morning_makes_a_late_noon() -> None:
    """Twice as long as planned to each of four doors: what is to come is expected later than the plan has it."""
    doors, at = [], EIGHT
    for place in range(1, 9):
        planned = door(place, planned=20 * place, metres=5_000 * place)
        if place <= 4:
            at += minutes(36)
            planned = replace(planned, arrived_at=at, left_at=at + minutes(2), is_done=True)
            at += minutes(2)
        doors.append(planned)
    slow = course(*doors)
    assert 1.4 < pace_of(slow, legs_of(slow)) < 2
    found = arrivals(slow, None, now=at)
    planned_gap = doors[7].planned_at - doors[4].planned_at
    assert p50(found, 8) - p50(found, 5) > planned_gap * 1.3


def test_what_is_planned_as_waiting_for_a_window_is_no_travel() -> None:
    """Two hours for a kilometre: the van waits; being early does not help, being late does not add the waiting."""
    far = door(2, planned=130, metres=3_000)
    early = arrivals(course(THREE[0], far), None, now=EIGHT)
    assert p50(early, 2) == EIGHT + minutes(130)
    late = arrivals(course(THREE[0], far), None, now=EIGHT + minutes(125))
    assert EIGHT + minutes(127) < p50(late, 2) < EIGHT + minutes(140)


def test_a_window_of_time_is_wider_the_more_doors_come_first() -> None:
    found = arrivals(course(*THREE), None, now=EIGHT)
    widths = [eta.p90_at - eta.p50_at for eta in found.values()]
    assert widths == sorted(widths)
    assert widths[0] >= minutes(1)


DOORS = st.lists(
    st.tuples(
        st.floats(0, 40),  # minutes planned after the door before
        st.floats(-0.2, 0.2),
        st.floats(-0.2, 0.2),
        st.floats(0, 3_600),  # seconds of service
        st.one_of(st.none(), st.floats(-30, 120)),  # arrived so many minutes after the plan
        st.booleans(),
    ),
    min_size=1,
    max_size=12,
)
FIXES = st.one_of(st.none(), st.tuples(st.floats(-60, 600), st.floats(-0.5, 0.5), st.floats(-0.5, 0.5)))
ERRORS = st.lists(st.tuples(st.integers(1, 40), st.integers(-7_200, 7_200)), max_size=60)


@given(DOORS, FIXES, st.floats(-120, 900), st.booleans(), st.booleans(), ERRORS)
def test_whatever_happened_no_arrival_is_before_now_or_before_the_one_before_and_the_band_is_never_upside_down(
    doors: list[tuple[float, float, float, float, float | None, bool]],
    seen: tuple[float, float, float] | None,
    now_minutes: float,
    started: bool,
    depot_known: bool,
    errors: list[tuple[int, int]],
) -> None:
    now, made, planned = EIGHT + minutes(now_minutes), [], EIGHT
    for place, (gap, latitude, longitude, service_s, arrived, is_done) in enumerate(doors):
        planned += minutes(gap)
        point = DEPOT[0] + latitude, DEPOT[1] + longitude
        arrived_at = None if arrived is None else planned + minutes(arrived)
        made.append(Door(IDS[place], *point, planned, service_s, arrived_at, is_done=is_done))
    fix = None if seen is None else Fix(now - minutes(seen[0]), DEPOT[0] + seen[1], DEPOT[1] + seen[2])
    whole = Course(EIGHT, EIGHT if started else None, DEPOT if depot_known else None, made)
    found = arrivals(whole, fix, now=now, spread=spread_of(errors))
    assert [*found] == [one.delivery_id for one in made if not one.is_done and one.arrived_at is None]
    before = Eta(now, now, -1)
    for eta in found.values():
        assert eta.p50_at >= before.p50_at
        assert eta.p90_at >= before.p90_at
        assert eta.p90_at >= eta.p50_at >= now
        assert eta.stops_before > before.stops_before
        before = eta


def test_what_was_learned_moves_the_band_towards_what_was_measured() -> None:
    usual, sharp = Spread(), spread_of([(1, second) for second in range(-60, 60)])
    wild = spread_of([(1, 60 * late) for late in range(-60, 60)])
    assert sharp.late_s(1) < usual.late_s(1) < wild.late_s(1)
    assert wild.late_s(9) >= wild.late_s(1), "what is farther off is never surer"
    few = spread_of([(1, 3_600)])
    assert usual.late_s(1) < few.late_s(1) < 600, "one arrival is not the truth"


@pytest.mark.parametrize("legs", [1, 2, 5, 40])
def test_a_band_is_never_narrower_than_a_minute(legs: int) -> None:
    assert spread_of([(legs, -9_000)] * 500).late_s(legs) >= 60
