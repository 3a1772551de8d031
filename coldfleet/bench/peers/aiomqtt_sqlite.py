"""The gateway one would write first: aiomqtt, acknowledging by itself, and SQLite.

`python aiomqtt_sqlite.py --port P --database F`. Values go into one table; whatever has come is committed every 0.2 s,
with the write-ahead log and `synchronous=NORMAL`. What was acknowledged and not yet committed is lost at a crash: that
is what it is here for. With `--no-insert` it only counts, which is what its client library costs alone.
"""

import argparse
import asyncio
import json
import sqlite3
import sys
import time

import aiomqtt

COMMIT_S = 0.2


class Table:
    """Where the values go."""

    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute(
            "CREATE TABLE readings (id INTEGER PRIMARY KEY, at_ms INTEGER, sensor TEXT, quantity TEXT, value REAL)"
        )
        self._rows: list[tuple[int, str, str, float]] = []
        self._committed_at_s = time.monotonic()

    def add(self, topic: str, payload: bytes) -> None:
        """One message's values."""
        sensor, at_ms = topic.rpartition("/")[2], time.time_ns() // 1_000_000
        for quantity, value in json.loads(payload).items():
            if isinstance(value, int | float):
                self._rows.append((at_ms, sensor, quantity, value))
        if time.monotonic() - self._committed_at_s >= COMMIT_S:
            self.commit()

    def commit(self) -> None:
        """What has come, in one transaction."""
        self._connection.execute("BEGIN")
        insert = "INSERT INTO readings (at_ms, sensor, quantity, value) VALUES (?,?,?,?)"
        self._connection.executemany(insert, self._rows)
        self._connection.execute("COMMIT")
        self._rows.clear()
        self._committed_at_s = time.monotonic()


async def run(port: int, database: str, *, inserts: bool, until: int) -> None:
    """Take messages; tell on standard output how many, and when, every thousand; end after `until`."""
    table = Table(database)
    taken = 0
    async with aiomqtt.Client(
        "127.0.0.1", port, identifier="aiomqtt-sqlite", clean_session=False, max_queued_incoming_messages=None
    ) as client:
        await client.subscribe("zigbee2mqtt/+", qos=1)
        _tell("ready")
        async for message in client.messages:
            if inserts:
                table.add(str(message.topic), bytes(message.payload))
            taken += 1
            if taken == 1 or taken % 1000 == 0 or taken == until:
                _tell(f"{taken} {time.perf_counter()} {time.process_time()}")
            if taken == until:
                break
    table.commit()


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--database", required=True)
    parser.add_argument("--no-insert", action="store_true")
    parser.add_argument("--until", type=int, default=0)
    told = parser.parse_args()
    asyncio.run(run(told.port, told.database, inserts=not told.no_insert, until=told.until))


if __name__ == "__main__":
    main()
