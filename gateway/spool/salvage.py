"""A spoilt file: moved aside while the gateway goes on with a new one, and read as far as it can be.

Its rows keep their epoch and their sequences, so that the cloud still knows which it has; what cannot be read becomes
gaps. Whether rows are of `readings` or of `backlog` the cloud must not mistake, so a small file beside the spool keeps
the split.
"""

import asyncio
import logging
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar

import msgspec

from gateway.contract import MAX_ROWS, Gap, Lane
from gateway.spool.blocks import Block, unpack_events, unpack_readings
from gateway.spool.retention import unreadable
from gateway.spool.store import FILE_NAME, PAGE_BYTES, TABLES, SeriesKey, Store, open_store

_log = logging.getLogger(__name__)

SPLIT_FILE = "split.json"
_PATTERN = "spoilt-*.sqlite3"
_SUFFIXES = ("", "-wal", "-shm")
#: blocks brought in with one transaction
_AT_ONCE = 200
#: no sequence is ever this high
_BEYOND = 1 << 45
#: how many of the old file's series the new one knows
_SEEDED = "seeded_series"

T = TypeVar("T")


class Split(msgspec.Struct, frozen=True):
    """What `split.json` says."""

    epoch: str
    split: int
    #: how far each table had come; known when the file was spoilt under the running gateway
    last: dict[str, int] = {}


class Rescued(NamedTuple):
    """A piece of a spoilt file."""

    rows: list[tuple[str, Lane, Block]]
    gaps: list[Gap]


class Rescuer(Protocol):
    """What this needs of the spool."""

    folder: Path
    spoilt: asyncio.Event

    def submit(self, work: Callable[[Store], T]) -> "asyncio.Future[T]": ...
    async def add_salvaged(self, rows: Sequence[tuple[str, Lane, Block]], gaps: Sequence[Gap]) -> None: ...


def is_spoilt(error: sqlite3.Error) -> bool:
    """Whether the file is damaged, and not merely full or busy."""
    return (getattr(error, "sqlite_errorcode", 0) & 0xFF) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def spoilt_files(folder: Path) -> list[Path]:
    """Those that have been moved aside, oldest first."""
    return sorted(folder.glob(_PATTERN))


def move_aside(folder: Path) -> None:
    """Make place for a new file."""
    name = f"spoilt-{time.time_ns()}.sqlite3"
    split = folder / SPLIT_FILE
    if split.exists():
        os.replace(split, folder / f"{name}.json")
    for suffix in _SUFFIXES:
        source = folder / (FILE_NAME + suffix)
        if source.exists():
            os.replace(source, folder / (name + suffix))


def keep_split(folder: Path, told: Split) -> None:
    """Note it beside the spool."""
    path = folder / SPLIT_FILE
    fresh = path.with_name(path.name + ".new")
    with fresh.open("wb") as file:
        file.write(msgspec.json.encode(told))
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, path)


def replace_spoilt(folder: Path, *, max_mb: int) -> Store:
    """Move a spoilt file aside; the new one knows what the old one still tells. Raises SpoolError."""
    move_aside(folder)
    store = open_store(folder, max_mb=max_mb)
    store.connection.execute("BEGIN IMMEDIATE")
    _seed(folder, store)
    store.connection.execute("COMMIT")
    return store


