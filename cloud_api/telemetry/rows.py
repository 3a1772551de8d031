"""What a gateway's batch holds, row by row: read, checked, sorted by what becomes of it. Nothing here is trusted."""

import math
import re
from dataclasses import dataclass, field

import msgspec

from cloud_api.kernel import clock, wire
from cloud_api.kernel.errors import Invalid
from gateway.contract import MAX_ROWS, WIRE_VERSION, AlarmEvent, Lane, Reading, Refusal, TagRead, Weighing

Row = Reading | AlarmEvent | TagRead | Weighing
KINDS: dict[Lane, type[Row]] = {"readings": Reading, "alarms": AlarmEvent, "tags": TagRead, "weights": Weighing}

#: a sequence on the wire stays below this; the lane's number stands above it in the stored key
SEQUENCES = 2**40
#: rows from further ahead of our clock than this are refused: they would be "the latest" for as long
_AHEAD_MS = 24 * 3600 * 1000

#: how msgspec says which field is missing or unknown
_FIELD = re.compile(r" field `(\w+)`$")
_HEX = re.compile(r"[0-9a-f]{32}")
_EPC = re.compile(r"([0-9A-F]{2}){1,62}")

Problem = tuple[bool, str, str]


class Envelope(msgspec.Struct, forbid_unknown_fields=True):
    """A `Batch` whose rows are still raw, so that one bad row does not spoil the others."""

    version: int
    epoch: str
    lane: Lane
    readings: list[msgspec.Raw] = []
    alarms: list[msgspec.Raw] = []
    tags: list[msgspec.Raw] = []
    weights: list[msgspec.Raw] = []

    @property
    def rows(self) -> list[msgspec.Raw]:
        """Those of its lane."""
        rows: list[msgspec.Raw] = getattr(self, self.lane)
        return rows


@dataclass
class SortedRows:
    """A batch's rows by what becomes of them."""

    #: by their index in the batch, in the order of their sequences
    fresh: dict[int, Row] = field(default_factory=dict)
    duplicates: int = 0
    refused: list[tuple[Refusal, bytes]] = field(default_factory=list)
    through: int = 0


def open_batch(body: bytes) -> Envelope:
    """The batch in `body`.

    Raises:
        Invalid: when it cannot be understood as a whole.
    """
    batch = wire.decode(body, Envelope)
    if batch.version != WIRE_VERSION:
        raise Invalid(f"wire version {batch.version} is not understood here: send {WIRE_VERSION}", field="version")
    if not _HEX.fullmatch(batch.epoch):
        raise Invalid("epoch must be 32 hexadecimal digits", field="epoch")
    if any(getattr(batch, lane) for lane in KINDS if lane != batch.lane):
        raise Invalid(f"the lane {batch.lane!r} carries {batch.lane} only", field="lane")
    if not 1 <= len(batch.rows) <= MAX_ROWS:
        raise Invalid(f"a batch has 1 to {MAX_ROWS} rows, this one {len(batch.rows)}", field=batch.lane)
    return batch


def device_of(row: Row) -> tuple[str, str]:
    """(code, quantity) of the device that a row comes from, as `devices` registers it."""
    if isinstance(row, TagRead):
        return row.reader, "tag"
    if isinstance(row, Weighing):
        return row.scale, "weight"
    return row.sensor, row.quantity


def unit_of(row: Row) -> str:
    """The unit of the device's quantity; an alarm does not say it."""
    if isinstance(row, TagRead):
        return "epc"
    if isinstance(row, Weighing):
        return "kg"
    return row.unit if isinstance(row, Reading) else ""


def sort_rows(batch: Envelope, acked_through: int) -> SortedRows:
    """What is at or below the cursor, or was in this batch before, is a duplicate; the rest is new or refused."""
    rows = SortedRows(through=acked_through)
    seen: set[int] = set()
    latest_ms = clock.now_ms() + _AHEAD_MS
    for index, raw in enumerate(batch.rows):
        row = _read(batch, index, latest_ms)
        if row.sequence is not None:
            if row.sequence <= acked_through or row.sequence in seen:
                rows.duplicates += 1
                continue
            seen.add(row.sequence)
        if isinstance(row, Refusal):
            rows.refused.append((row, bytes(raw)))
        else:
            rows.fresh[index] = row
    rows.fresh = dict(sorted(rows.fresh.items(), key=lambda item: item[1].sequence))
    rows.through = max(seen, default=acked_through)
    return rows


