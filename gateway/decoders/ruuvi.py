"""Ruuvi Gateway: each Bluetooth advertisement as JSON on `ruuvi/<gateway>/<tag>`, and `gw_status`.

Sources: Ruuvi's documentation, "Ruuvi Gateway: MQTT data formats" and "Data format 5 (RAWv2)". `data` is the whole
advertisement in hexadecimal; Ruuvi's part is the manufacturer data of company 0x0499. A field whose bits are all set
(0x8000 for the signed temperature) is not available. The measurement sequence tells repeats, also when two gateways
hear one tag; it is 16 bits wide and comes round within a day, so an hour is added to it.
"""

import re
import struct

from gateway.decoders import device_time, json_payload
from gateway.decoders.decoded import Decoded, DecodeError, Measurement

_COMPANY = b"\x99\x04"
_MANUFACTURER_DATA = 0xFF
_MAC = re.compile(r"(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}")
#: format, temperature, humidity, pressure, acceleration (3), power, movements, sequence, address
_FORMAT_5 = struct.Struct(">BhHHhhhHBH6s")
_HOUR_MS = 3600 * 1000


def decode(topic: str, payload: bytes, received_at_ms: int) -> Decoded:
    """Read one message below `ruuvi/`.

    Raises:
        DecodeError: the payload holds no advertisement of a Ruuvi sensor that can be read.
    """
    gateway, _, name = topic.removeprefix("ruuvi/").partition("/")
    message = json_payload.parse_object(payload)
    if name == "gw_status":
        state = message.get("state")
        if state not in ("online", "offline"):
            raise DecodeError(f"state is online or offline, not {state!r:.60}")
        return Decoded((Measurement(f"ruuvi:{gateway}", "online", float(state == "online"), "bool", received_at_ms),))
    if not _MAC.fullmatch(name):
        raise DecodeError(f"{name!r:.60} is no address of a sensor")
    sensor = f"ruuvi:{name.upper()}"
    fields = _advertisement(message.get("data"))
    when = device_time.of_epoch_s(message.get("ts"), received_at_ms)
    values = [*_values(fields), ("rssi", json_payload.number(message.get("rssi")), "dBm")]
    measurements = [Measurement(sensor, what, value, unit, *when) for what, value, unit in values if value is not None]
    sequence = fields[9]
    identity = f"{sensor}#{sequence}@{when[0] // _HOUR_MS}" if sequence != 0xFFFF else None
    return Decoded(tuple(measurements), identity=identity)


def _advertisement(data: object) -> tuple[int, ...]:
    """The fields of data format 5. Raises DecodeError when there are none."""
    try:
        advertisement = bytes.fromhex(data if isinstance(data, str) else "?")
    except ValueError:
        raise DecodeError(f"data is no advertisement in hexadecimal: {data!r:.60}") from None
    found = _manufacturer_data(advertisement)
    if found is None:
        raise DecodeError("the advertisement is not Ruuvi's, or was cut")
    if found[:1] != b"\x05" or len(found) != _FORMAT_5.size:
        raise DecodeError(
            f"Ruuvi data format {found[:1].hex() or '?'} of {len(found)} bytes cannot be read, only 5 can"
        )
    return _FORMAT_5.unpack(found)


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


def _values(fields: tuple[int, ...]) -> list[tuple[str, float | None, str]]:
    temperature, humidity, pressure, power = fields[1], fields[2], fields[3], fields[7]
    millivolts = (power >> 5) + 1600
    return [
        ("temperature", None if temperature == -0x8000 else temperature / 200, "Cel"),
        ("humidity", None if humidity == 0xFFFF else humidity / 400, "%"),
        ("pressure", None if pressure == 0xFFFF else (pressure + 50_000) / 100, "hPa"),
        ("battery_voltage", None if power >> 5 == 0x7FF else millivolts / 1000, "V"),
    ]
