"""Moist air at sea level, as far as a cold room needs it.

Saturation: Magnus form of Alduchov and Eskridge (1996), "Improved Magnus form approximation of saturation vapor
pressure", J. Appl. Meteor. 35, 601-609. Density and humidity ratio: ideal gas, as in ASHRAE Handbook - Fundamentals,
chapter "Psychrometrics".
"""

import math

PRESSURE_PA = 101_325.0
SPECIFIC_HEAT_J_PER_KG_K = 1006.0
#: enthalpy of vaporisation at 0 degC, taken as constant
LATENT_HEAT_J_PER_KG = 2.501e6

_GAS_CONSTANT_J_PER_KG_K = 287.055
_WATER_TO_AIR = 0.622


def saturation_pressure_pa(temperature_c: float) -> float:
    """Vapour pressure over water at which air is saturated."""
    return 610.94 * math.exp(17.625 * temperature_c / (243.04 + temperature_c))


def vapour_pressure_pa(humidity_ratio: float) -> float:
    """Partial pressure of the vapour in air that carries `humidity_ratio` kg of water per kg of dry air."""
    return PRESSURE_PA * humidity_ratio / (_WATER_TO_AIR + humidity_ratio)


def humidity_ratio(temperature_c: float, humidity_pct: float) -> float:
    """Kilograms of water per kilogram of dry air."""
    vapour_pa = saturation_pressure_pa(temperature_c) * humidity_pct / 100
    return _WATER_TO_AIR * vapour_pa / (PRESSURE_PA - vapour_pa)


def relative_humidity_pct(temperature_c: float, ratio: float) -> float:
    """Relative humidity over water; above 100 when the air carries more than it can hold."""
    return 100 * vapour_pressure_pa(ratio) / saturation_pressure_pa(temperature_c)


def density_kg_per_m3(temperature_c: float, ratio: float) -> float:
    """Density of moist air, by its virtual temperature."""
    virtual_k = (temperature_c + 273.15) * (1 + 0.608 * ratio)
    return PRESSURE_PA / (_GAS_CONSTANT_J_PER_KG_K * virtual_k)


def doorway_flow_kg_per_s(
    *, inside_c: float, inside_ratio: float, outside_c: float, outside_ratio: float, width_m: float, height_m: float
) -> float:
    """Air that a fully open doorway exchanges each second, driven by the difference of densities alone.

    Gosney and Olama (1975), as printed in ASHRAE Handbook - Refrigeration, chapter "Refrigeration Load":
    q = 0.221 A (h_out - h_in) rho_cold sqrt(1 - rho_warm / rho_cold) sqrt(g H) F_m,
    F_m = (2 / (1 + (rho_cold / rho_warm)^(1/3)))^1.5; this is the part in front of the enthalpies.
    """
    inside = density_kg_per_m3(inside_c, inside_ratio)
    outside = density_kg_per_m3(outside_c, outside_ratio)
    cold, warm = max(inside, outside), min(inside, outside)
    mixing = math.pow(2 / (1 + math.cbrt(cold / warm)), 1.5)
    return 0.221 * width_m * height_m * cold * math.sqrt(1 - warm / cold) * math.sqrt(9.81 * height_m) * mixing
