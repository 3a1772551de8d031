"""What happens when the disk runs out: old readings are thinned, then what is left of them dropped; each is told.

The quota bounds the file. Near its end the oldest readings that wait become one summary for each series and quarter of
an hour (least, mean, greatest, how many), later the oldest summaries are dropped. A gap names every range of sequences
that is gone. Alarms, tags and weights are never thinned. When others fill the disk, a ballast file is given
up, so that there is room to thin in: on a full disk SQLite could not even delete.

The first rows of a lane are left alone: they may be on their way, and must not reach the cloud in both forms.
"""

import logging
import os
import shutil
import sqlite3
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Literal

from gateway.contract import FLAG_BAD, FLAG_DEVICE_TIME, MAX_ROWS, Gap, Lane, Summary
from gateway.spool.blocks import QUALITY_FLAGS, Block, unpack_events, unpack_readings
from gateway.spool.store import SeriesKey, Store

_log = logging.getLogger(__name__)

BALLAST_NAME = "ballast"
_BALLAST_BYTES = 8 << 20
_THIN_ABOVE = 0.85
_HURRY_ABOVE = 0.95
#: readings in one go, a tenth of a second of work
_ROWS_AT_ONCE = 50_000
_SUMMARIES_AT_ONCE = 20_000
_BLOCK_ROWS = 500
_WINDOW_MS = 15 * 60 * 1000
_LONGEST_WINDOW_MS = 24 * 3600 * 1000

Holes = list[tuple[int, int]]
#: (after, through) of the lanes whose readings wait
Ranges = list[tuple[int, int]]


class Room:
    """How much there is, and the ballast."""

    def __init__(self, folder: Path, quota_bytes: int) -> None:
        self.quota_bytes = quota_bytes
        self._ballast = folder / BALLAST_NAME
        self._folder = folder
        #: the file may grow no further while others fill the disk
        self._limit_bytes = quota_bytes

    def is_short(self, used_bytes: int) -> bool:
        """Whether readings must be thinned."""
        return used_bytes > _THIN_ABOVE * min(self._limit_bytes, self.quota_bytes)

    def is_very_short(self, used_bytes: int) -> bool:
        """Whether that cannot wait."""
        return used_bytes > _HURRY_ABOVE * min(self._limit_bytes, self.quota_bytes)

    def give_up_ballast(self, file_bytes: int) -> None:
        """The disk is full: make room, and let the file not grow beyond what it is."""
        self._limit_bytes = min(self._limit_bytes, max(file_bytes, 1))
        try:
            self._ballast.unlink()
        except FileNotFoundError:
            return
        _log.error("spool: the disk is full: the ballast is given up, old readings will be thinned")

    def restore(self) -> None:
        """Take the ballast back, and let the file grow again, when there is plenty of room."""
        try:
            if self._ballast.exists() or shutil.disk_usage(self._folder).free < 2 * _BALLAST_BYTES:
                return
            with self._ballast.open("wb") as ballast:
                os.posix_fallocate(ballast.fileno(), 0, _BALLAST_BYTES)
        except OSError as error:
            self._ballast.unlink(missing_ok=True)
            _log.warning("spool: no ballast could be laid by (%s)", error)
            return
        self._limit_bytes = self.quota_bytes


def is_full(error: sqlite3.Error) -> bool:
    """Whether the quota or the disk was too small."""
    return (getattr(error, "sqlite_errorcode", 0) & 0xFF) in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)


def thin(store: Store, ranges: Ranges, series: list[SeriesKey], epoch: str) -> Holes:
    """Put summaries in the place of the oldest readings; returns the holes that this makes, none when none are left."""
    victims = _oldest_readings(store, ranges)
    if not victims:
        return []
    summaries = _summarise(victims, series)
    holes = [(run[0].first, run[-1].last) for run in _runs(victims)]
    for run in _runs(victims):
        store.delete("readings", run[0].first - 1, run[-1].last)
        store.append_events("gaps", run[0].anchor, [_gap(epoch, "readings", run, "thinned")])
    for anchor, rows in groupby(summaries, key=lambda row: row[0]):
        waiting = [summary for _, summary in rows]
        for start in range(0, len(waiting), _BLOCK_ROWS):
            store.append_events("summaries", anchor, waiting[start : start + _BLOCK_ROWS])
    rows_thinned = sum(block.rows for block in victims)
    store.save_meta("rows_thinned", str(store.number("rows_thinned") + rows_thinned))
    return holes


