"""Homie, versions 3 to 5: bare values on `homie/<device>/<node>/<property>`, what they are beside them.

Source: the Homie convention (homieiot.github.io). Up to version 4 each attribute of a property is a retained message
of its own (`.../$unit`, `.../$datatype`); version 5 puts its own number before the device and describes all of it in
one, `homie/5/<device>/$description`. A property whose unit was never told is read by its name, and marked.
"""

from collections.abc import Iterator

from gateway.contract import Quality
from gateway.decoders import json_payload, quantities
from gateway.decoders.decoded import Decoded, DecodeError, Known, Measurement

#: a device that sleeps, or starts, is neither there nor gone
_STATES = {"ready": 1.0, "alert": 1.0, "disconnected": 0.0, "lost": 0.0}
_OTHER_STATES = ("init", "sleeping")
_NUMBERS = frozenset({"float", "integer", "percent"})
_STATISTICS = {"battery": ("battery", "%"), "supply": ("voltage", "V")}
#: bounds of what is remembered
_LONGEST_KEY, _LONGEST_ENTRY, _MOST_PROPERTIES = 200, 40, 512


def decode(topic: str, payload: bytes, received_at_ms: int, known: Known) -> Decoded:
    """Read one message below `homie/`.

    Raises:
        DecodeError: the payload is not what the topic, or what was told of the property, promises.
    """
    levels = topic.split("/")[1:]
    if levels and levels[0] == "5":
        del levels[0]
    if len(levels) < 2 or levels[0].startswith("$") or not payload:
        return Decoded()  # a broadcast, or a retained message that is deleted
    device, last = levels[0], levels[-1]
    if last.startswith("$"):
        return _attribute(levels, payload, received_at_ms, known)
    if levels[1] == "$stats":
        return _statistic(device, last, payload, received_at_ms)
    if len(levels) != 3 or levels[1].startswith("$"):
        return Decoded()  # a command, a log, an alert in words
    return _property("/".join(levels), last, payload, received_at_ms, known)


def _attribute(levels: list[str], payload: bytes, received_at_ms: int, known: Known) -> Decoded:
    device, attribute = levels[0], levels[-1]
    if len(levels) == 2 and attribute == "$state":
        state = payload.decode("ascii", "replace")
        if state in _STATES:
            return Decoded((Measurement(f"homie:{device}", "online", _STATES[state], "bool", received_at_ms),))
        if state in _OTHER_STATES:
            return Decoded()
        raise DecodeError(f"$state is none that the convention knows: {state!r:.60}")
    if len(levels) == 2 and attribute == "$description":
        return _learn(_described(device, json_payload.parse_object(payload)), known)
    if len(levels) == 4 and attribute in ("$unit", "$datatype"):
        told = payload.decode("utf-8", "replace").strip()
        key = f"homie:{'/'.join(levels[:3])}"
        datatype, _, unit = known.get(key, "").partition(" ")
        return _learn([(key, f"{datatype} {told}" if attribute == "$unit" else f"{told} {unit}")], known)
    return Decoded()


def _described(device: str, description: dict[str, object]) -> Iterator[tuple[str, str]]:
    found = 0
    for node, content in json_payload.table(description.get("nodes")).items():
        properties = json_payload.table(json_payload.table(content).get("properties"))
        for name, attributes in properties.items():
            found += 1
            if found > _MOST_PROPERTIES:
                return
            told = json_payload.table(attributes)
            datatype, unit = json_payload.text(told.get("datatype")) or "", json_payload.text(told.get("unit")) or ""
            yield f"homie:{device}/{node}/{name}", f"{datatype} {unit}"


def _learn(entries: Iterator[tuple[str, str]] | list[tuple[str, str]], known: Known) -> Decoded:
    return Decoded(
        learned={
            key: entry
            for key, entry in entries
            if len(key) <= _LONGEST_KEY and len(entry) <= _LONGEST_ENTRY and known.get(key) != entry
        }
    )


def _statistic(device: str, name: str, payload: bytes, received_at_ms: int) -> Decoded:
    meaning = _STATISTICS.get(name)
    if meaning is None:
        return Decoded()
    quantity, unit = meaning
    value = quantities.figure(payload.decode("ascii", "replace"))
    if value is None:
        raise DecodeError(f"{payload!r:.60} is no {quantity}")
    return Decoded((Measurement(f"homie:{device}", quantity, value, unit, received_at_ms),))


def _property(path: str, name: str, payload: bytes, received_at_ms: int, known: Known) -> Decoded:
    told = payload.decode("utf-8", "replace").strip()
    key = f"homie:{path}"
    datatype, _, unit = known.get(key, "").partition(" ")
    if datatype == "boolean" or (not datatype and told in ("true", "false")):
        if told not in ("true", "false"):
            raise DecodeError(f"a boolean is true or false, not {told!r:.60}")
        said = quantities.named(name)
        quantity = said.quantity if said is not None and said.unit == "bool" else quantities.slug(name)
        switched = quantities.state(quantity, told) or (quantity, float(told == "true"))
        return Decoded((Measurement(key, switched[0], switched[1], "bool", received_at_ms),))
    value = quantities.figure(told)
    if datatype not in _NUMBERS and (datatype or value is None):
        return Decoded()  # a text, a choice, a colour, a date
    if value is None:
        raise DecodeError(f"{told!r:.60} is no {datatype}")
    if not unit and datatype == "percent":
        unit = "%"
    quantity, meant, _ = quantities.meaning(name, unit)
    value, code = quantities.standard(value, meant)
    # a number that was described without a unit has none, unless its name asks for one
    is_told = unit or (datatype and meant == "1")
    quality: Quality = "good" if is_told else "suspect"
    return Decoded((Measurement(key, quantity, value, code, received_at_ms, quality=quality),))
