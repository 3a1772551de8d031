"""The user's own decoders, told in the configuration: where in a message stands what.

    [[mappings]]
    topic = "plant/{hall}/+/data"          # MQTT's wildcards, and levels that get a name
    sensor = "generic:{hall}-{$.id}"       # text, named levels, paths into the message
    timestamp = "$.ts"
    timestamp_format = "ms"
    [[mappings.values]]
    path = "$.t"
    quantity = "temperature"
    unit = "[degF]"

A path is JSONPath's plain part: `$`, `.key`, `['a key']`, `[0]`, `[-1]`, `[*]`. Of a path with `[*]` each value is a
sensor of its own, `<sensor>/0`. With `records = "$.items[*]"` each of those is read as a message of its own: there `$`
is the record and `$$` the whole message. All is checked and compiled once; an error names the key.
"""

import math
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from gateway.contract import Quality
from gateway.decoders import device_time, json_payload
from gateway.decoders.decoded import Decoded, DecodeError, Known, Measurement
from gateway.decoders.units import CONVERSIONS, to_standard
from gateway.errors import ConfigError

_Text = Annotated[str, Meta(min_length=1)]


class ValueSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One value of a message."""

    path: _Text
    #: `temperature`, `humidity`, `contact`, ...
    quantity: _Text
    #: of the number in the message, after `scale` and `offset`; kept in the standard unit of its quantity
    unit: _Text
    scale: float = 1.0
    offset: float = 0.0
    #: what stands for a number: `{ open = 0, closed = 1 }`
    words: dict[str, float] = {}
    #: behind the sensor's name: which probe of the device
    part: str = ""


class MappingSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the messages of some topics are read."""

    topic: _Text
    sensor: _Text
    values: Annotated[list[ValueSettings], Meta(min_length=1)]
    #: `text`: the payload is one bare value, its path is `$`
    payload: str = "json"
    records: str = ""
    #: path of the device's time; empty: it tells none
    timestamp: str = ""
    #: `iso8601`, `s`, `ms`, `us`, `ns` since 1970, or a pattern such as `%d.%m.%Y %H:%M:%S`
    timestamp_format: str = "iso8601"
    #: of a pattern that does not say it: `+02:00`
    utc_offset: str = ""
    #: path of what the device says about its own values; empty: it says nothing
    quality: str = ""
    #: what it says when they are good, and when they are doubtful; everything else is bad
    good: list[str | int | bool] = msgspec.field(default_factory=lambda: ["good", "ok", "OK", True])
    suspect: list[str | int | bool] = []


class Mapping:
    """One compiled entry of the configuration."""

    def __init__(self, settings: MappingSettings, key: str) -> None:
        """Raises ConfigError, which names the key below `key`."""
        self._topic = _filter(settings.topic, f"{key}.topic")
        self._sensor = _template(settings.sensor, set(self._topic.groupindex), f"{key}.sensor")
        self._records = _path(settings.records, f"{key}.records") if settings.records else None
        self._time = _path(settings.timestamp, f"{key}.timestamp") if settings.timestamp else None
        self._clock = _clock(settings.timestamp_format, settings.utc_offset, f"{key}.timestamp_format")
        self._quality = _path(settings.quality, f"{key}.quality") if settings.quality else None
        self._good, self._suspect = settings.good, settings.suspect
        if settings.payload not in ("json", "text"):
            raise ConfigError(f"{key}.payload: {settings.payload!r} is unknown: choose json or text.")
        self._is_text = settings.payload == "text"
        self._values = [_Value(told, f"{key}.values[{at}]") for at, told in enumerate(settings.values)]

    def matches(self, topic: str) -> bool:
        """Whether this entry reads the topic."""
        return self._topic.fullmatch(topic) is not None

    def decode(self, topic: str, payload: bytes, received_at_ms: int, known: Known) -> Decoded:
        """Read one message of a topic that matches.

        Raises:
            DecodeError: the payload is not of its format, or holds none of the values.
        """
        found = self._topic.fullmatch(topic)
        levels = found.groupdict() if found else {}
        message = payload.decode("utf-8", "replace").strip() if self._is_text else json_payload.parse(payload)
        measurements: list[Measurement] = []
        problems: list[str] = []
        for record in [message] if self._records is None else self._records(message, message):
            try:
                self._record(record, message, levels, received_at_ms, measurements, problems)
            except DecodeError as error:
                problems.append(str(error))
        if not measurements and not problems:
            raise DecodeError("the message holds none of the values of its mapping")
        return Decoded(tuple(measurements), tuple(problems))

    def _record(
        self,
        record: object,
        message: object,
        levels: dict[str, str],
        received_at_ms: int,
        measurements: list[Measurement],
        problems: list[str],
    ) -> None:
        sensor = self._sensor(levels, record, message)
        at_ms, source, quality = device_time.of_iso_8601(None, received_at_ms)
        told_at = next(self._time(record, message), None) if self._time else None
        if told_at is not None:
            at_ms, source, quality = device_time.of(self._clock(told_at), received_at_ms)
        if self._quality is not None and (worse := self._judged(next(self._quality(record, message), None))) != "good":
            quality = worse
        for value in self._values:
            for part, raw in value.find(record, message):
                try:
                    number, unit = value.read(raw)
                except DecodeError as error:
                    problems.append(str(error))
                    continue
                measurements.append(Measurement(sensor + part, value.quantity, number, unit, at_ms, source, quality))

    def _judged(self, told: object) -> Quality:
        if told in self._good:
            return "good"
        return "suspect" if told in self._suspect else "bad"


