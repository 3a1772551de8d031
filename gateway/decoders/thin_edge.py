"""thin-edge.io: measurements on `te/<device>/.../m/<type>`, their units on `.../m/<type>/meta`.

Source: thin-edge.io's reference, "MQTT API" and "Data model". An entity has four levels, some of them empty:
`te/device/<name>//` is a device, `te/device/<name>/service/<service>` a service on it. A measurement is a number, or
an object of numbers that belong together. `time` is a date with its offset or seconds since 1970.
"""

from collections.abc import Iterator

from gateway.contract import Quality
from gateway.decoders import device_time, json_payload, quantities
from gateway.decoders.decoded import Decoded, DecodeError, Known, Measurement

#: keys beside the measurements
_NOT_MEASURED = ("time", "type", "ttl", "health")
#: bounds of what is remembered and told
_LONGEST_KEY, _LONGEST_UNIT, _MOST_UNITS, _MOST_PROBLEMS = 200, 20, 128, 10


def decode(topic: str, payload: bytes, received_at_ms: int, known: Known) -> Decoded:
    """Read one message below `te/`.

    Raises:
        DecodeError: the payload is not what the topic promises.
    """
    levels = topic.split("/")
    if len(levels) < 7 or not payload:
        return Decoded()  # an entity is registered, or a retained message is deleted
    channel = levels[5]
    sensor = f"tedge:{_entity(levels[1:5])}"
    if channel == "m" and len(levels) == 7:
        return _measurements(topic, sensor, payload, received_at_ms, known)
    if channel == "m" and len(levels) == 8 and levels[7] == "meta":
        return _units(topic.removesuffix("/meta"), payload, known)
    if levels[5:] == ["status", "health"]:
        return _health(sensor, payload, received_at_ms)
    return Decoded()  # events, alarms, commands, twins


def _entity(levels: list[str]) -> str:
    """A device by its name alone, everything else by all of its levels that are not empty."""
    named = levels[1:] if levels[0] == "device" else levels
    entity = "/".join(level for level in named if level)
    if not entity:
        raise DecodeError("the topic names no device")
    return entity


def _measurements(topic: str, sensor: str, payload: bytes, received_at_ms: int, known: Known) -> Decoded:
    message = json_payload.parse_object(payload)
    told_at = message.get("time")
    if isinstance(told_at, str):
        when = device_time.of_iso_8601(told_at, received_at_ms)
    else:
        when = device_time.of_epoch_s(told_at, received_at_ms)
    measurements: list[Measurement] = []
    problems: list[str] = []
    for group, name, raw in _values(message):
        unit = known.get(f"tedge:{topic}#{group}.{name}" if group else f"tedge:{topic}#{name}", "")
        try:
            measurements.append(_measurement(sensor, group, name, raw, unit, when))
        except DecodeError as error:
            if len(problems) < _MOST_PROBLEMS:
                problems.append(f"{name:.40}: {error}")
    return Decoded(tuple(measurements), tuple(problems))


def _values(message: dict[str, object]) -> Iterator[tuple[str, str, object]]:
    """(group, name, value); the group is empty when the value stands alone."""
    for name, told in message.items():
        if name in _NOT_MEASURED:
            continue
        if isinstance(told, dict):
            for inner, raw in told.items():
                yield name, inner, raw
        else:
            yield "", name, told


def _measurement(sensor: str, group: str, name: str, raw: object, unit: str, when: device_time.When) -> Measurement:
    value = json_payload.number(raw)
    if value is None:
        raise DecodeError(f"{raw!r:.60} is no number")
    if group:  # {"environment": {"temperature": 4}}, or {"temperature": {"probe1": 4}}
        is_groups = quantities.named(name) is None and quantities.named(group) is not None
        name, sensor = (group, f"{sensor}/{name}") if is_groups else (name, f"{sensor}/{group}")
    quantity, unit, is_known = quantities.meaning(name, unit)
    value, code = quantities.standard(value, unit)
    at_ms, source, quality = when
    worse: Quality = quality if is_known or quality != "good" else "suspect"
    return Measurement(sensor, quantity, value, code, at_ms, source, worse)


def _units(topic: str, payload: bytes, known: Known) -> Decoded:
    """Learn units: `{"temperature": {"unit": "°C"}}`; earlier also `{"units": {"temperature": "°C"}}`."""
    message = json_payload.parse_object(payload)
    told = {name: json_payload.table(content).get("unit") for name, content in message.items()}
    told |= json_payload.table(message.get("units"))
    learned = {}
    for name, unit in list(told.items())[:_MOST_UNITS]:
        key = f"tedge:{topic}#{name}"
        is_short = isinstance(unit, str) and 0 < len(unit) <= _LONGEST_UNIT and len(key) <= _LONGEST_KEY
        if is_short and known.get(key) != unit:
            learned[key] = str(unit)
    return Decoded(learned=learned)


def _health(sensor: str, payload: bytes, received_at_ms: int) -> Decoded:
    """`{"status": "up"}`, or another word when it is not."""
    status = json_payload.parse_object(payload).get("status")
    if not isinstance(status, str):
        raise DecodeError(f"status is up or down, not {status!r:.60}")
    return Decoded((Measurement(sensor, "online", float(status == "up"), "bool", received_at_ms),))
