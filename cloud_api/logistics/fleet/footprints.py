"""What a distance burns, emits and costs: pure."""

from dataclasses import dataclass
from typing import Protocol

#: grams of CO2 of a litre, tank to wheel (IPCC 2006 Guidelines, volume 2, tables 1.2 and 1.4, with usual densities);
#: of CNG of as much as takes one as far as a litre of petrol, 0.66 kg
_CO2_G_PER_L = {"petrol": 2_310, "diesel": 2_680, "cng": 1_810}
#: of the Indian grid (CEA, CO2 Baseline Database, version 19, 2022-23)
_CO2_G_PER_KWH = 716
#: (litres, kilowatt-hours) of 100 km in a city, where nobody measured
_USUAL = {"truck": (22.0, 90.0), "van": (11.0, 28.0), "car": (7.0, 17.0), "bike": (2.5, 4.0)}


class Burns(Protocol):
    """A vehicle, as far as its consumption and cost are concerned."""

    vehicle_type: str
    fuel_type: str
    fuel_l_per_100km: float | None
    energy_kwh_per_100km: float | None
    co2_g_per_km: int | None
    fixed_cost_minor: int
    cost_per_km_minor: int


@dataclass(frozen=True)
class Footprint:
    """Of one drive."""

    #: of petrol or diesel; of CNG as `Vehicle.fuel_l_per_100km` counts it; 0 of an electric one
    fuel_ml: int
    #: from the socket; 0 of all others
    energy_wh: int
    co2_g: int
    #: the day's fixed cost included; minor units of the organisation's currency
    cost_minor: int


def fuel_l_per_100km(vehicle: Burns) -> float:
    """What it burns, or a usual one of its type; 0 of an electric one."""
    if vehicle.fuel_type == "electric":
        return 0.0
    return vehicle.fuel_l_per_100km if vehicle.fuel_l_per_100km is not None else _USUAL[vehicle.vehicle_type][0]


def energy_kwh_per_100km(vehicle: Burns) -> float:
    """What an electric one takes from the socket, or a usual one of its type; 0 of all others."""
    if vehicle.fuel_type != "electric":
        return 0.0
    return vehicle.energy_kwh_per_100km if vehicle.energy_kwh_per_100km is not None else _USUAL[vehicle.vehicle_type][1]


def co2_g_per_km(vehicle: Burns) -> int:
    """What somebody said that it emits, or what follows from what it burns."""
    if vehicle.co2_g_per_km is not None:
        return vehicle.co2_g_per_km
    if vehicle.fuel_type == "electric":
        return round(energy_kwh_per_100km(vehicle) * _CO2_G_PER_KWH / 100)
    return round(fuel_l_per_100km(vehicle) * _CO2_G_PER_L[vehicle.fuel_type] / 100)


def footprint(vehicle: Burns, distance_m: int) -> Footprint:
    """What a drive of that length burns, emits and costs; one of no length costs nothing.

    Raises:
        ValueError: when the distance is negative.
    """
    if distance_m < 0:
        raise ValueError(f"a distance of {distance_m} m is none")
    driven = vehicle.fixed_cost_minor if distance_m else 0
    return Footprint(
        fuel_ml=round(fuel_l_per_100km(vehicle) * distance_m / 100),
        energy_wh=round(energy_kwh_per_100km(vehicle) * distance_m / 100),
        co2_g=round(co2_g_per_km(vehicle) * distance_m / 1_000),
        cost_minor=driven + round(vehicle.cost_per_km_minor * distance_m / 1_000),
    )
