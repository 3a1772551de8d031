"""Parts of a gateway, started and stopped around a block."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from gateway.contract import LimitConfig, TagRead, Weighing
from gateway.decoders.decoded import Measurement
from gateway.spool import Spool, open_spool

ROOT = Path(__file__).parents[2]
#: 2026-01-15T10:12:30Z
NOW_MS = 1_768_471_950_000


@asynccontextmanager
async def in_background(work: Coroutine[object, object, None]) -> AsyncIterator["asyncio.Task[None]"]:
    """Run a loop for the length of the block; what it raises, the block raises."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def running_spool(folder: Path, *, max_mb: int = 64) -> AsyncIterator[Spool]:
    spool = open_spool(folder, max_mb=max_mb)
    try:
        async with in_background(spool.run()):
            yield spool
    finally:
        spool.close()


def measurement(value: float = 4.0, *, sensor: str = "z2m:room", at_ms: int = NOW_MS) -> Measurement:
    return Measurement(sensor, "temperature", value, "Cel", at_ms)


def tag_read(number: int = 1, *, at_ms: int = NOW_MS) -> TagRead:
    return TagRead(0, "zebra:gate", f"{number:024X}", at_ms, antenna=2, rssi_dbm=-51.5, reads=3, time_source="device")


def weighing(weight_kg: float | None = 12.345, *, at_ms: int = NOW_MS) -> Weighing:
    if weight_kg is None:
        return Weighing(0, "scale:dock", None, "overload", "kg", at_ms, "net", quality="bad")
    return Weighing(0, "scale:dock", weight_kg, "stable", "g", at_ms, "net")


def high_limit(
    *, set_at: float = 8.0, clear_at: float = 7.0, duration_s: float = 0.0, offset: float = 0.0
) -> LimitConfig:
    return LimitConfig("limit-1", "z2m:room", "temperature", "high", set_at, clear_at, duration_s, offset)
