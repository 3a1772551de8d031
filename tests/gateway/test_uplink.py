import asyncio
import itertools
import random
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.clock import Clock
from gateway.config import CloudSettings
from gateway.contract import MAX_ROWS, AlarmEvent, BatchAnswer, Lane, Reading, Refusal, Weighing
from gateway.credentials import open_credentials
from gateway.spool.store import Store
from gateway.spool.writer import Spool
from gateway.uplink.cloud import Cloud
from gateway.uplink.couriers import Uplink
from tests.gateway.cloud_double import CLAIM_CODE, FAULTS, CloudDouble, Fault, Row, running_cloud
from tests.gateway.running import NOW_MS, in_background, measurement, put, running_spool, tag_read, weighing
from tests.services.waiting import until

#: back-off of minutes passes in microseconds
FAST = Clock(speed=1_000_000.0)
ALL_LANES: tuple[Lane, ...] = ("alarms", "weights", "tags", "readings", "gaps", "summaries", "backlog")


class Sender:
    """An uplink and what it needs."""

    def __init__(self, spool: Spool, cloud: Cloud, uplink: Uplink, answers: list[BatchAnswer]) -> None:
        self.spool = spool
        self.cloud = cloud
        self.uplink = uplink
        self.answers = answers

    async def append(self, *values: float) -> None:
        await put(self.spool, *[measurement(value) for value in values])

    async def append_alarm(self) -> None:
        await put(
            self.spool,
            AlarmEvent(0, "z2m:room", "temperature", "r", "high", "raised", "ab" * 16, 9.0, NOW_MS, NOW_MS),
        )

    async def append_events(self, *numbers: int) -> None:
        """A tag read and a weight for each number."""
        await put(self.spool, *map(tag_read, numbers), *[weighing(float(number)) for number in numbers])

    def backlog(self) -> int:
        return sum(self.spool.waiting(lane) for lane in ALL_LANES)

    async def letters(self) -> list[tuple[str, str]]:
        query = "SELECT topic, reason FROM dead_letters ORDER BY id"
        return await self.spool.submit(lambda store: store.connection.execute(query).fetchall())

    async def drained(self) -> None:
        await until(lambda: not self.backlog(), what="everything is acknowledged", timeout_s=60)


@asynccontextmanager
async def sender(
    spool: Spool,
    double: CloudDouble,
    *,
    batch_rows: int = 500,
    clock: Clock = FAST,
    timeout_s: float = 10.0,
    under_way: int = MAX_ROWS,
) -> AsyncIterator[Sender]:
    """Claimed; `uplink.run()` is the test's to start."""
    told = CloudSettings(double.url, batch_rows=batch_rows, timeout_s=timeout_s)
    cloud = Cloud(told)
    try:
        credentials = open_credentials(spool.folder)
        if credentials.gateway_id is None:
            answer = await cloud.provision(CLAIM_CODE, await credentials.first_secret())
            await credentials.claimed(answer.gateway_id, answer.config_key)
        answers: list[BatchAnswer] = []
        uplink = Uplink(spool, cloud, clock, told, credentials, answers.append, under_way=under_way)
        spool.on_committed = uplink.committed
        yield Sender(spool, cloud, uplink, answers)
    finally:
        await cloud.close()


def values(rows: Sequence[Row]) -> list[float]:
    return [row.value for row in rows if isinstance(row, Reading)]


async def test_readings_arrive_once_and_in_order(spool: Spool, cloud: CloudDouble) -> None:
    async with sender(spool, cloud, batch_rows=3) as one, in_background(one.uplink.run()):
        await one.append(*range(9))
        await one.drained()
    assert [(row.sequence, row.value) for row in cloud.readings()] == [(n + 1, float(n)) for n in range(9)]
    assert {(batch.version, batch.epoch) for batch in cloud.batches} == {(2, spool.epoch)}
    assert cloud.requests[-1].headers["content-encoding"] == "gzip"
    assert [answer.acked_through for answer in one.answers] == [3, 6, 9]