class _Value:
    """One compiled value."""

    def __init__(self, settings: ValueSettings, key: str) -> None:
        if settings.unit not in CONVERSIONS:
            raise ConfigError(f"{key}.unit: {settings.unit!r} is no unit that is known: write it in UCUM's letters.")
        if not math.isfinite(settings.scale) or not math.isfinite(settings.offset):
            raise ConfigError(f"{key}.scale: scale and offset must be finite numbers.")
        self.quantity = settings.quantity
        self._path = _path(settings.path, f"{key}.path")
        self._settings = settings
        self._part = f"/{settings.part}" if settings.part else ""
        self._is_many = "[*]" in settings.path

    def find(self, record: object, message: object) -> Iterator[tuple[str, object]]:
        """(part of the sensor, raw value) of all that are there."""
        for at, raw in enumerate(self._path(record, message)):
            if raw is not None:
                yield f"{self._part}/{at}" if self._is_many else self._part, raw

    def read(self, raw: object) -> tuple[float, str]:
        """The value in its standard unit. Raises DecodeError when it is none."""
        settings = self._settings
        value: float | None = None
        if isinstance(raw, str):
            value = settings.words[raw] if raw in settings.words else _number(raw)
        elif isinstance(raw, bool):
            value = float(raw) if settings.unit == "bool" else None
        else:
            value = json_payload.number(raw)
        if value is None:
            raise DecodeError(f"{settings.path}: {raw!r:.60} is no value in {settings.unit}")
        value, unit = to_standard(value * settings.scale + settings.offset, settings.unit)
        if not math.isfinite(value):
            raise DecodeError(f"{settings.path}: {raw!r:.60} is no finite value in {settings.unit}")
        return value, unit


def compiled(settings: Sequence[MappingSettings]) -> list[Mapping]:
    """The configuration's mappings, ready for use, in their order.

    Raises:
        ConfigError: names the key and what to do about it.
    """
    return [Mapping(one, f"mappings[{at}]") for at, one in enumerate(settings)]


#: (record, message) -> what stands at the path
Path = Callable[[object, object], Iterator[object]]

_STEP = re.compile(r"\.(?P<key>[^.\[\]]+)|\['(?P<quoted>[^']+)'\]|\[(?P<index>-?\d{1,6})\]|\[(?P<all>\*)\]")
#: every element of an array, or value of an object
_ALL = object()


def _path(told: str, key: str) -> Path:
    of_message = told.startswith("$$")
    rest = told[2 if of_message else 1 :]
    steps: list[object] = []
    at = 0
    while at < len(rest):
        step = _STEP.match(rest, at)
        if step is None:
            break
        if step["index"] is not None:
            steps.append(int(step["index"]))
        else:
            steps.append(_ALL if step["all"] else step["key"] or step["quoted"])
        at = step.end()
    if not told.startswith("$") or at < len(rest):
        raise ConfigError(f"{key}: {told!r} is no path: write it like $.data.items[0].value or $['a key'].")

    def find(record: object, message: object) -> Iterator[object]:
        return _walk(message if of_message else record, steps, 0)

    return find


def _walk(node: object, steps: list[object], at: int) -> Iterator[object]:
    for here in range(at, len(steps)):
        step = steps[here]
        if step is _ALL:
            inner = node if isinstance(node, list) else node.values() if isinstance(node, dict) else ()
            for one in inner:
                yield from _walk(one, steps, here + 1)
            return
        if isinstance(step, int):
            if not isinstance(node, list) or not -len(node) <= step < len(node):
                return
            node = node[step]
        elif isinstance(node, dict) and step in node:
            node = node[step]
        else:
            return
    yield node


