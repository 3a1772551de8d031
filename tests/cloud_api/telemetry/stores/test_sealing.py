"""Sealing moves readings, and loses, doubles and shows none of them to others: whoever dies or comes by meanwhile."""

import asyncio
import os
import signal
import sys
from datetime import timedelta

import asyncpg
import numpy as np
import pytest
from sqlalchemy import func, make_url, select

from cloud_api.kernel import clock
from cloud_api.kernel.db import Database
from cloud_api.kernel.tenancy import ORGANIZATION_SETTING, SYSTEM_SETTING, OrganizationScope
from cloud_api.telemetry.models import ReadingChunk, SensorReading
from cloud_api.telemetry.stores.packing import Spoilt
from cloud_api.telemetry.stores.pieces import DAY_MS
from cloud_api.telemetry.stores.port import Readings
from cloud_api.telemetry.stores.sealing import ReadingSealer, seal_day
from cloud_api.telemetry.stores.sql import SqlStore
from tests.cloud_api.kernel.rows import add_organization
from tests.cloud_api.telemetry.stores.kept import seal_all
from tests.factories.streams import Stream, cut, make_stream, readings_of, rows_of
from tests.services.processes import running
from tests.services.waiting import until

BEGIN_MS = 20_000 * DAY_MS
STORE = SqlStore()


def some_days(days: int, *, every_ms: int = 600_000) -> Readings:
    """From the first midnight on."""
    times_ms = range(BEGIN_MS, BEGIN_MS + days * DAY_MS, every_ms)
    return readings_of(times_ms, [round(4 + index % 7 / 10, 1) for index in range(len(times_ms))])


async def contents(stream: Stream) -> tuple[int, int, int]:
    """(rows, sealed days, readings in them)."""
    async with stream.database.unit_of_work(stream.scope, read_only=True) as db:
        rows = select(func.count()).select_from(SensorReading).where(SensorReading.series == stream.number)
        days = select(func.count(ReadingChunk.begins_ms), func.coalesce(func.sum(ReadingChunk.count), 0))
        sealed, within = (await db.execute(days.where(ReadingChunk.series == stream.number))).one()
        return await db.scalar(rows) or 0, sealed, within


@pytest.fixture
async def stream(database: Database) -> Stream:
    """A sensor of an organisation, in a database that nobody else uses."""
    return await make_stream(database, await add_organization(database))


async def test_days_are_sealed_when_they_ended_long_enough_ago(stream: Stream) -> None:
    whole = some_days(5)
    await stream.append(STORE, whole)
    clock.use(lambda: clock.from_ms(BEGIN_MS + 5 * DAY_MS - 1))  # still in the fifth day
    sealer = ReadingSealer(stream.database, after_days=2)
    assert [await sealer.seal_due() for _ in range(4)] == [144, 144, 0, 0]
    assert await contents(stream) == (3 * 144, 2, 2 * 144)
    assert rows_of(await stream.read(STORE)) == rows_of(whole)


async def test_what_comes_late_is_a_row_until_its_day_is_sealed_again(stream: Stream) -> None:
    whole = some_days(2)
    late = slice(10, 300, 29)
    timely = np.setdiff1d(np.arange(len(whole)), np.arange(len(whole))[late])
    await stream.append(STORE, Readings(*(getattr(whole, name)[timely] for name in Readings.__slots__)))
    await seal_all(stream)
    await stream.append(STORE, cut(whole, late))
    assert await contents(stream) == (10, 2, 278)
    clock.use(lambda: clock.from_ms(BEGIN_MS + 9 * DAY_MS))
    sealer = ReadingSealer(stream.database, after_days=7)
    while await sealer.seal_due():
        pass
    assert await contents(stream) == (0, 2, 288)
    assert rows_of(await stream.read(STORE)) == rows_of(whole)


async def test_a_day_that_cannot_be_read_is_left_alone_and_the_others_are_sealed(stream: Stream) -> None:
    other = await make_stream(stream.database, stream.scope)
    await stream.append(STORE, some_days(1))
    await seal_all(stream)
    async with stream.database.unit_of_work(stream.scope) as db:
        chunk = (await db.scalars(select(ReadingChunk))).one()
        chunk.payload = chunk.payload[:-1] + bytes([chunk.payload[-1] ^ 1])
    late = readings_of([BEGIN_MS + 7], [4.0], first_sequence=1000)
    await stream.append(STORE, late)
    await other.append(STORE, some_days(1))
    with pytest.raises(Spoilt):
        async with stream.database.unit_of_work(stream.scope) as db:
            await seal_day(db, stream.number, BEGIN_MS)
    assert await contents(stream) == (1, 1, 144)
    assert await ReadingSealer(stream.database, after_days=7).seal_due() == 144
    assert await contents(other) == (0, 1, 144)


async def test_who_reads_while_days_are_sealed_misses_nothing_and_sees_nothing_twice(postgres_url: str) -> None:
    database = Database(postgres_url)
    stream = await make_stream(database, await add_organization(database))
    whole = some_days(12, every_ms=1_800_000)
    expected = rows_of(whole)
    await stream.append(STORE, whole)
    sealing = asyncio.create_task(seal_all(stream))
    looks = 0
    while not sealing.done():
        assert rows_of(await stream.read(STORE)) == expected
        looks += 1
    await sealing
    assert looks > 3
    assert (await contents(stream))[0] == 0
    await database.close()