async def test_only_the_list_of_its_lane_is_written(spool: Spool, cloud: CloudDouble) -> None:
    async with sender(spool, cloud) as one:
        await one.append(1)
        await one.append_events(7, 7, 8)
        async with in_background(one.uplink.run()):
            await one.drained()
    assert cloud.tags() == [replace(tag_read(number), sequence=n) for n, number in enumerate((7, 7, 8), 1)]
    assert cloud.weights() == [replace(weighing(float(number)), sequence=n) for n, number in enumerate((7, 7, 8), 1)]
    written = {
        msgspec.json.decode(request.body)["lane"]: msgspec.json.decode(request.body).keys()
        for request in cloud.requests[1:]
    }
    lists = {"weights": "weights", "tags": "tags", "readings": "columns"}
    assert written == {lane: {"version", "epoch", "lane", name} for lane, name in lists.items()}


async def test_an_alarm_does_not_wait_for_company(spool: Spool, cloud: CloudDouble) -> None:
    async with sender(spool, cloud, clock=Clock(speed=0.0001)) as one, in_background(one.uplink.run()):
        await one.append(4.0)
        await one.append_alarm()
        await until(lambda: bool(cloud.alarms()), what="the alarm is there")
        assert one.spool.waiting("readings") == 1, "which would wait for three hours"


async def test_a_full_batch_does_not_wait_for_company(spool: Spool, cloud: CloudDouble) -> None:
    async with (
        sender(spool, cloud, clock=Clock(speed=0.0001), batch_rows=5) as one,
        in_background(one.uplink.run()),
    ):
        await one.append(*range(5))
        await one.drained()


async def test_a_flood_of_tag_reads_does_not_hold_up_the_readings(spool: Spool, cloud: CloudDouble) -> None:
    async with sender(spool, cloud, batch_rows=2) as one:
        await one.append_events(*range(6))
        await one.append(1, 2, 3)
        async with in_background(one.uplink.run()):
            await one.drained()
    assert [batch.lane for batch in cloud.batches] == [*["weights", "tags", "readings"] * 2, "weights", "tags"]


async def test_a_lost_answer_makes_no_second_reading(spool: Spool, cloud: CloudDouble) -> None:
    async with sender(spool, cloud) as one:
        cloud.fail(FAULTS)
        await one.append(1, 2, 3)
        async with in_background(one.uplink.run()):
            await one.drained()
            await one.append(4, 5)
            await one.drained()
    assert values(cloud.readings()) == [1, 2, 3, 4, 5]
    assert cloud.duplicates > 0


# refused


async def test_a_refused_row_is_kept_here_and_its_neighbours_go_on(spool: Spool, cloud: CloudDouble) -> None:
    def refuse(row: Row) -> Refusal | None:
        return Refusal(0, None, "sensor_unknown", "sensor", "no such sensor") if row.sequence == 2 else None

    cloud.refuse = refuse
    async with sender(spool, cloud) as one, in_background(one.uplink.run()):
        await one.append(1, 2, 3)
        await one.drained()
        assert await one.letters() == [("readings", "sensor_unknown sensor: no such sensor")]
    assert values(cloud.readings()) == [1, 3]


@pytest.mark.parametrize("poisoned", [{7, 23}, {0}, {0, 1}, {49, 50}, {14, 15, 77}])
async def test_the_poison_rows_are_found_by_halving(spool: Spool, cloud: CloudDouble, poisoned: set[int]) -> None:
    cloud.is_poison = lambda row: isinstance(row, Reading) and row.value in poisoned
    async with sender(spool, cloud, batch_rows=16) as one:
        await one.append(*range(100))
        async with in_background(one.uplink.run()):
            await one.drained()
        assert [topic for topic, reason in await one.letters() if "422" in reason] == ["readings"] * len(poisoned)
        assert one.uplink.warnings == []
    assert sorted(values(cloud.readings())) == [n for n in range(100) if n not in poisoned]
    assert len(cloud.batches) < 45, "and batches grow again behind it"


