"""Milesight's LoRaWAN payload: a list of (channel, type, value), values little-endian. No topic of its own.

Source: Milesight's user guides and payload descriptions of EM300, EM310, EM320, EM400, EM500, AM100, AM300, TS101,
TS201, TS301 and WS301. The type tells how many bytes follow, channel and type together what they are, and where two
models disagree (05 00 is a leak, a movement or a digital input) the model. Records of the device's memory (20 CE) carry
their own time, and are as long as the model makes them; when it is not known, as long as fits what follows.
Used where a network server hands on raw bytes; a server with Milesight's codec has decoded them already.
"""

import re
import struct
from collections.abc import Callable
from functools import lru_cache

#: quantity, value, unit, channel ("": the device itself), milliseconds since 1970 of a record (None: now)
Value = tuple[str, float, str, str, int | None]

#: the first three bytes of the device's EUI
VENDOR = "24e124"
_MODEL = re.compile(r"(?<![A-Z0-9])(?:EM|AM|TS|WS|WT|VS|UC|CT|AT|GS)-?\d{3}(?![0-9])", re.IGNORECASE)

_INT16 = struct.Struct("<h")
_UINT16 = struct.Struct("<H")
_UINT32 = struct.Struct("<I")
#: none of these devices existed before (2015): a record without a clock
_FIRST_TRUE_S = 1_420_070_400


def _tenths(field: bytes) -> float:
    return float(_INT16.unpack_from(field)[0]) / 10


def _unsigned_tenths(field: bytes) -> float:
    return float(_UINT16.unpack_from(field)[0]) / 10


def _unsigned(field: bytes) -> float:
    return float(_UINT16.unpack_from(field)[0])


def _long(field: bytes) -> float:
    return float(_UINT32.unpack_from(field)[0])


def _byte(field: bytes) -> float:
    return float(field[0])


def _halves(field: bytes) -> float:
    return field[0] / 2


def _unsigned_halves(field: bytes) -> float:
    return float(_UINT16.unpack_from(field)[0]) / 2


def _hundredths(field: bytes) -> float:
    return float(_UINT16.unpack_from(field)[0]) / 100


def _kilopascals(field: bytes) -> float:
    return float(_UINT16.unpack_from(field)[0]) * 10


def _thousandths(field: bytes) -> float:
    return float(_UINT16.unpack_from(field)[0]) / 1000


def _is_set(field: bytes) -> float:
    return float(field[0] != 0)


def _is_closed(field: bytes) -> float:
    return float(field[0] == 0)


Read = Callable[[bytes], float]
#: quantity, unit, channel, how to read it
Meaning = tuple[str, str, str, Read]

_TEMPERATURE: Meaning = ("temperature", "Cel", "", _tenths)
_TEMPERATURE_2: Meaning = ("temperature", "Cel", "2", _tenths)
_HUMIDITY: Meaning = ("humidity", "%", "", _halves)
_CO2: Meaning = ("co2", "ppm", "", _unsigned)
_PRESSURE: Meaning = ("pressure", "hPa", "", _unsigned_tenths)
_ILLUMINANCE: Meaning = ("illuminance", "lx", "", _long)
_DISTANCE: Meaning = ("distance", "m", "", _thousandths)
_CONTACT: Meaning = ("contact", "bool", "", _is_closed)
_LEAK: Meaning = ("water_leak", "bool", "", _is_set)
_MOVEMENT: Meaning = ("occupancy", "bool", "", _is_set)

#: type -> bytes behind it
_SIZES = {
    0x00: 1, 0x01: 1, 0x65: 6, 0x67: 2, 0x68: 1, 0x6A: 2, 0x73: 2, 0x75: 1, 0x77: 2, 0x7B: 2, 0x7D: 2, 0x7F: 2,
    0x82: 2, 0x88: 9, 0x94: 4, 0x9C: 1, 0xC8: 4, 0xCA: 2, 0xCB: 1, 0xD4: 6, 0xE1: 8, 0xE6: 2,
}  # fmt: skip
#: the same where channel and type together tell: alarms repeat the value, and say behind it what happened
_ALARM_SIZES = {
    (0x83, 0x67): 3, (0x84, 0x67): 3, (0x83, 0xD7): 5, (0x93, 0xD7): 5, (0x94, 0xD7): 5, (0x93, 0x67): 5,
    (0x84, 0x68): 2, (0x94, 0x68): 3, (0x84, 0x82): 3, (0x85, 0x00): 2, (0x85, 0xE1): 9,
}  # fmt: skip
#: FE and FF are the device about itself (versions, serial number, class, restart) and its answers to settings
_ABOUT_ITSELF = {
    0x01: 1, 0x02: 2, 0x03: 2, 0x06: 9, 0x08: 6, 0x09: 2, 0x0A: 2, 0x0B: 1, 0x0F: 1, 0x10: 1, 0x11: 4, 0x16: 8,
    0x17: 2, 0x18: 2, 0x1B: 5, 0x1C: 2, 0x27: 1, 0x28: 1, 0x35: 8, 0x3B: 1, 0x4A: 1, 0x68: 1, 0x69: 1, 0x6A: 3,
    0x6D: 1, 0x79: 6, 0x84: 1, 0x96: 8, 0xA0: 9, 0xEA: 3, 0xF1: 4, 0xF2: 2, 0xF5: 1, 0xFE: 1, 0xFF: 2,
}  # fmt: skip
_SENSOR_FAILED = {(0xB3, 0x67): "temperature", (0xB4, 0x67): "temperature of channel 2", (0xB4, 0x68): "humidity"}

