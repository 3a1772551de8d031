"""Shelly: the second generation and later on `<prefix>/events/rpc`, `<prefix>/status/...` and `<prefix>/online`, the
first on `shellies/<id>/...`.

Sources: Shelly's technical documentation, "Gen2+: Notifications", "MQTT", and the components Temperature, Humidity,
DevicePower, WiFi, Voltmeter, Flood, Smoke, Illuminance, Switch, BTHomeDevice; "Gen1: MQTT". The sensor is `src`, the
device's own id; the prefix is the user's, as a rule the same, and all that `online` and `status` have to go by. A
component with a number above 0 (a probe of an add-on begins at 100) is a sensor of its own, `<src>/100`. What a script
tells of a BLU device that it has heard is a sensor by that device's address. Before its first contact with a time
server `ts` counts from the start of the device. Celsius and Fahrenheit are one reading. A first-generation device tells
its temperatures in the unit it was set to, and names that unit in `info` only: it is learned from there.
"""

import math
import re
from collections.abc import Iterator

from gateway.decoders import device_time, json_payload
from gateway.decoders.decoded import Decoded, DecodeError, Known, Measurement
from gateway.decoders.units import to_standard

#: component -> what it measures: (path, quantity, unit); readings come in this order
_COMPONENTS: dict[str, tuple[tuple[tuple[str, ...], str, str], ...]] = {
    "temperature": ((("tC",), "temperature", "Cel"),),
    "humidity": ((("rh",), "humidity", "%"),),
    "voltmeter": ((("voltage",), "voltage", "V"),),
    "illuminance": ((("lux",), "illuminance", "lx"),),
    "flood": ((("alarm",), "water_leak", "bool"),),
    "smoke": ((("alarm",), "smoke", "bool"),),
    "switch": (
        (("apower",), "power", "W"),
        (("voltage",), "voltage", "V"),
        (("current",), "current", "A"),
        (("temperature", "tC"), "device_temperature", "Cel"),
    ),
    "pm1": ((("apower",), "power", "W"), (("voltage",), "voltage", "V"), (("current",), "current", "A")),
    "devicepower": ((("battery", "percent"), "battery", "%"), (("battery", "V"), "battery_voltage", "V")),
    "bthomedevice": ((("battery",), "battery", "%"), (("rssi",), "rssi", "dBm")),
    "wifi": ((("rssi",), "rssi", "dBm"),),
}
#: a device sends its components by name
_RANKS = {name: rank for rank, name in enumerate(_COMPONENTS)}
_STATUS = ("NotifyStatus", "NotifyFullStatus")
#: what a script tells of a BLU device
_BLU = {
    "temperature": ("temperature", "Cel"),
    "humidity": ("humidity", "%"),
    "illuminance": ("illuminance", "lx"),
    "window": ("contact", "bool"),
    "motion": ("occupancy", "bool"),
    "battery": ("battery", "%"),
    "rssi": ("rssi", "dBm"),
}
_WORDS = {"true": 1.0, "false": 0.0, "open": 0.0, "close": 1.0, "1": 1.0, "0": 0.0}
#: last levels of a first-generation topic -> (quantity, unit); the unit of temperatures is the device's setting
_GEN1 = {
    "sensor/temperature": ("temperature", "Cel"),
    "sensor/humidity": ("humidity", "%"),
    "sensor/battery": ("battery", "%"),
    "sensor/lux": ("illuminance", "lx"),
    "sensor/flood": ("water_leak", "bool"),
    "sensor/smoke": ("smoke", "bool"),
    "sensor/motion": ("occupancy", "bool"),
    "sensor/vibration": ("vibration", "bool"),
    "sensor/state": ("contact", "bool"),
    "temperature": ("device_temperature", "Cel"),
    "voltage": ("voltage", "V"),
    "relay/0/power": ("power", "W"),
    "online": ("online", "bool"),
}
#: a probe of the first generation's add-on: `ext_temperature/0`
_GEN1_PROBE = re.compile(r"ext_(temperature|humidity)/(\d{1,2})")
#: what the first generation says for a temperature or a humidity that it could not measure
_GEN1_INVALID = 999.0


def decode(topic: str, payload: bytes, received_at_ms: int) -> Decoded:
    """Read a notification of the second generation.

    Raises:
        DecodeError: the payload is none.
    """
    message = json_payload.parse_object(payload)
    method, source = message.get("method"), json_payload.text(message.get("src"))
    if source is None:
        raise DecodeError("a notification without src: which device sent it?")
    if method == "NotifyEvent":
        return _events(message, received_at_ms)
    if method not in _STATUS:
        return Decoded()  # an answer to somebody's call
    params = message.get("params")
    if not isinstance(params, dict):
        raise DecodeError(f"{method} without params")
    return _components(source, params, device_time.of_epoch_s(params.get("ts"), received_at_ms))


