"""Line protocol, read as InfluxDB reads it: what it refuses is refused.

Source: InfluxDB OSS v2 reference, "Line protocol". Strings in fields may not span lines here.
"""

import re
from dataclasses import dataclass

_INTEGER = re.compile(r"[+-]?\d+[iu]")
_FLOAT = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_TRUTH = {
    **dict.fromkeys(("t", "T", "true", "True", "TRUE"), True),
    **dict.fromkeys(("f", "F", "false", "False", "FALSE"), False),
}
#: nanoseconds since 1970 that can be stored
_EARLIEST, _LATEST = -(1 << 63) + 2, (1 << 63) - 2

Value = float | int | bool | str


class BadLine(Exception):
    """A line that InfluxDB would not take."""


@dataclass(frozen=True)
class Point:
    """One line."""

    measurement: str
    tags: tuple[tuple[str, str], ...]
    fields: dict[str, Value]
    #: nanoseconds since 1970; None: the server's own time
    at_ns: int | None


def parse(text: str, *, nanoseconds: int = 1) -> list[Point]:
    """The points of a body.

    Args:
        nanoseconds: how many one unit of its times has.

    Raises:
        BadLine: for the first line that cannot be taken.
    """
    lines = (line.strip() for line in text.splitlines())
    return [_point(line, nanoseconds) for line in lines if line and not line.startswith("#")]


def _point(line: str, nanoseconds: int) -> Point:
    parts = [part for part in _split(line, " ") if part]
    if len(parts) < 2:
        raise BadLine(f"unable to parse '{line}': missing fields")
    if len(parts) > 3:
        raise BadLine(f"unable to parse '{line}': bad timestamp")
    measurement, *tags = _split(parts[0], ",")
    if not measurement:
        raise BadLine(f"unable to parse '{line}': missing measurement")
    fields = dict(_pair(pair, line, "field") for pair in _split(parts[1], ","))
    return Point(
        _plain(measurement),
        tuple(sorted((name, _plain(value)) for name, value in (_pair(pair, line, "tag") for pair in tags))),
        {name: _value(value, line) for name, value in fields.items()},
        None if len(parts) == 2 else _time(parts[2], nanoseconds, line),
    )


def _split(text: str, separator: str) -> list[str]:
    """At separators that are neither escaped nor within a string."""
    parts, begin, index, quoted = [], 0, 0, False
    while index < len(text):
        letter = text[index]
        if letter == "\\":
            index += 1
        elif letter == '"':
            quoted = not quoted
        elif letter == separator and not quoted:
            parts.append(text[begin:index])
            begin = index + 1
        index += 1
    return [*parts, text[begin:]]


def _pair(text: str, line: str, kind: str) -> tuple[str, str]:
    name, *value = _split(text, "=")
    if not name or not value or not "=".join(value):
        raise BadLine(f"unable to parse '{line}': missing {kind} {'value' if name else 'key'}")
    return _plain(name), "=".join(value)


def _plain(text: str) -> str:
    return re.sub(r"\\([,= ])", r"\1", text)


def _value(text: str, line: str) -> Value:
    if text.startswith('"'):
        if len(text) < 2 or not text.endswith('"'):
            raise BadLine(f"unable to parse '{line}': unbalanced quotes")
        return re.sub(r'\\(["\\])', r"\1", text[1:-1])
    if text in _TRUTH:
        return _TRUTH[text]
    if _INTEGER.fullmatch(text):
        return int(text[:-1])
    if _FLOAT.fullmatch(text):
        return float(text)
    raise BadLine(f"unable to parse '{line}': invalid number")


def _time(text: str, nanoseconds: int, line: str) -> int:
    try:
        at_ns = int(text) * nanoseconds
    except ValueError:
        raise BadLine(f"unable to parse '{line}': bad timestamp") from None
    if not _EARLIEST <= at_ns <= _LATEST:
        raise BadLine(f"unable to parse '{line}': time outside range {_EARLIEST} - {_LATEST}")
    return at_ns
