"""The durable queue in SQLite: what is committed here has been promised to the sensor.

`Store` is the file: plain functions inside a transaction. `Spool` is its only writer: jobs (functions of the store)
are collected on the event loop and run on one thread, all that arrived during a commit in the next one (group
commit), with `synchronous=FULL`. A job's future is resolved after its COMMIT, in the order of submission.
"""

import asyncio
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Generic, Literal, NamedTuple, TypeVar

import msgspec

from gateway import rules
from gateway.contract import AlarmEvent, GatewayConfig, Lane, Reading, TagRead, Weighing
from gateway.decoders.decoded import Measurement
from gateway.errors import SpoolError

T = TypeVar("T")
Row = Reading | AlarmEvent | TagRead | Weighing

FILE_NAME = "spool.sqlite3"
#: each a table of its name, whose columns are the fields of its kind of row, in their order
KINDS: Mapping[Lane, type[Row]] = {"alarms": AlarmEvent, "weights": Weighing, "tags": TagRead, "readings": Reading}
LANES: tuple[Lane, ...] = tuple(KINDS)
#: a sensor repeats a message within minutes; this many identities are remembered
MAX_IDENTITIES = 50_000

_SCHEMA_VERSION = 2
_PAGE_BYTES = 4096
# AUTOINCREMENT: a sequence rises and is never used twice, also when the table has been emptied.
_SCHEMA = """
CREATE TABLE readings (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  sensor TEXT NOT NULL, quantity TEXT NOT NULL, value REAL NOT NULL, unit TEXT NOT NULL,
  recorded_at_ms INTEGER NOT NULL, time_source TEXT NOT NULL, quality TEXT NOT NULL);
CREATE TABLE alarms (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  sensor TEXT NOT NULL, quantity TEXT NOT NULL, rule TEXT NOT NULL, kind TEXT NOT NULL, event TEXT NOT NULL,
  incident TEXT NOT NULL, value REAL NOT NULL, started_at_ms INTEGER NOT NULL, recorded_at_ms INTEGER NOT NULL);
CREATE TABLE lanes (lane TEXT PRIMARY KEY, acked_through INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE dead_letters (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  source TEXT NOT NULL, topic TEXT NOT NULL, payload BLOB NOT NULL, received_at_ms INTEGER NOT NULL,
  reason TEXT NOT NULL);
CREATE TABLE alarm_state (
  sensor TEXT NOT NULL, quantity TEXT NOT NULL, rule TEXT NOT NULL,
  phase TEXT NOT NULL, started_at_ms INTEGER, peak REAL, last_at_ms INTEGER,
  PRIMARY KEY (sensor, quantity, rule)) WITHOUT ROWID;
CREATE TABLE identities (id INTEGER PRIMARY KEY AUTOINCREMENT, identity TEXT NOT NULL UNIQUE);
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""
# What a file of version 1 lacks; a new file gets it after the above.
_ADDED_BY_VERSION_2 = """
CREATE TABLE tags (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  reader TEXT NOT NULL, epc TEXT NOT NULL, recorded_at_ms INTEGER NOT NULL, antenna INTEGER, rssi_dbm REAL,
  reads INTEGER, tid TEXT, direction TEXT NOT NULL, time_source TEXT NOT NULL, quality TEXT NOT NULL);
CREATE TABLE weights (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  scale TEXT NOT NULL, weight_kg REAL, state TEXT NOT NULL, unit TEXT NOT NULL, recorded_at_ms INTEGER NOT NULL,
  basis TEXT NOT NULL, time_source TEXT NOT NULL, quality TEXT NOT NULL);