async def test_readings_that_arrive_during_sealing_are_neither_lost_nor_held_up(postgres_url: str) -> None:
    database = Database(postgres_url)
    stream = await make_stream(database, await add_organization(database))
    await stream.append(STORE, some_days(1))
    late = readings_of([BEGIN_MS + 1], [4.5], first_sequence=2000)
    async with database.unit_of_work(stream.scope) as db:
        await seal_day(db, stream.number, BEGIN_MS)
        # not committed yet, and the same day of the same series takes another reading
        await asyncio.wait_for(stream.append(STORE, late), 5)
    assert await contents(stream) == (1, 1, 144)
    assert len(await stream.read(STORE)) == 145
    await database.close()


async def test_two_workers_seal_the_same_days_once(postgres_url: str) -> None:
    database = Database(postgres_url)
    stream = await make_stream(database, await add_organization(database))
    whole = some_days(6)
    await stream.append(STORE, whole)

    async def work() -> int:
        sealer, sealed = ReadingSealer(database, after_days=1, rest=0), 0
        while (await contents(stream))[0]:
            sealed += await sealer.seal_due()
        return sealed

    assert sum(await asyncio.gather(work(), work(), work())) == len(whole)
    assert rows_of(await stream.read(STORE)) == rows_of(whole)
    await database.close()


SEAL_SLOWLY = """
import asyncio, sys, uuid
from cloud_api.kernel.db import Database
from cloud_api.kernel.tenancy import OrganizationScope
from cloud_api.telemetry.stores.sealing import seal_day

async def main(url, organization, number, begins_ms):
    database, day = Database(url), 0
    while True:
        async with database.unit_of_work(OrganizationScope(uuid.UUID(organization))) as db:
            await seal_day(db, int(number), int(begins_ms) + day * 86_400_000)
            print("sealing", day, flush=True)
            day += 1

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.parametrize("days_before", [1, 4])
async def test_a_sealer_that_is_killed_leaves_every_reading_once(stream: Stream, days_before: int) -> None:
    whole = some_days(40, every_ms=1_800_000)
    await stream.append(STORE, whole)
    url = stream.database.url.render_as_string(hide_password=False)
    told = [url, str(stream.scope.organization_id), str(stream.number), str(BEGIN_MS)]
    with running([sys.executable, "-c", SEAL_SLOWLY, *told]) as process:
        await asyncio.to_thread(process.wait_for_output, f"sealing {days_before}")
        os.kill(process.pid, signal.SIGKILL)
        await asyncio.to_thread(process.wait_for_exit)
    expected = rows_of(whole)

    async def is_whole() -> bool:  # PostgreSQL may take a moment to see that its client has died
        return rows_of(await stream.read(STORE)) == expected

    await until(is_whole, what="every reading is there once")
    rows, sealed, within = await contents(stream)
    assert rows + within == len(whole)
    assert sealed >= days_before


async def test_nobody_takes_readings_of_others_away(postgres_url: str) -> None:
    database = Database(postgres_url)
    ours, theirs = [await make_stream(database, await add_organization(database)) for _ in range(2)]
    for stream in (ours, theirs):
        await stream.append(STORE, some_days(1))
    async with database.unit_of_work(ours.scope) as db:
        assert await seal_day(db, theirs.number, BEGIN_MS) == 0
    connection = await asyncpg.connect(
        make_url(postgres_url).set(drivername="postgresql").render_as_string(hide_password=False)
    )

    async def taken(scope: OrganizationScope | None, reason: str = "") -> int:
        async with connection.transaction():
            await connection.execute(
                f"SELECT set_config('{ORGANIZATION_SETTING}', $1, true), set_config('{SYSTEM_SETTING}', $2, true)",
                "" if scope is None else str(scope.organization_id),
                reason,
            )
            numbers = [ours.number, theirs.number]
            return len(await connection.fetch("SELECT * FROM take_readings($1, 0, $2)", numbers, 1 << 60))

    try:
        assert await taken(None) == 0
        assert await taken(None, reason="seal") == 0
        assert await taken(ours.scope) == 144
        assert await taken(ours.scope) == 0
        for forbidden in ("DELETE FROM readings", "SELECT * FROM readings", "TRUNCATE reading_chunks"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(forbidden)
        # a table of the session's own does not stand in for the one that says whose series it is
        await connection.execute("CREATE TEMP TABLE sensor_series (number bigint, organization_id uuid)")
        await connection.execute("INSERT INTO sensor_series VALUES ($1, $2)", theirs.number, ours.scope.organization_id)
        assert await taken(ours.scope) == 0
    finally:
        await connection.close()
    assert len(await theirs.read(STORE)) == 144
    await database.close()


async def test_an_hour_old_reading_is_never_sealed_by_a_clock_that_is_behind(stream: Stream) -> None:
    await stream.append(STORE, some_days(1))
    clock.use(lambda: clock.from_ms(BEGIN_MS) - timedelta(days=30))
    assert await ReadingSealer(stream.database, after_days=0).seal_due() == 0
    assert await contents(stream) == (144, 0, 0)
