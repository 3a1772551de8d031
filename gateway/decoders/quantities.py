"""What a name that a user has written says: `tempF`, `battery_mv` or `Freezer Temperature` -> quantity and unit.

For makers whose messages carry names of their users' choice. A name is read from its end: an index and a unit are
taken off, what is left must end with one of the words below; what stands before it tells sensors of one device apart.
"""

import math
import re
from functools import lru_cache
from typing import NamedTuple

from gateway.decoders import json_payload
from gateway.decoders.decoded import DecodeError
from gateway.decoders.units import to_standard

#: quantity -> (the unit that goes without saying, the words for it in small letters without what separates them)
_WORDS: dict[str, tuple[str, str]] = {
    "temperature": ("Cel", "temperature temp tmp"),
    "humidity": ("%", "humidity hum humi rh relativehumidity"),
    "pressure": ("hPa", "pressure pres press baro barometer barometricpressure airpressure atmosphericpressure"),
    "battery": ("%", "battery batt bat batterylevel battlevel batlevel batterycharge batteryremaining"),
    "battery_voltage": ("V", "batteryvoltage batteryvolt battvoltage battvolt batvoltage batvolt vbat vbatt"),
    "voltage": ("V", "voltage volt volts vcc vdd"),
    "current": ("A", "current"),
    "power": ("W", "power"),
    "energy": ("kWh", "energy"),
    "rssi": ("dBm", "rssi signalstrength wifisignal"),
    "snr": ("dB", "snr"),
    "illuminance": ("lx", "illuminance lux light lightlevel luminosity illumination"),
    "co2": ("ppm", "co2 carbondioxide eco2"),
    "tvoc": ("ppb", "tvoc voc"),
    "pm25": ("ug/m3", "pm25"),
    "pm10": ("ug/m3", "pm10"),
    "moisture": ("%", "moisture soilmoisture"),
    "dew_point": ("Cel", "dewpoint"),
    "mass": ("kg", "weight mass"),
    "contact": ("bool", "contact doorcontact reed"),
    "door_open": ("bool", "door dooropen dooropened doorstate doorstatus open"),
    "water_leak": ("bool", "waterleak leak leakage flood waterleakage"),
    "occupancy": ("bool", "occupancy motion presence pir"),
    "online": ("bool", "online"),
}
_QUANTITIES = {word: (quantity, unit) for quantity, (unit, words) in _WORDS.items() for word in words.split()}
#: the end of a name in small letters -> unit
_ENDINGS = {
    "c": "Cel", "degc": "Cel", "celsius": "Cel", "f": "°F", "degf": "°F", "fahrenheit": "°F", "k": "K", "kelvin": "K",
    "pct": "%", "percent": "%", "percentage": "%", "perc": "%", "rh": "%", "hpa": "hPa", "mbar": "hPa", "pa": "Pa",
    "kpa": "kPa", "mv": "mV", "millivolts": "mV", "v": "V", "volt": "V", "volts": "V", "voltage": "V", "ma": "mA",
    "a": "A", "amps": "A", "w": "W", "watt": "W", "watts": "W", "kw": "kW", "wh": "Wh", "kwh": "kWh", "dbm": "dBm",
    "db": "dB", "lux": "lx", "lx": "lx", "ppm": "ppm", "ppb": "ppb", "ugm3": "ug/m3", "kg": "kg", "g": "g",
    "lb": "lb", "lbs": "lb",
}  # fmt: skip
#: standard unit -> quantity, where the unit leaves no doubt
_BY_UNIT = {
    "Cel": "temperature", "hPa": "pressure", "V": "voltage", "A": "current", "W": "power", "kW.h": "energy",
    "lx": "illuminance", "dBm": "rssi", "kg": "mass",
}  # fmt: skip
_TOKEN = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_NOT_A_WORD = re.compile(r"[^a-z0-9]+")
#: what is longer is not worth being remembered
_LONGEST_NAME, _LONGEST_UNIT = 120, 20
_TRUE = frozenset({"true", "on", "1", "yes", "wet", "online", "detected", "up"})
_FALSE = frozenset({"false", "off", "0", "no", "dry", "offline", "clear", "down"})
_OPEN = frozenset({"open", "opened"})
_CLOSED = frozenset({"closed", "close"})
#: instead of a value: the device is there, its value is not. Nothing is lost by saying nothing
NO_VALUE = frozenset({"", "unavailable", "unknown", "none", "null", "undefined"})


class Named(NamedTuple):
    """What a name says."""

    #: tells several sensors of one device apart; empty: the name is the quantity's alone
    part: str
    quantity: str
    #: as `units.to_standard` takes it
    unit: str


class Meaning(NamedTuple):
    """What a value is, whatever of name and unit was given."""

    quantity: str
    #: as `units.to_standard` takes it, or as its maker wrote it
    unit: str
    #: whether anything has told what is measured
    is_known: bool


def named(name: str) -> Named | None:
    """What a name says; None when it says nothing."""
    return _named(name) if len(name) <= _LONGEST_NAME else None


