import asyncio
import itertools
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.backoff import Backoff
from gateway.clock import Clock
from gateway.cloud import Cloud, CloudRefused, CloudUnavailable
from gateway.config import CloudSettings
from gateway.contract import AlarmEvent, GatewayConfig, Heartbeat, Reading, Refusal
from gateway.errors import ConfigError
from gateway.health import send_heartbeats
from gateway.pipeline import Pipeline
from gateway.provisioning import RemoteConfig, provision
from gateway.spool import LANES, Credential, Spool, Store
from gateway.uplink import Uplink
from tests.gateway.cloud_double import CLAIM_CODE, FAULTS, GATEWAY_ID, CloudDouble, Fault, Row, running_cloud
from tests.gateway.running import NOW_MS, high_limit, in_background, measurement, running_spool, tag_read, weighing
from tests.services.waiting import until

#: back-off of minutes passes in microseconds
FAST = Clock(speed=1_000_000.0)


class Sender:
    """An uplink and what it needs."""

    def __init__(self, spool: Spool, double: CloudDouble, cloud: Cloud, batch_rows: int) -> None:
        self.spool = spool
        self.cloud = cloud
        self.pipeline = Pipeline(spool, max_pending=10, max_dead_letters=10, on_committed=lambda outcome: None)
        self.remote_config = RemoteConfig(spool, cloud, self.pipeline.apply)
        cloud_settings = CloudSettings(double.url, CLAIM_CODE, batch_rows=batch_rows)
        self.uplink = Uplink(spool, cloud, FAST, cloud_settings, self.remote_config)
        self.credential = Credential("", "")

    async def append(self, *values: float) -> None:
        await self.spool.submit(lambda store: store.append_readings([measurement(value) for value in values]))
        self.uplink.wake(urgent=False)

    async def append_alarm(self) -> None:
        alarm = AlarmEvent(0, "z2m:room", "temperature", "r", "high", "raised", "ab" * 16, 9.0, NOW_MS, NOW_MS)
        await self.spool.submit(lambda store: store.append_events("alarms", [alarm]))
        self.uplink.wake(urgent=True)

    async def append_events(self, *numbers: int) -> None:
        """A tag read and a weight for each number."""

        def append(store: Store) -> None:
            store.append_events("tags", [tag_read(number) for number in numbers])
            store.append_events("weights", [weighing(float(number)) for number in numbers])

        await self.spool.submit(append)
        self.uplink.wake(urgent=False)

    async def backlog(self) -> int:
        return await self.spool.submit(lambda store: sum(store.backlog(lane).rows for lane in LANES))

    async def letters(self) -> list[tuple[str, str]]:
        query = "SELECT topic, reason FROM dead_letters ORDER BY id"
        return await self.spool.submit(lambda store: store.connection.execute(query).fetchall())

    async def drained(self) -> None:
        async def is_empty() -> bool:
            return await self.backlog() == 0

        await until(is_empty, what="everything is acknowledged")


@asynccontextmanager
async def sender(spool: Spool, double: CloudDouble, *, batch_rows: int = 500) -> AsyncIterator[Sender]:
    cloud = Cloud(CloudSettings(double.url, timeout_s=10.0))
    try:
        one = Sender(spool, double, cloud, batch_rows)
        one.credential = await provision(spool, cloud, FAST, CLAIM_CODE, lambda: None)
        await one.remote_config.restore()
        yield one
    finally:
        await cloud.close()


async def test_readings_arrive_once_and_in_order(spool: Spool, cloud: CloudDouble) -> None:
    async with sender(spool, cloud, batch_rows=3) as one, in_background(one.uplink.run(one.credential)):
        await one.append(*range(10))
        await one.drained()
    assert [(row.sequence, row.value) for row in cloud.readings()] == [(n + 1, float(n)) for n in range(10)]
    assert [len(batch.readings) for batch in cloud.batches] == [3, 3, 3, 1]
    assert {(batch.version, batch.epoch) for batch in cloud.batches} == {(1, spool.epoch)}
    assert cloud.requests[-1].headers["content-encoding"] == "gzip"


async def test_alarms_overtake_the_backlog(spool: Spool, cloud: CloudDouble) -> None:
    async with sender(spool, cloud, batch_rows=2) as one:
        await one.append(1, 2, 3)
        await one.append_alarm()
        async with in_background(one.uplink.run(one.credential)):
            await one.drained()
    assert [batch.lane for batch in cloud.batches] == ["alarms", "readings", "readings"]
    assert [alarm.sequence for alarm in cloud.alarms()] == [1]


