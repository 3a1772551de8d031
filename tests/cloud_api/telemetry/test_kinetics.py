"""Mean kinetic temperature against sums that were done by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.telemetry.series.kinetics import mean_kinetic_c, rates
from tests.factories.properties import FEW


def kinetic(*temperatures_c: float) -> float:
    total, count = np.array([rates(np.array(temperatures_c)).sum()]), np.array([len(temperatures_c)])
    return float(mean_kinetic_c(total, count)[0])


def test_it_is_what_a_hand_calculation_says() -> None:
    # e^(-10000/275.15) = 1.6447e-16, e^(-10000/281.15) = 3.5721e-16, e^(-10000/298.15) = 2.7145e-15:
    # their mean is 1.0787e-15, and 10000 / -ln of that is 290.166 K
    assert kinetic(2.0, 8.0, 25.0) == pytest.approx(17.016338583705757, abs=1e-9)
    assert kinetic(20.0, 22.0, 30.0) == pytest.approx(25.042212504102832, abs=1e-9)


def test_one_warm_hour_of_a_day_weighs_more_than_its_twenty_fourth() -> None:
    day = [5.0] * 23 + [25.0]
    assert kinetic(*day) == pytest.approx(7.756421961545362, abs=1e-9)
    assert kinetic(*day) > np.mean(day) + 1.9


@FEW
@given(temperatures=st.lists(st.floats(-80, 80), min_size=1, max_size=50))
def test_it_lies_between_the_mean_and_the_warmest(temperatures: list[float]) -> None:
    # Arrhenius' curve bends upwards below dH / (2 R) kelvin, which is far above any of these
    assert np.mean(temperatures) - 1e-6 <= kinetic(*temperatures) <= max(temperatures) + 1e-6


def test_of_nothing_there_is_none_and_what_cannot_be_measured_breaks_nothing() -> None:
    assert np.isnan(mean_kinetic_c(np.array([0.0]), np.array([0]))[0])
    assert kinetic(-400.0, 5.0) < 5.0
