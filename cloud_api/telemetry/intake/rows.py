"""What a gateway's batch holds, row by row: read, checked, sorted by what becomes of it. Nothing here is trusted."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec
import numpy as np

from cloud_api.kernel import wire
from cloud_api.kernel.errors import Invalid
from cloud_api.telemetry.intake import columns
from cloud_api.telemetry.intake.columns import Columns
from cloud_api.telemetry.intake.reading_rows import (
    CODES,
    SEQUENCES,
    ReadingRows,
    Series,
    Window,
    is_name,
    problem_of_series,
    problems_of_time,
)
from cloud_api.telemetry.models import QUALITIES
from gateway.contract import (
    MAX_ROWS,
    VERSIONS,
    AlarmEvent,
    Gap,
    Lane,
    Reading,
    Refusal,
    Summary,
    TagRead,
    Weighing,
)

#: what a lane carries that carries no readings
Event = AlarmEvent | TagRead | Weighing | Summary | Gap
KINDS: dict[Lane, type[Event]] = {
    "alarms": AlarmEvent,
    "tags": TagRead,
    "weights": Weighing,
    "summaries": Summary,
    "gaps": Gap,
}
#: the lists of a batch; the backlog's rows stand where live readings stand
_LISTS = ("readings", "alarms", "tags", "weights", "summaries", "gaps")
#: lanes whose rows are readings, and may come as columns
OF_READINGS = ("readings", "backlog")

#: what a column of 64 bits holds
_LARGEST = 2**63

#: how msgspec says which field is missing or unknown
_FIELD = re.compile(r" field `(\w+)`$")
_HEX = re.compile(r"[0-9a-f]{32}")
_EPC = re.compile(r"([0-9A-F]{2}){1,62}")

Problem = tuple[bool, str, str]
T = TypeVar("T")
_READING = msgspec.json.Decoder(Reading)
_READINGS = msgspec.json.Decoder(list[Reading])


class Envelope(msgspec.Struct, forbid_unknown_fields=True):
    """A `Batch` whose rows are still raw, so that one bad row does not spoil the others."""

    version: int
    epoch: str
    lane: Lane
    readings: list[msgspec.Raw] = []
    alarms: list[msgspec.Raw] = []
    tags: list[msgspec.Raw] = []
    weights: list[msgspec.Raw] = []
    columns: Columns | None = None
    summaries: list[msgspec.Raw] = []
    gaps: list[msgspec.Raw] = []

    @property
    def own_list(self) -> str:
        """The name of the list in which its lane's rows stand."""
        return "readings" if self.lane in OF_READINGS else self.lane

    @property
    def rows(self) -> list[msgspec.Raw]:
        """Those of its lane."""
        rows: list[msgspec.Raw] = getattr(self, self.own_list)
        return rows


@dataclass
class SortedRows:
    """A batch's rows by what becomes of them."""

    #: by their index in the batch, in the order of their sequences
    fresh: dict[int, Event] = field(default_factory=dict)
    duplicates: int = 0
    refused: list[tuple[Refusal, bytes]] = field(default_factory=list)
    through: int = 0


def open_batch(body: bytes) -> Envelope:
    """The batch in `body`.

    Raises:
        Invalid: when it cannot be understood as a whole.
    """
    batch = wire.decode(body, Envelope)
    if batch.version not in VERSIONS:
        understood = " or ".join(map(str, VERSIONS))
        raise Invalid(f"wire version {batch.version} is not understood here: send {understood}", field="version")
    if not _HEX.fullmatch(batch.epoch):
        raise Invalid("epoch must be 32 hexadecimal digits", field="epoch")
    if any(getattr(batch, name) for name in _LISTS if name != batch.own_list):
        raise Invalid(f"the lane {batch.lane!r} carries {batch.own_list} only", field="lane")
    if batch.columns is None:
        count, where = len(batch.rows), batch.own_list
    elif batch.lane not in OF_READINGS or batch.rows:
        raise Invalid(f"the lane {batch.lane!r} carries a list or, of readings, columns: one of them", field="columns")
    else:
        count, where = columns.check_shape(batch.columns), "columns"
    if not 1 <= count <= MAX_ROWS:
        raise Invalid(f"a batch has 1 to {MAX_ROWS} rows, this one {count}", field=where)
    return batch


