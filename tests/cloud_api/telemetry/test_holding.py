"""How long values last."""

import uuid
from collections.abc import Sequence

import numpy as np
import pytest

from cloud_api.devices.sensors.known import EVER, Correction, KnownSensor, Placement
from cloud_api.telemetry.series.holding import held, longest_ms, union_s
from cloud_api.telemetry.series.streams import FOREVER, Stream
from cloud_api.telemetry.stores.port import Readings

MINUTE_MS = 60_000


def stream(
    *, expected_ms: int | None = 5 * MINUTE_MS, stays: tuple[tuple[int, int], ...] = ((EVER, FOREVER),)
) -> Stream:
    sensor = KnownSensor(
        id=uuid.uuid4(),
        gateway_id=uuid.uuid4(),
        code="z2m:x",
        quantity="temperature",
        unit="Cel",
        status="active",
        location_id=None,
        interval_s=None,
        corrections=(Correction(EVER),),
        placements=(Placement(EVER, None),),
    )
    return Stream(sensor, "UTC", expected_ms, stays)


def readings(*rows: tuple[int, float], bad: Sequence[int] = ()) -> Readings:
    """(minute, value); `bad` are indexes."""
    return Readings(
        np.array([minute * MINUTE_MS for minute, _ in rows], np.int64),
        np.arange(len(rows), dtype=np.int64),
        np.array([value for _, value in rows], np.float64),
        np.array([2 if index in bad else 0 for index in range(len(rows))], np.int8),
    )


def minutes(of: Stream, its: Readings, *edges: int, until: int = 1_000) -> list[float]:
    grid = np.array([minute * MINUTE_MS for minute in edges], np.int64)
    seconds: list[float] = (held(of, its, until_ms=until * MINUTE_MS).seconds(grid) / 60).tolist()
    return seconds


def test_a_reading_holds_until_the_next_one_and_across_buckets() -> None:
    assert minutes(stream(), readings((0, 4), (5, 9), (10, 4)), 0, 3, 6, 9, 12) == [3, 3, 3, 3]
    hot = held(stream(), readings((0, 4), (5, 9), (10, 4)), until_ms=12 * MINUTE_MS)
    grid = np.array([0, 3, 6, 9, 12], np.int64) * MINUTE_MS
    assert (hot.where(hot.values > 8).seconds(grid) / 60).tolist() == [0, 1, 3, 1]


def test_it_holds_three_periods_at_most() -> None:
    assert minutes(stream(), readings((0, 4), (60, 4)), 0, 60, 120) == [15, 15]
    assert longest_ms(None) == 15 * MINUTE_MS
    assert minutes(
        stream(expected_ms=None),
        readings(
            (0, 4),
        ),
        0,
        60,
    ) == [15]


def test_a_bad_reading_neither_holds_nor_ends_what_holds() -> None:
    assert minutes(stream(), readings((0, 4), (5, 99), (8, 4), bad=[1]), 0, 5, 10, until=10) == [5, 5]


def test_nothing_holds_into_the_future_nor_in_a_place_that_the_sensor_has_left() -> None:
    assert minutes(stream(), readings((0, 4)), 0, 60, until=7) == [7]
    left = stream(stays=((EVER, 6 * MINUTE_MS), (12 * MINUTE_MS, FOREVER)))
    assert minutes(left, readings((0, 4), (5, 4), (10, 4), (15, 4)), 0, 20, until=20) == [11]


def test_of_two_readings_of_one_moment_the_later_one_counts() -> None:
    found = held(stream(), readings((0, 4), (0, 9), (5, 4)), until_ms=5 * MINUTE_MS)
    assert found.values.tolist() == [9]


def test_what_several_sensors_cover_is_counted_once() -> None:
    first = held(stream(), readings((0, 4), (30, 4)), until_ms=100 * MINUTE_MS)
    second = held(stream(), readings((10, 4), (40, 4)), until_ms=100 * MINUTE_MS)
    assert union_s([first, second], 0, 100 * MINUTE_MS) / 60 == pytest.approx(25 + 25)
    assert union_s([first, second], 20 * MINUTE_MS, 35 * MINUTE_MS) / 60 == pytest.approx(5 + 5)
    assert union_s([], 0, 100) == 0
    assert union_s([held(stream(), readings(), until_ms=9)], 0, 100) == 0