def decode_status(topic: str, payload: bytes, received_at_ms: int) -> Decoded:
    """Read one component on `<prefix>/status/<component>:<number>`.

    Raises:
        DecodeError: the payload is none.
    """
    prefix, _, component = topic.rpartition("/status/")
    if component.partition(":")[0] not in _COMPONENTS:
        return Decoded()
    content = json_payload.parse_object(payload)
    return _components(prefix, {component: content}, (received_at_ms, "gateway", "good"))


def decode_online(topic: str, payload: bytes, received_at_ms: int) -> Decoded:
    """Read `true` or `false` on `<prefix>/online`, the second generation's last will and its withdrawal.

    Raises:
        DecodeError: the payload is neither.
    """
    if payload not in (b"true", b"false"):
        raise DecodeError(f"online is true or false, not {payload!r:.60}")
    sensor = f"shelly:{topic.removesuffix('/online')}"
    return Decoded((Measurement(sensor, "online", float(payload == b"true"), "bool", received_at_ms),))


def decode_gen1(topic: str, payload: bytes, received_at_ms: int, known: Known) -> Decoded:
    """Read one message below `shellies/`.

    Raises:
        DecodeError: the payload is no value of its topic.
    """
    device, _, rest = topic.removeprefix("shellies/").partition("/")
    probe = _GEN1_PROBE.fullmatch(rest)
    sensor = f"shelly:{device}"
    if probe:
        quantity, unit = _GEN1[f"sensor/{probe[1]}"]
        sensor = f"{sensor}/{probe[2]}"
    elif rest in _GEN1:
        quantity, unit = _GEN1[rest]
    elif rest == "info":
        return _gen1_info(device, payload)
    else:
        return Decoded()  # announcements, settings, commands, relays
    told = payload.decode("ascii", "replace").strip()
    try:
        value = _WORDS[told] if unit == "bool" else float(told)
    except (KeyError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        raise DecodeError(f"{told!r:.60} is no {quantity} in {unit}")
    if quantity in ("temperature", "humidity") and value == _GEN1_INVALID:
        raise DecodeError(f"the device could not measure its {quantity}")
    if quantity == "temperature":
        value, unit = to_standard(value, known.get(f"shelly:{device}/unit", unit))
    return Decoded((Measurement(sensor, quantity, value, unit, received_at_ms),))


def _gen1_info(device: str, payload: bytes) -> Decoded:
    """The device about itself; its values come on topics of their own."""
    unit = json_payload.table(json_payload.parse_object(payload).get("tmp")).get("units")
    return Decoded(learned={f"shelly:{device}/unit": unit}) if unit in ("C", "F") else Decoded()


def _components(source: str, params: dict[str, object], when: device_time.When) -> Decoded:
    measurements: list[Measurement] = []
    problems: list[str] = []
    for key, name, number, content in _measuring(params):
        sensor = f"shelly:{source}/{number}" if number not in ("", "0") else f"shelly:{source}"
        if name == "devicepower" and json_payload.table(content.get("external")).get("present") is True:
            continue  # on its USB plug a device reports an empty battery that it does not have
        for path, quantity, unit in _COMPONENTS[name]:
            raw: object = content
            for step in path:
                raw = raw.get(step) if isinstance(raw, dict) else None
            if raw is None:  # not in this partial update, or the probe is gone
                continue
            value = float(raw) if unit == "bool" and isinstance(raw, bool) else json_payload.number(raw)
            if value is None:
                problems.append(f"{name}: {raw!r:.60} is no value in {unit}")
                continue
            measurements.append(Measurement(sensor, quantity, value, unit, *when))
        if content.get("errors"):
            problems.append(f"{key} reports {content['errors']!r:.60}")
    return Decoded(tuple(measurements), tuple(problems))


def _measuring(params: dict[str, object]) -> list[tuple[str, str, str, dict[str, object]]]:
    """(key, name, number, content) of the components that measure."""
    found = []
    for key, content in params.items():
        name, _, number = key.partition(":")
        if name in _RANKS and isinstance(content, dict):
            found.append((key, name, number, content))
    found.sort(key=lambda component: _RANKS[component[1]])
    return found


def _events(message: dict[str, object], received_at_ms: int) -> Decoded:
    """A script may tell of a BLU device that it has heard; buttons say nothing here."""
    measurements: list[Measurement] = []
    for event in json_payload.objects(json_payload.table(message.get("params")).get("events")):
        data = json_payload.table(event.get("data"))
        address = json_payload.text(data.get("address"))
        if address is not None:
            when = device_time.of_epoch_s(event.get("ts"), received_at_ms)
            measurements += _blu(f"shelly:{address.upper()}", data, when)
    return Decoded(tuple(measurements))


def _blu(sensor: str, data: dict[str, object], when: device_time.When) -> Iterator[Measurement]:
    for key, (quantity, unit) in _BLU.items():
        told = data.get(key)
        for number, raw in enumerate(told if isinstance(told, list) else [told]):
            value = json_payload.number(int(raw) if isinstance(raw, bool) else raw)
            if value is None:
                continue
            if quantity == "contact":  # the device says whether the window is open
                value = float(value == 0)
            yield Measurement(f"{sensor}/{number}" if number else sensor, quantity, value, unit, *when)