def device_of(row: Event) -> tuple[str, str] | None:
    """(code, quantity) of the device that a row comes from, as `devices` registers it; of a gap there is none."""
    if isinstance(row, TagRead):
        return row.reader, "tag"
    if isinstance(row, Weighing):
        return row.scale, "weight"
    return None if isinstance(row, Gap) else (row.sensor, row.quantity)


def unit_of(row: Event) -> str:
    """The unit of the device's quantity; an alarm does not say it."""
    if isinstance(row, TagRead):
        return "epc"
    if isinstance(row, Weighing):
        return "kg"
    return row.unit if isinstance(row, Summary) else ""


def raw_row(batch: Envelope, index: int) -> bytes:
    """A row as it came, or of columns what it says."""
    return bytes(batch.rows[index]) if batch.columns is None else columns.raw_row(batch.columns, index)


def read_readings(batch: Envelope, window: Window) -> ReadingRows:
    """The rows of a lane of readings as arrays, each with what is wrong with it."""
    if batch.columns is not None:
        return columns.read_columns(batch.columns, window)
    unreadable: dict[int, tuple[str, str]] = {}
    try:
        rows = _READINGS.decode(b"[" + b",".join(bytes(raw) for raw in batch.rows) + b"]")
    except (msgspec.DecodeError, UnicodeDecodeError):  # one by one, so that it is known which
        rows = [_read_one(index, raw, unreadable) for index, raw in enumerate(batch.rows)]
    numbers: dict[Series, int] = {}
    which = [numbers.setdefault((row.sensor, row.quantity, row.unit), len(numbers)) for row in rows]
    return ReadingRows.checked(
        list(numbers),
        which=np.array(which, np.int64),
        sequences=columns.numbers([row.sequence for row in rows]),
        times_ms=columns.numbers([row.recorded_at_ms for row in rows]),
        values=np.array([row.value for row in rows], np.float64),
        qualities=np.array([QUALITIES.index(row.quality) for row in rows], np.int8),
        wrong_series=[problem_of_series(series) for series in numbers],
        unreadable=unreadable,
        window=window,
    )


def _read_one(index: int, raw: msgspec.Raw, unreadable: dict[int, tuple[str, str]]) -> Reading:
    row = _decode(_READING.decode, index, raw)
    if isinstance(row, Reading):
        return row
    unreadable[index] = row.field, row.message
    return Reading(row.sequence or 0, "?", "?", 0.0, "?", 0)


def sort_rows(batch: Envelope, acked_through: int, window: Window) -> SortedRows:
    """What is at or below the cursor, or was in this batch before, is a duplicate; the rest is new or refused."""
    rows = SortedRows(through=acked_through)
    seen: set[int] = set()
    decode = msgspec.json.Decoder(KINDS[batch.lane]).decode
    for index, raw in enumerate(batch.rows):
        row = _read(decode, index, raw, window)
        if row.sequence is not None:
            if row.sequence <= acked_through or row.sequence in seen:
                rows.duplicates += 1
                continue
            seen.add(row.sequence)
        if isinstance(row, Refusal):
            rows.refused.append((row, raw_row(batch, index)))
        else:
            rows.fresh[index] = row
    rows.fresh = dict(sorted(rows.fresh.items(), key=lambda item: item[1].sequence))
    rows.through = max(seen, default=acked_through)
    return rows


def _read(decode: Callable[[msgspec.Raw], Event], index: int, raw: msgspec.Raw, window: Window) -> Event | Refusal:
    row = _decode(decode, index, raw)
    if isinstance(row, Refusal):
        return row
    for wrong, name, message in _problems_of(row, window):
        if wrong:
            return Refusal(index, _sequence_of(raw), CODES.get(message, "INVALID_ROW"), name, message)
    return row


def _decode(decode: Callable[[msgspec.Raw], T], index: int, raw: msgspec.Raw) -> T | Refusal:
    try:
        return decode(raw)
    except UnicodeDecodeError:
        return Refusal(index, _sequence_of(raw), "INVALID_ROW", "body", "is not UTF-8")
    except msgspec.ValidationError as error:
        name, message = wire.explain(error)
        named = _FIELD.search(message)
        return Refusal(index, _sequence_of(raw), "INVALID_ROW", named[1] if named else name, message)


