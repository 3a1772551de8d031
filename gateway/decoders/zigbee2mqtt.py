"""Zigbee2MQTT: one JSON object a device on `zigbee2mqtt/<friendly name>`, its availability one level below.

Source: Zigbee2MQTT's guide, `docs/guide/usage/mqtt_topics_and_messages.md`, `exposes.md` and `availability.md`, and the
option `advanced.last_seen` (`ISO_8601`, `ISO_8601_local` or `epoch`, the last in milliseconds). A friendly name may
hold slashes. Keys that are no measurement (actions, settings, warnings, nested objects) say nothing here. A probe on a
wire is a sensor of its own, `<friendly name>/probe`.
"""

from functools import lru_cache

import msgspec

from gateway.decoders import device_time, json_payload
from gateway.decoders.decoded import Decoded, DecodeError, Measurement

#: key of the message -> (quantity, unit, which part of the device); values are in that unit already. Readings come in
#: this order; of two keys that say the same, the first one counts
_QUANTITIES = {
    "temperature": ("temperature", "Cel", ""),
    "local_temperature": ("temperature", "Cel", ""),
    "humidity": ("humidity", "%", ""),
    "pressure": ("pressure", "hPa", ""),
    "temperature_probe": ("temperature", "Cel", "/probe"),
    "humidity_probe": ("humidity", "%", "/probe"),
    "contact": ("contact", "bool", ""),
    "water_leak": ("water_leak", "bool", ""),
    "occupancy": ("occupancy", "bool", ""),
    "presence": ("occupancy", "bool", ""),
    "vibration": ("vibration", "bool", ""),
    "smoke": ("smoke", "bool", ""),
    "gas": ("gas", "bool", ""),
    "carbon_monoxide": ("carbon_monoxide", "bool", ""),
    "co2": ("co2", "ppm", ""),
    "co": ("co", "ppm", ""),
    "pm1": ("pm1", "ug/m3", ""),
    "pm25": ("pm25", "ug/m3", ""),
    "pm10": ("pm10", "ug/m3", ""),
    "voc_index": ("voc_index", "1", ""),
    "soil_moisture": ("soil_moisture", "%", ""),
    # before Zigbee2MQTT 2.0 this was the measured value, and `illuminance` a raw one
    "illuminance_lux": ("illuminance", "lx", ""),
    "illuminance": ("illuminance", "lx", ""),
    "device_temperature": ("device_temperature", "Cel", ""),
    "battery": ("battery", "%", ""),
    "voltage": ("voltage", "V", ""),
    "current": ("current", "A", ""),
    "power": ("power", "W", ""),
    "energy": ("energy", "kW.h", ""),
    "ac_frequency": ("frequency", "Hz", ""),
    "linkquality": ("linkquality", "1", ""),
}
#: battery devices give millivolts and mains devices volts under one key; neither reaches into the other's range
_MILLIVOLTS_FROM = 600
#: whole numbers beyond this are none of a sensor's, and might not fit into a float
_LARGEST = 1 << 53
_ONLINE = {"online": 1.0, "offline": 0.0}
#: longer messages are not worth remembering the keys of
_REMEMBERED_BYTES = 2048

_decoder = msgspec.json.Decoder(dict)


def decode(topic: str, payload: bytes, received_at_ms: int) -> Decoded:
    """Read one message below `zigbee2mqtt/`.

    Raises:
        DecodeError: the payload is not what the topic promises.
    """
    name = topic[topic.find("/") + 1 :]
    if not name or name == topic:
        raise DecodeError("the topic names no device")
    if name.startswith("bridge/") or name.endswith(("/set", "/get")) or not payload:
        return Decoded()  # the bridge about itself, commands to a device, a retained message being deleted
    if name.endswith("/availability"):
        return _availability(f"z2m:{name.removesuffix('/availability')}", payload, received_at_ms)
    try:
        message: dict[str, object] = _decoder.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise DecodeError(f"a JSON object was expected: {error}") from None
    plan = (_plan if len(payload) <= _REMEMBERED_BYTES else _plan.__wrapped__)(tuple(message))
    return _state(f"z2m:{name}", message, plan, received_at_ms)


def _availability(sensor: str, payload: bytes, received_at_ms: int) -> Decoded:
    """`{"state": "online"}`; before Zigbee2MQTT 2.0 also the bare word."""
    state: object = payload.decode("utf-8", "replace")
    if state not in ("online", "offline"):
        state = json_payload.parse_object(payload).get("state")
    if not isinstance(state, str) or state not in _ONLINE:
        raise DecodeError(f"availability is online or offline, not {state!r:.60}")
    return Decoded((Measurement(sensor, "online", _ONLINE[state], "bool", received_at_ms),))


@lru_cache(maxsize=512)
def _plan(keys: tuple[str, ...]) -> tuple[tuple[str, str, str, str], ...]:
    """(key, quantity, unit, part) of what is read from a message with these keys: a device always sends the same."""
    plan: dict[tuple[str, str], tuple[str, str, str, str]] = {}
    for key, (quantity, unit, part) in _QUANTITIES.items():
        if key in keys:
            plan.setdefault((quantity, part), (key, quantity, unit, part))
    return tuple(plan.values())


def _state(
    sensor: str, message: dict[str, object], plan: tuple[tuple[str, str, str, str], ...], received_at_ms: int
) -> Decoded:
    """The way of nearly every message that a gateway hears: no call for each value."""
    at_ms, source, quality = _recorded_at(message.get("last_seen"), received_at_ms)
    measurements: list[Measurement] = []
    problems: list[str] = []
    for key, quantity, unit, part in plan:
        raw = message[key]
        if type(raw) is float and unit != "bool":
            value = raw
        elif type(raw) is int and unit != "bool" and -_LARGEST < raw < _LARGEST:
            value = float(raw)
        elif type(raw) is bool and unit == "bool":
            value = 1.0 if raw else 0.0
        else:
            if raw is not None:  # null: the device has not reported it yet
                problems.append(f"{key}: {raw!r:.60} is no value in {unit}")
            continue
        if key == "voltage" and value >= _MILLIVOLTS_FROM:
            quantity, value = "battery_voltage", value / 1000
        measurements.append(Measurement(sensor + part, quantity, value, unit, at_ms, source, quality))
    return Decoded(tuple(measurements), tuple(problems))


def _recorded_at(last_seen: object, received_at_ms: int) -> device_time.When:
    if last_seen is None:
        return received_at_ms, "gateway", "good"
    device_ms = None
    if isinstance(last_seen, str):
        device_ms = device_time.from_iso_8601(last_seen)
    elif isinstance(last_seen, int) and not isinstance(last_seen, bool):
        device_ms = last_seen
    return device_time.of(device_ms, received_at_ms)
