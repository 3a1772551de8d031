"""Readings in the platform's own database: rows, and sealed days of them.

Rows are looked at before sealed days. Whoever seals moves rows into a day in one transaction, so that a reader who
comes by meanwhile finds them in both, and never in neither; what was found twice is shown once.
"""

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping

import numpy as np
import numpy.typing as npt
from sqlalchemy import ColumnElement, Select, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from cloud_api.telemetry.models import QUALITIES, ReadingChunk, SensorReading, SensorSeries
from cloud_api.telemetry.stores import columnar
from cloud_api.telemetry.stores.packing import unpack
from cloud_api.telemetry.stores.pieces import DAY_MS, behind, between, first, merged
from cloud_api.telemetry.stores.port import NO_READINGS, NewReadings, Readings
from cloud_api.telemetry.stores.writing import append_rows

_BAD = QUALITIES.index("bad")
_COLUMNS = (
    ("times_ms", SensorReading.recorded_at_ms, np.int64),
    ("sequences", SensorReading.sequence, np.int64),
    ("values", SensorReading.value, np.float64),
    ("qualities", SensorReading.quality, np.int16),
)
#: sealed days that are fetched at once where it is not known how many will be needed
_DAYS_AT_ONCE = 8


class SqlStore:
    """The default store."""

    async def close(self) -> None:
        """As the port says: it has none of its own."""

    async def append(self, db: AsyncSession, new: NewReadings) -> None:
        """As the port says."""
        await append_rows(db, new)

    async def read(
        self,
        db: AsyncSession,
        sensor_id: uuid.UUID,
        *,
        from_ms: int,
        to_ms: int,
        limit: int | None = None,
        after: tuple[int, int] | None = None,
    ) -> Readings:
        """As the port says."""
        numbers = await _numbers(db, [sensor_id])
        if not numbers:
            return NO_READINGS
        [number] = numbers
        if after is not None:
            from_ms = max(from_ms, after[0])
        hot = _hot([number], from_ms, to_ms)
        if after is not None:
            hot = hot.where(tuple_(SensorReading.recorded_at_ms, SensorReading.sequence) > after)
        rows = await _rows(db, hot.limit(limit))
        sealed = await self._sealed(db, number, from_ms, to_ms, limit=limit, after=after)
        return first(merged([*rows.values(), *sealed]), limit)

    async def read_many(
        self, db: AsyncSession, sensor_ids: Collection[uuid.UUID], *, from_ms: int, to_ms: int
    ) -> dict[uuid.UUID, Readings]:
        """As the port says."""
        numbers = await _numbers(db, sensor_ids)
        found: dict[uuid.UUID, list[Readings]] = defaultdict(list)
        if numbers:
            for number, rows in (await _rows(db, _hot(numbers, from_ms, to_ms))).items():
                found[numbers[number]].append(rows)
            for chunk in await db.execute(_chunks(numbers, from_ms, to_ms)):
                within = between(unpack(chunk.payload), from_ms, to_ms)
                if len(within):
                    found[numbers[chunk.series]].append(within)
        return {sensor_id: merged(pieces) for sensor_id, pieces in found.items()}

    async def newest_before(
        self,
        db: AsyncSession,
        sensor_id: uuid.UUID,
        *,
        before_ms: int,
        at_most: float | None = None,
        at_least: float | None = None,
    ) -> int | None:
        """As the port says."""
        numbers = await _numbers(db, [sensor_id])
        if not numbers:
            return None
        [number] = numbers
        its = [SensorReading.series == number, SensorReading.recorded_at_ms < before_ms, SensorReading.quality != _BAD]
        days = [ReadingChunk.series == number, ReadingChunk.from_ms < before_ms, ReadingChunk.minimum.is_not(None)]
        if at_most is not None:
            its.append(SensorReading.value <= at_most)
            days.append(ReadingChunk.minimum <= at_most)
        if at_least is not None:
            its.append(SensorReading.value >= at_least)
            days.append(ReadingChunk.maximum >= at_least)
        newest: int | None = await db.scalar(
            select(SensorReading.recorded_at_ms).where(*its).order_by(SensorReading.recorded_at_ms.desc()).limit(1)
        )
        latest = select(ReadingChunk.begins_ms, ReadingChunk.payload).order_by(ReadingChunk.begins_ms.desc())
        while True:
            later = [] if newest is None else [ReadingChunk.to_ms > newest]
            page = (await db.execute(latest.where(*days, *later).limit(_DAYS_AT_ONCE))).all()
            for chunk in page:
                times_ms = _matching(unpack(chunk.payload), before_ms, at_most, at_least)
                if len(times_ms):
                    return max(int(times_ms[-1]), newest if newest is not None else int(times_ms[-1]))
            if len(page) < _DAYS_AT_ONCE:
                return newest
            days.append(ReadingChunk.begins_ms < page[-1].begins_ms)

    async def _sealed(
        self,
        db: AsyncSession,
        number: int,
        from_ms: int,
        to_ms: int,
        *,
        limit: int | None,
        after: tuple[int, int] | None,
    ) -> list[Readings]:
        """What is sealed of a series, in the order of time, until there are `limit`."""
        found: list[Readings] = []
        missing, begin_ms = limit, from_ms
        while True:
            days = _chunks([number], begin_ms, to_ms).limit(None if limit is None else _DAYS_AT_ONCE)
            page = (await db.execute(days)).all()
            for chunk in page:
                within = behind(between(unpack(chunk.payload), from_ms, to_ms), after)
                found.append(within)
                if missing is not None:
                    missing -= len(within)
                    if missing <= 0:
                        return found
            if limit is None or len(page) < _DAYS_AT_ONCE:
                return found
            begin_ms = page[-1].begins_ms + DAY_MS


