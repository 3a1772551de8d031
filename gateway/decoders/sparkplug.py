"""Sparkplug B: `spBv1.0/<group>/<message type>/<edge node>[/<device>]`, payloads in Protocol Buffers.

Sources: Eclipse Sparkplug 3.0.0, chapters 4 to 6, and its `sparkplug_b.proto`. A birth (NBIRTH, DBIRTH) names all
metrics, their types and, when the device has short ones, their aliases; data (NDATA, DDATA) may carry no more than
alias and value. What births tell is remembered. Data whose alias is not known is kept as it came, and its edge node is
asked to be born again, once in half a minute. An edge node's `seq` counts its messages from 0 to 255; with the time of
the message it tells repeats. An edge node's last will (NDEATH) was written when it connected: its time is none, and it
does not count when its `bdSeq` is of before the last birth. A birth after a death says that the device is there again.
"""

import struct
from functools import lru_cache
from typing import NamedTuple

from gateway.contract import Quality
from gateway.decoders import device_time, protobuf, quantities
from gateway.decoders.decoded import Decoded, DecodeError, Known, Measurement, Request

_NAMESPACE = "spBv1.0"
_BIRTHS, _DATA, _DEATHS = ("NBIRTH", "DBIRTH"), ("NDATA", "DDATA"), ("NDEATH", "DDEATH")
#: what hosts say, to edge nodes and of themselves
_OF_HOSTS = ("NCMD", "DCMD", "STATE")
#: data types by their numbers; the specification has others, which are no readings: texts, dates, tables, arrays
_INTEGERS = {1: 8, 2: 16, 3: 32, 4: 64}
_UNSIGNED = frozenset({5, 6, 7, 8})
_FLOAT, _DOUBLE, _BOOLEAN = 9, 10, 11
_NUMBERS = frozenset({*_INTEGERS, *_UNSIGNED, _FLOAT, _DOUBLE})
#: fields of a metric that hold values
_INT, _LONG, _FLOAT_VALUE, _DOUBLE_VALUE, _BOOLEAN_VALUE = 10, 11, 12, 13, 14
#: fields of a metric that are read -> wire type: name, alias, time, data type, is null, properties, values
_METRIC_WIRES = {
    1: protobuf.BYTES,
    2: protobuf.VARINT,
    3: protobuf.VARINT,
    4: protobuf.VARINT,
    7: protobuf.VARINT,
    9: protobuf.BYTES,
    _INT: protobuf.VARINT,
    _LONG: protobuf.VARINT,
    _FLOAT_VALUE: protobuf.FOUR_BYTES,
    _DOUBLE_VALUE: protobuf.EIGHT_BYTES,
    _BOOLEAN_VALUE: protobuf.VARINT,
}
#: names of metrics that command or describe
_ADMINISTRATIVE = ("Node Control/", "Device Control/", "Properties/", "Node Info/")
_BIRTH_SEQUENCE, _BIRTH_SEQUENCES = "bdSeq", 256
_UNIT_PROPERTIES = frozenset({"engUnit", "Engineering Units", "EngUnit", "unit", "units", "Unit", "Units"})
#: property `Quality`: 192 is good
_QUALITIES: dict[int, Quality] = {0: "bad", 500: "suspect"}
#: bounds of what one message may say
_MOST_METRICS, _LONGEST_NAME, _MOST_PROBLEMS = 10_000, 200, 10
#: how long an edge node has to be born again before it is asked once more
_PATIENCE_MS = 30_000
_FIRST_TRUE_MS, _LAST_TRUE_MS = 1_000_000_000_000, 100_000_000_000_000


class Metric(NamedTuple):
    """One metric as it stands in a message; what is None is not told."""

    name: str | None
    alias: int | None
    at_ms: int | None
    datatype: int | None
    is_null: bool
    quality: int | None
    unit: str
    #: number of the field that holds the value, and what it holds; (0, 0): none, or none that can be a reading
    field: int
    raw: int | bytes


class _Payload(NamedTuple):
    at_ms: int | None
    sequence: int | None
    metrics: tuple[bytes, ...]


class _Remembered(NamedTuple):
    datatype: int
    unit: str
    name: str