def _read(batch: Envelope, index: int, latest_ms: int) -> Row | Refusal:
    raw = batch.rows[index]
    try:
        row = msgspec.json.decode(raw, type=KINDS[batch.lane])
        _check(row, latest_ms)
    except UnicodeDecodeError:
        return Refusal(index, _sequence_of(raw), "INVALID_ROW", "body", "is not UTF-8")
    except msgspec.ValidationError as error:
        name, message = wire.explain(error)
        named = _FIELD.search(message)
        return Refusal(index, _sequence_of(raw), "INVALID_ROW", named[1] if named else name, message)
    return row


def _check(row: Row, latest_ms: int) -> None:
    """What the types cannot say.

    Raises:
        msgspec.ValidationError: in msgspec's own form, naming the field.
    """
    problems: list[Problem] = [
        (not 1 <= row.sequence < SEQUENCES, "sequence", "must lie between 1 and 2^40"),
        (not 0 <= row.recorded_at_ms <= latest_ms, "recorded_at_ms", "lies before 1970 or over a day ahead"),
    ]
    if isinstance(row, TagRead):
        problems += _problems_of_tag(row)
    elif isinstance(row, Weighing):
        problems += _problems_of_weighing(row)
    else:
        problems += _problems_of_measurement(row)
    for wrong, name, message in problems:
        if wrong:
            raise msgspec.ValidationError(f"{message} - at `$.{name}`")


def _problems_of_measurement(row: Reading | AlarmEvent) -> list[Problem]:
    problems: list[Problem] = [
        (not math.isfinite(row.value), "value", "must be a finite number"),
        (not _is_name(row.sensor, 200), "sensor", "must have 1 to 200 characters, none of them NUL"),
        (not _is_name(row.quantity, 64), "quantity", "must have 1 to 64 characters, none of them NUL"),
    ]
    if isinstance(row, Reading):
        problems.append((not _is_name(row.unit, 16), "unit", "must have 1 to 16 characters, none of them NUL"))
    else:
        begins_first = 0 <= row.started_at_ms <= row.recorded_at_ms
        problems.append((not begins_first, "started_at_ms", "lies before 1970 or behind recorded_at_ms"))
        problems.append((not _HEX.fullmatch(row.incident), "incident", "must be 32 hexadecimal digits"))
    return problems


def _problems_of_tag(row: TagRead) -> list[Problem]:
    return [
        (not _is_name(row.reader, 200), "reader", "must have 1 to 200 characters, none of them NUL"),
        (not _EPC.fullmatch(row.epc), "epc", "must be 2 to 124 hexadecimal digits in capitals"),
        (row.rssi_dbm is not None and not math.isfinite(row.rssi_dbm), "rssi_dbm", "must be a finite number"),
    ]


def _problems_of_weighing(row: Weighing) -> list[Problem]:
    weight = row.weight_kg
    return [
        (not _is_name(row.scale, 200), "scale", "must have 1 to 200 characters, none of them NUL"),
        (weight is not None and not abs(weight) <= 1e6, "weight_kg", "must be a finite number below 1,000,000"),
        (row.state == "stable" and weight is None, "weight_kg", "must be there when the scale stands still"),
    ]


def _is_name(text: str, longest: int) -> bool:
    """PostgreSQL's text holds everything but NUL."""
    return 1 <= len(text) <= longest and "\0" not in text


def _sequence_of(raw: msgspec.Raw) -> int | None:
    """The sequence of a row that is broken otherwise; one outside the lane's range would carry the cursor away."""

    class OnlySequence(msgspec.Struct):
        sequence: int

    try:
        sequence = msgspec.json.decode(raw, type=OnlySequence).sequence
    except msgspec.DecodeError:
        return None
    return sequence if 1 <= sequence < SEQUENCES else None
