"""Handing whole arrays to PostgreSQL: its binary COPY, built by numpy, so that no row is touched by itself."""

from collections.abc import AsyncIterator, Mapping
from functools import lru_cache

import asyncpg
import numpy as np
import numpy.typing as npt
from sqlalchemy.ext.asyncio import AsyncConnection

#: a signature, no flags, no extension; of each row how many columns, and of each column how many bytes and the bytes;
#: all of it big-endian (PostgreSQL's documentation, COPY, "Binary Format")
_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END = b"\xff\xff"
#: of one message to the database
_ROWS_AT_ONCE = 8_192


async def driver_of(connection: AsyncConnection) -> asyncpg.Connection:
    """asyncpg's own connection, in the transaction that is under way."""
    return (await connection.get_raw_connection()).driver_connection


async def packed(columns: Mapping[str, npt.NDArray[np.generic]]) -> AsyncIterator[bytes]:
    """Columns of one length as binary COPY takes them: an iterator, for files the driver reads in another thread."""
    blank = _blank(tuple((name, column.dtype.str[1:]) for name, column in columns.items()))
    count = len(next(iter(columns.values())))
    yield _HEADER
    for begin in range(0, count, _ROWS_AT_ONCE):
        rows = blank[: min(_ROWS_AT_ONCE, count - begin)].copy()
        for name, column in columns.items():
            rows[name] = column[begin : begin + _ROWS_AT_ONCE]
        yield rows.tobytes()
    yield _END


@lru_cache(maxsize=16)
def _blank(kinds: tuple[tuple[str, str], ...]) -> npt.NDArray[np.void]:
    """Rows in which only the values are missing; `kinds` are names with numpy's words for the types: `i8`, `f8`."""
    lengths = [(f"{name}/bytes", ">i4") for name, _ in kinds]
    values = [(name, f">{kind}") for name, kind in kinds]
    pairs = [entry for pair in zip(lengths, values, strict=True) for entry in pair]
    rows = np.zeros(_ROWS_AT_ONCE, np.dtype([("columns", ">i2"), *pairs]))
    rows["columns"] = len(kinds)
    for name, _ in kinds:
        rows[f"{name}/bytes"] = rows.dtype[name].itemsize
    return rows