def meaning(name: str, unit: str = "") -> Meaning:
    """What a value of this name in this unit, empty when none was told, is. A name may be a path: its end counts."""
    return _meaning(name[-_LONGEST_NAME:], unit[:_LONGEST_UNIT])


@lru_cache(maxsize=1024)
def _named(name: str) -> Named | None:
    tokens = [token.lower() for token in _TOKEN.findall(name)]
    for start in range(len(tokens)):
        found = _read(tokens[start:])
        if found is not None:
            index, quantity, unit = found
            return Named("_".join([*tokens[:start], *index]), quantity, unit)
    return None


@lru_cache(maxsize=1024)
def _meaning(name: str, unit: str) -> Meaning:
    label = name.rpartition("/")[2] or name
    said = _named(label)
    if not unit:
        return Meaning(said.quantity, said.unit, True) if said else Meaning(slug(label), "1", False)
    code = _standard_unit(unit)
    if said and code == _standard_unit(said.unit):
        return Meaning(said.quantity, unit, True)
    if said and said.quantity == "battery" and code == "V":
        return Meaning("battery_voltage", unit, True)
    by_unit = "humidity" if "RH" in unit.upper() else _BY_UNIT.get(code)
    return Meaning(by_unit or slug(label), unit, True)


def standard(value: float, unit: str) -> tuple[float, str]:
    """The value in its quantity's one unit; as it is, when the unit is none that is known.

    Raises:
        DecodeError: the value is no finite number, or is none once it is converted.
    """
    try:
        converted, code = to_standard(value, unit)
    except DecodeError:
        converted, code = value, unit.strip()[:20] or "1"
    if not math.isfinite(converted):
        raise DecodeError(f"{value!r:.40} {unit:.20} is no number")
    return converted, code


def state(quantity: str, told: object) -> tuple[str, float] | None:
    """A quantity of the unit `bool` and its value, from a JSON boolean, 0, 1 or a word; None when it is none of them.

    A door that is open is a contact that is not closed: `door_open` becomes `contact`.
    """
    value = _truth(told)
    if value is None:
        word = told.strip().lower() if isinstance(told, str) and len(told) < _LONGEST_UNIT else ""
        if word not in _OPEN and word not in _CLOSED:
            return None
        value = word in _OPEN if quantity not in ("contact", "door_open") else word in _CLOSED
        return ("contact" if quantity == "door_open" else quantity), float(value)
    return ("contact", float(not value)) if quantity == "door_open" else (quantity, float(value))


def _truth(told: object) -> bool | None:
    if isinstance(told, bool):
        return told
    if isinstance(told, int | float):
        return bool(told) if told in (0, 1) else None
    word = told.strip().lower() if isinstance(told, str) and len(told) < _LONGEST_UNIT else ""
    return True if word in _TRUE else False if word in _FALSE else None


def figure(told: object) -> float | None:
    """A finite number, as JSON or as its text; None for everything else."""
    if isinstance(told, str):
        if len(told) > _LONGEST_UNIT * 2 or "_" in told:
            return None
        try:
            value = float(told)
        except ValueError:
            return None
        return value if math.isfinite(value) else None
    return json_payload.number(told)


def slug(name: str) -> str:
    """A name as a quantity: small letters, digits and underscores."""
    return _NOT_A_WORD.sub("_", name[:_LONGEST_NAME].lower()).strip("_")[:60] or "value"


def _read(tokens: list[str]) -> tuple[list[str], str, str] | None:
    """(index, quantity, unit) when all tokens together are a quantity, with an index and a unit in either order."""
    for ending in (0, 1, 2):
        if ending >= len(tokens):
            return None
        unit = _ENDINGS.get("".join(tokens[-ending:])) if ending else ""
        if unit is None:
            continue
        body = tokens[: len(tokens) - ending] if ending else tokens
        found = _with_index(body, unit)
        if found is not None:
            return found
    if len(tokens) > 2 and tokens[-1].isdigit():  # temp_c_1
        found = _read(tokens[:-1])
        if found is not None and not found[0]:
            return [tokens[-1]], found[1], found[2]
    return None


def _with_index(tokens: list[str], unit: str) -> tuple[list[str], str, str] | None:
    found = _quantity("".join(tokens), unit)
    if found is not None:
        return [], *found
    if len(tokens) > 1 and tokens[-1].isdigit():
        found = _quantity("".join(tokens[:-1]), unit)
        if found is not None:
            return [tokens[-1]], *found
    return None


def _quantity(word: str, unit: str) -> tuple[str, str] | None:
    found = _QUANTITIES.get(word)
    if found is None or not unit:
        return found
    quantity, usual = found
    if quantity == "battery" and unit in ("V", "mV"):
        return "battery_voltage", unit
    return (quantity, unit) if _standard_unit(unit) == _standard_unit(usual) else None


@lru_cache(maxsize=256)
def _standard_unit(unit: str) -> str:
    try:
        return to_standard(0.0, unit)[1]
    except DecodeError:
        return unit
