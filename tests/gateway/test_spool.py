import asyncio
import sqlite3
import sys
import tempfile
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from gateway import rules
from gateway.contract import AlarmEvent, GatewayConfig, Lane, Reading, TagRead, Weighing
from gateway.errors import SpoolError
from gateway.spool import FILE_NAME, LANES, MAX_IDENTITIES, Backlog, Row, Spool, Store, open_spool
from tests.gateway.running import NOW_MS, ROOT, high_limit, measurement, running_spool, tag_read, weighing

ALARM = AlarmEvent(0, "z2m:room", "temperature", "limit-1", "high", "raised", "ab" * 16, 9.0, NOW_MS, NOW_MS)


def append(store: Store, *values: float) -> None:
    store.append_readings([measurement(value) for value in values])


def numbered(events: Sequence[TagRead | Weighing]) -> list[Row]:
    return [msgspec.structs.replace(event, sequence=number) for number, event in enumerate(events, 1)]


def number_in(row: Row) -> float | None:
    """What a test put into a row to know it again."""
    match row:
        case TagRead():
            return float(int(row.epc, 16))
        case Weighing():
            return row.weight_kg
    return row.value


def read(lane: Lane, store: Store) -> list[Row]:
    return list(store.batch(lane, 1_000_000))


async def test_a_reading_comes_out_as_it_went_in(spool: Spool) -> None:
    await spool.submit(lambda store: store.append_readings([measurement(-18.42)]))
    assert await spool.submit(partial(read, "readings")) == [
        Reading(1, "z2m:room", "temperature", -18.42, "Cel", NOW_MS, "gateway", "good")
    ]


async def test_alarms_leave_before_readings(spool: Spool) -> None:
    await spool.submit(lambda store: append(store, 1, 2, 3))
    await spool.submit(lambda store: store.append_events("alarms", [ALARM]))
    limits: dict[Lane, int] = dict.fromkeys(LANES, 10) | {"readings": 2}
    assert await spool.submit(lambda store: store.next_batch(LANES, limits)) == (
        "alarms",
        [msgspec.structs.replace(ALARM, sequence=1)],
    )
    await spool.submit(lambda store: store.acknowledge("alarms", 1, {}, NOW_MS))
    lane, rows = await spool.submit(lambda store: store.next_batch(LANES, limits))
    assert (lane, [row.sequence for row in rows]) == ("readings", [1, 2])


async def test_events_come_out_as_they_went_in_also_when_they_say_the_same(spool: Spool) -> None:
    reads = [tag_read(), tag_read(), TagRead(0, "impinj:door", "AB" * 6, NOW_MS, tid="E2801160", quality="suspect")]
    weighings = [weighing(), weighing(), weighing(None)]
    await spool.submit(lambda store: store.append_events("tags", reads))
    await spool.submit(lambda store: store.append_events("weights", weighings))
    assert await spool.submit(partial(read, "tags")) == numbered(reads)
    assert await spool.submit(partial(read, "weights")) == numbered(weighings)
    assert await spool.submit(partial(Store.backlog, lane="tags")) == Backlog(3, NOW_MS)


async def test_a_spool_of_the_version_before_is_taken_over_with_its_rows(tmp_path: Path) -> None:
    async with running_spool(tmp_path) as spool:
        epoch = spool.epoch
        await spool.submit(lambda store: append(store, 1, 2))
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection:
        connection.executescript("DROP TABLE tags; DROP TABLE weights; PRAGMA user_version = 1;")
    async with running_spool(tmp_path) as spool:
        assert spool.epoch == epoch
        assert len(await spool.submit(partial(read, "readings"))) == 2
        await spool.submit(lambda store: store.append_events("tags", [tag_read()]))
        assert await spool.submit(partial(read, "tags")) == numbered([tag_read()])


async def test_sequences_are_never_used_again(tmp_path: Path) -> None:
    async with running_spool(tmp_path) as spool:
        epoch = spool.epoch
        await spool.submit(lambda store: append(store, 1, 2, 3))
        await spool.submit(lambda store: store.acknowledge("readings", 3, {}, NOW_MS))
    async with running_spool(tmp_path) as spool:
        await spool.submit(lambda store: append(store, 4))
        assert [row.sequence for row in await spool.submit(partial(read, "readings"))] == [4]
        assert spool.epoch == epoch
        assert len(bytes.fromhex(epoch)) == 16


async def test_a_refused_row_becomes_a_dead_letter(spool: Spool) -> None:
    await spool.submit(lambda store: append(store, 1, 2, 3))
    await spool.submit(lambda store: store.acknowledge("readings", 2, {1: "no such sensor", 3: "not yet"}, NOW_MS))
    letters = await spool.submit(
        lambda store: store.connection.execute("SELECT source, topic, payload, reason FROM dead_letters").fetchall()
    )
    ((source, topic, payload, reason),) = letters
    assert (source, topic, reason) == ("cloud", "readings", "no such sensor")
    assert msgspec.json.decode(payload, type=Reading).value == 1
    assert [row.sequence for row in await spool.submit(partial(read, "readings"))] == [3]


