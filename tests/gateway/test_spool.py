"""The queue on disk: what was committed is there after anything, once, in order, until the cloud has settled it."""

import asyncio
import sqlite3
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.contract import Gap, Lane
from gateway.errors import SpoolError
from gateway.spool.store import FILE_NAME, Store
from gateway.spool.writer import Spool, open_spool
from tests.gateway.running import (
    NOW_MS,
    drain,
    in_background,
    measurement,
    put,
    rows_of,
    running_spool,
    tag_read,
    weighing,
)


async def values(spool: Spool, lane: Lane = "readings", limit: int = 1000) -> list[float]:
    rows = rows_of(await spool.next_batch(lane, limit))
    return [row.value for row in rows]  # type: ignore[union-attr]


async def test_rows_come_back_as_they_were(spool: Spool) -> None:
    await put(spool, measurement(4.25), tag_read(7), weighing(1.5), weighing(None))
    (reading,) = rows_of(await spool.next_batch("readings", 10))
    assert (reading.sequence, reading.value, reading.recorded_at_ms) == (1, 4.25, NOW_MS)  # type: ignore[union-attr]
    assert [row.epc for row in rows_of(await spool.next_batch("tags", 10))] == [tag_read(7).epc]  # type: ignore[union-attr]
    assert [row.weight_kg for row in rows_of(await spool.next_batch("weights", 10))] == [1.5, None]  # type: ignore[union-attr]


async def test_rows_are_there_after_a_restart_with_their_epoch_and_sequences(tmp_path: Path) -> None:
    async with running_spool(tmp_path) as spool:
        epoch = spool.epoch
        await put(spool, measurement(1.0), measurement(2.0))
    async with running_spool(tmp_path) as spool:
        await put(spool, measurement(3.0))
        assert spool.epoch == epoch
        assert spool.waiting("readings") == 3
        batch = await spool.next_batch("readings", 10)
        assert batch is not None
        assert (batch.first, batch.last, batch.rows) == (1, 3, 3)
        assert await values(spool) == [1.0, 2.0, 3.0]


async def test_a_sequence_is_never_used_twice_also_when_all_is_settled(tmp_path: Path) -> None:
    async with running_spool(tmp_path) as spool:
        await put(spool, measurement(1.0), measurement(2.0))
        await drain(spool, "readings")
    async with running_spool(tmp_path) as spool:
        await put(spool, measurement(3.0))
        batch = await spool.next_batch("readings", 10)
        assert batch is not None
        assert batch.first == 3


async def test_a_batch_may_end_and_begin_within_a_block(spool: Spool) -> None:
    await put(spool, *(measurement(float(number)) for number in range(10)))
    batch = await spool.next_batch("readings", 4)
    assert batch is not None
    assert (batch.first, batch.last) == (1, 4)
    await spool.acknowledge(batch, 2, {})
    assert spool.waiting("readings") == 8
    assert await values(spool) == [float(number) for number in range(2, 10)]


async def test_a_refused_row_becomes_a_dead_letter_that_says_why(spool: Spool) -> None:
    await put(spool, measurement(1.0), measurement(2.0))
    batch = await spool.next_batch("readings", 10)
    assert batch is not None
    await spool.acknowledge(batch, 2, {2: "out_of_range value: no"})
    found = await spool.submit(lambda store: store.connection.execute("SELECT * FROM dead_letters").fetchall())
    ((_, source, topic, payload, _, reason),) = found
    assert (source, topic, reason) == ("cloud", "readings", "out_of_range value: no")
    assert b'"value":2.0' in payload


async def test_what_waits_moves_to_the_backlog_and_live_rows_overtake_it(spool: Spool) -> None:
    await put(spool, *(measurement(float(number)) for number in range(5)))
    first = await spool.next_batch("readings", 2)
    assert first is not None
    await spool.acknowledge(first, 2, {})
    await spool.split()
    await put(spool, measurement(99.0))
    assert (spool.waiting("backlog"), spool.waiting("readings")) == (3, 1)
    assert await values(spool, "readings") == [99.0]
    old = await spool.next_batch("backlog", 10)
    assert old is not None
    assert (old.first, old.last) == (3, 5)
    assert await values(spool, "backlog") == [2.0, 3.0, 4.0]


async def test_a_second_split_joins_the_backlog_that_still_waits(tmp_path: Path) -> None:
    async with running_spool(tmp_path) as spool:
        await put(spool, measurement(1.0), measurement(2.0))
        await spool.split()
        await put(spool, measurement(3.0), measurement(4.0), measurement(5.0))
        live = await spool.next_batch("readings", 1)
        assert live is not None
        await spool.acknowledge(live, live.last, {})
        await spool.split()
        await put(spool, measurement(6.0))
    async with running_spool(tmp_path) as spool:
        assert (spool.waiting("backlog"), spool.waiting("readings")) == (4, 1)
        assert await values(spool, "backlog") == [1.0, 2.0, 4.0, 5.0]
        assert [row.sequence for row in await drain(spool, "backlog", at_once=3)] == [1, 2, 4, 5]
        assert await values(spool, "readings") == [6.0]


