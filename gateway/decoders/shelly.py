"""Shelly: the second generation on `<prefix>/events/rpc` and `<prefix>/online`, the first on `shellies/<id>/...`.

Sources: Shelly's technical documentation, "Gen2+: Notifications", "MQTT", and the components Temperature, Humidity,
DevicePower, WiFi, Voltmeter, Flood, Illuminance; "Gen1: MQTT". The sensor is `src`, the device's own id; the prefix is
the user's, as a rule the same, and all that `online` has to go by. A component with a number above 0 (a probe of an
add-on begins at 100) is a sensor of its own, `<src>/100`. Before its first contact with a time server `ts` counts from
the start of the device. Celsius and Fahrenheit are one reading; a first-generation device that was set to Fahrenheit
does not say so, and must be set to Celsius.
"""

import re

from gateway.decoders import device_time, json_payload
from gateway.decoders.decoded import Decoded, DecodeError, Measurement

#: component -> (key, quantity, unit)
_COMPONENTS = {
    "temperature": ("tC", "temperature", "Cel"),
    "humidity": ("rh", "humidity", "%"),
    "voltmeter": ("voltage", "voltage", "V"),
    "illuminance": ("lux", "illuminance", "lx"),
    "flood": ("alarm", "water_leak", "bool"),
    "wifi": ("rssi", "rssi", "dBm"),
}
#: a device sends its components by name; readings come in this order
_ORDER = tuple(_COMPONENTS)
_STATUS = ("NotifyStatus", "NotifyFullStatus")
_WORDS = {"true": 1.0, "false": 0.0, "open": 0.0, "close": 1.0}
#: last levels of a first-generation topic -> (quantity, unit)
_GEN1 = {
    "sensor/temperature": ("temperature", "Cel"),
    "sensor/humidity": ("humidity", "%"),
    "sensor/battery": ("battery", "%"),
    "sensor/lux": ("illuminance", "lx"),
    "sensor/flood": ("water_leak", "bool"),
    "sensor/state": ("contact", "bool"),
    "online": ("online", "bool"),
}
#: a probe of the first generation's add-on: `ext_temperature/0`
_GEN1_PROBE = re.compile(r"ext_(temperature|humidity)/(\d{1,2})")


def decode(topic: str, payload: bytes, received_at_ms: int) -> Decoded:
    """Read a notification of the second generation.

    Raises:
        DecodeError: the payload is none.
    """
    message = json_payload.parse_object(payload)
    method, source = message.get("method"), json_payload.text(message.get("src"))
    if source is None:
        raise DecodeError("a notification without src: which device sent it?")
    if method not in _STATUS:
        return Decoded()  # an event (a button), or an answer to somebody's call
    params = message.get("params")
    if not isinstance(params, dict):
        raise DecodeError(f"{method} without params")
    when = device_time.of_epoch_s(params.get("ts"), received_at_ms)
    measurements: list[Measurement] = []
    problems: list[str] = []
    for name, number, content in _components(params):
        sensor = f"shelly:{source}/{number}" if number not in ("", "0") else f"shelly:{source}"
        if name == "devicepower":
            values = _power(content)
        else:
            key, quantity, unit = _COMPONENTS[name]
            values = [(quantity, content.get(key), unit)]
        for quantity, raw, unit in values:
            if raw is None:  # not in this partial update, or the probe is gone
                continue
            value = float(raw) if unit == "bool" and isinstance(raw, bool) else json_payload.number(raw)
            if value is None:
                problems.append(f"{name}: {raw!r:.60} is no value in {unit}")
                continue
            measurements.append(Measurement(sensor, quantity, value, unit, *when))
        if content.get("errors"):
            problems.append(f"{name}:{number} reports {content['errors']!r:.60}")
    return Decoded(tuple(measurements), tuple(problems))


def decode_online(topic: str, payload: bytes, received_at_ms: int) -> Decoded:
    """Read `true` or `false` on `<prefix>/online`, the second generation's last will and its withdrawal.

    Raises:
        DecodeError: the payload is neither.
    """
    if payload not in (b"true", b"false"):
        raise DecodeError(f"online is true or false, not {payload!r:.60}")
    sensor = f"shelly:{topic.removesuffix('/online')}"
    return Decoded((Measurement(sensor, "online", float(payload == b"true"), "bool", received_at_ms),))


def decode_gen1(topic: str, payload: bytes, received_at_ms: int) -> Decoded:
    """Read one message below `shellies/`.

    Raises:
        DecodeError: the payload is no value of its topic.
    """
    device, _, rest = topic.removeprefix("shellies/").partition("/")
    probe = _GEN1_PROBE.fullmatch(rest)
    if probe:
        quantity, unit = _GEN1[f"sensor/{probe[1]}"]
        device = f"{device}/{probe[2]}"
    elif rest in _GEN1:
        quantity, unit = _GEN1[rest]
    else:
        return Decoded()  # announcements, settings, commands, relays
    told = payload.decode("ascii", "replace").strip()
    try:
        value = _WORDS[told] if unit == "bool" else float(told)
    except (KeyError, ValueError):
        raise DecodeError(f"{told!r:.60} is no {quantity} in {unit}") from None
    return Decoded((Measurement(f"shelly:{device}", quantity, value, unit, received_at_ms),))


def _components(params: dict[str, object]) -> list[tuple[str, str, dict[str, object]]]:
    """(name, number, content) of those that measure."""
    found = []
    for name in (*_ORDER[:-1], "devicepower", _ORDER[-1]):
        for key, content in params.items():
            kind, _, number = key.partition(":")
            if kind == name and isinstance(content, dict):
                found.append((name, number, content))
    return found


def _power(content: dict[str, object]) -> list[tuple[str, object, str]]:
    """The battery's state; a device on its USB plug reports an empty battery that it does not have."""
    if json_payload.table(content.get("external")).get("present") is True:
        return []
    battery = json_payload.table(content.get("battery"))
    return [("battery", battery.get("percent"), "%"), ("battery_voltage", battery.get("V"), "V")]
