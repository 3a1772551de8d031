"""Sealing: the rows of a past day of a series become one packed row.

A day and what it is made of change places in one transaction: rows are deleted and handed over by the same statement,
so that a row that arrives meanwhile is in neither and stays where it is, until the day is sealed again. No lock of the
ingest is taken. Of a process that dies half-way nothing has happened.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import structlog
from sqlalchemy import ARRAY, BigInteger, Row, ScalarSelect, column, delete, func, literal, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel import clock
from cloud_api.kernel.db import Database
from cloud_api.kernel.tenancy import Actor, OrganizationScope, SystemScope
from cloud_api.telemetry.models import QUALITIES, ReadingChunk, SensorReading, SensorSeries, readings
from cloud_api.telemetry.stores.packing import Spoilt, pack, unpack
from cloud_api.telemetry.stores.pieces import DAY_MS, merged
from cloud_api.telemetry.stores.port import Readings

log = structlog.get_logger(__name__)

_POLL_S = 300.0
#: times as long as a day took to seal, before the next: a month that came at once must not be in people's way
_REST = 3.0
#: series looked at in one round; a day of each
_ROUND = 500
_BAD = QUALITIES.index("bad")
_SEALER = Actor("worker", None, "telemetry.sealer")
#: of the advisory lock that keeps two workers from the same series; its number is added
_LOCK = 0x5EA1 << 48
_COLUMNS = (
    readings.c.series,
    readings.c.recorded_at_ms,
    readings.c.sequence,
    readings.c.value,
    readings.c.quality,
)


@dataclass(frozen=True, slots=True)
class Due:
    """A day of a series of which rows can be sealed."""

    scope: OrganizationScope
    number: int
    begins_ms: int


class ReadingSealer:
    """Seals days that ended long enough ago. Any number may run beside each other.

    Args:
        after_days: how many whole days (UTC) stay rows, before today.
        rest: how long it rests after each day of a series, as a multiple of what that took.
    """

    def __init__(self, database: Database, *, after_days: int, poll_s: float = _POLL_S, rest: float = _REST) -> None:
        self._database = database
        self._after_days = after_days
        self._poll_s = poll_s
        self._rest = rest

    async def run(self) -> None:
        """Seal until cancelled; a database that does not answer is asked again."""
        while True:
            try:
                sealed = await self.seal_due()
            except (SQLAlchemyError, OSError) as error:
                log.warning("reading_sealer_failed", error=str(error))
                sealed = 0
            if sealed == 0:
                await asyncio.sleep(self._poll_s)

    async def seal_due(self) -> int:
        """Seal the oldest day of every series that has one due. Returns how many readings that were."""
        sealed = 0
        for due in await self._find_due():
            began_s = time.perf_counter()
            try:
                async with self._database.unit_of_work(due.scope, actor=_SEALER) as db:
                    sealed += await seal_day(db, due.number, due.begins_ms)
            except (SQLAlchemyError, Spoilt) as error:  # one day must not hold up the others
                log.warning("day_not_sealed", series=due.number, begins_ms=due.begins_ms, error=str(error))
            await asyncio.sleep(self._rest * (time.perf_counter() - began_s))
        return sealed

    async def _find_due(self) -> Sequence[Due]:
        today_ms = clock.now_ms() // DAY_MS * DAY_MS
        oldest = oldest_row()
        due = (
            select(SensorSeries.organization_id, SensorSeries.number, oldest.label("oldest_ms"))
            .where(oldest < today_ms - self._after_days * DAY_MS)
            .order_by("oldest_ms")
            .limit(_ROUND)
        )
        async with self._database.unit_of_work(SystemScope("find days to seal"), read_only=True) as db:
            return [
                Due(OrganizationScope(row.organization_id), row.number, row.oldest_ms // DAY_MS * DAY_MS)
                for row in await db.execute(due)
            ]


def oldest_row() -> ScalarSelect[int]:
    """When the oldest row of the statement's series was recorded: a scalar subquery, NULL when it has none."""
    return (
        select(SensorReading.recorded_at_ms)
        .where(SensorReading.series == SensorSeries.number)
        .order_by(SensorReading.recorded_at_ms)
        .limit(1)
        .correlate(SensorSeries)
        .scalar_subquery()
    )