async def test_dead_letters_are_trimmed_but_counted_and_refused_readings_stay(spool: Spool) -> None:
    def fill(store: Store) -> None:
        store.add_dead_letter("cloud", "readings", b"{}", NOW_MS, "refused")
        for _ in range(20):
            store.add_dead_letter("sensor", "t", b"\xff", NOW_MS, "not JSON")
        store.trim_dead_letters(5)

    await spool.submit(fill)
    assert await spool.submit(Store.dead_letters) == 21
    kept = await spool.submit(
        lambda store: store.connection.execute("SELECT source, count(*) FROM dead_letters GROUP BY 1").fetchall()
    )
    assert kept == [("cloud", 1), ("sensor", 5)]


async def test_the_memory_of_identities_is_bounded(spool: Spool) -> None:
    await spool.submit(lambda store: [store.remember(f"m{number}") for number in range(MAX_IDENTITIES + 10)])
    assert await spool.submit(lambda store: store.remember("m0"))
    assert not await spool.submit(lambda store: store.remember(f"m{MAX_IDENTITIES + 9}"))


async def test_a_new_configuration_forgets_the_limits_it_no_longer_has(spool: Spool) -> None:
    active = rules.State("active", NOW_MS, 9.0, NOW_MS)
    for rule_id in ("limit-1", "limit-2"):
        await spool.submit(partial(_save_state, rule_id=rule_id, state=active))
    config = GatewayConfig(4, [high_limit()])
    await spool.submit(lambda store: store.save_config(config))
    assert await spool.submit(Store.config) == config
    assert [alarm.rule for alarm in await spool.submit(Store.active_alarms)] == ["limit-1"]


def _save_state(store: Store, rule_id: str, state: rules.State) -> None:
    store.save_alarm_state("z2m:room", "temperature", rule_id, state)


async def test_a_job_that_the_database_refuses_spares_its_neighbours(spool: Spool) -> None:
    first = spool.submit(lambda store: append(store, 1))
    broken = spool.submit(lambda store: store.connection.execute("INSERT INTO nowhere VALUES (1)"))
    second = spool.submit(lambda store: append(store, 2))
    results = await asyncio.gather(first, broken, second, return_exceptions=True)
    assert [type(result) for result in results] == [type(None), sqlite3.OperationalError, type(None)]
    rows = await spool.submit(partial(read, "readings"))
    assert [(row.sequence, number_in(row)) for row in rows] == [(1, 1), (2, 2)]


async def test_a_full_spool_takes_nothing_but_can_be_emptied_and_takes_again(tmp_path: Path) -> None:
    async with running_spool(tmp_path, max_mb=1) as spool:
        stored = 0
        with pytest.raises(sqlite3.OperationalError, match="full"):  # noqa: PT012
            while True:
                await spool.submit(lambda store: append(store, *[4.0] * 500))
                stored += 500
        assert len(await spool.submit(partial(read, "readings"))) == stored
        await spool.submit(lambda store: store.acknowledge("readings", stored, {}, NOW_MS))
        await spool.submit(lambda store: append(store, 5.0))
        assert (await spool.submit(lambda store: store.backlog("readings"))).rows == 1
        pages = await spool.submit(lambda store: store.connection.execute("PRAGMA page_count").fetchone()[0])
        assert pages * 4096 <= 1 << 20


def test_a_file_that_is_no_spool_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"a letter to the landlord " * 1000)
    with pytest.raises(SpoolError, match="move the file aside"):
        open_spool(tmp_path, max_mb=8)