async def _numbers(db: AsyncSession, sensor_ids: Collection[uuid.UUID]) -> Mapping[int, uuid.UUID]:
    """The series of those sensors that are this organisation's own: the walls stand here."""
    theirs = select(SensorSeries.number, SensorSeries.sensor_id).where(SensorSeries.sensor_id.in_(sensor_ids))
    return {row.number: row.sensor_id for row in await db.execute(theirs)}


def _is_one_of(number: InstrumentedAttribute[int], numbers: Collection[int]) -> ColumnElement[bool]:
    """Of a single one PostgreSQL reads the index in its order."""
    return number == next(iter(numbers)) if len(numbers) == 1 else number.in_(numbers)


def _hot(numbers: Collection[int], from_ms: int, to_ms: int) -> Select[tuple[SensorReading]]:
    return (
        select(SensorReading)
        .where(
            _is_one_of(SensorReading.series, numbers),
            SensorReading.recorded_at_ms >= from_ms,
            SensorReading.recorded_at_ms < to_ms,
        )
        .order_by(SensorReading.series, SensorReading.recorded_at_ms, SensorReading.sequence)
    )


def _chunks(numbers: Collection[int], from_ms: int, to_ms: int) -> Select[tuple[int, int, bytes]]:
    """Days with a reading in [from, to); what begins a day or more before `from` has none."""
    return (
        select(ReadingChunk.series, ReadingChunk.begins_ms, ReadingChunk.payload)
        .where(
            _is_one_of(ReadingChunk.series, numbers),
            ReadingChunk.begins_ms > from_ms - DAY_MS,
            ReadingChunk.begins_ms < to_ms,
            ReadingChunk.to_ms >= from_ms,
            ReadingChunk.from_ms < to_ms,
        )
        .order_by(ReadingChunk.series, ReadingChunk.begins_ms)
    )


async def _rows(db: AsyncSession, statement: Select[tuple[SensorReading]]) -> dict[int, Readings]:
    fetched = await columnar.fetch(db, statement, SensorReading.series, _COLUMNS)
    return {
        number: Readings(
            columns["times_ms"], columns["sequences"], columns["values"], columns["qualities"].astype(np.int8)
        )
        for number, columns in fetched.by_sensor()
    }


def _matching(
    readings: Readings, before_ms: int, at_most: float | None, at_least: float | None
) -> npt.NDArray[np.int64]:
    wanted = (readings.times_ms < before_ms) & (readings.qualities != _BAD)
    if at_most is not None:
        wanted &= readings.values <= at_most
    if at_least is not None:
        wanted &= readings.values >= at_least
    times_ms: npt.NDArray[np.int64] = readings.times_ms[wanted]
    return times_ms
