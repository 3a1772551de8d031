"""Units as makers write them -> UCUM, and the one unit of each quantity that Coldfleet keeps.

Source of the codes: the Unified Code for Units of Measure (ucum.org); of the factors: the SI brochure and the
international pound, ounce and inch. Temperatures are kept in `Cel`, pressures in `hPa`, voltages in `V`, masses in
`kg`, shares in `%`. Letter case tells (`mV`, `MV`): it is never folded here.
"""

from typing import NamedTuple

from gateway.decoders.decoded import DecodeError


class Conversion(NamedTuple):
    """`(value + before) * times / by` is the value in `unit`."""

    unit: str
    before: float = 0.0
    times: float = 1.0
    by: float = 1.0


_SPELLINGS: tuple[tuple[Conversion, tuple[str, ...]], ...] = (
    (Conversion("Cel"), ("Cel", "°C", "℃", "ºC", "C", "degC", "deg C", "celsius", "Celsius", "degrees_celsius")),
    (
        Conversion("Cel", before=-32.0, times=5.0, by=9.0),
        ("[degF]", "°F", "℉", "ºF", "F", "degF", "deg F", "fahrenheit", "Fahrenheit", "degrees_fahrenheit"),
    ),
    (Conversion("Cel", before=-273.15), ("K", "°K", "kelvin", "Kelvin")),
    (Conversion("%"), ("%", "%RH", "%rh", "% RH", "%r.H.", "RH%", "%EL", "pct", "percent", "Percent")),
    # SenML's "/" and its kin are a share of one
    (Conversion("%", times=100.0), ("/", "fraction", "ratio")),
    (Conversion("1"), ("1", "count", "lqi", "#")),
    (Conversion("hPa"), ("hPa", "hpa", "mbar", "mBar", "millibar", "hectopascal")),
    (Conversion("hPa", by=100.0), ("Pa", "pascal")),
    (Conversion("hPa", times=10.0), ("kPa", "kilopascal")),
    (Conversion("hPa", times=1000.0), ("bar", "Bar")),
    (Conversion("hPa", times=10_000.0), ("MPa",)),
    (Conversion("hPa", times=33.863886666667), ("inHg", "[in_i'Hg]", "inHG", "inchHg")),
    (Conversion("hPa", times=1.33322387415), ("mmHg", "mm[Hg]", "mmHG", "Torr")),
    (Conversion("hPa", times=68.947572931683), ("psi", "PSI", "[psi]")),
    (Conversion("V"), ("V", "volt", "Volt", "VDC", "Vdc")),
    (Conversion("V", by=1000.0), ("mV", "millivolt")),
    (Conversion("A"), ("A", "ampere", "Amp")),
    (Conversion("A", by=1000.0), ("mA", "milliampere")),
    (Conversion("W"), ("W", "watt")),
    (Conversion("W", times=1000.0), ("kW",)),
    (Conversion("kW.h"), ("kWh", "kW.h")),
    (Conversion("kW.h", by=1000.0), ("Wh", "W.h")),
    (Conversion("Hz"), ("Hz", "hertz")),
    (Conversion("lx"), ("lx", "lux", "Lux", "LX")),
    (Conversion("ppm"), ("ppm", "PPM", "[ppm]")),
    (Conversion("ppb"), ("ppb", "PPB", "[ppb]")),
    (Conversion("ug/m3"), ("ug/m3", "µg/m³", "μg/m³", "ug/m³", "µg/m3", "μg/m3")),
    (Conversion("mg/m3"), ("mg/m3", "mg/m³")),
    (Conversion("dBm"), ("dBm", "dBmW", "dbm", "[dBm]")),
    (Conversion("dB"), ("dB", "db")),
    (Conversion("kg"), ("kg", "KG", "Kg", "kilogram")),
    (Conversion("kg", by=1000.0), ("g", "gram", "gr")),
    (Conversion("kg", by=1_000_000.0), ("mg", "milligram")),
    (Conversion("kg", times=1000.0), ("t", "tonne", "ton_metric")),
    (Conversion("kg", times=0.45359237), ("lb", "lbs", "LB", "[lb_av]", "pound")),
    (Conversion("kg", times=0.028349523125), ("oz", "OZ", "[oz_av]", "ounce")),
    (Conversion("N"), ("N", "newton")),
    (Conversion("m"), ("m", "metre", "meter")),
    (Conversion("m", by=100.0), ("cm",)),
    (Conversion("m", by=1000.0), ("mm",)),
    (Conversion("m", times=0.0254), ("in", "[in_i]")),
    (Conversion("m", times=0.3048), ("ft", "[ft_i]")),
    (Conversion("m/s"), ("m/s",)),
    (Conversion("m/s", by=3.6), ("km/h",)),
    (Conversion("m/s2"), ("m/s2", "m/s²")),
    (Conversion("L"), ("L", "l", "litre", "liter")),
    (Conversion("m3"), ("m3", "m³")),
    (Conversion("s"), ("s", "sec", "second", "seconds")),
    (Conversion("s", by=1000.0), ("ms",)),
    (Conversion("s", times=60.0), ("min", "minute", "minutes")),
    (Conversion("s", times=3600.0), ("h", "hour", "hours")),
    (Conversion("s", times=86_400.0), ("d", "day", "days")),
    (Conversion("deg"), ("deg", "°", "degree")),
    (Conversion("bool"), ("bool", "boolean")),
)
#: unit as a maker writes it -> how to convert
CONVERSIONS: dict[str, Conversion] = {told: conversion for conversion, all_told in _SPELLINGS for told in all_told}
#: digits behind the point that a conversion may claim
_DIGITS = 9


def to_standard(value: float, unit_as_written: str) -> tuple[float, str]:
    """The value in the one unit of its quantity, and that unit's UCUM code; not touched when it is in it already.

    Raises:
        DecodeError: the unit is not known.
    """
    conversion = CONVERSIONS.get(unit_as_written)
    if conversion is None:
        conversion = CONVERSIONS.get(unit_as_written.strip())
        if conversion is None:
            raise DecodeError(f"the unit {unit_as_written!r:.40} is not known")
    unit, before, times, by = conversion
    if before == 0.0 and times == 1.0 and by == 1.0:
        return value, unit
    return round((value + before) * times / by, _DIGITS), unit
