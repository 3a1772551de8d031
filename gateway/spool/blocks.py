"""How rows lie on disk: in blocks, one for each lane and group commit, so that a commit is one insert and one page.

A block holds rows of consecutive sequences. Readings are columns: series, milliseconds after the block's oldest, value,
flags; some 13 bytes a row. What happens rarely (alarms, tags, weights, summaries, gaps) is a list of its fields.
SQLite has no checksum of its own, so each body ends with one: what a dying card has changed is not sent on as true.
"""

import zlib
from collections.abc import Mapping, Sequence

import msgspec

from gateway.contract import (
    FLAG_BAD,
    FLAG_DEVICE_TIME,
    FLAG_SUSPECT,
    AlarmEvent,
    Gap,
    Lane,
    Quality,
    Summary,
    TagRead,
    TimeSource,
    Weighing,
)

Event = AlarmEvent | TagRead | Weighing | Summary | Gap
#: the kind of row of each lane that has no columns
EVENTS: Mapping[Lane, type[Event]] = {
    "alarms": AlarmEvent,
    "weights": Weighing,
    "tags": TagRead,
    "summaries": Summary,
    "gaps": Gap,
}
QUALITY_FLAGS: Mapping[Quality, int] = {"good": 0, "suspect": FLAG_SUSPECT, "bad": FLAG_BAD}
SOURCE_FLAGS: Mapping[TimeSource, int] = {"gateway": 0, "device": FLAG_DEVICE_TIME}


class Columns(msgspec.Struct, array_like=True):
    """Readings, a list a field, all of one length."""

    #: numbers of the spool's own table of series
    series: list[int]
    times_ms: list[int]
    values: list[float]
    flags: list[int]

    def extend(self, other: "Columns") -> None:
        """Add the rows of another."""
        self.series += other.series
        self.times_ms += other.times_ms
        self.values += other.values
        self.flags += other.flags

    def cut(self, start: int, stop: int) -> "Columns":
        """The rows from `start` up to `stop`."""
        here = slice(start, stop)
        return Columns(self.series[here], self.times_ms[here], self.values[here], self.flags[here])


class Block(msgspec.Struct, frozen=True):
    """One row of a lane's table; its fields are the columns."""

    first: int
    last: int
    #: under which anchor of the timeline the gateway's own times in here were taken
    anchor: int
    oldest_ms: int
    newest_ms: int
    body: bytes

    @property
    def rows(self) -> int:
        """How many there are."""
        return self.last - self.first + 1


_encode = msgspec.msgpack.Encoder().encode
_columns = msgspec.msgpack.Decoder(Columns)
_lists = msgspec.msgpack.Decoder(list[list[object]])
_CHECKSUM_BYTES = 4


def empty() -> Columns:
    """No rows yet."""
    return Columns([], [], [], [])


def pack_readings(first: int, anchor: int, rows: Columns) -> Block:
    """A block of readings; there must be one at least."""
    times_ms = rows.times_ms
    oldest_ms, newest_ms = min(times_ms), max(times_ms)
    after_ms = [0] * len(times_ms) if oldest_ms == newest_ms else [at_ms - oldest_ms for at_ms in times_ms]
    body = _seal(_encode((rows.series, after_ms, rows.values, rows.flags)))
    return Block(first, first + len(times_ms) - 1, anchor, oldest_ms, newest_ms, body)


def unpack_readings(block: Block) -> Columns:
    """The rows of a block. Raises msgspec.DecodeError when the disk has spoilt them."""
    rows = _columns.decode(_open(block))
    count = block.rows
    if not len(rows.series) == len(rows.times_ms) == len(rows.values) == len(rows.flags) == count:
        raise msgspec.DecodeError(f"the block of {count} rows holds another number")
    oldest_ms = block.oldest_ms
    rows.times_ms = [oldest_ms + after_ms for after_ms in rows.times_ms]
    return rows


def pack_events(first: int, anchor: int, events: Sequence[Event]) -> Block:
    """A block of other rows; the sequences that they carry are replaced."""
    times_ms = [time_of(event) for event in events]
    body = _seal(_encode([msgspec.structs.astuple(event)[1:] for event in events]))
    return Block(first, first + len(events) - 1, anchor, min(times_ms), max(times_ms), body)


def unpack_events(lane: Lane, block: Block) -> list[Event]:
    """The rows of a block. Raises msgspec.DecodeError when the disk has spoilt them."""
    kind = EVENTS[lane]
    try:
        fields = _lists.decode(_open(block))
        rows = [kind(block.first + index, *row) for index, row in enumerate(fields)]  # type: ignore[arg-type]
    except TypeError as error:
        raise msgspec.DecodeError(f"the block is no block of {lane}: {error}") from None
    if len(rows) != block.rows:
        raise msgspec.DecodeError(f"the block of {block.rows} rows holds another number")
    return rows


def time_of(event: Event) -> int:
    """When it was, in milliseconds; a stretch of time counts by its end."""
    return event.to_ms if isinstance(event, Summary | Gap) else event.recorded_at_ms


def _seal(body: bytes) -> bytes:
    return body + zlib.crc32(body).to_bytes(_CHECKSUM_BYTES, "big")


def _open(block: Block) -> memoryview:
    body = memoryview(block.body)[:-_CHECKSUM_BYTES]
    if zlib.crc32(body).to_bytes(_CHECKSUM_BYTES, "big") != block.body[-_CHECKSUM_BYTES:]:
        raise msgspec.DecodeError(f"the block from {block.first} to {block.last} is spoilt: its checksum is another")
    return body