def test_a_spool_of_another_version_is_left_alone(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection:
        connection.execute("CREATE TABLE meta (key TEXT, value TEXT)")
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(SpoolError, match="another version"):
        open_spool(tmp_path, max_mb=8)


def test_only_the_gateways_user_can_read_the_secret(tmp_path: Path) -> None:
    open_spool(tmp_path / "data", max_mb=8).close()
    assert (tmp_path / "data" / FILE_NAME).stat().st_mode & 0o077 == 0


async def test_every_commit_waits_for_the_disk(spool: Spool) -> None:
    def pragmas(store: Store) -> list[object]:
        names = ("journal_mode", "synchronous", "auto_vacuum")
        return [store.connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names]

    assert await spool.submit(pragmas) == ["wal", 2, 2]


_WRITER = """
import asyncio, sys
from pathlib import Path
from gateway.spool import open_spool
from tests.gateway.running import measurement, tag_read, weighing

async def run():
    spool = open_spool(Path(sys.argv[1]), max_mb=64)
    writer = asyncio.create_task(spool.run())
    number = 0
    while True:
        number += 1
        def write(store, number=number):
            store.append_readings([measurement(float(number))])
            store.append_events("tags", [tag_read(number)])
            store.append_events("weights", [weighing(float(number))])
        def tell(done, number=number):
            done.result()
            print(number, flush=True)
        spool.submit(write).add_done_callback(tell)
        if number % 7 == 0:
            await asyncio.sleep(0)
        if number % 500 == 0:
            await spool.submit(lambda store: None)

asyncio.run(run())
"""


@pytest.mark.parametrize("acknowledgements", [1, 300, 2000])
async def test_what_was_acknowledged_survives_a_kill(tmp_path: Path, acknowledgements: int) -> None:
    command = [sys.executable, "-c", _WRITER, str(tmp_path)]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    lines = [await process.stdout.readline() for _ in range(acknowledgements)]
    process.kill()
    lines += (await process.stdout.read()).splitlines(keepends=True)
    await process.wait()
    acknowledged = [float(line) for line in lines if line.endswith(b"\n")]
    async with running_spool(tmp_path) as spool:
        lanes = [await spool.submit(partial(read, lane)) for lane in LANES if lane != "alarms"]
    for rows in lanes:
        assert [number_in(row) for row in rows][: len(acknowledged)] == acknowledged
        assert [row.sequence for row in rows] == list(range(1, len(rows) + 1))


class SpoolModel(RuleBasedStateMachine):
    """The spool against two lists, whatever the order of appends, acknowledgements and restarts."""

    @initialize()
    def start(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.runner = asyncio.Runner()
        self.waiting: dict[Lane, list[tuple[int, float]]] = {lane: [] for lane in LANES}
        self.used: dict[Lane, int] = dict.fromkeys(LANES, 0)
        self.acked: dict[Lane, int] = dict.fromkeys(LANES, 0)
        self.letters = 0
        self.open()

    def open(self) -> None:
        async def begin() -> None:
            self.spool = open_spool(Path(self.folder.name), max_mb=64)
            self.task = asyncio.create_task(self.spool.run())

        self.runner.run(begin())

    def close(self) -> None:
        async def end() -> None:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)
            self.spool.close()

        self.runner.run(end())

    @rule(lane=st.sampled_from(LANES), groups=st.lists(st.lists(st.floats(0, 50), max_size=4), max_size=4))
    def append(self, lane: Lane, groups: list[list[float]]) -> None:
        def job(store: Store, values: list[float]) -> None:
            match lane:
                case "readings":
                    append(store, *values)
                case "alarms":
                    store.append_events(lane, [msgspec.structs.replace(ALARM, value=value) for value in values])
                case "weights":
                    store.append_events(lane, [weighing(value) for value in values])
                case "tags":
                    store.append_events(lane, [tag_read(round(value)) for value in values])

        async def write() -> None:
            await asyncio.gather(*(self.spool.submit(partial(job, values=values)) for values in groups))

        self.runner.run(write())
        for value in (value for values in groups for value in values):
            self.used[lane] += 1
            self.waiting[lane].append((self.used[lane], float(round(value)) if lane == "tags" else value))

    @rule(lane=st.sampled_from(LANES), share=st.floats(0, 1), refuse=st.booleans())
    def acknowledge(self, lane: Lane, share: float, refuse: bool) -> None:
        count = round(share * len(self.waiting[lane]))
        if not count:
            return
        through = self.waiting[lane][count - 1][0]
        refused = {through: "no"} if refuse else {}

        async def write() -> None:
            await self.spool.submit(lambda store: store.acknowledge(lane, through, refused, NOW_MS))

        self.runner.run(write())
        del self.waiting[lane][:count]
        self.acked[lane] = through
        self.letters += refuse

    @rule()
    def restart(self) -> None:
        self.close()
        self.open()

    @invariant()
    def nothing_is_lost(self) -> None:
        def look(store: Store) -> tuple[dict[Lane, tuple[list[Row], int, Backlog]], int]:
            lanes = {lane: (read(lane, store), store.acked_through(lane), store.backlog(lane)) for lane in LANES}
            return lanes, store.dead_letters()

        async def ask() -> tuple[dict[Lane, tuple[list[Row], int, Backlog]], int]:
            return await self.spool.submit(look)

        lanes, letters = self.runner.run(ask())
        for lane, (rows, acked_through, backlog) in lanes.items():
            assert [(row.sequence, number_in(row)) for row in rows] == self.waiting[lane]
            assert acked_through == self.acked[lane]
            assert backlog == Backlog(len(rows), NOW_MS if rows else None)
        assert letters == self.letters

    def teardown(self) -> None:
        self.close()
        self.runner.close()
        self.folder.cleanup()


TestSpoolModel = SpoolModel.TestCase
TestSpoolModel.settings = settings(
    max_examples=25, stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