_MEANINGS: dict[tuple[int, int], Meaning] = {
    (0x01, 0x75): ("battery", "%", "", _byte),
    (0x03, 0x67): _TEMPERATURE,
    (0x83, 0x67): _TEMPERATURE,
    (0x93, 0x67): _TEMPERATURE,
    (0x83, 0xD7): _TEMPERATURE,
    (0x93, 0xD7): _TEMPERATURE,
    (0x04, 0x67): _TEMPERATURE_2,
    (0x84, 0x67): _TEMPERATURE_2,
    (0x94, 0xD7): _TEMPERATURE_2,
    (0x04, 0x68): _HUMIDITY,
    (0x84, 0x68): _HUMIDITY,
    (0x94, 0x68): _HUMIDITY,
    (0x03, 0x00): _CONTACT,
    (0x06, 0x00): _CONTACT,
    (0x05, 0x7D): _CO2,
    (0x07, 0x7D): _CO2,
    (0x06, 0x73): _PRESSURE,
    (0x09, 0x73): _PRESSURE,
    (0x0B, 0x7D): ("pm25", "ug/m3", "", _unsigned),
    (0x0C, 0x7D): ("pm10", "ug/m3", "", _unsigned),
    (0x06, 0x65): ("illuminance", "lx", "", _unsigned),
    (0x03, 0x94): _ILLUMINANCE,
    (0x03, 0x7B): ("pressure", "hPa", "", _kilopascals),
    (0x03, 0x82): _DISTANCE,
    (0x04, 0x82): _DISTANCE,
    (0x84, 0x82): _DISTANCE,
}
#: where models disagree: how the model's name begins -> what differs
_BY_MODEL: dict[str, dict[tuple[int, int], Meaning]] = {
    "EM300-MLD": {(0x05, 0x00): _LEAK, (0x06, 0x00): _LEAK},
    "EM300-SLD": {(0x05, 0x00): _LEAK, (0x06, 0x00): _LEAK},
    "EM300-ZLD": {(0x05, 0x00): _LEAK, (0x06, 0x00): _LEAK},
    "EM500-SMT": {
        (0x04, 0x68): ("soil_moisture", "%", "", _halves),
        (0x04, 0xCA): ("soil_moisture", "%", "", _hundredths),
        (0x03, 0x67): ("soil_temperature", "Cel", "", _tenths),
    },
    "AM": {(0x05, 0x00): _MOVEMENT},
    "WS202": {(0x03, 0x00): _MOVEMENT},
    "TS30": {(0x04, 0x00): ("contact", "bool", "2", _is_closed)},
}

_RECORD = (0x20, 0xCE)
#: a record's bytes behind its time, each part with its size
Layout = tuple[tuple[Meaning | None, int], ...]
_T_H: Layout = ((_TEMPERATURE, 2), (_HUMIDITY, 1))
_AIR: Layout = (
    (_TEMPERATURE, 2),
    (("humidity", "%", "", _unsigned_halves), 2),
    (_MOVEMENT, 1),
    (None, 1),
    (_CO2, 2),
    (None, 2),
    (_PRESSURE, 2),
)
#: how the model's name begins -> layout of its records; the longest name that fits counts
_LAYOUTS: dict[str, Layout] = {
    "EM300": (*_T_H, (None, 1)),
    "EM300-MCS": (*_T_H, (_CONTACT, 1)),
    "EM300-MLD": ((None, 3), (_LEAK, 1)),
    "EM300-SLD": (*_T_H, (_LEAK, 1)),
    "EM300-ZLD": (*_T_H, (_LEAK, 1)),
    "EM300-DI": (*_T_H, (None, 6)),
    "EM320": _T_H,
    "EM500-PT100": ((_TEMPERATURE, 2),),
    "EM500-CO2": ((_CO2, 2), (_PRESSURE, 2), *_T_H),
    "EM500-LGT": ((_ILLUMINANCE, 4),),
    "EM500-PP": ((("pressure", "hPa", "", _kilopascals), 2),),
    "AM102": _T_H,
    "AM103": (*_T_H, (_CO2, 2)),
    "AM307": _AIR,
    "TS101": ((_TEMPERATURE, 2),),
}
#: tried in this order when the model is not known
_GUESSES = ("EM300", "EM320", "EM500-PT100", "EM500-CO2", "AM307")


