"""The ways in which readings are kept: the port promises the same of all of them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import numpy as np

from cloud_api.telemetry.stores.pieces import DAY_MS
from cloud_api.telemetry.stores.port import Readings, ReadingStore
from cloud_api.telemetry.stores.sealing import seal_day
from cloud_api.telemetry.stores.sql import SqlStore
from tests.factories.streams import Stream, cut

Keep = Callable[[ReadingStore, Stream, Readings], Awaitable[None]]


@dataclass(frozen=True)
class Kept:
    """A store, and how readings come into it."""

    name: str
    store: ReadingStore
    how: Keep

    async def keep(self, stream: Stream, readings: Readings) -> None:
        """Add them."""
        await self.how(self.store, stream, readings)


async def seal_all(stream: Stream) -> None:
    """Seal every day that has rows."""
    times_ms = (await stream.read(SqlStore())).times_ms
    for begins_ms in np.unique(times_ms // DAY_MS * DAY_MS).tolist():
        async with stream.database.unit_of_work(stream.scope) as db:
            await seal_day(db, stream.number, begins_ms)


async def as_they_come(store: ReadingStore, stream: Stream, readings: Readings) -> None:
    """Nothing else is done."""
    await stream.append(store, readings)


async def twice(store: ReadingStore, stream: Stream, readings: Readings) -> None:
    """A commit was never heard of, and the same is sent again."""
    for _ in range(2):
        await stream.append(store, readings)


async def _sealed(store: ReadingStore, stream: Stream, readings: Readings) -> None:
    await stream.append(store, readings)
    await seal_all(stream)


async def _every_second_late(store: ReadingStore, stream: Stream, readings: Readings) -> None:
    """Half of them came when their day was sealed; some of these are sealed since."""
    late = slice(1, None, 2)
    await _sealed(store, stream, cut(readings, slice(None, None, 2)))
    half = len(readings.times_ms[late]) // 2
    await _sealed(store, stream, cut(cut(readings, late), slice(0, half)))
    await stream.append(store, cut(cut(readings, late), slice(half, None)))


SQL: tuple[tuple[str, Keep], ...] = (("rows", as_they_come), ("sealed", _sealed), ("mixed", _every_second_late))
