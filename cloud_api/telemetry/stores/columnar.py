"""Many rows at once as arrays: what charts and recounts read.

An object for each row would cost more than finding it. PostgreSQL hands rows out in its binary COPY form, which is as
good as an array. SQLite has rows only; where numbers need not be kept to the last bit, it puts those of one key
together to a text, of which there are few.

The first wall, the session's, does not see what is not asked of the session: here each statement is given its
organisation by hand. PostgreSQL's own wall stands behind it.
"""

import asyncio
import uuid
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from operator import itemgetter
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
from sqlalchemy import Select, String, Uuid, func, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from cloud_api.kernel.tenancy import OrganizationScope, ScopedSession

#: name, column without NULLs, and its type in the database
Columns = Sequence[tuple[str, InstrumentedAttribute[Any], type[np.generic]]]

#: what stands before the first row of a binary COPY without extensions, and after the last
_HEAD_BYTES, _TAIL_BYTES = 19, 2
#: beyond this many rows the arrays are made beside the event loop
_FEW = 20_000


@dataclass(frozen=True, slots=True)
class Fetched:
    """Rows of several sensors; arrays of one shape (n,), in the order the database gave them."""

    #: whose rows they are: ids of sensors, or numbers of series
    keys: Sequence[Any]
    #: index into `keys`
    which: npt.NDArray[np.int64]
    #: by the names asked for
    columns: dict[str, npt.NDArray[Any]]

    def __len__(self) -> int:
        """How many there are."""
        return len(self.which)

    def by_sensor(self) -> Iterator[tuple[Any, dict[str, npt.NDArray[Any]]]]:
        """The rows of each key that has some."""
        order = np.argsort(self.which, kind="stable")
        ends = np.searchsorted(self.which[order], np.arange(len(self.keys) + 1))
        for index, key in enumerate(self.keys):
            mine = order[ends[index] : ends[index + 1]]
            if len(mine):
                yield key, {name: column[mine] for name, column in self.columns.items()}


async def fetch(db: AsyncSession, statement: Select[Any], key: InstrumentedAttribute[Any], columns: Columns) -> Fetched:
    """The rows of `statement`, a select over one model with an organisation, to the last bit.

    Args:
        key: a sensor's id or a series' number, as the model has it.
    """
    connection, own = await db.connection(), _own(db, statement, key)
    wanted = own.with_only_columns(key, *(column for _, column, _ in columns))
    if connection.dialect.name == "postgresql":
        return _of_copy(await _copy(connection, wanted), key, columns)
    if isinstance(key.type, Uuid):
        wanted = own.with_only_columns(type_coerce(key, String), *(column for _, column, _ in columns))
    rows = (await connection.execute(wanted)).all()
    if len(rows) < _FEW:
        return _of_rows(rows, key, columns)
    return await asyncio.to_thread(_of_rows, rows, key, columns)


async def fetch_nearly(
    db: AsyncSession, statement: Select[Any], key: InstrumentedAttribute[Any], columns: Columns
) -> Fetched:
    """The same of a series' number; SQLite tells numbers to 15 digits only, and quickly."""
    connection = await db.connection()
    if connection.dialect.name == "postgresql":
        return await fetch(db, statement, key, columns)
    texts = [func.json_group_array(column) for _, column, _ in columns]
    own = _own(db, statement, key).with_only_columns(key, *texts).group_by(key)
    rows = (await connection.execute(own)).all()
    lists = [[msgspec.json.decode(text) for text in texts] for _, *texts in rows]
    return Fetched(
        [row[0] for row in rows],
        np.repeat(np.arange(len(rows)), [len(its[0]) for its in lists]),
        {
            name: np.array(list(chain.from_iterable(its[index] for its in lists)), kind)
            for index, (name, _, kind) in enumerate(columns)
        },
    )


def _own(db: AsyncSession, statement: Select[Any], key: InstrumentedAttribute[Any]) -> Select[Any]:
    """The statement, confined to the session's organisation."""
    session = db.sync_session
    assert isinstance(session, ScopedSession)  # noqa: S101 - there are no others
    if not isinstance(session.scope, OrganizationScope):
        return statement
    return statement.where(key.class_.organization_id == session.scope.organization_id)


async def _copy(connection: AsyncConnection, statement: Select[Any]) -> bytes:
    text = str(statement.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True}))
    driver: Any = (await connection.get_raw_connection()).driver_connection
    copied = bytearray()

    async def take(piece: bytes) -> None:
        copied.extend(piece)

    await driver.copy_from_query(text, output=take, format="binary")
    return bytes(copied)


def _of_copy(copied: bytes, key: InstrumentedAttribute[Any], columns: Columns) -> Fetched:
    is_id = isinstance(key.type, Uuid)
    kinds = [np.dtype("V16" if is_id else ">i8"), *(np.dtype(kind).newbyteorder(">") for _, _, kind in columns)]
    fields = [[(f"length{index}", ">i4"), (f"f{index}", kind)] for index, kind in enumerate(kinds)]
    row, body = np.dtype([("count", ">i2"), *chain.from_iterable(fields)]), copied[_HEAD_BYTES:-_TAIL_BYTES]
    rows = np.frombuffer(body, row, count=len(body) // row.itemsize)
    widths = all(np.all(rows[f"length{index}"] == kind.itemsize) for index, kind in enumerate(kinds))
    if not widths or len(body) % row.itemsize:
        raise TypeError("the columns are not as wide as was said, or some are NULL")
    words = np.ascontiguousarray(rows["f0"]).view(">i8").reshape(-1, kinds[0].itemsize // 8)
    changed = np.any(words[1:] != words[:-1], axis=1)
    runs = np.flatnonzero(np.concatenate([[True], changed])) if len(rows) else np.empty(0, np.int64)
    firsts: list[Hashable] = [
        uuid.UUID(bytes=rows["f0"][begin].tobytes()) if is_id else int(words[begin, 0]) for begin in runs
    ]
    keys, which = _numbered(firsts, np.diff(np.concatenate([runs, [len(rows)]])))
    found = {name: rows[f"f{index}"].astype(kind) for index, (name, _, kind) in enumerate(columns, start=1)}
    return Fetched(keys, which, found)


def _of_rows(rows: Sequence[Any], key: InstrumentedAttribute[Any], columns: Columns) -> Fetched:
    if not rows:
        return Fetched([], np.empty(0, np.int64), {name: np.empty(0, kind) for name, _, kind in columns})
    firsts, *values = zip(*rows, strict=True)
    runs = [(first, sum(1 for _ in run)) for first, run in groupby(firsts)]
    keys, which = _numbered(list(map(itemgetter(0), runs)), np.array([length for _, length in runs]))
    if isinstance(key.type, Uuid):
        keys = [uuid.UUID(text) for text in keys]
    found = {name: np.array(column, kind) for (name, _, kind), column in zip(columns, values, strict=True)}
    return Fetched(keys, which, found)


def _numbered(firsts: Sequence[Hashable], lengths: npt.NDArray[Any]) -> tuple[list[Any], npt.NDArray[np.int64]]:
    """Each key once, and the index of each row's key; of the keys of runs, and how long they are."""
    numbers = {first: number for number, first in enumerate(dict.fromkeys(firsts))}
    return list(numbers), np.repeat(np.array([numbers[first] for first in firsts], np.int64), lengths)