async def test_an_alarm_does_not_wait_for_company(spool: Spool, cloud: CloudDouble) -> None:
    cloud_settings = CloudSettings(cloud.url, upload_interval_s=86_400.0)
    async with sender(spool, cloud) as one:
        slow = Uplink(spool, one.cloud, Clock(), cloud_settings, one.remote_config)
        one.uplink = slow
        async with in_background(slow.run(one.credential)):
            await one.append(4.0)
            await one.append_alarm()
            await one.drained()
    assert (len(cloud.alarms()), len(cloud.readings())) == (1, 1)


async def test_tag_reads_and_weights_travel_on_lanes_of_their_own(spool: Spool, cloud: CloudDouble) -> None:
    async with sender(spool, cloud) as one:
        await one.append(1)
        await one.append_events(7, 7, 8)
        async with in_background(one.uplink.run(one.credential)):
            await one.drained()
    assert cloud.tags() == [replace(tag_read(number), sequence=n) for n, number in enumerate((7, 7, 8), 1)]
    assert cloud.weights() == [replace(weighing(float(number)), sequence=n) for n, number in enumerate((7, 7, 8), 1)]
    written = {
        msgspec.json.decode(request.body)["lane"]: msgspec.json.decode(request.body).keys()
        for request in cloud.requests[1:]
    }
    assert written == {lane: {"version", "epoch", "lane", lane} for lane in ("weights", "tags", "readings")}


async def test_a_flood_of_tag_reads_does_not_hold_up_the_readings(spool: Spool, cloud: CloudDouble) -> None:
    async with sender(spool, cloud, batch_rows=2) as one:
        await one.append_events(*range(6))
        await one.append(1, 2, 3)
        await one.append_alarm()
        async with in_background(one.uplink.run(one.credential)):
            await one.drained()
    lanes = [batch.lane for batch in cloud.batches]
    assert lanes == ["alarms", *["weights", "tags", "readings"] * 2, *["weights", "tags"] * 1]


async def test_a_refused_batch_is_sent_in_halves_at_once(spool: Spool, cloud: CloudDouble) -> None:
    cloud.largest_batch = 5
    async with sender(spool, cloud) as one:
        await one.append(*range(40))
        async with in_background(one.uplink.run(one.credential)):  # and nothing new ever wakes it
            await one.drained()
    assert len(cloud.readings()) == 40


async def test_a_lost_answer_makes_no_second_reading(spool: Spool, cloud: CloudDouble) -> None:
    async with sender(spool, cloud) as one:
        cloud.fail(["cut_after", "half", "cut_before", "busy", "nonsense"])
        await one.append(1, 2, 3)
        async with in_background(one.uplink.run(one.credential)):
            await one.drained()
    assert [row.value for row in cloud.readings()] == [1, 2, 3]
    assert cloud.duplicates > 0


async def test_a_refused_row_is_kept_here_and_its_neighbours_go_on(spool: Spool, cloud: CloudDouble) -> None:
    def refuse(row: Row) -> Refusal | None:
        return Refusal(0, None, "sensor_unknown", "sensor", "no such sensor") if row.sequence == 2 else None

    cloud.refuse = refuse
    async with sender(spool, cloud) as one, in_background(one.uplink.run(one.credential)):
        await one.append(1, 2, 3)
        await one.drained()
        assert await one.letters() == [("readings", "sensor_unknown sensor: no such sensor")]
    assert [row.value for row in cloud.readings()] == [1, 3]


async def test_the_poison_row_is_found_by_halving(spool: Spool, cloud: CloudDouble) -> None:
    cloud.is_poison = lambda row: isinstance(row, Reading) and row.value in (7.0, 23.0)
    async with sender(spool, cloud, batch_rows=16) as one:
        await one.append(*range(100))
        async with in_background(one.uplink.run(one.credential)):
            await one.drained()
        assert [topic for topic, reason in await one.letters() if "422" in reason] == ["readings", "readings"]
    assert [row.value for row in cloud.readings()] == [n for n in range(100) if n not in (7, 23)]
    assert len(cloud.batches) < 30, "and batches grow again behind it"


async def test_batches_shrink_to_what_the_cloud_takes(spool: Spool, cloud: CloudDouble) -> None:
    cloud.largest_batch = 5
    async with sender(spool, cloud) as one, in_background(one.uplink.run(one.credential)):
        await one.append(*range(40))
        await one.drained()
        assert await one.letters() == []
    assert len(cloud.readings()) == 40