async def test_a_single_row_is_no_poison_until_another_one_was_taken(spool: Spool, cloud: CloudDouble) -> None:
    cloud.is_poison = lambda row: isinstance(row, Reading) and row.value == 1.0
    async with sender(spool, cloud) as one, in_background(one.uplink.run()):
        await one.append(1)
        await until(lambda: len(cloud.batches) > 3, what="it is tried again and again")
        assert await one.letters() == []
        assert one.backlog() == 1
        assert "refuses what is there" in one.uplink.warnings[0]
        await one.append(2)
        await one.drained()
        assert [topic for topic, _ in await one.letters()] == ["readings"]
    assert values(cloud.readings()) == [2]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422, 426])
async def test_a_cloud_that_refuses_everything_loses_nothing(spool: Spool, cloud: CloudDouble, status: int) -> None:
    async with sender(spool, cloud, batch_rows=4) as one, in_background(one.uplink.run()):
        await one.append(-1)
        await one.drained()
        cloud.refuse_all = status
        await one.append(*range(10))
        await one.append_alarm()
        await until(lambda: len(cloud.batches) > 30, what="it is tried again and again")
        await until(lambda: len(one.uplink.warnings) == 2, what="the heartbeat can tell")
        assert await one.letters() == []
        assert one.backlog() == 11
        cloud.refuse_all = None
        await one.drained()
        assert one.uplink.warnings == []
    assert sorted(values(cloud.readings())) == list(range(-1, 10))


async def test_a_cloud_that_wants_no_weights_still_gets_the_readings(spool: Spool, cloud: CloudDouble) -> None:
    cloud.is_poison = lambda row: isinstance(row, Weighing)
    async with sender(spool, cloud) as one, in_background(one.uplink.run()):
        await one.append_events(1, 2, 3, 4, 5)
        for value in range(5):
            await one.append(value)
            await until(lambda: not spool.waiting("readings") and not spool.waiting("tags"), what="the others go on")
        assert spool.waiting("weights") == 5
        assert "refuses everything" in one.uplink.warnings[0]


async def test_batches_shrink_for_good_to_what_the_cloud_takes(spool: Spool, cloud: CloudDouble) -> None:
    cloud.largest_batch = 5
    async with sender(spool, cloud, batch_rows=40) as one, in_background(one.uplink.run()):
        await one.append(*range(40))
        await one.drained()
        refused = len(cloud.batches)
        await one.append(*range(40))
        await one.drained()
        assert await one.letters() == []
    assert len(cloud.readings()) == 80
    assert refused < 25
    again = [batch for batch in cloud.batches[refused:] if batch.lane == "readings"]
    assert again, "and the lane remembers"
    assert all(batch.columns and len(batch.columns.rows) <= 5 for batch in again)


async def test_an_answer_beyond_the_batch_deletes_only_what_was_sent(spool: Spool, cloud: CloudDouble) -> None:
    async with sender(spool, cloud, batch_rows=2) as one:
        await one.append(1, 2, 3, 4, 5)
        cloud.cursors[(spool.epoch, "readings")] = 4
        async with in_background(one.uplink.run()):
            await one.drained()
    assert [batch.columns.sequences for batch in cloud.batches if batch.columns] == [[(1, 2)], [(3, 2)], [(5, 1)]]


async def test_a_cloud_that_knows_rows_we_never_had_deletes_nothing(spool: Spool, cloud: CloudDouble) -> None:
    async with sender(spool, cloud, batch_rows=2) as one:
        await one.append(1, 2, 3, 4)
        cloud.cursors[(spool.epoch, "readings")] = 1_000_000
        async with in_background(one.uplink.run()):
            await until(
                lambda: "it is an old copy" in str(one.uplink.warnings), what="the heartbeat says what is wrong"
            )
        assert one.backlog() == 4