async def seal_day(db: AsyncSession, number: int, begins_ms: int) -> int:
    """Put the rows of a day to what is sealed of it. Returns how many those were.

    Raises:
        Spoilt: when what was sealed before cannot be read, or what would be written not be read again.
    """
    if not await _alone(db, number):
        return 0
    taken = (await take_rows(db, [number], begins_ms, begins_ms + DAY_MS)).get(number)
    if taken is None:
        return 0
    chunk = await db.get(ReadingChunk, (number, begins_ms), with_for_update=True)
    whole = merged([taken] if chunk is None else [unpack(chunk.payload), taken])
    payload = pack(whole)
    _check(whole, unpack(payload))
    if chunk is None:
        chunk = ReadingChunk(series=number, begins_ms=begins_ms)
        db.add(chunk)
    known = whole.values[whole.qualities != _BAD]
    chunk.from_ms, chunk.to_ms, chunk.count = int(whole.times_ms[0]), int(whole.times_ms[-1]), len(whole)
    chunk.minimum, chunk.maximum = (float(known.min()), float(known.max())) if len(known) else (None, None)
    chunk.payload = payload
    await db.flush()
    return len(taken)


async def take_rows(db: AsyncSession, numbers: Sequence[int], from_ms: int, to_ms: int) -> Mapping[int, Readings]:
    """Take the rows of series in [from, to) away, and hand them over; others' series are not there."""
    own = (await db.scalars(select(SensorSeries.number).where(SensorSeries.number.in_(numbers)))).all()
    connection = await db.connection()
    if connection.dialect.name == "postgresql":  # its function asks once more whose they are
        handed = func.take_readings(literal(own, ARRAY(BigInteger)), from_ms, to_ms)
        taken = handed.table_valued(*(column(known.name, known.type) for known in _COLUMNS))
        rows = (await connection.execute(select(*taken.c))).all()
    else:
        those = (readings.c.series.in_(own), readings.c.recorded_at_ms >= from_ms, readings.c.recorded_at_ms < to_ms)
        rows = (await connection.execute(delete(readings).where(*those).returning(*_COLUMNS))).all()
    return _by_series(rows) if rows else {}


def _by_series(rows: Sequence[Row[Any]]) -> Mapping[int, Readings]:
    columns = [*zip(*rows, strict=True)]
    series, times_ms, sequences = (np.array(cells, np.int64) for cells in columns[:3])
    values, qualities = np.array(columns[3], np.float64), np.array(columns[4], np.int8)
    order = np.lexsort((sequences, times_ms, series))
    numbers, begins = np.unique(series[order], return_index=True)
    parts = zip(numbers.tolist(), np.split(order, begins[1:]), strict=True)
    return {number: Readings(times_ms[part], sequences[part], values[part], qualities[part]) for number, part in parts}


async def _alone(db: AsyncSession, number: int) -> bool:
    """Whether nobody else seals this series now; until the unit of work ends nobody else will."""
    connection = await db.connection()
    if connection.dialect.name != "postgresql":
        return True
    return bool(await connection.scalar(select(func.pg_try_advisory_xact_lock(_LOCK + number))))


def _check(written: Readings, read: Readings) -> None:
    same = (
        np.array_equal(written.times_ms, read.times_ms)
        and np.array_equal(written.sequences, read.sequences)
        and np.array_equal(written.values.view(np.int64), read.values.view(np.int64))
        and np.array_equal(written.qualities, read.qualities)
    )
    if not same:
        raise Spoilt("packed readings come out otherwise than they went in: nothing was sealed")