def _problems_of(row: Event, window: Window) -> list[Problem]:
    """What the types cannot say."""
    problems: list[Problem] = [(not 1 <= row.sequence < SEQUENCES, "sequence", "must lie between 1 and 2^40")]
    match row:
        case Summary() | Gap():
            problems += problems_of_time("to_ms", row.to_ms, window)
            problems.append((not 0 <= row.from_ms <= row.to_ms, "from_ms", "lies before 1970 or behind to_ms"))
            problems += _problems_of_summary(row) if isinstance(row, Summary) else _problems_of_gap(row)
        case _:
            problems += problems_of_time("recorded_at_ms", row.recorded_at_ms, window)
            problems += _problems_of_event(row)
    return problems


def _problems_of_event(row: AlarmEvent | TagRead | Weighing) -> list[Problem]:
    if isinstance(row, TagRead):
        return _problems_of_tag(row)
    if isinstance(row, Weighing):
        return _problems_of_weighing(row)
    return _problems_of_alarm(row)


def _problems_of_series(row: AlarmEvent | Summary) -> list[Problem]:
    unit = row.unit if isinstance(row, Summary) else "none"
    wrong = problem_of_series((row.sensor, row.quantity, unit))
    return [] if wrong is None else [(True, *wrong)]


def _problems_of_alarm(row: AlarmEvent) -> list[Problem]:
    begins_first = 0 <= row.started_at_ms <= row.recorded_at_ms
    return [
        (not math.isfinite(row.value), "value", "must be a finite number"),
        *_problems_of_series(row),
        (not begins_first, "started_at_ms", "lies before 1970 or behind recorded_at_ms"),
        (not _HEX.fullmatch(row.incident), "incident", "must be 32 hexadecimal digits"),
        (not is_name(row.rule, 200), "rule", "must have 1 to 200 characters, none of them NUL"),
    ]


def _problems_of_tag(row: TagRead) -> list[Problem]:
    return [
        (not is_name(row.reader, 200), "reader", "must have 1 to 200 characters, none of them NUL"),
        (not _EPC.fullmatch(row.epc), "epc", "must be 2 to 124 hexadecimal digits in capitals"),
        (row.rssi_dbm is not None and not math.isfinite(row.rssi_dbm), "rssi_dbm", "must be a finite number"),
    ]


def _problems_of_weighing(row: Weighing) -> list[Problem]:
    weight = row.weight_kg
    return [
        (not is_name(row.scale, 200), "scale", "must have 1 to 200 characters, none of them NUL"),
        (weight is not None and not abs(weight) <= 1e6, "weight_kg", "must be a finite number below 1,000,000"),
        (row.state == "stable" and weight is None, "weight_kg", "must be there when the scale stands still"),
    ]


def _problems_of_summary(row: Summary) -> list[Problem]:
    figures = [
        (not math.isfinite(getattr(row, name)), name, "must be a finite number")
        for name in ("minimum", "mean", "maximum")
    ]
    return [
        *_problems_of_series(row),
        *figures,
        (row.minimum > row.maximum, "maximum", "must not lie below the minimum"),
        (not 1 <= row.count < _LARGEST, "count", "must lie between 1 and 2^63"),
    ]


def _problems_of_gap(row: Gap) -> list[Problem]:
    return [
        (not _HEX.fullmatch(row.epoch), "epoch", "must be 32 hexadecimal digits"),
        (not 1 <= row.first < SEQUENCES, "first", "must lie between 1 and 2^40"),
        (not row.first <= row.last < SEQUENCES, "last", "must lie between first and 2^40"),
        (not 0 <= row.rows < _LARGEST, "rows", "must lie between 0 and 2^63"),
    ]


def _sequence_of(raw: msgspec.Raw) -> int | None:
    """The sequence of a row that is broken otherwise; one outside the lane's range would carry the cursor away."""

    class OnlySequence(msgspec.Struct):
        sequence: int

    try:
        sequence = msgspec.json.decode(raw, type=OnlySequence).sequence
    except msgspec.DecodeError:
        return None
    return sequence if 1 <= sequence < SEQUENCES else None