async def test_a_group_is_told_after_its_commit_and_in_order(spool: Spool) -> None:
    told: list[int] = []
    for number in range(5):
        spool.group.settled.append(lambda error, number=number: told.append(number))  # type: ignore[misc]
        spool.group.messages += 1
        spool.wake(is_urgent=False)
        if number == 2:
            await spool.submit(lambda _: None)
            assert told == [0, 1, 2]
    await spool.submit(lambda _: None)
    assert told == [0, 1, 2, 3, 4]


async def test_a_job_that_fails_harms_nobody_else(spool: Spool) -> None:
    def fail(store: Store) -> None:
        store.connection.execute("INSERT INTO nowhere VALUES (1)")

    good = spool.submit(lambda store: store.save_meta("colour", "blue"))
    bad = spool.submit(fail)
    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        await bad
    await good
    assert await spool.submit(lambda store: store.meta("colour")) == "blue"


async def test_small_groups_are_rationed_and_urgent_ones_are_not(tmp_path: Path) -> None:
    spool = open_spool(tmp_path, max_mb=64, linger_s=3600.0)
    try:
        async with in_background(spool.run()):
            spool._tokens = 0.0
            settled = asyncio.Event()
            spool.group.settled.append(lambda error: settled.set())
            spool.group.messages += 1
            spool.wake(is_urgent=False)
            await asyncio.sleep(0.05)
            assert not settled.is_set()  # it waits for company: an hour, if need be
            spool.wake(is_urgent=True)
            await settled.wait()
            settled.clear()
            spool._tokens = 0.0
            spool.group.settled.append(lambda error: settled.set())
            spool.group.messages += 8
            spool.wake(is_urgent=False)
            await settled.wait()
    finally:
        spool.close()


async def test_one_data_folder_of_another_version_is_named_with_the_remedy(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / FILE_NAME)
    connection.executescript("CREATE TABLE readings (sequence INTEGER); PRAGMA user_version = 2")
    connection.close()
    with pytest.raises(SpoolError, match="another version of the gateway: let that version send"):
        open_spool(tmp_path, max_mb=64)


async def test_a_spoilt_block_becomes_a_gap_and_the_others_go_on(spool: Spool) -> None:
    for number in range(3):
        await put(spool, measurement(float(number)), measurement(float(number)))
    await spool.submit(
        lambda store: store.connection.execute("UPDATE readings SET body = x'00112233445566' WHERE first = 3")
    )
    assert await values(spool) == [0.0, 0.0, 2.0, 2.0]
    (gap,) = await drain(spool, "gaps")
    assert isinstance(gap, Gap)
    assert (gap.lane, gap.first, gap.last, gap.rows, gap.reason) == ("readings", 3, 4, 2, "unreadable")


class Model:
    """What the spool must be: lists."""

    def __init__(self) -> None:
        self.readings: list[float] = []
        self.backlog: list[float] = []
        self.given = 0


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.integers(1, 7)),
        st.tuples(st.just("settle"), st.sampled_from(["readings", "backlog"]), st.integers(1, 5), st.integers(0, 5)),
        st.tuples(st.just("split")),
        st.tuples(st.just("restart"), st.booleans()),
    ),
    max_size=25,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_whatever_happens_each_row_waits_once_and_in_order(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[object, ...]]
) -> None:
    asyncio.run(_play(tmp_path_factory.mktemp("spool"), steps))


async def _play(folder: Path, steps: list[tuple[object, ...]]) -> None:
    model = Model()
    spool = open_spool(folder, max_mb=64)
    task = asyncio.create_task(spool.run())

    async def stop() -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    for step in steps:
        match step:
            case ("put", int(count)):
                new = [float(model.given + number) for number in range(1, count + 1)]
                model.given += count
                model.readings += new
                await put(spool, *(measurement(value) for value in new))
            case ("settle", ("readings" | "backlog") as lane, int(limit), int(settled)):
                waiting = model.readings if lane == "readings" else model.backlog
                batch = await spool.next_batch(lane, limit)
                assert [row.value for row in rows_of(batch)] == waiting[:limit]  # type: ignore[union-attr]
                if batch is not None and settled:
                    settled = min(settled, batch.rows)
                    await spool.acknowledge(batch, batch.sequence_of(settled - 1), {})
                    del waiting[:settled]
            case ("split",):
                await spool.split()
                model.backlog += model.readings
                model.readings = []
            case ("restart", bool(in_good_order)):
                if in_good_order:
                    await stop()
                    spool.close()
                else:  # what was settled and is not forgotten yet would be sent again: let it be forgotten first
                    await spool.submit(lambda _: None)
                    await stop()
                    spool._reader.connection.close()
                    spool._store.connection.close()
                spool = open_spool(folder, max_mb=64)
                task = asyncio.create_task(spool.run())
        assert spool.waiting("readings") == len(model.readings)
        assert spool.waiting("backlog") == len(model.backlog)
    ends: tuple[tuple[Lane, list[float]], ...] = (("backlog", model.backlog), ("readings", model.readings))
    for end, expected in ends:
        found = await drain(spool, end, at_once=3)
        assert [row.value for row in found] == expected  # type: ignore[union-attr]
        assert [row.sequence for row in found] == [int(value) for value in expected]
    await stop()
    spool.close()