async def test_a_blocked_gateway_keeps_its_readings_and_says_what_to_do(spool: Spool, cloud: CloudDouble) -> None:
    async with sender(spool, cloud) as one, in_background(one.uplink.run()):
        cloud.blocked = True
        await one.append(1, 2)
        await until(lambda: "release it in the cloud" in str(one.uplink.warnings), what="the heartbeat says what to do")
        assert one.backlog() == 2
        cloud.blocked = False
        await one.drained()
    assert len(cloud.readings()) == 2


async def test_when_the_cloud_has_forgotten_the_new_secret_the_old_one_is_shown(
    spool: Spool, cloud: CloudDouble
) -> None:
    async with sender(spool, cloud) as one:
        credentials = open_credentials(spool.folder)
        await credentials.taken(await credentials.draw())  # and that answer was a lie: it has never heard of it
        uplink = Uplink(spool, one.cloud, FAST, CloudSettings(cloud.url), credentials, lambda answer: None)
        spool.on_committed = uplink.committed
        async with in_background(uplink.run()):
            await one.append(1)
            await one.drained()
        assert not credentials.doubted(credentials.current()), "there is one secret again"


# away


async def test_the_cloud_may_be_away_for_long(spool: Spool, cloud: CloudDouble) -> None:
    async with sender(spool, cloud) as one, in_background(one.uplink.run()):
        cloud.fail(["busy"] * 30)
        await one.append(1)
        await one.drained()
    assert len(cloud.readings()) == 1


async def test_an_alarm_does_not_wait_for_the_end_of_a_back_off(spool: Spool, cloud: CloudDouble) -> None:
    cloud.retry_after = "300"
    async with sender(spool, cloud, clock=Clock(speed=10.0)) as one, in_background(one.uplink.run()):
        cloud.fail(["busy"] * 2)
        await one.append(1)
        await one.append_alarm()
        await until(lambda: len(one.uplink.warnings) == 2, what="both back off, for half a minute at least")
        await one.append_alarm()
        await until(lambda: len(cloud.alarms()) == 2, what="both alarms are there", timeout_s=10)
        assert spool.waiting("readings") == 1


async def test_the_backlog_waits_while_live_rows_do_not_get_through(spool: Spool, cloud: CloudDouble) -> None:
    async with sender(spool, cloud) as one:
        await one.append(*range(10))
        await spool.split()
        await one.append(11)
        cloud.fail(["busy"] * 40)
        async with in_background(one.uplink.run()):
            await one.drained()
    failed = Counter(msgspec.json.decode(request.body)["lane"] for request in cloud.requests[1:41])
    assert failed["readings"] >= 35


async def test_a_request_that_was_given_up_may_still_arrive(spool: Spool, cloud: CloudDouble) -> None:
    async with sender(spool, cloud, batch_rows=2, timeout_s=10.0) as one:
        await one.append(*range(2_030))
        cloud.fail([None, "late", None, None, "late", "late", None])
        async with in_background(one.uplink.run()):
            await one.drained()
    assert sorted(values(cloud.readings())) == list(range(2_030))
    assert cloud.rows("backlog"), "rows have changed lanes meanwhile"


# overtaking


async def test_live_rows_overtake_a_backlog_of_fifty_thousand(spool: Spool, cloud: CloudDouble) -> None:
    async with sender(spool, cloud, batch_rows=2_000) as one:
        for start in range(0, 50_000, 10_000):
            await one.append(*range(start, start + 10_000))
        async with in_background(one.uplink.run()):
            await until(lambda: bool(cloud.rows("backlog")), what="the backlog is on its way")
            await one.append(-1.0)
            await one.append_alarm()
            await one.drained()
    lanes = [batch.lane for batch in cloud.batches]
    behind = lanes[max(n for n, batch in enumerate(cloud.batches) if batch.columns and -1.0 in batch.columns.values) :]
    assert behind.count("backlog") > 2
    assert lanes[lanes.index("alarms") :].count("backlog") > 2
    sent_before = len(cloud.rows("readings")) - 1
    assert MAX_ROWS < sent_before < 3 * MAX_ROWS, "what told the cursor, and what made sure of it"
    assert values(cloud.rows("backlog")) == [float(n) for n in range(sent_before, 50_000)]
    assert values(cloud.rows("readings")) == [*map(float, range(sent_before)), -1.0]


