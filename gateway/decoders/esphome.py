"""ESPHome: bare values on `<prefix>/<component>/<object>/state`, `online` or `offline` on `<prefix>/status`.

Sources: ESPHome's documentation of its MQTT client; Home Assistant's documentation, "MQTT discovery" and the device
classes of sensors and binary sensors. What a value is and its unit stand in the retained discovery messages on
`homeassistant/<component>/.../config`, whose keys may be abbreviated. Without one the object's name must do: ESPHome's
own units are those of the SI and Celsius, unless the configuration says otherwise. A value that says neither is kept,
and marked. `nan` is how a sensor says that it has failed.
"""

from collections.abc import Iterator

from gateway.contract import Quality
from gateway.decoders import generic, json_payload, quantities
from gateway.decoders.decoded import Decoded, DecodeError, Known, Measurement

#: Home Assistant's device class -> quantity, where they differ
_CLASSES = {
    "atmospheric_pressure": "pressure",
    "signal_strength": "rssi",
    "carbon_dioxide": "co2",
    "volatile_organic_compounds": "tvoc",
    "volatile_organic_compounds_parts": "tvoc",
    "weight": "mass",
}
#: the same of what is yes or no
_STATE_CLASSES = {
    "door": "door_open",
    "window": "door_open",
    "opening": "door_open",
    "garage_door": "door_open",
    "motion": "occupancy",
    "presence": "occupancy",
    "moisture": "water_leak",
}
#: discovery's keys and their abbreviations
_SHORT = {"~": "~", "stat_t": "state_topic", "dev_cla": "device_class", "unit_of_meas": "unit_of_measurement"}
_SHORT |= {"val_tpl": "value_template", "cmps": "components"}
_KINDS = ("sensor", "binary_sensor")
#: device classes of sensors that are no numbers
_NO_NUMBERS = ("timestamp ", "date ", "enum ")
#: bounds of what is remembered: discovery is for whoever may publish
_LONGEST_TOPIC, _LONGEST_ENTRY, _MOST_COMPONENTS = 200, 60, 64


def decode(topic: str, payload: bytes, received_at_ms: int, known: Known) -> Decoded:
    """Read a state, an availability or a discovery message; nothing is said by the others.

    Raises:
        DecodeError: the payload is not what the topic promises.
    """
    if topic.startswith("homeassistant/"):
        return _discovery(topic, payload, known)
    if topic.endswith("/status"):
        return _status(topic, payload, received_at_ms)
    levels = topic.rsplit("/", 3)
    if len(levels) != 4 or levels[3] != "state" or levels[1] not in _KINDS:
        return Decoded()  # commands, logs, lamps
    prefix, kind, name, _ = levels
    told = payload.decode("utf-8", "replace").strip()
    if told.lower() in quantities.NO_VALUE:
        return Decoded()
    entry = known.get(f"esphome:{topic}", "")
    sensor = f"esphome:{prefix}/{name}"
    if kind == "binary_sensor":
        quantity = entry.partition(" ")[0] or _named_state(name)
        switched = quantities.state(quantity, told)
        if switched is None:
            raise DecodeError(f"a binary sensor is ON or OFF, not {told!r:.60}")
        return Decoded((Measurement(sensor, switched[0], switched[1], "bool", received_at_ms),))
    if entry.startswith(_NO_NUMBERS):
        return Decoded()
    value = quantities.figure(told)
    if value is None:
        raise DecodeError(f"{told!r:.60} is no number: the sensor has failed, or is none of numbers")
    quantity, _, unit = entry.partition(" ")
    is_known = bool(quantity)
    if not is_known:
        quantity, unit, is_known = quantities.meaning(name)
    value, unit = quantities.standard(value, unit)
    quality: Quality = "good" if is_known else "suspect"
    return Decoded((Measurement(sensor, quantity, value, unit, received_at_ms, quality=quality),))


def _status(topic: str, payload: bytes, received_at_ms: int) -> Decoded:
    if not payload:
        return Decoded()
    if payload.startswith(b"{"):  # somebody else's idea of a status
        return generic.decode(topic, payload, received_at_ms)
    if payload not in (b"online", b"offline"):
        raise DecodeError(f"status is online or offline, not {payload!r:.60}")
    sensor = f"esphome:{topic.removesuffix('/status')}"
    return Decoded((Measurement(sensor, "online", float(payload == b"online"), "bool", received_at_ms),))


def _discovery(topic: str, payload: bytes, known: Known) -> Decoded:
    """Learn what the states of ESPHome's sensors are; those of others tell their units themselves."""
    if not payload or not topic.endswith("/config"):
        return Decoded()
    learned = {}
    for config in _components(json_payload.parse_object(payload)):
        state_topic = json_payload.text(config.get("state_topic"))
        if state_topic is None or "value_template" in config:
            continue
        base = json_payload.text(config.get("~")) or ""
        if state_topic.startswith("~"):
            state_topic = base + state_topic[1:]
        elif state_topic.endswith("~"):
            state_topic = state_topic[:-1] + base
        levels = state_topic.rsplit("/", 3)
        if len(levels) != 4 or levels[3] != "state" or levels[1] not in _KINDS or len(state_topic) > _LONGEST_TOPIC:
            continue
        entry = _entry(config, levels[1], levels[2])
        if len(entry) <= _LONGEST_ENTRY and known.get(f"esphome:{state_topic}") != entry:
            learned[f"esphome:{state_topic}"] = entry
    return Decoded(learned=learned)


def _components(message: dict[str, object]) -> Iterator[dict[str, object]]:
    """The configuration itself, or, of a whole device, each of its components; keys in full."""
    config = _in_full(message)
    components = json_payload.table(config.get("components"))
    if not components:
        yield config
    for component in list(components.values())[:_MOST_COMPONENTS]:
        yield {"~": config.get("~")} | _in_full(json_payload.table(component))


def _in_full(config: dict[str, object]) -> dict[str, object]:
    return {_SHORT.get(key, key): told for key, told in config.items()}


def _entry(config: dict[str, object], kind: str, name: str) -> str:
    """What is remembered of a sensor: its quantity, a space, its unit."""
    told = json_payload.text(config.get("device_class"))
    if kind == "binary_sensor":
        return _STATE_CLASSES.get(told, quantities.slug(told)) if told else _named_state(name)
    unit = json_payload.text(config.get("unit_of_measurement"))
    if unit is None and told is None:
        quantity, unit, is_known = quantities.meaning(name)
        return f"{quantity} {unit}" if is_known else f"{quantity} 1"
    if told is None:
        quantity, unit, _ = quantities.meaning(name, unit or "")
        return f"{quantity} {unit}"
    quantity = _CLASSES.get(told, quantities.slug(told))
    if quantity == "voltage" and quantities.meaning(name, unit or "V").quantity == "battery_voltage":
        quantity = "battery_voltage"
    return f"{quantity} {unit or quantities.meaning(quantity).unit}"


def _named_state(name: str) -> str:
    said = quantities.named(name)
    return said.quantity if said is not None and said.unit == "bool" else quantities.slug(name)
