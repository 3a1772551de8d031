"""A disk that runs out: old readings shrink to summaries, every sequence is accounted for, alarms are never touched."""

import asyncio
import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest

from gateway.contract import MAX_ROWS, Gap, Lane, Reading, Summary
from gateway.spool.retention import BALLAST_NAME
from gateway.spool.store import FILE_NAME
from gateway.spool.writer import Spool
from tests.gateway.running import NOW_MS, drain, measurement, put, running_spool, tag_read, weighing

MINUTE_MS = 60_000


async def fill(spool: Spool, rows: int, *, first: int = 0, at_once: int = 500) -> None:
    """A reading a minute of each of five sensors; the value is the row's number."""
    for start in range(first, first + rows, at_once):
        numbers = range(start, min(start + at_once, first + rows))
        await put(
            spool,
            *(
                measurement(float(number), sensor=f"z2m:room-{number % 5}", at_ms=NOW_MS + number // 5 * MINUTE_MS)
                for number in numbers
            ),
        )


async def thin(spool: Spool) -> bool:
    """As the spool does by itself when its quota is nearly used up."""
    return await asyncio.get_running_loop().run_in_executor(spool._thread, spool._thin)


async def everything(spool: Spool) -> tuple[list[Reading], list[Summary], list[Gap]]:
    await spool.submit(lambda _: None)
    lanes: Sequence[Lane] = ("backlog", "readings")
    readings = [row for lane in lanes for row in await drain(spool, lane) if isinstance(row, Reading)]
    summaries = [row for row in await drain(spool, "summaries") if isinstance(row, Summary)]
    gaps = [row for row in await drain(spool, "gaps") if isinstance(row, Gap)]
    return readings, summaries, gaps


async def test_each_reading_arrives_as_itself_or_within_a_summary_and_a_gap_names_it(spool: Spool) -> None:
    await fill(spool, 20_000)
    assert await thin(spool)
    waiting = spool.waiting("readings")
    readings, summaries, gaps = await everything(spool)
    assert waiting == len(readings)
    assert len(readings) + sum(summary.count for summary in summaries) == 20_000
    assert len(summaries) < 3000
    sequences = {row.sequence for row in readings}
    for gap in gaps:
        assert (gap.lane, gap.reason, gap.epoch) == ("readings", "thinned", spool.epoch)
        sequences |= set(range(gap.first, gap.last + 1))
    assert sequences == set(range(1, 20_001))
    assert sum(gap.rows for gap in gaps) == sum(summary.count for summary in summaries)


async def test_a_summary_holds_the_least_the_greatest_and_the_mean_of_its_window(spool: Spool) -> None:
    await fill(spool, 20_000)
    await thin(spool)
    readings, summaries, _ = await everything(spool)
    kept = {int(row.value) for row in readings}
    summary = next(row for row in summaries if row.sensor == "z2m:room-3" and row.count == 15)
    inside = [
        number
        for number in range(3, 20_000, 5)
        if number not in kept and summary.from_ms <= NOW_MS + number // 5 * MINUTE_MS <= summary.to_ms
    ]
    assert (summary.count, summary.minimum, summary.maximum) == (len(inside), min(inside), max(inside))
    assert summary.mean == pytest.approx(sum(inside) / len(inside))


async def test_what_may_be_on_its_way_is_not_thinned(spool: Spool) -> None:
    await fill(spool, 20_000)
    on_its_way = await spool.next_batch("readings", MAX_ROWS)
    assert on_its_way is not None
    await thin(spool)
    again = await spool.next_batch("readings", MAX_ROWS)
    assert again is not None
    assert (again.columns, again.last) == (on_its_way.columns, on_its_way.last)


async def test_summaries_go_when_nothing_else_is_left_and_alarms_tags_and_weights_never(spool: Spool) -> None:
    await put(spool, tag_read(1), weighing())
    await fill(spool, 60_000)
    rounds = 0
    while await thin(spool):
        rounds += 1
        assert rounds < 50
    _, summaries, gaps = await everything(spool)
    reasons = {(gap.lane, gap.reason) for gap in gaps}
    assert reasons == {("readings", "thinned"), ("summaries", "dropped")}
    given = {row.sequence for row in summaries}
    for gap in gaps:
        if gap.lane == "summaries":
            given |= set(range(gap.first, gap.last + 1))
    assert given == set(range(1, max(given) + 1))
    assert (len(await drain(spool, "tags")), len(await drain(spool, "weights"))) == (1, 1)


async def test_a_quota_that_is_used_up_stops_nobody(tmp_path: Path) -> None:
    """Much more is written than fits; all of it is taken, and all of it is accounted for."""
    async with running_spool(tmp_path, max_mb=4) as spool:
        rows = 400_000
        await fill(spool, rows, at_once=5000)
        assert (tmp_path / FILE_NAME).stat().st_size <= 4 << 20
        readings, summaries, gaps = await everything(spool)
        assert spool.counters.failures == 0
        dropped = {number for gap in gaps if gap.lane == "summaries" for number in range(gap.first, gap.last + 1)}
        assert len(dropped) + len(summaries) == spool.last_sequence("summaries")
        thinned = sum(gap.rows for gap in gaps if gap.lane == "readings")
        assert len(readings) + thinned == rows


async def test_a_disk_that_others_have_filled_takes_readings_again_by_itself(small_disk: Path) -> None:
    """Nothing is told as committed that is not; with the ballast given up and old readings thinned, it goes on."""
    filler = small_disk / "filler"
    async with running_spool(small_disk / "data", max_mb=64) as spool:
        await fill(spool, 100_000, at_once=5000)
        spool.room.restore()
        assert (small_disk / "data" / BALLAST_NAME).exists()
        with filler.open("wb") as file:
            try:
                while True:
                    file.write(os.urandom(1 << 16))
                    file.flush()
            except OSError:
                pass
        taken = 100_000
        for _ in range(40):
            try:
                await fill(spool, 5000, first=taken, at_once=5000)
            except sqlite3.Error:
                break
            taken += 5000
        assert taken >= 200_000
        assert not (small_disk / "data" / BALLAST_NAME).exists()
        filler.unlink()
        await fill(spool, 5000, first=taken, at_once=5000)
        readings, _, gaps = await everything(spool)
        assert len(readings) + sum(gap.rows for gap in gaps if gap.lane == "readings") == taken + 5000
        check = await spool.submit(lambda store: store.connection.execute("PRAGMA integrity_check").fetchone())
        assert check == ("ok",)
