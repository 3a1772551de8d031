"""Zigbee2MQTT: one JSON object a device on `zigbee2mqtt/<friendly name>`, its availability one level below.

Source: Zigbee2MQTT's guide, `docs/guide/usage/mqtt_topics_and_messages.md` and `availability.md`, and the option
`advanced.last_seen` (`ISO_8601`, `ISO_8601_local` or `epoch`, the last in milliseconds). A friendly name may hold
slashes. Keys that are no measurement (actions, settings, nested objects) say nothing here.
"""

from gateway.decoders import device_time, json_payload
from gateway.decoders.decoded import Decoded, DecodeError, Measurement

#: key of the message -> (quantity, unit); values are in that unit already
_QUANTITIES = {
    "temperature": ("temperature", "Cel"),
    "humidity": ("humidity", "%"),
    "pressure": ("pressure", "hPa"),
    "battery": ("battery", "%"),
    "voltage": ("voltage", "V"),
    "linkquality": ("linkquality", "1"),
    "illuminance": ("illuminance", "lx"),
    "contact": ("contact", "bool"),
    "water_leak": ("water_leak", "bool"),
}
#: battery devices give millivolts and mains devices volts under one key; neither reaches into the other's range
_MILLIVOLTS_FROM = 600


def decode(topic: str, payload: bytes, received_at_ms: int) -> Decoded:
    """Read one message below `zigbee2mqtt/`.

    Raises:
        DecodeError: the payload is not what the topic promises.
    """
    name = topic.partition("/")[2]
    if not name:
        raise DecodeError("the topic names no device")
    if name.startswith("bridge/") or name.endswith(("/set", "/get")) or not payload:
        return Decoded()  # the bridge about itself, commands to a device, a retained message being deleted
    device, slash, last = name.rpartition("/")
    if slash and last == "availability":
        return _availability(f"z2m:{device}", payload, received_at_ms)
    return _state(f"z2m:{name}", payload, received_at_ms)


def _availability(sensor: str, payload: bytes, received_at_ms: int) -> Decoded:
    """`{"state": "online"}`; before Zigbee2MQTT 2.0 also the bare word."""
    state: object = payload.decode("utf-8", "replace")
    if state not in ("online", "offline"):
        state = json_payload.parse_object(payload).get("state")
    if state not in ("online", "offline"):
        raise DecodeError(f"availability is online or offline, not {state!r:.60}")
    return Decoded((Measurement(sensor, "online", float(state == "online"), "bool", received_at_ms),))


def _state(sensor: str, payload: bytes, received_at_ms: int) -> Decoded:
    message = json_payload.parse_object(payload)
    at_ms, source, quality = _recorded_at(message.get("last_seen"), received_at_ms)
    measurements, problems = [], []
    for key, (quantity, unit) in _QUANTITIES.items():
        raw = message.get(key)
        if raw is None:  # absent, or null: the device has not reported it yet
            continue
        value = _number(raw, unit)
        if value is None:
            problems.append(f"{key}: {raw!r:.60} is no value in {unit}")
            continue
        if key == "voltage" and value >= _MILLIVOLTS_FROM:
            quantity, value = "battery_voltage", value / 1000
        measurements.append(Measurement(sensor, quantity, value, unit, at_ms, source, quality))
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


def _number(raw: object, unit: str) -> float | None:
    if unit == "bool":
        return float(raw) if isinstance(raw, bool) else None
    return json_payload.number(raw)
