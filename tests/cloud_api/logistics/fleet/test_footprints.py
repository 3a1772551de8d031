"""What a distance burns, emits and costs."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.logistics.fleet.footprints import Footprint, footprint


@dataclass
class Wheels:
    vehicle_type: str = "van"
    fuel_type: str = "diesel"
    fuel_l_per_100km: float | None = 10.0
    energy_kwh_per_100km: float | None = None
    co2_g_per_km: int | None = None
    fixed_cost_minor: int = 50_000
    cost_per_km_minor: int = 1_250


@pytest.mark.parametrize(
    ("wheels", "expected"),
    [
        (Wheels(), Footprint(fuel_ml=4_200, energy_wh=0, co2_g=11_256, cost_minor=102_500)),
        (Wheels(fuel_type="petrol"), Footprint(fuel_ml=4_200, energy_wh=0, co2_g=9_702, cost_minor=102_500)),
        (Wheels(fuel_type="cng"), Footprint(fuel_ml=4_200, energy_wh=0, co2_g=7_602, cost_minor=102_500)),
        # what somebody measured comes before what follows from its fuel
        (Wheels(co2_g_per_km=100), Footprint(fuel_ml=4_200, energy_wh=0, co2_g=4_200, cost_minor=102_500)),
        (
            Wheels(fuel_type="electric", energy_kwh_per_100km=25.0),
            Footprint(fuel_ml=0, energy_wh=10_500, co2_g=7_518, cost_minor=102_500),
        ),
        # nobody measured: a usual van, a usual truck
        (Wheels(fuel_l_per_100km=None), Footprint(fuel_ml=4_620, energy_wh=0, co2_g=12_390, cost_minor=102_500)),
        (
            Wheels("truck", fuel_l_per_100km=None),
            Footprint(fuel_ml=9_240, energy_wh=0, co2_g=24_780, cost_minor=102_500),
        ),
    ],
)
def test_forty_two_kilometres_leave_this(wheels: Wheels, expected: Footprint) -> None:
    assert footprint(wheels, 42_000) == expected


def test_a_van_that_stays_costs_nothing() -> None:
    assert footprint(Wheels(), 0) == Footprint(0, 0, 0, 0)


def test_a_distance_below_nothing_is_none() -> None:
    with pytest.raises(ValueError, match="-1 m"):
        footprint(Wheels(), -1)


KINDS = st.builds(
    Wheels,
    st.sampled_from(["van", "truck", "bike", "car"]),
    st.sampled_from(["petrol", "diesel", "electric", "cng"]),
    st.none() | st.floats(0.1, 500),
    st.none() | st.floats(0.1, 500),
    st.none() | st.integers(0, 10_000),
    st.integers(0, 10**9),
    st.integers(0, 10**6),
)


@given(KINDS, st.integers(0, 10**6), st.integers(0, 10**6))
def test_farther_is_never_less(wheels: Wheels, one_m: int, more_m: int) -> None:
    near, far = footprint(wheels, one_m), footprint(wheels, one_m + more_m)
    assert (near.fuel_ml, near.energy_wh, near.co2_g, near.cost_minor) <= (
        far.fuel_ml,
        far.energy_wh,
        far.co2_g,
        far.cost_minor,
    )
    assert min(near.fuel_ml, near.energy_wh) == 0