async def test_an_answer_beyond_the_batch_deletes_only_what_was_sent(spool: Spool, cloud: CloudDouble) -> None:
    async with sender(spool, cloud, batch_rows=2) as one:
        await one.append(1, 2, 3, 4, 5)
        cloud.cursors[(spool.epoch, "readings")] = 4
        async with in_background(one.uplink.run(one.credential)):
            await one.drained()
    assert [[row.sequence for row in batch.readings] for batch in cloud.batches] == [[1, 2], [3, 4], [5]]


async def test_a_cloud_that_knows_rows_we_never_had_deletes_nothing(
    spool: Spool, cloud: CloudDouble, caplog: pytest.LogCaptureFixture
) -> None:
    async with sender(spool, cloud, batch_rows=2) as one:
        await one.append(1, 2, 3, 4)
        cloud.cursors[(spool.epoch, "readings")] = 1_000_000
        async with in_background(one.uplink.run(one.credential)):
            await until(lambda: "it is an old copy" in caplog.text, what="the log says what is wrong")
        assert await one.backlog() == 4


async def test_a_blocked_gateway_keeps_its_readings_and_says_what_to_do(
    spool: Spool, cloud: CloudDouble, caplog: pytest.LogCaptureFixture
) -> None:
    cloud.blocked = True
    async with sender(spool, cloud) as one, in_background(one.uplink.run(one.credential)):
        await one.append(1, 2)
        await until(lambda: "release it in the cloud" in caplog.text, what="the log says what to do")
        assert await one.backlog() == 2
        cloud.blocked = False
        await one.drained()
    assert len(cloud.readings()) == 2


async def test_the_cloud_may_be_away_for_long(spool: Spool, cloud: CloudDouble) -> None:
    async with sender(spool, cloud) as one, in_background(one.uplink.run(one.credential)):
        cloud.fail(["busy"] * 30)
        await one.append(1)
        await one.drained()
    assert len(cloud.readings()) == 1


def test_the_delay_grows_to_five_minutes_and_is_jittered() -> None:
    backoff, failure = Backoff(), CloudUnavailable("down")
    delays = [backoff.next_delay_s(failure.retry_after_s) for _ in range(60)]
    assert all(0 <= delay <= min(300, 2**n) for n, delay in enumerate(delays))
    assert len(set(delays)) > 50
    backoff.reset()
    assert backoff.next_delay_s(failure.retry_after_s) <= 1


@pytest.mark.parametrize(
    ("header", "at_least_s"),
    [("120", 120.0), ("Fri, 31 Dec 2999 23:59:59 GMT", 300.0), ("99999999999", 300.0), ("soon", 0.0), ("-5", 0.0)],
)
async def test_a_busy_cloud_says_when_to_come_back(
    spool: Spool, cloud: CloudDouble, header: str, at_least_s: float
) -> None:
    async with sender(spool, cloud) as one:
        cloud.retry_after = header
        cloud.fail(["busy"])
        with pytest.raises(CloudUnavailable) as caught:
            await one.cloud.config(one.credential)
    assert caught.value.retry_after_s == at_least_s
    assert Backoff().next_delay_s(caught.value.retry_after_s) >= at_least_s


_faults = st.lists(st.sampled_from([*FAULTS, None]), max_size=12)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(faults=_faults, groups=st.lists(st.integers(0, 5), min_size=1, max_size=5), seed=st.integers(0, 999))
def test_under_any_failures_everything_arrives_exactly_once(
    tmp_path_factory: pytest.TempPathFactory, faults: list[Fault | None], groups: list[int], seed: int
) -> None:
    async def story() -> None:
        numbers, randomness = itertools.count(1), random.Random(seed)
        folder = tmp_path_factory.mktemp("gateway")
        async with running_cloud() as double:
            for group in groups:  # each in a gateway started anew
                async with running_spool(folder) as spool, sender(spool, double, batch_rows=3) as one:
                    double.fail(faults)
                    task = asyncio.create_task(one.uplink.run(one.credential))
                    await one.append(*[float(next(numbers)) for _ in range(group)])
                    await one.append_alarm()
                    await one.append_events(*range(group))
                    if randomness.random() < 0.5:
                        await one.drained()
                    task.cancel()
                    await asyncio.gather(task, return_exceptions=True)
            async with (
                running_spool(folder) as spool,
                sender(spool, double) as one,
                in_background(one.uplink.run(one.credential)),
            ):
                await one.drained()
        assert [row.value for row in double.readings()] == [float(n) for n in range(1, sum(groups) + 1)]
        assert [row.sequence for row in double.alarms()] == list(range(1, len(groups) + 1))
        for events in (double.tags(), double.weights()):
            assert [row.sequence for row in events] == list(range(1, sum(groups) + 1))

    asyncio.run(story())


