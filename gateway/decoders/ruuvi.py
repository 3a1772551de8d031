"""Ruuvi Gateway: each Bluetooth advertisement as JSON on `ruuvi/<gateway>/<tag>`, and `gw_status`.

Sources: Ruuvi's documentation, "Ruuvi Gateway: MQTT data formats" and data formats 3 (RAWv1), 5 (RAWv2), C5
(Cut-RAWv2), 6 and E1 (Ruuvi Air). `data` is the whole advertisement in hexadecimal; Ruuvi's part is the manufacturer
data of company 0x0499. A field with all its bits set (0x8000 for the signed temperature) is not available. A gateway
that was told to decode by itself sends names instead of `data`. The measurement sequence tells repeats, also when two
gateways hear one tag; it comes round, so the hour is added to it, or the minute where it has eight bits (format 6).
"""

import math
import re
import struct

from gateway.contract import Quality
from gateway.decoders import device_time, json_payload
from gateway.decoders.decoded import Decoded, DecodeError, Measurement

#: quantity, value (None: not available), unit, quality
Value = tuple[str, float | None, str, Quality]
#: sequence (None: not available), and for how many milliseconds it says that two messages are one
Sequence = tuple[int | None, int]

_COMPANY = b"\x99\x04"
_MANUFACTURER_DATA = 0xFF
_MAC = re.compile(r"(?:[0-9A-Fa-f]{2}:?){5}[0-9A-Fa-f]{2}")
#: format, humidity, temperature (sign and whole, hundredths), pressure, acceleration (3), battery
_FORMAT_3 = struct.Struct(">BBBBHhhhH")
#: format, temperature, humidity, pressure, acceleration (3), power, movements, sequence, address
_FORMAT_5 = struct.Struct(">BhHHhhhHBH6s")
#: the same without acceleration
_FORMAT_C5 = struct.Struct(">BhHHHBH6s")
#: format, temperature, humidity, pressure, PM 2.5, CO2, VOC, NOX, luminosity, reserved, sequence, flags, address
_FORMAT_6 = struct.Struct(">BhHHHHBBBBBB3s")
#: format, temperature, humidity, pressure, PM 1, 2.5, 4 and 10, CO2, VOC, NOX, luminosity, reserved, sequence, flags,
#: reserved, address
_FORMAT_E1 = struct.Struct(">BhHHHHHHHBB3s3s3sB5s6s")
_MINUTE_MS = 60 * 1000
_HOUR_MS = 60 * _MINUTE_MS
#: each step of format 6's luminosity is this much of a natural logarithm
_LUX_STEP = math.log(65_536) / 254
_MULTIPLES = {"temperature": ("Cel", 1.0), "humidity": ("%", 1.0), "pressure": ("hPa", 0.01)}


def decode(topic: str, payload: bytes, received_at_ms: int) -> Decoded:
    """Read one message below `ruuvi/`, or below the prefix that the user chose.

    Raises:
        DecodeError: the payload holds no advertisement of a Ruuvi sensor that can be read.
    """
    levels = topic.split("/")
    name, gateway = levels[-1], levels[-2] if len(levels) > 1 else ""
    message = json_payload.parse_object(payload)
    if name == "gw_status":
        state = message.get("state")
        if state not in ("online", "offline"):
            raise DecodeError(f"state is online or offline, not {state!r:.60}")
        return Decoded((Measurement(f"ruuvi:{gateway}", "online", float(state == "online"), "bool", received_at_ms),))
    if not _MAC.fullmatch(name):
        raise DecodeError(f"{name!r:.60} is no address of a sensor")
    sensor = f"ruuvi:{name.upper()}"
    if "data" in message:
        values, (sequence, window_ms) = _advertisement(message["data"])
    else:
        values, (sequence, window_ms) = _names(message)
    at_ms, source, quality = device_time.of_epoch_s(message.get("ts"), received_at_ms)
    values.append(("rssi", json_payload.number(message.get("rssi")), "dBm", "good"))
    measurements = tuple(
        Measurement(sensor, what, value, unit, at_ms, source, quality if doubt == "good" else doubt)
        for what, value, unit, doubt in values
        if value is not None
    )
    identity = None if sequence is None else f"{sensor}#{sequence}@{at_ms // window_ms}"
    return Decoded(measurements, identity=identity)


def _advertisement(data: object) -> tuple[list[Value], Sequence]:
    """The values and the sequence. Raises DecodeError when there are none."""
    try:
        advertisement = bytes.fromhex(data if isinstance(data, str) else "?")
    except ValueError:
        raise DecodeError(f"data is no advertisement in hexadecimal: {data!r:.60}") from None
    found = _manufacturer_data(advertisement)
    if not found:
        raise DecodeError("the advertisement is not Ruuvi's, or was cut")
    read = _READERS.get((found[0], len(found)))
    if read is None:
        raise DecodeError(
            f"Ruuvi data format {found[:1].hex().upper()} of {len(found)} bytes cannot be read: 3, 5, C5, 6, E1 can"
        )
    return read(found)