async def test_a_few_batches_keep_their_lane(spool: Spool, cloud: CloudDouble) -> None:
    async with sender(spool, cloud, batch_rows=100, under_way=1) as one:
        await one.append(*range(500))
        async with in_background(one.uplink.run()):
            await one.drained()
    assert {batch.lane for batch in cloud.batches} == {"readings"}


# exactly once


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    faults=st.lists(st.sampled_from([*FAULTS, None, None]), max_size=40),
    groups=st.lists(st.integers(0, 30), min_size=1, max_size=5),
    seed=st.integers(0, 999),
)
def test_under_any_failures_everything_arrives_exactly_once(
    tmp_path_factory: pytest.TempPathFactory, faults: list[Fault | None], groups: list[int], seed: int
) -> None:
    asyncio.run(_fail_and_crash(tmp_path_factory.mktemp("gateway"), faults, groups, random.Random(seed)))


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_ten_thousand_failures_lose_nothing(tmp_path: Path) -> None:
    randomness = random.Random(5)
    for number in range(50):
        faults = randomness.choices([*FAULTS, None, None], k=240)
        groups = [randomness.randrange(40) for _ in range(6)]
        asyncio.run(_fail_and_crash(tmp_path / str(number), faults, groups, randomness))


async def _fail_and_crash(
    folder: Path, faults: Sequence[Fault | None], groups: Sequence[int], randomness: random.Random
) -> None:
    """Each group in a gateway started anew after a crash, and in the end all of it is there.

    Batches are small, so that readings change lanes at many moments.
    """
    numbers, crashes = itertools.count(1), itertools.count(1)
    used_up = asyncio.Event()

    def failures() -> Iterator[Fault | None]:
        yield from faults
        used_up.set()

    def next_values(count: int) -> list[float]:
        return [float(next(numbers)) for _ in range(count)]

    async with running_cloud() as double:
        left = failures()
        data = folder / "0"
        for group in groups:
            async with running_spool(data) as spool:
                async with (
                    sender(spool, double, batch_rows=3, under_way=3) as one,
                    in_background(one.uplink.run()),
                ):
                    double.fail(left)
                    await one.append_events(*range(group))
                    for _ in range(3):
                        await one.append(*next_values(group))
                        await asyncio.sleep(randomness.choice([0.0, 0.005, 0.02]))
                    await one.append_alarm()
                    if randomness.random() < 0.3:
                        await one.drained()
                data = await _crash(spool, data, folder / str(next(crashes)))
        async with (
            running_spool(data) as spool,
            sender(spool, double, batch_rows=3, under_way=3) as one,
            in_background(one.uplink.run()),
        ):
            double.fail(left)
            await one.drained()
            while not used_up.is_set():
                await one.append(*next_values(20))
                await one.drained()
            assert await one.letters() == []
    assert sorted(values(double.readings())) == [float(n) for n in range(1, next(numbers))]
    assert [row.sequence for row in double.alarms()] == list(range(1, len(groups) + 1))
    for events in (double.tags(), double.weights()):
        assert [row.sequence for row in events] == list(range(1, sum(groups) + 1))
    for lane in ("readings", "backlog"):
        sequences = [row.sequence for row in double.rows(lane)]
        assert sequences == sorted(set(sequences)), "in order"


async def _crash(spool: Spool, data: Path, copy: Path) -> Path:
    """What the disk has at this moment, for the next process to find."""

    def photograph(_: Store) -> None:
        shutil.copytree(data, copy, ignore=shutil.ignore_patterns("*.new"))

    await spool.submit(photograph)
    return copy
