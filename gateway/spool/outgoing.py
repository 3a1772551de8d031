"""Rows on their way to the cloud: blocks put together to one batch, in the words of the wire."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import msgspec

from gateway.contract import (
    FLAG_BAD,
    FLAG_DEVICE_TIME,
    FLAG_SUSPECT,
    AlarmEvent,
    Gap,
    Lane,
    Reading,
    ReadingColumns,
    Summary,
)
from gateway.rules import incident_key
from gateway.spool.blocks import Block, Event, empty, unpack_events, unpack_readings
from gateway.spool.store import DeadLetter, SeriesKey
from gateway.timeline import Anchor

Row = Reading | Event


class Outgoing(msgspec.Struct, frozen=True):
    """Rows of one lane, sequences rising."""

    lane: Lane
    #: whose sequences these are: the spool's own, or that of a spoilt file which was salvaged
    epoch: str
    first: int
    last: int
    rows: int
    oldest_ms: int
    newest_ms: int
    #: of the lanes `readings` and `backlog`
    columns: ReadingColumns | None
    #: of all other lanes
    events: Sequence[Event] = ()

    def row(self, row: int) -> Row:
        """One row, counted from 0."""
        columns = self.columns
        if columns is None:
            return self.events[row]
        flags = columns.flags[row] if columns.flags else 0
        return Reading(
            self.sequence_of(row),
            *columns.series[columns.rows[row]][:2],
            columns.values[row],
            columns.series[columns.rows[row]][2],
            sum(columns.times_ms[: row + 1]),
            "device" if flags & FLAG_DEVICE_TIME else "gateway",
            "bad" if flags & FLAG_BAD else "suspect" if flags & FLAG_SUSPECT else "good",
        )

    def sequence_of(self, row: int) -> int:
        """The sequence of a row, counted from 0."""
        if self.columns is None:
            return self.events[row].sequence
        for first, count in self.columns.sequences:
            if row < count:
                return first + row
            row -= count
        raise IndexError(row)


def letters_of(batch: Outgoing, refused: Mapping[int, str]) -> list[tuple[int, DeadLetter]]:
    """(sequence, letter) of each refused row."""
    if not refused:
        return []
    letters = []
    for row in range(batch.rows):
        sequence = batch.sequence_of(row)
        if sequence in refused:
            what = msgspec.json.encode(batch.row(row))
            letters.append((sequence, DeadLetter("cloud", batch.lane, what, batch.newest_ms, refused[sequence])))
    return letters


class Assembly:
    """Blocks of one lane, collected up to a limit."""

    def __init__(self, lane: Lane, epoch: str, after: int, limit: int) -> None:
        self._lane = lane
        self._epoch = epoch
        self._after = after
        self._limit = limit
        self._oldest_ms: list[int] = []
        self._newest_ms: list[int] = []
        self._runs: list[tuple[int, int]] = []
        self._columns = empty()
        self._events: list[Event] = []
        self.rows = 0

    @property
    def is_full(self) -> bool:
        """Whether no more blocks are wanted."""
        return self.rows >= self._limit

    def add(self, block: Block, anchor: Anchor | None) -> None:
        """Take what is still wanted of a block. Raises msgspec.DecodeError when the disk has spoilt it."""
        start = max(0, self._after + 1 - block.first)
        stop = min(block.rows, start + self._limit - self.rows)
        repair = anchor if anchor is not None and anchor.repair_ms else None
        if self._lane in ("readings", "backlog"):
            columns = unpack_readings(block)
            if stop - start < block.rows:
                columns = columns.cut(start, stop)
            if repair is not None:
                columns.times_ms = [
                    at_ms if flags & FLAG_DEVICE_TIME else repair.repaired(at_ms)
                    for at_ms, flags in zip(columns.times_ms, columns.flags, strict=True)
                ]
            self._columns.extend(columns)
        else:
            events = unpack_events(self._lane, block)[start:stop]
            self._events += events if repair is None else [_repaired(event, repair) for event in events]
        self._note(block, block.first + start, stop - start)

    def _note(self, block: Block, first: int, count: int) -> None:
        self._oldest_ms.append(block.oldest_ms)
        self._newest_ms.append(block.newest_ms)
        self.rows += count
        if self._runs and self._runs[-1][0] + self._runs[-1][1] == first:
            self._runs[-1] = (self._runs[-1][0], self._runs[-1][1] + count)
        else:
            self._runs.append((first, count))

    def finish(self, series: Sequence[SeriesKey]) -> Outgoing | None:
        """The batch; None when it is empty. `series` are all the spool knows."""
        if not self.rows:
            return None
        is_columns = self._lane in ("readings", "backlog")
        return Outgoing(
            self._lane,
            self._epoch,
            self._runs[0][0],
            self._runs[-1][0] + self._runs[-1][1] - 1,
            self.rows,
            min(self._oldest_ms),
            max(self._newest_ms),
            self._on_the_wire(series) if is_columns else None,
            self._events,
        )

    def _on_the_wire(self, series: Sequence[SeriesKey]) -> ReadingColumns:
        columns = self._columns
        index: dict[int, int] = {}
        rows = [index.setdefault(number, len(index)) for number in columns.series]
        times_ms = columns.times_ms
        steps = [at_ms - before_ms for before_ms, at_ms in pairwise(times_ms)]
        return ReadingColumns(
            [series[number] for number in index],
            rows,
            self._runs,
            [times_ms[0], *steps],
            columns.values,
            columns.flags if any(columns.flags) else [],
        )


def _repaired(event: Event, anchor: Anchor) -> Event:
    """The event with the gateway's own times as they are known now."""
    if isinstance(event, AlarmEvent):
        # The rule looked at the gateway's own time: before it is trusted, no device's is believed.
        started_at_ms = anchor.repaired(event.started_at_ms)
        incident = incident_key(event.sensor, event.quantity, event.rule, started_at_ms)
        recorded_at_ms = anchor.repaired(event.recorded_at_ms)
        return msgspec.structs.replace(
            event, started_at_ms=started_at_ms, recorded_at_ms=recorded_at_ms, incident=incident
        )
    if isinstance(event, Gap):
        return msgspec.structs.replace(
            event, from_ms=anchor.repaired(event.from_ms), to_ms=anchor.repaired(event.to_ms)
        )
    if event.time_source == "device":
        return event
    if isinstance(event, Summary):
        return msgspec.structs.replace(
            event, from_ms=anchor.repaired(event.from_ms), to_ms=anchor.repaired(event.to_ms)
        )
    return msgspec.structs.replace(event, recorded_at_ms=anchor.repaired(event.recorded_at_ms))