def _manufacturer_data(advertisement: bytes) -> bytes | None:
    """What follows the company: an advertisement is a list of (length, type, content), the length with the type."""
    at = 0
    while at < len(advertisement):
        end = at + 1 + advertisement[at]
        if end > len(advertisement) or end == at + 1:
            return None
        if advertisement[at + 1] == _MANUFACTURER_DATA and advertisement[at + 2 : at + 4] == _COMPANY:
            return advertisement[at + 4 : end]
        at = end
    return None


def _format_3(found: bytes) -> tuple[list[Value], Sequence]:
    _, humidity, whole, hundredths, pressure, _, _, _, millivolts = _FORMAT_3.unpack(found)
    degrees = (whole & 0x7F) + hundredths / 100
    return [
        ("temperature", -degrees if whole & 0x80 else degrees, "Cel", "good"),
        ("humidity", humidity / 2, "%", "good"),
        ("pressure", (pressure + 50_000) / 100, "hPa", "good"),
        ("battery_voltage", millivolts / 1000, "V", "good"),
    ], (None, _HOUR_MS)


def _format_5(found: bytes) -> tuple[list[Value], Sequence]:
    _, temperature, humidity, pressure, _, _, _, power, _, sequence, _ = _FORMAT_5.unpack(found)
    return [*_climate(temperature, humidity, pressure), _battery(power)], (
        None if sequence == 0xFFFF else sequence,
        _HOUR_MS,
    )


def _format_c5(found: bytes) -> tuple[list[Value], Sequence]:
    _, temperature, humidity, pressure, power, _, sequence, _ = _FORMAT_C5.unpack(found)
    return [*_climate(temperature, humidity, pressure), _battery(power)], (
        None if sequence == 0xFFFF else sequence,
        _HOUR_MS,
    )


def _format_6(found: bytes) -> tuple[list[Value], Sequence]:
    _, temperature, humidity, pressure, pm25, co2, voc, nox, lux, _, sequence, flags, _ = _FORMAT_6.unpack(found)
    return [
        *_climate(temperature, humidity, pressure),
        _particles("pm25", pm25),
        ("co2", None if co2 == 0xFFFF else float(co2), "ppm", "good"),
        *_indices(voc, nox, flags),
        ("illuminance", None if lux == 0xFF else round(math.exp(lux * _LUX_STEP) - 1, 2), "lx", "good"),
    ], (sequence, _MINUTE_MS)


def _format_e1(found: bytes) -> tuple[list[Value], Sequence]:
    fields = _FORMAT_E1.unpack(found)
    co2, lux = fields[8], int.from_bytes(fields[11])
    values = [
        *_climate(*fields[1:4]),
        *(_particles(f"pm{size}", told) for size, told in zip(("1", "25", "4", "10"), fields[4:8], strict=True)),
        ("co2", None if co2 == 0xFFFF else float(co2), "ppm", "good"),
        *_indices(fields[9], fields[10], fields[14]),
        ("illuminance", None if lux == 0xFFFFFF else lux / 100, "lx", "good"),
    ]
    sequence = int.from_bytes(fields[13])
    return values, (None if sequence == 0xFFFFFF else sequence, _HOUR_MS)


#: (first byte, length) -> how to read it. The documentation's examples of C5 begin with 05
_READERS = {
    (0x03, _FORMAT_3.size): _format_3,
    (0x05, _FORMAT_5.size): _format_5,
    (0xC5, _FORMAT_C5.size): _format_c5,
    (0x05, _FORMAT_C5.size): _format_c5,
    (0x06, _FORMAT_6.size): _format_6,
    (0xE1, _FORMAT_E1.size): _format_e1,
}


def _climate(temperature: int, humidity: int, pressure: int) -> list[Value]:
    return [
        ("temperature", None if temperature == -0x8000 else temperature / 200, "Cel", "good"),
        ("humidity", None if humidity == 0xFFFF else humidity / 400, "%", "good"),
        ("pressure", None if pressure == 0xFFFF else (pressure + 50_000) / 100, "hPa", "good"),
    ]


def _battery(power: int) -> Value:
    return "battery_voltage", None if power >> 5 == 0x7FF else ((power >> 5) + 1600) / 1000, "V", "good"


def _particles(quantity: str, told: int) -> Value:
    return quantity, None if told == 0xFFFF else told / 10, "ug/m3", "good"


def _indices(voc: int, nox: int, flags: int) -> list[Value]:
    """Nine bits each, the lowest in the flags; suspect while these sensors still learn their place."""
    voc, nox = voc << 1 | flags >> 6 & 1, nox << 1 | flags >> 7
    quality: Quality = "suspect" if flags & 1 else "good"
    return [
        ("voc_index", None if voc == 0x1FF else float(voc), "1", quality),
        ("nox_index", None if nox == 0x1FF else float(nox), "1", quality),
    ]


def _names(message: dict[str, object]) -> tuple[list[Value], Sequence]:
    """What a gateway has decoded; pressure in pascals. Raises DecodeError when it is nothing."""
    values: list[Value] = []
    for name, (unit, factor) in _MULTIPLES.items():
        told = json_payload.number(message.get(name))
        values.append((name, None if told is None else told * factor, unit, "good"))
    values.append(("battery_voltage", json_payload.number(message.get("voltage")), "V", "good"))
    if all(value is None for _, value, _, _ in values):
        raise DecodeError("neither data nor a decoded measurement")
    return values, (json_payload.whole(message.get("measurementSequenceNumber")), _HOUR_MS)
