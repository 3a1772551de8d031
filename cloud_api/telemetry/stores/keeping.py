"""What is kept beside readings at ingest, written as one statement for all gateways of a group.

Raw SQL over the driver on PostgreSQL, where row-level security holds for it as for all; on SQLite every statement
names the organisation itself. PostgreSQL is handed states and buckets by COPY into temporary tables of the
connection: as arrays each number would be looked at by itself.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import asyncpg
import msgspec
import numpy as np
import numpy.typing as npt
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel import clock
from cloud_api.kernel.db import once_committed
from cloud_api.telemetry.rollups import NEVER, Closed, Table
from cloud_api.telemetry.stores.copying import driver_of, packed

_BUCKET = ("begins_ms", "count", "total", "minimum", "maximum")
_KINDS = {"i8": "bigint", "f8": "double precision"}
_SQL = ("bigint", "bigint", "double precision", "double precision", "double precision")
#: (column, its kind, how it is written): of what there is not a sentinel stands in memory
_SERIES = (
    ("last_recorded_at_ms", "i8", f"nullif({{}}, {NEVER})"),
    ("last_value", "f8", "{}"),
    ("last_quality", "i8", "CASE {} WHEN 0 THEN 'good' WHEN 1 THEN 'suspect' ELSE 'bad' END"),
    ("heard_at_ms", "i8", f"nullif({{}}, {NEVER})"),
    ("cadence_ms", "i8", "nullif({}, 0)"),
    *(
        (f"{bucket}_{name}", kind, form)
        for bucket in ("hour", "day")
        for name, kind, form in zip(
            _BUCKET, ("i8", "i8", "f8", "f8", "f8"), (f"nullif({{}}, {NEVER})", *["{}"] * 4), strict=True
        )
    ),
)


_NEW_SERIES, _NEW_BUCKETS = "ingest_series", "ingest_buckets"
#: emptied at each commit
_MAKE_TABLES = "; ".join(
    f"CREATE TEMPORARY TABLE IF NOT EXISTS {table} ({', '.join(columns)}) ON COMMIT DELETE ROWS"
    for table, columns in (
        (_NEW_SERIES, ["number bigint", *(f"{name} {_KINDS[kind]}" for name, kind, _ in _SERIES)]),
        (
            _NEW_BUCKETS,
            ["daily smallint", "series bigint", *(f"{name} {kind}" for name, kind in zip(_BUCKET, _SQL, strict=True))],
        ),
    )
)
_UPDATE_SERIES = "UPDATE sensor_series AS s SET {} FROM {} n WHERE s.number = n.number".format(  # noqa: S608 - our own names
    ", ".join(f"{name} = {form.format(f'n.{name}')}" for name, _, form in _SERIES), _NEW_SERIES
)
_UPDATE_ONE_SERIES = "UPDATE sensor_series SET {} WHERE number = ? AND organization_id = ?".format(  # noqa: S608 - our own names
    ", ".join(f"{name} = {form.format('?')}" for name, _, form in _SERIES)
)
_ADD = (
    "INSERT INTO {table} AS b (organization_id, series, begins_ms, count, total, minimum, maximum) {rows}"
    " ON CONFLICT (series, begins_ms) DO UPDATE SET count = b.count + excluded.count,"
    " total = b.total + excluded.total, minimum = {least}(b.minimum, excluded.minimum),"
    " maximum = {greatest}(b.maximum, excluded.maximum)"
)
_ADD_ALL = _ADD.replace(
    "{rows}",
    f"SELECT $1, series, {', '.join(_BUCKET)} FROM {_NEW_BUCKETS} WHERE daily = {{daily}}",  # noqa: S608 - our own names
)
_ADD_ONE = _ADD.replace("{rows}", "VALUES (?, ?, ?, ?, ?, ?, ?)")
_UPDATE_LANES = (
    "UPDATE lane_cursors AS c SET acked_through = n.through, accepted = c.accepted + n.accepted,"
    " duplicates = c.duplicates + n.duplicates, refused = c.refused + n.refused"
    " FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])"
    " AS n(id, through, accepted, duplicates, refused) WHERE c.id = n.id"
)
_UPDATE_ONE_LANE = (
    "UPDATE lane_cursors SET acked_through = ?, accepted = accepted + ?, duplicates = duplicates + ?,"
    " refused = refused + ? WHERE id = ? AND organization_id = ?"
)
_UPDATE_GATEWAYS = (
    "UPDATE gateways SET batches = batches + 1, last_seen_at = coalesce($1, last_seen_at) WHERE id = ANY($2::uuid[])"
)
_UPDATE_ONE_GATEWAY = (
    "UPDATE gateways SET batches = batches + 1, last_seen_at = coalesce(?, last_seen_at)"
    " WHERE id = ? AND organization_id = ?"
)
_FIND = (
    "SELECT n.at, r.value, r.quality"
    " FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) WITH ORDINALITY AS n(series, at_ms, sequence, at)"
    " JOIN sensor_readings r ON r.series = n.series AND r.recorded_at_ms = n.at_ms AND r.sequence = n.sequence"
)
_FIND_HERE = (
    "SELECT n.key + 1, r.value, r.quality FROM json_each(?) n CROSS JOIN sensor_readings r"
    " ON r.series = json_extract(n.value, '$[0]') AND r.recorded_at_ms = json_extract(n.value, '$[1]')"
    " AND r.sequence = json_extract(n.value, '$[2]')"
    " WHERE r.organization_id = ?"
)


@dataclass(frozen=True, slots=True)
class Settled:
    """What a batch came to, for its lane's cursor."""

    lane_id: uuid.UUID
    through: int
    accepted: int
    duplicates: int
    refused: int


