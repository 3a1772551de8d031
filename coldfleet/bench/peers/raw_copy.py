"""The limit: readings that stand ready as columns, brought into a table without an index by binary COPY.

A peer of `coldfleet bench ingest`: one connection, one transaction a batch, nothing checked, nothing kept beside.

    python raw_copy.py --dsn postgresql://... --batches 200 --rows 1000
"""

import argparse
import asyncio
import sys
import time
from collections.abc import AsyncIterator

import asyncpg
import numpy as np

_HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_TRAILER = b"\xff\xff"
#: each value with its length before it, each row with the number of its columns
_ROW = np.dtype(
    [
        ("columns", ">i2"),
        ("series_bytes", ">i4"),
        ("series", ">i8"),
        ("time_bytes", ">i4"),
        ("time", ">i8"),
        ("sequence_bytes", ">i4"),
        ("sequence", ">i8"),
        ("value_bytes", ">i4"),
        ("value", ">f8"),
        ("quality_bytes", ">i4"),
        ("quality", ">i2"),
    ]
)


def packed(series: np.ndarray, times: np.ndarray, sequences: np.ndarray, values: np.ndarray) -> bytes:
    """The rows as COPY BINARY has them."""
    rows = np.empty(len(series), _ROW)
    rows["columns"] = 5
    for name in ("series", "time", "sequence", "value"):
        rows[f"{name}_bytes"] = 8
    rows["quality_bytes"] = 2
    rows["series"], rows["time"], rows["sequence"], rows["value"], rows["quality"] = series, times, sequences, values, 0
    return _HEADER + rows.tobytes() + _TRAILER


async def copy(dsn: str, batches: int, rows: int) -> None:
    """Bring them in, and say how long it took."""
    connection = await asyncpg.connect(dsn)
    await connection.execute(
        "CREATE TABLE IF NOT EXISTS raw_readings"
        " (series bigint, recorded_at_ms bigint, sequence bigint, value double precision, quality smallint)"
    )
    noise = np.random.default_rng(1)
    sensors = 50
    began_s = time.perf_counter()
    for batch in range(batches):
        numbers = np.arange(rows)
        series, times = numbers % sensors, 1_767_225_600_000 + (batch * rows + numbers) * 100
        values = np.round(4 + noise.normal(0, 0.3, rows), 2)

        async def source(
            body: bytes = packed(series, times, batch * rows + numbers, values),
        ) -> AsyncIterator[bytes]:
            yield body

        async with connection.transaction():
            await connection.copy_to_table("raw_readings", source=source(), format="binary")
    sys.stdout.write(f"{time.perf_counter() - began_s:.3f}\n")
    await connection.execute("TRUNCATE raw_readings")
    await connection.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dsn", required=True)
    parser.add_argument("--batches", type=int, default=200)
    parser.add_argument("--rows", type=int, default=1000)
    told = parser.parse_args()
    asyncio.run(copy(told.dsn, told.batches, told.rows))
