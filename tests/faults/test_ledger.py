"""The judge itself: each invariant, broken once."""

from typing import Any

import pytest

from tests.faults import ledger

EPOCH = "e" * 32


def verdict(
    runs: list[tuple[int, int]],
    *,
    acknowledged: int = 10,
    resumed_at: tuple[int, ...] = (),
    sequences: list[tuple[int, int]] | None = None,
    gaps: tuple[tuple[int, int], ...] = (),
    end_unknown_from: int = 0,
    stored_twice: int = 0,
    told: tuple[str, ...] = (),
    repeats: int = 0,
    broker_loses: bool = False,
) -> list[str]:
    load = {
        "sensors": [
            {
                "sensor": "sensor-000",
                "sent": acknowledged + 2,
                "acknowledged": acknowledged,
                "resumed_at": resumed_at,
                "surprises": 0,
            }
        ]
    }
    rows = sum(last - first + 1 for first, last in runs)
    details: dict[str, Any] = {
        "series": {"z2m:sensor-000": runs},
        "sequences": [[EPOCH, "readings", sequences or [(1, rows)]]],
        "gaps": [
            {"epoch": EPOCH, "lane": "readings", "first": first, "last": last, "rows": last - first + 1}
            for first, last in gaps
        ],
    }
    if end_unknown_from:
        unknown = {"epoch": EPOCH, "lane": "readings", "first": end_unknown_from, "last": end_unknown_from, "rows": 0}
        details["gaps"].append(unknown)
    counts = {"complaints": told, "stored_twice": stored_twice}
    return ledger.complaints(load, counts, details, repeats=repeats, broker_loses=broker_loses)


@pytest.mark.parametrize(
    ("runs", "resumed_at"),
    [
        ([(0, 9)], ()),
        ([(0, 11)], ()),  # sent, and the acknowledgement was on its way
        ([(0, 5), (4, 9)], (4,)),
        ([(0, 9)], (6,)),  # it began again where it was
        ([(0, 5), (3, 7), (7, 9)], (3, 7)),
        ([(0, 5), (3, 9)], (2, 3)),  # nothing of the first attempt arrived
    ],
)
def test_what_is_well_is_well(runs: list[tuple[int, int]], resumed_at: tuple[int, ...]) -> None:
    assert verdict(runs, resumed_at=resumed_at) == []


@pytest.mark.parametrize(
    ("runs", "complaint"),
    [
        ([(0, 8)], "1 of 10 acknowledged messages are lost"),
        ([], "10 of 10 acknowledged messages are lost"),
        ([(1, 9)], "begins with 1"),
        ([(0, 3), (5, 9)], "after 3 comes 5"),
        ([(0, 5), (4, 9)], "steps back from 5 to 4"),
        ([(0, 12)], "never sent"),
    ],
)
def test_what_is_lost_reordered_or_invented_is_found(runs: list[tuple[int, int]], complaint: str) -> None:
    assert any(complaint in found for found in verdict(runs)), verdict(runs)


def test_a_sensor_that_began_again_excuses_one_step_back_only() -> None:
    assert verdict([(0, 5), (4, 6), (4, 9)], resumed_at=(4,))
    assert verdict([(0, 5), (5, 9)], resumed_at=(4,))


def test_a_broker_that_began_again_excuses_as_many_steps_as_it_did() -> None:
    assert verdict([(0, 5), (4, 9)], repeats=1) == []
    assert verdict([(0, 5), (4, 6), (5, 9)], repeats=1)


def test_what_the_cloud_complains_of_is_told() -> None:
    assert verdict([(0, 9)], stored_twice=1) == ["1 rows were stored twice"]
    assert verdict([(0, 9)], told=("no",)) == ["the cloud: no"]


def test_a_hole_must_be_named_by_a_gap() -> None:
    assert "3 to 4 never came" in verdict([(0, 9)], sequences=[(1, 2), (5, 12)])[0]
    assert verdict([(0, 9)], sequences=[(1, 2), (5, 12)], gaps=((3, 4),)) == []
    assert verdict([(0, 1), (4, 9)], sequences=[(1, 2), (5, 10)], gaps=((3, 4),)) == []


def test_a_gap_excuses_no_more_than_it_names() -> None:
    found = verdict([(0, 1), (5, 9)], sequences=[(1, 2), (5, 9)], gaps=((3, 4),))
    assert found == ["z2m:sensor-000: 3 of 10 acknowledged messages are lost"]


def test_an_end_that_nobody_can_measure_excuses_what_lay_there() -> None:
    assert verdict([(0, 3)], end_unknown_from=5) == []
    assert verdict([(0, 3)], sequences=[(1, 2), (4, 4)], end_unknown_from=5)


def test_what_a_broker_lost_is_not_ours_but_what_it_made_up_is() -> None:
    assert verdict([(0, 3), (6, 8)], broker_loses=True) == []
    assert verdict([(0, 3), (6, 12)], broker_loses=True)