def is_model(name: str) -> bool:
    """Whether a device's name or profile holds the name of a model of Milesight's."""
    return _MODEL.search(name) is not None


def values(payload: bytes, model: str = "") -> tuple[list[Value], list[str]]:
    """What the payload measures, and why it could not be read to its end, or a sensor of the device failed.

    `model` is whatever the network server calls the device and its profile: `EM300-TH`.
    """
    name, meanings = _by_model(model[:_LONGEST_NAME])
    found: list[Value] = []
    problems: list[str] = []
    at = 0
    while at < len(payload):
        head = (payload[at], payload[at + 1]) if at + 1 < len(payload) else (payload[at], -1)
        if head[1] < 0:
            problems.append(f"the payload ends inside of Milesight channel {head[0]:02x}")
            break
        at += 2
        if head == _RECORD:
            at = _record(payload, at, name, found, problems)
            continue
        size = _size(head)
        if size is None:
            problems.append(f"Milesight channel {head[0]:02x} {head[1]:02x} cannot be read")
            break
        field = payload[at : at + size]
        at += size
        if len(field) < size:
            problems.append(f"the payload ends inside of Milesight channel {head[0]:02x} {head[1]:02x}")
        elif head in _SENSOR_FAILED:
            problems.append(f"the device's sensor of {_SENSOR_FAILED[head]} fails or is out of range")
        elif (meaning := meanings.get(head)) is not None:
            quantity, unit, channel, read = meaning
            found.append((quantity, read(field), unit, channel, None))
    return found, problems


_LONGEST_NAME = 256


@lru_cache(maxsize=512)
def _by_model(told: str) -> tuple[str, dict[tuple[int, int], Meaning]]:
    """`Cold room EM300_TH` -> `EM300-TH`, and what its channels mean."""
    found = _MODEL.search(told)
    model = told[found.start() :].upper().replace("_", "-").replace(" ", "-") if found else ""
    for start, differences in _BY_MODEL.items():
        if model.startswith(start):
            return model, _MEANINGS | differences
    return model, _MEANINGS


def _size(head: tuple[int, int]) -> int | None:
    channel, kind = head
    if channel in (0xFE, 0xFF):
        return _ABOUT_ITSELF.get(kind)
    if head in _SENSOR_FAILED:
        return 1
    return _ALARM_SIZES.get(head, _SIZES.get(kind) if channel < 0x20 else None)


def _record(payload: bytes, at: int, model: str, found: list[Value], problems: list[str]) -> int:
    """Read one record of the device's memory; where the next part begins."""
    layout = _layout(payload, at, model)
    if layout is None or at + 4 > len(payload):
        problems.append("Milesight channel 20 ce cannot be read: how long are this model's records?")
        return len(payload)
    end = at + 4 + sum(size for _, size in layout)
    stamp = _UINT32.unpack_from(payload, at)[0]
    at += 4
    if end > len(payload):
        problems.append("the payload ends inside of Milesight channel 20 ce")
    elif stamp < _FIRST_TRUE_S:
        problems.append("a record of the device's memory has no time: its clock was never set")
    else:
        for meaning, size in layout:
            if meaning is not None:
                quantity, unit, channel, read = meaning
                found.append((quantity, read(payload[at : at + size]), unit, channel, stamp * 1000))
            at += size
    return end


def _layout(payload: bytes, at: int, model: str) -> Layout | None:
    starts = [start for start in _LAYOUTS if model.startswith(start)]
    if starts:
        return _LAYOUTS[max(starts, key=len)]
    if model.startswith("TS"):
        return _ts_layout(payload, at, model)
    for guess in _GUESSES:
        layout = _LAYOUTS[guess]
        end = at + 4 + sum(size for _, size in layout)
        if end == len(payload) or (payload[end : end + 2] == bytes(_RECORD)):
            return layout
    return None


def _ts_layout(payload: bytes, at: int, model: str) -> Layout | None:
    """TS201 names its sensor (2 measures humidity too); TS301 tells what each of its two channels had to say."""
    mark = payload[at + 4] if at + 4 < len(payload) else 0
    if model.startswith("TS201"):
        return ((None, 1), (_TEMPERATURE, 2), (_HUMIDITY if mark == 2 else None, 1), (None, 1))
    parts: list[tuple[Meaning | None, int]] = [(None, 1)]
    for kind, meaning in ((mark >> 4, _TEMPERATURE), (mark & 0x0F, _TEMPERATURE_2)):
        if kind in (1, 2, 4):
            parts.append((meaning, 2))
        elif kind == 3:
            parts += [(meaning, 2), (None, 2)]
        elif kind:
            return None
    return tuple(parts)
