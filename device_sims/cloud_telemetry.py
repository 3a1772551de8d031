"""What the simulated cloud has stored, and what it should not have been sent.

It keeps count rather than rows: sequences as runs, latencies as histograms, and, when told to keep them, the numbered
values of each series (`device_sims.load`).
"""

import bisect
import itertools
import time
from array import array
from collections import Counter
from collections.abc import Sequence
from typing import Protocol

import msgspec

from device_sims.load_packets import number_of
from device_sims.own_process import Answer
from gateway.contract import MAX_ROWS, VERSIONS, AlarmEvent, Batch, Gap, ReadingColumns, Summary

#: the lanes whose rows are numbered together
_SHARED = {"backlog": "readings"}


class Refused(Exception):
    """An answer that is not 200."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status = status


class Runs:
    """A set of whole numbers as disjoint runs, rising."""

    def __init__(self) -> None:
        self._firsts: list[int] = []
        self._ends: list[int] = []

    def add(self, first: int, count: int) -> int:
        """Add a run; returns how many of its numbers were there before."""
        end = first + count
        low = bisect.bisect_left(self._ends, first)
        high = bisect.bisect_right(self._firsts, end)
        before = sum(
            max(0, min(end, self._ends[index]) - max(first, self._firsts[index])) for index in range(low, high)
        )
        if low < high:
            first, end = min(first, self._firsts[low]), max(end, self._ends[high - 1])
        self._firsts[low:high] = [first]
        self._ends[low:high] = [end]
        return before

    def as_json(self) -> list[tuple[int, int]]:
        """(first, last) of each run."""
        return [(first, end - 1) for first, end in zip(self._firsts, self._ends, strict=True)]


class Kept:
    """The numbered messages of one series, as they were stored."""

    def __init__(self) -> None:
        self._epochs = array("i")
        self._sequences = array("q")
        self._values = array("d")

    def append(self, epoch: int, sequence: int, value: float) -> None:
        """One row."""
        self._epochs.append(epoch)
        self._sequences.append(sequence)
        self._values.append(value)

    def runs(self) -> list[tuple[int, int]]:
        """In the order of sequences: (first number, last number) of each stretch that counts up by one."""
        rows = sorted(zip(self._epochs, self._sequences, self._values, strict=True))
        runs: list[list[int]] = []
        for _, _, value in rows:
            number = number_of(value)
            if runs and number == runs[-1][1] + 1:
                runs[-1][1] = number
            else:
                runs.append([number, number])
        return [(first, last) for first, last in runs]


class LaneCount(msgspec.Struct):
    """What came in one lane."""

    rows: int = 0
    duplicates: int = 0
    batches: int = 0
    #: bodies as they were on the wire
    body_bytes: int = 0


class Telemetry:
    """What is stored, and what should not have come."""

    def __init__(self) -> None:
        self.lanes: dict[str, LaneCount] = {}
        self.cursors: dict[tuple[str, str], int] = {}
        self.sequences: dict[tuple[str, str], Runs] = {}
        self.kept: dict[str, Kept] = {}
        self.keeps = False
        self.alarms: list[AlarmEvent] = []
        #: milliseconds from its raising to its arrival, each alarm
        self.alarm_latencies_ms: list[int] = []
        self.summaries: list[Summary] = []
        self.gaps: list[Gap] = []
        #: milliseconds from `recorded_at_ms` to arrival -> rows of `readings`, every fifth
        self.latencies_ms: Counter[int] = Counter()
        #: rows that were stored although their sequence had been stored before
        self.stored_twice = 0
        self.complaints: list[str] = []
        self._epochs: list[str] = []

    def store(self, batch: Batch, body_bytes: int) -> tuple[int, int, int]:
        """(acknowledged through, accepted, duplicates). Raises Refused for what the contract does not allow."""
        runs = self._checked(batch)
        lane = self.lanes.setdefault(batch.lane, LaneCount())
        cursor = self.cursors.get((batch.epoch, batch.lane), 0)
        total = sum(count for _, count in runs)
        skipped = sum(max(0, min(cursor + 1, first + count) - first) for first, count in runs)
        numbered = (batch.epoch, _SHARED.get(batch.lane, batch.lane))
        known = self.sequences.setdefault(numbered, Runs())
        for first, count in runs:
            fresh = max(first, cursor + 1)
            if fresh < first + count:
                self.stored_twice += known.add(fresh, first + count - fresh)
        self._take(batch, skipped)
        last_first, last_count = runs[-1]
        self.cursors[batch.epoch, batch.lane] = max(cursor, last_first + last_count - 1)
        lane.rows += total - skipped
        lane.duplicates += skipped
        lane.batches += 1
        lane.body_bytes += body_bytes
        return self.cursors[batch.epoch, batch.lane], total - skipped, skipped

    def complain(self, what: str) -> None:
        """Remember what a gateway should not have sent."""
        if len(self.complaints) < 20:
            self.complaints.append(what)

    def _checked(self, batch: Batch) -> list[tuple[int, int]]:
        """The batch's sequences as runs."""
        runs = self._runs(batch)
        ends = [first + count for first, count in runs]
        rises = all(end <= first for end, (first, _) in zip(ends, runs[1:], strict=False))
        good = bool(runs) and runs[0][0] >= 1 and rises and all(count > 0 for _, count in runs)
        if not good or batch.version not in VERSIONS or sum(count for _, count in runs) > MAX_ROWS:
            self.complain(f"{batch.lane}: version {batch.version}, sequences {runs[:5]}")
            raise Refused(422, "validation_failed")
        return runs

    def _runs(self, batch: Batch) -> list[tuple[int, int]]:
        columns = batch.columns
        if columns is not None:
            rows = sum(count for _, count in columns.sequences)
            lengths = {rows, len(columns.rows), len(columns.times_ms), len(columns.values)}
            if len(lengths) == 1 and len(columns.flags) in (0, rows) and batch.lane in ("readings", "backlog"):
                return columns.sequences
            self.complain(f"{batch.lane}: columns of {lengths} and {len(columns.flags)} rows")
            raise Refused(422, "validation_failed")
        return [(row.sequence, 1) for row in _rows(batch)]

    def _take(self, batch: Batch, skipped: int) -> None:
        now_ms = time.time_ns() // 1_000_000
        if batch.columns is not None:
            self._take_columns(batch, batch.columns, skipped, now_ms)
        self.alarms += batch.alarms[skipped:]
        self.alarm_latencies_ms += [now_ms - alarm.recorded_at_ms for alarm in batch.alarms[skipped:]]
        self.summaries += batch.summaries[skipped:]
        self.gaps += batch.gaps[skipped:]
        for row in batch.readings[skipped:]:
            self.latencies_ms[now_ms - row.recorded_at_ms] += 1
            if self.keeps and row.quantity == "temperature":
                self.kept.setdefault(row.sensor, Kept()).append(self._epoch(batch.epoch), row.sequence, row.value)

    def _take_columns(self, batch: Batch, columns: ReadingColumns, skipped: int, now_ms: int) -> None:
        if batch.lane == "readings":
            times_ms = itertools.accumulate(columns.times_ms)
            self.latencies_ms.update(now_ms - at_ms for at_ms in itertools.islice(times_ms, skipped, None, 5))
        if not self.keeps:
            return
        epoch = self._epoch(batch.epoch)
        sequences = itertools.chain.from_iterable(range(first, first + count) for first, count in columns.sequences)
        series = [
            self.kept.setdefault(sensor, Kept()) if quantity == "temperature" else None
            for sensor, quantity, _ in columns.series
        ]
        rows = zip(sequences, columns.rows, columns.values, strict=True)
        for sequence, index, value in itertools.islice(rows, skipped, None):
            kept = series[index]
            if kept is not None:
                kept.append(epoch, sequence, value)

    def _epoch(self, epoch: str) -> int:
        if epoch not in self._epochs:
            self._epochs.append(epoch)
        return self._epochs.index(epoch)

    def report(self) -> Answer:
        """All figures, as JSON can say them."""
        latencies_ms, self.latencies_ms = self.latencies_ms, Counter()
        alarm_latencies_ms, self.alarm_latencies_ms = self.alarm_latencies_ms, []
        return {
            "at_s": time.perf_counter(),
            "cpu_s": time.process_time(),
            "lanes": {name: msgspec.structs.asdict(lane) for name, lane in self.lanes.items()},
            "rows": sum(lane.rows for name, lane in self.lanes.items() if name in ("readings", "backlog")),
            "stored_twice": self.stored_twice,
            "complaints": self.complaints,
            "alarms": len(self.alarms),
            "epochs": sorted({epoch for epoch, _ in self.cursors}),
            "latencies_ms": dict(latencies_ms),
            "alarm_latencies_ms": alarm_latencies_ms,
        }

    def details(self) -> Answer:
        """What `keep` has kept, and what became of what never came."""
        return {
            "series": {sensor: kept.runs() for sensor, kept in self.kept.items()},
            "sequences": [[*key, runs.as_json()] for key, runs in self.sequences.items()],
            "gaps": msgspec.to_builtins(self.gaps),
            "summaries": msgspec.to_builtins(self.summaries),
            "alarms": msgspec.to_builtins(self.alarms),
        }


class _Sequenced(Protocol):
    @property
    def sequence(self) -> int:
        """Its place in the lane."""


def _rows(batch: Batch) -> Sequence[_Sequenced]:
    lists: dict[str, Sequence[_Sequenced]] = {
        "readings": batch.readings,
        "backlog": batch.readings,
        "alarms": batch.alarms,
        "tags": batch.tags,
        "weights": batch.weights,
        "summaries": batch.summaries,
        "gaps": batch.gaps,
    }
    return lists[batch.lane]
