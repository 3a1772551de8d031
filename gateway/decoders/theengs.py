"""Bluetooth sensors as OpenMQTTGateway and Theengs Gateway decode them: `<base>/<gateway>/BTtoMQTT/<address>`.

Sources: Theengs Decoder's properties and device pages; OpenMQTTGateway's documentation of its Bluetooth gateway and
its last will. A sensor is known by its Bluetooth address, `id`; where the system hides it (macOS), `mac` holds the one
that the sensor itself sends. Temperatures come in both scales; Fahrenheit is read when there is no other. Beacons and
telephones say nothing that is measured: how loud they are heard is only told along with a measurement.
"""

import re
from collections.abc import Iterator

from gateway.decoders import device_time, json_payload, quantities
from gateway.decoders.decoded import Decoded, DecodeError, Measurement

#: property -> (quantity, unit)
_PROPERTIES = {
    "tempc": ("temperature", "Cel"),
    "hum": ("humidity", "%"),
    "lux": ("illuminance", "lx"),
    "pres": ("pressure", "hPa"),
    "moi": ("moisture", "%"),
    "fer": ("conductivity", "uS/cm"),
    "co2": ("co2", "ppm"),
    "pm25": ("pm25", "ug/m3"),
    "pm10": ("pm10", "ug/m3"),
    "tvoc": ("tvoc", "ppb"),
    "batt": ("battery", "%"),
    "volt": ("battery_voltage", "V"),
    "weight": ("mass", "kg"),
    "open": ("door_open", "bool"),
    "contact": ("contact", "bool"),
    "leak": ("water_leak", "bool"),
    "motion": ("occupancy", "bool"),
    "pir": ("occupancy", "bool"),
    "power": ("power", "W"),
    "current": ("current", "A"),
    "energy": ("energy", "kWh"),
}
#: those of them that mean something else on some devices
_BY_DEVICE = ("volt", "pres", "weight")
#: a thermometer with several probes numbers them
_PROBE = re.compile(r"temp([cf])(\d{1,2})")
_MAC = re.compile(r"(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}")
_BARE_MAC = re.compile(r"[0-9A-Fa-f]{12}")
#: types of devices that measure nothing: beacons, trackers, telephones, buttons
_NO_SENSORS = frozenset({"BCON", "TRACK", "RMAC", "BTN"})


def decode(topic: str, payload: bytes, received_at_ms: int) -> Decoded:
    """Read one message on `<base>/<gateway>/BTtoMQTT`, with or without an address behind it.

    Raises:
        DecodeError: the payload is no object, or names no device.
    """
    if not payload:
        return Decoded()  # a retained message is deleted
    message = json_payload.parse_object(payload)
    if json_payload.text(message.get("type")) in _NO_SENSORS:
        return Decoded()
    when = _recorded_at(message, received_at_ms)
    measurements: list[Measurement] = []
    problems: list[str] = []
    sensor = ""
    for part, quantity, raw, unit in _properties(message):
        sensor = sensor or f"ble:{_address(topic, message)}"
        where = f"{sensor}/{part}" if part else sensor
        try:
            found = _value(quantity, raw, unit)
        except DecodeError as error:
            problems.append(str(error))
            continue
        if found is not None:
            quantity, value, unit = found
            measurements.append(Measurement(where, quantity, value, unit, *when))
    rssi = json_payload.number(message.get("rssi"))
    if measurements and rssi is not None:
        measurements.append(Measurement(sensor, "rssi", rssi, "dBm", *when))
    return Decoded(tuple(measurements), tuple(problems))


def decode_last_will(topic: str, payload: bytes, received_at_ms: int) -> Decoded:
    """Read `online` or `offline` on `<base>/<gateway>/LWT`.

    Raises:
        DecodeError: the payload is neither.
    """
    if not payload:
        return Decoded()
    if payload not in (b"online", b"offline"):
        raise DecodeError(f"LWT is online or offline, not {payload!r:.60}")
    gateway = topic.removesuffix("/LWT").rpartition("/")[2]
    return Decoded((Measurement(f"theengs:{gateway}", "online", float(payload == b"online"), "bool", received_at_ms),))


def _properties(message: dict[str, object]) -> Iterator[tuple[str, str, object, str]]:
    """(probe, quantity, value, unit) of what was measured."""
    for key, raw in message.items():
        meaning = _PROPERTIES.get(key)
        if meaning is not None:
            quantity, unit = meaning
            if key in _BY_DEVICE:
                quantity, unit = _by_device(key, message)
            yield "", quantity, raw, unit
        elif key == "tempf":
            if "tempc" not in message:
                yield "", "temperature", raw, "°F"
        elif key.startswith("temp"):
            probe = _PROBE.fullmatch(key)
            if probe and (probe[1] == "c" or f"tempc{probe[2]}" not in message):
                yield probe[2], "temperature", raw, "Cel" if probe[1] == "c" else "°F"


def _by_device(key: str, message: dict[str, object]) -> tuple[str, str]:
    """What a property is that means something else on some devices."""
    quantity, unit = _PROPERTIES[key]
    kind = message.get("type")
    if key == "volt" and kind in ("BATT", "ENRG"):  # here the battery or the mains is what is measured
        return "voltage", unit
    if key == "pres" and kind == "TIRE":
        return quantity, "kPa"
    if key == "weight":
        return quantity, json_payload.text(message.get("unit")) or unit
    return quantity, unit


def _value(quantity: str, raw: object, unit: str) -> tuple[str, float, str] | None:
    """(quantity, value, unit); None when there is none, or the device says here what it is instead.

    Raises:
        DecodeError: the value is none.
    """
    if raw is None:
        return None
    if unit == "bool":
        switched = quantities.state(quantity, raw)
        return None if switched is None else (*switched, unit)
    value = quantities.figure(raw)
    if value is None:
        raise DecodeError(f"{raw!r:.60} is no {quantity}")
    return quantity, *quantities.standard(value, unit)


def _address(topic: str, message: dict[str, object]) -> str:
    for told in (message.get("id"), message.get("mac")):
        if isinstance(told, str) and _MAC.fullmatch(told):
            return told.upper()
    last = topic.rpartition("/")[2]
    if _BARE_MAC.fullmatch(last):
        return ":".join(last[at : at + 2] for at in range(0, 12, 2)).upper()
    identity = json_payload.text(message.get("id"))
    if identity is None or len(identity) > 64:
        raise DecodeError("neither id nor mac: which device was heard?")
    return identity


def _recorded_at(message: dict[str, object], received_at_ms: int) -> device_time.When:
    """The gateway's time, when it was told to give one."""
    told = message.get("UTCtime")
    if told is not None:
        return device_time.of_iso_8601(told, received_at_ms)
    return device_time.of_epoch_s(message.get("unixtime"), received_at_ms)
