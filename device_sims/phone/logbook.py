"""What a phone keeps: its sealed log, its photos, and what it has heard. One SQLite file; what is in it survives.

A command is committed before the app says that it is done. Nothing is ever changed but what the platform said of it,
except when the key was revoked: then what has no final answer is sealed again, with a new key and the same ids.
"""

import base64
import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from device_sims.phone.sealing import SealingKey

_TABLES = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS entries (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, target TEXT, after TEXT NOT NULL,
    at TEXT NOT NULL, payload TEXT NOT NULL, command TEXT NOT NULL, previous_hash TEXT NOT NULL, hash TEXT NOT NULL,
    signature TEXT NOT NULL, result TEXT NOT NULL DEFAULT '', code TEXT NOT NULL DEFAULT '',
    message TEXT NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS photos (
    sha256 TEXT PRIMARY KEY, delivery TEXT NOT NULL, kind TEXT NOT NULL, content BLOB NOT NULL,
    sent INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS items (
    kind TEXT NOT NULL, id TEXT NOT NULL, route TEXT, said TEXT NOT NULL, gone INTEGER NOT NULL,
    PRIMARY KEY (kind, id)
);
CREATE TABLE IF NOT EXISTS positions (at TEXT PRIMARY KEY, said TEXT NOT NULL);
"""
FINAL = ("applied", "duplicate", "refused", "conflict")
_COLUMNS = "number, id, kind, target, at, command, previous_hash, hash, signature, result, code, message"


@dataclass(frozen=True)
class Entry:
    """One entry of the log, with what the platform said of it (empty: nothing yet)."""

    number: int
    id: str
    kind: str
    target: str | None
    at: str
    command: str
    previous_hash: str
    hash: str
    signature: str
    result: str
    code: str
    message: str

    def sealed(self) -> dict[str, Any]:
        """As it travels."""
        return {
            "number": self.number,
            "previous_hash": self.previous_hash,
            "hash": self.hash,
            "signature": self.signature,
            "command": self.command,
        }


@dataclass(frozen=True)
class Photo:
    """A picture that has to arrive."""

    sha256: str
    delivery_id: str
    #: photo or signature
    kind: str
    content: bytes


class Logbook:
    """A phone's store.

    Args:
        path: of its file; `:memory:` for phones that are never switched off.
        p256: make keys on P-256.
        durable: wait for the disk with each command.
    """

    def __init__(self, path: Path | str, *, p256: bool = False, durable: bool = True) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute(f"PRAGMA synchronous={'FULL' if durable else 'OFF'}")
        self._db.executescript(_TABLES)
        self._p256 = p256
        kept = self.fact("private_key")
        self.key = SealingKey.load(base64.b64decode(kept)) if kept else self._new_key()

    def close(self) -> None:
        """Let the file go."""
        self._db.close()

    def fact(self, name: str) -> str:
        """Something small that is kept; empty: it is not."""
        row = self._db.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return "" if row is None else str(row[0])

    def keep(self, name: str, value: str) -> None:
        """Keep something small."""
        self._db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))

    def append(
        self,
        kind: str,
        *,
        id: str,
        target: str | None,
        at: str,
        payload: Mapping[str, Any],
        after: Iterable[int] = (),
        photo: Photo | None = None,
        positions: Sequence[str] = (),
    ) -> int:
        """Seal a command behind the last one; it is on disk when this returns. Returns its number.

        Args:
            after: numbers of the entries that it builds on.
            photo: the picture that it names, kept with it.
            positions: of a batch: the instants of the positions that are in it, and go from where they waited.
        """
        ids = [self._id_of(number) for number in sorted(set(after))]
        with self._transaction():
            number = self._seal(id, kind, target, at, json.dumps(payload), ids)
            if photo is not None:
                self._db.execute(
                    "INSERT OR IGNORE INTO photos VALUES (?, ?, ?, ?, 0)",
                    (photo.sha256, photo.delivery_id, photo.kind, photo.content),
                )
            self._db.executemany("DELETE FROM positions WHERE at = ?", ((instant,) for instant in positions))
        return number

    def seal_again(self) -> None:
        """The key was revoked: make another, and seal with it what has no final answer, from 1 and in its order."""
        rows = self._db.execute(
            f"SELECT id, kind, target, at, payload, after FROM entries WHERE result NOT IN {FINAL} ORDER BY number"  # noqa: S608
        ).fetchall()
        with self._transaction():
            self._db.execute("DELETE FROM entries")
            self.key = self._new_key()
            self.keep("key_id", "")
            for id, kind, target, at, payload, after in rows:
                self._seal(id, kind, target, at, payload, json.loads(after))

    def entries(self, where: str = "1", *arguments: object) -> list[Entry]:
        """Entries of the log, in order."""
        rows = self._db.execute(f"SELECT {_COLUMNS} FROM entries WHERE {where} ORDER BY number", arguments)  # noqa: S608
        return [Entry(*row) for row in rows]

    def unsettled(self) -> list[Entry]:
        """What has no final answer."""
        return self.entries(f"result NOT IN {FINAL}")

    def last_about(self, target: str) -> int | None:
        """The last entry about a route or delivery; positions are about nothing."""
        row = self._db.execute(
            "SELECT max(number) FROM entries WHERE target = ? AND kind <> 'position_batch'", (target,)
        ).fetchone()
        return None if row is None else row[0]

    def hear(self, results: Iterable[Mapping[str, Any]]) -> None:
        """Write down what the platform said of entries; what is final stays."""
        with self._transaction():
            self._db.executemany(
                f"UPDATE entries SET result = ?, code = ?, message = ? WHERE number = ? AND result NOT IN {FINAL}",  # noqa: S608
                ((one["result"], one["code"], one["message"], one["number"]) for one in results),
            )

    def photos_to_send(self) -> list[Photo]:
        """Pictures that have not arrived."""
        rows = self._db.execute("SELECT sha256, delivery, kind, content FROM photos WHERE sent = 0 ORDER BY rowid")
        return [Photo(*row) for row in rows]

    def photo_sent(self, sha256: str) -> None:
        """A picture has arrived."""
        self._db.execute("UPDATE photos SET sent = 1 WHERE sha256 = ?", (sha256,))

    def be_told(self, items: Iterable[Mapping[str, Any]], cursor: str, *, anew: bool) -> None:
        """Take in what has changed, with the cursor behind it; `anew`: forget what was known."""
        with self._transaction():
            if anew:
                self._db.execute("DELETE FROM items")
            for item in items:
                said = json.dumps(item[item["kind"]])
                row = (item["kind"], item["id"], item["route_id"], said, item["gone"])
                self._db.execute("INSERT OR REPLACE INTO items VALUES (?, ?, ?, ?, ?)", row)
            self.keep("cursor", cursor)

    def known(self, kind: str, *, route_id: str | None = None) -> list[dict[str, Any]]:
        """What is known of routes, stops or messages that are still there."""
        rows = self._db.execute(
            "SELECT said FROM items WHERE kind = ? AND NOT gone AND (? IS NULL OR route = ?) ORDER BY rowid",
            (kind, route_id, route_id),
        )
        return [json.loads(row[0]) for row in rows]

    def note_position(self, at: str, said: Mapping[str, Any]) -> None:
        """Keep a position until it is sealed with others."""
        self._db.execute("INSERT OR IGNORE INTO positions VALUES (?, ?)", (at, json.dumps(said)))

    def noted_positions(self, most: int = 500) -> dict[str, Any]:
        """Instant -> position, of those that are not sealed yet."""
        rows = self._db.execute("SELECT at, said FROM positions ORDER BY at LIMIT ?", (most,))
        return {at: json.loads(said) for at, said in rows}

    def _seal(self, id: str, kind: str, target: str | None, at: str, payload: str, after: Sequence[str]) -> int:
        last = self._db.execute("SELECT number, hash FROM entries ORDER BY number DESC LIMIT 1").fetchone()
        number, previous_hash = (1, self.key.first_hash) if last is None else (last[0] + 1, last[1])
        numbers = [self._number_of(one) for one in after]
        command = json.dumps(
            {
                "id": id,
                "kind": kind,
                "at": at,
                "target_id": target,
                "after": [one for one in numbers if one is not None],
                "payload": json.loads(payload),
            },
            separators=(",", ":"),
        )
        digest, signature = self.key.seal(number, previous_hash, command)
        self._db.execute(
            "INSERT INTO entries (number, id, kind, target, after, at, payload, command, previous_hash, hash,"
            " signature) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (number, id, kind, target, json.dumps(after), at, payload, command, previous_hash, digest, signature),
        )
        return int(number)

    def _id_of(self, number: int) -> str:
        return str(self._db.execute("SELECT id FROM entries WHERE number = ?", (number,)).fetchone()[0])

    def _number_of(self, id: str) -> int | None:
        row = self._db.execute("SELECT number FROM entries WHERE id = ?", (id,)).fetchone()
        return None if row is None else int(row[0])

    def _new_key(self) -> SealingKey:
        key = SealingKey.make(p256=self._p256)
        self.keep("private_key", base64.b64encode(key.private_der).decode())
        return key

    def _transaction(self) -> "_Transaction":
        return _Transaction(self._db)


class _Transaction:
    """All of it, or nothing."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: object, *_: object) -> None:
        self._db.execute("COMMIT" if kind is None else "ROLLBACK")
