"""Parts of a gateway, started and stopped around a block."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from gateway.contract import AlarmEvent, Lane, LimitConfig, TagRead, Weighing
from gateway.decoders.decoded import Measurement
from gateway.spool.blocks import QUALITY_FLAGS, SOURCE_FLAGS
from gateway.spool.outgoing import Outgoing, Row
from gateway.spool.writer import Spool, open_spool
from gateway.timeline import Timeline

ROOT = Path(__file__).parents[2]
#: 2026-01-15T10:12:30Z
NOW_MS = 1_768_471_950_000


class HandClock:
    """A clock that is set by hand; the monotonic side and the wall's go together until the wall is moved."""

    def __init__(self, at_ms: int = NOW_MS, *, up_s: float = 1000.0) -> None:
        self.at_ms = at_ms
        self.up_s = up_s

    def wall_ms(self) -> int:
        return self.at_ms

    def monotonic_s(self) -> float:
        return self.up_s

    def pass_by(self, seconds: float) -> None:
        """Let time go on."""
        self.at_ms += round(seconds * 1000)
        self.up_s += seconds


def timeline_of(spool: Spool, clock: HandClock, *, is_trusted: bool = True) -> Timeline:
    """As the gateway makes it."""
    last = spool.anchors[max(spool.anchors)] if spool.anchors else None
    timeline = Timeline(clock, last, spool.newest_ms(), boot_id="boot-1", is_synchronised=lambda: is_trusted)
    spool.keep_anchor(timeline.anchor)
    timeline.on_anchor = spool.keep_anchor
    return timeline


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
async def running_spool(folder: Path, *, max_mb: int = 64, max_dead_letters: int = 1000) -> AsyncIterator[Spool]:
    spool = open_spool(folder, max_mb=max_mb, max_dead_letters=max_dead_letters)
    try:
        async with in_background(spool.run()):
            yield spool
    finally:
        spool.close()


async def put(spool: Spool, *rows: Measurement | AlarmEvent | TagRead | Weighing) -> None:
    """Write rows, all with one commit, and wait for it."""
    group = spool.group
    numbers = {key: number for number, key in enumerate(spool.series)}
    for row in rows:
        match row:
            case Measurement():
                key = (row.sensor, row.quantity, row.unit)
                if key not in numbers:
                    numbers[key] = spool.number_of(key)
                group.readings.series.append(numbers[key])
                group.readings.times_ms.append(row.recorded_at_ms)
                group.readings.values.append(row.value)
                group.readings.flags.append(QUALITY_FLAGS[row.quality] + SOURCE_FLAGS[row.time_source])
            case AlarmEvent():
                group.events.setdefault("alarms", []).append(row)
            case TagRead():
                group.events.setdefault("tags", []).append(row)
            case Weighing():
                group.events.setdefault("weights", []).append(row)
    await spool.submit(lambda _: None)


def rows_of(batch: Outgoing | None) -> list[Row]:
    """A batch row by row."""
    return [] if batch is None else [batch.row(number) for number in range(batch.rows)]


async def drain(spool: Spool, lane: Lane, *, at_once: int = 500) -> list[Row]:
    """Take all that waits in a lane, as a cloud would that settles everything."""
    rows: list[Row] = []
    while (batch := await spool.next_batch(lane, at_once)) is not None:
        rows += rows_of(batch)
        await spool.acknowledge(batch, batch.last, {})
    return rows


def measurement(value: float = 4.0, *, sensor: str = "z2m:room", at_ms: int = NOW_MS) -> Measurement:
    return Measurement(sensor, "temperature", value, "Cel", at_ms)


def tag_read(number: int = 1, *, at_ms: int = NOW_MS) -> TagRead:
    return TagRead(0, "zebra:gate", f"{number:024X}", at_ms, antenna=2, rssi_dbm=-51.5, reads=3, time_source="device")


def weighing(weight_kg: float | None = 12.345, *, at_ms: int = NOW_MS) -> Weighing:
    if weight_kg is None:
        return Weighing(0, "scale:dock", None, "overload", "kg", at_ms, "net", quality="bad")
    return Weighing(0, "scale:dock", weight_kg, "stable", "g", at_ms, "net")


def high_limit(
    *, set_at: float = 8.0, clear_at: float = 7.0, duration_s: float = 0.0, offset: float = 0.0, gain: float = 1.0
) -> LimitConfig:
    bounds = (set_at, clear_at, duration_s)
    return LimitConfig("limit-1", "z2m:room", "temperature", "high", *bounds, offset, gain=gain)