"""


class Credential(NamedTuple):
    """What the gateway shows to the cloud."""

    gateway_id: str
    secret: str


class Backlog(NamedTuple):
    """What the cloud has not acknowledged."""

    rows: int
    oldest_ms: int | None


class ActiveAlarm(msgspec.Struct, frozen=True):
    """A limit that is broken now."""

    sensor: str
    quantity: str
    rule: str
    started_at_ms: int
    peak: float


class Store:
    """The spool's file. Every method runs inside the transaction of the caller."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    # rows

    def append_readings(self, measurements: Iterable[Measurement]) -> None:
        """Add readings to their lane, in order."""
        self.connection.executemany(
            "INSERT INTO readings (sensor, quantity, value, unit, recorded_at_ms, time_source, quality)"
            " VALUES (?,?,?,?,?,?,?)",
            [msgspec.structs.astuple(measurement) for measurement in measurements],
        )

    def append_events(self, lane: Lane, events: Sequence[AlarmEvent | TagRead | Weighing]) -> None:
        """Add events to their lane, in order; the sequences they carry are replaced by the lane's next."""
        if not events:
            return
        fields = KINDS[lane].__struct_fields__[1:]
        self.connection.executemany(
            f"INSERT INTO {lane} ({', '.join(fields)}) VALUES ({', '.join('?' * len(fields))})",  # noqa: S608
            [msgspec.structs.astuple(event)[1:] for event in events],
        )

    def batch(self, lane: Lane, limit: int) -> Sequence[Row]:
        """The oldest rows of a lane, at most `limit`."""
        return self._rows(lane, "true ORDER BY sequence LIMIT ?", limit)

    def next_batch(self, lanes: Sequence[Lane], limits: Mapping[Lane, int]) -> tuple[Lane, Sequence[Row]]:
        """The rows to send next: those of the first lane that has any. Empty when all is acknowledged."""
        for lane in lanes:
            rows = self.batch(lane, limits[lane])
            if rows:
                return lane, rows
        return lane, []

    def acknowledge(self, lane: Lane, through: int, refused: Mapping[int, str], at_ms: int) -> None:
        """The cloud has settled all rows up to `through`: forget them, but keep the refused ones as dead letters.

        `refused` is sequence -> reason.
        """
        for sequence, reason in refused.items():
            if sequence <= through:
                for row in self._rows(lane, "sequence = ?", sequence):
                    self.add_dead_letter("cloud", lane, msgspec.json.encode(row), at_ms, reason)
        self.connection.execute(f"DELETE FROM {lane} WHERE sequence <= ?", (through,))  # noqa: S608
        self.connection.execute(
            "INSERT INTO lanes VALUES (?,?)"
            " ON CONFLICT (lane) DO UPDATE SET acked_through = max(acked_through, excluded.acked_through)",
            (lane, through),
        )

    def acked_through(self, lane: Lane) -> int:
        """The last sequence that the cloud has settled; 0 before the first."""
        found = self.connection.execute("SELECT acked_through FROM lanes WHERE lane = ?", (lane,)).fetchone()
        return int(found[0]) if found else 0

    def last_sequence(self, lane: Lane) -> int:
        """The highest sequence ever given in a lane; 0 before the first."""
        return self._last_given(lane)

    def backlog(self, lane: Lane) -> Backlog:
        """How much waits in a lane; rows leave it at the front only, so that the ends tell the number."""
        rows, oldest_ms = self.connection.execute(
            f"SELECT (SELECT max(sequence) FROM {lane}) - sequence + 1, recorded_at_ms"  # noqa: S608
            f" FROM {lane} ORDER BY sequence LIMIT 1"
        ).fetchone() or (0, None)
        return Backlog(rows, oldest_ms)

    def _rows(self, lane: Lane, condition: str, argument: int) -> list[Row]:
        kind = KINDS[lane]
        found = self.connection.execute(f"SELECT * FROM {lane} WHERE {condition}", (argument,))  # noqa: S608
        return [kind(*row) for row in found]

    def _last_given(self, table: str) -> int:
        found = self.connection.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)).fetchone()
        return int(found[0]) if found else 0

    # dead letters

    def add_dead_letter(
        self, source: Literal["sensor", "cloud"], topic: str, payload: bytes, received_at_ms: int, reason: str
    ) -> None:
        """Keep what cannot be used, with the reason."""
        self.connection.execute(
            "INSERT INTO dead_letters (source, topic, payload, received_at_ms, reason) VALUES (?,?,?,?,?)",
            (source, topic, payload, received_at_ms, reason),
        )

    def trim_dead_letters(self, keep: int) -> None:
        """Keep the newest of the sensors' letters; the cloud's are readings that were promised, they all stay."""
        self.connection.execute(
            "DELETE FROM dead_letters WHERE source = 'sensor' AND id <= (SELECT max(id) FROM dead_letters) - ?", (keep,)
        )

    def dead_letters(self) -> int:
        """How many there have been since the spool was created."""
        return self._last_given("dead_letters")

    # what the pipeline remembers

    def remember(self, identity: str) -> bool:
        """Whether this message is new; it is known from now on."""
        cursor = self.connection.execute("INSERT OR IGNORE INTO identities (identity) VALUES (?)", (identity,))
        if not cursor.rowcount:
            return False
        self.connection.execute("DELETE FROM identities WHERE id <= ?", ((cursor.lastrowid or 0) - MAX_IDENTITIES,))
        return True

    def alarm_state(self, sensor: str, quantity: str, rule: str) -> rules.State:
        """Where the limit stands for this series."""
        found = self.connection.execute(
            "SELECT phase, started_at_ms, peak, last_at_ms FROM alarm_state WHERE (sensor, quantity, rule) = (?,?,?)",
            (sensor, quantity, rule),
        ).fetchone()
        return rules.State(*found) if found else rules.State()

    def save_alarm_state(self, sensor: str, quantity: str, rule: str, state: rules.State) -> None:
        """Replace it."""
        self.connection.execute(
            "INSERT OR REPLACE INTO alarm_state VALUES (?,?,?,?,?,?,?)",
            (sensor, quantity, rule, state.phase, state.started_at_ms, state.peak, state.last_at_ms),
        )

    def active_alarms(self) -> list[ActiveAlarm]:
        """The limits that are broken now."""
        found = self.connection.execute(
            "SELECT sensor, quantity, rule, started_at_ms, peak FROM alarm_state WHERE phase = 'active'"
        )
        return [ActiveAlarm(*row) for row in found]

    # who the gateway is

    def meta(self, key: str) -> str | None:
        """A saved fact."""
        found = self.connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return str(found[0]) if found else None

    def save_meta(self, key: str, value: str) -> None:
        """Save or replace it."""
        self.connection.execute("INSERT OR REPLACE INTO meta VALUES (?,?)", (key, value))

    def credential(self) -> Credential | None:
        """None until the cloud has accepted the claim code."""
        gateway_id, secret = self.meta("gateway_id"), self.meta("secret")
        return Credential(gateway_id, secret) if gateway_id and secret else None

    def config(self) -> GatewayConfig:
        """The configuration applied last; version 0 without limits before the first."""
        saved = self.meta("config")
        return msgspec.json.decode(saved, type=GatewayConfig) if saved else GatewayConfig(0, [])

    def save_config(self, config: GatewayConfig) -> None:
        """Replace it, and forget where the limits that it no longer has stand."""
        self.save_meta("config", msgspec.json.encode(config).decode())
        wanted = {(limit.sensor, limit.quantity, limit.rule) for limit in config.limits}
        known = self.connection.execute("SELECT sensor, quantity, rule FROM alarm_state").fetchall()
        self.connection.executemany(
            "DELETE FROM alarm_state WHERE (sensor, quantity, rule) = (?,?,?)",
            [series for series in known if series not in wanted],
        )