async def keep_series(db: AsyncSession, organization_id: uuid.UUID, state: Table, closed: Closed) -> None:
    """Write the state of series (of `rollups.STATE`), and add to their hours and days."""
    connection = await db.connection()
    columns = {"number": state["number"], **{name: _column(state, name) for name, _, _ in _SERIES}}
    if connection.dialect.name == "postgresql":
        driver = await driver_of(connection)
        if connection.sync_connection is not None and not connection.sync_connection.info.get(_NEW_SERIES):
            await driver.execute(_MAKE_TABLES)
            once_committed(db, partial(connection.sync_connection.info.__setitem__, _NEW_SERIES, True))
        await driver.copy_to_table(_NEW_SERIES, source=packed(columns), format="binary")
        await driver.execute(_UPDATE_SERIES)
        await _add_buckets(driver, organization_id, closed)
        return
    ours = organization_id.hex
    numbers, *values = (column.tolist() for column in columns.values())
    rows = [(*its, number, ours) for number, *its in zip(numbers, *values, strict=True)]
    await connection.exec_driver_sql(_UPDATE_ONE_SERIES, rows)
    for table, buckets in (("reading_hours", closed.hours), ("reading_days", closed.days)):
        if len(buckets):
            statement = _ADD_ONE.format(table=table, least="min", greatest="max")
            await connection.exec_driver_sql(statement, [(ours, *bucket) for bucket in buckets.tolist()])


async def _add_buckets(driver: asyncpg.Connection, organization_id: uuid.UUID, closed: Closed) -> None:
    if not len(closed.hours):  # a day ends with an hour
        return
    both = np.concatenate((closed.hours, closed.days))
    daily = np.repeat(np.array([0, 1], np.int16), (len(closed.hours), len(closed.days)))
    columns = {"daily": daily, **{name: both[name] for name in ("series", *_BUCKET)}}
    await driver.copy_to_table(_NEW_BUCKETS, source=packed(columns), format="binary")
    for number, (table, buckets) in enumerate((("reading_hours", closed.hours), ("reading_days", closed.days))):
        if len(buckets):
            statement = _ADD_ALL.format(table=table, least="least", greatest="greatest", daily=number)
            await driver.execute(statement, organization_id)


def _column(state: Table, name: str) -> npt.NDArray[np.generic]:
    short = {"last_recorded_at_ms": "last_ms", "heard_at_ms": "heard_ms"}.get(name, name)
    bucket, _, of_bucket = short.partition("_")
    column: npt.NDArray[np.generic] = state[bucket][of_bucket] if bucket in ("hour", "day") else state[short]
    return column


async def keep_lanes(
    db: AsyncSession,
    organization_id: uuid.UUID,
    settled: Sequence[Settled],
    *,
    heard: Sequence[uuid.UUID],
    spoken_for: Sequence[uuid.UUID] = (),
) -> None:
    """Move the lanes' cursors, and count a batch of each gateway: of those heard at this moment, and of others."""
    connection = await db.connection()
    lanes = [(one.lane_id, one.through, one.accepted, one.duplicates, one.refused) for one in settled]
    seen = [(clock.now(), list(heard)), (None, list(spoken_for))]
    if connection.dialect.name == "postgresql":
        driver = await driver_of(connection)
        await driver.execute(_UPDATE_LANES, *map(list, zip(*lanes, strict=True)))
        for at, gateway_ids in seen:
            if gateway_ids:
                await driver.execute(_UPDATE_GATEWAYS, at, gateway_ids)
        return
    ours = organization_id.hex
    await connection.exec_driver_sql(_UPDATE_ONE_LANE, [(*counts, id_.hex, ours) for id_, *counts in lanes])
    for at, gateway_ids in seen:
        told = None if at is None else at.replace(tzinfo=None).isoformat(" ", "microseconds")
        if gateway_ids:
            await connection.exec_driver_sql(_UPDATE_ONE_GATEWAY, [(told, id_.hex, ours) for id_ in gateway_ids])


async def find_stored(
    db: AsyncSession,
    organization_id: uuid.UUID,
    *,
    series: npt.NDArray[np.int64],
    times_ms: npt.NDArray[np.int64],
    sequences: npt.NDArray[np.int64],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int8]]:
    """(values, qualities) of these keys, of shape (n,); the value of what is not there is NaN."""
    connection = await db.connection()
    keys = [series.tolist(), times_ms.tolist(), sequences.tolist()]
    if connection.dialect.name == "postgresql":
        rows = await (await driver_of(connection)).fetch(_FIND, *keys)
    else:
        listed = msgspec.json.encode(list(zip(*keys, strict=True))).decode()
        rows = (await connection.exec_driver_sql(_FIND_HERE, (listed, organization_id.hex))).all()
    values, qualities = np.full(len(series), np.nan), np.zeros(len(series), np.int8)
    for at, value, quality in rows:
        values[at - 1], qualities[at - 1] = value, quality
    return values, qualities
