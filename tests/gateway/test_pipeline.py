"""What becomes of a message: rows, alarms, a dead letter, or nothing; and all of it on disk before anybody is told."""

import asyncio
import json
import math
import random
import sqlite3
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway import case_files, decoders, rules
from gateway.contract import AlarmEvent, GatewayConfig, Reading, WatchConfig
from gateway.decoders.decoded import Decoded, Known, LearningDecode, Measurement, Request, Sighting
from gateway.pipeline import Message, Pipeline
from gateway.spool.store import Store
from gateway.spool.writer import Spool
from tests.gateway.running import (
    NOW_MS,
    ROOT,
    HandClock,
    high_limit,
    measurement,
    rows_of,
    running_spool,
    tag_read,
    timeline_of,
    weighing,
)

DAY_MS = 24 * 3600 * 1000
CORPUS = sorted((ROOT / "tests" / "payloads").glob("*/*.json"))


class Site:
    """A pipeline, its clock, and what it has told."""

    def __init__(self, spool: Spool, decode: LearningDecode = decoders.decode, *, is_trusted: bool = True) -> None:
        self.clock = HandClock()
        self.told: list[AlarmEvent] = []
        self.said: list[tuple[str, bytes]] = []
        self.pipeline = Pipeline(
            spool,
            timeline_of(spool, self.clock, is_trusted=is_trusted),
            max_pending=100,
            decode=decode,
            on_alarms=self.told.extend,
            publish=lambda topic, payload: self.said.append((topic, payload)),
        )

    async def submit(self, messages: Sequence[Message]) -> None:
        """Raises sqlite3.Error when the disk does not take them."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def settled(error: sqlite3.Error | None) -> None:
            done.set_exception(error) if error else done.set_result(None)

        self.pipeline.submit(messages, settled)
        await done


def message(payload: object) -> Message:
    return Message("zigbee2mqtt/room", payload if isinstance(payload, bytes) else json.dumps(payload).encode())


async def readings(spool: Spool) -> list[Reading]:
    return [row for row in rows_of(await spool.next_batch("readings", 1000)) if isinstance(row, Reading)]


async def alarms(spool: Spool) -> list[AlarmEvent]:
    return [row for row in rows_of(await spool.next_batch("alarms", 1000)) if isinstance(row, AlarmEvent)]


async def letters(spool: Spool) -> list[tuple[str, bytes, str]]:
    query = "SELECT topic, payload, reason FROM dead_letters ORDER BY id"
    return await spool.submit(lambda store: store.connection.execute(query).fetchall())


async def test_a_message_becomes_rows_in_order(spool: Spool) -> None:
    await Site(spool).submit([message({"temperature": -18.4, "humidity": 60}), message({"battery": 97})])
    assert [(row.sequence, row.quantity, row.value) for row in await readings(spool)] == [
        (1, "temperature", -18.4),
        (2, "humidity", 60.0),
        (3, "battery", 97.0),
    ]


async def test_an_unreadable_message_becomes_a_dead_letter_with_its_bytes(spool: Spool) -> None:
    await Site(spool).submit([message(b"{\xff"), message({"temperature": 4})])
    assert len(await readings(spool)) == 1
    ((topic, payload, reason),) = await letters(spool)
    assert (topic, payload) == ("zigbee2mqtt/room", b"{\xff")
    assert "JSON is malformed" in reason


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
async def test_what_is_no_finite_number_is_never_a_reading(spool: Spool, value: float) -> None:
    def decode(topic: str, payload: bytes, received_at_ms: int, known: Known) -> Decoded:
        return Decoded((measurement(value), measurement(4.0)))

    await Site(spool, decode).submit([message(b"raw")])
    assert [row.value for row in await readings(spool)] == [4.0]
    assert [payload for _, payload, _ in await letters(spool)] == [b"raw"]


async def test_an_impossible_value_is_kept_and_marked(spool: Spool) -> None:
    await Site(spool).submit([message({"temperature": 850.0, "humidity": 100, "battery": -1})])
    assert [(row.quantity, row.quality) for row in await readings(spool)] == [
        ("temperature", "suspect"),
        ("humidity", "good"),
        ("battery", "suspect"),
    ]


async def test_a_repeat_that_the_sensor_numbers_is_dropped_also_after_a_restart(spool: Spool) -> None:
    def decode(topic: str, payload: bytes, received_at_ms: int, known: Known) -> Decoded:
        return Decoded((measurement(float(payload)),), ("half of it is broken",), identity=f"tag:{payload.decode()}")

    await Site(spool, decode).submit([message(b"1"), message(b"2"), message(b"1")])
    await Site(spool, decode).submit([message(b"2"), message(b"3")])
    assert [row.value for row in await readings(spool)] == [1, 2, 3]
    assert len(await letters(spool)) == 3


@pytest.mark.parametrize(
    ("last_seen", "recorded_at_ms", "source"),
    [
        (NOW_MS - 30 * DAY_MS, NOW_MS - 30 * DAY_MS, "device"),
        (NOW_MS + 300_000, NOW_MS + 300_000, "device"),
        (NOW_MS - 30 * DAY_MS - 1, NOW_MS, "gateway"),
        (NOW_MS + 300_001, NOW_MS, "gateway"),
        ("1970-01-01T00:00:07Z", NOW_MS, "gateway"),
        (10**30, NOW_MS, "gateway"),
    ],
)
async def test_a_devices_time_is_believed_when_it_can_be_true(
    spool: Spool, last_seen: object, recorded_at_ms: int, source: str
) -> None:
    await Site(spool).submit([message({"temperature": 4, "last_seen": last_seen})])
    (row,) = await readings(spool)
    assert (row.recorded_at_ms, row.time_source) == (recorded_at_ms, source)
    assert row.quality == ("good" if source == "device" else "suspect")


async def test_tag_reads_and_weights_take_the_same_way(spool: Spool) -> None:
    def decode(topic: str, payload: bytes, received_at_ms: int, known: Known) -> Decoded:
        future = NOW_MS + DAY_MS
        seen = (Sighting(tag_read(1)), Sighting(tag_read(1)), Sighting(tag_read(2, at_ms=future)))
        bad = replace(weighing(None, at_ms=future), time_source="device")
        return Decoded(problems=("cut",), sightings=seen, weighings=(weighing(), weighing(), bad))

    await Site(spool, decode).submit([message(b"raw")])
    assert len(await letters(spool)) == 1
    assert rows_of(await spool.next_batch("tags", 10)) == [
        replace(tag_read(1), sequence=1),
        replace(tag_read(1), sequence=2),
        replace(tag_read(2), sequence=3, time_source="gateway", quality="suspect"),
    ]
    assert rows_of(await spool.next_batch("weights", 10)) == [
        replace(weighing(), sequence=1),
        replace(weighing(), sequence=2),
        replace(weighing(None), sequence=3),
    ]


async def test_a_tag_read_that_its_reader_numbers_is_kept_once_in_whatever_message(spool: Spool) -> None:
    def record(number: int) -> dict[str, object]:
        data = {"idHex": "AB" * 12, "antenna": 1, "eventNum": number}
        return {"data": data, "timestamp": "2026-01-15T10:12:29.500+0000", "type": "INVENTORY"}

    def batch(*numbers: int) -> Message:
        return Message("zebra/gate/d-evt", json.dumps([record(number) for number in numbers]).encode())

    await Site(spool).submit([batch(1, 2), batch(1, 2)])
    await Site(spool).submit([batch(2, 3)])
    assert len(rows_of(await spool.next_batch("tags", 10))) == 3


async def test_a_repeat_without_a_number_is_another_reading(spool: Spool) -> None:
    await Site(spool).submit([message({"temperature": 4})] * 2)
    assert len(await readings(spool)) == 2


async def test_an_alarm_is_judged_on_calibrated_values_and_kept_raw(spool: Spool) -> None:
    site = Site(spool)
    site.pipeline.apply(GatewayConfig(1, [high_limit(duration_s=60, offset=-7.5, gain=2.0)]))
    for value in [7.5, 7.8, 8.0, 7.25]:
        await site.submit([message({"temperature": value})])
        site.clock.pass_by(60)
    series = ("z2m:room", "temperature", "limit-1")
    incident = rules.incident_key(*series, NOW_MS + 60_000)
    assert await alarms(spool) == [
        AlarmEvent(1, *series, "high", "raised", incident, 8.0 * 2.0 - 7.5, NOW_MS + 60_000, NOW_MS + 120_000),
        AlarmEvent(2, *series, "high", "cleared", incident, 7.0, NOW_MS + 60_000, NOW_MS + 180_000),
    ]
    assert [row.value for row in await readings(spool)] == [7.5, 7.8, 8.0, 7.25]
    assert [alarm.event for alarm in site.told] == ["raised", "cleared"]


async def test_a_pending_breach_survives_a_restart(spool: Spool) -> None:
    config = GatewayConfig(1, [high_limit(duration_s=60)])
    for minute in range(2):
        site = Site(spool)
        site.clock.pass_by(minute * 60)
        site.pipeline.apply(config)
        await site.submit([message({"temperature": 9})])
    assert [(alarm.event, alarm.started_at_ms) for alarm in await alarms(spool)] == [("raised", NOW_MS)]


async def test_bad_readings_are_stored_and_not_judged(spool: Spool) -> None:
    def decode(topic: str, payload: bytes, received_at_ms: int, known: Known) -> Decoded:
        return Decoded((Measurement("z2m:room", "temperature", 99.0, "Cel", NOW_MS, "gateway", "bad"),))

    site = Site(spool, decode)
    site.pipeline.apply(GatewayConfig(1, [high_limit()]))
    await site.submit([message(b"")])
    assert (len(await readings(spool)), await alarms(spool)) == (1, [])


async def test_an_absurd_value_blocks_nobody(spool: Spool) -> None:
    site = Site(spool)
    site.pipeline.apply(GatewayConfig(1, [high_limit(offset=1.7e308)]))
    await site.submit([message({"temperature": 1.7e308}), message({"humidity": 60})])
    assert [(row.value, row.quality) for row in await readings(spool)] == [(1.7e308, "suspect"), (60.0, "good")]


async def test_a_configuration_that_contradicts_itself_changes_nothing(spool: Spool) -> None:
    site = Site(spool)
    site.pipeline.apply(GatewayConfig(1, [high_limit()]))
    for broken in (high_limit(set_at=1.0, clear_at=2.0), high_limit(offset=math.nan)):
        with pytest.raises(ValueError, match="limit limit-1"):
            site.pipeline.apply(GatewayConfig(2, [broken]))
    await site.submit([message({"temperature": 9})])
    assert len(await alarms(spool)) == 1


async def test_a_limit_speaks_of_one_series_only(spool: Spool) -> None:
    site = Site(spool)
    site.pipeline.apply(GatewayConfig(1, [high_limit()]))
    await site.submit([message({"humidity": 60}), Message("zigbee2mqtt/hall", b'{"temperature": 20}')])
    assert await alarms(spool) == []


async def test_sources_are_told_to_stop_and_called_back(spool: Spool) -> None:
    pipeline = Site(spool).pipeline
    room = asyncio.Event()
    for _ in range(2):
        pipeline.submit([message({"temperature": 4})] * 50, lambda error: None)
    assert pipeline.is_full
    pipeline.when_room(room.set)
    await asyncio.wait_for(room.wait(), 10)
    await pipeline.drained()
    assert not pipeline.is_full


async def test_dead_letters_are_bounded(tmp_path: Path) -> None:
    async with running_spool(tmp_path, max_dead_letters=10) as spool:
        await Site(spool).submit([message(b"?")] * 25)
        assert len(await letters(spool)) == 10
        assert await spool.submit(Store.dead_letters) == 25


async def test_the_rows_and_the_alarms_state_are_one_transaction(spool: Spool) -> None:
    """A commit that fails takes the state of the limits back with the rows, so that the repeat raises the alarm."""
    site = Site(spool)
    site.pipeline.apply(GatewayConfig(1, [high_limit()]))
    await spool.submit(partial(_forbid_alarms, forbid=True))
    with pytest.raises(Exception, match="forbidden"):
        await site.submit([message({"temperature": 9})])
    assert await readings(spool) == []
    await spool.submit(partial(_forbid_alarms, forbid=False))
    await site.submit([message({"temperature": 9})])
    assert [alarm.event for alarm in await alarms(spool)] == ["raised"]


def _forbid_alarms(store: Store, *, forbid: bool) -> None:
    if forbid:
        store.connection.execute(
            "CREATE TRIGGER guard BEFORE INSERT ON alarms BEGIN SELECT raise(ABORT, 'forbidden'); END"
        )
    else:
        store.connection.execute("DROP TRIGGER guard")


async def test_what_one_message_teaches_another_can_use_also_after_a_restart(spool: Spool) -> None:
    def decode(topic: str, payload: bytes, received_at_ms: int, known: Known) -> Decoded:
        if payload == b"birth":
            return Decoded(learned={"maker:unit": "Cel"})
        if "maker:unit" not in known:
            return Decoded(problems=("no birth",), requests=(Request("maker/command", b"rebirth"),))
        return Decoded((Measurement("maker:1", "temperature", 4.0, known["maker:unit"], received_at_ms),))

    site = Site(spool, decode)
    await site.submit([message(b"data")])
    assert site.said == [("maker/command", b"rebirth")]
    await site.submit([message(b"birth")])
    await Site(spool, decode).submit([message(b"data")])
    assert [row.unit for row in await readings(spool)] == ["Cel"]


async def test_a_message_that_its_source_could_not_take_is_a_dead_letter_with_the_sources_reason(spool: Spool) -> None:
    await Site(spool).submit([Message("zigbee2mqtt/room", b'{"temp', "cut: 70000 bytes, at most 65536 are taken")])
    ((topic, payload, reason),) = await letters(spool)
    assert (topic, payload, reason) == ("zigbee2mqtt/room", b'{"temp', "cut: 70000 bytes, at most 65536 are taken")


async def test_a_devices_clock_is_not_believed_before_our_own_can_be(spool: Spool) -> None:
    site = Site(spool, is_trusted=False)
    await site.submit([message({"temperature": 4, "last_seen": NOW_MS - DAY_MS})])
    (row,) = await readings(spool)
    assert (row.recorded_at_ms, row.time_source, row.quality) == (NOW_MS, "gateway", "good")


async def test_silence_is_told_by_time_alone_and_ends_with_the_next_reading(spool: Spool) -> None:
    site = Site(spool)
    site.pipeline.apply(GatewayConfig(1, [], watches=[WatchConfig("w1", "z2m:room", "temperature", "silent", 600)]))
    await site.submit([message({"temperature": 4})])
    site.pipeline.tick()
    site.clock.pass_by(601)
    site.pipeline.tick()
    assert [(alarm.kind, alarm.event) for alarm in site.told] == [("silent", "raised")]
    await site.submit([message({"temperature": 4})])
    assert [(alarm.kind, alarm.event) for alarm in await alarms(spool)] == [("silent", "raised"), ("silent", "cleared")]


async def test_a_wrong_clock_is_repaired_in_what_waits_and_the_alarm_keeps_its_reading(spool: Spool) -> None:
    """The box wakes up three days in the past; when the cloud tells the time, rows and alarm move together."""
    site = Site(spool, is_trusted=False)
    site.clock.at_ms -= 3 * DAY_MS
    timeline = timeline_of(spool, site.clock, is_trusted=False)
    site.pipeline = Pipeline(spool, timeline, max_pending=100)
    timeline_start_ms = timeline.now_ms()
    site.pipeline.apply(GatewayConfig(1, [high_limit(duration_s=60)]))
    for _ in range(3):
        await site.submit([message({"temperature": 9})])
        site.clock.pass_by(60)
    true_ms = NOW_MS + 180_000
    behind_ms = true_ms - timeline.now_ms()
    timeline.heard_from_cloud(true_ms, 0.0)
    await site.submit([message({"temperature": 3})])
    rows = await readings(spool)
    assert [row.recorded_at_ms for row in rows] == [
        *(timeline_start_ms + behind_ms + minute * 60_000 for minute in range(3)),
        true_ms,
    ]
    raised, cleared = await alarms(spool)
    assert (raised.event, raised.started_at_ms) == ("raised", rows[0].recorded_at_ms)
    assert (cleared.event, cleared.incident) == ("cleared", raised.incident)
    assert raised.incident == rules.incident_key("z2m:room", "temperature", "limit-1", rows[0].recorded_at_ms)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_nothing_that_a_device_can_say_stops_the_commits(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    asyncio.run(_say_everything(tmp_path_factory.mktemp("spool"), random.Random(seed)))


async def _say_everything(folder: Path, chance: random.Random) -> None:
    """The messages of the corpus, each cut, twisted or as it is, on its own topic or on another's."""
    cases = [case_files.read(path) for path in CORPUS]
    async with running_spool(folder) as spool:
        site = Site(spool)
        for _ in range(20):
            messages = []
            for case in chance.sample(cases, 20):
                payload = bytearray(case.bytes())
                for _ in range(chance.choice([0, 1, 1, 3])):
                    if payload:
                        payload[chance.randrange(len(payload))] = chance.randrange(256)
                topic = case.topic if chance.random() < 0.8 else chance.choice(cases).topic
                messages.append(Message(topic, bytes(payload[: chance.choice([10_000, len(payload) // 2])])))
            await site.submit(messages)
        await spool.submit(lambda _: None)
        assert spool.counters.failures == 0