def drop(store: Store, after: int, epoch: str) -> int:
    """Drop the oldest summaries above `after`; returns how many."""
    victims = _beyond(store.blocks("summaries", after, store.last["summaries"]), MAX_ROWS, _SUMMARIES_AT_ONCE)
    for run in _runs(victims):
        store.delete("summaries", run[0].first - 1, run[-1].last)
        store.append_events("gaps", run[0].anchor, [_gap(epoch, "summaries", run, "dropped")])
    rows = sum(block.rows for block in victims)
    store.save_meta("rows_dropped", str(store.number("rows_dropped") + rows))
    return rows


def _oldest_readings(store: Store, ranges: Ranges) -> list[Block]:
    for after, through in ranges:
        newest = min(through, store.last["readings"] - MAX_ROWS)
        victims = _beyond(store.blocks("readings", after, newest), MAX_ROWS, _ROWS_AT_ONCE)
        victims = [block for block in victims if block.last <= newest]
        if sum(block.rows for block in victims) >= MAX_ROWS:  # fewer would hardly become less
            return victims
    return []


def _beyond(blocks: Iterable[Block], protected: int, at_most: int) -> list[Block]:
    """Blocks with `at_most` rows or a little more, after the first `protected` rows."""
    chosen: list[Block] = []
    for block in blocks:
        if protected > 0:
            protected -= block.rows
        elif at_most > 0:
            chosen.append(block)
            at_most -= block.rows
        else:
            break
    return chosen


def _runs(blocks: list[Block]) -> list[list[Block]]:
    """Blocks whose sequences follow one another."""
    runs: list[list[Block]] = []
    for block in blocks:
        if runs and runs[-1][-1].last + 1 == block.first:
            runs[-1].append(block)
        else:
            runs.append([block])
    return runs


def _gap(epoch: str, lane: Lane, run: list[Block], reason: Literal["thinned", "dropped"]) -> Gap:
    rows = sum(block.rows for block in run)
    oldest_ms, newest_ms = min(block.oldest_ms for block in run), max(block.newest_ms for block in run)
    return Gap(0, epoch, lane, run[0].first, run[-1].last, rows, oldest_ms, newest_ms, reason)


class _Bucket:
    """One series over one window."""

    __slots__ = ("count", "from_ms", "maximum", "minimum", "to_ms", "total")

    def __init__(self, at_ms: int, value: float) -> None:
        self.count = 1
        self.from_ms = self.to_ms = at_ms
        self.minimum = self.maximum = self.total = value

    def add(self, at_ms: int, value: float) -> None:
        self.count += 1
        self.from_ms, self.to_ms = min(self.from_ms, at_ms), max(self.to_ms, at_ms)
        self.minimum, self.maximum = min(self.minimum, value), max(self.maximum, value)
        self.total += value


def _summarise(victims: list[Block], series: list[SeriesKey]) -> list[tuple[int, Summary]]:
    """(anchor, summary), by anchor and time; windows wide enough that at least half of the rows go."""
    rows = sum(block.rows for block in victims)
    window_ms = _WINDOW_MS
    while True:
        buckets: dict[tuple[int, int, int, int], _Bucket] = {}
        for block in victims:
            columns = unpack_readings(block)
            for number, at_ms, value, flags in zip(
                columns.series, columns.times_ms, columns.values, columns.flags, strict=True
            ):
                key = (block.anchor, number, flags, at_ms // window_ms)
                bucket = buckets.get(key)
                if bucket is None:
                    buckets[key] = _Bucket(at_ms, value)
                else:
                    bucket.add(at_ms, value)
        if len(buckets) * 2 <= rows or window_ms >= _LONGEST_WINDOW_MS:
            break
        window_ms *= 4
    qualities = {bits: quality for quality, bits in QUALITY_FLAGS.items()}
    found = []
    for (anchor, number, flags, _), bucket in buckets.items():
        summary = Summary(
            0,
            *series[number],
            bucket.from_ms,
            bucket.to_ms,
            bucket.count,
            bucket.minimum,
            bucket.total / bucket.count,
            bucket.maximum,
            "device" if flags & FLAG_DEVICE_TIME else "gateway",
            qualities.get(flags & ~FLAG_DEVICE_TIME & 3, qualities[FLAG_BAD]),
        )
        found.append((anchor, summary))
    return sorted(found, key=lambda row: (row[0], row[1].from_ms))


def unreadable(store: Store, lane: Lane, after: int, through: int) -> list[Block]:
    """The first blocks of a lane, as far as a batch reaches, whose bodies the disk has spoilt."""
    spoilt: list[Block] = []
    rows = 0
    table: Lane = "readings" if lane == "backlog" else lane
    for block in store.blocks(table, after, through):
        try:
            unpack_readings(block) if table == "readings" else unpack_events(table, block)
        except ValueError:
            spoilt.append(block)
        rows += block.rows
        if rows > 2 * MAX_ROWS:
            break
    return spoilt