class _Entry(Generic[T]):
    """A job and who waits for it."""

    def __init__(self, job: Callable[[Store], T], future: "asyncio.Future[T]") -> None:
        self.job = job
        self.future = future
        self.result: T
        self.error: sqlite3.Error | None = None

    def settle(self) -> None:
        if self.future.done():
            return
        if self.error:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class Spool:
    """The one writer. Use `open_spool`; `run()` must be running for jobs to be done."""

    def __init__(self, store: Store, epoch: str) -> None:
        #: 32 hexadecimal digits, drawn when the file was created
        self.epoch = epoch
        self._store = store
        self._waiting: list[_Entry[object]] = []
        self._work = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, "spool")

    def submit(self, job: Callable[[Store], T]) -> "asyncio.Future[T]":
        """Run `job` in the next transaction; the future has its result once that is committed.

        The job may be run twice (when a neighbour in its transaction fails), so it must do nothing but use the store
        and return. The future raises sqlite3.Error when the disk does not take it.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Entry(job, future))  # type: ignore[arg-type]  # lists are invariant, entries are not mixed up
        self._work.set()
        return future

    async def run(self) -> None:
        """Commit for ever."""
        loop = asyncio.get_running_loop()
        while True:
            await self._work.wait()
            self._work.clear()
            group, self._waiting = self._waiting, []
            await loop.run_in_executor(self._thread, self._commit, group)
            for entry in group:
                entry.settle()

    def close(self) -> None:
        """Let the commit that is under way end, then close the file."""
        self._thread.shutdown()
        self._store.connection.close()

    def _commit(self, group: list[_Entry[object]]) -> None:
        try:
            self._transaction(group)
        except sqlite3.Error as error:
            if len(group) == 1:
                group[0].error = error
                return
            # One at a time: on a full disk rows cannot be added, but acknowledged ones can still be deleted.
            for entry in group:
                self._commit([entry])

    def _transaction(self, group: list[_Entry[object]]) -> None:
        connection = self._store.connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            for entry in group:
                entry.result = entry.job(self._store)
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")


def open_spool(folder: Path, *, max_mb: int) -> Spool:
    """Open the spool of a data folder, creating both when they are missing.

    Raises:
        SpoolError: says what to do.
    """
    path = folder / FILE_NAME
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # it holds the gateway's secret
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    except (OSError, sqlite3.Error) as error:
        raise SpoolError(f"{path} cannot be opened ({error}): check data_dir and its permissions.") from None
    try:
        store = Store(connection)
        _prepare(store, max_mb)
        epoch = store.meta("epoch")
    except sqlite3.Error as error:
        connection.close()
        raise SpoolError(f"{path} cannot be used ({error}): free disk space, or move the file aside.") from None
    if _version(connection) != _SCHEMA_VERSION or epoch is None:
        connection.close()
        raise SpoolError(f"{path} was written by another version of the gateway: install that version.")
    return Spool(store, epoch)


def _prepare(store: Store, max_mb: int) -> None:
    connection = store.connection
    connection.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    # A small log, and a quota below the disk's size: on a full disk SQLite could not even delete.
    connection.execute("PRAGMA wal_autocheckpoint = 256")
    connection.execute("PRAGMA journal_size_limit = 4194304")
    connection.execute(f"PRAGMA max_page_count = {max_mb * 1024 * 1024 // _PAGE_BYTES}")
    if not connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
        connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version = 1;")
        store.save_meta("epoch", secrets.token_hex(16))
        connection.execute("COMMIT")
    if _version(connection) == 1:
        connection.executescript(f"BEGIN IMMEDIATE; {_ADDED_BY_VERSION_2} PRAGMA user_version = 2; COMMIT;")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
