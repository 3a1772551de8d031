"""The spool's file: SQLite, and plain functions inside the transaction of the caller.

Rows lie in blocks (`gateway.spool.blocks`), a table for each kind. The lanes `readings` and `backlog` share a table:
what is numbered up to `split` belongs to the backlog. A block leaves when the cloud has settled its last row.
"""

import os
import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from gateway.contract import Lane
from gateway.errors import SpoolError
from gateway.rules import StateDict
from gateway.spool.blocks import Block, Columns, Event, pack_events, pack_readings
from gateway.timeline import Anchor

FILE_NAME = "spool.sqlite3"
PAGE_BYTES = 4096
_SCHEMA_VERSION = 3
#: in the order in which they are sent
LANES: tuple[Lane, ...] = ("alarms", "weights", "tags", "readings", "gaps", "summaries", "backlog")
TABLES: tuple[Lane, ...] = ("alarms", "weights", "tags", "readings", "gaps", "summaries")

_BLOCKS = """
CREATE TABLE {table} (
  first INTEGER PRIMARY KEY, last INTEGER NOT NULL, anchor INTEGER NOT NULL,
  oldest_ms INTEGER NOT NULL, newest_ms INTEGER NOT NULL, body BLOB NOT NULL);
"""
_SCHEMA = (
    "".join(_BLOCKS.format(table=table) for table in TABLES)
    + """
CREATE TABLE series (
  id INTEGER PRIMARY KEY, sensor TEXT NOT NULL, quantity TEXT NOT NULL, unit TEXT NOT NULL,
  UNIQUE (sensor, quantity, unit));
CREATE TABLE salvaged (
  epoch TEXT NOT NULL, lane TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, anchor INTEGER NOT NULL,
  oldest_ms INTEGER NOT NULL, newest_ms INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (epoch, lane, first));
CREATE TABLE lanes (lane TEXT PRIMARY KEY, acked_through INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE dead_letters (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  source TEXT NOT NULL, topic TEXT NOT NULL, payload BLOB NOT NULL, received_at_ms INTEGER NOT NULL,
  reason TEXT NOT NULL);
CREATE TABLE alarm_state (
  sensor TEXT NOT NULL, quantity TEXT NOT NULL, rule TEXT NOT NULL, state TEXT NOT NULL,
  PRIMARY KEY (sensor, quantity, rule)) WITHOUT ROWID;
CREATE TABLE identities (id INTEGER PRIMARY KEY AUTOINCREMENT, hash INTEGER NOT NULL);
CREATE TABLE known (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE anchors (
  number INTEGER PRIMARY KEY, boot_id TEXT NOT NULL, since_ms INTEGER NOT NULL, mono_ms INTEGER NOT NULL,
  repair_ms INTEGER NOT NULL, confirmed INTEGER NOT NULL);
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""
)

#: (sensor, quantity, rule)
RuleKey = tuple[str, str, str]
SeriesKey = tuple[str, str, str]


class DeadLetter(NamedTuple):
    """What cannot be used, with the reason."""

    #: `cloud`: a row that was promised, and that the cloud does not take
    source: Literal["sensor", "cloud"]
    topic: str
    payload: bytes
    received_at_ms: int
    reason: str


class Extent(NamedTuple):
    """Where one table begins and ends."""

    first: int
    last: int
    oldest_ms: int


class Store:
    """The file. Every method runs inside the transaction of the caller."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        #: the last sequence ever given in each table; whoever rolls back must put it back
        self.last: dict[Lane, int] = {}

    def load_last(self) -> None:
        """See how far the tables have come; a table that is empty has come as far as the cloud has settled it."""
        for table in TABLES:
            extent = self.extent(table)
            self.last[table] = max(extent.last if extent else 0, self.acked_through(table))
        self.last["readings"] = max(self.last["readings"], self.acked_through("backlog"), self.number("split"))

    # blocks

    def append_readings(self, anchor: int, rows: Columns) -> None:
        """Add readings; they get the next sequences."""
        self._append("readings", pack_readings(self.last["readings"] + 1, anchor, rows))

    def append_events(self, table: Lane, anchor: int, events: Sequence[Event]) -> None:
        """Add other rows; they get the next sequences, whatever they carry."""
        self._append(table, pack_events(self.last[table] + 1, anchor, events))

    def _append(self, table: Lane, block: Block) -> None:
        self._insert(table, block)
        self.last[table] = block.last

    def _insert(self, table: Lane, block: Block) -> None:
        self.connection.execute(_INSERT[table], msgspec.structs.astuple(block))

    def blocks(self, table: Lane, after: int, through: int) -> Iterator[Block]:
        """The blocks that hold sequences above `after` and begin at or below `through`, in order."""
        (start,) = self.connection.execute(
            f"SELECT coalesce(max(first), 0) FROM {table} WHERE first <= ?",  # noqa: S608
            (after + 1,),
        ).fetchone()
        found = self.connection.execute(
            f"SELECT * FROM {table} WHERE first >= ? AND first <= ? ORDER BY first",  # noqa: S608
            (start, through),
        )
        for row in found:
            block = Block(*row)
            if block.last > after:
                yield block

    def delete(self, table: Lane, after: int, through: int) -> None:
        """Forget the blocks that lie above `after` and end at or below `through`."""
        self.connection.execute(
            f"DELETE FROM {table} WHERE first > ? AND first <= ? AND last <= ?",  # noqa: S608
            (after, through, through),
        )

    def replace(self, table: Lane, old: Block, new: Sequence[Block]) -> None:
        """Put other blocks in the place of one."""
        self.connection.execute(f"DELETE FROM {table} WHERE first = ?", (old.first,))  # noqa: S608
        for block in new:
            self._insert(table, block)

    def extent(self, table: Lane) -> Extent | None:
        """The ends of a table; None when it is empty."""
        found = self.connection.execute(
            f"SELECT first, (SELECT max(last) FROM (SELECT last FROM {table} ORDER BY first DESC LIMIT 1)), oldest_ms"  # noqa: S608
            f" FROM {table} ORDER BY first LIMIT 1"
        ).fetchone()
        return Extent(*found) if found else None

    def salvaged(self, limit: int) -> list[tuple[str, Lane, Block]]:
        """The oldest blocks out of a spoilt file that wait, with their epoch and lane."""
        found = self.connection.execute("SELECT * FROM salvaged ORDER BY epoch, lane, first LIMIT ?", (limit,))
        return [(epoch, lane, Block(*block)) for epoch, lane, *block in found]

    def add_salvaged(self, epoch: str, lane: Lane, block: Block) -> None:
        """Keep a block out of a spoilt file; its sequences are of that file's epoch."""
        self.connection.execute(
            "INSERT OR IGNORE INTO salvaged VALUES (?,?,?,?,?,?,?,?)", (epoch, lane, *msgspec.structs.astuple(block))
        )

    def delete_salvaged(self, epoch: str, lane: Lane, through: int) -> None:
        """The cloud has settled these."""
        self.connection.execute(
            "DELETE FROM salvaged WHERE epoch = ? AND lane = ? AND last <= ?", (epoch, lane, through)
        )

    def forget_salvaged(self, epoch: str, lane: Lane, first: int) -> None:
        """One block; its body cannot be read any more."""
        self.connection.execute("DELETE FROM salvaged WHERE epoch = ? AND lane = ? AND first = ?", (epoch, lane, first))

    def acked_through(self, lane: Lane) -> int:
        """The last sequence that the cloud has settled; 0 before the first."""
        found = self.connection.execute("SELECT acked_through FROM lanes WHERE lane = ?", (lane,)).fetchone()
        return int(found[0]) if found else 0

    def save_acked(self, lane: Lane, through: int) -> None:
        """Keep it."""
        self.connection.execute("INSERT OR REPLACE INTO lanes VALUES (?,?)", (lane, through))

    # what the pipeline remembers

    def series(self) -> list[SeriesKey]:
        """All of them, by their numbers from 0 on."""
        return list(self.iter_series())

    def iter_series(self) -> Iterator[SeriesKey]:
        """The same one by one, as far as they can be read."""
        found = self.connection.execute("SELECT id, sensor, quantity, unit FROM series ORDER BY id")
        for number, (identifier, sensor, quantity, unit) in enumerate(found):
            if identifier != number:
                raise sqlite3.DatabaseError(f"series {number} is missing")
            yield sensor, quantity, unit

    def series_by_index(self) -> list[SeriesKey]:
        """The same out of the index that keeps them unique, up to the first that is missing."""
        found = self.connection.execute(
            "SELECT id, sensor, quantity, unit FROM series INDEXED BY sqlite_autoindex_series_1"
            " WHERE sensor >= '' ORDER BY sensor, quantity, unit"
        )
        known = {number: (sensor, quantity, unit) for number, sensor, quantity, unit in found}
        return [known[number] for number in takewhile(known.__contains__, range(len(known)))]

    def add_series(self, series: Iterable[tuple[int, SeriesKey]]) -> None:
        """Add series under their numbers."""
        self.connection.executemany("INSERT INTO series VALUES (?,?,?,?)", [(number, *key) for number, key in series])

    def add_dead_letters(self, letters: Iterable[DeadLetter], keep: int) -> None:
        """Add letters; of the sensors' the newest `keep` stay, the cloud's are readings that were promised: all."""
        self.connection.executemany(
            "INSERT INTO dead_letters (source, topic, payload, received_at_ms, reason) VALUES (?,?,?,?,?)", letters
        )
        self.connection.execute(
            "DELETE FROM dead_letters WHERE source = 'sensor' AND id <= (SELECT max(id) FROM dead_letters) - ?", (keep,)
        )

    def dead_letters(self) -> int:
        """How many there have been since the spool was created."""
        found = self.connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'dead_letters'").fetchone()
        return int(found[0]) if found else 0

    def dead_letter_reasons(self, limit: int) -> dict[str, int]:
        """The reasons of the newest letters, each with how many of it are kept."""
        found = self.connection.execute(
            "SELECT reason, count(*) FROM dead_letters GROUP BY reason ORDER BY max(id) DESC LIMIT ?", (limit,)
        )
        return dict(found.fetchall())

    def alarm_states(self) -> dict[RuleKey, StateDict]:
        """Where every limit and watch stands, as `gateway.alarms.judging` writes it."""
        found = self.connection.execute("SELECT sensor, quantity, rule, state FROM alarm_state")
        return {(sensor, quantity, rule): msgspec.json.decode(state) for sensor, quantity, rule, state in found}

    def save_alarm_states(self, states: Iterable[tuple[RuleKey, StateDict | None]]) -> None:
        """Replace some; None forgets one."""
        for key, state in states:
            if state is None:
                self.connection.execute("DELETE FROM alarm_state WHERE (sensor, quantity, rule) = (?,?,?)", key)
            else:
                row = (*key, msgspec.json.encode(state).decode())
                self.connection.execute("INSERT OR REPLACE INTO alarm_state VALUES (?,?,?,?)", row)

    def identities(self) -> list[int]:
        """The identities of messages that were seen, oldest first."""
        return [number for (number,) in self.connection.execute("SELECT hash FROM identities ORDER BY id")]

    def add_identities(self, hashes: Iterable[int], keep: int) -> None:
        """Remember more; the newest `keep` stay."""
        self.connection.executemany("INSERT INTO identities (hash) VALUES (?)", [(number,) for number in hashes])
        self.connection.execute("DELETE FROM identities WHERE id <= (SELECT max(id) FROM identities) - ?", (keep,))

    def known(self) -> dict[str, str]:
        """What messages have taught the decoders."""
        return dict(self.connection.execute("SELECT key, value FROM known").fetchall())

    def add_known(self, facts: Mapping[str, str]) -> None:
        """Learn or relearn."""
        self.connection.executemany("INSERT OR REPLACE INTO known VALUES (?,?)", facts.items())

    # time and everything else

    def anchors(self) -> list[Anchor]:
        """In order."""
        found = self.connection.execute("SELECT * FROM anchors ORDER BY number")
        return [
            Anchor(number, boot_id, since_ms, mono_ms, repair_ms, bool(confirmed))
            for number, boot_id, since_ms, mono_ms, repair_ms, confirmed in found
        ]

    def save_anchor(self, anchor: Anchor) -> None:
        """Add or replace one."""
        self.connection.execute("INSERT OR REPLACE INTO anchors VALUES (?,?,?,?,?,?)", msgspec.structs.astuple(anchor))

    def meta(self, key: str) -> str | None:
        """A saved fact."""
        found = self.connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return str(found[0]) if found else None

    def save_meta(self, key: str, value: str) -> None:
        """Save or replace it."""
        self.connection.execute("INSERT OR REPLACE INTO meta VALUES (?,?)", (key, value))

    def number(self, key: str) -> int:
        """A saved fact that is a number; 0 when there is none."""
        return int(self.meta(key) or 0)

    def used_bytes(self) -> int:
        """Of the file, without the pages that are free to be used again."""
        pages = self.connection.execute("PRAGMA page_count").fetchone()[0]
        free = self.connection.execute("PRAGMA freelist_count").fetchone()[0]
        return int(pages - free) * PAGE_BYTES


_INSERT: Mapping[Lane, str] = {table: f"INSERT INTO {table} VALUES (?,?,?,?,?,?)" for table in TABLES}  # noqa: S608


def open_store(folder: Path, *, max_mb: int) -> Store:
    """Open the spool's file in a data folder, creating both when they are missing.

    Raises:
        SpoolError: says what to do.
        sqlite3.DatabaseError: the file is there and spoilt; it can be salvaged.
    """
    path = folder / FILE_NAME
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    except (OSError, sqlite3.Error) as error:
        raise SpoolError(f"{path} cannot be opened ({error}): check data_dir and its permissions.") from None
    try:
        store = Store(connection)
        _prepare(store, max_mb)
        version = _version(connection)
    except sqlite3.OperationalError as error:
        connection.close()
        raise SpoolError(f"{path} cannot be used ({error}): free disk space, or move the file aside.") from None
    except sqlite3.Error:
        connection.close()
        raise
    if version != _SCHEMA_VERSION or store.meta("epoch") is None:
        connection.close()
        raise SpoolError(
            f"{path} was written by another version of the gateway: let that version send all that waits, "
            "then move the file aside."
        )
    return store


def open_reader(folder: Path) -> Store:
    """A second connection that only reads, beside the writer and without disturbing it."""
    connection = sqlite3.connect(
        f"file:{folder / FILE_NAME}?mode=ro", uri=True, isolation_level=None, check_same_thread=False
    )
    connection.execute("PRAGMA cache_size = -512")
    return Store(connection)


def _prepare(store: Store, max_mb: int) -> None:
    connection = store.connection
    for pragma in (
        f"page_size = {PAGE_BYTES}",
        "auto_vacuum = INCREMENTAL",
        "journal_mode = WAL",
        "synchronous = FULL",
        "cache_size = -1024",
        # A small log, and a quota below the disk's size: on a full disk SQLite could not even delete.
        "wal_autocheckpoint = 256",
        "journal_size_limit = 4194304",
        f"max_page_count = {max_mb * 1024 * 1024 // PAGE_BYTES}",
    ):
        connection.execute(f"PRAGMA {pragma}")
    if not connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
        connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version = {_SCHEMA_VERSION};")
        store.save_meta("epoch", secrets.token_hex(16))
        connection.execute("COMMIT")
    if _version(connection) == _SCHEMA_VERSION:
        store.load_last()


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
