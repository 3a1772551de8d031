"""Remaining shelf life against reckoning by hand."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.catalog.categories.models import Category
from cloud_api.catalog.products.models import Product
from cloud_api.cold_chain.exposure.shelf_life import (
    DEFAULTS,
    HOUR_MS,
    Ageing,
    HourlyTemperature,
    ShelfLife,
    ageing_of,
    remaining,
)

CHILLED = Ageing(4.0, 3.0)


def left(*temperatures: list[float], days: float = 10, label_days: float | None = None) -> ShelfLife:
    """After as many hours as the first sensor has temperatures."""
    hours = {
        uuid.uuid4(): [HourlyTemperature(index * HOUR_MS, value) for index, value in enumerate(its)]
        for its in temperatures
    }
    at_ms = len(temperatures[0]) * HOUR_MS
    return remaining(CHILLED, hours, from_ms=0, at_ms=at_ms, total_days=days, label_days=label_days)


def test_a_day_at_the_reference_temperature_uses_a_day() -> None:
    found = left([4.0] * 24)
    assert found.used_days == pytest.approx(1.0)
    assert found.remaining_days == pytest.approx(9.0)


def test_ten_degrees_more_use_q10_times_as_much() -> None:
    assert left([14.0] * 24).used_days == pytest.approx(3.0)
    assert left([-6.0] * 24).used_days == pytest.approx(1 / 3)


def test_of_two_sensors_the_worst_counts_and_they_are_not_added_up() -> None:
    assert left([4.0] * 24, [14.0] * 24).used_days == pytest.approx(3.0)


def test_hours_that_nobody_measured_count_as_the_reference_and_are_named() -> None:
    found = remaining(
        CHILLED,
        {uuid.uuid4(): [HourlyTemperature(0, 14.0)]},
        from_ms=0,
        at_ms=24 * HOUR_MS,
        total_days=10,
        label_days=None,
    )
    assert found.unknown_hours == 23
    assert found.used_days == pytest.approx((3 + 23) / 24)


def test_a_colder_life_never_outlasts_the_label_and_a_hot_one_ends_at_nothing() -> None:
    assert left([-16.0] * 24, label_days=9).remaining_days == 9
    assert left([44.0] * 240, label_days=9).remaining_days == 0


def product(**fields: object) -> Product:
    nothing = {"reference_temperature_c": None, "q10": None, "storage_temperature_max_c": None}
    return Product(**{**nothing, **fields})


def test_the_product_says_it_first_then_its_category_then_how_it_is_stored() -> None:
    leafy = Category(reference_temperature_c=2.0, q10=3.5)
    assert ageing_of(product(reference_temperature_c=0.0, q10=2.5), leafy, "freezer") == Ageing(0.0, 2.5)
    assert ageing_of(product(q10=2.5), leafy, "freezer") == Ageing(2.0, 2.5)
    assert ageing_of(product(), None, "freezer") == DEFAULTS["freezer"]
    assert ageing_of(product(storage_temperature_max_c=7.0), None, "cold_storage") == Ageing(7.0, 3.0)


@given(st.lists(st.floats(-30, 40), min_size=1, max_size=48), st.integers(0, 47), st.floats(0.1, 10))
def test_a_warmer_hour_never_leaves_more(temperatures: list[float], which: int, warmer: float) -> None:
    hotter = list(temperatures)
    hotter[which % len(hotter)] += warmer
    assert left(hotter, days=1e6).remaining_days < left(temperatures, days=1e6).remaining_days