def decode(topic: str, payload: bytes, received_at_ms: int, known: Known) -> Decoded:
    """Read one message below `spBv1.0/`.

    Raises:
        DecodeError: the topic or the payload is none of the specification's.
    """
    levels = topic.split("/")
    if len(levels) >= 3 and (levels[2] in _OF_HOSTS or levels[1] == "STATE"):
        return Decoded()
    kind = levels[2] if len(levels) > 3 else ""
    if kind not in _BIRTHS + _DATA + _DEATHS or len(levels) != (4 if kind[0] == "N" else 5) or "" in levels:
        raise DecodeError("the topic is not spBv1.0/<group>/<message type>/<edge node>[/<device>]")
    edge = f"sparkplug:{levels[1]}/{levels[3]}"
    sensor = edge if kind[0] == "N" else f"{edge}/{levels[4]}"
    message = _payload(payload)
    if kind in _DEATHS:
        return _death(kind, sensor, message, received_at_ms, known)
    result = _Reading(sensor, edge, message, received_at_ms, known, is_birth=kind in _BIRTHS)
    result.read()
    return result.decoded(levels)


def rebirth(at_ms: int) -> bytes:
    """The payload that asks an edge node to be born again: `Node Control/Rebirth` is true."""
    metric = (
        protobuf.bytes_field(1, b"Node Control/Rebirth")
        + protobuf.number_field(3, at_ms)
        + protobuf.number_field(4, _BOOLEAN)
        + protobuf.number_field(_BOOLEAN_VALUE, 1)
    )
    return protobuf.number_field(1, at_ms) + protobuf.bytes_field(2, metric)


class _Reading:
    """A birth or data while it is read."""

    def __init__(
        self, sensor: str, edge: str, message: _Payload, received_at_ms: int, known: Known, *, is_birth: bool
    ) -> None:
        self._sensor, self._edge, self._message = sensor, edge, message
        self._received_at_ms, self._known, self._is_birth = received_at_ms, known, is_birth
        self._measurements: list[Measurement] = []
        self._problems: list[str] = []
        self._learned: dict[str, str] = {}
        self._is_rebirth_needed = False

    def read(self) -> None:
        """Go through the metrics."""
        for content in self._message.metrics:
            try:
                self._metric(metric(content))
            except DecodeError as error:
                if len(self._problems) < _MOST_PROBLEMS:
                    self._problems.append(str(error))

    def decoded(self, levels: list[str]) -> Decoded:
        """All that was found."""
        at_ms, sequence = self._message.at_ms, self._message.sequence
        requests: tuple[Request, ...] = ()
        if self._is_birth and self._known.get(f"{self._sensor}!dead") == "1":
            self._learned[f"{self._sensor}!dead"] = "0"
            when = _when(at_ms, self._received_at_ms)
            self._measurements.append(Measurement(self._sensor, "online", 1.0, "bool", *when))
        if self._is_rebirth_needed and self._may_ask():
            self._learned[f"{self._edge}!asked"] = str(self._received_at_ms)
            requests = (Request(f"{_NAMESPACE}/{levels[1]}/NCMD/{levels[3]}", rebirth(self._received_at_ms)),)
        identity = None
        if sequence is not None and at_ms is not None and at_ms >= _FIRST_TRUE_MS:
            identity = f"{self._sensor}#{levels[2]}{sequence}@{at_ms}"
        return Decoded(
            tuple(self._measurements),
            tuple(self._problems),
            identity,
            learned=self._learned,
            requests=requests,
        )

    def _metric(self, told: Metric) -> None:
        name, datatype, unit = told.name, told.datatype, told.unit
        if self._is_birth:
            if name is None:
                raise DecodeError("a birth with a metric without a name")
            self._remember(told, name)
        else:
            key = f"{self._sensor}/{name}" if told.alias is None else f"{self._sensor}#{told.alias}"
            entry = self._known.get(key)
            if entry is not None:
                remembered = _remembered(entry)
                name, datatype = remembered.name or name, datatype or remembered.datatype
                unit = unit or remembered.unit
            elif name is None:
                if told.alias is None:
                    raise DecodeError("a metric without a name and an alias")
                self._is_rebirth_needed = True
                raise DecodeError(f"the alias {told.alias} is not known: {self._edge} must be born again")
        if told.is_null or name is None or name == _BIRTH_SEQUENCE or name.startswith(_ADMINISTRATIVE):
            return
        value = _value(told, datatype)
        if value is not None:
            self._measure(told, name, value, unit, is_boolean=told.field == _BOOLEAN_VALUE)

    def _measure(self, told: Metric, name: str, value: float, unit: str, *, is_boolean: bool) -> None:
        at_ms, source, quality = _when(told.at_ms or self._message.at_ms, self._received_at_ms)
        if told.quality is not None:
            quality = _QUALITIES.get(told.quality, quality)
        if is_boolean:
            said = quantities.named(name.rpartition("/")[2])
            quantity = said.quantity if said is not None and said.unit == "bool" else quantities.slug(name)
            quantity, value = quantities.state(quantity, bool(value)) or (quantity, value)
            code = "bool"
        else:
            quantity, unit, is_known = quantities.meaning(name, unit)
            value, code = quantities.standard(value, unit)
            if not is_known and quality == "good":
                quality = "suspect"
        self._measurements.append(Measurement(f"{self._sensor}/{name}", quantity, value, code, at_ms, source, quality))

    def _remember(self, told: Metric, name: str) -> None:
        if name == _BIRTH_SEQUENCE:
            self._learn(f"{self._sensor}!bdSeq", str(told.raw if isinstance(told.raw, int) else 0))
            return
        entry = f"{told.datatype or 0} {told.unit}"
        if told.alias is None:
            self._learn(f"{self._sensor}/{name}", entry)
        else:
            self._learn(f"{self._sensor}#{told.alias}", f"{entry}\t{name}")

    def _learn(self, key: str, entry: str) -> None:
        if self._known.get(key) != entry:
            self._learned[key] = entry

    def _may_ask(self) -> bool:
        asked = self._known.get(f"{self._edge}!asked", "")
        return not (asked.isdigit() and 0 <= self._received_at_ms - int(asked) < _PATIENCE_MS)