def mend_first_page(path: Path) -> None:
    """Put a good first page on a file that lacks one: without it SQLite reads nothing at all.

    It holds the schema and where each table begins, which is the same in every file of ours.
    """
    try:
        connection = sqlite3.connect(path)
        try:
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        finally:
            connection.close()
    except sqlite3.DatabaseError:
        template = path.with_name("template")
        try:
            fresh = open_store(template, max_mb=8)
            fresh.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            fresh.connection.close()
            page = bytearray((template / FILE_NAME).read_bytes()[:PAGE_BYTES])
        finally:
            shutil.rmtree(template, ignore_errors=True)
        # Bytes 28 to 40 are the file's size and its list of free pages (https://www.sqlite.org/fileformat2.html, 1.3).
        page[28:40] = (path.stat().st_size // PAGE_BYTES).to_bytes(4, "big") + bytes(8)
        with path.open("r+b") as file:
            file.write(page)


def _seed(folder: Path, store: Store) -> None:
    """Bring into a new file, inside its transaction, what the newest spoilt one still tells beside its rows."""
    for path in spoilt_files(folder)[-1:]:
        mend_first_page(path)
        connection = sqlite3.connect(path, isolation_level=None)
        old = Store(connection)
        try:
            for take in (_take_series, _take_states, _take_memory, _take_anchors, _take_meta):
                try:
                    take(old, store)
                except (sqlite3.Error, ValueError) as error:
                    _log.warning("salvage: %s: %s", path.name, error)
        finally:
            connection.close()


def _take_series(old: Store, new: Store) -> None:
    """Under the same numbers, as far as they can be read: blocks that name others cannot be used."""
    taken: list[SeriesKey] = []
    try:
        taken += old.iter_series()
    except sqlite3.Error:
        taken = max(taken, old.series_by_index(), key=len)  # the same facts, in other pages
    finally:
        new.add_series(list(enumerate(taken)))
        new.save_meta(_SEEDED, str(len(taken)))


def _take_states(old: Store, new: Store) -> None:
    new.save_alarm_states(list(old.alarm_states().items()))


def _take_memory(old: Store, new: Store) -> None:
    new.add_known(old.known())
    new.add_identities(old.identities(), 1 << 20)


def _take_anchors(old: Store, new: Store) -> None:
    for anchor in old.anchors():
        new.save_anchor(anchor)


def _take_meta(old: Store, new: Store) -> None:
    for key, value in old.connection.execute("SELECT key, value FROM meta").fetchall():
        if key not in ("epoch", "split", "holes"):
            new.save_meta(key, value)


async def salvage_spoilt(spool: Rescuer) -> None:
    """Bring in what spoilt files hold, piece by piece, for ever."""
    while True:
        await spool.spoilt.wait()
        spool.spoilt.clear()
        for path in spoilt_files(spool.folder):
            rows = 0
            pieces = _pieces(path, await spool.submit(lambda store: store.number(_SEEDED)))
            while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
                await spool.add_salvaged(piece.rows, piece.gaps)
                rows += sum(block.rows for _, _, block in piece.rows)
            for leftover in spool.folder.glob(path.name + "*"):
                leftover.unlink()
            _log.warning("salvage: %d rows of %s were brought in", rows, path.name)


def _pieces(path: Path, series: int) -> Iterator[Rescued]:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        old = Store(connection)
        told = _split_of(path, old)
        if told is None:
            _log.error("salvage: %s does not tell its epoch: nothing of it can be sent", path.name)
            return
        for table in TABLES:
            yield from _table(old, table, told, series)
    finally:
        connection.close()


def _split_of(path: Path, old: Store) -> Split | None:
    try:
        beside = msgspec.json.decode(path.with_name(path.name + ".json").read_bytes(), type=Split)
    except (OSError, msgspec.DecodeError):
        beside = None
    try:
        epoch = old.meta("epoch")
        if epoch:
            return Split(epoch, old.number("split"), beside.last if beside and beside.epoch == epoch else {})
    except (sqlite3.Error, ValueError):
        pass
    return beside


def _table(old: Store, table: Lane, told: Split, series: int) -> Iterator[Rescued]:
    """A table's blocks in order, and gaps for what lies between them and cannot be read."""
    settled = {lane: _settled(old, lane) for lane in (table, "backlog" if table == "readings" else table)}
    position, newest_ms = 0, 0
    rows: list[tuple[str, Lane, Block]] = []
    gaps: list[Gap] = []
    while True:
        block, is_damaged = _next(old, table, position, series)
        if is_damaged:
            last = block.first - 1 if block else max(told.last.get(table, 0), position)
            to_ms = block.oldest_ms if block else newest_ms
            first, count = position + 1, last - position  # 0: how many there were at the end, nobody can tell
            gaps.append(
                Gap(0, told.epoch, table, first, max(first, last), count, newest_ms or to_ms, to_ms, "unreadable")
            )
        if block is None:
            break
        position, newest_ms = block.last, block.newest_ms
        lane: Lane = "backlog" if table == "readings" and block.last <= told.split else table
        if block.last > settled.get(lane, 0):
            rows.append((told.epoch, lane, block))
        if len(rows) >= _AT_ONCE:
            yield Rescued(rows, gaps)
            rows, gaps = [], []
    if rows or gaps:
        yield Rescued(rows, gaps)


def _settled(old: Store, lane: Lane) -> int:
    try:
        return old.acked_through(lane)
    except sqlite3.Error:
        return 0  # the cloud knows


def _next(old: Store, table: Lane, after: int, series: int) -> tuple[Block | None, bool]:
    """The next block that can be read, and whether something before it cannot."""
    block, is_damaged = _probe(old, table, after, series)
    if not is_damaged:
        return block, False
    step = 1
    while step < _BEYOND:
        block, is_damaged = _probe(old, table, after + step, series)
        if not is_damaged and block is not None:
            break
        step *= 2
    else:
        return None, True
    bad, good = after + step // 2, after + step
    while good - bad > 1:
        middle = (bad + good) // 2
        found, is_damaged = _probe(old, table, middle, series)
        if is_damaged or found is None:
            bad = middle
        else:
            good, block = middle, found
    return block, True


def _probe(old: Store, table: Lane, after: int, series: int) -> tuple[Block | None, bool]:
    try:
        row = old.connection.execute(
            f"SELECT * FROM {table} WHERE first > ? ORDER BY first LIMIT 1",  # noqa: S608
            (after,),
        ).fetchone()
        if row is None:
            return None, False
        block = Block(*row)
        if table != "readings":
            unpack_events(table, block)
        elif max(unpack_readings(block).series) >= series:
            return None, True
    except (sqlite3.Error, ValueError, TypeError):
        return None, True
    return block, False


def bury(store: Store, lane: Lane, after: int, through: int, anchor: int, epoch: str) -> None:
    """Make gaps of a lane's next blocks whose bodies cannot be read."""
    table: Lane = "readings" if lane == "backlog" else lane
    for block in unreadable(store, lane, after, through):
        store.replace(table, block, [])
        gap = Gap(0, epoch, table, block.first, block.last, block.rows, block.oldest_ms, block.newest_ms, "unreadable")
        store.append_events("gaps", anchor, [gap])
    if lane == "backlog":
        _bury_salvaged(store, anchor)


def _bury_salvaged(store: Store, anchor: int) -> None:
    for epoch, lane, block in store.salvaged(MAX_ROWS):
        try:
            unpack_readings(block) if lane in ("readings", "backlog") else unpack_events(lane, block)
        except ValueError:
            store.forget_salvaged(epoch, lane, block.first)
            table: Lane = "readings" if lane == "backlog" else lane
            times_ms = (block.oldest_ms, block.newest_ms)
            gap = Gap(0, epoch, table, block.first, block.last, block.rows, *times_ms, "unreadable")
            store.append_events("gaps", anchor, [gap])