_LEVEL_NAME = re.compile(r"\{([a-z][a-z0-9_]*)\}")


def _filter(told: str, key: str) -> re.Pattern[str]:
    """MQTT's filter as a pattern; named levels are its groups."""
    levels = told.split("/")
    parts: list[str] = []
    names: set[str] = set()
    for at, level in enumerate(levels):
        named = _LEVEL_NAME.fullmatch(level)
        if level == "#" and at == len(levels) - 1:
            # `a/#` is also `a`
            return re.compile("/".join(parts) + (r"(?:/.*)?" if parts else ".*"), re.DOTALL)
        if named:
            if named[1] in names:
                raise ConfigError(
                    f"{key}: the level {{{named[1]}}} stands there twice: name the other one differently."
                )
            names.add(named[1])
            parts.append(f"(?P<{named[1]}>[^/]+)")
        elif level == "+":
            parts.append("[^/]*")
        elif any(letter in level for letter in "+#{}"):
            raise ConfigError(f"{key}: the level {level!r} mixes a wildcard with letters: give it the level alone.")
        else:
            parts.append(re.escape(level))
    return re.compile("/".join(parts))


_HOLE = re.compile(r"\{([^{}]*)\}")
#: (named levels, record, message) -> the sensor
Template = Callable[[dict[str, str], object, object], str]


def _template(told: str, names: set[str], key: str) -> Template:
    pieces: list[str | Path] = []
    for at, piece in enumerate(_HOLE.split(told)):
        if at % 2 == 0:
            if piece:
                pieces.append(piece)
        elif piece.startswith("$"):
            pieces.append(_path(piece, key))
        elif piece in names:
            pieces.append(f"{{{piece}}}")
        else:
            raise ConfigError(
                f"{key}: {{{piece}}} is neither a level of the topic nor a path: name one of {sorted(names)}."
            )

    def fill(levels: dict[str, str], record: object, message: object) -> str:
        filled = []
        for piece in pieces:
            if isinstance(piece, str):
                filled.append(levels.get(piece[1:-1], piece) if piece.startswith("{") else piece)
                continue
            found = next(piece(record, message), None)
            if not isinstance(found, str | int) or isinstance(found, bool) or found == "":
                raise DecodeError(f"the message does not name its sensor as {told!r} says")
            filled.append(str(found)[:_LONGEST_NAME])
        return "".join(filled)

    return fill


_LONGEST_NAME = 128
#: how many make a millisecond, or how many milliseconds one makes
_EPOCHS = {"s": 1000.0, "ms": 1.0, "us": 1e-3, "ns": 1e-6}
#: 1973-03-03 to 5138-11-16: seconds told as milliseconds, and the other way round, fall outside
_EPOCH_BOUNDS_MS = (100_000_000_000, 100_000_000_000_000)


def _clock(told: str, utc_offset: str, key: str) -> Callable[[object], int | None]:
    """A function from a told time to milliseconds since 1970, None when it cannot be read."""
    if told in _EPOCHS:
        factor = _EPOCHS[told]

        def of_epoch(moment: object) -> int | None:
            value = _number(moment) if isinstance(moment, str) else json_payload.number(moment)
            if value is None or not _EPOCH_BOUNDS_MS[0] <= value * factor <= _EPOCH_BOUNDS_MS[1]:
                return None
            return round(value * factor)

        return of_epoch
    if told != "iso8601" and "%" not in told:
        raise ConfigError(
            f"{key}: {told!r} is unknown: choose iso8601, s, ms, us, ns or a pattern like %d.%m.%Y %H:%M."
        )
    if utc_offset and not re.fullmatch(r"[+-]\d{2}:\d{2}", utc_offset):
        raise ConfigError(f"{key.removesuffix('timestamp_format')}utc_offset: {utc_offset!r} is none: write it +02:00.")

    def of_date(moment: object) -> int | None:
        if not isinstance(moment, str):
            return None
        try:
            date = datetime.fromisoformat(moment) if told == "iso8601" else datetime.strptime(moment, told)  # noqa: DTZ007
        except ValueError:
            return None
        text = date.isoformat()
        return device_time.from_iso_8601(text if date.tzinfo else text + utc_offset)

    return of_date


def _number(told: str) -> float | None:
    """A number written as text; a decimal comma counts."""
    try:
        return float(told.strip().replace(",", "."))
    except ValueError:
        return None