def _death(kind: str, sensor: str, message: _Payload, received_at_ms: int, known: Known) -> Decoded:
    if kind == "NDEATH":
        when = _when(None, received_at_ms)
        born = known.get(f"{sensor}!bdSeq", "")
        for told in map(metric, message.metrics):
            if told.name == _BIRTH_SEQUENCE and born.isdecimal() and isinstance(told.raw, int):
                behind = (int(born) - told.raw) % _BIRTH_SEQUENCES
                if 0 < behind < _BIRTH_SEQUENCES // 2:
                    return Decoded()  # of an earlier connection; the edge node has been born since
    else:
        when = _when(message.at_ms, received_at_ms)
    key = f"{sensor}!dead"
    learned = {key: "1"} if known.get(key) != "1" else {}
    return Decoded((Measurement(sensor, "online", 0.0, "bool", *when),), learned=learned)


def _payload(payload: bytes) -> _Payload:
    """The fields of a payload. Raises DecodeError when it is none, or holds more metrics than can be."""
    at_ms = sequence = None
    metrics: list[bytes] = []
    for number, _, content in protobuf.fields(payload):
        if number == 2 and isinstance(content, bytes):
            metrics.append(content)
        elif number == 1 and isinstance(content, int):
            at_ms = content
        elif number == 3 and isinstance(content, int):
            sequence = content
        elif number == 4 and content == b"SPBV1.0_COMPRESSED":
            raise DecodeError("a compressed payload cannot be read: switch compression off at the edge node")
    if len(metrics) > _MOST_METRICS:
        raise DecodeError(f"{len(metrics)} metrics in one message, {_MOST_METRICS} at most can be read")
    return _Payload(at_ms, sequence, tuple(metrics))


