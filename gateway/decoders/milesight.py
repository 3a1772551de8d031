"""Milesight's LoRaWAN payload: a list of (channel, type, value), values little-endian. No topic of its own.

Source: Milesight's user guides of EM300 and EM500, chapter "Device payload". A channel means different things by model
(03 00 is a door on one, 03 67 a temperature on another): only the pair tells. Used where a network server hands on raw
bytes; a server with Milesight's codec has decoded them already.
"""

import struct
from collections.abc import Callable

Value = tuple[str, float, str]

#: the first three bytes of the device's EUI
VENDOR = "24e124"

_INT16 = struct.Struct("<h")


def _tenths(field: bytes) -> float:
    return float(_INT16.unpack(field)[0]) / 10


def _byte(field: bytes) -> float:
    return float(field[0])


#: (channel, type) -> bytes, quantity, unit, how to read it
_CHANNELS: dict[tuple[int, int], tuple[int, str, str, Callable[[bytes], float]]] = {
    (0x01, 0x75): (1, "battery", "%", _byte),
    (0x03, 0x67): (2, "temperature", "Cel", _tenths),
    (0x04, 0x68): (1, "humidity", "%", lambda field: field[0] / 2),
    # 1 is open
    (0x06, 0x00): (1, "contact", "bool", lambda field: float(field[0] == 0)),
}
#: passed over: (channel, type) -> bytes. 05 00 is a leak on one model and a digital input on another; FF is the device
#: about itself: versions, serial number, class, restart
_PASSED_OVER = {(0x05, 0x00): 1} | {
    (0xFF, kind): size
    for kind, size in {0x01: 1, 0x09: 2, 0x0A: 2, 0x0B: 1, 0x0F: 1, 0x16: 8, 0xFE: 1, 0xFF: 2}.items()
}


def values(payload: bytes) -> tuple[list[Value], str | None]:
    """What the payload measures, and why it could not be read to its end (None: it was)."""
    found: list[Value] = []
    at = 0
    while at < len(payload):
        head = payload[at : at + 2]
        channel, kind = head[0], head[-1]
        if len(head) == 2 and (channel, kind) in _PASSED_OVER:
            at += 2 + _PASSED_OVER[channel, kind]
            continue
        if len(head) < 2 or (channel, kind) not in _CHANNELS:
            return found, f"Milesight channel {head.hex(' ')} cannot be read"
        size, quantity, unit, read = _CHANNELS[channel, kind]
        field = payload[at + 2 : at + 2 + size]
        if len(field) < size:
            return found, f"the payload ends inside of Milesight channel {head.hex(' ')}"
        found.append((quantity, read(field), unit))
        at += 2 + size
    return found, None
