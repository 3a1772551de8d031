"""A file that the disk has spoilt: the gateway goes on with a new one, what can be read follows, the rest is told."""

import asyncio
import contextlib
import random
import sqlite3
from collections.abc import Awaitable
from pathlib import Path

import pytest

from gateway.contract import Gap, Reading
from gateway.spool.outgoing import Outgoing
from gateway.spool.salvage import salvage_spoilt, spoilt_files
from gateway.spool.store import FILE_NAME, PAGE_BYTES
from gateway.spool.writer import Spool
from tests.gateway.running import (
    NOW_MS,
    in_background,
    measurement,
    put,
    rows_of,
    running_spool,
    tag_read,
)
from tests.services.waiting import until

ROWS = 6000


async def fill(spool: Spool, first: int = 1, count: int = ROWS) -> None:
    for start in range(first, first + count, 20):
        numbers = range(start, start + 20)
        await put(
            spool,
            *(measurement(float(number), sensor=f"z2m:{number % 7}", at_ms=NOW_MS + number) for number in numbers),
        )


def spoil(path: Path, *pages: int) -> None:
    """Overwrite pages, as a dying memory card does."""
    with path.open("r+b") as file:
        for page in pages:
            file.seek(page * PAGE_BYTES)
            file.write(random.Random(page).randbytes(PAGE_BYTES))


def checkpoint(spool: Spool) -> Awaitable[object]:
    """All that was written into the file itself; the log is empty."""
    return asyncio.get_running_loop().run_in_executor(
        spool._thread, spool._store.connection.execute, "PRAGMA wal_checkpoint(TRUNCATE)"
    )


async def send_all(spool: Spool) -> list[Outgoing]:
    """What a cloud is sent that settles everything; lanes in the order of the couriers."""
    sent: list[Outgoing] = []
    for lane in ("alarms", "tags", "readings", "backlog", "gaps"):
        while (batch := await spool.next_batch(lane, 700)) is not None:
            sent.append(batch)
            await spool.acknowledge(batch, batch.last, {})
    return sent


def accounted_for(sent: list[Outgoing], epoch: str) -> tuple[dict[int, float], set[int]]:
    """Of an epoch's readings: those that came, and those that a gap names."""
    came: dict[int, float] = {}
    missing: set[int] = set()
    for batch in sent:
        for row in rows_of(batch):
            if isinstance(row, Reading) and batch.epoch == epoch:
                assert row.sequence not in came, "a row is sent once"
                came[row.sequence] = row.value
            if isinstance(row, Gap) and row.epoch == epoch and row.lane == "readings":
                missing |= set(range(row.first, row.last + 1 if row.rows else ROWS + 1))
    return came, missing


async def until_salvaged(spool: Spool, folder: Path) -> None:
    async with in_background(salvage_spoilt(spool)):
        await until(lambda: not spoilt_files(folder), what="the file is salvaged")


@pytest.mark.parametrize("seed", range(4))
async def test_a_file_spoilt_while_the_gateway_was_off_costs_only_what_cannot_be_read(
    tmp_path: Path, seed: int
) -> None:
    async with running_spool(tmp_path) as spool:
        old = spool.epoch
        await fill(spool)
        await put(spool, tag_read(1))
    path = tmp_path / FILE_NAME
    pages = path.stat().st_size // PAGE_BYTES
    spoil(path, *random.Random(seed).sample(range(16, pages), 4))
    async with running_spool(tmp_path) as spool:
        await put(spool, measurement(-1.0))
        sent = await send_whatever_happens(spool, tmp_path)
        came, missing = accounted_for(sent, old)
        assert set(came) | missing >= set(range(1, ROWS + 1))
        assert all(value == float(sequence) for sequence, value in came.items())
        assert len(came) > ROWS * 0.8
        new = [row.value for batch in sent for row in rows_of(batch) if isinstance(row, Reading) and row.value < 0]
        assert new == [-1.0]


async def send_whatever_happens(spool: Spool, folder: Path) -> list[Outgoing]:
    """As the couriers: what fails is tried again. The spool finds out by itself that its file is spoilt."""
    sent: list[Outgoing] = []
    for _ in range(10):
        try:
            sent += await send_all(spool)
        except sqlite3.Error:
            with contextlib.suppress(sqlite3.Error):
                await spool.submit(lambda _: None)
        else:
            if not spoilt_files(folder):
                break
            await until_salvaged(spool, folder)
    return sent


async def test_a_first_page_that_is_rubbish_costs_nothing(tmp_path: Path) -> None:
    async with running_spool(tmp_path) as spool:
        old = spool.epoch
        await fill(spool)
    spoil(tmp_path / FILE_NAME, 0)
    async with running_spool(tmp_path) as spool:
        await put(spool, measurement(-1.0))
        came, missing = accounted_for(await send_whatever_happens(spool, tmp_path), old)
        assert (set(came), missing) == (set(range(1, ROWS + 1)), set())


async def test_a_table_of_series_that_is_rubbish_is_read_from_its_index(tmp_path: Path) -> None:
    async with running_spool(tmp_path) as spool:
        old = spool.epoch
        await fill(spool)
        await checkpoint(spool)
        find = "SELECT rootpage FROM sqlite_schema WHERE name = 'series'"
        (root,) = await spool.submit(lambda store: store.connection.execute(find).fetchone())
    spoil(tmp_path / FILE_NAME, root - 1)
    async with running_spool(tmp_path) as spool:
        await put(spool, measurement(-1.0))
        came, missing = accounted_for(await send_whatever_happens(spool, tmp_path), old)
        assert (set(came), missing) == (set(range(1, ROWS + 1)), set())


async def test_a_file_spoilt_under_the_running_gateway_refuses_one_group_and_goes_on(tmp_path: Path) -> None:
    async with running_spool(tmp_path) as spool:
        old = spool.epoch
        await fill(spool)
        await checkpoint(spool)
        size = (tmp_path / FILE_NAME).stat().st_size // PAGE_BYTES
        spoil(tmp_path / FILE_NAME, *range(20, size, 9))
        sent = await send_whatever_happens(spool, tmp_path)
        assert spool.counters.salvages <= 1
        await put(spool, measurement(-1.0))
        sent += await send_all(spool)
        came, missing = accounted_for(sent, old)
        assert set(came) | missing >= set(range(1, ROWS + 1))
        assert all(value == float(sequence) for sequence, value in came.items() if value > 0)


async def test_what_the_cloud_had_settled_stays_settled_and_the_lanes_stay_apart(tmp_path: Path) -> None:
    """Rows of the backlog are not mistaken for live ones, whose cursor is ahead of them: they would be lost."""
    async with running_spool(tmp_path) as spool:
        old = spool.epoch
        await fill(spool, 1, 1000)
        await spool.split()
        await fill(spool, 1001, 1000)
        live = await spool.next_batch("readings", 500)
        assert live is not None
        await spool.acknowledge(live, live.last, {})
    spoil(tmp_path / FILE_NAME, 0)
    async with running_spool(tmp_path) as spool:
        await until_salvaged(spool, tmp_path)
        await salvage_lanes(spool, old)


async def salvage_lanes(spool: Spool, old: str) -> None:
    sent = await send_all(spool)
    lanes: dict[str, list[int]] = {}
    for batch in sent:
        if batch.epoch == old:
            lanes.setdefault(batch.lane, []).extend(row.sequence for row in rows_of(batch))
    for lane, sequences in lanes.items():
        assert sequences == sorted(sequences), lane
    assert all(sequence <= 1000 for sequence in lanes.get("backlog", []))
    assert all(sequence > 1000 for sequence in lanes.get("readings", []))