def metric(content: bytes) -> Metric:
    """The fields of a metric.

    Raises:
        DecodeError: it is none.
    """
    found: dict[int, int | bytes] = {}
    field = 0
    for number, wire, told in protobuf.fields(content):
        expected = _METRIC_WIRES.get(number)
        if expected is None:
            continue  # a table, a template, or of a newer version
        if wire != expected:
            raise DecodeError(f"field {number} of a metric is of wire type {wire}, not {expected}")
        found[number] = told
        if number >= _INT:
            field = number
    name = _text(found.get(1, b""))
    if len(name) > _LONGEST_NAME:
        raise DecodeError(f"a metric's name of {len(name)} letters, {_LONGEST_NAME} at most can be kept")
    unit, quality = _properties(found[9]) if 9 in found else ("", None)
    return Metric(
        name=name or None,
        alias=_whole(found.get(2)),
        at_ms=_whole(found.get(3)),
        datatype=_whole(found.get(4)),
        is_null=bool(found.get(7)),
        quality=quality,
        unit=unit,
        field=field,
        raw=found.get(field, 0),
    )


def _whole(told: int | bytes | None) -> int | None:
    return told if isinstance(told, int) else None


def _properties(content: int | bytes) -> tuple[str, int | None]:
    """(unit, quality) of a metric's property set: its keys, and as many values in the same order."""
    keys: list[str] = []
    values: list[bytes] = []
    for number, _, told in protobuf.fields(content) if isinstance(content, bytes) else ():
        if isinstance(told, bytes):
            if number == 1:
                keys.append(_text(told))
            elif number == 2:
                values.append(told)
    unit, quality = "", None
    for key, value in zip(keys, values, strict=False):
        if key in _UNIT_PROPERTIES:
            unit = _unit(value)
        elif key == "Quality":
            quality = next((told for number, _, told in protobuf.fields(value) if number == 3), None)
    return unit, quality if isinstance(quality, int) else None


def _unit(value: bytes) -> str:
    told = next((told for number, _, told in protobuf.fields(value) if number == 8), b"")
    return _text(told).strip()[:20].replace("\t", " ")


def _text(content: int | bytes) -> str:
    try:
        return content.decode() if isinstance(content, bytes) else ""
    except UnicodeDecodeError:
        raise DecodeError(f"no text: {content!r:.60}") from None


def _value(told: Metric, datatype: int | None) -> float | None:
    """The value as its type says; None when it is no number and no boolean.

    Raises:
        DecodeError: it is no finite number.
    """
    field, raw = told.field, told.raw
    if isinstance(raw, bytes):
        value: float = struct.unpack("<f" if field == _FLOAT_VALUE else "<d", raw)[0]
        return _shortest(value, raw) if field == _FLOAT_VALUE else value
    if field == 0 or (datatype is not None and datatype not in _NUMBERS and datatype != _BOOLEAN and datatype != 0):
        return None
    if field == _BOOLEAN_VALUE:
        return float(bool(raw))
    bits = _INTEGERS.get(datatype or 0)
    if bits is None:
        return float(raw)
    if raw >> bits:  # some write a small negative number with all the bits of a larger one
        bits = 64 if field == _LONG else 32
    raw &= (1 << bits) - 1
    return float(raw - (1 << bits) if raw >> (bits - 1) else raw)


def _shortest(value: float, raw: bytes) -> float:
    """The decimal with the fewest digits that is this single-precision number: -18.1, not -18.100000381."""
    if value == value and abs(value) != float("inf"):
        for digits in (6, 7, 8):
            short = float(f"{value:.{digits}g}")
            try:
                if struct.pack("<f", short) == raw:
                    return short
            except OverflowError:  # rounded up beyond the largest
                continue
    return value


def _when(at_ms: int | None, received_at_ms: int) -> device_time.When:
    """Milliseconds since 1970; a clock that was never set is no time at all."""
    if at_ms is None or at_ms < _FIRST_TRUE_MS:
        return received_at_ms, "gateway", "good"
    return device_time.of(at_ms if at_ms < _LAST_TRUE_MS else None, received_at_ms)


@lru_cache(maxsize=1024)
def _remembered(entry: str) -> _Remembered:
    described, _, name = entry.partition("\t")
    datatype, _, unit = described.partition(" ")
    return _Remembered(int(datatype) if datatype.isdecimal() else 0, unit, name)