async def test_a_new_configuration_is_fetched_once_saved_and_applied(spool: Spool, cloud: CloudDouble) -> None:
    async with sender(spool, cloud) as one, in_background(one.uplink.run(one.credential)):
        cloud.config = GatewayConfig(2, [high_limit()])
        for value in (1.0, 2.0):
            await one.append(value)
            await one.drained()
        await until(lambda: one.remote_config.current.version == 2, what="the configuration is applied")
        assert await spool.submit(Store.config) == cloud.config
    assert [request.path for request in cloud.requests].count(f"/api/v1/edge/gateways/{GATEWAY_ID}/config") == 1


async def test_a_configuration_pushed_while_the_buffer_fills_costs_no_reading(spool: Spool, cloud: CloudDouble) -> None:
    async with sender(spool, cloud, batch_rows=2) as one, in_background(one.uplink.run(one.credential)):
        for version in range(2, 8):
            cloud.config = GatewayConfig(version, [high_limit(set_at=version + 1, clear_at=version)])
            await one.append(*[float(version)] * 5)
        await one.drained()
    assert len(cloud.readings()) == 30
    assert [row.sequence for row in cloud.readings()] == list(range(1, 31))


async def test_a_configuration_that_contradicts_itself_is_asked_for_once(
    spool: Spool, cloud: CloudDouble, caplog: pytest.LogCaptureFixture
) -> None:
    async with sender(spool, cloud) as one:
        cloud.config = GatewayConfig(2, [high_limit(set_at=1.0, clear_at=5.0)])
        for _ in range(3):
            await one.remote_config.seen(2, one.credential)
        assert one.remote_config.current.version == 1
        cloud.config = GatewayConfig(3, [high_limit()])
        await one.remote_config.seen(3, one.credential)
        assert one.remote_config.current.version == 3
    assert "configuration 2 refused, 1 stays" in caplog.text
    assert [request.method for request in cloud.requests].count("GET") == 2


async def test_heartbeats_tell_what_waits(spool: Spool, cloud: CloudDouble, tmp_path: Path) -> None:
    async with sender(spool, cloud) as one:
        await one.append(1, 2, 3)
        await spool.submit(lambda store: store.add_dead_letter("sensor", "t", b"?", NOW_MS, "not JSON"))
        cloud.config = GatewayConfig(5, [])
        cloud.fail(["busy"])
        beats = send_heartbeats(spool, one.cloud, FAST, one.remote_config, one.credential, tmp_path)
        async with in_background(beats):
            await until(lambda: len(cloud.heartbeats) >= 3, what="heartbeats go on after a failure")
    beat = msgspec.structs.replace(
        cloud.heartbeats[-1], recorded_at_ms=0, uptime_s=0, disk_free_mb=0, software_version=""
    )
    assert beat == Heartbeat(spool.epoch, 0, 0, "", 5, 3, NOW_MS, 1, 0)


async def test_a_lost_answer_to_the_claim_is_asked_again_with_the_same_secret(
    tmp_path: Path, cloud: CloudDouble
) -> None:
    async with running_spool(tmp_path) as spool:
        cloud.fail(["cut_after", "busy", "half"])
        tries: list[None] = []
        client = Cloud(CloudSettings(cloud.url))
        credential = await provision(spool, client, FAST, CLAIM_CODE, lambda: tries.append(None))
        assert len(tries) == 3
    async with running_spool(tmp_path) as spool:  # a restart needs neither code nor cloud
        assert await provision(spool, client, FAST, None, lambda: None) == credential
        assert len(cloud.requests) == 4
    await client.close()
    secrets = {msgspec.json.decode(request.body)["secret"] for request in cloud.requests}
    assert secrets == {credential.secret}
    assert len(bytes.fromhex(credential.secret)) == 32


def test_an_address_that_is_none_is_said_plainly() -> None:
    with pytest.raises(ConfigError, match=r"cloud.url 'http://a:b' is no address"):
        Cloud(CloudSettings("http://a:b"))


async def test_a_cloud_that_says_no_is_told_apart_from_one_that_is_away(cloud: CloudDouble) -> None:
    client = Cloud(CloudSettings(cloud.url))
    with pytest.raises(CloudRefused, match="401: credential_unknown no"):
        await client.config(Credential(GATEWAY_ID, "wrong"))
    await client.close()
    client = Cloud(CloudSettings("http://127.0.0.1:1"))
    with pytest.raises(CloudUnavailable, match="no answer from"):
        await client.config(Credential(GATEWAY_ID, "wrong"))
    await client.close()
