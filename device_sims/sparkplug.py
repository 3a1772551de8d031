"""A Sparkplug B edge node with one device below it: births, data by alias, deaths, and obedience to a rebirth.

Sources: Eclipse Sparkplug 3.0.0, chapters 5 and 6, and `sparkplug_b.proto`. Payloads are written field by field here,
apart from the gateway's own reader, so that the two can be held against each other.
"""

import struct
from dataclasses import dataclass

from device_sims.climate_sensor import Sample

INT8, INT16, INT32, INT64, UINT8, UINT16, UINT32, UINT64, FLOAT, DOUBLE, BOOLEAN, STRING = range(1, 13)
GOOD, STALE, BAD = 192, 500, 0
_VARINT, _EIGHT_BYTES, _BYTES, _FOUR_BYTES = 0, 1, 2, 5

Value = float | int | bool | str | None


@dataclass(frozen=True)
class Metric:
    """One metric; a value of None is written as null."""

    value: Value
    datatype: int
    name: str | None = None
    alias: int | None = None
    at_ms: int | None = None
    unit: str | None = None
    quality: int | None = None
    is_historical: bool = False
    #: data may leave the type out: the birth has told it
    tells_datatype: bool = True

    def encoded(self) -> bytes:
        """The metric's fields, in order of their numbers."""
        fields = b"" if self.name is None else _text(1, self.name)
        fields += b"" if self.alias is None else _number(2, self.alias)
        fields += b"" if self.at_ms is None else _number(3, self.at_ms)
        fields += _number(4, self.datatype) if self.tells_datatype else b""
        fields += _number(5, 1) if self.is_historical else b""
        fields += _number(7, 1) if self.value is None else b""
        return fields + self._properties() + self._value()

    def _properties(self) -> bytes:
        names, values = b"", b""
        if self.unit is not None:
            names += _text(1, "engUnit")
            values += _bytes(2, _number(1, STRING) + _text(8, self.unit))
        if self.quality is not None:
            names += _text(1, "Quality")
            values += _bytes(2, _number(1, INT32) + _number(3, self.quality))
        return _bytes(9, names + values) if names else b""

    def _value(self) -> bytes:
        if self.value is None:
            return b""
        if isinstance(self.value, str):
            return _text(15, self.value)
        if self.datatype == FLOAT:
            return _tag(12, _FOUR_BYTES) + struct.pack("<f", self.value)
        if self.datatype == DOUBLE:
            return _tag(13, _EIGHT_BYTES) + struct.pack("<d", self.value)
        if self.datatype == BOOLEAN:
            return _number(14, int(self.value))
        is_long = self.datatype in (INT64, UINT64)
        return _number(11 if is_long else 10, int(self.value) & (2**64 - 1 if is_long else 2**32 - 1))


def payload(metrics: list[Metric], *, at_ms: int | None = None, sequence: int | None = None) -> bytes:
    """A whole payload."""
    head = b"" if at_ms is None else _number(1, at_ms)
    body = b"".join(_bytes(2, metric.encoded()) for metric in metrics)
    return head + body + (b"" if sequence is None else _number(3, sequence))


class EdgeNode:
    """An edge node and its one device, a climate sensor. Its messages are numbered."""

    is_numbered = True

    def __init__(self, group: str, edge: str, device: str) -> None:
        self.sensor = f"sparkplug:{group}/{edge}/{device}"
        self._group, self._edge, self._device = group, edge, device
        self._sequence = 0
        self._births = 0

    def births(self, sample: Sample) -> list[tuple[str, bytes]]:
        """NBIRTH and DBIRTH, as after each connection and each rebirth: the messages are numbered anew."""
        self._sequence = 0
        node = [
            Metric(self._births, INT64, name="bdSeq", at_ms=sample.at_ms),
            Metric(False, BOOLEAN, name="Node Control/Rebirth", at_ms=sample.at_ms),
        ]
        nbirth = payload(node, at_ms=sample.at_ms, sequence=self._next())
        return [(self._topic("NBIRTH"), nbirth), (self._topic("DBIRTH"), self._told(sample, is_birth=True))]

    def message(self, sample: Sample) -> tuple[str, bytes, tuple[str, ...]]:
        """DDATA, by alias."""
        quantities = (
            ("temperature", "battery") if sample.humidity_pct is None else ("temperature", "humidity", "battery")
        )
        return self._topic("DDATA"), self._told(sample, is_birth=False), quantities

    def death(self) -> tuple[str, bytes]:
        """The last will of this connection; the next one has the next number."""
        told = payload([Metric(self._births, INT64, name="bdSeq")])
        self._births = (self._births + 1) % 256
        return self._topic("NDEATH"), told

    def _told(self, sample: Sample, *, is_birth: bool) -> bytes:
        values: list[tuple[str, int, Value, int, str]] = [
            ("Temperature", 1, round(sample.temperature_c, 2), FLOAT, "°C"),
            ("Battery", 3, round(sample.battery_pct), UINT8, "%"),
        ]
        if sample.humidity_pct is not None:
            values.insert(1, ("Humidity", 2, round(sample.humidity_pct, 2), DOUBLE, "%"))
        metrics = [
            Metric(value, datatype, name, alias, sample.at_ms, unit)
            if is_birth
            else Metric(value, datatype, None, alias, sample.at_ms, tells_datatype=False)
            for name, alias, value, datatype, unit in values
        ]
        return payload(metrics, at_ms=sample.at_ms, sequence=self._next())

    def _topic(self, kind: str) -> str:
        return f"spBv1.0/{self._group}/{kind}/{self._edge}" + (f"/{self._device}" if kind[0] == "D" else "")

    def _next(self) -> int:
        number = self._sequence
        self._sequence = (number + 1) % 256
        return number


def _tag(field: int, wire: int) -> bytes:
    return _varint(field << 3 | wire)


def _number(field: int, value: int) -> bytes:
    return _tag(field, _VARINT) + _varint(value)


def _bytes(field: int, content: bytes) -> bytes:
    return _tag(field, _BYTES) + _varint(len(content)) + content


def _text(field: int, text: str) -> bytes:
    return _bytes(field, text.encode())


def _varint(value: int) -> bytes:
    groups = [value >> shift & 0x7F for shift in range(0, max(1, value.bit_length()), 7)]
    return bytes([*(group | 0x80 for group in groups[:-1]), groups[-1]])
