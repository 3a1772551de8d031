"""Mean kinetic temperature: the one constant temperature that would have done the same harm as all that were.

Harm by warmth follows Arrhenius' law, so warm hours weigh more than cold ones. With readings T_i in kelvin, each of
the same weight,

    T_k = (dH / R) / -ln(mean(exp(-dH / (R T_i))))

J. D. Haynes, Worldwide virtual temperatures for product stability testing, Journal of Pharmaceutical Sciences 60
(1971) 927-929; USP general chapter <1079.2>, Mean Kinetic Temperature (before: <1079>). dH is 83.144 kJ/mol and R
8.3144 J/(mol K), as the pharmacopoeia has them, so that dH / R is 10,000 K.
"""

import numpy as np
import numpy.typing as npt

#: activation energy, J/mol
ACTIVATION_J_MOL = 83_144.0
#: gas constant, J/(mol K)
GAS_J_MOL_K = 8.3144
_RATIO_K = ACTIVATION_J_MOL / GAS_J_MOL_K
_ZERO_C_K = 273.15
#: the coldest that is weighed: what a sensor says below cannot be, and kelvin must be positive
_COLDEST_C = -273.0


def rates(temperatures_c: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """exp(-dH / (R T)) of temperatures in degrees Celsius: what is averaged; same shape."""
    weighed: npt.NDArray[np.float64] = np.exp(-_RATIO_K / (np.maximum(temperatures_c, _COLDEST_C) + _ZERO_C_K))
    return weighed


def mean_kinetic_c(totals: npt.NDArray[np.float64], counts: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Degrees Celsius, of sums of `rates` and how many were summed; NaN where there was none; same shape."""
    with np.errstate(divide="ignore", invalid="ignore"):
        kinetic: npt.NDArray[np.float64] = _RATIO_K / -np.log(totals / counts) - _ZERO_C_K
    return np.where(counts > 0, kinetic, np.nan)
